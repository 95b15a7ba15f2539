/* What runs a layer's weights on floats: in portable C, by AVX2 and FMA, by AVX-512 and by NEON,
 * where the processor has them. All give the same numbers but for the order of sums. */
#ifndef RT_KERNELS_H
#define RT_KERNELS_H

#include <math.h>

#include "network.h"

/* Of any kernels: floats of a vector, and vectors of a tile of outputs. */
#define RT_LANES_MOST 16U
#define RT_TILE_VECTORS_MOST 14U
#define RT_WORD_BITS 16U

/* A tile of the planes of rows [first, last), by one part of the channels: element e of its vectors
 * is the sum over a row's weights of weight * panel[place + e]. */
typedef struct rt_tile {
    const rt_layer *layer;
    uint32_t first, last, part;
    size_t weights, width; /* dense ones: the part's first, and how many a row has of it */
    float *widened;        /* [RT_BAND_ROWS][width] for those that are codes, and for bands' */
    const float *panel;    /* aligned to a vector */
    size_t vectors;
    float *sums; /* [last - first][vectors][lanes], from part to part */
    float
        *out; /* the tile in the first row's plane, or the sums, where they are finished in place */
    size_t plane; /* floats from a row's plane to the next */
    /* Where each vector goes, and its floats that are outputs: the others are of no meaning. Of
     * vectors of two rows that do not follow each other the second half goes elsewhere. */
    size_t at[RT_TILE_VECTORS_MOST], count[RT_TILE_VECTORS_MOST];
    size_t second_at[RT_TILE_VECTORS_MOST], second_count[RT_TILE_VECTORS_MOST];
} rt_tile;

/* Of each channel to[lines][vectors][lanes], which are zero but for lines [first, last): every
 * `step`th float of the channel's rows from number `column` on, which may be below 0, as far as it
 * lies in [0, width).
 *
 * Folded: to[lines - 1] vectors, of which each has a line in its lower half and the next in its
 * upper one; those of even number follow each other, the odd ones are `odd` floats behind. */
typedef struct rt_lines {
    const float *from; /* number 0 of the row of line `first` */
    size_t plane;      /* from a channel's to the next's */
    size_t channels;
    size_t apart; /* from a row to the next */
    size_t first, last, lines, width, step;
    int32_t column;
    size_t vectors;
    float *to;      /* aligned to a vector */
    size_t channel; /* from a channel's to the next's */
    size_t odd;
} rt_lines;

/* Windows of 2 x 2, side by side, of pairs of rows: of each of so many planes. */
typedef struct rt_pairs {
    const float *from;
    size_t planes, plane_apart; /* and from one to the next */
    size_t pairs, pair_apart;   /* of a plane, and from one's upper row to the next's */
    size_t lower;               /* from a pair's upper row to its lower */
    size_t columns;             /* of a row; even */
    float *to;
    size_t made_plane, made_row; /* from what is made of a plane, or of a pair, to the next */
} rt_pairs;

typedef void rt_product_kernel(const rt_layer *layer, uint32_t first, uint32_t last,
                               const float *in, float *out);

typedef struct rt_kernels {
    const char *name;
    /* Floats of a vector, and vectors of a tile of outputs at most: what registers hold. */
    size_t lanes, tile_vectors;
    /* Those for rows of outputs that their vectors hold, too; or NULL. */
    const struct rt_kernels *narrow;
    /* Of a panel that stays in the first cache; dense weights and bands use what they load four
     * times: the second cache will do for them, and long parts pay. */
    size_t panel_bytes, dense_panel_bytes;
    /* A row's list is not cut into parts shorter than this: each costs some ten multiply-adds. */
    uint64_t part_least;
    void (*lines)(const rt_lines *l);
    void (*folded_lines)(const rt_lines *l); /* NULL: tiles are not folded */
    void (*tile)(const rt_tile *t);
    /* Row r of [first, last) into out[r - first]: of a list at in[place], of words, or dense. Of
     * jagged rows those numbered so in the order, from a multiple of the lanes on: row r too goes
     * to out[r - first], before `out` or far behind it, which must lie in an array of all rows. */
    rt_product_kernel *product;
    bool runs_jagged;
    /* The largest of each window; a NaN where one is. */
    void (*pool2)(const rt_pairs *p);
    /* Of codes [channels][height][width], both even. */
    void (*pool2_codes)(const uint8_t *in, size_t channels, size_t height, size_t width,
                        uint8_t *out);
    /* What is finished as codes: numbers from 0 to 255.5 without their fraction; a NaN is 0. */
    void (*cut)(const float *from, size_t count, uint8_t *to);
    /* What a weight takes, of a list, of words, of a band and of a dense row, relative to each
     * other: of inner products, measured by bench_runtime, and of tiles, by bench_layers; NEON's
     * are modelled. A band has a weight of each of its rows for each of its
     * places. */
    double list_cost, words_cost, dense_cost, tile_list_cost, tile_band_cost, tile_dense_cost;
} rt_kernels;

extern const rt_kernels rt_kernels_portable;

/* Those that are asked for, and where the processor does not run them, the fastest that it does. */
const rt_kernels *rt_kernels_find(admmnn_runtime_kernels kernels);

/* The list of a row that is not cut into parts: from the first to before the last. */
static inline size_t rt_row_first(const rt_layer *layer, size_t row) {
    return layer->starts[row];
}

static inline size_t rt_row_last(const rt_layer *layer, size_t row) {
    return layer->starts[row + 1];
}

/* Columns of a part of words. */
static inline size_t rt_words_width(const rt_layer *layer) {
    return (size_t)1 << (RT_WORD_BITS - layer->symbol_bits);
}

/* Parts of a row of words. */
static inline uint32_t rt_words_parts(const rt_layer *layer) {
    return (uint32_t)((layer->columns - 1) / rt_words_width(layer)) + 1;
}

static inline size_t rt_layer_bands(const rt_layer *layer) {
    return ((size_t)layer->rows + RT_BAND_ROWS - 1) / RT_BAND_ROWS;
}

/* The places that rows from `row` on, a band, have of a part: from first[0] to before first[1]. */
static inline const uint32_t *rt_band_starts(const rt_layer *layer, uint32_t part, size_t row) {
    return layer->starts + part * rt_layer_bands(layer) + row / RT_BAND_ROWS;
}

/* Of a list: where weight i finds its input, and its value. */
static inline size_t rt_layer_place(const rt_layer *layer, size_t i) {
    return layer->wide_places ? ((const uint32_t *)layer->places)[i]
                              : ((const uint16_t *)layer->places)[i];
}

static inline float rt_layer_value(const rt_layer *layer, size_t i) {
    return layer->float_values ? ((const float *)layer->values)[i]
                               : layer->table[((const uint8_t *)layer->values)[i]];
}

/* Of poolings. A NaN passes, whichever of the two it is. */
static inline float rt_larger(float a, float b) {
    return a > b || isnan(a) ? a : b;
}

/* A row's result from its sum. */
static inline float rt_finish(const rt_layer *layer, size_t row, float sum) {
    if (layer->scale != NULL)
        sum *= layer->scale[row];
    if (layer->bias != NULL)
        sum += layer->bias[row];
    sum = sum < layer->low ? layer->low : sum; /* a NaN passes */
    return sum > layer->high ? layer->high : sum;
}

#endif
