/* Tensors that stand in the file, or follow from those that do: weights, shapes. */
#ifndef ONNX_ARRAY_H
#define ONNX_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "graph/shape.h"
#include "onnx/arena.h"
#include "onnx_schema/onnx.pb-c.h"

#define ONNX_RANK_MAX 8U

/* dims[rank], row-major. All floating types become floats, all others, truth values among
 * them, whole numbers. Element i of whole numbers is integers[i] + batches[i] N, N being
 * the number of samples, which is not known while a file is read. */
typedef struct onnx_array {
    uint32_t rank;
    int64_t dims[ONNX_RANK_MAX];
    size_t count;
    const float *floats;     /* NULL: whole numbers */
    const int64_t *integers; /* NULL: floats */
    const int64_t *batches;  /* NULL: no element depends on N */
    bool repeats;            /* dims[0] is 1 and stands for N: the same for every sample */
    const char *name;        /* of the file's tensor that this is; NULL: of none */
} onnx_array;

/* ADMMNN_CORRUPT when the dimensions make no sense or the data is not that many elements of
 * its type; ADMMNN_UNSUPPORTED for a type that is no number. Data in other files must have
 * been fetched (onnx/external.h). The array lives as long as the arena and the tensor. */
admmnn_status onnx_array_read(const Onnx__TensorProto *tensor, onnx_arena *arena, onnx_array *out,
                              admmnn_error *err);

/* A new array of out's rank and dims, whose count is set and whose elements are zero:
 * *floats or *integers, the one that is not NULL. ADMMNN_UNSUPPORTED beyond what dims may be. */
admmnn_status onnx_array_floats(onnx_arena *arena, onnx_array *out, float **floats,
                                admmnn_error *err);
admmnn_status onnx_array_integers(onnx_arena *arena, onnx_array *out, int64_t **integers,
                                  admmnn_error *err);

/* The elements of dims[rank]; false where they are more than memory addresses, or a dim is
 * below 0. */
bool onnx_array_count(const int64_t *dims, uint32_t rank, size_t *count);

/* Element i as a floating number, whatever the type. */
float onnx_array_number(const onnx_array *array, size_t i);
/* Whether integers[i] is all there is of element i. */
bool onnx_array_is_plain(const onnx_array *array, size_t i);

/* The bytes that the tensor's elements take in a file; false of no number and of dims that
 * make no sense. */
bool onnx_tensor_bytes(const Onnx__TensorProto *tensor, size_t *bytes);

/* Of an element type: whether arrays hold it, and as floats. */
bool onnx_type_is_number(int64_t type);
bool onnx_type_is_floating(int64_t type);

const char *onnx_tensor_name(const Onnx__TensorProto *tensor);

#endif
