/* IDX files as they should be, and every way in which they are not. */
#include "support.h"

enum { COUNT = 5, ROWS = 3, COLUMNS = 2, IMAGES = 16 + COUNT * ROWS * COLUMNS, LABELS = 8 + COUNT };

typedef struct files {
    uint8_t images[IMAGES];
    uint8_t labels[LABELS];
} files;

static files good_files(void) {
    static const uint8_t labels[COUNT] = {3, 0, 2, 1, 3};
    files f;
    put_be32(f.images, 0x803);
    put_be32(f.images + 4, COUNT);
    put_be32(f.images + 8, ROWS);
    put_be32(f.images + 12, COLUMNS);
    for (int i = 0; i < COUNT * ROWS * COLUMNS; i++)
        f.images[16 + i] = (uint8_t)(37 * i + 5);
    put_be32(f.labels, 0x801);
    put_be32(f.labels + 4, COUNT);
    memcpy(f.labels + 8, labels, COUNT);
    return f;
}

static admmnn_status parse(const uint8_t *images, size_t images_size, const uint8_t *labels,
                           size_t labels_size, data_set *set, admmnn_error *err) {
    return data_idx_parse("IMAGES", images, images_size, "LABELS", labels, labels_size, set, err);
}

/* From heap blocks of the exact size: a read beyond them is caught by asan. */
static void expect_bad(const uint8_t *images, size_t images_size, const uint8_t *labels,
                       size_t labels_size, const char *words) {
    uint8_t *i = malloc(images_size + 1);
    uint8_t *l = malloc(labels_size + 1);
    data_set set;
    assert_true(i != NULL && l != NULL);
    memcpy(i + 1, images, images_size);
    memcpy(l + 1, labels, labels_size);
    memset(&set, 0x5a, sizeof set);
    EXPECT(parse(i + 1, images_size, l + 1, labels_size, &set, err), ADMMNN_CORRUPT, words);
    assert_int_equal(set.count, (size_t)0x5a5a5a5a5a5a5a5aU);
    free(i);
    free(l);
}

static void expect_good(const data_set *set) {
    files f = good_files();
    assert_int_equal(set->count, COUNT);
    assert_int_equal(graph_shape_channels(set->shape), 1);
    assert_int_equal(graph_shape_height(set->shape), ROWS);
    assert_int_equal(graph_shape_width(set->shape), COLUMNS);
    assert_int_equal(set->classes, 4);
    assert_memory_equal(set->pixels, f.images + 16, IMAGES - 16);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(set->labels[i], f.labels[8 + i]);
}

static void good_files_are_read(void **state) {
    (void)state;
    files f = good_files();
    data_set set;
    EXPECT_OK(parse(f.images, IMAGES, f.labels, LABELS, &set, err));
    expect_good(&set);
    data_set_free(&set);
    assert_null(set.pixels);
}

static void one_class_counts_as_two(void **state) {
    (void)state;
    files f = good_files();
    memset(f.labels + 8, 0, COUNT);
    data_set set;
    EXPECT_OK(parse(f.images, IMAGES, f.labels, LABELS, &set, err));
    assert_int_equal(set.classes, 2);
    data_set_free(&set);
}

static void truncation_at_every_byte_is_seen(void **state) {
    (void)state;
    files f = good_files();
    for (size_t size = 0; size < IMAGES; size++)
        expect_bad(f.images, size, f.labels, LABELS, "IMAGES");
    for (size_t size = 0; size < LABELS; size++)
        expect_bad(f.images, IMAGES, f.labels, size, "LABELS");
}

static void trailing_garbage_is_seen(void **state) {
    (void)state;
    files f = good_files();
    uint8_t images[IMAGES + 1] = {0};
    uint8_t labels[LABELS + 1] = {0};
    memcpy(images, f.images, IMAGES);
    memcpy(labels, f.labels, LABELS);
    expect_bad(images, IMAGES + 1, f.labels, LABELS, "IMAGES: the header announces 30 bytes");
    expect_bad(f.images, IMAGES, labels, LABELS + 1, "LABELS: the header announces 5 bytes");
}

