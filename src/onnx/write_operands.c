/* What a node of ONNX reads: parameters, values, and values of another shape. */
#include "onnx/write_operands.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define INT8 ONNX__TENSOR_PROTO__DATA_TYPE__INT8
#define INT4 22 /* newer than the schema at hand may be */

const graph *onnx_graph_of(const onnx_builder *b) {
    return b->from->g;
}

graph_shape onnx_shape_of(const onnx_builder *b, const graph_node *node, uint32_t i) {
    return graph_operand_shape(onnx_graph_of(b), node, i);
}

const char *onnx_label_of(const onnx_builder *b, const graph_node *node) {
    const uint32_t n = (uint32_t)(node - onnx_graph_of(b)->nodes);
    const onnx_labels *labels = b->from->labels;
    return labels == NULL || labels->nodes[n] == NULL ? node->name : labels->nodes[n];
}

size_t onnx_long_dims(graph_shape shape, int64_t *dims) {
    for (uint32_t i = 0; i < shape.rank; i++)
        dims[i] = shape.dims[i];
    return shape.rank;
}

/* ---- parameters ---- */

/* Two codes a byte, the first in the low half. */
static const void *pack_halves(onnx_builder *b, const int8_t *codes, size_t count) {
    uint8_t *bytes = onnx_arena_take(&b->arena, (count + 1) / 2, 1);
    for (size_t i = 0; bytes != NULL && i < count; i++)
        bytes[i / 2] = (uint8_t)(bytes[i / 2] | (codes[i] & 0xf) << (i % 2 * 4));
    return bytes;
}

/* Codes and their scale, and the node that makes floats of them. */
static void add_codes(onnx_builder *b, const char *name, const onnx_codes *codes,
                      const int64_t *dims, size_t rank, size_t count) {
    const bool halves = codes->bits == 4;
    const char *places = onnx_build_name(b, "%s.codes", name);
    const char *scale = onnx_build_name(b, "%s.scale", name);
    const char *node = onnx_arena_text(&b->arena, "%s.dequantize", name);
    const void *data = halves ? pack_halves(b, codes->codes, count) : codes->codes;
    onnx_build_tensor(b, places, halves ? INT4 : INT8, dims, rank, data,
                      halves ? (count + 1) / 2 : count);
    onnx_build_tensor(b, scale, FLOAT, NULL, 0, &codes->scale, sizeof codes->scale);
    Onnx__NodeProto *to = onnx_build_node(b, "DequantizeLinear", node, 2);
    onnx_build_input(to, places);
    onnx_build_input(to, scale);
    onnx_build_output(b, to, name);
}

const char *onnx_build_parameter(onnx_builder *b, uint32_t p, const int64_t *dims, size_t rank,
                                 const float *data) {
    const onnx_writing *from = b->from;
    const graph_parameter *parameter = &from->g->parameters[p];
    const onnx_codes *codes = from->codes == NULL ? NULL : &from->codes[p];
    char usual[GRAPH_PARAMETER_NAME_MAX];
    graph_parameter_name(from->g, p, usual);
    const bool labelled = from->labels != NULL && from->labels->parameters[p] != NULL;
    const char *name = onnx_build_name(b, "%s", labelled ? from->labels->parameters[p] : usual);
    if (codes != NULL && codes->codes != NULL && data == NULL && name != NULL)
        add_codes(b, name, codes, dims, rank, parameter->count);
    else
        onnx_build_tensor(b, name, FLOAT, dims, rank,
                          data == NULL ? from->params + parameter->offset : data,
                          parameter->count * sizeof *data);
    return name;
}

const char *onnx_build_parameter_row(onnx_builder *b, uint32_t p) {
    const int64_t rows = onnx_graph_of(b)->parameters[p].rows;
    return onnx_build_parameter(b, p, &rows, 1, NULL);
}

/* ---- operands ---- */

/* The tensor of a value; one that no node makes is written when it is first read. */
static const char *tensor_of(onnx_builder *b, uint32_t value) {
    const graph *g = onnx_graph_of(b);
    const graph_value *v = &g->values[value];
    int64_t dims[GRAPH_RANK_MAX];
    if (b->values[value] != NULL)
        return b->values[value];
    const size_t rank = onnx_long_dims(v->shape, dims);
    if (v->parameter != GRAPH_NONE) {
        b->values[value] = onnx_build_parameter(b, v->parameter, dims, rank, NULL);
        return b->values[value];
    }
    b->values[value] = onnx_build_name(b, "constant%u", value);
    onnx_build_tensor(b, b->values[value], FLOAT, dims, rank, g->constants + v->constant,
                      graph_shape_count(v->shape) * sizeof *g->constants);
    return b->values[value];
}

