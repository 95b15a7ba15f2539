/* make_cases FILE: the networks of the runtime's tests, each with an input and with the outputs
 * that the engine's reference makes of it, or with 8 bits the runtime's on this machine. */
#include "../../operations.h"
#include "../support.h"
#include "case.h"

/* Of the largest output: sums of 32 bits, of which the reference has none; and a few steps of 8
 * bits, where a sum is rounded otherwise. */
#define BOUND 1e-5F
#define CODED_BOUND 0.0125F

static FILE *cases;

static void put(const void *from, size_t size, size_t count) {
    assert_int_equal(fwrite(from, size, count, cases), count);
}

static void reference_outputs(const pack_model *packed, const float *input, float *output) {
    float *params = base_array(packed->g->flat_count, sizeof *params);
    assert_non_null(params);
    pack_model_values(packed, params);
    forward(packed->g, params, input, 1, output);
    base_free(params);
}

static void coded_outputs(bytes file, const float *input, float *output) {
    const admmnn_runtime_settings settings = {.kernels = ADMMNN_RUNTIME_KERNELS_PORTABLE,
                                              .activations = 8};
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    runtime_run(model, input, 1, output);
    admmnn_runtime_close(model);
}

static void put_case(const pack_model *packed, unsigned activations, unsigned threads) {
    const graph *g = packed->g;
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    case_head head = {.bytes = (uint32_t)file.count,
                      .inputs = (uint32_t)graph_value_count(g, g->input),
                      .outputs = (uint32_t)graph_value_count(g, g->output),
                      .activations = activations,
                      .threads = threads,
                      .bound = activations == 8 ? CODED_BOUND : BOUND};
    float *input = random_floats(head.inputs, 11);
    float *output = base_array(head.outputs, sizeof *output);
    assert_non_null(output);
    snprintf(head.name, sizeof head.name, "%s", g->node_count == 0 ? g->name : g->nodes[0].name);
    if (activations == 8)
        coded_outputs(file, input, output);
    else
        reference_outputs(packed, input, output);
    put(&head, sizeof head, 1);
    put(file.at, 1, file.count);
    put(input, sizeof *input, head.inputs);
    put(output, sizeof *output, head.outputs);
    base_free(input);
    base_free(output);
    base_free(file.at);
}

static void expect_model(pack_model *packed) {
    put_case(packed, 32, 1);
    pack_model_free(packed);
}

/* Words of one part and of several; floats. */
static void products(void **state) {
    (void)state;
    for (unsigned bits = 3; bits <= 9; bits++)
        expect_model(
            random_model(one_product(700, 21), (filling){ADMM_LEVELS_EQUAL, bits, 0.3}, bits));
}

static void put_network(graph *g, double density) {
    pack_model *packed = random_model(g, (filling){ADMM_LEVELS_EQUAL, 4, density}, 3);
    put_case(packed, 32, 3);
    fill_ranges(packed, 3);
    put_case(packed, 8, 3);
    pack_model_free(packed);
}

static void networks(void **state) {
    (void)state;
    put_network(zoo("lenet-5"), 0.05);
    put_network(small_network(), 0.5);
    put_network(normalized_network(), 0.5);
}

int main(int argc, char **argv) {
    const struct CMUnitTest own[] = {cmocka_unit_test(products), cmocka_unit_test(networks)};
    cases = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (cases == NULL) {
        fprintf(stderr, "usage: make_cases FILE\n");
        return 2;
    }
    int failed = cmocka_run_group_tests(operations_tests, NULL, NULL);
    failed += cmocka_run_group_tests(own, NULL, NULL);
    return fclose(cases) != 0 || failed != 0;
}
