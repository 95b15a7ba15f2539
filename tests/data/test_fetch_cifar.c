/* Fetching CIFAR-10's files in every form that a source has them in: a toy set of the same names,
 * with two images a file. */
#include "pictures.h"

#include "fetching.h"

#include "data/cifar_pictures.h"

#define FILES 6
#define IMAGES 2
#define PIXELS 1024
#define RECORD (1 + 3 * PIXELS)
#define SIZE ((size_t)IMAGES * RECORD)

static char digests[FILES][65];
static uint8_t contents[FILES][SIZE];
static const data_file files[FILES] = {
    {"data_batch_1.bin", SIZE, digests[0]}, {"data_batch_2.bin", SIZE, digests[1]},
    {"data_batch_3.bin", SIZE, digests[2]}, {"data_batch_4.bin", SIZE, digests[3]},
    {"data_batch_5.bin", SIZE, digests[4]}, {"test_batch.bin", SIZE, digests[5]}};

/* Its size and digest are those of what put_archive makes. */
static char archive_digest[65];
static data_archive archive = {.file = {"toy.tar.gz", 0, archive_digest}, .folder = "toy-bin"};
static const data_manifest manifest = {
    .dataset = "toy", .files = files, .count = FILES, .archive = &archive};

static int make_files(void **state) {
    (void)state;
    base_random random = base_random_at(5, 1, 2);
    for (size_t f = 0; f < FILES; f++) {
        for (size_t i = 0; i < SIZE; i++)
            contents[f][i] = (uint8_t)base_random_below(&random, i % RECORD == 0 ? 10 : 256);
        base_sha256(contents[f], SIZE, digests[f]);
    }
    return 0;
}

static void put_files(const char *folder) {
    EXPECT_OK(base_folder_make(folder, err));
    for (size_t f = 0; f < FILES; f++)
        put_file(folder, files[f].name, contents[f], SIZE);
}

static void put_archive(const char *folder) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    snprintf(path, sizeof path, "%s/toy-bin", folder);
    put_files(path);
    run_shell("tar -C '%s' -czf '%s/toy.tar.gz' toy-bin && rm -r '%s/toy-bin'", folder, folder,
              folder);
    snprintf(path, sizeof path, "%s/toy.tar.gz", folder);
    EXPECT_OK(base_file_read(path, SIZE_MAX, &bytes, &archive.file.size, err));
    base_sha256(bytes, archive.file.size, archive_digest);
    base_free(bytes);
}

/* ---- the package's form ---- */

static void put_picture(const char *folder, const char *name, const uint8_t *records,
                        uint32_t width) {
    static uint8_t pixels[IMAGES * PIXELS * 3];
    for (size_t i = 0; i < IMAGES; i++)
        for (size_t p = 0; p < PIXELS; p++)
            for (size_t c = 0; c < 3; c++)
                pixels[(i * PIXELS + p) * 3 + c] = records[i * RECORD + 1 + c * PIXELS + p];
    const picture all = {width, IMAGES * PIXELS / width, 3, pixels};
    bytes png = png_of(&all, PNG_COLOR_TYPE_RGB, 8, false);
    put_file(folder, name, png.at, png.count);
    bytes_free(&png);
}

static void put_labels(const char *folder, const char *name, size_t first, size_t last) {
    base_writer text = {0};
    for (size_t f = first; f <= last; f++)
        for (size_t i = 0; i < IMAGES; i++)
            base_write_text(&text, "%s%u", text.count == 0 ? "[" : ",", contents[f][i * RECORD]);
    base_write_text(&text, "]");
    put_file(folder, name, text.bytes, text.count);
    base_writer_free(&text);
}

static void put_pictures(const char *folder) {
    char name[32];
    for (size_t f = 0; f < FILES; f++) {
        snprintf(name, sizeof name, "%.*s.png", (int)strlen(files[f].name) - 4, files[f].name);
        put_picture(folder, name, contents[f], PIXELS);
    }
    put_labels(folder, "train_lables.json", 0, 4);
    put_labels(folder, "test_lables.json", 5, 5);
}

/* ---- what is expected ---- */

static void expect_whole(const places *p) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    for (size_t f = 0; f < FILES; f++) {
        snprintf(path, sizeof path, "%s/%s", p->cache, files[f].name);
        EXPECT_OK(base_file_read(path, SIZE, &bytes, &count, err));
        assert_int_equal(count, SIZE);
        assert_memory_equal(bytes, contents[f], SIZE);
        base_free(bytes);
    }
    assert_int_equal(folder_entries(p->cache), FILES);
    folder_remove(p->cache);
}

static admmnn_status fetch_from(const places *p, data_source source, admmnn_error *err) {
    return data_fetch_into(p->cache, &manifest, &source, 1, NULL, err);
}

static data_source folder_of(const char *path) {
    return (data_source){.kind = &data_source_folder, .where = path, .archive = &archive};
}

static data_source pictures_of(const data_source_kind *kind, const char *where) {
    return (data_source){.kind = kind, .where = where, .convert = cifar_from_pictures};
}

