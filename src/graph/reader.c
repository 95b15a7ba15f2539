#include "graph/reader.h"

uint32_t graph_readers(const graph *g, uint32_t value, uint32_t *reader) {
    uint32_t count = 0;
    *reader = GRAPH_NONE;
    for (uint32_t n = 0; n < g->node_count; n++) {
        for (int i = 0; i < 2; i++) {
            if (g->nodes[n].inputs[i] == value) {
                *reader = n;
                count++;
            }
        }
    }
    return count;
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
        uint32_t n;
        if (graph_readers(g, value, &n) != 1)
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
