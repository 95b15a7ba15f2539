/* Progressive pruning: each round lowers the number of weights by ADMM (or one
 * of its controls), prunes hard, removes dead structure and retrains. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "compress/rank.h"
#include "compress/run.h"

static size_t layer_weights(const compress_run *run, uint32_t layer) {
    return run_weight(run, layer)->count;
}

static double final_share(const compress_run *run, uint32_t layer) {
    const recipe_prune *p = &run->r->prune;
    for (size_t i = 0; i < p->keep_count; i++)
        if (run_is_layer(run, layer, p->keep[i].layer))
            return p->keep[i].keep;
    /* The last layer's filters are the network's outputs. */
    if (p->set == RECIPE_SET_FILTERS && layer + 1 == run->layer_count)
        return 1.0;
    return 1.0 / p->rounds[p->round_count - 1];
}

double run_ratio_on_ramp(double from, double to, double left) {
    return 1 / (1 / to + (1 / from - 1 / to) * left * left * left);
}

/* Weights / kept weights when `done` of the round's iterations are (0..1). Without a ramp the
 * round's ratio. */
static double ratio_at(const compress_run *run, double done) {
    const recipe_prune *p = &run->r->prune;
    const double to = p->rounds[run->at.round];
    const double from = run->at.round == 0 ? 1 : p->rounds[run->at.round - 1];
    if (done >= p->ramp)
        return to;
    return done == 0 ? from : run_ratio_on_ramp(from, to, 1 - done / p->ramp);
}

/* Given shares are reached along the ratios' geometric path. */
static void targets_by_share(compress_run *run, double ratio) {
    const recipe_prune *p = &run->r->prune;
    double path = log(ratio) / log(p->rounds[p->round_count - 1]);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        double kept = (double)layer_weights(run, l) * pow(final_share(run, l), path);
        run->layers[l].target = kept < 1 ? 1 : (size_t)(kept + 0.5);
    }
}

static admmnn_status rank_weights(const compress_run *run, const float *flat, double ratio,
                                  size_t *counts, admmnn_error *err) {
    const recipe_prune *p = &run->r->prune;
    bool magnitude = p->method != RECIPE_PRUNE_ADMM;
    bool second = !magnitude && run->curvature == NULL;
    double cost[RECIPE_LAYERS_MAX];
    for (uint32_t l = 0; l < run->layer_count && l < RECIPE_LAYERS_MAX; l++) {
        cost[l] = !magnitude && l < p->bit_cost_count && p->bit_cost[l] > 0 ? p->bit_cost[l] : 1.0;
        if (run->curvature != NULL)
            cost[l] /= train_curvature_mean(run->curvature, l);
    }
    size_t total = (size_t)((double)graph_weight_count(run->g) / ratio);
    return rank_global(run->g, flat, run->mask, second ? run->importance : NULL, cost, total,
                       counts, err);
}

static admmnn_status targets_by_rank(compress_run *run, const float *flat, double ratio,
                                     admmnn_error *err) {
    size_t *counts = base_array(run->layer_count, sizeof *counts);
    admmnn_status status = counts == NULL ? base_fail_memory(err, "the weights' rank")
                                          : rank_weights(run, flat, ratio, counts, err);
    for (uint32_t l = 0; status == ADMMNN_OK && l < run->layer_count; l++)
        run->layers[l].target = counts[l];
    base_free(counts);
    return status;
}

static admm_shape shape_of(const compress_run *run, uint32_t layer) {
    const graph_node *node = &run->g->nodes[run->layers[layer].node];
    const graph_parameter *weight = run_weight(run, layer);
    const graph_window *w = graph_node_window(node);
    size_t taps = w == NULL ? 1 : (size_t)w->kernel[0] * w->kernel[1];
    return (admm_shape){.rows = weight->rows, .inputs = weight->columns / taps, .taps = taps};
}

static size_t share_of(size_t groups, double share) {
    double kept = (double)groups * share;
    return kept < 1 ? 1 : (size_t)(kept + 0.5);
}

/* A matmul's weight has a row for each input and a column for each output. */
static admmnn_status make_structured(const compress_run *run, uint32_t layer, admm_shape shape,
                                     double share, admm_set **set, admmnn_error *err) {
    const bool turned = run->g->nodes[run->layers[layer].node].op == GRAPH_MATMUL;
    const bool filters = run->r->prune.set == RECIPE_SET_FILTERS;
    if (filters != turned)
        return admm_set_filters(shape, share_of(shape.rows, share), set, err);
    return admm_set_channels(shape, share_of(shape.inputs, share), set, err);
}

