/* Nodes of the graph as nodes of ONNX. */
#include <math.h>
#include <string.h>

#include "onnx/write_operands.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT

/* Operator sets that brought an operator, or an attribute of it. */
enum {
    OPSET_FIRST = 13,
    OPSET_HARD_SWISH = 14,
    OPSET_LAYER_NORMALIZATION = 17,
    OPSET_REDUCE_BY_INPUT = 18,
    OPSET_RESIZE_AXES = 18,
    OPSET_DILATED_AVERAGE = 19,
    OPSET_RESIZE_SYMMETRIC = 19,
    OPSET_GELU = 20
};

/* ---- nodes ---- */

/* A node that reads tensors[count] and has room for more. */
static Onnx__NodeProto *open_node(onnx_builder *b, const graph_node *node, const char *op,
                                  const char *const *tensors, size_t count) {
    enum { MORE = 4 };
    Onnx__NodeProto *to = onnx_build_node(b, op, onnx_label_of(b, node), count + MORE);
    for (size_t i = 0; i < count; i++)
        onnx_build_input(to, tensors[i]);
    return to;
}

static Onnx__NodeProto *open_one(onnx_builder *b, const graph_node *node, const char *op) {
    const char *in = onnx_build_operand(b, node, 0);
    return open_node(b, node, op, &in, 1);
}

static void add_window(onnx_builder *b, Onnx__NodeProto *to, const graph_window *w,
                       uint32_t spatial) {
    const uint32_t *lists[3] = {w->kernel, w->stride, w->dilation};
    const char *const names[3] = {"kernel_shape", "strides", "dilations"};
    int64_t values[4];
    for (int k = 0; k < 3; k++) {
        for (uint32_t i = 0; i < spatial; i++)
            values[i] = lists[k][2 - spatial + i];
        if (k < 2 || w->dilation[0] != 1 || w->dilation[1] != 1)
            onnx_build_integers(b, to, names[k], values, spatial);
    }
    for (uint32_t i = 0; i < spatial; i++) {
        values[i] = w->pad[2 - spatial + i];
        values[spatial + i] = w->pad_end[2 - spatial + i];
    }
    onnx_build_integers(b, to, "pads", values, (size_t)2 * spatial);
}

static uint32_t spatial_axes(const onnx_builder *b, const graph_node *node) {
    return onnx_shape_of(b, node, 0).rank == 2 ? 1 : 2;
}

static Onnx__NodeProto *add_conv(onnx_builder *b, const graph_node *node) {
    const graph_window *w = &node->conv.window;
    const uint32_t spatial = spatial_axes(b, node);
    const int64_t rows = onnx_graph_of(b)->parameters[node->weight].rows;
    const int64_t share = graph_shape_channels(onnx_shape_of(b, node, 0)) / node->conv.groups;
    int64_t dims[4] = {rows, share};
    for (uint32_t i = 0; i < spatial; i++)
        dims[2 + i] = w->kernel[2 - spatial + i];
    const char *in[3] = {onnx_build_image(b, node),
                         onnx_build_parameter(b, node->weight, dims, 2 + spatial, NULL)};
    if (node->bias != GRAPH_NONE)
        in[2] = onnx_build_parameter_row(b, node->bias);
    Onnx__NodeProto *to = open_node(b, node, "Conv", in, node->bias == GRAPH_NONE ? 2 : 3);
    add_window(b, to, w, spatial);
    if (node->conv.groups != 1)
        onnx_build_integer(b, to, "group", node->conv.groups);
    return to;
}

/* From [filter][channel of the group][kernel] to [channel][filter of the group][kernel]. */
static const float *turned_weights(onnx_builder *b, const graph_node *node, size_t channels) {
    const graph_parameter *p = &onnx_graph_of(b)->parameters[node->weight];
    const float *from = b->from->params + p->offset;
    const size_t groups = node->conv.groups;
    const size_t share = channels / groups;
    const size_t filters = p->rows / groups;
    const size_t kernel = p->columns / share;
    float *to = onnx_arena_take(&b->arena, p->count, sizeof *to);
    for (size_t i = 0; to != NULL && i < p->count; i++) {
        const size_t row = i / p->columns;
        const size_t column = i % p->columns;
        const size_t channel = row / filters * share + column / kernel;
        to[(channel * filters + row % filters) * kernel + column % kernel] = from[i];
    }
    return to;
}

