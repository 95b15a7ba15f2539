/* CIFAR's binary files and NumPy's arrays, and what is refused of them. */
#include "pictures.h"

#include "data/npy.h"

static char root[64];

static const char *in_root(const char *name) {
    static char paths[4][BASE_PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, BASE_PATH_MAX, "%s/%s", root, name);
    return path;
}

static int setup(void **state) {
    (void)state;
    folder_new(root);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    folder_remove(root);
    return 0;
}

static data_settings settings_of(data_format format, const char *path) {
    return (data_settings){.format = format, .path = path, .memory = (size_t)1 << 20};
}

static data_set open_part(data_format format, const char *path, data_part part) {
    const data_settings settings = settings_of(format, path);
    data_set set = {0};
    EXPECT_OK(data_open(&settings, part, &set, err));
    return set;
}

static void expect_refused(data_format format, const char *path, admmnn_status status,
                           const char *words) {
    const data_settings settings = settings_of(format, path);
    data_set set;
    memset(&set, 0x5a, sizeof set);
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), status, words);
    assert_int_equal(set.count, (size_t)0x5a5a5a5a5a5a5a5aU);
}

/* ---- CIFAR ---- */

#define PIXELS 3072

/* Record r of file f: label (7 f + r) modulo classes, pixels of their own. */
static void put_batch(const char *folder, const char *name, unsigned f, size_t labels,
                      unsigned classes, unsigned records) {
    base_writer w = {0};
    for (unsigned r = 0; r < records; r++) {
        for (size_t l = 1; l < labels; l++)
            base_write_u8(&w, 99);
        base_write_u8(&w, (uint8_t)((7 * f + r) % classes));
        for (unsigned i = 0; i < PIXELS; i++)
            base_write_u8(&w, (uint8_t)(i * (r + 3) + f));
    }
    put_file(folder, name, w.bytes, w.count);
    base_writer_free(&w);
}

static void put_cifar10(const char *folder) {
    char name[32];
    EXPECT_OK(base_folder_make(folder, err));
    for (unsigned f = 1; f <= 5; f++) {
        snprintf(name, sizeof name, "data_batch_%u.bin", f);
        put_batch(folder, name, f, 1, 10, f); /* of 1 to 5 images */
    }
    put_batch(folder, "test_batch.bin", 9, 1, 10, 4);
}

static void expect_cifar(const data_set *set, unsigned first, unsigned last, unsigned records) {
    size_t at = 0;
    for (unsigned f = first; f <= last; f++)
        for (unsigned r = 0; r < (records == 0 ? f : records); r++, at++) {
            assert_int_equal(set->labels[at], (7 * f + r) % set->classes);
            for (unsigned i = 0; i < PIXELS; i++)
                assert_int_equal(set->pixels[at * PIXELS + i], (uint8_t)(i * (r + 3) + f));
        }
    assert_int_equal(set->count, at);
    assert_int_equal(graph_shape_channels(set->shape), 3);
    assert_int_equal(graph_shape_width(set->shape), 32);
}

static void cifar10_from_folders_and_archives(void **state) {
    (void)state;
    put_cifar10(in_root("cifar-10-batches-bin"));
    run_shell(
        "cd '%s' && mkdir cache && tar -czf cache/cifar-10-binary.tar.gz "
        "cifar-10-batches-bin && tar -C cifar-10-batches-bin -cf flat.tar .",
        root);
    static const char *const places[] = {"cifar-10-batches-bin", "cache",
                                         "cache/cifar-10-binary.tar.gz", "flat.tar"};
    for (size_t i = 0; i < 4; i++) {
        data_set train = open_part(DATA_CIFAR10, in_root(places[i]), DATA_TRAIN);
        data_set test = open_part(DATA_CIFAR10, in_root(places[i]), DATA_TEST);
        assert_int_equal(train.classes, 10);
        expect_cifar(&train, 1, 5, 0);
        expect_cifar(&test, 9, 9, 4);
        data_set_free(&train);
        data_set_free(&test);
    }
}

static void cifar100_by_its_fine_labels(void **state) {
    (void)state;
    const char *folder = in_root("cifar-100-binary");
    EXPECT_OK(base_folder_make(folder, err));
    put_batch(folder, "train.bin", 13, 2, 100, 6);
    put_batch(folder, "test.bin", 14, 2, 100, 3);
    data_set train = open_part(DATA_CIFAR100, folder, DATA_TRAIN);
    assert_int_equal(train.classes, 100);
    expect_cifar(&train, 13, 13, 6);
    data_set_free(&train);
    data_set test = open_part(DATA_CIFAR100, folder, DATA_TEST);
    expect_cifar(&test, 14, 14, 3);
    data_set_free(&test);
}

