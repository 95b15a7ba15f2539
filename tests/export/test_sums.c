/* Sums of many numbers in the C code, which has no double: within a few of float's last places of
 * what they are in double. */
#include "support.h"

#define SIDE 224U
#define COUNT (SIDE * SIDE)
#define CLOSE 2e-6

static batch all;

static graph *plane(void) {
    graph *g;
    MUST(graph_create("one", graph_shape_image(1, SIDE, SIDE), &g, err));
    return g;
}

/* x[COUNT] alternates between a and b. The outputs belong to the caller. */
static float *run(graph *g, float a, float b) {
    float *x = base_array(COUNT, sizeof *x);
    float *y = base_array(graph_value_count(g, g->output), sizeof *y);
    assert_non_null(x);
    assert_non_null(y);
    for (uint32_t i = 0; i < COUNT; i++)
        x[i] = i % 2 == 0 ? a : b;
    (void)batch_add(&all, random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 1));
    void *library = batch_library(&all);
    assert_int_equal(find_predict(library, 0)(x, y), 0);
    dlclose(library);
    base_free(x);
    return y;
}

static void expect_close(float got, double wanted) {
    if (!(fabs((double)got - wanted) <= CLOSE * fabs(wanted)))
        fail_msg("%.9g, wanted %.9g", (double)got, wanted);
}

static void a_mean_of_a_large_plane(void **state) {
    graph *g = plane();
    uint32_t v;
    (void)state;
    batch_open(&all);
    MUST(
        graph_add_reduce(g, "mean", g->input, (graph_reduce){GRAPH_REDUCE_MEAN, 7, true}, &v, err));
    float *y = run(g, 0.1F, 0.1F);
    expect_close(y[0], (double)0.1F);
    base_free(y);
    batch_close(&all);
}

static void an_average_pooling_of_a_large_plane(void **state) {
    graph *g = plane();
    uint32_t v;
    (void)state;
    batch_open(&all);
    MUST(graph_add_average_pool(g, "pool", g->input, graph_pool_of(graph_window_of(SIDE, 1, 0)), &v,
                                err));
    float *y = run(g, 0.1F, 0.3F);
    expect_close(y[0], ((double)0.1F + (double)0.3F) / 2);
    base_free(y);
    batch_close(&all);
}

/* Large and small windows with padding, strides and gaps, one of them behind a convolution. */
static void average_poolings_of_large_windows_in_every_geometry(void **state) {
    const graph_window windows[] = {{{9, 9}, {1, 1}, {4, 4}, {4, 4}, {1, 1}},
                                    {{9, 8}, {3, 2}, {8, 0}, {2, 7}, {2, 1}},
                                    {{3, 30}, {1, 1}, {0, 3}, {1, 29}, {1, 1}}};
    (void)state;
    batch_open(&all);
    for (size_t i = 0; i < 2 * sizeof windows / sizeof windows[0]; i++) {
        graph_pool pool = graph_pool_of(windows[i / 2]);
        graph *g;
        uint32_t v;
        pool.counts_padding = i % 2 == 1;
        MUST(graph_create("one", graph_shape_image(2, 33, 34), &g, err));
        MUST(graph_add_conv(g, "conv", g->input, 3, graph_conv_of(graph_window_of(3, 1, 1)), &v,
                            err));
        MUST(graph_add_average_pool(g, "large", v, pool, &v, err));
        MUST(graph_add_average_pool(g, "small", v, graph_pool_of(graph_window_of(2, 1, 1)), &v,
                                    err));
        (void)batch_add(&all, random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, i));
    }
    batch_close(&all);
}

/* Normalized, the numbers alternate between size and -size. each: an element has its own scale and
 * shift. */
static void expect_normalized(const pack_model *packed, const float *y, double size, bool each) {
    const graph *g = packed->g;
    const graph_normalization norm = g->nodes[0].normalization;
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    pack_model_values(packed, params);
    for (uint32_t i = 0; i < COUNT; i++) {
        const uint32_t k = each ? i : 0;
        const double scale = (double)params[g->parameters[norm.scale].offset + k];
        const double shift = (double)params[g->parameters[norm.shift].offset + k];
        const double wanted = scale * (i % 2 == 0 ? size : -size) + shift;
        if (!(fabs((double)y[i] - wanted) <= CLOSE * (scale + shift)))
            fail_msg("%u: %.9g, wanted %.9g", i, (double)y[i], wanted);
    }
    base_free(params);
}

/* The deviation is a thousandth of the mean: as much of the numbers' digits is its. */
static void a_normalization_of_large_numbers_near_one_another(void **state) {
    const double deviation = ((double)100.1F - (double)99.9F) / 2;
    const double size = deviation / sqrt(deviation * deviation + (double)1e-3F);
    (void)state;
    for (int each = 0; each < 2; each++) {
        graph *g = plane();
        uint32_t v;
        batch_open(&all);
        if (each == 1)
            MUST(graph_add_layer_normalization(g, "norm", g->input, 0, 1e-3F, &v, err));
        else
            MUST(graph_add_instance_normalization(g, "norm", g->input, 1e-3F, &v, err));
        float *y = run(g, 100.1F, 99.9F);
        expect_normalized(all.models[0], y, size, each == 1);
        base_free(y);
        batch_close(&all);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mean_of_a_large_plane),
        cmocka_unit_test(an_average_pooling_of_a_large_plane),
        cmocka_unit_test(average_poolings_of_large_windows_in_every_geometry),
        cmocka_unit_test(a_normalization_of_large_numbers_near_one_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
