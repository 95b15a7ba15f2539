/* Adding what sums axes up and what moves elements. */
#include <math.h>

#include "graph/build.h"

admmnn_status graph_add_reduce(graph *g, const char *name, uint32_t in, graph_reduce reduce,
                               uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_REDUCE, name, &in, 1, &node, err));
    const graph_shape from = g->values[in].shape;
    if (reduce.axes >> from.rank != 0)
        return base_fail(err, ADMMNN_INPUT, "node %s: an axis beyond the input's %u", name,
                         from.rank);
    graph_shape shape = {0};
    for (uint32_t i = 0; i < from.rank; i++) {
        const bool gone = (reduce.axes >> i & 1U) != 0;
        if (!gone || reduce.keeps)
            shape.dims[shape.rank++] = gone ? 1 : from.dims[i];
    }
    node->reduce = reduce;
    return build_close(g, shape, NULL, 0, out, err);
}

/* The first input's shape with the dims of the axis added. */
static admmnn_status concat_shape(const graph *g, const graph_node *node, graph_shape *shape,
                                  admmnn_error *err) {
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    for (uint32_t i = 1; i < node->operand_count; i++) {
        graph_shape other = graph_operand_shape(g, node, i);
        const uint32_t dim = other.rank == shape->rank ? other.dims[node->axis] : 0;
        other.dims[node->axis] = shape->dims[node->axis];
        if (!graph_shape_equal(other, *shape) ||
            dim > GRAPH_DIMENSION_MAX - shape->dims[node->axis])
            return base_fail(err, ADMMNN_INPUT, "node %s: %s does not join %s along axis %u",
                             node->name,
                             graph_shape_text(graph_operand_shape(g, node, i), texts[0]),
                             graph_shape_text(*shape, texts[1]), node->axis);
        shape->dims[node->axis] += dim;
    }
    return ADMMNN_OK;
}

admmnn_status graph_add_concat(graph *g, const char *name, const uint32_t *in, uint32_t count,
                               uint32_t axis, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    if (count == 0)
        return base_fail(err, ADMMNN_INPUT, "node %s: nothing to join", name);
    BASE_TRY(build_open(g, GRAPH_CONCAT, name, in, count, &node, err));
    graph_shape shape = g->values[in[0]].shape;
    BASE_TRY(build_check_axis(node, shape, axis, err));
    node->axis = axis;
    BASE_TRY(concat_shape(g, node, &shape, err));
    return build_close(g, shape, NULL, 0, out, err);
}

/* Whether all of the axis' indices are on the input. */
static bool slice_fits(const graph_slice *slice, uint32_t axis, uint32_t dim) {
    if (slice->count[axis] == 0 || slice->count[axis] > dim || slice->step[axis] == 0)
        return false;
    const int64_t first = slice->first[axis];
    const int64_t last = first + (int64_t)slice->step[axis] * (slice->count[axis] - 1);
    return first < dim && last >= 0 && last < dim;
}

