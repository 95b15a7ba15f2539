/* Image folders and archives of them: what is found, held, streamed, left out and refused. */
#include "pictures.h"

#include <fcntl.h>

#include "data/feed.h"
#include "data/stock.h"

#define MEMORY ((size_t)1 << 20)

static char root[64];

static const char *in_root(const char *name) {
    static char paths[4][BASE_PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, BASE_PATH_MAX, "%s/%s", root, name);
    return path;
}

/* ---- a caller that listens ---- */

static char heard[8192];

static void hear(void *user, admmnn_log_level level, const char *message) {
    (void)user;
    assert_int_equal(level, ADMMNN_LOG_WARNING);
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s\n", message);
}

static const admmnn_context context = {.threads = 2, .log = hear};

static data_settings settings_of(const char *path) {
    return (data_settings){
        .format = DATA_FOLDER, .path = path, .memory = MEMORY, .context = &context};
}

static data_set open_part(const data_settings *settings, data_part part) {
    data_set set = {0};
    EXPECT_OK(data_open(settings, part, &set, err));
    return set;
}

/* ---- the folder that most tests read ---- */

#define SIDE 12
#define TRAIN 11
#define TEST 4

/* Classes a-b, a, ä, in no order; other files beside. In order of their names "a" is first,
 * then "a-b". */
static void put_set(const char *folder) {
    static const char *const classes[3] = {"a-b", "a", "\xc3\xa4"};
    static const char *const ends[4] = {"png", "jpg", "JPEG", "jpeg"};
    char name[32];
    for (uint64_t i = 0; i < TRAIN + TEST; i++) {
        snprintf(name, sizeof name, "%03u.%s", (unsigned)(97 * (i + 1) % 101), ends[i % 4]);
        bytes file = i % 4 == 0 ? rgb_png(SIDE, SIDE, i) : rgb_jpeg(SIDE, SIDE, i);
        put_image(folder, i < TRAIN ? "train" : "val", classes[i % 3], name, file);
    }
    char train[BASE_PATH_MAX];
    snprintf(train, sizeof train, "%s/train/a", folder);
    put_file(train, "notes.txt", "x", 1);
    put_file(train, ".hidden.png", "x", 1);
    snprintf(train, sizeof train, "%s/train", folder);
    put_file(train, "stray.png", "x", 1);
}

static int setup(void **state) {
    (void)state;
    folder_new(root);
    put_set(in_root("set"));
    run_shell(
        "cd '%s' && tar -cf plain.tar set && tar --format=pax -C set -cf pax.tar . && "
        "tar --format=gnu -C set -cf gnu.tar train val && gzip -k plain.tar && "
        "cp plain.tar.gz plain.tgz && tar -C set --zstd -cf packed.tar.zst ./train ./val",
        root);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    folder_remove(root);
    return 0;
}

static void expect_same_sets(const data_set *a, const data_set *b) {
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->labels, b->labels, a->count * sizeof *a->labels);
    assert_memory_equal(a->pixels, b->pixels, a->count * graph_shape_count(a->shape));
}

/* Made one by one, from a streamed set. */
static void expect_streamed(const data_set *streamed, const data_set *held) {
    const size_t elements = graph_shape_count(held->shape);
    uint8_t *pixels = base_array(elements, 1);
    stock_room room = {0};
    assert_null(streamed->pixels);
    assert_int_equal(streamed->count, held->count);
    assert_memory_equal(streamed->labels, held->labels, held->count * sizeof *held->labels);
    for (size_t i = 0; i < held->count; i++) {
        EXPECT_OK(stock_make(streamed->stock, i, 0, NULL, &room, pixels, err));
        assert_memory_equal(pixels, held->pixels + i * elements, elements);
    }
    stock_room_free(&room);
    base_free(pixels);
}

