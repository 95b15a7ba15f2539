#include "graph/reader.h"

uint32_t graph_readers(const graph *g, uint32_t value, uint32_t *reader) {
    uint32_t count = 0;
    *reader = GRAPH_NONE;
    for (uint32_t n = 0; n < g->node_count; n++) {
        for (uint32_t i = 0; i < g->nodes[n].operand_count; i++) {
            if (graph_operand(g, &g->nodes[n], i) == value) {
                *reader = n;
                count++;
            }
        }
    }
    return count;
}

uint32_t graph_only_reader(const graph *g, uint32_t node) {
    const uint32_t value = g->nodes[node].output;
    uint32_t reader;
    return value != g->output && graph_readers(g, value, &reader) == 1 ? reader : GRAPH_NONE;
}

static size_t block_of(const graph *g, const graph_node *node) {
    const graph_shape shape = graph_operand_shape(g, node, 0);
    const graph_window *w = graph_node_window(node);
    return w != NULL ? (size_t)w->kernel[0] * w->kernel[1]
                     : graph_shape_extent(shape, 1, shape.rank);
}

/* A layer whose columns are its input's channels, block by block. */
static bool reads_all_channels(const graph_node *node) {
    return (node->op == GRAPH_CONV && node->conv.groups == 1) || node->op == GRAPH_INNER_PRODUCT;
}

/* What keeps a unit apart from the others. */
static bool lies_between(const graph_node *node) {
    return node->op == GRAPH_MAXPOOL || node->op == GRAPH_RELU ||
           node->op == GRAPH_BATCH_NORMALIZATION || node->op == GRAPH_DROPOUT;
}

graph_reader graph_reader_of(const graph *g, uint32_t layer_node) {
    graph_reader r = {.node = GRAPH_NONE};
    if (g->nodes[layer_node].op == GRAPH_MATMUL) /* its units are its output's last axis */
        return r;
    for (uint32_t n = graph_only_reader(g, layer_node); n != GRAPH_NONE;
         n = graph_only_reader(g, n)) {
        const graph_node *node = &g->nodes[n];
        r.normalized |= node->op == GRAPH_BATCH_NORMALIZATION;
        if (reads_all_channels(node)) {
            r.node = n;
            r.block = block_of(g, node);
            return r;
        }
        if (!lies_between(node))
            return r;
    }
    return r;
}

bool graph_bias_is_void(const graph *g, uint32_t layer_node) {
    const uint32_t reader = graph_only_reader(g, layer_node);
    return reader != GRAPH_NONE && g->nodes[reader].op == GRAPH_BATCH_NORMALIZATION;
}
