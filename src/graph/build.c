#include "graph/build.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

admmnn_status build_value(graph *g, graph_value value, uint32_t *out, admmnn_error *err) {
    graph_value *values =
        base_array_grow(g->values, g->value_count, &g->value_capacity, sizeof *values);
    if (values == NULL)
        return base_fail_memory(err, "the graph's values");
    g->values = values;
    values[g->value_count] = value;
    *out = g->value_count++;
    return ADMMNN_OK;
}

admmnn_status build_add_parameter(graph *g, const char *owner, graph_parameter parameter,
                                  size_t rows, size_t columns, uint32_t *out, admmnn_error *err) {
    size_t count;
    if (!base_multiply(rows, columns, &count) || rows > UINT32_MAX || columns > UINT32_MAX ||
        count > GRAPH_PARAMETERS_MAX - g->flat_count)
        return base_fail(err, ADMMNN_INPUT,
                         "node %s: %zux%zu parameters are more than admmnn holds", owner, rows,
                         columns);
    graph_parameter *parameters = base_array_grow(g->parameters, g->parameter_count,
                                                  &g->parameter_capacity, sizeof *parameters);
    if (parameters == NULL)
        return base_fail_memory(err, "the graph's parameters");
    g->parameters = parameters;
    parameter.rows = (uint32_t)rows;
    parameter.columns = (uint32_t)columns;
    parameter.count = count;
    parameter.offset = g->flat_count;
    parameters[g->parameter_count] = parameter;
    size_t padded = (count + GRAPH_PARAMETER_ALIGNMENT - 1) / GRAPH_PARAMETER_ALIGNMENT *
                    GRAPH_PARAMETER_ALIGNMENT;
    g->flat_count += padded;
    *out = g->parameter_count++;
    return ADMMNN_OK;
}

/* Into the operands after the last whole node's. */
static admmnn_status write_operand(graph *g, const char *name, uint32_t place, uint32_t value,
                                   admmnn_error *err) {
    if (value >= g->value_count)
        return base_fail(err, ADMMNN_INPUT, "node %s reads value %u; there are %u", name, value,
                         g->value_count);
    uint32_t *operands =
        base_array_grow(g->operands, place, &g->operand_capacity, sizeof *operands);
    if (operands == NULL)
        return base_fail_memory(err, "the graph's nodes");
    g->operands = operands;
    operands[place] = value;
    return ADMMNN_OK;
}

admmnn_status build_open(graph *g, graph_op op, const char *name, const uint32_t *in,
                         uint32_t count, graph_node **node, admmnn_error *err) {
    if (g->node_count >= GRAPH_NODES_MAX)
        return base_fail(err, ADMMNN_INPUT, "network %s: more than %u nodes", g->name,
                         GRAPH_NODES_MAX);
    if (strlen(name) >= GRAPH_NAME_MAX)
        return base_fail(err, ADMMNN_INPUT, "node name '%.40s' is longer than %d characters", name,
                         GRAPH_NAME_MAX - 1);
    if (count > UINT32_MAX - g->operand_count)
        return base_fail(err, ADMMNN_INPUT, "node %s reads too many values", name);
    for (uint32_t i = 0; i < count; i++)
        BASE_TRY(write_operand(g, name, g->operand_count + i, in[i], err));
    graph_node *nodes = base_array_grow(g->nodes, g->node_count, &g->node_capacity, sizeof *nodes);
    if (nodes == NULL)
        return base_fail_memory(err, "the graph's nodes");
    g->nodes = nodes;
    *node = &nodes[g->node_count];
    memset(*node, 0, sizeof **node); /* padding and unions too: nodes are compared */
    (*node)->op = op;
    (*node)->first_operand = g->operand_count;
    (*node)->operand_count = count;
    (*node)->weight = GRAPH_NONE;
    (*node)->bias = GRAPH_NONE;
    snprintf((*node)->name, sizeof(*node)->name, "%s", name);
    return ADMMNN_OK;
}

static admmnn_status add_parameters(graph *g, const build_parameter *wanted, size_t count,
                                    admmnn_error *err) {
    for (size_t i = 0; i < count; i++) {
        const graph_parameter parameter = {.kind = wanted[i].kind, .node = g->node_count};
        BASE_TRY(build_add_parameter(g, g->nodes[g->node_count].name, parameter, wanted[i].rows,
                                     wanted[i].columns, wanted[i].at, err));
    }
    return ADMMNN_OK;
}

admmnn_status build_close(graph *g, graph_shape shape, const build_parameter *wanted, size_t count,
                          uint32_t *out, admmnn_error *err) {
    graph_node *node = &g->nodes[g->node_count];
    char text[GRAPH_SHAPE_TEXT_MAX];
    if (!graph_shape_is_sound(shape))
        return base_fail(err, ADMMNN_INPUT, "node %s: impossible output shape %s", node->name,
                         graph_shape_text(shape, text));
    const uint32_t old_parameters = g->parameter_count;
    const size_t old_flat = g->flat_count;
    const graph_value value = {.shape = shape,
                               .producer = g->node_count,
                               .parameter = GRAPH_NONE,
                               .constant = GRAPH_VARIES};
    admmnn_status status = add_parameters(g, wanted, count, err);
    if (status == ADMMNN_OK)
        status = build_value(g, value, &node->output, err);
    if (status != ADMMNN_OK) {
        g->parameter_count = old_parameters;
        g->flat_count = old_flat;
        return status;
    }
    g->node_count++;
    g->operand_count += node->operand_count;
    g->output = node->output;
    *out = node->output;
    return ADMMNN_OK;
}

admmnn_status build_check_axis(const graph_node *node, graph_shape shape, uint32_t axis,
                               admmnn_error *err) {
    char text[GRAPH_SHAPE_TEXT_MAX];
    if (axis < shape.rank)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT, "node %s: axis %u of an input of shape %s", node->name,
                     axis, graph_shape_text(shape, text));
}
