/* Networks with dead structure, what they answer, and what shrinking must hold to. */
#ifndef TESTS_ENGINE_SHRINKING_H
#define TESTS_ENGINE_SHRINKING_H

#include "engine/support.h"

#include "graph/shrink.h"

#define SAMPLES 3

typedef struct network {
    graph *g;
    float *params;
    uint8_t *mask;
} network;

static inline void add(admmnn_status status) {
    assert_int_equal(status, ADMMNN_OK);
}

static inline void remove_dead(network *n) {
    add(shrink_remove_dead(n->g, SHRINK_EXACT, n->mask, n->params, NULL));
}

static inline void drop(network *n) {
    graph_free(n->g);
    base_free(n->params);
    base_free(n->mask);
}

/* logits[SAMPLES][outputs] by the reference engine on fixed random inputs. */
static inline float *outputs_of(const graph *g, const float *params) {
    base_pool *pool = pool_make(1);
    engine *e = engine_make(g, ENGINE_REFERENCE, 0, SAMPLES, pool);
    assert_non_null(e);
    samples s = samples_make(g, SAMPLES);
    base_random random = base_random_at(77, 0, 0);
    for (size_t i = 0; i < SAMPLES * s.elements; i++)
        s.pixels[i] = base_random_normal(&random);
    engine_batch batch = batch_of(&s, SAMPLES);
    float *logits = floats(SAMPLES * graph_value_count(g, g->output));
    assert_int_equal(engine_forward(e, params, &batch, logits, NULL), ADMMNN_OK);
    samples_free(&s);
    engine_destroy(e);
    base_pool_destroy(pool);
    return logits;
}

/* The smaller network: every parameter in the mask is in it, once. */
static inline network shrink(const network *n) {
    network small = {NULL, NULL, NULL};
    size_t *origin;
    admmnn_error err = {0};
    if (shrink_network(n->g, n->mask, &small.g, &origin, &err) != ADMMNN_OK)
        fail_msg("%s", err.message);
    small.params = floats(small.g->flat_count);
    small.mask = base_array(small.g->flat_count, 1);
    uint8_t *seen = base_array(n->g->flat_count, 1);
    assert_true(seen != NULL && small.mask != NULL);
    for (size_t i = 0; i < small.g->flat_count; i++) {
        if (origin[i] == SIZE_MAX)
            continue;
        assert_true(origin[i] < n->g->flat_count && seen[origin[i]] == 0);
        seen[origin[i]] = 1;
        small.params[i] = n->params[origin[i]];
        small.mask[i] = n->mask[origin[i]];
    }
    for (uint32_t p = 0; p < n->g->parameter_count; p++) {
        const graph_parameter *from = &n->g->parameters[p];
        for (size_t i = from->offset; i < from->offset + from->count; i++)
            assert_true(seen[i] != 0 || n->mask[i] == 0);
    }
    base_free(seen);
    base_free(origin);
    return small;
}

/* Removing again, and shrinking what is small, finds nothing more. */
static inline void expect_no_more(const network *n) {
    uint8_t *before = base_array_copy(n->mask, n->g->flat_count, 1);
    float *params = base_array_copy(n->params, n->g->flat_count, sizeof *params);
    assert_true(before != NULL && params != NULL);
    add(shrink_remove_dead(n->g, SHRINK_EXACT, n->mask, n->params, NULL));
    assert_memory_equal(before, n->mask, n->g->flat_count);
    assert_memory_equal(params, n->params, n->g->flat_count * sizeof *params);
    base_free(before);
    base_free(params);
    network again = shrink(n);
    assert_int_equal(again.g->flat_count, n->g->flat_count);
    drop(&again);
}

static inline void expect_shrunk(const network *n, const float *wanted, size_t count) {
    network small = shrink(n);
    float *outputs = outputs_of(small.g, small.params);
    assert_true(distance(outputs, wanted, count) < 1e-6);
    base_free(outputs);
    expect_no_more(&small);
    drop(&small);
}

#endif