static Onnx__NodeProto *add_transposed_conv(onnx_builder *b, const graph_node *node) {
    const graph_window *w = &node->conv.window;
    const uint32_t spatial = spatial_axes(b, node);
    const uint32_t channels = graph_shape_channels(onnx_shape_of(b, node, 0));
    int64_t dims[4] = {channels,
                       onnx_graph_of(b)->parameters[node->weight].rows / node->conv.groups};
    for (uint32_t i = 0; i < spatial; i++)
        dims[2 + i] = w->kernel[2 - spatial + i];
    const char *in[3] = {onnx_build_image(b, node),
                         onnx_build_parameter(b, node->weight, dims, 2 + spatial,
                                              turned_weights(b, node, channels))};
    if (node->bias != GRAPH_NONE)
        in[2] = onnx_build_parameter_row(b, node->bias);
    Onnx__NodeProto *to = open_node(b, node, "ConvTranspose", in, node->bias == GRAPH_NONE ? 2 : 3);
    int64_t more[2];
    for (uint32_t i = 0; i < spatial; i++)
        more[i] = node->conv.output_pad[2 - spatial + i];
    add_window(b, to, w, spatial);
    if (node->conv.groups != 1)
        onnx_build_integer(b, to, "group", node->conv.groups);
    if (node->conv.output_pad[0] != 0 || node->conv.output_pad[1] != 0)
        onnx_build_integers(b, to, "output_padding", more, spatial);
    return to;
}

static Onnx__NodeProto *add_pool(onnx_builder *b, const graph_node *node) {
    const bool average = node->op == GRAPH_AVERAGE_POOL;
    const char *in = onnx_build_image(b, node);
    Onnx__NodeProto *to = open_node(b, node, average ? "AveragePool" : "MaxPool", &in, 1);
    add_window(b, to, &node->pool.window, spatial_axes(b, node));
    if (node->pool.ceil)
        onnx_build_integer(b, to, "ceil_mode", 1);
    if (average && node->pool.counts_padding)
        onnx_build_integer(b, to, "count_include_pad", 1);
    return to;
}

static Onnx__NodeProto *add_inner_product(onnx_builder *b, const graph_node *node) {
    const graph_parameter *weight = &onnx_graph_of(b)->parameters[node->weight];
    const int64_t dims[2] = {weight->rows, weight->columns};
    const char *in[3] = {onnx_build_flat(b, node),
                         onnx_build_parameter(b, node->weight, dims, 2, NULL)};
    if (node->bias != GRAPH_NONE)
        in[2] = onnx_build_parameter_row(b, node->bias);
    Onnx__NodeProto *to = open_node(b, node, "Gemm", in, node->bias == GRAPH_NONE ? 2 : 3);
    onnx_build_integer(b, to, "transB", 1);
    return to;
}

/* Of matmul and of what is done with two operands element by element. */
static Onnx__NodeProto *add_two(onnx_builder *b, const graph_node *node, const char *op) {
    const uint32_t ranks[2] = {onnx_shape_of(b, node, 0).rank, onnx_shape_of(b, node, 1).rank};
    const uint32_t rank = ranks[0] > ranks[1] ? ranks[0] : ranks[1];
    const char *in[2] = {onnx_build_broadcast(b, node, 0, rank),
                         onnx_build_broadcast(b, node, 1, rank)};
    return open_node(b, node, op, in, 2);
}

/* A row on the left of a matrix stays a row: no axes are added to it. */
static Onnx__NodeProto *add_matmul(onnx_builder *b, const graph_node *node) {
    const char *in[2] = {onnx_build_operand(b, node, 0), onnx_build_operand(b, node, 1)};
    if (onnx_shape_of(b, node, 0).rank < 2 || onnx_shape_of(b, node, 1).rank < 2)
        return open_node(b, node, "MatMul", in, 2);
    return add_two(b, node, "MatMul");
}

