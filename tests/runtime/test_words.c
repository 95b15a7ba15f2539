/* Lists of inner products whose places and symbols share words of 16 bits: up to what these hold,
 * beyond it in parts of rows, and where that does not pay. */
#include <math.h>

#include "support.h"

/* Of the largest output: sums of 32 bits, of which the reference has none. */
#define BOUND 1e-5

static pack_model *product_model(uint32_t inputs, uint32_t outputs, unsigned bits, double density) {
    return random_model(one_product(inputs, outputs), (filling){ADMM_LEVELS_EQUAL, bits, density},
                        inputs);
}

static bytes file_of(const pack_model *packed) {
    return encode(packed, PACK_POSITION_ENTROPY, PACK_CODER_FIXED, NULL);
}

/* The model is freed. */
static void expect_model(pack_model *packed) {
    bytes file = file_of(packed);
    expect_as_engine(packed, file, BOUND);
    base_free(file.at);
    pack_model_free(packed);
}

static void expect_product(uint32_t inputs, unsigned bits) {
    expect_model(product_model(inputs, 3, bits, 0.6));
}

static void products_are_as_the_engine_has_them_up_to_a_word_and_beyond(void **state) {
    (void)state;
    const unsigned bits[] = {3, 4, 5, 8}; /* of a symbol too */
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        const uint32_t places = 65536U >> bits[i];
        expect_product(places, bits[i]);
        expect_product(places + 1, bits[i]);
        expect_product(2 * places + 17, bits[i]);
    }
    expect_product(65536, 3);
    expect_product(65537, 3); /* places of 32 bits */
}

/* Row r keeps the first r % (columns + 1) of its columns. */
static void keep_first_columns(pack_model *packed, uint32_t rows, uint32_t columns) {
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = r % (columns + 1); c < columns; c++)
            packed->tensors[0].codes[r * columns + c] = 0;
}

static void rows_of_every_length_are_as_the_engine_has_them(void **state) {
    (void)state;
    for (uint32_t rows = 1; rows < 150; rows += rows < 40 ? 1 : 27)
        for (unsigned bits = 3; bits <= 6; bits += 3) {
            const uint32_t columns = 29; /* about half of them are kept */
            pack_model *packed = product_model(columns, rows, bits, 1.0);
            keep_first_columns(packed, rows, columns);
            expect_model(packed);
        }
}

/* Where the window is the whole input, each group is a product of its own. */
static void short_rows_of_groups_are_as_the_engine_has_them(void **state) {
    (void)state;
    for (uint32_t groups = 1; groups <= 2; groups++) {
        graph *g;
        uint32_t v;
        graph_conv conv = graph_conv_of(graph_window_of(3, 1, 0));
        conv.groups = groups;
        MUST(graph_create("whole", graph_shape_image(4, 3, 3), &g, err));
        MUST(graph_add_conv(g, "conv1", g->input, 50, conv, &v, err));
        expect_model(random_model(g, (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 7));
    }
}

/* ---- bytes ---- */

#define OUTPUTS 200

typedef struct held {
    double bytes, kept;
} held;

static held held_of(uint32_t inputs, unsigned bits, double density) {
    const admmnn_runtime_settings settings = {.weights = ADMMNN_RUNTIME_LISTS};
    pack_model *packed = product_model(inputs, OUTPUTS, bits, density);
    bytes file = file_of(packed);
    admmnn_runtime_info info;
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    admmnn_runtime_get_info(model, &info);
    admmnn_runtime_close(model);
    base_free(file.at);
    pack_model_free(packed);
    return (held){(double)info.model_bytes, (double)info.kept};
}

/* What a model holds more that keeps about twice the weights; arrays are rounded up. */
static void expect_bytes(uint32_t inputs, unsigned bits, double density, double bytes) {
    const held few = held_of(inputs, bits, density);
    const held many = held_of(inputs, bits, 2 * density);
    assert_true(many.kept > few.kept + 500);
    assert_true(fabs(many.bytes - few.bytes - bytes * (many.kept - few.kept)) <= 32);
}

static void a_weight_takes_two_bytes_where_a_word_holds_it(void **state) {
    (void)state;
    expect_bytes(256, 8, 0.02, 2);  /* 65,536 products of places and symbols */
    expect_bytes(1000, 7, 0.3, 2);  /* two parts of a row */
    expect_bytes(1000, 7, 0.05, 3); /* for which it keeps too few */
    expect_bytes(2048, 5, 0.02, 2); /* 32 symbols */
    expect_bytes(257, 9, 0.3, 6);   /* floats */
}

/* Starts of the second parts, and what is rounded. */
static void a_part_of_a_row_costs_its_start(void **state) {
    (void)state;
    const held one = held_of(256, 8, 0.9);
    const held two = held_of(257, 8, 0.9);
    const double more = two.bytes - one.bytes - 2 * (two.kept - one.kept);
    assert_true(more >= (2 * OUTPUTS + 1) * 4 - 32 && more <= (2 * OUTPUTS + 1) * 4 + 32);
}

/* ---- inputs that are no weight's ---- */

/* Row 0 keeps the even columns, row 1 the odd ones. */
static void keep_every_other(pack_model *packed, uint32_t columns) {
    for (uint32_t p = 0; p < packed->g->parameter_count; p++)
        if (packed->g->parameters[p].kind == GRAPH_WEIGHT)
            for (uint32_t c = 0; c < columns; c++)
                packed->tensors[p].codes[(1 - c % 2) * columns + c] = 0;
}

/* Of rows of half as many. */
static void expect_kept_columns_alone(uint32_t columns) {
    float *input = random_floats(columns, 5);
    float output[2];
    for (uint32_t c = 1; c < columns; c += 2)
        input[c] = INFINITY;
    for (unsigned bits = 3; bits <= 6; bits++) {
        pack_model *packed = product_model(columns, 2, bits, 1.0);
        keep_every_other(packed, columns);
        bytes file = file_of(packed);
        for (int kernels = 0; kernels < 3; kernels++) {
            const admmnn_runtime_settings settings = {.kernels = (admmnn_runtime_kernels)kernels,
                                                      .weights = ADMMNN_RUNTIME_LISTS};
            admmnn_runtime *model;
            OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
            runtime_run(model, input, 1, output);
            assert_true(isfinite(output[0]) && !isfinite(output[1]));
            admmnn_runtime_close(model);
        }
        base_free(file.at);
        pack_model_free(packed);
    }
    base_free(input);
}

static void only_what_is_kept_is_multiplied(void **state) {
    (void)state;
    expect_kept_columns_alone(42); /* 21 a row: no whole vectors */
    expect_kept_columns_alone(14); /* a row in each lane */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_as_the_engine_has_them_up_to_a_word_and_beyond),
        cmocka_unit_test(rows_of_every_length_are_as_the_engine_has_them),
        cmocka_unit_test(short_rows_of_groups_are_as_the_engine_has_them),
        cmocka_unit_test(a_weight_takes_two_bytes_where_a_word_holds_it),
        cmocka_unit_test(a_part_of_a_row_costs_its_start),
        cmocka_unit_test(only_what_is_kept_is_multiplied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
