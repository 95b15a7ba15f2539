#include "layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "tiling.h"

/* Symbols of a list are bytes, and so are a dense layer's codes. */
#define SYMBOLS_MOST 256U
#define CODE_MOST 127U
/* Weights that a part of a row has on the average at least where words are cut into parts: each
 * costs its start and a vector that is not full. */
#define WORDS_LEAST 64U

/* ---- where weights find their inputs ---- */

/* One image of a linear matmul's left side, turned: a channel for every column of it. */
static const rt_window one_by_one = {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};

size_t rt_linear_count(const rt_network *network, const rt_node *node) {
    const rt_shape *left = &network->values[node->operands[0]].shape;
    return rt_shape_extent(left, 0, left->rank - 1);
}

/* Whether a convolution's window is its whole input: an inner product of each group. */
static bool covers(const rt_window *w, const rt_shape *in) {
    return w->kernel[0] == rt_shape_height(in) && w->kernel[1] == rt_shape_width(in) &&
           w->pad[0] + w->pad_end[0] + w->pad[1] + w->pad_end[1] == 0;
}

bool rt_layer_plan(const rt_network *network, const rt_value *value) {
    rt_node *node = value->node;
    const rt_shape *from = &network->values[node->operands[0]].shape;
    if (node->op == PACK_OP_CONV && !covers(&node->as.conv.window, from)) {
        const uint32_t in[2] = {rt_shape_height(from), rt_shape_width(from)};
        const uint32_t out[2] = {rt_shape_height(&value->shape), rt_shape_width(&value->shape)};
        node->tiled = true;
        return rt_tiling_find(network->kernels, &node->as.conv.window, in, out, &node->tiling);
    }
    if (node->linear && rt_linear_count(network, node) > 1) {
        const uint32_t plane[2] = {1, (uint32_t)rt_linear_count(network, node)};
        node->tiled = true;
        return rt_tiling_find(network->kernels, &one_by_one, plane, plane, &node->tiling);
    }
    return true;
}

static const rt_node *user_of(const rt_network *network, const rt_tensor *tensor) {
    return network->values[tensor->user].node;
}

/* Of a matmul's transposed weights, a column is an input's row of samples. */
static size_t place_of(const rt_network *network, const rt_tensor *tensor, uint32_t column) {
    const rt_node *user = user_of(network, tensor);
    return user->tiled ? rt_tiling_place(&user->tiling, column) : column;
}

/* Whether a place may be more than 16 bits tell. A panel's parts are cut so that few are. */
static bool has_wide_places(const rt_network *network, const rt_tensor *tensor, uint32_t columns) {
    const rt_node *user = user_of(network, tensor);
    const size_t places = user->tiled ? user->tiling.channel : columns;
    return places - 1 > UINT16_MAX;
}

/* ---- a layer as it is made ---- */

typedef struct making {
    rt_sources *from;
    rt_tensor *tensor;
    rt_layer *layer;
    bool turned;  /* rows of the layer are columns of the parameter */
    size_t found; /* of bands: the last weight's place in their lists */
} making;

static const rt_tiling *tiling_of(const making *m) {
    return &user_of(m->from->opening->network, m->tensor)->tiling;
}

