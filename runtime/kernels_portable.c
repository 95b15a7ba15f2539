#include <string.h>

#include "kernels.h"

/* What compilers make vectors of. */
#define LANES 8U
#define TILE_VECTORS 14U
#define TILE_FLOATS (TILE_VECTORS * LANES)

/* ---- panels ---- */

/* Elements of a line that lie on the row. */
typedef struct span {
    size_t first, last;
} span;

static span span_of(const rt_lines *l) {
    const int64_t step = (int64_t)l->step;
    const int64_t count = (int64_t)(l->vectors * LANES);
    const int64_t first = l->column < 0 ? (step - 1 - l->column) / step : 0;
    const int64_t last = ((int64_t)l->width - l->column + step - 1) / step;
    const int64_t end = last < 0 ? 0 : last < count ? last : count;
    const span s = {(size_t)(first < end ? first : end), (size_t)end};
    return s;
}

static void fill_line(const rt_lines *l, span s, const float *row, float *to) {
    const size_t count = l->vectors * LANES;
    memset(to, 0, s.first * sizeof *to);
    for (size_t e = s.first; e < s.last; e++)
        to[e] = row[(int64_t)l->column + (int64_t)(e * l->step)];
    memset(to + s.last, 0, (count - s.last) * sizeof *to);
}

static void lines(const rt_lines *l) {
    const size_t count = l->vectors * LANES;
    const span s = span_of(l);
    for (size_t c = 0; c < l->channels; c++) {
        float *to = l->to + c * l->channel;
        memset(to, 0, l->first * count * sizeof *to);
        for (size_t i = l->first; i < l->last; i++)
            fill_line(l, s, l->from + c * l->plane + (i - l->first) * l->apart, to + i * count);
        memset(to + l->last * count, 0, (l->lines - l->last) * count * sizeof *to);
    }
}

/* ---- tiles ---- */

/* Of codes without their interval. */
static float dense_one(const rt_layer *layer, size_t i) {
    return layer->float_values ? ((const float *)layer->values)[i]
                               : (float)((const int8_t *)layer->values)[i];
}

static void add_weight(float weight, const float *in, size_t count, float *sums) {
    for (size_t e = 0; e < count; e++)
        sums[e] += weight * in[e];
}

static void add_dense(const rt_tile *t, size_t row, float *sums) {
    const uint32_t *places = t->layer->places;
    const size_t first = t->weights + row * t->width;
    for (size_t i = 0; i < t->width; i++)
        add_weight(dense_one(t->layer, first + i), t->panel + places[i], t->vectors * LANES, sums);
}

static void add_list(const rt_tile *t, size_t row, float *sums) {
    const uint32_t *starts = t->layer->starts + (size_t)t->part * t->layer->rows + row;
    for (size_t i = starts[0]; i < starts[1]; i++)
        add_weight(rt_layer_value(t->layer, i), t->panel + rt_layer_place(t->layer, i),
                   t->vectors * LANES, sums);
}

/* What is read serves four rows. */
static void add_place(const float *weights, const float *in, size_t count,
                      float sums[RT_BAND_ROWS][TILE_FLOATS]) {
    for (size_t e = 0; e < count; e++) {
        const float x = in[e];
        sums[0][e] += weights[0] * x;
        sums[1][e] += weights[1] * x;
        sums[2][e] += weights[2] * x;
        sums[3][e] += weights[3] * x;
    }
}

static void add_band(const rt_tile *t, size_t row, float sums[RT_BAND_ROWS][TILE_FLOATS]) {
    const uint32_t *starts = rt_band_starts(t->layer, t->part, row);
    for (size_t i = starts[0]; i < starts[1]; i++) {
        float weights[RT_BAND_ROWS];
        for (size_t r = 0; r < RT_BAND_ROWS; r++)
            weights[r] = dense_one(t->layer, i * RT_BAND_ROWS + r);
        add_place(weights, t->panel + rt_layer_place(t->layer, i), t->vectors * LANES, sums);
    }
}