static admmnn_status make_set(const compress_run *run, uint32_t layer, admm_set **set,
                              admmnn_error *err) {
    const recipe_prune *p = &run->r->prune;
    admm_shape shape = shape_of(run, layer);
    size_t columns = shape.inputs * shape.taps;
    double share = (double)run->layers[layer].target / (double)layer_weights(run, layer);
    switch (p->set) {
    case RECIPE_SET_FILTERS:
    case RECIPE_SET_CHANNELS:
        return make_structured(run, layer, shape, share, set, err);
    case RECIPE_SET_COLUMNS:
        return admm_set_columns(shape, share_of(columns, share), set, err);
    case RECIPE_SET_BLOCKS: {
        size_t down = (shape.rows + p->block_rows - 1) / p->block_rows;
        size_t across = (columns + p->block_columns - 1) / p->block_columns;
        return admm_set_blocks(shape, p->block_rows, p->block_columns,
                               share_of(down * across, share), set, err);
    }
    case RECIPE_SET_N_OF_M:
        return admm_set_n_of_m(shape, p->n, p->m, set, err);
    default:
        return admm_set_sparse(layer_weights(run, layer), run->layers[layer].target, set, err);
    }
}

admmnn_status run_prune_problem(compress_run *run, admmnn_error *err) {
    return run_admm_problem(run, &run->r->prune.admm, make_set, err);
}

/* Of the weights of W + U. */
static admmnn_status renew_by_rank(compress_run *run, const float *flat, double ratio,
                                   admmnn_error *err) {
    const float *u = admm_u(run->admm);
    float *sum = base_array(run->g->flat_count, sizeof *sum);
    if (sum == NULL)
        return base_fail_memory(err, "the weights' rank");
    for (size_t i = 0; i < run->g->flat_count; i++)
        sum[i] = flat[i] + u[i];
    const admmnn_status status = targets_by_rank(run, sum, ratio, err);
    base_free(sum);
    return status;
}

admmnn_status run_prune_renew(compress_run *run, const float *flat, double done,
                              admmnn_error *err) {
    const bool global = run->r->prune.scope == RECIPE_SCOPE_GLOBAL;
    const bool weighed = run->curvature != NULL && global;
    if (run->r->prune.ramp == 0 && !weighed)
        return ADMMNN_OK;
    if (global)
        BASE_TRY(renew_by_rank(run, flat, ratio_at(run, done), err));
    else
        targets_by_share(run, ratio_at(run, done));
    for (uint32_t l = 0; l < run->layer_count; l++) {
        admm_set *set;
        BASE_TRY(make_set(run, l, &set, err));
        admm_block_replace_set(run->admm, l, set);
    }
    return ADMMNN_OK;
}

static admmnn_status begin_by_rank(compress_run *run, double ratio, admmnn_error *err) {
    float *own;
    const float *flat;
    BASE_TRY(run_look_flat(run, &own, &flat, err));
    const admmnn_status status = targets_by_rank(run, flat, ratio, err);
    base_free(own);
    return status;
}

admmnn_status run_begin_round(compress_run *run, admmnn_error *err) {
    const recipe_prune *p = &run->r->prune;
    if (p->scope == RECIPE_SCOPE_GLOBAL)
        BASE_TRY(begin_by_rank(run, ratio_at(run, 0), err));
    else
        targets_by_share(run, ratio_at(run, 0));
    BASE_TRY(run_begin(run, RUN_PRUNE_ADMM, err));
    if (p->method == RECIPE_PRUNE_ADMM)
        return run_admm_start(run, &p->admm, make_set, err);
    return ADMMNN_OK;
}

