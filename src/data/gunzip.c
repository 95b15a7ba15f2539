#include "data/gunzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/memory.h"

typedef struct inflated {
    uint8_t *bytes;
    size_t count, capacity;
} inflated;

/* Makes room for at least one more byte. No more than one byte beyond limit is
 * ever held, whatever the file inflates to. */
static admmnn_status make_room(const char *name, inflated *to, size_t limit, admmnn_error *err) {
    const size_t first = (size_t)1 << 20;
    if (to->count > limit)
        return base_fail(err, ADMMNN_INPUT, "%s: inflates to more than %zu bytes", name, limit);
    if (to->count < to->capacity)
        return ADMMNN_OK;
    size_t capacity = to->capacity < first ? first : to->capacity * 2;
    capacity = capacity > limit ? limit + 1 : capacity;
    uint8_t *grown = base_array_resize(to->bytes, to->capacity, capacity, 1);
    if (grown == NULL)
        return base_fail_memory(err, name);
    to->bytes = grown;
    to->capacity = capacity;
    return ADMMNN_OK;
}

/* A gzip file is one member or several, one after another (RFC 1952, 2.2). */
static admmnn_status inflate_all(const char *name, z_stream *stream, size_t limit, inflated *to,
                                 admmnn_error *err) {
    int result = Z_OK;
    while (result == Z_OK) {
        BASE_TRY(make_room(name, to, limit, err));
        size_t room = to->capacity - to->count;
        room = room < UINT_MAX ? room : UINT_MAX;
        stream->next_out = to->bytes + to->count;
        stream->avail_out = (uInt)room;
        result = inflate(stream, Z_NO_FLUSH);
        to->count += room - stream->avail_out;
        if (result == Z_STREAM_END && stream->avail_in > 0)
            result = inflateReset(stream);
    }
    if (result == Z_MEM_ERROR)
        return base_fail_memory(err, name);
    if (result == Z_BUF_ERROR)
        return base_fail(err, ADMMNN_CORRUPT, "%s: the gzip data ends too early", name);
    if (result != Z_STREAM_END)
        return base_fail(err, ADMMNN_CORRUPT, "%s: damaged gzip: %s", name,
                         stream->msg == NULL ? "no stream of it" : stream->msg);
    return make_room(name, to, limit, err);
}

admmnn_status data_gunzip(const char *name, const uint8_t *bytes, size_t count, size_t limit,
                          uint8_t **out, size_t *out_count, admmnn_error *err) {
    const int gzip_window = 15 + 16;
    if (count > UINT_MAX)
        return base_fail(err, ADMMNN_INPUT, "%s: too large for gzip", name);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)count};
    if (inflateInit2(&stream, gzip_window) != Z_OK)
        return base_fail_memory(err, name);
    inflated to = {0};
    admmnn_status status = inflate_all(name, &stream, limit, &to, err);
    inflateEnd(&stream);
    if (status != ADMMNN_OK) {
        base_free(to.bytes);
        return status;
    }
    *out = to.bytes;
    *out_count = to.count;
    return ADMMNN_OK;
}
