/* Poolings. */
#include <math.h>

#include "engine/reference.h"

#define NOWHERE SIZE_MAX

typedef struct window {
    const graph_pool *pool;
    graph_shape in;
    size_t plane;  /* the input's first element in the channel */
    size_t oy, ox; /* output position */
} window;

/* The input element that kernel place (ky, kx) reads; NOWHERE on padding. */
static size_t element(const window *at, size_t ky, size_t kx) {
    const graph_window *w = &at->pool->window;
    const size_t y = at->oy * w->stride[0] + ky * w->dilation[0];
    const size_t x = at->ox * w->stride[1] + kx * w->dilation[1];
    const size_t height = graph_shape_height(at->in);
    const size_t width = graph_shape_width(at->in);
    if (y < w->pad[0] || y - w->pad[0] >= height || x < w->pad[1] || x - w->pad[1] >= width)
        return NOWHERE;
    return at->plane + (y - w->pad[0]) * width + x - w->pad[1];
}

static window window_at(const reference_call *c, size_t output) {
    const graph_shape out = reference_out_shape(c);
    const graph_shape in = reference_shape(c, 0);
    const size_t width = graph_shape_width(out);
    const size_t plane = graph_shape_height(out) * width;
    return (window){.pool = &c->node->pool,
                    .in = in,
                    .plane = output / plane * graph_shape_height(in) * graph_shape_width(in),
                    .oy = output % plane / width,
                    .ox = output % width};
}

/* ---- the largest ---- */

/* The first largest element of the window, in row order, or its last NaN: one passes, as it must
 * reach the loss to be noticed. Padding never wins. */
static size_t winner(const window *at, const double *x) {
    const graph_window *w = &at->pool->window;
    size_t best = NOWHERE;
    for (size_t ky = 0; ky < w->kernel[0]; ky++) {
        for (size_t kx = 0; kx < w->kernel[1]; kx++) {
            const size_t candidate = element(at, ky, kx);
            if (candidate != NOWHERE &&
                (best == NOWHERE || x[candidate] > x[best] || isnan(x[candidate])))
                best = candidate;
        }
    }
    return best;
}

/* A dilated kernel may have all its places on padding. */
void reference_maxpool_forward(const reference_call *c) {
    const double *x = reference_x(c, 0);
    for (size_t i = 0; i < graph_shape_count(reference_out_shape(c)); i++) {
        const window at = window_at(c, i);
        const size_t best = winner(&at, x);
        reference_y(c)[i] = best == NOWHERE ? -INFINITY : x[best];
    }
}

void reference_maxpool_backward(const reference_call *c) {
    const double *x = reference_x(c, 0);
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < graph_shape_count(reference_out_shape(c)); i++) {
        const window at = window_at(c, i);
        const size_t best = winner(&at, x);
        if (best != NOWHERE)
            dx[best] += reference_dy(c)[i];
    }
}

/* ---- the average ---- */

/* Places of one axis on the input and its padding, but not beyond: a window that ceil lets
 * begin may end there. */
static size_t places_of(const graph_window *w, int axis, size_t position, size_t size) {
    size_t places = 0;
    for (size_t k = 0; k < w->kernel[axis]; k++)
        places += position * w->stride[axis] + k * w->dilation[axis] <
                  w->pad[axis] + size + w->pad_end[axis];
    return places;
}

static size_t divisor(const window *at) {
    const graph_window *w = &at->pool->window;
    size_t count = 0;
    if (at->pool->counts_padding)
        return places_of(w, 0, at->oy, graph_shape_height(at->in)) *
               places_of(w, 1, at->ox, graph_shape_width(at->in));
    for (size_t ky = 0; ky < w->kernel[0]; ky++)
        for (size_t kx = 0; kx < w->kernel[1]; kx++)
            count += element(at, ky, kx) != NOWHERE;
    return count == 0 ? 1 : count;
}

static double sum(const window *at, const double *x) {
    const graph_window *w = &at->pool->window;
    double total = 0.0;
    for (size_t ky = 0; ky < w->kernel[0]; ky++) {
        for (size_t kx = 0; kx < w->kernel[1]; kx++) {
            const size_t place = element(at, ky, kx);
            total += place == NOWHERE ? 0.0 : x[place];
        }
    }
    return total;
}

static void spread(const window *at, double share, double *dx) {
    const graph_window *w = &at->pool->window;
    for (size_t ky = 0; ky < w->kernel[0]; ky++) {
        for (size_t kx = 0; kx < w->kernel[1]; kx++) {
            const size_t place = element(at, ky, kx);
            if (place != NOWHERE)
                dx[place] += share;
        }
    }
}

void reference_average_forward(const reference_call *c) {
    for (size_t i = 0; i < graph_shape_count(reference_out_shape(c)); i++) {
        const window at = window_at(c, i);
        reference_y(c)[i] = sum(&at, reference_x(c, 0)) / (double)divisor(&at);
    }
}

void reference_average_backward(const reference_call *c) {
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < graph_shape_count(reference_out_shape(c)); i++) {
        const window at = window_at(c, i);
        spread(&at, reference_dy(c)[i] / (double)divisor(&at), dx);
    }
}
