/* Layers by themselves, sparse and dense, and the share at which they take the same time. */
#include <string.h>

#include "hardware/break_even.h"
#include "must.h"

/* ---- the share ---- */

static void the_share_lies_where_the_ratio_is_one(void **state) {
    (void)state;
    /* ratio = 0.5 / kept: on the line that is taken between two shares */
    const double kept[] = {0.1, 0.2, 0.4, 0.8};
    const double ratios[] = {5.0, 2.5, 1.25, 0.625};
    assert_float_equal(break_even_find(kept, ratios, 4), 0.5, 1e-12);
    assert_float_equal(break_even_find(kept, ratios, 3), 1.0, 0.0);
    const double slow[] = {0.9, 0.8, 0.7, 0.6};
    assert_float_equal(break_even_find(kept, slow, 4), 0.0, 0.0);
}

/* ---- layers ---- */

static graph *one_conv(graph_shape input, graph_conv conv, uint32_t filters) {
    graph *g;
    uint32_t v;
    MUST(graph_create("one", input, &g, err));
    MUST(graph_add_conv(g, "conv1", g->input, filters, conv, &v, err));
    return g;
}

/* At several shares and by every way to keep weights. g becomes the test's. */
static void expect_equal(graph *g) {
    const double shares[] = {0.0, 0.3, 1.0};
    single *s;
    MUST(single_create(g, 0, 1, &s, err));
    for (int weights = ADMMNN_RUNTIME_FASTEST; weights <= ADMMNN_RUNTIME_DENSE; weights++)
        for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
            double apart;
            MUST(single_draw(s, SINGLE_UNSTRUCTURED, shares[i], (admmnn_runtime_weights)weights,
                             err));
            MUST(single_compare(s, &apart, err));
            assert_true(apart <= 1e-5);
            MUST(single_compare(s, &apart, err)); /* again, of the same weights */
            assert_true(apart <= 1e-5);
            assert_true(shares[i] < 1.0 || s->kept == single_weights(s));
            assert_true(shares[i] > 0.0 || s->kept == 0);
        }
    single_free(s);
    graph_free(g);
}

static void both_ways_give_the_same_outputs(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
    expect_equal(one_conv(graph_shape_image(16, 13, 13), conv, 24));
    conv.groups = 2;
    expect_equal(one_conv(graph_shape_image(16, 9, 20), conv, 6));
    conv.window = graph_window_of(3, 2, 1);
    expect_equal(one_conv(graph_shape_image(4, 15, 12), conv, 10));
    MUST(graph_create("one", graph_shape_image(3, 4, 5), &g, err));
    MUST(graph_add_inner_product(g, "fc1", g->input, 17, true, &v, err));
    expect_equal(g);
}

/* Whether a row's weight in that column is there. */
static bool is_kept(const single *s, size_t row, size_t column) {
    return s->params[row * s->g->parameters[0].columns + column] != 0.0F;
}

static void draw(single *s, single_structure structure) {
    double apart;
    MUST(single_draw(s, structure, 0.5, ADMMNN_RUNTIME_LISTS, err));
    MUST(single_compare(s, &apart, err));
    assert_true(apart <= 1e-5);
    assert_true(s->kept > 0 && s->kept < single_weights(s));
}

static void weights_are_drawn_by_structure(void **state) {
    (void)state;
    graph *g = one_conv(graph_shape_image(8, 6, 7), graph_conv_of(graph_window_of(3, 1, 1)), 10);
    single *s;
    MUST(single_create(g, 0, 1, &s, err));
    draw(s, SINGLE_BLOCKS);
    bool differs = false;
    for (size_t column = 0; column < 72; column++)
        for (size_t row = 0; row < 10; row++) {
            assert_int_equal(is_kept(s, row, column), is_kept(s, row - row % 4, column));
            differs |= is_kept(s, row, column) != is_kept(s, 0, column);
        }
    assert_true(differs);
    draw(s, SINGLE_COLUMNS);
    for (size_t column = 0; column < 72; column++)
        for (size_t row = 0; row < 10; row++)
            assert_int_equal(is_kept(s, row, column), is_kept(s, 0, column));
    draw(s, SINGLE_N_OF_M);
    for (size_t row = 0; row < 10; row++)
        for (size_t column = 0; column < 72; column += 4)
            assert_int_equal(is_kept(s, row, column) + is_kept(s, row, column + 1) +
                                 is_kept(s, row, column + 2) + is_kept(s, row, column + 3),
                             2);
    single_free(s);
    graph_free(g);
}

static void counts_are_of_the_dense_layer(void **state) {
    (void)state;
    graph *g = one_conv(graph_shape_image(4, 6, 5), graph_conv_of(graph_window_of(3, 1, 1)), 7);
    single *s;
    MUST(single_create(g, 0, 1, &s, err));
    assert_int_equal(single_weights(s), 4 * 9 * 7);
    assert_int_equal(single_operations(s), 4 * 9 * 7 * 30);
    single_free(s);
    graph_free(g);
}

static void times_are_of_runs(void **state) {
    (void)state;
    graph *g = one_conv(graph_shape_image(8, 20, 20), graph_conv_of(graph_window_of(3, 1, 1)), 8);
    single *s;
    single_times times;
    MUST(single_create(g, 0, 1, &s, err));
    MUST(single_draw(s, SINGLE_UNSTRUCTURED, 0.5, ADMMNN_RUNTIME_FASTEST, err));
    MUST(single_time(s, 1e-6, &times, err));
    assert_int_equal(times.rounds, 5);
    for (int way = 0; way < SINGLE_WAYS; way++)
        assert_true(times.least[way] > 0.0 && times.least[way] <= times.median[way]);
    single_free(s);
    graph_free(g);
}

static void other_layers_are_refused(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    single *s;
    admmnn_error err;
    MUST(graph_create("one", graph_shape_image(2, 5, 5), &g, err));
    MUST(graph_add_transposed_conv(g, "up1", g->input, 3, graph_conv_of(graph_window_of(3, 1, 1)),
                                   &v, err));
    assert_int_equal(single_create(g, 0, 1, &s, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "up1"));
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_lies_where_the_ratio_is_one),
        cmocka_unit_test(both_ways_give_the_same_outputs),
        cmocka_unit_test(weights_are_drawn_by_structure),
        cmocka_unit_test(counts_are_of_the_dense_layer),
        cmocka_unit_test(times_are_of_runs),
        cmocka_unit_test(other_layers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
