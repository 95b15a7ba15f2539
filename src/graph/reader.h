/* Who reads a value, and who a layer's units. */
#ifndef GRAPH_READER_H
#define GRAPH_READER_H

#include "graph/graph.h"

/* How often nodes read the value; *reader: the last that does, or GRAPH_NONE. */
uint32_t graph_readers(const graph *g, uint32_t value, uint32_t *reader);
/* The one node that reads what the node makes; GRAPH_NONE: not exactly one, or the
 * graph's output. */
uint32_t graph_only_reader(const graph *g, uint32_t node);

/* The layer that reads a layer's units, through pooling, rectifiers, normalizations and
 * dropouts. */
typedef struct graph_reader {
    uint32_t node;   /* GRAPH_NONE: the graph's output, not exactly one reader, or an
                        operation that mixes units, as groups do; of a matmul always */
    size_t block;    /* consecutive columns of its weights that read one unit */
    bool normalized; /* a batch normalization lies between */
} graph_reader;

graph_reader graph_reader_of(const graph *g, uint32_t layer_node);

/* Whether training gives the layer's biases no gradient, since a batch normalization takes
 * away what they add. */
bool graph_bias_is_void(const graph *g, uint32_t layer_node);

#endif
