/* Poolings. */
#include <math.h>

#include "operations.h"

/* Positions of one axis, half open. */
typedef struct span {
    size_t first, last;
} span;

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

/* The output's positions whose kernel's place `tap` falls on the input. */
static span outputs_of(const rt_window *w, int axis, size_t tap, size_t in, size_t out) {
    const size_t shift = tap * w->dilation[axis];
    const size_t pad = w->pad[axis];
    span s = {0, 0};
    if (shift < pad)
        s.first = divide_up(pad - shift, w->stride[axis]);
    if (in + pad > shift)
        s.last = divide_up(in + pad - shift, w->stride[axis]);
    if (s.last > out)
        s.last = out;
    return s;
}

/* One row of inputs goes into one of outputs, by one place of the kernel. */
static void pool_row(const rt_window *w, const float *x, size_t kx, span columns, bool is_average,
                     float *y) {
    const size_t shift = kx * w->dilation[1];
    for (size_t i = columns.first; i < columns.last; i++) {
        const float value = x[i * w->stride[1] + shift - w->pad[1]];
        if (is_average)
            y[i] += value;
        else
            y[i] = value > y[i] ? value : y[i];
    }
}

/* A dilated kernel may have all its places on padding: its largest is -infinity. */
static void pool_plane(const rt_window *w, const float *x, const rt_shape *in, const rt_shape *out,
                       bool is_average, float *y) {
    const size_t height = rt_shape_height(in);
    const size_t width = rt_shape_width(in);
    const size_t out_width = rt_shape_width(out);
    const size_t count = rt_shape_height(out) * out_width;
    for (size_t i = 0; i < count; i++)
        y[i] = is_average ? 0.0F : -INFINITY;
    for (size_t ky = 0; ky < w->kernel[0]; ky++) {
        const span rows = outputs_of(w, 0, ky, height, rt_shape_height(out));
        for (size_t oy = rows.first; oy < rows.last; oy++) {
            const size_t row = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
            for (size_t kx = 0; kx < w->kernel[1]; kx++)
                pool_row(w, x + row * width, kx, outputs_of(w, 1, kx, width, out_width), is_average,
                         y + oy * out_width);
        }
    }
}

/* ---- averages ---- */

/* Places of one axis on the input, or on its padding too, but not beyond: a window that is rounded
 * up may end there. */
static size_t places_of(const rt_pool *pool, int axis, size_t position, size_t size) {
    const rt_window *w = &pool->window;
    size_t places = 0;
    for (size_t k = 0; k < w->kernel[axis]; k++) {
        const size_t at = position * w->stride[axis] + k * w->dilation[axis];
        if (pool->counts_padding)
            places += at < w->pad[axis] + size + w->pad_end[axis];
        else
            places += at >= w->pad[axis] && at - w->pad[axis] < size;
    }
    return places;
}

static void divide_plane(const rt_pool *pool, const rt_shape *in, const rt_shape *out, float *y) {
    for (size_t oy = 0; oy < rt_shape_height(out); oy++) {
        const size_t rows = places_of(pool, 0, oy, rt_shape_height(in));
        for (size_t ox = 0; ox < rt_shape_width(out); ox++) {
            const size_t count = rows * places_of(pool, 1, ox, rt_shape_width(in));
            *y++ /= (float)(count == 0 ? 1 : count);
        }
    }
}

static void run_pool(const rt_call *c, bool is_average) {
    const rt_pool *pool = &c->node->as.pool;
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const rt_shape *out = &c->value->shape;
    const size_t channels = rt_shape_channels(out);
    const size_t from_plane = rt_shape_count(in) / channels;
    const size_t plane = rt_count(c) / channels;
    for (size_t k = 0; k < channels; k++) {
        float *y = rt_y(c) + k * plane;
        pool_plane(&pool->window, rt_x(c, 0) + k * from_plane, in, out, is_average, y);
        if (is_average)
            divide_plane(pool, in, out, y);
    }
}

/* Windows of two by two, side by side, on an input of whole ones. */
static bool is_pool2(const rt_call *c) {
    const rt_window *w = &c->node->as.pool.window;
    const rt_shape *in = &rt_operand(c, 0)->shape;
    for (int i = 0; i < 2; i++)
        if (w->kernel[i] != 2 || w->stride[i] != 2 || w->pad[i] != 0 || w->pad_end[i] != 0 ||
            w->dilation[i] != 1)
            return false;
    return rt_shape_height(in) % 2 == 0 && rt_shape_width(in) % 2 == 0;
}

void rt_run_maxpool(const rt_call *c) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    if (is_pool2(c))
        c->network->kernels->pool2(rt_x(c, 0), rt_shape_channels(in), rt_shape_height(in),
                                   rt_shape_width(in), rt_y(c));
    else
        run_pool(c, false);
}

void rt_run_average(const rt_call *c) {
    run_pool(c, true);
}
