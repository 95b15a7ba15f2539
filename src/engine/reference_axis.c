/* Softmaxes and sums along axes. */
#include <math.h>

#include "engine/reference.h"

/* ---- softmax ---- */

/* `count` numbers, one every `stride`. */
typedef struct line {
    size_t first, stride, count;
} line;

static size_t lines_of(const reference_call *c) {
    const graph_shape shape = reference_out_shape(c);
    return graph_shape_count(shape) / shape.dims[c->node->axis];
}

static line line_at(const reference_call *c, size_t number) {
    const graph_shape shape = reference_out_shape(c);
    const size_t stride = graph_shape_extent(shape, c->node->axis + 1, shape.rank);
    const size_t count = shape.dims[c->node->axis];
    return (line){number / stride * stride * count + number % stride, stride, count};
}

/* log of the sum of exp(x), shifted by the largest: no overflow. */
static double log_sum(const line *l, const double *x) {
    double most = -INFINITY;
    for (size_t i = 0; i < l->count; i++)
        most = fmax(most, x[l->first + i * l->stride]);
    double sum = exp(x[l->first] - most);
    for (size_t i = 1; i < l->count; i++)
        sum += exp(x[l->first + i * l->stride] - most);
    return most + log(sum);
}

static void softmax_line(const reference_call *c, const line *l, bool logarithm) {
    const double *x = reference_x(c, 0);
    const double total = log_sum(l, x);
    for (size_t i = l->first; i < l->first + l->count * l->stride; i += l->stride)
        reference_y(c)[i] = logarithm ? x[i] - total : exp(x[i] - total);
}

void reference_softmax_forward(const reference_call *c) {
    for (size_t k = 0; k < lines_of(c); k++) {
        const line l = line_at(c, k);
        softmax_line(c, &l, false);
    }
}

void reference_log_softmax_forward(const reference_call *c) {
    for (size_t k = 0; k < lines_of(c); k++) {
        const line l = line_at(c, k);
        softmax_line(c, &l, true);
    }
}

/* dx = y (dy - sum of dy y) */
static void softmax_line_backward(const reference_call *c, const line *l, double *dx) {
    const double *y = reference_y(c);
    const double *dy = reference_dy(c);
    double sum = 0.0;
    for (size_t i = l->first; i < l->first + l->count * l->stride; i += l->stride)
        sum += dy[i] * y[i];
    for (size_t i = l->first; i < l->first + l->count * l->stride; i += l->stride)
        dx[i] += y[i] * (dy[i] - sum);
}

/* dx = dy - exp(y) sum of dy */
static void log_softmax_line_backward(const reference_call *c, const line *l, double *dx) {
    const double *dy = reference_dy(c);
    double sum = 0.0;
    for (size_t i = l->first; i < l->first + l->count * l->stride; i += l->stride)
        sum += dy[i];
    for (size_t i = l->first; i < l->first + l->count * l->stride; i += l->stride)
        dx[i] += dy[i] - exp(reference_y(c)[i]) * sum;
}

void reference_softmax_backward(const reference_call *c) {
    double *dx = reference_dx(c, 0);
    for (size_t k = 0; dx != NULL && k < lines_of(c); k++) {
        const line l = line_at(c, k);
        softmax_line_backward(c, &l, dx);
    }
}

void reference_log_softmax_backward(const reference_call *c) {
    double *dx = reference_dx(c, 0);
    for (size_t k = 0; dx != NULL && k < lines_of(c); k++) {
        const line l = line_at(c, k);
        log_softmax_line_backward(c, &l, dx);
    }
}

/* ---- sums ---- */

/* The output's shape with its lost axes as ones: as if it were broadcast to the input. */
static graph_shape kept_shape(const reference_call *c) {
    graph_shape kept = reference_shape(c, 0);
    for (uint32_t i = 0; i < kept.rank; i++)
        if ((c->node->reduce.axes >> i & 1U) != 0)
            kept.dims[i] = 1;
    return kept;
}

/* What an element counts for. */
static double share_of(const reference_call *c) {
    const size_t inputs = graph_shape_count(reference_shape(c, 0));
    const size_t outputs = graph_shape_count(reference_out_shape(c));
    return c->node->reduce.kind == GRAPH_REDUCE_MEAN ? (double)outputs / (double)inputs : 1.0;
}

void reference_reduce_forward(const reference_call *c) {
    const graph_shape in = reference_shape(c, 0);
    const graph_shape kept = kept_shape(c);
    double *y = reference_y(c);
    for (size_t i = 0; i < graph_shape_count(kept); i++)
        y[i] = 0.0;
    for (size_t i = 0; i < graph_shape_count(in); i++)
        y[reference_broadcast(in, kept, i)] += share_of(c) * reference_x(c, 0)[i];
}

void reference_reduce_backward(const reference_call *c) {
    const graph_shape in = reference_shape(c, 0);
    const graph_shape kept = kept_shape(c);
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < graph_shape_count(in); i++)
        dx[i] += share_of(c) * reference_dy(c)[reference_broadcast(in, kept, i)];
}
