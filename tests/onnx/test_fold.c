/* What is computed of constants, beside the numbers that ONNX's text asks for. */
#include "models.h"

#include <math.h>

/* ---- a model whose output is the constant "c" ---- */

static void begin(maker *m, int64_t count) {
    const int64_t dims[2] = {-1, count};
    maker_begin(m, 18);
    maker_input(m, "x", dims, 2);
    maker_output(m, "y");
}

static Onnx__NodeProto *fold(maker *m, const char *op, const char *inputs) {
    return maker_node(m, op, inputs, "c");
}

static void finish(maker *m) {
    maker_integer(m, maker_node(m, "Cast", "c", "floats"), "to",
                  ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    maker_node(m, "Add", "x floats", "y");
}

static void expect_row(maker *m, const float *row, size_t count) {
    onnx_model model;
    float zeros[16] = {0};
    float out[16];
    finish(m);
    MUST(maker_read(m, NULL, 0, &model, err));
    assert_int_equal(graph_value_count(model.g, model.g->output), count);
    forward(model.g, model.params, zeros, 1, out);
    for (size_t i = 0; i < count; i++)
        if (out[i] != row[i])
            fail_msg("element %zu is %g, not %g", i, (double)out[i], (double)row[i]);
    onnx_model_free(&model);
}

#define EXPECT_ROW(m, ...)                                                                         \
    expect_row(m, (const float[]){__VA_ARGS__},                                                    \
               sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

static void expect_refused(maker *m, admmnn_status wanted, const char *text) {
    onnx_model model;
    admmnn_error err = {0};
    finish(m);
    assert_int_equal(maker_read(m, NULL, 0, &model, &err), wanted);
    if (strstr(err.message, text) == NULL)
        fail_msg("no '%s' in: %s", text, err.message);
}

#define UNKNOWN "constants of a form that it is not computed for"

/* "c" of two rows. */
static void binary(maker *m, const char *op, const int64_t *left, const int64_t *right,
                   size_t count) {
    begin(m, (int64_t)count);
    maker_row(m, "left", left, count);
    maker_row(m, "right", right, count);
    fold(m, op, "left right");
}

#define BINARY(m, op, count, left, right)                                                          \
    binary(m, op, (const int64_t[count])left, (const int64_t[count])right, count)
#define PAIR(a, b)                                                                                 \
    { a, b }

/* ---- arithmetic ---- */

static void whole_numbers_are_divided_towards_zero(void **state) {
    (void)state;
    maker m;
    BINARY(&m, "Div", 2, PAIR(7, -7), PAIR(2, 2));
    EXPECT_ROW(&m, 3, -3);
    BINARY(&m, "Div", 2, PAIR(7, -8), PAIR(-1, -1));
    EXPECT_ROW(&m, -7, 8);
    BINARY(&m, "Div", 2, PAIR(7, INT64_MIN), PAIR(-1, -1));
    EXPECT_ROW(&m, -7, (float)INT64_MIN);
    BINARY(&m, "Div", 2, PAIR(7, 7), PAIR(1, 0));
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

static void whole_numbers_have_opposites(void **state) {
    (void)state;
    maker m;
    for (int absolute = 0; absolute < 2; absolute++) {
        begin(&m, 2);
        maker_row(&m, "row", (const int64_t[]){-3, 4}, 2);
        fold(&m, absolute != 0 ? "Abs" : "Neg", "row");
        if (absolute != 0)
            EXPECT_ROW(&m, 3, 4);
        else
            EXPECT_ROW(&m, 3, -4);
    }
    begin(&m, 2);
    maker_row(&m, "row", (const int64_t[]){-3, 4}, 2);
    fold(&m, "Sqrt", "row");
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

static void remainders_have_the_divisors_sign(void **state) {
    (void)state;
    maker m;
    BINARY(&m, "Mod", 2, PAIR(-7, 7), PAIR(3, -3));
    EXPECT_ROW(&m, 2, -2);
    begin(&m, 2);
    maker_row(&m, "left", (const int64_t[]){-7, 7}, 2);
    maker_row(&m, "right", (const int64_t[]){3, -3}, 2);
    maker_integer(&m, fold(&m, "Mod", "left right"), "fmod", 1);
    EXPECT_ROW(&m, -1, 1);
}

static void comparisons_do_not_overflow(void **state) {
    (void)state;
    maker m;
    BINARY(&m, "Less", 2, PAIR(INT64_MIN, INT64_MAX), PAIR(1, -1));
    EXPECT_ROW(&m, 1, 0);
    BINARY(&m, "Max", 2, PAIR(INT64_MIN, 2), PAIR(1, INT64_MIN));
    EXPECT_ROW(&m, 1, 2);
    BINARY(&m, "GreaterOrEqual", 2, PAIR(4, 3), PAIR(4, 4));
    EXPECT_ROW(&m, 1, 0);
}

static void truth_is_not_computed_of_floats(void **state) {
    (void)state;
    maker m;
    begin(&m, 1);
    maker_number(&m, "left", 1.0F);
    maker_number(&m, "right", 0.0F);
    fold(&m, "Or", "left right");
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

/* A number that is no number is in no order with any. */
static void nan_compares_with_nothing(void **state) {
    (void)state;
    maker m;
    begin(&m, 1);
    maker_number(&m, "left", NAN);
    maker_number(&m, "right", 0.0F);
    fold(&m, "Equal", "left right");
    EXPECT_ROW(&m, 0);
}

static void totals_are_of_the_axes_that_are_told(void **state) {
    (void)state;
    maker m;
    begin(&m, 3);
    maker_row(&m, "row", (const int64_t[]){2, 3, 4}, 3);
    fold(&m, "ReduceProd", "row");
    EXPECT_ROW(&m, 24, 24, 24);
    begin(&m, 3);
    maker_row(&m, "row", (const int64_t[]){2, 3, 4}, 3);
    maker_integer(&m, fold(&m, "ReduceSum", "row"), "noop_with_empty_axes", 1);
    EXPECT_ROW(&m, 2, 3, 4);
    begin(&m, 3);
    maker_row(&m, "row", (const int64_t[]){2, 3, 4}, 3);
    maker_row(&m, "axes", (const int64_t[]){1}, 1);
    fold(&m, "ReduceSum", "row axes");
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

/* ---- parts ---- */

static void slice_of_ten(maker *m, int64_t count, int64_t start, int64_t end, int64_t step) {
    begin(m, count);
    maker_row(m, "row", (const int64_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 10);
    maker_row(m, "starts", &start, 1);
    maker_row(m, "ends", &end, 1);
    maker_row(m, "axes", (const int64_t[]){-1}, 1);
    maker_row(m, "steps", &step, 1);
    fold(m, "Slice", "row starts ends axes steps");
}

static void slices_are_cut_to_what_there_is(void **state) {
    (void)state;
    maker m;
    slice_of_ten(&m, 3, 8, 0, -3);
    EXPECT_ROW(&m, 8, 5, 2);
    slice_of_ten(&m, 2, INT64_MAX, INT64_MIN, -5);
    EXPECT_ROW(&m, 9, 4);
    slice_of_ten(&m, 1, -100, INT64_MIN, -1); /* a start is cut to the first place there is */
    EXPECT_ROW(&m, 0);
    slice_of_ten(&m, 2, -2, INT64_MAX, 1);
    EXPECT_ROW(&m, 8, 9);
    slice_of_ten(&m, 1, 3, 10, INT32_MAX);
    EXPECT_ROW(&m, 3);
    slice_of_ten(&m, 1, 0, 10, 0);
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

/* Two cuts of one axis would add up to places behind the array. */
static void an_axis_is_cut_once(void **state) {
    (void)state;
    maker m;
    begin(&m, 1);
    maker_row(&m, "row", (const int64_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 10);
    maker_row(&m, "starts", (const int64_t[]){9, 9}, 2);
    maker_row(&m, "ends", (const int64_t[]){10, 10}, 2);
    maker_row(&m, "axes", (const int64_t[]){0, -1}, 2);
    fold(&m, "Slice", "row starts ends axes");
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

/* Places of an array without elements are not computed: they would not fit. */
static void nothing_is_cut_of_nothing(void **state) {
    (void)state;
    maker m;
    const int64_t dims[4] = {0, 1, 1, INT64_C(1) << 60};
    begin(&m, 4);
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "none", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims, 4, "", 0);
    maker_row(&m, "starts", (const int64_t[]){1, 1, 1}, 3);
    maker_row(&m, "ends", (const int64_t[]){1, 1, 9}, 3);
    maker_row(&m, "axes", (const int64_t[]){1, 2, 3}, 3);
    maker_row(&m, "steps", (const int64_t[]){INT32_MAX, 1, 1}, 3);
    maker_node(&m, "Slice", "none starts ends axes steps", "cut");
    fold(&m, "Shape", "cut");
    EXPECT_ROW(&m, 0, 0, 0, 8);
}

static void shapes_may_be_asked_for_in_part(void **state) {
    (void)state;
    maker m;
    const int64_t dims[4] = {1, 2, 1, 3};
    const float zeros[6] = {0};
    begin(&m, 2);
    maker_floats(&m, "w", dims, 4, zeros);
    Onnx__NodeProto *shape = fold(&m, "Shape", "w");
    maker_integer(&m, shape, "start", 1);
    maker_integer(&m, shape, "end", -1);
    EXPECT_ROW(&m, 2, 1);
}

/* ---- made ---- */

static void range(maker *m, int64_t count, int64_t start, int64_t limit, int64_t step) {
    begin(m, count);
    maker_row(m, "start", &start, 1);
    maker_row(m, "limit", &limit, 1);
    maker_row(m, "step", &step, 1);
    fold(m, "Range", "start limit step");
}

static void ranges_end_before_their_limit(void **state) {
    (void)state;
    maker m;
    range(&m, 3, 5, 0, -2);
    EXPECT_ROW(&m, 5, 3, 1);
    range(&m, 4, INT64_MIN, INT64_MAX, INT64_C(1) << 62);
    EXPECT_ROW(&m, -0x1p63F, -0x1p62F, 0, 0x1p62F);
    range(&m, 1, INT64_MAX - 1, INT64_MAX, 1);
    EXPECT_ROW(&m, 0x1p63F);
    range(&m, 1, 0, INT64_MAX, 1);
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
    range(&m, 1, 0, 1, 0);
    expect_refused(&m, ADMMNN_UNSUPPORTED, UNKNOWN);
}

static void repetition_is_bounded(void **state) {
    (void)state;
    maker m;
    begin(&m, 1);
    maker_number(&m, "one", 1.0F);
    maker_row(&m, "to", (const int64_t[]){1 << 30, 1 << 30}, 2);
    fold(&m, "Expand", "one to");
    expect_refused(&m, ADMMNN_MEMORY, "out of memory for an ONNX model's constants");
    begin(&m, 1);
    maker_row(&m, "to", (const int64_t[]){-1}, 1);
    fold(&m, "ConstantOfShape", "to");
    expect_refused(&m, ADMMNN_UNSUPPORTED, "a constant of impossible size");
}

static void constants_say_one_value(void **state) {
    (void)state;
    maker m;
    begin(&m, 2);
    maker_integers(&m, fold(&m, "Constant", ""), "value_ints", (const int64_t[]){4, -2}, 2);
    EXPECT_ROW(&m, 4, -2);
    begin(&m, 2);
    fold(&m, "Constant", "");
    expect_refused(&m, ADMMNN_CORRUPT, "it does not say one value");
}

/* Each column has a scale and a zero point of its own. */
static void codes_have_scales_along_an_axis(void **state) {
    (void)state;
    maker m;
    const int64_t dims[2] = {1, 3};
    const int64_t row[1] = {3};
    const int8_t codes[3] = {-3, 5, 0};
    const int8_t zeros[3] = {0, 1, 2};
    const float scales[3] = {0.5F, 2.0F, 0.25F};
    begin(&m, 3);
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "codes", ONNX__TENSOR_PROTO__DATA_TYPE__INT8, dims, 2, codes, 3);
    m.tensors[m.graph.n_initializer++] =
        maker_tensor(&m, "zeros", ONNX__TENSOR_PROTO__DATA_TYPE__INT8, row, 1, zeros, 3);
    maker_floats(&m, "scales", row, 1, scales);
    fold(&m, "DequantizeLinear", "codes scales zeros");
    EXPECT_ROW(&m, -1.5F, 8, -0.5F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_divided_towards_zero),
        cmocka_unit_test(whole_numbers_have_opposites),
        cmocka_unit_test(remainders_have_the_divisors_sign),
        cmocka_unit_test(comparisons_do_not_overflow),
        cmocka_unit_test(truth_is_not_computed_of_floats),
        cmocka_unit_test(nan_compares_with_nothing),
        cmocka_unit_test(totals_are_of_the_axes_that_are_told),
        cmocka_unit_test(slices_are_cut_to_what_there_is),
        cmocka_unit_test(an_axis_is_cut_once),
        cmocka_unit_test(nothing_is_cut_of_nothing),
        cmocka_unit_test(shapes_may_be_asked_for_in_part),
        cmocka_unit_test(ranges_end_before_their_limit),
        cmocka_unit_test(repetition_is_bounded),
        cmocka_unit_test(constants_say_one_value),
        cmocka_unit_test(codes_have_scales_along_an_axis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
