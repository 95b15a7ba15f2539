/* Batch normalization outside training and its kernels, and dropout: what is dropped out and where.
 */
#include "support.h"

#include "engine/dropout.h"
#include "engine/lanes_kernels.h"
#include "engine/norm.h"

#define MUST(call) assert_int_equal((call), ADMMNN_OK)
#define SAMPLES 13

static const engine_backend_id with_norm[] = {ENGINE_REFERENCE, ENGINE_DNNL};

/* ---- by running statistics ---- */

/* Random scales and statistics, of a node that is the graph's only one. */
static float *params_make(const graph *g) {
    float *params = floats(g->flat_count);
    base_random random = base_random_at(7, 7, 7);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++)
            params[g->parameters[p].offset + i] = g->parameters[p].kind == GRAPH_VARIANCE
                                                      ? 0.01F + 2.0F * base_random_uniform(&random)
                                                      : base_random_normal(&random);
    return params;
}

/* (x - mean) / sqrt(variance + epsilon) * scale + shift, element by element. */
static void expect_normalized(const graph *g, const float *params, const samples *s,
                              const float *y) {
    const graph_normalization *n = &g->nodes[0].normalization;
    const graph_shape shape = g->values[g->input].shape;
    for (size_t i = 0; i < s->count * s->elements; i++) {
        size_t c = i % s->elements / graph_shape_extent(shape, 1, shape.rank);
        double mean = (double)params[g->parameters[n->mean].offset + c];
        double variance = (double)params[g->parameters[n->variance].offset + c];
        double scale = (double)params[g->parameters[n->scale].offset + c];
        double shift = (double)params[g->parameters[n->shift].offset + c];
        double expected =
            ((double)s->pixels[i] - mean) / sqrt(variance + (double)n->epsilon) * scale + shift;
        assert_true(fabs((double)y[i] - expected) <= 1e-5 * (1.0 + fabs(expected)));
    }
}

static void check_shape(graph_shape shape, unsigned threads) {
    graph *g;
    uint32_t v;
    MUST(graph_create("norm", shape, &g, NULL));
    MUST(graph_add_batch_normalization(g, "bn", g->input, 1e-3F, 0.9F, &v, NULL));
    float *params = params_make(g);
    samples s = samples_make(g, SAMPLES);
    base_random random = base_random_at(8, 8, 8);
    for (size_t i = 0; i < s.count * s.elements; i++)
        s.pixels[i] = 1.0F + 3.0F * base_random_normal(&random);
    float *y = floats(s.count * s.elements);
    base_pool *pool = pool_make(threads);
    for (size_t b = 0; b < 2; b++) {
        engine *e = engine_make(g, with_norm[b], 0, SAMPLES + 4, pool);
        assert_non_null(e);
        engine_batch batch = batch_of(&s, SAMPLES);
        engine_result result;
        MUST(engine_forward(e, params, &batch, y, NULL));
        expect_normalized(g, params, &s, y);
        /* A step in between leaves nothing behind. */
        MUST(engine_step(e, params, &batch, &result, NULL));
        MUST(engine_forward(e, params, &batch, y, NULL));
        expect_normalized(g, params, &s, y);
        engine_destroy(e);
    }
    base_pool_destroy(pool);
    base_free(y);
    base_free(params);
    samples_free(&s);
    graph_free(g);
}

static void running_statistics_normalize(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        check_shape(graph_shape_image(5, 1, 1), threads);
        check_shape(graph_shape_image(3, 4, 5), threads);
        check_shape(graph_shape_image(2, 13, 11), threads); /* wider than a tile of columns */
        check_shape(graph_shape_image(700, 1, 1), threads);
    }
}

