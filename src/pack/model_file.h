/* An opened model: what admmnn_model is. */
#ifndef PACK_MODEL_FILE_H
#define PACK_MODEL_FILE_H

#include "admmnn/model.h"
#include "base/pool.h"
#include "graph/ending.h"
#include "pack/pack.h"
#include "train/network.h"

struct admmnn_model {
    char *path;
    admmnn_context log; /* nothing else of the opener's */
    pack_model *packed;
    pack_report report; /* no tensors: the file is ONNX, and has no such bits */
    float *params;      /* [packed->g->flat_count] */
    uint64_t file_bytes;
    base_pool *pool;
    train_network *network; /* of the runs, forward only; NULL before the first */
};

/* What a file holds, as a packed model. *described: the order of its units and
 * its levels are a packed file's (or its ONNX form's). report may be NULL. output: what is about
 * to be replaced, which none of the model may lie in; NULL: nothing. */
admmnn_status model_file_read(const char *path, const char *output, pack_model **out,
                              pack_report *report, uint64_t *file_bytes, bool *described,
                              admmnn_error *err);

uint64_t model_kept_weights(const admmnn_model *model);

/* A copy of the graph without its ending, for training: losses are of logits. The caller's.
 * ADMMNN_UNSUPPORTED: a softmax that cannot be taken off makes the outputs. */
admmnn_status model_open_logits(const graph *g, const char *path, graph **logits,
                                graph_ending *ending, admmnn_error *err);

/* How the pixels of a dataset are normalised for the model of the file at path: as is asked for,
 * else as the model says. ADMMNN_USAGE: means and deviations that make no sense. */
admmnn_status model_choose_tones(const pack_model *model, const char *path,
                                 const admmnn_images *images, data_tones *tones, admmnn_error *err);
/* The same told to the model, whose file or header says it then. Where neither does, a line to the
 * log, `where` it is said then: pixels / 255. */
admmnn_status model_tell_tones(pack_model *model, const char *path, const char *mean,
                               const char *deviation, const char *where,
                               const admmnn_context *context, admmnn_error *err);
/* A line to the log: the file at path does not say it; `otherwise`: what does. Few exporters do,
 * and a network that is given other pixels than it was trained on works all the same. */
void model_note_untold(const char *path, const char *otherwise, const admmnn_context *context);
/* That line where neither the model nor `images` say it. */
void model_note_tones(const pack_model *model, const char *path, const admmnn_images *images,
                      const data_set *set, const admmnn_context *context);

/* A part of a dataset as the network of the file at path reads it. ADMMNN_INPUT: its images are
 * not what the network reads and tells apart. */
admmnn_status model_images_open(const graph *g, const char *path, const admmnn_images *images,
                                const admmnn_context *context, data_part part, data_set *set,
                                admmnn_error *err);

/* Refuses an output that is the input, and one that exists unless force is not 0. */
admmnn_status model_check_output(const char *input, const char *output, int force,
                                 admmnn_error *err);
/* Refuses an ONNX output whose data would go into the input, whether or not they stay inside. */
admmnn_status model_check_data(const char *input, const char *output, admmnn_error *err);

#endif
