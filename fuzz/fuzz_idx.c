/* Both IDX files of a part, and gzip. The first two bytes of an input say how
 * many of the others are images; the rest are labels. All of them are also
 * inflated, to a limit that a bomb would pass. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/gunzip.h"
#include "data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void parse(const uint8_t *bytes, size_t count, size_t images) {
    admmnn_error err;
    data_set set;
    if (data_idx_parse("images", bytes, images, "labels", bytes + images, count - images, &set,
                       &err) != ADMMNN_OK)
        return;
    /* What was accepted must be as it says. */
    if (set.count * graph_shape_height(set.shape) * graph_shape_width(set.shape) != images - 16)
        abort();
    for (size_t i = 0; i < set.count; i++)
        if (set.labels[i] >= set.classes)
            abort();
    data_set_free(&set);
}

static void inflate(const uint8_t *bytes, size_t count) {
    const size_t limit = 100000;
    admmnn_error err;
    uint8_t *out;
    size_t out_count;
    if (data_gunzip("gzip", bytes, count, limit, &out, &out_count, &err) != ADMMNN_OK)
        return;
    if (out_count > limit)
        abort();
    base_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count < 2)
        return 0;
    size_t images = (size_t)bytes[0] << 8 | bytes[1];
    bytes += 2;
    count -= 2;
    parse(bytes, count, images < count ? images : count);
    inflate(bytes, count);
    return 0;
}
