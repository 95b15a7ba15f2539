#include "admm/batch_kernels.h"

#include <stdbool.h>

#if defined(__x86_64__)
static bool runs(const batch_kernels *k) {
    if (k == &batch_kernels_8)
        return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
               __builtin_cpu_supports("avx512vl") != 0;
    if (k == &batch_kernels_4)
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    return true;
}
#else
static bool runs(const batch_kernels *k) {
    (void)k;
    return true;
}
#endif

const batch_kernels *batch_kernels_get(size_t lanes) {
    static const struct {
        size_t lanes;
        const batch_kernels *kernels;
    } widest_first[] = {
#if defined(__x86_64__)
        {8, &batch_kernels_8},
        {4, &batch_kernels_4},
#endif
        {2, &batch_kernels_2},
    };
    for (size_t i = 0; i < sizeof widest_first / sizeof widest_first[0]; i++)
        if ((lanes == 0 || lanes == widest_first[i].lanes) && runs(widest_first[i].kernels))
            return widest_first[i].kernels;
    return NULL;
}
