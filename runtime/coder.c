#include "coder.h"

#include <math.h>

#include "pack/format.h"

#define ONE 65536

/* Beyond the end the coded number goes on with zeros. */
static uint32_t next_byte(rt_coder *c) {
    if (c->in->at < c->in->count)
        return rt_read_u8(c->in);
    c->beyond += c->beyond <= PACK_CODER_BEYOND_MOST;
    return 0;
}

void rt_coder_start(rt_coder *c, rt_reader *in) {
    const rt_coder none = {in, in->at, 0, UINT32_MAX, 0, 0, 0};
    *c = none;
    for (int i = 0; i < 4; i++)
        c->code = c->code << 8 | next_byte(c);
}

bool rt_coder_failed(const rt_coder *c) {
    return c->beyond > PACK_CODER_BEYOND_MOST;
}

/* The fewest bytes that, followed by zeros, name a number in [low, high], and the least such
 * number. */
static unsigned end_bytes(const rt_coder *c, uint32_t *point) {
    for (unsigned bytes = 0; bytes < 4; bytes++) {
        const uint64_t unit = (uint64_t)1 << (32 - 8 * bytes);
        const uint64_t next = (c->low + unit - 1) / unit * unit;
        *point = (uint32_t)next;
        if (next <= c->high)
            return bytes;
    }
    *point = c->low;
    return 4;
}

bool rt_coder_is_whole(const rt_coder *c) {
    uint32_t point;
    const unsigned tail = end_bytes(c, &point);
    if (c->in->count - c->start != c->shifts + tail)
        return false;
    for (unsigned i = 0; i < tail; i++)
        if (rt_view_byte(c->in->from, c->start + (size_t)c->shifts + i) !=
            (point >> (24 - 8 * i) & 0xffU))
            return false;
    return true;
}

unsigned rt_coder_bit(rt_coder *c, uint32_t probability) {
    if (probability < PACK_CODER_LEAST)
        probability = PACK_CODER_LEAST;
    if (probability > ONE - PACK_CODER_LEAST)
        probability = ONE - PACK_CODER_LEAST;
    const uint32_t middle = c->low + (uint32_t)(((uint64_t)(c->high - c->low) * probability) >> 16);
    const unsigned bit = c->code <= middle;
    if (bit != 0)
        c->high = middle;
    else
        c->low = middle + 1;
    while (((c->low ^ c->high) & 0xff000000U) == 0) {
        c->code = c->code << 8 | next_byte(c);
        c->shifts++;
        c->low <<= 8;
        c->high = c->high << 8 | 0xffU;
    }
    return bit;
}

/* ---- effects ---- */

void rt_effects_start(rt_effect *effects, size_t count, int32_t variance) {
    for (size_t i = 0; i < count; i++) {
        effects[i].mean = 0;
        effects[i].variance = variance;
    }
}

/* 1 / (1 + exp(-logit)) of a logit in 1/256, in 1/65536, between knots linear. */
static uint32_t squash(int32_t logit) {
    static const int32_t knots[PACK_SQUASH_COUNT] = PACK_SQUASH_KNOTS;
    if (logit > PACK_LOGIT_MOST)
        logit = PACK_LOGIT_MOST;
    if (logit < -PACK_LOGIT_MOST)
        logit = -PACK_LOGIT_MOST;
    const int32_t shifted = logit + 12 * 256;
    const int32_t knot = shifted >> 6;
    const int32_t part = shifted & 63;
    return (uint32_t)((knots[knot] * (64 - part) + knots[knot + 1] * part) >> 10);
}

/* Rounded down: doubles hold x, which is below 2^42, and its root is at most one too large. */
static uint32_t square_root(uint64_t x) {
    const uint64_t root = (uint64_t)sqrt((double)x);
    return (uint32_t)(root * root > x ? root - 1 : root);
}

static uint32_t predict(int64_t mean, int64_t variance) {
    const uint64_t widened = (uint64_t)(ONE + variance * PACK_PI_EIGHTHS / ONE);
    int64_t logit = mean * 4096 / square_root(widened * 256);
    if (logit > PACK_EFFECT_LOGIT_MOST)
        logit = PACK_EFFECT_LOGIT_MOST;
    if (logit < -PACK_EFFECT_LOGIT_MOST)
        logit = -PACK_EFFECT_LOGIT_MOST;
    return squash((int32_t)(logit / 256));
}

static void learn(rt_effect *e, int64_t error, int64_t curvature, int64_t spread) {
    const int64_t variance = e->variance;
    int64_t mean = e->mean + variance * error / spread;
    if (mean > PACK_EFFECT_MEAN_MOST)
        mean = PACK_EFFECT_MEAN_MOST;
    if (mean < -PACK_EFFECT_MEAN_MOST)
        mean = -PACK_EFFECT_MEAN_MOST;
    e->mean = (int32_t)mean;
    e->variance = (int32_t)(variance - variance * variance / ONE * curvature / spread);
}

unsigned rt_effects_bit(rt_coder *c, rt_effect *const *effects, unsigned count) {
    int64_t mean = 0;
    int64_t variance = 0;
    for (unsigned i = 0; i < count; i++) {
        mean += effects[i]->mean;
        variance += effects[i]->variance;
    }
    const int64_t p = predict(mean, variance);
    const unsigned bit = rt_coder_bit(c, (uint32_t)p);
    const int64_t error = (bit != 0 ? ONE : 0) - p;
    const int64_t curvature = p * (ONE - p) / ONE;
    const int64_t spread = ONE + variance * curvature / ONE;
    for (unsigned i = 0; i < count; i++)
        learn(effects[i], error, curvature, spread);
    return bit;
}
