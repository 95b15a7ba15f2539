/* Kernels of sixteen floats at once, by AVX-512 (F, BW and VL): 32 registers. */
#include "kernels_x86.h"

#if RT_HAS_X86

#include <immintrin.h>

/* Without optimisation gcc's gathers are macros, in which a mask changes its sign. */
#if !defined(__OPTIMIZE__)
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma")))
#define INLINE                                                                                     \
    static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx2,fma")))

#define LANES ((size_t)16)
#define HALF_LANES ((size_t)8)
#define BAND_VECTORS 6
#define BAND_EACH(M, a, b, c)                                                                      \
    M(1, a, b, c) M(2, a, b, c) M(3, a, b, c) M(4, a, b, c) M(5, a, b, c) M(6, a, b, c)

typedef __m512 vector;
typedef __mmask16 mask;
typedef __m512i whole;
typedef __m512 sixteen;

INLINE vector load(const float *from) {
    return _mm512_load_ps(from);
}

INLINE vector load_any(const float *from) {
    return _mm512_loadu_ps(from);
}

INLINE vector load_some(const float *from, mask lanes) {
    return _mm512_maskz_loadu_ps(lanes, from);
}

INLINE __m512i lane_numbers(void) {
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE vector load_every(const float *from, size_t step, mask lanes) {
    const __m512i at = _mm512_mullo_epi32(lane_numbers(), _mm512_set1_epi32((int)step));
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, at, from, 4);
}

INLINE void store(float *to, vector v) {
    _mm512_store_ps(to, v);
}

INLINE void store_any(float *to, vector v) {
    _mm512_storeu_ps(to, v);
}

INLINE void store_some(float *to, vector v, mask lanes) {
    _mm512_mask_storeu_ps(to, lanes, v);
}

INLINE __m256 lower_half(vector v) {
    return _mm512_castps512_ps256(v);
}

INLINE __m256 upper_half(vector v) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
}

INLINE void store_half(float *to, __m256 half, size_t count) {
    if (count == HALF_LANES)
        _mm256_storeu_ps(to, half);
    else
        _mm256_mask_storeu_ps(to, (__mmask8)((1U << count) - 1U), half);
}

INLINE vector splat(float x) {
    return _mm512_set1_ps(x);
}

INLINE vector splat_of(const float *from) {
    return _mm512_set1_ps(*from);
}

INLINE const float *address_of(const float *from) {
    return from;
}

INLINE vector codes_at(const int8_t *codes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)codes)));
}

INLINE vector loaded(const float *from) {
    vector x = _mm512_load_ps(from);
    __asm__("" : "+v"(x));
    return x;
}

INLINE vector fma_of(vector a, vector b, vector c) {
    return _mm512_fmadd_ps(a, b, c);
}

INLINE vector add(vector a, vector b) {
    return _mm512_add_ps(a, b);
}

INLINE vector larger(vector a, vector b) {
    return _mm512_max_ps(a, b);
}

INLINE vector smaller(vector a, vector b) {
    return _mm512_min_ps(a, b);
}

INLINE uint32_t lanes_before(int64_t lane) {
    return lane <= 0 ? 0U : lane >= 16 ? 0xffffU : (1U << lane) - 1U;
}

INLINE mask mask_between(int64_t first, int64_t last) {
    return (mask)(lanes_before(last) & ~lanes_before(first));
}

INLINE float sum_of(vector v) {
    return _mm512_reduce_add_ps(v);
}

INLINE whole words_at(const uint16_t *from) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)from));
}

INLINE whole above(whole words, uint32_t bits) {
    return _mm512_srl_epi32(words, _mm_cvtsi32_si128((int)bits));
}

INLINE whole below(whole words, uint32_t bits) {
    return _mm512_and_si512(words, _mm512_set1_epi32((1 << bits) - 1));
}

INLINE vector gather(const float *from, whole at, mask lanes) {
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, at, from, 4);
}

INLINE sixteen sixteen_of(const float *from) {
    return load_any(from);
}

INLINE vector one_of(sixteen s, whole words) {
    return _mm512_permutexvar_ps(words, s);
}

INLINE whole lengths_of(const uint32_t *starts, mask lanes) {
    return _mm512_sub_epi32(_mm512_maskz_loadu_epi32(lanes, starts + 1),
                            _mm512_maskz_loadu_epi32(lanes, starts));
}

INLINE mask longer_than(whole lengths, int n) {
    return _mm512_cmpgt_epi32_mask(lengths, _mm512_set1_epi32(n));
}

INLINE size_t count_of(mask lanes) {
    return (size_t)__builtin_popcount(lanes);
}

#include "kernels_vector.h"
#include "kernels_words.h"

/* ---- panels of two rows a vector ---- */

/* A line, as vector_of has it, but by a load of 256 bits, which seldom lies in two lines of the
 * cache: one of 512 takes half as long again. */
