/* Quantization: bits by hand or by search, ADMM onto the levels, straight-through
 * retraining of what the levels cost. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compress/rank.h"
#include "compress/run.h"

/* Straight-through training refits q by least squares this often, and holds it
 * for the last quarter of the epochs. */
#define REFIT_STEPS 16
#define REFIT_UNTIL 0.75

/* Epochs of a candidate in the search of bits. */
#define TRIAL_EPOCHS 4

static const graph_node *node_of(const compress_run *run, uint32_t layer) {
    return &run->g->nodes[run->layers[layer].node];
}

/* A parameter's range in the active vector. */
typedef struct active_range {
    size_t first, count;
} active_range;

static active_range range_of(const train_network *n, const graph_parameter *p) {
    if (n->support == NULL)
        return (active_range){p->offset, p->count};
    active_range range = {0, 0};
    while (range.first < n->active_count && n->support[range.first] < p->offset)
        range.first++;
    while (range.first + range.count < n->active_count &&
           n->support[range.first + range.count] < p->offset + p->count)
        range.count++;
    return range;
}

/* An interval of 16 bits (bfloat16) costs half the bytes of a float in the file and
 * moves the levels by at most 0.4 %, which training goes on to correct. */
static float short_interval(float q) {
    uint32_t bits;
    memcpy(&bits, &q, sizeof bits);
    bits = (bits + 0x8000U) & 0xffff0000U;
    memcpy(&q, &bits, sizeof q);
    return q;
}

static admmnn_status fit_interval(admm_levels kind, unsigned bits, const float *v, size_t count,
                                  bool full, float *q, admmnn_error *err) {
    if (full || *q == 0.0F)
        BASE_TRY(admm_levels_fit(kind, bits, v, NULL, count, q, NULL, err));
    else
        *q = admm_levels_refit(kind, bits, v, NULL, count, *q);
    *q = short_interval(*q);
    return ADMMNN_OK;
}

static admmnn_status fit_layer(compress_run *run, uint32_t layer, const float *params, bool full,
                               admmnn_error *err) {
    run_layer *l = &run->layers[layer];
    const train_network *n = run->network;
    active_range w = range_of(n, &run->g->parameters[node_of(run, layer)->weight]);
    active_range b = range_of(n, &run->g->parameters[node_of(run, layer)->bias]);
    unsigned bias_bits = run->r->quantize.bias_bits;
    BASE_TRY(fit_interval(run->r->quantize.levels, l->bits, params + w.first, w.count, full,
                          &l->step, err));
    if (bias_bits == 0)
        return ADMMNN_OK;
    return fit_interval(ADMM_LEVELS_EQUAL_ZERO, bias_bits, params + b.first, b.count, full,
                        &l->bias_step, err);
}

static void quantize_range(admm_levels kind, unsigned bits, float q, const float *from,
                           size_t count, float *to) {
    for (size_t i = 0; i < count; i++)
        to[i] = q > 0 ? admm_level_value(kind, q, admm_level_code(kind, bits, q, from[i])) : 0.0F;
}

static void quantize(const compress_run *run, const float *params, float *used) {
    const train_network *n = run->network;
    if (used != params)
        memcpy(used, params, n->active_count * sizeof *used);
    for (uint32_t layer = 0; layer < run->layer_count; layer++) {
        const run_layer *l = &run->layers[layer];
        active_range w = range_of(n, &run->g->parameters[node_of(run, layer)->weight]);
        active_range b = range_of(n, &run->g->parameters[node_of(run, layer)->bias]);
        quantize_range(run->r->quantize.levels, l->bits, l->step, params + w.first, w.count,
                       used + w.first);
        if (run->r->quantize.bias_bits > 0)
            quantize_range(ADMM_LEVELS_EQUAL_ZERO, run->r->quantize.bias_bits, l->bias_step,
                           params + b.first, b.count, used + b.first);
    }
}

static admmnn_status transform(void *user, const train_network *network, uint64_t step, double done,
                               float *used, admmnn_error *err) {
    compress_run *run = user;
    if (step % REFIT_STEPS == 0 && done < REFIT_UNTIL)
        for (uint32_t l = 0; l < run->layer_count; l++)
            BASE_TRY(fit_layer(run, l, network->params, false, err));
    quantize(run, network->params, used);
    return ADMMNN_OK;
}

static admmnn_status fit_all(compress_run *run, admmnn_error *err) {
    for (uint32_t l = 0; l < run->layer_count; l++)
        BASE_TRY(fit_layer(run, l, run->network->params, true, err));
    return ADMMNN_OK;
}

