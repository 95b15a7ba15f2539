/* Level sets against brute force over all assignments, and against a dense
 * search over q. */
#include "support.h"

static const admm_levels kinds[] = {ADMM_LEVELS_EQUAL, ADMM_LEVELS_EQUAL_ZERO,
                                    ADMM_LEVELS_POWER_OF_TWO, ADMM_LEVELS_BINARY,
                                    ADMM_LEVELS_TERNARY};
#define KINDS (sizeof kinds / sizeof kinds[0])

static unsigned least_bits(admm_levels kind) {
    return kind == ADMM_LEVELS_EQUAL_ZERO ? 2 : 1;
}

/* The levels at q = 1, from the definitions in set.h; returns how many. */
static size_t list_levels(admm_levels kind, unsigned bits, double *levels) {
    size_t m = (size_t)1 << (bits - 1);
    size_t n = 0;
    if (kind == ADMM_LEVELS_BINARY || kind == ADMM_LEVELS_TERNARY)
        m = 1;
    if (kind == ADMM_LEVELS_EQUAL_ZERO)
        m--;
    if (kind == ADMM_LEVELS_EQUAL_ZERO || kind == ADMM_LEVELS_TERNARY)
        levels[n++] = 0.0;
    for (size_t k = 1; k <= m; k++) {
        double level = kind == ADMM_LEVELS_POWER_OF_TWO ? pow(2.0, (double)k - 1.0) : (double)k;
        levels[n++] = level;
        levels[n++] = -level;
    }
    return n;
}

static double error_at(const double *levels, size_t level_count, double q, const float *v,
                       const uint8_t *support, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double best = INFINITY;
        for (size_t l = 0; l < level_count; l++)
            best = fmin(best, fabs((double)v[i] - levels[l] * q));
        if (support == NULL || support[i] != 0)
            sum += best * best;
    }
    return sum;
}

/* Every assignment of levels to values, each with its best q > 0. */
static double best_of_all(const double *levels, size_t level_count, const float *v, size_t count) {
    size_t assignments = 1;
    double best = INFINITY;
    for (size_t i = 0; i < count; i++)
        assignments *= level_count;
    for (size_t a = 0; a < assignments; a++) {
        double cross = 0.0;
        double square = 0.0;
        size_t rest = a;
        for (size_t i = 0; i < count; i++, rest /= level_count) {
            double level = levels[rest % level_count];
            cross += level * (double)v[i];
            square += level * level;
        }
        double q = square > 0.0 && cross > 0.0 ? cross / square : 0.0;
        double error = 0.0;
        rest = a;
        for (size_t i = 0; i < count; i++, rest /= level_count) {
            double gap = (double)v[i] - q * levels[rest % level_count];
            error += gap * gap;
        }
        best = fmin(best, error);
    }
    return best;
}

static void fit_is_the_best_of_all_assignments(void **state) {
    (void)state;
    double levels[40];
    float v[4];
    float z[4];
    for (size_t k = 0; k < KINDS; k++) {
        for (unsigned bits = least_bits(kinds[k]); bits <= 4; bits++) {
            size_t n = list_levels(kinds[k], bits, levels);
            for (uint32_t trial = 0; trial < 20; trial++) {
                base_random random = base_random_at(k, bits, trial);
                size_t count = 1 + trial % 4;
                for (size_t i = 0; i < count; i++)
                    v[i] = trial % 3 == 0 ? (float)base_random_below(&random, 5) - 2.0F
                                          : base_random_normal(&random);
                double expected = best_of_all(levels, n, v, count);
                float q;
                double error2;
                assert_int_equal(admm_levels_fit(kinds[k], bits, v, NULL, count, &q, &error2, NULL),
                                 ADMMNN_OK);
                assert_true(fabs(error2 - expected) <= 1e-12 + 1e-12 * expected);
                admm_set *set;
                assert_int_equal(admm_set_levels(kinds[k], bits, NULL, count, &set, NULL),
                                 ADMMNN_OK);
                project_both(set, v, z, count);
                assert_true(error_at(levels, n, (double)q, z, NULL, count) < 1e-10);
                assert_true(fabs(distance2(v, z, count) - expected) <= 1e-6 * (1.0 + expected));
                admm_set_free(set);
            }
        }
    }
}

/* The values on the support in `inside`, how many, and what zero elsewhere costs. */
static size_t split_by_support(const float *v, const uint8_t *support, size_t count, float *inside,
                               double *outside2) {
    size_t kept = 0;
    *outside2 = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (support[i] != 0)
            inside[kept++] = v[i];
        else
            *outside2 += (double)v[i] * (double)v[i];
    }
    return kept;
}

