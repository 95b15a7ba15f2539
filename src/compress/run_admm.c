/* What ADMM pruning and ADMM quantization share: the problem with one block a
 * layer, x steps as epochs with the penalty, the z and u steps between them and within. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compress/run.h"

const graph_parameter *run_weight(const compress_run *run, uint32_t layer) {
    return &run->g->parameters[run->g->nodes[run->layers[layer].node].weight];
}

static admmnn_status make_block(const compress_run *run, uint32_t layer, float rho,
                                run_set_maker make, admm_block *block, admmnn_error *err) {
    const graph_parameter *weight = run_weight(run, layer);
    *block = (admm_block){.offset = weight->offset, .count = weight->count, .rho = rho};
    snprintf(block->name, sizeof block->name, "%s", run->g->nodes[run->layers[layer].node].name);
    return make(run, layer, &block->set, err);
}

admmnn_status run_admm_problem(compress_run *run, const recipe_admm *a, run_set_maker make,
                               admmnn_error *err) {
    admm_block *blocks = base_array(run->layer_count, sizeof *blocks);
    if (blocks == NULL)
        return base_fail_memory(err, "the ADMM problem");
    admm_free(run->admm);
    run->admm = NULL;
    admmnn_status status = ADMMNN_OK;
    for (uint32_t l = 0; l < run->layer_count && status == ADMMNN_OK; l++)
        status = make_block(run, l, a->rho.first, make, &blocks[l], err);
    if (status == ADMMNN_OK)
        status = admm_create(blocks, run->layer_count, run->g->flat_count, &run->admm, err);
    else
        for (uint32_t l = 0; l < run->layer_count; l++)
            admm_set_free(blocks[l].set);
    base_free(blocks);
    return status;
}

admmnn_status run_admm_start(compress_run *run, const recipe_admm *a, run_set_maker make,
                             admmnn_error *err) {
    BASE_TRY(run_admm_problem(run, a, make, err));
    float *own;
    const float *flat;
    BASE_TRY(run_look_flat(run, &own, &flat, err));
    admmnn_status status = admm_start(run->admm, flat, err);
    base_free(own);
    admm_set_rho(run->admm, &a->rho, 0, NULL);
    return status;
}

/* What an x step is drawn to. */
typedef struct penalty {
    compress_run *run;
    const recipe_admm *a;
    float *anchor;        /* [active_count] z - u; NULL: no ADMM */
    uint8_t *unpenalized; /* [active_count] 1: left out, as z has the weight; NULL: none is */
} penalty;

static bool is_pruning(const compress_run *run, const recipe_admm *a) {
    return a == &run->r->prune.admm;
}

static bool is_on_curvature(const compress_run *run, const recipe_admm *a) {
    return is_pruning(run, a) && run->admm != NULL && run->r->prune.x_step == RECIPE_X_CURVATURE;
}

static bool leaves_kept_out(const compress_run *run, const recipe_admm *a) {
    return is_pruning(run, a) && run->r->prune.penalty == RECIPE_PENALTY_PRUNED;
}

/* As z and u are now. */
static void refresh(const penalty *p) {
    const train_network *n = p->run->network;
    const float *z = admm_z(p->run->admm);
    admm_anchor(p->run->admm, n->support, n->active_count, p->anchor);
    for (size_t i = 0; i < n->active_count && p->unpenalized != NULL; i++)
        p->unpenalized[i] = z[n->support == NULL ? i : n->support[i]] != 0.0F;
}

static void free_penalty(penalty *p) {
    base_free(p->anchor);
    base_free(p->unpenalized);
}

static admmnn_status make_penalty(penalty *p, admmnn_error *err) {
    compress_run *run = p->run;
    const bool unpenalized = leaves_kept_out(run, p->a);
    p->anchor = base_array(run->network->active_count, sizeof *p->anchor);
    p->unpenalized =
        unpenalized ? base_array(run->network->active_count, sizeof *p->unpenalized) : NULL;
    if (p->anchor == NULL || (unpenalized && p->unpenalized == NULL))
        return base_fail_memory(err, "the penalty");
    refresh(p);
    memset(run->rho, 0, run->g->parameter_count * sizeof *run->rho);
    for (uint32_t l = 0; l < run->layer_count; l++)
        run->rho[run->g->nodes[run->layers[l].node].weight] = admm_block_at(run->admm, l)->rho;
    return ADMMNN_OK;
}

/* Pruning has no variants. number: of the iteration's updates, from 1. */
static void set_variant(compress_run *run, const recipe_admm *a, uint32_t number) {
    const recipe_quantize *q = &run->r->quantize;
    if (!is_pruning(run, a))
        admm_set_variant(
            run->admm,
            &(admm_variant){.kind = q->variant,
                            .beta = (float)q->beta,
                            .probability = (float)q->probability,
                            .seed = run->r->seed,
                            .step = (uint64_t)run->at.iteration * a->updates + number - 1});
}

/* Of the iterations, with so many updates of the present one. */
static double share_done(const compress_run *run, const recipe_admm *a, uint32_t number) {
    return (run->at.iteration + (double)number / a->updates) / a->iterations;
}

