/* Kernels of whole vectors: the part that all processors share. The file of one of them includes
 * this once, and says before:
 *
 *     LANES, BAND_VECTORS                   floats of a vector, and vectors of a tile at most that
 *                                           run at once for a band
 *     BAND_EACH(M, a, b, c)                 M(n, a, b, c) for each n up to BAND_VECTORS
 *     TARGET, INLINE                        how its functions are declared
 *     UNROLL                                where gcc's pragma will not do
 *     vector, mask                          types, and of these:
 *
 *     vector load(from), load_any(from)     at an aligned address, and at any
 *     load_some(from, mask)                 zeros where there is none; nothing is read there
 *     load_every(from, step, mask)          the same of every stepth float
 *     store(to, v), store_any, store_some(to, v, mask)
 *                                           the mask is of the first lanes
 *     splat(x), splat_of(from)
 *     address_of(from)                      itself, as one number for all that is read behind it
 *     codes_at(codes)                       signed bytes as floats
 *     loaded(from)                          as load, once for all that use it
 *     fma_of(a, b, c), add(a, b)            a b + c, a + b
 *     larger(a, b), smaller(a, b)           a NaN where b is one; a is none
 *     mask mask_between(first, last)        the lanes from one to before the other
 *     float sum_of(v)
 *     HALF_LANES                            where there are tiles of two rows a vector, and then
 *     store_half(to, lower_half(v) or upper_half(v), count)
 *
 * tile: up to TILE_VECTORS vectors of outputs stay in registers while a row's weights pass: each
 * is broadcast once and multiplied by what lies at its place, one aligned load and one multiply-add
 * a vector. Dense weights and bands, rows that share places, take four rows at a time, so that a
 * load serves four multiply-adds, and up to BAND_VECTORS vectors. */
#ifndef RT_KERNELS_VECTOR_H
#define RT_KERNELS_VECTOR_H

#include "kernels.h"

#ifndef UNROLL
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* Of lists' tiles. */
#define TILE_VECTORS 14
/* M(n, a, b, c) for each number of vectors. */
#define EACH(M, a, b, c)                                                                           \
    M(1, a, b, c)                                                                                  \
    M(2, a, b, c)                                                                                  \
    M(3, a, b, c)                                                                                  \
    M(4, a, b, c)                                                                                  \
    M(5, a, b, c)                                                                                  \
    M(6, a, b, c)                                                                                  \
    M(7, a, b, c)                                                                                  \
    M(8, a, b, c)                                                                                  \
    M(9, a, b, c)                                                                                  \
    M(10, a, b, c)                                                                                 \
    M(11, a, b, c)                                                                                 \
    M(12, a, b, c)                                                                                 \
    M(13, a, b, c)                                                                                 \
    M(14, a, b, c)

/* ---- panels ---- */

INLINE void fill_zeros(float *to, size_t vectors) {
    for (size_t v = 0; v < vectors; v++)
        store(to + v * LANES, splat(0.0F));
}

/* Number in the row of a vector's first lane. */
INLINE int64_t column_of(const rt_lines *l, size_t v) {
    return l->column + (int64_t)(v * LANES * l->step);
}

/* The lanes of a vector that lie on the row. */
INLINE mask inside_of(const rt_lines *l, size_t v) {
    const int64_t step = (int64_t)l->step;
    const int64_t column = column_of(l, v);
    const int64_t first = column < 0 ? (step - 1 - column) / step : 0;
    const int64_t last = ((int64_t)l->width - column + step - 1) / step;
    return mask_between(first, last);
}

/* A vector of a row. Its address may lie before the row, where nothing is read. */
INLINE vector vector_of(const rt_lines *l, const float *row, size_t v, mask inside, bool ones) {
    const uintptr_t at = (uintptr_t)row + (uintptr_t)column_of(l, v) * sizeof *row;
    const float *from = (const float *)at;
    return ones ? load_some(from, inside) : load_every(from, l->step, inside);
}

