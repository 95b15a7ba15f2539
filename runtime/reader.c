#include "reader.h"

#include <string.h>

/* Whether there are so many more. */
static bool has_bytes(rt_reader *in, uint64_t count) {
    if (count > in->count - in->at)
        in->failed = true;
    return !in->failed;
}

bool rt_read_bytes(rt_reader *in, uint64_t count, uint8_t *to) {
    if (!has_bytes(in, count))
        return false;
    for (uint64_t i = 0; i < count; i++)
        to[i] = (uint8_t)rt_view_byte(in->from, in->at++);
    return true;
}

void rt_skip_bytes(rt_reader *in, uint64_t count) {
    if (has_bytes(in, count))
        in->at += (size_t)count;
}

static uint32_t read_little(rt_reader *in, unsigned count) {
    uint32_t value = 0;
    if (!has_bytes(in, count))
        return 0;
    for (unsigned i = 0; i < count; i++)
        value |= (uint32_t)rt_view_byte(in->from, in->at++) << (8 * i);
    return value;
}

unsigned rt_read_u8(rt_reader *in) {
    return read_little(in, 1);
}

uint32_t rt_read_u16(rt_reader *in) {
    return read_little(in, 2);
}

uint32_t rt_read_u32(rt_reader *in) {
    return read_little(in, 4);
}

float rt_float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float rt_read_f32(rt_reader *in) {
    return rt_float_of(read_little(in, 4));
}

uint64_t rt_read_varint(rt_reader *in) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned byte = rt_read_u8(in);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7fU) << shift;
        if ((byte & 0x80U) == 0)
            return value;
    }
    in->failed = true;
    return 0;
}

uint32_t rt_read_number(rt_reader *in, uint32_t most) {
    const uint64_t value = rt_read_varint(in);
    if (value <= most)
        return (uint32_t)value;
    in->failed = true;
    return 0;
}

uint32_t rt_read_bits(rt_bits *in, unsigned count) {
    if (in->failed || count > in->count - in->at) {
        in->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++, in->at++)
        value |= (rt_view_byte(in->from, in->start + (size_t)(in->at / 8)) >> (in->at % 8) & 1U)
                 << i;
    return value;
}

uint32_t rt_crc32(rt_view *from, size_t count) {
    /* Of the sixteen values of four bits. */
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= rt_view_byte(from, i);
        crc = crc >> 4 ^ table[crc & 15U];
        crc = crc >> 4 ^ table[crc & 15U];
    }
    return ~crc;
}
