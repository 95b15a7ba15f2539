/* Kernels of eight floats at once.
 *
 * planes: a tile of up to 8 x 1, 4 x 2, 4 x 3 or 2 x 4 vectors of outputs stays in registers while
 * the row's weights pass: each is broadcast once and multiplied by what lies at its place, one
 * load and one multiply-add a vector. All rows run over a tile before the next begins, and where
 * the input that a tile reads is more than the first cache holds, part by part: the sums wait in
 * the output then. */
#include "kernels_avx2.h"

#if RT_HAS_AVX2

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx2,fma")))
#define UNROLL _Pragma("GCC unroll 8")

#define LANES 8U
#define ROWS_MOST 8
#define VECTORS_MOST 4

/* Where a tile lies in the planes: rows from y on, columns from x on. */
typedef struct tile {
    __m256i mask; /* of rows shorter than a vector */
    size_t y, x;
    bool masked;
} tile;

/* What is to be done with a row's sums. */
typedef struct finish {
    __m256 scale, bias, low, high;
} finish;

AVX2 static finish finish_of(const rt_layer *layer, size_t row) {
    const float scale = layer->scale != NULL ? layer->scale[row] : 1.0F;
    const float bias = layer->bias != NULL ? layer->bias[row] : 0.0F;
    const finish f = {_mm256_set1_ps(scale), _mm256_set1_ps(bias), _mm256_set1_ps(layer->low),
                      _mm256_set1_ps(layer->high)};
    return f;
}

/* A NaN passes: of two operands the second is taken then. */
INLINE __m256 finished(const finish *f, __m256 sum) {
    const __m256 y = _mm256_fmadd_ps(sum, f->scale, f->bias);
    return _mm256_min_ps(f->high, _mm256_max_ps(f->low, y));
}

INLINE size_t place_at(const rt_layer *layer, size_t i, bool wide) {
    return wide ? ((const uint32_t *)layer->places)[i] : ((const uint16_t *)layer->places)[i];
}

INLINE __m256 weight_at(const rt_layer *layer, size_t i, bool floats) {
    return _mm256_broadcast_ss(floats ? (const float *)layer->values + i
                                      : layer->table + ((const uint8_t *)layer->values)[i]);
}

/* The vectors of a tile's row, of 8 rows by two addresses and the same distances from both. */
INLINE const float *line_at(const float *upper, const float *lower, size_t line, int y) {
    return (y < 4 ? upper : lower) + (size_t)(y % 4) * line;
}

/* One part of a row over one tile. rows, vectors, wide and floats are constants where it is
 * inlined. */
INLINE void run_tile(const rt_planes *p, const tile *t, size_t row, uint32_t part, int rows,
                     int vectors, bool wide, bool floats) {
    const rt_layer *layer = p->layer;
    const size_t line = p->line;
    const uint32_t *starts = layer->starts + row * layer->parts + part;
    const size_t last = starts[1];
    const float *in = p->in + t->y * line + t->x;
    float *out = p->out + ((row - p->first) * p->height + t->y) * p->width + t->x;
    const finish f = finish_of(layer, row);
    __m256 sums[ROWS_MOST][VECTORS_MOST];
    UNROLL for (int y = 0; y < rows; y++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            const float *before = out + (size_t)y * p->width + v * (int)LANES;
            sums[y][v] = part == 0 ? _mm256_setzero_ps() : _mm256_loadu_ps(before);
        }
    }
    for (size_t i = starts[0]; i < last; i++) {
        const float *upper = in + place_at(layer, i, wide);
        const float *lower = upper + 4 * line;
        const __m256 weight = weight_at(layer, i, floats);
        UNROLL for (int y = 0; y < rows; y++) {
            const float *from = line_at(upper, lower, line, y);
            UNROLL for (int v = 0; v < vectors; v++) sums[y][v] =
                _mm256_fmadd_ps(weight, _mm256_loadu_ps(from + v * (int)LANES), sums[y][v]);
        }
    }
    UNROLL for (int y = 0; y < rows; y++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            float *to = out + (size_t)y * p->width + v * (int)LANES;
            const __m256 made = part + 1 < layer->parts ? sums[y][v] : finished(&f, sums[y][v]);
            if (vectors == 1 && t->masked)
                _mm256_maskstore_ps(to, t->mask, made);
            else
                _mm256_storeu_ps(to, made);
        }
    }
}