const char *onnx_build_operand(onnx_builder *b, const graph_node *node, uint32_t i) {
    return tensor_of(b, graph_operand(onnx_graph_of(b), node, i));
}

bool onnx_is_batched(const graph *g, uint32_t value) {
    return g->values[value].parameter == GRAPH_NONE && g->values[value].constant == GRAPH_VARIES;
}

/* `tensor` as samples of that shape. */
static const char *reshaped(onnx_builder *b, const char *tensor, graph_shape shape,
                            const char *name) {
    int64_t dims[GRAPH_RANK_MAX + 1] = {0}; /* the first, 0, keeps the batch */
    const size_t rank = onnx_long_dims(shape, dims + 1);
    Onnx__NodeProto *to = onnx_build_node(b, "Reshape", name, 2);
    onnx_build_input(to, tensor);
    onnx_build_row(b, to, "shape", dims, rank + 1);
    return onnx_build_output(b, to, onnx_build_name(b, "%s.out", name));
}

const char *onnx_build_image(onnx_builder *b, const graph_node *node) {
    const graph_shape shape = onnx_shape_of(b, node, 0);
    if (shape.rank == 2 || shape.rank == 3)
        return onnx_build_operand(b, node, 0);
    const char *name = onnx_arena_text(&b->arena, "%s.reshape", onnx_label_of(b, node));
    return reshaped(b, onnx_build_operand(b, node, 0),
                    graph_shape_image(graph_shape_channels(shape), 1, 1), name);
}

const char *onnx_build_flat(onnx_builder *b, const graph_node *node) {
    const char *in = onnx_build_operand(b, node, 0);
    if (onnx_shape_of(b, node, 0).rank == 1)
        return in;
    const char *name = onnx_arena_text(&b->arena, "%s.flatten", onnx_label_of(b, node));
    Onnx__NodeProto *to = onnx_build_node(b, "Flatten", name, 1);
    onnx_build_input(to, in);
    onnx_build_integer(b, to, "axis", 1);
    return onnx_build_output(b, to, onnx_build_name(b, "%s.out", name));
}

const char *onnx_build_broadcast(onnx_builder *b, const graph_node *node, uint32_t i,
                                 uint32_t rank) {
    const uint32_t value = graph_operand(onnx_graph_of(b), node, i);
    const graph_shape from = onnx_shape_of(b, node, i);
    if (!onnx_is_batched(onnx_graph_of(b), value) || from.rank == rank)
        return onnx_build_operand(b, node, i);
    graph_shape shape = {.rank = rank};
    for (uint32_t axis = 0; axis < rank; axis++)
        shape.dims[axis] = axis + from.rank < rank ? 1 : from.dims[axis + from.rank - rank];
    const char *name = onnx_arena_text(&b->arena, "%s.reshape%u", onnx_label_of(b, node), i);
    return reshaped(b, onnx_build_operand(b, node, i), shape, name);
}

const char *onnx_build_repeated(onnx_builder *b, const graph_node *node, uint32_t i,
                                const char *like) {
    const char *of = onnx_build_operand(b, node, i);
    const char *base = onnx_arena_text(&b->arena, "%s.batch%u", onnx_label_of(b, node), i);
    const char *names[4];
    for (int k = 0; k < 4; k++) {
        static const char *const steps[4] = {"shape", "first", "dims", "expand"};
        names[k] = onnx_build_name(b, "%s.%s", base == NULL ? "" : base, steps[k]);
    }
    int64_t dims[GRAPH_RANK_MAX];
    const int64_t zero = 0;
    const size_t rank = onnx_long_dims(onnx_shape_of(b, node, i), dims);
    Onnx__NodeProto *shape = onnx_build_node(b, "Shape", names[0], 1);
    onnx_build_input(shape, like);
    onnx_build_output(b, shape, names[0]);
    Onnx__NodeProto *first = onnx_build_node(b, "Gather", names[1], 2);
    onnx_build_input(first, names[0]);
    onnx_build_row(b, first, "index", &zero, 1);
    onnx_build_integer(b, first, "axis", 0);
    onnx_build_output(b, first, names[1]);
    Onnx__NodeProto *joined = onnx_build_node(b, "Concat", names[2], 2);
    onnx_build_input(joined, names[1]);
    onnx_build_row(b, joined, "sample", dims, rank);
    onnx_build_integer(b, joined, "axis", 0);
    onnx_build_output(b, joined, names[2]);
    Onnx__NodeProto *expand = onnx_build_node(b, "Expand", names[3], 2);
    onnx_build_input(expand, of);
    onnx_build_input(expand, names[2]);
    return onnx_build_output(b, expand, names[3]);
}
