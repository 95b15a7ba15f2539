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

/* Groups, layers without biases, branches: some orders are free, others are not. */
static graph *branched_network(void) {
    graph *g;
    uint32_t v;
    uint32_t w;
    graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
    MUST(graph_create("branched", graph_shape_image(2, 8, 8), &g, err));
    conv.biased = false;
    MUST(graph_add_conv(g, "conv1", g->input, 8, conv, &v, err));
    MUST(graph_add_batch_normalization(g, "bn1", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    MUST(graph_add_conv(g, "conv2", v, 8, conv, &v, err));
    conv.groups = 2;
    MUST(graph_add_conv(g, "grouped", v, 8, conv, &w, err));
    MUST(graph_add_relu(g, "relu1", w, &w, err));
    conv.groups = 1;
    MUST(graph_add_conv(g, "conv3", w, 8, conv, &w, err));
    MUST(graph_add_binary(g, "sum", GRAPH_ADD, v, w, &v, err));
    MUST(
        graph_add_transposed_conv(g, "up", v, 6, graph_conv_of(graph_window_of(2, 2, 0)), &v, err));
    MUST(graph_add_inner_product(g, "fc1", v, 5, false, &v, err));
    return g;
}

static void reordered_networks_compute_the_same(void **state) {
    (void)state;
    graph *networks[] = {small_network(),      zoo("lenet-5"),   zoo("lenet-300-100"),
                         normalized_network(), zoo("mlp-bn-60"), branched_network()};
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

/* Not those of a group among another's, nor what two layers read, nor what a sum does. */
static void bound_units_keep_their_order(void **state) {
    (void)state;
    const char *const bound[] = {"conv2", "grouped", "conv3", "fc1"};
    const uint32_t order[8] = {7, 6, 5, 4, 3, 2, 1, 0};
    pack_model *model = random_model(branched_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 4);
    float *expected = outputs_of(model);
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++)
        assert_int_equal(pack_permute(model, graph_find_node(model->g, bound[i]), order, NULL),
                         ADMMNN_USAGE);
    MUST(pack_permute(model, graph_find_node(model->g, "conv1"), order, err));
    const uint32_t last[6] = {5, 4, 3, 2, 1, 0};
    MUST(pack_permute(model, graph_find_node(model->g, "up"), last, err));
    float *got = outputs_of(model);
    expect_close(expected, got, SAMPLES * 5);
    base_free(expected);
    base_free(got);
    pack_model_free(model);
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
        cmocka_unit_test(bound_units_keep_their_order),
        cmocka_unit_test(outputs_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
