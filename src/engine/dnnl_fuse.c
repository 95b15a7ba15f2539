#include "engine/dnnl_fuse.h"

/* ---- which nodes lead to the output ---- */

static void find_live(dnnl_network *d) {
    const graph *g = d->graph;
    d->left[g->output] = 1;
    for (uint32_t i = g->node_count; i-- > 0;) {
        const graph_node *node = &g->nodes[i];
        d->nodes[i].node = node;
        d->nodes[i].tail = node;
        d->nodes[i].added = GRAPH_NONE;
        d->nodes[i].live = d->left[node->output] > 0;
        for (uint32_t k = 0; d->nodes[i].live && k < node->operand_count; k++)
            d->left[graph_operand(g, node, k)]++;
    }
}

static bool has_parameters(const graph_node *node) {
    return node->weight != GRAPH_NONE || node->op == GRAPH_BATCH_NORMALIZATION ||
           node->op == GRAPH_LAYER_NORMALIZATION || node->op == GRAPH_INSTANCE_NORMALIZATION;
}

/* Below the first nodes with parameters no gradient is wanted. */
static void find_wanted(dnnl_network *d) {
    const graph *g = d->graph;
    for (uint32_t v = 0; v < g->value_count; v++)
        d->wanted[v] = g->values[v].parameter != GRAPH_NONE;
    for (uint32_t i = 0; i < g->node_count; i++) {
        const graph_node *node = &g->nodes[i];
        bool wanted = has_parameters(node);
        for (uint32_t k = 0; k < node->operand_count; k++)
            wanted = wanted || d->wanted[graph_operand(g, node, k)];
        d->wanted[node->output] = wanted;
    }
}

/* ---- which run together ---- */

static bool reads(const dnnl_network *d, const graph_node *node, uint32_t value) {
    for (uint32_t k = 0; k < node->operand_count; k++)
        if (graph_operand(d->graph, node, k) == value)
            return true;
    return false;
}

/* The node that is alone to read what n makes until now, or NULL. */
static dnnl_node *only_reader(dnnl_network *d, const dnnl_node *n) {
    const uint32_t value = n->tail->output;
    if (d->left[value] != 1 || value == d->graph->output)
        return NULL;
    for (uint32_t i = 0; i < d->graph->node_count; i++)
        if (d->nodes[i].live && reads(d, d->nodes[i].node, value))
            return &d->nodes[i];
    return NULL;
}

static void join(dnnl_network *d, dnnl_node *n, dnnl_node *reader) {
    d->left[n->tail->output] = 0;
    n->tail = reader->node;
    reader->live = false;
}

static void join_norm(dnnl_network *d, dnnl_node *n) {
    dnnl_node *reader = only_reader(d, n);
    if (reader == NULL || reader->node->op != GRAPH_BATCH_NORMALIZATION)
        return;
    join(d, n, reader);
    n->norm = reader->node;
}

static bool adds(const dnnl_network *d, const graph_node *node) {
    const graph *g = d->graph;
    return node->op == GRAPH_BINARY && node->binary == GRAPH_ADD &&
           graph_value_varies(g, graph_operand(g, node, 0)) &&
           graph_value_varies(g, graph_operand(g, node, 1)) &&
           graph_shape_equal(graph_operand_shape(g, node, 0), graph_operand_shape(g, node, 1));
}

/* Whether a value is there when n is recorded. */
static bool is_there(const dnnl_network *d, const dnnl_node *n, uint32_t value) {
    for (const dnnl_node *before = d->nodes; before < n; before++)
        if (before->live && before->tail->output == value)
            return true;
    return value == d->graph->input;
}

/* The sum of what n makes, which it alone reads, and of *other; or NULL. */
static dnnl_node *sum_after(dnnl_network *d, const dnnl_node *n, uint32_t *other) {
    dnnl_node *reader = only_reader(d, n);
    if (reader == NULL || !adds(d, reader->node))
        return NULL;
    const uint32_t left = graph_operand(d->graph, reader->node, 0);
    const uint32_t right = graph_operand(d->graph, reader->node, 1);
    *other = left == n->tail->output ? right : left;
    return reader;
}

/* Of images: those of a convolution have their dimensions. */
static void join_sum(dnnl_network *d, dnnl_node *n) {
    uint32_t other;
    dnnl_node *sum = sum_after(d, n, &other);
    if (sum == NULL || !is_there(d, n, other) || d->graph->values[n->tail->output].shape.rank != 3)
        return;
    join(d, n, sum);
    n->added = other;
}

