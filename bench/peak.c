#include "peak.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"
#include "base/memory.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Multiply-add takes 4 cycles or so and two or more start in each: this many
 * chains keep the units busy and still fit in the registers. */
#define CHAINS 12
#define ROUNDS 200000
/* Short, so that some are not interrupted. */
#define BURSTS 200

typedef struct loop {
    float (*run)(size_t rounds);
    size_t lanes;
} loop;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float run_avx512(size_t rounds) {
    __m512 chain[CHAINS];
    const __m512 factor = _mm512_set1_ps(0.999F);
    const __m512 term = _mm512_set1_ps(0.001F);
    for (size_t i = 0; i < CHAINS; i++)
        chain[i] = _mm512_set1_ps((float)i);
    for (size_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (size_t i = 0; i < CHAINS; i++)
            chain[i] = _mm512_fmadd_ps(chain[i], factor, term);
    }
    float sum = 0.0F;
    for (size_t i = 0; i < CHAINS; i++)
        sum += _mm512_reduce_add_ps(chain[i]);
    return sum;
}

__attribute__((target("avx2,fma"))) static float run_avx2(size_t rounds) {
    __m256 chain[CHAINS];
    const __m256 factor = _mm256_set1_ps(0.999F);
    const __m256 term = _mm256_set1_ps(0.001F);
    for (size_t i = 0; i < CHAINS; i++)
        chain[i] = _mm256_set1_ps((float)i);
    for (size_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (size_t i = 0; i < CHAINS; i++)
            chain[i] = _mm256_fmadd_ps(chain[i], factor, term);
    }
    float sum = 0.0F;
    for (size_t i = 0; i < CHAINS; i++)
        sum += _mm256_cvtss_f32(chain[i]);
    return sum;
}
#endif

/* One register of four lanes a chain where fmaf is an instruction. */
static float run_portable(size_t rounds) {
    float chain[CHAINS][4];
    for (size_t i = 0; i < CHAINS; i++)
        for (size_t k = 0; k < 4; k++)
            chain[i][k] = (float)i;
    for (size_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (size_t i = 0; i < CHAINS; i++)
            for (size_t k = 0; k < 4; k++)
                chain[i][k] = fmaf(chain[i][k], 0.999F, 0.001F);
    }
    float sum = 0.0F;
    for (size_t i = 0; i < CHAINS; i++)
        sum += chain[i][0];
    return sum;
}

static loop widest(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return (loop){run_avx512, 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (loop){run_avx2, 8};
#endif
    return (loop){run_portable, 4};
}

typedef struct burst {
    loop loop;
    volatile float sink;
} burst;

static void run_burst(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    burst *b = argument;
    float result = b->loop.run(ROUNDS);
    if (thread == 0)
        b->sink = result;
}

double bench_peak_flops(base_pool *pool) {
    burst b = {.loop = widest()};
    double best = 0.0;
    for (int i = 0; i < BURSTS; i++) {
        double start = base_seconds();
        base_pool_run(pool, run_burst, &b);
        double seconds = base_seconds() - start;
        double flops = 2.0 * CHAINS * ROUNDS * (double)b.loop.lanes * base_pool_threads(pool);
        best = flops / seconds > best ? flops / seconds : best;
    }
    return best;
}

/* What is read at once is beyond the caches by the time it is read again. */
#define READ_WORDS ((size_t)1 << 20)
#define READ_PARTS 32

typedef struct reading {
    const uint64_t *words;
    volatile uint64_t sink;
} reading;

static void run_reading(void *argument, unsigned thread, unsigned threads) {
    reading *r = argument;
    const base_share share = base_pool_share(READ_WORDS, 8, thread, threads);
    uint64_t sums[8] = {0};
    for (size_t i = share.first; i + 8 <= share.first + share.count; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += r->words[i + k];
    for (size_t k = 1; k < 8; k++)
        sums[0] += sums[k];
    if (thread == 0)
        r->sink = sums[0];
}

double bench_peak_bandwidth(base_pool *pool) {
    uint64_t *words = base_array(READ_PARTS * READ_WORDS, sizeof *words);
    if (words == NULL)
        return 0.0;
    for (size_t i = 0; i < READ_PARTS * READ_WORDS; i++)
        words[i] = i;
    double best = 0.0;
    for (size_t i = 0; i < 3 * (size_t)READ_PARTS; i++) {
        reading r = {.words = words + i % READ_PARTS * READ_WORDS};
        const double start = base_seconds();
        base_pool_run(pool, run_reading, &r);
        const double rate = (double)(READ_WORDS * sizeof *words) / (base_seconds() - start);
        best = rate > best ? rate : best;
    }
    base_free(words);
    return best;
}
