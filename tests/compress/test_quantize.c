/* What quantization begins with, and what its retraining fixes first. */
#include <math.h>

#include "compress/rescale.h"
#include "runs.h"

#define LAYERS 3

/* ---- rescaled units ---- */

/* What the tick makes of the network is rescale_units of what it was. v, the second
 * moments of the last training, are changed with it. */
static void expect_rescaled(compress_run *run, const unsigned bits[LAYERS], float *v) {
    const size_t size = run->g->flat_count * sizeof *v;
    float *before = flat_params(run);
    float *wanted = flat_params(run);
    MUST(rescale_units(run->g, ADMM_LEVELS_EQUAL, bits, run->mask, v, wanted, NULL, err));
    assert_memory_not_equal(wanted, before, size);
    tick(run);
    float *got = flat_params(run);
    assert_memory_equal(got, wanted, size);
    base_free(before);
    base_free(wanted);
    base_free(got);
}

#define PRUNED                                                                                     \
    TRAINING                                                                                       \
    "prune:\n  method: one-shot\n  rounds: [6]\n  admm: {iterations: 0}\n"                         \
    "  finish: {epochs: 2, batch: 16}\n"                                                           \
    "quantize:\n  retrain: {epochs: 4, batch: 16}\n"

static compress_run *start_pruned(const recipe *r) {
    compress_run *run = start(r);
    tick_to(run, RUN_RETRAIN);
    while (run->at.epoch < 2)
        tick(run);
    return run;
}

static void units_are_rescaled_for_admm(void **state) {
    (void)state;
    static const unsigned bits[LAYERS] = {2, 3, 4};
    recipe *r = make_recipe("lenet-300-100", PRUNED
                            "  bits: [{layer: fc1, bits: 2}, {layer: fc2, bits: 3}]\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n");
    compress_run *run = start_pruned(r);
    float *v = flat_second_moments(run);
    expect_rescaled(run, bits, v);
    assert_int_equal(run->at.stage, RUN_QUANTIZE_ADMM);
    base_free(v);
    run_free(run);
    base_free(r);
}

/* For the most bits before the search, and again for those it found. */
static void units_are_rescaled_for_the_search_and_after_it(void **state) {
    (void)state;
    static const unsigned most[LAYERS] = {2, 2, 2};
    recipe *r = make_recipe("lenet-300-100", PRUNED
                            "  max_bits: 2\n  max_loss: 1\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n");
    compress_run *run = start_pruned(r);
    float *v = flat_second_moments(run);
    expect_rescaled(run, most, v);
    assert_int_equal(run->at.stage, RUN_BITS);
    unsigned open = LAYERS;
    while (open > 0) {
        tick(run);
        assert_int_equal(run->at.stage, RUN_BITS);
        open = 0;
        for (uint32_t l = 0; l < LAYERS; l++)
            open += !run->layers[l].fixed_bits;
    }
    unsigned found[LAYERS];
    for (uint32_t l = 0; l < LAYERS; l++)
        found[l] = run->layers[l].bits;
    assert_memory_not_equal(found, most, sizeof found);
    expect_rescaled(run, found, v);
    assert_int_equal(run->at.stage, RUN_QUANTIZE_ADMM);
    base_free(v);
    run_free(run);
    base_free(r);
}

/* ---- fixing ---- */

/* The distance of w to the nearest of +-q, ..., +-2^(bits - 1) q. */
static double distance_to_levels(double w, double q, unsigned bits) {
    double least = INFINITY;
    for (int k = 1; k <= 1 << (bits - 1); k++)
        least = fmin(least, fmin(fabs(w - k * q), fabs(w + k * q)));
    return least;
}

static void expect_nearest_fixed(const compress_run *run, uint32_t layer, const float *before,
                                 double share) {
    const run_layer *l = &run->layers[layer];
    const double q = (double)l->step;
    double farthest_fixed = 0.0;
    double nearest_open = INFINITY;
    size_t count = 0;
    size_t fixed = 0;
    for (size_t i = 0; i < run->network->active_count; i++) {
        if (!is_weight_of(run, layer, place_of(run, i)))
            continue;
        double distance = distance_to_levels((double)before[i], q, l->bits);
        count++;
        fixed += run->fixed[i] != 0;
        if (run->fixed[i] == 0)
            nearest_open = fmin(nearest_open, distance);
        else
            farthest_fixed = fmax(farthest_fixed, distance);
    }
    assert_true(fabs((double)fixed - share * (double)count) <= 0.5);
    assert_true(fixed > 0 && fixed < count && nearest_open > 0.0);
    assert_true(farthest_fixed <= nearest_open + 1e-6 * q);
}

/* Of each layer's own weights, when nothing is fixed yet. */
static void the_nearest_are_fixed_first(void **state) {
    (void)state;
    static const char *const text = TRAINING
        "prune:\n  method: one-shot\n  rounds: [6]\n  admm: {iterations: 0}\n"
        "  finish: {epochs: 1, batch: 16}\n"
        "quantize:\n  bits: [{layer: fc1, bits: 2}, {layer: fc2, bits: 3}, {layer: fc3, bits: 1}]\n"
        "  admm: {iterations: 0}\n  fix: [0.3, 1]\n  retrain: {epochs: 2, batch: 16}\n";
    recipe *r = make_recipe("lenet-300-100", text);
    compress_run *run = start(r);
    tick_to(run, RUN_QUANTIZE_TRAIN);
    float *before =
        base_array_copy(run->network->params, run->network->active_count, sizeof *before);
    assert_non_null(before);
    tick(run);
    for (uint32_t l = 0; l < LAYERS; l++)
        expect_nearest_fixed(run, l, before, 0.3);
    base_free(before);
    run_free(run);
    base_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_rescaled_for_admm),
        cmocka_unit_test(units_are_rescaled_for_the_search_and_after_it),
        cmocka_unit_test(the_nearest_are_fixed_first),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
