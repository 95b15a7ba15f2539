/* Model files: packed (.admm) and ONNX (.onnx), opened, run, measured, converted. */
#ifndef ADMMNN_MODEL_H
#define ADMMNN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "admmnn/context.h"
#include "admmnn/error.h"
#include "admmnn/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Different models may be used by different threads at once. Of one model, info
 * and inspect may be called at any time, run, run_file and evaluate by one thread at
 * a time: they divide their work among the model's own threads. */
typedef struct admmnn_model admmnn_model;

/* Opens path, a packed or an ONNX model, told apart by content. The model is the
 * caller's, freed with admmnn_model_close. Of context the number of threads is
 * taken, and the log, which is called up to the close; NULL: one a core, no log. ADMMNN_NOT_FOUND;
 * ADMMNN_IO; ADMMNN_INPUT for a folder or a file above 2 GiB; ADMMNN_CORRUPT for a damaged packed
 * file and for what is no model; ADMMNN_UNSUPPORTED for another version of the format and for ONNX
 * that is not read; ADMMNN_USAGE for too many threads; ADMMNN_MEMORY. */
admmnn_status admmnn_model_open(const char *path, const admmnn_context *context,
                                admmnn_model **model, admmnn_error *err);
void admmnn_model_close(admmnn_model *model);

typedef struct admmnn_model_info {
    char name[32];             /* the network's */
    uint32_t input[3];         /* channels, height, width of one sample, an image; of another
                                  shape its first sides */
    uint32_t outputs;          /* numbers a sample gives: the logits */
    float mean[3], scale[3];   /* the network wants (pixel / 255 - mean) * scale, of each of
                                  three channels; of other inputs the first for all */
    uint64_t weights;          /* places of weights in the layers, zeros too, no biases */
    uint64_t kept;             /* the weights that are not 0 */
    uint64_t original_weights; /* before compression; an ONNX model that does not say: weights */
    uint64_t file_bytes;       /* size of the file that was opened */
} admmnn_model_info;
/* Fills *info; cannot fail. */
void admmnn_model_get_info(const admmnn_model *model, admmnn_model_info *info);

/* input[count][channels][height][width], output[count][outputs] logits; both are
 * the caller's and count may be 0. Inputs are given to the network as they are.
 * ADMMNN_MEMORY; ADMMNN_USAGE for a network without operations; ADMMNN_BACKEND: the
 * arithmetic library failed. After an error output is undefined. The first call makes
 * ready what the later ones use, up to the model's close. */
admmnn_status admmnn_model_run(admmnn_model *model, const float *input, size_t count, float *output,
                               admmnn_error *err);
/* The same for files: NumPy arrays (.npy, float32 or float64 or uint8; uint8 is
 * taken as pixels and normalised by the model's mean and scale, which the log tells to be 0 and 1
 * where the model says nothing of them), each as PATH or, by the name
 * that an ONNX model has for it, as NAME=PATH. The output is
 * float32, samples x the output's dimensions, written whole or not at all; one that exists is
 * replaced only when force is not 0. ADMMNN_USAGE: the output exists and force is 0, or is the
 * input or the model, or the model has another NAME; ADMMNN_NOT_FOUND, ADMMNN_IO: a file that
 * cannot be read or written; ADMMNN_CORRUPT: not a NumPy array; ADMMNN_UNSUPPORTED: other elements,
 * Fortran order, another version; ADMMNN_INPUT: another shape than the network's input, no regular
 * file, or above 8 GiB; those of admmnn_model_run. */
admmnn_status admmnn_model_run_file(admmnn_model *model, const char *input, const char *output,
                                    int force, admmnn_error *err);

typedef struct admmnn_evaluation {
    uint64_t count;   /* images */
    uint64_t correct; /* of them, those whose largest logit is their label's */
    double accuracy;  /* correct / count, a fraction in [0, 1] */
    double loss;      /* softmax cross-entropy in nats, the mean over the images; of what a last
                         softmax of the network reads */
} admmnn_evaluation;

/* A dataset, as recipes have them (docs/data.md). */
typedef struct admmnn_images {
    const char *path;     /* the folder, or the archive, of its files */
    const char *format;   /* "idx", "cifar10", ...; NULL: idx */
    uint32_t resize;      /* of format folder: the shorter side before the network's input is cut
                             from the middle; 0: the input's */
    uint64_t max_damaged; /* of format folder: images that may be left out, each with a warning */
    /* How pixels are normalised: one number for all channels, or one each of three
     * ("0.485,0.456,0.406"), of pixels / 255; NULL both: by the model's mean and scale, which the
     * log tells to be 0 and 1 where the model says nothing of them. */
    const char *mean, *deviation;
} admmnn_images;

/* Measures the model on the test part of a dataset. ADMMNN_USAGE: no such format, or means and
 * deviations that make no sense; ADMMNN_NOT_FOUND: a file is absent;
 * ADMMNN_CORRUPT: one is damaged; ADMMNN_INPUT: images of another size than the
 * network's input, or more classes than it has outputs, or a file too large;
 * ADMMNN_IO; ADMMNN_MEMORY; those of admmnn_model_run. */
