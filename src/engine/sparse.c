#include "engine/sparse.h"

#include <string.h>

#include "base/memory.h"

/* Bytes of a strip's buffers, which the second cache is to hold. */
#define STRIP_BYTES 800000
/* Columns of an inner product whose vectors, of two blocks, the second cache holds with those
 * of their gradient. */
#define PANEL_COLUMNS 1024

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

/* ---- geometry ---- */

static sparse_axis axis_of(const graph_window *w, int i, size_t size, size_t out) {
    sparse_axis a = {.size = size,
                     .out = out,
                     .kernel = w->kernel[i],
                     .dilation = w->dilation[i],
                     .stride = w->stride[i],
                     .pad = w->pad[i]};
    a.reach = (a.kernel - 1) * a.dilation / a.stride;
    a.data_first = a.pad / a.stride;
    a.data_count = (size - 1 + a.pad) / a.stride - a.data_first + 1;
    const ptrdiff_t first = (ptrdiff_t)a.data_first - (ptrdiff_t)a.reach;
    a.dy_first = first < 0 ? first : 0;
    a.dy_count = (size_t)((ptrdiff_t)most(out, a.data_first + a.data_count) - a.dy_first);
    return a;
}

/* As many as the second cache holds the buffers of, in pairs. */
static size_t strip_rows(const sparse_layer *l) {
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const size_t input = l->channels * sparse_planes(l) * (x->out + x->reach + x->data_count);
    const size_t row = (input + l->filters * x->dy_count) * l->kernels->lanes * sizeof(float);
    const size_t fitting = STRIP_BYTES / row;
    const size_t rows = fitting > y->reach + 2 ? (fitting - y->reach) / 2 * 2 : 2;
    return least(rows, most(y->out, y->data_first + y->data_count));
}

static void describe(const graph *g, const graph_node *node, sparse_layer *l) {
    const graph_parameter *weight = &g->parameters[node->weight];
    const graph_shape in = graph_operand_shape(g, node, 0);
    const graph_shape out = g->values[node->output].shape;
    l->product = node->op == GRAPH_INNER_PRODUCT;
    l->filters = weight->rows;
    l->channels = l->product ? weight->columns : graph_shape_channels(in);
    if (l->product)
        return;
    const graph_window *w = &node->conv.window;
    l->axis[0] = axis_of(w, 0, graph_shape_height(in), graph_shape_height(out));
    l->axis[1] = axis_of(w, 1, graph_shape_width(in), graph_shape_width(out));
    l->rows = strip_rows(l);
}

/* ---- lists ---- */

/* Where a weight of a convolution is: the plane of the input it reads, and how far from the
 * place of the output. */
typedef struct tap {
    size_t filter, channel, plane, y, x;
} tap;

static tap tap_of(const sparse_layer *l, const graph_conv *conv, size_t place) {
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const size_t window = y->kernel * x->kernel;
    const size_t columns = l->channels / conv->groups * window;
    const size_t filter = place / columns;
    const size_t group = filter / (l->filters / conv->groups);
    const size_t channel = group * (l->channels / conv->groups) + place % columns / window;
    const size_t down = place % window / x->kernel * y->dilation;
    const size_t across = place % x->kernel * x->dilation;
    const size_t phase = down % y->stride * x->stride + across % x->stride;
    return (tap){filter, channel, channel * sparse_planes(l) + phase, down / y->stride,
                 across / x->stride};
}

static bool open_list(lanes_sparse *list, size_t rows, size_t channels, size_t count) {
    list->rows = rows;
    list->columns = channels;
    list->channel_start = base_array(rows * channels + 1, sizeof *list->channel_start);
    list->offset = base_array(count, sizeof *list->offset);
    return list->channel_start != NULL && list->offset != NULL;
}

static void close_list(lanes_sparse *list) {
    base_free(list->channel_start);
    base_free(list->offset);
}

/* Counts to starts: start[i + 1] holds the number of entries of i. */
static void accumulate(uint32_t *start, size_t count) {
    for (size_t i = 0; i < count; i++)
        start[i + 1] += start[i];
}

/* The vector of a strip of the input that the tap reads for the first output. */
static uint32_t input_vector(const sparse_layer *l, tap t) {
    const size_t width = l->axis[1].out + l->axis[1].reach;
    return (uint32_t)((t.plane * (l->rows + l->axis[0].reach) + t.y) * width + t.x);
}

/* The vector of a strip of the output's gradient that the tap brings to the first place. */
static uint32_t gradient_vector(const sparse_layer *l, tap t) {
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const size_t row = t.filter * (l->rows + y->reach) + y->reach - t.y;
    const size_t column = (size_t)((ptrdiff_t)(x->data_first - t.x) - x->dy_first);
    return (uint32_t)(row * x->dy_count + column);
}

static bool make_lists(sparse_layer *l, const graph_conv *conv, const size_t *index,
                       size_t offset) {
    const size_t planes = l->channels * sparse_planes(l);
    uint32_t *next = base_array(planes, sizeof *next);
    l->entry = base_array(l->count, sizeof *l->entry);
    const bool whole = open_list(&l->list, l->filters, l->channels, l->count) &&
                       open_list(&l->turned, planes, l->filters, l->count) && next != NULL &&
                       l->entry != NULL;
    for (size_t e = 0; whole && e < l->count; e++) {
        const tap t = tap_of(l, conv, index[e] - offset);
        l->list.channel_start[t.filter * l->channels + t.channel + 1]++;
        l->turned.channel_start[t.plane * l->filters + t.filter + 1]++;
        l->list.offset[e] = input_vector(l, t);
    }
    if (whole) {
        accumulate(l->list.channel_start, l->filters * l->channels);
        accumulate(l->turned.channel_start, planes * l->filters);
    }
    for (size_t p = 0; whole && p < planes; p++)
        next[p] = l->turned.channel_start[p * l->filters];
    for (size_t e = 0; whole && e < l->count; e++) {
        const tap t = tap_of(l, conv, index[e] - offset);
        const uint32_t n = next[t.plane]++;
        l->entry[n] = (uint32_t)e;
        l->turned.offset[n] = gradient_vector(l, t);
    }
    base_free(next);
    sparse_conv_scratch(l);
    return whole;
}

