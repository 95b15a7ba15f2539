/* Shapes of values, those of one sample. */
#ifndef GRAPH_SHAPE_H
#define GRAPH_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAPH_RANK_MAX 7

/* dims[rank] of one sample, in the order of the elements: the last axis is the nearest in
 * memory. The batch is implicit, as ONNX's axis 0. Rank 0 has one element; dims beyond the
 * rank are 0. */
typedef struct graph_shape {
    uint32_t rank;
    uint32_t dims[GRAPH_RANK_MAX];
} graph_shape;

static inline graph_shape graph_shape_image(uint32_t channels, uint32_t height, uint32_t width) {
    return (graph_shape){3, {channels, height, width}};
}

static inline graph_shape graph_shape_vector(uint32_t elements) {
    return (graph_shape){1, {elements}};
}

/* Any shape as an image: rank 2 is channels of one row, rank 1 channels of one pixel. */
static inline uint32_t graph_shape_channels(graph_shape shape) {
    return shape.rank == 0 ? 1 : shape.dims[0];
}

static inline uint32_t graph_shape_height(graph_shape shape) {
    return shape.rank < 3 ? 1 : shape.dims[1];
}

static inline uint32_t graph_shape_width(graph_shape shape) {
    return shape.rank < 2 ? 1 : shape.dims[shape.rank == 2 ? 1 : 2];
}

/* The product of the dims. */
size_t graph_shape_count(graph_shape shape);
/* Elements of axes [first, last). */
size_t graph_shape_extent(graph_shape shape, uint32_t first, uint32_t last);
bool graph_shape_equal(graph_shape a, graph_shape b);
/* No dim is 0 or too large for a network, nor is their product. */
bool graph_shape_is_sound(graph_shape shape);
/* NumPy's rule: axes are counted from the last, and a dim of 1 is repeated. False where
 * they do not fit. */
bool graph_shape_broadcast(graph_shape a, graph_shape b, graph_shape *out);

/* "3x224x224"; "scalar" of rank 0. */
#define GRAPH_SHAPE_TEXT_MAX (GRAPH_RANK_MAX * 11 + 1)
const char *graph_shape_text(graph_shape shape, char text[GRAPH_SHAPE_TEXT_MAX]);

#endif
