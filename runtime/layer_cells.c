/* The parts of rows, and the lists of each: cells. */
#include <string.h>

#include "layer_making.h"
#include "tiling.h"

/* Of a matmul's transposed weights, a column is an input's row of samples. */
size_t rt_place_of(const rt_making *m, uint32_t column) {
    const rt_node *user = rt_making_user(m);
    return user->tiled ? rt_tiling_place(&user->tiling, column) : column;
}

void rt_cut_rows(rt_making *m, size_t kept) {
    rt_node *user = rt_making_user(m);
    const rt_window *window = user->tiling.window;
    m->layer->parts = 1;
    if (user->tiled)
        m->layer->parts =
            rt_tiling_cut(&user->tiling, m->layer->columns / window->kernel[0] / window->kernel[1],
                          m->layer->rows, kept, m->layer->form);
    else if (m->layer->form == RT_WORDS)
        m->layer->parts = rt_words_parts(m->layer);
}

/* Lists of a part: rows, or bands. */
static size_t lists_of(const rt_layer *layer) {
    return layer->form == RT_BANDS ? rt_layer_bands(layer) : layer->rows;
}

size_t rt_cell_of(const rt_making *m, size_t list, uint32_t column) {
    const rt_layer *layer = m->layer;
    if (layer->parts == 1)
        return list;
    if (layer->form == RT_WORDS)
        return list * layer->parts + column / rt_words_width(layer);
    return (size_t)rt_tiling_part(&rt_making_user(m)->tiling, column) * lists_of(layer) + list;
}

admmnn_runtime_status rt_take_cells(rt_making *m) {
    const size_t cells = rt_product(lists_of(m->layer), m->layer->parts, 1);
    m->layer->starts = rt_take(m->from->opening->memory, cells + 1, sizeof *m->layer->starts);
    return m->layer->starts != NULL ? ADMMNN_RUNTIME_OK : rt_sources_memory(m->from);
}

void rt_count_place(rt_making *m, size_t list, uint32_t column) {
    m->layer->starts[rt_cell_of(m, list, column) + 1]++;
}

void rt_end_count(rt_making *m) {
    const size_t cells = lists_of(m->layer) * m->layer->parts;
    for (size_t i = 0; i < cells; i++)
        m->layer->starts[i + 1] += m->layer->starts[i];
}

void rt_put_place(rt_making *m, size_t i, uint32_t column) {
    const size_t place = rt_place_of(m, column);
    if (m->layer->wide_places)
        ((uint32_t *)m->layer->places)[i] = (uint32_t)place;
    else
        ((uint16_t *)m->layer->places)[i] = (uint16_t)place;
}

/* The first free place of its cell; a cell's start stands at its end then. */
size_t rt_take_place(rt_making *m, size_t list, uint32_t column) {
    return m->layer->starts[rt_cell_of(m, list, column)]++;
}

void rt_end_places(rt_making *m) {
    const size_t cells = lists_of(m->layer) * m->layer->parts;
    memmove(m->layer->starts + 1, m->layer->starts, cells * sizeof *m->layer->starts);
    m->layer->starts[0] = 0;
}

admmnn_runtime_status rt_copy_columns(rt_making *m, rt_positions *p) {
    const size_t size = p->wide ? sizeof(uint32_t) : sizeof(uint16_t);
    void *columns = rt_scratch(m->from->opening->memory, p->kept, size);
    if (columns == NULL)
        return rt_sources_memory(m->from);
    memcpy(columns, p->columns, p->kept * size);
    p->columns = columns;
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_copy_starts(rt_making *m, rt_positions *p) {
    const size_t count = (size_t)m->tensor->rows + 1;
    uint32_t *starts = rt_scratch(m->from->opening->memory, count, sizeof *starts);
    if (starts == NULL)
        return rt_sources_memory(m->from);
    memcpy(starts, p->starts, count * sizeof *starts);
    p->starts = starts;
    return ADMMNN_RUNTIME_OK;
}
