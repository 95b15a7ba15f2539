/* One compression run as a machine of small steps: each tick is one epoch or one
 * change of stage, and between two ticks the whole run can be written down. */
#ifndef COMPRESS_RUN_H
#define COMPRESS_RUN_H

#include "base/bytes.h"
#include "base/context.h"
#include "compress/recipe.h"
#include "graph/ending.h"
#include "graph/shrink.h"
#include "train/curvature.h"
#include "train/loop.h"

/* X(name, text) */
#define RUN_STAGE_MAP(X)                                                                           \
    X(DENSE, "dense training")                                                                     \
    X(PRUNE_ADMM, "ADMM pruning")                                                                  \
    X(RETRAIN, "masked retraining")                                                                \
    X(BITS, "search of bits")                                                                      \
    X(QUANTIZE_ADMM, "ADMM quantization")                                                          \
    X(QUANTIZE_TRAIN, "quantized retraining")                                                      \
    X(DONE, "done")

typedef enum run_stage {
#define RUN_STAGE_ENUM(name, text) RUN_##name,
    RUN_STAGE_MAP(RUN_STAGE_ENUM)
#undef RUN_STAGE_ENUM
} run_stage;

/* Where the run is: what a checkpoint holds beside the vectors. */
typedef struct run_position {
    run_stage stage;
    uint32_t round;     /* of pruning */
    uint32_t iteration; /* of ADMM */
    uint32_t epoch;     /* of the stretch */
    uint32_t stream;    /* stretches begun: names their random numbers */
    uint32_t trained;   /* epochs, of all stretches */
} run_position;

typedef struct run_layer {
    uint32_t node;
    size_t target; /* weights to keep after this round; on a ramp, in the set as it is */
    unsigned bits;
    float step;      /* q of the weights */
    float bias_step; /* q of the biases */
    bool fixed_bits; /* the search is done with this layer */
} run_layer;

/* Validation accuracies of the stages, fractions; negative when not measured. */
typedef struct run_scores {
    double dense, before_projection, after_projection, pruned, quantized_projection, quantized;
} run_scores;

/* The teacher's answers to the training images, a version at a time as an epoch wants it. */
typedef struct run_answers {
    bool pruned;               /* the pruned network's; else the dense one's */
    float *logits;             /* [versions, at least 1][train.count][outputs]; NULL: none yet */
    uint64_t answered;         /* bit v: version v is in logits */
    uint64_t seed;             /* of the teacher's run, and of the versions */
    uint32_t batch;            /* that the teacher's engine was made for */
    uint32_t versions;         /* of each image; 0: the undistorted one */
    data_augmentation augment; /* of the versions */
} run_answers;

typedef struct compress_run {
    const recipe *r;
    const admmnn_context *context;
    base_pool *pool;
    graph *g;              /* without the ending */
    graph_ending ending;   /* of a model file's network */
    onnx_labels *labels;   /* the names of an ONNX file; NULL: none */
    char model_sha256[65]; /* of a model file's network; empty: of the zoo */
    data_set train;
    char data_sha256[65]; /* of train: a resumed run must have the same */
    uint32_t *order;      /* training images, then validation images */
    size_t train_count, validation_count;
    data_tones tones;
    bool tones_untold; /* by a model file */

    run_position at;
    train_network *network;
    train_optimizer *optimizer;
    admm_problem *admm;         /* in the ADMM stages */
    train_curvature *curvature; /* that the x steps are on; NULL: on none */
    float *rho;                 /* [parameter_count] */
    uint32_t batch;             /* the largest of any stretch */

    /* Each takes as much memory as the network's parameters: none is there before it is
     * needed, nor longer (docs/networks.md). */
    uint8_t *mask;     /* [flat_count] */
    float *dense;      /* [flat_count] the dense network; NULL while it is trained, and before that
                          the weights of a model file */
    float *pruned;     /* [flat_count] after the last retraining; NULL until then, and where
                          nothing is pruned */
    float *importance; /* [flat_count] second moments of the last training that had any, until
                          levels are fitted; NULL: all alike */
    float *average;    /* [active_count] mean of the last epochs' weights; NULL: of none yet */
    uint32_t averaged; /* epochs in it */
    uint8_t *fixed;    /* [active_count] 1: stays on its level; NULL: none does */
    run_answers answers;
    run_layer *layers;
    uint32_t layer_count;
    run_scores scores;
    bool sparse; /* the mask is in force */

    double seconds_before; /* of earlier sessions of this run */
    double seconds_start;
    double stage_seconds[RUN_DONE];
    base_writer log; /* log.jsonl */
    char note[48];   /* how the last epoch went, for progress */
} compress_run;

