/* What exporters write: shapes computed in the file, layers spelled out in small operations,
 * weights in constants and in other files, names of any length. */
#include "models.h"

#include <unistd.h>

static const int64_t image[4] = {-1, 2, 4, 4};

/* ---- what is read ---- */

static onnx_model read_made(maker *m) {
    onnx_model model;
    MUST(maker_read(m, NULL, 0, &model, err));
    return model;
}

/* output[samples of 32 numbers] by the reference. */
static void run(const onnx_model *model, const float *input, size_t samples, float *output) {
    forward(model->g, model->params, input, samples, output);
}

static void fill(float *to, size_t count) {
    base_random random = base_random_at(5, 0, 0);
    for (size_t i = 0; i < count; i++)
        to[i] = 4.0F * base_random_normal(&random);
}

/* Written, read and written again: the same bytes and network. */
static void comes_back(const onnx_model *model) {
    bytes first = write_model(model->g, model->params, model->labels);
    onnx_model again = read_model("first", first);
    bytes second = write_model(again.g, again.params, again.labels);
    expect_same_nodes(model->g, again.g);
    assert_int_equal(model->g->flat_count, again.g->flat_count);
    assert_memory_equal(model->params, again.params, again.g->flat_count * sizeof(float));
    assert_int_equal(first.count, second.count);
    assert_memory_equal(first.at, second.at, first.count);
    onnx_model_free(&again);
    base_free(first.at);
    base_free(second.at);
}

/* x.view(x.size(0), -1) as PyTorch exports it, nodes in the reverse order. */
static void shapes_are_computed(void **state) {
    (void)state;
    maker m;
    const int64_t minus = -1;
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_number(&m, "slope", 0.0F);
    maker_row(&m, "axes", (const int64_t[]){0}, 1);
    maker_row(&m, "rest", &minus, 1);
    maker_node(&m, "Sigmoid", "flat", "y");
    maker_node(&m, "Reshape", "x to", "flat");
    maker_integer(&m, maker_node(&m, "Concat", "batch rest", "to"), "axis", 0);
    maker_node(&m, "Unsqueeze", "first axes", "batch");
    maker_node(&m, "Gather", "shape index", "first");
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "index", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, NULL, 0, &(int64_t){0}, 8);
    maker_node(&m, "Shape", "x", "shape");
    onnx_model model = read_made(&m);
    assert_int_equal(model.g->values[model.g->output].shape.rank, 1);
    assert_int_equal(graph_value_count(model.g, model.g->output), 32);
    comes_back(&model);
    onnx_model_free(&model);
}

/* A row that stands before each sample's, expanded to the batch (a transformer's class). */
static void constants_are_expanded_to_the_batch(void **state) {
    (void)state;
    maker m;
    const int64_t dims[3] = {-1, 3, 2};
    const int64_t row[3] = {1, 1, 2};
    const float numbers[2] = {7.0F, -8.0F};
    float in[12];
    float out[16];
    maker_begin(&m, 13);
    maker_input(&m, "x", dims, 3);
    maker_output(&m, "y");
    maker_floats(&m, "class", row, 3, numbers);
    maker_row(&m, "zero", (const int64_t[]){0}, 1);
    maker_row(&m, "sizes", (const int64_t[]){1, 2}, 2);
    maker_node(&m, "Shape", "x", "shape");
    maker_node(&m, "Gather", "shape zero", "batch");
    maker_integer(&m, maker_node(&m, "Concat", "batch sizes", "to"), "axis", 0);
    maker_node(&m, "Expand", "class to", "rows");
    maker_integer(&m, maker_node(&m, "Concat", "rows x", "y"), "axis", 1);
    onnx_model model = read_made(&m);
    fill(in, 12);
    run(&model, in, 2, out);
    for (size_t s = 0; s < 2; s++) {
        assert_memory_equal(out + 8 * s, numbers, sizeof numbers);
        assert_memory_equal(out + 8 * s + 2, in + 6 * s, 6 * sizeof *in);
    }
    comes_back(&model);
    assert_string_equal(model.labels->parameters[0], "class");
    onnx_model_free(&model);
}

/* x (N, 2, 4, 4) as (2, 4, N, 4): its second channel, whose rows stand before the batch and are
 * turned round, then each row by itself. */
