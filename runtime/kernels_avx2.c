/* Kernels of eight floats at once: 16 registers, two of which a row's weight and what is loaded
 * take. */
#include "kernels_x86.h"

#if RT_HAS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx2,fma")))

#define LANES ((size_t)8)
#define BAND_VECTORS 3
#define BAND_EACH(M, a, b, c) M(1, a, b, c) M(2, a, b, c) M(3, a, b, c)

typedef __m256 vector;
typedef __m256i mask;
typedef __m256i whole;
typedef struct sixteen {
    __m256 low, high;
} sixteen;

INLINE vector load(const float *from) {
    return _mm256_load_ps(from);
}

INLINE vector load_any(const float *from) {
    return _mm256_loadu_ps(from);
}

INLINE vector load_some(const float *from, mask lanes) {
    return _mm256_maskload_ps(from, lanes);
}

INLINE vector load_every(const float *from, size_t step, mask lanes) {
    const __m256i at =
        _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)step));
    return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), from, at, _mm256_castsi256_ps(lanes), 4);
}

INLINE void store(float *to, vector v) {
    _mm256_store_ps(to, v);
}

INLINE void store_any(float *to, vector v) {
    _mm256_storeu_ps(to, v);
}

INLINE void store_some(float *to, vector v, mask lanes) {
    _mm256_maskstore_ps(to, lanes, v);
}

INLINE vector splat(float x) {
    return _mm256_set1_ps(x);
}

INLINE vector splat_of(const float *from) {
    return _mm256_broadcast_ss(from);
}

INLINE const float *address_of(const float *from) {
    return from;
}

INLINE vector codes_at(const int8_t *codes) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)codes)));
}

INLINE vector loaded(const float *from) {
    vector x = _mm256_load_ps(from);
    __asm__("" : "+x"(x));
    return x;
}

INLINE vector fma_of(vector a, vector b, vector c) {
    return _mm256_fmadd_ps(a, b, c);
}

INLINE vector add(vector a, vector b) {
    return _mm256_add_ps(a, b);
}

INLINE vector larger(vector a, vector b) {
    return _mm256_max_ps(a, b);
}

INLINE vector smaller(vector a, vector b) {
    return _mm256_min_ps(a, b);
}

INLINE int lane_number(int64_t lane) {
    return lane < 0 ? 0 : lane > 8 ? 8 : (int)lane;
}

INLINE mask mask_between(int64_t first, int64_t last) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(lane_number(first)), lanes),
                               _mm256_cmpgt_epi32(_mm256_set1_epi32(lane_number(last)), lanes));
}

INLINE float sum_of(vector v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

INLINE whole words_at(const uint16_t *from) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)from));
}

INLINE whole above(whole words, uint32_t bits) {
    return _mm256_srl_epi32(words, _mm_cvtsi32_si128((int)bits));
}

INLINE whole below(whole words, uint32_t bits) {
    return _mm256_and_si256(words, _mm256_set1_epi32((1 << bits) - 1));
}

INLINE vector gather(const float *from, whole at, mask lanes) {
    return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), from, at, _mm256_castsi256_ps(lanes), 4);
}

INLINE sixteen sixteen_of(const float *from) {
    const sixteen s = {_mm256_loadu_ps(from), _mm256_loadu_ps(from + LANES)};
    return s;
}

/* Bit 3 becomes the sign, by which the halves are chosen. */
INLINE vector one_of(sixteen s, whole words) {
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(s.low, words),
                            _mm256_permutevar8x32_ps(s.high, words),
                            _mm256_castsi256_ps(_mm256_slli_epi32(words, 28)));
}

INLINE whole lengths_of(const uint32_t *starts, mask lanes) {
    return _mm256_sub_epi32(_mm256_maskload_epi32((const int *)starts + 1, lanes),
                            _mm256_maskload_epi32((const int *)starts, lanes));
}

INLINE mask longer_than(whole lengths, int n) {
    return _mm256_cmpgt_epi32(lengths, _mm256_set1_epi32(n));
}

INLINE size_t count_of(mask lanes) {
    return (size_t)__builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(lanes)));
}

#include "kernels_vector.h"
#include "kernels_words.h"

static void product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                    float *out) {
    rt_product_kernel *const forms[] = {[RT_LIST] = rt_kernels_portable.product,
                                        [RT_WORDS] = words_product,
                                        [RT_JAGGED] = jagged_product,
                                        [RT_DENSE] = dense_product};
    forms[layer->form](layer, first, last, in, out);
}

/* ---- pooling ---- */

/* A NaN passes: the instruction takes its second operand where either is one. */
INLINE __m256 largest(__m256 a, __m256 b) {
    return _mm256_or_ps(_mm256_max_ps(a, b), _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}

INLINE __m128 largest_four(__m128 a, __m128 b) {
    return _mm_or_ps(_mm_max_ps(a, b), _mm_cmpunord_ps(a, a));
}

/* The largest of two lines, of columns 0 to 7. */
INLINE __m256 larger_lines(const float *upper, const float *lower) {
    return largest(_mm256_loadu_ps(upper), _mm256_loadu_ps(lower));
}

/* The largest of each pair in a, and in b. */
INLINE __m256 pairs_of(__m256 a, __m256 b) {
    const __m256d mixed =
        _mm256_castps_pd(/* 0-3, 8-11, 4-7, 12-15 */
                         largest(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd)));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8));
}

