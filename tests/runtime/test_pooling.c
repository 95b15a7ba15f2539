/* A NaN passes a max pooling wherever it stands in a window, and infinities are numbers: of the
 * engine's reference and of all kernels. An average is that of exact sums. */
#include <float.h>
#include <math.h>

#include "../pooling.h"
#include "support.h"

static void expect_samples(const pooling *p, const graph *g, const float *input,
                           const float *output) {
    const size_t inputs = graph_value_count(g, g->input);
    const size_t outputs = graph_value_count(g, g->output);
    for (size_t i = 0; i < pooling_samples(p); i++)
        expect_pooled(p, g, input + i * inputs, output + i * outputs);
}

static void expect_kernels(const pooling *p, const graph *g, bytes file, float special) {
    const size_t samples = pooling_samples(p);
    const float none = 0.0F; /* there are no parameters */
    float *input = pooling_input(p, special);
    float *output = base_array(samples * graph_value_count(g, g->output), sizeof *output);
    forward(g, &none, input, (uint32_t)samples, output);
    expect_samples(p, g, input, output);
    for (int kernels = 0; kernels < 3; kernels++) {
        const admmnn_runtime_settings settings = {.kernels = (admmnn_runtime_kernels)kernels};
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
        runtime_run(model, input, samples, output);
        expect_samples(p, g, input, output);
        admmnn_runtime_close(model);
    }
    base_free(input);
    base_free(output);
}

static void a_nan_passes_wherever_it_stands(void **state) {
    (void)state;
    for (size_t i = 0; i < POOLINGS; i++) {
        pack_model *packed =
            random_model(pooling_graph(&poolings[i]), (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 1);
        bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
        for (size_t k = 0; k < POOLING_SPECIALS; k++)
            expect_kernels(&poolings[i], packed->g, file, pooling_specials[k]);
        base_free(file.at);
        pack_model_free(packed);
    }
}

/* ---- averages ---- */

#define SIDE 224

static graph *whole_plane(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("plane", graph_shape_image(1, SIDE, SIDE), &g, err));
    MUST(graph_add_average_pool(g, "pool1", g->input, graph_pool_of(graph_window_of(SIDE, 1, 0)),
                                &v, err));
    return g;
}

/* A sum of 50,176 floats in a float is wrong from the fourth digit on. */
static void the_average_of_a_plane_is_exact_to_a_float(void **state) {
    (void)state;
    pack_model *packed = random_model(whole_plane(), (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 1);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = base_array((size_t)SIDE * SIDE, sizeof *input);
    float output = 0.0F;
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
        input[i] = 0.1F;
    for (int kernels = 0; kernels < 3; kernels++) {
        const admmnn_runtime_settings settings = {.kernels = (admmnn_runtime_kernels)kernels};
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
        runtime_run(model, input, 1, &output);
        assert_true(fabsf(output - 0.1F) <= 0.1F * FLT_EPSILON);
        admmnn_runtime_close(model);
    }
    base_free(input);
    base_free(file.at);
    pack_model_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nan_passes_wherever_it_stands),
        cmocka_unit_test(the_average_of_a_plane_is_exact_to_a_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
