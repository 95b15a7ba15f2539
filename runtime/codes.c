#include "codes.h"

#include <string.h>

#include "reader.h"

#define ZERO_SIGNED 128U

rt_numbers rt_numbers_of(unsigned range) {
    const bool is_unsigned = (range & PACK_RANGE_UNSIGNED) != 0;
    const rt_numbers n = {range != 0, is_unsigned ? 0 : ZERO_SIGNED,
                          rt_float_of((range & ~PACK_RANGE_UNSIGNED) << 16)};
    return n;
}

void rt_widen(const uint8_t *from, size_t count, uint8_t zero, float *to) {
    for (size_t i = 0; i < count; i++)
        to[i] = (float)(from[i] - zero);
}

void rt_read_numbers(const rt_numbers *n, const void *from, size_t first, size_t count, float *to) {
    if (!n->coded) {
        memcpy(to, (const float *)from + first, count * sizeof *to);
        return;
    }
    const uint8_t *codes = (const uint8_t *)from + first;
    for (size_t i = 0; i < count; i++)
        to[i] = (float)(codes[i] - n->zero) * n->scale;
}

void rt_write_numbers(const rt_numbers *n, const float *from, size_t count, void *to,
                      size_t first) {
    if (!n->coded) {
        memcpy((float *)to + first, from, count * sizeof *from);
        return;
    }
    uint8_t *codes = (uint8_t *)to + first;
    for (size_t i = 0; i < count; i++)
        codes[i] = rt_cut(from[i] / n->scale + (float)n->zero + 0.5F);
}
