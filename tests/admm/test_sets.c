/* Pruning sets against brute force: every support of up to 12 places, the
 * feasible one of least distance, and among equals the one that keeps the lower
 * indices. Values are small whole numbers: distances are exact, ties frequent. */
#include "support.h"

#define PLACES_MAX 12

/* How many groups of a support hold a nonzero, by the definition of each set;
 * for n of m the most nonzeros of any run. */
typedef struct family {
    const char *name;
    admmnn_status (*make)(size_t kept, admm_set **out, admmnn_error *err);
    size_t (*used)(uint32_t support);
    size_t count, most; /* places; the largest kept */
} family;

/* Place i of n is bit n - 1 - i: of two supports the larger number keeps the
 * lower indices. */
static bool holds(uint32_t support, size_t count, size_t place) {
    return (support >> (count - 1 - place) & 1U) != 0;
}

/* 3 rows, 2 inputs of 2 taps. */
static const admm_shape shape = {3, 2, 2};
#define ROWS 3
#define COLUMNS 4

typedef size_t group_of(size_t row, size_t column);

static size_t used_groups(uint32_t support, group_of *group) {
    bool used[16] = {false};
    size_t count = 0;
    for (size_t row = 0; row < ROWS; row++)
        for (size_t column = 0; column < COLUMNS; column++)
            if (holds(support, ROWS * COLUMNS, row * COLUMNS + column))
                used[group(row, column)] = true;
    for (size_t g = 0; g < 16; g++)
        count += used[g];
    return count;
}

static size_t by_row(size_t row, size_t column) {
    (void)column;
    return row;
}

static size_t by_input(size_t row, size_t column) {
    (void)row;
    return column / 2;
}

static size_t by_column(size_t row, size_t column) {
    (void)row;
    return column;
}

/* Blocks of 2 x 3: the lower and the right ones are smaller. */
static size_t by_block(size_t row, size_t column) {
    static const size_t number[2][2] = {{0, 1}, {2, 3}};
    return number[row > 1][column > 2];
}

static size_t used_any(uint32_t support) {
    return (size_t)__builtin_popcount(support);
}

static size_t used_rows(uint32_t support) {
    return used_groups(support, by_row);
}

static size_t used_inputs(uint32_t support) {
    return used_groups(support, by_input);
}

static size_t used_columns(uint32_t support) {
    return used_groups(support, by_column);
}

static size_t used_blocks(uint32_t support) {
    return used_groups(support, by_block);
}

/* Runs of 3 in rows of 4: the last run of a row has one place. */
static size_t used_runs(uint32_t support) {
    size_t most = 0;
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t run = 0; run < COLUMNS; run += 3) {
            size_t count = 0;
            for (size_t i = run; i < run + 3 && i < COLUMNS; i++)
                count += holds(support, ROWS * COLUMNS, row * COLUMNS + i);
            most = count > most ? count : most;
        }
    }
    return most;
}

static admmnn_status make_sparse(size_t kept, admm_set **out, admmnn_error *err) {
    return admm_set_sparse(9, kept, out, err);
}

static admmnn_status make_filters(size_t kept, admm_set **out, admmnn_error *err) {
    return admm_set_filters(shape, kept, out, err);
}

static admmnn_status make_channels(size_t kept, admm_set **out, admmnn_error *err) {
    return admm_set_channels(shape, kept, out, err);
}

static admmnn_status make_columns(size_t kept, admm_set **out, admmnn_error *err) {
    return admm_set_columns(shape, kept, out, err);
}

static admmnn_status make_blocks(size_t kept, admm_set **out, admmnn_error *err) {
    return admm_set_blocks(shape, 2, 3, kept, out, err);
}

static admmnn_status make_runs(size_t kept, admm_set **out, admmnn_error *err) {
    return admm_set_n_of_m(shape, kept, 3, out, err);
}

static const family families[] = {
    {"sparse", make_sparse, used_any, 9, 9},         {"filters", make_filters, used_rows, 12, 3},
    {"channels", make_channels, used_inputs, 12, 2}, {"columns", make_columns, used_columns, 12, 4},
    {"blocks", make_blocks, used_blocks, 12, 4},     {"n-of-m", make_runs, used_runs, 12, 3},
};
#define FAMILIES (sizeof families / sizeof families[0])

