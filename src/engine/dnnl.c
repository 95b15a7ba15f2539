/* The oneDNN back end, in one of two ways.
 *
 * By shares: each thread of the pool takes a share of the batch through a network of its own
 * (dnnl_network.h), with oneDNN kept to that one thread. Dividing the samples instead of each
 * primitive needs no barrier between primitives, and none of the OpenMP threads that would
 * spin beside the pool's between passes. A pass is one run of the pool, except that a
 * training step's shares meet where a batch normalization needs the statistics of all of
 * them: there it ends one run, and the next goes on.
 *
 * As a whole: one network takes all of the batch, in the calling thread, and oneDNN divides
 * each primitive. There is one gradient then, and a layer's weights are read once: what
 * large networks want.
 *
 * A network is recorded for the largest share; a smaller one is filled up with
 * zero inputs whose loss has zero gradient, and which no statistics count. A training step as
 * a whole is recorded anew for a batch of another size. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/backend.h"
#include "engine/dnnl_move.h"
#include "engine/dnnl_network.h"
#include "engine/dnnl_own.h"
#include "engine/dropout.h"
#include "engine/norm.h"

typedef struct share {
    dnnl_network network;
    size_t first, count; /* samples of the batch */
    size_t at;           /* the call on the tape that is next */
    size_t next;         /* the mark that is */
    bool prepared;       /* what depends on held parameters alone is there */
    double *sums;        /* [2][channels] of the batch normalization that is being done */
    float *part;         /* its gradient on the support */
    engine_loss_sum loss;
    admmnn_status status;
    admmnn_error err;
} share;

typedef struct dnnl_state {
    const graph *graph;
    base_pool *pool;
    size_t input_count, classes;
    dnnl_plan plan;      /* of each share */
    unsigned threads;    /* shares */
    share *shares;       /* [threads] */
    const float **parts; /* [threads] */
    engine_norm *norms;  /* of shares' batch normalizations */
    uint32_t norm_count;
    const float *held;     /* parameters that do not change, or NULL */
    dnnl_support *support; /* or NULL */
    bool lists_every_layer;
} dnnl_state;

/* One pass, handed to every thread. */
typedef struct pass {
    dnnl_state *state;
    const float *params;  /* flat */
    const float *compact; /* with a support */
    const engine_batch *batch;
    float *logits; /* NULL: a training step */
    bool held;     /* the parameters do not change */
} pass;

/* ---- what stands between oneDNN's calls ---- */

/* A share's work, divided among the threads of its oneDNN calls. */
typedef struct division {
    const pass *pass;
    const share *own;
    const dnnl_mark *mark;
} division;

static void fill_some(void *argument, unsigned thread, unsigned threads) {
    const division *w = argument;
    const pass *p = w->pass;
    const share *own = w->own;
    const size_t elements = p->state->input_count;
    const base_share part = base_pool_share(own->count, 1, thread, threads);
    float *input = tape_floats(&own->network.tape, w->mark->y);
    for (size_t s = part.first; s < part.first + part.count; s++)
        p->batch->fill(p->batch->user, own->first + s, input + s * elements, 1);
}

static void fill_input(const pass *p, share *own, const dnnl_mark *mark) {
    const dnnl_network *d = &own->network;
    const size_t elements = p->state->input_count;
    division w = {p, own, mark};
    dnnl_api_run(d->plan.threads, fill_some, &w);
    memset(tape_floats(&d->tape, mark->y) + own->count * elements, 0,
           (d->plan.samples - own->count) * elements * sizeof(float));
    for (size_t m = 0; p->logits == NULL && m < d->mark_count; m++)
        if (d->marks[m].work == DNNL_UNOWN)
            dnnl_own_clear(d->marks[m].own, d->gradient);
}

static void run_loss(const pass *p, share *own, const float *logits, float *gradient) {
    size_t classes = p->state->classes;
    const engine_loss_layout layout = {own->count, classes, classes, 1};
    const float *targets = p->batch->targets;
    own->loss = (engine_loss_sum){0.0, 0};
    engine_loss_add(p->batch->loss, &layout, logits, p->batch->labels + own->first,
                    targets != NULL ? targets + own->first * classes : NULL, gradient, &own->loss);
    memset(gradient + own->count * classes, 0,
           (own->network.plan.samples - own->count) * classes * sizeof *gradient);
}

