#include "layer.h"

#include <math.h>

#include "layer_making.h"
#include "tiling.h"

/* A dense layer's codes are bytes. */
#define CODE_MOST 127U

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
        return rt_tiling_find(network->kernels, &node->as.conv.window, in, out, node->may_pool,
                              &node->tiling);
    }
    if (node->linear && rt_linear_count(network, node) > 1) {
        const uint32_t plane[2] = {1, (uint32_t)rt_linear_count(network, node)};
        node->tiled = true;
        return rt_tiling_find(network->kernels, &one_by_one, plane, plane, false, &node->tiling);
    }
    return true;
}

/* Whether a place may be more than 16 bits tell. A panel's parts are cut so that few are. */
static bool has_wide_places(const rt_making *m) {
    const rt_node *user = rt_making_user(m);
    const size_t places = user->tiled ? user->tiling.channel : m->layer->columns;
    return places - 1 > UINT16_MAX;
}

/* ---- which form ---- */

/* Whether the values can be dense: floats, or codes of a byte that stand for their multiple of
 * the interval. */
static bool may_be_dense(const rt_tensor *tensor) {
    return !tensor->levels ||
           (tensor->level_kind != PACK_KIND_POWER_OF_TWO && rt_level_count(tensor) <= CODE_MOST);
}

/* Whether dense kernels can run the layer: inner products, and tiles of two rows or more. */
static bool may_run_dense(const rt_making *m) {
    const rt_node *user = rt_making_user(m);
    if (!may_be_dense(m->tensor))
        return false;
    if (user->tiled)
        return m->layer->rows > (user->op == PACK_OP_CONV ? user->as.conv.groups : 1);
    return user->op == PACK_OP_INNER_PRODUCT;
}

/* What a list of so many weights takes, and all of them dense. */
static double list_cost(const rt_making *m, uint64_t kept) {
    const rt_kernels *kernels = m->from->opening->network->kernels;
    if (rt_making_user(m)->tiled)
        return (double)kept * kernels->tile_list_cost;
    return (double)kept * (rt_words_pay(m, kept) ? kernels->words_cost : kernels->list_cost);
}

static double dense_cost(const rt_making *m) {
    const rt_kernels *kernels = m->from->opening->network->kernels;
    return (double)m->tensor->rows * m->tensor->columns *
           (rt_making_user(m)->tiled ? kernels->tile_dense_cost : kernels->dense_cost);
}

/* Whether bands can be made: tiles, of groups that whole bands make up. */
static bool may_run_banded(const rt_making *m) {
    const rt_node *user = rt_making_user(m);
    const uint32_t groups = user->op == PACK_OP_CONV ? user->as.conv.groups : 1;
    return user->tiled && (groups == 1 || m->layer->rows / groups % RT_BAND_ROWS == 0) &&
           m->layer->rows > 1 && may_be_dense(m->tensor);
}

/* Which form is the fastest, of those that are allowed, of so many weights at those places. */
static rt_form form_of(const rt_making *m, uint64_t kept, const rt_positions *positions,
                       const rt_matrix *matrix) {
    const rt_opening *opening = m->from->opening;
    const rt_kernels *kernels = opening->network->kernels;
    double listed = list_cost(m, kept);
    rt_form form = RT_LIST;
    if (opening->weights == ADMMNN_RUNTIME_DENSE && may_run_dense(m))
        return RT_DENSE;
    if (may_run_banded(m)) {
        const double banded =
            (double)rt_bands_count(m, positions, matrix) * RT_BAND_ROWS * kernels->tile_band_cost;
        form = banded < listed ? RT_BANDS : RT_LIST;
        listed = fmin(banded, listed);
    }
    return opening->weights == ADMMNN_RUNTIME_FASTEST && may_run_dense(m) && dense_cost(m) < listed
               ? RT_DENSE
               : form;
}

/* ---- reading ---- */

/* The list of the file's positions, at the memory's mark, is given up. */
static admmnn_runtime_status layer_of_matrix(rt_making *m, const rt_positions *p, size_t mark) {
    rt_memory *memory = m->from->opening->memory;
    const size_t scratch = rt_scratch_mark(memory);
    rt_matrix whole = {NULL, NULL};
    RT_TRY(rt_read_matrix(m, p, &whole));
    rt_release(memory, mark);
    switch (form_of(m, m->tensor->kept, NULL, &whole)) {
    case RT_LIST:
        RT_TRY(rt_list_of_matrix(m, &whole));
        break;
    case RT_BANDS:
        RT_TRY(rt_bands_of_matrix(m, &whole));
        break;
    default:
        RT_TRY(rt_dense_of_matrix(m, &whole));
        break;
    }
    rt_scratch_release(memory, scratch);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status read_layer(rt_making *m) {
    rt_memory *memory = m->from->opening->memory;
    rt_positions positions = {false, false, NULL, NULL, 0};
    m->layer = m->tensor->layer = rt_take(memory, 1, sizeof *m->layer);
    if (m->layer == NULL)
        return rt_sources_memory(m->from);
    m->turned = rt_making_user(m)->op == PACK_OP_MATMUL;
    m->layer->rows = m->turned ? m->tensor->columns : m->tensor->rows;
    m->layer->columns = m->turned ? m->tensor->rows : m->tensor->columns;
    m->layer->wide_places = has_wide_places(m);
    m->layer->symbol_bits = rt_has_symbols(m->tensor) ? rt_symbol_bits(m->tensor) : 0;
    m->layer->low = -INFINITY;
    m->layer->high = INFINITY;
    positions.wide = m->layer->wide_places || m->tensor->columns - 1 > UINT16_MAX;
    const size_t mark = rt_mark(memory);
    RT_TRY(rt_positions_read(m->from, m->tensor, &positions));
    if (positions.all || m->turned)
        return layer_of_matrix(m, &positions, mark);
    switch (form_of(m, positions.kept, &positions, NULL)) {
    case RT_LIST:
        return rt_list_of_positions(m, &positions);
    case RT_BANDS:
        return rt_bands_of_positions(m, &positions, mark);
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
        rt_fill_table(tensor, 1.0F, layer->table);
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
        return rt_fail(opening->err, rt_memory_status(opening->memory),
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
    rt_making m = {from, tensor, NULL, false};
    rt_positions positions = {false, tensor->columns - 1 > UINT16_MAX, NULL, NULL, 0};
    rt_matrix to = {NULL, NULL};
    tensor->floats =
        rt_take(memory, rt_product(tensor->rows, tensor->columns, 1), sizeof *tensor->floats);
    if (tensor->floats == NULL)
        return rt_sources_memory(from);
    const size_t mark = rt_mark(memory);
    rt_values values;
    to.floats = tensor->floats;
    RT_TRY(rt_positions_read(from, tensor, &positions));
    RT_TRY(rt_values_start(&values, from, tensor));
    for (uint32_t row = 0; row < tensor->rows; row++)
        RT_TRY(rt_read_row(&m, &values, &positions, row, &to));
    rt_scratch_release(memory, scratch);
    rt_release(memory, mark);
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_layer_read(rt_sources *from, rt_tensor *tensor) {
    rt_making m = {from, tensor, NULL, false};
    return tensor->user != 0 ? read_layer(&m) : read_floats(from, tensor);
}
