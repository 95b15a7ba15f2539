/* Kernels of x86-64 processors, of compilers that make code for a processor other than the one they
 * are told. */
#ifndef RT_KERNELS_X86_H
#define RT_KERNELS_X86_H

#include "kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define RT_HAS_X86 1

extern const rt_kernels rt_kernels_avx2, rt_kernels_avx512;

void rt_pool2_avx2(const rt_pairs *p);
void rt_pool2_codes_avx2(const uint8_t *in, size_t channels, size_t height, size_t width,
                         uint8_t *out);
void rt_cut_avx2(const float *from, size_t count, uint8_t *to);
#else
#define RT_HAS_X86 0
#endif

#endif
