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

/* ---- at full size ---- */

static graph *large_make(const char *name, uint32_t side, uint32_t classes) {
    graph *g;
    admmnn_error err = {0};
    if (graph_zoo_create(name, graph_shape_image(3, side, side), classes, &g, &err) != ADMMNN_OK)
        fail_msg("%s: %s", name, err.message);
    assert_int_equal(graph_value_count(g, g->output), classes);
    for (uint32_t n = 0; n < g->node_count; n++)
        assert_int_equal(graph_find_node(g, g->nodes[n].name), n); /* no name twice */
    return g;
}

/* Table 2 of Zhang et al. 2018: 34.8K, 307.2K, 884.7K, 663.5K, 442.4K, 37.7M, 16.8M, 4.1M;
 * 60.9M in all. */
static void alexnet_by_layer(void **state) {
    (void)state;
    const size_t weights[8] = {34848, 307200, 884736, 663552, 442368, 37748736, 16777216, 4096000};
    graph *g = large_make("alexnet", 227, 1000);
    expect_layers(g, weights, 8);
    assert_int_equal(graph_weight_count(g), 60954656);
    assert_int_equal(graph_trainable_count(g), 60965224);
    assert_int_equal(graph_macs(g), 724406816);
    assert_true(g->nodes[graph_find_node(g, "drop7")].ratio == 0.5F);
    graph_free(g);
}

/* Weights, biases, scales and shifts, and multiply-accumulates: of the papers, and to the last
 * digit of the implementations that publish them (torchvision's; Idelbayev's for CIFAR). */
static void published_counts(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t side, classes;
        size_t trainable;
        uint64_t macs;
    } networks[] = {{"vgg-16", 224, 1000, 138357544, 15470264320},
                    {"resnet-18", 224, 1000, 11689512, 1814073344},
                    {"resnet-50", 224, 1000, 25557032, 4089184256},
                    {"resnet-20", 32, 10, 269722, 40551040},
                    {"resnet-56", 32, 10, 853018, 125485696},
                    {"mobilenet-v1", 224, 1000, 4231976, 568740352},
                    {"mobilenet-v2", 224, 1000, 3504872, 300774272}};
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        graph *g = large_make(networks[i].name, networks[i].side, networks[i].classes);
        if (graph_trainable_count(g) != networks[i].trainable || graph_macs(g) != networks[i].macs)
            fail_msg("%s: %zu parameters, %llu multiply-accumulates", g->name,
                     graph_trainable_count(g), (unsigned long long)graph_macs(g));
        graph_free(g);
    }
}

/* Six convolutions, in front of the poolings at 32, 32, 16, 16, 8 and 8 pixels. */
static void vgg_small_by_layer(void **state) {
    (void)state;
    const size_t weights[7] = {3456, 147456, 294912, 589824, 1179648, 2359296, 81920};
    graph *g = large_make("vgg-small", 32, 10);
    expect_layers(g, weights, 7);
    assert_int_equal(graph_weight_count(g), 4656512);
    assert_int_equal(graph_macs(g), (3456 + 147456) * 1024 + (294912 + 589824) * 256 +
                                        (1179648 + 2359296) * 64 + 81920);
    graph_free(g);
}

/* 64 tokens of width 128: 12 width^2 weights a block, of which every token uses all, and two
 * products of tokens by tokens. */
static void transformer_by_formula(void **state) {
    (void)state;
    graph *g = large_make("transformer-small", 32, 10);
    const size_t width = 128;
    const size_t tokens = 64;
    const size_t weights = 6 * 12 * width * width + 48 * width + 10 * width;
    const size_t biases = 6 * (4 + 4 + 1) * width + width + 10;
    assert_int_equal(graph_weight_count(g), weights);
    assert_int_equal(graph_layer_count(g), 6 * 6 + 2);
    assert_int_equal(graph_trainable_count(g),
                     weights + biases + (6 * 2 + 1) * 2 * width + tokens * width);
    assert_int_equal(graph_macs(g), tokens * (6 * 12 * width * width + 48 * width) + 10 * width +
                                        6 * 2 * tokens * tokens * width);
    graph_free(g);
}

