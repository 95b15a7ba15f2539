/* Models as C code, for programs without an operating system. */
#ifndef ADMMNN_EXPORT_H
#define ADMMNN_EXPORT_H

#include <stdint.h>

#include "admmnn/error.h"
#include "admmnn/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct admmnn_export_settings {
    const char *input;  /* a packed or an ONNX model */
    const char *folder; /* made where it is not there */
    const char *name;   /* of the files and of the function, a C identifier of up to 31
                           characters, and of no header of C's or the system's; NULL: the
                           network's, made one */
    /* Not NULL: a second function, of 8 bits, whose ranges are those of training images of this
     * data set. */
    const admmnn_images *images;
    int force; /* not 0: files that exist are replaced */
    /* Without images: how pixels are normalised, which the header says, as of admmnn_images; NULL
     * both: as the model says. */
    const char *mean, *deviation;
} admmnn_export_settings;

/* In bytes, where pointers have four of them. */
typedef struct admmnn_export_sizes {
    char name[32];               /* as the files are called */
    uint64_t weights, biases;    /* flash: of layers, packed; scales of rows are biases */
    uint64_t constants;          /* flash: other parameters and constants */
    uint64_t tables;             /* flash: what tells the operations their shapes and codes */
    uint64_t buffer;             /* RAM: of values on the way, static */
    uint64_t buffer_int8;        /* the same of the function of 8 bits; 0: there is none */
    uint64_t stack;              /* RAM: about, of one call, without that of libm */
    uint64_t input, output;      /* RAM: of the caller's arrays */
    uint64_t weight_count, kept; /* weights of the layers, and those that are not 0 */
} admmnn_export_sizes;

/* Writes NAME.c and NAME.h, C99 without a heap, files or anything of libc but what math.h
 * declares, with the function
 *
 *     int NAME_predict(const float *in, float *out);
 *
 * that runs the network on one sample, and, where there are images to go by,
 *
 *     int NAME_predict_int8(const int8_t *in, int8_t *out);
 *
 * docs/export.md tells what they do. Of context, which may be NULL, the number of threads and the
 * log are taken, for the images and for a note of pixels that a model says nothing of. Both files
 * are written whole or not at all. ADMMNN_USAGE: a file exists and force is 0, a name that is none;
 * ADMMNN_UNSUPPORTED: a network without operations, one of which a value or a parameter has more
 * than 2^28 numbers, or, with images, an operation that has no form in 8 bits; ADMMNN_IO: cannot
 * write; ADMMNN_MEMORY; those of admmnn_model_open for the input and of admmnn_model_evaluate for
 * the images. */
admmnn_status admmnn_model_export_c(const admmnn_export_settings *settings,
                                    const admmnn_context *context, admmnn_export_sizes *sizes,
                                    admmnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
