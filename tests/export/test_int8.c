/* The C code's function of 8 bits against the engine's reference. */
#include "support.h"

#include "export/code.h"

#define CALIBRATED 4

typedef int predict_int8(const int8_t *in, int8_t *out);

/* ---- ranges: all values of a network at once, one behind another ---- */

static uint32_t flatten(graph *g, uint32_t value) {
    const graph_shape flat = graph_shape_vector((uint32_t)graph_value_count(g, value));
    char name[GRAPH_NAME_MAX];
    uint32_t v;
    snprintf(name, sizeof name, "flat %u", value);
    MUST(graph_add_reshape(g, name, value, flat, &v, err));
    return v;
}

static float largest(const float *values, size_t count, size_t stride) {
    float most = 0.0F;
    for (size_t i = 0; i < CALIBRATED; i++)
        for (size_t k = 0; k < count; k++)
            most = fmaxf(most, fabsf(values[i * stride + k]));
    return most;
}

/* input[CALIBRATED][inputs]; ranges[values] and expected[CALIBRATED][outputs] by one run. */
static void find_ranges(const graph *g, const float *params, const float *input, float *ranges,
                        float *expected) {
    uint32_t *flat = base_array(g->node_count + 1, sizeof *flat);
    const size_t outputs = graph_value_count(g, g->output);
    graph *all;
    uint32_t v;
    MUST(graph_clone(g, &all, err));
    flat[0] = flatten(all, g->input);
    for (uint32_t n = 0; n < g->node_count; n++)
        flat[n + 1] = flatten(all, g->nodes[n].output);
    MUST(graph_add_concat(all, "all", flat, g->node_count + 1, 0, &v, err));
    const size_t stride = graph_value_count(all, v);
    float *values = base_array(CALIBRATED * stride, sizeof *values);
    forward(all, params, input, CALIBRATED, values);
    const float *at = values;
    for (uint32_t n = 0; n <= g->node_count; n++) {
        const uint32_t value = n == 0 ? g->input : g->nodes[n - 1].output;
        ranges[value] = largest(at, graph_value_count(g, value), stride);
        for (size_t i = 0; i < CALIBRATED && value == g->output; i++)
            memcpy(expected + i * outputs, at + i * stride, outputs * sizeof *expected);
        at += graph_value_count(g, value);
    }
    base_free(values);
    base_free(flat);
    graph_free(all);
}

/* ---- a network as C code, and how far it is from the reference ---- */

typedef struct job {
    const graph *g;
    float *params, *input, *expected; /* input in whole steps */
    float *ranges;
    float in_scale, out_scale; /* as the header tells */
    predict_int8 *function;
} job;

static float told_scale(const char *header, const char *name) {
    const char *at = strstr(header, name);
    assert_non_null(at);
    return strtof(at + strlen(name), NULL);
}

/* Samples in whole steps of the input. */
static void prepare(job *j, const pack_model *packed) {
    const graph *g = packed->g;
    const size_t inputs = graph_value_count(g, g->input);
    j->g = g;
    j->params = base_array(g->flat_count, sizeof *j->params);
    pack_model_values(packed, j->params);
    j->input = random_floats(CALIBRATED * inputs, 5);
    const float step = largest(j->input, inputs, inputs) / 127.0F;
    for (size_t i = 0; i < CALIBRATED * inputs; i++)
        j->input[i] = roundf(j->input[i] / step) * step;
    j->ranges = base_array(g->value_count, sizeof *j->ranges);
    j->expected = base_array(CALIBRATED * graph_value_count(g, g->output), sizeof *j->expected);
    find_ranges(g, j->params, j->input, j->ranges, j->expected);
}