static Onnx__NodeProto *add_normalization(onnx_builder *b, const graph_node *node, const char *op) {
    const graph_normalization *n = &node->normalization;
    const uint32_t parameters[4] = {n->scale, n->shift, n->mean, n->variance};
    const char *in[5] = {onnx_build_operand(b, node, 0)};
    size_t count = 1;
    for (int i = 0; i < 4; i++)
        if (parameters[i] != GRAPH_NONE)
            in[count++] = onnx_build_parameter_row(b, parameters[i]);
    Onnx__NodeProto *to = open_node(b, node, op, in, count);
    onnx_build_number(b, to, "epsilon", n->epsilon);
    if (node->op == GRAPH_BATCH_NORMALIZATION)
        onnx_build_number(b, to, "momentum", n->momentum);
    return to;
}

static Onnx__NodeProto *add_layer_normalization(onnx_builder *b, const graph_node *node) {
    const graph_normalization *n = &node->normalization;
    graph_shape shape = onnx_shape_of(b, node, 0);
    int64_t dims[GRAPH_RANK_MAX];
    const size_t rank = onnx_long_dims(shape, dims);
    const char *in[3] = {onnx_build_operand(b, node, 0),
                         onnx_build_parameter(b, n->scale, dims + n->axis, rank - n->axis, NULL),
                         onnx_build_parameter(b, n->shift, dims + n->axis, rank - n->axis, NULL)};
    Onnx__NodeProto *to = open_node(b, node, "LayerNormalization", in, 3);
    onnx_build_integer(b, to, "axis", (int64_t)n->axis + 1);
    onnx_build_number(b, to, "epsilon", n->epsilon);
    return to;
}

static Onnx__NodeProto *add_lrn(onnx_builder *b, const graph_node *node) {
    Onnx__NodeProto *to = open_one(b, node, "LRN");
    onnx_build_integer(b, to, "size", node->lrn.size);
    onnx_build_number(b, to, "alpha", node->lrn.alpha);
    onnx_build_number(b, to, "beta", node->lrn.beta);
    onnx_build_number(b, to, "bias", node->lrn.bias);
    return to;
}

static Onnx__NodeProto *add_clip(onnx_builder *b, const graph_node *node) {
    Onnx__NodeProto *to = open_one(b, node, "Clip");
    const bool ends = node->unary.b != INFINITY;
    if (node->unary.a != -INFINITY)
        onnx_build_scalar(b, to, "min", node->unary.a);
    else if (ends)
        onnx_build_input(to, onnx_arena_text(&b->arena, "%s", ""));
    if (ends)
        onnx_build_scalar(b, to, "max", node->unary.b);
    return to;
}

static Onnx__NodeProto *add_unary(onnx_builder *b, const graph_node *node) {
    static const char *const types[GRAPH_UNARY_COUNT] = {
        [GRAPH_LEAKY_RELU] = "LeakyRelu",
        [GRAPH_SIGMOID] = "Sigmoid",
        [GRAPH_HARD_SIGMOID] = "HardSigmoid",
        [GRAPH_HARD_SWISH] = "HardSwish",
        [GRAPH_TANH] = "Tanh",
        [GRAPH_ELU] = "Elu",
        [GRAPH_GELU] = "Gelu",
        [GRAPH_GELU_TANH] = "Gelu",
        [GRAPH_SOFTPLUS] = "Softplus",
        [GRAPH_ERF] = "Erf",
        [GRAPH_SQRT] = "Sqrt",
        [GRAPH_NEG] = "Neg",
        [GRAPH_EXP] = "Exp",
        [GRAPH_POWER] = "Pow",
    };
    const graph_unary_kind kind = node->unary.kind;
    if (kind == GRAPH_CLIP)
        return add_clip(b, node);
    Onnx__NodeProto *to = open_one(b, node, types[kind]);
    if (kind == GRAPH_LEAKY_RELU || kind == GRAPH_HARD_SIGMOID || kind == GRAPH_ELU)
        onnx_build_number(b, to, "alpha", node->unary.a);
    if (kind == GRAPH_HARD_SIGMOID)
        onnx_build_number(b, to, "beta", node->unary.b);
    if (kind == GRAPH_GELU_TANH)
        onnx_build_text(b, to, "approximate", "tanh");
    if (kind == GRAPH_POWER)
        onnx_build_scalar(b, to, "exponent", node->unary.a);
    return to;
}

