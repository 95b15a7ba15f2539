/* Normalizations. */
#include <math.h>

#include "engine/reference.h"

/* Elements that are normalized together: rows of `length`, one every `stride`. */
typedef struct group {
    const double *x;
    size_t rows, stride, length;
    double mean, variance, inverse;
} group;

static double count_of(const group *n) {
    return (double)(n->rows * n->length);
}

static void measure(group *n) {
    n->mean = 0.0;
    n->variance = 0.0;
    for (size_t r = 0; r < n->rows; r++)
        for (size_t i = 0; i < n->length; i++)
            n->mean += n->x[r * n->stride + i] / count_of(n);
    for (size_t r = 0; r < n->rows; r++) {
        for (size_t i = 0; i < n->length; i++) {
            const double apart = n->x[r * n->stride + i] - n->mean;
            n->variance += apart * apart / count_of(n);
        }
    }
}

static void prepare(group *n, float epsilon) {
    n->inverse = 1.0 / sqrt(n->variance + (double)epsilon);
}

static double normalized(const group *n, size_t row, size_t i) {
    return (n->x[row * n->stride + i] - n->mean) * n->inverse;
}

/* Scale and shift of column i stand at i * step: 0 for one of all, 1 for one of each. */
static void group_forward(const group *n, const double *scale, const double *shift, size_t step,
                          double *y) {
    for (size_t r = 0; r < n->rows; r++)
        for (size_t i = 0; i < n->length; i++)
            y[r * n->stride + i] = normalized(n, r, i) * scale[i * step] + shift[i * step];
}

static void scale_backward(const group *n, const double *dy, size_t step, double *d_scale,
                           double *d_shift) {
    for (size_t r = 0; r < n->rows; r++) {
        for (size_t i = 0; i < n->length; i++) {
            d_scale[i * step] += dy[r * n->stride + i] * normalized(n, r, i);
            d_shift[i * step] += dy[r * n->stride + i];
        }
    }
}

/* With g = dy scale and x^ the normalized x: dx = (g - mean of g - x^ mean of g x^) /
 * sqrt(variance + epsilon), since mean and variance depend on x too. */
static void input_backward(const group *n, const double *dy, const double *scale, size_t step,
                           double *dx) {
    double sum = 0.0;
    double turned = 0.0;
    for (size_t r = 0; r < n->rows; r++) {
        for (size_t i = 0; i < n->length; i++) {
            sum += dy[r * n->stride + i] * scale[i * step];
            turned += dy[r * n->stride + i] * scale[i * step] * normalized(n, r, i);
        }
    }
    for (size_t r = 0; r < n->rows; r++)
        for (size_t i = 0; i < n->length; i++)
            dx[r * n->stride + i] +=
                n->inverse * (dy[r * n->stride + i] * scale[i * step] - sum / count_of(n) -
                              normalized(n, r, i) * turned / count_of(n));
}

/* ---- of the batch ---- */

/* Channel k in all samples. */
static group channel_of(const reference_call *c, size_t stride, size_t k) {
    const graph_normalization *n = &c->node->normalization;
    const graph_shape shape = reference_out_shape(c);
    group g = {.rows = c->batch->count,
               .stride = stride,
               .length = graph_shape_extent(shape, 1, shape.rank)};
    g.x = reference_x(c, 0) + k * g.length;
    g.mean = reference_p(c, n->mean)[k];
    g.variance = reference_p(c, n->variance)[k];
    if (c->training)
        measure(&g);
    prepare(&g, n->epsilon);
    return g;
}

void reference_batch_norm_forward(const reference_call *c, size_t stride) {
    const graph_normalization *n = &c->node->normalization;
    for (size_t k = 0; k < graph_shape_channels(reference_out_shape(c)); k++) {
        const group g = channel_of(c, stride, k);
        group_forward(&g, reference_p(c, n->scale) + k, reference_p(c, n->shift) + k, 0,
                      reference_y(c) + k * g.length);
        if (!c->training)
            continue;
        reference_dp(c, n->mean)[k] = g.mean;
        reference_dp(c, n->variance)[k] = g.variance;
    }
}

void reference_batch_norm_backward(const reference_call *c, size_t stride) {
    const graph_normalization *n = &c->node->normalization;
    for (size_t k = 0; k < graph_shape_channels(reference_out_shape(c)); k++) {
        const group g = channel_of(c, stride, k);
        const double *dy = reference_dy(c) + k * g.length;
        scale_backward(&g, dy, 0, reference_dp(c, n->scale) + k, reference_dp(c, n->shift) + k);
        input_backward(&g, dy, reference_p(c, n->scale) + k, 0, reference_dx(c, 0) + k * g.length);
    }
}

/* ---- of a sample ---- */

