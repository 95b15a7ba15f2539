/* Normalizations. Means and variances are sums in 64 bits: of many numbers near each other. */
#include <math.h>

#include "operations.h"

/* [count] elements with a scale and a shift for each, or, of step 0, one for all. */
typedef struct scaling {
    const float *scale, *shift;
    size_t step;
} scaling;

static void normalize(const float *x, size_t count, double mean, double variance, float epsilon,
                      const scaling *s, float *y) {
    const float center = (float)mean;
    const float inverse = (float)(1.0 / sqrt(variance + (double)epsilon));
    for (size_t i = 0; i < count; i++)
        y[i] = (x[i] - center) * inverse * s->scale[i * s->step] + s->shift[i * s->step];
}

void rt_run_batch(const rt_call *c) {
    const rt_normalization *n = &c->node->as.normalization;
    const size_t channels = rt_shape_channels(&c->value->shape);
    const size_t plane = rt_count(c) / channels;
    for (size_t k = 0; k < channels; k++) {
        const scaling s = {n->scale->floats + k, n->shift->floats + k, 0};
        rt_stretch part;
        rt_stretch_start(&part, k * plane, (k + 1) * plane);
        while (rt_stretch_next(c, &part))
            normalize(part.x[0], part.count, (double)n->mean->floats[k],
                      (double)n->variance->floats[k], n->epsilon, &s, part.y);
    }
}

static void normalize_by_own(const float *x, size_t count, float epsilon, const scaling *s,
                             float *y) {
    double mean = 0.0;
    double variance = 0.0;
    for (size_t i = 0; i < count; i++)
        mean += (double)x[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)count;
    normalize(x, count, mean, variance, epsilon, s, y);
}

void rt_run_instance(const rt_call *c) {
    const rt_normalization *n = &c->node->as.normalization;
    const size_t channels = rt_shape_channels(&c->value->shape);
    const size_t plane = rt_count(c) / channels;
    for (size_t k = 0; k < channels; k++) {
        const scaling s = {n->scale->floats + k, n->shift->floats + k, 0};
        normalize_by_own(rt_x(c, 0) + k * plane, plane, n->epsilon, &s, rt_y(c) + k * plane);
    }
}

void rt_run_norm_layer(const rt_call *c) {
    const rt_normalization *n = &c->node->as.normalization;
    const rt_shape *shape = &c->value->shape;
    const size_t length = rt_shape_extent(shape, n->axis, shape->rank);
    const scaling s = {n->scale->floats, n->shift->floats, 1};
    for (size_t first = 0; first < rt_count(c); first += length)
        normalize_by_own(rt_x(c, 0) + first, length, n->epsilon, &s, rt_y(c) + first);
}

/* ---- across channels ---- */

/* Planes of channels. */
typedef struct planes {
    const rt_numbers *numbers;
    const float *x;
    size_t channels, plane;
} planes;

/* Sum of the squares of the channels near channel k, at one place. */
static float squares_near(const rt_lrn *lrn, const planes *p, size_t k, size_t place) {
    const size_t below = (lrn->size - 1) / 2;
    const size_t above = k + lrn->size / 2 + 1;
    float sum = 0.0F;
    for (size_t j = k < below ? 0 : k - below; j < above && j < p->channels; j++) {
        const float x = rt_get(p->numbers, p->x, j * p->plane + place);
        sum += x * x;
    }
    return sum;
}

void rt_run_lrn(const rt_call *c) {
    const rt_lrn *lrn = &c->node->as.lrn;
    const size_t channels = rt_shape_channels(&c->value->shape);
    const planes p = {&rt_operand(c, 0)->numbers, rt_x(c, 0), channels, rt_count(c) / channels};
    const float share = lrn->alpha / (float)lrn->size;
    for (size_t k = 0; k < channels; k++)
        for (size_t i = 0; i < p.plane; i++)
            rt_y_put(c, k * p.plane + i,
                     rt_x_at(c, 0, k * p.plane + i) *
                         powf(lrn->bias + share * squares_near(lrn, &p, k, i), -lrn->beta));
}
