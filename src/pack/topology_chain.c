/* Version 1: chains of few operations, each reading what one before it made, with the usual
 * windows and biases. */
#include <string.h>

#include "pack/format.h"
#include "pack/topology_parts.h"

static bool is_weighted(graph_op op) {
    return op == GRAPH_CONV || op == GRAPH_INNER_PRODUCT;
}

/* Whether it is no more than the file tells of a node. */
static bool node_is_told(const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    for (int i = 0; w != NULL && i < 2; i++)
        if (w->pad[i] != w->pad_end[i] || w->dilation[i] != 1)
            return false;
    switch (node->op) {
    case GRAPH_CONV:
        return node->conv.groups == 1 && node->bias != GRAPH_NONE;
    case GRAPH_MAXPOOL:
        return !node->pool.ceil;
    case GRAPH_INNER_PRODUCT:
        return node->bias != GRAPH_NONE;
    case GRAPH_BATCH_NORMALIZATION:
        return node->normalization.momentum == GRAPH_MOMENTUM;
    default:
        return node->op < PACK_CHAIN_OPS;
    }
}

bool topology_is_chain(const graph *g) {
    if (g->values[g->input].shape.rank != 3 || g->value_count != g->node_count + 1 ||
        g->output != g->node_count)
        return false;
    for (uint32_t n = 0; n < g->node_count; n++)
        if (!node_is_told(&g->nodes[n]))
            return false;
    return true;
}

/* The name of node n of that operation, unless it has its own. */
static void usual_name(const graph *g, uint32_t n, graph_op op, char *out) {
    uint32_t number = 1;
    for (uint32_t i = 0; i < n; i++)
        number += g->nodes[i].op == op;
    topology_usual_name(op, number, out);
}

static bool has_window(graph_op op) {
    return op == GRAPH_CONV || op == GRAPH_MAXPOOL;
}

static graph_window usual_window(graph_op op, uint32_t kernel) {
    uint32_t stride = op == GRAPH_CONV ? 1 : kernel;
    return graph_window_of(kernel, stride, 0);
}

static void write_window(const graph_window *w, base_writer *out) {
    for (int i = 0; i < 2; i++)
        base_write_varint(out, w->kernel[i]);
    for (int i = 0; i < 2; i++)
        base_write_varint(out, w->stride[i]);
    for (int i = 0; i < 2; i++)
        base_write_varint(out, w->pad[i]);
}

/* Whether bit 5 is set: a window, or an epsilon, that is not the usual one. */
static bool is_unusual(const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    if (node->op == GRAPH_BATCH_NORMALIZATION)
        return node->normalization.epsilon != GRAPH_EPSILON;
    if (w == NULL)
        return false;
    const graph_window usual = usual_window(node->op, w->kernel[0]);
    return memcmp(&usual, w, sizeof usual) != 0;
}

static void write_geometry(const graph *g, const graph_node *node, base_writer *out) {
    const graph_window *w = graph_node_window(node);
    if (w != NULL && is_unusual(node))
        write_window(w, out);
    else if (w != NULL)
        base_write_varint(out, w->kernel[0]);
    if (is_weighted(node->op))
        base_write_varint(out, g->parameters[node->weight].rows);
    if (node->op == GRAPH_BATCH_NORMALIZATION && is_unusual(node))
        base_write_f32(out, node->normalization.epsilon);
    if (node->op == GRAPH_DROPOUT)
        base_write_f32(out, node->ratio);
}

static void write_node(const graph *g, uint32_t n, base_writer *out) {
    const graph_node *node = &g->nodes[n];
    char name[GRAPH_NAME_MAX];
    usual_name(g, n, node->op, name);
    /* Value n + 1 is node n's output when nodes are added in order. */
    bool other_input = graph_operand(g, node, 0) != n;
    bool named = strcmp(name, node->name) != 0;
    base_write_u8(out, (uint8_t)((unsigned)node->op | (other_input ? PACK_NODE_INPUT : 0) |
                                 (is_unusual(node) ? PACK_NODE_UNUSUAL : 0) |
                                 (named ? PACK_NODE_NAME : 0)));
    if (other_input)
        base_write_varint(out, graph_operand(g, node, 0));
    write_geometry(g, node, out);
    if (named)
        topology_write_text(node->name, out);
}

void topology_write_chain(const graph *g, base_writer *out) {
    graph_shape shape = g->values[g->input].shape;
    base_write_varint(out, graph_shape_channels(shape));
    base_write_varint(out, graph_shape_height(shape));
    base_write_varint(out, graph_shape_width(shape));
    base_write_varint(out, g->node_count);
    for (uint32_t n = 0; n < g->node_count; n++)
        write_node(g, n, out);
}