/* Of two lines, of columns 0 to 7. */
INLINE __m128 half_pairs_of(const float *upper, const float *lower) {
    const __m128 a = largest_four(_mm_loadu_ps(upper), _mm_loadu_ps(lower));
    const __m128 b = largest_four(_mm_loadu_ps(upper + 4), _mm_loadu_ps(lower + 4));
    return largest_four(_mm_shuffle_ps(a, b, 0x88), _mm_shuffle_ps(a, b, 0xdd));
}

/* Of an even width of at least 8; the last step may make again what is made. */
INLINE void pool2_row(const float *upper, const float *lower, size_t width, float *out) {
    size_t x = 0;
    for (; x + 2 * LANES <= width; x += 2 * LANES)
        _mm256_storeu_ps(out + x / 2, pairs_of(larger_lines(upper + x, lower + x),
                                               larger_lines(upper + x + LANES, lower + x + LANES)));
    for (; x + LANES <= width; x += LANES)
        _mm_storeu_ps(out + x / 2, half_pairs_of(upper + x, lower + x));
    if (x == width)
        return;
    x = width - LANES;
    _mm_storeu_ps(out + x / 2, half_pairs_of(upper + x, lower + x));
}

/* Of eight columns, two pairs of rows at a time. */
INLINE void pool2_eight(const rt_pairs *p, const float *upper, float *to) {
    size_t i = 0;
    for (; i + 2 <= p->pairs; i += 2, upper += 2 * p->pair_apart, to += 2 * p->made_row) {
        const float *next = upper + p->pair_apart;
        const __m256 made =
            pairs_of(larger_lines(upper, upper + p->lower), larger_lines(next, next + p->lower));
        _mm_storeu_ps(to, _mm256_castps256_ps128(made));
        _mm_storeu_ps(to + p->made_row, _mm256_extractf128_ps(made, 1));
    }
    if (i < p->pairs)
        _mm_storeu_ps(to, half_pairs_of(upper, upper + p->lower));
}

TARGET void rt_pool2_avx2(const rt_pairs *p) {
    if (p->columns < LANES) {
        rt_kernels_portable.pool2(p);
        return;
    }
    for (size_t k = 0; k < p->planes; k++) {
        const float *upper = p->from + k * p->plane_apart;
        float *to = p->to + k * p->made_plane;
        if (p->columns == LANES) {
            pool2_eight(p, upper, to);
            continue;
        }
        for (size_t i = 0; i < p->pairs; i++, upper += p->pair_apart, to += p->made_row)
            pool2_row(upper, upper + p->lower, p->columns, to);
    }
}

/* ---- codes ---- */

/* Of columns 0 to 15, eight of them. */
INLINE void pool_codes(const uint8_t *upper, const uint8_t *lower, uint8_t *out) {
    const __m128i most =
        _mm_max_epu8(_mm_loadu_si128((const void *)upper), _mm_loadu_si128((const void *)lower));
    const __m128i pairs = _mm_max_epu8(most, _mm_srli_epi16(most, 8));
    const __m128i eight = _mm_and_si128(pairs, _mm_set1_epi16(0xff));
    _mm_storel_epi64((void *)out, _mm_packus_epi16(eight, eight));
}

/* Of an even width of at least 16; the last step may go over what is there. */
TARGET void rt_pool2_codes_avx2(const uint8_t *in, size_t channels, size_t height, size_t width,
                                uint8_t *out) {
    const size_t step = 2 * LANES;
    if (width < step) {
        rt_kernels_portable.pool2_codes(in, channels, height, width, out);
        return;
    }
    for (size_t row = 0; row < channels * height / 2; row++, in += 2 * width, out += width / 2) {
        for (size_t x = 0; x + step <= width; x += step)
            pool_codes(in + x, in + width + x, out + x / 2);
        pool_codes(in + width - step, in + 2 * width - step, out + (width - step) / 2);
    }
}

/* Sixteen bits each; a NaN is 0. */
INLINE __m128i eight_of(const float *from) {
    const __m256 x = _mm256_max_ps(_mm256_loadu_ps(from), _mm256_setzero_ps());
    const __m256i cut = _mm256_cvttps_epi32(x);
    return _mm_packus_epi32(_mm256_castsi256_si128(cut), _mm256_extracti128_si256(cut, 1));
}

TARGET void rt_cut_avx2(const float *from, size_t count, uint8_t *to) {
    size_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES)
        _mm_storeu_si128((void *)(to + i),
                         _mm_packus_epi16(eight_of(from + i), eight_of(from + i + LANES)));
    for (; i + LANES <= count; i += LANES)
        _mm_storel_epi64((void *)(to + i),
                         _mm_packus_epi16(eight_of(from + i), eight_of(from + i)));
    rt_kernels_portable.cut(from + i, count - i, to + i);
}

const rt_kernels rt_kernels_avx2 = {.name = "avx2",
                                    .lanes = LANES,
                                    .tile_vectors = TILE_VECTORS,
                                    .narrow = NULL,
                                    .panel_bytes = 24576,
                                    .dense_panel_bytes = 98304,
                                    .part_least = 16,
                                    .lines = lines,
                                    .tile = tile,
                                    .product = product,
                                    .runs_jagged = true,
                                    .pool2 = rt_pool2_avx2,
                                    .pool2_codes = rt_pool2_codes_avx2,
                                    .cut = rt_cut_avx2,
                                    .list_cost = 1.0,
                                    .words_cost = 0.65,
                                    .dense_cost = 0.13,
                                    .tile_list_cost = 1.0,
                                    .tile_band_cost = 0.87,
                                    .tile_dense_cost = 0.85};

#endif
