#include "pack/density.h"

void density_start(density_effect *effects, size_t count, int32_t variance) {
    for (size_t i = 0; effects != NULL && i < count; i++)
        effects[i] = (density_effect){.variance = variance};
}

static uint32_t square_root(uint64_t x) {
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 20; bit != 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= x)
            root += bit;
    return (uint32_t)root;
}

/* The probability of a 1 when the logit is normal: squash(mean / sqrt(1 + pi/8
 * variance)) (MacKay 1992). */
static uint32_t predict(int64_t mean, int64_t variance) {
    uint64_t widened = (uint64_t)(DENSITY_UNIT + variance * PACK_PI_EIGHTHS / DENSITY_UNIT);
    int64_t logit = mean * 4096 / square_root(widened * 256);
    if (logit > PACK_EFFECT_LOGIT_MOST)
        logit = PACK_EFFECT_LOGIT_MOST;
    if (logit < -PACK_EFFECT_LOGIT_MOST)
        logit = -PACK_EFFECT_LOGIT_MOST;
    return coder_squash((int32_t)(logit / 256));
}

static void learn(density_effect *e, int64_t error, int64_t curvature, int64_t spread) {
    int64_t variance = e->variance;
    int64_t mean = e->mean + variance * error / spread;
    e->mean = mean > PACK_EFFECT_MEAN_MOST    ? PACK_EFFECT_MEAN_MOST
              : mean < -PACK_EFFECT_MEAN_MOST ? -PACK_EFFECT_MEAN_MOST
                                              : (int32_t)mean;
    e->variance = (int32_t)(variance - variance * variance / DENSITY_UNIT * curvature / spread);
}

unsigned density_code(coder *c, density_effect *const *effects, unsigned count, unsigned bit) {
    int64_t mean = 0;
    int64_t variance = 0;
    for (unsigned i = 0; i < count; i++) {
        mean += effects[i]->mean;
        variance += effects[i]->variance;
    }
    int64_t p = predict(mean, variance);
    bit = coder_bit(c, bit, (uint32_t)p);
    int64_t error = (bit != 0 ? CODER_ONE : 0) - p;
    int64_t curvature = p * (CODER_ONE - p) / CODER_ONE;
    int64_t spread = DENSITY_UNIT + variance * curvature / DENSITY_UNIT;
    for (unsigned i = 0; i < count; i++)
        learn(effects[i], error, curvature, spread);
    return bit;
}
