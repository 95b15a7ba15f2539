/* Packed models as ONNX models and back. */
#ifndef PACK_CONVERT_H
#define PACK_CONVERT_H

#include "onnx/onnx.h"
#include "pack/pack.h"

/* X(name, text): what an ONNX file's weights are written as. */
#define PACK_WEIGHTS_MAP(X)                                                                        \
    X(FLOAT32, "float32")                                                                          \
    X(INT8, "int8") /* whole numbers and a scale for each layer */                                 \
    X(INT4, "int4")

typedef enum pack_weights {
#define PACK_WEIGHTS_ENUM(name, text) PACK_WEIGHTS_##name,
    PACK_WEIGHTS_MAP(PACK_WEIGHTS_ENUM)
#undef PACK_WEIGHTS_ENUM
} pack_weights;

/* By name; NULL is FLOAT32. ADMMNN_USAGE, with the names there are. */
admmnn_status pack_weights_find(const char *name, pack_weights *out, admmnn_error *err);

/* Writes the ONNX file: dense values, and metadata_props that say what they were:
 *   admmnn.original      weights and biases before compression
 *   admmnn.input         mean and scale
 *   admmnn.levels.NAME   of weights or biases NAME (conv1.weight): the kind of
 *                        levels, their bits and interval
 *   admmnn.range,        of the input and of what node NAME makes: their ranges, as the packed
 *   admmnn.range.NAME    file has them
 * Floats are the eight hexadecimal digits of their bits.
 * Whole numbers give exactly the values of the levels; ADMMNN_UNSUPPORTED where a layer's
 * do not lie on so few. *data_bytes: as onnx_write has it. */
admmnn_status pack_to_onnx(const pack_model *model, pack_weights weights, const onnx_target *target,
                           uint64_t *data_bytes, admmnn_error *err);

/* What pack_to_onnx would refuse of floats, without writing. */
admmnn_status pack_check_onnx(const pack_model *model, const onnx_target *target,
                              admmnn_error *err);

/* SHA-256 of that file, of floats and as one file; ADMMNN_UNSUPPORTED where one does not hold
 * the model. */
admmnn_status pack_digest_onnx(const pack_model *model, char digest[65], admmnn_error *err);

/* The property that says how the network wants its input; its value is in text. */
#define PACK_TONES_TEXT 96
onnx_property pack_tones_property(const data_tones *tones, char text[PACK_TONES_TEXT]);

/* What another's file said of the model (labels, or NULL) stays beside what we say of it:
 * appended to properties[count], which have room for it; returns how many there are. */
size_t pack_keep_properties(const onnx_labels *labels, onnx_property *properties, size_t count);

/* The packed model of an ONNX model: by its metadata where it has them, else
 * values on equal levels become codes and others stay float32. *out is the
 * caller's, and has the labels; *described: the metadata were there. */
admmnn_status pack_from_onnx(onnx_model *from, pack_model **out, bool *described,
                             admmnn_error *err);

#endif
