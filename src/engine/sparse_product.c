/* Passes of an inner product on the support. */
#include <string.h>

#include "base/pool.h"
#include "engine/dnnl_api.h"
#include "engine/sparse.h"

/* Samples that are taken at a time: one block, or two, whose vectors stand side by side. */
typedef struct group {
    const sparse_call *call;
    size_t first, blocks;
    float *x, *y, *dx; /* vectors [columns][blocks], [rows][blocks] */
} group;

static size_t blocks_of(const sparse_call *call) {
    return call->samples > call->layer->kernels->lanes ? 2 : 1;
}

void sparse_product_scratch(sparse_layer *l) {
    l->shared_floats = 2 * (2 * l->channels + l->filters) * l->kernels->lanes;
    l->thread_floats = 0;
}

static group group_at(const sparse_call *call, size_t first) {
    const sparse_layer *l = call->layer;
    const size_t blocks = blocks_of(call);
    group g = {.call = call, .first = first, .blocks = blocks, .x = call->scratch};
    g.dx = g.x + l->channels * blocks * l->kernels->lanes;
    g.y = g.dx + l->channels * blocks * l->kernels->lanes;
    return g;
}

static size_t samples_of(const group *g, size_t block) {
    const size_t lanes = g->call->layer->kernels->lanes;
    const size_t first = g->first + block * lanes;
    if (first >= g->call->samples)
        return 0;
    return g->call->samples - first < lanes ? g->call->samples - first : lanes;
}

static lanes_image row_of(size_t elements) {
    return (lanes_image){1, {1, elements}, {.block = 1}};
}

static lanes_grid grid_of(const group *g, size_t elements) {
    return (lanes_grid){.phases = {1, 1}, .count = {1, elements}, .step = g->blocks};
}

/* Of one block, [samples][elements] to vectors. */
static void stage(const group *g, size_t block, size_t elements, const float *from, float *to) {
    const lanes_kernels *kernels = g->call->layer->kernels;
    const lanes_image image = row_of(elements);
    const lanes_grid grid = grid_of(g, elements);
    const lanes_source source = {.x = from + (g->first + block * kernels->lanes) * elements};
    kernels->stage(&image, &grid, &source, samples_of(g, block), to + block * kernels->lanes);
}

static void unstage(const group *g, size_t block, size_t elements, const float *from, float *to) {
    const lanes_kernels *kernels = g->call->layer->kernels;
    const lanes_image image = row_of(elements);
    const lanes_grid grid = grid_of(g, elements);
    kernels->unstage(&image, &grid, from + block * kernels->lanes, samples_of(g, block),
                     to + (g->first + block * kernels->lanes) * elements);
}

/* ---- forward ---- */

static void stage_input(void *argument, unsigned thread, unsigned threads) {
    const group *g = argument;
    for (size_t k = thread; k < g->blocks; k += threads)
        stage(g, k, g->call->layer->channels, g->call->x, g->x);
}

static void fill_bias(const group *g, base_share rows) {
    const size_t width = g->blocks * g->call->layer->kernels->lanes;
    for (size_t r = rows.first; r < rows.first + rows.count; r++)
        for (size_t i = 0; i < width; i++)
            g->y[r * width + i] = g->call->bias != NULL ? g->call->bias[r] : 0.0F;
}

static void multiply(void *argument, unsigned thread, unsigned threads) {
    const group *g = argument;
    const sparse_layer *l = g->call->layer;
    const base_share rows = base_pool_share(l->filters, 1, thread, threads);
    fill_bias(g, rows);
    l->kernels->panels_forward(&l->panels, g->blocks, rows.first, rows.count, g->call->weights,
                               g->x, g->y);
}

static void unstage_output(void *argument, unsigned thread, unsigned threads) {
    const group *g = argument;
    for (size_t k = thread; k < g->blocks; k += threads)
        unstage(g, k, g->call->layer->filters, g->y, g->call->y);
}

void sparse_product_forward(const sparse_call *call) {
    const size_t step = blocks_of(call) * call->layer->kernels->lanes;
    for (size_t s = 0; s < call->samples; s += step) {
        group g = group_at(call, s);
        dnnl_api_run(call->threads, stage_input, &g);
        dnnl_api_run(call->threads, multiply, &g);
        dnnl_api_run(call->threads, unstage_output, &g);
    }
}

/* ---- backward ---- */

static void stage_both(void *argument, unsigned thread, unsigned threads) {
    const group *g = argument;
    const sparse_layer *l = g->call->layer;
    for (size_t k = thread; k < g->blocks; k += threads) {
        if (g->call->dw != NULL)
            stage(g, k, l->channels, g->call->x, g->x);
        stage(g, k, l->filters, g->call->dy, g->y);
    }
}

static void clear_panels(const group *g, base_share panels) {
    const sparse_layer *l = g->call->layer;
    const size_t width = g->blocks * l->kernels->lanes;
    const size_t first = panels.first * l->panels.width;
    const size_t end = (panels.first + panels.count) * l->panels.width;
    const size_t last = end < l->channels ? end : l->channels;
    if (first < last)
        memset(g->dx + first * width, 0, (last - first) * width * sizeof *g->dx);
}

static void multiply_back(void *argument, unsigned thread, unsigned threads) {
    const group *g = argument;
    const sparse_call *call = g->call;
    const sparse_layer *l = call->layer;
    const base_share panels = base_pool_share(l->panels.panels, 1, thread, threads);
    if (call->dw != NULL)
        l->kernels->panels_weights(&l->panels, g->blocks, panels.first, panels.count, g->y, g->x,
                                   call->dw);
    if (call->dx == NULL)
        return;
    clear_panels(g, panels);
    l->kernels->panels_data(&l->panels, g->blocks, panels.first, panels.count, call->weights, g->y,
                            g->dx);
}

static void unstage_gradient(void *argument, unsigned thread, unsigned threads) {
    const group *g = argument;
    for (size_t k = thread; k < g->blocks; k += threads)
        unstage(g, k, g->call->layer->channels, g->dx, g->call->dx);
}

static void add_bias(const sparse_call *call) {
    const size_t rows = call->layer->filters;
    memset(call->db, 0, rows * sizeof *call->db);
    for (size_t s = 0; s < call->samples; s++)
        for (size_t r = 0; r < rows; r++)
            call->db[r] += call->dy[s * rows + r];
}

void sparse_product_backward(const sparse_call *call) {
    const size_t step = blocks_of(call) * call->layer->kernels->lanes;
    if (call->dw != NULL)
        memset(call->dw, 0, call->layer->count * sizeof *call->dw);
    for (size_t s = 0; s < call->samples; s += step) {
        group g = group_at(call, s);
        dnnl_api_run(call->threads, stage_both, &g);
        dnnl_api_run(call->threads, multiply_back, &g);
        if (call->dx != NULL)
            dnnl_api_run(call->threads, unstage_gradient, &g);
    }
    if (call->dw != NULL && call->db != NULL)
        add_bias(call);
}
