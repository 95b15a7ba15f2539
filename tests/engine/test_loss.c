/* The losses: closed forms, soft targets, huge logits, layouts. */
#include "support.h"

#include "engine/loss.h"

static engine_loss_sum one_sample(const float *logits, size_t classes, uint16_t label,
                                  const float *targets, float *gradient) {
    engine_loss_sum sum = {0.0, 0};
    const engine_loss_layout layout = {1, classes, classes, 1};
    engine_loss_add(ENGINE_CROSS_ENTROPY, &layout, logits, &label, targets, gradient, &sum);
    return sum;
}

static void equal_logits_give_the_log_of_the_classes(void **state) {
    (void)state;
    const float logits[4] = {2.5F, 2.5F, 2.5F, 2.5F};
    float gradient[4];
    engine_loss_sum sum = one_sample(logits, 4, 1, NULL, gradient);
    assert_true(fabs(sum.loss - log(4.0)) < 1e-7);
    for (int c = 0; c < 4; c++)
        assert_true(fabs((double)gradient[c] - (c == 1 ? -0.75 : 0.25)) < 1e-7);
    assert_int_equal(sum.correct, 0); /* the first largest is class 0 */
    assert_int_equal(one_sample(logits, 4, 0, NULL, gradient).correct, 1);
}

/* With two classes the loss is log(1 + e^-d) for logits d apart. */
static void two_classes_are_the_logistic_loss(void **state) {
    (void)state;
    for (int i = -40; i <= 40; i++) {
        float d = 0.5F * (float)i;
        const float logits[2] = {d - 3.0F, -3.0F};
        float gradient[2];
        engine_loss_sum sum = one_sample(logits, 2, 0, NULL, gradient);
        double expected = log1p(exp(-(double)d));
        assert_true(fabs(sum.loss - expected) <= 1e-6 * expected + 1e-12);
        double slope = -1.0 / (1.0 + exp((double)d));
        assert_true(fabs((double)gradient[0] - slope) < 1.5e-7);
        assert_true(fabs((double)gradient[1] + slope) < 1.5e-7);
    }
}

/* At the targets themselves the gradient is zero and the loss their entropy. */
static void soft_targets_at_their_optimum(void **state) {
    (void)state;
    const float targets[3] = {0.5F, 0.25F, 0.25F};
    const float logits[3] = {logf(0.5F) + 7.0F, logf(0.25F) + 7.0F, logf(0.25F) + 7.0F};
    float gradient[3];
    engine_loss_sum sum = one_sample(logits, 3, 2, targets, gradient);
    assert_true(fabs(sum.loss - 1.5 * log(2.0)) < 1e-6);
    for (int c = 0; c < 3; c++)
        assert_true(fabs((double)gradient[c]) < 5e-7);
    assert_int_equal(sum.correct, 0);
}

static void one_hot_targets_equal_labels(void **state) {
    (void)state;
    const float logits[5] = {0.3F, -1.0F, 2.0F, 0.7F, -0.2F};
    const float targets[5] = {0.0F, 0.0F, 0.0F, 1.0F, 0.0F};
    float by_label[5];
    float by_target[5];
    engine_loss_sum a = one_sample(logits, 5, 3, NULL, by_label);
    engine_loss_sum b = one_sample(logits, 5, 3, targets, by_target);
    assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
    assert_memory_equal(by_label, by_target, sizeof by_label);
}

static void huge_logits_neither_overflow_nor_vanish(void **state) {
    (void)state;
    const float logits[3] = {3e38F, -3e38F, 1e30F};
    float gradient[3];
    engine_loss_sum sum = one_sample(logits, 3, 0, NULL, gradient);
    assert_true(sum.loss == 0.0);
    assert_int_equal(sum.correct, 1);
    for (int c = 0; c < 3; c++)
        assert_true(gradient[c] == 0.0F);
    const float apart[2] = {10000.0F, 0.0F};
    sum = one_sample(apart, 2, 1, NULL, gradient);
    assert_true(sum.loss == 10000.0);
    assert_true(gradient[0] == 1.0F && gradient[1] == -1.0F);
}

