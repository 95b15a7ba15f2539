#include "engine/dnnl_network.h"

#include "base/memory.h"
#include "engine/dnnl_fuse.h"
#include "engine/dnnl_move.h"
#include "engine/dnnl_own.h"
#include "engine/dnnl_record.h"

static const struct {
    dnnl_record_forward *forward;
    dnnl_record_backward *backward;
} records[GRAPH_OP_COUNT] = {
    [GRAPH_CONV] = {dnnl_weighted_forward, dnnl_weighted_backward},
    [GRAPH_TRANSPOSED_CONV] = {dnnl_weighted_forward, dnnl_weighted_backward},
    [GRAPH_INNER_PRODUCT] = {dnnl_weighted_forward, dnnl_weighted_backward},
    [GRAPH_MAXPOOL] = {dnnl_pool_forward, dnnl_pool_backward},
    [GRAPH_AVERAGE_POOL] = {dnnl_pool_forward, dnnl_pool_backward},
    [GRAPH_REDUCE] = {dnnl_pool_forward, dnnl_pool_backward},
    [GRAPH_LRN] = {dnnl_lrn_forward, dnnl_lrn_backward},
    [GRAPH_BATCH_NORMALIZATION] = {dnnl_norm_forward, dnnl_norm_backward},
    [GRAPH_RELU] = {dnnl_element_forward, dnnl_element_backward},
    [GRAPH_UNARY] = {dnnl_element_forward, dnnl_element_backward},
    [GRAPH_DROPOUT] = {dnnl_dropout_forward, dnnl_dropout_backward},
    [GRAPH_BINARY] = {dnnl_binary_forward, dnnl_binary_backward},
    [GRAPH_SLICE] = {dnnl_move_forward, dnnl_move_backward},
    [GRAPH_PAD] = {dnnl_move_forward, dnnl_move_backward},
    [GRAPH_TRANSPOSE] = {dnnl_move_forward, dnnl_move_backward},
    [GRAPH_GATHER] = {dnnl_move_forward, dnnl_move_backward},
    [GRAPH_CONCAT] = {dnnl_concat_forward, dnnl_concat_backward},
    [GRAPH_RESHAPE] = {dnnl_reshape_forward, dnnl_reshape_backward},
};

/* ---- forward ---- */

/* What is read again gets parts of its gradient from several. */
static void read_operands(dnnl_network *d, const graph_node *node) {
    for (uint32_t i = 0; i < node->operand_count; i++) {
        const uint32_t value = graph_operand(d->graph, node, i);
        if (--d->left[value] > 0 && d->tensor[value] != TAPE_NONE)
            dnnl_keep_zeros(d, d->tensor[value]);
    }
}

/* Constants and parameters have no tensors of samples; a gather's indices are in tables. */
static bool reads_samples_alone(const graph *g, const graph_node *node) {
    const uint32_t count = node->op == GRAPH_GATHER ? 1 : node->operand_count;
    for (uint32_t i = 0; i < count; i++)
        if (!graph_value_varies(g, graph_operand(g, node, i)))
            return false;
    return true;
}

/* Whether the node reads its operands in lanes, passes them on, or makes copies of its own. */
static bool reads_lanes(const dnnl_network *d, const dnnl_node *n) {
    switch (n->node->op) {
    case GRAPH_CONV:
        return dnnl_runs_listed(d, n, SPARSE_FORWARD);
    case GRAPH_BATCH_NORMALIZATION:
        return n->turned;
    case GRAPH_BINARY:
        return n->by != NULL;
    case GRAPH_SLICE:
    case GRAPH_PAD:
    case GRAPH_TRANSPOSE:
    case GRAPH_GATHER:
    case GRAPH_CONCAT:
    case GRAPH_RESHAPE:
    case GRAPH_DROPOUT:
        return true;
    default:
        return false;
    }
}