static void put_row(const rt_tile *t, size_t row, const float *sums) {
    const rt_layer *layer = t->layer;
    const float step = layer->form != RT_LIST && !layer->float_values ? layer->step : 1.0F;
    float *out = t->out + (row - t->first) * t->plane;
    for (size_t v = 0; v < t->vectors; v++) {
        for (size_t e = 0; e < t->count[v]; e++)
            out[t->at[v] + e] = rt_finish(layer, row, sums[v * LANES + e] * step);
    }
}

static float *sums_before(const rt_tile *t, size_t row) {
    return t->sums + (row - t->first) * t->vectors * LANES;
}

static void begin_row(const rt_tile *t, size_t row, float *sums) {
    const size_t bytes = t->vectors * LANES * sizeof *sums;
    if (t->part > 0 && row < t->last)
        memcpy(sums, sums_before(t, row), bytes);
    else
        memset(sums, 0, bytes);
}

static void end_row(const rt_tile *t, size_t row, const float *sums) {
    if (t->part + 1 < t->layer->parts)
        memcpy(sums_before(t, row), sums, t->vectors * LANES * sizeof *sums);
    else
        put_row(t, row, sums);
}

/* One, or those of a band, of which the last may not be there. */
static void run_rows(const rt_tile *t, size_t first, size_t rows) {
    float sums[RT_BAND_ROWS][TILE_FLOATS];
    for (size_t r = 0; r < rows; r++)
        begin_row(t, first + r, sums[r]);
    switch (t->layer->form) {
    case RT_LIST:
        add_list(t, first, sums[0]);
        break;
    case RT_BANDS:
        add_band(t, first, sums);
        break;
    default:
        add_dense(t, first, sums[0]);
        break;
    }
    for (size_t r = 0; r < rows && first + r < t->last; r++)
        end_row(t, first + r, sums[r]);
}

static void tile(const rt_tile *t) {
    const size_t rows = t->layer->form == RT_BANDS ? RT_BAND_ROWS : 1;
    for (size_t row = t->first; row < t->last; row += rows)
        run_rows(t, row, rows);
}

/* ---- inner products ---- */

/* Sums of four, so that none waits for the one before. */
#define LIST_PRODUCT(name, place_type, value_type, VALUE)                                          \
    static void name(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,        \
                     float *out) {                                                                 \
        const place_type *places = layer->places;                                                  \
        const value_type *values = layer->values;                                                  \
        const float *table = layer->table;                                                         \
        (void)table;                                                                               \
        for (size_t row = first; row < last; row++) {                                              \
            float sums[4] = {0.0F, 0.0F, 0.0F, 0.0F};                                              \
            size_t i = rt_row_first(layer, row);                                                   \
            const size_t end = rt_row_last(layer, row);                                            \
            for (; i + 4 <= end; i += 4) {                                                         \
                sums[0] += VALUE(values[i]) * in[places[i]];                                       \
                sums[1] += VALUE(values[i + 1]) * in[places[i + 1]];                               \
                sums[2] += VALUE(values[i + 2]) * in[places[i + 2]];                               \
                sums[3] += VALUE(values[i + 3]) * in[places[i + 3]];                               \
            }                                                                                      \
            for (; i < end; i++)                                                                   \
                sums[0] += VALUE(values[i]) * in[places[i]];                                       \
            out[row - first] = rt_finish(layer, row, (sums[0] + sums[1]) + (sums[2] + sums[3]));   \
        }                                                                                          \
    }

#define OF_TABLE(symbol) table[symbol]
#define ITSELF(value) value
LIST_PRODUCT(symbols, uint16_t, uint8_t, OF_TABLE)
LIST_PRODUCT(symbols_wide, uint32_t, uint8_t, OF_TABLE)
LIST_PRODUCT(floats, uint16_t, float, ITSELF)
LIST_PRODUCT(floats_wide, uint32_t, float, ITSELF)

static void list_product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                         float *out) {
    if (layer->float_values)
        (layer->wide_places ? floats_wide : floats)(layer, first, last, in, out);
    else
        (layer->wide_places ? symbols_wide : symbols)(layer, first, last, in, out);
}

