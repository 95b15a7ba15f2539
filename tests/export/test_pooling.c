/* A NaN passes a max pooling of the C code wherever it stands in a window. */
#include "../pooling.h"
#include "support.h"

static void expect_specials(const pooling *p, const graph *g, predict *function) {
    const size_t inputs = graph_value_count(g, g->input);
    float *output = base_array(graph_value_count(g, g->output), sizeof *output);
    for (size_t k = 0; k < POOLING_SPECIALS; k++) {
        float *input = pooling_input(p, pooling_specials[k]);
        for (size_t i = 0; i < pooling_samples(p); i++) {
            assert_int_equal(function(input + i * inputs, output), 0);
            expect_pooled(p, g, input + i * inputs, output);
        }
        base_free(input);
    }
    base_free(output);
}

static void a_nan_passes_wherever_it_stands(void **state) {
    batch b;
    (void)state;
    batch_open(&b);
    for (size_t i = 0; i < POOLINGS; i++)
        (void)batch_add(
            &b, random_model(pooling_graph(&poolings[i]), (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 1));
    void *library = batch_library(&b);
    for (uint32_t i = 0; i < POOLINGS; i++)
        expect_specials(&poolings[i], b.models[i]->g, find_predict(library, i));
    dlclose(library);
    batch_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nan_passes_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
