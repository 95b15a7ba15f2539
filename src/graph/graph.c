#include "graph/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "graph/build.h"

const char *graph_op_name(graph_op op) {
    static const char *const names[GRAPH_OP_COUNT] = {
#define OP_NAME(name, text) text,
        GRAPH_OP_MAP(OP_NAME)
#undef OP_NAME
    };
    return op < GRAPH_OP_COUNT ? names[op] : "unknown";
}

const char *graph_unary_name(graph_unary_kind kind) {
    static const char *const names[GRAPH_UNARY_COUNT] = {
#define UNARY_NAME(name, text) text,
        GRAPH_UNARY_MAP(UNARY_NAME)
#undef UNARY_NAME
    };
    return kind < GRAPH_UNARY_COUNT ? names[kind] : "unknown";
}

const char *graph_binary_name(graph_binary_kind kind) {
    static const char *const names[GRAPH_BINARY_COUNT] = {
#define BINARY_NAME(name, text) text,
        GRAPH_BINARY_MAP(BINARY_NAME)
#undef BINARY_NAME
    };
    return kind < GRAPH_BINARY_COUNT ? names[kind] : "unknown";
}

void graph_parameter_name(const graph *g, uint32_t p, char name[GRAPH_PARAMETER_NAME_MAX]) {
    static const char *const kinds[] = {
#define PARAMETER_NAME(name, text) text,
        GRAPH_PARAMETER_MAP(PARAMETER_NAME)
#undef PARAMETER_NAME
    };
    const graph_parameter *parameter = &g->parameters[p];
    if (parameter->name[0] != 0)
        snprintf(name, GRAPH_PARAMETER_NAME_MAX, "%s", parameter->name);
    else
        snprintf(name, GRAPH_PARAMETER_NAME_MAX, "%s.%s", g->nodes[parameter->node].name,
                 kinds[parameter->kind]);
}

size_t graph_value_count(const graph *g, uint32_t value) {
    return graph_shape_count(g->values[value].shape);
}

const graph_window *graph_node_window(const graph_node *node) {
    switch (node->op) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
        return &node->conv.window;
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        return &node->pool.window;
    default:
        return NULL;
    }
}

/* ---- life ---- */

admmnn_status graph_create(const char *name, graph_shape input, graph **out, admmnn_error *err) {
    char text[GRAPH_SHAPE_TEXT_MAX];
    if (input.rank == 0 || !graph_shape_is_sound(input))
        return base_fail(err, ADMMNN_INPUT, "network %.32s: impossible input shape %s", name,
                         graph_shape_text(input, text));
    graph *g = base_array(1, sizeof *g);
    if (g == NULL)
        return base_fail_memory(err, "a graph");
    snprintf(g->name, sizeof g->name, "%s", name);
    const graph_value value = {
        .shape = input, .producer = GRAPH_NONE, .parameter = GRAPH_NONE, .constant = GRAPH_VARIES};
    admmnn_status status = build_value(g, value, &g->input, err);
    if (status != ADMMNN_OK) {
        graph_free(g);
        return status;
    }
    g->output = g->input;
    *out = g;
    return ADMMNN_OK;
}

admmnn_status graph_clone(const graph *g, graph **out, admmnn_error *err) {
    graph *copy = base_array_copy(g, 1, sizeof *g);
    if (copy == NULL)
        return base_fail_memory(err, "a graph");
    copy->values = base_array_copy(g->values, g->value_count, sizeof *g->values);
    copy->nodes = base_array_copy(g->nodes, g->node_count, sizeof *g->nodes);
    copy->parameters = base_array_copy(g->parameters, g->parameter_count, sizeof *g->parameters);
    copy->operands = base_array_copy(g->operands, g->operand_count, sizeof *g->operands);
    copy->constants = base_array_copy(g->constants, g->constant_count, sizeof *g->constants);
    copy->value_capacity = g->value_count;
    copy->node_capacity = g->node_count;
    copy->parameter_capacity = g->parameter_count;
    copy->operand_capacity = g->operand_count;
    copy->constant_capacity = g->constant_count;
    if (copy->values == NULL || copy->nodes == NULL || copy->parameters == NULL ||
        copy->operands == NULL || copy->constants == NULL) {
        graph_free(copy);
        return base_fail_memory(err, "a graph");
    }
    *out = copy;
    return ADMMNN_OK;
}

void graph_free(graph *g) {
    if (g == NULL)
        return;
    base_free(g->values);
    base_free(g->nodes);
    base_free(g->parameters);
    base_free(g->operands);
    base_free(g->constants);
    base_free(g);
}

/* ---- values that no node makes ---- */

/* For count more constants; at least twice what there was, so that many small ones take no
 * more than a large one. */
static admmnn_status make_room(graph *g, size_t count, admmnn_error *err) {
    const size_t wanted = g->constant_count + count;
    if (wanted <= g->constant_capacity)
        return ADMMNN_OK;
    const size_t capacity = wanted > 2 * g->constant_capacity ? wanted : 2 * g->constant_capacity;
    float *constants =
        base_array_resize(g->constants, g->constant_count, capacity, sizeof *constants);
    if (constants == NULL)
        return base_fail_memory(err, "the graph's constants");
    g->constants = constants;
    g->constant_capacity = capacity;
    return ADMMNN_OK;
}