/* vectors and ones, which says that the step is 1, are constants where it is inlined. */
INLINE void fill_lines(const rt_lines *l, size_t vectors, bool ones) {
    const size_t pitch = vectors * LANES;
    mask inside[TILE_VECTORS];
    for (size_t v = 0; v < vectors; v++)
        inside[v] = inside_of(l, v);
    for (size_t k = 0; k < l->channels; k++) {
        const float *row = l->from + k * l->plane;
        float *to = l->to + k * l->channel;
        fill_zeros(to, l->first * vectors);
        to += l->first * pitch;
        for (size_t i = l->first; i < l->last; i++, row += l->apart, to += pitch)
            UNROLL for (size_t v = 0; v < vectors; v++)
                store(to + v * LANES, vector_of(l, row, v, inside[v], ones));
        fill_zeros(to, (l->lines - l->last) * vectors);
    }
}

typedef void lines_kernel(const rt_lines *l);

#define LINES(vectors, a, b, c)                                                                    \
    TARGET static void lines_##vectors(const rt_lines *l) {                                        \
        if (l->step == 1)                                                                          \
            fill_lines(l, vectors, true);                                                          \
        else                                                                                       \
            fill_lines(l, vectors, false);                                                         \
    }
#define NAMED(vectors, kind, b, c) kind##_##vectors,

EACH(LINES, , , )

static void lines(const rt_lines *l) {
    static lines_kernel *const kernels[TILE_VECTORS] = {EACH(NAMED, lines, , )};
    kernels[l->vectors - 1](l);
}

/* ---- tiles ---- */

/* What is to be done with a row's sums. */
typedef struct finish {
    vector scale, bias, low, high;
} finish;

INLINE finish finish_of(const rt_layer *layer, size_t row) {
    const float step = layer->form != RT_LIST && !layer->float_values ? layer->step : 1.0F;
    const float scale = layer->scale != NULL ? layer->scale[row] * step : step;
    const float bias = layer->bias != NULL ? layer->bias[row] : 0.0F;
    const finish f = {splat(scale), splat(bias), splat(layer->low), splat(layer->high)};
    return f;
}

/* A NaN passes: of two operands the second is taken then. */
INLINE vector finished(const finish *f, vector sum) {
    const vector y = fma_of(sum, f->scale, f->bias);
    return smaller(f->high, larger(f->low, y));
}

INLINE size_t place_at(const void *places, size_t i, bool wide) {
    return wide ? ((const uint32_t *)places)[i] : ((const uint16_t *)places)[i];
}

INLINE vector weight_at(const rt_layer *layer, size_t i, bool floats) {
    return splat_of(floats ? (const float *)layer->values + i
                           : layer->table + ((const uint8_t *)layer->values)[i]);
}

/* Vector v of the tile. */
INLINE void put_vector(const rt_tile *t, size_t v, vector made, float *out) {
    if (t->count[v] == LANES) {
        store_any(out + t->at[v], made);
        return;
    }
#ifdef HALF_LANES
    if (t->second_count[v] != 0) {
        store_half(out + t->at[v], lower_half(made), t->count[v]);
        store_half(out + t->second_at[v], upper_half(made), t->second_count[v]);
        return;
    }
#endif
    store_some(out + t->at[v], made, mask_between(0, (int64_t)t->count[v]));
}

/* Vectors from number `first` of the tile on. */
INLINE void put_row(const rt_tile *t, size_t row, size_t first, size_t vectors,
                    const vector *sums) {
    const finish f = finish_of(t->layer, row);
    float *out = t->out + (row - t->first) * t->plane;
    UNROLL for (size_t v = 0; v < vectors; v++)
        put_vector(t, first + v, finished(&f, sums[v]), out);
}

INLINE float *sums_before(const rt_tile *t, size_t row, size_t first) {
    return t->sums + ((row - t->first) * t->vectors + first) * LANES;
}

INLINE void begin_row(const rt_tile *t, size_t row, size_t first, size_t vectors, vector *sums) {
    const float *before = sums_before(t, row, first);
    UNROLL for (size_t v = 0; v < vectors; v++) sums[v] =
        t->part == 0 ? splat(0.0F) : load(before + v * LANES);
}

