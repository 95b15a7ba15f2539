/* Quartiles as NumPy gives them, and the signed-rank test against the count of all signs. */
#include "support.h"

#include "admmq/statistics.h"

static void quartiles_are_those_of_numpy(void **state) {
    (void)state;
    double values[] = {7, 1, 3, 10, 4}; /* numpy.percentile(values, [0, 25, 50, 75, 100]) */
    admmnn_quartiles q = statistics_quartiles(values, 5);
    assert_true(q.least == 1 && q.lower == 3 && q.median == 4 && q.upper == 7 && q.greatest == 10);
    double even[] = {4, 1, 3, 2};
    q = statistics_quartiles(even, 4);
    assert_true(q.lower == 1.75 && q.median == 2.5 && q.upper == 3.25);
    double one[] = {5};
    q = statistics_quartiles(one, 1);
    assert_true(q.least == 5 && q.lower == 5 && q.greatest == 5);
    double infinite[] = {INFINITY, 2, INFINITY, INFINITY};
    q = statistics_quartiles(infinite, 4);
    assert_true(q.least == 2 && q.median == INFINITY && q.upper == INFINITY);
    assert_true(isnan(statistics_quartiles(one, 0).median));
}

#define PAIRS 9

static int by_size(const void *left, const void *right) {
    const double a = fabs(*(const double *)left);
    const double b = fabs(*(const double *)right);
    return (a > b) - (a < b);
}

/* The share of all 2^PAIRS signs whose sum of ranks is as far from the middle. */
static double counted(double *differences) {
    double ranks[PAIRS];
    double sum = 0;
    double all = 0;
    qsort(differences, PAIRS, sizeof *differences, by_size);
    for (size_t i = 0; i < PAIRS; i++) {
        double below = 0;
        double same = 0;
        for (size_t k = 0; k < PAIRS; k++) {
            below += fabs(differences[k]) < fabs(differences[i]);
            same += fabs(differences[k]) == fabs(differences[i]);
        }
        ranks[i] = below + (same + 1) / 2;
        all += ranks[i];
        sum += differences[i] > 0 ? ranks[i] : 0;
    }
    size_t as_far = 0;
    for (size_t signs = 0; signs < (size_t)1 << PAIRS; signs++) {
        double other = 0;
        for (size_t i = 0; i < PAIRS; i++)
            other += (signs >> i & 1) != 0 ? ranks[i] : 0;
        as_far += fabs(other - all / 2) >= fabs(sum - all / 2);
    }
    return (double)as_far / (double)((size_t)1 << PAIRS);
}

static void signed_ranks_are_counted(void **state) {
    (void)state;
    base_random random = base_random_at(4, 0, 0);
    for (int round = 0; round < 200; round++) {
        double a[PAIRS];
        double b[PAIRS];
        double differences[PAIRS];
        statistics_test test;
        size_t below = 0;
        for (size_t i = 0; i < PAIRS; i++) {
            differences[i] = (double)base_random_below(&random, 6) + 1; /* many are equal */
            differences[i] *= base_random_below(&random, 3) == 0 ? -1 : 1;
            b[i] = (double)base_random_below(&random, 100);
            a[i] = b[i] + differences[i];
            below += differences[i] < 0;
        }
        MUST(statistics_signed_rank(a, b, PAIRS, &test, err));
        assert_true(fabs(test.p - counted(differences)) < 1e-12);
        assert_true(test.below == below && test.equal == 0 && test.above == PAIRS - below);
    }
}

/* scipy.stats.wilcoxon: all of twelve on one side, 2 / 2^12. */
static void known_cases(void **state) {
    (void)state;
    double a[12];
    double b[12];
    statistics_test test;
    for (size_t i = 0; i < 12; i++) {
        a[i] = (double)i;
        b[i] = 2 * (double)i + 1;
    }
    MUST(statistics_signed_rank(a, b, 12, &test, err));
    assert_true(fabs(test.p - 2.0 / 4096) < 1e-15 && test.below == 12);
    MUST(statistics_signed_rank(a, a, 12, &test, err));
    assert_true(test.p == 1 && test.equal == 12);
    b[0] = a[0]; /* equal pairs count for nothing */
    MUST(statistics_signed_rank(a, b, 12, &test, err));
    assert_true(fabs(test.p - 2.0 / 2048) < 1e-15 && test.equal == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quartiles_are_those_of_numpy),
        cmocka_unit_test(signed_ranks_are_counted),
        cmocka_unit_test(known_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