static void the_batch_stands_behind_others_for_a_moment(void **state) {
    (void)state;
    maker m;
    float in[64];
    float out[64];
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_integers(&m, maker_node(&m, "Transpose", "x", "moved"), "perm",
                   (const int64_t[]){1, 2, 0, 3}, 4);
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "one", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, NULL, 0, &(int64_t){1}, 8);
    maker_row(&m, "rows", (const int64_t[]){3, 2, 1, 0}, 4);
    maker_node(&m, "Gather", "moved one", "second");
    maker_node(&m, "Gather", "second rows", "backwards");
    for (int64_t i = 0; i < 4; i++) {
        char name[2][8];
        snprintf(name[0], sizeof name[0], "i%d", (int)i);
        snprintf(name[1], sizeof name[1], "row%d", (int)i);
        m.tensors[m.graph.n_initializer++] = maker_tensor(
            &m, maker_text(&m, name[0]), ONNX__TENSOR_PROTO__DATA_TYPE__INT64, NULL, 0, &i, 8);
        char inputs[24];
        snprintf(inputs, sizeof inputs, "backwards %s", name[0]);
        maker_node(&m, "Gather", inputs, name[1]);
    }
    maker_integer(&m, maker_node(&m, "Concat", "row0 row1 row2 row3", "y"), "axis", 1);
    onnx_model model = read_made(&m);
    fill(in, 64);
    run(&model, in, 2, out);
    for (size_t s = 0; s < 2; s++)
        for (size_t row = 0; row < 4; row++)
            assert_memory_equal(out + 16 * s + 4 * row, in + 32 * s + 16 + 4 * (3 - row),
                                4 * sizeof *in);
    comes_back(&model);
    onnx_model_free(&model);
}

/* Its two halves by Split, and without the axis by Squeeze. */
static void the_batch_is_squeezed_to_the_front(void **state) {
    (void)state;
    maker m;
    float in[64];
    float out[64];
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_integers(&m, maker_node(&m, "Transpose", "x", "moved"), "perm",
                   (const int64_t[]){1, 0, 2, 3}, 4);
    maker_row(&m, "axis", (const int64_t[]){-4}, 1);
    Onnx__NodeProto *split = maker_node(&m, "Split", "moved", "a");
    split->output = maker_take(&m, 2 * sizeof *split->output);
    split->output[0] = maker_text(&m, "a");
    split->output[1] = maker_text(&m, "b");
    split->n_output = 2;
    maker_node(&m, "Squeeze", "a axis", "first");
    maker_node(&m, "Squeeze", "b axis", "second");
    maker_integer(&m, maker_node(&m, "Concat", "second first", "y"), "axis", 1);
    onnx_model model = read_made(&m);
    fill(in, 64);
    run(&model, in, 2, out);
    for (size_t s = 0; s < 2; s++) {
        assert_memory_equal(out + 32 * s, in + 32 * s + 16, 16 * sizeof *in);
        assert_memory_equal(out + 32 * s + 16, in + 32 * s, 16 * sizeof *in);
    }
    comes_back(&model);
    onnx_model_free(&model);
}

static void hard_swish_in_small_operations(void **state) {
    (void)state;
    maker m;
    float in[64];
    float out[64];
    maker_begin(&m, 11);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_number(&m, "three", 3.0F);
    maker_number(&m, "zero", 0.0F);
    maker_number(&m, "six", 6.0F);
    maker_node(&m, "Add", "x three", "moved");
    maker_node(&m, "Clip", "moved zero six", "cut");
    maker_node(&m, "Mul", "x cut", "product");
    maker_node(&m, "Div", "product six", "y");
    onnx_model model = read_made(&m);
    fill(in, 64);
    run(&model, in, 2, out);
    for (size_t i = 0; i < 64; i++) {
        const float gate = fminf(fmaxf(in[i] + 3.0F, 0.0F), 6.0F) / 6.0F;
        assert_true(fabsf(out[i] - in[i] * gate) < 1e-5F);
    }
    comes_back(&model);
    onnx_model_free(&model);
}

