/* The reference's memory and its passes. */
#include <string.h>

#include "base/memory.h"
#include "engine/reference.h"

struct reference {
    const graph *graph;
    base_pool *pool;
    unsigned threads;
    size_t *place;     /* [value_count + 1] where each value starts within a sample */
    double *constants; /* the graph's */
    double *values;    /* [max_batch] samples */
    double *gradients; /* of the values; training only */
    double **parts;    /* [threads][flat_count]; training only */
    float **scratch;   /* [threads] */
};

static const struct {
    reference_kernel *forward, *backward;
} kernels[GRAPH_OP_COUNT] = {
    [GRAPH_CONV] = {reference_conv_forward, reference_conv_backward},
    [GRAPH_MAXPOOL] = {reference_maxpool_forward, reference_maxpool_backward},
    [GRAPH_INNER_PRODUCT] = {reference_product_forward, reference_product_backward},
    [GRAPH_RELU] = {reference_relu_forward, reference_relu_backward},
    [GRAPH_DROPOUT] = {reference_dropout_forward, reference_dropout_backward},
    [GRAPH_TRANSPOSED_CONV] = {reference_transposed_forward, reference_transposed_backward},
    [GRAPH_AVERAGE_POOL] = {reference_average_forward, reference_average_backward},
    [GRAPH_MATMUL] = {reference_matmul_forward, reference_matmul_backward},
    [GRAPH_LRN] = {reference_lrn_forward, reference_lrn_backward},
    [GRAPH_INSTANCE_NORMALIZATION] = {reference_instance_forward, reference_instance_backward},
    [GRAPH_LAYER_NORMALIZATION] = {reference_layer_forward, reference_layer_backward},
    [GRAPH_UNARY] = {reference_unary_forward, reference_unary_backward},
    [GRAPH_BINARY] = {reference_binary_forward, reference_binary_backward},
    [GRAPH_SOFTMAX] = {reference_softmax_forward, reference_softmax_backward},
    [GRAPH_LOG_SOFTMAX] = {reference_log_softmax_forward, reference_log_softmax_backward},
    [GRAPH_REDUCE] = {reference_reduce_forward, reference_reduce_backward},
    [GRAPH_CONCAT] = {reference_concat_forward, reference_concat_backward},
    [GRAPH_SLICE] = {reference_move_forward, reference_move_backward},
    [GRAPH_PAD] = {reference_move_forward, reference_move_backward},
    [GRAPH_RESHAPE] = {reference_move_forward, reference_move_backward},
    [GRAPH_TRANSPOSE] = {reference_move_forward, reference_move_backward},
    [GRAPH_GATHER] = {reference_move_forward, reference_move_backward},
    [GRAPH_RESIZE] = {reference_resize_forward, reference_resize_backward},
};

reference_kernel *reference_kernel_of(graph_op op, bool backward) {
    return backward ? kernels[op].backward : kernels[op].forward;
}

/* ---- places ---- */

static size_t sample_size(const reference *r) {
    return r->place[r->graph->value_count];
}

double *reference_value(const reference *r, size_t sample, uint32_t value) {
    return r->values + sample * sample_size(r) + r->place[value];
}

double *reference_gradient(const reference *r, size_t sample, uint32_t value) {
    return r->gradients + sample * sample_size(r) + r->place[value];
}

void reference_clear_gradients(reference *r, size_t sample) {
    memset(reference_gradient(r, sample, 0), 0, sample_size(r) * sizeof(double));
}

const double *reference_p(const reference_call *c, uint32_t p) {
    return p == GRAPH_NONE ? NULL : c->params + c->graph->parameters[p].offset;
}

double *reference_dp(const reference_call *c, uint32_t p) {
    return p == GRAPH_NONE ? NULL : c->part + c->graph->parameters[p].offset;
}

const double *reference_x(const reference_call *c, uint32_t i) {
    const uint32_t number = graph_operand(c->graph, c->node, i);
    const graph_value *value = &c->graph->values[number];
    if (value->parameter != GRAPH_NONE)
        return reference_p(c, value->parameter);
    return value->constant != GRAPH_VARIES ? c->constants + value->constant
                                           : c->values + c->place[number];
}

double *reference_dx(const reference_call *c, uint32_t i) {
    const uint32_t number = graph_operand(c->graph, c->node, i);
    const graph_value *value = &c->graph->values[number];
    if (value->parameter != GRAPH_NONE)
        return reference_dp(c, value->parameter);
    return value->constant != GRAPH_VARIES ? NULL : c->gradients + c->place[number];
}

double *reference_y(const reference_call *c) {
    return c->values + c->place[c->node->output];
}

const double *reference_dy(const reference_call *c) {
    return c->gradients + c->place[c->node->output];
}

size_t reference_broadcast(graph_shape to, graph_shape from, size_t i) {
    size_t at = 0;
    size_t stride = 1;
    for (uint32_t k = 0; k < from.rank; k++) { /* axes from the last */
        const uint32_t dim = from.dims[from.rank - 1 - k];
        const uint32_t whole = to.dims[to.rank - 1 - k];
        if (dim != 1)
            at += i % whole * stride;
        stride *= dim;
        i /= whole;
    }
    return at;
}

/* ---- passes ---- */

