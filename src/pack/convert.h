/* Packed models as ONNX models and back. */
#ifndef PACK_CONVERT_H
#define PACK_CONVERT_H

#include "onnx/onnx.h"
#include "pack/pack.h"

/* The ONNX file: dense values, and metadata_props that say what they were:
 *   admmnn.original      weights and biases before compression
 *   admmnn.input         mean and scale
 *   admmnn.levels.NAME   of weights or biases NAME (conv1.weight): the kind of
 *                        levels, their bits and interval
 * Floats are the eight hexadecimal digits of their bits.
 * *bytes is the caller's (base_free). */
admmnn_status pack_to_onnx(const pack_model *model, uint8_t **bytes, size_t *count,
                           admmnn_error *err);

/* The packed model of an ONNX model: by its metadata where it has them, else
 * values on equal levels become codes and others stay float32. *out is the
 * caller's; *described: the metadata were there. */
admmnn_status pack_from_onnx(const onnx_model *from, pack_model **out, bool *described,
                             admmnn_error *err);

#endif
