/* Kernels of 64-bit Arm processors, all of which have NEON. */
#ifndef RT_KERNELS_NEON_H
#define RT_KERNELS_NEON_H

#include "kernels.h"

#if defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__ARM_NEON) && defined(__GNUC__)
#define RT_HAS_NEON 1

extern const rt_kernels rt_kernels_neon;
#else
#define RT_HAS_NEON 0
#endif

#endif
