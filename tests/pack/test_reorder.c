/* The order of hidden units is free: outputs stay, the file gets no larger. */
#include "support.h"

#include "graph/reader.h"
#include "pack/reorder.h"

#define SAMPLES 4U

static float *outputs_of(const pack_model *model) {
    const graph *g = model->g;
    size_t elements = graph_value_count(g, g->input);
    size_t outputs = graph_value_count(g, g->output);
    float *params = base_array(g->flat_count, sizeof *params);
    float *input = base_array(SAMPLES * elements, sizeof *input);
    float *output = base_array(SAMPLES * outputs, sizeof *output);
    base_random random = base_random_at(9, 9, 9);
    for (size_t i = 0; i < SAMPLES * elements; i++)
        input[i] = base_random_normal(&random);
    pack_model_values(model, params);
    forward(g, params, input, SAMPLES, output);
    base_free(params);
    base_free(input);
    return output;
}

static void expect_close(const float *a, const float *b, size_t count) {
    float largest = 0.0F;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(a[i]));
    assert_true(largest > 0.0F);
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(a[i] - b[i]) <= 1e-5F * largest);
}

/* Rows of very different fullness in every layer. */
static void make_uneven(pack_model *model) {
    base_random random = base_random_at(2, 2, 2);
    for (uint32_t p = 0; p < model->g->parameter_count; p++) {
        const graph_parameter *parameter = &model->g->parameters[p];
        for (uint32_t row = 0; parameter->kind == GRAPH_WEIGHT && row < parameter->rows; row++) {
            uint32_t keep = 1 + base_random_below(&random, 12);
            for (size_t i = 0; i < parameter->columns; i++)
                if (base_random_below(&random, 12) >= keep)
                    model->tensors[p].codes[(size_t)row * parameter->columns + i] = 0;
        }
    }
}

static void reordered_networks_compute_the_same(void **state) {
    (void)state;
    graph *networks[] = {small_network(), zoo("lenet-5"), zoo("lenet-300-100"),
                         normalized_network(), zoo("mlp-bn-60")};
    for (size_t n = 0; n < sizeof networks / sizeof networks[0]; n++) {
        pack_model *model = random_model(networks[n], (filling){ADMM_LEVELS_EQUAL, 3, 0.05}, n);
        make_uneven(model);
        size_t before = round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
        float *expected = outputs_of(model);
        MUST(pack_reorder(model, NULL, err));
        float *got = outputs_of(model);
        size_t after = round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
        expect_close(expected, got, SAMPLES * graph_value_count(model->g, model->g->output));
        assert_true(after <= before);
        if (n > 0 && n != 3)
            assert_true(after < before);
        base_free(expected);
        base_free(got);
        pack_model_free(model);
    }
}

static void expect_units_moved(const char *network) {
    pack_model *model = random_model(zoo(network), (filling){ADMM_LEVELS_EQUAL, 4, 0.2}, 4);
    float *expected = outputs_of(model);
    base_random random = base_random_at(1, 2, 3);
    for (uint32_t l = 0; l + 1 < graph_layer_count(model->g); l++) {
        uint32_t node = graph_layer(model->g, l);
        uint32_t rows = model->g->parameters[model->g->nodes[node].weight].rows;
        uint32_t *order = base_array(rows, sizeof *order);
        for (uint32_t i = 0; i < rows; i++)
            order[i] = i;
        base_random_shuffle(&random, order, rows);
        int32_t first = model->tensors[model->g->nodes[node].bias].codes[order[0]];
        MUST(pack_permute(model, node, order, err));
        assert_int_equal(model->tensors[model->g->nodes[node].bias].codes[0], first);
        base_free(order);
    }
    float *got = outputs_of(model);
    expect_close(expected, got, SAMPLES * 10);
    base_free(expected);
    base_free(got);
    pack_model_free(model);
}

static void permutations_move_units_with_their_readers(void **state) {
    (void)state;
    expect_units_moved("lenet-5");
    expect_units_moved("lenet-5-bn");
}

static void outputs_keep_their_order(void **state) {
    (void)state;
    pack_model *model = random_model(zoo("lenet-5"), (filling){ADMM_LEVELS_EQUAL, 4, 0.2}, 4);
    uint32_t order[10] = {1, 0, 2, 3, 4, 5, 6, 7, 8, 9};
    uint32_t last = graph_layer(model->g, graph_layer_count(model->g) - 1);
    assert_int_equal(pack_permute(model, last, order, NULL), ADMMNN_USAGE);
    pack_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reordered_networks_compute_the_same),
        cmocka_unit_test(permutations_move_units_with_their_readers),
        cmocka_unit_test(outputs_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
