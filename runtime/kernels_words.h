/* Words of inner products, whose inputs are gathered: for what has vectors that gather. Its file
 * includes this once, behind kernels_vector.h, and says before, beside what that wants:
 *
 *     whole, sixteen                        types, and of these:
 *
 *     whole words_at(from)                  whole numbers of 16 bits, one a lane
 *     above(w, bits), below(w, bits)        without the lowest bits, and those alone
 *     vector gather(from, w, mask)          from[w] of each lane, as load_some
 *     sixteen sixteen_of(from)              16 floats
 *     vector one_of(s, w)                   that of them which the lowest four bits tell
 *     whole lengths_of(starts, mask)        starts[i + 1] - starts[i] of those lanes i, else 0
 *     mask longer_than(lengths, n)          lanes whose number is larger
 *     size_t count_of(mask) */
#ifndef RT_KERNELS_WORDS_H
#define RT_KERNELS_WORDS_H

#include "kernels_vector.h"

#define FEW_BITS 4U

/* The table as often as sixteen values hold it. */
INLINE sixteen few_of(const rt_layer *layer) {
    float few[1U << FEW_BITS];
    for (size_t i = 0; i < 1U << FEW_BITS; i++)
        few[i] = layer->table[i & (((size_t)1 << layer->symbol_bits) - 1)];
    return sixteen_of(few);
}

/* A vector of words onto a sum. is_few, of a table that `few` has, is a constant where it is
 * inlined. */
INLINE vector add_vector(const rt_layer *layer, size_t i, mask lanes, const float *in, sixteen few,
                         bool is_few, vector sum) {
    const whole words = words_at((const uint16_t *)layer->places + i);
    const vector x = gather(in, above(words, layer->symbol_bits), lanes);
    const vector weight =
        is_few ? one_of(few, words) : gather(layer->table, below(words, layer->symbol_bits), lanes);
    return fma_of(weight, x, sum);
}

/* Words of one part of a row. */
INLINE vector add_words(const rt_layer *layer, size_t i, size_t end, const float *in, sixteen few,
                        bool is_few, vector sum) {
    const mask all = mask_between(0, (int64_t)LANES);
    for (; i + LANES <= end; i += LANES)
        sum = add_vector(layer, i, all, in, few, is_few, sum);
    if (i < end)
        sum = add_vector(layer, i, mask_between(0, (int64_t)(end - i)), in, few, is_few, sum);
    return sum;
}

INLINE vector words_of(const rt_layer *layer, size_t row, const float *in, sixteen few,
                       bool is_few) {
    const uint32_t *starts = layer->starts + row * layer->parts;
    const size_t width = rt_words_width(layer);
    vector sum = splat(0.0F);
    for (size_t part = 0; part < layer->parts; part++)
        sum = add_words(layer, starts[part], starts[part + 1], in + part * width, few, is_few, sum);
    return sum;
}

INLINE void run_words(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                      float *out, sixteen few, bool is_few) {
    for (size_t row = first; row < last; row++)
        out[row - first] = rt_finish(layer, row, sum_of(words_of(layer, row, in, few, is_few)));
}

/* ---- jagged rows ---- */

/* Rows of the order from number `row` on, one a lane. */
INLINE vector jagged_sums(const rt_layer *layer, size_t row, mask lanes, const float *in,
                          sixteen few, bool is_few) {
    const whole lengths = lengths_of(layer->starts + row, lanes);
    const size_t longest = layer->starts[row + 1] - layer->starts[row];
    size_t i = layer->starts[row];
    vector sum = splat(0.0F);
    for (size_t word = 0; word < longest; word++) {
        const mask there = longer_than(lengths, (int)word);
        sum = add_vector(layer, i, there, in, few, is_few, sum);
        i += count_of(there);
    }
    return sum;
}

INLINE void run_jagged(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                       float *out, sixteen few, bool is_few) {
    for (size_t row = first; row < last; row += LANES) {
        const size_t count = last - row < LANES ? last - row : LANES;
        float sums[LANES];
        store_any(sums, jagged_sums(layer, row, mask_between(0, (int64_t)count), in, few, is_few));
        for (size_t r = 0; r < count; r++) {
            const size_t at = layer->order[row + r];
            out[(ptrdiff_t)at - (ptrdiff_t)first] = rt_finish(layer, at, sums[r]);
        }
    }
}

/* ---- both ---- */

/* The levels are in registers where these hold them. */
#define WORDS_PRODUCT(name, run)                                                                   \
    TARGET static void name(const rt_layer *layer, uint32_t first, uint32_t last, const float *in, \
                            float *out) {                                                          \
        const float none[1U << FEW_BITS] = {0.0F};                                                 \
        if (layer->symbol_bits <= FEW_BITS)                                                        \
            run(layer, first, last, in, out, few_of(layer), true);                                 \
        else                                                                                       \
            run(layer, first, last, in, out, sixteen_of(none), false);                             \
    }

WORDS_PRODUCT(words_product, run_words)
WORDS_PRODUCT(jagged_product, run_jagged)

#endif
