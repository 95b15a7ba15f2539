#include "pack/coder.h"

/* No probability is coded as certain. */
#define LEAST 24U

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

/* squash at logits -8, -7.5, ..., 8. */
static const int32_t squash_knots[33] = {
    22,    36,    60,    98,    162,   267,   439,   720,   1179,  1921,  3108,
    4971,  7812,  11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565,
    62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514};

uint32_t coder_squash(int32_t logit) {
    if (logit > 2047)
        logit = 2047;
    if (logit < -2047)
        logit = -2047;
    int32_t shifted = logit + 2048;
    int32_t knot = shifted >> 7;
    int32_t part = shifted & 127;
    return (uint32_t)((squash_knots[knot] * (128 - part) + squash_knots[knot + 1] * part) >> 7);
}

/* The largest logit whose squash does not exceed the probability: squash rises. */
int32_t coder_stretch(uint32_t probability) {
    int32_t low = -2047;
    int32_t high = 2047;
    while (low < high) {
        int32_t middle = low + (high - low + 1) / 2;
        if (coder_squash(middle) <= probability)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

uint32_t coder_mix(coder_mixer *m) {
    int64_t sum = 0;
    for (int i = 0; i < m->count; i++)
        sum += (int64_t)m->weights[i] * m->inputs[i];
    int64_t logit = sum / CODER_ONE;
    m->mixed = coder_squash(logit > 2047 ? 2047 : logit < -2047 ? -2047 : (int32_t)logit);
    return m->mixed;
}

void coder_mixer_learn(coder_mixer *m, unsigned bit, int rate) {
    int32_t error = (bit != 0 ? CODER_ONE : 0) - (int32_t)m->mixed;
    for (int i = 0; i < m->count; i++)
        m->weights[i] += (int32_t)((int64_t)m->inputs[i] * error * rate / (1 << 18));
}