INLINE void end_row(const rt_tile *t, size_t row, size_t first, size_t vectors,
                    const vector *sums) {
    float *before = sums_before(t, row, first);
    if (t->part + 1 == t->layer->parts) {
        put_row(t, row, first, vectors, sums);
        return;
    }
    UNROLL for (size_t v = 0; v < vectors; v++) store(before + v * LANES, sums[v]);
}

/* A row. vectors, wide and floats are constants where it is inlined. */
INLINE void run_row(const rt_tile *t, size_t row, size_t vectors, bool wide, bool floats) {
    const rt_layer *layer = t->layer;
    const uint32_t *starts = layer->starts + (size_t)t->part * layer->rows + row;
    const size_t last = starts[1];
    vector sums[TILE_VECTORS];
    begin_row(t, row, 0, vectors, sums);
    for (size_t i = starts[0]; i < last; i++) {
        const float *in = address_of(t->panel + place_at(layer->places, i, wide));
        const vector weight = weight_at(layer, i, floats);
        UNROLL for (size_t v = 0; v < vectors; v++) sums[v] =
            fma_of(weight, load(in + v * LANES), sums[v]);
    }
    end_row(t, row, 0, vectors, sums);
}

#define TILE(vectors, kind, wide, floats)                                                          \
    TARGET static void kind##_##vectors(const rt_tile *t) {                                        \
        for (size_t row = t->first; row < t->last; row++)                                          \
            run_row(t, row, vectors, wide, floats);                                                \
    }

/* Of one kind of weights, by the number of vectors. */
#define KIND(kind, wide, floats)                                                                   \
    EACH(TILE, kind, wide, floats)                                                                 \
    static tile_kernel *const kind[TILE_VECTORS] = {EACH(NAMED, kind, , )};

typedef void tile_kernel(const rt_tile *t);

KIND(symbols, false, false)
KIND(symbols_wide, true, false)
KIND(floats, false, true)
KIND(floats_wide, true, true)

/* ---- tiles of rows that run together ---- */

/* Rows of which the last may be there several times, and their weights as floats: each `step` of
 * its kernel after the one before. */
typedef struct band {
    size_t rows[RT_BAND_ROWS];
    const float *weights[RT_BAND_ROWS];
    const void *places;
    size_t count; /* of them */
} band;

/* Vectors from number `first` of the tile on. vectors, wide and step are constants where it is
 * inlined. */
INLINE void run_band(const rt_tile *t, const band *b, size_t first, size_t vectors, bool wide,
                     size_t step) {
    const float *panel = t->panel + first * LANES;
    vector sums[RT_BAND_ROWS][BAND_VECTORS];
    UNROLL for (size_t r = 0; r < RT_BAND_ROWS; r++)
        begin_row(t, b->rows[r], first, vectors, sums[r]);
    for (size_t i = 0; i < b->count; i++) {
        const float *in = address_of(panel + place_at(b->places, i, wide));
        vector x[BAND_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) x[v] = loaded(in + v * LANES);
        UNROLL for (size_t r = 0; r < RT_BAND_ROWS; r++) {
            const vector weight = splat_of(b->weights[r] + i * step);
            UNROLL for (size_t v = 0; v < vectors; v++) sums[r][v] =
                fma_of(weight, x[v], sums[r][v]);
        }
    }
    UNROLL for (size_t r = 0; r < RT_BAND_ROWS; r++)
        end_row(t, b->rows[r], first, vectors, sums[r]);
}

typedef void band_kernel(const rt_tile *t, const band *b, size_t first);

#define BAND(vectors, kind, wide, step)                                                            \
    TARGET static void kind##_##vectors(const rt_tile *t, const band *b, size_t first) {           \
        run_band(t, b, first, vectors, wide, step);                                                \
    }

/* Of one kind of weights, by the number of vectors. */
#define BAND_KIND(kind, wide, step)                                                                \
    BAND_EACH(BAND, kind, wide, step)                                                              \
    static band_kernel *const kind[BAND_VECTORS] = {BAND_EACH(NAMED, kind, , )};

BAND_KIND(dense, true, 1)
BAND_KIND(bands, false, RT_BAND_ROWS)
BAND_KIND(bands_wide, true, RT_BAND_ROWS)

