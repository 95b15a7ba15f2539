/* Values in 8 bits: every operation by itself, which reads codes or makes them, against the
 * engine's reference on what those codes stand for; and networks, whatever runs them. */
#include "support.h"

/* The input is floats: what reads it reads what a node makes of it, which stands in its place until
 * the graph is whole. */
#define BEGIN_GRAPH(g) begin_with_node(g)

static inline void begin_with_node(graph *g) {
    uint32_t v;
    MUST(graph_add_unary(g, "before", g->input, (graph_unary){.kind = GRAPH_NEG}, &v, err));
    g->input = v;
}

#include "../operations.h"
#include "pack/range.h"

/* Of the largest number: sums of 32 bits. And of a step. */
#define BOUND 1e-5
#define HALF 0.501

/* Models that read codes, and whose result were codes. */
static size_t read_codes, made_codes;

/* ---- what codes stand for ---- */

static pack_range range_of_all(const float *x, size_t count) {
    float low = 0.0F;
    float high = 0.0F;
    for (size_t i = 0; i < count; i++) {
        low = fminf(low, x[i]);
        high = isnan(x[i]) ? NAN : fmaxf(high, x[i]);
    }
    return range_of(low, high);
}

/* The nearest number that has a code; what lies between two, as sums of 32 bits have it. */
static void round_to_codes(pack_range r, const float *x, size_t count, float *y) {
    for (size_t i = 0; i < count; i++) {
        const float zero = r.is_signed ? 128.0F : 0.0F;
        const float code = floorf(x[i] / r.scale + zero + 0.5F);
        y[i] = (fminf(fmaxf(code, 0.0F), 255.0F) - zero) * r.scale;
    }
}

/* ---- one operation ---- */

typedef struct trial {
    graph *g;
    float *params, *input, *expected, *output;
    size_t inputs, outputs; /* of all samples */
} trial;

static trial trial_of(const pack_model *packed) {
    graph *g = packed->g;
    trial t = {.g = g,
               .inputs = SAMPLES * graph_value_count(g, g->input),
               .outputs = SAMPLES * graph_value_count(g, g->output)};
    t.params = base_array(g->flat_count, sizeof *t.params);
    t.input = random_floats(t.inputs, 11);
    t.expected = base_array(t.outputs, sizeof *t.expected);
    t.output = base_array(t.outputs, sizeof *t.output);
    assert_true(t.params != NULL && t.expected != NULL && t.output != NULL);
    pack_model_values(packed, t.params);
    return t;
}

static void trial_free(trial *t) {
    base_free(t->params);
    base_free(t->input);
    base_free(t->expected);
    base_free(t->output);
}

static admmnn_runtime_settings settings_of(int way) {
    admmnn_runtime_settings settings = runtime_way(way);
    settings.activations = 8;
    return settings;
}

static admmnn_runtime_info run_coded(const pack_model *packed, const trial *t,
                                     admmnn_runtime_settings settings) {
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    admmnn_runtime *model;
    admmnn_runtime_info info;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    runtime_run(model, t->input, SAMPLES, t->output);
    admmnn_runtime_get_info(model, &info);
    admmnn_runtime_close(model);
    base_free(file.at);
    return info;
}

static bool is_within(const trial *t, double step) {
    double size = 0.0;
    for (size_t i = 0; i < t->outputs; i++)
        size = fmax(size, fabs((double)t->expected[i]));
    for (size_t i = 0; i < t->outputs; i++)
        if (!(fabs((double)t->output[i] - (double)t->expected[i]) <= HALF * step + BOUND * size) &&
            isfinite(t->expected[i]))
            return false;
    return true;
}

static void expect_within(const trial *t, double step, const char *what) {
    if (!is_within(t, step))
        fail_msg("%s, %s: more than half a step of %g apart", t->g->nodes[0].name, what, step);
}

/* What the first node makes of the input alone has a range. */
static void expect_reading(pack_model *packed, uint32_t first) {
    trial t = trial_of(packed);
    float *made = base_array(t.inputs, sizeof *made);
    float *kept = base_array(t.inputs, sizeof *kept);
    for (size_t i = 0; i < t.inputs; i++)
        made[i] = -t.input[i];
    const pack_range r = range_of_all(made, t.inputs);
    packed->ranges[first] = r;
    round_to_codes(r, made, t.inputs, kept);
    for (size_t i = 0; i < t.inputs; i++)
        kept[i] = -kept[i];
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_info info = run_coded(packed, &t, settings_of(way));
        forward(t.g, t.params, info.codes == 1 ? kept : t.input, SAMPLES, t.expected);
        expect_within(&t, 0.0, "read");
        read_codes += info.codes;
    }
    packed->ranges[first] = (pack_range){0.0F, false};
    base_free(made);
    base_free(kept);
    trial_free(&t);
}

