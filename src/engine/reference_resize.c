/* Resizing: each output element is a weighted sum of input elements near its place. */
#include "engine/reference.h"
#include "graph/resize.h"

/* One of the 2^rank corners about output element i: its input element and its weight. Bit k
 * of the corner chooses on axis k. */
static double corner_of(const reference_call *c, size_t i, uint32_t corner, size_t *element) {
    const graph_shape in = reference_shape(c, 0);
    const graph_shape out = reference_out_shape(c);
    double weight = 1.0;
    size_t stride = 1;
    *element = 0;
    for (uint32_t k = in.rank; k-- > 0;) {
        const graph_near n = graph_resize_near(&c->node->resize, k, (uint32_t)(i % out.dims[k]),
                                               in.dims[k], out.dims[k]);
        const bool high = (corner >> k & 1U) != 0;
        *element += (high ? n.high : n.low) * stride;
        weight *= high ? n.share : 1.0 - n.share;
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
