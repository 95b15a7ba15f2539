#include "graph/shape.h"

#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

size_t graph_shape_extent(graph_shape shape, uint32_t first, uint32_t last) {
    size_t count = 1;
    for (uint32_t i = first; i < last; i++)
        count *= shape.dims[i];
    return count;
}

size_t graph_shape_count(graph_shape shape) {
    return graph_shape_extent(shape, 0, shape.rank);
}

bool graph_shape_equal(graph_shape a, graph_shape b) {
    return a.rank == b.rank && memcmp(a.dims, b.dims, a.rank * sizeof a.dims[0]) == 0;
}

bool graph_shape_is_sound(graph_shape shape) {
    size_t count = 1;
    if (shape.rank > GRAPH_RANK_MAX)
        return false;
    for (uint32_t i = 0; i < shape.rank; i++) {
        if (shape.dims[i] == 0 || shape.dims[i] > GRAPH_DIMENSION_MAX)
            return false;
        count *= shape.dims[i];
        if (count > GRAPH_PARAMETERS_MAX)
            return false;
    }
    return true;
}

/* The dim of an axis counted from the last. */
static uint32_t dim_from_last(graph_shape shape, uint32_t axis) {
    return axis < shape.rank ? shape.dims[shape.rank - 1 - axis] : 1;
}

bool graph_shape_broadcast(graph_shape a, graph_shape b, graph_shape *out) {
    *out = (graph_shape){.rank = a.rank > b.rank ? a.rank : b.rank};
    for (uint32_t i = 0; i < out->rank; i++) {
        const uint32_t of_a = dim_from_last(a, i);
        const uint32_t of_b = dim_from_last(b, i);
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return false;
        out->dims[out->rank - 1 - i] = of_a == 1 ? of_b : of_a;
    }
    return true;
}

const char *graph_shape_text(graph_shape shape, char text[GRAPH_SHAPE_TEXT_MAX]) {
    size_t at = 0;
    snprintf(text, GRAPH_SHAPE_TEXT_MAX, "scalar");
    for (uint32_t i = 0; i < shape.rank && i < GRAPH_RANK_MAX; i++)
        at += (size_t)snprintf(text + at, GRAPH_SHAPE_TEXT_MAX - at, "%s%u", i == 0 ? "" : "x",
                               shape.dims[i]);
    return text;
}
