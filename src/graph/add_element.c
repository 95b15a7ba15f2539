/* Adding what works element by element. */
#include <math.h>

#include "graph/build.h"

admmnn_status graph_add_relu(graph *g, const char *name, uint32_t in, uint32_t *out,
                             admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_RELU, name, &in, 1, &node, err));
    return build_close(g, g->values[in].shape, NULL, 0, out, err);
}

/* Infinite bounds of a clip are no bounds. */
admmnn_status graph_add_unary(graph *g, const char *name, uint32_t in, graph_unary unary,
                              uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_UNARY, name, &in, 1, &node, err));
    if (unary.kind >= GRAPH_UNARY_COUNT || isnan(unary.a) || isnan(unary.b))
        return base_fail(err, ADMMNN_INPUT, "node %s: %s with numbers %g and %g", name,
                         graph_unary_name(unary.kind), (double)unary.a, (double)unary.b);
    node->unary = unary;
    return build_close(g, g->values[in].shape, NULL, 0, out, err);
}

admmnn_status graph_add_binary(graph *g, const char *name, graph_binary_kind kind, uint32_t left,
                               uint32_t right, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    graph_shape shape;
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    const uint32_t in[2] = {left, right};
    BASE_TRY(build_open(g, GRAPH_BINARY, name, in, 2, &node, err));
    if (kind >= GRAPH_BINARY_COUNT)
        return base_fail(err, ADMMNN_INPUT, "node %s: no operation of number %d", name, (int)kind);
    const graph_shape of_left = g->values[left].shape;
    if (!graph_shape_broadcast(of_left, g->values[right].shape, &shape) ||
        (kind == GRAPH_PRELU && !graph_shape_equal(shape, of_left)))
        return base_fail(err, ADMMNN_INPUT, "node %s: %s of %s and %s, which do not fit", name,
                         graph_binary_name(kind), graph_shape_text(of_left, texts[0]),
                         graph_shape_text(g->values[right].shape, texts[1]));
    node->binary = kind;
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_dropout(graph *g, const char *name, uint32_t in, float ratio, uint32_t *out,
                                admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_DROPOUT, name, &in, 1, &node, err));
    if (!(ratio >= 0.0F && ratio < 1.0F))
        return base_fail(err, ADMMNN_INPUT, "node %s: ratio %g; it must be from 0 to below 1", name,
                         (double)ratio);
    node->ratio = ratio;
    return build_close(g, g->values[in].shape, NULL, 0, out, err);
}
