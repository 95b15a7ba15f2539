/* Networks of depthwise convolutions. */
#include "graph/zoo_build.h"

/* A filter for each channel. */
static admmnn_status add_depthwise(graph *g, const char *name, uint32_t stride,
                                   zoo_activation activation, uint32_t *v, admmnn_error *err) {
    const uint32_t channels = graph_shape_channels(g->values[*v].shape);
    return zoo_add_normalized_conv(g, name, channels, graph_window_of(3, stride, 1), channels,
                                   activation, v, err);
}

static admmnn_status add_pointwise(graph *g, const char *name, uint32_t filters,
                                   zoo_activation activation, uint32_t *v, admmnn_error *err) {
    return zoo_add_normalized_conv(g, name, filters, graph_window_of(1, 1, 0), 1, activation, v,
                                   err);
}

/* ---- MobileNetV1 ---- */

admmnn_status zoo_build_mobilenet1(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    static const struct {
        uint32_t filters, stride;
    } pairs[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                 {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    (void)width;
    uint32_t v = g->input;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(
        zoo_add_normalized_conv(g, "conv1", 32, graph_window_of(3, 2, 1), 1, ZOO_RELU, &v, err));
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        zoo_name(name, "depthwise%u", i + 2);
        BASE_TRY(add_depthwise(g, name, pairs[i].stride, ZOO_RELU, &v, err));
        zoo_name(name, "pointwise%u", i + 2);
        BASE_TRY(add_pointwise(g, name, pairs[i].filters, ZOO_RELU, &v, err));
    }
    return zoo_add_head(g, classes, &v, err);
}

/* ---- MobileNetV2 ---- */

typedef struct inverted {
    uint32_t expansion, filters, count, stride;
} inverted;

/* Wide within, narrow without; no activation where it is narrow. */
static admmnn_status add_inverted(graph *g, const char *block, const inverted *b, uint32_t stride,
                                  uint32_t *v, admmnn_error *err) {
    const uint32_t before = *v;
    const uint32_t channels = graph_shape_channels(g->values[before].shape);
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "%s.expand", block);
    if (b->expansion > 1)
        BASE_TRY(add_pointwise(g, name, b->expansion * channels, ZOO_RELU6, v, err));
    zoo_name(name, "%s.depthwise", block);
    BASE_TRY(add_depthwise(g, name, stride, ZOO_RELU6, v, err));
    zoo_name(name, "%s.project", block);
    BASE_TRY(add_pointwise(g, name, b->filters, ZOO_NONE, v, err));
    zoo_name(name, "%s.add", block);
    if (stride != 1 || channels != b->filters)
        return ADMMNN_OK;
    return graph_add_binary(g, name, GRAPH_ADD, *v, before, v, err);
}

admmnn_status zoo_build_mobilenet2(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    static const inverted blocks[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                      {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    (void)width;
    uint32_t v = g->input;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(
        zoo_add_normalized_conv(g, "conv1", 32, graph_window_of(3, 2, 1), 1, ZOO_RELU6, &v, err));
    for (unsigned b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        for (unsigned i = 0; i < blocks[b].count; i++) {
            zoo_name(name, "block%u.%u", b + 1, i + 1);
            BASE_TRY(add_inverted(g, name, &blocks[b], i == 0 ? blocks[b].stride : 1, &v, err));
        }
    }
    BASE_TRY(add_pointwise(g, "conv2", 1280, ZOO_RELU6, &v, err));
    const graph_reduce mean = {GRAPH_REDUCE_MEAN, 1U << 1 | 1U << 2, false};
    BASE_TRY(graph_add_reduce(g, "pool", v, mean, &v, err));
    BASE_TRY(graph_add_dropout(g, "drop", v, 0.2F, &v, err));
    return graph_add_inner_product(g, "fc", v, classes, true, &v, err);
}
