#include "engine/dnnl_own.h"

#include <string.h>

#include "base/memory.h"
#include "engine/reference.h"

/* A thread's own. */
typedef struct worker {
    double *values, *gradients; /* of one sample */
    double *part;               /* gradient by the node's parameters */
    float *scratch;
} worker;

struct dnnl_own {
    graph view;             /* the graph, with the node's parameters and constants alone */
    const graph *whole;     /* itself */
    const graph_node *node; /* of the whole graph */
    uint32_t *parameters;   /* of the node, numbers in both graphs */
    uint32_t parameter_count;
    size_t flat_count; /* of them */
    size_t *place;     /* where each of its values starts within a sample */
    size_t size;       /* of a sample's values */
    uint32_t count;    /* operands */
    uint32_t *x, *dx;  /* [count] tensors; TAPE_NONE of constants and parameters, and of
                          gradients that no one wants or that stand before */
    uint32_t y, dy;    /* tensors */
    double *params, *constants;
    unsigned threads;
    worker *workers;
};

/* ---- passes ---- */

static size_t elements(const dnnl_own *o, uint32_t value) {
    return graph_value_count(o->whole, value);
}

static void load(const dnnl_own_pass *p, uint32_t value, uint32_t tensor, size_t sample,
                 double *to) {
    const size_t count = elements(p->own, value);
    const float *from = tape_floats(&p->network->tape, tensor) + sample * count;
    for (size_t i = 0; i < count; i++)
        to[p->own->place[value] + i] = (double)from[i];
}

static void store(const dnnl_own_pass *p, uint32_t value, uint32_t tensor, size_t sample,
                  const double *from) {
    const size_t count = elements(p->own, value);
    float *to = tape_floats(&p->network->tape, tensor) + sample * count;
    for (size_t i = 0; i < count; i++)
        to[i] = (float)from[p->own->place[value] + i];
}

static void run_sample(const dnnl_own_pass *p, worker *w, size_t sample) {
    const dnnl_own *o = p->own;
    const graph_node *node = o->node;
    const reference_call call = {.graph = &o->view,
                                 .node = node,
                                 .place = o->place,
                                 .params = o->params,
                                 .constants = o->constants,
                                 .values = w->values,
                                 .gradients = w->gradients,
                                 .part = w->part,
                                 .batch = p->batch,
                                 .sample = p->first + sample,
                                 .training = p->training,
                                 .scratch = w->scratch};
    for (uint32_t i = 0; i < o->count; i++)
        if (o->x[i] != TAPE_NONE)
            load(p, graph_operand(o->whole, node, i), o->x[i], sample, w->values);
    if (p->backward) {
        memset(w->gradients, 0, o->size * sizeof *w->gradients);
        load(p, node->output, o->y, sample, w->values);
        load(p, node->output, o->dy, sample, w->gradients);
    }
    reference_kernel_of(node->op, p->backward)(&call);
    if (!p->backward)
        store(p, node->output, o->y, sample, w->values);
    for (uint32_t i = 0; p->backward && i < o->count; i++)
        if (o->dx[i] != TAPE_NONE)
            store(p, graph_operand(o->whole, node, i), o->dx[i], sample, w->gradients);
}

static void clear_samples(const dnnl_own_pass *p, uint32_t value, uint32_t tensor, size_t first) {
    const size_t count = elements(p->own, value);
    memset(tape_floats(&p->network->tape, tensor) + first * count, 0,
           (p->network->plan.samples - first) * count * sizeof(float));
}

/* What fills the samples up must be numbers, if none that count. */
static void clear_rest(const dnnl_own_pass *p) {
    const dnnl_own *o = p->own;
    if (!p->backward)
        clear_samples(p, o->node->output, o->y, p->count);
    for (uint32_t i = 0; p->backward && i < o->count; i++)
        if (o->dx[i] != TAPE_NONE)
            clear_samples(p, graph_operand(o->whole, o->node, i), o->dx[i], p->count);
}