admmnn_status run_create(const recipe *r, const admmnn_context *context, compress_run **out,
                         admmnn_error *err);
void run_free(compress_run *run);

/* One epoch or change of stage; at.stage RUN_DONE ends. */
admmnn_status run_tick(compress_run *run, admmnn_error *err);
const char *run_stage_text(const compress_run *run);
/* The stage and, of pruning, the round: "ADMM pruning, round 1/3 (19x)". */
void run_task_text(const compress_run *run, char *text, size_t size);

/* The whole state as bytes, in the place of what out holds, and back from all that is to be
 * read. Restoring checks the digests of the recipe and the training data, the seed and the
 * number of threads. */
admmnn_status run_snapshot(const compress_run *run, base_writer *out, admmnn_error *err);
admmnn_status run_restore(compress_run *run, const char *path, const base_reader *bytes,
                          admmnn_error *err);

/* ---- run_model.c ---- */

/* A model file's network, its weights as the dense ones and how it wants its pixels; of the
 * zoo nothing yet. ADMMNN_UNSUPPORTED: one that is not trained as it is. */
admmnn_status run_read_model(compress_run *run, admmnn_error *err);
/* Afterwards the network for the training part is there, of the zoo without weights. */
admmnn_status run_make_graph(compress_run *run, admmnn_error *err);
/* The weights it begins with as the dense ones, where there are none of a model file. */
admmnn_status run_draw_weights(compress_run *run, admmnn_error *err);
/* The digest of the ONNX form of the recipe's model file; empty: a network of the zoo. */
admmnn_status run_digest_model(const recipe *r, char digest[65], admmnn_error *err);
/* Whether the recipe's name is the layer's. */
bool run_is_layer(const compress_run *run, uint32_t layer, const char *name);

/* ---- run_memory.c ---- */

/* Bytes that the run of this recipe and network takes at least. */
uint64_t run_least_memory(const compress_run *run);
/* ADMMNN_MEMORY with both figures where that is more than there is. */
admmnn_status run_check_memory(const compress_run *run, uint64_t memory, admmnn_error *err);

/* ---- run_data.c ---- */

/* One part of the recipe's set. */
admmnn_status run_open_part(const recipe *r, const admmnn_context *context, data_part part,
                            data_set *out, admmnn_error *err);
/* The training part, its digest, its split and how its pixels are normalised. */
admmnn_status run_open_data(compress_run *run, admmnn_error *err);
/* The test part, which must fit the network; the caller's, freed with data_set_free. */
admmnn_status run_open_test(const compress_run *run, data_set *test, admmnn_error *err);

/* ---- run_drive.c ---- */

typedef enum run_goal {
    RUN_TO_DENSE, /* the dense network is trained, nothing is pruned yet */
    RUN_TO_END
} run_goal;

/* Where a run leaves itself while it goes on: paths of files. */
typedef struct run_trail {
    const char *checkpoint;
    const char *log; /* of the events until the checkpoint */
} run_trail;

/* Ticks until the goal, with a checkpoint and the log every few seconds and at every
 * change of stage. A run to the dense network leaves them at the goal too: other
 * recipes may go on from it. ADMMNN_CANCELLED after a clean stop with both;
 * ADMMNN_DIVERGED leaves them too, of the last whole epoch, and a line in the log; so
 * does ADMMNN_CORRUPT, of images, without a line. */
