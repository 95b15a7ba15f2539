/* Arrays: zeroed, aligned, and refused when their size overflows. */
#define _GNU_SOURCE
#include "support.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

static void products_that_overflow_are_refused(void **state) {
    (void)state;
    size_t product = 7;
    assert_true(base_multiply(1U << 20, 1U << 20, &product));
    assert_true(product == (size_t)1 << 40);
    assert_true(base_multiply(SIZE_MAX, 1, &product));
    assert_false(base_multiply(SIZE_MAX / 2 + 1, 2, &product));
    assert_null(base_array(SIZE_MAX / 4 + 1, 4));
    assert_null(base_array(SIZE_MAX, 1));
    assert_null(base_array(SIZE_MAX - BASE_ALIGNMENT + 1, 1));
    assert_null(base_array_copy("x", SIZE_MAX / 2, 3));
}

static void arrays_are_zero_and_aligned(void **state) {
    (void)state;
    const size_t counts[] = {0, 1, 15, 16, 17, 1000};
    for (size_t c = 0; c < 6; c++) {
        float *array = base_array(counts[c], sizeof *array);
        assert_non_null(array);
        assert_int_equal((uintptr_t)array % BASE_ALIGNMENT, 0);
        for (size_t i = 0; i < counts[c]; i++)
            assert_true(array[i] == 0.0F);
        memset(array, 0xff, counts[c] * sizeof *array);
        base_free(array);
    }
    base_free(NULL);
}

static void resizing_keeps_and_zeroes(void **state) {
    (void)state;
    uint32_t *array = base_array_resize(NULL, 0, 3, sizeof *array);
    assert_non_null(array);
    for (uint32_t i = 0; i < 3; i++)
        array[i] = i + 1;
    array = base_array_resize(array, 3, 100, sizeof *array);
    assert_non_null(array);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(array[i], i < 3 ? i + 1 : 0);
    assert_null(base_array_resize(array, 100, SIZE_MAX / 2, sizeof *array));
    assert_int_equal(array[2], 3); /* the old one stays */
    array = base_array_resize(array, 100, 2, sizeof *array);
    assert_non_null(array);
    assert_int_equal(array[1], 2);
    uint32_t *copy = base_array_copy(array, 2, sizeof *copy);
    assert_memory_equal(copy, array, 2 * sizeof *copy);
    base_free(copy);
    base_free(array);
}

/* Against counting, in arrays of every length up to 20 with gaps and repeats. */
static void what_is_below_is_counted(void **state) {
    (void)state;
    size_t rising[20];
    for (size_t i = 0; i < 20; i++)
        rising[i] = 3 * (i / 2) + 1;
    for (size_t count = 0; count <= 20; count++)
        for (size_t value = 0; value < 32; value++) {
            size_t below = 0;
            for (size_t i = 0; i < count; i++)
                below += rising[i] < value;
            assert_int_equal(base_array_below(rising, count, value), below);
        }
}

static void growing_doubles(void **state) {
    (void)state;
    uint32_t *array = NULL;
    size_t capacity = 0;
    size_t changes = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = capacity;
        array = base_array_grow(array, i, &capacity, sizeof *array);
        assert_non_null(array);
        assert_true(capacity > i);
        if (capacity != before && i + 1 < capacity)
            assert_int_equal(array[i + 1], 0);
        changes += capacity != before;
        array[i] = i;
    }
    assert_true(changes < 20);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(array[i], i);
    size_t huge = SIZE_MAX / 8;
    assert_null(base_array_grow(array, huge, &huge, sizeof *array));
    assert_true(huge == SIZE_MAX / 8);
    huge = SIZE_MAX / 2 + 1;
    assert_null(base_array_grow(array, huge, &huge, 1));
    assert_int_equal(array[99999], 99999); /* the old one stays */
    base_free(array);
}

/* ---- control groups ---- */

#define FILES_MOST 4

typedef struct group_case {
    const char *groups; /* of the process: /proc/self/cgroup */
    struct {
        const char *path, *text;
    } files[FILES_MOST];
    uint64_t limit;
} group_case;

