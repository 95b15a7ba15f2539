/* The writer and the reader: byte order, variable-length numbers, ends. */
#include "support.h"

#include "base/bytes.h"
#include "base/memory.h"
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

/* Where a writer's bytes go, piece by piece, until there are more than the limit. */
typedef struct pool {
    base_writer bytes;
    size_t limit, pieces;
} pool;

static bool take_piece(void *user, const void *bytes, size_t count) {
    pool *p = user;
    base_write_bytes(&p->bytes, bytes, count);
    p->pieces++;
    return p->bytes.count <= p->limit;
}

/* Small and large stretches in turn, as a checkpoint's are. */
static void write_stretches(base_writer *w, const uint8_t *bytes) {
    for (size_t i = 0; i < 5; i++) {
        base_write_u32(w, (uint32_t)i);
        base_write_bytes(w, bytes, BASE_PIECE / 2 + i * BASE_PIECE / 3);
        base_write_text(w, "%zu\n", i);
    }
}

static void a_drain_gets_all_in_order(void **state) {
    (void)state;
    pool p = {.limit = SIZE_MAX};
    base_writer whole = {0};
    base_writer drained = {.drain = take_piece, .user = &p};
    uint8_t *bytes = base_array(2 * BASE_PIECE, 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < 2 * BASE_PIECE; i++)
        bytes[i] = (uint8_t)(i * 37 >> 3);
    write_stretches(&whole, bytes);
    write_stretches(&drained, bytes);
    assert_in_range(drained.count, 1, BASE_PIECE);
    base_writer_flush(&drained);
    assert_true(!drained.failed && drained.count == 0 && drained.capacity <= 4 * BASE_PIECE);
    assert_int_equal(p.bytes.count, whole.count);
    assert_memory_equal(p.bytes.bytes, whole.bytes, whole.count);
    assert_true(p.pieces > 3);
    base_free(bytes);
    base_writer_free(&whole);
    base_writer_free(&drained);
    base_writer_free(&p.bytes);
}

static void a_drain_that_fails_is_asked_no_more(void **state) {
    (void)state;
    pool p = {.limit = BASE_PIECE};
    base_writer w = {.drain = take_piece, .user = &p};
    uint8_t *bytes = base_array(2 * BASE_PIECE, 1);
    assert_non_null(bytes);
    write_stretches(&w, bytes);
    assert_true(w.failed);
    const size_t pieces = p.pieces;
    base_write_bytes(&w, bytes, 2 * BASE_PIECE);
    base_writer_flush(&w);
    assert_true(w.failed && p.pieces == pieces);
    base_free(bytes);
    base_writer_free(&w);
    base_writer_free(&p.bytes);
}

/* A place's bytes, where it is asked for one at most. */
static const uint8_t *look(void *user, size_t at, size_t count) {
    const uint8_t *bytes = user;
    return count <= BASE_PIECE && bytes[at] != 0xff ? bytes + at : NULL;
}

static void what_is_looked_for_elsewhere_is_read(void **state) {
    (void)state;
    const size_t count = 2 * BASE_PIECE + 9;
    uint8_t *bytes = base_array(count, 1);
    uint8_t *read = base_array(count, 1);
    assert_true(bytes != NULL && read != NULL);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(i % 251);
    base_reader r = {.count = count, .look = look, .user = bytes};
    assert_int_equal(base_read_u16(&r), 0x0100);
    base_read_into(&r, read, count - 2);
    assert_true(!r.failed && r.at == count);
    assert_memory_equal(read, bytes + 2, count - 2);
    assert_int_equal(base_read_u8(&r), 0);
    assert_true(r.failed);
    bytes[2 + BASE_PIECE] = 0xff;
    r = (base_reader){.count = count, .at = 2, .look = look, .user = bytes};
    memset(read, 1, count);
    base_read_into(&r, read, count - 2);
    assert_true(r.failed);
    assert_memory_equal(read, bytes + 2, BASE_PIECE);
    for (size_t i = BASE_PIECE; i < count - 2; i++)
        assert_int_equal(read[i], 0);
    base_free(bytes);
    base_free(read);
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
        cmocka_unit_test(a_drain_gets_all_in_order),
        cmocka_unit_test(a_drain_that_fails_is_asked_no_more),
        cmocka_unit_test(what_is_looked_for_elsewhere_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