/* A mean of a thousand deviations costs the variance no more than the floats have. */
static void far_means_leave_the_variance(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    graph *g;
    uint32_t v;
    MUST(graph_create("far", graph_shape_image(1, 1, 1), &g, NULL));
    MUST(graph_add_batch_normalization(g, "bn", g->input, 1e-5F, 0.9F, &v, NULL));
    engine_norm n;
    MUST(engine_norm_open(g, &g->nodes[0], &n, NULL));
    float x[COUNT];
    double sums[2];
    for (int i = 0; i < COUNT; i++)
        x[i] = 1024.0F + (i % 2 == 0 ? 1.0F : -1.0F);
    float *params = floats(g->flat_count);
    engine_norm_sums(&n, COUNT, x, sums);
    engine_norm_by_batch(&n, params, sums, COUNT, params);
    assert_true(params[g->parameters[g->nodes[0].normalization.mean].offset] == 1024.0F);
    assert_true(params[g->parameters[g->nodes[0].normalization.variance].offset] == 1.0F);
    engine_norm_close(&n);
    base_free(params);
    graph_free(g);
}

/* ---- the kernels ---- */

enum { PLANE_MAX = 33, BLOCK_MAX = 16 };

static void draw(float *x, size_t count, uint64_t key) {
    base_random random = base_random_at(key, 0, 0);
    for (size_t i = 0; i < count; i++)
        x[i] = base_random_normal(&random);
}

static void expect_near(double value, double expected) {
    assert_true(fabs(value - expected) <= 1e-5 * (1.0 + fabs(expected)));
}

/* Against the same in double precision, channel by channel; no y is so near 0 that rounding could
 * turn its sign. */
static void check_kernels(const lanes_kernels *k, size_t plane, size_t block, bool rectified) {
    float x[PLANE_MAX * BLOCK_MAX], dy[PLANE_MAX * BLOCK_MAX];
    float y[PLANE_MAX * BLOCK_MAX], dx[PLANE_MAX * BLOCK_MAX];
    float of[5][BLOCK_MAX];
    double own[2][BLOCK_MAX], back[2][BLOCK_MAX];
    draw(x, plane * block, 1);
    draw(dy, plane * block, 2);
    draw(of[0], 5 * BLOCK_MAX, 3);
    const lanes_norm n = {plane, block, rectified, of[0], of[1], of[2], of[3], of[4]};
    k->norm_sums(&n, x, own[0], own[1]);
    k->norm_forward(&n, x, NULL, y);
    k->norm_backward_sums(&n, x, dy, back[0], back[1]);
    k->norm_backward(&n, x, dy, dx);
    for (size_t c = 0; c < block; c++) {
        double sums[4] = {0.0};
        for (size_t i = c; i < plane * block; i += block) {
            const double at = (double)x[i];
            const double out = (at - (double)of[0][c]) * (double)of[1][c] + (double)of[2][c];
            const double passed = rectified && out <= 0.0 ? 0.0 : (double)dy[i];
            assert_true(fabs(out) > 1e-6);
            expect_near((double)y[i], rectified && out < 0.0 ? 0.0 : out);
            expect_near((double)dx[i], (double)of[1][c] * passed - (double)of[3][c] -
                                           (at - (double)of[0][c]) * (double)of[4][c]);
            sums[0] += at;
            sums[1] += at * at;
            sums[2] += passed;
            sums[3] += passed * at;
        }
        expect_near(own[0][c], sums[0]);
        expect_near(own[1][c], sums[1]);
        expect_near(back[0][c], sums[2]);
        expect_near(back[1][c], sums[3]);
    }
    k->norm_backward(&n, x, dy, dy); /* in place */
    assert_memory_equal(dy, dx, plane * block * sizeof *dx);
}

static void kernels_normalize_blocks(void **state) {
    (void)state;
    static const size_t planes[] = {1, 15, 16, 33};
    for (size_t lanes = 4; lanes <= 16; lanes *= 2) {
        const lanes_kernels *k = lanes_kernels_get(lanes);
        for (size_t p = 0; k != NULL && p < 4; p++)
            for (size_t block = 8; block <= BLOCK_MAX; block += 8)
                for (int rectified = 0; rectified < 2; rectified++)
                    check_kernels(k, planes[p], block, rectified == 1);
    }
}

