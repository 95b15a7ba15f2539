/* Kernels of sixteen floats at once, by AVX-512 (F, BW and VL): 32 registers. */
#include "kernels_x86.h"

#if RT_HAS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma")))
#define INLINE                                                                                     \
    static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx2,fma")))

#define LANES ((size_t)16)
#define DENSE_VECTORS 6
#define DENSE_EACH(M) M(1) M(2) M(3) M(4) M(5) M(6)

typedef __m512 vector;
typedef __mmask16 mask;

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

INLINE vector splat(float x) {
    return _mm512_set1_ps(x);
}

INLINE vector splat_of(const float *from) {
    return _mm512_set1_ps(*from);
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

#include "kernels_vector.h"

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

/* How a layer's values are found: floats; symbols of a table that a register holds; of any. */
typedef enum values_kind { FLOATS, FEW_SYMBOLS, SYMBOLS } values_kind;

INLINE vector values_at(const rt_layer *layer, size_t i, mask lanes, vector table,
                        values_kind kind) {
    if (kind == FLOATS)
        return load_some((const float *)layer->values + i, lanes);
    if (kind == FEW_SYMBOLS)
        return _mm512_permutexvar_ps(symbols_at(layer, i, lanes), table);
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, symbols_at(layer, i, lanes),
                                    layer->table, 4);
}

/* wide and kind are constants where it is inlined. */
INLINE void list_product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                         float *out, bool wide, values_kind kind) {
    const vector table = kind == FEW_SYMBOLS
                             ? load_some(layer->table, (mask)lanes_before(layer->symbols))
                             : splat(0.0F);
    for (size_t row = first; row < last; row++) {
        const size_t end = rt_row_last(layer, row);
        vector sum = splat(0.0F);
        for (size_t i = rt_row_first(layer, row); i < end; i += LANES) {
            const mask lanes = mask_between(0, (int64_t)(end - i));
            const __m512i places = places_at(layer, i, lanes, wide);
            const vector x = _mm512_mask_i32gather_ps(splat(0.0F), lanes, places, in, 4);
            sum = fma_of(values_at(layer, i, lanes, table, kind), x, sum);
        }
        out[row - first] = rt_finish(layer, row, sum_of(sum));
    }
}

typedef void product_kernel(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                            float *out);

#define PRODUCT(name, wide, kind)                                                                  \
    TARGET static void name(const rt_layer *layer, uint32_t first, uint32_t last, const float *in, \
                            float *out) {                                                          \
        list_product(layer, first, last, in, out, wide, kind);                                     \
    }

PRODUCT(product_floats, false, FLOATS)
PRODUCT(product_few, false, FEW_SYMBOLS)
PRODUCT(product_symbols, false, SYMBOLS)
PRODUCT(product_floats_wide, true, FLOATS)
PRODUCT(product_few_wide, true, FEW_SYMBOLS)
PRODUCT(product_symbols_wide, true, SYMBOLS)

static void product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                    float *out) {
    static product_kernel *const kinds[2][3] = {
        {product_floats, product_few, product_symbols},
        {product_floats_wide, product_few_wide, product_symbols_wide}};
    const values_kind kind = layer->float_values       ? FLOATS
                             : layer->symbols <= LANES ? FEW_SYMBOLS
                                                       : SYMBOLS;
    if (layer->form == RT_DENSE)
        dense_product(layer, first, last, in, out);
    else
        kinds[layer->wide_places][kind](layer, first, last, in, out);
}

const rt_kernels rt_kernels_avx512 = {.name = "avx512",
                                      .lanes = LANES,
                                      .tile_vectors = TILE_VECTORS,
                                      .narrow = &rt_kernels_avx2,
                                      .panel_bytes = 40960,
                                      .dense_panel_bytes = 98304,
                                      .part_least = 8,
                                      .lines = lines,
                                      .tile = tile,
                                      .product = product,
                                      .pool2 = rt_pool2_avx2,
                                      .pool2_codes = rt_pool2_codes_avx2,
                                      .cut = rt_cut_avx2,
                                      .list_cost = 1.0,
                                      .dense_cost = 0.13,
                                      .tile_list_cost = 1.0,
                                      .tile_dense_cost = 0.9};

#endif
