/* Which weights are kept. A matrix is never there as one: its places go into a list, row by
 * row, and the range coder's model looks back two rows and no further. */
#include <string.h>

#include "tensor.h"

#define NEIGHBOURS 5
/* The row being read and those before it that its model looks at. */
#define ROWS 3

/* The list as it grows. */
typedef struct list {
    rt_sources *from;
    rt_positions *positions;
    size_t room; /* places */
} list;

static size_t place_bytes(const rt_positions *p) {
    return p->wide ? sizeof(uint32_t) : sizeof(uint16_t);
}

static bool append(list *l, uint32_t column) {
    rt_positions *p = l->positions;
    if (p->kept == l->room) {
        const size_t bytes = place_bytes(p);
        l->room = rt_more(l->from->opening->memory, &p->columns, p->kept * bytes, bytes) / bytes;
        if (l->room == 0)
            return false;
    }
    if (p->wide)
        ((uint32_t *)p->columns)[p->kept++] = column;
    else
        ((uint16_t *)p->columns)[p->kept++] = (uint16_t)column;
    return true;
}

/* ---- relative indices ---- */

static admmnn_runtime_status read_relative(list *l, const rt_tensor *tensor) {
    rt_bits *plain = &l->from->plain;
    const uint32_t escape = ((uint32_t)1 << tensor->index_width) - 1;
    const uint64_t count = (uint64_t)tensor->rows * tensor->columns;
    const uint32_t entries = rt_read_bits(plain, 32);
    uint64_t at = 0;
    uint32_t row = 0;
    for (uint32_t e = 0; e < entries && !plain->failed; e++) {
        const uint32_t gap = rt_read_bits(plain, tensor->index_width);
        if (gap > count - at || (gap != escape && gap == count - at))
            return rt_sources_corrupt(l->from, "positions leave the parameter");
        at += gap;
        if (gap == escape)
            continue;
        for (; row < at / tensor->columns; row++)
            l->positions->starts[row + 1] = (uint32_t)l->positions->kept;
        if (!append(l, (uint32_t)(at % tensor->columns)))
            return rt_sources_memory(l->from);
        at++;
    }
    for (; row < tensor->rows; row++)
        l->positions->starts[row + 1] = (uint32_t)l->positions->kept;
    return ADMMNN_RUNTIME_OK;
}

/* ---- bitmaps ---- */

static admmnn_runtime_status read_bitmap(list *l, const rt_tensor *tensor) {
    rt_bits *plain = &l->from->plain;
    if ((uint64_t)tensor->rows * tensor->columns > plain->count - plain->at)
        plain->failed = true;
    for (uint32_t row = 0; row < tensor->rows && !plain->failed; row++) {
        for (uint32_t column = 0; column < tensor->columns; column++)
            if (rt_read_bits(plain, 1) != 0 && !append(l, column))
                return rt_sources_memory(l->from);
        l->positions->starts[row + 1] = (uint32_t)l->positions->kept;
    }
    return ADMMNN_RUNTIME_OK;
}

/* ---- the range coder ---- */

typedef struct model {
    const rt_tensor *tensor;
    rt_effect all, row, first, neighbours[NEIGHBOURS], fresh[2];
    rt_effect *columns, *blocks, *taps;
    uint8_t *used;         /* [columns]: set in a row so far */
    uint8_t *places[ROWS]; /* [columns]: of this row, the last, the one before */
    uint32_t last_first;   /* where the last row's first is */
    bool empty;            /* nothing in this row so far */
} model;

static bool model_create(model *m, rt_memory *memory, const rt_tensor *tensor) {
    const size_t columns = tensor->columns;
    const size_t blocks = (columns + tensor->block - 1) / tensor->block;
    memset(m, 0, sizeof *m);
    m->tensor = tensor;
    m->columns = rt_scratch(memory, columns, sizeof *m->columns);
    m->blocks = rt_scratch(memory, blocks, sizeof *m->blocks);
    m->taps = rt_scratch(memory, tensor->block, sizeof *m->taps);
    m->used = rt_scratch(memory, columns, 1);
    for (int i = 0; i < ROWS; i++)
        m->places[i] = rt_scratch(memory, columns, 1);
    if (m->columns == NULL || m->blocks == NULL || m->taps == NULL || m->used == NULL ||
        m->places[0] == NULL || m->places[1] == NULL || m->places[2] == NULL)
        return false;
    m->all.mean = PACK_PLACE_ALL_MEAN;
    m->all.variance = PACK_PLACE_ALL_VARIANCE;
    m->row.variance = PACK_PLACE_ROW_VARIANCE;
    m->first.mean = PACK_PLACE_FIRST_MEAN;
    m->first.variance = PACK_PLACE_FIRST_VARIANCE;
    rt_effects_start(m->neighbours, NEIGHBOURS, PACK_PLACE_NEIGHBOUR_VARIANCE);
    rt_effects_start(m->fresh, 2, PACK_PLACE_FRESH_VARIANCE);
    rt_effects_start(m->columns, columns, PACK_PLACE_COLUMN_VARIANCE);
    rt_effects_start(m->blocks, blocks, PACK_PLACE_BLOCK_VARIANCE);
    rt_effects_start(m->taps, tensor->block, PACK_PLACE_TAP_VARIANCE);
    return true;
}

