/* Passes of a convolution on the support. */
#include <string.h>

#include "base/pool.h"
#include "engine/dnnl_api.h"
#include "engine/sparse.h"

/* What one strip of a block is: outputs, and places of the input, from row `first` on. */
typedef struct strip {
    size_t sample, samples; /* of the block */
    size_t count;           /* those that are of the batch */
    size_t first;
    bool next; /* to the one that the buffers hold */
} strip;

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t padded(size_t channels, size_t block) {
    return (channels + block - 1) / block * block;
}

static lanes_image input_image(const sparse_call *call) {
    const sparse_layer *l = call->layer;
    return (lanes_image){l->channels, {l->axis[0].size, l->axis[1].size}, call->x_layout};
}

static lanes_image output_image(const sparse_call *call) {
    const sparse_layer *l = call->layer;
    return (lanes_image){l->filters, {l->axis[0].out, l->axis[1].out}, call->y_layout};
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
                        .there = s.next ? y->reach : 0,
                        .step = 1};
}

static lanes_grid gradient_grid(const sparse_layer *l, strip s) {
    return (lanes_grid){
        .phases = {1, 1},
        .first = {(ptrdiff_t)s.first - (ptrdiff_t)l->axis[0].reach, l->axis[1].dy_first},
        .count = {input_rows(l), l->axis[1].dy_count},
        .there = s.next ? l->axis[0].reach : 0,
        .step = 1};
}

/* What the next strip has in common with one: its first rows were the last. */
static void keep_rows(const sparse_layer *l, const lanes_grid *grid, size_t planes, float *to) {
    const size_t width = grid->count[1] * l->kernels->lanes;
    for (size_t p = 0; p < planes; p++, to += grid->count[0] * width)
        memmove(to, to + l->rows * width, grid->there * width * sizeof *to);
}

static strip strip_of(const sparse_call *call, size_t strips, base_share units, size_t unit) {
    const size_t lanes = call->layer->kernels->lanes;
    const size_t sample = unit / strips * lanes;
    const size_t left = call->count > sample ? call->count - sample : 0;
    return (strip){.sample = sample,
                   .samples = least(lanes, call->samples - sample),
                   .count = least(lanes, left),
                   .first = unit % strips * call->layer->rows,
                   .next = unit > units.first && unit % strips > 0};
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
    return l->channels * sparse_planes(l) * input_rows(l) * input_columns(l) * l->kernels->lanes;
}

static size_t gradient_floats(const sparse_layer *l) {
    return l->filters * input_rows(l) * l->axis[1].dy_count * l->kernels->lanes;
}

static size_t output_floats(const sparse_layer *l) {
    const size_t forward = l->filters * l->axis[1].out;
    const size_t data = l->channels * sparse_planes(l) * l->axis[1].data_count;
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
                        .planes = sparse_planes(l)};
}

static void stage_input(const sparse_call *call, strip s, float *to) {
    const lanes_image image = input_image(call);
    const lanes_grid grid = input_grid(call->layer, s);
    const lanes_source source = {.x = call->x + s.sample * lanes_image_floats(&image),
                                 .norm = call->x_norm};
    keep_rows(call->layer, &grid, image.channels * sparse_planes(call->layer), to);
    call->layer->kernels->stage(&image, &grid, &source, call->x_norm != NULL ? s.count : s.samples,
                                to);
}

static void clear_sums(double *sums, size_t channels) {
    memset(sums, 0, 2 * channels * sizeof *sums);
}

/* What the normalization of y wants to know of it. */
static void add_sums(const sparse_call *call, strip s, const lanes_conv *made, const float *out) {
    const sparse_layer *l = call->layer;
    const size_t count = made->out_height * made->out_width;
    const size_t plane = made->out_plane > 0 ? made->out_plane : count;
    double *second = call->y_sums + padded(l->filters, call->y_layout.block);
    for (size_t f = 0; f < l->filters; f++)
        l->kernels->norm_lane_sums(count, s.count, out + f * plane * l->kernels->lanes,
                                   &call->y_sums[f], &second[f]);
}

/* Where rows from one on of images in lanes are. */
static size_t rows_in_lanes(const sparse_layer *l, const lanes_image *image, strip s, size_t row) {
    return s.sample * lanes_image_floats(image) + row * image->size[1] * l->kernels->lanes;
}

