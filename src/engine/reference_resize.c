/* Resizing: each output element is a weighted sum of input elements near its place. */
#include <math.h>

#include "engine/reference.h"

/* The two indices of an axis that an output index reads, and the second's share. */
typedef struct near {
    size_t index[2];
    double share;
} near;

static double coordinate(const graph_resize *r, uint32_t axis, size_t y, uint32_t in,
                         uint32_t out) {
    const double scale = (double)r->scale[axis];
    const double half = ((double)y + 0.5) / scale - 0.5;
    switch (r->place) {
    case GRAPH_RESIZE_HALF_PIXEL:
        return half;
    case GRAPH_RESIZE_PYTORCH_HALF_PIXEL:
        return out > 1 ? half : 0.0;
    case GRAPH_RESIZE_HALF_PIXEL_SYMMETRIC:
        return half + (double)in / 2.0 * (1.0 - (double)out / (scale * (double)in));
    case GRAPH_RESIZE_ALIGN_CORNERS:
        return out > 1 ? (double)y * (double)(in - 1) / (double)(out - 1) : 0.0;
    case GRAPH_RESIZE_ASYMMETRIC:
        return (double)y / scale;
    }
    return NAN;
}

static double rounded(graph_resize_mode mode, double x) {
    switch (mode) {
    case GRAPH_RESIZE_NEAREST_DOWN:
        return ceil(x - 0.5);
    case GRAPH_RESIZE_NEAREST_UP:
        return floor(x + 0.5);
    case GRAPH_RESIZE_NEAREST_FLOOR:
    case GRAPH_RESIZE_LINEAR:
        return floor(x);
    case GRAPH_RESIZE_NEAREST_CEIL:
        return ceil(x);
    }
    return NAN;
}

static size_t on_axis(double index, uint32_t size) {
    return index < 0.0 ? 0 : index > (double)(size - 1) ? size - 1 : (size_t)index;
}

/* Beyond the ends, the end. */
static near near_of(const reference_call *c, uint32_t axis, size_t y) {
    const graph_resize *r = &c->node->resize;
    const uint32_t in = reference_shape(c, 0).dims[axis];
    const uint32_t out = reference_out_shape(c).dims[axis];
    if (in == out && r->scale[axis] == 1.0F)
        return (near){{y, y}, 0.0};
    const double x = coordinate(r, axis, y, in, out);
    const double low = rounded(r->mode, x);
    const double share = r->mode == GRAPH_RESIZE_LINEAR ? x - low : 0.0;
    return (near){{on_axis(low, in), on_axis(low + 1.0, in)}, share};
}

/* One of the 2^rank corners about output element i: its input element and its weight. Bit k
 * of the corner chooses on axis k. */
static double corner_of(const reference_call *c, size_t i, uint32_t corner, size_t *element) {
    const graph_shape in = reference_shape(c, 0);
    const graph_shape out = reference_out_shape(c);
    double weight = 1.0;
    size_t stride = 1;
    *element = 0;
    for (uint32_t k = in.rank; k-- > 0;) {
        const near n = near_of(c, k, i % out.dims[k]);
        const uint32_t side = corner >> k & 1U;
        *element += n.index[side] * stride;
        weight *= side == 1 ? n.share : 1.0 - n.share;
        stride *= in.dims[k];
        i /= out.dims[k];
    }
    return weight;
}

void reference_resize_forward(const reference_call *c) {
    const graph_shape out = reference_out_shape(c);
    for (size_t i = 0; i < graph_shape_count(out); i++) {
        double sum = 0.0;
        for (uint32_t corner = 0; corner < 1U << out.rank; corner++) {
            size_t element;
            const double weight = corner_of(c, i, corner, &element);
            sum += weight == 0.0 ? 0.0 : weight * reference_x(c, 0)[element];
        }
        reference_y(c)[i] = sum;
    }
}

void reference_resize_backward(const reference_call *c) {
    const graph_shape out = reference_out_shape(c);
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < graph_shape_count(out); i++) {
        for (uint32_t corner = 0; corner < 1U << out.rank; corner++) {
            size_t element;
            const double weight = corner_of(c, i, corner, &element);
            dx[element] += weight * reference_dy(c)[i];
        }
    }
}
