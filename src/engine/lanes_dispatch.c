#include "engine/lanes_kernels.h"

#include <stdbool.h>

#if defined(__x86_64__)
static bool runs(const lanes_kernels *k) {
    if (k->lanes == 16)
        return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
               __builtin_cpu_supports("avx512vl") != 0;
    if (k->lanes == 8)
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    return true;
}
#else
static bool runs(const lanes_kernels *k) {
    (void)k;
    return true;
}
#endif

const lanes_kernels *lanes_kernels_get(size_t lanes) {
    static const lanes_kernels *const widest_first[] = {
#if defined(__x86_64__)
        &lanes_kernels_16,
        &lanes_kernels_8,
#endif
        &lanes_kernels_4,
    };
    for (size_t i = 0; i < sizeof widest_first / sizeof widest_first[0]; i++) {
        const lanes_kernels *k = widest_first[i];
        if ((lanes == 0 || lanes == k->lanes) && runs(k))
            return k;
    }
    return NULL;
}

size_t lanes_product_scratch(size_t rows, size_t columns, size_t samples) {
    const size_t widest = 16;
    return samples * ((rows + widest - 1) / widest + (columns + widest - 1) / widest) * widest;
}
