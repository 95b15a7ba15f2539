#include "graph/shrink_slots.h"

#include "base/memory.h"

static size_t slots_of(graph_shape shape) {
    size_t count = 1;
    for (uint32_t i = 0; i < shape.rank; i++)
        count += shape.dims[i];
    return count;
}

admmnn_status shrink_slots_open(const graph *g, const uint8_t *mask, const float *params,
                                shrink_slots *s, admmnn_error *err) {
    *s = (shrink_slots){.g = g, .mask = mask, .params = params};
    s->first = base_array((size_t)g->value_count + 1, sizeof *s->first);
    s->changed = base_array(g->value_count, sizeof *s->changed);
    if (s->first == NULL || s->changed == NULL)
        return base_fail_memory(err, "the channels of a network");
    for (uint32_t v = 0; v < g->value_count; v++)
        s->first[v + 1] = s->first[v] + slots_of(g->values[v].shape);
    s->constant = base_array(s->first[g->value_count], sizeof *s->constant);
    s->lasting = base_array(s->first[g->value_count], sizeof *s->lasting);
    s->live = base_array(s->first[g->value_count], sizeof *s->live);
    if (s->constant == NULL || s->lasting == NULL || s->live == NULL)
        return base_fail_memory(err, "the channels of a network");
    return ADMMNN_OK;
}

void shrink_slots_close(shrink_slots *s) {
    base_free(s->first);
    base_free(s->changed);
    base_free(s->constant);
    base_free(s->lasting);
    base_free(s->live);
}

bool shrink_element_lives(const shrink_slots *s, uint32_t value, size_t i) {
    const graph_shape shape = s->g->values[value].shape;
    for (uint32_t axis = shape.rank; axis-- > 0; i /= shape.dims[axis])
        if (!s->live[shrink_axis(s, value, axis) + i % shape.dims[axis]])
            return false;
    return true;
}

bool shrink_any(const uint8_t *mask, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (mask[i] != 0)
            return true;
    return false;
}

size_t shrink_block(const graph *g, const graph_node *node) {
    const graph_shape shape = graph_operand_shape(g, node, 0);
    const graph_window *w = graph_node_window(node);
    return w != NULL ? (size_t)w->kernel[0] * w->kernel[1]
                     : graph_shape_extent(shape, shape.rank == 0 ? 0 : 1, shape.rank);
}

uint32_t shrink_groups(const graph_node *node) {
    return node->op == GRAPH_INNER_PRODUCT ? 1 : node->conv.groups;
}

bool shrink_is_layer(const graph_node *node) {
    return node->op == GRAPH_CONV || node->op == GRAPH_TRANSPOSED_CONV ||
           node->op == GRAPH_INNER_PRODUCT;
}

bool shrink_is_padded(const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    return w != NULL && (w->pad[0] | w->pad[1] | w->pad_end[0] | w->pad_end[1]) != 0;
}

bool shrink_resize_keeps(const graph *g, const graph_node *node, uint32_t axis) {
    return node->resize.size[axis] == graph_operand_shape(g, node, 0).dims[axis] &&
           node->resize.scale[axis] == 1.0F;
}

/* The fewest axes of both that hold as many elements; at the end, axes of 1 are left. */
bool shrink_next_group(graph_shape in, graph_shape out, shrink_group *group) {
    size_t of_in = 1;
    size_t of_out = 1;
    *group =
        (shrink_group){.in = group->in + group->in_count, .out = group->out + group->out_count};
    if (group->in == in.rank && group->out == out.rank)
        return false;
    if (group->in < in.rank)
        of_in = in.dims[group->in + group->in_count++];
    if (group->out < out.rank)
        of_out = out.dims[group->out + group->out_count++];
    while (of_in != of_out)
        if (of_in < of_out)
            of_in *= in.dims[group->in + group->in_count++];
        else
            of_out *= out.dims[group->out + group->out_count++];
    return true;
}
