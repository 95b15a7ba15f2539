/* What ADMM pruning and ADMM quantization share: the problem with one block a
 * layer, the x step as an epoch with the penalty, the z and u steps after it. */
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

/* z - u in the active form; the caller's. */
static admmnn_status make_penalty(compress_run *run, float **anchor, admmnn_error *err) {
    const train_network *n = run->network;
    *anchor = base_array(n->active_count, sizeof **anchor);
    if (*anchor == NULL)
        return base_fail_memory(err, "the penalty");
    admm_anchor(run->admm, n->support, n->active_count, *anchor);
    memset(run->rho, 0, run->g->parameter_count * sizeof *run->rho);
    for (uint32_t l = 0; l < run->layer_count; l++)
        run->rho[run->g->nodes[run->layers[l].node].weight] = admm_block_at(run->admm, l)->rho;
    return ADMMNN_OK;
}

/* Pruning has no variants. */
static void set_variant(compress_run *run, const recipe_admm *a) {
    const recipe_quantize *q = &run->r->quantize;
    if (a == &q->admm)
        admm_set_variant(run->admm, &(admm_variant){.kind = q->variant,
                                                    .beta = (float)q->beta,
                                                    .probability = (float)q->probability,
                                                    .seed = run->r->seed,
                                                    .step = run->at.iteration});
}

static admmnn_status update(compress_run *run, const recipe_admm *a, bool *converged,
                            admmnn_error *err) {
    float *own;
    const float *flat;
    BASE_TRY(run_look_flat(run, &own, &flat, err));
    set_variant(run, a);
    admm_residual *residuals = base_array(run->layer_count, sizeof *residuals);
    admmnn_status status = residuals == NULL ? base_fail_memory(err, "the residuals")
                                             : admm_update(run->admm, flat, residuals, err);
    if (status == ADMMNN_OK) {
        run_log_residuals(run, residuals);
        *converged = a->tolerance > 0 && admm_converged(run->admm, residuals, a->tolerance);
        if (run->at.iteration + 1 < a->iterations)
            admm_set_rho(run->admm, &a->rho, run->at.iteration + 1, residuals);
    }
    base_free(residuals);
    base_free(own);
    return status;
}

static admmnn_status end_iteration(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    bool converged = false;
    char task[96];
    run_task_text(run, task, sizeof task);
    admmnn_status status = run->admm == NULL ? ADMMNN_OK : update(run, a, &converged, err);
    if (status == ADMMNN_DIVERGED)
        return base_fail_within(err, status, "%s", task);
    BASE_TRY(status);
    if (converged)
        base_log(run->context, ADMMNN_LOG_INFO, "%s: converged after %u of %u iterations", task,
                 run->at.iteration + 1, a->iterations);
    run->at.iteration = converged ? a->iterations : run->at.iteration + 1;
    return ADMMNN_OK;
}

/* The controls of ADMM train as long, without a problem; those of quantization with levels
 * in the training itself. */
static admmnn_status tick(compress_run *run, const recipe_admm *a, admmnn_error *err) {
    train_hooks hooks = {0};
    run_levels levels = {.run = run};
    float *anchor = NULL;
    if (run->admm != NULL) {
        BASE_TRY(make_penalty(run, &anchor, err));
        hooks.anchor = anchor;
        hooks.rho = run->rho;
    } else if (run->at.stage == RUN_QUANTIZE_ADMM) {
        run_levels_hooks(&levels, &hooks);
    }
    const admmnn_status status =
        run_epoch(run, &a->training, (run_schedule){0, a->iterations * a->epochs}, &hooks, err);
    base_free(anchor);
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
