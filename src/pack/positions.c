#include "pack/positions.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "pack/density.h"

#define NEIGHBOURS 5

typedef struct positions_model {
    positions_shape shape;
    density_effect all, row, first, neighbours[NEIGHBOURS], fresh[2];
    density_effect *columns, *blocks, *taps;
    uint8_t *used; /* [columns]: set in a row so far */
    const uint8_t *mask;
    size_t last_first; /* where the last row's first is */
    bool empty;        /* nothing in this row so far */
} positions_model;

static bool model_create(positions_model *m, positions_shape shape, const uint8_t *mask) {
    size_t blocks = (shape.columns + shape.block - 1) / shape.block;
    *m = (positions_model){.shape = shape,
                           .all = {PACK_PLACE_ALL_MEAN, PACK_PLACE_ALL_VARIANCE},
                           .row = {0, PACK_PLACE_ROW_VARIANCE},
                           .first = {PACK_PLACE_FIRST_MEAN, PACK_PLACE_FIRST_VARIANCE},
                           .columns = base_array(shape.columns, sizeof *m->columns),
                           .blocks = base_array(blocks, sizeof *m->blocks),
                           .taps = base_array(shape.block, sizeof *m->taps),
                           .used = base_array(shape.columns, 1),
                           .mask = mask};
    density_start(m->neighbours, NEIGHBOURS, PACK_PLACE_NEIGHBOUR_VARIANCE);
    density_start(m->fresh, 2, PACK_PLACE_FRESH_VARIANCE);
    density_start(m->columns, shape.columns, PACK_PLACE_COLUMN_VARIANCE);
    density_start(m->blocks, blocks, PACK_PLACE_BLOCK_VARIANCE);
    density_start(m->taps, shape.block, PACK_PLACE_TAP_VARIANCE);
    return m->used != NULL && m->columns != NULL && m->blocks != NULL && m->taps != NULL;
}

static void model_free(positions_model *m) {
    base_free(m->columns);
    base_free(m->blocks);
    base_free(m->taps);
    base_free(m->used);
}

/* Appends the effects of the neighbours that are set. */
static unsigned add_neighbours(positions_model *m, size_t row, size_t column,
                               density_effect **effects, unsigned count) {
    const size_t columns = m->shape.columns;
    const size_t tap = column % m->shape.block;
    const uint8_t *at = &m->mask[row * columns + column];
    const struct {
        bool there;
        size_t back;
    } neighbours[NEIGHBOURS] = {{tap % m->shape.width > 0, 1},
                                {tap >= m->shape.width, m->shape.width},
                                {column >= m->shape.block, m->shape.block},
                                {row >= 1, columns},
                                {row >= 2, 2 * columns}};
    for (unsigned n = 0; n < NEIGHBOURS; n++)
        if (neighbours[n].there && *(at - neighbours[n].back) != 0)
            effects[count++] = &m->neighbours[n];
    return count;
}

static unsigned code_one(positions_model *m, coder *c, size_t row, size_t column, unsigned bit) {
    density_effect *effects[DENSITY_EFFECTS_MAX] = {&m->columns[column]};
    unsigned count = 1;
    if (m->shape.ordered && m->empty) {
        effects[count++] = &m->first;
    } else {
        effects[count++] = &m->all;
        effects[count++] = &m->row;
    }
    if (m->shape.block > 1) {
        effects[count++] = &m->blocks[column / m->shape.block];
        effects[count++] = &m->taps[column % m->shape.block];
    }
    if (m->used[column] == 0)
        effects[count++] = &m->fresh[row + 1 == m->shape.rows];
    count = add_neighbours(m, row, column, effects, count);
    return density_code(c, effects, count, bit);
}

static void code_row(positions_model *m, coder *c, size_t row, uint8_t *places) {
    size_t column = m->shape.ordered ? m->last_first : 0;
    m->empty = true;
    for (; column < m->shape.columns && !coder_failed(c); column++) {
        places[column] = (uint8_t)code_one(m, c, row, column, places[column]);
        m->used[column] |= places[column];
        if (m->empty && places[column] != 0) {
            m->empty = false;
            m->last_first = column;
        }
    }
    if (m->empty)
        m->last_first = m->shape.columns;
    m->row.variance += PACK_PLACE_ROW_DRIFT;
    if (m->row.variance > PACK_PLACE_ROW_VARIANCE)
        m->row.variance = PACK_PLACE_ROW_VARIANCE;
}

bool positions_are_ordered(positions_shape shape, const uint8_t *mask) {
    size_t last = 0;
    for (size_t row = 0; row < shape.rows; row++) {
        size_t first = positions_first(mask + row * shape.columns, shape.columns);
        if (first < last)
            return false;
        last = first;
    }
    return true;
}

size_t positions_first(const uint8_t *places, size_t columns) {
    const uint8_t *first = memchr(places, 1, columns);
    return first == NULL ? columns : (size_t)(first - places);
}

admmnn_status positions_code(coder *c, positions_shape shape, uint8_t *mask, admmnn_error *err) {
    positions_model m;
    if (!model_create(&m, shape, mask)) {
        model_free(&m);
        return base_fail_memory(err, "the positions' model");
    }
    for (size_t row = 0; row < shape.rows && !coder_failed(c); row++)
        code_row(&m, c, row, mask + row * shape.columns);
    model_free(&m);
    if (coder_failed(c))
        return base_fail(err, ADMMNN_CORRUPT, "the range-coded bytes end early");
    return ADMMNN_OK;
}
