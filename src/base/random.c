#include "base/random.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

base_random base_random_at(uint64_t seed, uint64_t stream, uint64_t step) {
    uint64_t mix = seed;
    mix = splitmix(&mix) ^ stream;
    mix = splitmix(&mix) ^ step;
    base_random random;
    for (int i = 0; i < 4; i++)
        random.state[i] = splitmix(&mix);
    return random;
}

uint64_t base_random_next(base_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint32_t base_random_below(base_random *random, uint32_t bound) {
    /* Lemire 2019: multiply, reject the short first interval. */
    uint32_t threshold = (uint32_t)(-bound) % bound;
    for (;;) {
        uint64_t product = (base_random_next(random) >> 32) * bound;
        if ((uint32_t)product >= threshold)
            return (uint32_t)(product >> 32);
    }
}

float base_random_uniform(base_random *random) {
    return (float)(base_random_next(random) >> 40) * 0x1p-24F;
}

float base_random_normal(base_random *random) {
    double radius = 1.0 - (double)(base_random_next(random) >> 11) * 0x1p-53;
    double angle = (double)(base_random_next(random) >> 11) * 0x1p-53;
    return (float)(sqrt(-2.0 * log(radius)) * cos(6.283185307179586 * angle));
}

void base_random_shuffle(base_random *random, uint32_t *items, size_t count) {
    for (size_t i = count; i > 1; i--) {
        uint32_t j = base_random_below(random, (uint32_t)i);
        uint32_t swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}