static Onnx__NodeProto *add_binary(onnx_builder *b, const graph_node *node) {
    static const char *const types[GRAPH_BINARY_COUNT] = {
        [GRAPH_ADD] = "Add", [GRAPH_SUB] = "Sub", [GRAPH_MUL] = "Mul",
        [GRAPH_DIV] = "Div", [GRAPH_POW] = "Pow", [GRAPH_PRELU] = "PRelu"};
    return add_two(b, node, types[node->binary]);
}

static Onnx__NodeProto *add_dropout(onnx_builder *b, const graph_node *node) {
    Onnx__NodeProto *to = open_one(b, node, "Dropout");
    onnx_build_scalar(b, to, "ratio", node->ratio);
    return to;
}

static Onnx__NodeProto *add_softmax(onnx_builder *b, const graph_node *node) {
    Onnx__NodeProto *to = open_one(b, node, node->op == GRAPH_SOFTMAX ? "Softmax" : "LogSoftmax");
    onnx_build_integer(b, to, "axis", (int64_t)node->axis + 1);
    return to;
}

static Onnx__NodeProto *add_reduce(onnx_builder *b, const graph_node *node) {
    const graph_reduce *reduce = &node->reduce;
    const uint32_t rank = onnx_shape_of(b, node, 0).rank;
    const bool mean = reduce->kind == GRAPH_REDUCE_MEAN;
    int64_t axes[GRAPH_RANK_MAX];
    size_t count = 0;
    if (reduce->axes == 0)
        return open_one(b, node, "Identity");
    if (mean && reduce->keeps && rank == 3 && reduce->axes == 6)
        return open_one(b, node, "GlobalAveragePool");
    for (uint32_t i = 0; i < rank; i++)
        if ((reduce->axes >> i & 1U) != 0)
            axes[count++] = (int64_t)i + 1;
    Onnx__NodeProto *to = open_one(b, node, mean ? "ReduceMean" : "ReduceSum");
    if (mean && b->opset < OPSET_REDUCE_BY_INPUT)
        onnx_build_integers(b, to, "axes", axes, count);
    else
        onnx_build_row(b, to, "axes", axes, count);
    onnx_build_integer(b, to, "keepdims", reduce->keeps);
    return to;
}

/* The first operand that the batch goes through. */
static const char *batched_operand(onnx_builder *b, const graph_node *node) {
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (onnx_is_batched(onnx_graph_of(b), graph_operand(onnx_graph_of(b), node, i)))
            return onnx_build_operand(b, node, i);
    return NULL;
}

static Onnx__NodeProto *add_concat(onnx_builder *b, const graph_node *node) {
    const char *like = batched_operand(b, node);
    const char **in = onnx_arena_take(&b->arena, node->operand_count, sizeof *in);
    if (in == NULL)
        return NULL;
    for (uint32_t i = 0; i < node->operand_count; i++)
        in[i] = onnx_is_batched(onnx_graph_of(b), graph_operand(onnx_graph_of(b), node, i))
                    ? onnx_build_operand(b, node, i)
                    : onnx_build_repeated(b, node, i, like);
    Onnx__NodeProto *to = open_node(b, node, "Concat", in, node->operand_count);
    onnx_build_integer(b, to, "axis", (int64_t)node->axis + 1);
    return to;
}