admmnn_status graph_add_slice(graph *g, const char *name, uint32_t in, const graph_slice *slice,
                              uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_SLICE, name, &in, 1, &node, err));
    graph_shape shape = g->values[in].shape;
    for (uint32_t i = 0; i < shape.rank; i++) {
        if (!slice_fits(slice, i, shape.dims[i]))
            return base_fail(err, ADMMNN_INPUT, "node %s: axis %u: %u from %u by %d of %u", name, i,
                             slice->count[i], slice->first[i], slice->step[i], shape.dims[i]);
        shape.dims[i] = slice->count[i];
    }
    node->slice = *slice;
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_pad(graph *g, const char *name, uint32_t in, const graph_pad *pad,
                            uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_PAD, name, &in, 1, &node, err));
    graph_shape shape = g->values[in].shape;
    for (uint32_t i = 0; i < shape.rank; i++) {
        const uint32_t most =
            pad->kind == GRAPH_PAD_REFLECT ? shape.dims[i] - 1 : GRAPH_DIMENSION_MAX;
        if (pad->begin[i] > most || pad->end[i] > most)
            return base_fail(err, ADMMNN_INPUT, "node %s: axis %u of %u padded by %u and %u", name,
                             i, shape.dims[i], pad->begin[i], pad->end[i]);
        shape.dims[i] += pad->begin[i] + pad->end[i];
    }
    node->pad = *pad;
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_reshape(graph *g, const char *name, uint32_t in, graph_shape shape,
                                uint32_t *out, admmnn_error *err) {
    graph_node *node;
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    BASE_TRY(build_open(g, GRAPH_RESHAPE, name, &in, 1, &node, err));
    if (!graph_shape_is_sound(shape) || graph_shape_count(shape) != graph_value_count(g, in))
        return base_fail(err, ADMMNN_INPUT, "node %s: %s has not as many elements as %s", name,
                         graph_shape_text(g->values[in].shape, texts[0]),
                         graph_shape_text(shape, texts[1]));
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_transpose(graph *g, const char *name, uint32_t in,
                                  const uint32_t order[GRAPH_RANK_MAX], uint32_t *out,
                                  admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_TRANSPOSE, name, &in, 1, &node, err));
    const graph_shape from = g->values[in].shape;
    graph_shape shape = {.rank = from.rank};
    uint32_t seen = 0;
    for (uint32_t i = 0; i < from.rank; i++) {
        if (order[i] >= from.rank || (seen >> order[i] & 1U) != 0)
            return base_fail(err, ADMMNN_INPUT, "node %s: axis %u is no order of %u axes", name, i,
                             from.rank);
        seen |= 1U << order[i];
        shape.dims[i] = from.dims[order[i]];
        node->order[i] = order[i];
    }
    return build_close(g, shape, NULL, 0, out, err);
}

static admmnn_status check_indices(const graph *g, const graph_node *node, uint32_t indices,
                                   uint32_t dim, admmnn_error *err) {
    const graph_value *value = &g->values[indices];
    if (value->constant == GRAPH_VARIES)
        return base_fail(err, ADMMNN_INPUT, "node %s: the indices are not a constant", node->name);
    if (value->index_dim > 0 && value->index_dim <= dim)
        return ADMMNN_OK;
    const float *index = g->constants + value->constant; /* one of them is none */
    while (*index >= 0.0F && *index < (float)dim && *index == floorf(*index))
        index++;
    return base_fail(err, ADMMNN_INPUT, "node %s: index %g of an axis of %u", node->name,
                     (double)*index, dim);
}

admmnn_status graph_add_gather(graph *g, const char *name, uint32_t in, uint32_t indices,
                               uint32_t axis, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    const uint32_t operands[2] = {in, indices};
    BASE_TRY(build_open(g, GRAPH_GATHER, name, operands, 2, &node, err));
    const graph_shape from = g->values[in].shape;
    const graph_shape by = g->values[indices].shape;
    BASE_TRY(build_check_axis(node, from, axis, err));
    BASE_TRY(check_indices(g, node, indices, from.dims[axis], err));
    if (from.rank - 1 + by.rank > GRAPH_RANK_MAX)
        return base_fail(err, ADMMNN_INPUT, "node %s: more than %d axes", name, GRAPH_RANK_MAX);
    graph_shape shape = {0};
    for (uint32_t i = 0; i < axis; i++)
        shape.dims[shape.rank++] = from.dims[i];
    for (uint32_t i = 0; i < by.rank; i++)
        shape.dims[shape.rank++] = by.dims[i];
    for (uint32_t i = axis + 1; i < from.rank; i++)
        shape.dims[shape.rank++] = from.dims[i];
    node->axis = axis;
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_resize(graph *g, const char *name, uint32_t in, const graph_resize *resize,
                               uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_RESIZE, name, &in, 1, &node, err));
    graph_shape shape = g->values[in].shape;
    for (uint32_t i = 0; i < shape.rank; i++) {
        if (!(resize->scale[i] > 0.0F) || !isfinite(resize->scale[i]))
            return base_fail(err, ADMMNN_INPUT, "node %s: scale %g of axis %u", name,
                             (double)resize->scale[i], i);
        shape.dims[i] = resize->size[i];
    }
    node->resize = *resize;
    return build_close(g, shape, NULL, 0, out, err);
}