/* Words of one part of a row, up to `last`. */
static void add_words(const rt_layer *layer, const uint16_t *word, const uint16_t *last,
                      const float *in, float *sums) {
    const float *table = layer->table;
    const uint32_t bits = layer->symbol_bits;
    const uint32_t symbols = ((uint32_t)1 << bits) - 1;
    for (; last - word >= 4; word += 4)
        for (size_t k = 0; k < 4; k++) {
            const uint32_t w = word[k];
            sums[k] += table[w & symbols] * in[w >> bits];
        }
    for (; word < last; word++)
        sums[0] += table[*word & symbols] * in[*word >> bits];
}

static void words_product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                          float *out) {
    const size_t width = rt_words_width(layer);
    const uint16_t *words = layer->places;
    for (size_t row = first; row < last; row++) {
        const uint32_t *starts = layer->starts + row * layer->parts;
        float sums[4] = {0.0F, 0.0F, 0.0F, 0.0F};
        for (size_t part = 0; part < layer->parts; part++)
            add_words(layer, words + starts[part], words + starts[part + 1], in + part * width,
                      sums);
        out[row - first] = rt_finish(layer, row, (sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
}

#define DENSE_SUM(name, value_type)                                                                \
    static float name(const value_type *values, const float *in, size_t count) {                   \
        float sums[4] = {0.0F, 0.0F, 0.0F, 0.0F};                                                  \
        size_t i = 0;                                                                              \
        for (; i + 4 <= count; i += 4)                                                             \
            for (size_t k = 0; k < 4; k++)                                                         \
                sums[k] += (float)values[i + k] * in[i + k];                                       \
        for (; i < count; i++)                                                                     \
            sums[0] += (float)values[i] * in[i];                                                   \
        return (sums[0] + sums[1]) + (sums[2] + sums[3]);                                          \
    }

DENSE_SUM(sum_codes, int8_t)
DENSE_SUM(sum_floats, float)

static float dense_sum(const rt_layer *layer, size_t row, const float *in) {
    const size_t first = row * layer->columns;
    if (layer->float_values)
        return sum_floats((const float *)layer->values + first, in, layer->columns);
    return sum_codes((const int8_t *)layer->values + first, in, layer->columns) * layer->step;
}

static void dense_product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                          float *out) {
    for (size_t row = first; row < last; row++)
        out[row - first] = rt_finish(layer, row, dense_sum(layer, row, in));
}

static void product(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                    float *out) {
    static rt_product_kernel *const forms[] = {
        [RT_LIST] = list_product, [RT_WORDS] = words_product, [RT_DENSE] = dense_product};
    forms[layer->form](layer, first, last, in, out);
}

/* ---- pooling ---- */

static void pool_pair(const float *upper, const float *lower, size_t columns, float *to) {
    for (size_t x = 0; x < columns; x += 2)
        to[x / 2] = rt_larger(rt_larger(upper[x], lower[x]), rt_larger(upper[x + 1], lower[x + 1]));
}

static void pool2(const rt_pairs *p) {
    for (size_t k = 0; k < p->planes; k++)
        for (size_t i = 0; i < p->pairs; i++) {
            const float *upper = p->from + k * p->plane_apart + i * p->pair_apart;
            pool_pair(upper, upper + p->lower, p->columns,
                      p->to + k * p->made_plane + i * p->made_row);
        }
}

/* ---- codes ---- */

static uint8_t larger_code(uint8_t a, uint8_t b) {
    return a > b ? a : b;
}

static void pool2_codes(const uint8_t *in, size_t channels, size_t height, size_t width,
                        uint8_t *out) {
    for (size_t row = 0; row < channels * height / 2; row++, in += 2 * width)
        for (size_t x = 0; x < width; x += 2)
            *out++ = larger_code(larger_code(in[x], in[x + 1]),
                                 larger_code(in[width + x], in[width + x + 1]));
}

static void cut(const float *from, size_t count, uint8_t *to) {
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(int32_t)(from[i] > 0.0F ? from[i] : 0.0F);
}

const rt_kernels rt_kernels_portable = {.name = "portable",
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
                                        .words_cost = 1.1,
                                        .dense_cost = 0.5,
                                        .tile_list_cost = 1.0,
                                        .tile_band_cost = 0.9,
                                        .tile_dense_cost = 1.0};
