/* Bands: filters that share places. */
#include "layer_making.h"

/* Goes through the columns that any row of a band has, of the file's positions or of a matrix. */
typedef struct joint {
    const rt_making *m;
    const rt_positions *positions; /* or NULL */
    const rt_matrix *matrix;
    size_t row, rows;
    size_t at[RT_BAND_ROWS]; /* of positions: the next of each row */
    uint32_t column;         /* what was found, and then the next */
} joint;

static joint joint_of(const rt_making *m, const rt_positions *positions, const rt_matrix *matrix,
                      size_t band) {
    const size_t row = band * RT_BAND_ROWS;
    joint j = {m, positions, matrix, row, rt_smaller(RT_BAND_ROWS, m->layer->rows - row), {0}, 0};
    for (size_t r = 0; positions != NULL && r < j.rows; r++)
        j.at[r] = positions->starts[row + r];
    return j;
}

/* Columns rise in each row. */
static bool next_of_positions(joint *j, uint32_t *column) {
    const rt_positions *p = j->positions;
    bool found = false;
    for (size_t r = 0; r < j->rows; r++) {
        if (j->at[r] == p->starts[j->row + r + 1] || (found && rt_column(p, j->at[r]) >= *column))
            continue;
        *column = rt_column(p, j->at[r]);
        found = true;
    }
    for (size_t r = 0; found && r < j->rows; r++)
        if (j->at[r] < p->starts[j->row + r + 1])
            j->at[r] += rt_column(p, j->at[r]) == *column;
    return found;
}

static bool next_of_matrix(joint *j, uint32_t *column) {
    for (; j->column < j->m->layer->columns; j->column++)
        for (size_t r = 0; r < j->rows; r++)
            if (rt_is_there(j->m, j->matrix, rt_element_of(j->m, j->row + r, j->column))) {
                *column = j->column++;
                return true;
            }
    return false;
}

static bool next_column(joint *j, uint32_t *column) {
    return j->positions != NULL ? next_of_positions(j, column) : next_of_matrix(j, column);
}

size_t rt_bands_count(const rt_making *m, const rt_positions *positions, const rt_matrix *matrix) {
    size_t count = 0;
    for (size_t band = 0; band < rt_layer_bands(m->layer); band++) {
        joint j = joint_of(m, positions, matrix, band);
        uint32_t column;
        while (next_column(&j, &column))
            count++;
    }
    return count;
}

static void count_places(rt_making *m, const rt_positions *positions, const rt_matrix *matrix) {
    for (size_t band = 0; band < rt_layer_bands(m->layer); band++) {
        joint j = joint_of(m, positions, matrix, band);
        uint32_t column;
        while (next_column(&j, &column))
            rt_count_place(m, band, column);
    }
    rt_end_count(m);
}

static void put_places(rt_making *m, const rt_positions *positions, const rt_matrix *matrix) {
    for (size_t band = 0; band < rt_layer_bands(m->layer); band++) {
        joint j = joint_of(m, positions, matrix, band);
        uint32_t column;
        while (next_column(&j, &column))
            rt_put_place(m, rt_take_place(m, band, column), column);
    }
    rt_end_places(m);
}

/* The bands' places, and values that are zero. */
static admmnn_runtime_status begin_bands(rt_making *m, const rt_positions *positions,
                                         const rt_matrix *matrix) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    layer->form = RT_BANDS;
    layer->kept = (uint32_t)rt_bands_count(m, positions, matrix);
    layer->float_values = !m->tensor->levels;
    layer->step = m->tensor->step;
    rt_cut_rows(m, (size_t)layer->kept * RT_BAND_ROWS);
    RT_TRY(rt_take_cells(m));
    layer->places =
        rt_take(memory, layer->kept, layer->wide_places ? sizeof(uint32_t) : sizeof(uint16_t));
    layer->values = rt_take(memory, rt_product(layer->kept, RT_BAND_ROWS, 1),
                            layer->float_values ? sizeof(float) : sizeof(int8_t));
    if (layer->places == NULL || layer->values == NULL)
        return rt_sources_memory(m->from);
    count_places(m, positions, matrix);
    put_places(m, positions, matrix);
    return ADMMNN_RUNTIME_OK;
}

/* Columns of a row come in order, as they stand in a cell: `from` is the last that was found. */
static size_t find_place(const rt_making *m, size_t row, uint32_t column, size_t from) {
    const size_t place = rt_place_of(m, column);
    const uint32_t *starts = m->layer->starts + rt_cell_of(m, row / RT_BAND_ROWS, column);
    size_t i = from >= starts[0] && from < starts[1] ? from : starts[0];
    while (rt_layer_place(m->layer, i) != place)
        i++;
    return i;
}

static void put_banded(rt_making *m, size_t row, size_t place, int32_t code, float value) {
    const size_t to = place * RT_BAND_ROWS + row % RT_BAND_ROWS;
    if (m->layer->float_values)
        ((float *)m->layer->values)[to] = value;
    else
        ((int8_t *)m->layer->values)[to] = (int8_t)code;
}

admmnn_runtime_status rt_bands_of_positions(rt_making *m, rt_positions *p, size_t mark) {
    rt_memory *memory = m->from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    rt_values values;
    RT_TRY(rt_copy_columns(m, p));
    RT_TRY(rt_copy_starts(m, p));
    rt_release(memory, mark);
    RT_TRY(begin_bands(m, p, NULL));
    RT_TRY(rt_values_start(&values, m->from, m->tensor));
    for (uint32_t row = 0; row < m->tensor->rows; row++) {
        size_t place = 0;
        for (size_t i = p->starts[row]; i < p->starts[row + 1]; i++) {
            int32_t code = 0;
            float value = 0.0F;
            const uint32_t column = rt_column(p, i);
            RT_TRY(rt_values_next(&values, row, column, &code, &value));
            place = find_place(m, row, column, place);
            put_banded(m, row, place, code, value);
            m->tensor->kept += value != 0.0F;
        }
    }
    rt_scratch_release(memory, scratch);
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_bands_of_matrix(rt_making *m, const rt_matrix *from) {
    RT_TRY(begin_bands(m, NULL, from));
    for (uint32_t row = 0; row < m->layer->rows; row++) {
        size_t place = 0;
        for (uint32_t column = 0; column < m->layer->columns; column++) {
            const size_t i = rt_element_of(m, row, column);
            if (!rt_is_there(m, from, i))
                continue;
            place = find_place(m, row, column, place);
            put_banded(m, row, place, from->codes != NULL ? from->codes[i] : 0,
                       from->codes != NULL ? 0.0F : from->floats[i]);
        }
    }
    return ADMMNN_RUNTIME_OK;
}
