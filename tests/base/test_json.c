/* JSON strings: escapes, and the definition of UTF-8 tried on every short text. */
#include "support.h"

#include <math.h>

#include "base/json.h"
#include "base/memory.h"

static void expect(const char *text, const char *json) {
    base_writer w = {0};
    base_write_json_string(&w, text);
    base_write_u8(&w, 0);
    assert_false(w.failed);
    assert_string_equal((const char *)w.bytes, json);
    base_writer_free(&w);
}

static void plain_text_is_quoted(void **state) {
    (void)state;
    expect("", "\"\"");
    expect("out/a b", "\"out/a b\"");
    expect("a\"b\\c/", "\"a\\\"b\\\\c/\"");
    expect("\n\x01\x1f\x7f", "\"\\u000a\\u0001\\u001f\x7f\"");
    expect("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static void numbers_come_back(void **state) {
    (void)state;
    static const double values[] = {0, -0.5, 1.0 / 3, 1e300, 5e-324, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        base_writer w = {0};
        base_write_json_number(&w, values[i]);
        base_write_u8(&w, 0);
        const char *text = (const char *)w.bytes;
        if (isfinite(values[i]))
            assert_true(strtod(text, NULL) == values[i]);
        else
            assert_string_equal(text, "null");
        base_writer_free(&w);
    }
}

static void bytes_that_are_no_text_are_replaced(void **state) {
    (void)state;
    expect(
        "a\xff"
        "b",
        "\"a\\ufffdb\"");
    expect("\xe2\x82", "\"\\ufffd\\ufffd\"");
    expect("\xe2\x82\"", "\"\\ufffd\\ufffd\\\"\"");
    expect("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
    expect("\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\"");
    /* Four bytes: overlong, beyond U+10FFFF, of a first byte that there is none of. */
    expect("\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    expect("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    expect("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

/* The other way round: what is a character is what the code points encode to. */
static size_t encode(uint32_t point, char out[5]) {
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(first[length] | point);
    out[length] = 0;
    return length;
}

static void every_character_passes(void **state) {
    (void)state;
    for (uint32_t point = 0x80; point <= 0x10ffff; point++) {
        char text[5];
        char json[8];
        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        encode(point, text);
        snprintf(json, sizeof json, "\"%s\"", text);
        expect(text, json);
    }
}

/* Every text of two bytes, and every begin of longer ones, that no code point gives. */
static void nothing_else_passes(void **state) {
    (void)state;
    bool *good = base_array((size_t)1 << 24, sizeof *good);
    assert_non_null(good);
    for (uint32_t point = 0x80; point <= 0xffff; point++) {
        char text[5];
        size_t length = encode(point, text);
        const unsigned char *byte = (const unsigned char *)text;
        if (point < 0xd800 || point > 0xdfff)
            good[length == 2 ? (size_t)byte[0] << 8 | byte[1]
                             : (size_t)byte[0] << 16 | (size_t)byte[1] << 8 | byte[2]] = true;
    }
    for (uint32_t code = 0x8000; code < (1U << 24); code += code < 0x10000 ? 1 : 7) {
        const unsigned char bytes[3] = {(unsigned char)(code >> 16), (unsigned char)(code >> 8),
                                        (unsigned char)code};
        const unsigned char *from = code < 0x10000 ? bytes + 1 : bytes;
        size_t length = code < 0x10000 ? 2 : 3;
        char text[4] = "";
        if (from[0] < (length == 2 ? 0x80 : 0xe0) || memchr(from, 0, length) != NULL)
            continue;
        memcpy(text, from, length);
        base_writer w = {0};
        base_write_json_string(&w, text);
        bool passed = w.count == length + 2 && memcmp(w.bytes + 1, text, length) == 0;
        base_writer_free(&w);
        assert_int_equal(passed, good[code]);
    }
    base_free(good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_quoted),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced),
        cmocka_unit_test(every_character_passes),
        cmocka_unit_test(nothing_else_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
