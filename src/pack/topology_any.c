/* Version 2: any graph. Values stand in the order of their numbers, each told by the item that
 * makes it. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "pack/format.h"
#include "pack/topology_parts.h"
#include "pack/topology_tell.h"

/* ---- names ---- */

/* Usual names number the items of each code; others begin as the name before them does. */
typedef struct naming {
    uint32_t numbers[PACK_ITEM_PARAMETER + 1];
    char last[GRAPH_NAME_MAX];
} naming;

static void usual_name(naming *names, unsigned code, char name[GRAPH_NAME_MAX]) {
    const uint32_t number = ++names->numbers[code];
    if (code == PACK_ITEM_PARAMETER)
        snprintf(name, GRAPH_NAME_MAX, "parameter%u", number);
    else
        topology_usual_name((graph_op)code, number, name);
}

static void write_name(naming *names, const char *name, base_writer *out) {
    size_t shared = 0;
    while (name[shared] != 0 && name[shared] == names->last[shared])
        shared++;
    base_write_varint(out, shared);
    base_write_varint(out, strlen(name) - shared);
    base_write_bytes(out, name + shared, strlen(name) - shared);
}

static bool read_name(naming *names, base_reader *in, char name[GRAPH_NAME_MAX]) {
    const uint64_t shared = base_read_varint(in);
    const uint64_t own = base_read_varint(in);
    if (in->failed || shared > strlen(names->last) || own >= GRAPH_NAME_MAX - shared)
        return false;
    const uint8_t *bytes = base_read_bytes(in, (size_t)own);
    if (bytes == NULL)
        return false;
    memcpy(name, names->last, (size_t)shared);
    memcpy(name + shared, bytes, (size_t)own);
    name[shared + own] = 0;
    return strlen(name) == shared + own && topology_is_name(name);
}

/* ---- writing ---- */

typedef struct writing {
    const graph *g;
    base_writer *out;
    naming names;
} writing;

static topology_item item_of(const graph *g, uint32_t value) {
    const graph_value *v = &g->values[value];
    topology_item it = {.code = PACK_ITEM_CONSTANT, .shape = v->shape};
    if (v->producer != GRAPH_NONE) {
        it.node = g->nodes[v->producer];
        it.code = it.node.op;
        it.biased = it.node.bias != GRAPH_NONE;
        it.outputs = topology_is_layer(it.code) ? g->parameters[it.node.weight].rows : 0;
        it.in = graph_operand_shape(g, &it.node, 0);
        memcpy(it.name, it.node.name, sizeof it.name);
    } else if (v->parameter != GRAPH_NONE) {
        it.code = PACK_ITEM_PARAMETER;
        it.kind = g->parameters[v->parameter].kind;
        memcpy(it.name, g->parameters[v->parameter].name, sizeof it.name);
    }
    return it;
}

/* All after the first, by how far back they are. */
static void write_operands(const writing *w, uint32_t value, const graph_node *node) {
    if (node->op == GRAPH_CONCAT)
        base_write_varint(w->out, node->operand_count);
    for (uint32_t i = 1; i < node->operand_count; i++)
        base_write_varint(w->out, value - graph_operand(w->g, node, i));
}

static void write_item(writing *w, uint32_t value) {
    const graph_value *v = &w->g->values[value];
    topology_item it = item_of(w->g, value);
    const bool is_node = v->producer != GRAPH_NONE;
    const uint32_t back = is_node ? value - graph_operand(w->g, &it.node, 0) : 1;
    const bool unusual = topology_is_unusual(&it);
    char usual[GRAPH_NAME_MAX] = "";
    topology_telling t = {.out = w->out};
    if (it.code != PACK_ITEM_CONSTANT)
        usual_name(&w->names, it.code, usual);
    const bool named = strcmp(usual, it.name) != 0;
    base_write_u8(w->out,
                  (uint8_t)(it.code | (back != 1 ? PACK_ITEM_INPUT : 0) |
                            (unusual ? PACK_ITEM_UNUSUAL : 0) | (named ? PACK_ITEM_NAME : 0)));
    if (back != 1)
        base_write_varint(w->out, back);
    if (is_node)
        write_operands(w, value, &it.node);
    if (is_node)
        topology_tell_operation(&t, &it, unusual);
    else
        topology_tell_shape(&t, &it.shape);
    if (it.code == PACK_ITEM_PARAMETER)
        base_write_varint(w->out, (uint64_t)it.kind);
    for (size_t i = 0; it.code == PACK_ITEM_CONSTANT && i < graph_shape_count(v->shape); i++)
        base_write_f32(w->out, w->g->constants[v->constant + i]);
    if (named)
        write_name(&w->names, it.name, w->out);
    if (it.code != PACK_ITEM_CONSTANT)
        memcpy(w->names.last, it.name, sizeof it.name);
}