/* The random control: what the set keeps of noise in the place of the weights. */
static admmnn_status project_noise(const compress_run *run, admm_set *set, uint32_t layer,
                                   float *weights, admmnn_error *err) {
    const graph_parameter *weight = run_weight(run, layer);
    float *noise = base_array(weight->count, sizeof *noise);
    if (noise == NULL)
        return base_fail_memory(err, "the random choice");
    base_random random = base_random_at(run->r->seed, 0x72616e64U + layer, run->at.round);
    for (size_t i = 0; i < weight->count; i++) {
        float drawn = base_random_uniform(&random);
        noise[i] = run->mask[weight->offset + i] != 0 ? 1.0F - drawn : 0.0F;
    }
    admmnn_status status = admm_set_project(set, noise, noise, weight->count, err);
    for (size_t i = 0; i < weight->count && status == ADMMNN_OK; i++)
        if (noise[i] == 0.0F)
            weights[i] = 0.0F;
    base_free(noise);
    return status;
}

static admmnn_status project(compress_run *run, float *flat, admmnn_error *err) {
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_parameter *weight = run_weight(run, l);
        float *weights = flat + weight->offset;
        admm_set *set;
        BASE_TRY(make_set(run, l, &set, err));
        admmnn_status status = run->r->prune.method == RECIPE_PRUNE_RANDOM
                                   ? project_noise(run, set, l, weights, err)
                                   : admm_set_project(set, weights, weights, weight->count, err);
        admm_set_free(set);
        BASE_TRY(status);
    }
    return ADMMNN_OK;
}

/* A filter that a set took out is to be gone, and the retraining makes up for what the
 * borders of its constant were. */
static shrink_care care_of(const compress_run *run) {
    return run->r->prune.set == RECIPE_SET_FILTERS ? SHRINK_BORDERS : SHRINK_EXACT;
}

/* The hard projection, with the accuracy before and after it. */
static admmnn_status prune_hard(compress_run *run, admmnn_error *err) {
    train_score score;
    BASE_TRY(run_validate(run, run->network->params, &score, err));
    run->scores.before_projection = score.accuracy;
    run_log_event(run, "before projection", &score);
    admm_free(run->admm);
    run->admm = NULL;
    float *flat;
    BASE_TRY(run_flat_params(run, &flat, err));
    admmnn_status status = project(run, flat, err);
    if (status == ADMMNN_OK)
        status = run_cut_zeros(run, care_of(run), flat, err);
    base_free(flat);
    BASE_TRY(status);
    BASE_TRY(run_validate(run, run->network->params, &score, err));
    run->scores.after_projection = score.accuracy;
    run_log_event(run, "after projection", &score);
    run_log_layers(run);
    return ADMMNN_OK;
}

static admmnn_status after_retraining(compress_run *run, admmnn_error *err) {
    train_score score;
    BASE_TRY(run_validate(run, run->network->params, &score, err));
    run->scores.pruned = score.accuracy;
    run_log_event(run, "after retraining", &score);
    BASE_TRY(run_keep_importance(run, err));
    if (run->at.round + 1 < run->r->prune.round_count) {
        run->at.round++;
        return run_begin_round(run, err);
    }
    BASE_TRY(run_flat_params(run, &run->pruned, err));
    return run_begin_quantize(run, err);
}

static admmnn_status tick_admm(compress_run *run, admmnn_error *err) {
    const recipe_admm *a = &run->r->prune.admm;
    if (run->at.iteration < a->iterations)
        return run_admm_tick(run, a, err);
    BASE_TRY(prune_hard(run, err));
    return run_begin(run, RUN_RETRAIN, err);
}

/* The steps of gradual pruning share one schedule, as the iterations of a round of ADMM do. */
static run_schedule schedule_of(const compress_run *run, const recipe_training *training) {
    const recipe_prune *p = &run->r->prune;
    const bool step = p->method == RECIPE_PRUNE_GRADUAL && training == &p->retrain;
    if (!step)
        return (run_schedule){0, training->epochs};
    return (run_schedule){run->at.round * training->epochs,
                          (uint32_t)(p->round_count - 1) * training->epochs};
}

admmnn_status run_tick_prune(compress_run *run, admmnn_error *err) {
    if (run->at.stage == RUN_PRUNE_ADMM)
        return tick_admm(run, err);
    const recipe_prune *p = &run->r->prune;
    const recipe_training *training = run->at.round + 1 < p->round_count ? &p->retrain : &p->finish;
    if (run->at.epoch < training->epochs) {
        BASE_TRY(run_epoch(run, training, schedule_of(run, training), NULL, err));
        run->at.epoch++;
        return run_average(run, training->average, training->epochs,
                           training->epochs - run->at.epoch, err);
    }
    return after_retraining(run, err);
}
