/* Resizing: each output element is a weighted sum of input elements near its place. */
#include <math.h>

#include "operations.h"

/* The two indices of an axis that an output index reads, and the second's share. */
typedef struct near_by {
    size_t index[2];
    double share;
} near_by;

/* In 64 bits, for what is rounded decides which element is read; and where the scale is that of
 * the sizes, by the sizes: as a float it may be less, and 4 / (8 / 6) less than 3. */
static double coordinate(const rt_resize *r, uint32_t axis, size_t y, uint32_t in, uint32_t out) {
    const bool whole = r->scale[axis] == (float)out / (float)in;
    const double over = whole ? (double)in : 1.0;
    const double under = whole ? (double)out : (double)r->scale[axis];
    const double half = ((double)y + 0.5) * over / under - 0.5;
    switch (r->place) {
    case PACK_RESIZE_HALF_PIXEL:
        return half;
    case PACK_RESIZE_PYTORCH_HALF_PIXEL:
        return out > 1 ? half : 0.0;
    case PACK_RESIZE_HALF_PIXEL_SYMMETRIC:
        return half + (double)in / 2.0 * (1.0 - (double)out * over / (under * (double)in));
    case PACK_RESIZE_ALIGN_CORNERS:
        return out > 1 ? (double)y * (double)(in - 1) / (double)(out - 1) : 0.0;
    default: /* PACK_RESIZE_ASYMMETRIC */
        return (double)y * over / under;
    }
}

static double rounded(uint32_t mode, double x) {
    switch (mode) {
    case PACK_RESIZE_NEAREST_DOWN:
        return ceil(x - 0.5);
    case PACK_RESIZE_NEAREST_UP:
        return floor(x + 0.5);
    case PACK_RESIZE_NEAREST_CEIL:
        return ceil(x);
    default: /* rounded down, and linear */
        return floor(x);
    }
}

static size_t on_axis(double index, uint32_t size) {
    return index < 0.0 ? 0 : index > (double)(size - 1) ? size - 1 : (size_t)index;
}

/* Beyond the ends, the end. */
static near_by near_of(const rt_call *c, uint32_t axis, size_t y) {
    const rt_resize *r = &c->node->as.resize;
    const uint32_t in = rt_operand(c, 0)->shape.dims[axis];
    const uint32_t out = c->value->shape.dims[axis];
    near_by n = {{y, y}, 0.0};
    if (in == out && r->scale[axis] == 1.0F)
        return n;
    const double x = coordinate(r, axis, y, in, out);
    const double low = rounded(r->mode, x);
    n.index[0] = on_axis(low, in);
    n.index[1] = on_axis(low + 1.0, in);
    n.share = r->mode == PACK_RESIZE_LINEAR ? x - low : 0.0;
    return n;
}

/* One of the 2^rank corners about output element i: its input element and its weight. Bit k
 * of the corner chooses on axis k. */
static double corner_of(const near_by near[PACK_RANK_MAX], const rt_shape *in, uint32_t corner,
                        size_t *element) {
    double weight = 1.0;
    size_t stride = 1;
    *element = 0;
    for (uint32_t k = in->rank; k-- > 0;) {
        const uint32_t side = corner >> k & 1U;
        *element += near[k].index[side] * stride;
        weight *= side == 1 ? near[k].share : 1.0 - near[k].share;
        stride *= in->dims[k];
    }
    return weight;
}

void rt_run_resize(const rt_call *c) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    near_by near[PACK_RANK_MAX];
    for (size_t i = 0; i < rt_count(c); i++) {
        double sum = 0.0;
        size_t rest = i;
        for (uint32_t k = in->rank; k-- > 0; rest /= c->value->shape.dims[k])
            near[k] = near_of(c, k, rest % c->value->shape.dims[k]);
        for (uint32_t corner = 0; corner < 1U << in->rank; corner++) {
            size_t element;
            const double weight = corner_of(near, in, corner, &element);
            sum += weight == 0.0 ? 0.0 : weight * (double)rt_x(c, 0)[element];
        }
        rt_y(c)[i] = (float)sum;
    }
}
