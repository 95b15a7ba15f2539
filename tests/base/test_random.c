/* Random numbers: the published generator, uniform, unbiased, apart by stream.
 * Bounds of chi-square tests are at five deviations: seeds are fixed, so a
 * failure is no accident. */
#include "support.h"

#include "base/memory.h"
#include "base/random.h"

/* The authors' xoshiro256** from state 1, 2, 3, 4: the sequence that other
 * implementations publish as their test. */
static void the_generator_is_xoshiro256(void **state) {
    (void)state;
    const uint64_t expected[] = {11520U,
                                 0U,
                                 1509978240U,
                                 1215971899390074240U,
                                 1216172134540287360U,
                                 607988272756665600U,
                                 16172922978634559625U,
                                 8476171486693032832U,
                                 10595114339597558777U,
                                 2904607092377533576U};
    base_random random = {{1, 2, 3, 4}};
    for (size_t i = 0; i < 10; i++)
        assert_true(base_random_next(&random) == expected[i]);
}

static void expect_chi_square(const size_t *counts, size_t bins, size_t draws) {
    double expected = (double)draws / (double)bins;
    double sum = 0.0;
    for (size_t i = 0; i < bins; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    double freedom = (double)bins - 1.0;
    assert_true(fabs(sum - freedom) < 5.0 * sqrt(2.0 * freedom));
}

static void below_is_uniform(void **state) {
    (void)state;
    const uint32_t bounds[] = {2, 3, 7, 10, 100, 1000};
    size_t counts[1000];
    for (size_t b = 0; b < 6; b++) {
        base_random random = base_random_at(1, b, 0);
        memset(counts, 0, sizeof counts);
        for (int i = 0; i < 200000; i++) {
            uint32_t value = base_random_below(&random, bounds[b]);
            assert_true(value < bounds[b]);
            counts[value]++;
        }
        expect_chi_square(counts, bounds[b], 200000);
    }
    base_random random = base_random_at(2, 0, 0);
    assert_int_equal(base_random_below(&random, 1), 0);
}

/* A bound of 3/4 of 2^32: without rejection the first third would be drawn twice
 * as often as the others. */
static void below_is_unbiased_for_large_bounds(void **state) {
    (void)state;
    const uint32_t bound = 0xc0000000U;
    size_t counts[3] = {0};
    base_random random = base_random_at(4, 4, 4);
    for (int i = 0; i < 300000; i++) {
        uint32_t value = base_random_below(&random, bound);
        assert_true(value < bound);
        counts[value % 3]++;
    }
    expect_chi_square(counts, 3, 300000);
    size_t thirds[3] = {0};
    for (int i = 0; i < 300000; i++)
        thirds[base_random_below(&random, bound) / (bound / 3)]++;
    expect_chi_square(thirds, 3, 300000);
}

static void uniform_fills_the_interval(void **state) {
    (void)state;
    base_random random = base_random_at(5, 5, 5);
    size_t counts[64] = {0};
    double sum = 0.0;
    for (int i = 0; i < 640000; i++) {
        float value = base_random_uniform(&random);
        assert_true(value >= 0.0F && value < 1.0F);
        counts[(size_t)(value * 64.0F)]++;
        sum += (double)value;
    }
    expect_chi_square(counts, 64, 640000);
    assert_true(fabs(sum / 640000.0 - 0.5) < 5.0 * sqrt(1.0 / 12.0 / 640000.0));
}

static void normal_has_its_moments(void **state) {
    (void)state;
    base_random random = base_random_at(6, 6, 6);
    const int draws = 400000;
    double moments[4] = {0};
    int beyond = 0;
    for (int i = 0; i < draws; i++) {
        double x = (double)base_random_normal(&random);
        assert_true(isfinite(x));
        moments[0] += x / draws;
        moments[1] += x * x / draws;
        moments[2] += x * x * x / draws;
        moments[3] += x * x * x * x / draws;
        beyond += fabs(x) > 1.959963985;
    }
    double one = 5.0 / sqrt((double)draws);
    assert_true(fabs(moments[0]) < one);
    assert_true(fabs(moments[1] - 1.0) < one * sqrt(2.0));
    assert_true(fabs(moments[2]) < one * sqrt(15.0));
    assert_true(fabs(moments[3] - 3.0) < one * sqrt(96.0));
    assert_true(fabs(beyond / (double)draws - 0.05) < one * sqrt(0.05 * 0.95));
}

/* Neighbouring names give sequences without relation: equal bits are half of all. */
static void streams_are_apart(void **state) {
    (void)state;
    base_random base = base_random_at(1, 1, 1);
    const base_random others[] = {base_random_at(2, 1, 1), base_random_at(1, 2, 1),
                                  base_random_at(1, 1, 2), base_random_at(0, 0, 0)};
    for (size_t k = 0; k < 4; k++) {
        base_random a = base;
        base_random b = others[k];
        int same = 0;
        for (int i = 0; i < 4000; i++)
            same += 64 - __builtin_popcountll(base_random_next(&a) ^ base_random_next(&b));
        assert_true(fabs(same / 256000.0 - 0.5) < 5.0 * 0.5 / sqrt(256000.0));
    }
    base_random again = base_random_at(1, 1, 1);
    assert_memory_equal(&again, &base, sizeof base);
}

static void shuffles_are_uniform_permutations(void **state) {
    (void)state;
    size_t counts[24] = {0};
    base_random random = base_random_at(7, 7, 7);
    for (int trial = 0; trial < 48000; trial++) {
        uint32_t items[4] = {0, 1, 2, 3};
        base_random_shuffle(&random, items, 4);
        size_t rank = 0;
        uint32_t seen = 0;
        for (size_t i = 0; i < 4; i++) {
            size_t smaller = 0;
            for (size_t j = i + 1; j < 4; j++)
                smaller += items[j] < items[i];
            rank = rank * (4 - i) + smaller;
            seen |= 1U << items[i];
        }
        assert_int_equal(seen, 15);
        counts[rank]++;
    }
    expect_chi_square(counts, 24, 48000);
    base_random_shuffle(&random, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_xoshiro256),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(below_is_unbiased_for_large_bounds),
        cmocka_unit_test(uniform_fills_the_interval),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(streams_are_apart),
        cmocka_unit_test(shuffles_are_uniform_permutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
