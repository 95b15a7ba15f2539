/* The machine's peak of 32-bit multiply-adds and of reading memory, measured: what a
 * benchmark's FLOP/s are a fraction of. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include "base/pool.h"

/* FLOP/s of all the pool's threads together, a multiply-add counted as two:
 * the best of several short loops of independent chains in registers, of the
 * widest SIMD the processor has. */
double bench_peak_flops(base_pool *pool);

/* Bytes a second that the pool's threads together read of 256 MiB, the best of several passes;
 * 0 where there is no such memory. */
double bench_peak_bandwidth(base_pool *pool);

#endif
