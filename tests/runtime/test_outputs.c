/* What the runtime makes of networks is what the engine makes of them. */
#include "support.h"

/* Of the largest output: sums of 32 bits, of which the reference has none. */
#define BOUND 1e-5

static void expect_network(graph *g, filling f) {
    pack_model *packed = random_model(g, f, 3);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    expect_as_engine(packed, file, BOUND);
    base_free(file.at);
    pack_model_free(packed);
}

static graph *zoo_of(const char *name, uint32_t channels, uint32_t side) {
    graph *g;
    MUST(graph_zoo_create(name, graph_shape_image(channels, side, side), 10, &g, err));
    return g;
}

static void networks_of_the_zoo_are_as_the_engine_has_them(void **state) {
    (void)state;
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.1};
    expect_network(zoo_of("lenet-5", 1, 28), f);
    expect_network(zoo_of("lenet-300-100", 1, 28), f);
    expect_network(zoo_of("resnet-20", 3, 32), f);
    expect_network(zoo_of("mobilenet-v2", 3, 32), f);
    expect_network(zoo_of("transformer-small", 3, 32), f);
}

/* A list does not look at what a pruned weight would be multiplied by; a dense row multiplies it
 * by 0. */
static void an_infinite_input_is_seen_by_kept_weights_and_by_dense_rows(void **state) {
    (void)state;
    enum { INPUTS = 40, OUTPUTS = 30, INFINITE = 7 };
    pack_model *packed =
        random_model(one_product(INPUTS, OUTPUTS), (filling){ADMM_LEVELS_EQUAL, 4, 0.3}, 3);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = random_floats(INPUTS, 5);
    float output[OUTPUTS];
    input[INFINITE] = INFINITY;
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_settings settings = runtime_way(way);
        size_t pruned = 0;
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
        runtime_run(model, input, 1, output);
        admmnn_runtime_close(model);
        for (size_t r = 0; r < OUTPUTS; r++) {
            const bool is_pruned = packed->tensors[0].codes[r * INPUTS + INFINITE] == 0;
            pruned += is_pruned;
            if (settings.weights == ADMMNN_RUNTIME_LISTS)
                assert_int_equal(isfinite(output[r]) != 0, is_pruned);
            if (settings.weights == ADMMNN_RUNTIME_DENSE)
                assert_int_equal(isnan(output[r]) != 0, is_pruned);
        }
        assert_true(pruned > 0 && pruned < OUTPUTS);
    }
    base_free(input);
    base_free(file.at);
    pack_model_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_the_zoo_are_as_the_engine_has_them),
        cmocka_unit_test(an_infinite_input_is_seen_by_kept_weights_and_by_dense_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
