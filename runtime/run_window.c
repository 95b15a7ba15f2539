/* Poolings. */
#include <math.h>

#include "operations.h"

/* The window at one output position: its first row and column, counted from the padding's
 * begin, and the input's plane. */
typedef struct view {
    const rt_window *window;
    const float *plane;
    size_t height, width, y, x;
} view;

/* The kernel's places of one axis that fall on the input. */
typedef struct span {
    size_t first, last;
} span;

static span span_of(const rt_window *w, int axis, size_t origin, size_t size) {
    const size_t pad = w->pad[axis];
    const size_t gap = w->dilation[axis];
    span s = {0, 0};
    if (origin < pad)
        s.first = (pad - origin + gap - 1) / gap;
    if (origin < size + pad)
        s.last = (size + pad - origin + gap - 1) / gap;
    if (s.last > w->kernel[axis])
        s.last = w->kernel[axis];
    return s;
}

static float element(const view *v, size_t ky, size_t kx) {
    const rt_window *w = v->window;
    return v->plane[(v->y + ky * w->dilation[0] - w->pad[0]) * v->width + v->x +
                    kx * w->dilation[1] - w->pad[1]];
}

/* A dilated kernel may have all its places on padding. */
static float largest(const view *v) {
    const span rows = span_of(v->window, 0, v->y, v->height);
    const span columns = span_of(v->window, 1, v->x, v->width);
    bool any = false;
    float most = -INFINITY;
    for (size_t ky = rows.first; ky < rows.last; ky++) {
        for (size_t kx = columns.first; kx < columns.last; kx++) {
            const float x = element(v, ky, kx);
            most = !any || x > most ? x : most;
            any = true;
        }
    }
    return most;
}

/* Places of one axis on the input and its padding, but not beyond: a window that is rounded up
 * may end there. */
static size_t padded_places(const rt_window *w, int axis, size_t origin, size_t size) {
    size_t places = 0;
    for (size_t k = 0; k < w->kernel[axis]; k++)
        places += origin + k * w->dilation[axis] < w->pad[axis] + size + w->pad_end[axis];
    return places;
}

static float average(const view *v, bool counts_padding) {
    const rt_window *w = v->window;
    const span rows = span_of(w, 0, v->y, v->height);
    const span columns = span_of(w, 1, v->x, v->width);
    size_t count = 0;
    float sum = 0.0F;
    for (size_t ky = rows.first; ky < rows.last; ky++) {
        for (size_t kx = columns.first; kx < columns.last; kx++) {
            sum += element(v, ky, kx);
            count++;
        }
    }
    if (counts_padding)
        count = padded_places(w, 0, v->y, v->height) * padded_places(w, 1, v->x, v->width);
    return sum / (float)(count == 0 ? 1 : count);
}

static void run_pool(const rt_call *c, bool is_average) {
    const rt_pool *pool = &c->node->as.pool;
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const size_t height = rt_shape_height(&c->value->shape);
    const size_t width = rt_shape_width(&c->value->shape);
    const float *x = rt_x(c, 0);
    float *y = rt_y(c);
    view v = {&pool->window, x, rt_shape_height(in), rt_shape_width(in), 0, 0};
    for (size_t i = 0; i < rt_count(c); i++) {
        v.plane = x + i / (height * width) * v.height * v.width;
        v.y = i % (height * width) / width * pool->window.stride[0];
        v.x = i % width * pool->window.stride[1];
        y[i] = is_average ? average(&v, pool->counts_padding) : largest(&v);
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