/* As many panels as threads, or twice as many, or so. */
static bool make_panels(sparse_layer *l, const size_t *index, size_t offset, unsigned threads) {
    lanes_panels *p = &l->panels;
    const size_t each = (size_t)PANEL_COLUMNS * threads;
    const size_t wanted = (l->channels + each - 1) / each * threads;
    p->rows = l->filters;
    p->width = (l->channels + wanted - 1) / wanted;
    p->panels = (l->channels + p->width - 1) / p->width;
    p->start = base_array(p->rows * p->panels + 1, sizeof *p->start);
    p->offset = base_array(l->count, sizeof *p->offset);
    if (p->start == NULL || p->offset == NULL)
        return false;
    for (size_t e = 0; e < l->count; e++) {
        const size_t place = index[e] - offset;
        const size_t column = place % l->channels;
        p->offset[e] = (uint32_t)column;
        p->start[place / l->channels * p->panels + column / p->width + 1]++;
    }
    accumulate(p->start, p->rows * p->panels);
    sparse_product_scratch(l);
    return true;
}

/* ---- which passes ---- */

/* What a list takes, in the time in which oneDNN multiplies and adds a vector in the same pass of
 * a layer: for each weight and position of the output, and for each vector that is brought into
 * lanes or back. From bench_support, so that the list is the faster one where it is chosen by a
 * little; never measured while running, since the choice is part of what is computed. */
static const double list_costs[2][SPARSE_PASSES] = {
    {[SPARSE_FORWARD] = 2.5, [SPARSE_WEIGHTS] = 4.0, [SPARSE_DATA] = 2.5}, /* a convolution */
    {[SPARSE_FORWARD] = 3.6, [SPARSE_WEIGHTS] = 7.0, [SPARSE_DATA] = 4.5}};
static const double stage_cost = 16.0;

/* Of a channel: pixels, or places of its planes where a stride beyond the window leaves most of
 * them without any. */
static double positions_of(const sparse_layer *l) {
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const double pixels = (double)y->size * (double)x->size;
    const double places =
        (double)sparse_planes(l) * (double)(y->out + y->reach) * (double)(x->out + x->reach);
    return places > 4.0 * pixels ? places : pixels;
}

/* oneDNN takes samples as they come, lists whole blocks of them. */
static void choose(sparse_layer *l, size_t samples, size_t weights, bool force) {
    const double lanes = (double)l->kernels->lanes;
    const double blocks = (double)((samples + l->kernels->lanes - 1) / l->kernels->lanes);
    const double in = l->product ? 1.0 : positions_of(l);
    const double out = l->product ? 1.0 : (double)(l->axis[0].out * l->axis[1].out);
    const double staged = (double)l->channels * in + (double)l->filters * out;
    const double dense = (double)samples / lanes * (double)weights * out;
    for (int i = 0; i < SPARSE_PASSES; i++) {
        const double each = list_costs[l->product][i] * (double)l->count * out;
        l->runs[i] = force || blocks * (each + stage_cost * staged) < dense;
    }
}

static bool gains(const sparse_layer *l) {
    for (int i = 0; i < SPARSE_PASSES; i++)
        if (l->runs[i])
            return true;
    return false;
}

/* ---- creation ---- */

void sparse_layer_free(sparse_layer *l) {
    if (l == NULL)
        return;
    close_list(&l->list);
    close_list(&l->turned);
    base_free(l->entry);
    base_free(l->panels.start);
    base_free(l->panels.offset);
    base_free(l);
}

admmnn_status sparse_layer_create(const graph *g, const graph_node *node, const size_t *index,
                                  size_t first, size_t count, size_t samples, unsigned threads,
                                  bool force, sparse_layer **out, admmnn_error *err) {
    const graph_parameter *weight = &g->parameters[node->weight];
    *out = NULL;
    sparse_layer *l = base_array(1, sizeof *l);
    if (l == NULL)
        return base_fail_memory(err, "the support's lists");
    l->kernels = lanes_kernels_get(0);
    l->first = first;
    l->count = count;
    describe(g, node, l);
    choose(l, samples, weight->count, force);
    if (!gains(l)) {
        sparse_layer_free(l);
        return ADMMNN_OK;
    }
    const bool made = l->product ? make_panels(l, index, weight->offset, threads)
                                 : make_lists(l, &node->conv, index, weight->offset);
    if (!made) {
        sparse_layer_free(l);
        return base_fail_memory(err, "the support's lists");
    }
    *out = l;
    return ADMMNN_OK;
}

/* ---- passes ---- */

size_t sparse_scratch(const sparse_layer *l, unsigned threads) {
    return l->shared_floats + threads * l->thread_floats;
}

void sparse_forward(const sparse_call *call) {
    if (call->layer->product)
        sparse_product_forward(call);
    else
        sparse_conv_forward(call);
}

void sparse_backward(const sparse_call *call) {
    if (call->layer->product)
        sparse_product_backward(call);
    else
        sparse_conv_backward(call);
}