static void join_act(dnnl_network *d, dnnl_node *n) {
    dnnl_node *reader = only_reader(d, n);
    dnnl_api_shapes function;
    if (reader == NULL)
        return;
    const bool rectifies = reader->node->op == GRAPH_RELU;
    const bool runs_along = rectifies || (!d->plan.training && reader->node->op == GRAPH_UNARY &&
                                          n->node->op != GRAPH_BATCH_NORMALIZATION &&
                                          dnnl_element_algorithm(reader->node, false, &function));
    if (!runs_along)
        return;
    join(d, n, reader);
    n->act = reader->node;
}

static void find_companions(dnnl_network *d, dnnl_node *n) {
    const graph_op op = n->node->op;
    const bool conv = op == GRAPH_CONV || op == GRAPH_TRANSPOSED_CONV;
    if (conv && !d->plan.training)
        join_norm(d, n);
    if (op == GRAPH_CONV && !d->plan.training)
        join_sum(d, n);
    if (op == GRAPH_BATCH_NORMALIZATION || adds(d, n->node) ||
        (!d->plan.training && (conv || op == GRAPH_INNER_PRODUCT)))
        join_act(d, n);
}

/* ---- which normalizations layers on lists may do on the way ---- */

static const bool *listed_passes(const dnnl_network *d, const dnnl_node *n) {
    static const bool none[SPARSE_PASSES];
    const sparse_layer *l = dnnl_listed(d, (uint32_t)(n->node - d->graph->nodes));
    return n->node->op == GRAPH_CONV && l != NULL ? l->runs : none;
}

/* Of what it reads: in the forward pass, and again for the weights' gradient. */
static void find_before(dnnl_network *d, dnnl_node *n) {
    dnnl_node *reader = n->node->op == GRAPH_BATCH_NORMALIZATION ? only_reader(d, n) : NULL;
    if (reader == NULL)
        return;
    const bool *runs = listed_passes(d, reader);
    if (runs[SPARSE_FORWARD] && runs[SPARSE_WEIGHTS])
        n->reader = reader;
}

/* Of what it makes: in all passes that read its gradient. */
static void find_after(dnnl_network *d, dnnl_node *n) {
    const bool *runs = listed_passes(d, n);
    const bool data = d->wanted[graph_operand(d->graph, n->node, 0)];
    if (!runs[SPARSE_FORWARD] || !runs[SPARSE_WEIGHTS] || (data && !runs[SPARSE_DATA]))
        return;
    dnnl_node *reader = only_reader(d, n);
    /* Of images, which have the convolution's own dimensions: else it reads another tensor. */
    const bool image = d->graph->values[n->tail->output].shape.rank == 3;
    if (image && reader != NULL && reader->node->op == GRAPH_BATCH_NORMALIZATION)
        n->after = reader;
}

/* ---- which sums a normalization makes ---- */

/* Of two normalizations that have one sum the later one makes it. */
static void find_sum(dnnl_network *d, dnnl_node *n) {
    uint32_t other;
    if (n->node->op != GRAPH_BATCH_NORMALIZATION || n->act != NULL)
        return;
    dnnl_node *sum = sum_after(d, n, &other);
    if (sum == NULL)
        return;
    if (sum->by != NULL) {
        sum->by->sum = NULL;
        sum->by->added = GRAPH_NONE;
        sum->by->later = false;
    }
    sum->by = n;
    n->sum = sum;
    n->added = other;
    n->later = !is_there(d, n, other);
}

/* As shares train, where batch normalizations are the engine's own. */
static void join_norms(dnnl_network *d) {
    for (uint32_t i = 0; i < d->graph->node_count; i++) {
        dnnl_node *n = &d->nodes[i];
        if (!n->live)
            continue;
        find_sum(d, n);
        find_before(d, n);
        find_after(d, n);
    }
}

void dnnl_fuse(dnnl_network *d) {
    const dnnl_plan *plan = &d->plan;
    find_live(d);
    find_wanted(d);
    if (!plan->fuses)
        return;
    for (uint32_t i = 0; i < d->graph->node_count; i++)
        if (d->nodes[i].live)
            find_companions(d, &d->nodes[i]);
    if (plan->training && !plan->whole)
        join_norms(d);
}
