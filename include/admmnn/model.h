/* Model files: packed (.admm) and ONNX (.onnx), opened, run, measured, converted. */
#ifndef ADMMNN_MODEL_H
#define ADMMNN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "admmnn/context.h"
#include "admmnn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct admmnn_model admmnn_model;

/* Opens path, a packed or an ONNX model, told apart by content. The model is the
 * caller's, freed with admmnn_model_close. context (copied) gives the threads. */
admmnn_status admmnn_model_open(const char *path, const admmnn_context *context,
                                admmnn_model **model, admmnn_error *err);
void admmnn_model_close(admmnn_model *model);

typedef struct admmnn_model_info {
    char name[32];
    uint32_t input[3]; /* channels, height, width of one sample */
    uint32_t outputs;  /* numbers a sample gives: the logits */
    float mean, scale; /* the network wants (pixel / 255 - mean) * scale */
    uint64_t weights, kept, original_weights;
    uint64_t file_bytes;
} admmnn_model_info;
void admmnn_model_get_info(const admmnn_model *model, admmnn_model_info *info);

/* input[count][channels][height][width], output[count][outputs] logits. Inputs
 * are given to the network as they are. */
admmnn_status admmnn_model_run(admmnn_model *model, const float *input, size_t count, float *output,
                               admmnn_error *err);
/* The same for files: NumPy arrays (.npy, float32 or float64 or uint8; uint8 is
 * taken as pixels and normalised by the model's mean and scale). */
admmnn_status admmnn_model_run_file(admmnn_model *model, const char *input, const char *output,
                                    int force, admmnn_error *err);

typedef struct admmnn_evaluation {
    uint64_t count, correct;
    double accuracy, loss;
} admmnn_evaluation;
/* Accuracy on the test part of an IDX dataset's folder. */
admmnn_status admmnn_model_evaluate(admmnn_model *model, const char *folder,
                                    admmnn_evaluation *evaluation, admmnn_error *err);

/* Where a packed file's bits went, as a table for people or JSON text for
 * machines; *text is the caller's, freed with admmnn_text_free. ADMMNN_UNSUPPORTED
 * for an ONNX model: pack it first. */
admmnn_status admmnn_model_inspect(const admmnn_model *model, int json, char **text,
                                   admmnn_error *err);

/* Packs an ONNX model into a .admm file and back. Values that lie on equal
 * levels (or whose metadata says which levels they lie on) are stored as codes;
 * others as float32. Packing what unpack wrote gives the same bytes. An existing
 * output is overwritten only when force is not 0. positions and values: names of
 * the coders, or NULL for the smallest. A network that no packed file knew before
 * gets its hidden units in the order that packs best; the function stays. */
typedef struct admmnn_pack_settings {
    const char *input, *output;
    const char *positions, *values;
    int force;
} admmnn_pack_settings;
admmnn_status admmnn_model_pack(const admmnn_pack_settings *settings, admmnn_error *err);
admmnn_status admmnn_model_unpack(const admmnn_pack_settings *settings, admmnn_error *err);

void admmnn_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
