/* Networks and their files, shared by the tests of ONNX models. */
#ifndef TESTS_ONNX_SUPPORT_H
#define TESTS_ONNX_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/engine.h"
#include "graph/zoo.h"
#include "must.h"
#include "onnx/onnx.h"

typedef struct bytes {
    uint8_t *at;
    size_t count;
} bytes;

static inline float *random_params(const graph *g, uint64_t seed) {
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    base_random random = base_random_at(seed, 0, 0);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++)
            params[g->parameters[p].offset + i] = base_random_normal(&random) * 0.1F;
    return params;
}

static inline graph *lenet5(void) {
    graph *g;
    MUST(graph_zoo_create("lenet-5", (graph_shape){1, 28, 28}, 10, &g, err));
    return g;
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

typedef struct inputs {
    const float *at;
    size_t elements;
} inputs;

static inline void forward_fill(void *user, size_t sample, float *input, size_t stride) {
    const inputs *from = user;
    for (size_t i = 0; i < from->elements; i++)
        input[i * stride] = from->at[sample * from->elements + i];
}

/* output[count][outputs] by the scalar reference. */
static inline void forward(const graph *g, const float *params, const float *input, size_t count,
                           float *output) {
    base_pool *pool;
    engine *e;
    inputs from = {input, graph_value_count(g, g->input)};
    engine_settings settings = {ENGINE_REFERENCE, (uint32_t)count, false, 0};
    engine_batch batch = {.count = count, .fill = forward_fill, .user = &from};
    MUST(base_pool_create(1, &pool, err));
    MUST(engine_create(g, &settings, pool, &e, err));
    MUST(engine_forward(e, params, &batch, output, err));
    engine_destroy(e);
    base_pool_destroy(pool);
}

#endif
