/* The oneDNN back end: each thread of the pool takes a share of the batch
 * through a network of its own (dnnl_network.h), with oneDNN kept to that one
 * thread. Dividing the samples instead of each primitive needs no barrier
 * between primitives, and none of the OpenMP threads that would spin beside the
 * pool's between passes.
 *
 * A pass is one run of the pool, except that a training step's shares meet where
 * a batch normalization needs the statistics of all of them: there it ends one
 * run, and the next goes on.
 *
 * A network is recorded for the largest share; a smaller one is filled up with
 * zero inputs whose loss has zero gradient, and which no statistics count. */
#include <string.h>

#include "base/memory.h"
#include "engine/backend.h"
#include "engine/dnnl_network.h"
#include "engine/dropout.h"
#include "engine/norm.h"

typedef struct share {
    dnnl_network network;
    size_t first, count; /* samples of the batch */
    size_t at;           /* the call on the tape that is next */
    size_t next;         /* the mark that is */
    double *sums;        /* [2][channels] of the batch normalization that is being done */
    engine_loss_sum loss;
    admmnn_status status;
    admmnn_error err;
} share;

typedef struct dnnl_state {
    const graph *graph;
    base_pool *pool;
    size_t input_count, classes;
    unsigned threads;
    share *shares;       /* [threads] */
    const float **parts; /* [threads] */
    engine_norm *norms;  /* of the network's chain */
    uint32_t norm_count;
} dnnl_state;

/* One pass, handed to every thread. */
typedef struct pass {
    dnnl_state *state;
    const float *params;
    const engine_batch *batch;
    float *logits; /* NULL: a training step */
} pass;

/* ---- what stands between oneDNN's calls ---- */

static void fill_input(const pass *p, const share *own, float *input) {
    size_t elements = p->state->input_count;
    for (size_t s = 0; s < own->count; s++)
        p->batch->fill(p->batch->user, own->first + s, input + s * elements, 1);
    memset(input + own->count * elements, 0,
           (own->network.samples - own->count) * elements * sizeof *input);
}

static void run_loss(const pass *p, share *own, const float *logits, float *gradient) {
    size_t classes = p->state->classes;
    const engine_loss_layout layout = {own->count, classes, classes, 1};
    const float *targets = p->batch->targets;
    own->loss = (engine_loss_sum){0.0, 0};
    engine_loss_add(p->batch->loss, &layout, logits, p->batch->labels + own->first,
                    targets != NULL ? targets + own->first * classes : NULL, gradient, &own->loss);
    memset(gradient + own->count * classes, 0,
           (own->network.samples - own->count) * classes * sizeof *gradient);
}

static void drop_out(const pass *p, const share *own, uint32_t node, float *x) {
    const graph *g = p->state->graph;
    const size_t elements = graph_value_count(g, g->nodes[node].output);
    for (size_t s = 0; s < own->count; s++)
        engine_dropout_apply(g, node, p->batch, own->first + s, elements, x + s * elements);
}

/* The samples that fill the share up would get what others share out. */
static void clear_rest(const share *own, const engine_norm *norm, float *x) {
    const size_t elements = norm->channels * norm->plane;
    memset(x + own->count * elements, 0,
           (own->network.samples - own->count) * elements * sizeof *x);
}

static void do_work(const pass *p, share *own, const dnnl_mark *mark) {
    const tape *t = &own->network.tape;
    const engine_norm *norm = &p->state->norms[mark->norm];
    const float *x = mark->x == TAPE_NONE ? NULL : tape_floats(t, mark->x);
    float *y = mark->y == TAPE_NONE ? NULL : tape_floats(t, mark->y);
    switch (mark->work) {
    case DNNL_FILL:
        fill_input(p, own, y);
        break;
    case DNNL_DROPOUT:
    case DNNL_UNDROP:
        drop_out(p, own, mark->node, y);
        break;
    case DNNL_NORM_SUMS:
        engine_norm_sums(norm, own->count, x, x, own->sums);
        break;
    case DNNL_NORM:
        engine_norm_forward(norm, own->count, x, y);
        clear_rest(own, norm, y);
        break;
    case DNNL_LOSS:
        run_loss(p, own, x, y);
        break;
    case DNNL_UNNORM_SUMS:
        engine_norm_sums(norm, own->count, y, x, own->sums);
        engine_norm_gradient(norm, own->sums, own->network.gradient);
        break;
    case DNNL_UNNORM:
        engine_norm_backward(norm, own->count, x, y);
        clear_rest(own, norm, y);
        break;
    }
}

/* ---- passes ---- */

static bool ends_stretch(const pass *p, dnnl_work work) {
    return p->logits == NULL && (work == DNNL_NORM_SUMS || work == DNNL_UNNORM_SUMS);
}

static bool is_for_training(dnnl_work work) {
    return work == DNNL_DROPOUT || work == DNNL_NORM_SUMS;
}