static void drop_out(const pass *p, const share *own, uint32_t node, float *x) {
    const graph *g = p->state->graph;
    const size_t elements = graph_value_count(g, g->nodes[node].output);
    for (size_t s = 0; s < own->count; s++)
        engine_dropout_apply(g, node, p->batch, own->first + s, elements, x + s * elements);
}

/* The samples that fill the share up would get what others share out. */
static void clear_rest(const share *own, const engine_norm *norm, float *x) {
    engine_norm_clear(norm, own->count, own->network.plan.samples, x);
}

static void unrectify(size_t count, const float *restrict x, float *restrict y) {
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] > 0.0F ? y[i] : 0.0F;
}

/* z may be y: of a value that was added to itself. */
static void add_floats(size_t count, const float *z, float *y) {
    for (size_t i = 0; i < count; i++)
        y[i] += z[i];
}

/* Floats that the first cache holds of three tensors. */
#define SUM_TILE ((size_t)2048)

/* In two loops: one alone would be compiled to a jump for each element. */
static void unrectify_sum(size_t count, const float *x, const float *z, float *y) {
    for (size_t at = 0; at < count; at += SUM_TILE) {
        const size_t left = count - at < SUM_TILE ? count - at : SUM_TILE;
        add_floats(left, z + at, y + at);
        unrectify(left, x + at, y + at);
    }
}

/* Tensors of one format: whatever it is, element stands beside element. */
static void unrectify_some(void *argument, unsigned thread, unsigned threads) {
    const division *w = argument;
    const tape *t = &w->own->network.tape;
    const dnnl_mark *mark = w->mark;
    const size_t count = t->tensors[mark->y].bytes / sizeof(float);
    const base_share part = base_pool_share(count, 16, thread, threads);
    const float *x = tape_floats(t, mark->x) + part.first;
    float *y = tape_floats(t, mark->y) + part.first;
    if (mark->z == TAPE_NONE)
        unrectify(part.count, x, y);
    else
        unrectify_sum(part.count, x, tape_floats(t, mark->z) + part.first, y);
}

static void move_some(void *argument, unsigned thread, unsigned threads) {
    const division *w = argument;
    const dnnl_network *d = &w->own->network;
    const dnnl_move *m = w->mark->move;
    const bool back = w->mark->work == DNNL_UNMOVE;
    const size_t x_count = (back ? m->out_count : m->in_count) * m->width;
    const size_t y_count = (back ? m->in_count : m->out_count) * m->width;
    const base_share part = base_pool_share(d->plan.samples / m->width, 1, thread, threads);
    for (size_t s = part.first; s < part.first + part.count; s++) {
        const float *x = tape_floats(&d->tape, w->mark->x) + s * x_count;
        float *y = tape_floats(&d->tape, w->mark->y) + s * y_count;
        if (back)
            dnnl_move_back(m, x, y);
        else
            dnnl_move_run(m, x, y);
    }
}

/* A normalization of what a node makes, by the running statistics, in weights and biases. */
static void fold(const pass *p, const share *own, const dnnl_mark *mark) {
    const dnnl_network *d = &own->network;
    const graph *g = d->graph;
    const graph_node *node = &g->nodes[mark->node];
    const graph_normalization *n = &dnnl_norm_after(d, mark->node)->normalization;
    const graph_parameter *weight = &g->parameters[node->weight];
    float *to = tape_floats(&d->tape, mark->y);
    float *bias = tape_floats(&d->tape, mark->z);
    for (size_t o = 0; o < weight->rows; o++) {
        const double mean = (double)p->params[g->parameters[n->mean].offset + o];
        const double variance = (double)p->params[g->parameters[n->variance].offset + o];
        const double factor = (double)p->params[g->parameters[n->scale].offset + o] /
                              sqrt(variance + (double)n->epsilon);
        const double own_bias = node->bias == GRAPH_NONE
                                    ? 0.0
                                    : (double)p->params[g->parameters[node->bias].offset + o];
        const float *from = p->params + weight->offset + o * weight->columns;
        for (size_t i = 0; i < weight->columns; i++)
            to[o * weight->columns + i] = (float)(factor * (double)from[i]);
        bias[o] = (float)((own_bias - mean) * factor +
                          (double)p->params[g->parameters[n->shift].offset + o]);
    }
}

