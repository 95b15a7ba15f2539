/* The figures of a finished run: result.json and the table beside the papers' rows. */
#ifndef COMPRESS_RESULT_H
#define COMPRESS_RESULT_H

#include "base/bytes.h"
#include "compress/recipe.h"

typedef struct result_layer {
    char name[GRAPH_NAME_MAX];
    uint64_t weights;               /* before compression */
    uint64_t kept;                  /* nonzeros */
    uint32_t rows, columns;         /* after dead structure is removed */
    unsigned bits;                  /* of a value; 32: not quantized */
    unsigned index_bits;            /* of a relative index, the papers' accounting */
    uint64_t index_entries;         /* kept and escapes at that width */
    uint64_t bytes;                 /* in the real file: values and positions */
    char positions[16], values[16]; /* coders chosen */
} result_layer;

/* Accuracies are fractions of the test set (validation_* of the validation
 * split); -1 where a stage did not run. Bytes and ratios:
 *   data              kept weights at their bits (the papers' "data only")
 *   relative_indices  data and relative indices at each layer's best width, escapes
 *                     counted as entries (Han et al. 2016)
 *   with_indices      data and indices as the real file stores them: values,
 *                     positions, codebooks, scales
 *   file              the real model.admm: biases, header and checksum too
 * against dense_fp32, the weights of the original network at four bytes; the file
 * against these and dense_fp32_biases, its biases at four bytes. */
typedef struct compress_result {
    char recipe[1024];
    char recipe_sha256[65]; /* of its text */
    char data_sha256[65];   /* of the training images and labels */
    char model[1024];       /* as the recipe has it */
    char model_sha256[65];  /* of a model file's network; empty: of the zoo */
    uint64_t seed;
    uint32_t threads;
    struct {
        double dense, pruned, compressed, packed;
    } accuracy, validation; /* validation.packed is not measured */
    struct {
        double pruning, data_only, relative_indices, with_indices, file;
    } ratio;
    struct {
        uint64_t dense_fp32, dense_fp32_biases, data, relative_indices, with_indices, file;
        uint64_t values, indices, codebooks, scales, biases, header; /* of the file */
        uint64_t dense_zstd, int8_zstd;
    } bytes;
    struct {
        uint64_t parameters, parameters_left; /* trained ones, before and without dead structure */
        uint64_t macs, macs_left;             /* multiply-accumulates of one image, dense */
    } size;
    struct {
        double before, after, levels;
    } projection; /* validation accuracy beside the last hard projections: onto the pruning
                     set, before and after; onto the levels, after */
    double seconds_total;
    double seconds_stages[8];
    result_layer layers[RECIPE_LAYERS_MAX];
    uint32_t layer_count;
} compress_result;

/* JSON text into out; only memory can fail (out->failed). */
void compress_result_json(const compress_result *result, base_writer *out);
/* text[count] is zero. What it says must be possible: ADMMNN_CORRUPT. */
admmnn_status compress_result_parse(const char *path, const char *text, size_t count,
                                    compress_result *result, admmnn_error *err);
/* The table people read, with what is counted and the paper's row beside it. */
void compress_result_table(const compress_result *result, base_writer *out);

#endif
