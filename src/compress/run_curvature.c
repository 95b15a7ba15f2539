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
    train_curvature *curvature;
    float *gradient; /* [flat_count] a batch's */
    size_t count;
} measuring;

static admmnn_status add_gradient(void *user, const engine_result *result, admmnn_error *err) {
    const measuring *m = user;
    memset(m->gradient, 0, m->count * sizeof *m->gradient);
    for (uint32_t p = 0; p < result->part_count; p++)
        for (size_t i = 0; i < m->count; i++)
            m->gradient[i] += result->parts[p][i];
    return train_curvature_add(m->curvature, m->gradient, err);
}

static admmnn_status take_gradients(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    measuring m = {.curvature = run->curvature,
                   .gradient = base_array(run->g->flat_count, sizeof *m.gradient),
                   .count = run->g->flat_count};
    if (m.gradient == NULL)
        return base_fail_memory(err, "the curvature");
    const train_hooks hooks = {.step_user = &m, .measure = add_gradient};
    admmnn_status status = run_measure(run, &a->training, &hooks, err);
    if (status == ADMMNN_OK)
        status = train_curvature_settle(run->curvature, run->network->params, err);
    base_free(m.gradient);
    return status;
}

/* On all weights: gradients by those alone that are left have nothing of a product of Kronecker's.
 */
static admmnn_status measure(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    BASE_TRY(train_curvature_create(run->g, run->pool, &run->curvature, err));
    if (!run->sparse)
        return take_gradients(run, a, err);
    BASE_TRY(train_network_restrict(run->network, NULL, err));
    const admmnn_status status = take_gradients(run, a, err);
    const admmnn_status back = train_network_restrict(run->network, run->mask, err);
    return status != ADMMNN_OK ? status : back;
}

/* ---- ADMM on it ---- */

typedef struct solving {
    compress_run *run;
    const recipe_admm *a;
    float *anchor, *x;        /* [flat_count] */
    float *gone;              /* [flat_count] U where earlier rounds have pruned, from 0 in each
                                 iteration, as no checkpoint has it; NULL: nowhere */
    float *rho;               /* [layer_count] of the x step before */
    admm_residual *residuals; /* [layer_count] */
} solving;

static void solving_free(solving *s) {
    base_free(s->anchor);
    base_free(s->x);
    base_free(s->gone);
    base_free(s->rho);
    base_free(s->residuals);
}

static admmnn_status solving_make(solving *s, admmnn_error *err) {
    const compress_run *run = s->run;
    s->anchor = base_array(run->g->flat_count, sizeof *s->anchor);
    s->x = base_array(run->g->flat_count, sizeof *s->x);
    s->rho = base_array(run->layer_count, sizeof *s->rho);
    s->residuals = base_array(run->layer_count, sizeof *s->residuals);
    s->gone = run->sparse ? base_array(run->g->flat_count, sizeof *s->gone) : NULL;
    if (s->anchor == NULL || s->x == NULL || s->rho == NULL || s->residuals == NULL ||
        (run->sparse && s->gone == NULL))
        return base_fail_memory(err, "ADMM on the curvature");
    train_network_expand(run->network, run->network->params, s->x);
    return ADMMNN_OK;
}

/* Z as the curvature weighs the layers, which was not known when the round began. */
static admmnn_status begin(const solving *s, admmnn_error *err) {
    BASE_TRY(run_prune_renew(s->run, s->x, 0, err));
    return admm_start(s->run->admm, s->x, err);
}

static void rescale_gone(const solving *s, uint32_t layer, float by) {
    const graph_parameter *weight = run_weight(s->run, layer);
    for (size_t i = weight->offset; i < weight->offset + weight->count; i++)
        s->gone[i] *= by;
}

static void renew_rho(const solving *s) {
    for (uint32_t l = 0; l < s->run->layer_count; l++) {
        const float rho = admm_block_at(s->run->admm, l)->rho;
        if (s->gone != NULL && s->rho[l] > 0.0F)
            rescale_gone(s, l, s->rho[l] / rho);
        s->rho[l] = rho;
    }
}

/* What earlier rounds have pruned the set lacks: Z is 0 there, which the network's problem, with
 * zeros for W, does not see. */
static void anchor_gone(const solving *s) {
    for (size_t i = 0; s->gone != NULL && i < s->run->g->flat_count; i++)
        if (s->run->mask[i] == 0)
            s->anchor[i] = -s->gone[i];
}

static void take_gone(const solving *s) {
    for (size_t i = 0; s->gone != NULL && i < s->run->g->flat_count; i++)
        if (s->run->mask[i] == 0) {
            s->gone[i] += s->x[i];
            s->x[i] = 0.0F;
        }
}

static admmnn_status step_x(const solving *s, admmnn_error *err) {
    compress_run *run = s->run;
    renew_rho(s);
    admm_anchor(run->admm, NULL, run->g->flat_count, s->anchor);
    anchor_gone(s);
    BASE_TRY(train_curvature_step(run->curvature, s->rho, s->anchor, s->x, err));
    take_gone(s);
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
