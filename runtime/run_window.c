/* Poolings. */
#include <math.h>
#include <string.h>

#include "operations.h"

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

rt_span rt_steps_on(size_t shift, size_t step, size_t most, size_t pad, size_t in) {
    rt_span s = {0, 0};
    if (shift < pad)
        s.first = divide_up(pad - shift, step);
    if (in + pad > shift)
        s.last = divide_up(in + pad - shift, step);
    if (s.last > most)
        s.last = most;
    return s;
}

/* The output's positions whose kernel's place `tap` falls on the input. */
static rt_span outputs_of(const rt_window *w, int axis, size_t tap, size_t in, size_t out) {
    return rt_steps_on(tap * w->dilation[axis], w->stride[axis], out, w->pad[axis], in);
}

/* One row of inputs goes into one of outputs, by one place of the kernel. */
typedef void row_pooling(const rt_window *w, const void *from, size_t kx, rt_span columns,
                         void *to);

static size_t place_of(const rt_window *w, size_t kx, size_t column) {
    return column * w->stride[1] + kx * w->dilation[1] - w->pad[1];
}

static void add_row(const rt_window *w, const void *from, size_t kx, rt_span columns, void *to) {
    const float *x = from;
    float *y = to;
    for (size_t i = columns.first; i < columns.last; i++)
        y[i] += x[place_of(w, kx, i)];
}

static inline void raise_by(const float *x, size_t stride, size_t count, float *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = rt_larger(x[i * stride], y[i]);
}

/* The usual strides are known to the compiler, which makes vectors of them. */
static void raise_row(const rt_window *w, const void *from, size_t kx, rt_span columns, void *to) {
    if (columns.first >= columns.last)
        return;
    const float *x = (const float *)from + place_of(w, kx, columns.first);
    const size_t count = columns.last - columns.first;
    float *y = (float *)to + columns.first;
    if (w->stride[1] == 1)
        raise_by(x, 1, count, y);
    else if (w->stride[1] == 2)
        raise_by(x, 2, count, y);
    else
        raise_by(x, w->stride[1], count, y);
}

static void raise_codes(const rt_window *w, const void *from, size_t kx, rt_span columns,
                        void *to) {
    const uint8_t *x = from;
    uint8_t *y = to;
    for (size_t i = columns.first; i < columns.last; i++) {
        const uint8_t code = x[place_of(w, kx, i)];
        y[i] = code > y[i] ? code : y[i];
    }
}

/* y has what a window of padding alone makes. */
static void pool_plane(const rt_call *c, row_pooling *pool, size_t bytes, const void *x, void *y) {
    const rt_window *w = &c->node->as.pool.window;
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const rt_shape *out = &c->value->shape;
    const size_t width = rt_shape_width(in);
    const size_t out_width = rt_shape_width(out);
    for (size_t ky = 0; ky < w->kernel[0]; ky++) {
        const rt_span rows = outputs_of(w, 0, ky, rt_shape_height(in), rt_shape_height(out));
        for (size_t oy = rows.first; oy < rows.last; oy++) {
            const size_t row = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
            for (size_t kx = 0; kx < w->kernel[1]; kx++)
                pool(w, (const char *)x + row * width * bytes, kx,
                     outputs_of(w, 1, kx, width, out_width), (char *)y + oy * out_width * bytes);
        }
    }
}

/* ---- averages ---- */

/* Windows of more places are summed one by one, in double: one may be a whole plane, of which a
 * float loses the fourth digit. Of fewer, rows at a time take less. */
#define PLACES_BY_ROWS 16U

/* The window's places of one axis that fall on the input. */
static rt_span taps_of(const rt_window *w, int axis, size_t position, size_t in) {
    return rt_steps_on(position * w->stride[axis], w->dilation[axis], w->kernel[axis], w->pad[axis],
                       in);
}

static double sum_window(const rt_window *w, const float *x, size_t width, rt_span rows, size_t oy,
                         size_t ox) {
    const rt_span columns = taps_of(w, 1, ox, width);
    double sum = 0.0;
    for (size_t ky = rows.first; ky < rows.last; ky++) {
        const size_t row = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        for (size_t kx = columns.first; kx < columns.last; kx++)
            sum += x[row * width + place_of(w, kx, ox)];
    }
    return sum;
}

static void sum_plane(const rt_window *w, const rt_shape *in, const rt_shape *out, const float *x,
                      float *y) {
    for (size_t oy = 0; oy < rt_shape_height(out); oy++) {
        const rt_span rows = taps_of(w, 0, oy, rt_shape_height(in));
        for (size_t ox = 0; ox < rt_shape_width(out); ox++)
            *y++ = (float)sum_window(w, x, rt_shape_width(in), rows, oy, ox);
    }
}

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

/* ---- all planes ---- */

typedef struct planes {
    size_t count, from, made; /* and the numbers of one, of the input and of the output */
} planes;

static planes planes_of(const rt_value *from, const rt_value *value) {
    const size_t count = rt_shape_channels(&value->shape);
    const planes p = {count, rt_shape_count(&from->shape) / count,
                      rt_shape_count(&value->shape) / count};
    return p;
}