/* All rows over tiles of one shape, down the columns; the last tile may lie over the one before
 * it. */
#define TILES(kind, wide, floats, rows, vectors)                                                   \
    AVX2 static void kind##_##rows##_##vectors(const rt_planes *p, tile *t) {                      \
        for (size_t y = 0; y < p->height; y += (rows)) {                                           \
            t->y = y + (rows) <= p->height ? y : p->height - (rows);                               \
            for (uint32_t part = 0; part < p->layer->parts; part++)                                \
                for (size_t row = p->first; row < p->last; row++)                                  \
                    run_tile(p, t, row, part, rows, vectors, wide, floats);                        \
        }                                                                                          \
    }

typedef void tiles(const rt_planes *p, tile *t);

/* Of one kind of weights: [vectors - 1][k] has at most 2^k rows. */
#define KIND(kind, wide, floats)                                                                   \
    TILES(kind, wide, floats, 1, 1)                                                                \
    TILES(kind, wide, floats, 2, 1)                                                                \
    TILES(kind, wide, floats, 4, 1)                                                                \
    TILES(kind, wide, floats, 8, 1)                                                                \
    TILES(kind, wide, floats, 1, 2)                                                                \
    TILES(kind, wide, floats, 2, 2)                                                                \
    TILES(kind, wide, floats, 4, 2)                                                                \
    TILES(kind, wide, floats, 1, 3)                                                                \
    TILES(kind, wide, floats, 2, 3)                                                                \
    TILES(kind, wide, floats, 4, 3)                                                                \
    TILES(kind, wide, floats, 1, 4)                                                                \
    TILES(kind, wide, floats, 2, 4)                                                                \
    static tiles *const kind[VECTORS_MOST][4] = {                                                  \
        {kind##_1_1, kind##_2_1, kind##_4_1, kind##_8_1},                                          \
        {kind##_1_2, kind##_2_2, kind##_4_2, kind##_4_2},                                          \
        {kind##_1_3, kind##_2_3, kind##_4_3, kind##_4_3},                                          \
        {kind##_1_4, kind##_2_4, kind##_2_4, kind##_2_4}};

KIND(symbols, false, false)
KIND(symbols_wide, true, false)
KIND(floats, false, true)
KIND(floats_wide, true, true)

AVX2 static __m256i mask_of(size_t width) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(width < LANES ? width : LANES)), lanes);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Columns of up to four whole vectors; then what is left, in one that may lie over those before
 * it. */
AVX2 static void planes(const rt_planes *p) {
    tiles *const(*const kinds[2][2])[4] = {{symbols, floats}, {symbols_wide, floats_wide}};
    tiles *const(*const kind)[4] = kinds[p->layer->wide_places][p->layer->float_values];
    const size_t vectors = p->width / LANES;
    const unsigned rows = p->height >= 8 ? 3 : p->height >= 4 ? 2 : p->height >= 2 ? 1 : 0;
    tile t = {mask_of(p->width), 0, 0, p->width < LANES};
    for (size_t first = 0; first < vectors; first += VECTORS_MOST) {
        t.x = first * LANES;
        kind[least(vectors - first, VECTORS_MOST) - 1][rows](p, &t);
    }
    if (p->width % LANES == 0)
        return;
    t.x = t.masked ? 0 : p->width - LANES;
    kind[0][rows](p, &t);
}

/* ---- inner products ---- */

AVX2 static float sum_of(__m256 v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

INLINE __m256 dense_at(const rt_layer *layer, size_t i) {
    if (layer->float_values)
        return _mm256_loadu_ps((const float *)layer->values + i);
    const int8_t *codes = (const int8_t *)layer->values + i;
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)codes)));
}

