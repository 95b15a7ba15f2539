/* The feed: batches in order, the same whatever the threads; what stands in for damage. */
#include "pictures.h"

#include "base/context.h"
#include "data/feed.h"
#include "data/stock.h"

#define SIDE 16
#define COUNT 70
#define BATCH 8

static char root[64];
static char folder[128];
static unsigned warnings;
static char last_warning[512];

static void hear(void *user, admmnn_log_level level, const char *message) {
    (void)user;
    warnings += level == ADMMNN_LOG_WARNING;
    snprintf(last_warning, sizeof last_warning, "%s", message);
}

static const admmnn_context context = {.threads = 1, .log = hear};

static bytes half_a_jpeg(uint64_t seed) {
    bytes file = rgb_jpeg(SIDE, SIDE, seed);
    file.count /= 2;
    return file;
}

static bool is_damaged(size_t i) {
    return i == 5 || i == 6 || i == 40;
}

/* Photographs of 24x20 in two classes; three of them damaged. */
static int setup(void **state) {
    (void)state;
    folder_new(root);
    snprintf(folder, sizeof folder, "%s/set", root);
    for (size_t i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "%03zu.jpg", i);
        put_image(folder, "train", i < COUNT / 2 ? "a" : "b", name,
                  is_damaged(i) ? half_a_jpeg(i) : rgb_jpeg(24, 20, i));
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    folder_remove(root);
    return 0;
}

static data_set streamed_set(uint64_t damaged_most) {
    const data_settings settings = {.format = DATA_FOLDER,
                                    .path = folder,
                                    .size = SIDE,
                                    .crops = true,
                                    .memory = (size_t)1 << 30,
                                    .damaged_most = damaged_most,
                                    .context = &context};
    data_set set = {0};
    EXPECT_OK(data_open(&settings, DATA_TRAIN, &set, err));
    assert_non_null(set.stock);
    return set;
}

static void make_order(uint32_t order[COUNT]) {
    base_random random = base_random_at(1, 1, 1);
    for (uint32_t i = 0; i < COUNT; i++)
        order[i] = i;
    base_random_shuffle(&random, order, COUNT);
}

#define ELEMENTS ((size_t)3 * SIDE * SIDE)

/* All that comes out: inputs and the numbers of the images. */
typedef struct output {
    float *inputs;
    size_t images[COUNT];
    size_t count;
} output;

static output drain(const data_view *view, size_t batch, unsigned threads) {
    output out = {.inputs = base_array(COUNT * ELEMENTS, sizeof *out.inputs)};
    data_feed *feed;
    data_view part;
    size_t size;
    assert_non_null(out.inputs);
    EXPECT_OK(data_feed_open(view, COUNT, batch, threads, &feed, err));
    EXPECT_OK(data_feed_next(feed, &part, &size, err));
    while (size > 0) {
        for (size_t i = 0; i < size; i++, out.count++) {
            out.images[out.count] = data_view_image(&part, i);
            data_view_fill(&part, i, out.inputs + out.count * ELEMENTS, 1);
        }
        EXPECT_OK(data_feed_next(feed, &part, &size, err));
    }
    assert_true(data_feed_waited(feed) >= 0.0);
    data_feed_close(feed);
    assert_int_equal(out.count, COUNT);
    return out;
}

static void expect_same(const output *a, const output *b) {
    assert_memory_equal(a->images, b->images, sizeof a->images);
    assert_memory_equal(a->inputs, b->inputs, COUNT * ELEMENTS * sizeof *a->inputs);
}

static data_view view_of(const data_set *set, const uint32_t *order, float crop) {
    return (data_view){.set = set,
                       .order = order,
                       .augmentation = {.shift = 2,
                                        .flip = true,
                                        .crop = crop,
                                        .brightness = 0.4F,
                                        .contrast = 0.4F,
                                        .saturation = 0.4F},
                       .seed = 3,
                       .epoch = 4,
                       .tones = {{0.4F, 0.5F, 0.6F}, {4.0F, 3.0F, 2.0F}}};
}

