#include "pack/topology.h"

#include <stdio.h>
#include <string.h>

#include "pack/format.h"

/* Texts end up in messages and in other formats: no control characters. */
static bool is_name(const char *text) {
    if (text[0] == 0)
        return false;
    for (; *text != 0; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool is_weighted(graph_op op) {
    return op == GRAPH_CONV || op == GRAPH_INNER_PRODUCT;
}

/* Whether the file can tell of the node. */
static bool node_is_told(const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    for (int i = 0; w != NULL && i < 2; i++)
        if (w->pad[i] != w->pad_end[i] || w->dilation[i] != 1)
            return false;
    if (node->op == GRAPH_MAXPOOL)
        return !node->pool.ceil;
    if (node->op == GRAPH_CONV && node->conv.groups != 1)
        return false;
    return (node->op < PACK_OPS && !is_weighted(node->op)) || node->bias != GRAPH_NONE;
}

admmnn_status topology_check(const graph *g, admmnn_error *err) {
    if (g->node_count > PACK_NODES_MAX || g->flat_count > PACK_PARAMETERS_MAX)
        return base_fail(err, ADMMNN_USAGE, "network %s is too large for a packed file", g->name);
    if (g->node_count == 0 || g->output != g->nodes[g->node_count - 1].output)
        return base_fail(
            err, ADMMNN_UNSUPPORTED,
            "network %s: its last node does not make its output; remove the nodes that "
            "nothing reads",
            g->name);
    if (!is_name(g->name))
        return base_fail(err, ADMMNN_USAGE, "the network's name cannot be packed");
    for (uint32_t n = 0; n < g->node_count; n++)
        if (!node_is_told(&g->nodes[n]))
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "node %s: a packed file holds no such %s; keep the network as ONNX",
                             g->nodes[n].name, graph_op_name(g->nodes[n].op));
    for (uint32_t n = 0; n < g->node_count; n++)
        if (!is_name(g->nodes[n].name) || graph_find_node(g, g->nodes[n].name) != n)
            return base_fail(err, ADMMNN_USAGE,
                             "network %s: node %u's name is empty, taken or unprintable", g->name,
                             n);
    return ADMMNN_OK;
}

void topology_write_text(const char *text, base_writer *out) {
    base_write_varint(out, strlen(text));
    base_write_bytes(out, text, strlen(text));
}

bool topology_read_text(base_reader *in, char *out, size_t size) {
    uint64_t length = base_read_varint(in);
    const uint8_t *bytes = length < size ? base_read_bytes(in, (size_t)length) : NULL;
    if (bytes == NULL)
        return false;
    memcpy(out, bytes, (size_t)length);
    out[length] = 0;
    return strlen(out) == length && is_name(out);
}

/* "conv1": the operation's usual name and its number among its kind. */
static void usual_name(const graph *g, uint32_t node_count, graph_op op, char *out) {
    static const char *const base[PACK_OPS] = {
        [GRAPH_CONV] = "conv", [GRAPH_MAXPOOL] = "pool",           [GRAPH_INNER_PRODUCT] = "fc",
        [GRAPH_RELU] = "relu", [GRAPH_BATCH_NORMALIZATION] = "bn", [GRAPH_DROPOUT] = "dropout"};
    uint32_t number = 1;
    for (uint32_t n = 0; n < node_count; n++)
        number += g->nodes[n].op == op;
    snprintf(out, GRAPH_NAME_MAX, "%s%u", base[op], number);
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

void topology_write(const graph *g, base_writer *out) {
    graph_shape shape = g->values[g->input].shape;
    base_write_varint(out, graph_shape_channels(shape));
    base_write_varint(out, graph_shape_height(shape));
    base_write_varint(out, graph_shape_width(shape));
    base_write_varint(out, g->node_count);
    for (uint32_t n = 0; n < g->node_count; n++)
        write_node(g, n, out);
}

static uint32_t read_u32(base_reader *in) {
    uint64_t value = base_read_varint(in);
    if (value > UINT32_MAX)
        in->failed = true;
    return (uint32_t)value;
}

static graph_window read_window(base_reader *in) {
    graph_window w = graph_window_of(1, 1, 0);
    for (int i = 0; i < 2; i++)
        w.kernel[i] = read_u32(in);
    for (int i = 0; i < 2; i++)
        w.stride[i] = read_u32(in);
    for (int i = 0; i < 2; i++)
        w.pad[i] = w.pad_end[i] = read_u32(in);
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
        read.window = unusual ? read_window(in) : usual_window(op, read_u32(in));
    if (is_weighted(op))
        read.outputs = read_u32(in);
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
    if (op >= PACK_OPS)
        return base_fail(err, ADMMNN_CORRUPT, "unknown operation %u at byte %zu", (unsigned)op,
                         in->at);
    uint32_t input = (head & PACK_NODE_INPUT) != 0 ? read_u32(in) : n;
    const geometry read = read_geometry(in, op, (head & PACK_NODE_UNUSUAL) != 0);
    char name[GRAPH_NAME_MAX];
    usual_name(g, n, op, name);
    if ((head & PACK_NODE_NAME) != 0 && !topology_read_text(in, name, sizeof name))
        in->failed = true;
    if (in->failed || (head & PACK_NODE_UNUSED) != 0 || graph_find_node(g, name) != GRAPH_NONE)
        return base_fail(err, ADMMNN_CORRUPT, "node %u ends early or makes no sense", n);
    return add_node(g, op, name, input, &read, err);
}

/* What no graph can be is damage of the file. */
static admmnn_status damaged(admmnn_status status, admmnn_error *err) {
    if (status == ADMMNN_MEMORY || status == ADMMNN_CORRUPT)
        return status;
    return base_fail_within(err, ADMMNN_CORRUPT, "the network's description");
}

admmnn_status topology_read(base_reader *in, const char *name, graph **out, admmnn_error *err) {
    uint32_t sides[3];
    for (int i = 0; i < 3; i++)
        sides[i] = read_u32(in);
    uint32_t nodes = read_u32(in);
    if (in->failed || nodes == 0 || nodes > PACK_NODES_MAX)
        return base_fail(err, ADMMNN_CORRUPT,
                         "the network's description makes no sense at byte %zu", in->at);
    graph *g;
    admmnn_status status =
        graph_create(name, graph_shape_image(sides[0], sides[1], sides[2]), &g, err);
    if (status != ADMMNN_OK)
        return damaged(status, err);
    for (uint32_t n = 0; n < nodes && status == ADMMNN_OK; n++) {
        status = read_node(in, g, n, err);
        if (status == ADMMNN_OK && g->flat_count > PACK_PARAMETERS_MAX)
            status = base_fail(err, ADMMNN_CORRUPT, "more parameters than a file may describe");
    }
    if (status != ADMMNN_OK) {
        graph_free(g);
        return damaged(status, err);
    }
    *out = g;
    return ADMMNN_OK;
}
