/* The softmax that a classifier may end in. Losses are of what it reads, the logits. */
#ifndef GRAPH_ENDING_H
#define GRAPH_ENDING_H

#include "graph/graph.h"

typedef struct graph_ending {
    graph_op op;               /* GRAPH_SOFTMAX, GRAPH_LOG_SOFTMAX; GRAPH_OP_COUNT: none */
    char name[GRAPH_NAME_MAX]; /* of its node */
    uint32_t axis;
} graph_ending;

/* Takes the last node off where it makes the output and is a softmax, or its logarithm, over
 * all elements of a sample. Numbers of other nodes, values and parameters stay. */
graph_ending graph_cut_ending(graph *g);
/* Puts it on a graph with as many outputs; nothing where there is none. */
admmnn_status graph_put_ending(graph *g, const graph_ending *ending, admmnn_error *err);

/* The softmax whose numbers the outputs are, moved or not, after the ending was cut;
 * GRAPH_NONE: no such node. */
uint32_t graph_find_softmax(const graph *g);

#endif
