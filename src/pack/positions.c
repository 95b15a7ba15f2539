#include "pack/positions.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "pack/density.h"

/* Variances, in hundredths. */
#define HUNDREDTHS(n) ((int32_t)((n) * (int64_t)DENSITY_UNIT / 100))
#define ALL_MEAN HUNDREDTHS(-300)
#define ALL_VARIANCE HUNDREDTHS(400)
#define ROW_VARIANCE HUNDREDTHS(60)
#define ROW_DRIFT HUNDREDTHS(2)
#define COLUMN_VARIANCE HUNDREDTHS(80)
#define BLOCK_VARIANCE HUNDREDTHS(50)
#define TAP_VARIANCE HUNDREDTHS(10)
#define NEIGHBOUR_VARIANCE HUNDREDTHS(25)

#define NEIGHBOURS 5

typedef struct positions_model {
    positions_shape shape;
    density_effect all, row, neighbours[NEIGHBOURS];
    density_effect *columns, *blocks, *taps;
    const uint8_t *mask;
} positions_model;

static void fill(density_effect *effects, size_t count, int32_t variance) {
    for (size_t i = 0; effects != NULL && i < count; i++)
        effects[i].variance = variance;
}

static bool model_create(positions_model *m, positions_shape shape, const uint8_t *mask) {
    size_t blocks = (shape.columns + shape.block - 1) / shape.block;
    *m = (positions_model){.shape = shape,
                           .all = {ALL_MEAN, ALL_VARIANCE},
                           .row = {0, ROW_VARIANCE},
                           .columns = base_array(shape.columns, sizeof *m->columns),
                           .blocks = base_array(blocks, sizeof *m->blocks),
                           .taps = base_array(shape.block, sizeof *m->taps),
                           .mask = mask};
    fill(m->neighbours, NEIGHBOURS, NEIGHBOUR_VARIANCE);
    fill(m->columns, shape.columns, COLUMN_VARIANCE);
    fill(m->blocks, blocks, BLOCK_VARIANCE);
    fill(m->taps, shape.block, TAP_VARIANCE);
    return m->columns != NULL && m->blocks != NULL && m->taps != NULL;
}

static void model_free(positions_model *m) {
    base_free(m->columns);
    base_free(m->blocks);
    base_free(m->taps);
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
    density_effect *effects[DENSITY_EFFECTS_MAX] = {&m->all, &m->row, &m->columns[column]};
    unsigned count = 3;
    if (m->shape.block > 1) {
        effects[count++] = &m->blocks[column / m->shape.block];
        effects[count++] = &m->taps[column % m->shape.block];
    }
    count = add_neighbours(m, row, column, effects, count);
    return density_code(c, effects, count, bit);
}

admmnn_status positions_code(coder *c, positions_shape shape, uint8_t *mask, admmnn_error *err) {
    positions_model m;
    if (!model_create(&m, shape, mask)) {
        model_free(&m);
        return base_fail_memory(err, "the positions' model");
    }
    for (size_t row = 0; row < shape.rows && !coder_failed(c); row++) {
        for (size_t column = 0; column < shape.columns && !coder_failed(c); column++) {
            uint8_t *at = &mask[row * shape.columns + column];
            *at = (uint8_t)code_one(&m, c, row, column, *at);
        }
        m.row.variance += ROW_DRIFT;
        if (m.row.variance > ROW_VARIANCE)
            m.row.variance = ROW_VARIANCE;
    }
    model_free(&m);
    if (coder_failed(c))
        return base_fail(err, ADMMNN_CORRUPT, "the range-coded bytes end early");
    return ADMMNN_OK;
}
