/* The smaller graph: the nodes of the large one in their order, each with what lives. */
#include "base/memory.h"
#include "graph/shrink_slots.h"

static graph_shape small_shape(const shrink_slots *s, uint32_t value) {
    graph_shape shape = s->g->values[value].shape;
    for (uint32_t axis = 0; axis < shape.rank; axis++)
        shape.dims[axis] = shrink_living(s, shrink_axis(s, value, axis), shape.dims[axis]);
    return shape;
}

/* ---- values that no node makes ---- */

static admmnn_status add_constant(const shrink_slots *s, graph *small, uint32_t value,
                                  admmnn_error *err) {
    const graph_shape shape = small_shape(s, value);
    const float *from = s->g->constants + s->g->values[value].constant;
    float *data = base_array(graph_shape_count(shape), sizeof *data);
    uint32_t out;
    if (data == NULL)
        return base_fail_memory(err, "the smaller network");
    size_t at = 0;
    for (size_t i = 0; i < graph_shape_count(s->g->values[value].shape); i++)
        if (shrink_element_lives(s, value, i))
            data[at++] = from[i];
    admmnn_status status = graph_add_constant(small, shape, data, &out, err);
    base_free(data);
    return status;
}

static admmnn_status add_given(const shrink_slots *s, graph *small, uint32_t value,
                               admmnn_error *err) {
    const uint32_t parameter = s->g->values[value].parameter;
    uint32_t out;
    if (parameter == GRAPH_NONE)
        return add_constant(s, small, value, err);
    return graph_add_parameter(small, s->g->parameters[parameter].name,
                               s->g->parameters[parameter].kind, small_shape(s, value), &out, err);
}

/* ---- nodes whose attributes tell of slots ---- */

static uint32_t living_before(const shrink_slots *s, uint32_t value, uint32_t axis, size_t end) {
    return shrink_living(s, shrink_axis(s, value, axis), end);
}

/* Groups with a living channel: even, as shrink_find_living leaves them. */
static graph_conv small_conv(const shrink_slots *s, const graph_node *node) {
    graph_conv conv = node->conv;
    const size_t channels = s->g->values[node->output].shape.dims[0] / conv.groups;
    conv.groups = 0;
    for (uint32_t group = 0; group < node->conv.groups; group++)
        conv.groups +=
            shrink_living(s, shrink_axis(s, node->output, 0) + group * channels, channels) > 0;
    return conv;
}

static graph_slice small_slice(const shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    const graph_shape out = small_shape(s, node->output);
    graph_slice slice = node->slice;
    for (uint32_t axis = 0; axis < out.rank; axis++) {
        const uint32_t first = slice.first[axis];
        slice.count[axis] = out.dims[axis];
        slice.first[axis] = slice.step[axis] == -1 ? living_before(s, in, axis, first + 1) - 1
                                                   : living_before(s, in, axis, first);
    }
    return slice;
}

static graph_pad small_pad(const shrink_slots *s, const graph_node *node) {
    const graph_shape in = graph_operand_shape(s->g, node, 0);
    graph_pad pad = node->pad;
    for (uint32_t axis = 0; axis < in.rank; axis++) {
        const size_t end = shrink_axis(s, node->output, axis) + pad.begin[axis] + in.dims[axis];
        pad.begin[axis] = living_before(s, node->output, axis, pad.begin[axis]);
        pad.end[axis] = shrink_living(s, end, pad.end[axis]);
    }
    return pad;
}

static graph_resize small_resize(const shrink_slots *s, const graph_node *node) {
    const graph_shape out = small_shape(s, node->output);
    graph_resize resize = node->resize;
    for (uint32_t axis = 0; axis < out.rank; axis++)
        resize.size[axis] = out.dims[axis];
    return resize;
}

/* ---- all nodes ---- */

static admmnn_status add_normalization(graph *small, const graph_node *node, uint32_t in,
                                       uint32_t *out, admmnn_error *err) {
    const graph_normalization *n = &node->normalization;
    if (node->op == GRAPH_BATCH_NORMALIZATION)
        return graph_add_batch_normalization(small, node->name, in, n->epsilon, n->momentum, out,
                                             err);
    if (node->op == GRAPH_INSTANCE_NORMALIZATION)
        return graph_add_instance_normalization(small, node->name, in, n->epsilon, out, err);
    return graph_add_layer_normalization(small, node->name, in, n->axis, n->epsilon, out, err);
}

