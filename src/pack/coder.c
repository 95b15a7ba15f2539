#include "pack/coder.h"

/* No probability is coded as certain. */
#define LEAST 8U

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
    c->beyond += c->beyond <= CODER_BEYOND_MOST;
    return 0;
}

bool coder_failed(const coder *c) {
    return c->beyond > CODER_BEYOND_MOST;
}

void coder_decode_start(coder *c, base_reader *in) {
    *c = (coder){.in = in, .low = 0, .high = UINT32_MAX};
    for (int i = 0; i < 4; i++)
        c->code = c->code << 8 | next_byte(c);
}

unsigned coder_bit(coder *c, unsigned bit, uint32_t probability) {
    if (probability < LEAST)
        probability = LEAST;
    if (probability > CODER_ONE - LEAST)
        probability = CODER_ONE - LEAST;
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

uint32_t coder_raw(coder *c, uint32_t value, unsigned count) {
    uint32_t result = 0;
    for (unsigned i = 0; i < count; i++)
        result |= coder_bit(c, value >> i & 1U, CODER_ONE / 2) << i;
    return result;
}

coder_slot coder_slot_make(uint32_t probability) {
    return (coder_slot){.probability = (uint16_t)probability};
}

void coder_slot_learn(coder_slot *slot, unsigned bit, unsigned limit) {
    int32_t target = bit != 0 ? CODER_ONE - 1 : 0;
    int32_t error = target - (int32_t)slot->probability;
    /* Mean of count + 1.5 observations, the first 1.5 being the start value. */
    slot->probability = (uint16_t)(slot->probability + error * 2 / (2 * slot->count + 3));
    if (slot->count < limit)
        slot->count++;
}

unsigned coder_slot_bit(coder *c, coder_slot *slot, unsigned bit, unsigned limit) {
    bit = coder_bit(c, bit, slot->probability);
    coder_slot_learn(slot, bit, limit);
    return bit;
}

/* squash at logits -12, -11.75, ..., 12, in 1/16 of its unit. */
static const int32_t squash_knots[97] = {
    6,       8,       11,      14,      18,      22,      29,      37,      48,      61,
    78,      101,     129,     166,     213,     274,     352,     451,     580,     744,
    955,     1226,    1574,    2020,    2593,    3327,    4268,    5474,    7018,    8994,
    11521,   14747,   18860,   24094,   30736,   39140,   49730,   63005,   79543,   99981,
    124993,  155239,  191287,  233518,  282006,  336406,  395880,  459091,  524288,  589485,
    652696,  712170,  766570,  815058,  857289,  893337,  923583,  948595,  969033,  985571,
    998846,  1009436, 1017840, 1024482, 1029716, 1033829, 1037055, 1039582, 1041558, 1043102,
    1044308, 1045249, 1045983, 1046556, 1047002, 1047350, 1047621, 1047832, 1047996, 1048125,
    1048224, 1048302, 1048363, 1048410, 1048447, 1048475, 1048498, 1048515, 1048528, 1048539,
    1048547, 1048554, 1048558, 1048562, 1048565, 1048568, 1048570};

uint32_t coder_squash(int32_t logit) {
    if (logit > CODER_LOGIT_MOST)
        logit = CODER_LOGIT_MOST;
    if (logit < -CODER_LOGIT_MOST)
        logit = -CODER_LOGIT_MOST;
    int32_t shifted = logit + 12 * 256;
    int32_t knot = shifted >> 6;
    int32_t part = shifted & 63;
    return (uint32_t)((squash_knots[knot] * (64 - part) + squash_knots[knot + 1] * part) >> 10);
}