static void classes_are_sorted_by_name(void **state) {
    (void)state;
    const data_settings settings = settings_of(in_root("set"));
    data_set train = open_part(&settings, DATA_TRAIN);
    data_set test = open_part(&settings, DATA_TEST);
    assert_int_equal(train.count, TRAIN);
    assert_int_equal(test.count, TEST);
    assert_int_equal(train.classes, 3);
    assert_int_equal(test.classes, 3);
    assert_int_equal(graph_shape_channels(train.shape), 3);
    assert_int_equal(graph_shape_height(train.shape), SIDE);
    const unsigned of_class[3] = {4, 4, 3}; /* images 1 4 7 10; 0 3 6 9; 2 5 8 */
    size_t at = 0;
    for (uint16_t c = 0; c < 3; c++)
        for (unsigned k = 0; k < of_class[c]; k++)
            assert_int_equal(train.labels[at++], c);
    /* Image 0 is 097.png of a-b; its class has also 3 (085), 6 (073) and 9 (061). */
    picture first = picture_new(SIDE, SIDE, 3, 0);
    for (size_t i = 0; i < picture_count(&first); i++)
        assert_int_equal(train.pixels[7 * picture_count(&first) + i % 3 * SIDE * SIDE + i / 3],
                         first.pixels[i]);
    picture_free(&first);
    data_set_free(&train);
    data_set_free(&test);
}

static void archives_hold_the_same(void **state) {
    (void)state;
    static const char *const archives[] = {"plain.tar",    "pax.tar",   "gnu.tar",
                                           "plain.tar.gz", "plain.tgz", "packed.tar.zst"};
    for (int part = DATA_TRAIN; part <= DATA_TEST; part++) {
        data_settings settings = settings_of(in_root("set"));
        data_set folder = open_part(&settings, (data_part)part);
        for (size_t i = 0; i < sizeof archives / sizeof archives[0]; i++) {
            settings.path = in_root(archives[i]);
            settings.memory = MEMORY;
            data_set set = open_part(&settings, (data_part)part);
            expect_same_sets(&set, &folder);
            data_set_free(&set);
            settings.memory = 300 * TEST; /* of compressed files, if at all */
            admmnn_error reason = {ADMMNN_OK, ""};
            if (i < 3) {
                set = open_part(&settings, (data_part)part);
                expect_streamed(&set, &folder);
                data_set_free(&set);
            } else {
                assert_int_equal(data_open(&settings, (data_part)part, &set, &reason),
                                 ADMMNN_INPUT);
                assert_non_null(strstr(reason.message, "MiB of dataset.memory; unpack"));
            }
        }
        data_set_free(&folder);
    }
}

static void sizes_and_colours_are_chosen(void **state) {
    (void)state;
    data_settings settings = settings_of(in_root("set"));
    settings.size = 5;
    settings.resize = 8;
    settings.grey = true;
    data_set held = open_part(&settings, DATA_TRAIN);
    assert_int_equal(graph_shape_channels(held.shape), 1);
    assert_int_equal(graph_shape_height(held.shape), 5);
    settings.crops = true; /* of the images as they are, which are larger */
    data_set streamed = open_part(&settings, DATA_TRAIN);
    expect_streamed(&streamed, &held);
    data_set_free(&streamed);
    settings.size = SIDE;
    settings.resize = SIDE;
    data_set whole = open_part(&settings, DATA_TRAIN); /* as large as what is held */
    assert_non_null(whole.pixels);
    data_set_free(&whole);
    data_set_free(&held);
}

static void images_of_other_sizes_need_one(void **state) {
    (void)state;
    const char *folder = in_root("sizes");
    put_image(folder, "train", "x", "1.png", rgb_png(20, 10, 1));
    put_image(folder, "train", "x", "2.png", rgb_png(10, 20, 2));
    data_settings settings = settings_of(folder);
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_INPUT,
           "train/x/2.png: 10x20 pixels, where the first image has 20x10; say what all are to "
           "become by dataset.size");
    settings.size = 8;
    set = open_part(&settings, DATA_TRAIN);
    assert_int_equal(set.count, 2);
    assert_int_equal(set.classes, 2);
    data_set_free(&set);
}

/* ---- what is not there, or wrong ---- */