/* Gamma and beta become parameters that training moves. */
static void layer_normalization_in_small_operations(void **state) {
    (void)state;
    maker m;
    const int64_t dims[3] = {-1, 4, 3};
    const int64_t row[1] = {3};
    const int64_t last = -1;
    const float gamma[3] = {1.0F, 2.0F, -0.5F};
    const float beta[3] = {0.25F, 0.0F, 3.0F};
    float in[24];
    float out[24];
    maker_begin(&m, 12);
    maker_input(&m, "x", dims, 3);
    maker_output(&m, "y");
    maker_floats(&m, "a_name_of_more_than_thirty_one_characters.gamma", row, 1, gamma);
    maker_floats(&m, "beta", row, 1, beta);
    maker_number(&m, "two", 2.0F);
    maker_number(&m, "epsilon", 1e-5F);
    maker_integers(&m, maker_node(&m, "ReduceMean", "x", "mean"), "axes", &last, 1);
    maker_node(&m, "Sub", "x mean", "centred");
    maker_node(&m, "Pow", "centred two", "squares");
    maker_integers(&m, maker_node(&m, "ReduceMean", "squares", "variance"), "axes", &last, 1);
    maker_node(&m, "Add", "variance epsilon", "above");
    maker_node(&m, "Sqrt", "above", "deviation");
    maker_node(&m, "Div", "centred deviation", "normal");
    maker_node(&m, "Mul", "normal a_name_of_more_than_thirty_one_characters.gamma", "scaled");
    maker_node(&m, "Add", "scaled beta", "y");
    onnx_model model = read_made(&m);
    fill(in, 24);
    run(&model, in, 2, out);
    for (size_t r = 0; r < 8; r++) {
        const float *x = in + 3 * r;
        const float mean = (x[0] + x[1] + x[2]) / 3.0F;
        float variance = 0.0F;
        for (size_t i = 0; i < 3; i++)
            variance += (x[i] - mean) * (x[i] - mean) / 3.0F;
        for (size_t i = 0; i < 3; i++)
            assert_true(fabsf(out[3 * r + i] - ((x[i] - mean) / sqrtf(variance + 1e-5F) * gamma[i] +
                                                beta[i])) < 1e-4F);
    }
    assert_int_equal(graph_trainable_count(model.g), 6);
    assert_string_equal(model.labels->parameters[0],
                        "a_name_of_more_than_thirty_one_characters.gamma");
    comes_back(&model);
    onnx_model_free(&model);
}

/* An exporter writes equal tensors once: what was trained apart is two parameters again. */
static void tensors_that_exporters_shared(void **state) {
    (void)state;
    maker m;
    const int64_t row[1] = {4};
    const float numbers[4] = {1.0F, 2.0F, 3.0F, 4.0F};
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_floats(&m, "shared", row, 1, numbers);
    maker_node(&m, "Identity", "shared", "other");
    maker_node(&m, "Mul", "x shared", "scaled");
    maker_node(&m, "Add", "scaled other", "y");
    onnx_model model = read_made(&m);
    assert_int_equal(model.g->parameter_count, 2);
    assert_string_equal(model.g->parameters[0].name, "shared");
    assert_string_equal(model.g->parameters[1].name, "shared_");
    comes_back(&model);
    onnx_model_free(&model);
}

/* What the zoo builds computes the same when it has been a file. */
static void networks_of_the_zoo(void **state) {
    (void)state;
    const char *const names[] = {"resnet-20", "transformer-small", "lenet-300-100"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        graph *g;
        const graph_shape shape =
            i < 2 ? graph_shape_image(3, 32, 32) : graph_shape_image(1, 28, 28);
        MUST(graph_zoo_create(names[i], shape, 10, &g, err));
        float *params = random_params(g, 3);
        float *in = base_array(graph_shape_count(shape), sizeof *in);
        float out[2][10];
        fill(in, graph_shape_count(shape));
        bytes file = write_model(g, params, NULL);
        onnx_model model = read_model(names[i], file);
        assert_int_equal(graph_weight_count(model.g), graph_weight_count(g));
        assert_int_equal(graph_macs(model.g), graph_macs(g));
        forward(g, params, in, 1, out[0]);
        forward(model.g, model.params, in, 1, out[1]);
        for (size_t k = 0; k < 10; k++)
            assert_true(fabsf(out[0][k] - out[1][k]) <= 1e-5F * (1.0F + fabsf(out[0][k])));
        comes_back(&model);
        onnx_model_free(&model);
        base_free(file.at);
        base_free(in);
        base_free(params);
        graph_free(g);
    }
}

