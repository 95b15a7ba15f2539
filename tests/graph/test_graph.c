/* Building a graph: shapes, parameters, what is refused, copies. */
#include "support.h"

/* Windows of a size that fit, counted one by one. */
static uint32_t count_places(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t pad) {
    uint32_t count = 0;
    for (uint32_t at = 0; at + kernel <= in + 2 * pad; at += stride)
        count++;
    return count;
}

static void windows_give_the_places_that_fit(void **state) {
    (void)state;
    for (uint32_t kernel = 1; kernel <= 5; kernel++) {
        for (uint32_t stride = 1; stride <= 4; stride++) {
            for (uint32_t pad = 0; pad < kernel; pad++) {
                graph *g = graph_make(graph_shape_image(3, 7, 12));
                uint32_t v;
                assert_int_equal(graph_add_conv(g, "c", g->input, 4,
                                                graph_conv_of(graph_window_of(kernel, stride, pad)),
                                                &v, NULL),
                                 ADMMNN_OK);
                assert_int_equal(graph_shape_channels(g->values[v].shape), 4);
                assert_int_equal(graph_shape_height(g->values[v].shape),
                                 count_places(7, kernel, stride, pad));
                assert_int_equal(graph_shape_width(g->values[v].shape),
                                 count_places(12, kernel, stride, pad));
                assert_int_equal(graph_add_maxpool(
                                     g, "p", g->input,
                                     graph_pool_of(graph_window_of(kernel, stride, pad)), &v, NULL),
                                 ADMMNN_OK);
                assert_int_equal(graph_shape_channels(g->values[v].shape), 3);
                assert_int_equal(graph_shape_height(g->values[v].shape),
                                 count_places(7, kernel, stride, pad));
                graph_free(g);
            }
        }
    }
}

static void axes_are_apart(void **state) {
    (void)state;
    graph *g = graph_make(graph_shape_image(1, 10, 20));
    const graph_window window = {{3, 5}, {1, 2}, {0, 2}, {0, 2}, {1, 1}};
    uint32_t v;
    assert_int_equal(graph_add_conv(g, "c", g->input, 2, graph_conv_of(window), &v, NULL),
                     ADMMNN_OK);
    assert_int_equal(graph_shape_height(g->values[v].shape), 8);
    assert_int_equal(graph_shape_width(g->values[v].shape), 10);
    assert_int_equal(g->parameters[0].columns, 15);
    graph_free(g);
}

static graph *small_make(void) {
    graph *g = graph_make(graph_shape_image(2, 6, 6));
    uint32_t v = g->input;
    assert_int_equal(
        graph_add_conv(g, "conv", v, 3, graph_conv_of(graph_window_of(3, 1, 0)), &v, NULL),
        ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "relu", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(
        graph_add_maxpool(g, "pool", v, graph_pool_of(graph_window_of(2, 2, 0)), &v, NULL),
        ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "fc", v, 5, true, &v, NULL), ADMMNN_OK);
    return g;
}

static void parameters_lie_apart_and_aligned(void **state) {
    (void)state;
    graph *g = small_make();
    const size_t counts[4] = {3 * 2 * 9, 3, 5 * 3 * 2 * 2, 5};
    assert_int_equal(g->parameter_count, 4);
    size_t end = 0;
    for (uint32_t p = 0; p < 4; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        assert_int_equal(parameter->count, counts[p]);
        assert_int_equal((size_t)parameter->rows * parameter->columns, counts[p]);
        assert_int_equal(parameter->kind, p % 2 == 0 ? GRAPH_WEIGHT : GRAPH_BIAS);
        assert_int_equal(parameter->offset % GRAPH_PARAMETER_ALIGNMENT, 0);
        assert_true(parameter->offset >= end);
        end = parameter->offset + parameter->count;
    }
    assert_true(g->flat_count >= end);
    assert_int_equal(graph_weight_count(g), counts[0] + counts[2]);
    assert_int_equal(graph_trainable_count(g), counts[0] + counts[1] + counts[2] + counts[3]);
    /* 16 positions of 54 weights, 60 weights once. */
    assert_int_equal(graph_macs(g), 16 * 54 + 60);
    graph_free(g);
}

