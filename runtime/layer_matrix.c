/* Weights by way of their whole matrix, and those that are kept as one: dense. */
#include "layer_making.h"
#include "tiling.h"

admmnn_runtime_status rt_read_row(rt_making *m, rt_values *values, const rt_positions *p,
                                  uint32_t row, rt_matrix *to) {
    const size_t count = p->all ? m->tensor->columns : p->starts[row + 1] - p->starts[row];
    const size_t first = (size_t)row * m->tensor->columns;
    for (size_t i = 0; i < count; i++) {
        int32_t code = 0;
        float value = 0.0F;
        const uint32_t column = p->all ? (uint32_t)i : rt_column(p, p->starts[row] + i);
        RT_TRY(rt_values_next(values, row, column, &code, &value));
        m->tensor->kept += value != 0.0F;
        if (to->codes != NULL)
            to->codes[first + column] = (int16_t)code;
        else
            to->floats[first + column] = value;
    }
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_read_matrix(rt_making *m, const rt_positions *p, rt_matrix *to) {
    rt_memory *memory = m->from->opening->memory;
    const size_t count = rt_product(m->tensor->rows, m->tensor->columns, 1);
    rt_values values;
    if (rt_has_symbols(m->tensor))
        to->codes = rt_scratch(memory, count, sizeof *to->codes);
    else
        to->floats = rt_scratch(memory, count, sizeof *to->floats);
    if (to->codes == NULL && to->floats == NULL)
        return rt_sources_memory(m->from);
    RT_TRY(rt_values_start(&values, m->from, m->tensor));
    for (uint32_t row = 0; row < m->tensor->rows; row++)
        RT_TRY(rt_read_row(m, &values, p, row, to));
    return ADMMNN_RUNTIME_OK;
}

size_t rt_element_of(const rt_making *m, size_t row, size_t column) {
    return m->turned ? column * m->layer->rows + row : row * m->layer->columns + column;
}

bool rt_is_there(const rt_making *m, const rt_matrix *from, size_t i) {
    return from->codes != NULL ? rt_level_value(m->tensor, from->codes[i]) != 0.0F
                               : from->floats[i] != 0.0F;
}

/* ---- dense weights ---- */

/* How many weights a row has in each part but, maybe, the last. */
static size_t width_of_parts(const rt_making *m) {
    const rt_tiling *tiling = &rt_making_user(m)->tiling;
    return (size_t)tiling->channels * tiling->window->kernel[0] * tiling->window->kernel[1];
}

/* The same of every part. */
static admmnn_runtime_status make_places(rt_making *m) {
    const size_t width = width_of_parts(m);
    uint32_t *places = rt_take(m->from->opening->memory, width, sizeof *places);
    if (places == NULL)
        return rt_sources_memory(m->from);
    for (uint32_t i = 0; i < width; i++)
        places[i] = (uint32_t)rt_tiling_place(&rt_making_user(m)->tiling, i);
    m->layer->places = places;
    return ADMMNN_RUNTIME_OK;
}

/* Which of the layer's values a weight is. */
static size_t dense_element(const rt_making *m, size_t row, uint32_t column) {
    const rt_layer *layer = m->layer;
    if (!rt_making_user(m)->tiled)
        return row * layer->columns + column;
    const size_t width = width_of_parts(m);
    const size_t first = rt_tiling_part(&rt_making_user(m)->tiling, column) * width;
    return first * layer->rows + row * rt_smaller(width, layer->columns - first) + column - first;
}

static void put_dense_row(rt_making *m, const rt_matrix *from, uint32_t row) {
    for (uint32_t column = 0; column < m->layer->columns; column++) {
        const size_t i = rt_element_of(m, row, column);
        const size_t to = dense_element(m, row, column);
        if (m->layer->float_values)
            ((float *)m->layer->values)[to] = from->floats[i];
        else
            ((int8_t *)m->layer->values)[to] = (int8_t)from->codes[i];
    }
}

admmnn_runtime_status rt_dense_of_matrix(rt_making *m, const rt_matrix *from) {
    rt_layer *layer = m->layer;
    const size_t count = rt_product(layer->rows, layer->columns, 1);
    layer->form = RT_DENSE;
    layer->float_values = from->codes == NULL;
    layer->step = m->tensor->step;
    rt_cut_rows(m, count);
    layer->values = rt_take(m->from->opening->memory, count,
                            layer->float_values ? sizeof(float) : sizeof(int8_t));
    if (layer->values == NULL)
        return rt_sources_memory(m->from);
    if (rt_making_user(m)->tiled)
        RT_TRY(make_places(m));
    for (uint32_t row = 0; row < layer->rows; row++)
        put_dense_row(m, from, row);
    return ADMMNN_RUNTIME_OK;
}
