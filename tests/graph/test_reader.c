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
    assert_false(r.normalized);
    r = graph_reader_of(g, graph_find_node(g, "conv2"));
    assert_int_equal(r.node, graph_find_node(g, "fc1"));
    assert_int_equal(r.block, 16); /* the 4 x 4 positions of one filter */
    r = graph_reader_of(g, graph_find_node(g, "fc1"));
    assert_int_equal(r.node, graph_find_node(g, "fc2"));
    assert_int_equal(r.block, 1);
    assert_int_equal(graph_reader_of(g, graph_find_node(g, "fc2")).node, GRAPH_NONE);
    graph_free(g);
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

/* The units of a matmul are its last axis, those of an inner product's input its first. */
static void units_of_a_matmul_have_no_reader(void **state) {
    (void)state;
    graph *g = graph_make((graph_shape){2, {4, 3}});
    uint32_t weight;
    uint32_t v;
    assert_int_equal(
        graph_add_parameter(g, "w", GRAPH_WEIGHT, (graph_shape){2, {3, 4}}, &weight, NULL),
        ADMMNN_OK);
    assert_int_equal(graph_add_matmul(g, "a", g->input, weight, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "b", v, 2, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_reader_of(g, 0).node, GRAPH_NONE);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_of_lenet),
        cmocka_unit_test(several_readers_are_none),
        cmocka_unit_test(normalizations_lie_between),
        cmocka_unit_test(units_of_a_matmul_have_no_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
