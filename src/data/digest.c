#include <stdio.h>

#include "base/hash.h"
#include "data/data.h"

void data_set_digest(const data_set *set, char digest[65]) {
    char pixels[65];
    char labels[65];
    char text[256];
    base_sha256(set->pixels, set->count * graph_shape_count(set->shape), pixels);
    base_sha256(set->labels, set->count, labels);
    int length = snprintf(text, sizeof text, "%zu %u %u %u %s %s", set->count,
                          graph_shape_channels(set->shape), graph_shape_height(set->shape),
                          graph_shape_width(set->shape), pixels, labels);
    base_sha256(text, (size_t)length, digest);
}