static void run_own(const pass *p, const share *own, const dnnl_mark *mark) {
    const dnnl_own_pass one = {.own = mark->own,
                               .network = &own->network,
                               .params = p->params,
                               .batch = p->batch,
                               .first = own->first,
                               .count = own->count,
                               .training = p->logits == NULL,
                               .backward = mark->work == DNNL_UNOWN};
    dnnl_own_run(&one);
}

static const lanes_norm *on_the_way(const pass *p, dnnl_on_the_way of, lanes_norm *norm) {
    if (of.norm == TAPE_NONE)
        return NULL;
    *norm = engine_norm_lanes(&p->state->norms[of.norm], of.rectified);
    return norm;
}

static void run_listed(const pass *p, const share *own, const dnnl_mark *mark) {
    const dnnl_network *d = &own->network;
    const tape *t = &d->tape;
    const graph *g = d->graph;
    const sparse_layer *l = dnnl_listed(d, mark->node);
    const uint32_t bias = g->nodes[mark->node].bias;
    lanes_norm x_norm;
    lanes_norm y_norm;
    sparse_call call = {.layer = l,
                        .samples = d->plan.samples,
                        .count = own->count,
                        .x_norm = on_the_way(p, mark->before, &x_norm),
                        .threads = d->plan.threads,
                        .weights = p->compact + l->first,
                        .x_layout = mark->x_layout,
                        .y_layout = mark->y_layout,
                        .scratch = d->scratch};
    if (mark->x != TAPE_NONE)
        call.x = tape_floats(t, mark->x);
    if (mark->work == DNNL_SPARSE) {
        call.y = tape_floats(t, mark->y);
        call.bias = bias != GRAPH_NONE ? p->params + g->parameters[bias].offset : NULL;
        if (mark->sums && p->logits == NULL)
            call.y_sums = own->sums;
        sparse_forward(&call);
        return;
    }
    call.y_norm = on_the_way(p, mark->after, &y_norm);
    if (mark->made != TAPE_NONE)
        call.y = tape_floats(t, mark->made);
    call.dy = tape_floats(t, mark->z);
    if (mark->y != TAPE_NONE)
        call.dx = tape_floats(t, mark->y);
    if (mark->sums)
        call.x_sums = own->sums;
    if (mark->normalized != TAPE_NONE)
        call.x_normalized = tape_floats(t, mark->normalized);
    if (mark->added != TAPE_NONE)
        call.dx_added = tape_floats(t, mark->added);
    if (mark->x != TAPE_NONE) {
        call.dw = own->part + l->first;
        call.db = bias != GRAPH_NONE ? d->gradient + g->parameters[bias].offset : NULL;
    }
    sparse_backward(&call);
}

static void do_work(const pass *p, share *own, const dnnl_mark *mark) {
    const tape *t = &own->network.tape;
    const engine_norm *norm = &p->state->norms[mark->norm];
    division w = {p, own, mark};
    const float *x = mark->x == TAPE_NONE ? NULL : tape_floats(t, mark->x);
    float *y = mark->y == TAPE_NONE ? NULL : tape_floats(t, mark->y);
    switch (mark->work) {
    case DNNL_FILL:
        fill_input(p, own, mark);
        break;
    case DNNL_FOLD:
        fold(p, own, mark);
        break;
    case DNNL_OWN:
    case DNNL_UNOWN:
        run_own(p, own, mark);
        break;
    case DNNL_SPARSE:
    case DNNL_UNSPARSE:
        run_listed(p, own, mark);
        break;
    case DNNL_MOVE:
    case DNNL_UNMOVE:
        dnnl_api_run(own->network.plan.threads, move_some, &w);
        break;
    case DNNL_UNRELU:
        dnnl_api_run(own->network.plan.threads, unrectify_some, &w);
        break;
    case DNNL_DROPOUT:
    case DNNL_UNDROP:
        drop_out(p, own, mark->node, y);
        break;
    case DNNL_NORM_SUMS:
        if (x != NULL)
            engine_norm_sums(norm, own->count, x, own->sums);
        break;
    case DNNL_NORM:
        if (y == NULL)
            break;
        engine_norm_forward(norm, own->count, mark->rectified, x,
                            mark->z == TAPE_NONE ? NULL : tape_floats(t, mark->z), y);
        clear_rest(own, norm, y);
        break;
    case DNNL_LOSS:
        run_loss(p, own, x, y);
        break;
    case DNNL_UNNORM_SUMS:
        if (x != NULL)
            engine_norm_backward_sums(norm, own->count, mark->rectified, x, tape_floats(t, mark->z),
                                      own->sums);
        engine_norm_gradient(norm, own->sums, own->network.gradient);
        break;
    case DNNL_UNNORM:
        engine_norm_backward(norm, own->count, mark->rectified, x, tape_floats(t, mark->z), y);
        clear_rest(own, norm, y);
        break;
    }
}

