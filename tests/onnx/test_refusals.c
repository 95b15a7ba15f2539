/* Models that are refused, by a message that says why, and in time. */
#include "models.h"

static const int64_t image[4] = {-1, 2, 4, 4};

static void expect_refused(maker *m, admmnn_status wanted, const char *text) {
    onnx_model model;
    admmnn_error err = {0};
    assert_int_equal(maker_read(m, NULL, (uint64_t)1 << 30, &model, &err), wanted);
    if (strstr(err.message, text) == NULL)
        fail_msg("no '%s' in: %s", text, err.message);
    assert_non_null(strstr(err.message, "made.onnx: "));
}

static void operations_are_refused_by_name(void **state) {
    (void)state;
    maker m;
    begin_node(&m, 13, "Cosh", "x");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "node 0, 'y' (Cosh of operator set 13)");
    Onnx__NodeProto *node = begin_node(&m, 13, "If", "x");
    Onnx__GraphProto *inner = maker_take(&m, sizeof *inner);
    onnx__graph_proto__init(inner);
    maker_attribute(&m, node, "then_branch")->g = inner;
    expect_refused(&m, ADMMNN_UNSUPPORTED, "then_branch");
    node = begin_node(&m, 13, "Relu", "x");
    node->domain = maker_text(&m, "com.example");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "com.example");
    node = begin_node(&m, 13, "Relu", "x");
    maker_integer(&m, node, "curious", 1);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "curious");
    begin_node(&m, 13, "Reshape", "x to");
    maker_row(&m, "numbers", image, 4);
    maker_integer(&m, maker_node(&m, "Identity", "numbers", "to"), "curious", 2);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "(Identity of operator set 13): attribute 'curious'");
    begin_node(&m, 23, "Relu", "x");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "operator set 23");
    begin_node(&m, 6, "Relu", "x");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "operator set 6");
}

/* The number that is not where it is looked for would be taken for 0. */
static void attributes_have_the_operators_type(void **state) {
    (void)state;
    maker m;
    Onnx__NodeProto *node = begin_node(&m, 13, "LeakyRelu", "x");
    maker_integer(&m, node, "alpha", 1);
    node->attribute[0]->has_type = 1;
    node->attribute[0]->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    expect_refused(&m, ADMMNN_CORRUPT, "attribute 'alpha' of type 2");
    node = begin_node(&m, 13, "Softmax", "x");
    maker_integer(&m, node, "axis", 1);
    maker_integer(&m, node, "axis", 2);
    expect_refused(&m, ADMMNN_CORRUPT, "attribute 'axis' is there twice");
}

static void the_batch_is_not_mixed(void **state) {
    (void)state;
    maker m;
    const int64_t perm[4] = {1, 0, 2, 3};
    maker_integers(&m, begin_node(&m, 13, "Transpose", "x"), "perm", perm, 4);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "each sample of the batch");
    maker_integers(&m, begin_node(&m, 13, "Transpose", "v"), "perm", perm, 4);
    maker_node(&m, "Relu", "x", "v");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "perm moves the batch's axis");
    maker_integers(&m, begin_node(&m, 13, "Transpose", "x"), "perm", (const int64_t[]){1, 2, 3, 9},
                   4);
    expect_refused(&m, ADMMNN_CORRUPT, "perm has no axis 0");
    maker_integers(&m, begin_node(&m, 13, "Transpose", "x"), "perm", (const int64_t[]){1, 0, 0, 2},
                   4);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "each sample of the batch");
    begin_node(&m, 13, "Relu", "v");
    maker_integers(&m, maker_node(&m, "Transpose", "x", "v"), "perm", perm, 4);
    expect_refused(&m, ADMMNN_UNSUPPORTED,
                   "'y' (Relu of operator set 13): a Transpose's perm moves");
    maker_integer(&m, begin_node(&m, 13, "Gather", "v zero"), "axis", 1);
    maker_row(&m, "zero", (const int64_t[]){0}, 1);
    maker_integers(&m, maker_node(&m, "Transpose", "x", "v"), "perm", perm, 4);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "each sample of the batch");
    maker_integer(&m, begin_node(&m, 13, "Softmax", "x"), "axis", 0);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "each sample of the batch");
    begin_node(&m, 13, "Reshape", "x to");
    maker_row(&m, "to", (const int64_t[]){2, -1}, 2);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "each sample of the batch");
}

