/* Reproducible random numbers: xoshiro256** (Blackman and Vigna 2018), seeded
 * by SplitMix64. A generator is named by (seed, stream, step), so that work can
 * start at any epoch without replaying the ones before. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct base_random {
    uint64_t state[4];
} base_random;

base_random base_random_at(uint64_t seed, uint64_t stream, uint64_t step);
uint64_t base_random_next(base_random *random);
/* Uniform in [0, bound); bound > 0. Unbiased. */
uint32_t base_random_below(base_random *random, uint32_t bound);
/* Uniform in [0, 1), 24 bits. */
float base_random_uniform(base_random *random);
/* Standard normal (Box-Muller, one value a call). */
float base_random_normal(base_random *random);
/* Fisher-Yates. */
void base_random_shuffle(base_random *random, uint32_t *items, size_t count);

#endif
