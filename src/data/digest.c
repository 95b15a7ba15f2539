#include <stdio.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "data/data.h"

/* A byte a label where that holds them all. */
static void write_labels(const data_set *set, base_writer *out) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->classes <= 256)
            base_write_u8(out, (uint8_t)set->labels[i]);
        else
            base_write_u16(out, set->labels[i]);
    }
}

admmnn_status data_set_digest(const data_set *set, char digest[65], admmnn_error *err) {
    char pixels[65];
    char labels[65];
    char text[256];
    base_writer bytes = {0};
    write_labels(set, &bytes);
    base_sha256(set->pixels, set->count * graph_shape_count(set->shape), pixels);
    base_sha256(bytes.bytes, bytes.count, labels);
    const bool failed = bytes.failed;
    base_writer_free(&bytes);
    if (failed)
        return base_fail_memory(err, "the labels");
    int length = snprintf(text, sizeof text, "%zu %u %u %u %s %s", set->count,
                          graph_shape_channels(set->shape), graph_shape_height(set->shape),
                          graph_shape_width(set->shape), pixels, labels);
    base_sha256(text, (size_t)length, digest);
    return ADMMNN_OK;
}
