/* Kernels of eight floats at once, in two registers of the 32: 28 hold a tile's sums, and a row's
 * weight and what is loaded take the others. */
#include "kernels_neon.h"

#if RT_HAS_NEON

#include <arm_neon.h>

#if defined(__clang__) /* which passes over gcc's pragma */
#define UNROLL _Pragma("clang loop unroll(full)")
#endif

#define TARGET
#define INLINE static inline __attribute__((always_inline))

#define LANES ((size_t)8)
#define HALF ((size_t)4)
#define BAND_VECTORS 3
#define BAND_EACH(M, a, b, c) M(1, a, b, c) M(2, a, b, c) M(3, a, b, c)

typedef float32x4x2_t vector;

/* Lanes from one to before the other. */
typedef struct mask {
    int64_t first, last;
} mask;

INLINE mask mask_between(int64_t first, int64_t last) {
    const mask m = {first, last};
    return m;
}

INLINE bool has_lane(mask lanes, int64_t lane) {
    return lanes.first <= lane && lane < lanes.last;
}

INLINE vector pair(float32x4_t low, float32x4_t high) {
    const vector v = {{low, high}};
    return v;
}

INLINE vector load_any(const float *from) {
    return pair(vld1q_f32(from), vld1q_f32(from + HALF));
}

INLINE vector load(const float *from) {
    return load_any(from);
}

INLINE float32x4_t load_lanes(const float *from, size_t step, mask lanes) {
    float32x4_t v = vdupq_n_f32(0.0F);
    if (has_lane(lanes, 0))
        v = vld1q_lane_f32(from, v, 0);
    if (has_lane(lanes, 1))
        v = vld1q_lane_f32(from + step, v, 1);
    if (has_lane(lanes, 2))
        v = vld1q_lane_f32(from + 2 * step, v, 2);
    if (has_lane(lanes, 3))
        v = vld1q_lane_f32(from + 3 * step, v, 3);
    return v;
}

/* A call, not its code at each of the vectors of every kernel: most are whole and have no step. */
__attribute__((noinline)) static vector load_every(const float *from, size_t step, mask lanes) {
    const mask after = {lanes.first - (int64_t)HALF, lanes.last - (int64_t)HALF};
    return pair(load_lanes(from, step, lanes), load_lanes(from + HALF * step, step, after));
}

INLINE vector load_some(const float *from, mask lanes) {
    const bool whole = has_lane(lanes, 0) && has_lane(lanes, (int64_t)LANES - 1);
    return whole ? load_any(from) : load_every(from, 1, lanes);
}

INLINE void store_any(float *to, vector v) {
    vst1q_f32(to, v.val[0]);
    vst1q_f32(to + HALF, v.val[1]);
}

INLINE void store(float *to, vector v) {
    store_any(to, v);
}

/* Of up to seven lanes: four, two and one of them. */
INLINE void store_some(float *to, vector v, mask lanes) {
    float32x4_t four = v.val[0];
    if ((lanes.last & 4) != 0) {
        vst1q_f32(to, four);
        four = v.val[1];
        to += 4;
    }
    float32x2_t two = vget_low_f32(four);
    if ((lanes.last & 2) != 0) {
        vst1_f32(to, two);
        two = vget_high_f32(four);
        to += 2;
    }
    if ((lanes.last & 1) != 0)
        vst1_lane_f32(to, two, 0);
}

INLINE vector splat(float x) {
    return pair(vdupq_n_f32(x), vdupq_n_f32(x));
}

INLINE vector splat_of(const float *from) {
    const float32x4_t x = vld1q_dup_f32(from);
    return pair(x, x);
}

INLINE const float *address_of(const float *from) {
    __asm__("" : "+r"(from));
    return from;
}

INLINE vector codes_at(const int8_t *codes) {
    const int16x8_t eight = vmovl_s8(vld1_s8(codes));
    return pair(vcvtq_f32_s32(vmovl_s16(vget_low_s16(eight))),
                vcvtq_f32_s32(vmovl_s16(vget_high_s16(eight))));
}

INLINE vector loaded(const float *from) {
    vector x = load_any(from);
    __asm__("" : "+w"(x.val[0]), "+w"(x.val[1]));
    return x;
}

/* One behind the other: loads that compilers put before all of them would drive sums out of their
 * registers. */
INLINE vector fma_of(vector a, vector b, vector c) {
    vector y =
        pair(vfmaq_f32(c.val[0], a.val[0], b.val[0]), vfmaq_f32(c.val[1], a.val[1], b.val[1]));
    __asm__ volatile("" : "+w"(y.val[0]), "+w"(y.val[1]));
    return y;
}

INLINE vector add(vector a, vector b) {
    return pair(vaddq_f32(a.val[0], b.val[0]), vaddq_f32(a.val[1], b.val[1]));
}

INLINE vector larger(vector a, vector b) {
    return pair(vmaxq_f32(a.val[0], b.val[0]), vmaxq_f32(a.val[1], b.val[1]));
}

INLINE vector smaller(vector a, vector b) {
    return pair(vminq_f32(a.val[0], b.val[0]), vminq_f32(a.val[1], b.val[1]));
}

INLINE float sum_of(vector v) {
    return vaddvq_f32(vaddq_f32(v.val[0], v.val[1]));
}

#include "kernels_vector.h"

/* Without gathers there is nothing in vectors for what lies apart. */
static void product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                    float *out) {
    const rt_kernels *others = &rt_kernels_portable;
    (layer->form == RT_DENSE ? dense_product : others->product)(layer, first, last, in, out);
}

/* Compilers make vectors of these loops themselves. */
static void pool2(const rt_pairs *p) {
    rt_kernels_portable.pool2(p);
}

static void pool2_codes(const uint8_t *in, size_t channels, size_t height, size_t width,
                        uint8_t *out) {
    rt_kernels_portable.pool2_codes(in, channels, height, width, out);
}

static void cut(const float *from, size_t count, uint8_t *to) {
    rt_kernels_portable.cut(from, count, to);
}

/* Costs are modelled on the inner loops' instructions (docs/runtime.md). */
const rt_kernels rt_kernels_neon = {.name = "neon",
                                    .lanes = LANES,
                                    .tile_vectors = TILE_VECTORS,
                                    .narrow = NULL,
                                    .panel_bytes = 24576,
                                    .dense_panel_bytes = 98304,
                                    .part_least = 16,
                                    .lines = lines,
                                    .tile = tile,
                                    .product = product,
                                    .pool2 = pool2,
                                    .pool2_codes = pool2_codes,
                                    .cut = cut,
                                    .list_cost = 1.0,
                                    .words_cost = 0.85,
                                    .dense_cost = 0.25,
                                    .tile_list_cost = 1.0,
                                    .tile_band_cost = 0.9,
                                    .tile_dense_cost = 0.9};

#endif