static bool is_tiled(const making *m) {
    return user_of(m->from->opening->network, m->tensor)->tiled;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool has_symbols(const rt_tensor *tensor) {
    return tensor->levels && 2 * rt_level_count(tensor) <= SYMBOLS_MOST;
}

/* Whether the values can be dense: floats, or codes of a byte that stand for their multiple of
 * the interval. */
static bool may_be_dense(const rt_tensor *tensor) {
    return !tensor->levels ||
           (tensor->level_kind != PACK_KIND_POWER_OF_TWO && rt_level_count(tensor) <= CODE_MOST);
}

static uint8_t symbol_of(const rt_tensor *tensor, int32_t code) {
    const int32_t levels = (int32_t)rt_level_count(tensor);
    return (uint8_t)(code > 0 ? code - 1 : levels - code - 1);
}

/* ---- words ---- */

static uint32_t symbol_bits_of(const rt_tensor *tensor) {
    uint32_t bits = 1;
    while ((uint32_t)1 << bits < 2 * rt_level_count(tensor))
        bits++;
    return bits;
}

static uint32_t word_parts(const rt_layer *layer) {
    return (uint32_t)((layer->columns - 1) / rt_words_width(layer)) + 1;
}

/* Whether kernels run it as inner products. */
static bool is_product(const making *m) {
    return !is_tiled(m) &&
           user_of(m->from->opening->network, m->tensor)->op != PACK_OP_TRANSPOSED_CONV;
}

/* Whether a list of so many weights becomes words. */
static bool words_pay(const making *m, uint64_t kept) {
    const rt_layer *layer = m->layer;
    if (!has_symbols(m->tensor) || layer->wide_places || !is_product(m))
        return false;
    const uint64_t parts = word_parts(layer);
    return parts == 1 || kept / WORDS_LEAST >= parts * layer->rows;
}

/* Of what is not dense. */
static void choose_list(making *m, size_t kept) {
    m->layer->kept = (uint32_t)kept;
    m->layer->float_values = !has_symbols(m->tensor);
    if (words_pay(m, kept))
        m->layer->form = RT_WORDS;
}

/* ---- values of lists ---- */

/* The values of a list's symbols, of levels of that interval. */
static void fill_table(const rt_tensor *tensor, float step, float *table) {
    const uint32_t levels = rt_level_count(tensor);
    rt_tensor own = *tensor;
    own.step = step;
    for (uint32_t i = 0; i < levels; i++) {
        table[i] = rt_level_value(&own, (int32_t)i + 1);
        table[levels + i] = rt_level_value(&own, -(int32_t)i - 1);
    }
}

static admmnn_runtime_status make_table(making *m) {
    m->layer->table = rt_take(m->from->opening->memory, (size_t)1 << m->layer->symbol_bits,
                              sizeof *m->layer->table);
    if (m->layer->table == NULL)
        return rt_sources_memory(m->from);
    fill_table(m->tensor, m->tensor->step, m->layer->table);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status take_values(making *m) {
    rt_layer *layer = m->layer;
    if (!layer->float_values)
        RT_TRY(make_table(m));
    if (layer->form == RT_WORDS)
        return ADMMNN_RUNTIME_OK;
    layer->values = rt_take(m->from->opening->memory, layer->kept,
                            layer->float_values ? sizeof(float) : sizeof(uint8_t));
    return layer->values != NULL ? ADMMNN_RUNTIME_OK : rt_sources_memory(m->from);
}

/* ---- parts of rows ---- */

/* Of a list of so many weights. */
static void cut_rows(making *m, size_t kept) {
    rt_node *user = m->from->opening->network->values[m->tensor->user].node;
    const rt_window *window = user->tiling.window;
    m->layer->parts = 1;
    if (is_tiled(m))
        m->layer->parts =
            rt_tiling_cut(&user->tiling, m->layer->columns / window->kernel[0] / window->kernel[1],
                          m->layer->rows, kept, m->layer->form);
    else if (m->layer->form == RT_WORDS)
        m->layer->parts = word_parts(m->layer);
}

static size_t bands_of(const rt_layer *layer) {
    return ((size_t)layer->rows + RT_BAND_ROWS - 1) / RT_BAND_ROWS;
}

/* Lists of a part: rows, or bands. */
static size_t lists_of(const rt_layer *layer) {
    return layer->form == RT_BANDS ? bands_of(layer) : layer->rows;
}

/* Which part of which list. */
static size_t cell_of(const making *m, size_t list, uint32_t column) {
    const rt_layer *layer = m->layer;
    if (layer->parts == 1)
        return list;
    if (layer->form == RT_WORDS)
        return list * layer->parts + column / rt_words_width(layer);
    return (size_t)rt_tiling_part(tiling_of(m), column) * lists_of(layer) + list;
}

/* Every weight, or place of a band, is first counted, from one list to the next, then put. */
static admmnn_runtime_status take_cells(making *m) {
    const size_t cells = rt_product(lists_of(m->layer), m->layer->parts, 1);
    m->layer->starts = rt_take(m->from->opening->memory, cells + 1, sizeof *m->layer->starts);
    return m->layer->starts != NULL ? ADMMNN_RUNTIME_OK : rt_sources_memory(m->from);
}

static void count_place(making *m, size_t list, uint32_t column) {
    m->layer->starts[cell_of(m, list, column) + 1]++;
}

static void end_count(making *m) {
    const size_t cells = lists_of(m->layer) * m->layer->parts;
    for (size_t i = 0; i < cells; i++)
        m->layer->starts[i + 1] += m->layer->starts[i];
}

static void put_word(making *m, size_t i, uint32_t column, int32_t code) {
    const rt_layer *layer = m->layer;
    const size_t place = column % rt_words_width(layer);
    ((uint16_t *)layer->places)[i] =
        (uint16_t)(place << layer->symbol_bits | symbol_of(m->tensor, code));
}

static void put_place(making *m, size_t i, uint32_t column) {
    const size_t place = place_of(m->from->opening->network, m->tensor, column);
    if (m->layer->wide_places)
        ((uint32_t *)m->layer->places)[i] = (uint32_t)place;
    else
        ((uint16_t *)m->layer->places)[i] = (uint16_t)place;
}

static void put_weight(making *m, size_t i, uint32_t column, int32_t code, float value) {
    if (m->layer->form == RT_WORDS) {
        put_word(m, i, column, code);
        return;
    }
    if (m->layer->float_values)
        ((float *)m->layer->values)[i] = value;
    else
        ((uint8_t *)m->layer->values)[i] = symbol_of(m->tensor, code);
    put_place(m, i, column);
}

/* The first free place of its cell; a cell's start stands at its end then. */
static size_t take_place(making *m, size_t list, uint32_t column) {
    return m->layer->starts[cell_of(m, list, column)]++;
}

static void end_places(making *m) {
    const size_t cells = lists_of(m->layer) * m->layer->parts;
    memmove(m->layer->starts + 1, m->layer->starts, cells * sizeof *m->layer->starts);
    m->layer->starts[0] = 0;
}

/* ---- lists ---- */

/* What is read from is another place than what is written, where rows are cut into parts. */
static admmnn_runtime_status copy_columns(making *m, rt_positions *p) {
    const size_t size = p->wide ? sizeof(uint32_t) : sizeof(uint16_t);
    void *columns = rt_scratch(m->from->opening->memory, p->kept, size);
    if (columns == NULL)
        return rt_sources_memory(m->from);
    memcpy(columns, p->columns, p->kept * size);
    p->columns = columns;
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status copy_starts(making *m, rt_positions *p) {
    const size_t count = (size_t)m->tensor->rows + 1;
    uint32_t *starts = rt_scratch(m->from->opening->memory, count, sizeof *starts);
    if (starts == NULL)
        return rt_sources_memory(m->from);
    memcpy(starts, p->starts, count * sizeof *starts);
    p->starts = starts;
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status cut_positions(making *m, rt_positions *p) {
    if (m->layer->form == RT_LIST)
        RT_TRY(copy_columns(m, p));
    RT_TRY(take_cells(m));
    for (size_t row = 0; row < m->layer->rows; row++)
        for (size_t i = p->starts[row]; i < p->starts[row + 1]; i++)
            count_place(m, row, rt_column(p, i));
    end_count(m);
    return ADMMNN_RUNTIME_OK;
}

/* The places of the file become the layer's, with a value for each. */
static admmnn_runtime_status list_of_positions(making *m, rt_positions *p) {
    const size_t mark = rt_scratch_mark(m->from->opening->memory);
    rt_values values;
    choose_list(m, p->kept);
    RT_TRY(take_values(m));
    cut_rows(m, p->kept);
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
            put_weight(m, m->layer->parts > 1 ? take_place(m, row, column) : i, column, code,
                       value);
            m->tensor->kept += value != 0.0F;
        }
    }
    if (m->layer->parts > 1)
        end_places(m);
    rt_scratch_release(m->from->opening->memory, mark);
    return ADMMNN_RUNTIME_OK;
}

/* ---- by way of the whole matrix ---- */

/* Codes, where lists have symbols, or floats: [rows][columns] of the parameter. */
typedef struct matrix {
    int16_t *codes;
    float *floats;
} matrix;

static admmnn_runtime_status read_row(making *m, rt_values *values, const rt_positions *p,
                                      uint32_t row, matrix *to) {
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

static admmnn_runtime_status read_matrix(making *m, const rt_positions *p, matrix *to) {
    rt_memory *memory = m->from->opening->memory;
    const size_t count = rt_product(m->tensor->rows, m->tensor->columns, 1);
    rt_values values;
    if (has_symbols(m->tensor))
        to->codes = rt_scratch(memory, count, sizeof *to->codes);
    else
        to->floats = rt_scratch(memory, count, sizeof *to->floats);
    if (to->codes == NULL && to->floats == NULL)
        return rt_sources_memory(m->from);
    RT_TRY(rt_values_start(&values, m->from, m->tensor));
    for (uint32_t row = 0; row < m->tensor->rows; row++)
        RT_TRY(read_row(m, &values, p, row, to));
    return ADMMNN_RUNTIME_OK;
}

static size_t element_of(const making *m, size_t row, size_t column) {
    return m->turned ? column * m->layer->rows + row : row * m->layer->columns + column;
}

static bool is_there(const making *m, const matrix *from, size_t i) {
    return from->codes != NULL ? rt_level_value(m->tensor, from->codes[i]) != 0.0F
                               : from->floats[i] != 0.0F;
}

static void count_row(making *m, const matrix *from, uint32_t row) {
    for (uint32_t column = 0; column < m->layer->columns; column++)
        if (is_there(m, from, element_of(m, row, column)))
            count_place(m, row, column);
}

static void put_row(making *m, const matrix *from, uint32_t row) {
    for (uint32_t column = 0; column < m->layer->columns; column++) {
        const size_t i = element_of(m, row, column);
        if (is_there(m, from, i))
            put_weight(m, take_place(m, row, column), column,
                       from->codes != NULL ? from->codes[i] : 0,
                       from->codes != NULL ? 0.0F : from->floats[i]);
    }
}

static admmnn_runtime_status list_of_matrix(making *m, const matrix *from) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    choose_list(m, (size_t)m->tensor->kept);
    cut_rows(m, (size_t)m->tensor->kept);
    RT_TRY(take_cells(m));
    layer->places = rt_take(memory, (size_t)m->tensor->kept + RT_WORDS_SLACK,
                            layer->wide_places ? sizeof(uint32_t) : sizeof(uint16_t));
    if (layer->places == NULL)
        return rt_sources_memory(m->from);
    RT_TRY(take_values(m));
    for (uint32_t row = 0; row < layer->rows; row++)
        count_row(m, from, row);
    end_count(m);
    for (uint32_t row = 0; row < layer->rows; row++)
        put_row(m, from, row);
    end_places(m);
    return ADMMNN_RUNTIME_OK;
}

/* ---- bands ---- */

/* Goes through the columns that any row of a band has, of the file's positions or of a matrix. */
typedef struct joint {
    const making *m;
    const rt_positions *positions; /* or NULL */
    const matrix *matrix;
    size_t row, rows;
    size_t at[RT_BAND_ROWS]; /* of positions: the next of each row */
    uint32_t column;         /* what was found, and then the next */
} joint;

static joint joint_of(const making *m, const rt_positions *positions, const matrix *matrix,
                      size_t band) {
    const size_t row = band * RT_BAND_ROWS;
    joint j = {m, positions, matrix, row, smaller(RT_BAND_ROWS, m->layer->rows - row), {0}, 0};
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
            if (is_there(j->m, j->matrix, element_of(j->m, j->row + r, j->column))) {
                *column = j->column++;
                return true;
            }
    return false;
}

static bool next_column(joint *j, uint32_t *column) {
    return j->positions != NULL ? next_of_positions(j, column) : next_of_matrix(j, column);
}

/* Places of all bands. */
static size_t count_joint(const making *m, const rt_positions *positions, const matrix *matrix) {
    size_t count = 0;
    for (size_t band = 0; band < bands_of(m->layer); band++) {
        joint j = joint_of(m, positions, matrix, band);
        uint32_t column;
        while (next_column(&j, &column))
            count++;
    }
    return count;
}

static void count_places(making *m, const rt_positions *positions, const matrix *matrix) {
    for (size_t band = 0; band < bands_of(m->layer); band++) {
        joint j = joint_of(m, positions, matrix, band);
        uint32_t column;
        while (next_column(&j, &column))
            count_place(m, band, column);
    }
    end_count(m);
}

static void put_places(making *m, const rt_positions *positions, const matrix *matrix) {
    for (size_t band = 0; band < bands_of(m->layer); band++) {
        joint j = joint_of(m, positions, matrix, band);
        uint32_t column;
        while (next_column(&j, &column))
            put_place(m, take_place(m, band, column), column);
    }
    end_places(m);
}

/* The bands' places, and values that are zero. */
static admmnn_runtime_status begin_bands(making *m, const rt_positions *positions,
                                         const matrix *matrix) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    layer->form = RT_BANDS;
    layer->kept = (uint32_t)count_joint(m, positions, matrix);
    layer->float_values = !m->tensor->levels;
    layer->step = m->tensor->step;
    cut_rows(m, (size_t)layer->kept * RT_BAND_ROWS);
    RT_TRY(take_cells(m));
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

/* Columns of a row come in order, as they stand in a cell. */
static size_t find_place(making *m, size_t row, uint32_t column) {
    const size_t place = place_of(m->from->opening->network, m->tensor, column);
    const uint32_t *starts = m->layer->starts + cell_of(m, row / RT_BAND_ROWS, column);
    size_t i = m->found >= starts[0] && m->found < starts[1] ? m->found : starts[0];
    while (rt_layer_place(m->layer, i) != place)
        i++;
    m->found = i;
    return i;
}

static void put_banded(making *m, size_t row, uint32_t column, int32_t code, float value) {
    const size_t to = find_place(m, row, column) * RT_BAND_ROWS + row % RT_BAND_ROWS;
    if (m->layer->float_values)
        ((float *)m->layer->values)[to] = value;
    else
        ((int8_t *)m->layer->values)[to] = (int8_t)code;
}

/* The list of the file's positions, at the memory's mark, is given up. */
static admmnn_runtime_status bands_of_positions(making *m, rt_positions *p, size_t mark) {
    rt_memory *memory = m->from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    rt_values values;
    RT_TRY(copy_columns(m, p));
    RT_TRY(copy_starts(m, p));
    rt_release(memory, mark);
    RT_TRY(begin_bands(m, p, NULL));
    RT_TRY(rt_values_start(&values, m->from, m->tensor));
    for (uint32_t row = 0; row < m->tensor->rows; row++) {
        m->found = 0;
        for (size_t i = p->starts[row]; i < p->starts[row + 1]; i++) {
            int32_t code = 0;
            float value = 0.0F;
            const uint32_t column = rt_column(p, i);
            RT_TRY(rt_values_next(&values, row, column, &code, &value));
            put_banded(m, row, column, code, value);
            m->tensor->kept += value != 0.0F;
        }
    }
    rt_scratch_release(memory, scratch);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status bands_of_matrix(making *m, const matrix *from) {
    RT_TRY(begin_bands(m, NULL, from));
    for (uint32_t row = 0; row < m->layer->rows; row++) {
        m->found = 0;
        for (uint32_t column = 0; column < m->layer->columns; column++) {
            const size_t i = element_of(m, row, column);
            if (is_there(m, from, i))
                put_banded(m, row, column, from->codes != NULL ? from->codes[i] : 0,
                           from->codes != NULL ? 0.0F : from->floats[i]);
        }
    }
    return ADMMNN_RUNTIME_OK;
}

/* ---- dense weights ---- */

/* How many weights a row has in each part but, maybe, the last. */
static size_t width_of_parts(const making *m) {
    const rt_tiling *tiling = tiling_of(m);
    return (size_t)tiling->channels * tiling->window->kernel[0] * tiling->window->kernel[1];
}

/* The same of every part. */
static admmnn_runtime_status make_places(making *m) {
    const size_t width = width_of_parts(m);
    uint32_t *places = rt_take(m->from->opening->memory, width, sizeof *places);
    if (places == NULL)
        return rt_sources_memory(m->from);
    for (uint32_t i = 0; i < width; i++)
        places[i] = (uint32_t)rt_tiling_place(tiling_of(m), i);
    m->layer->places = places;
    return ADMMNN_RUNTIME_OK;
}

/* Which of the layer's values a weight is. */
static size_t dense_element(const making *m, size_t row, uint32_t column) {
    const rt_layer *layer = m->layer;
    if (!is_tiled(m))
        return row * layer->columns + column;
    const size_t width = width_of_parts(m);
    const size_t first = rt_tiling_part(tiling_of(m), column) * width;
    return first * layer->rows + row * smaller(width, layer->columns - first) + column - first;
}

static void put_dense_row(making *m, const matrix *from, uint32_t row) {
    for (uint32_t column = 0; column < m->layer->columns; column++) {
        const size_t i = element_of(m, row, column);
        const size_t to = dense_element(m, row, column);
        if (m->layer->float_values)
            ((float *)m->layer->values)[to] = from->floats[i];
        else
            ((int8_t *)m->layer->values)[to] = (int8_t)from->codes[i];
    }
}

static admmnn_runtime_status dense_of_matrix(making *m, const matrix *from) {
    rt_layer *layer = m->layer;
    const size_t count = rt_product(layer->rows, layer->columns, 1);
    layer->form = RT_DENSE;
    layer->float_values = from->codes == NULL;
    layer->step = m->tensor->step;
    cut_rows(m, count);
    layer->values = rt_take(m->from->opening->memory, count,
                            layer->float_values ? sizeof(float) : sizeof(int8_t));
    if (layer->values == NULL)
        return rt_sources_memory(m->from);
    if (is_tiled(m))
        RT_TRY(make_places(m));
    for (uint32_t row = 0; row < layer->rows; row++)
        put_dense_row(m, from, row);
    return ADMMNN_RUNTIME_OK;
}

/* Whether dense kernels can run the layer: inner products, and tiles of two rows or more. */
static bool may_run_dense(const making *m) {
    const rt_node *user = user_of(m->from->opening->network, m->tensor);
    if (!may_be_dense(m->tensor))
        return false;
    if (user->tiled)
        return m->layer->rows > (user->op == PACK_OP_CONV ? user->as.conv.groups : 1);
    return user->op == PACK_OP_INNER_PRODUCT;
}

/* What a list of so many weights takes, and all of them dense. */
static double list_cost(const making *m, uint64_t kept) {
    const rt_kernels *kernels = m->from->opening->network->kernels;
    if (is_tiled(m))
        return (double)kept * kernels->tile_list_cost;
    return (double)kept * (words_pay(m, kept) ? kernels->words_cost : kernels->list_cost);
}

static double dense_cost(const making *m) {
    const rt_kernels *kernels = m->from->opening->network->kernels;
    return (double)m->tensor->rows * m->tensor->columns *
           (is_tiled(m) ? kernels->tile_dense_cost : kernels->dense_cost);
}

/* Whether bands can be made: tiles, of groups that whole bands make up. */
static bool may_run_banded(const making *m) {
    const rt_node *user = user_of(m->from->opening->network, m->tensor);
    const uint32_t groups = user->op == PACK_OP_CONV ? user->as.conv.groups : 1;
    return user->tiled && (groups == 1 || m->layer->rows / groups % RT_BAND_ROWS == 0) &&
           m->layer->rows > 1 && may_be_dense(m->tensor);
}

/* Which form is the fastest, of those that are allowed, of so many weights at those places. */
static rt_form form_of(const making *m, uint64_t kept, const rt_positions *positions,
                       const matrix *matrix) {
    const rt_opening *opening = m->from->opening;
    const rt_kernels *kernels = opening->network->kernels;
    double listed = list_cost(m, kept);
    rt_form form = RT_LIST;
    if (opening->weights == ADMMNN_RUNTIME_DENSE && may_run_dense(m))
        return RT_DENSE;
    if (may_run_banded(m)) {
        const double banded =
            (double)count_joint(m, positions, matrix) * RT_BAND_ROWS * kernels->tile_band_cost;
        form = banded < listed ? RT_BANDS : RT_LIST;
        listed = fmin(banded, listed);
    }
    return opening->weights == ADMMNN_RUNTIME_FASTEST && may_run_dense(m) && dense_cost(m) < listed
               ? RT_DENSE
               : form;
}

/* The list of the file's positions, at the memory's mark, is given up. */
static admmnn_runtime_status layer_of_matrix(making *m, const rt_positions *p, size_t mark) {
    rt_memory *memory = m->from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    matrix whole = {NULL, NULL};
    RT_TRY(read_matrix(m, p, &whole));
    rt_release(memory, mark);
    switch (form_of(m, m->tensor->kept, NULL, &whole)) {
    case RT_LIST:
        RT_TRY(list_of_matrix(m, &whole));
        break;
    case RT_BANDS:
        RT_TRY(bands_of_matrix(m, &whole));
        break;
    default:
        RT_TRY(dense_of_matrix(m, &whole));
        break;
    }
    rt_scratch_release(memory, scratch);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status read_layer(making *m) {
    const rt_network *network = m->from->opening->network;
    rt_memory *memory = m->from->opening->memory;
    rt_positions positions = {false, false, NULL, NULL, 0};
    m->layer = m->tensor->layer = rt_take(memory, 1, sizeof *m->layer);
    if (m->layer == NULL)
        return rt_sources_memory(m->from);
    m->turned = network->values[m->tensor->user].node->op == PACK_OP_MATMUL;
    m->layer->rows = m->turned ? m->tensor->columns : m->tensor->rows;
    m->layer->columns = m->turned ? m->tensor->rows : m->tensor->columns;
    m->layer->wide_places = has_wide_places(network, m->tensor, m->layer->columns);
    m->layer->symbol_bits = has_symbols(m->tensor) ? symbol_bits_of(m->tensor) : 0;
    m->layer->low = -INFINITY;
    m->layer->high = INFINITY;
    positions.wide = m->layer->wide_places || m->tensor->columns - 1 > UINT16_MAX;
    const size_t mark = rt_mark(memory);
    RT_TRY(rt_positions_read(m->from, m->tensor, &positions));
    if (positions.all || m->turned)
        return layer_of_matrix(m, &positions, mark);
    switch (form_of(m, positions.kept, &positions, NULL)) {
    case RT_LIST:
        return list_of_positions(m, &positions);
    case RT_BANDS:
        return bands_of_positions(m, &positions, mark);
    default:
        return layer_of_matrix(m, &positions, mark);
    }
}

/* ---- values of 8 bits ---- */

/* What one of a layer's weights, without its interval, is multiplied by. */
static double take_interval(rt_layer *layer, const rt_tensor *tensor) {
    if (layer->float_values)
        return 1.0;
    if (layer->table != NULL)
        fill_table(tensor, 1.0F, layer->table);
    layer->step = 1.0F;
    return (double)tensor->step;
}

static float held(double bound) {
    return (float)(bound < 0.0 ? 0.0 : bound > 255.5 ? 255.5 : bound);
}

admmnn_runtime_status rt_layer_code(const rt_opening *opening, const rt_tensor *tensor,
                                    const rt_numbers *in, const rt_numbers *out) {
    rt_layer *layer = tensor->layer;
    float *scale = rt_take(opening->memory, layer->rows, sizeof *scale);
    float *bias = rt_take(opening->memory, layer->rows, sizeof *bias);
    if (scale == NULL || bias == NULL)
        return rt_fail(opening->err,
                       opening->memory->bottom != NULL ? ADMMNN_RUNTIME_ARENA
                                                       : ADMMNN_RUNTIME_MEMORY,
                       "no memory for a layer of 8 bits", 0);
    const double made = out->coded ? (double)out->scale : 1.0;
    const double zero = out->coded ? out->zero + 0.5 : 0.0; /* and what rounds */
    const double factor =
        take_interval(layer, tensor) * (in->coded ? (double)in->scale : 1.0) / made;
    for (uint32_t r = 0; r < layer->rows; r++) {
        scale[r] = (float)(factor * (layer->scale == NULL ? 1.0 : (double)layer->scale[r]));
        bias[r] = (float)((layer->bias == NULL ? 0.0 : (double)layer->bias[r]) / made + zero);
    }
    layer->scale = scale;
    layer->bias = bias;
    layer->coded = out->coded;
    if (out->coded) {
        layer->low = held((double)layer->low / made + zero);
        layer->high = held((double)layer->high / made + zero);
    }
    return ADMMNN_RUNTIME_OK;
}

/* ---- floats ---- */

static admmnn_runtime_status read_floats(rt_sources *from, rt_tensor *tensor) {
    rt_memory *memory = from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    making m = {from, tensor, NULL, false, 0};
    rt_positions positions = {false, tensor->columns - 1 > UINT16_MAX, NULL, NULL, 0};
    matrix to = {NULL, NULL};
    tensor->floats = rt_take(memory, rt_product(tensor->rows, tensor->columns, 1) + RT_SLACK,
                             sizeof *tensor->floats);
    if (tensor->floats == NULL)
        return rt_sources_memory(from);
    const size_t mark = rt_mark(memory);
    rt_values values;
    to.floats = tensor->floats;
    RT_TRY(rt_positions_read(from, tensor, &positions));
    RT_TRY(rt_values_start(&values, from, tensor));
    for (uint32_t row = 0; row < tensor->rows; row++)
        RT_TRY(read_row(&m, &values, &positions, row, &to));
    rt_scratch_release(memory, scratch);
    rt_release(memory, mark);
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_layer_read(rt_sources *from, rt_tensor *tensor) {
    making m = {from, tensor, NULL, false, 0};
    return tensor->user != 0 ? read_layer(&m) : read_floats(from, tensor);
}
