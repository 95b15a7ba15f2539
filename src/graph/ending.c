#include "graph/ending.h"

#include <string.h>

static bool is_softmax(const graph_node *node) {
    return node->op == GRAPH_SOFTMAX || node->op == GRAPH_LOG_SOFTMAX;
}

graph_ending graph_cut_ending(graph *g) {
    graph_ending ending = {.op = GRAPH_OP_COUNT};
    const graph_node *last = g->node_count == 0 ? NULL : &g->nodes[g->node_count - 1];
    if (last == NULL || !is_softmax(last) || last->output != g->output ||
        g->output != g->value_count - 1)
        return ending;
    const graph_shape shape = g->values[g->output].shape;
    if (shape.dims[last->axis] != graph_shape_count(shape))
        return ending;
    ending.op = last->op;
    ending.axis = last->axis;
    memcpy(ending.name, last->name, sizeof ending.name);
    g->output = graph_operand(g, last, 0);
    g->operand_count = last->first_operand;
    g->node_count--;
    g->value_count--;
    return ending;
}

admmnn_status graph_put_ending(graph *g, const graph_ending *ending, admmnn_error *err) {
    uint32_t value;
    if (ending->op == GRAPH_SOFTMAX)
        return graph_add_softmax(g, ending->name, g->output, ending->axis, &value, err);
    if (ending->op == GRAPH_LOG_SOFTMAX)
        return graph_add_log_softmax(g, ending->name, g->output, ending->axis, &value, err);
    return ADMMNN_OK;
}

/* What gives the numbers that it reads, all of them in some order. */
static bool only_moves(const graph_node *node) {
    return node->op == GRAPH_RESHAPE || node->op == GRAPH_TRANSPOSE || node->op == GRAPH_DROPOUT;
}

uint32_t graph_find_softmax(const graph *g) {
    uint32_t n = g->values[g->output].producer;
    while (n != GRAPH_NONE && only_moves(&g->nodes[n]))
        n = g->values[graph_operand(g, &g->nodes[n], 0)].producer;
    return n != GRAPH_NONE && is_softmax(&g->nodes[n]) ? n : GRAPH_NONE;
}
