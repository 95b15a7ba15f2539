/* The softmax that a classifier ends in, taken off and put back. */
#include "support.h"

#include "graph/ending.h"

/* Images of one pixel through an inner product to five numbers. */
static graph *make_classifier(uint32_t *logits) {
    graph *g = graph_make(graph_shape_image(4, 1, 1));
    assert_int_equal(graph_add_inner_product(g, "fc", g->input, 5, true, logits, NULL), ADMMNN_OK);
    return g;
}

static void expect_restored(graph *g, graph_op op, uint32_t logits) {
    graph *whole;
    assert_int_equal(graph_clone(g, &whole, NULL), ADMMNN_OK);
    const graph_ending ending = graph_cut_ending(g);
    assert_int_equal(ending.op, op);
    assert_int_equal(g->output, logits);
    assert_int_equal(g->node_count, whole->node_count - 1);
    assert_int_equal(g->value_count, whole->value_count - 1);
    assert_int_equal(graph_find_softmax(g), GRAPH_NONE);
    assert_int_equal(graph_put_ending(g, &ending, NULL), ADMMNN_OK);
    assert_int_equal(g->node_count, whole->node_count);
    assert_int_equal(g->operand_count, whole->operand_count);
    assert_int_equal(g->output, whole->output);
    const graph_node *a = &g->nodes[g->node_count - 1];
    const graph_node *b = &whole->nodes[g->node_count - 1];
    assert_memory_equal(a, b, sizeof *a);
    assert_memory_equal(g->operands, whole->operands, g->operand_count * sizeof *g->operands);
    assert_memory_equal(&g->values[g->output], &whole->values[g->output], sizeof *g->values);
    graph_free(whole);
}

static void softmax_comes_off_and_on(void **state) {
    (void)state;
    uint32_t logits;
    uint32_t v;
    graph *g = make_classifier(&logits);
    assert_int_equal(graph_add_softmax(g, "p", logits, 0, &v, NULL), ADMMNN_OK);
    expect_restored(g, GRAPH_SOFTMAX, logits);
    graph_free(g);
}

/* Channels of one pixel: all elements lie on its axis. */
static void log_softmax_of_pixels_comes_off_and_on(void **state) {
    (void)state;
    uint32_t logits;
    uint32_t v;
    graph *g = graph_make(graph_shape_image(4, 3, 3));
    assert_int_equal(graph_add_maxpool(g, "pool", g->input, graph_pool_of(graph_window_of(3, 3, 0)),
                                       &logits, NULL),
                     ADMMNN_OK);
    assert_int_equal(graph_add_log_softmax(g, "p", logits, 0, &v, NULL), ADMMNN_OK);
    expect_restored(g, GRAPH_LOG_SOFTMAX, logits);
    graph_free(g);
}

static void expect_uncut(graph *g, uint32_t softmax) {
    const uint32_t nodes = g->node_count;
    const uint32_t output = g->output;
    const graph_ending ending = graph_cut_ending(g);
    assert_int_equal(ending.op, GRAPH_OP_COUNT);
    assert_int_equal(graph_put_ending(g, &ending, NULL), ADMMNN_OK);
    assert_int_equal(g->node_count, nodes);
    assert_int_equal(g->output, output);
    assert_int_equal(graph_find_softmax(g), softmax);
    graph_free(g);
}

static void other_endings_stay(void **state) {
    (void)state;
    uint32_t logits;
    uint32_t v;
    graph *g = make_classifier(&logits);
    expect_uncut(g, GRAPH_NONE); /* none */

    g = graph_make(graph_shape_image(4, 3, 3));
    assert_int_equal(graph_add_softmax(g, "p", g->input, 0, &v, NULL), ADMMNN_OK);
    expect_uncut(g, 0); /* of each pixel */

    g = make_classifier(&logits);
    assert_int_equal(graph_add_softmax(g, "p", logits, 0, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_reshape(g, "r", v, graph_shape_image(5, 1, 1), &v, NULL), ADMMNN_OK);
    expect_uncut(g, 1); /* behind what moves its numbers */

    g = make_classifier(&logits);
    assert_int_equal(graph_add_softmax(g, "p", logits, 0, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "r", v, &v, NULL), ADMMNN_OK);
    expect_uncut(g, GRAPH_NONE); /* other numbers are made of it */

    g = make_classifier(&logits);
    assert_int_equal(graph_add_softmax(g, "p", logits, 0, &v, NULL), ADMMNN_OK);
    uint32_t idle;
    assert_int_equal(graph_add_relu(g, "r", logits, &idle, NULL), ADMMNN_OK);
    g->output = v;
    expect_uncut(g, 1); /* not the last node */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_comes_off_and_on),
        cmocka_unit_test(log_softmax_of_pixels_comes_off_and_on),
        cmocka_unit_test(other_endings_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
