#include "graph/resize.h"

#include <math.h>

/* In 64 bits, for what is rounded decides which element is read; and where the scale is that of
 * the sizes, by the sizes: as a float it may be less, and 4 / (8 / 6) less than 3. */
static double coordinate(const graph_resize *r, uint32_t axis, uint32_t index, uint32_t in,
                         uint32_t made) {
    const bool whole = r->scale[axis] == (float)made / (float)in;
    const double over = whole ? (double)in : 1.0;
    const double under = whole ? (double)made : (double)r->scale[axis];
    const double half = ((double)index + 0.5) * over / under - 0.5;
    switch (r->place) {
    case GRAPH_RESIZE_HALF_PIXEL:
        return half;
    case GRAPH_RESIZE_PYTORCH_HALF_PIXEL:
        return made > 1 ? half : 0.0;
    case GRAPH_RESIZE_HALF_PIXEL_SYMMETRIC:
        return half + (double)in / 2.0 * (1.0 - (double)made * over / (under * (double)in));
    case GRAPH_RESIZE_ALIGN_CORNERS:
        return made > 1 ? (double)index * (double)(in - 1) / (double)(made - 1) : 0.0;
    case GRAPH_RESIZE_ASYMMETRIC:
        return (double)index * over / under;
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

static uint32_t on_axis(double index, uint32_t size) {
    return index < 0.0 ? 0 : index > (double)(size - 1) ? size - 1 : (uint32_t)index;
}

graph_near graph_resize_near(const graph_resize *r, uint32_t axis, uint32_t index, uint32_t in,
                             uint32_t made) {
    if (in == made && r->scale[axis] == 1.0F)
        return (graph_near){index, index, 0.0};
    const double x = coordinate(r, axis, index, in, made);
    const double low = rounded(r->mode, x);
    const double share = r->mode == GRAPH_RESIZE_LINEAR ? x - low : 0.0;
    return (graph_near){on_axis(low, in), on_axis(low + 1.0, in), share};
}