/* For all that will read them yet. */
static admmnn_status take_out_of_lanes(dnnl_network *d, const dnnl_node *n, admmnn_error *err) {
    if (reads_lanes(d, n))
        return ADMMNN_OK;
    for (uint32_t i = 0; i < n->node->operand_count; i++) {
        uint32_t *tensor = &d->tensor[graph_operand(d->graph, n->node, i)];
        if (*tensor != TAPE_NONE)
            BASE_TRY(dnnl_out_of_lanes(d, *tensor, tensor, err));
    }
    return ADMMNN_OK;
}

/* A node of the engine's own reads what is there, not what a normalization makes on the way. */
static admmnn_status record_node(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    dnnl_record_forward *forward =
        reads_samples_alone(d->graph, n->node) ? records[n->node->op].forward : NULL;
    BASE_TRY(take_out_of_lanes(d, n, err));
    admmnn_status status = forward == NULL ? ADMMNN_UNSUPPORTED : forward(d, n, err);
    if (status == ADMMNN_UNSUPPORTED && n->before == NULL)
        status = dnnl_own_forward(d, n, err);
    read_operands(d, n->node);
    return status;
}

/* *logits: row-major. */
static admmnn_status record_forward(dnnl_network *d, uint32_t *logits, admmnn_error *err) {
    const graph *g = d->graph;
    dnnl_dims_t dims;
    const int ndims = dnnl_value_dims(d, g->input, dims);
    BASE_TRY(dnnl_add_plain(d, ndims, dims, TAPE_ARENA, 0, &d->tensor[g->input], err));
    BASE_TRY(dnnl_add_mark(d, dnnl_mark_alone(DNNL_FILL, TAPE_NONE, d->tensor[g->input]), err));
    for (uint32_t i = 0; i < g->node_count; i++)
        if (d->nodes[i].live)
            BASE_TRY(record_node(d, &d->nodes[i], err));
    return dnnl_plain(d, g->output, d->tensor[g->output], logits, err);
}

/* ---- backward ---- */

static admmnn_status record_backward(dnnl_network *d, uint32_t gradient, admmnn_error *err) {
    const graph *g = d->graph;
    d->tape.when = TAPE_TRAIN;
    BASE_TRY(dnnl_add_gradient(d, g->output, gradient, err));
    for (uint32_t i = g->node_count; i-- > 0;) {
        dnnl_node *n = &d->nodes[i];
        if (!n->live || d->terms[n->tail->output][0] == TAPE_NONE)
            continue;
        if (n->own != NULL)
            BASE_TRY(dnnl_own_backward(d, n, err));
        else
            BASE_TRY(records[n->node->op].backward(d, n, err));
    }
    return ADMMNN_OK;
}

/* ---- creation ---- */

static void close_node(dnnl_node *n) {
    if (n->forward != NULL)
        dnnl_primitive_desc_destroy(n->forward);
    dnnl_api_desc_free(n->any_src);
    dnnl_api_desc_free(n->any_dst);
    dnnl_api_desc_free(n->any_weights);
    dnnl_api_desc_free(n->plain_src);
    dnnl_api_desc_free(n->bias_desc);
    dnnl_move_close(n->moves, n->move_count);
    dnnl_own_close(n->own);
}

static void forget_values(dnnl_network *d) {
    base_free(d->tensor);
    base_free(d->left);
    base_free(d->terms);
    base_free(d->wanted);
    d->tensor = NULL;
    d->left = NULL;
    d->terms = NULL;
    d->wanted = NULL;
}

void dnnl_network_close(dnnl_network *d) {
    for (uint32_t i = 0; d->nodes != NULL && i < d->graph->node_count; i++)
        close_node(&d->nodes[i]);
    tape_close(&d->tape);
    forget_values(d);
    base_free(d->nodes);
    base_free(d->marks);
    base_free(d->gradient);
    base_free(d->scratch);
    *d = (dnnl_network){0};
}

const sparse_layer *dnnl_listed(const dnnl_network *d, uint32_t node) {
    return d->plan.support != NULL ? d->plan.support->layers[node] : NULL;
}

const graph_node *dnnl_norm_after(const dnnl_network *d, uint32_t node) {
    return d->nodes[node].norm;
}

