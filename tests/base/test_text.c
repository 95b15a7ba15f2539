/* Text that terminals and JSON take as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static const struct {
    const char *text, *plain; /* plain: what is made of it */
} cases[] = {
    {"", ""},
    {"conv1 \"x\" \\", "conv1 \"x\" \\"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xc2\xa0", "\xc2\xa0"}, /* the first that is no control character */
    {"a\tb", "a?b"},
    {"\x1b[2J", "?[2J"},
    {"\x7f", "?"},
    {"\xc2\x9b", "??"},             /* U+009B */
    {"na\xefve", "na?ve"},          /* Latin-1 */
    {"end\xc3", "end?"},            /* half a character */
    {"\xed\xa0\x80", "???"},        /* a surrogate */
    {"\xc0\xaf", "??"},             /* overlong */
    {"\xf4\x90\x80\x80x", "????x"}, /* above U+10FFFF */
};
#define CASES (sizeof cases / sizeof cases[0])

static void plain_text_is_told(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        assert_int_equal(base_text_is_plain(cases[i].text),
                         strcmp(cases[i].text, cases[i].plain) == 0);
}

static void text_is_made_plain(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i].text);
        base_text_make_plain(text);
        assert_string_equal(text, cases[i].plain);
    }
}

static void a_column_is_as_wide_as_its_longest_text(void **state) {
    (void)state;
    assert_int_equal(base_text_widen(5, "layer"), 5);
    assert_int_equal(base_text_widen(5, "longer"), 6);
    assert_int_equal(base_text_widen(5, ""), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_told),
        cmocka_unit_test(text_is_made_plain),
        cmocka_unit_test(a_column_is_as_wide_as_its_longest_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
