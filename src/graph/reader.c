#include "graph/reader.h"

static uint32_t only_reader(const graph *g, uint32_t value) {
    uint32_t found = GRAPH_NONE;
    for (uint32_t n = 0; n < g->node_count; n++) {
        for (int i = 0; i < 2; i++) {
            if (g->nodes[n].inputs[i] != value)
                continue;
            if (found != GRAPH_NONE)
                return GRAPH_NONE;
            found = n;
        }
    }
    return found;
}

static size_t block_of(const graph *g, const graph_node *node, uint32_t value) {
    graph_shape shape = g->values[value].shape;
    return node->op == GRAPH_CONV ? (size_t)node->window.kernel[0] * node->window.kernel[1]
                                  : (size_t)shape.height * shape.width;
}

graph_reader graph_reader_of(const graph *g, uint32_t layer_node) {
    graph_reader r = {.node = GRAPH_NONE};
    uint32_t value = g->nodes[layer_node].output;
    while (value != g->output) {
        uint32_t n = only_reader(g, value);
        if (n == GRAPH_NONE)
            return r;
        const graph_node *node = &g->nodes[n];
        r.rectified |= node->op == GRAPH_RELU;
        r.padded |= node->window.pad[0] != 0 || node->window.pad[1] != 0;
        if (node->weight != GRAPH_NONE) {
            r.node = n;
            r.block = block_of(g, node, value);
            return r;
        }
        value = node->output;
    }
    return r;
}