admmnn_status run_drive(compress_run *run, run_goal goal, const run_trail *trail,
                        admmnn_error *err);
/* The recipe of a run, with the folder of the dataset it names. */
admmnn_status run_read_recipe(const char *path, recipe **r, admmnn_error *err);
/* The digest of the recipe's training images and labels. */
admmnn_status run_digest_data(const recipe *r, const admmnn_context *context, char digest[65],
                              admmnn_error *err);
/* Restores from a checkpoint's file: another run's, or its own, which it says. */
admmnn_status run_start_from(compress_run *run, const char *checkpoint, admmnn_error *err);
admmnn_status run_resume(compress_run *run, const char *checkpoint, admmnn_error *err);

/* ---- shared by the stages ---- */

double run_seconds(const compress_run *run);
/* Share of the whole run's work done at the start of the current stretch, and
 * what one epoch of it adds. */
void run_progress(const compress_run *run, double *from, double *each);
/* Begins a stretch of training: a new optimiser, epoch 0. */
admmnn_status run_begin(compress_run *run, run_stage stage, admmnn_error *err);
/* run_average.c: after each epoch of a part of training, `left` of its epochs to come:
 * the last ones, `share` of them, join the mean, which takes the weights' place at the
 * end. */
admmnn_status run_average(compress_run *run, double share, uint32_t epochs, uint32_t left,
                          admmnn_error *err);
/* So many epochs that share a schedule of the rate, and those of them before this stretch. */
typedef struct run_schedule {
    uint32_t before, epochs;
} run_schedule;
/* One epoch of a stretch, with the penalty in the ADMM stages. */
admmnn_status run_epoch(compress_run *run, const recipe_training *training, run_schedule schedule,
                        const train_hooks *hooks, admmnn_error *err);
/* The same without training: hooks measure. */
admmnn_status run_measure(compress_run *run, const recipe_training *training,
                          const train_hooks *hooks, admmnn_error *err);
admmnn_status run_validate(compress_run *run, const float *params, train_score *score,
                           admmnn_error *err);
/* The network's parameters in the graph's places, [flat_count]; the caller's. */
admmnn_status run_flat_params(const compress_run *run, float **flat, admmnn_error *err);
/* The same to be read alone, which takes memory on a support only: *own is the caller's. */
admmnn_status run_look_flat(const compress_run *run, float **own, const float **flat,
                            admmnn_error *err);
/* What the pruned network is: the dense one where nothing is pruned. */
const float *run_pruned(const compress_run *run);
/* Rebuilds the network on the current mask; params[flat_count]. */
admmnn_status run_apply_mask(compress_run *run, const float *params, admmnn_error *err);
/* The same on the mask of params' nonzero weights, without dead structure;
 * params[flat_count] loses it too. */
admmnn_status run_cut_zeros(compress_run *run, shrink_care care, float *params, admmnn_error *err);
/* run_teacher.c: makes sure of the teacher's answers to the version of the images that the coming
 * epoch shows, when the training wants them. */
admmnn_status run_ask_teacher(compress_run *run, const recipe_training *training,
                              admmnn_error *err);
/* To learn from in the coming epoch. */
train_teacher run_teacher(const compress_run *run);
void run_answers_free(run_answers *answers);
/* Frees what to held; from is left without any. */
void run_answers_move(run_answers *from, run_answers *to);

admmnn_status run_keep_importance(compress_run *run, admmnn_error *err);

/* run_admm.c: the set of a layer's weights; the caller's. */
typedef admmnn_status (*run_set_maker)(const compress_run *run, uint32_t layer, admm_set **set,
                                       admmnn_error *err);
const graph_parameter *run_weight(const compress_run *run, uint32_t layer);
/* run->admm with one block a layer, blank, for a checkpoint to fill. */
admmnn_status run_admm_problem(compress_run *run, const recipe_admm *a, run_set_maker make,
                               admmnn_error *err);
