#include "kernels.h"

#include "kernels_neon.h"
#include "kernels_x86.h"

#if RT_HAS_X86
static bool runs_avx2(void) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

static bool runs_avx512(void) {
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && runs_avx2();
}
#endif

const rt_kernels *rt_kernels_find(admmnn_runtime_kernels kernels) {
#if RT_HAS_X86
    if (kernels == ADMMNN_RUNTIME_KERNELS_FASTEST && runs_avx512())
        return &rt_kernels_avx512;
    if (kernels != ADMMNN_RUNTIME_KERNELS_PORTABLE && runs_avx2())
        return &rt_kernels_avx2;
#elif RT_HAS_NEON
    if (kernels != ADMMNN_RUNTIME_KERNELS_PORTABLE)
        return &rt_kernels_neon;
#endif
    (void)kernels;
    return &rt_kernels_portable;
}
