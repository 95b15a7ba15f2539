/* Kernels of eight floats at once.
 *
 * tile: up to 14 vectors of outputs stay in registers while a row's weights pass: each is
 * broadcast once and multiplied by what lies at its place, one aligned load and one multiply-add a
 * vector. Dense weights take four rows at a time, so that a load serves four multiply-adds, and
 * up to 3 vectors. */
#include "kernels_avx2.h"

#if RT_HAS_AVX2

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx2,fma")))
#define UNROLL _Pragma("GCC unroll 16")

#define LANES RT_LANES
#define DENSE_ROWS RT_DENSE_ROWS
#define DENSE_VECTORS 3

/* ---- panels ---- */

/* Which floats of its row a line's vectors are, and which of them there are. */
typedef struct columns {
    __m256i at[RT_TILE_VECTORS], inside[RT_TILE_VECTORS];
} columns;

AVX2 static columns columns_of(const rt_lines *l) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i steps = _mm256_mullo_epi32(lanes, _mm256_set1_epi32((int)l->step));
    const __m256i width = _mm256_set1_epi32((int)l->width);
    columns c = {0};
    for (size_t v = 0; v < l->vectors; v++) {
        const __m256i first = _mm256_set1_epi32(l->column + (int32_t)(v * LANES * l->step));
        c.at[v] = _mm256_add_epi32(first, steps);
        c.inside[v] = _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_setzero_si256(), c.at[v]),
                                          _mm256_cmpgt_epi32(width, c.at[v]));
    }
    return c;
}

INLINE void fill_zeros(float *to, size_t vectors) {
    for (size_t v = 0; v < vectors; v++)
        _mm256_store_ps(to + v * LANES, _mm256_setzero_ps());
}

/* A vector of a row. Its address may lie before the row, where nothing is read. */
INLINE __m256 vector_of(const rt_lines *l, const columns *c, const float *row, int v, bool ones) {
    const uintptr_t from =
        (uintptr_t)row + (uintptr_t)(l->column + (ptrdiff_t)v * (ptrdiff_t)LANES) * sizeof *row;
    if (ones)
        return _mm256_maskload_ps((const float *)from, c->inside[v]);
    return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), row, c->at[v],
                                    _mm256_castsi256_ps(c->inside[v]), 4);
}

/* vectors and ones, which says that the step is 1, are constants where it is inlined. */
INLINE void fill_lines(const rt_lines *l, int vectors, bool ones) {
    const size_t pitch = (size_t)vectors * LANES;
    const columns c = columns_of(l);
    for (size_t k = 0; k < l->channels; k++) {
        const float *row = l->from + k * l->plane;
        float *to = l->to + k * l->channel;
        fill_zeros(to, l->first * (size_t)vectors);
        to += l->first * pitch;
        for (size_t i = l->first; i < l->last; i++, row += l->apart, to += pitch)
            UNROLL for (int v = 0; v < vectors; v++)
                _mm256_store_ps(to + v * (int)LANES, vector_of(l, &c, row, v, ones));
        fill_zeros(to, (l->lines - l->last) * (size_t)vectors);
    }
}

typedef void lines_kernel(const rt_lines *l);

#define LINES(vectors)                                                                             \
    AVX2 static void lines_##vectors(const rt_lines *l) {                                          \
        if (l->step == 1)                                                                          \
            fill_lines(l, vectors, true);                                                          \
        else                                                                                       \
            fill_lines(l, vectors, false);                                                         \
    }

LINES(1)
LINES(2)
LINES(3)
LINES(4)
LINES(5)
LINES(6)
LINES(7)
LINES(8)
LINES(9)
LINES(10)
LINES(11)
LINES(12)
LINES(13)
LINES(14)

static void lines(const rt_lines *l) {
    static lines_kernel *const kernels[RT_TILE_VECTORS] = {
        lines_1, lines_2, lines_3,  lines_4,  lines_5,  lines_6,  lines_7,
        lines_8, lines_9, lines_10, lines_11, lines_12, lines_13, lines_14};
    kernels[l->vectors - 1](l);
}

/* ---- tiles ---- */

/* What is to be done with a row's sums. */
typedef struct finish {
    __m256 scale, bias, low, high;
} finish;