static Onnx__NodeProto *add_slice(onnx_builder *b, const graph_node *node) {
    const graph_slice *slice = &node->slice;
    const graph_shape shape = onnx_shape_of(b, node, 0);
    int64_t lists[4][GRAPH_RANK_MAX]; /* starts, ends, axes, steps */
    size_t count = 0;
    for (uint32_t i = 0; i < shape.rank; i++) {
        const int64_t end = slice->first[i] + (int64_t)slice->count[i] * slice->step[i];
        if (slice->count[i] == shape.dims[i] && slice->step[i] == 1)
            continue;
        lists[0][count] = slice->first[i];
        lists[1][count] = end < 0 ? -(int64_t)shape.dims[i] - 1 : end;
        lists[2][count] = (int64_t)i + 1;
        lists[3][count++] = slice->step[i];
    }
    Onnx__NodeProto *to = open_one(b, node, "Slice");
    static const char *const names[4] = {"starts", "ends", "axes", "steps"};
    for (int k = 0; k < 4; k++)
        onnx_build_row(b, to, names[k], lists[k], count);
    return to;
}

static Onnx__NodeProto *add_pad(onnx_builder *b, const graph_node *node) {
    static const char *const modes[] = {[GRAPH_PAD_CONSTANT] = "constant",
                                        [GRAPH_PAD_REFLECT] = "reflect",
                                        [GRAPH_PAD_EDGE] = "edge"};
    const uint32_t rank = onnx_shape_of(b, node, 0).rank;
    int64_t pads[2 * (GRAPH_RANK_MAX + 1)] = {0};
    for (uint32_t i = 0; i < rank; i++) {
        pads[1 + i] = node->pad.begin[i];
        pads[rank + 2 + i] = node->pad.end[i];
    }
    Onnx__NodeProto *to = open_one(b, node, "Pad");
    onnx_build_row(b, to, "pads", pads, (size_t)2 * (rank + 1));
    const bool zeros = node->pad.value == 0.0F && !signbit(node->pad.value);
    if (node->pad.kind == GRAPH_PAD_CONSTANT && !zeros)
        onnx_build_scalar(b, to, "value", node->pad.value);
    onnx_build_text(b, to, "mode", modes[node->pad.kind]);
    return to;
}

static Onnx__NodeProto *add_reshape(onnx_builder *b, const graph_node *node) {
    int64_t dims[GRAPH_RANK_MAX + 1] = {0};
    const size_t rank = onnx_long_dims(onnx_graph_of(b)->values[node->output].shape, dims + 1);
    Onnx__NodeProto *to = open_one(b, node, "Reshape");
    onnx_build_row(b, to, "shape", dims, rank + 1);
    return to;
}

static Onnx__NodeProto *add_transpose(onnx_builder *b, const graph_node *node) {
    const uint32_t rank = onnx_shape_of(b, node, 0).rank;
    int64_t perm[GRAPH_RANK_MAX + 1] = {0};
    for (uint32_t i = 0; i < rank; i++)
        perm[1 + i] = (int64_t)node->order[i] + 1;
    Onnx__NodeProto *to = open_one(b, node, "Transpose");
    onnx_build_integers(b, to, "perm", perm, (size_t)rank + 1);
    return to;
}

static Onnx__NodeProto *add_gather(onnx_builder *b, const graph_node *node) {
    const graph *g = onnx_graph_of(b);
    const graph_value *by = &g->values[graph_operand(g, node, 1)];
    const size_t count = graph_shape_count(by->shape);
    int64_t dims[GRAPH_RANK_MAX];
    int64_t *indices = onnx_arena_take(&b->arena, count, sizeof *indices);
    const char *name = onnx_build_name(b, "%s.indices", onnx_label_of(b, node));
    for (size_t i = 0; indices != NULL && i < count; i++)
        indices[i] = (int64_t)g->constants[by->constant + i];
    onnx_build_tensor(b, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims,
                      onnx_long_dims(by->shape, dims), indices, count * sizeof *indices);
    Onnx__NodeProto *to = open_one(b, node, "Gather");
    onnx_build_input(to, name);
    onnx_build_integer(b, to, "axis", (int64_t)node->axis + 1);
    return to;
}

/* Whether the scales alone give the sizes, with the rounding that readers have. */
static bool scales_suffice(const graph *g, const graph_node *node) {
    const graph_shape shape = graph_operand_shape(g, node, 0);
    for (uint32_t i = 0; i < shape.rank; i++)
        if (floorf((float)shape.dims[i] * node->resize.scale[i]) != (float)node->resize.size[i])
            return false;
    return true;
}

