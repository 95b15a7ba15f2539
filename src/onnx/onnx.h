/* ONNX model files: the graph and its dense parameters, written and read through
 * protobuf-c and Debian's ONNX schema. */
#ifndef ONNX_ONNX_H
#define ONNX_ONNX_H

#include "graph/graph.h"

/* A line of the model's metadata_props; the strings are the caller's. */
typedef struct onnx_property {
    const char *key, *value;
} onnx_property;

/* Writes g with params[g->flat_count] as an ONNX model (opset 13; input "input"
 * of N x channels x height x width, output "logits"). *bytes is the caller's
 * (base_free). */
admmnn_status onnx_write(const graph *g, const float *params, const onnx_property *properties,
                         size_t property_count, uint8_t **bytes, size_t *count, admmnn_error *err);

/* What onnx_read found; free with onnx_model_free. Property strings are the model's. */
typedef struct onnx_model {
    graph *g;
    float *params; /* [g->flat_count] */
    onnx_property *properties;
    size_t property_count;
} onnx_model;

/* name appears in errors. An operator, attribute or shape that the graph cannot
 * hold is ADMMNN_UNSUPPORTED with the node's name; damage is ADMMNN_CORRUPT. */
admmnn_status onnx_read(const char *name, const uint8_t *bytes, size_t count, onnx_model *out,
                        admmnn_error *err);
void onnx_model_free(onnx_model *model);

#endif
