#include "graph/zoo_build.h"

#include <stdarg.h>
#include <stdio.h>

void zoo_name(char name[GRAPH_NAME_MAX], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, GRAPH_NAME_MAX, format, arguments);
    va_end(arguments);
}

admmnn_status zoo_add_conv(graph *g, const char *name, uint32_t filters, graph_window window,
                           uint32_t *v, admmnn_error *err) {
    return graph_add_conv(g, name, *v, filters, graph_conv_of(window), v, err);
}

admmnn_status zoo_add_maxpool(graph *g, const char *name, graph_window window, uint32_t *v,
                              admmnn_error *err) {
    return graph_add_maxpool(g, name, *v, graph_pool_of(window), v, err);
}

static admmnn_status add_activation(graph *g, const char *name, zoo_activation activation,
                                    uint32_t *v, admmnn_error *err) {
    const graph_unary relu6 = {GRAPH_CLIP, 0.0F, 6.0F};
    if (activation == ZOO_RELU)
        return graph_add_relu(g, name, *v, v, err);
    return activation == ZOO_RELU6 ? graph_add_unary(g, name, *v, relu6, v, err) : ADMMNN_OK;
}

admmnn_status zoo_add_normalized_conv(graph *g, const char *name, uint32_t filters,
                                      graph_window window, uint32_t groups,
                                      zoo_activation activation, uint32_t *v, admmnn_error *err) {
    char follower[GRAPH_NAME_MAX];
    const graph_conv conv = {.window = window, .groups = groups, .biased = false};
    BASE_TRY(graph_add_conv(g, name, *v, filters, conv, v, err));
    zoo_name(follower, "%s.bn", name);
    BASE_TRY(graph_add_batch_normalization(g, follower, *v, GRAPH_EPSILON, GRAPH_MOMENTUM, v, err));
    zoo_name(follower, "%s.relu", name);
    return add_activation(g, follower, activation, v, err);
}

admmnn_status zoo_add_head(graph *g, uint32_t classes, uint32_t *v, admmnn_error *err) {
    const graph_reduce mean = {GRAPH_REDUCE_MEAN, 1U << 1 | 1U << 2, false};
    BASE_TRY(graph_add_reduce(g, "pool", *v, mean, v, err));
    return graph_add_inner_product(g, "fc", *v, classes, true, v, err);
}