static float dense_one(const rt_layer *layer, size_t i) {
    return layer->float_values ? ((const float *)layer->values)[i]
                               : (float)((const int8_t *)layer->values)[i];
}

AVX2 static float dense_sum(const rt_layer *layer, size_t row, const float *in) {
    const size_t first = row * layer->columns;
    __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps()};
    size_t i = 0;
    for (; i + 4 * (size_t)LANES <= layer->columns; i += 4 * (size_t)LANES)
        UNROLL for (size_t v = 0; v < 4; v++) sums[v] = _mm256_fmadd_ps(
            dense_at(layer, first + i + v * LANES), _mm256_loadu_ps(in + i + v * LANES), sums[v]);
    float sum =
        sum_of(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
    for (; i < layer->columns; i++)
        sum += dense_one(layer, first + i) * in[i];
    return layer->float_values ? sum : sum * layer->step;
}

AVX2 static void product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                         float *out) {
    if (layer->form == RT_LIST) {
        rt_kernels_portable.product(layer, first, last, in, out);
        return;
    }
    for (size_t row = first; row < last; row++)
        out[row - first] = rt_finish(layer, row, dense_sum(layer, row, in));
}

/* ---- pooling ---- */

/* As the portable one has it, the first operand where one is a NaN. */
INLINE __m256 larger(__m256 a, __m256 b) {
    return _mm256_max_ps(b, a);
}

/* The larger of each two lines' pairs, eight of them: of columns 0 to 15. */
AVX2 static __m256 pairs_of(const float *upper, const float *lower) {
    const __m256 a = _mm256_loadu_ps(upper);
    const __m256 b = _mm256_loadu_ps(upper + LANES);
    const __m256 c = _mm256_loadu_ps(lower);
    const __m256 d = _mm256_loadu_ps(lower + LANES);
    const __m256 above = larger(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd));
    const __m256 below = larger(_mm256_shuffle_ps(c, d, 0x88), _mm256_shuffle_ps(c, d, 0xdd));
    const __m256d mixed = _mm256_castps_pd(larger(above, below)); /* 0-3, 8-11, 4-7, 12-15 */
    return _mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8));
}

/* The same of columns 0 to 7. */
AVX2 static __m128 half_pairs_of(const float *upper, const float *lower) {
    const __m128 a = _mm_max_ps(_mm_loadu_ps(lower), _mm_loadu_ps(upper));
    const __m128 b = _mm_max_ps(_mm_loadu_ps(lower + 4), _mm_loadu_ps(upper + 4));
    return _mm_max_ps(_mm_shuffle_ps(a, b, 0xdd), _mm_shuffle_ps(a, b, 0x88));
}

/* Of an even width of at least 8; the last step may go over what is there. */
AVX2 static void pool2_row(const float *upper, const float *lower, size_t width, float *out) {
    size_t x = 0;
    for (; x + 2 * (size_t)LANES <= width; x += 2 * (size_t)LANES)
        _mm256_storeu_ps(out + x / 2, pairs_of(upper + x, lower + x));
    for (; x + LANES <= width; x += LANES)
        _mm_storeu_ps(out + x / 2, half_pairs_of(upper + x, lower + x));
    x = width - LANES;
    _mm_storeu_ps(out + x / 2, half_pairs_of(upper + x, lower + x));
}

AVX2 static void pool2(const float *in, size_t channels, size_t height, size_t width, float *out) {
    if (width < LANES) {
        rt_kernels_portable.pool2(in, channels, height, width, out);
        return;
    }
    for (size_t row = 0; row < channels * height / 2; row++, in += 2 * width, out += width / 2)
        pool2_row(in, in + width, width, out);
}

const rt_kernels rt_kernels_avx2 = {"avx2", planes, product, pool2, 1.0, 0.13};

#endif