static void check_on_support(admm_levels kind, unsigned bits, const float *v,
                             const uint8_t *support, size_t count) {
    double levels[40];
    double outside2;
    double error2;
    float inside[4];
    float q;
    float z[4];
    size_t n = list_levels(kind, bits, levels);
    size_t kept = split_by_support(v, support, count, inside, &outside2);
    double expected = best_of_all(levels, n, inside, kept);
    assert_int_equal(admm_levels_fit(kind, bits, v, support, count, &q, &error2, NULL), ADMMNN_OK);
    assert_true(fabs(error2 - expected) <= 1e-12 + 1e-12 * expected);
    admm_set *set;
    assert_int_equal(admm_set_levels(kind, bits, support, count, &set, NULL), ADMMNN_OK);
    project_both(set, v, z, count);
    admm_set_free(set);
    assert_true(error_at(levels, n, (double)q, z, support, count) < 1e-10);
    assert_true(fabs(distance2(v, z, count) - outside2 - expected) <=
                1e-6 * (1.0 + expected + outside2));
    for (size_t i = 0; i < count; i++)
        assert_true(support[i] != 0 || z[i] == 0.0F);
}

/* Every support of up to four values; those outside it are large as often as not, so
 * that an interval fitted to them too is seen. */
static void projection_on_a_support_is_the_best_of_all_assignments(void **state) {
    (void)state;
    for (size_t k = 0; k < KINDS; k++)
        for (unsigned bits = least_bits(kinds[k]); bits <= 4; bits++)
            for (uint32_t trial = 0; trial < 16 * 8; trial++) {
                base_random random = base_random_at(k, bits, 1000 + trial);
                float v[4];
                uint8_t support[4];
                for (size_t i = 0; i < 4; i++) {
                    support[i] = (uint8_t)(trial >> i & 1U);
                    v[i] = trial % 3 == 0 ? (float)base_random_below(&random, 5) - 2.0F
                                          : base_random_normal(&random);
                    if (support[i] == 0 && base_random_below(&random, 2) == 0)
                        v[i] *= 30.0F;
                }
                check_on_support(kinds[k], bits, v, support, 1 + trial / 16 % 4);
            }
}

/* Normal values as weights are, and magnitudes over six decades. */
static void fill_values(float *v, size_t count, uint64_t seed) {
    base_random random = base_random_at(seed, 8, 9);
    for (size_t i = 0; i < count; i++) {
        v[i] = 0.05F * base_random_normal(&random);
        if (seed % 2 == 1)
            v[i] *= expf(3.0F * base_random_normal(&random));
    }
    v[count / 2] = 0.0F;
}