static void run_worker(void *argument, unsigned thread, unsigned threads) {
    const dnnl_own_pass *p = argument;
    const base_share share = base_pool_share(p->count, 1, thread, threads);
    for (size_t s = share.first; s < share.first + share.count; s++)
        run_sample(p, &p->own->workers[thread], s);
}

static const graph_parameter *parameter(const graph *g, const dnnl_own *o, uint32_t i) {
    return &g->parameters[o->parameters[i]];
}

/* The parts are added in the order of the threads. */
static void add_parts(const dnnl_own *o, float *gradient) {
    for (uint32_t k = 0; k < o->parameter_count; k++) {
        const graph_parameter *to = parameter(o->whole, o, k);
        const graph_parameter *from = parameter(&o->view, o, k);
        for (unsigned t = 0; t < o->threads; t++)
            for (size_t i = 0; i < to->count; i++)
                gradient[to->offset + i] += (float)o->workers[t].part[from->offset + i];
    }
}

void dnnl_own_clear(const dnnl_own *o, float *gradient) {
    for (uint32_t k = 0; k < o->parameter_count; k++)
        memset(gradient + parameter(o->whole, o, k)->offset, 0,
               parameter(o->whole, o, k)->count * sizeof *gradient);
}

void dnnl_own_run(const dnnl_own_pass *p) {
    const dnnl_own *o = p->own;
    for (uint32_t k = 0; k < o->parameter_count; k++)
        for (size_t i = 0; i < parameter(o->whole, o, k)->count; i++)
            o->params[parameter(&o->view, o, k)->offset + i] =
                (double)p->params[parameter(o->whole, o, k)->offset + i];
    for (unsigned t = 0; p->backward && t < o->threads; t++)
        memset(o->workers[t].part, 0, o->flat_count * sizeof(double));
    dnnl_api_run(o->threads, run_worker, (void *)p);
    clear_rest(p);
    if (p->backward)
        add_parts(o, p->network->gradient);
}

/* ---- recording ---- */

static admmnn_status add_x(dnnl_network *d, dnnl_own *o, uint32_t i, admmnn_error *err) {
    const uint32_t value = graph_operand(o->whole, o->node, i);
    o->x[i] = TAPE_NONE;
    o->dx[i] = TAPE_NONE;
    if (!graph_value_varies(o->whole, value))
        return ADMMNN_OK;
    BASE_TRY(dnnl_plain(d, value, d->tensor[value], &o->x[i], err));
    dnnl_keep(d, o->x[i], TAPE_KEPT);
    return ADMMNN_OK;
}

static admmnn_status add_value(dnnl_network *d, uint32_t value, uint32_t *out, admmnn_error *err) {
    dnnl_dims_t dims;
    const int ndims = dnnl_value_dims(d, value, dims);
    return dnnl_add_plain(d, ndims, dims, TAPE_ARENA, 0, out, err);
}

static bool is_before(const dnnl_own *o, uint32_t i) {
    for (uint32_t k = 0; k < i; k++)
        if (graph_operand(o->whole, o->node, k) == graph_operand(o->whole, o->node, i))
            return true;
    return false;
}

static admmnn_status add_dx(dnnl_network *d, dnnl_own *o, uint32_t i, admmnn_error *err) {
    const uint32_t value = graph_operand(o->whole, o->node, i);
    if (o->x[i] == TAPE_NONE || !d->wanted[value] || is_before(o, i))
        return ADMMNN_OK;
    BASE_TRY(add_value(d, value, &o->dx[i], err));
    return dnnl_add_gradient(d, value, o->dx[i], err);
}

