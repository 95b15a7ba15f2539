/* Arrays: zeroed, aligned, and refused when their size overflows. */
#include "support.h"

#include "base/memory.h"

static void products_that_overflow_are_refused(void **state) {
    (void)state;
    size_t product = 7;
    assert_true(base_multiply(1U << 20, 1U << 20, &product));
    assert_true(product == (size_t)1 << 40);
    assert_true(base_multiply(SIZE_MAX, 1, &product));
    assert_false(base_multiply(SIZE_MAX / 2 + 1, 2, &product));
    assert_null(base_array(SIZE_MAX / 4 + 1, 4));
    assert_null(base_array(SIZE_MAX, 1));
    assert_null(base_array(SIZE_MAX - BASE_ALIGNMENT + 1, 1));
    assert_null(base_array_copy("x", SIZE_MAX / 2, 3));
}

static void arrays_are_zero_and_aligned(void **state) {
    (void)state;
    const size_t counts[] = {0, 1, 15, 16, 17, 1000};
    for (size_t c = 0; c < 6; c++) {
        float *array = base_array(counts[c], sizeof *array);
        assert_non_null(array);
        assert_int_equal((uintptr_t)array % BASE_ALIGNMENT, 0);
        for (size_t i = 0; i < counts[c]; i++)
            assert_true(array[i] == 0.0F);
        memset(array, 0xff, counts[c] * sizeof *array);
        base_free(array);
    }
    base_free(NULL);
}

static void resizing_keeps_and_zeroes(void **state) {
    (void)state;
    uint32_t *array = base_array_resize(NULL, 0, 3, sizeof *array);
    assert_non_null(array);
    for (uint32_t i = 0; i < 3; i++)
        array[i] = i + 1;
    array = base_array_resize(array, 3, 100, sizeof *array);
    assert_non_null(array);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(array[i], i < 3 ? i + 1 : 0);
    assert_null(base_array_resize(array, 100, SIZE_MAX / 2, sizeof *array));
    assert_int_equal(array[2], 3); /* the old one stays */
    array = base_array_resize(array, 100, 2, sizeof *array);
    assert_non_null(array);
    assert_int_equal(array[1], 2);
    uint32_t *copy = base_array_copy(array, 2, sizeof *copy);
    assert_memory_equal(copy, array, 2 * sizeof *copy);
    base_free(copy);
    base_free(array);
}

/* Against counting, in arrays of every length up to 20 with gaps and repeats. */
static void what_is_below_is_counted(void **state) {
    (void)state;
    size_t rising[20];
    for (size_t i = 0; i < 20; i++)
        rising[i] = 3 * (i / 2) + 1;
    for (size_t count = 0; count <= 20; count++)
        for (size_t value = 0; value < 32; value++) {
            size_t below = 0;
            for (size_t i = 0; i < count; i++)
                below += rising[i] < value;
            assert_int_equal(base_array_below(rising, count, value), below);
        }
}

static void growing_doubles(void **state) {
    (void)state;
    uint32_t *array = NULL;
    size_t capacity = 0;
    size_t changes = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = capacity;
        array = base_array_grow(array, i, &capacity, sizeof *array);
        assert_non_null(array);
        assert_true(capacity > i);
        if (capacity != before && i + 1 < capacity)
            assert_int_equal(array[i + 1], 0);
        changes += capacity != before;
        array[i] = i;
    }
    assert_true(changes < 20);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(array[i], i);
    size_t huge = SIZE_MAX / 8;
    assert_null(base_array_grow(array, huge, &huge, sizeof *array));
    assert_true(huge == SIZE_MAX / 8);
    huge = SIZE_MAX / 2 + 1;
    assert_null(base_array_grow(array, huge, &huge, 1));
    assert_int_equal(array[99999], 99999); /* the old one stays */
    base_free(array);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(arrays_are_zero_and_aligned),
        cmocka_unit_test(resizing_keeps_and_zeroes),
        cmocka_unit_test(what_is_below_is_counted),
        cmocka_unit_test(growing_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