/* The largest and one more; 0 where one is no whole number from 0 to below the largest dim. */
static uint32_t find_index_dim(const float *data, size_t count) {
    float largest = 0.0F;
    for (size_t i = 0; i < count; i++) {
        if (!(data[i] >= 0.0F && data[i] < (float)GRAPH_DIMENSION_MAX) ||
            data[i] != floorf(data[i]))
            return 0;
        largest = data[i] > largest ? data[i] : largest;
    }
    return (uint32_t)largest + 1;
}

admmnn_status graph_add_constant(graph *g, graph_shape shape, const float *data, uint32_t *out,
                                 admmnn_error *err) {
    char text[GRAPH_SHAPE_TEXT_MAX];
    if (!graph_shape_is_sound(shape))
        return base_fail(err, ADMMNN_INPUT, "network %s: impossible shape %s of a constant",
                         g->name, graph_shape_text(shape, text));
    const size_t count = graph_shape_count(shape);
    const graph_value value = {.shape = shape,
                               .producer = GRAPH_NONE,
                               .parameter = GRAPH_NONE,
                               .constant = g->constant_count,
                               .index_dim = find_index_dim(data, count)};
    BASE_TRY(make_room(g, count, err));
    BASE_TRY(build_value(g, value, out, err));
    memcpy(g->constants + g->constant_count, data, count * sizeof *data);
    g->constant_count += count;
    return ADMMNN_OK;
}

admmnn_status graph_add_parameter(graph *g, const char *name, graph_parameter_kind kind,
                                  graph_shape shape, uint32_t *out, admmnn_error *err) {
    char text[GRAPH_SHAPE_TEXT_MAX];
    if (name[0] == 0 || strlen(name) >= GRAPH_NAME_MAX)
        return base_fail(err, ADMMNN_INPUT, "parameter name '%.40s' is not of 1 to %d characters",
                         name, GRAPH_NAME_MAX - 1);
    if (!graph_shape_is_sound(shape))
        return base_fail(err, ADMMNN_INPUT, "parameter %s: impossible shape %s", name,
                         graph_shape_text(shape, text));
    graph_parameter parameter = {.kind = kind, .node = GRAPH_NONE};
    snprintf(parameter.name, sizeof parameter.name, "%s", name);
    const uint32_t split = shape.rank == 0 ? 0 : shape.rank - 1;
    const size_t old_flat = g->flat_count;
    graph_value value = {.shape = shape, .producer = GRAPH_NONE, .constant = GRAPH_VARIES};
    BASE_TRY(build_add_parameter(g, name, parameter, graph_shape_extent(shape, 0, split),
                                 graph_shape_extent(shape, split, shape.rank), &value.parameter,
                                 err));
    admmnn_status status = build_value(g, value, out, err);
    if (status != ADMMNN_OK) {
        g->parameter_count--;
        g->flat_count = old_flat;
    }
    return status;
}

/* ---- questions ---- */

bool graph_parameter_is_trained(const graph_parameter *parameter) {
    return parameter->kind != GRAPH_MEAN && parameter->kind != GRAPH_VARIANCE;
}

size_t graph_weight_count(const graph *g) {
    size_t count = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++)
        count += g->parameters[p].kind == GRAPH_WEIGHT ? g->parameters[p].count : 0;
    return count;
}

size_t graph_trainable_count(const graph *g) {
    size_t count = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++)
        count += graph_parameter_is_trained(&g->parameters[p]) ? g->parameters[p].count : 0;
    return count;
}

uint32_t graph_find_node(const graph *g, const char *name) {
    for (uint32_t n = 0; n < g->node_count; n++)
        if (strcmp(g->nodes[n].name, name) == 0)
            return n;
    return GRAPH_NONE;
}

uint32_t graph_layer(const graph *g, uint32_t i) {
    for (uint32_t n = 0; n < g->node_count; n++)
        if (g->nodes[n].weight != GRAPH_NONE && i-- == 0)
            return n;
    return GRAPH_NONE;
}

uint32_t graph_layer_count(const graph *g) {
    uint32_t count = 0;
    for (uint32_t n = 0; n < g->node_count; n++)
        count += g->nodes[n].weight != GRAPH_NONE;
    return count;
}

uint32_t graph_layer_index(const graph *g, uint32_t node) {
    uint32_t before = 0;
    for (uint32_t n = 0; n < node; n++)
        before += g->nodes[n].weight != GRAPH_NONE;
    return before;
}

/* What the input's elements, or the output's, are multiplied by. */
uint64_t graph_node_macs(const graph *g, const graph_node *node) {
    const graph_shape out = g->values[node->output].shape;
    switch (node->op) {
    case GRAPH_CONV:
        return (uint64_t)g->parameters[node->weight].columns * graph_shape_count(out);
    case GRAPH_TRANSPOSED_CONV: {
        const graph_shape in = graph_operand_shape(g, node, 0);
        return (uint64_t)g->parameters[node->weight].count * graph_shape_extent(in, 1, in.rank);
    }
    case GRAPH_INNER_PRODUCT:
        return g->parameters[node->weight].count;
    case GRAPH_MATMUL: {
        const graph_shape left = graph_operand_shape(g, node, 0);
        return (uint64_t)left.dims[left.rank - 1] * graph_shape_count(out);
    }
    default:
        return 0;
    }
}

uint64_t graph_macs(const graph *g) {
    uint64_t macs = 0;
    for (uint32_t n = 0; n < g->node_count; n++)
        macs += graph_node_macs(g, &g->nodes[n]);
    return macs;
}
