/* Networks on supports, dense and on lists between oneDNN's calls, against the reference. */
#ifndef TESTS_ENGINE_LISTS_H
#define TESTS_ENGINE_LISTS_H

#include "support.h"

/* Of the largest number: two orders of 32-bit summation, here through normalizations too. */
#define BOUND 3e-5
/* Samples: so few that a lane is left over, or to each of up to three threads as many as there are
 * lanes of any width, whose images then stay in lanes from one layer to the next. */
#define FEW 21
#define LANES 16
#define MAX_BATCH (3 * LANES)
#define CLASSES 5

typedef struct problem {
    graph *g;
    bool smooth;   /* without a rectifier */
    float *params; /* [flat_count]; zero off the support */
    float *compact;
    size_t *index;
    size_t count;
    size_t batch; /* at most */
    samples s;
} problem;

typedef struct outcome {
    float *logits, *gradient;
    double loss;
} outcome;

static inline uint32_t between(base_random *random, uint32_t least, uint32_t most) {
    return least + base_random_below(random, most - least + 1);
}

/* ---- problems ---- */

/* Some weights of every layer, none of some; of what else there is nearly all. */
static inline void draw_support(problem *p, base_random *random) {
    p->index = base_array(p->g->flat_count, sizeof *p->index);
    p->params = floats(p->g->flat_count);
    p->compact = floats(p->g->flat_count);
    assert_non_null(p->index);
    graph_initialise(p->g, base_random_below(random, 1000), p->params);
    for (uint32_t i = 0; i < p->g->parameter_count; i++) {
        const graph_parameter *parameter = &p->g->parameters[i];
        const uint32_t share = parameter->kind == GRAPH_WEIGHT ? base_random_below(random, 70) : 95;
        for (size_t k = parameter->offset; k < parameter->offset + parameter->count; k++) {
            if (base_random_below(random, 100) >= share) {
                p->params[k] = 0.0F;
                continue;
            }
            if (parameter->kind == GRAPH_BIAS || parameter->kind == GRAPH_SHIFT)
                p->params[k] = base_random_uniform(random) - 0.5F;
            p->compact[p->count] = p->params[k];
            p->index[p->count++] = k;
        }
    }
}

static inline void draw_samples(problem *p, base_random *random) {
    p->s = samples_make(p->g, p->batch);
    for (size_t i = 0; i < p->s.count * p->s.elements; i++)
        p->s.pixels[i] = base_random_uniform(random) - 0.3F;
    for (size_t i = 0; i < p->s.count; i++)
        p->s.labels[i] = (uint16_t)base_random_below(random, CLASSES);
}

static inline void problem_free(problem *p) {
    graph_free(p->g);
    base_free(p->params);
    base_free(p->compact);
    base_free(p->index);
    samples_free(&p->s);
}

/* ---- runs ---- */

static inline outcome outcome_run(engine *e, const float *params, problem *p, size_t count) {
    outcome o = {.logits = floats(MAX_BATCH * CLASSES), .gradient = floats(p->g->flat_count)};
    const engine_batch batch = batch_of(&p->s, count);
    engine_result result;
    admmnn_error err = {0};
    if (engine_step(e, params, &batch, &result, &err) != ADMMNN_OK)
        fail_msg("engine_step: %s", err.message);
    add_parts(&result, p->count, o.gradient);
    o.loss = result.loss;
    assert_int_equal(engine_forward(e, params, &batch, o.logits, NULL), ADMMNN_OK);
    return o;
}

static inline void outcome_free(outcome *o) {
    base_free(o->logits);
    base_free(o->gradient);
}

static inline engine *make_engine(const problem *p, engine_backend_id backend,
                                  engine_division division, float list_density, base_pool *pool) {
    const engine_settings settings = {.backend = backend,
                                      .max_batch = (uint32_t)p->batch,
                                      .training = true,
                                      .division = division,
                                      .list_density = list_density};
    engine *e = engine_make_with(&settings, p->g, pool);
    assert_non_null(e);
    assert_int_equal(engine_set_support(e, p->index, p->count, NULL), ADMMNN_OK);
    return e;
}

static inline void expect_close(uint64_t number, const problem *p, const outcome *got,
                                const outcome *want, size_t count) {
    const double logits = distance(got->logits, want->logits, count * CLASSES);
    const double gradient = distance(got->gradient, want->gradient, p->count);
    if (!(logits <= BOUND) || !(gradient <= BOUND))
        fail_msg("network %u, %zu samples: logits differ by %g, gradient by %g", (unsigned)number,
                 count, logits, gradient);
}

/* ---- checks ---- */

/* All layers on lists, and those that are faster so; one of oneDNN's two divisions. */
static inline void check_lists(uint64_t number, problem *p, engine_division division,
                               base_pool *pool) {
    static const float densities[] = {1.0F, 0.0F};
    base_random random = base_random_at(43, 44, number);
    engine *reference = make_engine(p, ENGINE_REFERENCE, ENGINE_DIVIDE_BY_SIZE, 0.0F, pool);
    const size_t counts[] = {p->batch, between(&random, 1, (uint32_t)p->batch)};
    outcome want[] = {outcome_run(reference, p->compact, p, counts[0]),
                      outcome_run(reference, p->compact, p, counts[1])};
    for (size_t i = 0; i < 2; i++) {
        engine *e = make_engine(p, ENGINE_DNNL, division, densities[i], pool);
        for (size_t k = 0; k < 2; k++) {
            outcome got = outcome_run(e, p->compact, p, counts[k]);
            outcome again = outcome_run(e, p->compact, p, counts[k]);
            expect_close(number, p, &got, &want[k], counts[k]);
            assert_memory_equal(got.gradient, again.gradient, p->count * sizeof *got.gradient);
            assert_memory_equal(got.logits, again.logits, counts[k] * CLASSES * sizeof *got.logits);
            outcome_free(&got);
            outcome_free(&again);
        }
        engine_destroy(e);
    }
    outcome_free(&want[0]);
    outcome_free(&want[1]);
    engine_destroy(reference);
}

#endif