/* x itself, and as many numbers as there are samples. */
static void begin_counted(maker *m, int64_t opset, const char *op, const char *inputs) {
    begin_node(m, opset, op, inputs);
    maker_row(m, "zero", (const int64_t[]){0}, 1);
    maker_node(m, "Gather", "shape zero", "count");
    maker_node(m, "Shape", "x", "shape");
}

static void numbers_do_not_depend_on_the_batch(void **state) {
    (void)state;
    maker m;
    begin_counted(&m, 13, "Pow", "x count");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "a number depends on how many there are");
    begin_counted(&m, 13, "Clip", "x count");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "a number depends on how many there are");
    begin_counted(&m, 13, "Resize", "x - - to");
    maker_row(&m, "same", (const int64_t[]){2, 4}, 2);
    maker_integer(&m, maker_node(&m, "Concat", "count same count", "to"), "axis", 0);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "a number depends on how many there are");
}

static void a_normalization_that_is_trained_is_refused(void **state) {
    (void)state;
    const int64_t two = 2;
    const float ones[2] = {1.0F, 1.0F};
    for (int64_t opset = 9; opset <= 13; opset++) {
        maker m;
        Onnx__NodeProto *node = begin_node(&m, opset, "BatchNormalization", "x s b m v");
        maker_floats(&m, "s", &two, 1, ones);
        maker_floats(&m, "b", &two, 1, ones);
        maker_floats(&m, "m", &two, 1, ones);
        maker_floats(&m, "v", &two, 1, ones);
        node->output = maker_take(&m, 2 * sizeof *node->output);
        node->output[0] = maker_text(&m, "y");
        node->output[1] = maker_text(&m, "mean");
        node->n_output = 2;
        expect_refused(&m, ADMMNN_UNSUPPORTED, "only the form for inference is read");
    }
}

/* Files of some hundred kilobytes that would take minutes. */
static void work_is_bounded(void **state) {
    (void)state;
    maker m;
    begin_node(&m, 13, "Relu", "x");
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "first", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, NULL, 0, &(int64_t){0}, 8);
    m.tensors[m.graph.n_initializer++] = maker_tensor(
        &m, "last", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, NULL, 0, &(int64_t){1 << 20}, 8);
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "step", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, NULL, 0, &(int64_t){1}, 8);
    maker_node(&m, "Range", "first last step", "many");
    for (int i = 0; i < 60; i++) {
        char name[16];
        snprintf(name, sizeof name, "all%d", i);
        maker_node(&m, "ReduceSum", "many", name);
    }
    expect_refused(&m, ADMMNN_UNSUPPORTED, "too much of its constants");
}

static void graphs_that_make_no_sense(void **state) {
    (void)state;
    maker m;
    const int64_t other[4] = {-1, 2, -1, 4};
    begin_node(&m, 13, "Add", "x later");
    maker_node(&m, "Relu", "y", "later");
    expect_refused(&m, ADMMNN_CORRUPT, "waits for its own output");
    begin_node(&m, 13, "Add", "x absent");
    expect_refused(&m, ADMMNN_CORRUPT, "'absent', is made by no node");
    begin_node(&m, 13, "Relu", "x");
    maker_node(&m, "Relu", "x", "y");
    expect_refused(&m, ADMMNN_CORRUPT, "made by another");
    begin_node(&m, 13, "Add", "x z");
    maker_input(&m, "z", image, 4);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "two inputs, 'x' and 'z'");
    begin_node(&m, 13, "Relu", "x");
    maker_output(&m, "x");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "2 outputs");
    maker_begin(&m, 13);
    maker_input(&m, "x", other, 4);
    maker_output(&m, "y");
    maker_node(&m, "Relu", "x", "y");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "dimension 2 has no size");
}