admmnn_status admmnn_model_evaluate(admmnn_model *model, const admmnn_images *images,
                                    admmnn_evaluation *evaluation, admmnn_error *err);

typedef struct admmnn_int8_evaluation {
    uint64_t count;                      /* images */
    uint64_t correct;                    /* with values between layers in 8 bits */
    uint64_t correct_float;              /* with floats */
    uint64_t same;                       /* images that are told to be of the same class by both */
    uint32_t values, codes;              /* between layers, and those of them that are in 8 bits */
    uint64_t workspace, workspace_float; /* bytes that running takes */
} admmnn_int8_evaluation;

/* Measures a packed file as the runtime (admmnn/runtime.h) runs it, with floats between layers and
 * in 8 bits, as admmnn_model_evaluate does and with its errors. ADMMNN_UNSUPPORTED: the file has no
 * ranges for 8 bits, or is no packed file. */
admmnn_status admmnn_model_evaluate_int8(const char *path, const admmnn_images *images,
                                         const admmnn_context *context,
                                         admmnn_int8_evaluation *evaluation, admmnn_error *err);

/* What a model holds, as a table for people or JSON text for machines (json not 0): where a
 * packed file's bits went; of an ONNX model each operation with its shape, weights,
 * multiply-accumulates and activations. *text is the caller's, freed with admmnn_text_free.
 * ADMMNN_MEMORY. */
admmnn_status admmnn_model_inspect(const admmnn_model *model, int json, char **text,
                                   admmnn_error *err);

typedef struct admmnn_pack_settings {
    const char *input, *output; /* paths */
    /* Names of the coders ("auto", "relative", ...; docs/cli.md lists them); NULL: for
     * each layer the smallest. unpack looks at neither. */
    const char *positions, *values;
    /* Of unpack alone: "float32", or "int8" or "int4" for whole numbers and a scale for each
     * layer, which give exactly the same values; NULL: float32. */
    const char *weights;
    /* Of unpack alone: not 0: the tensors' data go to a file beside the output, OUTPUT.data
     * (ONNX's external data); 0: only those of a model that one file does not hold, 2 GiB. */
    int external_data;
    int force; /* not 0: outputs that exist are replaced */
    /* Of pack alone: the data set of whose training images some tell how far the network's values
     * go, so that the runtime can keep them in 8 bits; NULL: what the input says of it. What it
     * says of pixels the file says then. */
    const admmnn_images *images;
    /* Of pack without images: how pixels are normalised, as there; NULL both: as the input says. */
    const char *mean, *deviation;
} admmnn_pack_settings;

/* Packs an ONNX model into a .admm file and back; each takes either kind of file.
 * Values that lie on equal levels (or whose metadata says which levels they lie on)
 * are stored as codes; others as float32. Packing what unpack wrote gives the same
 * bytes. A network that no packed file knew before gets its hidden units in the order
 * that packs best; the function stays. Unpacking an ONNX model writes it anew: constants
 * computed, weights as initializers. The output is written whole or not at all, and so are both
 * files where the data have their own: *data_bytes are its bytes, 0: there is none (data_bytes
 * may be NULL).
 * ADMMNN_USAGE: the output exists and force is 0, or is the input, an unknown coder,
 * a network too large; ADMMNN_UNSUPPORTED: a network or levels that the other format
 * cannot hold, or that do not lie on so few levels as the weights are to have; ADMMNN_IO: cannot
 * write; those of admmnn_model_open for the input, and of admmnn_model_evaluate for the images.
 * Of context the number of threads and the log are taken: an ONNX model of images that does not
 * say how its pixels are normalised is packed as one that is given pixels / 255, which the log
 * tells. NULL: one a core, no log. */
admmnn_status admmnn_model_pack(const admmnn_pack_settings *settings, const admmnn_context *context,
                                admmnn_error *err);
admmnn_status admmnn_model_unpack(const admmnn_pack_settings *settings, uint64_t *data_bytes,
                                  admmnn_error *err);

typedef struct admmnn_finetune_settings {
    const char *input, *output; /* paths */
    admmnn_images images;       /* the dataset */
    uint32_t epochs, batch;     /* batch: from 1 */
    double learning_rate;       /* at first; it falls to 0 along a cosine */
    uint64_t seed;
    int force; /* not 0: an output that exists is replaced */
} admmnn_finetune_settings;

/* Trains a packed or ONNX classifier on the training part of a dataset, by Adam on the
 * cross-entropy of its logits (what a last softmax reads), and writes it as an ONNX model, which
 * says how its pixels are normalised.
 * Weights that are 0 stay 0; all else that is trained moves, so that weights on levels leave
 * them. The output is written whole or not at all. ADMMNN_CANCELLED: nothing was written;
 * ADMMNN_DIVERGED; ADMMNN_USAGE: a batch of 0, a learning rate not above 0, the output exists and
 * force is 0, or is the input; ADMMNN_UNSUPPORTED: an operation without a way back; those of
 * admmnn_model_open and admmnn_model_evaluate. */
admmnn_status admmnn_model_finetune(const admmnn_finetune_settings *settings,
                                    const admmnn_context *context, admmnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
