#include "graph/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

const char *graph_op_name(graph_op op) {
    static const char *const names[GRAPH_OP_COUNT] = {
#define OP_NAME(name, text) text,
        GRAPH_OP_MAP(OP_NAME)
#undef OP_NAME
    };
    return op < GRAPH_OP_COUNT ? names[op] : "unknown";
}

size_t graph_shape_count(graph_shape shape) {
    return (size_t)shape.channels * shape.height * shape.width;
}

void graph_parameter_name(const graph *g, uint32_t p, char name[GRAPH_PARAMETER_NAME_MAX]) {
    static const char *const kinds[] = {
#define PARAMETER_NAME(name, text) text,
        GRAPH_PARAMETER_MAP(PARAMETER_NAME)
#undef PARAMETER_NAME
    };
    const graph_parameter *parameter = &g->parameters[p];
    snprintf(name, GRAPH_PARAMETER_NAME_MAX, "%s.%s", g->nodes[parameter->node].name,
             kinds[parameter->kind]);
}

size_t graph_value_count(const graph *g, uint32_t value) {
    return graph_shape_count(g->values[value].shape);
}

static bool shape_is_sound(graph_shape shape) {
    const uint32_t sides[3] = {shape.channels, shape.height, shape.width};
    size_t count = 1;
    for (int i = 0; i < 3; i++) {
        if (sides[i] == 0 || sides[i] > GRAPH_DIMENSION_MAX)
            return false;
        count *= sides[i];
        if (count > GRAPH_PARAMETERS_MAX)
            return false;
    }
    return true;
}

static admmnn_status append_value(graph *g, graph_shape shape, uint32_t producer, uint32_t *out,
                                  admmnn_error *err) {
    graph_value *values =
        base_array_grow(g->values, g->value_count, &g->value_capacity, sizeof *values);
    if (values == NULL)
        return base_fail_memory(err, "the graph's values");
    g->values = values;
    values[g->value_count] = (graph_value){.shape = shape, .producer = producer};
    *out = g->value_count++;
    return ADMMNN_OK;
}

