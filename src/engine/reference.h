/* The reference: every operation of the graph as plain loops in double precision, node by
 * node through all samples of a batch. It is what the fast back ends are tested against, and
 * is itself tested against difference quotients (tests/engine/test_reference.c).
 *
 * A thread takes a contiguous share of the batch through a node and has its own parameter
 * gradient; a batch normalization, which looks at all samples, is left to one thread. */
#ifndef ENGINE_REFERENCE_H
#define ENGINE_REFERENCE_H

#include "engine/engine.h"

typedef struct reference reference;

/* The graph and the pool must outlive it. */
admmnn_status reference_open(const graph *g, size_t max_batch, bool training, base_pool *pool,
                             reference **out, admmnn_error *err);
void reference_close(reference *r);

/* A sample's elements of a value that is neither constant nor parameter, and the gradient by
 * them; the input is the caller's to write before a pass, the output's gradient before the
 * pass backward, which expects all others zero. */
double *reference_value(const reference *r, size_t sample, uint32_t value);
double *reference_gradient(const reference *r, size_t sample, uint32_t value);
void reference_clear_gradients(reference *r, size_t sample);

/* params[flat_count]. Of the batch, count, seed and step are looked at. In training
 * normalization is by the batch's statistics, and dropouts drop out. */
void reference_forward(reference *r, const double *params, const engine_batch *batch,
                       bool training);
/* After a forward pass in training: [flat_count], the gradient by the parameters, and the
 * batch's statistics in the places of running ones; until the next pass. */
const double *reference_backward(reference *r, const double *params, const engine_batch *batch);

/* ---- one node on one sample ---- */

typedef struct reference_call {
    const graph *graph;
    const graph_node *node;
    const size_t *place; /* where each value starts within a sample */
    const double *params, *constants;
    double *values, *gradients; /* of the sample */
    double *part;               /* the thread's gradient by the parameters */
    const engine_batch *batch;
    size_t sample;
    bool training;
    float *scratch; /* as many as the largest value's elements */
} reference_call;

/* Operand i, and where its gradient is added; that of a constant is NULL. */
const double *reference_x(const reference_call *c, uint32_t i);
double *reference_dx(const reference_call *c, uint32_t i);
double *reference_y(const reference_call *c);
const double *reference_dy(const reference_call *c);
/* Parameter p, and where its gradient is added; NULL of GRAPH_NONE. */
const double *reference_p(const reference_call *c, uint32_t p);
double *reference_dp(const reference_call *c, uint32_t p);

static inline graph_shape reference_shape(const reference_call *c, uint32_t i) {
    return graph_operand_shape(c->graph, c->node, i);
}

static inline graph_shape reference_out_shape(const reference_call *c) {
    return c->graph->values[c->node->output].shape;
}

/* Which element of a tensor of shape `from` stands at element i of `to`, to which it is
 * broadcast. */
size_t reference_broadcast(graph_shape to, graph_shape from, size_t i);

/* Forward writes y; backward adds to the gradients by operands and parameters. */
typedef void reference_kernel(const reference_call *c);

/* That of an operation; NULL of batch normalization. */
reference_kernel *reference_kernel_of(graph_op op, bool backward);

reference_kernel reference_conv_forward, reference_conv_backward;
reference_kernel reference_transposed_forward, reference_transposed_backward;
reference_kernel reference_maxpool_forward, reference_maxpool_backward;
reference_kernel reference_average_forward, reference_average_backward;
reference_kernel reference_product_forward, reference_product_backward;
reference_kernel reference_matmul_forward, reference_matmul_backward;
reference_kernel reference_relu_forward, reference_relu_backward;
reference_kernel reference_dropout_forward, reference_dropout_backward;
reference_kernel reference_unary_forward, reference_unary_backward;
reference_kernel reference_binary_forward, reference_binary_backward;
reference_kernel reference_instance_forward, reference_instance_backward;
reference_kernel reference_layer_forward, reference_layer_backward;
reference_kernel reference_lrn_forward, reference_lrn_backward;
reference_kernel reference_softmax_forward, reference_softmax_backward;
reference_kernel reference_log_softmax_forward, reference_log_softmax_backward;
reference_kernel reference_reduce_forward, reference_reduce_backward;
reference_kernel reference_concat_forward, reference_concat_backward;
reference_kernel reference_move_forward, reference_move_backward; /* all that only moves */
reference_kernel reference_resize_forward, reference_resize_backward;

/* Of the whole batch: sample s has its values at values + s * stride, and so its gradients. */
void reference_batch_norm_forward(const reference_call *c, size_t stride);
void reference_batch_norm_backward(const reference_call *c, size_t stride);

#endif
