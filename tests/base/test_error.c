/* Statuses and messages. */
#include "support.h"

#include "base/context.h"
#include "base/error.h"

static void statuses_have_names_and_exit_codes(void **state) {
    (void)state;
    assert_string_equal(admmnn_status_name(ADMMNN_OK), "OK");
    assert_string_equal(admmnn_status_name(ADMMNN_CANCELLED), "CANCELLED");
    assert_int_equal(admmnn_status_exit(ADMMNN_OK), 0);
    assert_int_equal(admmnn_status_exit(ADMMNN_INPUT), 2);
    assert_int_equal(admmnn_status_exit(ADMMNN_DIVERGED), 1);
    assert_int_equal(admmnn_status_exit(ADMMNN_CANCELLED), 130);
    assert_string_equal(admmnn_status_text(ADMMNN_CORRUPT), "corrupted file");
    assert_string_equal(admmnn_status_name((admmnn_status)999), "UNKNOWN");
    assert_int_equal(admmnn_status_exit((admmnn_status)999), 1);
}

static void messages_are_put_together(void **state) {
    (void)state;
    admmnn_error err = {0};
    assert_int_equal(base_fail(&err, ADMMNN_INPUT, "line %d", 7), ADMMNN_INPUT);
    assert_int_equal(base_fail_within(&err, err.status, "file %s", "a"), ADMMNN_INPUT);
    assert_string_equal(err.message, "file a: line 7");
    assert_int_equal(err.status, ADMMNN_INPUT);
    assert_int_equal(base_fail_memory(&err, "the test"), ADMMNN_MEMORY);
    assert_string_equal(err.message, "out of memory for the test");
    assert_int_equal(base_fail(NULL, ADMMNN_IO, "lost"), ADMMNN_IO);
    assert_int_equal(base_fail_within(NULL, ADMMNN_IO, "lost"), ADMMNN_IO);
}

static void long_messages_are_cut(void **state) {
    (void)state;
    char text[2000];
    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = 0;
    admmnn_error err = {0};
    base_fail(&err, ADMMNN_INPUT, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    base_fail_within(&err, ADMMNN_INPUT, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void absent_callbacks_are_no_callbacks(void **state) {
    (void)state;
    const admmnn_context empty = {0};
    const admmnn_progress progress = {0};
    base_log(NULL, ADMMNN_LOG_INFO, "x");
    base_log(&empty, ADMMNN_LOG_INFO, "x");
    base_progress(NULL, &progress);
    base_progress(&empty, &progress);
    assert_false(base_cancelled(NULL));
    assert_false(base_cancelled(&empty));
    double before = base_seconds();
    assert_true(base_seconds() >= before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_names_and_exit_codes),
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(absent_callbacks_are_no_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
