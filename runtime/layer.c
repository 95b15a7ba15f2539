#include "layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

/* Symbols of a list are bytes, and so are a dense layer's codes. */
#define SYMBOLS_MOST 256U
#define CODE_MOST 127U

/* What a tile of outputs reads at once is to stay in the first cache, of 32 KiB on most
 * processors; but a part of a row shorter than this costs more than it gains. */
#define PART_BYTES 24576U
#define PART_LEAST 8U

/* ---- where weights find their inputs ---- */

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return (a + b - 1) / b;
}

bool rt_frame_find(const rt_value *values, rt_node *node) {
    const rt_shape *in = &values[node->operands[0]].shape;
    const rt_window *w = &node->as.conv.window;
    rt_frame *frame = &node->as.conv.frame;
    const uint64_t height = (uint64_t)rt_shape_height(in) + w->pad[0] + w->pad_end[0];
    const uint64_t width = (uint64_t)rt_shape_width(in) + w->pad[1] + w->pad_end[1];
    const uint64_t segment = divide_up(width, w->stride[1]);
    const uint64_t pitch = segment * w->stride[1]; /* below 2^22 */
    frame->copied = height > rt_shape_height(in) || pitch > rt_shape_width(in) || w->stride[1] > 1;
    if (height * pitch > PACK_ELEMENTS_MAX / rt_shape_channels(in) ||
        height * pitch > SIZE_MAX / sizeof(float) / 2 / rt_shape_channels(in))
        return false;
    frame->segment = (size_t)segment;
    frame->pitch = (size_t)pitch;
    frame->plane = (size_t)(height * pitch);
    return true;
}

size_t rt_frame_count(const rt_conv *conv, const rt_shape *in) {
    return conv->frame.copied ? conv->frame.plane * rt_shape_channels(in) : 0;
}

/* Where the input of a convolution's column stands, from that of the output's first place on. */
static size_t conv_place(const rt_conv *conv, uint32_t column) {
    const rt_window *w = &conv->window;
    const size_t block = (size_t)w->kernel[0] * w->kernel[1];
    const size_t tap = column % block;
    const size_t y = tap / w->kernel[1] * w->dilation[0];
    const size_t x = tap % w->kernel[1] * w->dilation[1];
    return column / block * conv->frame.plane + y * conv->frame.pitch +
           x % w->stride[1] * conv->frame.segment + x / w->stride[1];
}

/* Of the user's operation; of a matmul's transposed weights, a column is an input's row of
 * samples. */
static size_t place_of(const rt_network *network, const rt_tensor *tensor, uint32_t column) {
    const rt_value *user = &network->values[tensor->user];
    if (user->node->op == PACK_OP_CONV)
        return conv_place(&user->node->as.conv, column);
    if (user->node->op == PACK_OP_MATMUL)
        return column * rt_linear_count(network, user->node);
    return column;
}

/* No place is further. */
static size_t furthest_place(const rt_network *network, const rt_tensor *tensor) {
    const rt_node *node = network->values[tensor->user].node;
    if (node->op == PACK_OP_CONV)
        return tensor->columns / tensor->block * node->as.conv.frame.plane - 1;
    const bool turned = node->op == PACK_OP_MATMUL;
    return place_of(network, tensor, (turned ? tensor->rows : tensor->columns) - 1);
}

size_t rt_linear_count(const rt_network *network, const rt_node *node) {
    const rt_shape *left = &network->values[node->operands[0]].shape;
    return rt_shape_extent(left, 0, left->rank - 1);
}

/* ---- lists ---- */

/* A layer as it is made. */
typedef struct making {
    rt_sources *from;
    rt_tensor *tensor;
    rt_layer *layer;
    bool turned; /* rows of the layer are columns of the parameter */
} making;

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