/* What it makes alone has one, and is read by an operation of one element. */
static void expect_making(pack_model *packed) {
    const uint32_t made = packed->g->output;
    trial t = trial_of(packed);
    uint32_t v;
    forward(t.g, t.params, t.input, SAMPLES, t.expected);
    const pack_range r = range_of_all(t.expected, t.outputs);
    for (size_t i = 0; i < t.outputs; i++)
        t.expected[i] = -t.expected[i];
    MUST(graph_add_unary(t.g, "last", made, (graph_unary){.kind = GRAPH_NEG}, &v, err));
    pack_range *ranges = base_array(t.g->value_count, sizeof *ranges);
    assert_non_null(ranges);
    ranges[made] = r;
    base_free(packed->ranges);
    packed->ranges = ranges;
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_info info = run_coded(packed, &t, settings_of(way));
        expect_within(&t, info.codes == 0 ? 0.0 : (double)r.scale, "made");
        made_codes += info.codes;
    }
    trial_free(&t);
}

static void expect_model(pack_model *packed) {
    const uint32_t first = packed->g->input;
    packed->g->input = 0;
    packed->ranges = base_array(packed->g->value_count, sizeof *packed->ranges);
    assert_non_null(packed->ranges);
    if (first != 0)
        expect_reading(packed, first);
    expect_making(packed);
    pack_model_free(packed);
}

/* ---- networks ---- */

/* Of all values, on the samples. */
static void find_ranges(pack_model *packed, const trial *t) {
    graph *g;
    packed->ranges = base_array(t->g->value_count, sizeof *packed->ranges);
    assert_non_null(packed->ranges);
    MUST(graph_clone(t->g, &g, err));
    for (uint32_t n = 0; n < g->node_count; n++) {
        g->output = g->nodes[n].output;
        const size_t count = SAMPLES * graph_value_count(g, g->output);
        float *made = base_array(count, sizeof *made);
        assert_non_null(made);
        forward(g, t->params, t->input, SAMPLES, made);
        packed->ranges[g->output] = range_of_all(made, count);
        base_free(made);
    }
    graph_free(g);
}

/* The bytes of the trial's output again. */
static void expect_threads(const pack_model *packed, const trial *t,
                           admmnn_runtime_settings settings) {
    float *alone = base_array_copy(t->output, t->outputs, sizeof *alone);
    for (settings.threads = 2; settings.threads <= 3; settings.threads++) {
        (void)run_coded(packed, t, settings);
        assert_memory_equal(alone, t->output, t->outputs * sizeof *alone);
    }
    base_free(alone);
}

/* How far 8 bits are from floats, kernels from each other; threads give the same bytes. */
static void expect_network(graph *g, uint32_t codes, uint32_t values, double bound) {
    pack_model *packed = random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, 0.3}, 3);
    trial t = trial_of(packed);
    float *first = base_array(t.outputs, sizeof *first);
    find_ranges(packed, &t);
    forward(t.g, t.params, t.input, SAMPLES, t.expected);
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_info info = run_coded(packed, &t, settings_of(way));
        assert_int_equal(info.codes, codes);
        assert_int_equal(info.values, values);
        const double difference = apart(t.output, t.expected, t.outputs);
        if (!(difference <= bound))
            fail_msg("%s: %g from floats", t.g->name, difference);
        if (way == 0)
            memcpy(first, t.output, t.outputs * sizeof *first);
        const double kernels = apart(t.output, first, t.outputs);
        if (!(kernels <= bound / 4)) /* a few steps where sums are rounded otherwise */
            fail_msg("%s: %g between kernels", t.g->name, kernels);
        expect_threads(packed, &t, settings_of(way));
    }
    base_free(first);
    trial_free(&t);
    pack_model_free(packed);
}

static void networks_are_near_their_floats(void **state) {
    (void)state;
    expect_network(small_network(), 3, 5, 0.05);
    expect_network(normalized_network(), 2, 4, 0.05);
    expect_network(zoo("lenet-5"), 3, 5, 0.05);
}

/* A convolution that pools stores what the pooling makes: by its range, whatever that of what is
 * pooled is. */
