/* Shapes of the operations that are not in chains of images alone, and what they refuse. */
#include "support.h"

#include <time.h>

#include "must.h"

static const graph_shape image = {3, {4, 6, 5}};

static void expect_shape(const graph *g, uint32_t value, graph_shape expected) {
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    if (!graph_shape_equal(g->values[value].shape, expected))
        fail_msg("a value of %s, expected %s", graph_shape_text(g->values[value].shape, texts[0]),
                 graph_shape_text(expected, texts[1]));
}

/* The graph after a refusal is as it was before: the next node is added as if nothing had
 * been tried. */
#define REFUSED(g, text, call)                                                                     \
    do {                                                                                           \
        const graph before_ = *(g);                                                                \
        admmnn_error error_ = {0};                                                                 \
        admmnn_error *err = &error_;                                                               \
        uint32_t v = 77;                                                                           \
        assert_int_equal((call), ADMMNN_INPUT);                                                    \
        if (strstr(error_.message, "bad") == NULL || strstr(error_.message, text) == NULL)         \
            fail_msg("%s: '%s'", #call, error_.message);                                           \
        assert_true(v == 77 && (g)->node_count == before_.node_count &&                            \
                    (g)->value_count == before_.value_count && (g)->output == before_.output &&    \
                    (g)->operand_count == before_.operand_count &&                                 \
                    (g)->parameter_count == before_.parameter_count &&                             \
                    (g)->flat_count == before_.flat_count);                                        \
    } while (0)

static void shapes_broadcast(void **state) {
    (void)state;
    static const struct {
        graph_shape a, b, out;
        bool fits;
    } cases[] = {{{2, {3, 1}}, {1, {4}}, {2, {3, 4}}, true},
                 {{0, {0}}, {3, {2, 1, 4}}, {3, {2, 1, 4}}, true},
                 {{3, {1, 5, 1}}, {3, {6, 1, 7}}, {3, {6, 5, 7}}, true},
                 {{1, {3}}, {1, {4}}, {0, {0}}, false},
                 {{2, {3, 4}}, {2, {4, 3}}, {0, {0}}, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        graph_shape out;
        assert_int_equal(graph_shape_broadcast(cases[i].a, cases[i].b, &out), cases[i].fits);
        assert_true(!cases[i].fits || graph_shape_equal(out, cases[i].out));
        assert_int_equal(graph_shape_broadcast(cases[i].b, cases[i].a, &out), cases[i].fits);
        assert_true(!cases[i].fits || graph_shape_equal(out, cases[i].out));
    }
    char text[GRAPH_SHAPE_TEXT_MAX];
    assert_string_equal(graph_shape_text(image, text), "4x6x5");
    assert_string_equal(graph_shape_text(cases[1].a, text), "scalar");
}

static void convolutions_in_groups(void **state) {
    (void)state;
    graph *g = graph_make(image);
    const graph_window window = {{3, 2}, {2, 1}, {1, 2}, {2, 0}, {1, 2}};
    uint32_t v;
    MUST(graph_add_conv(g, "a", g->input, 6, (graph_conv){window, 2, false, {0, 0}}, &v, err));
    /* (6 + 3 - 3) / 2 + 1 and (5 + 2 - 3) + 1 */
    expect_shape(g, v, graph_shape_image(6, 4, 5));
    assert_int_equal(g->nodes[0].bias, GRAPH_NONE);
    assert_int_equal(g->parameters[g->nodes[0].weight].columns, 2 * 3 * 2);
    assert_int_equal(graph_macs(g), 6 * 12 * 4 * 5);
    MUST(graph_add_transposed_conv(g, "b", v, 4, (graph_conv){window, 2, true, {1, 0}}, &v, err));
    /* 2 x 3 + 3 + 1 - 3 and 4 + 3 - 2 */
    expect_shape(g, v, graph_shape_image(4, 7, 5));
    assert_int_equal(g->parameters[g->nodes[1].weight].rows, 4);
    assert_int_equal(g->parameters[g->nodes[1].weight].columns, 3 * 3 * 2);
    assert_int_equal(graph_macs(g), 6 * 12 * 4 * 5 + 4 * 18 * 4 * 5);
    REFUSED(g, "groups",
            graph_add_conv(g, "bad", g->input, 6, (graph_conv){window, 3, true, {0, 0}}, &v, err));
    REFUSED(g, "groups",
            graph_add_conv(g, "bad", g->input, 6, (graph_conv){window, 4, true, {0, 0}}, &v, err));
    REFUSED(g, "groups",
            graph_add_conv(g, "bad", g->input, 6, (graph_conv){window, 0, true, {0, 0}}, &v, err));
    graph_conv no_gap = graph_conv_of(window);
    no_gap.window.dilation[1] = 0;
    REFUSED(g, "window", graph_add_conv(g, "bad", g->input, 6, no_gap, &v, err));
    const graph_conv cut = graph_conv_of(graph_window_of(1, 1, 3));
    REFUSED(g, "window", graph_add_transposed_conv(g, "bad", g->input, 6, cut, &v, err));
    graph_free(g);
}

static void poolings_round_up(void **state) {
    (void)state;
    graph *g = graph_make(graph_shape_image(2, 6, 5));
    uint32_t v;
    MUST(graph_add_maxpool(g, "down", g->input,
                           (graph_pool){graph_window_of(3, 2, 0), false, false}, &v, err));
    expect_shape(g, v, graph_shape_image(2, 2, 2));
    MUST(graph_add_maxpool(g, "up", g->input, (graph_pool){graph_window_of(3, 2, 0), true, false},
                           &v, err));
    expect_shape(g, v, graph_shape_image(2, 3, 2));
    /* A last window that would begin behind the input is none. */
    MUST(graph_add_average_pool(g, "end", g->input,
                                (graph_pool){graph_window_of(1, 3, 0), true, false}, &v, err));
    expect_shape(g, v, graph_shape_image(2, 2, 2));
    REFUSED(
        g, "window",
        graph_add_maxpool(g, "bad", g->input, graph_pool_of(graph_window_of(2, 1, 2)), &v, err));
    graph_free(g);
}

static void matmuls(void **state) {
    (void)state;
    static const struct {
        graph_shape left, right, out;
        bool fits;
    } cases[] = {{{2, {3, 4}}, {2, {4, 5}}, {2, {3, 5}}, true},
                 {{1, {4}}, {2, {4, 5}}, {1, {5}}, true},
                 {{2, {3, 4}}, {1, {4}}, {1, {3}}, true},
                 {{1, {4}}, {1, {4}}, {0, {0}}, true},
                 {{4, {2, 1, 3, 4}}, {3, {6, 4, 5}}, {4, {2, 6, 3, 5}}, true},
                 {{2, {3, 4}}, {2, {3, 4}}, {0, {0}}, false},
                 {{3, {2, 3, 4}}, {3, {3, 4, 5}}, {0, {0}}, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        graph *g = graph_make(cases[i].left);
        uint32_t right;
        uint32_t v;
        MUST(graph_add_parameter(g, "w", GRAPH_WEIGHT, cases[i].right, &right, err));
        if (cases[i].fits) {
            MUST(graph_add_matmul(g, "product", g->input, right, &v, err));
            expect_shape(g, v, cases[i].out);
            assert_int_equal(g->nodes[0].weight, 0);
            assert_int_equal(g->parameters[0].node, 0);
        } else {
            REFUSED(g, "product", graph_add_matmul(g, "bad", g->input, right, &v, err));
            assert_int_equal(g->parameters[0].node, GRAPH_NONE);
        }
        graph_free(g);
    }
}

/* A weight is the first matmul's that reads it; a tensor is no layer's. */
static void parameters_as_operands(void **state) {
    (void)state;
    graph *g = graph_make((graph_shape){2, {3, 4}});
    uint32_t square;
    uint32_t tensor;
    uint32_t v;
    char name[GRAPH_PARAMETER_NAME_MAX];
    MUST(graph_add_parameter(g, "square", GRAPH_WEIGHT, (graph_shape){2, {4, 4}}, &square, err));
    MUST(graph_add_parameter(g, "tensor", GRAPH_TENSOR, (graph_shape){2, {4, 4}}, &tensor, err));
    MUST(graph_add_matmul(g, "a", g->input, tensor, &v, err));
    MUST(graph_add_matmul(g, "b", v, square, &v, err));
    MUST(graph_add_matmul(g, "c", v, square, &v, err));
    assert_int_equal(graph_layer_count(g), 1);
    assert_int_equal(graph_layer(g, 0), 1);
    assert_int_equal(graph_weight_count(g), 16);
    assert_int_equal(graph_trainable_count(g), 32);
    graph_parameter_name(g, 0, name);
    assert_string_equal(name, "square");
    assert_false(graph_value_varies(g, tensor));
    assert_true(graph_value_varies(g, v) && graph_value_varies(g, g->input));
    REFUSED(g, "alike", graph_add_batch_normalization(g, "bad", tensor, 0.1F, 0.9F, &v, err));
    assert_int_equal(graph_add_parameter(g, "", GRAPH_TENSOR, image, &v, NULL), ADMMNN_INPUT);
    assert_int_equal(
        graph_add_parameter(g, "huge", GRAPH_TENSOR, (graph_shape){3, {65536, 65536, 2}}, &v, NULL),
        ADMMNN_INPUT);
    graph_free(g);
}

static void normalizations_and_axes(void **state) {
    (void)state;
    graph *g = graph_make(image);
    uint32_t v;
    MUST(graph_add_layer_normalization(g, "layer", g->input, 1, 1e-5F, &v, err));
    assert_int_equal(g->parameters[g->nodes[0].normalization.scale].count, 30);
    MUST(graph_add_instance_normalization(g, "instance", v, 1e-5F, &v, err));
    assert_int_equal(g->parameters[g->nodes[1].normalization.shift].count, 4);
    assert_int_equal(g->nodes[1].normalization.mean, GRAPH_NONE);
    REFUSED(g, "axis 3", graph_add_layer_normalization(g, "bad", g->input, 3, 1e-5F, &v, err));
    REFUSED(g, "epsilon", graph_add_layer_normalization(g, "bad", g->input, 1, 0.0F, &v, err));
    REFUSED(g, "epsilon", graph_add_instance_normalization(g, "bad", g->input, NAN, &v, err));
    REFUSED(g, "axis 3", graph_add_softmax(g, "bad", g->input, 3, &v, err));
    REFUSED(g, "axis 9", graph_add_log_softmax(g, "bad", g->input, 9, &v, err));
    REFUSED(g, "size 0",
            graph_add_lrn(g, "bad", g->input, (graph_lrn){0, 1.0F, 1.0F, 1.0F}, &v, err));
    REFUSED(
        g, "axis",
        graph_add_reduce(g, "bad", g->input, (graph_reduce){GRAPH_REDUCE_SUM, 8, true}, &v, err));
    graph_free(g);
}

static void elements(void **state) {
    (void)state;
    graph *g = graph_make(image);
    uint32_t row;
    uint32_t slopes;
    uint32_t v;
    MUST(graph_add_parameter(g, "row", GRAPH_TENSOR, graph_shape_vector(4), &row, err));
    MUST(graph_add_parameter(g, "slopes", GRAPH_TENSOR, graph_shape_image(4, 1, 1), &slopes, err));
    MUST(graph_add_binary(g, "prelu", GRAPH_PRELU, g->input, slopes, &v, err));
    REFUSED(g, "4x6x5 and 4", graph_add_binary(g, "bad", GRAPH_ADD, g->input, row, &v, err));
    REFUSED(g, "prelu", graph_add_binary(g, "bad", GRAPH_PRELU, slopes, g->input, &v, err));
    REFUSED(g, "number", graph_add_binary(g, "bad", GRAPH_BINARY_COUNT, slopes, slopes, &v, err));
    REFUSED(g, "clip",
            graph_add_unary(g, "bad", g->input, (graph_unary){GRAPH_CLIP, NAN, 1.0F}, &v, err));
    REFUSED(g, "unknown",
            graph_add_unary(g, "bad", g->input, (graph_unary){GRAPH_UNARY_COUNT, 0, 0}, &v, err));
    graph_free(g);
}

static void moves(void **state) {
    (void)state;
    graph *g = graph_make(image);
    uint32_t v;
    const uint32_t twice[2] = {g->input, g->input};
    MUST(graph_add_concat(g, "concat", twice, 2, 1, &v, err));
    expect_shape(g, v, graph_shape_image(4, 12, 5));
    const uint32_t unlike[2] = {g->input, v};
    REFUSED(g, "4x12x5", graph_add_concat(g, "bad", unlike, 2, 0, &v, err));
    REFUSED(g, "axis 3", graph_add_concat(g, "bad", twice, 2, 3, &v, err));
    REFUSED(g, "nothing", graph_add_concat(g, "bad", twice, 0, 0, &v, err));
    static const graph_slice bad_slices[] = {
        {{0, 0, 0}, {4, 6, 0}, {1, 1, 1}},  {{0, 0, 1}, {4, 6, 5}, {1, 1, 1}},
        {{0, 0, 3}, {4, 6, 5}, {1, 1, -1}}, {{0, 6, 0}, {4, 1, 5}, {1, 1, 1}},
        {{0, 0, 0}, {4, 6, 5}, {1, 0, 1}},  {{0, 0, 0}, {4, 6, 5}, {1, 1, INT32_MAX}}};
    for (size_t i = 0; i < sizeof bad_slices / sizeof bad_slices[0]; i++)
        REFUSED(g, "axis", graph_add_slice(g, "bad", g->input, &bad_slices[i], &v, err));
    const graph_pad far = {GRAPH_PAD_REFLECT, 0.0F, {0, 0, 5}, {0}};
    REFUSED(g, "padded", graph_add_pad(g, "bad", g->input, &far, &v, err));
    REFUSED(g, "as many", graph_add_reshape(g, "bad", g->input, graph_shape_vector(119), &v, err));
    const uint32_t not_all[GRAPH_RANK_MAX] = {0, 1, 1};
    const uint32_t beyond[GRAPH_RANK_MAX] = {0, 1, 3};
    REFUSED(g, "order", graph_add_transpose(g, "bad", g->input, not_all, &v, err));
    REFUSED(g, "order", graph_add_transpose(g, "bad", g->input, beyond, &v, err));
    const graph_resize no_scale = {
        GRAPH_RESIZE_LINEAR, GRAPH_RESIZE_HALF_PIXEL, {1, 0, 1}, {4, 6, 5}};
    const graph_resize no_size = {
        GRAPH_RESIZE_LINEAR, GRAPH_RESIZE_HALF_PIXEL, {1, 1, 1}, {4, 0, 5}};
    REFUSED(g, "scale", graph_add_resize(g, "bad", g->input, &no_scale, &v, err));
    REFUSED(g, "shape", graph_add_resize(g, "bad", g->input, &no_size, &v, err));
    graph_free(g);
}

static void gathers(void **state) {
    (void)state;
    static const float bad[][2] = {{0, 6}, {-1, 0}, {0.5F, 1}, {NAN, 0}};
    graph *g = graph_make(image);
    for (size_t i = 0; i < 4; i++) {
        uint32_t at;
        MUST(graph_add_constant(g, graph_shape_vector(2), bad[i], &at, err));
        REFUSED(g, "index", graph_add_gather(g, "bad", g->input, at, 1, &v, err));
    }
    REFUSED(g, "constant", graph_add_gather(g, "bad", g->input, g->input, 1, &v, err));
    const float good[2] = {5, 0};
    uint32_t at;
    uint32_t v;
    MUST(graph_add_constant(g, (graph_shape){2, {1, 2}}, good, &at, err));
    MUST(graph_add_gather(g, "gather", g->input, at, 1, &v, err));
    expect_shape(g, v, (graph_shape){4, {4, 1, 2, 5}});
    graph *copy; /* with its constants */
    MUST(graph_clone(g, &copy, err));
    graph_free(g);
    assert_true(copy->constants[copy->values[at].constant] == 5.0F);
    MUST(graph_add_constant(copy, graph_shape_vector(2), good, &at, err));
    MUST(graph_add_gather(copy, "again", copy->input, at, 1, &v, err));
    graph_free(copy);
}

/* Each of them by all of a constant would be minutes: of a small file, which may be anyone's. */
static void many_gathers_by_one_constant(void **state) {
    (void)state;
    const clock_t start = clock();
    const uint32_t count = GRAPH_DIMENSION_MAX;
    graph *g = graph_make(graph_shape_vector(2));
    float *data = base_array(count, sizeof *data);
    assert_non_null(data);
    uint32_t at;
    uint32_t v;
    MUST(graph_add_constant(g, graph_shape_vector(count), data, &at, err));
    for (unsigned i = 0; i < GRAPH_NODES_MAX; i++)
        MUST(graph_add_gather(g, "gather", g->input, at, 0, &v, err));
    base_free(data);
    graph_free(g);
    assert_true((clock() - start) / CLOCKS_PER_SEC < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_broadcast),
        cmocka_unit_test(convolutions_in_groups),
        cmocka_unit_test(poolings_round_up),
        cmocka_unit_test(matmuls),
        cmocka_unit_test(parameters_as_operands),
        cmocka_unit_test(normalizations_and_axes),
        cmocka_unit_test(elements),
        cmocka_unit_test(moves),
        cmocka_unit_test(gathers),
        cmocka_unit_test(many_gathers_by_one_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