/* Of images in lanes: a channel of PLANE vectors, of which the last lanes are of no image. */
static void check_lane_kernels(const lanes_kernels *k, size_t samples, bool rectified, bool adds) {
    enum { PLANE = 7 };
    _Alignas(64) float x[PLANE * BLOCK_MAX], dy[PLANE * BLOCK_MAX], z[PLANE * BLOCK_MAX];
    _Alignas(64) float y[PLANE * BLOCK_MAX], dx[PLANE * BLOCK_MAX];
    const size_t count = PLANE * k->lanes;
    float of[5];
    draw(x, count, 4);
    draw(dy, count, 5);
    draw(z, count, 6);
    draw(of, 5, 7);
    const lanes_norm n = {.rectified = rectified,
                          .center = &of[0],
                          .factor = &of[1],
                          .shift = &of[2],
                          .lift = &of[3],
                          .slope = &of[4]};
    double sums[6] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}; /* they are added to */
    double expected[6] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
    k->norm_lane_sums(PLANE, samples, x, &sums[0], &sums[1]);
    k->norm_lane_backward_sums(&n, PLANE, samples, x, dy, &sums[2], &sums[3]);
    k->norm_lane_forward(&n, PLANE, x, adds ? z : NULL, y);
    const lanes_unrectify u = {.dy = dy, .z = adds ? z : NULL, .x = x, .y = y, .dx = dx};
    k->norm_lane_unrectify(&u, PLANE, samples, &sums[4], &sums[5]);
    for (size_t i = 0; i < count; i++) {
        const double at = (double)x[i];
        const double alone = (at - (double)of[0]) * (double)of[1] + (double)of[2];
        const double out = adds ? alone + (double)z[i] : alone;
        const double passed = rectified && alone <= 0.0 ? 0.0 : (double)dy[i];
        const double both = adds ? (double)dy[i] + (double)z[i] : (double)dy[i];
        const double back = y[i] > 0.0F ? both : 0.0;
        const double counts = i % k->lanes < samples ? 1.0 : 0.0;
        assert_true(fabs(out) > 1e-6 && fabs(alone) > 1e-6);
        expect_near((double)y[i], rectified && out < 0.0 ? 0.0 : out);
        expect_near((double)dx[i], back);
        const double terms[6] = {at, at * at, passed, passed * at, back, back * at};
        for (int s = 0; s < 6; s++)
            expected[s] += counts * terms[s];
    }
    for (int s = 0; s < 6; s++)
        expect_near(sums[s], expected[s]);
}

static void kernels_normalize_lanes(void **state) {
    (void)state;
    for (size_t lanes = 4; lanes <= 16; lanes *= 2) {
        const lanes_kernels *k = lanes_kernels_get(lanes);
        for (size_t samples = 1; k != NULL && samples <= lanes; samples++)
            for (int kind = 0; kind < 4; kind++)
                check_lane_kernels(k, samples, kind % 2 == 1, kind / 2 == 1);
    }
}

/* ---- dropout ---- */

static graph *dropout_make(float ratio, uint32_t elements) {
    graph *g;
    uint32_t v;
    MUST(graph_create("dropout", graph_shape_image(elements, 1, 1), &g, NULL));
    MUST(graph_add_dropout(g, "a", g->input, ratio, &v, NULL));
    MUST(graph_add_dropout(g, "b", v, ratio, &v, NULL));
    return g;
}

static void expect_rate(float ratio) {
    enum { COUNT = 100000 };
    graph *g = dropout_make(ratio, COUNT);
    const engine_batch batch = {.seed = 1, .step = 2};
    float *x = floats(COUNT);
    size_t dropped = 0;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 3.0F;
    engine_dropout_apply(g, 0, &batch, 0, COUNT, x);
    for (size_t i = 0; i < COUNT; i++) {
        dropped += x[i] == 0.0F;
        assert_true(x[i] == 0.0F || fabsf(x[i] - 3.0F / (1.0F - ratio)) < 1e-5F);
    }
    /* Five deviations of a binomial distribution. */
    double expected = (double)ratio * COUNT;
    assert_true(fabs((double)dropped - expected) <= 5.0 * sqrt(expected * (1.0 - (double)ratio)));
    base_free(x);
    graph_free(g);
}

