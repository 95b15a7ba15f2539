/* The planner of one allocation: nothing that lives together overlaps, and
 * what need not live together shares. */
#include "support.h"

#include "engine/place.h"

static void expect_sound(const engine_buffer *buffers, size_t count, size_t total) {
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(buffers[i].offset % BASE_ALIGNMENT, 0);
        assert_true(buffers[i].offset + buffers[i].bytes <= total);
        for (size_t k = 0; k < i; k++) {
            bool together =
                buffers[i].birth <= buffers[k].death && buffers[k].birth <= buffers[i].death;
            bool apart = buffers[i].offset + buffers[i].bytes <= buffers[k].offset ||
                         buffers[k].offset + buffers[k].bytes <= buffers[i].offset;
            assert_true(apart || !together || buffers[i].bytes == 0 || buffers[k].bytes == 0);
        }
    }
}

/* The bytes alive at the busiest moment: no plan can do with less. */
static size_t busiest(const engine_buffer *buffers, size_t count, size_t moments) {
    size_t most = 0;
    for (size_t t = 0; t < moments; t++) {
        size_t alive = 0;
        for (size_t i = 0; i < count; i++)
            if (buffers[i].birth <= t && t <= buffers[i].death)
                alive += buffers[i].bytes;
        most = alive > most ? alive : most;
    }
    return most;
}

static void a_chain_needs_two_buffers(void **state) {
    (void)state;
    engine_buffer chain[6];
    size_t order[6];
    for (size_t i = 0; i < 6; i++)
        chain[i] = (engine_buffer){640, i, i + 1, 1};
    size_t total = engine_place(chain, 6, order);
    expect_sound(chain, 6, total);
    assert_int_equal(total, 1280);
}

static void a_forward_and_backward_pass(void **state) {
    (void)state;
    /* Values live until their mirror image in the backward pass. */
    engine_buffer values[8];
    size_t order[8];
    for (size_t i = 0; i < 8; i++)
        values[i] = (engine_buffer){64 * (8 - i), i, 16 - i, 0};
    size_t total = engine_place(values, 8, order);
    expect_sound(values, 8, total);
    assert_int_equal(total, busiest(values, 8, 17));
}

static void random_lives(void **state) {
    (void)state;
    enum { COUNT = 40, MOMENTS = 30 };
    size_t order[COUNT];
    for (uint64_t seed = 0; seed < 200; seed++) {
        base_random random = base_random_at(seed, 0, 0);
        engine_buffer buffers[COUNT];
        size_t sum = 0;
        for (size_t i = 0; i < COUNT; i++) {
            size_t birth = base_random_below(&random, MOMENTS);
            size_t life = base_random_below(&random, 6);
            buffers[i] = (engine_buffer){base_random_below(&random, 5000), birth, birth + life, 0};
            sum += buffers[i].bytes + BASE_ALIGNMENT;
        }
        size_t total = engine_place(buffers, COUNT, order);
        expect_sound(buffers, COUNT, total);
        size_t least = busiest(buffers, COUNT, MOMENTS + 6);
        assert_true(total >= least && total < sum);
        assert_true(total < 2 * least);
    }
}

static void nothing_to_place(void **state) {
    (void)state;
    assert_int_equal(engine_place(NULL, 0, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_needs_two_buffers),
        cmocka_unit_test(a_forward_and_backward_pass),
        cmocka_unit_test(random_lives),
        cmocka_unit_test(nothing_to_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