admmnn_status graph_create(const char *name, graph_shape input, graph **out, admmnn_error *err) {
    if (!shape_is_sound(input))
        return base_fail(err, ADMMNN_INPUT, "network %.32s: impossible input shape %ux%ux%u", name,
                         input.channels, input.height, input.width);
    graph *g = base_array(1, sizeof *g);
    if (g == NULL)
        return base_fail_memory(err, "a graph");
    snprintf(g->name, sizeof g->name, "%s", name);
    admmnn_status status = append_value(g, input, GRAPH_NONE, &g->input, err);
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
    copy->value_capacity = g->value_count;
    copy->node_capacity = g->node_count;
    copy->parameter_capacity = g->parameter_count;
    if (copy->values == NULL || copy->nodes == NULL || copy->parameters == NULL) {
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
    base_free(g);
}

static admmnn_status append_parameter(graph *g, graph_parameter_kind kind, size_t rows,
                                      size_t columns, uint32_t *out, admmnn_error *err) {
    size_t count;
    if (!base_multiply(rows, columns, &count) || columns > UINT32_MAX ||
        count > GRAPH_PARAMETERS_MAX - g->flat_count)
        return base_fail(err, ADMMNN_INPUT,
                         "node %s: %zux%zu parameters are more than admmnn holds",
                         g->nodes[g->node_count].name, rows, columns);
    graph_parameter *parameters = base_array_grow(g->parameters, g->parameter_count,
                                                  &g->parameter_capacity, sizeof *parameters);
    if (parameters == NULL)
        return base_fail_memory(err, "the graph's parameters");
    g->parameters = parameters;
    parameters[g->parameter_count] = (graph_parameter){.kind = kind,
                                                       .node = g->node_count,
                                                       .rows = (uint32_t)rows,
                                                       .columns = (uint32_t)columns,
                                                       .count = count,
                                                       .offset = g->flat_count};
    size_t padded = (count + GRAPH_PARAMETER_ALIGNMENT - 1) / GRAPH_PARAMETER_ALIGNMENT *
                    GRAPH_PARAMETER_ALIGNMENT;
    g->flat_count += padded;
    *out = g->parameter_count++;
    return ADMMNN_OK;
}

/* Opens nodes[node_count]; node_count itself rises only when the node is whole. */
static admmnn_status open_node(graph *g, graph_op op, const char *name, uint32_t in,
                               admmnn_error *err) {
    if (g->node_count >= GRAPH_NODES_MAX)
        return base_fail(err, ADMMNN_INPUT, "network %s: more than %u nodes", g->name,
                         GRAPH_NODES_MAX);
    if (strlen(name) >= GRAPH_NAME_MAX)
        return base_fail(err, ADMMNN_INPUT, "node name '%.40s' is longer than %d characters", name,
                         GRAPH_NAME_MAX - 1);
    if (in >= g->value_count)
        return base_fail(err, ADMMNN_INPUT, "node %s reads value %u; there are %u", name, in,
                         g->value_count);
    graph_node *nodes = base_array_grow(g->nodes, g->node_count, &g->node_capacity, sizeof *nodes);
    if (nodes == NULL)
        return base_fail_memory(err, "the graph's nodes");
    g->nodes = nodes;
    graph_node *node = &nodes[g->node_count];
    *node = (graph_node){.op = op,
                         .inputs = {in, GRAPH_NONE},
                         .weight = GRAPH_NONE,
                         .bias = GRAPH_NONE,
                         .normalization = {GRAPH_NONE, GRAPH_NONE, GRAPH_NONE, GRAPH_NONE, 0, 0},
                         .window = {{1, 1}, {1, 1}, {0, 0}}};
    snprintf(node->name, sizeof node->name, "%s", name);
    return ADMMNN_OK;
}

static admmnn_status add_weights(graph *g, size_t rows, size_t columns, admmnn_error *err) {
    uint32_t weight;
    uint32_t bias;
    BASE_TRY(append_parameter(g, GRAPH_WEIGHT, rows, columns, &weight, err));
    BASE_TRY(append_parameter(g, GRAPH_BIAS, rows, 1, &bias, err));
    g->nodes[g->node_count].weight = weight;
    g->nodes[g->node_count].bias = bias;
    return ADMMNN_OK;
}

static admmnn_status add_normalization(graph *g, size_t channels, admmnn_error *err) {
    graph_normalization added = g->nodes[g->node_count].normalization;
    BASE_TRY(append_parameter(g, GRAPH_SCALE, channels, 1, &added.scale, err));
    BASE_TRY(append_parameter(g, GRAPH_SHIFT, channels, 1, &added.shift, err));
    BASE_TRY(append_parameter(g, GRAPH_MEAN, channels, 1, &added.mean, err));
    BASE_TRY(append_parameter(g, GRAPH_VARIANCE, channels, 1, &added.variance, err));
    g->nodes[g->node_count].normalization = added;
    return ADMMNN_OK;
}

static admmnn_status add_parameters(graph *g, size_t rows, size_t columns, admmnn_error *err) {
    if (rows == 0)
        return ADMMNN_OK;
    return g->nodes[g->node_count].op == GRAPH_BATCH_NORMALIZATION
               ? add_normalization(g, rows, err)
               : add_weights(g, rows, columns, err);
}

/* Gives the open node its output, and parameters: weights of rows outputs by columns
 * inputs, a normalization's for rows channels, none where rows is 0. A failure leaves the
 * graph as it was. */
static admmnn_status close_node(graph *g, graph_shape shape, size_t rows, size_t columns,
                                uint32_t *out, admmnn_error *err) {
    graph_node *node = &g->nodes[g->node_count];
    if (!shape_is_sound(shape))
        return base_fail(err, ADMMNN_INPUT, "node %s: impossible output shape %ux%ux%u", node->name,
                         shape.channels, shape.height, shape.width);
    uint32_t old_parameters = g->parameter_count;
    size_t old_flat = g->flat_count;
    admmnn_status status = add_parameters(g, rows, columns, err);
    if (status == ADMMNN_OK)
        status = append_value(g, shape, g->node_count, &node->output, err);
    if (status != ADMMNN_OK) {
        g->parameter_count = old_parameters;
        g->flat_count = old_flat;
        return status;
    }
    g->node_count++;
    g->output = node->output;
    *out = node->output;
    return ADMMNN_OK;
}

static bool window_output(uint32_t in, const graph_window *window, int axis, uint32_t *out) {
    uint32_t kernel = window->kernel[axis];
    uint32_t stride = window->stride[axis];
    uint32_t pad = window->pad[axis];
    if (kernel == 0 || stride == 0 || pad >= kernel || kernel > GRAPH_DIMENSION_MAX)
        return false;
    uint32_t padded = in + 2 * pad;
    if (padded < kernel)
        return false;
    *out = (padded - kernel) / stride + 1;
    return true;
}

static admmnn_status window_shape(const graph *g, uint32_t in, const graph_window *window,
                                  uint32_t channels, graph_shape *out, admmnn_error *err) {
    graph_shape shape = g->values[in].shape;
    out->channels = channels;
    if (window_output(shape.height, window, 0, &out->height) &&
        window_output(shape.width, window, 1, &out->width))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "node %s: window %ux%u (stride %ux%u, pad %ux%u) does not fit its input %ux%u",
                     g->nodes[g->node_count].name, window->kernel[0], window->kernel[1],
                     window->stride[0], window->stride[1], window->pad[0], window->pad[1],
                     shape.height, shape.width);
}