/* From where the share is to where shares meet, or to the end. */
static admmnn_status run_stretch(const pass *p, share *own) {
    dnnl_network *d = &own->network;
    const size_t classes = p->state->classes;
    while (own->next < d->mark_count) {
        const dnnl_mark *mark = &d->marks[own->next++];
        BASE_TRY(tape_replay(&d->tape, own->at, mark->call, p->params, &own->err));
        own->at = mark->call + 1;
        if (mark->work == DNNL_LOSS && p->logits != NULL) {
            memcpy(p->logits + own->first * classes, tape_floats(&d->tape, mark->x),
                   own->count * classes * sizeof *p->logits);
            own->next = SIZE_MAX;
            return ADMMNN_OK;
        }
        if (p->logits == NULL || !is_for_training(mark->work))
            do_work(p, own, mark);
        if (ends_stretch(p, mark->work))
            return ADMMNN_OK;
    }
    own->next = SIZE_MAX;
    return tape_replay(&d->tape, own->at, d->tape.call_count, p->params, &own->err);
}

static void run_share(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    const pass *p = argument;
    share *own = &p->state->shares[thread];
    own->status = ADMMNN_OK;
    if (own->count == 0)
        return;
    int before = dnnl_api_set_threads(1);
    own->status = run_stretch(p, own);
    dnnl_api_set_threads(before);
}

/* The sums of the first share become those of all, added in the order of the threads. */
static void meet(const pass *p, const dnnl_mark *mark) {
    dnnl_state *d = p->state;
    engine_norm *norm = &d->norms[mark->norm];
    double *sums = d->shares[0].sums;
    for (unsigned t = 1; t < d->threads && d->shares[t].count > 0; t++)
        for (size_t i = 0; i < 2 * norm->channels; i++)
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
        base_pool_run(d->pool, run_share, (void *)p);
        BASE_TRY(check_shares(d, err));
        if (first->next != SIZE_MAX)
            meet(p, &first->network.marks[first->next - 1]);
    }
    return ADMMNN_OK;
}

static admmnn_status forward(void *state, const float *params, const engine_batch *batch,
                             float *logits, admmnn_error *err) {
    const pass p = {state, params, batch, logits};
    return run(&p, err);
}

static admmnn_status step(void *state, const float *params, const engine_batch *batch,
                          engine_result *result, admmnn_error *err) {
    const pass p = {state, params, batch, NULL};
    dnnl_state *d = state;
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
    }
    for (uint32_t n = 0; d->norms != NULL && n < d->norm_count; n++)
        engine_norm_close(&d->norms[n]);
    base_free(d->norms);
    base_free(d->shares);
    base_free(d->parts);
    base_free(d);
}

static admmnn_status open_shares(dnnl_state *d, const engine_settings *settings,
                                 admmnn_error *err) {
    size_t samples = (settings->max_batch + (size_t)d->threads - 1) / d->threads;
    d->shares = base_array(d->threads, sizeof *d->shares);
    d->parts = base_array(d->threads, sizeof *d->parts);
    if (d->shares == NULL || d->parts == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    for (unsigned t = 0; t < d->threads; t++) {
        dnnl_network *network = &d->shares[t].network;
        BASE_TRY(dnnl_network_open(d->graph, samples, settings->training, network, err));
        d->parts[t] = network->gradient;
    }
    return ADMMNN_OK;
}

/* What the shares have in common of each batch normalization, and what each adds up. */
static admmnn_status open_norms(dnnl_state *d, admmnn_error *err) {
    const dnnl_network *network = &d->shares[0].network;
    size_t channels = 0;
    d->norms = base_array(network->norm_count, sizeof *d->norms);
    if (d->norms == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    for (size_t m = 0; m < network->mark_count; m++) {
        const dnnl_mark *mark = &network->marks[m];
        if (mark->work != DNNL_NORM)
            continue;
        engine_norm *norm = &d->norms[d->norm_count++];
        BASE_TRY(engine_norm_open(d->graph, &d->graph->nodes[mark->node], norm, err));
        channels = norm->channels > channels ? norm->channels : channels;
    }
    for (unsigned t = 0; t < d->threads; t++) {
        d->shares[t].sums = base_array(2 * channels, sizeof *d->shares[t].sums);
        if (d->shares[t].sums == NULL)
            return base_fail_memory(err, "the oneDNN back end");
    }
    return ADMMNN_OK;
}

static admmnn_status create(const graph *g, const engine_settings *settings, base_pool *pool,
                            void **state, admmnn_error *err) {
    dnnl_state *d = base_array(1, sizeof *d);
    if (d == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->graph = g;
    d->pool = pool;
    d->threads = base_pool_threads(pool);
    d->input_count = graph_value_count(g, g->input);
    d->classes = graph_value_count(g, g->output);
    admmnn_status status = open_shares(d, settings, err);
    if (status == ADMMNN_OK)
        status = open_norms(d, err);
    if (status != ADMMNN_OK) {
        destroy(d);
        return status;
    }
    *state = d;
    return ADMMNN_OK;
}

const engine_backend engine_backend_dnnl = {
    .name = "dnnl",
    .create = create,
    .destroy = destroy,
    .set_support = NULL,
    .forward = forward,
    .step = step,
};
