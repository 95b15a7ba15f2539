/* The reference in double precision, shared by the tests of its values and gradients. */
#ifndef TESTS_ENGINE_DOUBLES_H
#define TESTS_ENGINE_DOUBLES_H

#include "support.h"

#include "engine/reference.h"
#include "must.h"

/* A graph with parameters and inputs, and the reference that runs it. */
typedef struct trial {
    graph *g;
    base_pool *pool;
    reference *r;
    engine_batch batch;
    size_t inputs, outputs; /* elements of a sample */
    double *params, *input; /* [flat_count], [count][inputs] */
} trial;

/* The trial's until trial_close. */
static inline trial trial_open(graph *g, size_t count, unsigned threads) {
    trial t = {.g = g,
               .pool = pool_make(threads),
               .batch = {.count = count, .seed = 3, .step = 4},
               .inputs = graph_value_count(g, g->input),
               .outputs = graph_value_count(g, g->output)};
    MUST(reference_open(g, count, true, t.pool, &t.r, err));
    t.params = base_array(g->flat_count, sizeof *t.params);
    t.input = base_array(count * t.inputs, sizeof *t.input);
    assert_true(t.params != NULL && t.input != NULL);
    return t;
}

static inline void trial_close(trial *t) {
    reference_close(t->r);
    base_pool_destroy(t->pool);
    base_free(t->params);
    base_free(t->input);
    graph_free(t->g);
}

static inline void trial_forward(trial *t, bool training) {
    for (size_t s = 0; s < t->batch.count; s++)
        memcpy(reference_value(t->r, s, t->g->input), t->input + s * t->inputs,
               t->inputs * sizeof *t->input);
    reference_forward(t->r, t->params, &t->batch, training);
}

static inline const double *trial_output(const trial *t, size_t sample) {
    return reference_value(t->r, sample, t->g->output);
}

static inline graph *graph_start(graph_shape input) {
    graph *g;
    MUST(graph_create("net", input, &g, err));
    return g;
}

#endif