/* Threads and the size of a batch change nothing; the epoch does. */
static void threads_change_nothing(void **state) {
    (void)state;
    uint32_t order[COUNT];
    data_set set = streamed_set(3);
    make_order(order);
    for (int crop = 0; crop < 2; crop++) {
        data_view view = view_of(&set, order, crop == 0 ? 0.0F : 0.2F);
        output one = drain(&view, BATCH, 1);
        output four = drain(&view, BATCH, 4);
        output thirteen = drain(&view, 13, 3);
        view.epoch++;
        output later = drain(&view, BATCH, 4);
        expect_same(&one, &four);
        expect_same(&one, &thirteen);
        assert_memory_equal(one.images, later.images, sizeof one.images);
        assert_memory_not_equal(one.inputs, later.inputs, COUNT * ELEMENTS * sizeof(float));
        base_free(one.inputs);
        base_free(four.inputs);
        base_free(thirteen.inputs);
        base_free(later.inputs);
    }
    data_set_free(&set);
}

/* Held or streamed, the distortions are the same. */
static void held_images_give_the_same(void **state) {
    (void)state;
    uint32_t order[COUNT];
    data_set streamed = streamed_set(3);
    make_order(order);
    data_view view = view_of(&streamed, order, 0.0F);
    output from_disk = drain(&view, BATCH, 2);
    data_set held = {.count = COUNT, .shape = streamed.shape, .classes = 2};
    held.pixels = base_array(COUNT, ELEMENTS);
    stock_room room = {0};
    for (size_t i = 0; i < COUNT; i++)
        if (!is_damaged(i))
            EXPECT_OK(
                stock_make(streamed.stock, i, 0, NULL, &room, held.pixels + i * ELEMENTS, err));
    stock_room_free(&room);
    for (size_t p = 0; p < COUNT; p++)
        order[p] = (uint32_t)from_disk.images[p];
    view.set = &held;
    output from_memory = drain(&view, BATCH, 2);
    expect_same(&from_disk, &from_memory);
    base_free(from_disk.inputs);
    base_free(from_memory.inputs);
    data_set_free(&held);
    data_set_free(&streamed);
}

/* Crops of what is held are made by threads too, of the planes. */
static void held_images_are_cropped(void **state) {
    (void)state;
    data_set set = {.count = COUNT, .shape = graph_shape_image(3, SIDE, SIDE), .classes = 2};
    set.pixels = base_array(COUNT, ELEMENTS);
    base_random random = base_random_at(8, 8, 8);
    for (size_t i = 0; i < COUNT * ELEMENTS; i++)
        set.pixels[i] = (uint8_t)base_random_below(&random, 256);
    data_view view = view_of(&set, NULL, 0.3F);
    output one = drain(&view, BATCH, 1);
    output two = drain(&view, BATCH, 2);
    expect_same(&one, &two);
    view.augmentation.crop = 0.0F;
    output uncropped = drain(&view, BATCH, 2);
    assert_memory_not_equal(one.inputs, uncropped.inputs, COUNT * ELEMENTS * sizeof(float));
    base_free(one.inputs);
    base_free(two.inputs);
    base_free(uncropped.inputs);
    data_set_free(&set);
}

/* In the place of a damaged image comes the next of the order that is whole. */
static void damaged_images_are_replaced(void **state) {
    (void)state;
    uint32_t order[COUNT];
    data_set set = streamed_set(3);
    make_order(order);
    warnings = 0;
    const data_view view = view_of(&set, order, 0.0F);
    output out = drain(&view, BATCH, 3);
    for (size_t p = 0; p < COUNT; p++) {
        size_t next = p;
        while (is_damaged(order[next % COUNT]))
            next++;
        assert_int_equal(out.images[p], order[next % COUNT]);
    }
    assert_int_equal(warnings, 3);
    assert_non_null(strstr(last_warning, "left out, damaged image 3 of at most 3"));
    base_free(out.inputs);
    out = drain(&view, BATCH, 3); /* of another epoch, say: told once */
    assert_int_equal(warnings, 3);
    base_free(out.inputs);
    data_set_free(&set);
}

static admmnn_status drain_to_the_end(const data_view *view, unsigned threads, size_t *batches,
                                      admmnn_error *err) {
    data_feed *feed;
    data_view part;
    size_t size = 1;
    *batches = 0;
    BASE_TRY(data_feed_open(view, COUNT, BATCH, threads, &feed, err));
    admmnn_status status = ADMMNN_OK;
    while (status == ADMMNN_OK && size > 0) {
        status = data_feed_next(feed, &part, &size, err);
        *batches += status == ADMMNN_OK;
    }
    data_feed_close(feed);
    return status;
}

