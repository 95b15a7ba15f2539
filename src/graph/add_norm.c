/* Adding normalizations and softmaxes. */
#include <math.h>

#include "graph/build.h"

static const graph_normalization no_parameters = {
    .scale = GRAPH_NONE, .shift = GRAPH_NONE, .mean = GRAPH_NONE, .variance = GRAPH_NONE};

static admmnn_status check_epsilon(const graph_node *node, float epsilon, admmnn_error *err) {
    if (epsilon > 0.0F && isfinite(epsilon))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT, "node %s: epsilon %g; it must be above 0", node->name,
                     (double)epsilon);
}

admmnn_status graph_add_batch_normalization(graph *g, const char *name, uint32_t in, float epsilon,
                                            float momentum, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_BATCH_NORMALIZATION, name, &in, 1, &node, err));
    if (!(epsilon > 0.0F) || !isfinite(epsilon) || !(momentum >= 0.0F && momentum <= 1.0F))
        return base_fail(err, ADMMNN_INPUT,
                         "node %s: epsilon %g, momentum %g; they must be above 0 and from 0 to 1",
                         name, (double)epsilon, (double)momentum);
    if (!graph_value_varies(g, in))
        return base_fail(err, ADMMNN_INPUT, "node %s: what it normalizes is alike in all samples",
                         name);
    graph_normalization *n = &node->normalization;
    *n = no_parameters;
    n->epsilon = epsilon;
    n->momentum = momentum;
    const graph_shape shape = g->values[in].shape;
    const size_t channels = graph_shape_channels(shape);
    const build_parameter wanted[] = {{GRAPH_SCALE, channels, 1, &n->scale},
                                      {GRAPH_SHIFT, channels, 1, &n->shift},
                                      {GRAPH_MEAN, channels, 1, &n->mean},
                                      {GRAPH_VARIANCE, channels, 1, &n->variance}};
    return build_close(g, shape, wanted, 4, out, err);
}

/* A scale and a shift for each of `count`. */
static admmnn_status close_scaled(graph *g, graph_node *node, graph_shape shape, size_t count,
                                  uint32_t *out, admmnn_error *err) {
    graph_normalization *n = &node->normalization;
    const build_parameter wanted[] = {{GRAPH_SCALE, count, 1, &n->scale},
                                      {GRAPH_SHIFT, count, 1, &n->shift}};
    return build_close(g, shape, wanted, 2, out, err);
}

admmnn_status graph_add_instance_normalization(graph *g, const char *name, uint32_t in,
                                               float epsilon, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_INSTANCE_NORMALIZATION, name, &in, 1, &node, err));
    BASE_TRY(check_epsilon(node, epsilon, err));
    node->normalization = no_parameters;
    node->normalization.epsilon = epsilon;
    const graph_shape shape = g->values[in].shape;
    return close_scaled(g, node, shape, graph_shape_channels(shape), out, err);
}

admmnn_status graph_add_layer_normalization(graph *g, const char *name, uint32_t in, uint32_t axis,
                                            float epsilon, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_LAYER_NORMALIZATION, name, &in, 1, &node, err));
    const graph_shape shape = g->values[in].shape;
    BASE_TRY(check_epsilon(node, epsilon, err));
    BASE_TRY(build_check_axis(node, shape, axis, err));
    node->normalization = no_parameters;
    node->normalization.epsilon = epsilon;
    node->normalization.axis = axis;
    return close_scaled(g, node, shape, graph_shape_extent(shape, axis, shape.rank), out, err);
}

admmnn_status graph_add_lrn(graph *g, const char *name, uint32_t in, graph_lrn lrn, uint32_t *out,
                            admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, GRAPH_LRN, name, &in, 1, &node, err));
    const graph_shape shape = g->values[in].shape;
    BASE_TRY(build_check_axis(node, shape, 0, err));
    if (lrn.size == 0 || !isfinite(lrn.alpha) || !isfinite(lrn.beta) || !isfinite(lrn.bias))
        return base_fail(err, ADMMNN_INPUT,
                         "node %s: size %u, alpha %g, beta %g, bias %g; the size must be above 0",
                         name, lrn.size, (double)lrn.alpha, (double)lrn.beta, (double)lrn.bias);
    node->lrn = lrn;
    return build_close(g, shape, NULL, 0, out, err);
}

static admmnn_status add_softmax(graph *g, graph_op op, const char *name, uint32_t in,
                                 uint32_t axis, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    BASE_TRY(build_open(g, op, name, &in, 1, &node, err));
    const graph_shape shape = g->values[in].shape;
    BASE_TRY(build_check_axis(node, shape, axis, err));
    node->axis = axis;
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_softmax(graph *g, const char *name, uint32_t in, uint32_t axis,
                                uint32_t *out, admmnn_error *err) {
    return add_softmax(g, GRAPH_SOFTMAX, name, in, axis, out, err);
}

admmnn_status graph_add_log_softmax(graph *g, const char *name, uint32_t in, uint32_t axis,
                                    uint32_t *out, admmnn_error *err) {
    return add_softmax(g, GRAPH_LOG_SOFTMAX, name, in, axis, out, err);
}