static void parameters_have_names(void **state) {
    (void)state;
    graph *g = small_make();
    char name[GRAPH_PARAMETER_NAME_MAX];
    graph_parameter_name(g, g->nodes[3].weight, name);
    assert_string_equal(name, "fc.weight");
    graph_parameter_name(g, g->nodes[3].bias, name);
    assert_string_equal(name, "fc.bias");
    /* The longest name of a node leaves room for either. */
    memset(g->nodes[3].name, 'n', GRAPH_NAME_MAX - 1);
    graph_parameter_name(g, g->nodes[3].weight, name);
    assert_int_equal(strlen(name), GRAPH_NAME_MAX - 1 + strlen(".weight"));
    graph_free(g);
}

static void nodes_are_found(void **state) {
    (void)state;
    graph *g = small_make();
    assert_int_equal(graph_find_node(g, "relu"), 1);
    assert_int_equal(graph_find_node(g, "fc"), 3);
    assert_int_equal(graph_find_node(g, "fc1"), GRAPH_NONE);
    assert_int_equal(graph_layer_count(g), 2);
    assert_int_equal(graph_layer(g, 0), 0);
    assert_int_equal(graph_layer(g, 1), 3);
    assert_int_equal(graph_layer(g, 2), GRAPH_NONE);
    assert_string_equal(graph_op_name(GRAPH_INNER_PRODUCT), "inner-product");
    assert_string_equal(graph_op_name(GRAPH_OP_COUNT), "unknown");
    assert_int_equal(g->values[g->output].producer, 3);
    graph_free(g);
}

static void normalizations_have_four_parameters(void **state) {
    (void)state;
    graph *g = small_make();
    const size_t flat = g->flat_count;
    const size_t trainable = graph_trainable_count(g);
    uint32_t v;
    assert_int_equal(graph_add_batch_normalization(g, "bn", 1, 1e-3F, 0.5F, &v, NULL), ADMMNN_OK);
    static const char *const names[4] = {"bn.scale", "bn.shift", "bn.mean", "bn.variance"};
    const graph_normalization *n = &g->nodes[4].normalization;
    const uint32_t parameters[4] = {n->scale, n->shift, n->mean, n->variance};
    for (uint32_t i = 0; i < 4; i++) {
        char name[GRAPH_PARAMETER_NAME_MAX];
        assert_int_equal(parameters[i], 4 + i);
        assert_int_equal(g->parameters[4 + i].count, 3); /* a channel each */
        assert_int_equal(g->parameters[4 + i].node, 4);
        assert_int_equal(graph_parameter_is_trained(&g->parameters[4 + i]), i < 2);
        graph_parameter_name(g, parameters[i], name);
        assert_string_equal(name, names[i]);
    }
    assert_true(n->epsilon == 1e-3F && n->momentum == 0.5F);
    assert_memory_equal(&g->values[v].shape, &g->values[1].shape, sizeof g->values[v].shape);
    assert_int_equal(g->flat_count, flat + 4 * 16);
    assert_int_equal(graph_trainable_count(g), trainable + 6);
    assert_int_equal(graph_layer_count(g), 2);
    graph_free(g);
}

