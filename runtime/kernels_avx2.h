/* AVX2 and FMA, of compilers that make code for a processor other than the one they are told. */
#ifndef RT_KERNELS_AVX2_H
#define RT_KERNELS_AVX2_H

#include "kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define RT_HAS_AVX2 1
extern const rt_kernels rt_kernels_avx2;
#else
#define RT_HAS_AVX2 0
#endif

#endif
