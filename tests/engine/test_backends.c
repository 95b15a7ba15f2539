/* The fast back ends against the reference on the zoo's networks: batch sizes,
 * supports, thread counts, repetition.
 *
 * Pixels and the convolutions' weights are small multiples of powers of two, so
 * that everything up to the last pooling is exact: ties between the elements of
 * a window are then real, and all back ends must give the gradient to the same
 * one, the first. */
#include "instrumented.h"
#include "support.h"

/* Largest difference over largest number of a parameter's gradient, or of the
 * logits: two orders of 32-bit summation. */
#define BOUND 1e-5

typedef struct variant {
    const char *name;
    engine_backend_id backend;
    uint32_t lanes;
    float list_density;
} variant;

static const variant variants[] = {
    {"lanes of 4", ENGINE_LANES, 4, 0},
    {"lanes of 8", ENGINE_LANES, 8, 0},
    {"lanes of 16", ENGINE_LANES, 16, 0},
    {"lists of 4 lanes", ENGINE_LANES, 4, 1},
    {"lists of the most lanes", ENGINE_LANES, 0, 1},
    {"dnnl", ENGINE_DNNL, 0, 0},
    {"lists between dnnl's calls", ENGINE_DNNL, 0, 1},
    {"reference", ENGINE_REFERENCE, 0, 0},
};
#define MOST_THREADS 3
#define VARIANTS (sizeof variants / sizeof variants[0])

/* "overlapping": one convolution and a pooling whose windows overlap. "odd": 25 by 25
 * outputs that are not pooled, and 23 by 23 of which the last row and column are not. */
static const char *const networks[] = {"lenet-5", "lenet-300-100", "overlapping", "odd"};
#define NETWORKS (sizeof networks / sizeof networks[0])

typedef struct problem {
    graph *g;
    float *params;
    samples s;
} problem;

static engine *variant_make(const variant *v, const graph *g, uint32_t max_batch, base_pool *pool) {
    const engine_settings settings = {.backend = v->backend,
                                      .max_batch = max_batch,
                                      .training = true,
                                      .lanes = v->lanes,
                                      .list_density = v->list_density};
    return engine_make_with(&settings, g, pool);
}

/* A bright patch on a black ground, as a digit is. */
static void draw(float *pixels, base_random *random) {
    for (size_t i = 0; i < 784; i++) {
        bool inside = i / 28 > 7 && i / 28 < 20 && i % 28 > 5 && i % 28 < 22;
        pixels[i] = inside ? (float)base_random_below(random, 5) / 4.0F : 0.0F;
    }
}