/* Halves, brain floats and whole numbers with a scale, as raw and as typed numbers. */
static void weights_of_other_types(void **state) {
    (void)state;
    maker m;
    const int64_t dims[2] = {-1, 2};
    const int64_t matrix[2] = {2, 1};
    const uint16_t halves[2] = {0x3e00, 0x8001}; /* 1.5, -2^-24 */
    const uint16_t brains[2] = {0x3fc0, 0xc000}; /* 1.5, -2 */
    const int8_t whole[2] = {-3, 100};
    const float in[2] = {1.0F, 1.0F};
    const struct {
        int32_t type;
        const void *data;
        size_t bytes;
        float sum;
    } cases[] = {{ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, halves, 4, 1.5F - 0x1p-24F},
                 {ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, brains, 4, -0.5F},
                 {ONNX__TENSOR_PROTO__DATA_TYPE__INT8, whole, 2, 97.0F * 0.25F}};
    for (size_t c = 0; c < 3; c++) {
        float out;
        const bool codes = cases[c].type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8;
        maker_begin(&m, 13);
        maker_input(&m, "x", dims, 2);
        maker_output(&m, "y");
        m.tensors[m.graph.n_initializer++] = maker_tensor(&m, codes ? "codes" : "w", cases[c].type,
                                                          matrix, 2, cases[c].data, cases[c].bytes);
        maker_number(&m, "scale", 0.25F);
        if (codes)
            maker_node(&m, "DequantizeLinear", "codes scale", "w");
        maker_node(&m, "MatMul", "x w", "y");
        onnx_model model = read_made(&m);
        run(&model, in, 1, &out);
        assert_true(fabsf(out - cases[c].sum) < 1e-6F);
        onnx_model_free(&model);
    }
}

/* Strings, types that the schema does not know, and data that is nowhere, where nothing reads
 * them; descriptions anywhere. */
static void what_nothing_reads_does_not_matter(void **state) {
    (void)state;
    maker m;
    const int64_t row[1] = {3};
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    Onnx__NodeProto *node = maker_node(&m, "Relu", "x", "y");
    node->doc_string = maker_text(&m, "from line 3");
    Onnx__TensorProto *strings =
        maker_tensor(&m, "strings", ONNX__TENSOR_PROTO__DATA_TYPE__STRING, row, 1, "", 0);
    Onnx__TensorProto *unknown = maker_tensor(&m, "unknown", 99, row, 1, "abc", 3);
    Onnx__TensorProto *outside = maker_tensor(&m, "outside", 1, row, 1, "", 0);
    outside->has_data_location = 1;
    outside->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    m.tensors[m.graph.n_initializer++] = strings;
    m.tensors[m.graph.n_initializer++] = unknown;
    m.tensors[m.graph.n_initializer++] = outside;
    Onnx__AttributeProto *value =
        maker_attribute(&m, maker_node(&m, "Constant", "", "unread"), "value");
    value->t = maker_tensor(&m, "", 99, row, 1, "abc", 3);
    m.model.doc_string = maker_text(&m, "a model");
    onnx_model model = read_made(&m);
    assert_int_equal(model.g->node_count, 1);
    onnx_model_free(&model);
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_node(&m, "Add", "x unknown", "y");
    m.tensors[m.graph.n_initializer++] = maker_tensor(&m, "unknown", 99, row, 1, "abc", 3);
    admmnn_error err = {0};
    assert_int_equal(maker_read(&m, NULL, 0, &model, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "tensor 'unknown': elements of type 99"));
}