static void add_resize_sizes(onnx_builder *b, const graph_node *node, Onnx__NodeProto *to) {
    const uint32_t rank = onnx_shape_of(b, node, 0).rank;
    const char *none = onnx_arena_text(&b->arena, "%s", "");
    onnx_build_input(to, none);
    if (scales_suffice(onnx_graph_of(b), node)) {
        const int64_t count = (int64_t)rank + 1;
        float *scales = onnx_arena_take(&b->arena, (size_t)count, sizeof *scales);
        const char *name = onnx_build_name(b, "%s.scales", onnx_label_of(b, node));
        if (scales == NULL)
            return;
        scales[0] = 1.0F;
        memcpy(scales + 1, node->resize.scale, rank * sizeof *scales);
        onnx_build_tensor(b, name, FLOAT, &count, 1, scales, (size_t)count * sizeof *scales);
        onnx_build_input(to, name);
        return;
    }
    int64_t sizes[GRAPH_RANK_MAX];
    int64_t axes[GRAPH_RANK_MAX];
    for (uint32_t i = 0; i < rank; i++) {
        sizes[i] = node->resize.size[i];
        axes[i] = (int64_t)i + 1;
    }
    onnx_build_input(to, none);
    onnx_build_row(b, to, "sizes", sizes, rank);
    onnx_build_integers(b, to, "axes", axes, rank);
}