static void missing_numbers_reach_the_loss(void **state) {
    (void)state;
    float gradient[3];
    const float nan_logit[3] = {0.0F, NAN, 1.0F};
    assert_true(isnan(one_sample(nan_logit, 3, 0, NULL, gradient).loss));
    const float infinite[3] = {0.0F, INFINITY, 1.0F};
    assert_true(isnan(one_sample(infinite, 3, 0, NULL, gradient).loss));
    const float impossible[3] = {0.0F, -INFINITY, 1.0F}; /* of a class that is not wanted */
    assert_true(isfinite(one_sample(impossible, 3, 0, NULL, gradient).loss));
}

/* (1 - t x)^2 where t x is below 1, class by class. */
static void squared_hinge_is_as_defined(void **state) {
    (void)state;
    const float logits[4] = {0.5F, 2.0F, -3.0F, -0.25F};
    const float expected[4] = {2.0F * 1.5F, 0.0F, 0.0F, 2.0F * 0.75F};
    const uint16_t label = 1;
    const engine_loss_layout layout = {1, 4, 4, 1};
    float gradient[4];
    engine_loss_sum sum = {1.0, 2};
    engine_loss_add(ENGINE_SQUARED_HINGE, &layout, logits, &label, NULL, gradient, &sum);
    assert_true(sum.loss == 1.0 + 1.5 * 1.5 + 0.75 * 0.75);
    assert_int_equal(sum.correct, 3);
    for (int c = 0; c < 4; c++)
        assert_true(gradient[c] == expected[c]);
    const float missing[4] = {0.5F, NAN, -3.0F, -0.25F};
    engine_loss_add(ENGINE_SQUARED_HINGE, &layout, missing, &label, NULL, gradient, &sum);
    assert_true(isnan(sum.loss));
}

/* The same numbers transposed give the same bytes; sums add to what is there. */
static void strides_and_sums(void **state) {
    (void)state;
    enum { COUNT = 5, CLASSES = 7, LANES = 8 };
    float rows[COUNT * CLASSES];
    float lanes[CLASSES * LANES];
    float expected[COUNT * CLASSES];
    float got[CLASSES * LANES];
    uint16_t labels[COUNT];
    base_random random = base_random_at(1, 1, 1);
    for (size_t s = 0; s < COUNT; s++) {
        labels[s] = (uint16_t)base_random_below(&random, CLASSES);
        for (size_t c = 0; c < CLASSES; c++) {
            rows[s * CLASSES + c] = 3.0F * base_random_normal(&random);
            lanes[c * LANES + s] = rows[s * CLASSES + c];
        }
    }
    engine_loss_sum a = {10.0, 3};
    engine_loss_sum b = {10.0, 3};
    const engine_loss_layout by_row = {COUNT, CLASSES, CLASSES, 1};
    const engine_loss_layout by_lane = {COUNT, CLASSES, 1, LANES};
    engine_loss_add(ENGINE_CROSS_ENTROPY, &by_row, rows, labels, NULL, expected, &a);
    engine_loss_add(ENGINE_CROSS_ENTROPY, &by_lane, lanes, labels, NULL, got, &b);
    assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
    assert_int_equal(a.correct, b.correct);
    assert_true(a.loss > 10.0 && a.correct >= 3);
    for (size_t s = 0; s < COUNT; s++)
        for (size_t c = 0; c < CLASSES; c++)
            assert_true(got[c * LANES + s] == expected[s * CLASSES + c]);
    engine_loss_add(ENGINE_CROSS_ENTROPY, &by_row, rows, labels, NULL, rows, &a); /* in place */
    assert_memory_equal(rows, expected, sizeof rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_logits_give_the_log_of_the_classes),
        cmocka_unit_test(two_classes_are_the_logistic_loss),
        cmocka_unit_test(soft_targets_at_their_optimum),
        cmocka_unit_test(one_hot_targets_equal_labels),
        cmocka_unit_test(huge_logits_neither_overflow_nor_vanish),
        cmocka_unit_test(missing_numbers_reach_the_loss),
        cmocka_unit_test(squared_hinge_is_as_defined),
        cmocka_unit_test(strides_and_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
