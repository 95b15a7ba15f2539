/* What a node of ONNX reads. All of it is written when it is first asked for. */
#ifndef ONNX_WRITE_OPERANDS_H
#define ONNX_WRITE_OPERANDS_H

#include "onnx/build.h"

const graph *onnx_graph_of(const onnx_builder *b);
/* Of operand i of the node. */
graph_shape onnx_shape_of(const onnx_builder *b, const graph_node *node, uint32_t i);
/* What the file calls the node. */
const char *onnx_label_of(const onnx_builder *b, const graph_node *node);
/* dims[rank] of the shape; the rank. */
size_t onnx_long_dims(graph_shape shape, int64_t *dims);
/* Whether the value is another one for each sample: no parameter, no constant. */
bool onnx_is_batched(const graph *g, uint32_t value);

/* The names of tensors, NULL when memory is short. */

/* Parameter p as dims[rank]; data: NULL for its own numbers as they lie. */
const char *onnx_build_parameter(onnx_builder *b, uint32_t p, const int64_t *dims, size_t rank,
                                 const float *data);
/* One number a row. */
const char *onnx_build_parameter_row(onnx_builder *b, uint32_t p);

const char *onnx_build_operand(onnx_builder *b, const graph_node *node, uint32_t i);
/* Operand 0 as an image, or as a row of features, where it is not. */
const char *onnx_build_image(onnx_builder *b, const graph_node *node);
const char *onnx_build_flat(onnx_builder *b, const graph_node *node);
/* Operand i with leading axes of 1 where it has fewer than `rank`: with the batch before
 * them, axes are no longer counted from the last alone. */
const char *onnx_build_broadcast(onnx_builder *b, const graph_node *node, uint32_t i,
                                 uint32_t rank);
/* Operand i repeated for each sample of `like`, as Concat wants it. */
const char *onnx_build_repeated(onnx_builder *b, const graph_node *node, uint32_t i,
                                const char *like);

#endif
