/* Files, whole or not at all: under SIGKILL, on a full disk, where one may not
 * write. */
#define _GNU_SOURCE
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/view.h"

static char folder[] = "/tmp/admmnn-test-file-XXXXXX";

static const char *in_folder(const char *name) {
    static char path[BASE_PATH_MAX];
    admmnn_error err;
    assert_int_equal(base_path_join(path, sizeof path, folder, name, &err), ADMMNN_OK);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static void empty_folder(const char *path) {
    DIR *opened = opendir(path);
    for (struct dirent *entry; opened != NULL && (entry = readdir(opened)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(opened), entry->d_name, 0);
    if (opened != NULL)
        closedir(opened);
}

static int remove_folder(void **state) {
    (void)state;
    empty_folder(folder);
    rmdir(in_folder("a/b/c"));
    rmdir(in_folder("a/b"));
    rmdir(in_folder("a"));
    return rmdir(folder);
}

static size_t files_in(const char *path) {
    size_t count = 0;
    DIR *opened = opendir(path);
    assert_non_null(opened);
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(opened);
    return count;
}

static void expect_content(const char *path, const void *bytes, size_t count) {
    uint8_t *read;
    size_t got;
    admmnn_error err = {0};
    if (base_file_read(path, 1U << 24, &read, &got, &err) != ADMMNN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(got, count);
    assert_memory_equal(read, bytes, count);
    assert_int_equal(read[count], 0);
    base_free(read);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    const size_t counts[] = {1, 65534, 65535, 65536, 300000};
    const char *path = in_folder("data");
    assert_int_equal(base_file_write(path, NULL, 0, NULL), ADMMNN_OK);
    expect_content(path, "", 0);
    for (size_t i = 0; i < 5; i++) {
        uint8_t *bytes = base_array(counts[i], 1);
        for (size_t k = 0; k < counts[i]; k++)
            bytes[k] = (uint8_t)(k * 31 + i);
        assert_int_equal(base_file_write(path, bytes, counts[i], NULL), ADMMNN_OK);
        expect_content(path, bytes, counts[i]);
        base_free(bytes);
    }
    assert_true(base_file_exists(path));
    assert_false(base_folder_exists(path));
    assert_int_equal(files_in(folder), 1);
    unlink(path);
}

static void reading_fails_with_the_file_s_name(void **state) {
    (void)state;
    uint8_t *bytes;
    size_t count;
    admmnn_error err = {0};
    assert_int_equal(base_file_read(in_folder("none"), 10, &bytes, &count, &err), ADMMNN_NOT_FOUND);
    assert_non_null(strstr(err.message, "none"));
    assert_int_equal(base_file_read(folder, 10, &bytes, &count, &err), ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "folder"));
    const char *path = in_folder("eleven");
    assert_int_equal(base_file_write(path, "hello world", 11, NULL), ADMMNN_OK);
    assert_int_equal(base_file_read(path, 11, &bytes, &count, &err), ADMMNN_OK);
    base_free(bytes);
    assert_int_equal(base_file_read(path, 10, &bytes, &count, &err), ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "10 bytes"));
    unlink(path);
}

/* A fifo without a writer must not keep the reader waiting, and a device has no
 * end; what /proc says is 0 bytes long is read all the same. */
static void only_regular_files_are_read(void **state) {
    (void)state;
    uint8_t *bytes;
    size_t count;
    admmnn_error err = {0};
    const char *fifo = in_folder("fifo");
    assert_int_equal(mkfifo(fifo, 0666), 0);
    alarm(10);
    assert_int_equal(base_file_read(fifo, 10, &bytes, &count, &err), ADMMNN_INPUT);
    alarm(0);
    assert_non_null(strstr(err.message, "fifo: is no regular file"));
    unlink(fifo);
    assert_int_equal(base_file_read("/dev/null", 10, &bytes, &count, &err), ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "/dev/null: is no regular file"));
    if (!base_file_exists("/proc/self/status"))
        return;
    assert_int_equal(base_file_read("/proc/self/status", 1 << 20, &bytes, &count, &err), ADMMNN_OK);
    assert_true(count > 100 && memcmp(bytes, "Name:", 5) == 0);
    base_free(bytes);
    assert_int_equal(base_file_read("/proc/self/status", 10, &bytes, &count, &err), ADMMNN_INPUT);
}