/* ---- passes ---- */

static bool ends_stretch(const pass *p, dnnl_work work) {
    return p->logits == NULL && (work == DNNL_NORM_SUMS || work == DNNL_UNNORM_SUMS);
}

/* What depends on the parameters alone, to be used in this pass. */
static admmnn_status prepare(const pass *p, share *own) {
    dnnl_network *d = &own->network;
    size_t at = 0;
    for (size_t m = 0; m < d->mark_count; m++) {
        const dnnl_mark *mark = &d->marks[m];
        if (mark->when != TAPE_PREPARE)
            continue;
        BASE_TRY(tape_replay(&d->tape, at, mark->call, TAPE_PREPARE, &own->err));
        do_work(p, own, mark);
        at = mark->call;
    }
    return tape_replay(&d->tape, at, d->tape.call_count, TAPE_PREPARE, &own->err);
}

/* From where the share is to where shares meet, or to the end. */
static admmnn_status run_stretch(const pass *p, share *own) {
    dnnl_network *d = &own->network;
    const size_t classes = p->state->classes;
    const tape_when when = p->logits == NULL ? TAPE_TRAIN : TAPE_EVALUATE;
    while (own->next < d->mark_count) {
        const dnnl_mark *mark = &d->marks[own->next++];
        if ((mark->when & (unsigned)when) == 0)
            continue;
        BASE_TRY(tape_replay(&d->tape, own->at, mark->call, when, &own->err));
        own->at = mark->call + 1;
        if (mark->work == DNNL_LOSS && p->logits != NULL) {
            memcpy(p->logits + own->first * classes, tape_floats(&d->tape, mark->x),
                   own->count * classes * sizeof *p->logits);
            own->next = SIZE_MAX;
            return ADMMNN_OK;
        }
        do_work(p, own, mark);
        if (ends_stretch(p, mark->work))
            return ADMMNN_OK;
    }
    own->next = SIZE_MAX;
    return tape_replay(&d->tape, own->at, d->tape.call_count, when, &own->err);
}

static admmnn_status run_from(const pass *p, share *own) {
    if (own->next == 0) {
        BASE_TRY(tape_bind(&own->network.tape, p->params, &own->err));
        if (!p->held || !own->prepared)
            BASE_TRY(prepare(p, own));
        own->prepared = p->held;
    }
    return run_stretch(p, own);
}

static void run_share(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    const pass *p = argument;
    share *own = &p->state->shares[thread];
    own->status = ADMMNN_OK;
    if (own->count == 0)
        return;
    int before = dnnl_api_set_threads((int)own->network.plan.threads);
    own->status = run_from(p, own);
    dnnl_api_set_threads(before);
    if (p->state->support != NULL && p->logits == NULL && own->next == SIZE_MAX)
        dnnl_support_gather(p->state->support, own->network.gradient, own->part);
}

/* The sums of the first share become those of all, added in the order of the threads. */
static void meet(const pass *p, const dnnl_mark *mark) {
    dnnl_state *d = p->state;
    engine_norm *norm = &d->norms[mark->norm];
    double *sums = d->shares[0].sums;
    for (unsigned t = 1; t < d->threads && d->shares[t].count > 0; t++)
        for (size_t i = 0; i < 2 * norm->padded; i++)
            sums[i] += d->shares[t].sums[i];
    if (mark->work == DNNL_NORM_SUMS)
        engine_norm_by_batch(norm, p->params, sums, p->batch->count, d->shares[0].network.gradient);
    else
        engine_norm_turn(norm, sums, p->batch->count);
}

