/* What version 2 tells of an item: by one function, whether it is written or read. */
#ifndef PACK_TOPOLOGY_TELL_H
#define PACK_TOPOLOGY_TELL_H

#include "base/bytes.h"
#include "graph/graph.h"

/* One of the two is NULL. What is read beyond the end, or makes no sense, fails the reader. */
typedef struct topology_telling {
    base_writer *out;
    base_reader *in;
} topology_telling;

/* An item, all that is told of it. */
typedef struct topology_item {
    unsigned code; /* an operation, or PACK_ITEM_CONSTANT, PACK_ITEM_PARAMETER */
    char name[GRAPH_NAME_MAX];
    graph_node node;   /* its attributes */
    bool biased;       /* a layer */
    uint32_t outputs;  /* of a layer */
    graph_shape in;    /* of the first operand */
    graph_shape shape; /* of a reshape's output, a constant, a parameter */
    graph_parameter_kind kind;
} topology_item;

void topology_tell_shape(topology_telling *t, graph_shape *shape);
/* A number below `count`. */
uint32_t topology_tell_choice(topology_telling *t, uint32_t number, uint32_t count);
/* What the operation needs to know; the code, node.op and in are known. */
void topology_tell_operation(topology_telling *t, topology_item *it, bool unusual);

/* A convolution, transposed or not, or an inner product. */
bool topology_is_layer(unsigned code);
/* Whether something is not as usual, of an operation that has something usual. */
bool topology_is_unusual(const topology_item *it);
bool topology_may_be_unusual(unsigned code);

#endif
