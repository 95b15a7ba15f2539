#include "data/stock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/memory.h"

admmnn_status stock_open(const data_settings *settings, data_part part, data_stock **out,
                         admmnn_error *err) {
    data_stock *stock = base_array(1, sizeof *stock);
    if (stock == NULL)
        return base_fail_memory(err, settings->path);
    stock->context = settings->context;
    stock->descriptor = -1;
    stock->damaged_most = settings->damaged_most;
    const size_t length = strlen(settings->path);
    admmnn_status status = ADMMNN_OK;
    if (length >= sizeof stock->path)
        status = base_fail(err, ADMMNN_INPUT, "%s: path too long", settings->path);
    else
        memcpy(stock->path, settings->path, length + 1);
    if (status == ADMMNN_OK)
        status = stock_index(stock, settings, part, err);
    if (status == ADMMNN_OK) {
        stock->damaged = base_array(stock->count, 1);
        status = stock->damaged == NULL ? base_fail_memory(err, stock->path) : ADMMNN_OK;
    }
    if (status != ADMMNN_OK) {
        stock_close(stock);
        return status;
    }
    *out = stock;
    return ADMMNN_OK;
}

void stock_close(data_stock *stock) {
    if (stock == NULL)
        return;
    if (stock->descriptor >= 0)
        close(stock->descriptor);
    base_free(stock->entries);
    base_writer_free(&stock->names);
    base_writer_free(&stock->packed);
    base_free(stock->damaged);
    base_free(stock);
}

void stock_name(const data_stock *stock, size_t i, char *name, size_t size) {
    const stock_entry *entry = &stock->entries[i];
    snprintf(name, size, "%s/%s/%s/%s", stock->path, stock->part, entry->class, entry->file);
}

void stock_room_free(stock_room *room) {
    base_free(room->file);
    image_free(&room->decoded);
    image_room_free(&room->resample);
    *room = (stock_room){0};
}

/* ---- reading ---- */

/* The bytes of image i: the stock's or the room's. */
typedef struct file_bytes {
    const uint8_t *at;
    size_t count;
} file_bytes;

static admmnn_status name_error(const data_stock *stock, size_t i, admmnn_status status,
                                admmnn_error *err) {
    char name[BASE_PATH_MAX];
    if (status == ADMMNN_OK || status == ADMMNN_MEMORY)
        return status;
    stock_name(stock, i, name, sizeof name);
    return base_fail_within(err, status, "%s", name);
}

static admmnn_status read_file(const data_stock *stock, size_t i, stock_room *room,
                               file_bytes *bytes, admmnn_error *err) {
    char name[BASE_PATH_MAX];
    stock_name(stock, i, name, sizeof name);
    base_free(room->file);
    room->file = NULL;
    room->capacity = 0;
    const admmnn_status status =
        base_file_read(name, STOCK_FILE_MAX, &room->file, &bytes->count, err);
    bytes->at = room->file;
    /* A file that is gone or cannot be read is lost as a damaged one is. */
    return status == ADMMNN_OK || status == ADMMNN_MEMORY ? status : ADMMNN_CORRUPT;
}