/* All of the input, or the mean of none of its axes, is the input. */
static void what_changes_nothing_is_no_node(void **state) {
    (void)state;
    maker m;
    const int64_t dims[2] = {-1, 3};
    maker_begin(&m, 13);
    maker_input(&m, "x", dims, 2);
    maker_output(&m, "y");
    maker_row(&m, "starts", (const int64_t[]){0}, 1);
    maker_row(&m, "ends", (const int64_t[]){INT64_MAX}, 1);
    maker_row(&m, "axes", (const int64_t[]){1}, 1);
    maker_node(&m, "Slice", "x starts ends axes", "all");
    maker_node(&m, "GlobalAveragePool", "all", "means");
    maker_integer(&m, maker_node(&m, "Split", "means", "part"), "axis", 1);
    maker_node(&m, "Relu", "part", "y");
    onnx_model model = read_made(&m);
    assert_int_equal(model.g->node_count, 1);
    comes_back(&model);
    onnx_model_free(&model);
}

/* Of nodes of one name the first keeps it; the others are told apart. */
static void names_are_there_once(void **state) {
    (void)state;
    maker m;
    maker_begin(&m, 13);
    maker_input(&m, "x", image, 4);
    maker_output(&m, "y");
    maker_node(&m, "Relu", "x", "a");
    Onnx__NodeProto *second = maker_node(&m, "Sigmoid", "a", "b");
    Onnx__NodeProto *third = maker_node(&m, "Tanh", "b", "y");
    second->name = maker_text(&m, "a");
    third->name = maker_text(&m, "Sigmoid3");
    onnx_model model = read_made(&m);
    assert_string_equal(model.g->nodes[0].name, "a");
    assert_string_equal(model.g->nodes[1].name, "Sigmoid2");
    assert_string_equal(model.g->nodes[2].name, "Sigmoid3");
    comes_back(&model);
    onnx_model_free(&model);
}

/* Of long names the ends are ours; where those are the same, or no text, the node gets a number
 * that it keeps though MatMul is written as Gemm. */
static void names_that_are_not_ours_stay(void **state) {
    (void)state;
    static const char *const names[] = {"/encoder/layer.0/of/many/attention/self/query/MatMul",
                                        "/encoder/layer.1/of/many/attention/self/query/MatMul",
                                        "query\n"};
    const float ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    maker m;
    maker_begin(&m, 13);
    maker_input(&m, "x", (const int64_t[]){-1, 4}, 2);
    maker_output(&m, "c");
    maker_floats(&m, "w", (const int64_t[]){4, 4}, 2, ones);
    maker_node(&m, "MatMul", "x w", "a")->name = maker_text(&m, names[0]);
    maker_node(&m, "MatMul", "a w", "b")->name = maker_text(&m, names[1]);
    maker_node(&m, "MatMul", "b w", "c")->name = maker_text(&m, names[2]);
    onnx_model model = read_made(&m);
    assert_string_equal(model.g->nodes[0].name, names[0] + strlen(names[0]) - 31);
    assert_string_equal(model.g->nodes[1].name, "node2");
    assert_string_equal(model.g->nodes[2].name, "node3");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(model.labels->nodes[i], names[i]);
    comes_back(&model);
    onnx_model_free(&model);
}

/* A name that is made for the first node would be the third's. */
static void names_are_made_that_no_node_has(void **state) {
    (void)state;
    maker m;
    begin_node(&m, 13, "Tanh", "b");
    maker_node(&m, "Relu", "a", "b")->name = maker_text(&m, "Relu1");
    maker_node(&m, "Relu", "x", "a")->name = maker_text(&m, "");
    onnx_model model = read_made(&m);
    assert_int_equal(model.g->node_count, 3);
    assert_string_equal(model.g->nodes[1].name, "Relu1");
    assert_string_not_equal(model.g->nodes[0].name, "Relu1");
    comes_back(&model);
    onnx_model_free(&model);
}

static void a_dropout_of_all_is_nothing_to_inference(void **state) {
    (void)state;
    maker m;
    float in[32];
    float out[32];
    begin_node(&m, 13, "Identity", "d");
    maker_node(&m, "Neg", "n", "d");
    maker_node(&m, "Dropout", "x all", "n");
    maker_number(&m, "all", 1.0F);
    onnx_model model = read_made(&m);
    fill(in, 32);
    run(&model, in, 1, out);
    for (size_t i = 0; i < 32; i++)
        assert_true(out[i] == -in[i]);
    onnx_model_free(&model);
}

/* ---- other files ---- */

static char folder[] = "/tmp/admmnn-import-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static const char *in_folder(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_folder(void **state) {
    (void)state;
    remove(in_folder("inside"));
    remove(in_folder("link"));
    return rmdir(folder);
}