void topology_write_any(const graph *g, base_writer *out) {
    writing w = {.g = g, .out = out};
    topology_telling t = {.out = out};
    graph_shape input = g->values[g->input].shape;
    topology_tell_shape(&t, &input);
    base_write_varint(out, g->value_count - 1);
    for (uint32_t v = 1; v < g->value_count; v++)
        write_item(&w, v);
    base_write_varint(out, g->value_count - 1 - g->output);
}

/* ---- reading ---- */

typedef struct reading {
    graph *g;
    base_reader *in;
    naming names;
    uint32_t *operands; /* of the item */
    uint32_t operand_count;
} reading;

static admmnn_status add_layer(graph *g, const topology_item *it, uint32_t in, admmnn_error *err) {
    uint32_t out;
    switch (it->code) {
    case GRAPH_CONV:
        return graph_add_conv(g, it->name, in, it->outputs, it->node.conv, &out, err);
    case GRAPH_TRANSPOSED_CONV:
        return graph_add_transposed_conv(g, it->name, in, it->outputs, it->node.conv, &out, err);
    case GRAPH_INNER_PRODUCT:
        return graph_add_inner_product(g, it->name, in, it->outputs, it->biased, &out, err);
    case GRAPH_MAXPOOL:
        return graph_add_maxpool(g, it->name, in, it->node.pool, &out, err);
    default:
        return graph_add_average_pool(g, it->name, in, it->node.pool, &out, err);
    }
}

static admmnn_status add_element(graph *g, const topology_item *it, const uint32_t *in,
                                 admmnn_error *err) {
    const graph_node *node = &it->node;
    const graph_normalization *n = &node->normalization;
    uint32_t out;
    switch (it->code) {
    case GRAPH_RELU:
        return graph_add_relu(g, it->name, in[0], &out, err);
    case GRAPH_UNARY:
        return graph_add_unary(g, it->name, in[0], node->unary, &out, err);
    case GRAPH_DROPOUT:
        return graph_add_dropout(g, it->name, in[0], node->ratio, &out, err);
    case GRAPH_BINARY:
        return graph_add_binary(g, it->name, node->binary, in[0], in[1], &out, err);
    case GRAPH_MATMUL:
        return graph_add_matmul(g, it->name, in[0], in[1], &out, err);
    case GRAPH_BATCH_NORMALIZATION:
        return graph_add_batch_normalization(g, it->name, in[0], n->epsilon, n->momentum, &out,
                                             err);
    case GRAPH_INSTANCE_NORMALIZATION:
        return graph_add_instance_normalization(g, it->name, in[0], n->epsilon, &out, err);
    case GRAPH_LAYER_NORMALIZATION:
        return graph_add_layer_normalization(g, it->name, in[0], n->axis, n->epsilon, &out, err);
    case GRAPH_LRN:
        return graph_add_lrn(g, it->name, in[0], node->lrn, &out, err);
    case GRAPH_SOFTMAX:
        return graph_add_softmax(g, it->name, in[0], node->axis, &out, err);
    default:
        return graph_add_log_softmax(g, it->name, in[0], node->axis, &out, err);
    }
}

