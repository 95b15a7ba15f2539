/* Passes of a convolution on the support. */
#include <string.h>

#include "base/pool.h"
#include "engine/dnnl_api.h"
#include "engine/sparse.h"

/* What one strip of a block is: outputs, and places of the input, from row `first` on. */
typedef struct strip {
    size_t sample, samples; /* of the block */
    size_t first;
} strip;

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t image_floats(const lanes_image *image) {
    return (image->channels + image->block - 1) / image->block * image->block * image->size[0] *
           image->size[1];
}

static lanes_image input_image(const sparse_call *call) {
    const sparse_layer *l = call->layer;
    return (lanes_image){l->channels, {l->axis[0].size, l->axis[1].size}, call->x_block};
}

static lanes_image output_image(const sparse_call *call) {
    const sparse_layer *l = call->layer;
    return (lanes_image){l->filters, {l->axis[0].out, l->axis[1].out}, call->y_block};
}

static size_t planes(const sparse_layer *l) {
    return l->axis[0].stride * l->axis[1].stride;
}

/* Rows and columns of a strip of the input, and of the output's gradient. */
static size_t input_rows(const sparse_layer *l) {
    return l->rows + l->axis[0].reach;
}

static size_t input_columns(const sparse_layer *l) {
    return l->axis[1].out + l->axis[1].reach;
}

static lanes_grid input_grid(const sparse_layer *l, strip s) {
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    return (lanes_grid){.phases = {y->stride, x->stride},
                        .pad = {y->pad, x->pad},
                        .first = {(ptrdiff_t)s.first, 0},
                        .count = {input_rows(l), input_columns(l)},
                        .step = 1};
}

static lanes_grid gradient_grid(const sparse_layer *l, strip s) {
    return (lanes_grid){
        .phases = {1, 1},
        .first = {(ptrdiff_t)s.first - (ptrdiff_t)l->axis[0].reach, l->axis[1].dy_first},
        .count = {input_rows(l), l->axis[1].dy_count},
        .step = 1};
}

static strip strip_of(const sparse_call *call, size_t strips, size_t unit) {
    const size_t lanes = call->layer->kernels->lanes;
    const size_t sample = unit / strips * lanes;
    return (strip){sample, least(lanes, call->samples - sample), unit % strips * call->layer->rows};
}

static base_share units_of(const sparse_call *call, size_t strips, unsigned thread,
                           unsigned threads) {
    const size_t lanes = call->layer->kernels->lanes;
    return base_pool_share((call->samples + lanes - 1) / lanes * strips, 1, thread, threads);
}

/* Rounded to whole vectors of any width. */
static size_t aligned(size_t floats) {
    return (floats + 15) / 16 * 16;
}

/* A thread's scratch. */
typedef struct buffers {
    float *x, *dy, *out, *sums, *part;
} buffers;

static size_t input_floats(const sparse_layer *l) {
    return l->channels * planes(l) * input_rows(l) * input_columns(l) * l->kernels->lanes;
}

static size_t gradient_floats(const sparse_layer *l) {
    return l->filters * input_rows(l) * l->axis[1].dy_count * l->kernels->lanes;
}

static size_t output_floats(const sparse_layer *l) {
    const size_t forward = l->filters * l->axis[1].out;
    const size_t data = l->channels * planes(l) * l->axis[1].data_count;
    return most(forward, data) * l->rows * l->kernels->lanes;
}

void sparse_conv_scratch(sparse_layer *l) {
    const size_t sums = l->count + l->filters;
    l->shared_floats = aligned(l->count);
    l->thread_floats = input_floats(l) + gradient_floats(l) + output_floats(l) +
                       sums * l->kernels->lanes + aligned(sums);
    l->thread_floats = aligned(l->thread_floats);
}

