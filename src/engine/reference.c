/* The reference as a back end: what comes and goes is 32 bits wide, what is between 64. */
#include "engine/reference.h"

#include "base/memory.h"
#include "engine/backend.h"

typedef struct shell {
    const graph *graph;
    base_pool *pool;
    reference *network;
    double *params;  /* [flat_count] */
    float *gradient; /* [flat_count]; training only */
    const float *parts[1];
    float *narrow;         /* [threads][largest of input and output] */
    size_t narrow_count;   /* of a thread */
    engine_loss_sum *sums; /* [threads] */
} shell;

/* One pass, handed to every thread. */
typedef struct pass {
    shell *s;
    const engine_batch *batch;
} pass;

static void fill_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const shell *s = p->s;
    const base_share share = base_pool_share(p->batch->count, 1, thread, threads);
    const size_t count = graph_value_count(s->graph, s->graph->input);
    float *narrow = s->narrow + thread * s->narrow_count;
    for (size_t k = share.first; k < share.first + share.count; k++) {
        double *input = reference_value(s->network, k, s->graph->input);
        p->batch->fill(p->batch->user, k, narrow, 1);
        for (size_t i = 0; i < count; i++)
            input[i] = (double)narrow[i];
    }
}

static void loss_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const engine_batch *batch = p->batch;
    const shell *s = p->s;
    const size_t classes = graph_value_count(s->graph, s->graph->output);
    const engine_loss_layout layout = {1, classes, classes, 1};
    const base_share share = base_pool_share(batch->count, 1, thread, threads);
    float *narrow = s->narrow + thread * s->narrow_count;
    s->sums[thread] = (engine_loss_sum){0.0, 0};
    for (size_t k = share.first; k < share.first + share.count; k++) {
        const double *logits = reference_value(s->network, k, s->graph->output);
        double *gradient = reference_gradient(s->network, k, s->graph->output);
        reference_clear_gradients(s->network, k);
        for (size_t i = 0; i < classes; i++)
            narrow[i] = (float)logits[i];
        engine_loss_add(batch->loss, &layout, narrow, batch->labels + k,
                        batch->targets != NULL ? batch->targets + k * classes : NULL, narrow,
                        &s->sums[thread]);
        for (size_t i = 0; i < classes; i++)
            gradient[i] = (double)narrow[i];
    }
}

static void forward(shell *s, const float *params, const engine_batch *batch, bool training) {
    pass p = {s, batch};
    for (size_t i = 0; i < s->graph->flat_count; i++)
        s->params[i] = (double)params[i];
    base_pool_run(s->pool, fill_share, &p);
    reference_forward(s->network, s->params, batch, training);
}

static admmnn_status shell_forward(void *state, const float *params, const engine_batch *batch,
                                   float *logits, admmnn_error *err) {
    (void)err;
    shell *s = state;
    const size_t classes = graph_value_count(s->graph, s->graph->output);
    forward(s, params, batch, false);
    for (size_t k = 0; k < batch->count; k++)
        for (size_t i = 0; i < classes; i++)
            logits[k * classes + i] = (float)reference_value(s->network, k, s->graph->output)[i];
    return ADMMNN_OK;
}

static admmnn_status shell_step(void *state, const float *params, const engine_batch *batch,
                                engine_result *result, admmnn_error *err) {
    (void)err;
    shell *s = state;
    pass p = {s, batch};
    forward(s, params, batch, true);
    base_pool_run(s->pool, loss_share, &p);
    const double *gradient = reference_backward(s->network, s->params, batch);
    for (size_t i = 0; i < s->graph->flat_count; i++)
        s->gradient[i] = (float)gradient[i];
    *result = (engine_result){.part_count = 1, .parts = s->parts};
    for (unsigned t = 0; t < base_pool_threads(s->pool); t++) {
        result->loss += s->sums[t].loss;
        result->correct += s->sums[t].correct;
    }
    return ADMMNN_OK;
}

/* ---- creation ---- */

static void shell_destroy(void *state) {
    shell *s = state;
    reference_close(s->network);
    base_free(s->params);
    base_free(s->gradient);
    base_free(s->narrow);
    base_free(s->sums);
    base_free(s);
}

/* Of its vectors and values, which are doubles, and of the gradients by them. */
static uint64_t bytes_wanted(const graph *g, const engine_settings *settings, unsigned threads) {
    uint64_t sample = 0;
    for (uint32_t v = 0; v < g->value_count; v++)
        sample += graph_value_varies(g, v) ? graph_value_count(g, v) : 0;
    const uint64_t values = sample * settings->max_batch + g->flat_count;
    if (!settings->training)
        return values * sizeof(double);
    return (2 * sample * settings->max_batch + (1 + (uint64_t)threads) * g->flat_count) *
               sizeof(double) +
           g->flat_count * sizeof(float);
}

static admmnn_status open_shell(shell *s, const engine_settings *settings, admmnn_error *err) {
    const graph *g = s->graph;
    const unsigned threads = base_pool_threads(s->pool);
    BASE_TRY(engine_check_memory(g, settings, bytes_wanted(g, settings, threads), err));
    const size_t inputs = graph_value_count(g, g->input);
    const size_t outputs = graph_value_count(g, g->output);
    s->narrow_count = inputs > outputs ? inputs : outputs;
    s->params = base_array(g->flat_count, sizeof *s->params);
    s->gradient = base_array(settings->training ? g->flat_count : 0, sizeof *s->gradient);
    s->narrow = base_array(s->narrow_count, threads * sizeof *s->narrow);
    s->sums = base_array(threads, sizeof *s->sums);
    s->parts[0] = s->gradient;
    if (s->params == NULL || s->gradient == NULL || s->narrow == NULL || s->sums == NULL)
        return base_fail_memory(err, "the reference back end");
    return reference_open(g, settings->max_batch, settings->training, s->pool, &s->network, err);
}

static admmnn_status shell_create(const graph *g, const engine_settings *settings, base_pool *pool,
                                  void **state, admmnn_error *err) {
    shell *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "the reference back end");
    s->graph = g;
    s->pool = pool;
    admmnn_status status = open_shell(s, settings, err);
    if (status != ADMMNN_OK) {
        shell_destroy(s);
        return status;
    }
    *state = s;
    return ADMMNN_OK;
}

const engine_backend engine_backend_reference = {
    .name = "reference",
    .create = shell_create,
    .destroy = shell_destroy,
    .set_support = NULL,
    .forward = shell_forward,
    .step = shell_step,
};
