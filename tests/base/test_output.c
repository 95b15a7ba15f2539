/* Files written piece by piece, and two together: both or neither, never one beside the other's
 * old one. */
#define _GNU_SOURCE
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/output.h"
#include "must.h"

#define LARGE ((size_t)300000)

static char folder[] = "/tmp/admmnn-test-output-XXXXXX";
static char data_path[64], model_path[64];

/* Ends every file of the folder. */
static int empty_folder(void **state) {
    (void)state;
    DIR *opened = opendir(folder);
    for (struct dirent *entry; opened != NULL && (entry = readdir(opened)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(opened), entry->d_name, 0);
    return opened == NULL ? 1 : closedir(opened);
}

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(data_path, sizeof data_path, "%s/data", folder);
    snprintf(model_path, sizeof model_path, "%s/model", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static size_t files_in_folder(void) {
    size_t count = 0;
    DIR *opened = opendir(folder);
    assert_non_null(opened);
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(opened);
    return count;
}

/* count letters, in pieces of many sizes. */
static base_output *open_letters(const char *path, char letter, size_t count) {
    static uint8_t letters[LARGE];
    base_output *out;
    MUST(base_output_open(path, &out, err));
    memset(letters, letter, sizeof letters);
    for (size_t piece = 1; count > 0; piece = piece * 3 % 131071 + 1) {
        const size_t now = piece < count ? piece : count;
        base_output_write(out, letters, now);
        count -= now;
    }
    return out;
}

static admmnn_status write_pair(char letter, size_t count, admmnn_error *err) {
    base_output *outs[2] = {open_letters(data_path, letter, count),
                            open_letters(model_path, letter, 1)};
    return base_output_publish(outs, 2, err);
}

/* The letter that all of the file consists of; 0: the file is absent. */
static char read_letter(const char *path, size_t count) {
    uint8_t *read;
    size_t got;
    if (!base_file_exists(path))
        return 0;
    MUST(base_file_read(path, 2 * LARGE, &read, &got, err));
    assert_int_equal(got, count);
    for (size_t i = 1; i < got; i++)
        assert_int_equal(read[i], read[0]);
    const char letter = (char)read[0];
    base_free(read);
    return letter;
}

static void expect_pair(char letter, size_t count) {
    assert_int_equal(read_letter(data_path, count), letter);
    assert_int_equal(read_letter(model_path, 1), letter);
    assert_int_equal(files_in_folder(), 2);
}

static void pieces_become_one_file(void **state) {
    (void)state;
    const size_t counts[] = {0, 1, 65535, 65536, 65537, LARGE};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        base_output *out = open_letters(data_path, 'x', counts[i]);
        assert_int_equal(files_in_folder(), i == 0 ? 1 : 2); /* not yet under its name */
        MUST(base_output_publish(&out, 1, err));
        assert_int_equal(files_in_folder(), 1);
        if (counts[i] > 0)
            assert_int_equal(read_letter(data_path, counts[i]), 'x');
    }
}

static void what_is_dropped_leaves_nothing(void **state) {
    (void)state;
    base_output *out = open_letters(data_path, 'x', LARGE);
    assert_int_equal(files_in_folder(), 1);
    base_output_drop(out);
    base_output_drop(NULL);
    assert_int_equal(files_in_folder(), 0);
}

static void two_replace_two(void **state) {
    (void)state;
    MUST(write_pair('a', LARGE, err));
    expect_pair('a', LARGE);
    MUST(write_pair('b', 10, err));
    expect_pair('b', 10);
}

/* ---- renames that fail, by the linker's --wrap ---- */

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

static int renames_left = -1; /* before the one that fails; below 0: none does */
static bool renames_kill;     /* it ends the process, too */

int __wrap_rename(const char *from, const char *to) {
    if (renames_left-- != 0)
        return __real_rename(from, to);
    if (renames_kill)
        raise(SIGKILL);
    errno = EPERM;
    return -1;
}

/* Old data and an old model: two go aside and two come. None of either: the two come. */
static void a_rename_that_fails_leaves_the_old_ones(void **state) {
    (void)state;
    const int steps[2] = {2, 4};
    for (int old = 0; old < 2; old++)
        for (int step = 0; step <= steps[old]; step++) {
            admmnn_error err = {0};
            empty_folder(NULL);
            if (old == 1)
                MUST(write_pair('a', LARGE, err));
            renames_left = step;
            const admmnn_status status = write_pair('b', LARGE, &err);
            renames_left = -1;
            if (step == steps[old]) { /* none has failed */
                assert_int_equal(status, ADMMNN_OK);
                expect_pair('b', LARGE);
                continue;
            }
            assert_int_equal(status, ADMMNN_IO);
            assert_non_null(strstr(err.message, ": cannot write: "));
            assert_non_null(strstr(err.message, strerror(EPERM)));
            if (old == 1)
                expect_pair('a', LARGE);
            else
                assert_int_equal(files_in_folder(), 0);
        }
}

/* An old model without data of its own is seen until the new one takes its place. */
static void an_old_model_alone_stays(void **state) {
    (void)state;
    admmnn_error err = {0};
    MUST(base_file_write(model_path, "a", 1, err));
    renames_left = 1;
    assert_int_equal(write_pair('b', LARGE, &err), ADMMNN_IO);
    renames_left = -1;
    assert_int_equal(read_letter(model_path, 1), 'a');
    assert_int_equal(files_in_folder(), 1);
    MUST(write_pair('b', LARGE, err));
    expect_pair('b', LARGE);
}

/* The first fills the disk; the second, which would fit, does not come either. */
static void a_full_disk_leaves_the_old_ones(void **state) {
    (void)state;
    admmnn_error err = {0};
    struct rlimit before;
    MUST(write_pair('a', 10, err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit half = {LARGE / 2, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    const int limited = setrlimit(RLIMIT_FSIZE, &half);
    const admmnn_status status = write_pair('b', LARGE, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(limited, 0);
    assert_int_equal(status, ADMMNN_IO);
    assert_non_null(strstr(err.message, "data: cannot write: "));
    assert_non_null(strstr(err.message, strerror(EFBIG)));
    expect_pair('a', 10);
}

/* Before each of the renames in turn: what is there is one pair, or no model. */
static void a_kill_leaves_no_mixed_pair(void **state) {
    (void)state;
    for (int step = 0; step < 4; step++) {
        int status;
        empty_folder(NULL);
        MUST(write_pair('a', LARGE, err));
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            renames_kill = true;
            renames_left = step;
            write_pair('b', LARGE, NULL);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        const char model = read_letter(model_path, 1);
        assert_true(model == 0 || model == read_letter(data_path, LARGE));
        assert_int_equal(model, step == 0 ? 'a' : 0);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, empty_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pieces_become_one_file),
        TEST(what_is_dropped_leaves_nothing),
        TEST(two_replace_two),
        TEST(a_rename_that_fails_leaves_the_old_ones),
        TEST(an_old_model_alone_stays),
        TEST(a_full_disk_leaves_the_old_ones),
        TEST(a_kill_leaves_no_mixed_pair),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
