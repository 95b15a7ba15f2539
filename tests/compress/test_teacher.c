/* Whose answers distillation learns from, against what the reference back end answers. */
#include "engine/support.h"

#include "runs.h"

#define CLASSES 10

#define DISTILLED                                                                                  \
    TRAINING                                                                                       \
    "prune:\n  rounds: [3, 9]\n"                                                                   \
    "  admm: {iterations: 1, training: {batch: 16}}\n"                                             \
    "  retrain: {epochs: 2, batch: 16}\n"                                                          \
    "  finish: {epochs: 2, batch: 16, distill: 0.5}\n"                                             \
    "quantize:\n  admm: {iterations: 1, training: {batch: 16, distill: 0.5}}\n"                    \
    "  retrain: {epochs: 4, batch: 16, distill: 0.5}\n"
#define GIVEN_BITS "  bits: [{layer: fc1, bits: 3}]\n"

static float *answers_of(const compress_run *run, const float *params) {
    const engine_settings settings = {.backend = ENGINE_REFERENCE, .max_batch = 32};
    train_network *network;
    float *logits = floats(run->train.count * CLASSES);
    data_view view = {.set = &run->train, .tones = run->tones};
    MUST(train_network_create(run->g, params, run->pool, &settings, &network, err));
    MUST(train_network_answer(network, &view, run->train.count, logits, err));
    train_network_free(network);
    return logits;
}

/* After the stage's first epoch: the answers are this network's and not that one's. */
static void expect_teacher(compress_run *run, run_stage stage, const float *teacher,
                           const float *other) {
    tick_to(run, stage);
    tick(run);
    const size_t count = run->train.count * CLASSES;
    assert_non_null(run->answers.logits);
    assert_int_equal(run->train.classes, CLASSES);
    float *wanted = answers_of(run, teacher);
    float *wrong = answers_of(run, other);
    assert_true(distance(wrong, wanted, count) > 1e-2);
    assert_true(distance(run->answers.logits, wanted, count) < 1e-4);
    base_free(wanted);
    base_free(wrong);
}

/* The last retraining learns from the dense network, not from that of the round before,
 * whoever teaches quantization. */
static void follow(const char *more, run_stage stage, bool pruned) {
    recipe *r = make_recipe("lenet-300-100", more);
    compress_run *run = start(r);
    while (run->at.round == 0 && run->at.stage < RUN_BITS)
        tick(run);
    assert_int_equal(run->at.round, 1);
    float *before = flat_params(run);
    expect_teacher(run, RUN_RETRAIN, run->dense, before);
    base_free(before);
    tick_to(run, stage);
    expect_teacher(run, stage, pruned ? run->pruned : run->dense,
                   pruned ? run->dense : run->pruned);
    run_free(run);
    base_free(r);
}

static void the_pruned_network(void **state) {
    (void)state;
    follow(DISTILLED "  teacher: pruned\n" GIVEN_BITS, RUN_QUANTIZE_ADMM, true);
}

static void the_pruned_network_in_the_search_of_bits(void **state) {
    (void)state;
    follow(DISTILLED "  teacher: pruned\n  max_bits: 2\n", RUN_BITS, true);
}

static void the_dense_network(void **state) {
    (void)state;
    follow(DISTILLED GIVEN_BITS, RUN_QUANTIZE_ADMM, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pruned_network),
        cmocka_unit_test(the_pruned_network_in_the_search_of_bits),
        cmocka_unit_test(the_dense_network),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
