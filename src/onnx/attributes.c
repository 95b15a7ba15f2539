#include "onnx/attributes.h"

#include <stdio.h>
#include <string.h>

#define FLOAT ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
#define INT ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT
#define INTS ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
#define STRING ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
#define TENSOR ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR

/* ---- which there are ---- */

#define NAMES_MOST 10

/* Operators that are not listed have none. */
static const struct {
    const char *op, *names[NAMES_MOST];
} operators[] = {
    {"AveragePool",
     {"kernel_shape", "strides", "pads", "auto_pad", "dilations", "ceil_mode",
      "count_include_pad"}},
    {"BatchNormalization", {"epsilon", "momentum", "spatial", "training_mode"}},
    {"Cast", {"to", "saturate"}},
    {"Clip", {"min", "max"}},
    {"Concat", {"axis"}},
    {"Constant", {"value", "value_float", "value_floats", "value_int", "value_ints"}},
    {"ConstantOfShape", {"value"}},
    {"Conv", {"kernel_shape", "strides", "pads", "auto_pad", "dilations", "group"}},
    {"ConvTranspose",
     {"kernel_shape", "strides", "pads", "auto_pad", "dilations", "group", "output_padding",
      "output_shape"}},
    {"DequantizeLinear", {"axis", "block_size"}},
    {"Dropout", {"ratio", "seed"}},
    {"Elu", {"alpha"}},
    {"Flatten", {"axis"}},
    {"Gather", {"axis"}},
    {"Gelu", {"approximate"}},
    {"Gemm", {"alpha", "beta", "transA", "transB"}},
    {"HardSigmoid", {"alpha", "beta"}},
    {"InstanceNormalization", {"epsilon"}},
    {"LRN", {"alpha", "beta", "bias", "size"}},
    {"LayerNormalization", {"axis", "epsilon", "stash_type"}},
    {"LeakyRelu", {"alpha"}},
    {"LogSoftmax", {"axis"}},
    {"MaxPool",
     {"kernel_shape", "strides", "pads", "auto_pad", "dilations", "ceil_mode", "storage_order"}},
    {"Mod", {"fmod"}},
    {"Pad", {"pads", "mode", "value"}},
    {"ReduceMean", {"axes", "keepdims", "noop_with_empty_axes"}},
    {"ReduceProd", {"axes", "keepdims", "noop_with_empty_axes"}},
    {"ReduceSum", {"axes", "keepdims", "noop_with_empty_axes"}},
    {"Reshape", {"allowzero"}},
    {"Resize",
     {"mode", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "exclude_outside",
      "extrapolation_value", "antialias", "axes", "keep_aspect_ratio_policy"}},
    {"Shape", {"start", "end"}},
    {"Slice", {"starts", "ends", "axes"}},
    {"Softmax", {"axis"}},
    {"Split", {"axis", "split", "num_outputs"}},
    {"Squeeze", {"axes"}},
    {"Transpose", {"perm"}},
    {"Unsqueeze", {"axes"}},
};

/* "value" is a number of Pad, and of others a tensor. */
static const struct {
    const char *name;
    Onnx__AttributeProto__AttributeType types[2];
} attributes[] = {
    {"allowzero", {INT}},
    {"alpha", {FLOAT}},
    {"antialias", {INT}},
    {"approximate", {STRING}},
    {"auto_pad", {STRING}},
    {"axes", {INTS}},
    {"axis", {INT}},
    {"beta", {FLOAT}},
    {"bias", {FLOAT}},
    {"block_size", {INT}},
    {"ceil_mode", {INT}},
    {"coordinate_transformation_mode", {STRING}},
    {"count_include_pad", {INT}},
    {"cubic_coeff_a", {FLOAT}},
    {"dilations", {INTS}},
    {"end", {INT}},
    {"ends", {INTS}},
    {"epsilon", {FLOAT}},
    {"exclude_outside", {INT}},
    {"extrapolation_value", {FLOAT}},
    {"fmod", {INT}},
    {"group", {INT}},
    {"keep_aspect_ratio_policy", {STRING}},
    {"keepdims", {INT}},
    {"kernel_shape", {INTS}},
    {"max", {FLOAT}},
    {"min", {FLOAT}},
    {"mode", {STRING}},
    {"momentum", {FLOAT}},
    {"nearest_mode", {STRING}},
    {"noop_with_empty_axes", {INT}},
    {"num_outputs", {INT}},
    {"output_padding", {INTS}},
    {"output_shape", {INTS}},
    {"pads", {INTS}},
    {"perm", {INTS}},
    {"ratio", {FLOAT}},
    {"saturate", {INT}},
    {"seed", {INT}},
    {"size", {INT}},
    {"spatial", {INT}},
    {"split", {INTS}},
    {"start", {INT}},
    {"starts", {INTS}},
    {"stash_type", {INT}},
    {"storage_order", {INT}},
    {"strides", {INTS}},
    {"to", {INT}},
    {"training_mode", {INT}},
    {"transA", {INT}},
    {"transB", {INT}},
    {"value", {FLOAT, TENSOR}},
    {"value_float", {FLOAT}},
    {"value_floats", {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS}},
    {"value_int", {INT}},
    {"value_ints", {INTS}},
};

