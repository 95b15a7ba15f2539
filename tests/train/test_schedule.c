/* Learning rates at their end points and against the papers' formulas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/schedule.h"

static void expect(train_schedule_kind kind, double done, double rate) {
    assert_true(fabs(train_schedule_rate(kind, 0.01, done) - 0.01 * rate) <= 1e-15);
}

static void end_points(void **state) {
    (void)state;
    expect(TRAIN_CONSTANT, 0.0, 1.0);
    expect(TRAIN_CONSTANT, 1.0, 1.0);
    expect(TRAIN_STEP, 0.0, 1.0);
    expect(TRAIN_STEP, 0.4999999, 1.0);
    expect(TRAIN_STEP, 0.5, 0.1);
    expect(TRAIN_STEP, 0.7499999, 0.1);
    expect(TRAIN_STEP, 0.75, 0.01);
    expect(TRAIN_STEP, 1.0, 0.01);
    expect(TRAIN_COSINE, 0.0, 1.0);
    expect(TRAIN_COSINE, 0.5, 0.5);
    expect(TRAIN_COSINE, 1.0, 0.0);
    expect(TRAIN_ONE_CYCLE, 0.0, 1.0 / 25.0);
    expect(TRAIN_ONE_CYCLE, 0.15, 0.5 * (1.0 / 25.0 + 1.0));
    expect(TRAIN_ONE_CYCLE, 0.3, 1.0);
    expect(TRAIN_ONE_CYCLE, 0.65, 0.5 * (1.0 + 1e-5));
    expect(TRAIN_ONE_CYCLE, 1.0, 1e-5);
}

/* Half a cosine from `from` to `to`, by sin^2 rather than the code's cos. */
static double between(double from, double to, double share) {
    double rise = sin(1.5707963267948966 * share);
    return from + (to - from) * rise * rise;
}

static void formulas(void **state) {
    (void)state;
    double before = 0.0;
    for (int i = 0; i <= 1000; i++) {
        double done = i / 1000.0;
        expect(TRAIN_COSINE, done, between(1.0, 0.0, done));
        double cycle =
            i <= 300 ? between(0.04, 1.0, done / 0.3) : between(1.0, 1e-5, (done - 0.3) / 0.7);
        expect(TRAIN_ONE_CYCLE, done, cycle);
        double rate = train_schedule_rate(TRAIN_ONE_CYCLE, 0.01, done);
        assert_true(i == 0 || (rate > before) == (i <= 300));
        before = rate;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_points),
        cmocka_unit_test(formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
