#include "pack/positions.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Slots of the neighbourhood contexts: they learn to this window. */
#define NEIGHBOUR_LIMIT 255U
#define MIXER_RATE 14
#define MIXER_SETS 3

/* Rates are estimated as (ones + prior * strength) / (seen + strength). */
typedef struct tally {
    uint32_t ones, seen;
} tally;

typedef struct positions_model {
    positions_shape shape;
    size_t blocks;
    tally all, row, *columns, *blocks_above, *taps, block_now, last_rows;
    coder_slot near[256], wide[64];
    coder_mixer mixers[MIXER_SETS];
    const uint8_t *mask;
} positions_model;

static uint32_t rate(tally t, uint32_t prior, uint32_t strength) {
    uint64_t p = ((uint64_t)t.ones * CODER_ONE + (uint64_t)prior * strength) / (t.seen + strength);
    return p > 65500 ? 65500 : (uint32_t)p;
}

static void count_bit(tally *t, unsigned bit) {
    t->ones += bit;
    t->seen++;
}

static bool model_create(positions_model *m, positions_shape shape, const uint8_t *mask) {
    memset(m, 0, sizeof *m);
    m->shape = shape;
    m->mask = mask;
    m->blocks = (shape.columns + shape.block - 1) / shape.block;
    m->columns = base_array(shape.columns, sizeof *m->columns);
    m->blocks_above = base_array(m->blocks, sizeof *m->blocks_above);
    m->taps = base_array(shape.block, sizeof *m->taps);
    for (size_t i = 0; i < sizeof m->near / sizeof m->near[0]; i++)
        m->near[i] = coder_slot_make(CODER_ONE / 16);
    for (size_t i = 0; i < sizeof m->wide / sizeof m->wide[0]; i++)
        m->wide[i] = coder_slot_make(CODER_ONE / 16);
    for (int s = 0; s < MIXER_SETS; s++) {
        static const int32_t start[] = {-48000, 26000, 32000, 18000, 12000, 10000, 9000, 6000, 0};
        m->mixers[s].count = (int)(sizeof start / sizeof start[0]);
        memcpy(m->mixers[s].weights, start, sizeof start);
    }
    return m->columns != NULL && m->blocks_above != NULL && m->taps != NULL;
}

static void model_free(positions_model *m) {
    base_free(m->columns);
    base_free(m->blocks_above);
    base_free(m->taps);
}

static unsigned bit_at(const positions_model *m, size_t row, size_t column, size_t up,
                       size_t left) {
    return row >= up && column >= left ? m->mask[(row - up) * m->shape.columns + column - left] : 0;
}

static unsigned capped(uint32_t value, unsigned most) {
    return value < most ? value : most;
}

static unsigned near_context(const positions_model *m, size_t row, size_t column) {
    unsigned left = bit_at(m, row, column, 0, 1) | bit_at(m, row, column, 0, 2) << 1;
    unsigned same_tap = bit_at(m, row, column, 0, m->shape.block);
    unsigned up = bit_at(m, row, column, 1, 0) + bit_at(m, row, column, 2, 0);
    unsigned above = capped(m->columns[column].ones, 3);
    return left | same_tap << 2 | (up > 1 ? 1U : up) << 3 | above << 4 |
           capped(m->block_now.ones, 3) << 6;
}

static unsigned wide_context(const positions_model *m, size_t column) {
    return capped(m->row.ones, 7) | capped(m->blocks_above[column / m->shape.block].ones, 7) << 3;
}

/* Rows are like the rows just before them: the caller sorts them by count. */
static uint32_t row_prior(const positions_model *m, uint32_t all) {
    return rate(m->last_rows, all, 16);
}

static uint32_t predict(positions_model *m, size_t row, size_t column, coder_mixer **mixer,
                        coder_slot **near, coder_slot **wide) {
    uint32_t all = rate(m->all, CODER_ONE / 32, 16);
    uint32_t prior = row_prior(m, all);
    size_t block = column / m->shape.block;
    *near = &m->near[near_context(m, row, column)];
    *wide = &m->wide[wide_context(m, column)];
    *mixer = &m->mixers[capped(m->columns[column].ones, MIXER_SETS - 1)];
    int32_t *in = (*mixer)->inputs;
    in[0] = coder_stretch(all);
    in[1] = coder_stretch(rate(m->row, prior, 24));
    in[2] = coder_stretch(rate(m->columns[column], all, 12));
    in[3] = coder_stretch(rate(m->blocks_above[block], all, 32));
    in[4] = coder_stretch(rate(m->taps[column % m->shape.block], all, 32));
    in[5] = coder_stretch(rate(m->block_now, all, 6));
    in[6] = coder_stretch((*near)->probability);
    in[7] = coder_stretch((*wide)->probability);
    in[8] = 256;
    return coder_mix(*mixer);
}

static unsigned code_one(positions_model *m, coder *c, size_t row, size_t column, unsigned bit) {
    coder_mixer *mixer;
    coder_slot *near;
    coder_slot *wide;
    uint32_t probability = predict(m, row, column, &mixer, &near, &wide);
    bit = coder_bit(c, bit, probability);
    coder_mixer_learn(mixer, bit, MIXER_RATE);
    coder_slot_learn(near, bit, NEIGHBOUR_LIMIT);
    coder_slot_learn(wide, bit, NEIGHBOUR_LIMIT);
    count_bit(&m->all, bit);
    count_bit(&m->row, bit);
    count_bit(&m->columns[column], bit);
    count_bit(&m->blocks_above[column / m->shape.block], bit);
    count_bit(&m->taps[column % m->shape.block], bit);
    count_bit(&m->block_now, bit);
    return bit;
}

static void end_row(positions_model *m) {
    m->last_rows.ones = (m->last_rows.ones + m->row.ones + 1) / 2;
    m->last_rows.seen = (m->last_rows.seen + m->row.seen + 1) / 2;
    m->row = (tally){0, 0};
}

admmnn_status positions_code(coder *c, positions_shape shape, uint8_t *mask, admmnn_error *err) {
    positions_model *m = base_array(1, sizeof *m);
    if (m == NULL || !model_create(m, shape, mask)) {
        if (m != NULL)
            model_free(m);
        base_free(m);
        return base_fail_memory(err, "the positions' model");
    }
    for (size_t row = 0; row < shape.rows && !coder_failed(c); row++) {
        for (size_t column = 0; column < shape.columns && !coder_failed(c); column++) {
            if (column % shape.block == 0)
                m->block_now = (tally){0, 0};
            uint8_t *at = &mask[row * shape.columns + column];
            *at = (uint8_t)code_one(m, c, row, column, *at);
        }
        end_row(m);
    }
    model_free(m);
    base_free(m);
    if (coder_failed(c))
        return base_fail(err, ADMMNN_CORRUPT, "the range-coded bytes end early");
    return ADMMNN_OK;
}