/* Of several operands. */
static admmnn_status add_joint(const shrink_slots *s, graph *small, const graph_node *node,
                               uint32_t *out, admmnn_error *err) {
    const uint32_t *in = s->g->operands + node->first_operand;
    switch (node->op) {
    case GRAPH_MATMUL:
        return graph_add_matmul(small, node->name, in[0], in[1], out, err);
    case GRAPH_BINARY:
        return graph_add_binary(small, node->name, node->binary, in[0], in[1], out, err);
    case GRAPH_GATHER:
        return graph_add_gather(small, node->name, in[0], in[1], node->axis, out, err);
    default:
        return graph_add_concat(small, node->name, in, node->operand_count, node->axis, out, err);
    }
}

/* What moves elements, or sums them up. */
static admmnn_status add_moving(const shrink_slots *s, graph *small, const graph_node *node,
                                uint32_t in, uint32_t *out, admmnn_error *err) {
    const graph_slice slice = node->op == GRAPH_SLICE ? small_slice(s, node) : (graph_slice){0};
    const graph_pad pad = node->op == GRAPH_PAD ? small_pad(s, node) : (graph_pad){0};
    const graph_resize resize =
        node->op == GRAPH_RESIZE ? small_resize(s, node) : (graph_resize){0};
    switch (node->op) {
    case GRAPH_SLICE:
        return graph_add_slice(small, node->name, in, &slice, out, err);
    case GRAPH_PAD:
        return graph_add_pad(small, node->name, in, &pad, out, err);
    case GRAPH_RESIZE:
        return graph_add_resize(small, node->name, in, &resize, out, err);
    case GRAPH_RESHAPE:
        return graph_add_reshape(small, node->name, in, small_shape(s, node->output), out, err);
    case GRAPH_TRANSPOSE:
        return graph_add_transpose(small, node->name, in, node->order, out, err);
    default:
        return graph_add_reduce(small, node->name, in, node->reduce, out, err);
    }
}

/* Values have the same numbers in both graphs. */
static admmnn_status add_node(const shrink_slots *s, graph *small, const graph_node *node,
                              admmnn_error *err) {
    const uint32_t in = graph_operand(s->g, node, 0);
    const uint32_t channels = graph_shape_channels(small_shape(s, node->output));
    uint32_t out;
    switch (node->op) {
    case GRAPH_CONV:
        return graph_add_conv(small, node->name, in, channels, small_conv(s, node), &out, err);
    case GRAPH_TRANSPOSED_CONV:
        return graph_add_transposed_conv(small, node->name, in, channels, small_conv(s, node), &out,
                                         err);
    case GRAPH_INNER_PRODUCT:
        return graph_add_inner_product(small, node->name, in, channels, node->bias != GRAPH_NONE,
                                       &out, err);
    case GRAPH_MAXPOOL:
        return graph_add_maxpool(small, node->name, in, node->pool, &out, err);
    case GRAPH_AVERAGE_POOL:
        return graph_add_average_pool(small, node->name, in, node->pool, &out, err);
    case GRAPH_RELU:
        return graph_add_relu(small, node->name, in, &out, err);
    case GRAPH_UNARY:
        return graph_add_unary(small, node->name, in, node->unary, &out, err);
    case GRAPH_DROPOUT:
        return graph_add_dropout(small, node->name, in, node->ratio, &out, err);
    case GRAPH_LRN:
        return graph_add_lrn(small, node->name, in, node->lrn, &out, err);
    case GRAPH_SOFTMAX:
        return graph_add_softmax(small, node->name, in, node->axis, &out, err);
    case GRAPH_LOG_SOFTMAX:
        return graph_add_log_softmax(small, node->name, in, node->axis, &out, err);
    case GRAPH_BATCH_NORMALIZATION:
    case GRAPH_INSTANCE_NORMALIZATION:
    case GRAPH_LAYER_NORMALIZATION:
        return add_normalization(small, node, in, &out, err);
    case GRAPH_MATMUL:
    case GRAPH_BINARY:
    case GRAPH_GATHER:
    case GRAPH_CONCAT:
        return add_joint(s, small, node, &out, err);
    default:
        return add_moving(s, small, node, in, &out, err);
    }
}