static admmnn_status add_operation(reading *r, const topology_item *it, admmnn_error *err) {
    graph *g = r->g;
    const uint32_t *in = r->operands;
    const graph_node *node = &it->node;
    uint32_t out;
    switch (it->code) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
    case GRAPH_INNER_PRODUCT:
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        return add_layer(g, it, in[0], err);
    case GRAPH_REDUCE:
        return graph_add_reduce(g, it->name, in[0], node->reduce, &out, err);
    case GRAPH_CONCAT:
        return graph_add_concat(g, it->name, in, r->operand_count, node->axis, &out, err);
    case GRAPH_SLICE:
        return graph_add_slice(g, it->name, in[0], &node->slice, &out, err);
    case GRAPH_PAD:
        return graph_add_pad(g, it->name, in[0], &node->pad, &out, err);
    case GRAPH_RESHAPE:
        return graph_add_reshape(g, it->name, in[0], it->shape, &out, err);
    case GRAPH_TRANSPOSE:
        return graph_add_transpose(g, it->name, in[0], node->order, &out, err);
    case GRAPH_GATHER:
        return graph_add_gather(g, it->name, in[0], in[1], node->axis, &out, err);
    case GRAPH_RESIZE:
        return graph_add_resize(g, it->name, in[0], &node->resize, &out, err);
    default:
        return add_element(g, it, in, err);
    }
}

/* Every one but the first, which is there, takes at least a byte of the file. */
static admmnn_status read_operands(reading *r, const topology_item *it, admmnn_error *err) {
    const uint32_t value = r->g->value_count;
    const uint32_t first = r->operands[0];
    r->operand_count =
        it->code == GRAPH_BINARY || it->code == GRAPH_MATMUL || it->code == GRAPH_GATHER ? 2 : 1;
    if (it->code == GRAPH_CONCAT)
        r->operand_count = topology_read_u32(r->in);
    if (r->in->failed || r->operand_count == 0 || r->operand_count - 1 > r->in->count - r->in->at)
        return base_fail(err, ADMMNN_CORRUPT, "operands end early at byte %zu", r->in->at);
    base_free(r->operands);
    r->operands = base_array(r->operand_count, sizeof *r->operands);
    if (r->operands == NULL)
        return base_fail_memory(err, "a node's operands");
    r->operands[0] = first;
    for (uint32_t i = 1; i < r->operand_count; i++) {
        const uint32_t back = topology_read_u32(r->in);
        r->operands[i] = back > value ? GRAPH_NONE : value - back; /* of 0: refused as unknown */
    }
    return ADMMNN_OK;
}

/* The floats of the file are taken as they lie there: as many as there are bytes for. */
static admmnn_status read_constant(reading *r, const topology_item *it, admmnn_error *err) {
    uint32_t out;
    if (!graph_shape_is_sound(it->shape) ||
        graph_shape_count(it->shape) > (r->in->count - r->in->at) / 4)
        return base_fail(err, ADMMNN_CORRUPT, "a constant ends early at byte %zu", r->in->at);
    const size_t count = graph_shape_count(it->shape);
    float *data = base_array(count, sizeof *data);
    if (data == NULL)
        return base_fail_memory(err, "a constant");
    for (size_t i = 0; i < count; i++)
        data[i] = base_read_f32(r->in);
    admmnn_status status = graph_add_constant(r->g, it->shape, data, &out, err);
    base_free(data);
    return status;
}

static bool read_item_name(reading *r, unsigned head, topology_item *it) {
    usual_name(&r->names, it->code, it->name);
    if ((head & PACK_ITEM_NAME) != 0 && !read_name(&r->names, r->in, it->name))
        return false;
    memcpy(r->names.last, it->name, sizeof it->name);
    return it->code == PACK_ITEM_PARAMETER || graph_find_node(r->g, it->name) == GRAPH_NONE;
}

static admmnn_status read_parameter(reading *r, unsigned head, topology_item *it,
                                    admmnn_error *err) {
    topology_telling t = {.in = r->in};
    uint32_t out;
    it->kind = (graph_parameter_kind)topology_tell_choice(&t, 0, GRAPH_TENSOR + 1);
    if (!read_item_name(r, head, it) || r->in->failed)
        return base_fail(err, ADMMNN_CORRUPT, "a parameter makes no sense at byte %zu", r->in->at);
    return graph_add_parameter(r->g, it->name, it->kind, it->shape, &out, err);
}

