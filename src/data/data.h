/* Image datasets in memory, their split and the loader that feeds the engine. */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include "admmnn/context.h"
#include "engine/engine.h"

typedef enum data_part { DATA_TRAIN, DATA_TEST } data_part;

/* X(name, text) */
#define DATA_FORMAT_MAP(X)                                                                         \
    X(MNIST, "mnist")       /* idx, of what was fetched */                                         \
    X(IDX, "idx")           /* MNIST's four files */                                               \
    X(CIFAR10, "cifar10")   /* the binary batches of Krizhevsky 2009 */                            \
    X(CIFAR100, "cifar100") /* the same, by the fine labels */                                     \
    X(FOLDER, "folder")     /* images by class, ImageNet's layout, or an archive of it */          \
    X(NPY, "npy")           /* arrays of NumPy */

typedef enum data_format {
#define DATA_FORMAT_ENUM(name, text) DATA_##name,
    DATA_FORMAT_MAP(DATA_FORMAT_ENUM)
#undef DATA_FORMAT_ENUM
} data_format;

const char *data_format_text(data_format format);
/* By name; NULL is idx. ADMMNN_USAGE, with the names there are. */
admmnn_status data_format_find(const char *name, data_format *format, admmnn_error *err);

/* An open set. labels[count] < classes. Held: pixels[count][channels][height][width] of 0..255,
 * or values, of floats, in the same order. Streamed: neither, and stock tells where the
 * images are. All is the set's. */
typedef struct data_set {
    size_t count;
    graph_shape shape;
    uint32_t classes;
    uint8_t *pixels;
    float *values;
    struct data_stock *stock;
    uint16_t *labels;
} data_set;

typedef struct data_settings {
    data_format format;
    const char *path;
    /* Of images: what they become, and what is kept of them. */
    uint32_t size;                 /* sides of an image of the set; 0: those that all images have */
    uint32_t resize;               /* the shorter side before a crop in the middle; 0: size */
    bool grey;                     /* one channel; else three, red, green and blue */
    bool crops;                    /* random crops are wanted, of the images as they are */
    size_t memory;                 /* bytes of images that may be held */
    uint64_t damaged_most;         /* images that may be damaged */
    bool with_test;                /* a training part must have a test part beside it */
    const admmnn_context *context; /* must outlive the set */
} data_settings;

/* Opens one part of a set. Images of a folder are held, decoded, where settings->memory
 * allows that and no crop wants more of them than is held; else they are streamed. What else is
 * larger than that memory is ADMMNN_INPUT with the figure, before it is allocated (of IDX files,
 * which may be compressed: when they are read). */
admmnn_status data_open(const data_settings *settings, data_part part, data_set *out,
                        admmnn_error *err);

/* Opens one part of a folder in MNIST's IDX layout (train-images-idx3-ubyte,
 * train-labels-idx1-ubyte, t10k-..., each plain or with .gz). classes is the
 * largest label + 1, at least 2; in the training part each class but 0 has an
 * image, as a label beyond the others is damage (ADMMNN_CORRUPT). Errors name the
 * file, the place and the reason; out is then as it was. */
admmnn_status data_idx_open(const char *folder, data_part part, data_set *out, admmnn_error *err);
void data_set_free(data_set *set);

/* Whether a network reads such images: their shape, or, of one channel, all pixels in a row. */
bool data_set_suits(const data_set *set, graph_shape input);

/* SHA-256 of its shape, pixels and labels, as 64 hexadecimal digits and a zero; of a streamed
 * set its files' names stand for the pixels. */
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
/* Each channel's mean and deviation over images order[0..count) of a set of pixels, to become
 * 0 and 1; of a streamed set over at most 4096 of them, evenly chosen. */
admmnn_status data_tones_measure(const data_set *set, const uint32_t *order, size_t count,
                                 unsigned threads, data_tones *tones, admmnn_error *err);

/* Splits 0..count-1 at random by seed: the last `validation` of the permutation
 * are validation. order[count] is the caller's array: first the training
 * samples, then the validation samples, each part ascending. */
admmnn_status data_split(size_t count, size_t validation, uint64_t seed, uint32_t *order,
                         admmnn_error *err);

/* Random distortion of a training image, in this order. A crop of a random share of the image,
 * `crop` at least, takes its place (image_box_draw; 0: none). With an even chance
 * it is reversed, left to right. A rotation by up to `rotate` degrees (bilinear, about the centre),
 * a shift by up to `shift` pixels (at most 65535) each way; what comes in is 0. Then, of
 * images of three channels, the colours: brightness, contrast (about the image's mean grey)
 * and saturation (about each pixel's grey) times 1 - x to 1 + x each. */
typedef struct data_augmentation {
    uint32_t shift;
    float rotate;
    bool flip;
    float crop;
    float brightness, contrast, saturation;
} data_augmentation;

bool data_augmentation_same(const data_augmentation *a, const data_augmentation *b);

/* A batch's view of a set: sample i of the batch is image order[first + i]. The pixels of
 * images that are not held, or that are cropped, come from a data_feed (data/feed.h).
 * The distortion of an image is drawn from (seed, epoch, image) alone. */
typedef struct data_view {
    const data_set *set;
    const uint32_t *order; /* NULL: identity */
    size_t first;
    const uint8_t *pixels; /* sample 0, 1, ... of the batch; NULL: the set holds them */
    data_augmentation augmentation;
    uint64_t seed, epoch;
    data_tones tones;
} data_view;

/* An engine_fill whose user is a data_view; safe from several threads. */
void data_view_fill(void *view, size_t sample, float *input, size_t stride);

#endif