INLINE finish finish_of(const rt_layer *layer, size_t row) {
    const float step = layer->form == RT_DENSE && !layer->float_values ? layer->step : 1.0F;
    const float scale = layer->scale != NULL ? layer->scale[row] * step : step;
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

AVX2 static __m256i mask_of(size_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
}

INLINE size_t place_at(const rt_layer *layer, size_t i, bool wide) {
    return wide ? ((const uint32_t *)layer->places)[i] : ((const uint16_t *)layer->places)[i];
}

INLINE __m256 weight_at(const rt_layer *layer, size_t i, bool floats) {
    return _mm256_broadcast_ss(floats ? (const float *)layer->values + i
                                      : layer->table + ((const uint8_t *)layer->values)[i]);
}

/* Vectors from number `first` of the tile on. */
INLINE void put_row(const rt_tile *t, size_t row, size_t first, int vectors, const __m256 *sums) {
    const finish f = finish_of(t->layer, row);
    const size_t *at = t->at + first;
    float *out = t->out + (row - t->first) * t->plane;
    UNROLL for (int v = 0; v < vectors; v++) {
        const __m256 made = finished(&f, sums[v]);
        if (first + (size_t)v < t->whole)
            _mm256_storeu_ps(out + at[v], made);
        else
            _mm256_maskstore_ps(out + at[v], mask_of(t->end - at[v]), made);
    }
}

INLINE float *sums_before(const rt_tile *t, size_t row, size_t first) {
    return t->sums + ((row - t->first) * t->vectors + first) * LANES;
}

INLINE void begin_row(const rt_tile *t, size_t row, size_t first, int vectors, __m256 *sums) {
    const float *before = sums_before(t, row, first);
    UNROLL for (int v = 0; v < vectors; v++) sums[v] =
        t->part == 0 ? _mm256_setzero_ps() : _mm256_load_ps(before + v * (int)LANES);
}

INLINE void end_row(const rt_tile *t, size_t row, size_t first, int vectors, const __m256 *sums) {
    float *before = sums_before(t, row, first);
    if (t->part + 1 == t->layer->parts) {
        put_row(t, row, first, vectors, sums);
        return;
    }
    UNROLL for (int v = 0; v < vectors; v++) _mm256_store_ps(before + v * (int)LANES, sums[v]);
}

/* A row. vectors, wide and floats are constants where it is inlined. */
INLINE void run_row(const rt_tile *t, size_t row, int vectors, bool wide, bool floats) {
    const rt_layer *layer = t->layer;
    const uint32_t *starts = layer->starts + (size_t)t->part * layer->rows + row;
    const size_t last = starts[1];
    __m256 sums[RT_TILE_VECTORS];
    begin_row(t, row, 0, vectors, sums);
    for (size_t i = starts[0]; i < last; i++) {
        const float *in = t->panel + place_at(layer, i, wide);
        const __m256 weight = weight_at(layer, i, floats);
        UNROLL for (int v = 0; v < vectors; v++) sums[v] =
            _mm256_fmadd_ps(weight, _mm256_load_ps(in + v * (int)LANES), sums[v]);
    }
    end_row(t, row, 0, vectors, sums);
}

#define TILE(kind, wide, floats, vectors)                                                          \
    AVX2 static void kind##_##vectors(const rt_tile *t) {                                          \
        for (size_t row = t->first; row < t->last; row++)                                          \
            run_row(t, row, vectors, wide, floats);                                                \
    }