static void the_rate_is_the_ratio(void **state) {
    (void)state;
    expect_rate(0.0F);
    expect_rate(0.2F);
    expect_rate(0.5F);
    expect_rate(0.9F);
}

/* Which elements of eight samples stay, of ones. */
static void mask_of(const graph *g, uint32_t node, uint64_t seed, uint64_t step, size_t sample,
                    float *mask) {
    const engine_batch batch = {.seed = seed, .step = step};
    for (size_t i = 0; i < 64; i++)
        mask[i] = 1.0F;
    engine_dropout_apply(g, node, &batch, sample, 64, mask);
}

static void names_tell_masks_apart(void **state) {
    (void)state;
    graph *g = dropout_make(0.5F, 64);
    const struct {
        uint32_t node;
        uint64_t seed, step;
        size_t sample;
    } names[] = {{0, 1, 1, 1}, {1, 1, 1, 1}, {0, 2, 1, 1}, {0, 1, 2, 1}, {0, 1, 1, 2}};
    float masks[5][64];
    for (size_t i = 0; i < 5; i++) {
        float again[64];
        mask_of(g, names[i].node, names[i].seed, names[i].step, names[i].sample, masks[i]);
        mask_of(g, names[i].node, names[i].seed, names[i].step, names[i].sample, again);
        assert_memory_equal(masks[i], again, sizeof again);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(masks[i], masks[k], sizeof again);
    }
    graph_free(g);
}

static void nothing_is_dropped_outside_training(void **state) {
    (void)state;
    graph *g = dropout_make(0.5F, 9);
    samples s = samples_make(g, SAMPLES);
    for (size_t i = 0; i < s.count * s.elements; i++)
        s.pixels[i] = (float)i;
    float *y = floats(s.count * s.elements);
    base_pool *pool = pool_make(2);
    for (size_t b = 0; b < 2; b++) {
        for (int training = 0; training < 2; training++) {
            const engine_settings settings = {
                .backend = with_norm[b], .max_batch = SAMPLES, .training = training != 0};
            engine *e = engine_make_with(&settings, g, pool);
            assert_non_null(e);
            engine_batch batch = batch_of(&s, SAMPLES);
            MUST(engine_forward(e, s.pixels, &batch, y, NULL));
            assert_memory_equal(y, s.pixels, s.count * s.elements * sizeof *y);
            engine_destroy(e);
        }
    }
    base_pool_destroy(pool);
    base_free(y);
    samples_free(&s);
    graph_free(g);
}

/* The lanes back end has neither; auto passes on to one that has. */
static void lanes_passes_on(void **state) {
    (void)state;
    graph *g = dropout_make(0.5F, 4);
    base_pool *pool = pool_make(1);
    engine_settings settings = {.backend = ENGINE_LANES, .max_batch = 2};
    engine *e;
    admmnn_error err = {0};
    assert_int_equal(engine_create(g, &settings, pool, &e, &err), ADMMNN_UNSUPPORTED);
    assert_string_equal(err.message,
                        "node a: the lanes back end has no dropout; use the dnnl back end");
    settings.backend = ENGINE_AUTO;
    MUST(engine_create(g, &settings, pool, &e, NULL));
    assert_string_equal(engine_backend_name(e), "dnnl");
    assert_false(engine_gains_by_support(e));
    engine_destroy(e);
    base_pool_destroy(pool);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_statistics_normalize),
        cmocka_unit_test(far_means_leave_the_variance),
        cmocka_unit_test(kernels_normalize_blocks),
        cmocka_unit_test(kernels_normalize_lanes),
        cmocka_unit_test(the_rate_is_the_ratio),
        cmocka_unit_test(names_tell_masks_apart),
        cmocka_unit_test(nothing_is_dropped_outside_training),
        cmocka_unit_test(lanes_passes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
