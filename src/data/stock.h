/* Images by class, as compressed files: of a folder in ImageNet's layout or of an archive of one.
 * They are found once, and read and decoded when they are wanted. */
#ifndef DATA_STOCK_H
#define DATA_STOCK_H

#include "base/bytes.h"
#include "base/file.h"
#include "data/data.h"
#include "data/image.h"

/* No file of an image may be larger. */
#define STOCK_FILE_MAX ((size_t)1 << 26)

typedef struct stock_entry {
    const char *class, *file;
    size_t name;           /* where both stand in the stock's names, in the order found */
    uint64_t offset, size; /* in the archive or in `packed`; of a folder's files not known: 0 */
    uint16_t label;
    uint8_t part;
} stock_entry;

/* Where the files are: in a folder, at offsets of an archive that is open, or in memory, where
 * that archive was compressed. */
typedef enum stock_place { STOCK_FOLDER, STOCK_ARCHIVE, STOCK_MEMORY } stock_place;

typedef struct data_stock {
    const admmnn_context *context;
    char path[BASE_PATH_MAX];
    const char *part; /* "train", "test" or "val" */
    stock_place place;
    int descriptor; /* of the archive; -1: none */
    stock_entry *entries;
    size_t count, capacity;
    base_writer names;
    uint32_t classes;
    base_writer packed;
    /* How an image becomes one of the set. */
    graph_shape shape;
    uint32_t resize; /* the shorter side before the crop; 0: images have the shape's sides */
    /* Damaged images met so far; the caller's thread alone looks at them. */
    uint8_t *damaged; /* [count] */
    uint64_t damaged_count, damaged_most;
} data_stock;

/* Finds the images of one part: sorted by class, then by name. The shape is still to be said. */
admmnn_status stock_open(const data_settings *settings, data_part part, data_stock **out,
                         admmnn_error *err);
void stock_close(data_stock *stock);

/* stock_index.c: the files of a stock that has a path and nothing else. */
admmnn_status stock_index(data_stock *stock, const data_settings *settings, data_part part,
                          admmnn_error *err);

/* "path/train/CLASS/FILE" of image i. */
void stock_name(const data_stock *stock, size_t i, char *name, size_t size);

/* What a thread needs to make images; all zero at first. */
typedef struct stock_room {
    uint8_t *file;
    size_t capacity;
    image decoded;
    image_room resample;
} stock_room;

void stock_room_free(stock_room *room);

/* The extent of image i. */
admmnn_status stock_measure(const data_stock *stock, size_t i, stock_room *room,
                            image_extent *extent, admmnn_error *err);
/* Image i as one of the set, pixels[channels][height][width]: resized and cropped in the
 * middle or, where least is above 0, a random crop of at least that share of it.
 * Several threads may call it, each with a room of its own. Damage is ADMMNN_CORRUPT or
 * ADMMNN_UNSUPPORTED, and the error names the file. */
admmnn_status stock_make(const data_stock *stock, size_t i, double least, base_random *random,
                         stock_room *room, uint8_t *pixels, admmnn_error *err);

/* Whether an error is of the image, which another may stand in for. */
bool stock_is_damage(admmnn_status status);
/* Notes that image i is damaged, with a warning the first time; ADMMNN_CORRUPT, naming it, when
 * there are more than the set's settings allow; ADMMNN_CANCELLED, where the caller wants to
 * stop, first. */
admmnn_status stock_note_damage(data_stock *stock, size_t i, const admmnn_error *reason,
                                admmnn_error *err);

#endif
