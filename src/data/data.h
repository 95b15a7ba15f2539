/* Image datasets in memory, their split and the loader that feeds the engine. */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include "engine/engine.h"

typedef enum data_part { DATA_TRAIN, DATA_TEST } data_part;

/* pixels[count][channels][height][width] of 0..255, labels[count] < classes.
 * Both arrays are the set's. */
typedef struct data_set {
    size_t count;
    graph_shape shape;
    uint32_t classes;
    uint8_t *pixels;
    uint16_t *labels;
} data_set;

/* Opens one part of a folder in MNIST's IDX layout (train-images-idx3-ubyte,
 * train-labels-idx1-ubyte, t10k-..., each plain or with .gz). classes is the
 * largest label + 1, at least 2; in the training part each class but 0 has an
 * image, as a label beyond the others is damage (ADMMNN_CORRUPT). Errors name the
 * file, the place and the reason; out is then as it was. */
admmnn_status data_idx_open(const char *folder, data_part part, data_set *out, admmnn_error *err);
void data_set_free(data_set *set);

/* SHA-256 of its shape, pixels and labels, as 64 hexadecimal digits and a zero. */
admmnn_status data_set_digest(const data_set *set, char digest[65], admmnn_error *err);

#define DATA_TONES 3

/* How pixels become inputs, the same in training, evaluation and the file: of an image of
 * three channels, channel c as (pixel / 255 - mean[c]) * scale[c]; of others each by
 * mean[0] and scale[0]. */
typedef struct data_tones {
    float mean[DATA_TONES], scale[DATA_TONES];
} data_tones;

/* The same for every channel; 0 and 1 change nothing. */
data_tones data_tones_of(float mean, float scale);
bool data_tones_same(const data_tones *a, const data_tones *b);
/* Whether every channel has the same. */
bool data_tones_are_one(const data_tones *tones);

/* Splits 0..count-1 at random by seed: the last `validation` of the permutation
 * are validation. order[count] is the caller's array: first the training
 * samples, then the validation samples, each part ascending. */
admmnn_status data_split(size_t count, size_t validation, uint64_t seed, uint32_t *order,
                         admmnn_error *err);

/* Random distortion of a training image: a shift by up to `shift` pixels (at most
 * 65535) each way, a rotation by up to `rotate` degrees (bilinear, about the
 * centre); what comes in is 0. */
typedef struct data_augmentation {
    uint32_t shift;
    float rotate;
} data_augmentation;

/* A batch's view of a set: sample i of the batch is image order[first + i].
 * The distortion of an image is drawn from (seed, epoch, image) alone. */
typedef struct data_view {
    const data_set *set;
    const uint32_t *order; /* NULL: identity */
    size_t first;
    data_augmentation augmentation;
    uint64_t seed, epoch;
    data_tones tones;
} data_view;

/* An engine_fill whose user is a data_view; safe from several threads. */
void data_view_fill(void *view, size_t sample, float *input, size_t stride);

#endif
