/* Reading: what was written, to the bit; what exporters write; refusals. */
#include "support.h"

static onnx_model reread(const graph *g, const float *params, const onnx_property *properties,
                         size_t count) {
    bytes file;
    const onnx_writing writing = {
        .g = g, .params = params, .properties = properties, .property_count = count};
    MUST(write_bytes(&writing, &file, err));
    onnx_model model = read_model("file", file);
    base_free(file.at);
    return model;
}

static void expect_same(const graph *a, const graph *b) {
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->parameter_count, b->parameter_count);
    assert_int_equal(a->output, b->output);
    expect_same_values(a, b);
    expect_same_nodes(a, b);
}

static void round_trip(graph *g) {
    const onnx_property properties[] = {
        {"key", "value"}, {"empty", ""}, {"two\nlines", "=\t\xc3\xa9"}};
    float *params = random_params(g, 3);
    const uint32_t odd[3] = {0x80000000U, 0x7fc12345U, 0x00000001U}; /* -0, a NaN, a denormal */
    memcpy(params, odd, sizeof odd);
    onnx_model model = reread(g, params, properties, 3);
    expect_same(g, model.g);
    assert_memory_equal(params, model.params, g->flat_count * sizeof *params);
    assert_int_equal(model.labels->property_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(model.labels->properties[i].key, properties[i].key);
        assert_string_equal(model.labels->properties[i].value, properties[i].value);
    }
    onnx_model_free(&model);
    base_free(params);
    graph_free(g);
}

static void lenet5_comes_back(void **state) {
    (void)state;
    round_trip(zoo("lenet-5"));
}

static void odd_network_comes_back(void **state) {
    (void)state;
    round_trip(odd_network());
}

static void normalized_networks_come_back(void **state) {
    (void)state;
    round_trip(normalized_network(false));
    round_trip(normalized_network(true));
}

static void fork_with_an_early_output_comes_back(void **state) {
    (void)state;
    graph *g;
    uint32_t fork;
    uint32_t out;
    uint32_t dead;
    MUST(graph_create("fork", graph_shape_image(1, 4, 4), &g, err));
    MUST(graph_add_relu(g, "fork", g->input, &fork, err));
    MUST(graph_add_inner_product(g, "used", fork, 3, true, &out, err));
    MUST(graph_add_inner_product(g, "unused", fork, 2, true, &dead, err));
    g->output = out;
    round_trip(g);
}

/* ---- other exporters ---- */

static bytes load(const char *name, const char *suffix) {
    char path[128];
    bytes file;
    snprintf(path, sizeof path, "tests/onnx/data/%s.%s", name, suffix);
    MUST(base_file_read(path, 1 << 20, &file.at, &file.count, err));
    return file;
}

static void computes_what_the_exporter_did(const char *name, uint32_t nodes) {
    bytes file = load(name, "onnx");
    bytes values = load(name, "bin");
    onnx_model model = read_model(name, file);
    assert_int_equal(model.g->node_count, nodes);
    size_t inputs = 2 * graph_value_count(model.g, model.g->input);
    size_t outputs = 2 * graph_value_count(model.g, model.g->output);
    assert_int_equal(values.count, (inputs + outputs) * sizeof(float));
    float *expected = base_array_copy(values.at, inputs + outputs, sizeof *expected);
    float *got = base_array(outputs, sizeof *got);
    forward(model.g, model.params, expected, 2, got);
    for (size_t i = 0; i < outputs; i++)
        assert_true(fabsf(got[i] - expected[inputs + i]) < 1e-5F);
    base_free(expected);
    base_free(got);
    onnx_model_free(&model);
    base_free(file.at);
    base_free(values.at);
}

static void pytorch_sequence(void **state) {
    (void)state;
    computes_what_the_exporter_did("sequence", 6);
}

static void pytorch_view_without_bias(void **state) {
    (void)state;
    computes_what_the_exporter_did("viewed", 4);
}

static void matrix_products_with_added_biases(void **state) {
    (void)state;
    computes_what_the_exporter_did("dense", 3);
}

/* ---- refusals ---- */

static admmnn_status read_bytes(const char *name, const uint8_t *at, size_t count,
                                onnx_model *model, admmnn_error *err) {
    const onnx_file file = {.name = name, .bytes = at, .count = count};
    return onnx_read(&file, model, err);
}