static admmnn_status step_z_from(compress_run *run, const recipe_admm *a, uint32_t number,
                                 const float *flat, admm_residual *residuals, admmnn_error *err) {
    set_variant(run, a, number);
    if (is_pruning(run, a))
        BASE_TRY(run_prune_renew(run, flat, share_done(run, a, number), err));
    return admm_update(run->admm, flat, residuals, err);
}

admmnn_status run_admm_step_z(compress_run *run, const recipe_admm *a, uint32_t number,
                              admm_residual *residuals, admmnn_error *err) {
    float *own;
    const float *flat;
    char task[96];
    BASE_TRY(run_look_flat(run, &own, &flat, err));
    const admmnn_status status = step_z_from(run, a, number, flat, residuals, err);
    base_free(own);
    if (status != ADMMNN_DIVERGED)
        return status;
    run_task_text(run, task, sizeof task);
    return base_fail_within(err, status, "%s", task);
}

/* How many of an iteration's updates are due after `done` of its steps. */
static uint32_t updates_due(const recipe_admm *a, size_t done, size_t steps) {
    return (uint32_t)((uint64_t)done * a->updates / steps);
}

/* Those within the iteration; its last one comes with its end. */
static admmnn_status step_within(void *user, size_t done, size_t steps, float *params,
                                 admmnn_error *err) {
    (void)params;
    const penalty *p = user;
    const size_t step = (p->run->at.epoch % p->a->epochs) * steps + done;
    const size_t all = p->a->epochs * steps;
    const uint32_t due = updates_due(p->a, step, all);
    if (step == all || due == updates_due(p->a, step - 1, all))
        return ADMMNN_OK;
    BASE_TRY(run_admm_step_z(p->run, p->a, due, NULL, err));
    refresh(p);
    return ADMMNN_OK;
}

/* Residuals on a ramp are of sets that are still too large. */
static bool may_end(const compress_run *run, const recipe_admm *a) {
    const bool on_ramp = is_pruning(run, a) && share_done(run, a, a->updates) < run->r->prune.ramp;
    return a->tolerance > 0 && !on_ramp;
}

static admmnn_status update(compress_run *run, const recipe_admm *a, bool *converged,
                            admmnn_error *err) {
    admm_residual *residuals = base_array(run->layer_count, sizeof *residuals);
    admmnn_status status = residuals == NULL ? base_fail_memory(err, "the residuals")
                                             : run_admm_step_z(run, a, a->updates, residuals, err);
    if (status == ADMMNN_OK) {
        run_log_residuals(run, residuals);
        *converged = may_end(run, a) && admm_converged(run->admm, residuals, a->tolerance);
        if (run->at.iteration + 1 < a->iterations && !is_on_curvature(run, a))
            admm_set_rho(run->admm, &a->rho, run->at.iteration + 1, residuals);
    }
    base_free(residuals);
    return status;
}

static admmnn_status end_iteration(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    bool converged = false;
    char task[96];
    run_task_text(run, task, sizeof task);
    if (run->admm != NULL)
        BASE_TRY(update(run, a, &converged, err));
    if (converged)
        base_log(run->context, ADMMNN_LOG_INFO, "%s: converged after %u of %u iterations", task,
                 run->at.iteration + 1, a->iterations);
    run->at.iteration = converged ? a->iterations : run->at.iteration + 1;
    return ADMMNN_OK;
}

static admmnn_status tick_curvature(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    admmnn_status status = run_curvature_iteration(run, a, err);
    if (status == ADMMNN_OK) {
        run->at.epoch++;
        status = end_iteration(run, a, err);
    }
    run_curvature_free(run);
    return status;
}

/* The controls of ADMM train as long, without a problem; those of quantization with levels
 * in the training itself. */
static admmnn_status tick(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    if (is_on_curvature(run, a))
        return tick_curvature(run, a, err);
    train_hooks hooks = {0};
    run_levels levels = {.run = run};
    penalty pull = {.run = run, .a = a};
    admmnn_status status = ADMMNN_OK;
    if (run->admm != NULL) {
        status = make_penalty(&pull, err);
        hooks.anchor = pull.anchor;
        hooks.unpenalized = pull.unpenalized;
        hooks.rho = run->rho;
        hooks.step_user = &pull;
        hooks.after_step = step_within;
    } else if (run->at.stage == RUN_QUANTIZE_ADMM) {
        run_levels_hooks(&levels, &hooks);
    }
    if (status == ADMMNN_OK)
        status =
            run_epoch(run, &a->training, (run_schedule){0, a->iterations * a->epochs}, &hooks, err);
    free_penalty(&pull);
    BASE_TRY(status);
    run->at.epoch++;
    return run->at.epoch % a->epochs == 0 ? end_iteration(run, a, err) : ADMMNN_OK;
}

admmnn_status run_admm_tick(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    admmnn_status status = tick(run, a, err);
    if (status == ADMMNN_DIVERGED && run->admm != NULL)
        return base_fail_within(err, status, "ADMM iteration %u", run->at.iteration + 1);
    return status;
}
