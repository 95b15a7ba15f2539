/* Who reads a layer's units, through pooling and rectifiers. */
#include "support.h"

#include "graph/reader.h"
#include "graph/zoo.h"

static void readers_of_lenet(void **state) {
    (void)state;
    graph *g;
    assert_int_equal(graph_zoo_create("lenet-5", (graph_shape){1, 28, 28}, 10, &g, NULL),
                     ADMMNN_OK);
    graph_reader r = graph_reader_of(g, graph_find_node(g, "conv1"));
    assert_int_equal(r.node, graph_find_node(g, "conv2"));
    assert_int_equal(r.block, 25); /* one filter's kernel */
    assert_true(!r.rectified && !r.padded);
    r = graph_reader_of(g, graph_find_node(g, "conv2"));
    assert_int_equal(r.node, graph_find_node(g, "fc1"));
    assert_int_equal(r.block, 16); /* the 4 x 4 positions of one filter */
    assert_false(r.rectified);
    r = graph_reader_of(g, graph_find_node(g, "fc1"));
    assert_int_equal(r.node, graph_find_node(g, "fc2"));
    assert_int_equal(r.block, 1);
    assert_true(r.rectified);
    assert_int_equal(graph_reader_of(g, graph_find_node(g, "fc2")).node, GRAPH_NONE);
    graph_free(g);
}

static void padding_is_reported(void **state) {
    (void)state;
    for (uint32_t where = 0; where < 3; where++) {
        graph *g = graph_make((graph_shape){1, 12, 12});
        uint32_t v = g->input;
        uint32_t pool_pad = where == 1;
        uint32_t reader_pad = where == 2;
        assert_int_equal(graph_add_conv(g, "a", v, 2, window_of(3, 1, 1), &v, NULL), ADMMNN_OK);
        assert_int_equal(graph_add_maxpool(g, "p", v, window_of(2, 2, pool_pad), &v, NULL),
                         ADMMNN_OK);
        assert_int_equal(graph_add_conv(g, "b", v, 2, window_of(3, 1, reader_pad), &v, NULL),
                         ADMMNN_OK);
        assert_int_equal(graph_add_inner_product(g, "c", v, 2, &v, NULL), ADMMNN_OK);
        /* The layer's own padding does not matter to its reader. */
        assert_int_equal(graph_reader_of(g, 0).padded, where > 0);
        graph_free(g);
    }
}

static void several_readers_are_none(void **state) {
    (void)state;
    graph *g = graph_make((graph_shape){4, 1, 1});
    uint32_t v;
    uint32_t w;
    assert_int_equal(graph_add_inner_product(g, "a", g->input, 3, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "r", v, &w, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "b", w, 3, &w, NULL), ADMMNN_OK);
    assert_int_equal(graph_reader_of(g, 0).node, 2);
    assert_int_equal(graph_add_inner_product(g, "c", v, 3, &w, NULL), ADMMNN_OK);
    assert_int_equal(graph_reader_of(g, 0).node, GRAPH_NONE); /* r and c read a */
    assert_int_equal(graph_reader_of(g, 2).node, GRAPH_NONE); /* no one reads b */
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_of_lenet),
        cmocka_unit_test(padding_is_reported),
        cmocka_unit_test(several_readers_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