static void bad_cifar_is_told(void **state) {
    (void)state;
    const char *folder = in_root("bad");
    expect_refused(DATA_CIFAR10, "/no/such", ADMMNN_NOT_FOUND, "/no/such: no folder");
    EXPECT_OK(base_folder_make(folder, err));
    expect_refused(DATA_CIFAR10, folder, ADMMNN_NOT_FOUND,
                   "holds neither data_batch_1.bin nor cifar-10-binary.tar.gz");
    put_cifar10(folder);
    put_batch(folder, "data_batch_3.bin", 3, 1, 256, 200);
    expect_refused(DATA_CIFAR10, folder, ADMMNN_CORRUPT,
                   "bad/data_batch_3.bin: label 21 at byte 0; it must be below 10");
    put_file(folder, "data_batch_3.bin", "short", 5);
    expect_refused(DATA_CIFAR10, folder, ADMMNN_CORRUPT,
                   "data_batch_3.bin: 5 bytes; a whole number of images of 3073 is wanted");
    put_batch(folder, "data_batch_3.bin", 3, 1, 10, 341); /* 1,047,893 bytes of 1 MiB */
    expect_refused(DATA_CIFAR10, folder, ADMMNN_INPUT,
                   "takes 2 MiB of memory, and dataset.memory is 1");
    unlink(in_root("bad/data_batch_3.bin"));
    expect_refused(DATA_CIFAR10, folder, ADMMNN_NOT_FOUND, "data_batch_3.bin");
    run_shell(
        "cd '%s' && tar -cf bad.tar bad && tar -cf twice.tar cifar-10-batches-bin "
        "bad/data_batch_1.bin",
        root);
    expect_refused(DATA_CIFAR10, in_root("bad.tar"), ADMMNN_NOT_FOUND,
                   "bad.tar: holds no data_batch_3.bin");
    expect_refused(DATA_CIFAR10, in_root("twice.tar"), ADMMNN_CORRUPT,
                   "twice.tar: holds data_batch_1.bin twice");
}

/* ---- NumPy ---- */

static void put_array(const char *part, const char *name, const char *descr, const char *shape,
                      const void *elements, size_t count) {
    base_writer w = {0};
    char header[128];
    char folder[BASE_PATH_MAX];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s)}", descr,
             shape);
    base_write_bytes(&w, "\x93NUMPY\x01\x00", 8);
    base_write_u16(&w, (uint16_t)strlen(header));
    base_write_bytes(&w, header, strlen(header));
    base_write_bytes(&w, elements, count);
    snprintf(folder, sizeof folder, "%s/%s", in_root("npy"), part);
    EXPECT_OK(base_folder_make(folder, err));
    put_file(folder, name, w.bytes, w.count);
    base_writer_free(&w);
}

static const uint8_t some_bytes[24] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 250};
static const float some_floats[12] = {0.5F, -3.0F, 1e9F, 7.0F};
static const int64_t some_labels[3] = {1, 0, 2};

static void arrays_of_bytes_and_floats(void **state) {
    (void)state;
    put_array("train", "x.npy", "|u1", "3, 2, 2, 2", some_bytes, 24);
    put_array("train", "y.npy", "<i8", "3,", some_labels, sizeof some_labels);
    data_set set = open_part(DATA_NPY, in_root("npy"), DATA_TRAIN);
    assert_int_equal(set.count, 3);
    assert_int_equal(set.classes, 3);
    assert_int_equal(graph_shape_channels(set.shape), 2);
    assert_int_equal(graph_shape_height(set.shape), 2);
    assert_int_equal(set.labels[0], 1);
    assert_memory_equal(set.pixels, some_bytes, 24);
    assert_null(set.values);
    data_set_free(&set);
    put_array("test", "x.npy", "<f4", "2, 2, 3", some_floats, sizeof some_floats);
    put_array("test", "y.npy", "|u1", "2,", some_bytes, 2);
    set = open_part(DATA_NPY, in_root("npy"), DATA_TEST);
    assert_int_equal(graph_shape_channels(set.shape), 1);
    assert_int_equal(graph_shape_width(set.shape), 3);
    assert_int_equal(set.labels[1], 2);
    assert_memory_equal(set.values, some_floats, sizeof some_floats);
    data_set_free(&set);
}