static Onnx__NodeProto *add_resize(onnx_builder *b, const graph_node *node) {
    static const char *const nearest[] = {[GRAPH_RESIZE_NEAREST_DOWN] = "round_prefer_floor",
                                          [GRAPH_RESIZE_NEAREST_UP] = "round_prefer_ceil",
                                          [GRAPH_RESIZE_NEAREST_FLOOR] = "floor",
                                          [GRAPH_RESIZE_NEAREST_CEIL] = "ceil"};
    static const char *const places[] = {[GRAPH_RESIZE_HALF_PIXEL] = "half_pixel",
                                         [GRAPH_RESIZE_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
                                         [GRAPH_RESIZE_HALF_PIXEL_SYMMETRIC] =
                                             "half_pixel_symmetric",
                                         [GRAPH_RESIZE_ALIGN_CORNERS] = "align_corners",
                                         [GRAPH_RESIZE_ASYMMETRIC] = "asymmetric"};
    const bool linear = node->resize.mode == GRAPH_RESIZE_LINEAR;
    Onnx__NodeProto *to = open_one(b, node, "Resize");
    add_resize_sizes(b, node, to);
    onnx_build_text(b, to, "mode", linear ? "linear" : "nearest");
    onnx_build_text(b, to, "coordinate_transformation_mode", places[node->resize.place]);
    if (!linear)
        onnx_build_text(b, to, "nearest_mode", nearest[node->resize.mode]);
    return to;
}

static Onnx__NodeProto *convert(onnx_builder *b, const graph_node *node) {
    switch (node->op) {
    case GRAPH_CONV:
        return add_conv(b, node);
    case GRAPH_TRANSPOSED_CONV:
        return add_transposed_conv(b, node);
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        return add_pool(b, node);
    case GRAPH_INNER_PRODUCT:
        return add_inner_product(b, node);
    case GRAPH_MATMUL:
        return add_matmul(b, node);
    case GRAPH_RELU:
        return open_one(b, node, "Relu");
    case GRAPH_BATCH_NORMALIZATION:
        return add_normalization(b, node, "BatchNormalization");
    case GRAPH_INSTANCE_NORMALIZATION:
        return add_normalization(b, node, "InstanceNormalization");
    case GRAPH_LAYER_NORMALIZATION:
        return add_layer_normalization(b, node);
    case GRAPH_LRN:
        return add_lrn(b, node);
    case GRAPH_DROPOUT:
        return add_dropout(b, node);
    case GRAPH_UNARY:
        return add_unary(b, node);
    case GRAPH_BINARY:
        return add_binary(b, node);
    case GRAPH_SOFTMAX:
    case GRAPH_LOG_SOFTMAX:
        return add_softmax(b, node);
    case GRAPH_REDUCE:
        return add_reduce(b, node);
    case GRAPH_CONCAT:
        return add_concat(b, node);
    case GRAPH_SLICE:
        return add_slice(b, node);
    case GRAPH_PAD:
        return add_pad(b, node);
    case GRAPH_RESHAPE:
        return add_reshape(b, node);
    case GRAPH_TRANSPOSE:
        return add_transpose(b, node);
    case GRAPH_GATHER:
        return add_gather(b, node);
    default:
        return add_resize(b, node);
    }
}

void onnx_build_graph_node(onnx_builder *b, uint32_t n) {
    const graph_node *node = &onnx_graph_of(b)->nodes[n];
    Onnx__NodeProto *to = convert(b, node);
    if (b->values[node->output] == NULL) /* the graph's output has its name already */
        b->values[node->output] = onnx_build_name(b, "%s.out", onnx_label_of(b, node));
    onnx_build_output(b, to, b->values[node->output]);
}

/* ---- what can be written ---- */

static int64_t resize_opset(const graph *g, const graph_node *node) {
    if (node->resize.place == GRAPH_RESIZE_HALF_PIXEL_SYMMETRIC)
        return OPSET_RESIZE_SYMMETRIC;
    return scales_suffice(g, node) ? OPSET_FIRST : OPSET_RESIZE_AXES;
}

int64_t onnx_node_opset(const graph *g, const graph_node *node) {
    switch (node->op) {
    case GRAPH_LAYER_NORMALIZATION:
        return OPSET_LAYER_NORMALIZATION;
    case GRAPH_AVERAGE_POOL:
        return node->pool.window.dilation[0] * node->pool.window.dilation[1] == 1
                   ? OPSET_FIRST
                   : OPSET_DILATED_AVERAGE;
    case GRAPH_UNARY:
        if (node->unary.kind == GRAPH_GELU || node->unary.kind == GRAPH_GELU_TANH)
            return OPSET_GELU;
        return node->unary.kind == GRAPH_HARD_SWISH ? OPSET_HARD_SWISH : OPSET_FIRST;
    case GRAPH_RESIZE:
        return resize_opset(g, node);
    default:
        return OPSET_FIRST;
    }
}

/* A row of numbers for each sample is no matrix of ONNX's once the batch stands before it. */
static bool rows_are_told(const graph *g, const graph_node *node) {
    const uint32_t left = graph_operand(g, node, 0);
    const uint32_t right = graph_operand(g, node, 1);
    const uint32_t ranks[2] = {g->values[left].shape.rank, g->values[right].shape.rank};
    if (onnx_is_batched(g, right) && ranks[1] < 2)
        return false;
    return ranks[0] >= 2 || !onnx_is_batched(g, left) ||
           (!onnx_is_batched(g, right) && ranks[1] <= 2);
}

/* A window of several rows on a value that has one is of no shape of ONNX's. */
static bool window_is_told(const graph_node *node, graph_shape in) {
    const graph_window *w = graph_node_window(node);
    return w == NULL || in.rank != 2 || (w->kernel[0] == 1 && w->pad[0] + w->pad_end[0] == 0);
}

admmnn_status onnx_check_node(const graph *g, const graph_node *node, admmnn_error *err) {
    bool batched = false;
    for (uint32_t i = 0; i < node->operand_count; i++)
        batched = batched || onnx_is_batched(g, graph_operand(g, node, i));
    const graph_shape in = graph_operand_shape(g, node, 0);
    if (!batched)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s reads no value of a sample: not written as ONNX", node->name);
    const bool odd = !window_is_told(node, in) ||
                     (node->op == GRAPH_MATMUL && !rows_are_told(g, node)) ||
                     (node->op == GRAPH_INSTANCE_NORMALIZATION && in.rank < 2) ||
                     (node->op == GRAPH_BATCH_NORMALIZATION && in.rank == 0);
    if (odd)
        return base_fail(err, ADMMNN_UNSUPPORTED, "node %s: no such %s is written as ONNX",
                         node->name, graph_op_name(node->op));
    return ADMMNN_OK;
}