static graph_window read_window(base_reader *in) {
    graph_window w = graph_window_of(1, 1, 0);
    for (int i = 0; i < 2; i++)
        w.kernel[i] = topology_read_u32(in);
    for (int i = 0; i < 2; i++)
        w.stride[i] = topology_read_u32(in);
    for (int i = 0; i < 2; i++)
        w.pad[i] = w.pad_end[i] = topology_read_u32(in);
    return w;
}

/* What a node's operation needs to know. */
typedef struct geometry {
    graph_window window;
    uint32_t outputs;
    float epsilon, ratio;
} geometry;

static geometry read_geometry(base_reader *in, graph_op op, bool unusual) {
    geometry read = {.epsilon = GRAPH_EPSILON};
    if (has_window(op))
        read.window = unusual ? read_window(in) : usual_window(op, topology_read_u32(in));
    if (is_weighted(op))
        read.outputs = topology_read_u32(in);
    if (op == GRAPH_BATCH_NORMALIZATION && unusual)
        read.epsilon = base_read_f32(in);
    if (op == GRAPH_DROPOUT)
        read.ratio = base_read_f32(in);
    if (unusual && !has_window(op) && op != GRAPH_BATCH_NORMALIZATION)
        in->failed = true;
    return read;
}

static admmnn_status add_node(graph *g, graph_op op, const char *name, uint32_t in,
                              const geometry *read, admmnn_error *err) {
    uint32_t value;
    switch (op) {
    case GRAPH_CONV:
        return graph_add_conv(g, name, in, read->outputs, graph_conv_of(read->window), &value, err);
    case GRAPH_MAXPOOL:
        return graph_add_maxpool(g, name, in, graph_pool_of(read->window), &value, err);
    case GRAPH_INNER_PRODUCT:
        return graph_add_inner_product(g, name, in, read->outputs, true, &value, err);
    case GRAPH_BATCH_NORMALIZATION:
        return graph_add_batch_normalization(g, name, in, read->epsilon, GRAPH_MOMENTUM, &value,
                                             err);
    case GRAPH_DROPOUT:
        return graph_add_dropout(g, name, in, read->ratio, &value, err);
    default:
        return graph_add_relu(g, name, in, &value, err);
    }
}

static admmnn_status read_node(base_reader *in, graph *g, uint32_t n, admmnn_error *err) {
    unsigned head = base_read_u8(in);
    graph_op op = (graph_op)(head & PACK_NODE_OP);
    if (op >= PACK_CHAIN_OPS)
        return base_fail(err, ADMMNN_CORRUPT, "unknown operation %u at byte %zu", (unsigned)op,
                         in->at);
    uint32_t input = (head & PACK_NODE_INPUT) != 0 ? topology_read_u32(in) : n;
    const geometry read = read_geometry(in, op, (head & PACK_NODE_UNUSUAL) != 0);
    char name[GRAPH_NAME_MAX];
    usual_name(g, n, op, name);
    if ((head & PACK_NODE_NAME) != 0 && !topology_read_text(in, name, sizeof name))
        in->failed = true;
    if (in->failed || (head & PACK_NODE_UNUSED) != 0 || graph_find_node(g, name) != GRAPH_NONE)
        return base_fail(err, ADMMNN_CORRUPT, "node %u ends early or makes no sense", n);
    return add_node(g, op, name, input, &read, err);
}

admmnn_status topology_read_chain(base_reader *in, const char *name, graph **out,
                                  admmnn_error *err) {
    uint32_t sides[3];
    for (int i = 0; i < 3; i++)
        sides[i] = topology_read_u32(in);
    uint32_t nodes = topology_read_u32(in);
    if (in->failed || nodes == 0 || nodes > PACK_NODES_MAX)
        return base_fail(err, ADMMNN_CORRUPT,
                         "the network's description makes no sense at byte %zu", in->at);
    graph *g = NULL;
    admmnn_status status =
        graph_create(name, graph_shape_image(sides[0], sides[1], sides[2]), &g, err);
    for (uint32_t n = 0; n < nodes && status == ADMMNN_OK; n++) {
        status = read_node(in, g, n, err);
        if (status == ADMMNN_OK)
            status = topology_check_size(g, err);
    }
    if (status != ADMMNN_OK)
        return topology_fail(g, status, err);
    *out = g;
    return ADMMNN_OK;
}
