#include "pack/coder.h"

void coder_encode_start(coder *c, base_writer *out) {
    *c = (coder){.out = out, .low = 0, .high = UINT32_MAX};
}

/* The fewest bytes that, followed by zeros, name a number in [low, high]; the
 * number is in *point, at its upper end. */
static unsigned end_bytes(const coder *c, uint32_t *point) {
    for (unsigned bytes = 0; bytes < 4; bytes++) {
        uint64_t unit = UINT64_C(1) << (32 - 8 * bytes);
        uint64_t next = (c->low + unit - 1) / unit * unit;
        *point = (uint32_t)next;
        if (next <= c->high)
            return bytes;
    }
    *point = c->low;
    return 4;
}

void coder_encode_end(coder *c) {
    uint32_t point;
    unsigned bytes = end_bytes(c, &point);
    for (unsigned i = 0; i < bytes; i++)
        base_write_u8(c->out, (uint8_t)(point >> (24 - 8 * i)));
}

bool coder_is_whole(const coder *c, const uint8_t *bytes, size_t count) {
    uint32_t point;
    unsigned tail = end_bytes(c, &point);
    if (count != c->shifts + tail)
        return false;
    for (unsigned i = 0; i < tail; i++)
        if (bytes[c->shifts + i] != (uint8_t)(point >> (24 - 8 * i)))
            return false;
    return true;
}

uint64_t coder_bits(const coder *c) {
    uint64_t range = (uint64_t)(c->high - c->low) + 1;
    unsigned left = 0;
    while (range >> (left + 1) != 0)
        left++;
    return 8 * c->shifts + 32 - left;
}

/* Beyond the end the coded number goes on with zeros. */
static uint32_t next_byte(coder *c) {
    if (c->in->at < c->in->count)
        return base_read_u8(c->in);
    c->beyond += c->beyond <= PACK_CODER_BEYOND_MOST;
    return 0;
}

bool coder_failed(const coder *c) {
    return c->beyond > PACK_CODER_BEYOND_MOST;
}

void coder_decode_start(coder *c, base_reader *in) {
    *c = (coder){.in = in, .low = 0, .high = UINT32_MAX};
    for (int i = 0; i < 4; i++)
        c->code = c->code << 8 | next_byte(c);
}

unsigned coder_bit(coder *c, unsigned bit, uint32_t probability) {
    if (probability < PACK_CODER_LEAST)
        probability = PACK_CODER_LEAST;
    if (probability > CODER_ONE - PACK_CODER_LEAST)
        probability = CODER_ONE - PACK_CODER_LEAST;
    uint32_t middle = c->low + (uint32_t)(((uint64_t)(c->high - c->low) * probability) >> 16);
    if (c->out == NULL)
        bit = c->code <= middle;
    if (bit != 0)
        c->high = middle;
    else
        c->low = middle + 1;
    while (((c->low ^ c->high) & 0xff000000U) == 0) {
        if (c->out != NULL)
            base_write_u8(c->out, (uint8_t)(c->high >> 24));
        else
            c->code = c->code << 8 | next_byte(c);
        c->shifts++;
        c->low <<= 8;
        c->high = c->high << 8 | 0xffU;
    }
    return bit;
}

static const int32_t squash_knots[PACK_SQUASH_COUNT] = PACK_SQUASH_KNOTS;

uint32_t coder_squash(int32_t logit) {
    if (logit > PACK_LOGIT_MOST)
        logit = PACK_LOGIT_MOST;
    if (logit < -PACK_LOGIT_MOST)
        logit = -PACK_LOGIT_MOST;
    int32_t shifted = logit + 12 * 256;
    int32_t knot = shifted >> 6;
    int32_t part = shifted & 63;
    return (uint32_t)((squash_knots[knot] * (64 - part) + squash_knots[knot + 1] * part) >> 10);
}