static char root[] = "/tmp/admmnn-test-memory-XXXXXX";

static void write_below_root(const char *name, const char *text) {
    char path[BASE_PATH_MAX];
    char folder[BASE_PATH_MAX];
    admmnn_error err;
    assert_int_equal(base_path_join(path, sizeof path, root, name, &err), ADMMNN_OK);
    assert_int_equal(base_path_folder(folder, sizeof folder, path, &err), ADMMNN_OK);
    assert_int_equal(base_folder_make(folder, &err), ADMMNN_OK);
    assert_int_equal(base_file_write(path, text, strlen(text), &err), ADMMNN_OK);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static void expect_limit(const group_case *c) {
    assert_non_null(mkdtemp(root));
    if (c->groups != NULL)
        write_below_root("proc/self/cgroup", c->groups);
    for (size_t i = 0; i < FILES_MOST && c->files[i].path != NULL; i++)
        write_below_root(c->files[i].path, c->files[i].text);
    const uint64_t limit = base_memory_group_limit(root);
    if (limit != c->limit)
        fail_msg("%s: %llu, not %llu", c->groups, (unsigned long long)limit,
                 (unsigned long long)c->limit);
    assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    memset(root + strlen(root) - 6, 'X', 6);
}

static void the_least_limit_of_a_group_counts(void **state) {
    (void)state;
    static const group_case cases[] = {
        {NULL, {{NULL, NULL}}, UINT64_MAX},
        {"0::/\n", {{NULL, NULL}}, UINT64_MAX},
        {"0::/\n", {{"sys/fs/cgroup/memory.max", "max\n"}}, UINT64_MAX},
        {"0::/\n", {{"sys/fs/cgroup/memory.max", "1073741824\n"}}, 1073741824},
        {"0::/a/b\n",
         {{"sys/fs/cgroup/a/b/memory.max", "300\n"},
          {"sys/fs/cgroup/a/memory.max", "200\n"},
          {"sys/fs/cgroup/a/other/memory.max", "100\n"}},
         200},
        {"0::/a/b\n",
         {{"sys/fs/cgroup/a/b/memory.max", "200\n"}, {"sys/fs/cgroup/a/memory.max", "300\n"}},
         200},
        {"0::/a/b\n",
         {{"sys/fs/cgroup/a/b/memory.max", "max\n"}, {"sys/fs/cgroup/memory.max", "77\n"}},
         77},
        {"3:cpu,memory:/d\n2:cpuset:/\n0::/d\n",
         {{"sys/fs/cgroup/memory/d/memory.limit_in_bytes", "4096\n"},
          {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}},
         4096},
        {"3:notmemory,memoryless:/d\n", /* no other controller's files */
         {{"sys/fs/cgroup/memory/d/memory.limit_in_bytes", "4096\n"}},
         UINT64_MAX},
        {"4:memory:/docker/1f\n0::/\n", /* seen from within */
         {{"sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n"}},
         5000},
        {"nonsense\n:\n0:\n", {{"sys/fs/cgroup/memory.max", "1\n"}}, UINT64_MAX},
        {"0::/a\n",
         {{"sys/fs/cgroup/a/memory.max", "-1\n"}, {"sys/fs/cgroup/memory.max", ""}},
         UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_limit(&cases[i]);
}

/* The machine's memory where nothing limits it, never more. */
static void the_memory_is_no_more_than_a_limit(void **state) {
    (void)state;
    const uint64_t whole = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    assert_true(base_memory_size() <= whole);
    assert_true(base_memory_size() <= base_memory_group_limit("/"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(arrays_are_zero_and_aligned),
        cmocka_unit_test(resizing_keeps_and_zeroes),
        cmocka_unit_test(what_is_below_is_counted),
        cmocka_unit_test(growing_doubles),
        cmocka_unit_test(the_least_limit_of_a_group_counts),
        cmocka_unit_test(the_memory_is_no_more_than_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