static void start(const pass *p) {
    dnnl_state *d = p->state;
    for (unsigned t = 0; t < d->threads; t++) {
        base_share of_batch = base_pool_share(p->batch->count, 1, t, d->threads);
        d->shares[t].first = of_batch.first;
        d->shares[t].count = of_batch.count;
        d->shares[t].at = 0;
        d->shares[t].next = 0;
    }
    for (uint32_t n = 0; p->logits != NULL && n < d->norm_count; n++)
        engine_norm_by_running(&d->norms[n], p->params);
}

static admmnn_status check_shares(const dnnl_state *d, admmnn_error *err) {
    for (unsigned t = 0; t < d->threads; t++) {
        if (d->shares[t].status == ADMMNN_OK)
            continue;
        if (err != NULL)
            *err = d->shares[t].err;
        return d->shares[t].status;
    }
    return ADMMNN_OK;
}

/* The first share is never empty, and all are at the same mark. */
static admmnn_status run(const pass *p, admmnn_error *err) {
    dnnl_state *d = p->state;
    const share *first = &d->shares[0];
    start(p);
    while (first->next != SIZE_MAX) {
        if (d->plan.whole)
            run_share((void *)p, 0, 1);
        else
            base_pool_run(d->pool, run_share, (void *)p);
        BASE_TRY(check_shares(d, err));
        if (first->next != SIZE_MAX)
            meet(p, &first->network.marks[first->next - 1]);
    }
    return ADMMNN_OK;
}

/* ---- recording ---- */

/* The gradient parts are the shares', or those of the support. */
static void find_parts(dnnl_state *d) {
    for (unsigned t = 0; t < d->threads; t++)
        d->parts[t] = d->support != NULL ? d->shares[t].part : d->shares[t].network.gradient;
}

static void close_shares(dnnl_state *d) {
    for (unsigned t = 0; t < d->threads; t++)
        dnnl_network_close(&d->shares[t].network);
}

/* All shares are recorded alike. */
static void lay_out_norms(const dnnl_state *d) {
    const dnnl_network *network = &d->shares[0].network;
    for (size_t m = 0; d->norms != NULL && m < network->mark_count; m++) {
        const dnnl_mark *mark = &network->marks[m];
        if (mark->work == DNNL_NORM)
            engine_norm_lay_out(&d->norms[mark->norm], mark->layout);
    }
}

/* Closed again where it fails. */
static admmnn_status open_shares(dnnl_state *d, admmnn_error *err) {
    admmnn_status status = ADMMNN_OK;
    for (unsigned t = 0; status == ADMMNN_OK && t < d->threads; t++) {
        d->shares[t].prepared = false;
        status = dnnl_network_open(d->graph, &d->plan, &d->shares[t].network, err);
    }
    if (status == ADMMNN_OK)
        lay_out_norms(d);
    else
        close_shares(d);
    find_parts(d);
    return status;
}

/* As a whole the statistics are those of all samples it was recorded for. */
static admmnn_status record_for(dnnl_state *d, size_t count, admmnn_error *err) {
    const dnnl_network *network = &d->shares[0].network;
    if (network->graph != NULL && (!d->plan.whole || network->plan.samples == count))
        return ADMMNN_OK;
    if (d->plan.whole)
        d->plan.samples = count;
    close_shares(d);
    return open_shares(d, err);
}

/* ---- passes, from outside ---- */

/* The parameters of a support are scattered for what runs on oneDNN. */
static pass pass_of(dnnl_state *d, const float *params, const engine_batch *batch) {
    if (d->support != NULL)
        dnnl_support_scatter(d->support, params);
    return (pass){.state = d,
                  .params = d->support != NULL ? d->support->flat : params,
                  .compact = params,
                  .batch = batch};
}

static admmnn_status forward(void *state, const float *params, const engine_batch *batch,
                             float *logits, admmnn_error *err) {
    dnnl_state *d = state;
    pass p = pass_of(d, params, batch);
    p.logits = logits;
    p.held = params == d->held;
    if (d->shares[0].network.plan.samples < batch->count)
        BASE_TRY(record_for(d, batch->count, err)); /* a step had fewer, or there is none */
    return run(&p, err);
}

static void hold(void *state, const float *params) {
    dnnl_state *d = state;
    d->held = params;
    for (unsigned t = 0; t < d->threads; t++)
        d->shares[t].prepared = false;
}