static void bad_arrays_are_told(void **state) {
    (void)state;
    const char *folder = in_root("npy");
    const float bad[2] = {0.5F, INFINITY};
    put_array("train", "x.npy", "|u1", "2, 3, 2, 2", some_bytes, 24);
    put_array("train", "y.npy", "<i8", "1,", some_labels, 8);
    expect_refused(DATA_NPY, folder, ADMMNN_INPUT,
                   "y.npy: one label for each of the 2 images is wanted");
    put_array("train", "y.npy", "<f4", "2,", bad, 8);
    expect_refused(DATA_NPY, folder, ADMMNN_CORRUPT,
                   "y.npy: label 0 is 0.5; it must be whole, 0 to 65535");
    put_array("train", "y.npy", "<i8", "2,", some_labels, 16);
    put_array("train", "x.npy", "|u1", "2, 12", some_bytes, 24);
    expect_refused(DATA_NPY, folder, ADMMNN_INPUT,
                   "x.npy: images are (count, height, width) or (count, channels, height, width)");
    put_array("train", "x.npy", "<i8", "2, 1, 1", some_labels, 16);
    expect_refused(DATA_NPY, folder, ADMMNN_UNSUPPORTED, "x.npy: images are bytes");
    put_array("train", "x.npy", "<f4", "2, 1, 1", bad, 8);
    expect_refused(DATA_NPY, folder, ADMMNN_CORRUPT, "x.npy: element 1 is not finite");
    put_array("train", "x.npy", "|u1", "2, 1, 5000", some_bytes, 24);
    expect_refused(DATA_NPY, folder, ADMMNN_CORRUPT, "x.npy: its shape asks for 10000 elements");
    unlink(in_root("npy/train/x.npy"));
    expect_refused(DATA_NPY, folder, ADMMNN_NOT_FOUND, "train/x.npy: cannot open");
}

/* The outputs of a network are the classes: a stray label would make 65536 of them. */
static void stray_labels_are_told(void **state) {
    (void)state;
    const int64_t stray[3] = {1, 65535, 0};
    const int64_t none_of_0[3] = {1, 2, 1};
    put_array("train", "x.npy", "|u1", "3, 2, 4", some_bytes, 24);
    put_array("train", "y.npy", "<i8", "3,", stray, sizeof stray);
    expect_refused(DATA_NPY, in_root("npy"), ADMMNN_CORRUPT,
                   "train/y.npy: label 65535, of image 1, is out of range: no image has label 2");
    put_array("train", "y.npy", "<i8", "3,", none_of_0, sizeof none_of_0);
    data_set set = open_part(DATA_NPY, in_root("npy"), DATA_TRAIN);
    assert_int_equal(set.classes, 3);
    data_set_free(&set);
}

/* Of what these formats have, no image is left out or streamed: it is refused by its size. */
static void more_than_the_memory_is_refused(void **state) {
    (void)state;
    enum { SIDE = 32, COUNT = 1025, HEADER = 16 };
    const size_t size = (size_t)COUNT * SIDE * SIDE;
    uint8_t *bytes = base_array(HEADER + size, 1);
    assert_non_null(bytes);
    put_array("train", "x.npy", "|u1", "1025, 32, 32", bytes, size);
    put_array("train", "y.npy", "<i8", "3,", some_labels, sizeof some_labels);
    expect_refused(DATA_NPY, in_root("npy"), ADMMNN_INPUT,
                   "x.npy: takes 2 MiB of memory, and dataset.memory is 1");
    const uint8_t images[HEADER] = {0, 0, 8, 3,    0, 0, COUNT >> 8, COUNT & 255,
                                    0, 0, 0, SIDE, 0, 0, 0,          SIDE};
    const uint8_t labels[8 + COUNT] = {0, 0, 8, 1, 0, 0, COUNT >> 8, COUNT & 255, 1};
    memcpy(bytes, images, HEADER);
    const char *folder = in_root("idx");
    EXPECT_OK(base_folder_make(folder, err));
    put_file(folder, "train-images-idx3-ubyte", bytes, HEADER + size);
    put_file(folder, "train-labels-idx1-ubyte", labels, sizeof labels);
    expect_refused(DATA_IDX, folder, ADMMNN_INPUT,
                   "idx: takes 2 MiB of memory, and dataset.memory is 1");
    base_free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar10_from_folders_and_archives),
        cmocka_unit_test(cifar100_by_its_fine_labels),
        cmocka_unit_test(bad_cifar_is_told),
        cmocka_unit_test(arrays_of_bytes_and_floats),
        cmocka_unit_test(bad_arrays_are_told),
        cmocka_unit_test(stray_labels_are_told),
        cmocka_unit_test(more_than_the_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
