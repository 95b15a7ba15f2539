/* What the foldings of constants have in common; fold.c lists them. */
#ifndef ONNX_FOLDING_H
#define ONNX_FOLDING_H

#include "onnx/array.h"

/* One node being computed. */
typedef struct folding {
    const Onnx__NodeProto *node;
    const onnx_array *const *in; /* [count]: NULL where one is left out */
    size_t count;
    onnx_arena *arena;
    onnx_array *out;
} folding;

typedef admmnn_status folder(folding *f, admmnn_error *err);

/* By where they are written. */
folder fold_constant, fold_constant_of_shape, fold_range, fold_identity, fold_cast, fold_dequantize;
folder fold_shape, fold_size, fold_reshape, fold_flatten, fold_squeeze, fold_unsqueeze,
    fold_transpose, fold_slice, fold_expand, fold_gather, fold_concat;
folder fold_arithmetic, fold_where, fold_not, fold_function, fold_total;

/* ---- inputs; input 0 is there ---- */

const onnx_array *fold_input(const folding *f, size_t i);
/* The attribute, or where it is absent the input that took its place: whole numbers none of
 * which depends on the batch. NULL: neither is there. */
admmnn_status fold_integers(const folding *f, const char *name, size_t i, const int64_t **out,
                            size_t *count, admmnn_error *err);
/* Input i as the dims of an array; where they begin with the batch, one row stands for all. */
admmnn_status fold_dims(const folding *f, size_t i, onnx_array *out, admmnn_error *err);
/* Axis `axis`, counted from the end below 0; false: none of `rank`. */
bool fold_axis(int64_t axis, uint32_t rank, uint32_t *out);

/* ---- outputs ---- */

/* What an array's elements are written to: floats, or integers and with them batches or not. */
typedef struct fold_room {
    float *floats;
    int64_t *integers, *batches;
} fold_room;

/* Room for an array of out's dims and of the type of `like`. */
admmnn_status fold_make(folding *f, const onnx_array *like, onnx_array *out, fold_room *to,
                        admmnn_error *err);
void fold_copy(const fold_room *to, size_t at, const onnx_array *from, size_t i);
/* f->out as a scalar or a row: copies of floats, or of integers. */
admmnn_status fold_floats(folding *f, const float *floats, size_t count, bool row,
                          admmnn_error *err);
admmnn_status fold_numbers(folding *f, const int64_t *integers, size_t count, bool row,
                           admmnn_error *err);
/* out of dims, whose element at (i, j, ...) is that at base + i strides[0] + ... of from. */
admmnn_status fold_strided(folding *f, const onnx_array *from, int64_t base, const int64_t *strides,
                           onnx_array *out, admmnn_error *err);
/* Of an array that lies row by row. */
void fold_strides(const onnx_array *array, int64_t *strides);

/* ---- failures ---- */

admmnn_status fold_fail_batch(admmnn_error *err);
admmnn_status fold_fail_form(admmnn_error *err);

#endif