static admmnn_status read_offset(const data_stock *stock, size_t i, stock_room *room,
                                 file_bytes *bytes, admmnn_error *err) {
    const stock_entry *entry = &stock->entries[i];
    size_t done = 0;
    if (entry->size > room->capacity) {
        base_free(room->file);
        room->file = base_array((size_t)entry->size, 1);
        room->capacity = room->file == NULL ? 0 : (size_t)entry->size;
        if (room->file == NULL)
            return base_fail_memory(err, "an image's file");
    }
    while (done < entry->size) {
        const ssize_t got = pread(stock->descriptor, room->file + done, (size_t)entry->size - done,
                                  (off_t)(entry->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return base_fail(err, ADMMNN_CORRUPT, "the archive ends before it does");
        done += (size_t)got;
    }
    *bytes = (file_bytes){room->file, done};
    return ADMMNN_OK;
}

static admmnn_status read_member(const data_stock *stock, size_t i, stock_room *room,
                                 file_bytes *bytes, admmnn_error *err) {
    const stock_entry *entry = &stock->entries[i];
    if (entry->size > STOCK_FILE_MAX)
        return base_fail(err, ADMMNN_CORRUPT, "claims %llu bytes; at most %zu are read",
                         (unsigned long long)entry->size, STOCK_FILE_MAX);
    if (stock->place == STOCK_ARCHIVE)
        return read_offset(stock, i, room, bytes, err);
    *bytes = (file_bytes){stock->packed.bytes + entry->offset, (size_t)entry->size};
    return ADMMNN_OK;
}

/* Errors name the file. */
static admmnn_status read_bytes(const data_stock *stock, size_t i, stock_room *room,
                                file_bytes *bytes, admmnn_error *err) {
    if (stock->place == STOCK_FOLDER)
        return read_file(stock, i, room, bytes, err);
    return name_error(stock, i, read_member(stock, i, room, bytes, err), err);
}

/* ---- making ---- */

static admmnn_status check_extent(const data_stock *stock, image_extent extent, admmnn_error *err) {
    const uint32_t width = graph_shape_width(stock->shape);
    const uint32_t height = graph_shape_height(stock->shape);
    if (stock->resize > 0 || (extent.width == width && extent.height == height))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "%ux%u pixels, where the first image has %ux%u; say what all are to become by "
                     "dataset.size",
                     extent.width, extent.height, width, height);
}

static image_box choose_box(const data_stock *stock, image_extent extent, double least,
                            base_random *random) {
    if (least > 0)
        return image_box_draw(random, extent, least);
    if (stock->resize > 0)
        return image_box_of_centre(extent, graph_shape_width(stock->shape), stock->resize);
    return (image_box){0, 0, extent.width, extent.height};
}

/* How much smaller a JPEG may be decoded so that the box still has the pixels wanted. */
static unsigned choose_reduction(const data_stock *stock, const image_box *box) {
    unsigned reduce = 8;
    while (reduce > 1 && (box->width < (double)reduce * graph_shape_width(stock->shape) ||
                          box->height < (double)reduce * graph_shape_height(stock->shape)))
        reduce /= 2;
    return reduce;
}

static void shrink_box(image_box *box, image_extent from, image_extent to) {
    const double across = (double)to.width / from.width;
    const double down = (double)to.height / from.height;
    *box =
        (image_box){box->left * across, box->top * down, box->width * across, box->height * down};
}

static admmnn_status make(const data_stock *stock, file_bytes bytes, double least,
                          base_random *random, stock_room *room, uint8_t *pixels,
                          admmnn_error *err) {
    image_extent extent;
    BASE_TRY(image_measure(bytes.at, bytes.count, &extent, err));
    BASE_TRY(check_extent(stock, extent, err));
    image_box box = choose_box(stock, extent, least, random);
    const unsigned reduce = choose_reduction(stock, &box);
    BASE_TRY(image_decode(bytes.at, bytes.count, graph_shape_channels(stock->shape), reduce,
                          &room->decoded, err));
    shrink_box(&box, extent, room->decoded.extent);
    const image_view view = image_view_of(&room->decoded);
    const image_extent wanted = {graph_shape_width(stock->shape), graph_shape_height(stock->shape)};
    return image_resample(&view, &box, wanted, &room->resample, pixels, err);
}

admmnn_status stock_make(const data_stock *stock, size_t i, double least, base_random *random,
                         stock_room *room, uint8_t *pixels, admmnn_error *err) {
    file_bytes bytes;
    BASE_TRY(read_bytes(stock, i, room, &bytes, err));
    return name_error(stock, i, make(stock, bytes, least, random, room, pixels, err), err);
}

admmnn_status stock_measure(const data_stock *stock, size_t i, stock_room *room,
                            image_extent *extent, admmnn_error *err) {
    file_bytes bytes;
    BASE_TRY(read_bytes(stock, i, room, &bytes, err));
    return name_error(stock, i, image_measure(bytes.at, bytes.count, extent, err), err);
}

/* ---- damage ---- */

bool stock_is_damage(admmnn_status status) {
    return status == ADMMNN_CORRUPT || status == ADMMNN_UNSUPPORTED;
}

admmnn_status stock_note_damage(data_stock *stock, size_t i, const admmnn_error *reason,
                                admmnn_error *err) {
    if (stock->damaged[i] != 0)
        return ADMMNN_OK;
    if (base_cancelled(stock->context)) /* that ends the run, not the damage */
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request while %s was read",
                         stock->path);
    stock->damaged[i] = 1;
    stock->damaged_count++;
    const unsigned long long count = stock->damaged_count;
    const unsigned long long most = stock->damaged_most;
    if (count > most)
        return base_fail(err, ADMMNN_CORRUPT, "%s; damaged image %llu, and max_damaged is %llu",
                         reason->message, count, most);
    base_log(stock->context, ADMMNN_LOG_WARNING, "%s; left out, damaged image %llu of at most %llu",
             reason->message, count, most);
    return ADMMNN_OK;
}
