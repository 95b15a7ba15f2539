#include "data/cifar_pictures.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/memory.h"
#include "data/image.h"

#define PIXELS 1024U
#define CHANNELS 3U
#define RECORD (1 + (size_t)CHANNELS * PIXELS)
#define CLASSES 10
#define PICTURE_BYTES_MAX ((size_t)1 << 26)
#define LABELS_BYTES_MAX ((size_t)1 << 20)

typedef struct batch {
    const char *file, *picture, *labels;
    size_t before; /* files whose labels stand before its own */
} batch;

/* The labels' names are spelled so. */
static const batch batches[] = {
    {"data_batch_1.bin", "data_batch_1.png", "train_lables.json", 0},
    {"data_batch_2.bin", "data_batch_2.png", "train_lables.json", 1},
    {"data_batch_3.bin", "data_batch_3.png", "train_lables.json", 2},
    {"data_batch_4.bin", "data_batch_4.png", "train_lables.json", 3},
    {"data_batch_5.bin", "data_batch_5.png", "train_lables.json", 4},
    {"test_batch.bin", "test_batch.png", "test_lables.json", 0},
};

static const batch *find_batch(const char *file) {
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
        if (strcmp(batches[i].file, file) == 0)
            return &batches[i];
    return NULL;
}

static admmnn_status decode_picture(const batch *b, const uint8_t *bytes, size_t count,
                                    size_t images, image *picture, admmnn_error *err) {
    image_extent extent;
    admmnn_status status = image_measure(bytes, count, &extent, err);
    if (status == ADMMNN_OK && (extent.width != PIXELS || extent.height != images))
        status = base_fail(err, ADMMNN_CORRUPT, "%ux%u pixels; %ux%zu are wanted", extent.width,
                           extent.height, PIXELS, images);
    if (status == ADMMNN_OK)
        status = image_decode(bytes, count, CHANNELS, 1, picture, err);
    return status == ADMMNN_OK ? status : base_fail_within(err, status, "%s", b->picture);
}

static admmnn_status read_picture(const data_opened *from, const batch *b, size_t images,
                                  image *picture, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(from->kind->get(from->state, b->picture, PICTURE_BYTES_MAX, &bytes, &count, err));
    const admmnn_status status = decode_picture(b, bytes, count, images, picture, err);
    base_free(bytes);
    return status;
}

/* Pixels by channel, as records have them. */
static void write_pixels(const image *picture, uint8_t *records) {
    const uint8_t *from = picture->pixels;
    for (size_t i = 0; i < picture->extent.height; i++) {
        uint8_t *to = records + i * RECORD + 1;
        for (size_t p = 0; p < PIXELS; p++, from += CHANNELS)
            for (size_t c = 0; c < CHANNELS; c++)
                to[c * PIXELS + p] = from[c];
    }
}

static admmnn_status write_labels(const cJSON *labels, const batch *b, size_t images,
                                  uint8_t *records, admmnn_error *err) {
    const size_t first = b->before * images;
    const cJSON *label = cJSON_GetArrayItem(labels, (int)first);
    for (size_t i = 0; i < images; i++, label = label->next) {
        if (!cJSON_IsNumber(label) || label->valueint < 0 || label->valueint >= CLASSES)
            return base_fail(err, ADMMNN_CORRUPT, "%s: has no label of image %zu, from 0 to %d",
                             b->labels, first + i, CLASSES - 1);
        records[i * RECORD] = (uint8_t)label->valueint;
    }
    return ADMMNN_OK;
}

static admmnn_status read_labels(const data_opened *from, const batch *b, size_t images,
                                 uint8_t *records, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(from->kind->get(from->state, b->labels, LABELS_BYTES_MAX, &bytes, &count, err));
    cJSON *labels = cJSON_ParseWithLength((const char *)bytes, count);
    base_free(bytes);
    const admmnn_status status =
        cJSON_IsArray(labels) ? write_labels(labels, b, images, records, err)
                              : base_fail(err, ADMMNN_CORRUPT, "%s: no array of JSON", b->labels);
    cJSON_Delete(labels);
    return status;
}

static admmnn_status make_records(const data_opened *from, const batch *b, const image *picture,
                                  uint8_t **bytes, size_t *count, admmnn_error *err) {
    const size_t images = picture->extent.height;
    uint8_t *records = base_array(images, RECORD);
    if (records == NULL)
        return base_fail_memory(err, b->file);
    const admmnn_status status = read_labels(from, b, images, records, err);
    if (status != ADMMNN_OK) {
        base_free(records);
        return status;
    }
    write_pixels(picture, records);
    *bytes = records;
    *count = images * RECORD;
    return ADMMNN_OK;
}

admmnn_status cifar_from_pictures(const data_opened *from, const data_file *file, uint8_t **bytes,
                                  size_t *count, admmnn_error *err) {
    const batch *b = find_batch(file->name);
    image picture = {0};
    if (b == NULL)
        return base_fail(err, ADMMNN_NOT_FOUND, "there is no picture of %s", file->name);
    admmnn_status status = read_picture(from, b, file->size / RECORD, &picture, err);
    if (status == ADMMNN_OK)
        status = make_records(from, b, &picture, bytes, count, err);
    image_free(&picture);
    return status;
}