static void absent_parts_are_told(void **state) {
    (void)state;
    data_settings settings = settings_of("/no/such");
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_NOT_FOUND,
           "/no/such: no folder, nor an archive");
    settings.path = in_root("sizes");
    put_image(settings.path, "train", "x", "1.png", rgb_png(20, 10, 1));
    EXPECT(data_open(&settings, DATA_TEST, &set, err), ADMMNN_NOT_FOUND,
           "sizes: no images at test/CLASS/FILE or val/CLASS/FILE");
    settings.path = in_root("set/train/a/notes.txt");
    EXPECT(data_open(&settings, DATA_TEST, &set, err), ADMMNN_INPUT, "nor an archive");
    settings.path = in_root("classes");
    put_image(settings.path, "train", "x", "1.png", rgb_png(4, 4, 1));
    put_image(settings.path, "test", "y", "1.png", rgb_png(4, 4, 1));
    EXPECT(data_open(&settings, DATA_TEST, &set, err), ADMMNN_INPUT,
           "class y of test/ has no training images");
}

/* test/ without classes, as ImageNet's own, leaves val/. */
static void test_images_without_classes_do_not_count(void **state) {
    (void)state;
    const char *folder = in_root("imagenet");
    put_image(folder, "train", "x", "1.png", rgb_png(4, 4, 1));
    put_image(folder, "val", "x", "1.png", rgb_png(4, 4, 2));
    put_image(folder, "val", "x", "2.png", rgb_png(4, 4, 3));
    put_file(in_root("imagenet"), "test", "", 0);
    data_settings settings = settings_of(folder);
    data_set set;
    EXPECT(data_open(&settings, DATA_TEST, &set, err), ADMMNN_INPUT, "imagenet/test: cannot read");
    run_shell("rm '%s/test' && mkdir '%s/test' && cp '%s/val/x/1.png' '%s/test'", folder, folder,
              folder, folder);
    set = open_part(&settings, DATA_TEST);
    assert_int_equal(set.count, 2);
    data_set_free(&set);
}

/* Asked for, the test part is looked for before any image is decoded: the first is damaged. */
static void a_training_part_may_need_a_test_part(void **state) {
    (void)state;
    data_settings settings = settings_of(in_root("alone"));
    put_image(settings.path, "train", "x", "1.png", (bytes){calloc(1, 9), 9});
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT, "train/x/1.png: neither");
    settings.with_test = true;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_NOT_FOUND,
           "alone: no images at test/CLASS/FILE or val/CLASS/FILE");
    put_image(settings.path, "val", "y", "1.png", rgb_png(4, 4, 1));
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_INPUT,
           "class y of val/ has no training images");
    settings.path = in_root("set");
    set = open_part(&settings, DATA_TRAIN);
    assert_int_equal(set.count, TRAIN);
    data_set_free(&set);
}

/* ---- damage ---- */

static void put_damaged(const char *folder, const char *class, const char *name) {
    bytes file = rgb_jpeg(SIDE, SIDE, 77);
    file.count /= 2;
    put_image(folder, "train", class, name, file);
}

static const char *damaged_set(const char *name) {
    const char *folder = in_root(name);
    put_set(folder);
    put_damaged(folder, "a", "000.jpg"); /* the first of all */
    put_damaged(folder, "a-b", "zzz.jpg");
    return folder;
}

static void damaged_images_are_left_out_of_what_is_held(void **state) {
    (void)state;
    data_settings settings = settings_of(in_root("set"));
    data_set whole = open_part(&settings, DATA_TRAIN);
    settings.path = damaged_set("damaged");
    settings.damaged_most = 2;
    heard[0] = 0;
    data_set set = open_part(&settings, DATA_TRAIN);
    expect_same_sets(&set, &whole);
    assert_non_null(strstr(heard, "damaged/train/a/000.jpg: damaged JPEG: Premature end"));
    assert_non_null(strstr(heard, "left out, damaged image 1 of at most 2\n"));
    assert_non_null(strstr(heard, "a-b/zzz.jpg"));
    data_set_free(&set);
    data_set_free(&whole);
    settings.damaged_most = 1;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "a-b/zzz.jpg: damaged JPEG: Premature end of JPEG file; damaged image 2, and "
           "max_damaged is 1");
}

