#include "kernels.h"

#include "kernels_avx2.h"

const rt_kernels *rt_kernels_find(bool portable) {
#if RT_HAS_AVX2
    if (!portable && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
        return &rt_kernels_avx2;
#endif
    (void)portable;
    return &rt_kernels_portable;
}