static void add_overlapping(graph *g) {
    uint32_t v = g->input;
    const graph_window conv = {{5, 5}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    const graph_window pool = {{3, 3}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    assert_int_equal(graph_add_conv(g, "a", v, 6, graph_conv_of(conv), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_maxpool(g, "p", v, graph_pool_of(pool), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "b", v, 20, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "c", v, 10, true, &v, NULL), ADMMNN_OK);
}

static void add_odd(graph *g) {
    uint32_t v = g->input;
    const graph_window four = {{4, 4}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    const graph_window three = {{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    const graph_window pool = {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    assert_int_equal(graph_add_conv(g, "a", v, 4, graph_conv_of(four), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_conv(g, "b", v, 7, graph_conv_of(three), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_maxpool(g, "p", v, graph_pool_of(pool), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "c", v, 10, true, &v, NULL), ADMMNN_OK);
}

static graph *network_make(const char *name) {
    const graph_shape input = graph_shape_image(1, 28, 28);
    graph *g;
    if (graph_zoo_has(name)) {
        assert_int_equal(graph_zoo_create(name, input, 10, &g, NULL), ADMMNN_OK);
        return g;
    }
    assert_int_equal(graph_create(name, input, &g, NULL), ADMMNN_OK);
    if (strcmp(name, "odd") == 0)
        add_odd(g);
    else
        add_overlapping(g);
    return g;
}

static problem problem_make(const char *network) {
    problem p = {.g = network_make(network)};
    base_random random = base_random_at(11, 12, 13);
    p.params = floats(p.g->flat_count);
    graph_initialise(p.g, 3, p.params);
    for (uint32_t i = 0; i < p.g->parameter_count; i++) {
        const graph_parameter *parameter = &p.g->parameters[i];
        bool conv = p.g->nodes[parameter->node].op == GRAPH_CONV;
        for (size_t k = 0; k < parameter->count; k++) {
            float *value = &p.params[parameter->offset + k];
            if (conv)
                *value = ((float)base_random_below(&random, 9) - 4.0F) / 32.0F;
            else if (parameter->kind == GRAPH_BIAS)
                *value = 0.1F * base_random_normal(&random);
        }
    }
    p.s = samples_make(p.g, 64);
    for (size_t k = 0; k < p.s.count; k++) {
        draw(p.s.pixels + k * 784, &random);
        p.s.labels[k] = (uint16_t)base_random_below(&random, 10);
    }
    return p;
}

static void problem_free(problem *p) {
    base_free(p->params);
    samples_free(&p->s);
    graph_free(p->g);
}

/* One step's outcome, gradient parts added. */
typedef struct outcome {
    float *logits, *gradient;
    double loss;
    size_t correct, count;
} outcome;

static outcome run(engine *e, const float *params, samples *s, size_t count) {
    engine_batch batch = batch_of(s, count);
    engine_result result;
    outcome o = {floats(count * 10), NULL, 0.0, 0, engine_parameter_count(e)};
    o.gradient = floats(o.count);
    assert_int_equal(engine_forward(e, params, &batch, o.logits, NULL), ADMMNN_OK);
    assert_int_equal(engine_step(e, params, &batch, &result, NULL), ADMMNN_OK);
    add_parts(&result, o.count, o.gradient);
    o.loss = result.loss;
    o.correct = result.correct;
    return o;
}

static void outcome_free(outcome *o) {
    base_free(o->logits);
    base_free(o->gradient);
}

static void expect_close(const char *what, const graph *g, const outcome *got, const outcome *want,
                         size_t count) {
    double error = distance(got->logits, want->logits, count * 10);
    if (!(error <= BOUND))
        fail_msg("%s, %s, %zu samples: logits differ by %g", g->name, what, count, error);
    if (!(fabs(got->loss - want->loss) <= BOUND * want->loss))
        fail_msg("%s, %s: loss %.9g, not %.9g", g->name, what, got->loss, want->loss);
    assert_int_equal(got->correct, want->correct);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        error = distance(got->gradient + parameter->offset, want->gradient + parameter->offset,
                         parameter->count);
        if (!(error <= BOUND))
            fail_msg("%s, %s, %zu samples: gradient of parameter %u differs by %g", g->name, what,
                     count, p, error);
    }
}

static void batches_agree_with_reference(void **state) {
    (void)state;
    static const size_t counts[] = {64, 16, 1, 7};
    for (size_t n = 0; n < NETWORKS; n++) {
        problem p = problem_make(networks[n]);
        base_pool *one = pool_make(1);
        base_pool *two = pool_make(2);
        engine *reference = engine_make(p.g, ENGINE_REFERENCE, 0, 64, one);
        engine *engines[VARIANTS];
        for (size_t v = 0; v < VARIANTS; v++)
            engines[v] = variant_make(&variants[v], p.g, 64, two);
        for (size_t c = instrumented_or(2, 0); c < sizeof counts / sizeof counts[0]; c++) {
            outcome want = run(reference, p.params, &p.s, counts[c]);
            for (size_t v = 0; v < VARIANTS; v++) {
                if (engines[v] == NULL)
                    continue;
                outcome got = run(engines[v], p.params, &p.s, counts[c]);
                expect_close(variants[v].name, p.g, &got, &want, counts[c]);
                outcome_free(&got);
            }
            outcome_free(&want);
        }
        for (size_t v = 0; v < VARIANTS; v++)
            engine_destroy(engines[v]);
        engine_destroy(reference);
        base_pool_destroy(one);
        base_pool_destroy(two);
        problem_free(&p);
    }
}

static void threads_agree_with_reference(void **state) {
    (void)state;
    problem p = problem_make("lenet-5");
    base_pool *one = pool_make(1);
    engine *reference = engine_make(p.g, ENGINE_REFERENCE, 0, 21, one);
    outcome want = run(reference, p.params, &p.s, 21);
    for (unsigned threads = instrumented_or(MOST_THREADS, 1); threads <= MOST_THREADS; threads++) {
        base_pool *pool = pool_make(threads);
        for (size_t v = 0; v < VARIANTS; v++) {
            engine *e = variant_make(&variants[v], p.g, 21, pool);
            if (e == NULL)
                continue;
            outcome got = run(e, p.params, &p.s, 21);
            expect_close(variants[v].name, p.g, &got, &want, 21);
            outcome_free(&got);
            engine_destroy(e);
        }
        base_pool_destroy(pool);
    }
    outcome_free(&want);
    engine_destroy(reference);
    base_pool_destroy(one);
    problem_free(&p);
}

/* ---- repetition ---- */

static void expect_same_bytes(const char *what, const outcome *a, const outcome *b, size_t count) {
    if (memcmp(a->logits, b->logits, count * 10 * sizeof(float)) != 0 ||
        memcmp(a->gradient, b->gradient, a->count * sizeof(float)) != 0 ||
        memcmp(&a->loss, &b->loss, sizeof a->loss) != 0)
        fail_msg("%s: two runs differ", what);
}

/* After another batch in the same engine, and in a second engine. */
static void repetition_gives_the_same_bytes(void **state) {
    (void)state;
    problem p = problem_make("lenet-5");
    for (unsigned threads = instrumented_or(MOST_THREADS, 1); threads <= MOST_THREADS; threads++) {
        base_pool *pool = pool_make(threads);
        for (size_t v = 0; v < VARIANTS; v++) {
            engine *a = variant_make(&variants[v], p.g, 20, pool);
            engine *b = variant_make(&variants[v], p.g, 20, pool);
            if (a == NULL)
                continue;
            outcome first = run(a, p.params, &p.s, 13);
            outcome between = run(a, p.params, &p.s, 20);
            outcome again = run(a, p.params, &p.s, 13);
            outcome other = run(b, p.params, &p.s, 13);
            expect_same_bytes(variants[v].name, &first, &again, 13);
            expect_same_bytes(variants[v].name, &first, &other, 13);
            outcome_free(&first);
            outcome_free(&between);
            outcome_free(&again);
            outcome_free(&other);
            engine_destroy(a);
            engine_destroy(b);
        }
        base_pool_destroy(pool);
    }
    problem_free(&p);
}

/* Inputs that are no numbers, in places the next batch does not fill. */
static void a_bad_batch_leaves_nothing_behind(void **state) {
    (void)state;
    problem p = problem_make("overlapping");
    base_pool *pool = pool_make(2);
    samples bad = samples_make(p.g, 40);
    for (size_t i = 0; i < bad.count * bad.elements; i++)
        bad.pixels[i] = NAN;
    for (size_t v = 0; v < VARIANTS; v++) {
        engine *e = variant_make(&variants[v], p.g, 40, pool);
        if (e == NULL)
            continue;
        outcome before = run(e, p.params, &p.s, 3);
        outcome spoiled = run(e, p.params, &bad, 40);
        assert_true(isnan(spoiled.loss));
        outcome after = run(e, p.params, &p.s, 3);
        expect_same_bytes(variants[v].name, &before, &after, 3);
        outcome_free(&before);
        outcome_free(&spoiled);
        outcome_free(&after);
        engine_destroy(e);
    }
    samples_free(&bad);
    base_pool_destroy(pool);
    problem_free(&p);
}

/* A weight that is no number, two layers and a rectifier before the loss. oneDNN's
 * rectifier gives 0 for it; the training loop looks at the parameters as well. */
static void a_weight_that_is_no_number_shows_in_the_loss(void **state) {
    (void)state;
    problem p = problem_make("lenet-5");
    base_pool *pool = pool_make(2);
    p.params[p.g->parameters[0].offset] = NAN;
    for (size_t v = 0; v < VARIANTS; v++) {
        engine *e = variant_make(&variants[v], p.g, 20, pool);
        if (e == NULL)
            continue;
        outcome spoiled = run(e, p.params, &p.s, 20);
        assert_true(isnan(spoiled.loss) || variants[v].backend == ENGINE_DNNL);
        outcome_free(&spoiled);
        engine_destroy(e);
    }
    base_pool_destroy(pool);
    problem_free(&p);
}

/* ---- supports ---- */

typedef struct support {
    const char *name;
    double density; /* of the weights */
    bool biases;    /* all of them, or none */
    int empty;      /* the layer without any parameter; -1: none */
} support;

static const support supports[] = {
    {"80 %", 0.8, true, -1},
    {"30 %", 0.3, true, -1},
    {"5 %", 0.05, true, -1},
    {"0.5 %", 0.005, true, -1},
    {"0.5 % without biases", 0.005, false, -1},
    {"an empty first layer", 0.1, true, 0},
    {"an empty last layer", 0.1, true, 2},
    {"biases alone", 0.0, true, -1},
    {"all", 1.0, true, -1},
    {"nothing", 0.0, false, -1},
};
#define SUPPORTS (sizeof supports / sizeof supports[0])
/* A whole block of 8 lanes and a part of one. */
#define SPARSE_BATCH 11

static size_t choose(const graph *g, const support *wanted, size_t *index) {
    size_t count = 0;
    base_random random = base_random_at(21, 22, 23);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        bool empty =
            wanted->empty >= 0 && parameter->node == graph_layer(g, (uint32_t)wanted->empty);
        for (size_t i = 0; i < parameter->count; i++) {
            bool kept = parameter->kind == GRAPH_BIAS
                            ? wanted->biases
                            : (double)base_random_uniform(&random) < wanted->density;
            if (kept && !empty)
                index[count++] = parameter->offset + i;
        }
    }
    return count;
}

/* Puts the dense outcome's gradient at the support's places. */
static void gather(outcome *dense, const size_t *index, size_t count) {
    for (size_t i = 0; i < count; i++)
        dense->gradient[i] = dense->gradient[index[i]];
    dense->count = count;
}

static void expect_compact_close(const variant *v, const support *s, const outcome *got,
                                 const outcome *want, size_t samples_run) {
    assert_int_equal(got->count, want->count);
    double logits = distance(got->logits, want->logits, samples_run * 10);
    double gradient = distance(got->gradient, want->gradient, want->count);
    if (!(logits <= BOUND) || !(gradient <= BOUND))
        fail_msg("%s, support %s: logits differ by %g, gradient by %g", v->name, s->name, logits,
                 gradient);
    assert_int_equal(got->correct, want->correct);
}

/* One support in every engine against the reference with zeros elsewhere. */
static void check_support(const problem *p, engine *const *engines, engine *dense,
                          const support *wanted) {
    size_t *index = base_array(p->g->flat_count, sizeof *index);
    float *compact = floats(p->g->flat_count);
    float *masked = floats(p->g->flat_count);
    samples s = p->s;
    size_t count = choose(p->g, wanted, index);
    for (size_t i = 0; i < count; i++) {
        compact[i] = p->params[index[i]];
        masked[index[i]] = compact[i];
    }
    outcome want = run(dense, masked, &s, SPARSE_BATCH);
    gather(&want, index, count);
    for (size_t v = 0; v < VARIANTS; v++) {
        if (engines[v] == NULL)
            continue;
        assert_int_equal(engine_set_support(engines[v], index, count, NULL), ADMMNN_OK);
        assert_int_equal(engine_parameter_count(engines[v]), count);
        outcome got = run(engines[v], compact, &s, SPARSE_BATCH);
        outcome again = run(engines[v], compact, &s, SPARSE_BATCH);
        expect_compact_close(&variants[v], wanted, &got, &want, SPARSE_BATCH);
        expect_same_bytes(variants[v].name, &got, &again, SPARSE_BATCH);
        outcome_free(&got);
        outcome_free(&again);
    }
    outcome_free(&want);
    base_free(index);
    base_free(compact);
    base_free(masked);
}

static void check_supports(problem *p, base_pool *pool) {
    engine *reference = engine_make(p->g, ENGINE_REFERENCE, 0, 24, pool);
    engine *engines[VARIANTS];
    outcome before[VARIANTS] = {0};
    for (size_t v = 0; v < VARIANTS; v++) {
        engines[v] = variant_make(&variants[v], p->g, 24, pool);
        if (engines[v] != NULL)
            before[v] = run(engines[v], p->params, &p->s, SPARSE_BATCH);
    }
    for (size_t s = 0; s < SUPPORTS; s += instrumented_or(3, 1))
        check_support(p, engines, reference, &supports[s]);
    for (size_t v = 0; v < VARIANTS; v++) {
        if (engines[v] == NULL)
            continue;
        assert_int_equal(engine_set_support(engines[v], NULL, 0, NULL), ADMMNN_OK);
        assert_int_equal(engine_parameter_count(engines[v]), p->g->flat_count);
        outcome after = run(engines[v], p->params, &p->s, SPARSE_BATCH);
        expect_same_bytes(variants[v].name, &before[v], &after, SPARSE_BATCH);
        outcome_free(&after);
        outcome_free(&before[v]);
        engine_destroy(engines[v]);
    }
    engine_destroy(reference);
}

static void supports_agree_with_dense_reference(void **state) {
    (void)state;
    base_pool *pool = pool_make(2);
    for (size_t n = 0; n < NETWORKS; n++) {
        problem p = problem_make(networks[n]);
        check_supports(&p, pool);
        problem_free(&p);
    }
    base_pool_destroy(pool);
}

/* The floats between parameters have no gradient: an optimiser may run over the
 * whole vector. */
static void padding_has_no_gradient(void **state) {
    (void)state;
    problem p = problem_make("lenet-300-100");
    base_pool *pool = pool_make(2);
    for (size_t v = 0; v < VARIANTS; v++) {
        engine *e = variant_make(&variants[v], p.g, 20, pool);
        if (e == NULL)
            continue;
        outcome o = run(e, p.params, &p.s, 20);
        for (uint32_t i = 0; i < p.g->parameter_count; i++) {
            const graph_parameter *parameter = &p.g->parameters[i];
            size_t end =
                i + 1 < p.g->parameter_count ? p.g->parameters[i + 1].offset : p.g->flat_count;
            for (size_t k = parameter->offset + parameter->count; k < end; k++)
                assert_true(o.gradient[k] == 0.0F);
        }
        outcome_free(&o);
        engine_destroy(e);
    }
    base_pool_destroy(pool);
    problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_agree_with_reference),
        cmocka_unit_test(threads_agree_with_reference),
        cmocka_unit_test(repetition_gives_the_same_bytes),
        cmocka_unit_test(a_bad_batch_leaves_nothing_behind),
        cmocka_unit_test(a_weight_that_is_no_number_shows_in_the_loss),
        cmocka_unit_test(supports_agree_with_dense_reference),
        cmocka_unit_test(padding_has_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
