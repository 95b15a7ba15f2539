#include "onnx/build.h"

#include <stdarg.h>
#include <string.h>

#define ATTRIBUTES_MOST 8U

const char *onnx_build_name(onnx_builder *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *name = onnx_arena_format(&b->arena, format, arguments);
    va_end(arguments);
    while (name != NULL && onnx_names_find(&b->names, name) != NULL)
        name = onnx_arena_text(&b->arena, "%s_", name);
    if (name == NULL || onnx_names_place(&b->names, name) == NULL)
        b->arena.failed = true;
    return name;
}

static char *text(onnx_builder *b, const char *from) {
    return onnx_arena_text(&b->arena, "%s", from);
}

Onnx__NodeProto *onnx_build_node(onnx_builder *b, const char *op, const char *name, size_t inputs) {
    Onnx__NodeProto *node = onnx_arena_take(&b->arena, 1, sizeof *node);
    char **names = onnx_arena_take(&b->arena, inputs + 1, sizeof *names);
    if (node == NULL || names == NULL || name == NULL || b->out->n_node == b->node_room) {
        b->arena.failed = true;
        return NULL;
    }
    onnx__node_proto__init(node);
    node->op_type = text(b, op);
    node->name = text(b, name);
    node->input = names;
    node->output = names + inputs;
    b->out->node[b->out->n_node++] = node;
    return node;
}

void onnx_build_input(Onnx__NodeProto *to, const char *tensor) {
    if (to != NULL && tensor != NULL)
        to->input[to->n_input++] = (char *)tensor;
}

const char *onnx_build_output(onnx_builder *b, Onnx__NodeProto *to, const char *tensor) {
    if (to == NULL || tensor == NULL)
        b->arena.failed = true;
    else
        to->output[to->n_output++] = (char *)tensor;
    return tensor;
}

/* ---- attributes ---- */

static Onnx__AttributeProto *add_attribute(onnx_builder *b, Onnx__NodeProto *to, const char *name,
                                           Onnx__AttributeProto__AttributeType type) {
    if (to == NULL)
        return NULL;
    if (to->attribute == NULL)
        to->attribute = onnx_arena_take(&b->arena, ATTRIBUTES_MOST, sizeof *to->attribute);
    Onnx__AttributeProto *attribute = onnx_arena_take(&b->arena, 1, sizeof *attribute);
    if (to->attribute == NULL || attribute == NULL || to->n_attribute == ATTRIBUTES_MOST) {
        b->arena.failed = true;
        return NULL;
    }
    onnx__attribute_proto__init(attribute);
    attribute->name = text(b, name);
    attribute->has_type = 1;
    attribute->type = type;
    to->attribute[to->n_attribute++] = attribute;
    return attribute;
}

void onnx_build_integer(onnx_builder *b, Onnx__NodeProto *to, const char *name, int64_t value) {
    Onnx__AttributeProto *attribute =
        add_attribute(b, to, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (attribute == NULL)
        return;
    attribute->has_i = 1;
    attribute->i = value;
}

void onnx_build_number(onnx_builder *b, Onnx__NodeProto *to, const char *name, float value) {
    Onnx__AttributeProto *attribute =
        add_attribute(b, to, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (attribute == NULL)
        return;
    attribute->has_f = 1;
    attribute->f = value;
}

void onnx_build_text(onnx_builder *b, Onnx__NodeProto *to, const char *name, const char *value) {
    Onnx__AttributeProto *attribute =
        add_attribute(b, to, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    char *copy = text(b, value);
    if (attribute == NULL || copy == NULL)
        return;
    attribute->has_s = 1;
    attribute->s = (ProtobufCBinaryData){.len = strlen(copy), .data = (uint8_t *)copy};
}

static int64_t *copy_integers(onnx_builder *b, const int64_t *values, size_t count) {
    int64_t *copy = onnx_arena_take(&b->arena, count, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++)
        copy[i] = values[i];
    return copy;
}

void onnx_build_integers(onnx_builder *b, Onnx__NodeProto *to, const char *name,
                         const int64_t *values, size_t count) {
    Onnx__AttributeProto *attribute =
        add_attribute(b, to, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *copy = copy_integers(b, values, count);
    if (attribute == NULL || copy == NULL)
        return;
    attribute->n_ints = count;
    attribute->ints = copy;
}

/* ---- initializers ---- */

void onnx_build_tensor(onnx_builder *b, const char *name, int32_t type, const int64_t *dims,
                       size_t rank, const void *data, size_t bytes) {
    Onnx__TensorProto *tensor = onnx_arena_take(&b->arena, 1, sizeof *tensor);
    int64_t *copy = copy_integers(b, dims, rank);
    if (tensor == NULL || copy == NULL || name == NULL ||
        b->out->n_initializer == b->initializer_room) {
        b->arena.failed = true;
        return;
    }
    onnx__tensor_proto__init(tensor);
    tensor->name = (char *)name;
    tensor->n_dims = rank;
    tensor->dims = copy;
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)data};
    b->out->initializer[b->out->n_initializer++] = tensor;
}

void onnx_build_row(onnx_builder *b, Onnx__NodeProto *to, const char *what, const int64_t *values,
                    size_t count) {
    const int64_t dims[1] = {(int64_t)count};
    const int64_t *copy = copy_integers(b, values, count);
    if (to == NULL || copy == NULL)
        return;
    const char *name = onnx_build_name(b, "%s.%s", to->name, what);
    onnx_build_tensor(b, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims, 1, copy,
                      count * sizeof *copy);
    onnx_build_input(to, name);
}

void onnx_build_scalar(onnx_builder *b, Onnx__NodeProto *to, const char *what, float value) {
    float *copy = onnx_arena_take(&b->arena, 1, sizeof *copy);
    if (to == NULL || copy == NULL)
        return;
    *copy = value;
    const char *name = onnx_build_name(b, "%s.%s", to->name, what);
    onnx_build_tensor(b, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, NULL, 0, copy, sizeof *copy);
    onnx_build_input(to, name);
}