static admmnn_status add_values(const shrink_slots *s, graph *small, admmnn_error *err) {
    for (uint32_t v = 0; v < s->g->value_count; v++) {
        const uint32_t producer = s->g->values[v].producer;
        if (v == s->g->input)
            continue;
        BASE_TRY(producer == GRAPH_NONE ? add_given(s, small, v, err)
                                        : add_node(s, small, &s->g->nodes[producer], err));
    }
    return ADMMNN_OK;
}

admmnn_status shrink_build(const shrink_slots *s, graph **small, admmnn_error *err) {
    BASE_TRY(graph_create(s->g->name, s->g->values[s->g->input].shape, small, err));
    BASE_TRY(add_values(s, *small, err));
    (*small)->output = s->g->output;
    (*small)->initialisation = s->g->initialisation;
    return ADMMNN_OK;
}

/* ---- where parameters came from ---- */

static void fill_layer(const shrink_slots *s, const graph_node *node, const graph *small,
                       size_t *origin) {
    const graph_parameter *weight = &s->g->parameters[node->weight];
    const size_t block = shrink_block(s->g, node);
    const size_t filters = weight->rows / shrink_groups(node);
    const bool *rows = s->live + shrink_axis(s, node->output, 0);
    const bool *channels = s->live + shrink_axis(s, graph_operand(s->g, node, 0), 0);
    size_t at = small->parameters[node->weight].offset;
    for (size_t row = 0; row < weight->rows; row++) {
        const size_t first = row / filters * (weight->columns / block); /* channel */
        for (size_t column = 0; rows[row] && column < weight->columns; column++)
            if (channels[first + column / block])
                origin[at++] = weight->offset + row * weight->columns + column;
    }
}

/* One number of each that lives. */
static void fill_vector(const shrink_slots *s, uint32_t parameter, const bool *live,
                        const graph *small, size_t *origin) {
    if (parameter == GRAPH_NONE)
        return;
    size_t at = small->parameters[parameter].offset;
    for (size_t i = 0; i < s->g->parameters[parameter].rows; i++)
        if (live == NULL || live[i])
            origin[at++] = s->g->parameters[parameter].offset + i;
}

static void fill_node(const shrink_slots *s, const graph_node *node, const graph *small,
                      size_t *origin) {
    const graph_normalization *n = &node->normalization;
    const bool *live = s->live + shrink_axis(s, node->output, 0);
    if (shrink_is_layer(node)) {
        fill_layer(s, node, small, origin);
        fill_vector(s, node->bias, live, small, origin);
    } else if (node->op == GRAPH_LAYER_NORMALIZATION) {
        fill_vector(s, n->scale, NULL, small, origin);
        fill_vector(s, n->shift, NULL, small, origin);
    } else if (node->op == GRAPH_BATCH_NORMALIZATION || node->op == GRAPH_INSTANCE_NORMALIZATION) {
        fill_vector(s, n->scale, live, small, origin);
        fill_vector(s, n->shift, live, small, origin);
        fill_vector(s, n->mean, live, small, origin);
        fill_vector(s, n->variance, live, small, origin);
    }
}

static void fill_operand(const shrink_slots *s, uint32_t value, const graph *small,
                         size_t *origin) {
    const graph_value *operand = &s->g->values[value];
    size_t at = small->parameters[operand->parameter].offset;
    for (size_t i = 0; i < graph_shape_count(operand->shape); i++)
        if (shrink_element_lives(s, value, i))
            origin[at++] = s->g->parameters[operand->parameter].offset + i;
}

void shrink_fill_origin(const shrink_slots *s, const graph *small, size_t *origin) {
    for (size_t i = 0; i < small->flat_count; i++)
        origin[i] = SIZE_MAX;
    for (uint32_t n = 0; n < s->g->node_count; n++)
        fill_node(s, &s->g->nodes[n], small, origin);
    for (uint32_t v = 0; v < s->g->value_count; v++)
        if (s->g->values[v].parameter != GRAPH_NONE)
            fill_operand(s, v, small, origin);
}