static void brute_force(const family *f, size_t kept, const float *v, float *z) {
    double best = INFINITY;
    uint32_t chosen = 0;
    for (uint32_t support = 0; support < 1U << f->count; support++) {
        if (f->used(support) > kept)
            continue;
        double distance = 0.0;
        for (size_t i = 0; i < f->count; i++)
            distance += holds(support, f->count, i) ? 0.0 : (double)v[i] * (double)v[i];
        if (distance <= best) {
            best = distance;
            chosen = support;
        }
    }
    for (size_t i = 0; i < f->count; i++)
        z[i] = holds(chosen, f->count, i) ? v[i] : 0.0F;
}

static void projections_are_nearest(void **state) {
    (void)state;
    float v[PLACES_MAX];
    float z[PLACES_MAX];
    float expected[PLACES_MAX];
    for (size_t k = 0; k < FAMILIES; k++) {
        const family *f = &families[k];
        for (size_t kept = 0; kept <= f->most; kept++) {
            admm_set *set;
            admmnn_error err = {0};
            expect_ok(f->make(kept, &set, &err), &err);
            for (uint32_t trial = 0; trial < 25; trial++) {
                base_random random = base_random_at(k, kept, trial);
                for (size_t i = 0; i < f->count; i++)
                    v[i] = (float)base_random_below(&random, 7) - 3.0F;
                project_both(set, v, z, f->count);
                brute_force(f, kept, v, expected);
                for (size_t i = 0; i < f->count; i++)
                    if (z[i] != expected[i])
                        fail_msg("%s of %zu, trial %u: z[%zu] is %g, not %g", f->name, kept, trial,
                                 i, (double)z[i], (double)expected[i]);
            }
            admm_set_free(set);
        }
    }
}

static void values_that_are_not_finite_are_errors(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < FAMILIES; k++) {
        admm_set *set;
        assert_int_equal(families[k].make(1, &set, NULL), ADMMNN_OK);
        for (size_t b = 0; b < 3; b++) {
            float v[PLACES_MAX] = {0};
            float z[PLACES_MAX] = {0};
            v[5] = bad[b];
            admmnn_error err = {0};
            assert_int_equal(admm_set_project(set, v, z, families[k].count, &err), ADMMNN_DIVERGED);
            assert_non_null(strstr(err.message, "value 5"));
        }
        admm_set_free(set);
    }
}

static void a_wrong_count_is_an_error(void **state) {
    (void)state;
    for (size_t k = 0; k < FAMILIES; k++) {
        admm_set *set;
        assert_int_equal(families[k].make(1, &set, NULL), ADMMNN_OK);
        float v[PLACES_MAX] = {0};
        admmnn_error err = {0};
        assert_int_equal(admm_set_project(set, v, v, 11, &err), ADMMNN_USAGE);
        assert_non_null(strstr(err.message, families[k].name));
        admm_set_free(set);
    }
}

static void impossible_sets_are_refused(void **state) {
    (void)state;
    admm_set *set;
    const admm_shape none = {3, 0, 2};
    const admm_shape huge = {SIZE_MAX / 2, 3, 2};
    admmnn_error err = {0};
    assert_int_equal(admm_set_sparse(9, 10, &set, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "10 to keep of 9"));
    assert_int_equal(admm_set_filters(none, 1, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_channels(huge, 1, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_columns(huge, 1, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_filters(shape, 4, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_channels(shape, 3, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_columns(shape, 5, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_blocks(shape, 2, 3, 5, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_blocks(shape, 0, 3, 1, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_blocks(shape, 2, 0, 1, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_n_of_m(shape, 3, 2, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_n_of_m(shape, 0, 0, &set, NULL), ADMMNN_USAGE);
    assert_int_equal(admm_set_n_of_m(shape, 1, 1025, &set, NULL), ADMMNN_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projections_are_nearest),
        cmocka_unit_test(values_that_are_not_finite_are_errors),
        cmocka_unit_test(a_wrong_count_is_an_error),
        cmocka_unit_test(impossible_sets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