static void *compile(job *j, const pack_model *packed, const char *folder) {
    const export_code_settings settings = {.path = "net", .name = "net", .ranges = j->ranges};
    export_code code;
    char path[64];
    MUST(export_code_check(packed->g, "net", err));
    MUST(export_code_make(packed, &settings, &code, err));
    snprintf(path, sizeof path, "%s/net.c", folder);
    MUST(base_file_write(path, code.source.bytes, code.source.count, err));
    snprintf(path, sizeof path, "%s/net.h", folder);
    MUST(base_file_write(path, code.header.bytes, code.header.count, err));
    base_write_u8(&code.header, 0);
    j->in_scale = told_scale((const char *)code.header.bytes, "NET_INPUT_SCALE ");
    j->out_scale = told_scale((const char *)code.header.bytes, "NET_OUTPUT_SCALE ");
    export_code_free(&code);
    run_command(
        "cd %s && ${CC:-cc} -std=c99 -O1 -Wall -Wextra -Wpedantic -Wconversion -Werror "
        "-fsanitize=undefined -fsanitize-undefined-trap-on-error -shared -fPIC -o net.so "
        "net.c -lm",
        folder);
    snprintf(path, sizeof path, "%s/net.so", folder);
    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL)
        fail_msg("%s", dlerror());
    void *symbol = dlsym(library, "net_predict_int8");
    assert_non_null(symbol);
    memcpy(&j->function, &symbol, sizeof j->function);
    return library;
}

typedef struct measure {
    double steps;    /* the largest difference, in steps of the output */
    double relative; /* root of the squared differences over the squared outputs */
    uint32_t agreed; /* samples whose largest output is the same */
} measure;

static size_t place_of_most(const float *values, size_t count) {
    size_t most = 0;
    for (size_t i = 1; i < count; i++)
        most = values[i] > values[most] ? i : most;
    return most;
}

static measure compare(const job *j) {
    const size_t inputs = graph_value_count(j->g, j->g->input);
    const size_t outputs = graph_value_count(j->g, j->g->output);
    int8_t *in = base_array(inputs, sizeof *in);
    int8_t *out = base_array(outputs, sizeof *out);
    float *made = base_array(outputs, sizeof *made);
    measure m = {0};
    double squares[2] = {0};
    for (size_t i = 0; i < CALIBRATED; i++) {
        const float *expected = j->expected + i * outputs;
        for (size_t k = 0; k < inputs; k++)
            in[k] = (int8_t)lroundf(j->input[i * inputs + k] / j->in_scale);
        assert_int_equal(j->function(in, out), 0);
        for (size_t k = 0; k < outputs; k++) {
            made[k] = (float)out[k] * j->out_scale;
            const double difference = (double)made[k] - (double)expected[k];
            m.steps = fmax(m.steps, fabs(difference) / (double)j->out_scale);
            squares[0] += difference * difference;
            squares[1] += (double)expected[k] * (double)expected[k];
        }
        m.agreed += place_of_most(made, outputs) == place_of_most(expected, outputs);
    }
    assert_int_not_equal(j->function(NULL, out), 0);
    assert_int_not_equal(j->function(in, NULL), 0);
    m.relative = sqrt(squares[0] / squares[1]);
    base_free(in);
    base_free(out);
    base_free(made);
    return m;
}

/* The model is taken. */
static measure measure_model(pack_model *packed) {
    char folder[] = "/tmp/admmnn-int8-XXXXXX";
    job j;
    assert_non_null(mkdtemp(folder));
    prepare(&j, packed);
    void *library = compile(&j, packed, folder);
    const measure m = compare(&j);
    printf("%s: %.2f steps, %.4f relative, %u of %d agree\n", packed->g->name, m.steps, m.relative,
           m.agreed, CALIBRATED);
    dlclose(library);
    run_command("rm -r %s", folder);
    base_free(j.params);
    base_free(j.input);
    base_free(j.expected);
    base_free(j.ranges);
    pack_model_free(packed);
    return m;
}

static measure measure_graph(graph *g, double density) {
    return measure_model(random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, density}, 3));
}

/* ---- one operation at a time, to half a step of what it makes ---- */

#define HALF 0.501

static graph *begin(const char *name) {
    graph *g;
    MUST(graph_create(name, graph_shape_image(4, 9, 7), &g, err));
    return g;
}