static admmnn_status step(void *state, const float *params, const engine_batch *batch,
                          engine_result *result, admmnn_error *err) {
    dnnl_state *d = state;
    const pass p = pass_of(d, params, batch);
    BASE_TRY(record_for(d, batch->count, err));
    BASE_TRY(run(&p, err));
    *result = (engine_result){.parts = d->parts};
    for (unsigned t = 0; t < d->threads && d->shares[t].count > 0; t++) {
        result->part_count++;
        result->loss += d->shares[t].loss.loss;
        result->correct += d->shares[t].loss.correct;
    }
    return ADMMNN_OK;
}

/* ---- creation ---- */

static void destroy(void *state) {
    dnnl_state *d = state;
    for (unsigned t = 0; d->shares != NULL && t < d->threads; t++) {
        dnnl_network_close(&d->shares[t].network);
        base_free(d->shares[t].sums);
        base_free(d->shares[t].part);
    }
    dnnl_support_free(d->support);
    for (uint32_t n = 0; d->norms != NULL && n < d->norm_count; n++)
        engine_norm_close(&d->norms[n]);
    base_free(d->norms);
    base_free(d->shares);
    base_free(d->parts);
    base_free(d);
}

/* Multiply-accumulates of one sample from which on a network is large: more than the widest
 * perceptron that a paper trains on digits, fewer than the smallest ResNet. */
#define LARGE_MACS UINT64_C(40000000)

/* Floats that a pass over so many samples makes. */
static size_t activation_count(const graph *g, size_t samples) {
    size_t count = 0;
    for (uint32_t n = 0; n < g->node_count; n++)
        count += graph_value_count(g, g->nodes[n].output);
    return count * samples;
}

/* Each share has a gradient of its own and reads all weights; the calls of a whole wait for
 * each other's threads. So a network is taken as a whole where parameters outnumber what it
 * makes of a batch, and where nothing else of a forward pass would wait. */
static bool is_whole(const graph *g, const engine_settings *settings) {
    if (settings->division != ENGINE_DIVIDE_BY_SIZE)
        return settings->division == ENGINE_DIVIDE_CALLS;
    return graph_macs(g) >= LARGE_MACS &&
           (!settings->training || g->flat_count > activation_count(g, settings->max_batch));
}

static dnnl_plan make_plan(const graph *g, const engine_settings *settings, unsigned threads) {
    const bool whole = is_whole(g, settings);
    const unsigned shares = whole ? 1 : threads;
    return (dnnl_plan){.settings = settings,
                       .shares = shares,
                       .samples = ((size_t)settings->max_batch + shares - 1) / shares,
                       .threads = whole ? threads : 1,
                       .training = settings->training,
                       .fuses = settings->division != ENGINE_DIVIDE_BY_SIZE ||
                                graph_macs(g) >= LARGE_MACS,
                       .whole = whole};
}

