/* The writer and the reader: byte order, variable-length numbers, ends. */
#include "support.h"

#include "base/bytes.h"
#include "base/random.h"

static void numbers_are_little_endian(void **state) {
    (void)state;
    base_writer w = {0};
    base_write_u8(&w, 0x01);
    base_write_u16(&w, 0x0302);
    base_write_u32(&w, 0x07060504);
    base_write_u64(&w, 0x0f0e0d0c0b0a0908);
    base_write_f32(&w, 1.0F);
    base_write_f64(&w, -2.0);
    const uint8_t expected[] = {1,  2, 3, 4,    5,    6, 7, 8, 9, 10, 11, 12, 13,  14,
                                15, 0, 0, 0x80, 0x3f, 0, 0, 0, 0, 0,  0,  0,  0xc0};
    assert_false(w.failed);
    assert_int_equal(w.count, sizeof expected);
    assert_memory_equal(w.bytes, expected, sizeof expected);
    base_reader r = {.bytes = w.bytes, .count = w.count};
    assert_int_equal(base_read_u8(&r), 0x01);
    assert_int_equal(base_read_u16(&r), 0x0302);
    assert_int_equal(base_read_u32(&r), 0x07060504);
    assert_true(base_read_u64(&r) == 0x0f0e0d0c0b0a0908);
    assert_true(base_read_f32(&r) == 1.0F);
    assert_true(base_read_f64(&r) == -2.0);
    assert_true(!r.failed && r.at == r.count);
    base_writer_free(&w);
    assert_true(w.bytes == NULL && w.count == 0);
}

static void floats_keep_their_bits(void **state) {
    (void)state;
    const uint32_t patterns[] = {0x7fc12345, 0x80000000, 0x00000001, 0xff800000};
    for (size_t i = 0; i < 4; i++) {
        float value;
        memcpy(&value, &patterns[i], sizeof value);
        base_writer w = {0};
        base_write_f32(&w, value);
        base_reader r = {.bytes = w.bytes, .count = w.count};
        assert_int_equal(base_read_u32(&r), patterns[i]);
        base_writer_free(&w);
    }
}

static void varints_match_leb128(void **state) {
    (void)state;
    const struct {
        uint64_t value;
        size_t count;
        uint8_t bytes[10];
    } cases[] = {
        {0, 1, {0}},
        {127, 1, {0x7f}},
        {128, 2, {0x80, 1}},
        {624485, 3, {0xe5, 0x8e, 0x26}}, /* DWARF 5, appendix C */
        {UINT64_MAX, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        base_writer w = {0};
        base_write_varint(&w, cases[i].value);
        assert_int_equal(w.count, cases[i].count);
        assert_memory_equal(w.bytes, cases[i].bytes, w.count);
        base_writer_free(&w);
    }
    base_random random = base_random_at(1, 2, 3);
    for (int i = 0; i < 2000; i++) {
        uint64_t value = base_random_next(&random) >> (i % 64);
        base_writer w = {0};
        base_write_varint(&w, value);
        base_reader r = {.bytes = w.bytes, .count = w.count};
        assert_true(base_read_varint(&r) == value && !r.failed && r.at == r.count);
        base_writer_free(&w);
    }
}

static void bad_varints_fail(void **state) {
    (void)state;
    const uint8_t bad[3][11] = {
        {0x80, 0x80},                                                       /* cut */
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},          /* 65 bits */
        {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, /* 11 bytes */
    };
    const size_t counts[3] = {2, 10, 11};
    for (size_t i = 0; i < 3; i++) {
        base_reader r = {.bytes = bad[i], .count = counts[i]};
        assert_true(base_read_varint(&r) == 0);
        assert_true(r.failed);
    }
}

static void reading_beyond_the_end_fails_for_good(void **state) {
    (void)state;
    const uint8_t bytes[5] = {1, 2, 3, 4, 5};
    base_reader r = {.bytes = bytes, .count = 5};
    assert_int_equal(base_read_u32(&r), 0x04030201);
    assert_int_equal(base_read_u16(&r), 0);
    assert_true(r.failed);
    assert_int_equal(base_read_u8(&r), 0); /* one byte is left, but it stays failed */
    base_reader huge = {.bytes = bytes, .count = 5, .at = 2};
    assert_null(base_read_bytes(&huge, SIZE_MAX));
    assert_true(huge.failed);
    base_reader whole = {.bytes = bytes, .count = 5};
    assert_ptr_equal(base_read_bytes(&whole, 5), bytes);
    assert_non_null(base_read_bytes(&whole, 0));
    assert_false(whole.failed);
}

static void long_texts_and_many_bytes(void **state) {
    (void)state;
    base_writer w = {0};
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < 50; i++)
        base_write_text(&w, "%d %s\n", i, text);
    assert_false(w.failed);
    size_t expected = 10 * 2 + 40 * 3 + 50 * sizeof text;
    assert_int_equal(w.count, expected);
    assert_memory_equal(w.bytes, "0 xxx", 5);
    assert_memory_equal(w.bytes + w.count - 4, "xxx\n", 4);
    base_write_bytes(&w, NULL, 0);
    assert_int_equal(w.count, expected);
    base_writer_free(&w);
}

static void a_size_beyond_memory_fails_for_good(void **state) {
    (void)state;
    const uint8_t byte = 7;
    base_writer w = {0};
    base_write_u8(&w, byte);
    base_write_bytes(&w, &byte, SIZE_MAX);
    assert_true(w.failed);
    base_write_u8(&w, byte);
    assert_int_equal(w.count, 1);
    base_writer_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(floats_keep_their_bits),
        cmocka_unit_test(varints_match_leb128),
        cmocka_unit_test(bad_varints_fail),
        cmocka_unit_test(reading_beyond_the_end_fails_for_good),
        cmocka_unit_test(long_texts_and_many_bytes),
        cmocka_unit_test(a_size_beyond_memory_fails_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
