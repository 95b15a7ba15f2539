/* Tensors that stand in the file: weights, biases, shapes. */
#ifndef ONNX_CONSTANT_H
#define ONNX_CONSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "onnx_schema/onnx.pb-c.h"

#define ONNX_RANK_MAX 8U

/* The number of elements; ADMMNN_CORRUPT when the dimensions make no sense or
 * the data is not that many elements of its type, ADMMNN_UNSUPPORTED when the
 * data lies outside the file. */
admmnn_status onnx_constant_count(const Onnx__TensorProto *tensor, size_t *count,
                                  admmnn_error *err);
/* to[rows][columns]; of a checked float tensor of rows * columns elements. With
 * transposed the file's are columns x rows. */
void onnx_constant_floats(const Onnx__TensorProto *tensor, size_t rows, size_t columns,
                          bool transposed, float *to);
/* Element i of a checked 64-bit integer tensor. */
int64_t onnx_constant_integer(const Onnx__TensorProto *tensor, size_t i);

#endif