static admmnn_status make_shares(dnnl_state *d, admmnn_error *err) {
    d->shares = base_array(d->threads, sizeof *d->shares);
    d->parts = base_array(d->threads, sizeof *d->parts);
    if (d->shares == NULL || d->parts == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    return open_shares(d, err);
}

/* What the shares have in common of each batch normalization, and what each adds up. */
static admmnn_status open_norms(dnnl_state *d, admmnn_error *err) {
    const dnnl_network *network = &d->shares[0].network;
    size_t channels = 0;
    d->norms = base_array(network->norm_count, sizeof *d->norms);
    if (d->norms == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->norm_count = network->norm_count; /* in another order than that of the marks */
    for (size_t m = 0; m < network->mark_count; m++) {
        const dnnl_mark *mark = &network->marks[m];
        if (mark->work != DNNL_NORM)
            continue;
        engine_norm *norm = &d->norms[mark->norm];
        BASE_TRY(engine_norm_open(d->graph, &d->graph->nodes[mark->node], norm, err));
        const size_t count = engine_norm_channels(norm);
        channels = count > channels ? count : channels;
    }
    lay_out_norms(d);
    for (unsigned t = 0; t < d->threads; t++) {
        d->shares[t].sums = base_array(2 * channels, sizeof *d->shares[t].sums);
        if (d->shares[t].sums == NULL)
            return base_fail_memory(err, "the oneDNN back end");
    }
    return ADMMNN_OK;
}

/* What oneDNN makes of its own when a network is recorded, and again when one first runs: it
 * crashes where there is no memory for that. */
#define KERNEL_BYTES ((size_t)16 << 20)

static admmnn_status check_kernels(admmnn_error *err) {
    return base_has_room(KERNEL_BYTES) ? ADMMNN_OK : base_fail_memory(err, "the kernels of oneDNN");
}

/* Of inputs and outputs alone, which is said before a network is recorded for so many samples:
 * oneDNN itself takes memory and time for them. */
static uint64_t least_bytes(const dnnl_state *d) {
    return (uint64_t)d->threads * d->plan.samples * (d->input_count + d->classes) * sizeof(float);
}

static admmnn_status create(const graph *g, const engine_settings *settings, base_pool *pool,
                            void **state, admmnn_error *err) {
    dnnl_state *d = base_array(1, sizeof *d);
    if (d == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->graph = g;
    d->pool = pool;
    d->plan = make_plan(g, settings, base_pool_threads(pool));
    d->threads = d->plan.whole ? 1 : base_pool_threads(pool);
    d->input_count = graph_value_count(g, g->input);
    d->classes = graph_value_count(g, g->output);
    d->lists_every_layer = settings->list_density >= 1.0F;
    admmnn_status status = engine_check_memory(g, settings, least_bytes(d), err);
    if (status == ADMMNN_OK)
        status = check_kernels(err);
    if (status == ADMMNN_OK)
        status = make_shares(d, err);
    if (status == ADMMNN_OK)
        status = open_norms(d, err);
    if (status == ADMMNN_OK)
        status = check_kernels(err);
    if (status != ADMMNN_OK) {
        destroy(d);
        return status;
    }
    *state = d;
    return ADMMNN_OK;
}

/* ---- the support ---- */

/* Of `count` parameters, one for each share; false where memory is short. */
static bool make_parts(const dnnl_state *d, size_t count, float **parts) {
    bool whole = true;
    for (unsigned t = 0; t < d->threads; t++) {
        parts[t] = base_array(count, sizeof *parts[t]);
        whole = whole && parts[t] != NULL;
    }
    return whole;
}

static void take_support(dnnl_state *d, dnnl_support *support, float **parts) {
    dnnl_support_free(d->support);
    d->support = support;
    d->plan.support = support;
    for (unsigned t = 0; t < d->threads; t++) {
        base_free(d->shares[t].part);
        d->shares[t].part = parts[t];
        parts[t] = NULL;
    }
}

/* Memory for two recordings is not wanted at once: the old one is closed first. Should there
 * be none for the new one, the old one is made again by the next pass. */
static admmnn_status replace_support(dnnl_state *d, dnnl_support *support, float **parts,
                                     admmnn_error *err) {
    const dnnl_support *before = d->plan.support;
    close_shares(d);
    d->plan.support = support;
    admmnn_status status = check_kernels(err);
    if (status == ADMMNN_OK)
        status = open_shares(d, err);
    if (status == ADMMNN_OK)
        take_support(d, support, parts);
    else
        d->plan.support = before;
    find_parts(d);
    return status;
}

static admmnn_status set_support(void *state, const size_t *index, size_t count,
                                 admmnn_error *err) {
    dnnl_state *d = state;
    dnnl_support *support = NULL;
    if (index != NULL)
        BASE_TRY(dnnl_support_create(d->graph, index, count, d->plan.samples, d->plan.threads,
                                     d->lists_every_layer, &support, err));
    float **parts = base_array(d->threads, sizeof *parts);
    const bool whole = parts != NULL && make_parts(d, index != NULL ? count : 0, parts);
    admmnn_status status = whole ? replace_support(d, support, parts, err)
                                 : base_fail_memory(err, "the gradient on the support");
    if (status != ADMMNN_OK)
        dnnl_support_free(support);
    for (unsigned t = 0; parts != NULL && t < d->threads; t++)
        base_free(parts[t]);
    base_free(parts);
    return status;
}

const engine_backend engine_backend_dnnl = {
    .name = "dnnl",
    .create = create,
    .destroy = destroy,
    .set_support = set_support,
    .lists_in_training_alone = true,
    .hold = hold,
    .forward = forward,
    .step = step,
};
