/* Residual networks (He et al. 2016). */
#include "graph/zoo_build.h"

/* What stands beside a block where it changes the shape. */
typedef enum shortcut {
    PADDED,   /* every second pixel, zeros for the new channels: no parameters (option A) */
    PROJECTED /* a convolution of one pixel (option B) */
} shortcut;

typedef struct block {
    const char *name;
    uint32_t filters; /* of its output */
    uint32_t stride;
    bool bottleneck;
    shortcut shortcut;
} block;

static admmnn_status add_padded(graph *g, const block *b, uint32_t *v, admmnn_error *err) {
    const graph_shape shape = g->values[*v].shape;
    char name[GRAPH_NAME_MAX];
    graph_slice slice = {{0}, {shape.dims[0]}, {1, (int32_t)b->stride, (int32_t)b->stride}};
    for (uint32_t i = 1; i < 3; i++)
        slice.count[i] = (shape.dims[i] - 1) / b->stride + 1;
    zoo_name(name, "%s.every", b->name);
    BASE_TRY(graph_add_slice(g, name, *v, &slice, v, err));
    const uint32_t before = (b->filters - shape.dims[0]) / 2;
    const graph_pad pad = {.kind = GRAPH_PAD_CONSTANT,
                           .begin = {before},
                           .end = {b->filters - shape.dims[0] - before}};
    zoo_name(name, "%s.pad", b->name);
    return graph_add_pad(g, name, *v, &pad, v, err);
}

static admmnn_status add_shortcut(graph *g, const block *b, uint32_t *v, admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    if (b->stride == 1 && graph_shape_channels(g->values[*v].shape) == b->filters)
        return ADMMNN_OK;
    if (b->shortcut == PADDED)
        return add_padded(g, b, v, err);
    zoo_name(name, "%s.shortcut", b->name);
    return zoo_add_normalized_conv(g, name, b->filters, graph_window_of(1, b->stride, 0), 1,
                                   ZOO_NONE, v, err);
}

/* Number i of the block's convolutions. */
static admmnn_status add_conv(graph *g, const block *b, unsigned i, uint32_t filters,
                              graph_window window, bool last, uint32_t *v, admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "%s.conv%u", b->name, i);
    return zoo_add_normalized_conv(g, name, filters, window, 1, last ? ZOO_NONE : ZOO_RELU, v, err);
}

static admmnn_status add_body(graph *g, const block *b, uint32_t *v, admmnn_error *err) {
    const graph_window window = graph_window_of(3, b->stride, 1);
    const graph_window one = graph_window_of(1, 1, 0);
    if (!b->bottleneck) {
        BASE_TRY(add_conv(g, b, 1, b->filters, window, false, v, err));
        return add_conv(g, b, 2, b->filters, graph_window_of(3, 1, 1), true, v, err);
    }
    BASE_TRY(add_conv(g, b, 1, b->filters / 4, one, false, v, err));
    BASE_TRY(add_conv(g, b, 2, b->filters / 4, window, false, v, err));
    return add_conv(g, b, 3, b->filters, one, true, v, err);
}

static admmnn_status add_block(graph *g, const block *b, uint32_t *v, admmnn_error *err) {
    uint32_t beside = *v;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(add_body(g, b, v, err));
    BASE_TRY(add_shortcut(g, b, &beside, err));
    zoo_name(name, "%s.add", b->name);
    BASE_TRY(graph_add_binary(g, name, GRAPH_ADD, *v, beside, v, err));
    zoo_name(name, "%s.relu", b->name);
    return graph_add_relu(g, name, *v, v, err);
}

/* `count` blocks, the first with the stride. */
static admmnn_status add_stage(graph *g, unsigned stage, unsigned count, block like, uint32_t *v,
                               admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    like.name = name;
    for (unsigned i = 1; i <= count; i++) {
        zoo_name(name, "block%u.%u", stage, i);
        BASE_TRY(add_block(g, &like, v, err));
        like.stride = 1;
    }
    return ADMMNN_OK;
}

/* ---- of large images ---- */

static admmnn_status build_large(graph *g, uint32_t classes, const unsigned counts[4],
                                 bool bottleneck, admmnn_error *err) {
    uint32_t v = g->input;
    BASE_TRY(
        zoo_add_normalized_conv(g, "conv1", 64, graph_window_of(7, 2, 3), 1, ZOO_RELU, &v, err));
    BASE_TRY(zoo_add_maxpool(g, "pool1", graph_window_of(3, 2, 1), &v, err));
    for (unsigned s = 0; s < 4; s++) {
        const block like = {.filters = (bottleneck ? 256U : 64U) << s,
                            .stride = s == 0 ? 1 : 2,
                            .bottleneck = bottleneck,
                            .shortcut = PROJECTED};
        BASE_TRY(add_stage(g, s + 1, counts[s], like, &v, err));
    }
    return zoo_add_head(g, classes, &v, err);
}

admmnn_status zoo_build_resnet18(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    static const unsigned counts[4] = {2, 2, 2, 2};
    (void)width;
    return build_large(g, classes, counts, false, err);
}

admmnn_status zoo_build_resnet50(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    static const unsigned counts[4] = {3, 4, 6, 3};
    (void)width;
    return build_large(g, classes, counts, true, err);
}

/* ---- of small images ---- */

/* 6 count + 2 layers. */
static admmnn_status build_small(graph *g, uint32_t classes, unsigned count, admmnn_error *err) {
    uint32_t v = g->input;
    BASE_TRY(
        zoo_add_normalized_conv(g, "conv1", 16, graph_window_of(3, 1, 1), 1, ZOO_RELU, &v, err));
    for (unsigned s = 0; s < 3; s++) {
        const block like = {.filters = 16U << s, .stride = s == 0 ? 1 : 2, .shortcut = PADDED};
        BASE_TRY(add_stage(g, s + 1, count, like, &v, err));
    }
    return zoo_add_head(g, classes, &v, err);
}

admmnn_status zoo_build_resnet20(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    return build_small(g, classes, 3, err);
}

admmnn_status zoo_build_resnet56(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    return build_small(g, classes, 9, err);
}