/* One node, handed to every thread. */
typedef struct step {
    const reference *r;
    const double *params;
    const engine_batch *batch;
    const graph_node *node;
    bool training, backward;
} step;

static reference_call call_of(const step *s, unsigned thread, size_t sample) {
    const reference *r = s->r;
    return (reference_call){.graph = r->graph,
                            .node = s->node,
                            .place = r->place,
                            .params = s->params,
                            .constants = r->constants,
                            .values = reference_value(r, sample, 0),
                            .gradients = s->training ? reference_gradient(r, sample, 0) : NULL,
                            .part = r->parts[thread],
                            .batch = s->batch,
                            .sample = sample,
                            .training = s->training,
                            .scratch = r->scratch[thread]};
}

static void run_share(void *argument, unsigned thread, unsigned threads) {
    const step *s = argument;
    const base_share share = base_pool_share(s->batch->count, 1, thread, threads);
    reference_kernel *kernel = reference_kernel_of(s->node->op, s->backward);
    for (size_t i = share.first; i < share.first + share.count; i++) {
        const reference_call call = call_of(s, thread, i);
        kernel(&call);
    }
}

static void run_node(step *s) {
    if (s->node->op != GRAPH_BATCH_NORMALIZATION) {
        base_pool_run(s->r->pool, run_share, s);
        return;
    }
    const reference_call call = call_of(s, 0, 0);
    if (s->backward)
        reference_batch_norm_backward(&call, sample_size(s->r));
    else
        reference_batch_norm_forward(&call, sample_size(s->r));
}

void reference_forward(reference *r, const double *params, const engine_batch *batch,
                       bool training) {
    step s = {.r = r, .params = params, .batch = batch, .training = training};
    for (unsigned t = 0; training && t < r->threads; t++)
        memset(r->parts[t], 0, r->graph->flat_count * sizeof(double));
    for (uint32_t n = 0; n < r->graph->node_count; n++) {
        s.node = &r->graph->nodes[n];
        run_node(&s);
    }
}

const double *reference_backward(reference *r, const double *params, const engine_batch *batch) {
    step s = {.r = r, .params = params, .batch = batch, .training = true, .backward = true};
    for (uint32_t n = r->graph->node_count; n-- > 0;) {
        s.node = &r->graph->nodes[n];
        run_node(&s);
    }
    for (unsigned t = 1; t < r->threads; t++)
        for (size_t i = 0; i < r->graph->flat_count; i++)
            r->parts[0][i] += r->parts[t][i];
    return r->parts[0];
}

/* ---- life ---- */

void reference_close(reference *r) {
    if (r == NULL)
        return;
    for (unsigned t = 0; r->parts != NULL && t < r->threads; t++)
        base_free(r->parts[t]);
    for (unsigned t = 0; r->scratch != NULL && t < r->threads; t++)
        base_free(r->scratch[t]);
    base_free(r->parts);
    base_free(r->scratch);
    base_free(r->place);
    base_free(r->constants);
    base_free(r->values);
    base_free(r->gradients);
    base_free(r);
}

/* *largest: elements of the largest value. */
static bool place_values(reference *r, size_t *largest) {
    const graph *g = r->graph;
    r->place = base_array(g->value_count + 1U, sizeof *r->place);
    r->constants = base_array(g->constant_count, sizeof *r->constants);
    if (r->place == NULL || r->constants == NULL)
        return false;
    *largest = 0;
    for (uint32_t v = 0; v < g->value_count; v++) {
        const size_t count = graph_value_varies(g, v) ? graph_value_count(g, v) : 0;
        r->place[v + 1] = r->place[v] + count;
        *largest = count > *largest ? count : *largest;
    }
    for (size_t i = 0; i < g->constant_count; i++)
        r->constants[i] = (double)g->constants[i];
    return true;
}

static bool open_threads(reference *r, size_t largest, bool training) {
    r->parts = base_array(r->threads, sizeof *r->parts);
    r->scratch = base_array(r->threads, sizeof *r->scratch);
    if (r->parts == NULL || r->scratch == NULL)
        return false;
    for (unsigned t = 0; training && t < r->threads; t++) {
        r->parts[t] = base_array(r->graph->flat_count, sizeof(double));
        r->scratch[t] = base_array(largest, sizeof(float));
        if (r->parts[t] == NULL || r->scratch[t] == NULL)
            return false;
    }
    return true;
}

static bool open_memory(reference *r, size_t max_batch, bool training) {
    size_t largest;
    size_t elements;
    if (!place_values(r, &largest) || !base_multiply(sample_size(r), max_batch, &elements))
        return false;
    r->values = base_array(elements, sizeof *r->values);
    r->gradients = base_array(training ? elements : 0, sizeof *r->gradients);
    return r->values != NULL && r->gradients != NULL && open_threads(r, largest, training);
}

admmnn_status reference_open(const graph *g, size_t max_batch, bool training, base_pool *pool,
                             reference **out, admmnn_error *err) {
    reference *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "the reference back end");
    r->graph = g;
    r->pool = pool;
    r->threads = base_pool_threads(pool);
    if (!open_memory(r, max_batch, training)) {
        reference_close(r);
        return base_fail_memory(err, "the reference back end");
    }
    *out = r;
    return ADMMNN_OK;
}
