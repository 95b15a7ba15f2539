/* The oneDNN back end: each thread of the pool takes a share of the batch
 * through a network of its own (dnnl_network.h), with oneDNN kept to that one
 * thread. Dividing the samples instead of each primitive needs no barrier
 * between primitives, and none of the OpenMP threads that would spin beside the
 * pool's between passes.
 *
 * A network is recorded for the largest share; a smaller one is filled up with
 * zero inputs whose loss has zero gradient. */
#include <string.h>

#include "base/memory.h"
#include "engine/backend.h"
#include "engine/dnnl_network.h"
#include "engine/loss.h"

typedef struct share {
    dnnl_network network;
    size_t first, count; /* samples of the batch */
    engine_loss_sum loss;
    admmnn_status status;
    admmnn_error err;
} share;

typedef struct dnnl_state {
    base_pool *pool;
    size_t input_count, classes;
    unsigned threads;
    share *shares;       /* [threads] */
    const float **parts; /* [threads] */
} dnnl_state;

/* One pass, handed to every thread. */
typedef struct pass {
    dnnl_state *state;
    const float *params;
    const engine_batch *batch;
    float *logits; /* NULL: a training step */
} pass;

static void fill_input(const pass *p, const share *own) {
    size_t elements = p->state->input_count;
    float *input = tape_floats(&own->network.tape, own->network.input);
    for (size_t s = 0; s < own->count; s++)
        p->batch->fill(p->batch->user, own->first + s, input + s * elements, 1);
    memset(input + own->count * elements, 0,
           (own->network.samples - own->count) * elements * sizeof *input);
}

static void run_loss(const pass *p, share *own) {
    size_t classes = p->state->classes;
    const dnnl_network *d = &own->network;
    const engine_loss_layout layout = {own->count, classes, classes, 1};
    const float *targets = p->batch->targets;
    float *gradient = tape_floats(&d->tape, d->loss_gradient);
    own->loss = (engine_loss_sum){0.0, 0};
    engine_loss_softmax(&layout, tape_floats(&d->tape, d->logits), p->batch->labels + own->first,
                        targets != NULL ? targets + own->first * classes : NULL, gradient,
                        &own->loss);
    memset(gradient + own->count * classes, 0,
           (d->samples - own->count) * classes * sizeof *gradient);
}

static admmnn_status run_network(const pass *p, share *own) {
    dnnl_network *d = &own->network;
    size_t classes = p->state->classes;
    fill_input(p, own);
    BASE_TRY(tape_replay(&d->tape, 0, d->forward_end, p->params, &own->err));
    if (p->logits != NULL) {
        memcpy(p->logits + own->first * classes, tape_floats(&d->tape, d->logits),
               own->count * classes * sizeof *p->logits);
        return ADMMNN_OK;
    }
    run_loss(p, own);
    return tape_replay(&d->tape, d->forward_end, d->tape.call_count, p->params, &own->err);
}

static void run_share(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    const pass *p = argument;
    share *own = &p->state->shares[thread];
    own->status = ADMMNN_OK;
    if (own->count == 0)
        return;
    int before = dnnl_api_set_threads(1);
    own->status = run_network(p, own);
    dnnl_api_set_threads(before);
}

static void divide(dnnl_state *d, size_t count) {
    for (unsigned t = 0; t < d->threads; t++) {
        base_share of_batch = base_pool_share(count, 1, t, d->threads);
        d->shares[t].first = of_batch.first;
        d->shares[t].count = of_batch.count;
    }
}

static admmnn_status run(const pass *p, admmnn_error *err) {
    dnnl_state *d = p->state;
    divide(d, p->batch->count);
    base_pool_run(d->pool, run_share, (void *)p);
    for (unsigned t = 0; t < d->threads; t++) {
        if (d->shares[t].status == ADMMNN_OK)
            continue;
        if (err != NULL)
            *err = d->shares[t].err;
        return d->shares[t].status;
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

static void destroy(void *state) {
    dnnl_state *d = state;
    for (unsigned t = 0; d->shares != NULL && t < d->threads; t++)
        dnnl_network_close(&d->shares[t].network);
    base_free(d->shares);
    base_free(d->parts);
    base_free(d);
}

static admmnn_status open_shares(dnnl_state *d, const graph *g, const engine_settings *settings,
                                 admmnn_error *err) {
    size_t samples = (settings->max_batch + (size_t)d->threads - 1) / d->threads;
    d->shares = base_array(d->threads, sizeof *d->shares);
    d->parts = base_array(d->threads, sizeof *d->parts);
    if (d->shares == NULL || d->parts == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    for (unsigned t = 0; t < d->threads; t++) {
        dnnl_network *network = &d->shares[t].network;
        BASE_TRY(dnnl_network_open(g, samples, settings->training, network, err));
        d->parts[t] = network->gradient;
    }
    return ADMMNN_OK;
}

static admmnn_status create(const graph *g, const engine_settings *settings, base_pool *pool,
                            void **state, admmnn_error *err) {
    dnnl_state *d = base_array(1, sizeof *d);
    if (d == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->pool = pool;
    d->threads = base_pool_threads(pool);
    d->input_count = graph_value_count(g, g->input);
    d->classes = graph_value_count(g, g->output);
    admmnn_status status = open_shares(d, g, settings, err);
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