static void a_name_is_told_once(void **state) {
    (void)state;
    const char *folder = in_root("piped");
    put_image(folder, "train", "x", "1.png", rgb_png(4, 4, 1));
    run_shell("mkfifo '%s/train/x/2.png'", folder);
    const data_settings settings = settings_of(folder);
    data_set set;
    admmnn_error reason = {ADMMNN_OK, ""};
    assert_int_equal(data_open(&settings, DATA_TRAIN, &set, &reason), ADMMNN_CORRUPT);
    static const char once[] = "piped/train/x/2.png: is no regular file";
    const char *name = strstr(reason.message, once);
    assert_non_null(name);
    assert_ptr_equal(strstr(reason.message, "2.png"), strstr(name, "2.png"));
    assert_null(strstr(name + strlen(once), "2.png"));
}

/* Whoever stops a run while a damaged image is read has stopped it. */
static bool stopped(void *user) {
    (void)user;
    return true;
}

static void a_stop_goes_before_damage(void **state) {
    (void)state;
    const admmnn_context stopping = {.threads = 1, .cancelled = stopped};
    const char *folder = in_root("stopped");
    put_image(folder, "train", "a", "1.png", rgb_png(SIDE, SIDE, 1));
    put_damaged(folder, "a", "2.jpg");
    data_settings settings = settings_of(folder);
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT, "2.jpg: damaged JPEG");
    settings.context = &stopping;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CANCELLED,
           "stopped on request while");
}

/* An archive that ends within an image: what comes before it can be read. */
static void cut_archives_lose_their_last_images(void **state) {
    (void)state;
    run_shell(
        "cd '%s' && tar -C set -cf whole.tar train && head -c $(($(tar -tvRf whole.tar | "
        "awk 'END { sub(/:.*/, \"\", $2); print $2 }') * 512 - 400)) whole.tar > cut.tar",
        root);
    data_settings settings = settings_of(in_root("cut.tar"));
    data_set set = {0};
    admmnn_error reason = {ADMMNN_OK, ""};
    assert_int_equal(data_open(&settings, DATA_TRAIN, &set, &reason), ADMMNN_CORRUPT);
    assert_non_null(strstr(reason.message, "cut.tar"));
    run_shell("cd '%s' && head -c 1500 plain.tar.gz > cut.tar.gz", root);
    settings.path = in_root("cut.tar.gz");
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT, "damaged archive");
    put_file(root, "none.tar", "no archive at all", 17);
    settings.path = in_root("none.tar");
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "none.tar: damaged archive");
}

/* A turned bit wherever it is in what is compressed: it is told, though a name that makes no
 * sense may be met first, or nothing is another for it. */
static void expect_flips_told(const char *packed, const char *flipped) {
    uint8_t *file;
    size_t count;
    size_t told = 0;
    size_t all = 0;
    data_settings settings = settings_of(in_root("set"));
    data_set whole = open_part(&settings, DATA_TRAIN);
    EXPECT_OK(base_file_read(in_root(packed), MEMORY, &file, &count, err));
    settings.path = in_root(flipped);
    for (size_t at = 0; at < count; at += 29, all++) {
        data_set set;
        admmnn_error reason = {ADMMNN_OK, ""};
        file[at] ^= (uint8_t)(1U << at % 8);
        put_file(root, flipped, file, count);
        file[at] ^= (uint8_t)(1U << at % 8);
        if (data_open(&settings, DATA_TRAIN, &set, &reason) == ADMMNN_OK) {
            expect_same_sets(&set, &whole);
            data_set_free(&set);
            continue;
        }
        assert_non_null(strstr(reason.message, flipped));
        told++;
    }
    assert_true(told * 10 > all * 9);
    base_free(file);
    data_set_free(&whole);
}

static void flipped_bits_are_told(void **state) {
    (void)state;
    uint8_t *file;
    size_t count;
    expect_flips_told("plain.tgz", "flipped.tgz");
    expect_flips_told("packed.tar.zst", "flipped.tar.zst");
    EXPECT_OK(base_file_read(in_root("plain.tgz"), MEMORY, &file, &count, err));
    file[count - 8] ^= 1; /* the checksum itself: all else is right */
    put_file(root, "sum.tgz", file, count);
    base_free(file);
    const data_settings settings = settings_of(in_root("sum.tgz"));
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "sum.tgz: damaged archive: the gzip data is not what was packed");
}