static admmnn_runtime_status make_table(making *m) {
    const uint32_t levels = rt_level_count(m->tensor);
    m->layer->table = rt_take(m->from->opening->memory, 2 * levels, sizeof *m->layer->table);
    if (m->layer->table == NULL)
        return rt_sources_memory(m->from);
    for (uint32_t i = 0; i < levels; i++) {
        m->layer->table[i] = rt_level_value(m->tensor, (int32_t)i + 1);
        m->layer->table[levels + i] = rt_level_value(m->tensor, -(int32_t)i - 1);
    }
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status take_values(making *m, size_t kept) {
    rt_layer *layer = m->layer;
    layer->kept = (uint32_t)kept;
    layer->float_values = !has_symbols(m->tensor);
    if (!layer->float_values)
        RT_TRY(make_table(m));
    layer->values = rt_take(m->from->opening->memory, kept,
                            layer->float_values ? sizeof(float) : sizeof(uint8_t));
    return layer->values != NULL ? ADMMNN_RUNTIME_OK : rt_sources_memory(m->from);
}

static void put_value(making *m, size_t i, int32_t code, float value) {
    if (m->layer->float_values)
        ((float *)m->layer->values)[i] = value;
    else
        ((uint8_t *)m->layer->values)[i] = symbol_of(m->tensor, code);
}

static void put_place(const making *m, size_t i, uint32_t column) {
    const size_t place = place_of(m->from->opening->network, m->tensor, column);
    if (m->layer->wide_places)
        ((uint32_t *)m->layer->places)[i] = (uint32_t)place;
    else
        ((uint16_t *)m->layer->places)[i] = (uint16_t)place;
}

/* The places of the file become the layer's, of the same width, with a value for each. */
static admmnn_runtime_status list_of_positions(making *m, rt_positions *p) {
    const size_t mark = rt_scratch_mark(m->from->opening->memory);
    rt_values values;
    RT_TRY(take_values(m, p->kept));
    RT_TRY(rt_values_start(&values, m->from, m->tensor));
    m->layer->starts = p->starts;
    m->layer->places = p->columns;
    for (uint32_t row = 0; row < m->tensor->rows; row++) {
        for (size_t i = p->starts[row]; i < p->starts[row + 1]; i++) {
            int32_t code = 0;
            float value = 0.0F;
            const uint32_t column = rt_column(p, i);
            RT_TRY(rt_values_next(&values, row, column, &code, &value));
            put_value(m, i, code, value);
            put_place(m, i, column);
            m->tensor->kept += value != 0.0F;
        }
    }
    rt_scratch_release(m->from->opening->memory, mark);
    return ADMMNN_RUNTIME_OK;
}

/* ---- parts of a convolution's rows ---- */

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Channels whose input a tile of some 8 lines of 8 outputs or 4 of 32 reads at once. */
static size_t channels_of_tile(const rt_conv *conv, size_t out_width) {
    const rt_window *w = &conv->window;
    const size_t height = (size_t)w->kernel[0] * w->dilation[0];
    const size_t width = (size_t)w->kernel[1] * w->dilation[1];
    const size_t lines = (out_width < 16 ? 8 : 4) * (size_t)w->stride[0] + height;
    const size_t columns = smaller(conv->frame.pitch, 32 + width);
    const size_t channels = PART_BYTES / rt_product(lines, columns, sizeof(float));
    return channels == 0 ? 1 : channels;
}

/* How many channels of its input a part of a row's list is of. */
static size_t channels_of_part(const making *m, const rt_value *user) {
    const rt_layer *layer = m->layer;
    const size_t channels = m->tensor->columns / m->tensor->block;
    const size_t parts = layer->kept / layer->rows / PART_LEAST; /* at most */
    const size_t cached = channels_of_tile(&user->node->as.conv, rt_shape_width(&user->shape));
    if (parts < 2 || rt_shape_count(&user->shape) == layer->rows)
        return channels;
    const size_t least = (channels + parts - 1) / parts;
    return cached < least ? least : smaller(cached, channels);
}

/* Places of a channel follow those of the channels before it. */
static admmnn_runtime_status cut_rows(making *m) {
    rt_layer *layer = m->layer;
    const rt_value *user = &m->from->opening->network->values[m->tensor->user];
    layer->parts = 1;
    if (user->node->op != PACK_OP_CONV)
        return ADMMNN_RUNTIME_OK;
    const size_t channels = m->tensor->columns / m->tensor->block;
    const size_t together = channels_of_part(m, user);
    const size_t parts = (channels + together - 1) / together;
    if (parts == 1)
        return ADMMNN_RUNTIME_OK;
    uint32_t *starts =
        rt_take(m->from->opening->memory, rt_product(layer->rows, parts, 1) + 1, sizeof *starts);
    if (starts == NULL)
        return rt_sources_memory(m->from);
    for (size_t row = 0; row < layer->rows; row++) {
        size_t i = layer->starts[row];
        for (size_t part = 0; part < parts; part++) {
            const size_t end = (part + 1) * together * user->node->as.conv.frame.plane;
            while (i < layer->starts[row + 1] && rt_layer_place(layer, i) < end)
                i++;
            starts[row * parts + part + 1] = (uint32_t)i;
        }
    }
    layer->starts = starts;
    layer->parts = (uint32_t)parts;
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

static admmnn_runtime_status list_of_matrix(making *m, const matrix *from) {
    rt_layer *layer = m->layer;
    rt_memory *memory = m->from->opening->memory;
    size_t at = 0;
    layer->starts = rt_take(memory, (size_t)layer->rows + 1, sizeof *layer->starts);
    layer->places = rt_take(memory, (size_t)m->tensor->kept,
                            layer->wide_places ? sizeof(uint32_t) : sizeof(uint16_t));
    if (layer->starts == NULL || layer->places == NULL)
        return rt_sources_memory(m->from);
    RT_TRY(take_values(m, (size_t)m->tensor->kept));
    for (uint32_t row = 0; row < layer->rows; row++) {
        for (uint32_t column = 0; column < layer->columns; column++) {
            const size_t i = element_of(m, row, column);
            const int32_t code = from->codes != NULL ? from->codes[i] : 0;
            const float value =
                from->codes != NULL ? rt_level_value(m->tensor, code) : from->floats[i];
            if (value == 0.0F)
                continue;
            put_value(m, at, code, value);
            put_place(m, at++, column);
        }
        layer->starts[row + 1] = (uint32_t)at;
    }
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status dense_of_matrix(making *m, const matrix *from) {
    rt_layer *layer = m->layer;
    const size_t count = rt_product(layer->rows, layer->columns, 1);
    layer->form = RT_DENSE;
    layer->float_values = from->codes == NULL;
    layer->step = m->tensor->step;
    layer->values = rt_take(m->from->opening->memory, count,
                            layer->float_values ? sizeof(float) : sizeof(int8_t));
    if (layer->values == NULL)
        return rt_sources_memory(m->from);
    if (layer->float_values)
        memcpy(layer->values, from->floats, count * sizeof(float));
    for (size_t i = 0; !layer->float_values && i < count; i++)
        ((int8_t *)layer->values)[i] = (int8_t)from->codes[i];
    return ADMMNN_RUNTIME_OK;
}

static bool dense_pays(const making *m, uint64_t kept) {
    const rt_network *network = m->from->opening->network;
    const rt_tensor *tensor = m->tensor;
    if (network->values[tensor->user].node->op != PACK_OP_INNER_PRODUCT || !may_be_dense(tensor))
        return false;
    const double dense = (double)tensor->rows * tensor->columns * network->kernels->dense_cost;
    return dense < (double)kept * network->kernels->list_cost;
}

/* The list of the file's positions, at the memory's mark, is given up. */
static admmnn_runtime_status layer_of_matrix(making *m, const rt_positions *p, size_t mark) {
    rt_memory *memory = m->from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    matrix whole = {NULL, NULL};
    RT_TRY(read_matrix(m, p, &whole));
    rt_release(memory, mark);
    RT_TRY(dense_pays(m, m->tensor->kept) ? dense_of_matrix(m, &whole) : list_of_matrix(m, &whole));
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
    m->layer->wide_places = furthest_place(network, m->tensor) > UINT16_MAX;
    m->layer->low = -INFINITY;
    m->layer->high = INFINITY;
    positions.wide = m->layer->wide_places || m->tensor->columns - 1 > UINT16_MAX;
    const size_t mark = rt_mark(memory);
    RT_TRY(rt_positions_read(m->from, m->tensor, &positions));
    if (positions.all || m->turned || dense_pays(m, positions.kept))
        RT_TRY(layer_of_matrix(m, &positions, mark));
    else
        RT_TRY(list_of_positions(m, &positions));
    return m->layer->form == RT_LIST ? cut_rows(m) : ADMMNN_RUNTIME_OK;
}

/* ---- floats ---- */

static admmnn_runtime_status read_floats(rt_sources *from, rt_tensor *tensor) {
    rt_memory *memory = from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    making m = {from, tensor, NULL, false};
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
    making m = {from, tensor, NULL, false};
    return tensor->user != 0 ? read_layer(&m) : read_floats(from, tensor);
}
