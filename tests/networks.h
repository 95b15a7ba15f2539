/* Networks, their files and what they answer, shared by the tests of ONNX and of packed
 * models. */
#ifndef TESTS_NETWORKS_H
#define TESTS_NETWORKS_H

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

typedef struct bytes {
    uint8_t *at;
    size_t count;
} bytes;

static inline graph *zoo(const char *name) {
    graph *g;
    MUST(graph_zoo_create(name, graph_shape_image(1, 28, 28), 10, &g, err));
    return g;
}

/* By their fields: the struct has gaps. */
static inline void expect_same_values(const graph *a, const graph *b) {
    assert_int_equal(a->value_count, b->value_count);
    for (uint32_t v = 0; v < a->value_count; v++) {
        const graph_value *x = &a->values[v];
        const graph_value *y = &b->values[v];
        assert_memory_equal(&x->shape, &y->shape, sizeof x->shape);
        assert_int_equal(x->producer, y->producer);
        assert_int_equal(x->parameter, y->parameter);
        assert_int_equal(x->constant, y->constant);
        assert_int_equal(x->index_dim, y->index_dim);
    }
}

/* Names, what they read and make, and what the six operations of chains need to know. */
static inline void expect_same_nodes(const graph *a, const graph *b) {
    assert_int_equal(a->node_count, b->node_count);
    assert_int_equal(a->operand_count, b->operand_count);
    assert_memory_equal(a->operands, b->operands, a->operand_count * sizeof *a->operands);
    for (uint32_t n = 0; n < a->node_count; n++) {
        const graph_node *x = &a->nodes[n];
        const graph_node *y = &b->nodes[n];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->op, y->op);
        assert_int_equal(x->operand_count, y->operand_count);
        assert_int_equal(x->output, y->output);
        if (graph_node_window(x) != NULL)
            assert_memory_equal(graph_node_window(x), graph_node_window(y), sizeof(graph_window));
        if (x->op == GRAPH_BATCH_NORMALIZATION)
            assert_memory_equal(&x->normalization, &y->normalization, sizeof x->normalization);
        if (x->op == GRAPH_DROPOUT)
            assert_true(x->ratio == y->ratio);
    }
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
    engine_settings settings = {.backend = ENGINE_REFERENCE, .max_batch = (uint32_t)count};
    engine_batch batch = {.count = count, .fill = forward_fill, .user = &from};
    MUST(base_pool_create(1, &pool, err));
    MUST(engine_create(g, &settings, pool, &e, err));
    MUST(engine_forward(e, params, &batch, output, err));
    engine_destroy(e);
    base_pool_destroy(pool);
}

#endif