/* The same from the network's parameters. */
admmnn_status run_admm_start(compress_run *run, const recipe_admm *a, run_set_maker make,
                             admmnn_error *err);
/* The z and u steps of the iteration's update `number`, from 1, of its network's parameters.
 * residuals[layer_count], NULL when not wanted. */
admmnn_status run_admm_step_z(compress_run *run, const recipe_admm *a, uint32_t number,
                              admm_residual *residuals, admmnn_error *err);
/* run_curvature.c: an epoch that measures run->curvature, then x steps on it, with z and u steps
 * between them: all updates of an iteration but the last z and u step. */
admmnn_status run_curvature_iteration(compress_run *run, const recipe_admm *a, admmnn_error *err);
void run_curvature_free(compress_run *run);
/* One epoch, and the end of an iteration when it was the last of one. */
admmnn_status run_admm_tick(compress_run *run, const recipe_admm *a, admmnn_error *err);

/* run_prune.c */
admmnn_status run_begin_round(compress_run *run, admmnn_error *err);
/* Weights / kept weights on the way from one such ratio to another, of which the share left (1..0)
 * is to come: the share kept comes down by the cubic of Zhu and Gupta 2017, fast at first, where
 * there is much to choose from. */
double run_ratio_on_ramp(double from, double to, double left);
admmnn_status run_tick_prune(compress_run *run, admmnn_error *err);
admmnn_status run_prune_problem(compress_run *run, admmnn_error *err);
/* On a ramp: the layers' targets and the blocks' sets when `done` (0..1) of the round's
 * iterations are; flat[flat_count]: W. ADMMNN_MEMORY. */
admmnn_status run_prune_renew(compress_run *run, const float *flat, double done, admmnn_error *err);

/* run_quantize.c */
admmnn_status run_begin_quantize(compress_run *run, admmnn_error *err);
/* run_levels.c: hooks of an epoch of the recipe's control; levels lives as long. */
typedef struct run_levels {
    compress_run *run;
    uint32_t steps; /* of the epoch */
} run_levels;
void run_levels_hooks(run_levels *levels, train_hooks *hooks);

/* params[active_count]: the weights onto their nearest levels. */
void run_quantize_weights(const compress_run *run, float *params);
/* What the parameters' nearest levels score. */
admmnn_status run_validate_quantized(compress_run *run, train_score *score, admmnn_error *err);
/* Fits the interval of each layer's weights. */
admmnn_status run_fit_weights(compress_run *run, admmnn_error *err);
/* One epoch, of `epochs`, of the recipe's retraining: fixes its share of the weights
 * at their levels and trains the others. */
admmnn_status run_train_unfixed(compress_run *run, uint32_t epochs, admmnn_error *err);
admmnn_status run_begin_quantize_admm(compress_run *run, admmnn_error *err);
admmnn_status run_tick_quantize_admm(compress_run *run, admmnn_error *err);
admmnn_status run_tick_quantize_train(compress_run *run, admmnn_error *err);
admmnn_status run_quantize_problem(compress_run *run, admmnn_error *err);

/* run_bits.c */
admmnn_status run_tick_bits(compress_run *run, admmnn_error *err);
/* Epochs of the search, at most, and how many are done while one is being trained. */
double run_bits_epochs(const compress_run *run);
double run_bits_done(const compress_run *run);

/* run_log.c: one JSON object a line. */
void run_log_epoch(compress_run *run, const train_score *training, const train_score *validation);
void run_log_residuals(compress_run *run, const admm_residual *residuals);
void run_log_event(compress_run *run, const char *event, const train_score *validation);
void run_log_layers(compress_run *run);
/* Classes for which the last layer keeps no weight: no image moves them. */
size_t run_fixed_classes(const compress_run *run);
/* Warns of them where they have become more than `before`. */
void run_warn_of_fixed_classes(const compress_run *run, size_t before);
/* A layer's bits on trial; score NULL: it diverged. */
void run_log_trial(compress_run *run, uint32_t layer, const train_score *score, bool holds);
void run_log_divergence(compress_run *run);

#endif