static void each_wrong_magic_is_seen(void **state) {
    (void)state;
    for (size_t byte = 0; byte < 4; byte++) {
        files f = good_files();
        f.images[byte] ^= 0x10;
        expect_bad(f.images, IMAGES, f.labels, LABELS, "IMAGES: magic number");
        f = good_files();
        f.labels[byte] ^= 0x10;
        expect_bad(f.images, IMAGES, f.labels, LABELS, "LABELS: magic number");
    }
    files f = good_files();
    expect_bad(f.labels, LABELS, f.labels, LABELS, "IMAGES");
    expect_bad(f.images, IMAGES, f.images, IMAGES, "LABELS: magic number 0x00000803");
}

static void counts_that_disagree_are_seen(void **state) {
    (void)state;
    files f = good_files();
    put_be32(f.labels + 4, COUNT - 1);
    expect_bad(f.images, IMAGES, f.labels, LABELS - 1, "LABELS has 4 labels for the 5 images");
}

static void impossible_dimensions_are_seen(void **state) {
    (void)state;
    static const uint32_t sizes[][3] = {{0, 3, 2},
                                        {5, 0, 2},
                                        {5, 3, 0},
                                        {5, 4097, 2},
                                        {5, 3, 4097},
                                        {UINT32_MAX, 4096, 4096},
                                        {5, UINT32_MAX, 2},
                                        {5, 3, UINT32_MAX},
                                        {UINT32_MAX, 3, 2},
                                        {0x80000000U, 2, 4096},
                                        {UINT32_MAX, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        files f = good_files();
        for (size_t k = 0; k < 3; k++)
            put_be32(f.images + 4 + 4 * k, sizes[i][k]);
        expect_bad(f.images, IMAGES, f.labels, LABELS, "IMAGES");
    }
    files f = good_files();
    put_be32(f.images + 8, 4097);
    expect_bad(f.images, IMAGES, f.labels, LABELS, "dimension 1 is 4097; it must be 1 to 4096");
}

/* ---- gzip ---- */

static void gzip_gives_the_bytes_back(void **state) {
    (void)state;
    const size_t count = 3000001; /* beyond the first buffer */
    uint8_t *bytes = base_array(count, 1);
    base_random random = base_random_at(1, 2, 3);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(base_random_next(&random) & 7);
    size_t packed_count;
    size_t out_count;
    uint8_t *packed = gzip(bytes, count, &packed_count);
    uint8_t *out;
    EXPECT_OK(data_gunzip("X", packed, packed_count, count, &out, &out_count, err));
    assert_int_equal(out_count, count);
    assert_memory_equal(out, bytes, count);
    base_free(out);
    EXPECT(data_gunzip("X", packed, packed_count, count - 1, &out, &out_count, err), ADMMNN_INPUT,
           "X: inflates to more than 3000000 bytes");
    base_free(packed);
    base_free(bytes);
}

static void several_members_are_one_file(void **state) {
    (void)state;
    size_t first_count;
    size_t second_count;
    uint8_t *first = gzip("ab", 2, &first_count);
    uint8_t *second = gzip("cde", 3, &second_count);
    uint8_t both[256];
    uint8_t *out;
    size_t out_count;
    memcpy(both, first, first_count);
    memcpy(both + first_count, second, second_count);
    EXPECT_OK(data_gunzip("X", both, first_count + second_count, 5, &out, &out_count, err));
    assert_int_equal(out_count, 5);
    assert_memory_equal(out, "abcde", 5);
    base_free(out);
    EXPECT(data_gunzip("X", both, first_count + second_count, 4, &out, &out_count, err),
           ADMMNN_INPUT, "more than 4");
    both[first_count] = 'Z'; /* no second member, but garbage */
    EXPECT(data_gunzip("X", both, first_count + 2, 5, &out, &out_count, err), ADMMNN_CORRUPT, "X");
    base_free(first);
    base_free(second);
}

static void gzip_truncated_or_damaged_at_any_byte_is_seen(void **state) {
    (void)state;
    files f = good_files();
    size_t count;
    uint8_t *packed = gzip(f.images, IMAGES, &count);
    uint8_t *out;
    size_t out_count;
    for (size_t size = 0; size < count; size++)
        EXPECT(data_gunzip("X", packed, size, 1 << 20, &out, &out_count, err), ADMMNN_CORRUPT,
               "X: the gzip data ends too early");
    for (size_t at = 10; at < count; at++) { /* beyond the header, whose flags may vary */
        packed[at] ^= 0x41;
        EXPECT(data_gunzip("X", packed, count, 1 << 20, &out, &out_count, err), ADMMNN_CORRUPT,
               "X");
        packed[at] ^= 0x41;
    }
    base_free(packed);
}

static void a_bomb_is_stopped_at_its_limit(void **state) {
    (void)state;
    const size_t count = (size_t)64 << 20;
    const size_t limit = 100000;
    uint8_t *zeros = base_array(count, 1);
    size_t packed_count;
    size_t out_count;
    uint8_t *packed = gzip(zeros, count, &packed_count);
    uint8_t *out;
    assert_true(packed_count < 100000);
    EXPECT(data_gunzip("X", packed, packed_count, limit, &out, &out_count, err), ADMMNN_INPUT,
           "X: inflates to more than 100000 bytes");
    base_free(packed);
    base_free(zeros);
}

/* ---- folders ---- */

static void folders_hold_plain_or_packed_files(void **state) {
    (void)state;
    for (int packed = 0; packed < 4; packed++) {
        files f = good_files();
        char folder[64];
        data_set set;
        folder_new(folder);
        (packed & 1 ? put_gzip : put_file)(folder, "train-images-idx3-ubyte", f.images, IMAGES);
        (packed & 2 ? put_gzip : put_file)(folder, "train-labels-idx1-ubyte", f.labels, LABELS);
        EXPECT_OK(data_idx_open(folder, DATA_TRAIN, &set, err));
        expect_good(&set);
        data_set_free(&set);
        EXPECT(data_idx_open(folder, DATA_TEST, &set, err), ADMMNN_NOT_FOUND,
               "holds neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz");
        folder_remove(folder);
    }
}

static void missing_things_are_named(void **state) {
    (void)state;
    files f = good_files();
    char folder[64];
    data_set set;
    EXPECT(data_idx_open("/no/such/folder", DATA_TRAIN, &set, err), ADMMNN_NOT_FOUND,
           "/no/such/folder: no such folder");
    folder_new(folder);
    put_file(folder, "train-images-idx3-ubyte", f.images, IMAGES);
    EXPECT(data_idx_open(folder, DATA_TRAIN, &set, err), ADMMNN_NOT_FOUND,
           "holds neither train-labels-idx1-ubyte");
    put_file(folder, "train-labels-idx1-ubyte.gz", f.labels, LABELS);
    EXPECT(data_idx_open(folder, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "train-labels-idx1-ubyte.gz: damaged gzip");
    folder_remove(folder);
}

static void stray_labels_are_out_of_range(void **state) {
    (void)state;
    files f = good_files();
    char folder[64];
    data_set set;
    folder_new(folder);
    f.labels[8 + 2] = 200; /* classes 1 and 3 have images, 2 has none */
    put_file(folder, "train-images-idx3-ubyte", f.images, IMAGES);
    put_file(folder, "train-labels-idx1-ubyte", f.labels, LABELS);
    EXPECT(data_idx_open(folder, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "label 3, of image 0, is out of range: no image has label 2");
    f.labels[8 + 1] = 2;
    f.labels[8 + 2] = 4; /* 3, 2, 4, 1, 3: class 0 alone may be absent */
    put_file(folder, "train-labels-idx1-ubyte", f.labels, LABELS);
    EXPECT_OK(data_idx_open(folder, DATA_TRAIN, &set, err));
    assert_int_equal(set.classes, 5);
    data_set_free(&set);
    /* The test part may lack classes. */
    f.labels[8] = 9;
    put_file(folder, "t10k-images-idx3-ubyte", f.images, IMAGES);
    put_file(folder, "t10k-labels-idx1-ubyte", f.labels, LABELS);
    EXPECT_OK(data_idx_open(folder, DATA_TEST, &set, err));
    assert_int_equal(set.classes, 10);
    data_set_free(&set);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_are_read),
        cmocka_unit_test(one_class_counts_as_two),
        cmocka_unit_test(truncation_at_every_byte_is_seen),
        cmocka_unit_test(trailing_garbage_is_seen),
        cmocka_unit_test(each_wrong_magic_is_seen),
        cmocka_unit_test(counts_that_disagree_are_seen),
        cmocka_unit_test(impossible_dimensions_are_seen),
        cmocka_unit_test(gzip_gives_the_bytes_back),
        cmocka_unit_test(several_members_are_one_file),
        cmocka_unit_test(gzip_truncated_or_damaged_at_any_byte_is_seen),
        cmocka_unit_test(a_bomb_is_stopped_at_its_limit),
        cmocka_unit_test(folders_hold_plain_or_packed_files),
        cmocka_unit_test(missing_things_are_named),
        cmocka_unit_test(stray_labels_are_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
