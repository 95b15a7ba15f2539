/* How a node is added: opened, given its attributes, closed. */
#ifndef GRAPH_BUILD_H
#define GRAPH_BUILD_H

#include "graph/graph.h"

/* A parameter that the open node is to have, and where its number goes. */
typedef struct build_parameter {
    graph_parameter_kind kind;
    size_t rows, columns;
    uint32_t *at;
} build_parameter;

/* Opens nodes[node_count], which reads in[count] and is the caller's to fill; node_count
 * itself rises only when the node is whole. */
admmnn_status build_open(graph *g, graph_op op, const char *name, const uint32_t *in,
                         uint32_t count, graph_node **node, admmnn_error *err);
/* Gives the open node its output and parameters. A failure leaves the graph as it was. */
admmnn_status build_close(graph *g, graph_shape shape, const build_parameter *wanted, size_t count,
                          uint32_t *out, admmnn_error *err);
admmnn_status build_value(graph *g, graph_value value, uint32_t *out, admmnn_error *err);
/* owner: for messages. */
admmnn_status build_add_parameter(graph *g, const char *owner, graph_parameter parameter,
                                  size_t rows, size_t columns, uint32_t *out, admmnn_error *err);
/* ADMMNN_INPUT where the axis is not one of the shape's. */
admmnn_status build_check_axis(const graph_node *node, graph_shape shape, uint32_t axis,
                               admmnn_error *err);

#endif