static void only_images_are_taken(void **state) {
    (void)state;
    graph *g;
    admmnn_error err = {0};
    assert_int_equal(graph_zoo_create("resnet-20", graph_shape_vector(784), 10, &g, &err),
                     ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "784"));
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

/* The mean square of drawn parameters, to five deviations. */
static void expect_variance(const float *x, size_t count, double variance, double kurtosis) {
    double square = 0.0;
    for (size_t i = 0; i < count; i++)
        square += (double)x[i] * (double)x[i] / (double)count;
    assert_true(fabs(square - variance) < 5.0 * variance * sqrt((kurtosis - 1) / (double)count));
}

/* Variance 2 / fan in (He et al. 2015, equation 10), a depthwise convolution's being its
 * kernel; scales one. */
static void rectified_networks_begin_as_he_s(void **state) {
    (void)state;
    graph *g = large_make("mobilenet-v1", 32, 10);
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    graph_initialise(g, 1, params);
    const graph_parameter *deep =
        &g->parameters[g->nodes[graph_find_node(g, "depthwise14")].weight];
    const graph_parameter *point =
        &g->parameters[g->nodes[graph_find_node(g, "pointwise14")].weight];
    expect_variance(params + deep->offset, deep->count, 2.0 / 9.0, 3.0);
    expect_variance(params + point->offset, point->count, 2.0 / 1024.0, 3.0);
    const graph_normalization *n = &g->nodes[graph_find_node(g, "conv1.bn")].normalization;
    assert_true(params[g->parameters[n->scale].offset] == 1.0F);
    base_free(params);
    graph_free(g);
}

/* By groups, a pixel of an input channel reaches the filters of its group alone. */
static void groups_count_in_fans(void **state) {
    (void)state;
    graph *g = graph_make(graph_shape_image(8, 9, 9));
    const graph_conv conv = {graph_window_of(5, 1, 0), 4, false, {0, 0}};
    uint32_t v;
    assert_int_equal(graph_add_conv(g, "c", g->input, 64, conv, &v, NULL), ADMMNN_OK);
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    graph_initialise(g, 1, params);
    expect_variance(params, g->parameters[0].count, 2.0 / (2 * 25 + 16 * 25), 1.8);
    base_free(params);
    graph_free(g);
}

/* Matrices of inputs by outputs: both fans; places of tokens small. */
static void transformers_begin_as_glorot_s(void **state) {
    (void)state;
    graph *g = large_make("transformer-small", 32, 10);
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    graph_initialise(g, 1, params);
    const graph_parameter *hidden =
        &g->parameters[g->nodes[graph_find_node(g, "block2.hidden")].weight];
    const graph_parameter *patches = &g->parameters[g->nodes[0].weight];
    expect_variance(params + hidden->offset, hidden->count, 2.0 / (128.0 + 512.0), 1.8);
    expect_variance(params + patches->offset, patches->count, 2.0 / (48.0 + 128.0 * 16.0), 1.8);
    uint32_t places = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        if (g->parameters[p].kind != GRAPH_TENSOR)
            continue;
        expect_variance(params + g->parameters[p].offset, g->parameters[p].count, 4e-4, 3.0);
        places++;
    }
    assert_int_equal(places, 1);
    base_free(params);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_the_papers),
        cmocka_unit_test(normalized_networks),
        cmocka_unit_test(alexnet_by_layer),
        cmocka_unit_test(published_counts),
        cmocka_unit_test(vgg_small_by_layer),
        cmocka_unit_test(transformer_by_formula),
        cmocka_unit_test(only_images_are_taken),
        cmocka_unit_test(unknown_networks_are_refused),
        cmocka_unit_test(first_parameters_are_glorot_s),
        cmocka_unit_test(rectified_networks_begin_as_he_s),
        cmocka_unit_test(groups_count_in_fans),
        cmocka_unit_test(transformers_begin_as_glorot_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
