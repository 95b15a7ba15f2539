/* Who reads a value, and who a layer's units. */
#ifndef GRAPH_READER_H
#define GRAPH_READER_H

#include "graph/graph.h"

/* How often nodes read the value; *reader: the last that does, or GRAPH_NONE. */
uint32_t graph_readers(const graph *g, uint32_t value, uint32_t *reader);

/* The layer that reads a layer's units, through pooling and rectifiers. */
typedef struct graph_reader {
    uint32_t node;  /* GRAPH_NONE: the graph's output, or not exactly one reader */
    size_t block;   /* consecutive columns of its weights that read one unit */
    bool rectified; /* a rectifier lies between */
    bool padded;    /* a window with padding lies between, or is the reader's */
} graph_reader;

graph_reader graph_reader_of(const graph *g, uint32_t layer_node);

#endif