INLINE __m256 half_of(const rt_lines *l, const float *row, __mmask8 inside, bool ones) {
    const uintptr_t at = (uintptr_t)row + (uintptr_t)column_of(l, 0) * sizeof *row;
    const float *from = (const float *)at;
    if (ones)
        return _mm256_maskz_loadu_ps(inside, from);
    return lower_half(load_every(from, l->step, inside));
}

INLINE vector halves(__m256 lower, __m256 upper) {
    return _mm512_castpd_ps(_mm512_insertf64x4(_mm512_castps_pd(_mm512_castps256_ps512(lower)),
                                               _mm256_castps_pd(upper), 1));
}

/* ones, which says that the step is 1, is a constant where it is inlined. */
INLINE void fill_folded(const rt_lines *l, bool ones) {
    const __mmask8 inside = (__mmask8)inside_of(l, 0);
    for (size_t k = 0; k < l->channels; k++) {
        const float *row = l->from + k * l->plane;
        float *to = l->to + k * l->channel; /* even and odd pairs take turns */
        float *next = to + l->odd;
        __m256 before = _mm256_setzero_ps();
        for (size_t i = 0; i < l->lines; i++) {
            __m256 line = _mm256_setzero_ps();
            if (i >= l->first && i < l->last) {
                line = half_of(l, row, inside, ones);
                row += l->apart;
            }
            if (i > 0) {
                float *behind = to + LANES;
                store(to, halves(before, line));
                to = next;
                next = behind;
            }
            before = line;
        }
    }
}

TARGET static void folded_lines(const rt_lines *l) {
    if (l->step == 1)
        fill_folded(l, true);
    else
        fill_folded(l, false);
}

/* ---- lists of inner products ---- */

INLINE __m512i places_at(const rt_layer *layer, size_t i, mask lanes, bool wide) {
    if (wide)
        return _mm512_maskz_loadu_epi32(lanes, (const uint32_t *)layer->places + i);
    return _mm512_cvtepu16_epi32(
        _mm256_maskz_loadu_epi16(lanes, (const uint16_t *)layer->places + i));
}

INLINE __m512i symbols_at(const rt_layer *layer, size_t i, mask lanes) {
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, (const uint8_t *)layer->values + i));
}

INLINE vector values_at(const rt_layer *layer, size_t i, mask lanes, bool has_floats) {
    return has_floats ? load_some((const float *)layer->values + i, lanes)
                      : gather(layer->table, symbols_at(layer, i, lanes), lanes);
}

/* wide and has_floats are constants where it is inlined. */
INLINE void run_list(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                     float *out, bool wide, bool has_floats) {
    for (size_t row = first; row < last; row++) {
        const size_t end = rt_row_last(layer, row);
        vector sum = splat(0.0F);
        for (size_t i = rt_row_first(layer, row); i < end; i += LANES) {
            const mask lanes = mask_between(0, (int64_t)(end - i));
            const __m512i places = places_at(layer, i, lanes, wide);
            const vector x = gather(in, places, lanes);
            sum = fma_of(values_at(layer, i, lanes, has_floats), x, sum);
        }
        out[row - first] = rt_finish(layer, row, sum_of(sum));
    }
}

#define LIST(name, wide, floats)                                                                   \
    TARGET static void name(const rt_layer *layer, uint32_t first, uint32_t last, const float *in, \
                            float *out) {                                                          \
        run_list(layer, first, last, in, out, wide, floats);                                       \
    }

LIST(list_symbols, false, false)
LIST(list_floats, false, true)
LIST(list_symbols_wide, true, false)
LIST(list_floats_wide, true, true)

static void list_product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                         float *out) {
    static rt_product_kernel *const kinds[2][2] = {{list_symbols, list_floats},
                                                   {list_symbols_wide, list_floats_wide}};
    kinds[layer->wide_places][layer->float_values](layer, first, last, in, out);
}

static void product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                    float *out) {
    rt_product_kernel *const forms[] = {[RT_LIST] = list_product,
                                        [RT_WORDS] = words_product,
                                        [RT_JAGGED] = jagged_product,
                                        [RT_DENSE] = dense_product};
    forms[layer->form](layer, first, last, in, out);
}

const rt_kernels rt_kernels_avx512 = {.name = "avx512",
                                      .lanes = LANES,
                                      .tile_vectors = TILE_VECTORS,
                                      .narrow = &rt_kernels_avx2,
                                      .panel_bytes = 40960,
                                      .dense_panel_bytes = 98304,
                                      .part_least = 8,
                                      .lines = lines,
                                      .folded_lines = folded_lines,
                                      .tile = tile,
                                      .product = product,
                                      .runs_jagged = true,
                                      .pool2 = rt_pool2_avx2,
                                      .pool2_codes = rt_pool2_codes_avx2,
                                      .cut = rt_cut_avx2,
                                      .list_cost = 1.0,
                                      .words_cost = 0.37,
                                      .dense_cost = 0.13,
                                      .tile_list_cost = 1.0,
                                      .tile_band_cost = 0.92,
                                      .tile_dense_cost = 0.9};

#endif
