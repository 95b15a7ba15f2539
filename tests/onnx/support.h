/* Networks for the tests of ONNX models. */
#ifndef TESTS_ONNX_SUPPORT_H
#define TESTS_ONNX_SUPPORT_H

#include "networks.h"
#include "onnx/onnx.h"

static inline float *random_params(const graph *g, uint64_t seed) {
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    base_random random = base_random_at(seed, 0, 0);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++)
            params[g->parameters[p].offset + i] = base_random_normal(&random) * 0.1F;
    return params;
}

/* Strides, paddings, names of its own, an inner product that becomes an image. */
static inline graph *odd_network(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("odd", (graph_shape){3, 11, 9}, &g, err));
    MUST(graph_add_conv(g, "first", g->input, 5, (graph_window){{3, 2}, {2, 1}, {1, 0}}, &v, err));
    MUST(graph_add_relu(g, "first.out", v, &v, err));
    MUST(graph_add_maxpool(g, "pool", v, (graph_window){{3, 2}, {2, 1}, {1, 1}}, &v, err));
    MUST(graph_add_inner_product(g, "input", v, 6, &v, err));
    MUST(graph_add_relu(g, "logits", v, &v, err));
    MUST(graph_add_conv(g, "last", v, 4, (graph_window){{1, 1}, {1, 1}, {0, 0}}, &v, err));
    return g;
}

#endif