admmnn_status graph_add_conv(graph *g, const char *name, uint32_t in, uint32_t filters,
                             graph_window window, uint32_t *out, admmnn_error *err) {
    BASE_TRY(open_node(g, GRAPH_CONV, name, in, err));
    graph_shape shape;
    BASE_TRY(window_shape(g, in, &window, filters, &shape, err));
    g->nodes[g->node_count].window = window;
    size_t columns = (size_t)g->values[in].shape.channels * window.kernel[0];
    if (!base_multiply(columns, window.kernel[1], &columns))
        return base_fail(err, ADMMNN_INPUT, "node %s: kernel too large", name);
    return close_node(g, shape, filters, columns, out, err);
}

admmnn_status graph_add_maxpool(graph *g, const char *name, uint32_t in, graph_window window,
                                uint32_t *out, admmnn_error *err) {
    BASE_TRY(open_node(g, GRAPH_MAXPOOL, name, in, err));
    graph_shape shape;
    BASE_TRY(window_shape(g, in, &window, g->values[in].shape.channels, &shape, err));
    g->nodes[g->node_count].window = window;
    return close_node(g, shape, 0, 0, out, err);
}

admmnn_status graph_add_inner_product(graph *g, const char *name, uint32_t in, uint32_t outputs,
                                      uint32_t *out, admmnn_error *err) {
    BASE_TRY(open_node(g, GRAPH_INNER_PRODUCT, name, in, err));
    return close_node(g, (graph_shape){outputs, 1, 1}, outputs, graph_value_count(g, in), out, err);
}

admmnn_status graph_add_relu(graph *g, const char *name, uint32_t in, uint32_t *out,
                             admmnn_error *err) {
    BASE_TRY(open_node(g, GRAPH_RELU, name, in, err));
    return close_node(g, g->values[in].shape, 0, 0, out, err);
}

admmnn_status graph_add_batch_normalization(graph *g, const char *name, uint32_t in, float epsilon,
                                            float momentum, uint32_t *out, admmnn_error *err) {
    BASE_TRY(open_node(g, GRAPH_BATCH_NORMALIZATION, name, in, err));
    if (!(epsilon > 0.0F) || !isfinite(epsilon) || !(momentum >= 0.0F && momentum <= 1.0F))
        return base_fail(err, ADMMNN_INPUT,
                         "node %s: epsilon %g, momentum %g; they must be above 0 and from 0 to 1",
                         name, (double)epsilon, (double)momentum);
    g->nodes[g->node_count].normalization.epsilon = epsilon;
    g->nodes[g->node_count].normalization.momentum = momentum;
    graph_shape shape = g->values[in].shape;
    return close_node(g, shape, shape.channels, 1, out, err);
}

admmnn_status graph_add_dropout(graph *g, const char *name, uint32_t in, float ratio, uint32_t *out,
                                admmnn_error *err) {
    BASE_TRY(open_node(g, GRAPH_DROPOUT, name, in, err));
    if (!(ratio >= 0.0F && ratio < 1.0F))
        return base_fail(err, ADMMNN_INPUT, "node %s: ratio %g; it must be from 0 to below 1", name,
                         (double)ratio);
    g->nodes[g->node_count].ratio = ratio;
    return close_node(g, g->values[in].shape, 0, 0, out, err);
}

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

uint64_t graph_macs(const graph *g) {
    uint64_t macs = 0;
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        if (node->weight == GRAPH_NONE)
            continue;
        graph_shape out = g->values[node->output].shape;
        macs += (uint64_t)g->parameters[node->weight].count * out.height * out.width;
    }
    return macs;
}
