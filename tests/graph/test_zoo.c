/* The zoo's networks and their first parameters. */
#include "support.h"

#include "graph/zoo.h"

static graph *zoo_make(const char *name) {
    graph *g;
    assert_true(graph_zoo_has(name));
    assert_int_equal(graph_zoo_create(name, graph_shape_image(1, 28, 28), 10, &g, NULL), ADMMNN_OK);
    assert_string_equal(g->name, name);
    return g;
}

static void expect_layers(const graph *g, const size_t *weights, uint32_t count) {
    assert_int_equal(graph_layer_count(g), count);
    for (uint32_t l = 0; l < count; l++)
        assert_int_equal(g->parameters[g->nodes[graph_layer(g, l)].weight].count, weights[l]);
}

/* Weights by layer: table 2 of Zhang et al. 2018 (LeNet-5) and of Han et al. 2015. */
static void weights_are_the_papers(void **state) {
    (void)state;
    graph *five = zoo_make("lenet-5");
    const size_t five_weights[4] = {500, 25000, 400000, 5000};
    assert_int_equal(graph_weight_count(five), 430500);
    assert_int_equal(graph_trainable_count(five), 430500 + 20 + 50 + 500 + 10);
    expect_layers(five, five_weights, 4);
    assert_int_equal(graph_macs(five), 500 * 576 + 25000 * 64 + 400000 + 5000);
    graph_free(five);
    graph *three = zoo_make("lenet-300-100");
    const size_t three_weights[3] = {235200, 30000, 1000};
    assert_int_equal(graph_weight_count(three), 266200);
    expect_layers(three, three_weights, 3);
    graph_free(three);
}

/* Table 1 of Huang et al. 2020 has the widest; Caffe's LeNet with 4 numbers a channel. */
static void normalized_networks(void **state) {
    (void)state;
    graph *five = zoo_make("lenet-5-bn");
    const size_t five_weights[4] = {500, 25000, 400000, 5000};
    expect_layers(five, five_weights, 4);
    assert_int_equal(graph_trainable_count(five), 430500 + 3 * (20 + 50 + 500 + 10));
    graph_free(five);
    graph *mlp = zoo_make("mlp-bn-4096");
    const size_t mlp_weights[4] = {784 * 4096, 4096 * 4096, 4096 * 4096, 40960};
    expect_layers(mlp, mlp_weights, 4);
    assert_int_equal(graph_weight_count(mlp), 36806656);
    assert_int_equal(graph_trainable_count(mlp), 36806656 + 3 * (3 * 4096 + 10));
    assert_int_equal(mlp->nodes[mlp->node_count - 1].op, GRAPH_BATCH_NORMALIZATION);
    assert_true(mlp->nodes[graph_find_node(mlp, "dropout1")].ratio == 0.2F);
    assert_true(mlp->nodes[graph_find_node(mlp, "dropout4")].ratio == 0.5F);
    graph_free(mlp);
    graph *narrow = zoo_make("mlp-bn-1");
    float *params = base_array(narrow->flat_count, sizeof *params);
    graph_initialise(narrow, 1, params);
    const graph_normalization *n = &narrow->nodes[narrow->node_count - 1].normalization;
    for (size_t c = 0; c < 10; c++) {
        assert_true(params[narrow->parameters[n->scale].offset + c] == 1.0F);
        assert_true(params[narrow->parameters[n->shift].offset + c] == 0.0F);
        assert_true(params[narrow->parameters[n->mean].offset + c] == 0.0F);
        assert_true(params[narrow->parameters[n->variance].offset + c] == 1.0F);
    }
    base_free(params);
    graph_free(narrow);
}

static void unknown_networks_are_refused(void **state) {
    (void)state;
    graph *g;
    static const char *const widths[] = {"mlp-bn-",    "mlp-bn-0",    "mlp-bn-064",  "mlp-bn-WIDTH",
                                         "mlp-bn-64 ", "mlp-bn--64",  "mlp-bn-7501", "mlp-bn-65536",
                                         "mlp-bn",     "mlp-bn-64.0", "lenet-5-bn-1"};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        assert_false(graph_zoo_has(widths[i]));
    assert_true(graph_zoo_has("mlp-bn-7500"));
    admmnn_error err = {0};
    assert_false(graph_zoo_has("lenet"));
    assert_int_equal(graph_zoo_create("lenet", graph_shape_image(1, 28, 28), 10, &g, &err),
                     ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "lenet-300-100"));
    /* An input too small for two convolutions and poolings. */
    assert_int_equal(graph_zoo_create("lenet-5", graph_shape_image(1, 9, 9), 10, &g, &err),
                     ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "lenet-5 on images of 9x9: node conv2: window 5x5"));
    assert_int_equal(graph_zoo_create("lenet-5", graph_shape_image(1, 28, 28), 0, &g, &err),
                     ADMMNN_INPUT);
}

static void first_parameters_are_glorot_s(void **state) {
    (void)state;
    graph *g = zoo_make("lenet-5");
    float *a = base_array(g->flat_count, sizeof *a);
    float *b = base_array(g->flat_count, sizeof *b);
    memset(a, 0xff, g->flat_count * sizeof *a);
    graph_initialise(g, 1, a);
    /* sqrt(6 / (fan in + fan out)), fans over the kernel's positions. */
    const double fans[4] = {25 + 20 * 25, 500 + 50 * 25, 800 + 500, 500 + 10};
    for (uint32_t l = 0; l < 4; l++) {
        const graph_node *node = &g->nodes[graph_layer(g, l)];
        const graph_parameter *weight = &g->parameters[node->weight];
        const graph_parameter *bias = &g->parameters[node->bias];
        double limit = sqrt(6.0 / fans[l]);
        double square = 0.0;
        for (size_t i = 0; i < weight->count; i++) {
            double w = (double)a[weight->offset + i];
            assert_true(fabs(w) <= limit * (1.0 + 1e-6));
            square += w * w / (double)weight->count;
        }
        /* The variance of a uniform distribution, to five deviations. */
        double expected = limit * limit / 3.0;
        assert_true(fabs(square - expected) < 5.0 * expected * sqrt(0.8 / (double)weight->count));
        for (size_t i = 0; i < bias->count; i++)
            assert_true(a[bias->offset + i] == 0.0F);
    }
    graph_initialise(g, 1, b);
    assert_memory_equal(a, b, g->flat_count * sizeof *a);
    graph_initialise(g, 2, b);
    assert_memory_not_equal(a, b, g->flat_count * sizeof *a);
    base_free(a);
    base_free(b);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_the_papers),
        cmocka_unit_test(normalized_networks),
        cmocka_unit_test(unknown_networks_are_refused),
        cmocka_unit_test(first_parameters_are_glorot_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
