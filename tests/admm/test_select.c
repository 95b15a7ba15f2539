/* The selection of the k largest against a sort, on inputs that are hard for
 * selections by pivots, and how its time grows on them. */
#include <time.h>

#include "support.h"

typedef void pattern(float *v, size_t count);

static void random_values(float *v, size_t count) {
    base_random random = base_random_at(1, 2, 3);
    for (size_t i = 0; i < count; i++)
        v[i] = base_random_normal(&random);
}

static void few_values(float *v, size_t count) {
    base_random random = base_random_at(4, 5, 6);
    for (size_t i = 0; i < count; i++)
        v[i] = (float)base_random_below(&random, 5) - 2.0F;
}

static void rising(float *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        v[i] = (float)i;
}

static void falling(float *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        v[i] = -(float)(count - i);
}

static void organ_pipe(float *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        v[i] = (float)(i < count / 2 ? i : count - i);
}

static void equal(float *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        v[i] = i % 2 == 0 ? 0.25F : -0.25F;
}

/* Bits that differ in the lower half only, denormal numbers and zeros of both signs. */
static void close_together(float *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        v[i] = 1.0F + (float)(i * 2654435761U % 65536U) * 0x1p-23F;
}

static void tiny(float *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        v[i] = (i % 3 == 0 ? -1.0F : 1.0F) * (float)(i % 7) * 0x1p-149F;
}

static pattern *const patterns[] = {random_values, few_values, rising,         falling,
                                    organ_pipe,    equal,      close_together, tiny};
#define PATTERNS (sizeof patterns / sizeof patterns[0])

typedef struct entry {
    float size;
    size_t place;
} entry;

static int by_size(const void *left, const void *right) {
    const entry *a = left;
    const entry *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static void select_by_sort(const float *v, float *z, size_t count, size_t kept) {
    entry *entries = base_array(count, sizeof *entries);
    assert_non_null(entries);
    for (size_t i = 0; i < count; i++)
        entries[i] = (entry){fabsf(v[i]), i};
    qsort(entries, count, sizeof *entries, by_size);
    memset(z, 0, count * sizeof *z);
    for (size_t i = 0; i < count && i < kept; i++)
        z[entries[i].place] = v[entries[i].place];
    base_free(entries);
}

static void check(pattern *fill, size_t count, size_t kept) {
    float *v = floats(count);
    float *z = floats(count);
    float *expected = floats(count);
    admm_set *set;
    assert_int_equal(admm_set_sparse(count, kept, &set, NULL), ADMMNN_OK);
    fill(v, count);
    project_both(set, v, z, count);
    select_by_sort(v, expected, count, kept);
    for (size_t i = 0; i < count; i++)
        if (z[i] != expected[i])
            fail_msg("%zu of %zu: place %zu is %g, not %g", kept, count, i, (double)z[i],
                     (double)expected[i]);
    admm_set_free(set);
    base_free(v);
    base_free(z);
    base_free(expected);
}

static void selection_is_a_sort_s(void **state) {
    (void)state;
    const size_t counts[] = {1, 2, 17, 1000, 100000};
    for (size_t p = 0; p < PATTERNS; p++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            size_t n = counts[c];
            const size_t kept[] = {0, 1, n / 100, n / 2, n - 1, n};
            for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++)
                check(patterns[p], n, kept[k]);
        }
    }
}

/* Of this thread alone: other programs do not count. */
static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double seconds_of(const float *v, float *z, size_t count, size_t kept) {
    admm_set *set;
    assert_int_equal(admm_set_sparse(count, kept, &set, NULL), ADMMNN_OK);
    double best = INFINITY;
    for (int i = 0; i < 5; i++) {
        double start = thread_seconds();
        assert_int_equal(admm_set_project(set, v, z, count, NULL), ADMMNN_OK);
        best = fmin(best, thread_seconds() - start);
    }
    admm_set_free(set);
    return best;
}

/* Eight times the values in about eight times the time, whatever they are: a
 * quadratic worst case would take 64 times. */
static void time_is_linear_on_every_input(void **state) {
    (void)state;
    const size_t small = 1U << 18;
    const size_t large = 8 * small;
    float *v = floats(large);
    float *z = floats(large);
    for (size_t p = 0; p < PATTERNS; p++) {
        patterns[p](v, small);
        double few = seconds_of(v, z, small, small / 2);
        patterns[p](v, large);
        double many = seconds_of(v, z, large, small / 2);
        if (many > 32.0 * few)
            fail_msg("pattern %zu: %zu values in %g s, %zu in %g s", p, small, few, large, many);
    }
    base_free(v);
    base_free(z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection_is_a_sort_s),
        cmocka_unit_test(time_is_linear_on_every_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