static void settings_out_of_range_are_refused(void **state) {
    (void)state;
    graph *g = small_make();
    const float bad_epsilon[] = {0.0F, -1.0F, INFINITY, NAN};
    const float bad_share[] = {-0.1F, 1.5F, NAN};
    const uint32_t nodes = g->node_count;
    const size_t flat = g->flat_count;
    uint32_t v;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(graph_add_batch_normalization(g, "bn", 0, bad_epsilon[i], 0.9F, &v, NULL),
                         ADMMNN_INPUT);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(graph_add_batch_normalization(g, "bn", 0, 1e-5F, bad_share[i], &v, NULL),
                         ADMMNN_INPUT);
        assert_int_equal(graph_add_dropout(g, "drop", 0, bad_share[i], &v, NULL), ADMMNN_INPUT);
    }
    assert_int_equal(graph_add_dropout(g, "drop", 0, 1.0F, &v, NULL), ADMMNN_INPUT);
    assert_true(g->node_count == nodes && g->flat_count == flat);
    assert_int_equal(graph_add_dropout(g, "drop", 0, 0.25F, &v, NULL), ADMMNN_OK);
    assert_true(g->nodes[nodes].ratio == 0.25F && g->flat_count == flat);
    graph_free(g);
}

static void expect_refused(graph *g, graph_window window, uint32_t filters) {
    const uint32_t values = g->value_count;
    const uint32_t nodes = g->node_count;
    const uint32_t parameters = g->parameter_count;
    const size_t flat = g->flat_count;
    const uint32_t output = g->output;
    uint32_t v = 77;
    admmnn_error err = {0};
    assert_int_equal(graph_add_conv(g, "bad", g->input, filters, graph_conv_of(window), &v, &err),
                     ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "bad"));
    assert_true(v == 77 && g->value_count == values && g->node_count == nodes);
    assert_true(g->parameter_count == parameters && g->flat_count == flat && g->output == output);
}

static void impossible_geometry_is_refused(void **state) {
    (void)state;
    graph *g = small_make();
    expect_refused(g, graph_window_of(7, 1, 0), 4);              /* larger than its input */
    expect_refused(g, graph_window_of(0, 1, 0), 4);              /* no kernel */
    expect_refused(g, graph_window_of(3, 0, 0), 4);              /* no stride */
    expect_refused(g, graph_window_of(3, 1, UINT32_MAX / 2), 4); /* 2 pad wraps */
    expect_refused(g, graph_window_of(UINT32_MAX, 1, 0), 4);
    expect_refused(g, graph_window_of(UINT32_MAX, 1, UINT32_MAX - 1), 4);
    expect_refused(g, graph_window_of(3, 1, 0), 0); /* no filters */
    expect_refused(g, graph_window_of(3, 1, 0), GRAPH_DIMENSION_MAX + 1);
    uint32_t v;
    assert_int_equal(graph_add_inner_product(g, "none", g->input, 0, true, &v, NULL), ADMMNN_INPUT);
    assert_int_equal(graph_add_relu(g, "far", 99, &v, NULL), ADMMNN_INPUT);
    assert_int_equal(graph_add_relu(g, "far", GRAPH_NONE, &v, NULL), ADMMNN_INPUT);
    assert_int_equal(graph_add_relu(g, "a name of thirty-two characters!", 0, &v, NULL),
                     ADMMNN_INPUT);
    assert_int_equal(graph_add_relu(g, "a name of thirty-one characters", 0, &v, NULL), ADMMNN_OK);
    graph_free(g);
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    graph *g;
    const graph_shape bad[] = {{3, {0, 1, 1}},
                               {3, {1, 0, 1}},
                               {3, {1, 1, 0}},
                               {3, {GRAPH_DIMENSION_MAX + 1, 1, 1}},
                               {3, {65536, 65536, 1}},
                               {3, {65536, 65536, 65536}},
                               {3, {UINT32_MAX, UINT32_MAX, UINT32_MAX}},
                               {0, {0}},
                               {GRAPH_RANK_MAX + 1, {1, 1, 1, 1, 1, 1, 1}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(graph_create("net", bad[i], &g, NULL), ADMMNN_INPUT);
    g = graph_make(graph_shape_image(1024, 1024, 1024));
    uint32_t v;
    admmnn_error err = {0};
    /* 2^30 inputs: two outputs are the most that fit in 2^31 weights, but their
     * biases are not among them. */
    assert_int_equal(graph_add_inner_product(g, "wide", g->input, 4, true, &v, &err), ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "wide"));
    assert_int_equal(graph_add_inner_product(g, "wide", g->input, 2, true, &v, &err), ADMMNN_INPUT);
    assert_int_equal(g->parameter_count, 0);
    assert_int_equal(g->flat_count, 0);
    assert_int_equal(graph_add_inner_product(g, "wide", g->input, 1, true, &v, &err), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "next", g->input, 1, true, &v, &err), ADMMNN_INPUT);
    /* Every product of a window's sides is checked too. */
    assert_int_equal(graph_add_conv(g, "conv", g->input, 1048576,
                                    graph_conv_of(graph_window_of(1024, 1, 0)), &v, &err),
                     ADMMNN_INPUT);
    graph_free(g);
}