static void expect_below(const char *path, int reason) {
    errno = 0;
    const int opened = base_file_open_below(folder, path);
    char first = 0;
    if (reason != 0) {
        assert_int_equal(opened, -1);
        assert_int_equal(errno, reason);
        return;
    }
    assert_true(opened >= 0);
    assert_int_equal(read(opened, &first, 1), 1);
    assert_int_equal(first, 'h');
    close(opened);
}

/* Whatever a name was when it was looked at: what it is when it is opened counts. */
static void no_link_is_followed_below_a_folder(void **state) {
    (void)state;
    admmnn_error err;
    assert_int_equal(base_folder_make(in_folder("a/b"), &err), ADMMNN_OK);
    assert_int_equal(base_file_write(in_folder("a/b/file"), "here", 4, &err), ADMMNN_OK);
    assert_int_equal(symlink("file", in_folder("a/b/link")), 0);
    assert_int_equal(symlink("a", in_folder("way")), 0);
    assert_int_equal(symlink("b", in_folder("a/way")), 0);
    expect_below("a/b/file", 0);
    expect_below("a//b/file", 0);
    expect_below("a/b/link", ELOOP);
    expect_below("way/b/file", ENOTDIR);
    expect_below("a/way/file", ENOTDIR);
    expect_below("a/b/none", ENOENT);
    expect_below("a/b/file/more", ENOTDIR);
    expect_below("a/../a/b/file", EINVAL);
    expect_below("", EINVAL);
    /* The folder itself is the caller's choice. */
    const int opened = base_file_open_below(in_folder("way"), "b/file");
    assert_true(opened >= 0);
    close(opened);
    const char *const made[] = {"a/b/file", "a/b/link", "a/b", "a/way", "a", "way"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        assert_int_equal(remove(in_folder(made[i])), 0);
}

static void writing_fails_and_leaves_nothing(void **state) {
    (void)state;
    admmnn_error err = {0};
    assert_int_equal(base_file_write(in_folder("none/file"), "x", 1, &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "none/file"));
    /* A folder of the name: the rename fails, the temporary file goes. */
    const char *path = in_folder("taken");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(base_file_write(path, "x", 1, &err), ADMMNN_IO);
    assert_int_equal(files_in(folder), 1);
    rmdir(path);
    char *longest = base_array(BASE_PATH_MAX + 10, 1);
    memset(longest, 'a', BASE_PATH_MAX);
    assert_int_equal(base_file_write(longest, "x", 1, &err), ADMMNN_INPUT);
    base_free(longest);
}

/* A folder one may not write to. Root may write everywhere: then as another user. */
static void an_unwritable_folder_is_an_error(void **state) {
    (void)state;
    const char *path = in_folder("file");
    assert_int_equal(base_file_write(path, "old", 3, NULL), ADMMNN_OK);
    assert_int_equal(chmod(folder, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(3);
        admmnn_error err = {0};
        admmnn_status status = base_file_write(path, "new", 3, &err);
        _exit(status == ADMMNN_IO && strstr(err.message, path) != NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_content(path, "old", 3);
    assert_int_equal(files_in(folder), 1);
    unlink(path);
}

/* Writes two contents in turn until it is killed. */
static void write_for_ever(const char *path, const uint8_t *const contents[2], size_t count) {
    for (unsigned i = 0;; i++)
        if (base_file_write(path, contents[i % 2], count, NULL) != ADMMNN_OK)
            _exit(1);
}

static void a_kill_leaves_one_content_or_the_other(void **state) {
    (void)state;
    const size_t count = 100000;
    uint8_t *contents[2];
    for (int i = 0; i < 2; i++) {
        contents[i] = base_array(count, 1);
        memset(contents[i], 'a' + i, count);
    }
    const char *path = in_folder("file");
    assert_int_equal(base_file_write(path, contents[0], count, NULL), ADMMNN_OK);
    size_t seen[2] = {0, 0};
    for (int kill_number = 0; kill_number < 60; kill_number++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever(path, (const uint8_t *const *)contents, count);
        usleep((useconds_t)(300 + 137 * kill_number % 3000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        uint8_t *read;
        size_t got;
        assert_int_equal(base_file_read(path, 2 * count, &read, &got, NULL), ADMMNN_OK);
        assert_int_equal(got, count);
        int which = read[0] == 'b';
        assert_memory_equal(read, contents[which], count);
        seen[which]++;
        base_free(read);
    }
    assert_true(seen[0] + seen[1] == 60);
    static const char *const names[] = {"file"};
    base_folder_sweep(folder, names, 1);
    assert_int_equal(files_in(folder), 1);
    empty_folder(folder);
    base_free(contents[0]);
    base_free(contents[1]);
}

static void a_full_disk_leaves_the_old_file(void **state) {
    (void)state;
    const char *disk = in_folder("disk");
    assert_int_equal(mkdir(disk, 0777), 0);
    if (mount("none", disk, "tmpfs", 0, "size=256k") != 0) {
        rmdir(disk);
        print_message("skipped: mounting a small disk needs root\n");
        skip();
    }
    char path[BASE_PATH_MAX];
    assert_int_equal(base_path_join(path, sizeof path, disk, "file", NULL), ADMMNN_OK);
    const size_t count = 1U << 20;
    uint8_t *large = base_array(count, 1);
    admmnn_error err = {0};
    admmnn_status first = base_file_write(path, "old", 3, &err);
    admmnn_status second = base_file_write(path, large, count, &err);
    size_t files = files_in(disk);
    uint8_t *read = NULL;
    size_t got = 0;
    admmnn_status third = base_file_read(path, 10, &read, &got, NULL);
    bool old = third == ADMMNN_OK && got == 3 && memcmp(read, "old", 3) == 0;
    base_free(read);
    base_free(large);
    assert_int_equal(umount(disk), 0);
    rmdir(in_folder("disk"));
    assert_int_equal(first, ADMMNN_OK);
    assert_int_equal(second, ADMMNN_IO);
    assert_non_null(strstr(err.message, strerror(ENOSPC)));
    assert_int_equal(files, 1);
    assert_true(old);
}

/* What a full disk does, where one may not mount any: the second half is not written. */
static void a_size_limit_leaves_the_old_file(void **state) {
    (void)state;
    const size_t count = 1U << 20;
    uint8_t *large = base_array(count, 1);
    const char *path = in_folder("file");
    admmnn_error err = {0};
    struct rlimit before;
    assert_int_equal(base_file_write(path, "old", 3, NULL), ADMMNN_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit half = {count / 2, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    int limited = setrlimit(RLIMIT_FSIZE, &half);
    admmnn_status status = base_file_write(path, large, count, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(limited, 0);
    assert_int_equal(status, ADMMNN_IO);
    assert_non_null(strstr(err.message, "file: cannot write: "));
    assert_non_null(strstr(err.message, strerror(EFBIG)));
    expect_content(path, "old", 3);
    assert_int_equal(files_in(folder), 1);
    assert_int_equal(base_file_write(path, large, count, NULL), ADMMNN_OK);
    expect_content(path, large, count);
    base_free(large);
    unlink(path);
}

/* Every place of a file, whichever was looked at before, and none beyond it. */
static void a_view_shows_every_place(void **state) {
    (void)state;
    const size_t count = 3 * BASE_PIECE + 5;
    const char *path = in_folder("file");
    uint8_t *bytes = base_array(count, 1);
    base_view *view;
    size_t size;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(i % 253);
    assert_int_equal(base_file_write(path, bytes, count, NULL), ADMMNN_OK);
    assert_int_equal(base_view_open(path, &view, &size, NULL), ADMMNN_OK);
    assert_int_equal(size, count);
    const size_t places[] = {0, BASE_PIECE - 1, 2 * BASE_PIECE + 5, 1, count - 1, count};
    const size_t counts[] = {BASE_PIECE, 2, BASE_PIECE, 70000, 1, 0};
    for (size_t i = 0; i < 6; i++) {
        const uint8_t *seen = base_view_look(view, places[i], counts[i]);
        assert_non_null(seen);
        assert_memory_equal(seen, bytes + places[i], counts[i]);
    }
    assert_null(base_view_look(view, 0, BASE_PIECE + 1));
    assert_null(base_view_look(view, count - 1, 2));
    assert_null(base_view_look(view, SIZE_MAX, 1));
    assert_int_equal(base_view_check(view, NULL), ADMMNN_OK);
    base_view_close(view);
    base_free(bytes);
    unlink(path);
}

static void a_view_of_what_became_shorter_fails(void **state) {
    (void)state;
    const char *path = in_folder("file");
    base_view *view;
    size_t size;
    admmnn_error err = {0};
    assert_int_equal(base_view_open(path, &view, &size, &err), ADMMNN_NOT_FOUND);
    assert_int_equal(base_file_write(path, "eight by", 8, NULL), ADMMNN_OK);
    assert_int_equal(base_view_open(path, &view, &size, NULL), ADMMNN_OK);
    assert_int_equal(truncate(path, 3), 0);
    assert_null(base_view_look(view, 0, 4));
    assert_int_equal(base_view_check(view, &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "file: cannot read: "));
    base_view_close(view);
    unlink(path);
}

static void folders_are_made_with_those_above(void **state) {
    (void)state;
    admmnn_error err = {0};
    assert_int_equal(base_folder_make(in_folder("a/b/c"), &err), ADMMNN_OK);
    assert_int_equal(base_folder_make(in_folder("a/b/c/"), &err), ADMMNN_OK);
    assert_true(base_folder_exists(in_folder("a/b/c")));
    assert_int_equal(base_file_write(in_folder("f"), "x", 1, NULL), ADMMNN_OK);
    assert_int_equal(base_folder_make(in_folder("f"), &err), ADMMNN_IO);
    assert_int_equal(base_folder_make(in_folder("f/g"), &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "/f: exists and is not a folder"));
    assert_int_equal(base_folder_make("", &err), ADMMNN_INPUT);
    unlink(in_folder("f"));
}

static void whether_a_folder_can_be_made_is_told_before(void **state) {
    (void)state;
    admmnn_error err = {0};
    assert_int_equal(base_folder_check_make(in_folder("new/deep/er/"), &err), ADMMNN_OK);
    assert_false(base_name_taken(in_folder("new")));
    assert_int_equal(base_folder_check_make(in_folder("new"), &err), ADMMNN_OK);
    assert_int_equal(base_folder_check_make("new", &err), ADMMNN_OK);
    assert_int_equal(base_folder_make(in_folder("new"), &err), ADMMNN_OK);
    assert_int_equal(base_folder_check_make(in_folder("new"), &err), ADMMNN_OK);
    assert_int_equal(rmdir(in_folder("new")), 0); /* nothing is in it */
    assert_int_equal(base_file_write(in_folder("f"), "x", 1, NULL), ADMMNN_OK);
    assert_int_equal(base_folder_check_make(in_folder("f"), &err), ADMMNN_IO);
    assert_int_equal(base_folder_check_make(in_folder("f/g/h"), &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "/f: exists and is not a folder"));
    /* Where nobody, root neither, makes anything. */
    assert_int_equal(base_folder_check_make("/proc/new/deep", &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "/proc/a file: cannot write: "));
    assert_int_equal(base_folder_check_make("", &err), ADMMNN_INPUT);
    unlink(in_folder("f"));
}

static void what_stands_under_a_name_is_told(void **state) {
    (void)state;
    admmnn_error err = {0};
    const char *path = in_folder("name");
    assert_false(base_name_taken(path));
    assert_int_equal(base_file_check_write(path, &err), ADMMNN_OK);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_true(base_name_taken(path));
    assert_int_equal(base_file_check_write(path, &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "name: cannot write: the link leads nowhere"));
    assert_int_equal(base_folder_make(path, &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "name: cannot make the folder: the link leads nowhere"));
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_true(base_name_taken(path));
    assert_int_equal(base_file_check_write(path, &err), ADMMNN_IO);
    assert_non_null(strstr(err.message, "is a folder"));
    rmdir(path);
    assert_int_equal(base_file_write(path, "x", 1, NULL), ADMMNN_OK);
    assert_int_equal(base_file_check_write(path, &err), ADMMNN_OK);
    assert_true(base_file_filled(path));
    assert_int_equal(base_file_write(path, "", 0, NULL), ADMMNN_OK);
    assert_true(base_file_exists(path) && !base_file_filled(path));
    unlink(path);
    assert_false(base_file_filled(path));
}

static void only_what_writers_left_is_swept(void **state) {
    (void)state;
    /* No process has a number above 2^22. */
    const char *const left[] = {"a.4200001-0.part", "model.admm.4200002-12.part",
                                ".x.4200001-1.part"};
    char running[64];
    snprintf(running, sizeof running, "a.%ld-0.part", (long)getpid());
    const char *const others[] = {"a.part",
                                  "a.4200001.part",
                                  ".4200001-0.part",
                                  "a.-0.part",
                                  "a.4200001-.part",
                                  "a4200001-0.part",
                                  "a.4200001-0.part~",
                                  "a.4200001x0.part",
                                  "other.4200001-0.part",
                                  "a.b.4200001-0.part",
                                  "part",
                                  "b",
                                  running};
    static const char *const names[] = {"a", "model.admm", ".x", "f", "l"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(base_file_write(in_folder(left[i]), "x", 1, NULL), ADMMNN_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(base_file_write(in_folder(others[i]), "x", 1, NULL), ADMMNN_OK);
    assert_int_equal(mkdir(in_folder("f.4200001-0.part"), 0777), 0);
    assert_int_equal(symlink("b", in_folder("l.4200001-0.part")), 0);
    base_folder_sweep(folder, names, 5);
    for (size_t i = 0; i < 3; i++)
        assert_false(base_name_taken(in_folder(left[i])));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(base_file_exists(in_folder(others[i])));
        unlink(in_folder(others[i]));
    }
    assert_int_equal(rmdir(in_folder("f.4200001-0.part")), 0);
    assert_int_equal(unlink(in_folder("l.4200001-0.part")), 0);
    base_folder_sweep(in_folder("none"), names, 5);
}

static void paths_are_joined_by_one_slash(void **state) {
    (void)state;
    char out[8];
    assert_int_equal(base_path_join(out, sizeof out, "a", "b", NULL), ADMMNN_OK);
    assert_string_equal(out, "a/b");
    assert_int_equal(base_path_join(out, sizeof out, "a/", "b", NULL), ADMMNN_OK);
    assert_string_equal(out, "a/b");
    assert_int_equal(base_path_join(out, sizeof out, "abcd", "efg", NULL), ADMMNN_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(reading_fails_with_the_file_s_name),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(no_link_is_followed_below_a_folder),
        cmocka_unit_test(writing_fails_and_leaves_nothing),
        cmocka_unit_test(an_unwritable_folder_is_an_error),
        cmocka_unit_test(a_kill_leaves_one_content_or_the_other),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(a_size_limit_leaves_the_old_file),
        cmocka_unit_test(a_view_shows_every_place),
        cmocka_unit_test(a_view_of_what_became_shorter_fails),
        cmocka_unit_test(folders_are_made_with_those_above),
        cmocka_unit_test(whether_a_folder_can_be_made_is_told_before),
        cmocka_unit_test(what_stands_under_a_name_is_told),
        cmocka_unit_test(only_what_writers_left_is_swept),
        cmocka_unit_test(paths_are_joined_by_one_slash),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
