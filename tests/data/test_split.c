/* The validation split: a partition, by seed, of the asked sizes. */
#include "support.h"

enum { COUNT = 1000 };

static void expect_partition(const uint32_t *order, size_t count, size_t validation) {
    uint8_t *seen = base_array(count, 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(order[i] < count);
        assert_int_equal(seen[order[i]]++, 0);
        if (i > 0 && i != count - validation)
            assert_true(order[i] > order[i - 1]);
    }
    base_free(seen);
}

static void every_size_is_a_partition(void **state) {
    (void)state;
    static const size_t validations[] = {0, 1, 2, 499, 500, 998, 999, 1000};
    uint32_t order[COUNT];
    for (size_t i = 0; i < sizeof validations / sizeof validations[0]; i++) {
        memset(order, 0xff, sizeof order);
        EXPECT_OK(data_split(COUNT, validations[i], 7, order, err));
        expect_partition(order, COUNT, validations[i]);
    }
    order[0] = 5;
    EXPECT_OK(data_split(0, 0, 7, order, err));
    assert_int_equal(order[0], 5);
}

static void the_seed_decides(void **state) {
    (void)state;
    uint32_t a[COUNT];
    uint32_t b[COUNT];
    EXPECT_OK(data_split(COUNT, 100, 1, a, err));
    EXPECT_OK(data_split(COUNT, 100, 1, b, err));
    assert_memory_equal(a, b, sizeof a);
    EXPECT_OK(data_split(COUNT, 100, 2, b, err));
    assert_memory_not_equal(a, b, sizeof a);
}

/* Over seeds each sample is as often validation as any other: 10 % of 2000
 * draws is 200 with a deviation of 13.4, so that 6 deviations never happen. */
static void every_sample_is_as_likely(void **state) {
    (void)state;
    enum { SEEDS = 2000 };
    unsigned chosen[COUNT] = {0};
    uint32_t order[COUNT];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        EXPECT_OK(data_split(COUNT, COUNT / 10, seed, order, err));
        for (size_t i = COUNT - COUNT / 10; i < COUNT; i++)
            chosen[order[i]]++;
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_in_range(chosen[i], 200 - 80, 200 + 80);
}

static void too_many_are_refused(void **state) {
    (void)state;
    uint32_t order[2] = {8, 9};
    EXPECT(data_split(2, 3, 1, order, err), ADMMNN_USAGE, "3 validation samples of 2");
    EXPECT(data_split((size_t)1 << 33, 0, 1, order, err), ADMMNN_USAGE, "8589934592");
    assert_int_equal(order[0], 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_a_partition),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(every_sample_is_as_likely),
        cmocka_unit_test(too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