static void forward_strip(const sparse_call *call, strip s, const buffers *b) {
    const sparse_layer *l = call->layer;
    const size_t rows = least(l->rows, l->axis[0].out - s.first);
    lanes_conv geometry = forward_geometry(l, rows);
    const lanes_image image = output_image(call);
    float *y = call->y + s.sample * lanes_image_floats(&image);
    float *out = b->out;
    if (image.layout.in_lanes) { /* where it is to be */
        geometry.out_plane = image.size[0] * image.size[1];
        out = call->y + rows_in_lanes(l, &image, s, s.first);
    }
    const lanes_grid grid = {.phases = {1, 1},
                             .first = {(ptrdiff_t)s.first, 0},
                             .count = {rows, l->axis[1].out},
                             .step = 1};
    stage_input(call, s, b->x);
    l->kernels->conv_forward_sparse(&geometry, &l->list, call->weights, call->bias, b->x, out,
                                    NULL);
    if (call->y_sums != NULL)
        add_sums(call, s, &geometry, out);
    if (out == b->out)
        l->kernels->unstage(&image, &grid, out, s.samples, y);
}

static void forward_some(void *argument, unsigned thread, unsigned threads) {
    const sparse_call *call = argument;
    const sparse_layer *l = call->layer;
    const size_t strips = (l->axis[0].out + l->rows - 1) / l->rows;
    const base_share units = units_of(call, strips, thread, threads);
    const buffers b = buffers_of(call, thread);
    for (size_t u = units.first; u < units.first + units.count; u++)
        forward_strip(call, strip_of(call, strips, units, u), &b);
}