/* `length` elements from `first` on. */
static group row_of(const reference_call *c, size_t first, size_t length) {
    group g = {.x = reference_x(c, 0) + first, .rows = 1, .length = length};
    measure(&g);
    prepare(&g, c->node->normalization.epsilon);
    return g;
}

/* All groups of the sample, of `length` each; scales of group k from k * next on. */
static void rows_forward(const reference_call *c, size_t length, size_t step, size_t next) {
    const graph_normalization *n = &c->node->normalization;
    for (size_t k = 0; k < graph_shape_count(reference_out_shape(c)) / length; k++) {
        const group g = row_of(c, k * length, length);
        group_forward(&g, reference_p(c, n->scale) + k * next, reference_p(c, n->shift) + k * next,
                      step, reference_y(c) + k * length);
    }
}

static void rows_backward(const reference_call *c, size_t length, size_t step, size_t next) {
    const graph_normalization *n = &c->node->normalization;
    double *dx = reference_dx(c, 0);
    for (size_t k = 0; k < graph_shape_count(reference_out_shape(c)) / length; k++) {
        const group g = row_of(c, k * length, length);
        const double *dy = reference_dy(c) + k * length;
        scale_backward(&g, dy, step, reference_dp(c, n->scale) + k * next,
                       reference_dp(c, n->shift) + k * next);
        if (dx != NULL)
            input_backward(&g, dy, reference_p(c, n->scale) + k * next, step, dx + k * length);
    }
}

static size_t plane_of(const reference_call *c) {
    const graph_shape shape = reference_out_shape(c);
    return graph_shape_extent(shape, 1, shape.rank);
}

void reference_instance_forward(const reference_call *c) {
    rows_forward(c, plane_of(c), 0, 1);
}

void reference_instance_backward(const reference_call *c) {
    rows_backward(c, plane_of(c), 0, 1);
}

static size_t layer_length(const reference_call *c) {
    const graph_shape shape = reference_out_shape(c);
    return graph_shape_extent(shape, c->node->normalization.axis, shape.rank);
}

void reference_layer_forward(const reference_call *c) {
    rows_forward(c, layer_length(c), 1, 0);
}

void reference_layer_backward(const reference_call *c) {
    rows_backward(c, layer_length(c), 1, 0);
}

/* ---- across channels ---- */

typedef struct neighbours {
    const graph_lrn *lrn;
    size_t channels, plane;
} neighbours;

static neighbours neighbours_of(const reference_call *c) {
    return (neighbours){.lrn = &c->node->lrn,
                        .channels = graph_shape_channels(reference_out_shape(c)),
                        .plane = plane_of(c)};
}

/* Channels [first, last) near channel k. */
static size_t first_near(const neighbours *n, size_t k) {
    const size_t below = (n->lrn->size - 1) / 2;
    return k < below ? 0 : k - below;
}

static size_t last_near(const neighbours *n, size_t k) {
    const size_t last = k + n->lrn->size / 2 + 1;
    return last < n->channels ? last : n->channels;
}

/* What element i of channel k is divided by, before the power. */
static double base_of(const neighbours *n, const double *x, size_t k, size_t i) {
    double sum = 0.0;
    for (size_t j = first_near(n, k); j < last_near(n, k); j++)
        sum += x[j * n->plane + i] * x[j * n->plane + i];
    return (double)n->lrn->bias + (double)n->lrn->alpha / (double)n->lrn->size * sum;
}

void reference_lrn_forward(const reference_call *c) {
    const neighbours n = neighbours_of(c);
    const double *x = reference_x(c, 0);
    for (size_t k = 0; k < n.channels; k++)
        for (size_t i = 0; i < n.plane; i++)
            reference_y(c)[k * n.plane + i] =
                x[k * n.plane + i] * pow(base_of(&n, x, k, i), -(double)n.lrn->beta);
}

/* What dy at (k, i) gives to all that it depends on. */
static void lrn_point_backward(const neighbours *n, const double *x, double dy, size_t k, size_t i,
                               double *dx) {
    const double base = base_of(n, x, k, i);
    const double beta = (double)n->lrn->beta;
    const double through = -2.0 * (double)n->lrn->alpha / (double)n->lrn->size * beta *
                           x[k * n->plane + i] * pow(base, -beta - 1.0);
    dx[k * n->plane + i] += dy * pow(base, -beta);
    for (size_t j = first_near(n, k); j < last_near(n, k); j++)
        dx[j * n->plane + i] += dy * through * x[j * n->plane + i];
}

void reference_lrn_backward(const reference_call *c) {
    const neighbours n = neighbours_of(c);
    double *dx = reference_dx(c, 0);
    for (size_t k = 0; dx != NULL && k < n.channels; k++)
        for (size_t i = 0; i < n.plane; i++)
            lrn_point_backward(&n, reference_x(c, 0), reference_dy(c)[k * n.plane + i], k, i, dx);
}
