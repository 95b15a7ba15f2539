/* Words in a row, and what does not fit. */
#include "support.h"

#include "base/words.h"

static void words_stand_in_a_row(void **state) {
    (void)state;
    base_words words = {0};
    assert_string_equal(words.text, "");
    base_words_add(&words, "one");
    assert_string_equal(words.text, "one");
    base_words_add(&words, "two");
    base_words_add(&words, "three");
    assert_string_equal(words.text, "one, two, three");
}

static void what_does_not_fit_is_cut_off(void **state) {
    (void)state;
    base_words words = {0};
    for (int i = 0; i < 200; i++)
        base_words_add(&words, "word");
    assert_int_equal(strlen(words.text), sizeof words.text - 1);
    assert_memory_equal(words.text, "word, word, ", 12);
    assert_memory_equal(words.text + 312, "word, w", 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_stand_in_a_row),
        cmocka_unit_test(what_does_not_fit_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
