#include <stdio.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "data/stock.h"

/* A byte a label where that holds them all. */
static void write_labels(const data_set *set, base_writer *out) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->classes <= 256)
            base_write_u8(out, (uint8_t)set->labels[i]);
        else
            base_write_u16(out, set->labels[i]);
    }
}

/* Of what the images are, or, streamed, of their names within the set: a damaged one may be mended.
 */
static admmnn_status digest_images(const data_set *set, char digest[65], admmnn_error *err) {
    const size_t elements = set->count * graph_shape_count(set->shape);
    base_writer names = {0};
    if (set->values != NULL)
        base_sha256(set->values, elements * sizeof *set->values, digest);
    else if (set->pixels != NULL)
        base_sha256(set->pixels, elements, digest);
    for (size_t i = 0; set->stock != NULL && i < set->count; i++)
        base_write_text(&names, "%s/%s\n", set->stock->entries[i].class,
                        set->stock->entries[i].file);
    if (set->stock != NULL)
        base_sha256(names.bytes, names.count, digest);
    const bool failed = names.failed;
    base_writer_free(&names);
    return failed ? base_fail_memory(err, "the images' names") : ADMMNN_OK;
}

admmnn_status data_set_digest(const data_set *set, char digest[65], admmnn_error *err) {
    char pixels[65];
    char labels[65];
    char text[256];
    base_writer bytes = {0};
    BASE_TRY(digest_images(set, pixels, err));
    write_labels(set, &bytes);
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