static void fit_is_the_best_of_a_dense_search(void **state) {
    (void)state;
    enum { COUNT = 60 };
    double levels[300];
    float v[COUNT];
    uint8_t support[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        support[i] = i % 4 != 1;
    for (size_t k = 0; k < KINDS; k++) {
        for (unsigned bits = least_bits(kinds[k]); bits <= 6; bits++) {
            size_t n = list_levels(kinds[k], bits, levels);
            for (uint64_t trial = 0; trial < 4; trial++) {
                const uint8_t *where = trial < 2 ? NULL : support;
                fill_values(v, COUNT, trial);
                float q;
                double error2;
                assert_int_equal(
                    admm_levels_fit(kinds[k], bits, v, where, COUNT, &q, &error2, NULL), ADMMNN_OK);
                double found = error_at(levels, n, (double)q, v, where, COUNT);
                assert_true(fabs(found - error2) <= 1e-6 * (found + error2));
                double top = 0.0;
                for (size_t i = 0; i < COUNT; i++)
                    top = fmax(top, fabs((double)v[i]));
                for (int step = 0; step <= 2000; step++) {
                    double at = 2.0 * top * pow(1e-11, step / 2000.0);
                    double other = error_at(levels, n, at, v, where, COUNT);
                    if (other < error2 * (1.0 - 1e-9))
                        fail_msg("kind %zu, %u bits: %g at q %g, but %g at %g", k, bits, error2,
                                 (double)q, other, at);
                }
            }
        }
    }
}

static void codes_are_the_nearest_levels(void **state) {
    (void)state;
    double levels[300];
    for (size_t k = 0; k < KINDS; k++) {
        for (unsigned bits = least_bits(kinds[k]); bits <= 6; bits++) {
            size_t n = list_levels(kinds[k], bits, levels);
            bool zero = levels[0] == 0.0;
            assert_int_equal(2 * admm_level_count(kinds[k], bits) + zero, n);
            base_random random = base_random_at(k, bits, 7);
            for (int trial = 0; trial < 300; trial++) {
                float q = 0.01F + base_random_uniform(&random);
                float v = 4.0F * base_random_normal(&random);
                int32_t code = admm_level_code(kinds[k], bits, q, v);
                double gap = fabs((double)v - (double)admm_level_value(kinds[k], q, code));
                double least = sqrt(error_at(levels, n, (double)q, &v, NULL, 1));
                assert_true(gap <= least + 1e-6 * (fabs((double)v) + (double)q));
                assert_int_equal(
                    admm_level_code(kinds[k], bits, q, admm_level_value(kinds[k], q, code)), code);
            }
        }
    }
}

static void a_support_holds_the_values(void **state) {
    (void)state;
    const float v[6] = {1.0F, -5.0F, 0.1F, -1.1F, 100.0F, 0.9F};
    const uint8_t support[6] = {1, 0, 1, 1, 0, 1};
    const float inside[4] = {1.0F, 0.1F, -1.1F, 0.9F};
    float q;
    float z[6];
    assert_int_equal(admm_levels_fit(ADMM_LEVELS_EQUAL, 1, inside, NULL, 4, &q, NULL, NULL),
                     ADMMNN_OK);
    admm_set *set;
    assert_int_equal(admm_set_levels(ADMM_LEVELS_EQUAL, 1, support, 6, &set, NULL), ADMMNN_OK);
    project_both(set, v, z, 6);
    const float expected[6] = {q, 0.0F, q, -q, 0.0F, q};
    assert_memory_equal(z, expected, sizeof z);
    assert_int_equal(admm_set_project(set, v, z, 5, NULL), ADMMNN_USAGE);
    admm_set_free(set);
}

static void signs_have_nothing_to_fit(void **state) {
    (void)state;
    const float v[5] = {0.25F, -3.0F, 0.0F, -0.5F, 1.0F};
    const float expected[5] = {1.0F, -1.0F, 1.0F, -1.0F, 1.0F};
    float z[5];
    float q;
    double error2;
    assert_int_equal(admm_levels_fit(ADMM_LEVELS_SIGN, 1, v, NULL, 5, &q, &error2, NULL),
                     ADMMNN_OK);
    admm_set *set;
    assert_int_equal(admm_set_levels(ADMM_LEVELS_SIGN, 1, NULL, 5, &set, NULL), ADMMNN_OK);
    project_both(set, v, z, 5);
    admm_set_free(set);
    assert_memory_equal(z, expected, sizeof z);
    assert_true(q == 1.0F && fabs(error2 - distance2(v, z, 5)) < 1e-12);
}

static void zeros_have_no_interval(void **state) {
    (void)state;
    const float v[4] = {0.0F, -0.0F, 0.0F, 0.0F};
    for (size_t k = 0; k < KINDS; k++) {
        float z[4] = {1.0F, 1.0F, 1.0F, 1.0F};
        float q = 7.0F;
        double error2 = 7.0;
        assert_int_equal(admm_levels_fit(kinds[k], 3, v, NULL, 4, &q, &error2, NULL), ADMMNN_OK);
        assert_true(q == 0.0F && error2 == 0.0);
        admm_set *set;
        assert_int_equal(admm_set_levels(kinds[k], 3, NULL, 4, &set, NULL), ADMMNN_OK);
        project_both(set, v, z, 4);
        assert_true(distance2(v, z, 4) == 0.0);
        admm_set_free(set);
    }
}

/* Ten values and 32768 levels, and many values at 8 bits: neither needs room for
 * all pairs of them. */
static void many_levels_fit(void **state) {
    (void)state;
    const size_t count = 20000;
    float *v = floats(count);
    float q;
    double error2;
    fill_values(v, count, 2);
    assert_int_equal(admm_levels_fit(ADMM_LEVELS_EQUAL, 16, v, NULL, 10, &q, &error2, NULL),
                     ADMMNN_OK);
    assert_true(error2 < 1e-8);
    assert_int_equal(admm_levels_fit(ADMM_LEVELS_EQUAL, 8, v, NULL, count, &q, &error2, NULL),
                     ADMMNN_OK);
    /* 128 levels to four deviations: an interval of 0.05 / 32, its variance q^2 / 12. */
    assert_true(error2 / (double)count < 1.5 * (double)(q * q) / 12.0);
    base_free(v);
}

static void impossible_levels_are_refused(void **state) {
    (void)state;
    admm_set *set;
    assert_int_equal(admm_set_levels(ADMM_LEVELS_EQUAL, 0, NULL, 4, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_levels(ADMM_LEVELS_EQUAL, 17, NULL, 4, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_levels(ADMM_LEVELS_EQUAL_ZERO, 1, NULL, 4, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_levels(ADMM_LEVELS_POWER_OF_TWO, 7, NULL, 4, &set, NULL),
                     ADMMNN_USAGE);
    float v[2] = {1.0F, NAN};
    assert_int_equal(admm_set_levels(ADMM_LEVELS_EQUAL, 2, NULL, 2, &set, NULL), ADMMNN_OK);
    assert_int_equal(admm_set_project(set, v, v, 2, NULL), ADMMNN_DIVERGED);
    admm_set_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_is_the_best_of_all_assignments),
        cmocka_unit_test(projection_on_a_support_is_the_best_of_all_assignments),
        cmocka_unit_test(fit_is_the_best_of_a_dense_search),
        cmocka_unit_test(codes_are_the_nearest_levels),
        cmocka_unit_test(a_support_holds_the_values),
        cmocka_unit_test(signs_have_nothing_to_fit),
        cmocka_unit_test(zeros_have_no_interval),
        cmocka_unit_test(many_levels_fit),
        cmocka_unit_test(impossible_levels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
