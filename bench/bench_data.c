/* The pipeline of images: photographs read, decoded and made 224 x 224, in images a second, and
 * how long training would wait for them.
 *
 *   bench_data [--data PATH] [--threads N] [--batch N] [--rate R] [--seconds S] [--json]
 *
 * PATH is a folder or archive with train/CLASS/FILE, or val/CLASS/FILE; without it, 64 JPEG files
 * of 500 x 375 are made, of about the bytes and the detail of ImageNet's, and read again and again.
 * Lines: reading (the files' bytes and their headers alone); decoding by 1 to N threads (random
 * crops and flips, and the floats that the network takes); training: N threads that decode beside N
 * that compute, spinning, as long as a network of R images a second does for each batch (20:
 * more than twice what 94 GFLOP/s allow ResNet-18, whose training takes 10.9 GFLOP an image). An
 * epoch's first batch, which nothing hides, is not counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/feed.h"
#include "data/process.h"
#include "data/stock.h"
#include "options.h"

#define FILES 64U
#define WIDTH 500U
#define HEIGHT 375U
#define SIDE 224U
#define QUALITY 90

typedef struct options {
    const char *data;
    unsigned threads;
    unsigned batch;
    double rate, seconds;
    bool json;
} options;

/* ---- photographs ---- */

/* Soft shapes with fine noise: about 100 KB at this quality, as ImageNet's. */
static void paint(uint32_t seed, uint8_t *pixels) {
    base_random random = base_random_at(seed, 0, 0);
    const uint32_t phase = base_random_below(&random, 200);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT * 3; i++) {
        const size_t x = i / 3 % WIDTH;
        const size_t y = i / 3 / WIDTH;
        const size_t shape = (x * x / 300 + y * (y + phase) / 200 + i % 3 * 50) % 400;
        const size_t soft = shape < 200 ? shape : 400 - shape;
        pixels[i] = (uint8_t)(soft + base_random_below(&random, 28));
    }
}

static admmnn_status write_photograph(const char *folder, uint32_t number, uint8_t *pixels,
                                      admmnn_error *err) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long count = 0;
    char name[32];
    char path[BASE_PATH_MAX];
    paint(number, pixels);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &count);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < HEIGHT) {
        JSAMPROW row = pixels + (size_t)jpeg.next_scanline * WIDTH * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    snprintf(name, sizeof name, "%03u.jpg", number);
    admmnn_status status = base_path_join(path, sizeof path, folder, name, err);
    if (status == ADMMNN_OK)
        status = base_file_write(path, bytes, count, err);
    free(bytes);
    return status;
}

static admmnn_status write_photographs(const char *root, admmnn_error *err) {
    char folder[BASE_PATH_MAX];
    uint8_t *pixels = base_array((size_t)WIDTH * HEIGHT, 3);
    admmnn_status status = pixels == NULL ? base_fail_memory(err, "a photograph") : ADMMNN_OK;
    if (status == ADMMNN_OK)
        status = base_path_join(folder, sizeof folder, root, "train/photographs", err);
    if (status == ADMMNN_OK)
        status = base_folder_make(folder, err);
    for (uint32_t i = 0; i < FILES && status == ADMMNN_OK; i++)
        status = write_photograph(folder, i, pixels, err);
    base_free(pixels);
    return status;
}

/* ---- measuring ---- */

static void report(const options *o, const char *what, unsigned threads, double rate,
                   double waited) {
    if (o->json)
        printf(
            "{\"what\": \"%s\", \"threads\": %u, \"images_per_second\": %.1f, "
            "\"waited\": %.4f}\n",
            what, threads, rate, waited);
    else
        printf("%-10s %2u threads %10.1f images/s, waited %5.1f %% of the time\n", what, threads,
               rate, 100.0 * waited);
    fflush(stdout);
}

static admmnn_status measure_reading(const options *o, const data_set *set, admmnn_error *err) {
    stock_room room = {0};
    image_extent extent;
    size_t count = 0;
    admmnn_status status = ADMMNN_OK;
    const double start = base_seconds();
    while (status == ADMMNN_OK && base_seconds() - start < o->seconds) {
        status = stock_measure(set->stock, count % set->count, &room, &extent, err);
        count++;
    }
    stock_room_free(&room);
    if (status == ADMMNN_OK)
        report(o, "reading", 1, (double)count / (base_seconds() - start), 0.0);
    return status;
}

/* What a batch's step is: floats for the network, and its arithmetic. */
typedef struct step {
    data_view view;
    size_t count;
    float *inputs;
    double until; /* computing ends; 0: there is none */
} step;