admmnn_status dnnl_own_mark(dnnl_network *d, const dnnl_mark *mark, admmnn_error *err) {
    const dnnl_own *o = mark->own;
    tape_argument *arguments = base_array(2 * (size_t)o->count + 2, sizeof *arguments);
    if (arguments == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    int count = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->x[i] != TAPE_NONE)
            arguments[count++] = (tape_argument){DNNL_ARG_SRC, o->x[i]};
        if (o->dx[i] != TAPE_NONE)
            arguments[count++] = (tape_argument){DNNL_ARG_DIFF_SRC, o->dx[i]};
    }
    arguments[count++] = (tape_argument){DNNL_ARG_DST, o->y};
    if (mark->work == DNNL_UNOWN)
        arguments[count++] = (tape_argument){DNNL_ARG_DIFF_DST, o->dy};
    admmnn_status status = tape_call_add(&d->tape, NULL, arguments, count, err);
    base_free(arguments);
    return status;
}

static admmnn_status mark(dnnl_network *d, const dnnl_node *n, dnnl_work work, admmnn_error *err) {
    dnnl_mark mark = dnnl_mark_of(d, n, work, TAPE_NONE, TAPE_NONE);
    mark.own = n->own;
    return dnnl_add_mark(d, mark, err);
}

admmnn_status dnnl_own_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    dnnl_own *o = n->own;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &o->dy, err));
    BASE_TRY(dnnl_plain(d, n->node->output, o->dy, &o->dy, err));
    for (uint32_t i = 0; i < o->count; i++)
        BASE_TRY(add_dx(d, o, i, err));
    return mark(d, n, DNNL_UNOWN, err);
}

/* ---- creation ---- */

void dnnl_own_close(dnnl_own *o) {
    if (o == NULL)
        return;
    for (unsigned t = 0; o->workers != NULL && t < o->threads; t++) {
        base_free(o->workers[t].values);
        base_free(o->workers[t].gradients);
        base_free(o->workers[t].part);
        base_free(o->workers[t].scratch);
    }
    base_free(o->workers);
    base_free(o->view.parameters);
    base_free(o->view.values);
    base_free(o->parameters);
    base_free(o->place);
    base_free(o->x);
    base_free(o->dx);
    base_free(o->params);
    base_free(o->constants);
    base_free(o);
}

/* The parameter's place in the view, once however often it is read. */
static void add_parameter(dnnl_own *o, uint32_t p) {
    if (p == GRAPH_NONE)
        return;
    for (uint32_t i = 0; i < o->parameter_count; i++)
        if (o->parameters[i] == p)
            return;
    o->parameters[o->parameter_count++] = p;
    o->view.parameters[p].offset = o->flat_count;
    o->flat_count += o->view.parameters[p].count;
}

static void add_node_parameters(dnnl_own *o) {
    const graph_node *node = o->node;
    add_parameter(o, node->weight);
    add_parameter(o, node->bias);
    if (node->op == GRAPH_INSTANCE_NORMALIZATION || node->op == GRAPH_LAYER_NORMALIZATION) {
        add_parameter(o, node->normalization.scale);
        add_parameter(o, node->normalization.shift);
    }
    for (uint32_t i = 0; i < o->count; i++)
        add_parameter(o, o->whole->values[graph_operand(o->whole, node, i)].parameter);
}

static void place_value(dnnl_own *o, uint32_t value) {
    o->place[value] = o->size;
    o->size += elements(o, value);
}

static bool place_constants(dnnl_own *o) {
    size_t count = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        graph_value *value = &o->view.values[graph_operand(o->whole, o->node, i)];
        if (value->constant == GRAPH_VARIES)
            continue;
        value->constant = count;
        count += graph_shape_count(value->shape);
    }
    o->constants = base_array(count, sizeof *o->constants);
    if (o->constants == NULL)
        return false;
    for (uint32_t i = 0; i < o->count; i++) {
        const uint32_t number = graph_operand(o->whole, o->node, i);
        const graph_value *value = &o->whole->values[number];
        for (size_t k = 0; value->constant != GRAPH_VARIES && k < elements(o, number); k++)
            o->constants[o->view.values[number].constant + k] =
                (double)o->whole->constants[value->constant + k];
    }
    return true;
}