static bool operator_has(const char *op, const char *name) {
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        for (size_t k = 0; strcmp(operators[i].op, op) == 0 && k < NAMES_MOST; k++)
            if (operators[i].names[k] != NULL && strcmp(operators[i].names[k], name) == 0)
                return true;
    return false;
}

/* Files of the first kind do not tell the type. */
static bool has_its_type(const Onnx__AttributeProto *a) {
    size_t i = 0;
    while (strcmp(attributes[i].name, a->name) != 0)
        i++;
    return !a->has_type || a->type == attributes[i].types[0] || a->type == attributes[i].types[1];
}

admmnn_status onnx_check_attributes(const Onnx__NodeProto *node, admmnn_error *err) {
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (a->name == NULL || !operator_has(node->op_type, a->name))
            return base_fail(err, ADMMNN_UNSUPPORTED, "attribute '%.40s'",
                             a->name == NULL ? "" : a->name);
        if (!has_its_type(a))
            return base_fail(err, ADMMNN_CORRUPT, "attribute '%.40s' of type %d", a->name,
                             (int)a->type);
        if (onnx_attribute(node, a->name) != a)
            return base_fail(err, ADMMNN_CORRUPT, "attribute '%.40s' is there twice", a->name);
    }
    return ADMMNN_OK;
}

/* ---- what they say ---- */

const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name) {
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name != NULL && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

int64_t onnx_integer(const Onnx__NodeProto *node, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    return a == NULL ? otherwise : a->i;
}

float onnx_number(const Onnx__NodeProto *node, const char *name, float otherwise) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    return a == NULL ? otherwise : a->f;
}

bool onnx_text_is(const Onnx__NodeProto *node, const char *name, const char *otherwise,
                  const char *text) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    if (a == NULL)
        return strcmp(otherwise, text) == 0;
    return a->s.len == strlen(text) && (a->s.len == 0 || memcmp(a->s.data, text, a->s.len) == 0);
}

const char *onnx_text(const Onnx__NodeProto *node, const char *name, char text[ONNX_TEXT_MAX]) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    const size_t length = a == NULL ? 0 : a->s.len;
    snprintf(text, ONNX_TEXT_MAX, "%.*s", (int)(length < 40 ? length : 40),
             length == 0 ? "" : (const char *)a->s.data);
    return text;
}

/* A bound as an index from `low` to `high`. */
static int64_t clamp_bound(int64_t bound, int64_t dim, int64_t low, int64_t high) {
    const int64_t index = bound < 0 ? bound + dim : bound;
    return index < low ? low : index > high ? high : index;
}

bool onnx_cut_count(const onnx_cut *cut, int64_t dim, int64_t *first, int64_t *count) {
    const int64_t step = cut->step;
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
        return false;
    *first = *count = 0;
    if (dim == 0)
        return true;
    /* Backwards a start before the first place is the first, an end there takes it in. */
    const int64_t last =
        step < 0 ? clamp_bound(cut->end, dim, -1, dim - 1) : clamp_bound(cut->end, dim, 0, dim);
    *first = clamp_bound(cut->start, dim, 0, step < 0 ? dim - 1 : dim);
    const int64_t span = step > 0 ? last - *first : *first - last;
    const int64_t size = step > 0 ? step : -step;
    *count = span <= 0 ? 0 : (span + size - 1) / size;
    return true;
}