static buffers buffers_of(const sparse_call *call, unsigned thread) {
    const sparse_layer *l = call->layer;
    buffers b = {.x = call->scratch + l->shared_floats + thread * l->thread_floats};
    b.dy = b.x + input_floats(l);
    b.out = b.dy + gradient_floats(l);
    b.sums = b.out + output_floats(l);
    b.part = b.sums + (l->count + l->filters) * l->kernels->lanes;
    return b;
}

/* ---- forward ---- */

static lanes_conv forward_geometry(const sparse_layer *l, size_t rows) {
    return (lanes_conv){.channels = l->channels,
                        .height = input_rows(l),
                        .width = input_columns(l),
                        .filters = l->filters,
                        .kernel_height = l->axis[0].reach + 1,
                        .kernel_width = l->axis[1].reach + 1,
                        .out_height = rows,
                        .out_width = l->axis[1].out,
                        .planes = planes(l)};
}

static void stage_input(const sparse_call *call, strip s, float *to) {
    const lanes_image image = input_image(call);
    const lanes_grid grid = input_grid(call->layer, s);
    call->layer->kernels->stage(&image, &grid, call->x + s.sample * image_floats(&image), s.samples,
                                to);
}

static void forward_strip(const sparse_call *call, strip s, const buffers *b) {
    const sparse_layer *l = call->layer;
    const size_t rows = least(l->rows, l->axis[0].out - s.first);
    const lanes_conv geometry = forward_geometry(l, rows);
    const lanes_image image = output_image(call);
    const lanes_grid grid = {.phases = {1, 1},
                             .first = {(ptrdiff_t)s.first, 0},
                             .count = {rows, l->axis[1].out},
                             .step = 1};
    stage_input(call, s, b->x);
    l->kernels->conv_forward_sparse(&geometry, &l->list, call->weights, call->bias, b->x, b->out,
                                    NULL);
    l->kernels->unstage(&image, &grid, b->out, s.samples,
                        call->y + s.sample * image_floats(&image));
}

static void forward_some(void *argument, unsigned thread, unsigned threads) {
    const sparse_call *call = argument;
    const sparse_layer *l = call->layer;
    const size_t strips = (l->axis[0].out + l->rows - 1) / l->rows;
    const base_share units = units_of(call, strips, thread, threads);
    const buffers b = buffers_of(call, thread);
    for (size_t u = units.first; u < units.first + units.count; u++)
        forward_strip(call, strip_of(call, strips, u), &b);
}

void sparse_conv_forward(const sparse_call *call) {
    dnnl_api_run(call->threads, forward_some, (void *)call);
}

/* ---- backward ---- */

/* Bytes of the input that the first cache holds while the weights of some channels pass. */
#define TILE_BYTES 20000
/* Weights of a filter that share the loads of its gradient. */
#define TILE_ENTRIES 6

/* Rows that are taken at a time, so few that the cache holds as many channels as have such a
 * tile of each filter's weights. */
static size_t tile_rows(const sparse_layer *l) {
    const size_t pairs = l->filters * l->channels;
    const size_t channels = least(l->channels, TILE_ENTRIES * pairs / most(l->count, 1) + 1);
    const size_t row = channels * planes(l) * input_columns(l) * l->kernels->lanes * sizeof(float);
    const size_t rows = TILE_BYTES / row;
    return rows > l->axis[0].reach ? rows - l->axis[0].reach : 1;
}

static void weights_strip(const sparse_call *call, strip s, const buffers *b) {
    const sparse_layer *l = call->layer;
    const size_t lanes = l->kernels->lanes;
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const size_t end = least(s.first + l->rows, y->out);
    const size_t plane = input_rows(l) * x->dy_count;
    const size_t tile = tile_rows(l);
    stage_input(call, s, b->x);
    for (size_t row = s.first; row < end; row += tile) {
        const size_t at = row - s.first;
        lanes_conv geometry = forward_geometry(l, least(tile, end - row));
        geometry.height = geometry.out_height + y->reach; /* what it reads */
        const size_t from = (y->reach + at) * x->dy_count + (size_t)-x->dy_first;
        const float *dy = b->dy + from * lanes;
        l->kernels->conv_weights_sparse(&geometry, &l->list, 0, l->filters, dy, x->dy_count, plane,
                                        b->x + at * geometry.width * lanes, b->sums);
        for (size_t r = 0; r < geometry.out_height; r++)
            l->kernels->conv_bias_sparse(l->filters, x->out, dy + r * x->dy_count * lanes, plane,
                                         b->sums + l->count * lanes);
    }
}