static bool open_worker(const dnnl_own *o, worker *w) {
    w->values = base_array(o->size, sizeof *w->values);
    w->gradients = base_array(o->size, sizeof *w->gradients);
    w->part = base_array(o->flat_count, sizeof *w->part);
    w->scratch = base_array(o->size, sizeof *w->scratch);
    return w->values != NULL && w->gradients != NULL && w->part != NULL && w->scratch != NULL;
}

/* What a graph takes to be seen from one node. */
static uint64_t view_bytes(const graph *g) {
    return g->parameter_count * sizeof *g->parameters +
           g->value_count * (sizeof *g->values + sizeof(size_t));
}

static uint64_t number_bytes(const dnnl_own *o) {
    uint64_t constants = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        const uint32_t value = graph_operand(o->whole, o->node, i);
        constants += o->whole->values[value].constant == GRAPH_VARIES ? 0 : elements(o, value);
    }
    const uint64_t worker_bytes =
        o->size * (2 * sizeof(double) + sizeof(float)) + o->flat_count * sizeof(double);
    return o->threads * worker_bytes + (constants + o->flat_count) * sizeof(double);
}

static bool open_view(dnnl_own *o) {
    const graph *g = o->whole;
    o->view = *g;
    o->view.parameters = base_array_copy(g->parameters, g->parameter_count, sizeof *g->parameters);
    o->view.values = base_array_copy(g->values, g->value_count, sizeof *g->values);
    o->parameters = base_array(o->count + 4U, sizeof *o->parameters);
    o->place = base_array(g->value_count, sizeof *o->place);
    o->x = base_array(o->count, sizeof *o->x);
    o->dx = base_array(o->count, sizeof *o->dx);
    o->workers = base_array(o->threads, sizeof *o->workers);
    if (o->view.parameters == NULL || o->view.values == NULL || o->parameters == NULL ||
        o->place == NULL || o->x == NULL || o->dx == NULL || o->workers == NULL)
        return false;
    add_node_parameters(o);
    for (uint32_t i = 0; i < o->count; i++)
        if (graph_value_varies(g, graph_operand(g, o->node, i)))
            place_value(o, graph_operand(g, o->node, i));
    place_value(o, o->node->output);
    return true;
}

static bool open_numbers(dnnl_own *o) {
    o->params = base_array(o->flat_count, sizeof *o->params);
    if (o->params == NULL || !place_constants(o))
        return false;
    for (unsigned t = 0; t < o->threads; t++)
        if (!open_worker(o, &o->workers[t]))
            return false;
    return true;
}

admmnn_status dnnl_own_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    if (n->tail != n->node || n->node->op == GRAPH_BATCH_NORMALIZATION)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: oneDNN has no %s as it is there; use auto or reference",
                         n->node->name, graph_op_name(n->node->op));
    dnnl_own *o = base_array(1, sizeof *o);
    if (o == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    n->own = o;
    o->whole = d->graph;
    o->node = n->node;
    o->count = n->node->operand_count;
    o->threads = d->plan.threads;
    BASE_TRY(dnnl_claim(d, view_bytes(d->graph), err));
    if (!open_view(o))
        return base_fail_memory(err, "the oneDNN back end");
    BASE_TRY(dnnl_claim(d, number_bytes(o), err));
    if (!open_numbers(o))
        return base_fail_memory(err, "the oneDNN back end");
    for (uint32_t i = 0; i < o->count; i++)
        BASE_TRY(add_x(d, o, i, err));
    BASE_TRY(add_value(d, n->node->output, &o->y, err));
    dnnl_keep(d, o->y, TAPE_KEPT);
    d->tensor[n->node->output] = o->y;
    return mark(d, n, DNNL_OWN, err);
}