static void what_is_pooled_on_the_way_has_the_range_of_the_pooling(void **state) {
    (void)state;
    graph *g;
    uint32_t made;
    uint32_t pooled;
    uint32_t v;
    MUST(graph_create("pooled", graph_shape_image(2, 6, 10), &g, err));
    MUST(graph_add_conv(g, "conv1", g->input, 21, graph_conv_of(graph_window_of(3, 1, 1)), &made,
                        err));
    MUST(
        graph_add_maxpool(g, "pool1", made, graph_pool_of(graph_window_of(2, 2, 0)), &pooled, err));
    MUST(graph_add_unary(g, "last", pooled, (graph_unary){.kind = GRAPH_NEG}, &v, err));
    pack_model *packed = random_model(g, usual, 3);
    trial t = trial_of(packed);
    find_ranges(packed, &t);
    packed->ranges[t.g->input] = packed->ranges[v] = (pack_range){0.0F, false};
    packed->ranges[made].scale *= 64;
    forward(t.g, t.params, t.input, SAMPLES, t.expected);
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_info info = run_coded(packed, &t, settings_of(way));
        assert_int_equal(info.codes, 1);
        expect_within(&t, (double)packed->ranges[pooled].scale, "pooled");
        expect_threads(packed, &t, settings_of(way));
    }
    packed->ranges[pooled] = (pack_range){0.0F, false};
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_info info = run_coded(packed, &t, settings_of(way));
        assert_int_equal(info.codes, 0);
        expect_within(&t, 0.0, "pooled without a range");
    }
    trial_free(&t);
    pack_model_free(packed);
}

/* Codes were there, and not floats again. */
static void most_operations_ran_on_codes(void **state) {
    (void)state;
    print_message("%zu read codes, %zu made them\n", read_codes, made_codes);
    assert_true(read_codes > 1000 && made_codes > 1000);
}

/* ---- what is asked for ---- */

static admmnn_runtime_status open_with(bytes file, unsigned activations,
                                       admmnn_runtime_info *info) {
    const admmnn_runtime_settings settings = {.activations = activations};
    admmnn_runtime *model;
    const admmnn_runtime_status status =
        admmnn_runtime_open_memory(file.at, file.count, &settings, &model, NULL);
    if (status == ADMMNN_RUNTIME_OK) {
        admmnn_runtime_get_info(model, info);
        admmnn_runtime_close(model);
    }
    return status;
}

static void eight_bits_are_of_files_that_have_ranges(void **state) {
    (void)state;
    pack_model *packed = random_model(small_network(), usual, 3);
    admmnn_runtime_info info[3];
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    assert_int_equal(open_with(file, 8, &info[0]), ADMMNN_RUNTIME_UNSUPPORTED);
    base_free(file.at);
    fill_ranges(packed, 3);
    file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    assert_int_equal(open_with(file, 0, &info[0]), ADMMNN_RUNTIME_OK);
    assert_int_equal(open_with(file, 32, &info[1]), ADMMNN_RUNTIME_OK);
    assert_int_equal(open_with(file, 8, &info[2]), ADMMNN_RUNTIME_OK);
    assert_int_equal(open_with(file, 7, &info[0]), ADMMNN_RUNTIME_USAGE);
    assert_int_equal(info[0].codes, 0);
    assert_int_equal(info[1].codes, 0);
    assert_int_equal(info[1].values, info[2].values);
    /* Between the input and the output, fc2's: conv1's, pool1's, fc1's. */
    assert_int_equal(info[2].values, 5);
    assert_int_equal(info[2].codes, 3);
    base_free(file.at);
    pack_model_free(packed);
}

/* Beyond its range a number is the range's end, and what is no number its least. */
static void numbers_beyond_their_range_become_its_ends(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    const float input[] = {-1e30F, -INFINITY, 1e30F, INFINITY, NAN, 0.26F, -0.24F, 63.6F};
    const float expected[] = {-63.5F, -63.5F, 64.0F, 64.0F, 64.0F, 0.5F, 0.0F, 63.5F};
    float output[8];
    MUST(graph_create("one", graph_shape_vector(8), &g, err));
    MUST(graph_add_unary(g, "kept", g->input, (graph_unary){.kind = GRAPH_NEG}, &v, err));
    MUST(graph_add_unary(g, "last", v, (graph_unary){.kind = GRAPH_NEG}, &v, err));
    pack_model *packed = random_model(g, usual, 3);
    packed->ranges = base_array(3, sizeof *packed->ranges);
    packed->ranges[1] = (pack_range){0.5F, true};
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    const admmnn_runtime_settings settings = {.activations = 8};
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    runtime_run(model, input, 1, output);
    for (size_t i = 0; i < 8; i++)
        assert_true(output[i] == expected[i]);
    admmnn_runtime_close(model);
    base_free(file.at);
    pack_model_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_operations_ran_on_codes),
        cmocka_unit_test(networks_are_near_their_floats),
        cmocka_unit_test(what_is_pooled_on_the_way_has_the_range_of_the_pooling),
        cmocka_unit_test(eight_bits_are_of_files_that_have_ranges),
        cmocka_unit_test(numbers_beyond_their_range_become_its_ends),
    };
    const int failed = cmocka_run_group_tests(operations_tests, NULL, NULL);
    return failed != 0 ? failed : cmocka_run_group_tests(tests, NULL, NULL);
}
