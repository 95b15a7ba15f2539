/* Adding inner products and matmuls. */
#include "graph/build.h"

admmnn_status graph_add_inner_product(graph *g, const char *name, uint32_t in, uint32_t outputs,
                                      bool biased, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_INNER_PRODUCT, name, &in, 1, &node, err));
    const build_parameter wanted[] = {
        {GRAPH_WEIGHT, outputs, graph_value_count(g, in), &node->weight},
        {GRAPH_BIAS, outputs, 1, &node->bias}};
    return build_close(g, graph_shape_vector(outputs), wanted, biased ? 2 : 1, out, err);
}

/* The axes before the matrix. */
static graph_shape stack_of(graph_shape shape) {
    graph_shape stack = {.rank = shape.rank < 2 ? 0 : shape.rank - 2};
    for (uint32_t i = 0; i < stack.rank; i++)
        stack.dims[i] = shape.dims[i];
    return stack;
}

/* False where the shapes do not fit. */
static bool matmul_shape(graph_shape left, graph_shape right, graph_shape *out) {
    if (left.rank == 0 || right.rank == 0 ||
        left.dims[left.rank - 1] != right.dims[right.rank < 2 ? 0 : right.rank - 2] ||
        !graph_shape_broadcast(stack_of(left), stack_of(right), out))
        return false;
    if (left.rank > 1)
        out->dims[out->rank++] = left.dims[left.rank - 2];
    if (right.rank > 1)
        out->dims[out->rank++] = right.dims[right.rank - 1];
    return true;
}

/* A weight among the operands becomes the node's, unless it is another's. */
static void take_weight(graph *g, graph_node *node) {
    for (uint32_t i = 0; i < 2 && node->weight == GRAPH_NONE; i++) {
        const uint32_t parameter = g->values[graph_operand(g, node, i)].parameter;
        if (parameter == GRAPH_NONE || g->parameters[parameter].kind != GRAPH_WEIGHT ||
            g->parameters[parameter].node != GRAPH_NONE)
            continue;
        g->parameters[parameter].node = (uint32_t)(node - g->nodes);
        node->weight = parameter;
    }
}

admmnn_status graph_add_matmul(graph *g, const char *name, uint32_t left, uint32_t right,
                               uint32_t *out, admmnn_error *err) {
    graph_node *node;
    graph_shape shape;
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    const uint32_t in[2] = {left, right};
    BASE_TRY(build_open(g, GRAPH_MATMUL, name, in, 2, &node, err));
    if (!matmul_shape(g->values[left].shape, g->values[right].shape, &shape))
        return base_fail(err, ADMMNN_INPUT, "node %s: no product of %s and %s", name,
                         graph_shape_text(g->values[left].shape, texts[0]),
                         graph_shape_text(g->values[right].shape, texts[1]));
    BASE_TRY(build_close(g, shape, NULL, 0, out, err));
    take_weight(g, node);
    return ADMMNN_OK;
}
