/* Who reads a layer's units, through what lies between. */
#include "support.h"

#include "graph/reader.h"
#include "graph/zoo.h"

static void readers_of_lenet(void **state) {
    (void)state;
    graph *g;
    assert_int_equal(graph_zoo_create("lenet-5", graph_shape_image(1, 28, 28), 10, &g, NULL),
                     ADMMNN_OK);
    graph_reader r = graph_reader_of(g, graph_find_node(g, "conv1"));
    assert_int_equal(r.node, graph_find_node(g, "conv2"));
    assert_int_equal(r.block, 25); /* one filter's kernel */
    assert_true(!r.normalized && !r.padded);
    r = graph_reader_of(g, graph_find_node(g, "conv2"));
    assert_int_equal(r.node, graph_find_node(g, "fc1"));
    assert_int_equal(r.block, 16); /* the 4 x 4 positions of one filter */
    r = graph_reader_of(g, graph_find_node(g, "fc1"));
    assert_int_equal(r.node, graph_find_node(g, "fc2"));
    assert_int_equal(r.block, 1);
    assert_int_equal(graph_reader_of(g, graph_find_node(g, "fc2")).node, GRAPH_NONE);
    graph_free(g);
}

static void padding_is_reported(void **state) {
    (void)state;
    for (uint32_t where = 0; where < 3; where++) {
        graph *g = graph_make(graph_shape_image(1, 12, 12));
        uint32_t v = g->input;
        uint32_t pool_pad = where == 1;
        uint32_t reader_pad = where == 2;
        assert_int_equal(
            graph_add_conv(g, "a", v, 2, graph_conv_of(graph_window_of(3, 1, 1)), &v, NULL),
            ADMMNN_OK);
        assert_int_equal(
            graph_add_maxpool(g, "p", v, graph_pool_of(graph_window_of(2, 2, pool_pad)), &v, NULL),
            ADMMNN_OK);
        assert_int_equal(graph_add_conv(g, "b", v, 2,
                                        graph_conv_of(graph_window_of(3, 1, reader_pad)), &v, NULL),
                         ADMMNN_OK);
        assert_int_equal(graph_add_inner_product(g, "c", v, 2, true, &v, NULL), ADMMNN_OK);
        /* The layer's own padding does not matter to its reader. */
        assert_int_equal(graph_reader_of(g, 0).padded, where > 0);
        graph_free(g);
    }
}

static void several_readers_are_none(void **state) {
    (void)state;
    graph *g = graph_make(graph_shape_image(4, 1, 1));
    uint32_t v;
    uint32_t w;
    assert_int_equal(graph_add_inner_product(g, "a", g->input, 3, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "r", v, &w, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "b", w, 3, true, &w, NULL), ADMMNN_OK);
    assert_int_equal(graph_reader_of(g, 0).node, 2);
    assert_int_equal(graph_add_inner_product(g, "c", v, 3, true, &w, NULL), ADMMNN_OK);
    assert_int_equal(graph_reader_of(g, 0).node, GRAPH_NONE); /* r and c read a */
    assert_int_equal(graph_reader_of(g, 2).node, GRAPH_NONE); /* no one reads b */
    graph_free(g);
}

/* conv, normalization, rectifier, dropout, pooling, inner product, normalization. */
static graph *normalized_make(void) {
    graph *g = graph_make(graph_shape_image(1, 6, 6));
    uint32_t v = g->input;
    assert_int_equal(
        graph_add_conv(g, "a", v, 2, graph_conv_of(graph_window_of(3, 1, 0)), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_batch_normalization(g, "m", v, 0.25F, 0.9F, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "r", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_dropout(g, "d", v, 0.5F, &v, NULL), ADMMNN_OK);
    assert_int_equal(
        graph_add_maxpool(g, "p", v, graph_pool_of(graph_window_of(2, 2, 0)), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "b", v, 3, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "s", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "c", v, 3, true, &v, NULL), ADMMNN_OK);
    return g;
}

static void normalizations_lie_between(void **state) {
    (void)state;
    graph *g = normalized_make();
    graph_reader r = graph_reader_of(g, 0);
    assert_int_equal(r.node, graph_find_node(g, "b"));
    assert_int_equal(r.block, 4);
    assert_true(r.normalized);
    assert_false(graph_reader_of(g, r.node).normalized);
    assert_true(graph_bias_is_void(g, 0));
    assert_false(graph_bias_is_void(g, r.node));
    assert_false(graph_bias_is_void(g, graph_find_node(g, "c")));
    graph_free(g);
}

static void constants_go_through(void **state) {
    (void)state;
    graph *g = normalized_make();
    float *params = base_array(g->flat_count, sizeof *params);
    const graph_normalization *n = &g->nodes[1].normalization;
    const float scale[2] = {2.0F, -1.0F};
    for (size_t c = 0; c < 2; c++) {
        params[g->parameters[n->scale].offset + c] = scale[c];
        params[g->parameters[n->shift].offset + c] = 0.5F;
        params[g->parameters[n->mean].offset + c] = 1.0F;
        params[g->parameters[n->variance].offset + c] = 2.0F;
    }
    /* (value - 1) / sqrt(2 + 0.25) scale + 0.5, rectified. */
    assert_true(graph_constant_through(g, params, 0, 0, 4.0F) == 4.5F);
    assert_true(graph_constant_through(g, params, 0, 1, 4.0F) == 0.0F);
    assert_true(graph_constant_through(g, params, 0, 1, -2.0F) == 2.5F);
    assert_true(graph_constant_through(g, params, graph_find_node(g, "b"), 0, -3.0F) == 0.0F);
    base_free(params);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_of_lenet),         cmocka_unit_test(padding_is_reported),
        cmocka_unit_test(several_readers_are_none), cmocka_unit_test(normalizations_lie_between),
        cmocka_unit_test(constants_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