/* The file with one text of the same length in place of another. */
static admmnn_status read_altered(const char *name, const char *from, const char *to,
                                  admmnn_error *err) {
    bytes file = load(name, "onnx");
    size_t length = strlen(from);
    assert_int_equal(strlen(to), length);
    size_t changes = 0;
    for (size_t i = 0; i + length <= file.count; i++)
        if (memcmp(file.at + i, from, length) == 0) {
            memcpy(file.at + i, to, length);
            changes++;
        }
    assert_true(changes > 0);
    onnx_model model;
    admmnn_status status = read_bytes("altered.onnx", file.at, file.count, &model, err);
    if (status == ADMMNN_OK)
        onnx_model_free(&model);
    base_free(file.at);
    return status;
}

static void unknown_things_are_named(void **state) {
    (void)state;
    admmnn_error err;
    assert_int_equal(read_altered("dense", "Relu", "Cosh", &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "altered.onnx"));
    assert_non_null(strstr(err.message, "a name of more than thirty-one characters"));
    assert_non_null(strstr(err.message, "Cosh of operator set 11"));
    assert_int_equal(read_altered("viewed", "dilations", "dilutions", &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "dilutions"));
    assert_int_equal(read_altered("sequence", "MaxPool", "LpPools", &err), ADMMNN_UNSUPPORTED);
    /* The second product's sum names the first, whose bias has come. */
    assert_int_equal(read_altered("dense", "m2", "m1", &err), ADMMNN_CORRUPT);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    static const uint8_t nothing[1] = {0};
    static const uint8_t noise[] = {0x3a, 0x7f, 0x01};
    onnx_model model;
    admmnn_error err;
    assert_int_equal(read_bytes("x", nothing, 0, &model, &err), ADMMNN_CORRUPT);
    assert_int_equal(read_bytes("x", noise, sizeof noise, &model, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "x: "));
}

/* A model whose input is a sequence of sequences ...: protobuf-c would recurse. */
static admmnn_status read_nested(size_t depth) {
    static uint8_t file[200000];
    const uint8_t outside[3] = {0x12, 0x5a, 0x3a}; /* a value's type, an input, a graph */
    const uint8_t inside[2] = {0x0a, 0x22};        /* a sequence's type, a type's sequence */
    size_t at = sizeof file;
    size_t length = 0;
    for (size_t i = 0; i < 2 * depth + 3; i++) {
        size_t bytes = 1;
        while (length >> (7 * bytes) != 0)
            bytes++;
        for (size_t b = bytes; b-- > 0;)
            file[--at] = (uint8_t)((length >> (7 * b) & 0x7f) | (b + 1 < bytes ? 0x80U : 0U));
        file[--at] = i < 2 * depth ? inside[i % 2] : outside[i - 2 * depth];
        length = sizeof file - at;
    }
    onnx_model model;
    return read_bytes("nested", file + at, length, &model, NULL);
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    assert_int_equal(read_nested(3), ADMMNN_UNSUPPORTED); /* sound, but no tensor */
    assert_int_equal(read_nested(20000), ADMMNN_CORRUPT);
}

/* Cut or changed anywhere, the file is read or refused, never more. */
static void every_truncation_and_flip_is_survived(void **state) {
    (void)state;
    bytes file = load("dense", "onnx");
    onnx_model model;
    for (size_t count = 0; count < file.count; count++) {
        uint8_t *cut = base_array_copy(file.at, count, 1);
        if (read_bytes("cut", cut, count, &model, NULL) == ADMMNN_OK)
            onnx_model_free(&model);
        base_free(cut);
    }
    for (size_t i = 0; i < file.count; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file.at[i] ^= (uint8_t)(1U << bit);
            if (read_bytes("flipped", file.at, file.count, &model, NULL) == ADMMNN_OK)
                onnx_model_free(&model);
            file.at[i] ^= (uint8_t)(1U << bit);
        }
    base_free(file.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenet5_comes_back),
        cmocka_unit_test(odd_network_comes_back),
        cmocka_unit_test(normalized_networks_come_back),
        cmocka_unit_test(fork_with_an_early_output_comes_back),
        cmocka_unit_test(pytorch_sequence),
        cmocka_unit_test(pytorch_view_without_bias),
        cmocka_unit_test(matrix_products_with_added_biases),
        cmocka_unit_test(unknown_things_are_named),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(every_truncation_and_flip_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
