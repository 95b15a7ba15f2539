/* Softmaxes and sums along axes. */
#include <math.h>

#include "operations.h"

/* ---- softmax ---- */

/* log of the sum of exp(x), shifted by the largest: no overflow. */
static float log_sum(const float *x, size_t count, size_t stride) {
    float most = -INFINITY;
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, x[i * stride]);
    float sum = expf(x[0] - most);
    for (size_t i = 1; i < count; i++)
        sum += expf(x[i * stride] - most);
    return most + logf(sum);
}

static void run_softmax(const rt_call *c, bool logarithm) {
    const rt_shape *shape = &c->value->shape;
    const size_t stride = rt_shape_extent(shape, c->node->as.axis + 1, shape->rank);
    const size_t count = shape->dims[c->node->as.axis];
    for (size_t line = 0; line < rt_count(c) / count; line++) {
        const size_t first = line / stride * stride * count + line % stride;
        const float *x = rt_x(c, 0) + first;
        float *y = rt_y(c) + first;
        const float total = log_sum(x, count, stride);
        for (size_t i = 0; i < count * stride; i += stride)
            y[i] = logarithm ? x[i] - total : expf(x[i] - total);
    }
}

void rt_run_softmax(const rt_call *c) {
    run_softmax(c, false);
}

void rt_run_log_softmax(const rt_call *c) {
    run_softmax(c, true);
}

/* ---- sums ---- */

/* The input's axes are walked with the index of one element at a time; `kept` has a stride of 0
 * for each axis that is summed. */
static double sum_of(const rt_call *c, const size_t strides[PACK_RANK_MAX], size_t from) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const uint32_t axes = c->node->as.reduce.axes;
    size_t count = 1;
    double sum = 0.0;
    for (uint32_t i = 0; i < in->rank; i++)
        count *= (axes >> i & 1U) != 0 ? in->dims[i] : 1;
    for (size_t k = 0; k < count; k++) {
        size_t rest = k;
        size_t at = 0;
        for (uint32_t i = in->rank; i-- > 0;) {
            if ((axes >> i & 1U) == 0)
                continue;
            at += rest % in->dims[i] * strides[i];
            rest /= in->dims[i];
        }
        sum += (double)rt_x_at(c, 0, from + at);
    }
    return c->node->as.reduce.kind == PACK_REDUCE_MEAN ? sum / (double)count : sum;
}

void rt_run_reduce(const rt_call *c) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const uint32_t axes = c->node->as.reduce.axes;
    size_t strides[PACK_RANK_MAX] = {0};
    for (uint32_t i = 0; i < in->rank; i++)
        strides[i] = rt_shape_extent(in, i + 1, in->rank);
    for (size_t k = 0; k < rt_count(c); k++) {
        size_t rest = k;
        size_t from = 0;
        for (uint32_t i = in->rank; i-- > 0;) {
            if ((axes >> i & 1U) != 0)
                continue;
            from += rest % in->dims[i] * strides[i];
            rest /= in->dims[i];
        }
        rt_y_put(c, k, (float)sum_of(c, strides, from));
    }
}