void sparse_conv_forward(const sparse_call *call) {
    if (call->y_sums != NULL)
        clear_sums(call->y_sums, padded(call->layer->filters, call->y_layout.block));
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
    const size_t row =
        channels * sparse_planes(l) * input_columns(l) * l->kernels->lanes * sizeof(float);
    const size_t rows = TILE_BYTES / most(row, 1);
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

static void next_channels(lanes_norm *n, size_t count) {
    n->center += count;
    n->factor += count;
    n->shift += count;
}

/* Of one sample, the rows [first, end) of dx, which the cache holds yet. */
static void add_gradient_sums(const sparse_call *call, size_t sample, size_t first, size_t end) {
    const lanes_image image = input_image(call);
    const size_t block = image.layout.block;
    const size_t channels = padded(image.channels, block);
    lanes_norm n = *call->x_norm;
    n.plane = (end - first) * image.size[1];
    for (size_t c = 0; c < channels; c += block) {
        const size_t at = sample * lanes_image_floats(&image) +
                          (c * image.size[0] + first * block) * image.size[1];
        double sums[2][LANES_BLOCK_MAX];
        call->layer->kernels->norm_backward_sums(&n, call->x + at, call->dx + at, sums[0], sums[1]);
        for (size_t k = 0; k < block; k++) {
            call->x_sums[c + k] += sums[0][k];
            call->x_sums[channels + c + k] += sums[1][k];
        }
        next_channels(&n, block);
    }
}

/* The same of images in lanes. */
static void add_lane_gradient_sums(const sparse_call *call, strip s, size_t first, size_t end) {
    const lanes_image image = input_image(call);
    const lanes_kernels *kernels = call->layer->kernels;
    const size_t width = image.size[1] * kernels->lanes;
    lanes_norm n = *call->x_norm;
    for (size_t c = 0; c < image.channels; c++) {
        const size_t at =
            s.sample * lanes_image_floats(&image) + (c * image.size[0] + first) * width;
        kernels->norm_lane_backward_sums(&n, (end - first) * image.size[1], s.count, call->x + at,
                                         call->dx + at, &call->x_sums[c],
                                         &call->x_sums[image.channels + c]);
        next_channels(&n, 1);
    }
}

/* The rows of the input that are at the places [first, end). */
static base_share rows_at(const sparse_axis *a, size_t first, size_t end) {
    const size_t from = most(first * a->stride, a->pad) - a->pad;
    const size_t to = least(end * a->stride - a->pad, a->size);
    return (base_share){from, to - from};
}

/* The rectifier before x, of some rows whose gradient is in `made`, or NULL: in dx. */
static void unrectify_rows(const sparse_call *call, strip s, base_share rows, const float *made) {
    const lanes_image image = input_image(call);
    const lanes_kernels *kernels = call->layer->kernels;
    const size_t plane = image.size[0] * image.size[1] * kernels->lanes;
    const size_t count = rows.count * image.size[1];
    size_t at = rows_in_lanes(call->layer, &image, s, rows.first);
    for (size_t c = 0; c < image.channels; c++, at += plane) {
        const lanes_unrectify u = {.dy = made != NULL ? made + c * count * kernels->lanes
                                                      : call->dx + at,
                                   .z = call->dx_added != NULL ? call->dx_added + at : NULL,
                                   .x = call->x_normalized + at,
                                   .y = call->x + at,
                                   .dx = call->dx + at};
        kernels->norm_lane_unrectify(&u, count, s.count, &call->x_sums[c],
                                     &call->x_sums[image.channels + c]);
    }
}

/* What is made of a strip's places of the input, some rows of dx: from `out`, unless it is there.
 */
static void finish_rows(const sparse_call *call, strip s, const lanes_grid *grid, base_share rows,
                        const float *out) {
    const sparse_layer *l = call->layer;
    const lanes_image image = input_image(call);
    const bool alone = call->x_normalized != NULL && sparse_planes(l) == 1 && out != NULL;
    if (out != NULL && !alone)
        l->kernels->unstage(&image, grid, out, s.samples,
                            call->dx + s.sample * lanes_image_floats(&image));
    if (call->x_normalized != NULL)
        unrectify_rows(call, s, rows, alone ? out : NULL);
    else if (call->x_sums != NULL && call->x_layout.in_lanes)
        add_lane_gradient_sums(call, s, rows.first, rows.first + rows.count);
    else if (call->x_sums != NULL)
        for (size_t k = 0; k < s.count; k++)
            add_gradient_sums(call, s.sample + k, rows.first, rows.first + rows.count);
}

static lanes_conv data_geometry(const sparse_layer *l, size_t rows) {
    return (lanes_conv){.channels = l->filters,
                        .height = input_rows(l),
                        .width = l->axis[1].dy_count,
                        .filters = l->channels * sparse_planes(l),
                        .kernel_height = l->axis[0].reach + 1,
                        .kernel_width = l->axis[1].reach + 1,
                        .out_height = rows,
                        .out_width = l->axis[1].data_count,
                        .planes = 1};
}

static void data_strip(const sparse_call *call, strip s, const buffers *b) {
    const sparse_layer *l = call->layer;
    const sparse_axis *y = &l->axis[0];
    const sparse_axis *x = &l->axis[1];
    const size_t first = most(s.first, y->data_first);
    const size_t end = least(s.first + l->rows, y->data_first + y->data_count);
    if (first >= end)
        return;
    const lanes_image image = input_image(call);
    const lanes_grid grid = {.phases = {y->stride, x->stride},
                             .pad = {y->pad, x->pad},
                             .first = {(ptrdiff_t)first, (ptrdiff_t)x->data_first},
                             .count = {end - first, x->data_count},
                             .step = 1};
    const float *dy = b->dy + (first - s.first) * x->dy_count * l->kernels->lanes;
    lanes_conv geometry = data_geometry(l, end - first);
    const bool in_place =
        image.layout.in_lanes && sparse_planes(l) == 1 && call->x_normalized == NULL;
    float *out = b->out;
    if (in_place) { /* every place is a pixel */
        geometry.out_plane = image.size[0] * image.size[1];
        out = call->dx + rows_in_lanes(l, &image, s, first - y->pad);
    }
    l->kernels->conv_forward_sparse(&geometry, &l->turned, call->scratch, NULL, dy, out, NULL);
    finish_rows(call, s, &grid, rows_at(y, first, end), in_place ? NULL : out);
}

static void stage_gradient(const sparse_call *call, strip s, float *to) {
    const lanes_kernels *kernels = call->layer->kernels;
    const lanes_image image = output_image(call);
    const lanes_grid grid = gradient_grid(call->layer, s);
    const size_t first = s.sample * lanes_image_floats(&image);
    keep_rows(call->layer, &grid, image.channels, to);
    if (call->y_norm == NULL) {
        const lanes_source source = {.x = call->dy + first};
        kernels->stage(&image, &grid, &source, s.samples, to);
        return;
    }
    const lanes_source source = {
        .x = call->y + first, .dy = call->dy + first, .norm = call->y_norm};
    kernels->stage(&image, &grid, &source, s.count, to);
}

static void backward_strip(const sparse_call *call, strip s, const buffers *b) {
    stage_gradient(call, s, b->dy);
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
        backward_strip(call, strip_of(call, strips, units, u), &b);
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
    if (call->x_sums != NULL)
        clear_sums(call->x_sums, padded(l->channels, call->x_layout.block));
    dnnl_api_run(call->threads, backward_some, (void *)call);
    if (call->dw != NULL)
        add_parts(call);
}
