#include "graph/reader.h"

#include <math.h>

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

/* What keeps a unit apart from the others, and turns a constant into a constant. */
static bool lies_between(const graph_node *node) {
    return node->op == GRAPH_MAXPOOL || node->op == GRAPH_RELU ||
           node->op == GRAPH_BATCH_NORMALIZATION || node->op == GRAPH_DROPOUT;
}

static bool is_padded(const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    return w != NULL && (w->pad[0] | w->pad[1] | w->pad_end[0] | w->pad_end[1]) != 0;
}

graph_reader graph_reader_of(const graph *g, uint32_t layer_node) {
    graph_reader r = {.node = GRAPH_NONE};
    if (g->nodes[layer_node].op == GRAPH_MATMUL) /* its units are its output's last axis */
        return r;
    for (uint32_t n = graph_only_reader(g, layer_node); n != GRAPH_NONE;
         n = graph_only_reader(g, n)) {
        const graph_node *node = &g->nodes[n];
        r.normalized |= node->op == GRAPH_BATCH_NORMALIZATION;
        r.padded |= is_padded(node);
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

static float normalized(const graph *g, const graph_normalization *n, const float *params,
                        size_t channel, float value) {
    const double mean = (double)params[g->parameters[n->mean].offset + channel];
    const double variance = (double)params[g->parameters[n->variance].offset + channel];
    const double scale = (double)params[g->parameters[n->scale].offset + channel];
    const double shift = (double)params[g->parameters[n->shift].offset + channel];
    return (float)(((double)value - mean) / sqrt(variance + (double)n->epsilon) * scale + shift);
}

float graph_constant_through(const graph *g, const float *params, uint32_t layer_node, size_t unit,
                             float value) {
    for (uint32_t n = graph_only_reader(g, layer_node);
         n != GRAPH_NONE && lies_between(&g->nodes[n]); n = graph_only_reader(g, n)) {
        const graph_node *node = &g->nodes[n];
        if (node->op == GRAPH_RELU && value < 0.0F)
            value = 0.0F;
        if (node->op == GRAPH_BATCH_NORMALIZATION)
            value = normalized(g, &node->normalization, params, unit, value);
    }
    return value;
}

bool graph_bias_is_void(const graph *g, uint32_t layer_node) {
    const uint32_t reader = graph_only_reader(g, layer_node);
    return reader != GRAPH_NONE && g->nodes[reader].op == GRAPH_BATCH_NORMALIZATION;
}
