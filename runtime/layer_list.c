/* Lists of weights, and those of words. */
#include <string.h>

#include "layer_making.h"

/* Symbols of a list are bytes. */
#define SYMBOLS_MOST 256U
/* Weights that a part of a row has on the average at least where words are cut into parts: each
 * costs its start and a vector that is not full. */
#define WORDS_LEAST 64U

bool rt_has_symbols(const rt_tensor *tensor) {
    return tensor->levels && 2 * rt_level_count(tensor) <= SYMBOLS_MOST;
}

static uint8_t symbol_of(const rt_tensor *tensor, int32_t code) {
    const int32_t levels = (int32_t)rt_level_count(tensor);
    return (uint8_t)(code > 0 ? code - 1 : levels - code - 1);
}

uint32_t rt_symbol_bits(const rt_tensor *tensor) {
    uint32_t bits = 1;
    while ((uint32_t)1 << bits < 2 * rt_level_count(tensor))
        bits++;
    return bits;
}

/* ---- words ---- */

/* Whether kernels run it as inner products. */
static bool is_product(const rt_making *m) {
    return !rt_making_user(m)->tiled && rt_making_user(m)->op != PACK_OP_TRANSPOSED_CONV;
}

bool rt_words_pay(const rt_making *m, uint64_t kept) {
    const rt_layer *layer = m->layer;
    if (!rt_has_symbols(m->tensor) || layer->wide_places || !is_product(m))
        return false;
    const uint64_t parts = rt_words_parts(layer);
    return parts == 1 || kept / WORDS_LEAST >= parts * layer->rows;
}

/* Of what is not dense. */
static void choose_list(rt_making *m, size_t kept) {
    m->layer->kept = (uint32_t)kept;
    m->layer->float_values = !rt_has_symbols(m->tensor);
    if (rt_words_pay(m, kept))
        m->layer->form = RT_WORDS;
}

/* ---- values ---- */

void rt_fill_table(const rt_tensor *tensor, float step, float *table) {
    const uint32_t levels = rt_level_count(tensor);
    rt_tensor own = *tensor;
    own.step = step;
    for (uint32_t i = 0; i < levels; i++) {
        table[i] = rt_level_value(&own, (int32_t)i + 1);
        table[levels + i] = rt_level_value(&own, -(int32_t)i - 1);
    }
}

static admmnn_runtime_status make_table(rt_making *m) {
    m->layer->table = rt_take(m->from->opening->memory, (size_t)1 << m->layer->symbol_bits,
                              sizeof *m->layer->table);
    if (m->layer->table == NULL)
        return rt_sources_memory(m->from);
    rt_fill_table(m->tensor, m->tensor->step, m->layer->table);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status take_values(rt_making *m) {
    rt_layer *layer = m->layer;
    if (!layer->float_values)
        RT_TRY(make_table(m));
    if (layer->form == RT_WORDS)
        return ADMMNN_RUNTIME_OK;
    layer->values = rt_take(m->from->opening->memory, layer->kept,
                            layer->float_values ? sizeof(float) : sizeof(uint8_t));
    return layer->values != NULL ? ADMMNN_RUNTIME_OK : rt_sources_memory(m->from);
}

static void put_word(rt_making *m, size_t i, uint32_t column, int32_t code) {
    const rt_layer *layer = m->layer;
    const size_t place = column % rt_words_width(layer);
    ((uint16_t *)layer->places)[i] =
        (uint16_t)(place << layer->symbol_bits | symbol_of(m->tensor, code));
}

static void put_weight(rt_making *m, size_t i, uint32_t column, int32_t code, float value) {
    if (m->layer->form == RT_WORDS) {
        put_word(m, i, column, code);
        return;
    }
    if (m->layer->float_values)
        ((float *)m->layer->values)[i] = value;
    else
        ((uint8_t *)m->layer->values)[i] = symbol_of(m->tensor, code);
    rt_put_place(m, i, column);
}

/* ---- of positions ---- */

static admmnn_runtime_status cut_positions(rt_making *m, rt_positions *p) {
    if (m->layer->form == RT_LIST)
        RT_TRY(rt_copy_columns(m, p));
    RT_TRY(rt_take_cells(m));
    for (size_t row = 0; row < m->layer->rows; row++)
        for (size_t i = p->starts[row]; i < p->starts[row + 1]; i++)
            rt_count_place(m, row, rt_column(p, i));
    rt_end_count(m);
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_list_of_positions(rt_making *m, rt_positions *p) {
    const size_t mark = rt_scratch_mark(m->from->opening->memory);
    rt_values values;
    choose_list(m, p->kept);
    RT_TRY(take_values(m));
    rt_cut_rows(m, p->kept);
    m->layer->starts = p->starts;
    m->layer->places = p->columns;
    if (m->layer->parts > 1)
        RT_TRY(cut_positions(m, p));
    RT_TRY(rt_values_start(&values, m->from, m->tensor));
    for (uint32_t row = 0; row < m->tensor->rows; row++) {
        for (size_t i = p->starts[row]; i < p->starts[row + 1]; i++) {
            int32_t code = 0;
            float value = 0.0F;
            const uint32_t column = rt_column(p, i);
            RT_TRY(rt_values_next(&values, row, column, &code, &value));
            put_weight(m, m->layer->parts > 1 ? rt_take_place(m, row, column) : i, column, code,
                       value);
            m->tensor->kept += value != 0.0F;
        }
    }
    if (m->layer->parts > 1)
        rt_end_places(m);
    rt_scratch_release(m->from->opening->memory, mark);
    return rt_jag_words(m);
}

/* ---- of a matrix ---- */

static void count_row(rt_making *m, const rt_matrix *from, uint32_t row) {
    for (uint32_t column = 0; column < m->layer->columns; column++)
        if (rt_is_there(m, from, rt_element_of(m, row, column)))
            rt_count_place(m, row, column);
}

static void put_row(rt_making *m, const rt_matrix *from, uint32_t row) {
    for (uint32_t column = 0; column < m->layer->columns; column++) {
        const size_t i = rt_element_of(m, row, column);
        if (rt_is_there(m, from, i))
            put_weight(m, rt_take_place(m, row, column), column,
                       from->codes != NULL ? from->codes[i] : 0,
                       from->codes != NULL ? 0.0F : from->floats[i]);
    }
}

admmnn_runtime_status rt_list_of_matrix(rt_making *m, const rt_matrix *from) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    choose_list(m, (size_t)m->tensor->kept);
    rt_cut_rows(m, (size_t)m->tensor->kept);
    RT_TRY(rt_take_cells(m));
    layer->places = rt_take(memory, (size_t)m->tensor->kept + RT_WORDS_SLACK,
                            layer->wide_places ? sizeof(uint32_t) : sizeof(uint16_t));
    if (layer->places == NULL)
        return rt_sources_memory(m->from);
    RT_TRY(take_values(m));
    for (uint32_t row = 0; row < layer->rows; row++)
        count_row(m, from, row);
    rt_end_count(m);
    for (uint32_t row = 0; row < layer->rows; row++)
        put_row(m, from, row);
    rt_end_places(m);
    return rt_jag_words(m);
}