static void archives_one_after_another_are_one(void **state) {
    (void)state;
    run_shell(
        "cd '%s/set' && tar -cf ../first.tar train/a train/a-b && tar -cf ../second.tar "
        "train/[!a]* && cat ../first.tar ../second.tar >../chain.tar && "
        "gzip -c ../first.tar >../chain.tgz && gzip -c ../second.tar >>../chain.tgz",
        root);
    data_settings settings = settings_of(in_root("set"));
    data_set whole = open_part(&settings, DATA_TRAIN);
    static const char *const chains[] = {"chain.tar", "chain.tgz"};
    for (size_t i = 0; i < 2; i++) {
        settings.path = in_root(chains[i]);
        data_set set = open_part(&settings, DATA_TRAIN);
        expect_same_sets(&set, &whole);
        data_set_free(&set);
    }
    data_set_free(&whole);
}

static void what_is_no_file_is_no_archive(void **state) {
    (void)state;
    run_shell("cd '%s' && mkfifo fifo.tar && ln -s loop.tgz loop.tgz", root);
    data_settings settings = settings_of(in_root("fifo.tar"));
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_INPUT,
           "fifo.tar: is no regular file");
    settings.path = in_root("loop.tgz");
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_INPUT,
           "loop.tgz: cannot open: Too many levels of symbolic links");
    settings.path = in_root("absent.tar");
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_NOT_FOUND,
           "absent.tar: cannot open: No such file");
}

/* ---- archives that mean harm ---- */

/* One header of ustar and no more. */
static void put_header(base_writer *out, const char *name, const char *size, char type,
                       const char *link) {
    uint8_t block[512] = {0};
    unsigned sum = 0;
    snprintf((char *)block, 100, "%s", name);
    memcpy(block + 100, "0000644", 8);
    memcpy(block + 108, "0000000", 8);
    memcpy(block + 116, "0000000", 8);
    memcpy(block + 124, size, 12);
    memcpy(block + 136, "00000000000", 12);
    memset(block + 148, ' ', 8);
    block[156] = (uint8_t)type;
    snprintf((char *)block + 157, 100, "%s", link);
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof block; i++)
        sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
    base_write_bytes(out, block, sizeof block);
}

static void put_member(base_writer *out, const char *name, const bytes *file) {
    static const uint8_t zeros[512];
    char size[13];
    snprintf(size, sizeof size, "%011o", (unsigned)file->count);
    put_header(out, name, size, '0', "");
    base_write_bytes(out, file->at, file->count);
    base_write_bytes(out, zeros, (512 - file->count % 512) % 512);
}

/* Nothing is written, whatever the names; links and devices are no images. */
static void names_lead_nowhere(void **state) {
    (void)state;
    base_writer tar = {0};
    bytes file = rgb_png(4, 4, 1);
    put_member(&tar, "../../escaped/train/../x.png", &file);
    put_member(&tar, "/tmp/escaped.png", &file);
    put_header(&tar, "../../escaped/train/x/link.png", "00000000000", '2', "/etc/passwd");
    put_header(&tar, "../../escaped/train/x/device.png", "00000000000", '3', "");
    put_member(&tar, "../../escaped/train/x/1.png", &file);
    put_file(root, "harm.tar", tar.bytes, tar.count);
    run_shell("mkdir -p '%s/deep/er' && mv '%s/harm.tar' '%s/deep/er'", root, root, root);
    const data_settings settings = settings_of(in_root("deep/er/harm.tar"));
    data_set set = open_part(&settings, DATA_TRAIN); /* ".." is a class too: one image each */
    assert_int_equal(set.count, 2);
    assert_int_equal(access("/tmp/escaped.png", F_OK), -1);
    assert_int_equal(access(in_root("escaped"), F_OK), -1);
    assert_int_equal(access(in_root("deep/escaped"), F_OK), -1);
    data_set_free(&set);
    base_writer_free(&tar);
    bytes_free(&file);
}

/* A claim of 8 GiB: no memory is taken for it, plain or compressed. */
static void huge_members_are_damaged(void **state) {
    (void)state;
    base_writer tar = {0};
    bytes file = rgb_png(4, 4, 1);
    put_member(&tar, "train/x/1.png", &file);
    put_header(&tar, "train/x/2.png", "77777777777", '0', "");
    put_file(root, "huge.tar", tar.bytes, tar.count);
    put_gzip(root, "huge.tar", tar.bytes, tar.count);
    data_settings settings = settings_of(in_root("huge.tar"));
    data_set set;
    admmnn_error reason = {ADMMNN_OK, ""};
    assert_int_equal(data_open(&settings, DATA_TRAIN, &set, &reason), ADMMNN_CORRUPT);
    settings.path = in_root("huge.tar.gz");
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "huge.tar.gz: damaged archive");
    base_writer_free(&tar);
    bytes_free(&file);
}