/* At the batch where the limit is passed, whatever the threads had made by then. */
static void too_many_damaged_images_end_it(void **state) {
    (void)state;
    size_t batches;
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        data_set set = streamed_set(2);
        const data_view view = view_of(&set, NULL, 0.0F);
        EXPECT(drain_to_the_end(&view, threads, &batches, err), ADMMNN_CORRUPT,
               "set/train/b/040.jpg: damaged JPEG: Premature end of JPEG file; damaged "
               "image 3, and max_damaged is 2");
        assert_int_equal(batches, 40 / BATCH);
        data_set_free(&set);
        set = streamed_set(0);
        EXPECT(drain_to_the_end(&(data_view){.set = &set}, threads, &batches, err), ADMMNN_CORRUPT,
               "set/train/a/005.jpg");
        assert_int_equal(batches, 0);
        data_set_free(&set);
    }
}

/* A feed that is closed early leaves no thread behind. */
static void feeds_may_be_closed_early(void **state) {
    (void)state;
    data_set set = streamed_set(3);
    const data_view view = view_of(&set, NULL, 0.5F);
    for (unsigned threads = 1; threads <= 4; threads++) {
        data_feed *feed;
        data_view part;
        size_t size;
        EXPECT_OK(data_feed_open(&view, COUNT, BATCH, threads, &feed, err));
        EXPECT_OK(data_feed_next(feed, &part, &size, err));
        data_feed_close(feed);
        EXPECT_OK(data_feed_open(&view, 0, BATCH, threads, &feed, err));
        EXPECT_OK(data_feed_next(feed, &part, &size, err));
        assert_int_equal(size, 0);
        data_feed_close(feed);
    }
    data_set_free(&set);
}

/* ---- means and deviations ---- */

static void tones_are_means_and_deviations(void **state) {
    (void)state;
    data_set set = {.count = COUNT, .shape = graph_shape_image(3, SIDE, SIDE), .classes = 2};
    set.pixels = base_array(COUNT, ELEMENTS);
    base_random random = base_random_at(9, 9, 9);
    for (size_t i = 0; i < COUNT * ELEMENTS; i++)
        set.pixels[i] = (uint8_t)base_random_below(&random, 60 + 80 * (uint32_t)(i / 256 % 3));
    uint32_t order[COUNT / 2];
    for (uint32_t i = 0; i < COUNT / 2; i++)
        order[i] = 2 * i;
    data_tones tones;
    EXPECT_OK(data_tones_measure(&set, order, COUNT / 2, 2, &tones, err));
    for (size_t c = 0; c < 3; c++) {
        double sum = 0.0;
        double squares = 0.0;
        for (size_t i = 0; i < COUNT / 2; i++)
            for (size_t p = 0; p < 256; p++) {
                const double x = set.pixels[2 * i * ELEMENTS + c * 256 + p] / 255.0;
                sum += x / (COUNT / 2 * 256.0);
                squares += x * x / (COUNT / 2 * 256.0);
            }
        assert_true(fabs((double)tones.mean[c] - sum) < 1e-5);
        assert_true(fabs(1.0 / (double)tones.scale[c] - sqrt(squares - sum * sum)) < 1e-5);
    }
    data_set_free(&set);
    set = streamed_set(3);
    for (uint32_t i = 0; i < COUNT / 2; i++)
        order[i] = i;
    data_tones again;
    EXPECT_OK(data_tones_measure(&set, order, COUNT / 2, 1, &tones, err));
    EXPECT_OK(data_tones_measure(&set, order, COUNT / 2, 4, &again, err));
    assert_true(data_tones_same(&tones, &again));
    assert_false(data_tones_are_one(&tones));
    data_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(held_images_give_the_same),
        cmocka_unit_test(held_images_are_cropped),
        cmocka_unit_test(damaged_images_are_replaced),
        cmocka_unit_test(too_many_damaged_images_end_it),
        cmocka_unit_test(feeds_may_be_closed_early),
        cmocka_unit_test(tones_are_means_and_deviations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