/* Codes as floats, which the end multiplies by their interval. */
TARGET static void widen(const int8_t *codes, size_t count, float *to) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store_any(to + i, codes_at(codes + i));
    for (; i < count; i++)
        to[i] = (float)codes[i];
}

/* The layer's values from number `first` on as floats, which may be put at `to`. */
static const float *floats_of(const rt_layer *layer, size_t first, size_t count, float *to) {
    if (layer->float_values)
        return (const float *)layer->values + first;
    widen((const int8_t *)layer->values + first, count, to);
    return to;
}

static size_t row_of(const rt_tile *t, size_t row) {
    return row < t->last ? row : t->last - 1;
}

static band dense_band(const rt_tile *t, size_t row) {
    band b = {.places = t->layer->places, .count = t->width};
    for (size_t r = 0; r < RT_BAND_ROWS; r++) {
        b.rows[r] = row_of(t, row + r);
        b.weights[r] = floats_of(t->layer, t->weights + b.rows[r] * t->width, t->width,
                                 t->widened + r * t->width);
    }
    return b;
}

static band listed_band(const rt_tile *t, size_t row) {
    const rt_layer *layer = t->layer;
    const uint32_t *starts = rt_band_starts(layer, t->part, row);
    const size_t size = layer->wide_places ? sizeof(uint32_t) : sizeof(uint16_t);
    band b = {.places = (const char *)layer->places + starts[0] * size,
              .count = starts[1] - starts[0]};
    const float *weights =
        floats_of(layer, (size_t)starts[0] * RT_BAND_ROWS, b.count * RT_BAND_ROWS, t->widened);
    for (size_t r = 0; r < RT_BAND_ROWS; r++) {
        b.rows[r] = row_of(t, row + r);
        b.weights[r] = weights + (b.rows[r] - row);
    }
    return b;
}

static void band_tile(const rt_tile *t) {
    const bool listed = t->layer->form == RT_BANDS;
    band_kernel *const *const kernels = !listed                 ? dense
                                        : t->layer->wide_places ? bands_wide
                                                                : bands;
    const size_t count = (t->vectors + BAND_VECTORS - 1) / BAND_VECTORS;
    for (size_t row = t->first; row < t->last; row += RT_BAND_ROWS) {
        const band b = listed ? listed_band(t, row) : dense_band(t, row);
        for (size_t i = 0; i < count; i++) {
            const size_t first = i * t->vectors / count;
            kernels[(i + 1) * t->vectors / count - first - 1](t, &b, first);
        }
    }
}

static void tile(const rt_tile *t) {
    tile_kernel *const *const kinds[2][2] = {{symbols, floats}, {symbols_wide, floats_wide}};
    if (t->layer->form != RT_LIST)
        band_tile(t);
    else
        kinds[t->layer->wide_places][t->layer->float_values][t->vectors - 1](t);
}

/* ---- inner products ---- */

INLINE vector dense_at(const rt_layer *layer, size_t i) {
    if (layer->float_values)
        return load_any((const float *)layer->values + i);
    return codes_at((const int8_t *)layer->values + i);
}

static float dense_one(const rt_layer *layer, size_t i) {
    return layer->float_values ? ((const float *)layer->values)[i]
                               : (float)((const int8_t *)layer->values)[i];
}

TARGET static float dense_sum(const rt_layer *layer, size_t row, const float *in) {
    const size_t first = row * layer->columns;
    vector sums[4] = {splat(0.0F), splat(0.0F), splat(0.0F), splat(0.0F)};
    size_t i = 0;
    for (; i + 4 * LANES <= layer->columns; i += 4 * LANES)
        UNROLL for (size_t v = 0; v < 4; v++) sums[v] =
            fma_of(dense_at(layer, first + i + v * LANES), load_any(in + i + v * LANES), sums[v]);
    float sum = sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
    for (; i < layer->columns; i++)
        sum += dense_one(layer, first + i) * in[i];
    return layer->float_values ? sum : sum * layer->step;
}

TARGET static void dense_product(const rt_layer *layer, uint32_t first, uint32_t last,
                                 const float *in, float *out) {
    for (size_t row = first; row < last; row++)
        out[row - first] = rt_finish(layer, row, dense_sum(layer, row, in));
}

#endif