/* Of one kind of weights, by the number of vectors. */
#define KIND(kind, wide, floats)                                                                   \
    TILE(kind, wide, floats, 1)                                                                    \
    TILE(kind, wide, floats, 2)                                                                    \
    TILE(kind, wide, floats, 3)                                                                    \
    TILE(kind, wide, floats, 4)                                                                    \
    TILE(kind, wide, floats, 5)                                                                    \
    TILE(kind, wide, floats, 6)                                                                    \
    TILE(kind, wide, floats, 7)                                                                    \
    TILE(kind, wide, floats, 8)                                                                    \
    TILE(kind, wide, floats, 9)                                                                    \
    TILE(kind, wide, floats, 10)                                                                   \
    TILE(kind, wide, floats, 11)                                                                   \
    TILE(kind, wide, floats, 12)                                                                   \
    TILE(kind, wide, floats, 13)                                                                   \
    TILE(kind, wide, floats, 14)                                                                   \
    static tile_kernel *const kind[RT_TILE_VECTORS] = {                                            \
        kind##_1, kind##_2, kind##_3,  kind##_4,  kind##_5,  kind##_6,  kind##_7,                  \
        kind##_8, kind##_9, kind##_10, kind##_11, kind##_12, kind##_13, kind##_14};

typedef void tile_kernel(const rt_tile *t);

KIND(symbols, false, false)
KIND(symbols_wide, true, false)
KIND(floats, false, true)
KIND(floats_wide, true, true)

/* ---- dense tiles ---- */

/* Rows that run together, of which the last may be there several times, and their weights as
 * floats. */
typedef struct band {
    size_t rows[DENSE_ROWS];
    const float *weights[DENSE_ROWS]; /* [t->width] each */
} band;

/* Loaded once: the compiler would read it anew for each row. */
INLINE __m256 loaded(const float *from) {
    __m256 x = _mm256_load_ps(from);
    __asm__("" : "+x"(x));
    return x;
}

/* Vectors from number `first` of the tile on. */
INLINE void run_band(const rt_tile *t, const band *b, size_t first, int vectors) {
    const uint32_t *places = t->layer->places;
    const float *panel = t->panel + first * LANES;
    __m256 sums[DENSE_ROWS][DENSE_VECTORS];
    UNROLL for (size_t r = 0; r < DENSE_ROWS; r++)
        begin_row(t, b->rows[r], first, vectors, sums[r]);
    for (size_t i = 0; i < t->width; i++) {
        __m256 x[DENSE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) x[v] = loaded(panel + places[i] + v * (int)LANES);
        UNROLL for (size_t r = 0; r < DENSE_ROWS; r++) {
            const __m256 weight = _mm256_broadcast_ss(b->weights[r] + i);
            UNROLL for (int v = 0; v < vectors; v++) sums[r][v] =
                _mm256_fmadd_ps(weight, x[v], sums[r][v]);
        }
    }
    UNROLL for (size_t r = 0; r < DENSE_ROWS; r++) end_row(t, b->rows[r], first, vectors, sums[r]);
}

typedef void dense_kernel(const rt_tile *t, const band *b, size_t first);

#define DENSE(vectors)                                                                             \
    AVX2 static void dense_##vectors(const rt_tile *t, const band *b, size_t first) {              \
        run_band(t, b, first, vectors);                                                            \
    }

DENSE(1)
DENSE(2)
DENSE(3)

/* Codes as floats, which the end multiplies by their interval. */
AVX2 static void widen(const int8_t *codes, size_t count, float *to) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const __m128i eight = _mm_loadl_epi64((const void *)(codes + i));
        _mm256_storeu_ps(to + i, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight)));
    }
    for (; i < count; i++)
        to[i] = (float)codes[i];
}

static band band_of(const rt_tile *t, size_t row) {
    band b;
    for (size_t r = 0; r < DENSE_ROWS; r++) {
        const size_t at = row + r < t->last ? row + r : t->last - 1;
        const size_t first = t->weights + at * t->width;
        float *widened = t->widened + r * t->width;
        b.rows[r] = at;
        b.weights[r] = widened;
        if (t->layer->float_values)
            b.weights[r] = (const float *)t->layer->values + first;
        else
            widen((const int8_t *)t->layer->values + first, t->width, widened);
    }
    return b;
}

static void dense_tile(const rt_tile *t) {
    static dense_kernel *const kernels[DENSE_VECTORS] = {dense_1, dense_2, dense_3};
    const size_t count = (t->vectors + DENSE_VECTORS - 1) / DENSE_VECTORS;
    for (size_t row = t->first; row < t->last; row += DENSE_ROWS) {
        const band b = band_of(t, row);
        for (size_t i = 0; i < count; i++) {
            const size_t first = i * t->vectors / count;
            kernels[(i + 1) * t->vectors / count - first - 1](t, &b, first);
        }
    }
}

static void tile(const rt_tile *t) {
    tile_kernel *const *const kinds[2][2] = {{symbols, floats}, {symbols_wide, floats_wide}};
    if (t->layer->form == RT_DENSE)
        dense_tile(t);
    else
        kinds[t->layer->wide_places][t->layer->float_values][t->vectors - 1](t);
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

const rt_kernels rt_kernels_avx2 = {"avx2", lines, tile, product, pool2, 1.0, 0.13, 1.0, 0.85};

#endif