static admmnn_status open_values(dnnl_network *d, admmnn_error *err) {
    const graph *g = d->graph;
    d->nodes = base_array(g->node_count, sizeof *d->nodes);
    d->tensor = base_array(g->value_count, sizeof *d->tensor);
    d->left = base_array(g->value_count, sizeof *d->left);
    d->terms = base_array(g->value_count, sizeof *d->terms);
    d->wanted = base_array(g->value_count, sizeof *d->wanted);
    if (d->nodes == NULL || d->tensor == NULL || d->left == NULL || d->terms == NULL ||
        d->wanted == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    for (uint32_t v = 0; v < g->value_count; v++) {
        d->tensor[v] = TAPE_NONE;
        d->terms[v][0] = TAPE_NONE;
        d->terms[v][1] = TAPE_NONE;
    }
    return ADMMNN_OK;
}

admmnn_status dnnl_claim(dnnl_network *d, uint64_t bytes, admmnn_error *err) {
    d->bytes += bytes;
    return engine_check_memory(d->graph, d->plan.settings, d->plan.shares * d->bytes, err);
}

static admmnn_status open_gradient(dnnl_network *d, admmnn_error *err) {
    BASE_TRY(dnnl_claim(d, d->graph->flat_count * sizeof *d->gradient, err));
    d->gradient = base_array(d->graph->flat_count, sizeof *d->gradient);
    return d->gradient != NULL ? ADMMNN_OK : base_fail_memory(err, "the gradient");
}

static admmnn_status open_scratch(dnnl_network *d, admmnn_error *err) {
    const size_t floats = dnnl_support_scratch(d->plan.support, d->plan.threads);
    BASE_TRY(dnnl_claim(d, floats * sizeof *d->scratch, err));
    d->scratch = base_array(floats, sizeof *d->scratch);
    return d->scratch != NULL ? ADMMNN_OK : base_fail_memory(err, "the support's lists");
}

static admmnn_status record_all(dnnl_network *d, admmnn_error *err) {
    const bool training = d->plan.training;
    uint32_t logits;
    uint32_t gradient = TAPE_NONE;
    BASE_TRY(tape_open(&d->tape, err));
    d->tape.when = training ? TAPE_TRAIN | TAPE_EVALUATE : TAPE_EVALUATE;
    BASE_TRY(record_forward(d, &logits, err));
    if (training)
        BASE_TRY(tape_tensor_add(&d->tape, dnnl_format(d, logits), TAPE_ARENA, 0, &gradient, err));
    BASE_TRY(dnnl_add_mark(d, dnnl_mark_alone(DNNL_LOSS, logits, gradient), err));
    if (training) {
        BASE_TRY(open_gradient(d, err));
        BASE_TRY(record_backward(d, gradient, err));
    }
    BASE_TRY(tape_plan(&d->tape, err));
    BASE_TRY(dnnl_claim(d, d->tape.arena_bytes, err));
    return tape_place(&d->tape, d->gradient, err);
}

static admmnn_status open_network(const graph *g, const dnnl_plan *plan, dnnl_network *d,
                                  admmnn_error *err) {
    *d = (dnnl_network){.graph = g, .plan = *plan};
    BASE_TRY(open_values(d, err));
    if (plan->support != NULL)
        BASE_TRY(open_scratch(d, err));
    dnnl_fuse(d);
    /* oneDNN divides the work when a primitive is made. */
    int before = dnnl_api_set_threads((int)plan->threads);
    admmnn_status status = record_all(d, err);
    dnnl_api_set_threads(before);
    forget_values(d);
    return status;
}

/* What oneDNN lacks of nodes that run together it may have, or do without, of each alone. */
admmnn_status dnnl_network_open(const graph *g, const dnnl_plan *plan, dnnl_network *d,
                                admmnn_error *err) {
    const admmnn_status status = open_network(g, plan, d, err);
    if (status != ADMMNN_UNSUPPORTED || !plan->fuses)
        return status;
    dnnl_plan apart = *plan;
    apart.fuses = false;
    dnnl_network_close(d);
    return open_network(g, &apart, d, err);
}
