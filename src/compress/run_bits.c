/* The search of bits: from the largest layer down, one bit less at a time, kept
 * while a short retraining holds the validation accuracy. */
#include <string.h>

#include "base/memory.h"
#include "compress/rank.h"
#include "compress/run.h"

/* Of a candidate. */
#define TRIAL_EPOCHS 4

static unsigned least_bits(const compress_run *run) {
    return recipe_least_bits(run->r->quantize.levels);
}

double run_bits_epochs(const compress_run *run) {
    const recipe_quantize *q = &run->r->quantize;
    if (!recipe_bits_searched(q))
        return 0;
    return (double)TRIAL_EPOCHS * run->layer_count * (q->max_bits - least_bits(run));
}

/* A layer's search that ended early counts as done to its least bits, so that what is
 * done only grows. A candidate on trial has its bits already. */
double run_bits_done(const compress_run *run) {
    double candidates = -1;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const run_layer *layer = &run->layers[l];
        candidates +=
            run->r->quantize.max_bits - (layer->fixed_bits ? least_bits(run) : layer->bits);
    }
    return candidates * TRIAL_EPOCHS + run->at.epoch;
}

/* The layer with most weights that is still open; layer_count when none. */
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
    BASE_TRY(run_fit_weights(run, err));
    BASE_TRY(run_begin(run, RUN_BITS, err));
    for (uint32_t epoch = 0; epoch < TRIAL_EPOCHS; epoch++) {
        run->at.epoch = epoch;
        BASE_TRY(run_train_unfixed(run, TRIAL_EPOCHS, err));
    }
    return run_validate_quantized(run, score, err);
}

/* A trial that diverges has too few bits, and that is all: then score is NULL. */
static void judge(compress_run *run, uint32_t layer, const train_score *score) {
    bool holds = score != NULL && score->accuracy >= run->scores.pruned - run->r->quantize.max_loss;
    run_log_trial(run, layer, score, holds);
    if (holds)
        return;
    run->layers[layer].bits++;
    run->layers[layer].fixed_bits = true;
}

/* One candidate a tick: a checkpoint lies between any two. */
admmnn_status run_tick_bits(compress_run *run, admmnn_error *err) {
    uint32_t layer = next_candidate(run);
    if (layer == run->layer_count)
        return run_begin_quantize_admm(run, err);
    if (run->layers[layer].bits <= least_bits(run)) {
        run->layers[layer].fixed_bits = true;
        return ADMMNN_OK;
    }
    const size_t count = run->network->active_count;
    float *start = base_array_copy(run->network->params, count, sizeof *start);
    if (start == NULL)
        return base_fail_memory(err, "the search of bits");
    run->layers[layer].bits--;
    train_score score = {0};
    admmnn_error reason = {0};
    admmnn_status status = try_bits(run, start, &score, &reason);
    memcpy(run->network->params, start, count * sizeof *start);
    base_free(run->fixed);
    run->fixed = NULL;
    base_free(start);
    if (status != ADMMNN_OK && status != ADMMNN_DIVERGED)
        return base_fail(err, status, "%s", reason.message);
    judge(run, layer, status == ADMMNN_DIVERGED ? NULL : &score);
    return run_begin(run, RUN_BITS, err);
}