admmnn_status run_validate_quantized(compress_run *run, train_score *score, admmnn_error *err) {
    float *used = base_array(run->network->active_count, sizeof *used);
    if (used == NULL)
        return base_fail_memory(err, "the quantized weights");
    quantize(run, run->network->params, used);
    admmnn_status status = run_validate(run, used, score, err);
    base_free(used);
    return status;
}

static unsigned given_bits(const compress_run *run, uint32_t layer) {
    const recipe_quantize *q = &run->r->quantize;
    for (size_t i = 0; i < q->bits_count; i++)
        if (strcmp(q->bits[i].layer, node_of(run, layer)->name) == 0)
            return q->bits[i].bits;
    return q->max_bits;
}

static admmnn_status begin_admm(compress_run *run, admmnn_error *err) {
    BASE_TRY(run_begin(run, RUN_QUANTIZE_ADMM, err));
    if (run->r->quantize.admm.iterations == 0)
        return ADMMNN_OK;
    BASE_TRY(run_quantize_problem(run, err));
    float *flat = base_array(run->g->flat_count, sizeof *flat);
    if (flat == NULL)
        return base_fail_memory(err, "the parameters");
    train_network_expand(run->network, run->network->params, flat);
    admmnn_status status = admm_start(run->admm, flat, err);
    base_free(flat);
    admm_set_rho(run->admm, &run->r->quantize.admm.rho, 0, NULL);
    return status;
}

admmnn_status run_begin_quantize(compress_run *run, admmnn_error *err) {
    const recipe_quantize *q = &run->r->quantize;
    if (!q->enabled)
        return run_begin(run, RUN_DONE, err);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        run->layers[l].bits = given_bits(run, l);
        run->layers[l].fixed_bits = q->bits_count > 0;
    }
    BASE_TRY(fit_all(run, err));
    if (q->bits_count == 0)
        return run_begin(run, RUN_BITS, err);
    return begin_admm(run, err);
}

admmnn_status run_quantize_problem(compress_run *run, admmnn_error *err) {
    admm_block *blocks = base_array(run->layer_count, sizeof *blocks);
    if (blocks == NULL)
        return base_fail_memory(err, "the ADMM problem");
    admmnn_status status = ADMMNN_OK;
    uint32_t made = 0;
    for (; made < run->layer_count && status == ADMMNN_OK; made++) {
        const graph_parameter *weight = &run->g->parameters[node_of(run, made)->weight];
        blocks[made] = (admm_block){.offset = weight->offset,
                                    .count = weight->count,
                                    .rho = run->r->quantize.admm.rho.first};
        snprintf(blocks[made].name, sizeof blocks[made].name, "%s", node_of(run, made)->name);
        status = admm_set_levels(run->r->quantize.levels, run->layers[made].bits,
                                 run->sparse ? run->mask + weight->offset : NULL, weight->count,
                                 &blocks[made].set, err);
    }
    admm_free(run->admm);
    run->admm = NULL;
    if (status == ADMMNN_OK)
        status = admm_create(blocks, run->layer_count, run->g->flat_count, &run->admm, err);
    else
        for (uint32_t l = 0; l + 1 < made; l++)
            admm_set_free(blocks[l].set);
    base_free(blocks);
    return status;
}

/* ---- the search of bits: from the last layer's largest saving down, one bit
 * less at a time, kept while a short retraining holds the validation accuracy ---- */

/* The layer with most bits to save that is still open; layer_count when none. */
static uint32_t next_candidate(const compress_run *run) {
    uint32_t best = run->layer_count;
    size_t best_kept = 0;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        size_t kept = rank_kept(run->g, run->layers[l].node, run->mask);
        if (run->layers[l].fixed_bits || kept <= best_kept)
            continue;
        best = l;
        best_kept = kept;
    }
    return best;
}

static admmnn_status try_bits(compress_run *run, const float *start, train_score *score,
                              admmnn_error *err) {
    train_network *n = run->network;
    memcpy(n->params, start, n->active_count * sizeof *start);
    BASE_TRY(fit_all(run, err));
    BASE_TRY(run_begin(run, RUN_BITS, err));
    train_hooks hooks = {.user = run, .transform = transform};
    for (uint32_t epoch = 0; epoch < TRIAL_EPOCHS; epoch++) {
        run->at.epoch = epoch;
        BASE_TRY(run_epoch(run, &run->r->quantize.retrain, TRIAL_EPOCHS, &hooks, err));
    }
    return run_validate_quantized(run, score, err);
}