static void tensors_that_lie(void **state) {
    (void)state;
    maker m;
    const float few[4] = {1, 2, 3, 4};
    const int64_t claims[][2] = {
        {2, 3}, {1 << 30, 1 << 30}, {INT64_MAX, 2}, {-1, 4}, {536870912, 1}};
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        onnx_model model;
        admmnn_error err = {0};
        begin_node(&m, 13, "Add", "x w");
        m.tensors[m.graph.n_initializer++] =
            maker_tensor(&m, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, claims[i], 2, few, 16);
        const admmnn_status status = maker_read(&m, NULL, (uint64_t)1 << 30, &model, &err);
        assert_true(status == ADMMNN_CORRUPT || status == ADMMNN_MEMORY);
        assert_true(strstr(err.message, "'w'") != NULL || strstr(err.message, "MiB") != NULL);
    }
    begin_node(&m, 13, "Reshape", "x to");
    maker_row(&m, "to", (const int64_t[]){0, 5}, 2);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "samples of 2x4x4 become samples of 5");
    /* No elements are not one for each sample, although their number is not known, either. */
    const int64_t none[4] = {0, 2, 4, 4};
    begin_node(&m, 13, "Add", "x w");
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "w", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, none, 4, few, 0);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "a constant without elements");
}

static void axes_are_named_once(void **state) {
    (void)state;
    maker m;
    begin_node(&m, 13, "Slice", "x starts ends axes");
    maker_row(&m, "starts", (const int64_t[]){1, 1}, 2);
    maker_row(&m, "ends", (const int64_t[]){2, 2}, 2);
    maker_row(&m, "axes", (const int64_t[]){1, -3}, 2);
    expect_refused(&m, ADMMNN_CORRUPT, "axis -3 is there twice");
    begin_node(&m, 13, "Slice", "x starts");
    maker_row(&m, "starts", (const int64_t[]){1}, 1);
    expect_refused(&m, ADMMNN_CORRUPT, "ends that are not as many as the starts");
    begin_node(&m, 13, "Reshape", "x to");
    maker_row(&m, "to", (const int64_t[]){-1, -1}, 2);
    expect_refused(&m, ADMMNN_CORRUPT, "a dimension of -1");
    begin_node(&m, 13, "Expand", "x to");
    maker_row(&m, "to", (const int64_t[]){0, 2, 4, 4}, 4);
    expect_refused(&m, ADMMNN_UNSUPPORTED, "it repeats elements");
    maker_integer(&m, begin_node(&m, 13, "Concat", "x w"), "axis", 1);
    maker_floats(&m, "w", (const int64_t[]){1, 4, 4}, 3, (const float[16]){0});
    expect_refused(&m, ADMMNN_CORRUPT, "a constant of 3 dimensions joins 4");
}

/* A name is what the file says; a message is one line. */
static void names_do_not_break_messages(void **state) {
    (void)state;
    maker m;
    onnx_model model;
    admmnn_error err = {0};
    Onnx__NodeProto *node = begin_node(&m, 13, "Cosh", "x");
    node->name = maker_text(&m, "a\nb\x1b[2J");
    assert_int_equal(maker_read(&m, NULL, 0, &model, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "'a?b?[2J' (Cosh"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_refused_by_name),
        cmocka_unit_test(attributes_have_the_operators_type),
        cmocka_unit_test(the_batch_is_not_mixed),
        cmocka_unit_test(numbers_do_not_depend_on_the_batch),
        cmocka_unit_test(a_normalization_that_is_trained_is_refused),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(graphs_that_make_no_sense),
        cmocka_unit_test(tensors_that_lie),
        cmocka_unit_test(axes_are_named_once),
        cmocka_unit_test(names_do_not_break_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
