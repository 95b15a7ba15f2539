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

static void ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    assert_true(length >= strlen(end));
    assert_string_equal(text + length - strlen(end), end);
}

/* The reason stands behind the path, which may fill the message alone; so may two. */
static void long_paths_lose_their_middle(void **state) {
    (void)state;
    char path[4096];
    admmnn_error err = {0};
    for (size_t length = 1; length < sizeof path; length++) {
        memset(path, 'p', length);
        memcpy(path, "/a/", length < 3 ? length : 3);
        path[length - 1] = 'z';
        path[length] = 0;
        base_fail(&err, ADMMNN_IO, "%s: cannot open: no such file", path);
        ends_with(err.message, "z: cannot open: no such file");
        assert_int_equal(err.message[0], path[0]);
        assert_int_equal(strlen(err.message), length + 27 < 512 ? length + 27 : 511);
        base_fail(&err, ADMMNN_IO, "%s has 3 labels for the 4 images of %s", path, path);
        assert_non_null(strstr(err.message, "z has 3 labels for the 4 images of "));
        ends_with(err.message, "z");
        base_fail(&err, ADMMNN_IO, "the reason");
        base_fail_within(&err, ADMMNN_IO, "%s: line 7", path);
        ends_with(err.message, "z: line 7: the reason");
    }
}

/* Words too short to be paths: the message is cut in its own middle. */
static void long_prose_loses_its_middle(void **state) {
    (void)state;
    char text[1201];
    for (size_t i = 0; i < 1200; i++)
        text[i] = i % 6 == 5 ? ' ' : 'w';
    text[1200] = 0;
    admmnn_error err = {0};
    base_fail(&err, ADMMNN_IO, "begins %sends", text);
    assert_int_equal(strlen(err.message), 511);
    assert_memory_equal(err.message, "begins ", 7);
    ends_with(err.message, " ends");
}

/* No character of UTF-8 is cut through: what is left are whole ones. */
static void cuts_leave_whole_characters(void **state) {
    (void)state;
    char text[3001];
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 3);
    admmnn_error err = {0};
    for (size_t before = 0; before < 6; before++) {
        text[3000] = 0;
        base_fail(&err, ADMMNN_IO, "%.*s%s", (int)before, "aaaaaa", text);
        const char *at = err.message + before;
        for (; strncmp(at, "\xe2\x82\xac", 3) == 0; at += 3)
            ;
        assert_memory_equal(at, "...", 3);
        for (at += 3; strncmp(at, "\xe2\x82\xac", 3) == 0; at += 3)
            ;
        assert_int_equal(*at, 0);
        assert_true(strlen(err.message) > 500);
    }
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
        cmocka_unit_test(long_paths_lose_their_middle),
        cmocka_unit_test(long_prose_loses_its_middle),
        cmocka_unit_test(cuts_leave_whole_characters),
        cmocka_unit_test(absent_callbacks_are_no_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