/* One candidate a tick: a checkpoint lies between any two. */
admmnn_status run_tick_bits(compress_run *run, admmnn_error *err) {
    uint32_t layer = next_candidate(run);
    if (layer == run->layer_count)
        return begin_admm(run, err);
    const unsigned least = run->r->quantize.levels == ADMM_LEVELS_EQUAL_ZERO ? 2 : 1;
    if (run->layers[layer].bits <= least) {
        run->layers[layer].fixed_bits = true;
        return ADMMNN_OK;
    }
    size_t bytes = run->network->active_count;
    float *start = base_array_copy(run->network->params, bytes, sizeof *start);
    if (start == NULL)
        return base_fail_memory(err, "the search of bits");
    run->layers[layer].bits--;
    train_score score = {0};
    admmnn_status status = try_bits(run, start, &score, err);
    memcpy(run->network->params, start, bytes * sizeof *start);
    base_free(start);
    BASE_TRY(status);
    if (score.accuracy < run->scores.pruned - run->r->quantize.max_loss) {
        run->layers[layer].bits++;
        run->layers[layer].fixed_bits = true;
    }
    run_log_event(run, "bits tried", &score);
    run_log_layers(run);
    return run_begin(run, RUN_BITS, err);
}

/* ---- ADMM ---- */

static admmnn_status begin_training(compress_run *run, admmnn_error *err) {
    admm_free(run->admm);
    run->admm = NULL;
    BASE_TRY(fit_all(run, err));
    train_score score;
    BASE_TRY(run_validate_quantized(run, &score, err));
    run->scores.quantized_projection = score.accuracy;
    run_log_event(run, "after projection to levels", &score);
    return run_begin(run, RUN_QUANTIZE_TRAIN, err);
}

static admmnn_status admm_epoch(compress_run *run, admmnn_error *err) {
    const recipe_admm *a = &run->r->quantize.admm;
    float *flat = base_array(run->g->flat_count, sizeof *flat);
    if (flat == NULL)
        return base_fail_memory(err, "the penalty");
    admm_anchor(run->admm, flat);
    train_network_compact(run->network, flat, run->anchor);
    base_free(flat);
    memset(run->rho, 0, run->g->parameter_count * sizeof *run->rho);
    for (uint32_t l = 0; l < run->layer_count; l++)
        run->rho[node_of(run, l)->weight] = admm_block_at(run->admm, l)->rho;
    train_hooks hooks = {.anchor = run->anchor, .rho = run->rho};
    return run_epoch(run, &a->training, a->iterations * a->epochs, &hooks, err);
}

admmnn_status run_tick_quantize_admm(compress_run *run, admmnn_error *err) {
    const recipe_admm *a = &run->r->quantize.admm;
    if (run->at.iteration >= a->iterations)
        return begin_training(run, err);
    BASE_TRY(admm_epoch(run, err));
    run->at.epoch++;
    if (run->at.epoch % a->epochs != 0)
        return ADMMNN_OK;
    float *flat = base_array(run->g->flat_count, sizeof *flat);
    admm_residual *residuals = base_array(run->layer_count, sizeof *residuals);
    admmnn_status status = ADMMNN_OK;
    if (flat == NULL || residuals == NULL)
        status = base_fail_memory(err, "the residuals");
    if (status == ADMMNN_OK) {
        train_network_expand(run->network, run->network->params, flat);
        status = admm_update(run->admm, flat, residuals, err);
    }
    if (status == ADMMNN_OK)
        run_log_residuals(run, residuals);
    run->at.iteration++;
    if (status == ADMMNN_OK) {
        if (a->tolerance > 0 && admm_converged(run->admm, residuals, a->tolerance))
            run->at.iteration = a->iterations;
        else if (run->at.iteration < a->iterations)
            admm_set_rho(run->admm, &a->rho, run->at.iteration, residuals);
    }
    base_free(flat);
    base_free(residuals);
    return status;
}

/* ---- straight-through training ---- */

admmnn_status run_tick_quantize_train(compress_run *run, admmnn_error *err) {
    const recipe_training *training = &run->r->quantize.retrain;
    if (run->at.epoch < training->epochs) {
        train_hooks hooks = {.user = run, .transform = transform};
        BASE_TRY(run_epoch(run, training, training->epochs, &hooks, err));
        run->at.epoch++;
        return ADMMNN_OK;
    }
    train_score score;
    BASE_TRY(run_validate_quantized(run, &score, err));
    run->scores.quantized = score.accuracy;
    run_log_event(run, "quantized", &score);
    quantize(run, run->network->params, run->network->params);
    return run_begin(run, RUN_DONE, err);
}