static admmnn_status read_operation(reading *r, unsigned head, topology_item *it,
                                    admmnn_error *err) {
    topology_telling t = {.in = r->in};
    BASE_TRY(read_operands(r, it, err));
    if (r->operands[0] >= r->g->value_count)
        return base_fail(err, ADMMNN_CORRUPT, "an operand that is not there at byte %zu",
                         r->in->at);
    it->in = r->g->values[r->operands[0]].shape;
    it->node.op = (graph_op)it->code;
    topology_tell_operation(&t, it, (head & PACK_ITEM_UNUSUAL) != 0);
    if (!read_item_name(r, head, it) || r->in->failed)
        return base_fail(err, ADMMNN_CORRUPT, "node %u ends early or makes no sense",
                         r->g->node_count);
    return add_operation(r, it, err);
}

/* Only operations read others and have attributes that may be unusual. */
static bool head_makes_sense(unsigned head, unsigned code) {
    const unsigned made =
        code == PACK_ITEM_CONSTANT ? PACK_ITEM_INPUT | PACK_ITEM_NAME : PACK_ITEM_INPUT;
    if (code == PACK_ITEM_CONSTANT || code == PACK_ITEM_PARAMETER)
        return (head & (made | PACK_ITEM_UNUSUAL)) == 0;
    return code < GRAPH_OP_COUNT &&
           ((head & PACK_ITEM_UNUSUAL) == 0 || topology_may_be_unusual(code));
}

static admmnn_status read_item(reading *r, admmnn_error *err) {
    const unsigned head = base_read_u8(r->in);
    topology_item it = {.code = head & PACK_ITEM_CODE};
    topology_telling t = {.in = r->in};
    if (r->in->failed || !head_makes_sense(head, it.code))
        return base_fail(err, ADMMNN_CORRUPT, "unknown operation %u at byte %zu", it.code,
                         r->in->at);
    const uint32_t back = (head & PACK_ITEM_INPUT) != 0 ? topology_read_u32(r->in) : 1;
    if (it.code != PACK_ITEM_CONSTANT && it.code != PACK_ITEM_PARAMETER) {
        r->operands[0] = back > r->g->value_count ? GRAPH_NONE : r->g->value_count - back;
        return read_operation(r, head, &it, err);
    }
    topology_tell_shape(&t, &it.shape);
    return it.code == PACK_ITEM_CONSTANT ? read_constant(r, &it, err)
                                         : read_parameter(r, head, &it, err);
}

static admmnn_status read_items(reading *r, uint32_t items, admmnn_error *err) {
    r->operands = base_array(1, sizeof *r->operands);
    if (r->operands == NULL)
        return base_fail_memory(err, "a graph");
    for (uint32_t i = 0; i < items; i++) {
        BASE_TRY(read_item(r, err));
        BASE_TRY(topology_check_size(r->g, err));
    }
    const uint32_t back = topology_read_u32(r->in);
    if (r->in->failed || back >= items || r->g->values[items - back].producer == GRAPH_NONE)
        return base_fail(err, ADMMNN_CORRUPT, "the output at byte %zu is none that a node makes",
                         r->in->at);
    r->g->output = items - back;
    return ADMMNN_OK;
}

admmnn_status topology_read_any(base_reader *in, const char *name, graph **out, admmnn_error *err) {
    reading r = {.in = in};
    topology_telling t = {.in = in};
    graph_shape input = {0};
    topology_tell_shape(&t, &input);
    const uint32_t items = topology_read_u32(in);
    if (in->failed || items == 0 || items > PACK_NODES_MAX)
        return base_fail(err, ADMMNN_CORRUPT,
                         "the network's description makes no sense at byte %zu", in->at);
    admmnn_status status = graph_create(name, input, &r.g, err);
    if (status == ADMMNN_OK)
        status = read_items(&r, items, err);
    base_free(r.operands);
    if (status != ADMMNN_OK)
        return topology_fail(r.g, status, err);
    *out = r.g;
    return ADMMNN_OK;
}