static data_source mirror_of(const char *url) {
    return (data_source){.kind = &data_source_archive, .where = url, .archive = &archive};
}

/* ---- folders ---- */

static void a_folder_has_them_in_three_forms(void **state) {
    (void)state;
    places p;
    char unpacked[192];
    make_places(&p);
    put_files(p.good);
    run_shell("gzip '%s/data_batch_4.bin'", p.good);
    EXPECT_OK(fetch_from(&p, folder_of(p.good), err));
    expect_whole(&p);
    snprintf(unpacked, sizeof unpacked, "%s/toy-bin", p.bad);
    put_files(unpacked);
    run_shell("gzip '%s/test_batch.bin'", unpacked);
    EXPECT_OK(fetch_from(&p, folder_of(p.bad), err));
    expect_whole(&p);
    folder_remove(p.bad);
    put_archive(p.bad);
    EXPECT_OK(fetch_from(&p, folder_of(p.bad), err));
    expect_whole(&p);
    leave_places(&p);
}

static void bad_archives_are_told(void **state) {
    (void)state;
    places p;
    make_places(&p);
    EXPECT(fetch_from(&p, folder_of(p.bad), err), ADMMNN_NOT_FOUND,
           "bad: holds no data_batch_1.bin, plain or .gz, no folder toy-bin and no toy.tar.gz");
    put_archive(p.bad);
    run_shell("cd '%s' && head -c 2000 toy.tar.gz > x && mv x toy.tar.gz", p.bad);
    EXPECT(fetch_from(&p, folder_of(p.bad), err), ADMMNN_CORRUPT, "toy.tar.gz: damaged archive");
    run_shell("cd '%s' && : > other && tar -czf toy.tar.gz other", p.bad);
    EXPECT(fetch_from(&p, folder_of(p.bad), err), ADMMNN_NOT_FOUND,
           "toy.tar.gz: holds no data_batch_1.bin");
    run_shell("cd '%s' && : > data_batch_1.bin && tar -czf toy.tar.gz data_batch_1.bin && rm *.bin",
              p.bad);
    EXPECT(fetch_from(&p, folder_of(p.bad), err), ADMMNN_CORRUPT,
           "data_batch_1.bin: 0 bytes, the true file has 6146");
    leave_places(&p);
}

/* ---- the npm package ---- */

static void npm_gives_pictures(void **state) {
    (void)state;
    places p;
    char body[256];
    listener l = {0};
    admmnn_context context = context_of(&l);
    make_places(&p);
    put_pictures(p.good);
    snprintf(body, sizeof body, "tar -C %s -czf $FOLDER/toys-1.2.tgz good", p.root);
    play_npm(&p, body);
    const data_source source = pictures_of(&data_source_npm, "toys@1.2");
    EXPECT_OK(data_fetch_into(p.cache, &manifest, &source, 1, &context, err));
    assert_true(l.done == FILES * SIZE && l.total == l.done && !l.went_back);
    expect_whole(&p);
    setenv("PATH", "/usr/bin:/bin", 1);
    leave_places(&p);
}

static void put_text(const places *p, const char *name, const char *text) {
    put_file(p->good, name, text, strlen(text));
}

static void bad_pictures_are_told(void **state) {
    (void)state;
    static uint8_t changed[SIZE];
    places p;
    make_places(&p);
    const data_source source = pictures_of(&data_source_folder, p.good);
    EXPECT(fetch_from(&p, source, err), ADMMNN_NOT_FOUND, "holds neither data_batch_1.png nor");
    put_pictures(p.good);
    memcpy(changed, contents[0], SIZE);
    changed[SIZE - 1] ^= 1;
    put_picture(p.good, "data_batch_1.png", changed, PIXELS);
    EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT, digests[0]);
    put_picture(p.good, "data_batch_1.png", contents[0], PIXELS / 2);
    EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT,
           "data_batch_1.png: 512x4 pixels; 1024x2 are wanted");
    put_picture(p.good, "data_batch_1.png", contents[0], PIXELS);
    run_shell("cd '%s' && head -c 999 data_batch_1.png > x && mv x data_batch_1.png", p.good);
    EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT,
           "data_batch_1.png: damaged PNG: it ends too early");
    put_text(&p, "data_batch_1.png", "no picture");
    EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT, "data_batch_1.png: neither a JPEG nor");
    leave_places(&p);
}

static void bad_labels_are_told(void **state) {
    (void)state;
    static const char *const texts[] = {"",    "{}",     "[0,1",   "[]",
                                        "[1]", "[1,10]", "[1,-1]", "[1,[]]"};
    static const char *const words[] = {"no array of JSON",    "no array of JSON",
                                        "no array of JSON",    "no label of image 0, from 0 to 9",
                                        "no label of image 1", "no label of image 1",
                                        "no label of image 1", "no label of image 1"};
    places p;
    make_places(&p);
    const data_source source = pictures_of(&data_source_folder, p.good);
    put_pictures(p.good);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put_text(&p, "train_lables.json", texts[i]);
        EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT, words[i]);
    }
    put_labels(p.good, "train_lables.json", 0, 3);
    EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT,
           "train_lables.json: has no label of image 8, from 0 to 9");
    assert_int_equal(folder_entries(p.cache), 4); /* those before it are kept */
    leave_places(&p);
}

