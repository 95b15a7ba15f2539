/* What an ONNX node's attributes say. */
#ifndef ONNX_ATTRIBUTES_H
#define ONNX_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "onnx_schema/onnx.pb-c.h"

/* ADMMNN_UNSUPPORTED for an attribute that its operator does not have, ADMMNN_CORRUPT for one
 * of another type than the operator's: the functions below would take it for 0. */
admmnn_status onnx_check_attributes(const Onnx__NodeProto *node, admmnn_error *err);

/* NULL when it is absent. */
const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name);
int64_t onnx_integer(const Onnx__NodeProto *node, const char *name, int64_t otherwise);
float onnx_number(const Onnx__NodeProto *node, const char *name, float otherwise);
/* Whether the text attribute, or `otherwise` where it is absent, is `text`. */
bool onnx_text_is(const Onnx__NodeProto *node, const char *name, const char *otherwise,
                  const char *text);
/* The text for a message, cut where it is long. */
#define ONNX_TEXT_MAX 41
const char *onnx_text(const Onnx__NodeProto *node, const char *name, char text[ONNX_TEXT_MAX]);

/* Every step-th element from start to end, which is left out, of `dim`: both are counted from
 * the end below 0, and cut to what there is. */
typedef struct onnx_cut {
    int64_t start, end, step;
} onnx_cut;

/* How many elements that are, from *first on; false: a step of 0, or one past INT32_MAX. */
bool onnx_cut_count(const onnx_cut *cut, int64_t dim, int64_t *first, int64_t *count);

#endif