static admmnn_status read_external(const char *location, const char *offset, const char *length,
                                   onnx_model *model, admmnn_error *err) {
    maker m;
    const int64_t dims[2] = {-1, 2};
    const int64_t matrix[2] = {2, 1};
    const char *const pairs[3][2] = {
        {"location", location}, {"offset", offset}, {"length", length}};
    maker_begin(&m, 13);
    maker_input(&m, "x", dims, 2);
    maker_output(&m, "y");
    maker_node(&m, "MatMul", "x w", "y");
    Onnx__TensorProto *w =
        maker_tensor(&m, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, matrix, 2, "", 0);
    w->has_raw_data = 0;
    w->has_data_location = 1;
    w->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    w->external_data = maker_take(&m, 3 * sizeof *w->external_data);
    for (size_t i = 0; i < 3; i++) {
        Onnx__StringStringEntryProto *entry = maker_take(&m, sizeof *entry);
        onnx__string_string_entry_proto__init(entry);
        entry->key = maker_text(&m, pairs[i][0]);
        entry->value = maker_text(&m, pairs[i][1]);
        w->external_data[w->n_external_data++] = entry;
    }
    m.tensors[m.graph.n_initializer++] = w;
    return maker_read(&m, folder, 0, model, err);
}

static void signs_of_zeros_and_infinities_come_back(void **state) {
    (void)state;
    const graph_unary clips[] = {{GRAPH_CLIP, -0.0F, INFINITY},
                                 {GRAPH_CLIP, -INFINITY, -0.0F},
                                 {GRAPH_CLIP, INFINITY, -INFINITY}};
    const graph_pad pad = {GRAPH_PAD_CONSTANT, -0.0F, {1}, {0}};
    graph *g;
    uint32_t v;
    MUST(graph_create("signs", graph_shape_vector(3), &g, err));
    MUST(graph_add_pad(g, "pad", g->input, &pad, &v, err));
    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"a", "b", "c"};
        MUST(graph_add_unary(g, names[i], v, clips[i], &v, err));
    }
    bytes file = write_model(g, NULL, NULL);
    onnx_model back = read_model("signs", file);
    assert_int_equal(back.g->node_count, 4);
    assert_memory_equal(&back.g->nodes[0].pad, &pad, sizeof pad);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(&back.g->nodes[1 + i].unary, &clips[i], sizeof clips[i]);
    base_free(file.at);
    onnx_model_free(&back);
    graph_free(g);
}

static void data_of_another_file(void **state) {
    (void)state;
    const float numbers[3] = {9.0F, 2.0F, 3.0F};
    const float in[2] = {10.0F, 100.0F};
    float out;
    onnx_model model;
    MUST(base_file_write(in_folder("inside"), numbers, sizeof numbers, err));
    MUST(read_external("inside", "4", "8", &model, err));
    run(&model, in, 1, &out);
    assert_true(out == 320.0F);
    comes_back(&model);
    onnx_model_free(&model);
}