static void clones_are_equal_and_apart(void **state) {
    (void)state;
    graph *g = small_make();
    graph *copy;
    assert_int_equal(graph_clone(g, &copy, NULL), ADMMNN_OK);
    assert_string_equal(copy->name, g->name);
    assert_int_equal(copy->flat_count, g->flat_count);
    assert_memory_equal(copy->values, g->values, g->value_count * sizeof *g->values);
    assert_memory_equal(copy->nodes, g->nodes, g->node_count * sizeof *g->nodes);
    assert_memory_equal(copy->parameters, g->parameters,
                        g->parameter_count * sizeof *g->parameters);
    uint32_t v;
    assert_int_equal(graph_add_relu(copy, "more", copy->output, &v, NULL), ADMMNN_OK);
    assert_int_equal(g->node_count + 1, copy->node_count);
    graph_free(g);
    assert_int_equal(graph_find_node(copy, "conv"), 0);
    graph_free(copy);
    graph_free(NULL);
}

/* As many as a graph holds, its arrays seldom copied; and on from a clone. */
static void many_nodes(void **state) {
    (void)state;
    graph *g = graph_make(graph_shape_image(1, 1, 1));
    uint32_t v = g->input;
    size_t copies = 0;
    for (uint32_t n = 0; n < GRAPH_NODES_MAX / 2; n++) {
        size_t before[3] = {g->value_capacity, g->node_capacity, g->parameter_capacity};
        assert_int_equal(graph_add_relu(g, "relu", v, &v, NULL), ADMMNN_OK);
        assert_int_equal(graph_add_inner_product(g, "fc", v, 1, true, &v, NULL), ADMMNN_OK);
        copies += before[0] != g->value_capacity;
        copies += before[1] != g->node_capacity;
        copies += before[2] != g->parameter_capacity;
        if (n % 10000 != 7)
            continue;
        graph *copy;
        assert_int_equal(graph_clone(g, &copy, NULL), ADMMNN_OK);
        graph_free(g);
        g = copy;
    }
    assert_true(copies < 80);
    assert_int_equal(graph_add_relu(g, "one more", v, &v, NULL), ADMMNN_INPUT);
    assert_int_equal(g->parameter_count, GRAPH_NODES_MAX);
    for (uint32_t n = 0; n < GRAPH_NODES_MAX; n++) {
        assert_int_equal(g->nodes[n].output, n + 1);
        assert_int_equal(g->nodes[n].bias, n % 2 == 0 ? GRAPH_NONE : n);
        assert_int_equal(g->parameters[n].node, n / 2 * 2 + 1);
        assert_int_equal(g->values[n + 1].producer, n);
    }
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_give_the_places_that_fit),
        cmocka_unit_test(axes_are_apart),
        cmocka_unit_test(parameters_lie_apart_and_aligned),
        cmocka_unit_test(parameters_have_names),
        cmocka_unit_test(nodes_are_found),
        cmocka_unit_test(normalizations_have_four_parameters),
        cmocka_unit_test(settings_out_of_range_are_refused),
        cmocka_unit_test(impossible_geometry_is_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(clones_are_equal_and_apart),
        cmocka_unit_test(many_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