static void data_strip(const sparse_call *call, strip s, const buffers *b) {
    const sparse_layer *l = call->layer;
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const size_t first = most(s.first, y->data_first);
    const size_t end = least(s.first + l->rows, y->data_first + y->data_count);
    if (first >= end)
        return;
    const lanes_conv geometry = {.channels = l->filters,
                                 .height = input_rows(l),
                                 .width = x->dy_count,
                                 .filters = l->channels * planes(l),
                                 .kernel_height = y->reach + 1,
                                 .kernel_width = x->reach + 1,
                                 .out_height = end - first,
                                 .out_width = x->data_count,
                                 .planes = 1};
    const lanes_image image = input_image(call);
    const lanes_grid grid = {.phases = {y->stride, x->stride},
                             .pad = {y->pad, x->pad},
                             .first = {(ptrdiff_t)first, (ptrdiff_t)x->data_first},
                             .count = {end - first, x->data_count},
                             .step = 1};
    const float *dy = b->dy + (first - s.first) * x->dy_count * l->kernels->lanes;
    l->kernels->conv_forward_sparse(&geometry, &l->turned, call->scratch, NULL, dy, b->out, NULL);
    l->kernels->unstage(&image, &grid, b->out, s.samples,
                        call->dx + s.sample * image_floats(&image));
}

static void backward_strip(const sparse_call *call, strip s, const buffers *b) {
    const sparse_layer *l = call->layer;
    const lanes_image image = output_image(call);
    const lanes_grid grid = gradient_grid(l, s);
    l->kernels->stage(&image, &grid, call->dy + s.sample * image_floats(&image), s.samples, b->dy);
    if (call->dw != NULL)
        weights_strip(call, s, b);
    if (call->dx != NULL)
        data_strip(call, s, b);
}

static void backward_some(void *argument, unsigned thread, unsigned threads) {
    const sparse_call *call = argument;
    const sparse_layer *l = call->layer;
    const size_t sums = l->count + l->filters;
    const size_t rows = most(l->axis[0].out, l->axis[0].data_first + l->axis[0].data_count);
    const size_t strips = (rows + l->rows - 1) / l->rows;
    const base_share units = units_of(call, strips, thread, threads);
    const buffers b = buffers_of(call, thread);
    memset(b.sums, 0, sums * l->kernels->lanes * sizeof *b.sums);
    for (size_t u = units.first; u < units.first + units.count; u++)
        backward_strip(call, strip_of(call, strips, u), &b);
    if (call->dw != NULL)
        l->kernels->reduce(sums, b.sums, b.part);
}

/* The threads' parts, in their order. */
static void add_parts(const sparse_call *call) {
    const sparse_layer *l = call->layer;
    for (unsigned t = 0; t < call->threads; t++) {
        const float *part = buffers_of(call, t).part;
        for (size_t e = 0; e < l->count; e++)
            call->dw[e] = t == 0 ? part[e] : call->dw[e] + part[e];
        for (size_t f = 0; call->db != NULL && f < l->filters; f++)
            call->db[f] = t == 0 ? part[l->count + f] : call->db[f] + part[l->count + f];
    }
}

void sparse_conv_backward(const sparse_call *call) {
    const sparse_layer *l = call->layer;
    for (size_t n = 0; call->dx != NULL && n < l->count; n++)
        call->scratch[n] = call->weights[l->entry[n]];
    dnnl_api_run(call->threads, backward_some, (void *)call);
    if (call->dw != NULL)
        add_parts(call);
}