static void compute(void *argument, unsigned thread, unsigned threads) {
    step *s = argument;
    const size_t elements = graph_shape_count(s->view.set->shape);
    for (size_t i = thread; i < s->count; i += threads)
        data_view_fill(&s->view, i, s->inputs + i * elements, 1);
    while (base_seconds() < s->until)
        continue;
}

/* rate 0: as fast as the images come. */
static admmnn_status measure(const options *o, const data_set *set, unsigned threads,
                             base_pool *pool, double rate, admmnn_error *err) {
    const size_t most = (size_t)1 << 20;
    uint32_t *order = base_array(most, sizeof *order);
    step s = {.inputs =
                  base_array((size_t)o->batch * graph_shape_count(set->shape), sizeof *s.inputs)};
    data_feed *feed = NULL;
    size_t done = 0;
    admmnn_status status =
        order == NULL || s.inputs == NULL ? base_fail_memory(err, "the batches") : ADMMNN_OK;
    for (size_t i = 0; status == ADMMNN_OK && i < most; i++)
        order[i] = (uint32_t)(i % set->count);
    const data_view view = {.set = set,
                            .order = order,
                            .augmentation = {.crop = 0.08F, .flip = true},
                            .tones = data_tones_of(0.45F, 4.0F)};
    if (status == ADMMNN_OK)
        status = data_feed_open(&view, most, o->batch, threads, &feed, err);
    if (status == ADMMNN_OK)
        status = data_feed_next(feed, &s.view, &s.count, err);
    const double before = feed == NULL ? 0.0 : data_feed_waited(feed);
    const double start = base_seconds();
    while (status == ADMMNN_OK && base_seconds() - start < o->seconds) {
        s.until = rate > 0.0 ? base_seconds() + (double)s.count / rate : 0.0;
        base_pool_run(pool, compute, &s);
        done += s.count;
        status = data_feed_next(feed, &s.view, &s.count, err);
    }
    const double seconds = base_seconds() - start;
    if (status == ADMMNN_OK)
        report(o, rate > 0.0 ? "training" : "decoding", threads, (double)done / seconds,
               (data_feed_waited(feed) - before) / seconds);
    data_feed_close(feed);
    base_free(order);
    base_free(s.inputs);
    return status;
}

static admmnn_status measure_all(const options *o, const data_set *set, admmnn_error *err) {
    base_pool *one;
    base_pool *all;
    BASE_TRY(measure_reading(o, set, err));
    BASE_TRY(base_pool_create(1, &one, err));
    admmnn_status status = ADMMNN_OK;
    for (unsigned threads = 1; threads <= o->threads && status == ADMMNN_OK; threads++)
        status = measure(o, set, threads, one, 0.0, err);
    base_pool_destroy(one);
    BASE_TRY(status);
    BASE_TRY(base_pool_create(o->threads, &all, err));
    status = measure(o, set, o->threads, all, o->rate, err);
    base_pool_destroy(all);
    return status;
}

static admmnn_status run_on(const options *o, const char *path, admmnn_error *err) {
    const data_settings settings = {
        .format = DATA_FOLDER, .path = path, .size = SIDE, .crops = true, .memory = 0};
    data_set set;
    admmnn_status status = data_open(&settings, DATA_TRAIN, &set, err);
    if (status == ADMMNN_NOT_FOUND)
        status = data_open(&settings, DATA_TEST, &set, err);
    BASE_TRY(status);
    status = measure_all(o, &set, err);
    data_set_free(&set);
    return status;
}

/* Made in a folder of their own where none are given. */
static admmnn_status run(options *o, admmnn_error *err) {
    char folder[BASE_PATH_MAX];
    o->threads = base_pool_resolve(o->threads);
    if (o->data != NULL)
        return run_on(o, o->data, err);
    BASE_TRY(data_temporary_make(folder, err));
    admmnn_status status = write_photographs(folder, err);
    if (status == ADMMNN_OK)
        status = run_on(o, folder, err);
    data_temporary_remove(folder);
    return status;
}

int main(int argc, char **argv) {
    options o = {.batch = 16, .rate = 20.0, .seconds = 5.0};
    const bench_option known[] = {{"--data", .text = &o.data},
                                  {"--threads", .number = &o.threads},
                                  {"--batch", .number = &o.batch},
                                  {"--rate", .real = &o.rate},
                                  {"--seconds", .real = &o.seconds}};
    const bool read =
        bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o.json);
    if (!read || o.batch < 1 || o.batch > 4096 || o.threads > 1024 || o.rate <= 0.0 ||
        o.seconds <= 0.0) {
        fprintf(stderr,
                "usage: bench_data [--data PATH] [--threads N] [--batch 1..4096] "
                "[--rate R] [--seconds S] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    const admmnn_status status = run(&o, &err);
    return bench_exit("bench_data", status, &err);
}