/* What is bounded or moved is exact. */
static void bounds_and_largest_are_exact(void **state) {
    const graph_pool pool = {{{3, 2}, {2, 1}, {1, 0}, {1, 1}, {1, 2}}, false, false};
    const graph_slice slice = {{3, 8, 0}, {3, 5, 7}, {-1, -2, 1}};
    const graph_pad padding = {GRAPH_PAD_CONSTANT, 0.0F, {1, 0, 2}, {0, 1, 0}};
    static const uint32_t turn[GRAPH_RANK_MAX] = {1, 2, 0};
    graph *g = begin("clip");
    uint32_t v;
    (void)state;
    MUST(graph_add_unary(g, "clip", g->input, (graph_unary){GRAPH_CLIP, -0.7F, 1.3F}, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= HALF);
    g = begin("relu");
    MUST(graph_add_relu(g, "relu", g->input, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= 1e-3);
    g = begin("maxpool");
    MUST(graph_add_maxpool(g, "pool", g->input, pool, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= 1e-3);
    g = begin("moves");
    MUST(graph_add_slice(g, "slice", g->input, &slice, &v, err));
    MUST(graph_add_pad(g, "pad", v, &padding, &v, err));
    MUST(graph_add_transpose(g, "transpose", v, turn, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= 1e-3);
    g = begin("reshape");
    MUST(graph_add_reshape(g, "reshape", g->input, graph_shape_vector(252), &v, err));
    assert_true(measure_graph(g, 1.0).steps <= 1e-3);
}

static void sums_and_means_are_the_nearest(void **state) {
    const graph_window window = {{3, 2}, {2, 1}, {1, 0}, {1, 1}, {1, 2}};
    const graph_reduce mean = {GRAPH_REDUCE_MEAN, 1U << 1 | 1U << 2, false};
    const graph_reduce sum = {GRAPH_REDUCE_SUM, 1U << 0, true};
    graph *g;
    uint32_t v;
    uint32_t w;
    (void)state;
    for (int counts = 0; counts < 2; counts++) {
        g = begin("average");
        MUST(graph_add_average_pool(g, "pool", g->input,
                                    (graph_pool){window, counts == 0, counts == 1}, &v, err));
        assert_true(measure_graph(g, 1.0).steps <= HALF);
    }
    g = begin("mean");
    MUST(graph_add_reduce(g, "mean", g->input, mean, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= HALF);
    g = begin("sum");
    MUST(graph_add_reduce(g, "sum", g->input, sum, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= HALF);
    g = begin("add");
    MUST(graph_add_relu(g, "relu", g->input, &v, err));
    MUST(graph_add_binary(g, "add", GRAPH_ADD, v, g->input, &w, err));
    assert_true(measure_graph(g, 1.0).steps <= HALF);
}

/* The sum has twice the input's scale, and so has what is joined. */
static void joined_values_have_one_scale(void **state) {
    graph *g;
    uint32_t v;
    (void)state;
    for (uint32_t axis = 0; axis < 3; axis++) {
        g = begin("concat");
        MUST(graph_add_binary(g, "add", GRAPH_ADD, g->input, g->input, &v, err));
        const uint32_t values[] = {g->input, v, g->input};
        MUST(graph_add_concat(g, "concat", values, 3, axis, &v, err));
        const measure m = measure_graph(g, 1.0);
        assert_true(m.steps <= HALF);
    }
}

/* Two scales that differ, and a rectifier behind the sum: half a step of the convolution and of
 * the sum. */
static void sums_of_different_scales(void **state) {
    const graph_conv grouped = {{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 4, true, {0}};
    graph *g = begin("grouped-add");
    uint32_t v;
    (void)state;
    MUST(graph_add_conv(g, "conv", g->input, 4, grouped, &v, err));
    MUST(graph_add_binary(g, "add", GRAPH_ADD, v, g->input, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    assert_true(measure_graph(g, 1.0).steps <= 3 * HALF);
}

/* ---- layers ---- */

static void layers_are_the_nearest(void **state) {
    const graph_conv grouped = {{{3, 2}, {1, 1}, {1, 0}, {0, 2}, {2, 1}}, 2, true, {0}};
    graph *g = begin("grouped");
    uint32_t v;
    (void)state;
    MUST(graph_add_conv(g, "conv", g->input, 6, grouped, &v, err));
    MUST(graph_add_batch_normalization(g, "bn", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    MUST(graph_add_unary(g, "relu6", v, (graph_unary){GRAPH_CLIP, 0.0F, 6.0F}, &v, err));
    assert_true(measure_graph(g, 0.8).steps <= HALF);
    g = begin("product");
    MUST(graph_add_inner_product(g, "fc", g->input, 5, true, &v, err));
    assert_true(measure_graph(g, 0.8).steps <= HALF);
}

/* Two convolutions in a row, the second pooled: the first has its own range. */
static void pooled_layers(void **state) {
    const graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
    const graph_pool pool = graph_pool_of(graph_window_of(3, 2, 1));
    (void)state;
    for (int average = 0; average < 2; average++) {
        graph *g = begin(average ? "convolve-average" : "convolve-max");
        uint32_t v;
        MUST(graph_add_conv(g, "conv1", g->input, 5, conv, &v, err));
        MUST(graph_add_conv(g, "conv2", v, 1, conv, &v, err));
        if (average)
            MUST(graph_add_average_pool(g, "pool", v, pool, &v, err));
        else
            MUST(graph_add_maxpool(g, "pool", v, pool, &v, err));
        assert_true(measure_graph(g, 0.5).relative <= 0.02);
    }
}

/* ---- networks ---- */

static graph *zoo_of(const char *name) {
    graph *g;
    MUST(graph_zoo_create(name, graph_shape_image(3, 32, 32), 10, &g, err));
    return g;
}

static void networks_of_the_zoo(void **state) {
    (void)state;
    measure m = measure_graph(zoo_of("resnet-20"), 0.3);
    assert_true(m.relative <= 0.03 && m.agreed == CALIBRATED);
    m = measure_graph(zoo_of("mobilenet-v2"), 0.3);
    assert_true(m.relative <= 0.03 && m.agreed == CALIBRATED);
}

/* ---- what is refused, by name ---- */

static void expect_refused(graph *g, const char *text) {
    pack_model *packed = random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, 1.0}, 3);
    float *ranges = base_array(packed->g->value_count, sizeof *ranges);
    const export_code_settings settings = {.path = "net", .name = "net", .ranges = ranges};
    export_code code;
    admmnn_error error;
    assert_int_equal(export_code_make(packed, &settings, &code, &error), ADMMNN_UNSUPPORTED);
    if (strstr(error.message, text) == NULL)
        fail_msg("'%s' has no '%s'", error.message, text);
    export_code_free(&code);
    base_free(ranges);
    pack_model_free(packed);
}

static void others_are_refused(void **state) {
    const graph_pad padding = {GRAPH_PAD_CONSTANT, 1.0F, {1}, {1}};
    const float one = 1.0F;
    graph *g = begin("tanh");
    uint32_t v;
    uint32_t w;
    (void)state;
    MUST(graph_add_unary(g, "its-tanh", g->input, (graph_unary){.kind = GRAPH_TANH}, &v, err));
    expect_refused(g, "node its-tanh: tanh has no form in 8 bits here");
    g = begin("constant");
    MUST(graph_add_constant(g, graph_shape_vector(1), &one, &w, err));
    MUST(graph_add_binary(g, "its-add", GRAPH_ADD, g->input, w, &v, err));
    expect_refused(g, "node its-add: an operation on constants");
    g = begin("product");
    MUST(graph_add_binary(g, "its-mul", GRAPH_MUL, g->input, g->input, &v, err));
    expect_refused(g, "node its-mul: mul has no form in 8 bits here");
    g = begin("padded");
    MUST(graph_add_pad(g, "its-pad", g->input, &padding, &v, err));
    expect_refused(g, "node its-pad: pad has no form in 8 bits here");
    g = begin("broadcast");
    MUST(graph_add_reduce(g, "sum", g->input, (graph_reduce){GRAPH_REDUCE_SUM, 1U << 1, true}, &w,
                          err));
    MUST(graph_add_binary(g, "its-sum", GRAPH_ADD, g->input, w, &v, err));
    expect_refused(g, "node its-sum: a sum of values of different shapes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_and_largest_are_exact),
        cmocka_unit_test(sums_and_means_are_the_nearest),
        cmocka_unit_test(joined_values_have_one_scale),
        cmocka_unit_test(sums_of_different_scales),
        cmocka_unit_test(layers_are_the_nearest),
        cmocka_unit_test(pooled_layers),
        cmocka_unit_test(networks_of_the_zoo),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