/* What is no image is passed over, without being read where the archive is plain, but not
 * what is not there. The files of images larger than those that are read are damaged. */
static void large_members_are_passed_over(void **state) {
    (void)state;
    const char *folder = in_root("large/train/x");
    put_image(in_root("large"), "train", "x", "1.png", rgb_png(4, 4, 1));
    put_image(in_root("large"), "train", "x", "3.png", rgb_png(4, 4, 2));
    run_shell(
        "cd '%s' && truncate -s 67108865 2.png && truncate -s 300000 notes.txt && cd ../.. && "
        "tar -cf ../large.tar train/x/notes.txt train/x/[123].png && "
        "gzip -1 -k ../large.tar && "
        "tar -cf - train/x/1.png train/x/notes.txt | head -c 200000 >../short.tar",
        folder);
    data_settings settings = settings_of(in_root("large.tar"));
    settings.damaged_most = 1;
    for (int packed = 0; packed < 2; packed++) {
        heard[0] = 0;
        settings.path = in_root(packed == 0 ? "large.tar" : "large.tar.gz");
        data_set set = open_part(&settings, DATA_TRAIN);
        assert_int_equal(set.count, 2);
        assert_non_null(
            strstr(heard, "train/x/2.png: claims 67108865 bytes; at most 67108864 are read"));
        data_set_free(&set);
    }
    settings.path = in_root("short.tar");
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_CORRUPT,
           "short.tar: damaged archive");
}

static void two_datasets_are_one_too_many(void **state) {
    (void)state;
    run_shell("cd '%s' && cp -r set other && tar -cf two.tar set other", root);
    const data_settings settings = settings_of(in_root("two.tar"));
    data_set set;
    EXPECT(data_open(&settings, DATA_TRAIN, &set, err), ADMMNN_INPUT,
           "stand in folders of two datasets; one is wanted");
}

/* ---- the data that tests may have beside them ---- */

static void shared_archives_are_read(void **state) {
    (void)state;
    static const char *const path = "../shared/data/imagenet-sample.tar";
    if (access(path, R_OK) != 0) {
        print_message("%s is not there: skipped\n", path);
        skip();
    }
    data_settings settings = settings_of(path);
    settings.size = 64;
    settings.damaged_most = 0;
    data_set streamed = open_part(&settings, DATA_TEST);
    settings.memory = (size_t)1 << 30;
    data_set held = open_part(&settings, DATA_TEST);
    assert_int_equal(streamed.count, 230);
    assert_int_equal(streamed.classes, 230);
    expect_streamed(&streamed, &held);
    data_set_free(&streamed);
    data_set_free(&held);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_sorted_by_name),
        cmocka_unit_test(archives_hold_the_same),
        cmocka_unit_test(sizes_and_colours_are_chosen),
        cmocka_unit_test(images_of_other_sizes_need_one),
        cmocka_unit_test(absent_parts_are_told),
        cmocka_unit_test(test_images_without_classes_do_not_count),
        cmocka_unit_test(a_training_part_may_need_a_test_part),
        cmocka_unit_test(damaged_images_are_left_out_of_what_is_held),
        cmocka_unit_test(a_name_is_told_once),
        cmocka_unit_test(a_stop_goes_before_damage),
        cmocka_unit_test(cut_archives_lose_their_last_images),
        cmocka_unit_test(flipped_bits_are_told),
        cmocka_unit_test(archives_one_after_another_are_one),
        cmocka_unit_test(what_is_no_file_is_no_archive),
        cmocka_unit_test(names_lead_nowhere),
        cmocka_unit_test(huge_members_are_damaged),
        cmocka_unit_test(large_members_are_passed_over),
        cmocka_unit_test(two_datasets_are_one_too_many),
        cmocka_unit_test(shared_archives_are_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
