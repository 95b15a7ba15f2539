#include "engine/place.h"

#include <stdbool.h>

#include "base/memory.h"

static size_t aligned(size_t bytes) {
    return (bytes + BASE_ALIGNMENT - 1) / BASE_ALIGNMENT * BASE_ALIGNMENT;
}

/* Insertion sort, stable: there are tens of buffers, and equal inputs must give
 * equal places. */
static void sort_by_size(const engine_buffer *buffers, size_t count, size_t *order) {
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && buffers[order[at - 1]].bytes < buffers[i].bytes; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static bool collide(const engine_buffer *a, const engine_buffer *b) {
    bool together = a->birth <= b->death && b->birth <= a->death;
    return together && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

/* Raises the buffer past each earlier one in its way, until none is. */
static void settle(engine_buffer *buffers, const size_t *order, size_t position) {
    engine_buffer *buffer = &buffers[order[position]];
    buffer->offset = 0;
    for (size_t i = 0; i < position;) {
        const engine_buffer *other = &buffers[order[i]];
        if (collide(buffer, other)) {
            buffer->offset = aligned(other->offset + other->bytes);
            i = 0;
        } else {
            i++;
        }
    }
}

size_t engine_place(engine_buffer *buffers, size_t count, size_t *order) {
    size_t total = 0;
    sort_by_size(buffers, count, order);
    for (size_t i = 0; i < count; i++) {
        settle(buffers, order, i);
        size_t end = aligned(buffers[order[i]].offset + buffers[order[i]].bytes);
        total = end > total ? end : total;
    }
    return total;
}