/* ---- the mirror ---- */

static void a_mirror_gives_the_archive(void **state) {
    (void)state;
    places p;
    listener l = {0};
    admmnn_context context = context_of(&l);
    make_places(&p);
    const data_source source = mirror_of(p.mirror);
    EXPECT(fetch_from(&p, source, err), ADMMNN_IO, "toy.tar.gz: Couldn't open");
    put_archive(p.good);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, &source, 1, &context, err));
    assert_true(l.done == FILES * SIZE && l.total == l.done && !l.went_back);
    expect_whole(&p);
    archive.file.size--;
    EXPECT(fetch_from(&p, source, err), ADMMNN_CORRUPT, "toy.tar.gz: larger than the true file");
    leave_places(&p);
}

/* Wherever it is stopped, the next fetch goes on with what was stored. */
static void a_mirror_is_left_when_told(void **state) {
    (void)state;
    places p;
    make_places(&p);
    put_archive(p.good);
    const data_source source = mirror_of(p.mirror);
    admmnn_status status = ADMMNN_CANCELLED;
    /* Not at the eighth call, libcurl's last: version 7.88 then loses 40 bytes. */
    for (int when = 1; status == ADMMNN_CANCELLED && when < 1000; when *= 3) {
        listener l = {.stop_when = when};
        admmnn_context context = context_of(&l);
        status = data_fetch_into(p.cache, &manifest, &source, 1, &context, NULL);
        assert_int_equal(folder_entries(p.temporary), 0);
    }
    assert_int_equal(status, ADMMNN_OK);
    expect_whole(&p);
    leave_places(&p);
}

/* ---- caches of former versions ---- */

static void an_archive_in_the_cache_is_all_of_them(void **state) {
    (void)state;
    places p;
    listener l = {0};
    admmnn_context context = context_of(&l);
    make_places(&p);
    EXPECT_OK(base_folder_make(p.cache, err));
    put_archive(p.cache);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, NULL, 0, &context, err));
    assert_string_equal(l.log, "");
    assert_int_equal(folder_entries(p.cache), 1);
    run_shell("cd '%s' && printf x >> toy.tar.gz", p.cache);
    put_files(p.good);
    const data_source source = folder_of(p.good);
    EXPECT_OK(data_fetch_into(p.cache, &manifest, &source, 1, &context, err));
    assert_non_null(strstr(l.log, "warning: fetched again: "));
    assert_non_null(strstr(l.log, "toy.tar.gz: "));
    run_shell("rm '%s/toy.tar.gz'", p.cache);
    expect_whole(&p);
    leave_places(&p);
}

static void the_cache_is_known_by_its_sizes(void **state) {
    (void)state;
    places p;
    char folder[BASE_PATH_MAX];
    make_places(&p);
    setenv("XDG_CACHE_HOME", p.root, 1);
    run_shell(
        "mkdir -p '%s/admmnn/cifar10' && cd '%s/admmnn/cifar10' && truncate -s 30730000 "
        "data_batch_1.bin data_batch_2.bin data_batch_3.bin data_batch_4.bin data_batch_5.bin "
        "test_batch.bin",
        p.root, p.root);
    EXPECT_OK(admmnn_data_folder("cifar10", folder, sizeof folder, err));
    run_shell("truncate -s 30729999 '%s/test_batch.bin'", folder);
    EXPECT(admmnn_data_folder("cifar10", folder, sizeof folder, err), ADMMNN_NOT_FOUND,
           "test_batch.bin is absent or not whole; run 'admmnn data fetch cifar10'");
    run_shell("truncate -s 170052171 '%s/cifar-10-binary.tar.gz'", folder);
    EXPECT_OK(admmnn_data_folder("cifar10", folder, sizeof folder, err));
    run_shell("truncate -s 170052170 '%s/cifar-10-binary.tar.gz'", folder);
    EXPECT(admmnn_data_folder("cifar10", folder, sizeof folder, err), ADMMNN_NOT_FOUND,
           "test_batch.bin is absent");
    unsetenv("XDG_CACHE_HOME");
    leave_places(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_has_them_in_three_forms),
        cmocka_unit_test(bad_archives_are_told),
        cmocka_unit_test(npm_gives_pictures),
        cmocka_unit_test(bad_pictures_are_told),
        cmocka_unit_test(bad_labels_are_told),
        cmocka_unit_test(a_mirror_gives_the_archive),
        cmocka_unit_test(a_mirror_is_left_when_told),
        cmocka_unit_test(an_archive_in_the_cache_is_all_of_them),
        cmocka_unit_test(the_cache_is_known_by_its_sizes),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