static void data_stays_in_the_folder(void **state) {
    (void)state;
    const struct {
        const char *location, *offset, *length, *text;
        admmnn_status status;
    } cases[] = {{"/etc/passwd", "0", "8", "outside the model's folder", ADMMNN_CORRUPT},
                 {"../../etc/passwd", "0", "8", "outside the model's folder", ADMMNN_CORRUPT},
                 {"a/../../b", "0", "8", "outside the model's folder", ADMMNN_CORRUPT},
                 {"link", "0", "8", "outside the model's folder", ADMMNN_CORRUPT},
                 {"inside", "8", "8", "does not hold 8 bytes", ADMMNN_CORRUPT},
                 {"inside", "0", "12", "not what its dimensions", ADMMNN_CORRUPT},
                 {"inside", "-4", "8", "external offset", ADMMNN_CORRUPT},
                 {"inside", "99999999999999999999", "8", "external offset", ADMMNN_CORRUPT},
                 {"absent", "0", "8", "is absent", ADMMNN_NOT_FOUND}};
    assert_int_equal(symlink("/etc/passwd", in_folder("link")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        onnx_model model;
        admmnn_error err = {0};
        assert_int_equal(
            read_external(cases[i].location, cases[i].offset, cases[i].length, &model, &err),
            cases[i].status);
        if (strstr(err.message, cases[i].text) == NULL)
            fail_msg("no '%s' in: %s", cases[i].text, err.message);
    }
}

/* A MatMul's matrix lies the other way round, whatever its size. */
static void matrices_are_turned(void **state) {
    (void)state;
    static const int64_t sizes[][2] = {{1, 1}, {1, 40}, {16, 16}, {45, 37}, {33, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        maker m;
        const int64_t columns = sizes[i][0];
        const int64_t rows = sizes[i][1];
        float w[64 * 64];
        for (int64_t k = 0; k < columns * rows; k++)
            w[k] = (float)k;
        maker_begin(&m, 13);
        maker_input(&m, "x", (const int64_t[]){-1, columns}, 2);
        maker_output(&m, "y");
        maker_floats(&m, "w", sizes[i], 2, w);
        maker_node(&m, "MatMul", "x w", "y");
        onnx_model model = read_made(&m);
        assert_int_equal(model.g->parameters[0].rows, rows);
        assert_int_equal(model.g->parameters[0].columns, columns);
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                assert_true(model.params[row * columns + column] == w[column * rows + row]);
        onnx_model_free(&model);
    }
}

/* Links within the folder may stand for names in it. */
static void links_within_the_folder_are_followed(void **state) {
    (void)state;
    const float numbers[2] = {2.0F, 3.0F};
    const float in[2] = {10.0F, 100.0F};
    float out;
    onnx_model model;
    MUST(base_folder_make(in_folder("real"), err));
    MUST(base_file_write(in_folder("real/data"), numbers, sizeof numbers, err));
    assert_int_equal(symlink("real", in_folder("way")), 0);
    assert_int_equal(symlink("way/data", in_folder("name")), 0);
    MUST(read_external("name", "0", "8", &model, err));
    run(&model, in, 1, &out);
    assert_true(out == 320.0F);
    onnx_model_free(&model);
    const char *const made[] = {"name", "way", "real/data", "real"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        assert_int_equal(remove(in_folder(made[i])), 0);
}

/* 512 MiB of weights that the file says lie elsewhere, where there are 256. */
static void more_than_the_memory_is_told_first(void **state) {
    (void)state;
    maker m;
    const int64_t dims[2] = {128 << 20, 1};
    onnx_model model;
    admmnn_error err = {0};
    begin_node(&m, 13, "Add", "x w");
    Onnx__TensorProto *w =
        maker_tensor(&m, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, dims, 2, "", 0);
    w->has_raw_data = 0;
    w->has_data_location = 1;
    w->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    m.tensors[m.graph.n_initializer++] = w;
    assert_int_equal(maker_read(&m, folder, (uint64_t)256 << 20, &model, &err), ADMMNN_MEMORY);
    assert_non_null(strstr(err.message, "need 1024 MiB of memory; there are 256"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_computed),
        cmocka_unit_test(constants_are_expanded_to_the_batch),
        cmocka_unit_test(the_batch_stands_behind_others_for_a_moment),
        cmocka_unit_test(the_batch_is_squeezed_to_the_front),
        cmocka_unit_test(hard_swish_in_small_operations),
        cmocka_unit_test(layer_normalization_in_small_operations),
        cmocka_unit_test(tensors_that_exporters_shared),
        cmocka_unit_test(networks_of_the_zoo),
        cmocka_unit_test(weights_of_other_types),
        cmocka_unit_test(what_nothing_reads_does_not_matter),
        cmocka_unit_test(what_changes_nothing_is_no_node),
        cmocka_unit_test(names_are_there_once),
        cmocka_unit_test(names_that_are_not_ours_stay),
        cmocka_unit_test(names_are_made_that_no_node_has),
        cmocka_unit_test(a_dropout_of_all_is_nothing_to_inference),
        cmocka_unit_test(signs_of_zeros_and_infinities_come_back),
        cmocka_unit_test(data_of_another_file),
        cmocka_unit_test(matrices_are_turned),
        cmocka_unit_test(data_stays_in_the_folder),
        cmocka_unit_test(links_within_the_folder_are_followed),
        cmocka_unit_test(more_than_the_memory_is_told_first),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
