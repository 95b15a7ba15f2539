#include <math.h>

#include "base/memory.h"
#include "data/feed.h"

/* A streamed set's tones are those of so many of its images. */
#define SAMPLE_MOST 4096U
#define BATCH 64U

data_tones data_tones_of(float mean, float scale) {
    data_tones tones;
    for (size_t c = 0; c < DATA_TONES; c++) {
        tones.mean[c] = mean;
        tones.scale[c] = scale;
    }
    return tones;
}

bool data_tones_same(const data_tones *a, const data_tones *b) {
    for (size_t c = 0; c < DATA_TONES; c++)
        if (a->mean[c] != b->mean[c] || a->scale[c] != b->scale[c])
            return false;
    return true;
}

bool data_tones_are_one(const data_tones *tones) {
    const data_tones first = data_tones_of(tones->mean[0], tones->scale[0]);
    return data_tones_same(tones, &first);
}

/* Whole numbers, that neither order nor threads change them. */
typedef struct sums {
    uint64_t count[DATA_TONES], sum[DATA_TONES], squares[DATA_TONES];
} sums;

static void add_image(const data_set *set, const uint8_t *pixels, sums *to) {
    const uint32_t channels = graph_shape_channels(set->shape);
    const size_t plane_count = graph_shape_count(set->shape) / channels;
    for (uint32_t channel = 0; channel < channels; channel++) {
        const uint32_t c = channels == DATA_TONES ? channel : 0;
        for (size_t i = 0; i < plane_count; i++) {
            const uint32_t pixel = pixels[channel * plane_count + i];
            to->sum[c] += pixel;
            to->squares[c] += pixel * pixel;
        }
        to->count[c] += plane_count;
    }
}

static admmnn_status add_images(const data_set *set, const uint32_t *order, size_t count,
                                unsigned threads, sums *to, admmnn_error *err) {
    const size_t elements = graph_shape_count(set->shape);
    const data_view view = {.set = set, .order = order};
    data_feed *feed;
    data_view batch;
    size_t size;
    BASE_TRY(data_feed_open(&view, count, BATCH, threads, &feed, err));
    admmnn_status status = data_feed_next(feed, &batch, &size, err);
    while (status == ADMMNN_OK && size > 0) {
        for (size_t i = 0; i < size; i++)
            add_image(set,
                      batch.pixels != NULL ? batch.pixels + i * elements
                                           : set->pixels + data_view_image(&batch, i) * elements,
                      to);
        status = data_feed_next(feed, &batch, &size, err);
    }
    data_feed_close(feed);
    return status;
}

static void finish(const sums *from, uint32_t channels, data_tones *tones) {
    for (uint32_t channel = 0; channel < DATA_TONES; channel++) {
        const uint32_t c = channels == DATA_TONES ? channel : 0;
        const double mean = (double)from->sum[c] / (double)from->count[c];
        const double square = (double)from->squares[c] / (double)from->count[c];
        const double deviation = sqrt(fmax(square - mean * mean, 0.0)) / 255.0;
        tones->mean[channel] = (float)(mean / 255.0);
        tones->scale[channel] = deviation > 0.0 ? (float)(1.0 / deviation) : 1.0F;
    }
}

admmnn_status data_tones_measure(const data_set *set, const uint32_t *order, size_t count,
                                 unsigned threads, data_tones *tones, admmnn_error *err) {
    const size_t sample = set->stock == NULL || count < SAMPLE_MOST ? count : SAMPLE_MOST;
    uint32_t *some = base_array(sample, sizeof *some);
    sums all = {0};
    if (some == NULL)
        return base_fail_memory(err, "the images' means");
    for (size_t i = 0; i < sample; i++)
        some[i] = order[i * count / sample];
    const admmnn_status status = add_images(set, some, sample, threads, &all, err);
    base_free(some);
    BASE_TRY(status);
    finish(&all, graph_shape_channels(set->shape), tones);
    return ADMMNN_OK;
}