/* Appends the effects of the neighbours that are set; the rows before the first are empty. */
static unsigned add_neighbours(model *m, uint32_t column, rt_effect **effects, unsigned count) {
    const uint32_t block = m->tensor->block;
    const uint32_t width = m->tensor->width;
    const uint32_t tap = column % block;
    const uint8_t *places = m->places[0];
    const bool set[NEIGHBOURS] = {tap % width > 0 && places[column - 1] != 0,
                                  tap >= width && places[column - width] != 0,
                                  column >= block && places[column - block] != 0,
                                  m->places[1][column] != 0, m->places[2][column] != 0};
    for (unsigned n = 0; n < NEIGHBOURS; n++)
        if (set[n])
            effects[count++] = &m->neighbours[n];
    return count;
}

static unsigned read_place(model *m, rt_coder *range, uint32_t row, uint32_t column) {
    rt_effect *effects[RT_EFFECTS_MAX] = {&m->columns[column]};
    unsigned count = 1;
    if (m->tensor->ordered && m->empty) {
        effects[count++] = &m->first;
    } else {
        effects[count++] = &m->all;
        effects[count++] = &m->row;
    }
    if (m->tensor->block > 1) {
        effects[count++] = &m->blocks[column / m->tensor->block];
        effects[count++] = &m->taps[column % m->tensor->block];
    }
    if (m->used[column] == 0)
        effects[count++] = &m->fresh[row + 1 == m->tensor->rows];
    count = add_neighbours(m, column, effects, count);
    return rt_effects_bit(range, effects, count);
}

static void next_row(model *m) {
    uint8_t *oldest = m->places[ROWS - 1];
    m->places[2] = m->places[1];
    m->places[1] = m->places[0];
    m->places[0] = oldest;
    memset(oldest, 0, m->tensor->columns);
    m->row.variance += PACK_PLACE_ROW_DRIFT;
    if (m->row.variance > PACK_PLACE_ROW_VARIANCE)
        m->row.variance = PACK_PLACE_ROW_VARIANCE;
}

static bool read_row(model *m, list *l, uint32_t row) {
    rt_coder *range = &l->from->range;
    m->empty = true;
    for (uint32_t column = m->tensor->ordered ? m->last_first : 0;
         column < m->tensor->columns && !rt_coder_failed(range); column++) {
        if (read_place(m, range, row, column) == 0)
            continue;
        m->places[0][column] = m->used[column] = 1;
        if (m->empty)
            m->last_first = column;
        m->empty = false;
        if (!append(l, column))
            return false;
    }
    if (m->empty)
        m->last_first = m->tensor->columns;
    l->positions->starts[row + 1] = (uint32_t)l->positions->kept;
    next_row(m);
    return true;
}

static admmnn_runtime_status read_entropy(list *l, const rt_tensor *tensor) {
    model m;
    if (!model_create(&m, l->from->opening->memory, tensor))
        return rt_sources_memory(l->from);
    for (uint32_t row = 0; row < tensor->rows && !rt_coder_failed(&l->from->range); row++)
        if (!read_row(&m, l, row))
            return rt_sources_memory(l->from);
    return ADMMNN_RUNTIME_OK;
}

/* ---- all of them ---- */

static admmnn_runtime_status read_list(list *l, const rt_tensor *tensor) {
    switch (tensor->places) {
    case PACK_PLACES_RELATIVE:
        return read_relative(l, tensor);
    case PACK_PLACES_BITMAP:
        return read_bitmap(l, tensor);
    default:
        return read_entropy(l, tensor);
    }
}

admmnn_runtime_status rt_positions_read(rt_sources *from, const rt_tensor *tensor,
                                        rt_positions *positions) {
    rt_memory *memory = from->opening->memory;
    const size_t mark = rt_scratch_mark(memory);
    list l = {from, positions, 0};
    positions->all = tensor->places == PACK_PLACES_DENSE;
    if (positions->all)
        return ADMMNN_RUNTIME_OK;
    positions->starts = rt_take(memory, (size_t)tensor->rows + 1, sizeof *positions->starts);
    if (positions->starts == NULL)
        return rt_sources_memory(from);
    RT_TRY(read_list(&l, tensor));
    if (from->plain.failed || rt_coder_failed(&from->range))
        return rt_sources_corrupt(from, "positions end early");
    const size_t places = positions->kept + RT_WORDS_SLACK;
    if (!rt_settle(memory, &positions->columns, places * place_bytes(positions)))
        return rt_sources_memory(from);
    rt_scratch_release(memory, mark);
    return ADMMNN_RUNTIME_OK;
}
