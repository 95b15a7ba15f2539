/* Large networks without branches. */
#include "graph/zoo_build.h"

/* ---- AlexNet ---- */

/* Convolution i in groups, and its rectifier. */
static admmnn_status add_grouped(graph *g, unsigned i, uint32_t filters, graph_window window,
                                 uint32_t groups, uint32_t *v, admmnn_error *err) {
    const graph_conv conv = {.window = window, .groups = groups, .biased = true};
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "conv%u", i);
    BASE_TRY(graph_add_conv(g, name, *v, filters, conv, v, err));
    zoo_name(name, "relu%u", i);
    return graph_add_relu(g, name, *v, v, err);
}

static admmnn_status add_pool_and_norm(graph *g, unsigned i, uint32_t *v, admmnn_error *err) {
    const graph_lrn lrn = {.size = 5, .alpha = 1e-4F, .beta = 0.75F, .bias = 1.0F};
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "pool%u", i);
    BASE_TRY(zoo_add_maxpool(g, name, graph_window_of(3, 2, 0), v, err));
    zoo_name(name, "norm%u", i);
    return graph_add_lrn(g, name, *v, lrn, v, err);
}

/* Inner product i, its rectifier and its dropout. */
static admmnn_status add_hidden(graph *g, unsigned i, uint32_t outputs, uint32_t *v,
                                admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "fc%u", i);
    BASE_TRY(graph_add_inner_product(g, name, *v, outputs, true, v, err));
    zoo_name(name, "relu%u", i);
    BASE_TRY(graph_add_relu(g, name, *v, v, err));
    zoo_name(name, "drop%u", i);
    return graph_add_dropout(g, name, *v, 0.5F, v, err);
}

admmnn_status zoo_build_alexnet(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    BASE_TRY(add_grouped(g, 1, 96, graph_window_of(11, 4, 0), 1, &v, err));
    BASE_TRY(add_pool_and_norm(g, 1, &v, err));
    BASE_TRY(add_grouped(g, 2, 256, graph_window_of(5, 1, 2), 2, &v, err));
    BASE_TRY(add_pool_and_norm(g, 2, &v, err));
    BASE_TRY(add_grouped(g, 3, 384, graph_window_of(3, 1, 1), 1, &v, err));
    BASE_TRY(add_grouped(g, 4, 384, graph_window_of(3, 1, 1), 2, &v, err));
    BASE_TRY(add_grouped(g, 5, 256, graph_window_of(3, 1, 1), 2, &v, err));
    BASE_TRY(zoo_add_maxpool(g, "pool5", graph_window_of(3, 2, 0), &v, err));
    BASE_TRY(add_hidden(g, 6, 4096, &v, err));
    BASE_TRY(add_hidden(g, 7, 4096, &v, err));
    return graph_add_inner_product(g, "fc8", v, classes, true, &v, err);
}

/* ---- VGG ---- */

/* `count` convolutions of one width, each with its rectifier, and a pooling. */
static admmnn_status add_stage(graph *g, unsigned stage, unsigned count, uint32_t filters,
                               uint32_t *v, admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    for (unsigned i = 1; i <= count; i++) {
        zoo_name(name, "conv%u_%u", stage, i);
        BASE_TRY(zoo_add_conv(g, name, filters, graph_window_of(3, 1, 1), v, err));
        zoo_name(name, "relu%u_%u", stage, i);
        BASE_TRY(graph_add_relu(g, name, *v, v, err));
    }
    zoo_name(name, "pool%u", stage);
    return zoo_add_maxpool(g, name, graph_window_of(2, 2, 0), v, err);
}

admmnn_status zoo_build_vgg16(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    static const uint32_t filters[] = {64, 128, 256, 512, 512};
    (void)width;
    uint32_t v = g->input;
    for (unsigned s = 0; s < sizeof filters / sizeof filters[0]; s++)
        BASE_TRY(add_stage(g, s + 1, s < 2 ? 2 : 3, filters[s], &v, err));
    BASE_TRY(add_hidden(g, 6, 4096, &v, err));
    BASE_TRY(add_hidden(g, 7, 4096, &v, err));
    return graph_add_inner_product(g, "fc8", v, classes, true, &v, err);
}

admmnn_status zoo_build_vgg_small(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    enum { CONVOLUTIONS = 6 };
    (void)width;
    uint32_t v = g->input;
    char name[GRAPH_NAME_MAX];
    for (unsigned i = 1; i <= CONVOLUTIONS; i++) {
        const uint32_t filters = 128U << (i - 1) / 2;
        zoo_name(name, "conv%u", i);
        BASE_TRY(zoo_add_normalized_conv(g, name, filters, graph_window_of(3, 1, 1), 1, ZOO_RELU,
                                         &v, err));
        zoo_name(name, "pool%u", i);
        if (i % 2 == 0)
            BASE_TRY(zoo_add_maxpool(g, name, graph_window_of(2, 2, 0), &v, err));
    }
    return graph_add_inner_product(g, "fc", v, classes, true, &v, err);
}
