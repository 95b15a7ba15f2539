/* Which elements of an axis a resized one reads: the definition of ONNX's Resize. */
#ifndef GRAPH_RESIZE_H
#define GRAPH_RESIZE_H

#include "graph/graph.h"

/* The element that is read and, of linear resizing, the one behind it with its share. */
typedef struct graph_near {
    uint32_t low, high;
    double share; /* 0 but for linear */
} graph_near;

/* What element index of `made` reads of `in`; beyond the ends, the end. */
graph_near graph_resize_near(const graph_resize *r, uint32_t axis, uint32_t index, uint32_t in,
                             uint32_t made);

#endif
