/* A convolution whose result a pooling of two by two alone reads stores the largest of each window
 * and nothing else: what comes of it, of every kind of kernels, and where it is not so. */
#include <math.h>

#include "support.h"

#define BOUND 1e-5

/* Values that the runtime keeps. */
static uint32_t values_of(bytes file) {
    admmnn_runtime *model;
    admmnn_runtime_info info;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    admmnn_runtime_get_info(model, &info);
    admmnn_runtime_close(model);
    return (uint32_t)info.values;
}

static void expect(graph *g, uint32_t values) {
    pack_model *packed = random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, 0.4}, 3);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    expect_as_engine(packed, file, BOUND);
    if (values_of(file) != values)
        fail_msg("%u values are kept, not %u", values_of(file), values);
    base_free(file.at);
    pack_model_free(packed);
}

static graph *begin(uint32_t channels, uint32_t height, uint32_t width, graph_conv conv,
                    uint32_t *v) {
    graph *g;
    MUST(graph_create("pooled", graph_shape_image(channels, height, width), &g, err));
    MUST(graph_add_conv(g, "conv1", g->input, 36, conv, v, err));
    return g;
}

static void add_pool(graph *g, const char *name, uint32_t *v) {
    MUST(graph_add_maxpool(g, name, *v, graph_pool_of(graph_window_of(2, 2, 0)), v, err));
}

static graph_conv conv_of(uint32_t kernel, uint32_t stride) {
    return graph_conv_of(graph_window_of(kernel, stride, kernel / 2));
}

/* Nothing is kept but the input and the output. */
static void expect_pooled(uint32_t channels, uint32_t height, uint32_t width, graph_conv conv) {
    uint32_t v;
    graph *g = begin(channels, height, width, conv, &v);
    add_pool(g, "pool1", &v);
    expect(g, 2);
}

/* Of less than a vector, of vectors that fold, of strips of them, of more than registers hold;
 * more rows than are finished together, and several parts of channels. */
static void planes_of_all_sides_are_pooled(void **state) {
    (void)state;
    static const uint32_t widths[] = {2, 4, 6, 8, 10, 14, 16, 24, 34, 226};
    static const uint32_t heights[] = {2, 6, 26};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        for (size_t k = 0; k < sizeof heights / sizeof heights[0]; k++)
            expect_pooled(3, heights[k], widths[i], conv_of(3, 1));
    graph_conv grouped = conv_of(3, 1);
    grouped.groups = 4;
    expect_pooled(8, 12, 12, grouped);
    expect_pooled(300, 8, 8, conv_of(5, 1));
    expect_pooled(4, 23, 31, conv_of(3, 2));
}

static void what_stands_between_is_done_on_the_way(void **state) {
    (void)state;
    uint32_t v;
    graph *g = begin(3, 12, 10, conv_of(3, 1), &v);
    MUST(graph_add_batch_normalization(g, "bn1", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    MUST(graph_add_relu(g, "relu1", v, &v, err));
    MUST(graph_add_dropout(g, "dropout1", v, 0.5F, &v, err));
    add_pool(g, "pool1", &v);
    expect(g, 2);
}

/* A normalization may turn the smallest into the largest. */
static void what_follows_is_not_done_before(void **state) {
    (void)state;
    uint32_t v;
    graph *g = begin(3, 12, 12, conv_of(3, 1), &v);
    add_pool(g, "pool1", &v);
    MUST(graph_add_batch_normalization(g, "bn1", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    add_pool(g, "pool2", &v);
    expect(g, 4);
}

static void others_are_pooled_by_themselves(void **state) {
    (void)state;
    uint32_t v;
    uint32_t pooled;
    graph *odd = begin(3, 9, 12, conv_of(3, 1), &v);
    add_pool(odd, "pool1", &v);
    expect(odd, 3);
    graph *bounded = begin(3, 8, 8, conv_of(3, 1), &v); /* by two, of which a layer does one */
    MUST(graph_add_relu(bounded, "relu1", v, &v, err));
    MUST(graph_add_unary(bounded, "tanh1", v, (graph_unary){.kind = GRAPH_TANH}, &v, err));
    add_pool(bounded, "pool1", &v);
    expect(bounded, 4);
    graph *read_by_the_caller = begin(3, 8, 8, conv_of(3, 1), &v);
    MUST(graph_add_relu(read_by_the_caller, "relu1", v, &v, err));
    pooled = v;
    add_pool(read_by_the_caller, "pool1", &v);
    read_by_the_caller->output = pooled;
    expect(read_by_the_caller, 2);
    graph *read_twice = begin(3, 8, 8, conv_of(3, 1), &v);
    pooled = v;
    add_pool(read_twice, "pool1", &pooled);
    MUST(graph_add_maxpool(read_twice, "pool2", v, graph_pool_of(graph_window_of(4, 2, 1)), &v,
                           err));
    MUST(graph_add_binary(read_twice, "add1", GRAPH_ADD, pooled, v, &v, err));
    expect(read_twice, 5);
}

/* ---- numbers that are none ---- */

/* The engine's reference has them where they are. */
static void expect_specials(const pack_model *packed, bytes file, float *input) {
    const graph *g = packed->g;
    const size_t inputs = graph_value_count(g, g->input);
    const size_t outputs = graph_value_count(g, g->output);
    float *params = base_array(g->flat_count, sizeof *params);
    float *expected = base_array(inputs * outputs, sizeof *expected);
    float *output = base_array(inputs * outputs, sizeof *output);
    pack_model_values(packed, params);
    forward(g, params, input, (uint32_t)inputs, expected);
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_settings settings = runtime_way(way);
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
        runtime_run(model, input, inputs, output);
        for (size_t i = 0; i < inputs * outputs; i++)
            if (!isnan(output[i]) != !isnan(expected[i]))
                fail_msg("%g, not %g, way %d", (double)output[i], (double)expected[i], way);
        admmnn_runtime_close(model);
    }
    base_free(params);
    base_free(expected);
    base_free(output);
}

static void a_nan_passes_wherever_it_stands(void **state) {
    (void)state;
    static const uint32_t widths[] = {6, 8, 10, 24, 30};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        uint32_t v;
        graph *g = begin(1, 6, widths[i], conv_of(1, 1), &v);
        add_pool(g, "pool1", &v);
        pack_model *packed = random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, 1.0}, 1);
        bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
        const size_t inputs = graph_value_count(packed->g, packed->g->input);
        float *input = random_floats(inputs * inputs, 7);
        for (size_t k = 0; k < inputs; k++) /* a sample for each place */
            input[k * inputs + k] = NAN;
        expect_specials(packed, file, input);
        base_free(input);
        base_free(file.at);
        pack_model_free(packed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_of_all_sides_are_pooled),
        cmocka_unit_test(what_stands_between_is_done_on_the_way),
        cmocka_unit_test(what_follows_is_not_done_before),
        cmocka_unit_test(others_are_pooled_by_themselves),
        cmocka_unit_test(a_nan_passes_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
