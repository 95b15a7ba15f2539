/* ADMM pruning on a second-order model of the loss: the x step is exact there and takes no data,
 * so that one epoch is enough for many iterations (train/curvature.h). */
#include <string.h>

#include "base/memory.h"
#include "compress/run.h"

void run_curvature_free(compress_run *run) {
    train_curvature_free(run->curvature);
    run->curvature = NULL;
}

/* ---- the curvature ---- */

typedef struct measuring {
    compress_run *run;
    float *active; /* [active_count] a batch's gradient */
    float *flat;   /* [flat_count] the same; NULL: active is flat */
} measuring;

static admmnn_status add_gradient(void *user, const engine_result *result, admmnn_error *err) {
    const measuring *m = user;
    const train_network *n = m->run->network;
    memset(m->active, 0, n->active_count * sizeof *m->active);
    for (uint32_t p = 0; p < result->part_count; p++)
        for (size_t i = 0; i < n->active_count; i++)
            m->active[i] += result->parts[p][i];
    if (m->flat != NULL)
        train_network_expand(n, m->active, m->flat);
    return train_curvature_add(m->run->curvature, m->flat != NULL ? m->flat : m->active, err);
}

static admmnn_status take_gradients(measuring *m, const recipe_admm *a, admmnn_error *err) {
    compress_run *run = m->run;
    const train_network *n = run->network;
    const bool sparse = n->support != NULL;
    m->active = base_array(n->active_count, sizeof *m->active);
    m->flat = sparse ? base_array(run->g->flat_count, sizeof *m->flat) : NULL;
    if (m->active == NULL || (sparse && m->flat == NULL))
        return base_fail_memory(err, "the curvature");
    const train_hooks hooks = {.step_user = m, .measure = add_gradient};
    return run_measure(run, &a->training, &hooks, err);
}

static admmnn_status settle(compress_run *run, admmnn_error *err) {
    float *own;
    const float *flat;
    BASE_TRY(run_look_flat(run, &own, &flat, err));
    const admmnn_status status = train_curvature_settle(run->curvature, flat, err);
    base_free(own);
    return status;
}

static admmnn_status measure(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    measuring m = {.run = run};
    BASE_TRY(train_curvature_create(run->g, run->pool, &run->curvature, err));
    const admmnn_status status = take_gradients(&m, a, err);
    base_free(m.active);
    base_free(m.flat);
    return status == ADMMNN_OK ? settle(run, err) : status;
}

/* ---- ADMM on it ---- */

typedef struct solving {
    compress_run *run;
    const recipe_admm *a;
    float *anchor, *x;        /* [flat_count] */
    float *rho;               /* [layer_count] */
    admm_residual *residuals; /* [layer_count] */
} solving;

static void solving_free(solving *s) {
    base_free(s->anchor);
    base_free(s->x);
    base_free(s->rho);
    base_free(s->residuals);
}

static admmnn_status solving_make(solving *s, admmnn_error *err) {
    const compress_run *run = s->run;
    s->anchor = base_array(run->g->flat_count, sizeof *s->anchor);
    s->x = base_array(run->g->flat_count, sizeof *s->x);
    s->rho = base_array(run->layer_count, sizeof *s->rho);
    s->residuals = base_array(run->layer_count, sizeof *s->residuals);
    if (s->anchor == NULL || s->x == NULL || s->rho == NULL || s->residuals == NULL)
        return base_fail_memory(err, "ADMM on the curvature");
    train_network_expand(run->network, run->network->params, s->x);
    return ADMMNN_OK;
}

/* Z as the curvature weighs the layers, which was not known when the round began. */
static admmnn_status begin(const solving *s, admmnn_error *err) {
    BASE_TRY(run_prune_renew(s->run, s->x, 0, err));
    return admm_start(s->run->admm, s->x, err);
}

/* What earlier rounds have pruned stays so. */
static void keep_pruned(const compress_run *run, float *x) {
    for (size_t i = 0; run->sparse && i < run->g->flat_count; i++)
        if (run->mask[i] == 0)
            x[i] = 0.0F;
}

static admmnn_status step_x(const solving *s, admmnn_error *err) {
    compress_run *run = s->run;
    for (uint32_t l = 0; l < run->layer_count; l++)
        s->rho[l] = admm_block_at(run->admm, l)->rho;
    admm_anchor(run->admm, NULL, run->g->flat_count, s->anchor);
    BASE_TRY(train_curvature_step(run->curvature, s->rho, s->anchor, s->x, err));
    keep_pruned(run, s->x);
    train_network_compact(run->network, s->x, run->network->params);
    return ADMMNN_OK;
}

static admmnn_status report(const solving *s, uint32_t number, admmnn_error *err) {
    const compress_run *run = s->run;
    char task[96];
    double from;
    double each;
    run_task_text(run, task, sizeof task);
    run_progress(run, &from, &each);
    const admmnn_progress progress = {.task = task,
                                      .unit = "updates",
                                      .done = number,
                                      .total = s->a->updates,
                                      .run_done = from + each,
                                      .note = run->note};
    base_progress(run->context, &progress);
    if (base_cancelled(run->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request during %s", task);
    return ADMMNN_OK;
}

static admmnn_status solve(const solving *s, admmnn_error *err) {
    compress_run *run = s->run;
    const uint32_t before = run->at.iteration * s->a->updates;
    if (run->at.iteration == 0)
        BASE_TRY(begin(s, err));
    for (uint32_t number = 1; number <= s->a->updates; number++) {
        BASE_TRY(report(s, number - 1, err));
        admm_set_rho(run->admm, &s->a->rho, before + number - 1, number > 1 ? s->residuals : NULL);
        BASE_TRY(step_x(s, err));
        if (number < s->a->updates)
            BASE_TRY(run_admm_step_z(run, s->a, number, s->residuals, err));
    }
    return ADMMNN_OK;
}

admmnn_status run_curvature_iteration(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    solving s = {.run = run, .a = a};
    BASE_TRY(measure(run, a, err));
    const double start = base_seconds();
    admmnn_status status = solving_make(&s, err);
    if (status == ADMMNN_OK)
        status = solve(&s, err);
    solving_free(&s);
    run->stage_seconds[run->at.stage] += base_seconds() - start;
    return status;
}