static void average_plane(const rt_call *c, const float *x, float *y) {
    const rt_pool *pool = &c->node->as.pool;
    const rt_window *w = &pool->window;
    const rt_shape *in = &rt_operand(c, 0)->shape;
    if ((uint64_t)w->kernel[0] * w->kernel[1] > PLACES_BY_ROWS) {
        sum_plane(w, in, &c->value->shape, x, y);
    } else {
        memset(y, 0, planes_of(rt_operand(c, 0), c->value).made * sizeof *y);
        pool_plane(c, add_row, sizeof *y, x, y);
    }
    divide_plane(pool, in, &c->value->shape, y);
}

/* A dilated kernel may have all its places on padding: its largest is -infinity. */
static void raise_plane(const rt_call *c, const float *x, float *y) {
    const size_t count = planes_of(rt_operand(c, 0), c->value).made;
    for (size_t i = 0; i < count; i++)
        y[i] = -INFINITY;
    pool_plane(c, raise_row, sizeof *y, x, y);
}

static void run_floats(const rt_call *c, const float *x, float *y) {
    if (c->node->op == PACK_OP_AVERAGE_POOL)
        average_plane(c, x, y);
    else
        raise_plane(c, x, y);
}

/* Codes are in the order of what they stand for; their least is 0. */
static bool is_by_codes(const rt_value *from, const rt_value *value) {
    return value->node->op == PACK_OP_MAXPOOL && from->numbers.coded &&
           rt_same_numbers(&from->numbers, &value->numbers);
}

/* Elsewhere a plane each of what is read and made, where those are codes. */
uint64_t rt_pool_temporary(const rt_network *network, const rt_value *value) {
    const rt_value *from = &network->values[value->node->operands[0]];
    const planes p = planes_of(from, value);
    if (is_by_codes(from, value))
        return 0;
    return (from->numbers.coded ? (uint64_t)p.from : 0) +
           (value->numbers.coded ? (uint64_t)p.made : 0);
}

/* Plane k, by way of floats. */
static void run_plane(const rt_call *c, const planes *p, size_t k) {
    const rt_numbers *in = &rt_operand(c, 0)->numbers;
    const rt_numbers *out = &c->value->numbers;
    float *read = rt_temporary(c);
    float *made = read + (in->coded ? p->from : 0);
    if (in->coded)
        rt_read_numbers(in, rt_x(c, 0), k * p->from, p->from, read);
    run_floats(c, in->coded ? read : rt_x(c, 0) + k * p->from,
               out->coded ? made : rt_y(c) + k * p->made);
    if (out->coded)
        rt_write_numbers(out, made, p->made, rt_y(c), k * p->made);
}

static void run_codes(const rt_call *c, const planes *p) {
    const uint8_t *x = (const uint8_t *)(const void *)rt_x(c, 0);
    uint8_t *y = (uint8_t *)(void *)rt_y(c);
    memset(y, 0, p->count * p->made);
    for (size_t k = 0; k < p->count; k++)
        pool_plane(c, raise_codes, 1, x + k * p->from, y + k * p->made);
}

static bool is_two_by_two(const rt_window *w) {
    for (int i = 0; i < 2; i++)
        if (w->kernel[i] != 2 || w->stride[i] != 2 || w->pad[i] != 0 || w->pad_end[i] != 0 ||
            w->dilation[i] != 1)
            return false;
    return true;
}

bool rt_is_pool2(const rt_network *network, const rt_node *node) {
    if (node->op != PACK_OP_MAXPOOL || !is_two_by_two(&node->as.pool.window))
        return false;
    const rt_shape *in = &network->values[node->operands[0]].shape;
    return rt_shape_height(in) % 2 == 0 && rt_shape_width(in) % 2 == 0;
}

/* Planes that lie as they are read. */
static void run_pool2(const rt_call *c, const planes *p, size_t height, size_t width) {
    const rt_pairs pairs = {rt_x(c, 0), p->count, p->from, height / 2, 2 * width,
                            width,      width,    rt_y(c), p->made,    width / 2};
    c->network->kernels->pool2(&pairs);
}

void rt_run_pool(const rt_call *c) {
    const rt_value *from = rt_operand(c, 0);
    const planes p = planes_of(from, c->value);
    const size_t height = rt_shape_height(&from->shape);
    const size_t width = rt_shape_width(&from->shape);
    const bool by_codes = is_by_codes(from, c->value);
    const bool is_pool2 = rt_is_pool2(c->network, c->node);
    if (by_codes && is_pool2) {
        c->network->kernels->pool2_codes((const uint8_t *)(const void *)rt_x(c, 0), p.count, height,
                                         width, (uint8_t *)(void *)rt_y(c));
    } else if (by_codes) {
        run_codes(c, &p);
    } else if (is_pool2 && !from->numbers.coded && !c->value->numbers.coded) {
        run_pool2(c, &p, height, width);
    } else {
        for (size_t k = 0; k < p.count; k++)
            run_plane(c, &p, k);
    }
}
