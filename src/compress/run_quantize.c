/* Quantization: units rescaled so that levels fit, ADMM onto the levels, and
 * retraining of what is not yet fixed at them. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compress/rescale.h"
#include "compress/run.h"

static const graph_node *node_of(const compress_run *run, uint32_t layer) {
    return &run->g->nodes[run->layers[layer].node];
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
                                  float *q, admmnn_error *err) {
    BASE_TRY(admm_levels_fit(kind, bits, v, NULL, count, q, NULL, err));
    /* One that is not a normal number, of weights as good as zero, no file would hold. */
    *q = *q < FLT_MIN ? 0.0F : short_interval(*q);
    return ADMMNN_OK;
}

admmnn_status run_fit_weights(compress_run *run, admmnn_error *err) {
    for (uint32_t l = 0; l < run->layer_count; l++) {
        train_range w = train_network_range(run->network, run_weight(run, l));
        BASE_TRY(fit_interval(run->r->quantize.levels, run->layers[l].bits,
                              run->network->params + w.first, w.count, &run->layers[l].step, err));
    }
    return ADMMNN_OK;
}

/* Of a layer without biases, none. */
static train_range bias_range(const compress_run *run, uint32_t layer) {
    if (run->g->nodes[run->layers[layer].node].bias == GRAPH_NONE)
        return (train_range){0, 0};
    return train_network_range(run->network, &run->g->parameters[node_of(run, layer)->bias]);
}

static admmnn_status fit_biases(compress_run *run, admmnn_error *err) {
    const unsigned bits = run->r->quantize.bias_bits;
    for (uint32_t l = 0; l < run->layer_count && bits > 0; l++) {
        train_range b = bias_range(run, l);
        BASE_TRY(fit_interval(ADMM_LEVELS_EQUAL_ZERO, bits, run->network->params + b.first, b.count,
                              &run->layers[l].bias_step, err));
    }
    return ADMMNN_OK;
}

static void quantize_range(admm_levels kind, unsigned bits, float q, const float *from,
                           size_t count, float *to) {
    for (size_t i = 0; i < count; i++)
        to[i] = q > 0 ? admm_level_value(kind, q, admm_level_code(kind, bits, q, from[i])) : 0.0F;
}

void run_quantize_weights(const compress_run *run, float *params) {
    for (uint32_t layer = 0; layer < run->layer_count; layer++) {
        const run_layer *l = &run->layers[layer];
        train_range w = train_network_range(run->network, run_weight(run, layer));
        quantize_range(run->r->quantize.levels, l->bits, l->step, params + w.first, w.count,
                       params + w.first);
    }
}

static void quantize(const compress_run *run, float *params) {
    const unsigned bits = run->r->quantize.bias_bits;
    run_quantize_weights(run, params);
    for (uint32_t layer = 0; layer < run->layer_count && bits > 0; layer++) {
        train_range b = bias_range(run, layer);
        quantize_range(ADMM_LEVELS_EQUAL_ZERO, bits, run->layers[layer].bias_step, params + b.first,
                       b.count, params + b.first);
    }
}

/* Biases go on changing, so their intervals are fitted again. */
admmnn_status run_validate_quantized(compress_run *run, train_score *score, admmnn_error *err) {
    BASE_TRY(fit_biases(run, err));
    const size_t count = run->network->active_count;
    float *levels = base_array_copy(run->network->params, count, sizeof *levels);
    if (levels == NULL)
        return base_fail_memory(err, "the quantized weights");
    quantize(run, levels);
    admmnn_status status = run_validate(run, levels, score, err);
    base_free(levels);
    return status;
}

static unsigned given_bits(const compress_run *run, uint32_t layer) {
    const recipe_quantize *q = &run->r->quantize;
    for (size_t i = 0; i < q->bits_count; i++)
        if (run_is_layer(run, layer, q->bits[i].layer))
            return q->bits[i].bits;
    return q->max_bits;
}

static admmnn_status make_set(const compress_run *run, uint32_t layer, admm_set **set,
                              admmnn_error *err) {
    const graph_parameter *weight = run_weight(run, layer);
    const uint8_t *support = run->sparse ? run->mask + weight->offset : NULL;
    return admm_set_levels(run->r->quantize.levels, run->layers[layer].bits, support, weight->count,
                           set, err);
}

admmnn_status run_quantize_problem(compress_run *run, admmnn_error *err) {
    return run_admm_problem(run, &run->r->quantize.admm, make_set, err);
}

/* Without second moments weights are alike, until their scales differ. */
static admmnn_status have_importance(compress_run *run, admmnn_error *err) {
    if (run->importance != NULL)
        return ADMMNN_OK;
    run->importance = base_array(run->g->flat_count, sizeof *run->importance);
    if (run->importance == NULL)
        return base_fail_memory(err, "the weights' importance");
    for (size_t i = 0; i < run->g->flat_count; i++)
        run->importance[i] = 1.0F;
    return ADMMNN_OK;
}

static admmnn_status rescale(compress_run *run, admmnn_error *err) {
    BASE_TRY(have_importance(run, err));
    unsigned bits[RECIPE_LAYERS_MAX];
    for (uint32_t l = 0; l < run->layer_count; l++)
        bits[l] = run->layers[l].bits;
    float *flat;
    BASE_TRY(run_flat_params(run, &flat, err));
    admmnn_status status = rescale_units(run->g, run->r->quantize.levels, bits, run->mask,
                                         run->importance, flat, run->context, err);
    train_network_compact(run->network, flat, run->network->params);
    base_free(flat);
    return status;
}

admmnn_status run_begin_quantize_admm(compress_run *run, admmnn_error *err) {
    const recipe_admm *a = &run->r->quantize.admm;
    BASE_TRY(rescale(run, err));
    base_free(run->importance);
    run->importance = NULL;
    BASE_TRY(run_fit_weights(run, err));
    BASE_TRY(run_begin(run, RUN_QUANTIZE_ADMM, err));
    if (a->iterations == 0 || run->r->quantize.method != RECIPE_QUANTIZE_ADMM)
        return ADMMNN_OK;
    return run_admm_start(run, a, make_set, err);
}

admmnn_status run_begin_quantize(compress_run *run, admmnn_error *err) {
    const recipe_quantize *q = &run->r->quantize;
    if (!q->enabled)
        return run_begin(run, RUN_DONE, err);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        run->layers[l].bits = given_bits(run, l);
        run->layers[l].fixed_bits = !recipe_bits_searched(q);
    }
    if (!recipe_bits_searched(q))
        return run_begin_quantize_admm(run, err);
    BASE_TRY(rescale(run, err));
    return run_begin(run, RUN_BITS, err);
}

/* ---- retraining of what is not yet fixed ---- */

typedef struct nearness {
    float distance, level;
    size_t place;
} nearness;

static int by_distance(const void *left, const void *right) {
    const nearness *a = left;
    const nearness *b = right;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Fixes the weights of a layer nearest to their levels, until `share` of them are. */
static admmnn_status fix_layer(compress_run *run, uint32_t layer, double share, admmnn_error *err) {
    const train_network *n = run->network;
    const run_layer *l = &run->layers[layer];
    train_range w = train_network_range(n, run_weight(run, layer));
    nearness *open = base_array(w.count, sizeof *open);
    if (open == NULL)
        return base_fail_memory(err, "the weights to fix");
    size_t count = 0;
    for (size_t i = w.first; i < w.first + w.count; i++) {
        float level;
        quantize_range(run->r->quantize.levels, l->bits, l->step, n->params + i, 1, &level);
        if (run->fixed[i] == 0)
            open[count++] = (nearness){fabsf(n->params[i] - level), level, i};
    }
    qsort(open, count, sizeof *open, by_distance);
    size_t wanted = (size_t)(share * (double)w.count + 0.5);
    size_t before = w.count - count;
    for (size_t i = 0; i < count && before + i < wanted; i++) {
        run->fixed[open[i].place] = 1;
        n->params[open[i].place] = open[i].level;
    }
    base_free(open);
    return ADMMNN_OK;
}

/* The shares of `fix` divide the epochs evenly; of more shares than epochs each epoch has the
 * last that falls to it, so that the last epoch has all. What is fixed goes onto its level and
 * stays there, and the rest, biases among it, makes up for that. */
static admmnn_status fix_more(compress_run *run, uint32_t epochs, admmnn_error *err) {
    const recipe_quantize *q = &run->r->quantize;
    if (run->fixed == NULL)
        run->fixed = base_array(run->network->active_count, 1);
    if (run->fixed == NULL)
        return base_fail_memory(err, "the weights that are fixed");
    const size_t place = q->fix_count <= epochs
                             ? (size_t)run->at.epoch * q->fix_count / epochs
                             : ((size_t)run->at.epoch + 1) * q->fix_count / epochs - 1;
    const double share = q->fix[place];
    for (uint32_t l = 0; l < run->layer_count; l++)
        BASE_TRY(fix_layer(run, l, share, err));
    return ADMMNN_OK;
}

admmnn_status run_train_unfixed(compress_run *run, uint32_t epochs, admmnn_error *err) {
    BASE_TRY(fix_more(run, epochs, err));
    train_hooks hooks = {.fixed = run->fixed};
    return run_epoch(run, &run->r->quantize.retrain, (run_schedule){0, epochs}, &hooks, err);
}

/* ---- ADMM ---- */

static admmnn_status begin_training(compress_run *run, admmnn_error *err) {
    admm_free(run->admm);
    run->admm = NULL;
    BASE_TRY(run_fit_weights(run, err));
    train_score score;
    BASE_TRY(run_validate_quantized(run, &score, err));
    run->scores.quantized_projection = score.accuracy;
    run_log_event(run, "after projection to levels", &score);
    return run_begin(run, RUN_QUANTIZE_TRAIN, err);
}

admmnn_status run_tick_quantize_admm(compress_run *run, admmnn_error *err) {
    const recipe_admm *a = &run->r->quantize.admm;
    if (run->at.iteration < a->iterations)
        return run_admm_tick(run, a, err);
    return begin_training(run, err);
}

/* Each share's epochs end in their own mean; what is fixed is the mean of itself. */
static admmnn_status average_share(compress_run *run, const recipe_training *training,
                                   admmnn_error *err) {
    const size_t parts = run->r->quantize.fix_count;
    const size_t part = (size_t)(run->at.epoch - 1) * parts / training->epochs;
    const size_t first = (part * training->epochs + parts - 1) / parts;
    const size_t end = ((part + 1) * training->epochs + parts - 1) / parts;
    return run_average(run, training->average, (uint32_t)(end - first),
                       (uint32_t)(end - run->at.epoch), err);
}

/* A level of zero prunes too. The biases, which take up what dead units added, are not
 * yet rounded. */
static admmnn_status cut_zero_levels(compress_run *run, admmnn_error *err) {
    if (!admm_levels_have_zero(run->r->quantize.levels))
        return ADMMNN_OK;
    run_quantize_weights(run, run->network->params);
    float *flat;
    BASE_TRY(run_flat_params(run, &flat, err));
    admmnn_status status = run_cut_zeros(run, SHRINK_EXACT, flat, err);
    base_free(flat);
    return status;
}

admmnn_status run_tick_quantize_train(compress_run *run, admmnn_error *err) {
    const recipe_training *training = &run->r->quantize.retrain;
    if (run->at.epoch < training->epochs) {
        BASE_TRY(run_train_unfixed(run, training->epochs, err));
        run->at.epoch++;
        return average_share(run, training, err);
    }
    BASE_TRY(cut_zero_levels(run, err));
    train_score score;
    BASE_TRY(run_validate_quantized(run, &score, err));
    run->scores.quantized = score.accuracy;
    run_log_event(run, "quantized", &score);
    quantize(run, run->network->params);
    return run_begin(run, RUN_DONE, err);
}
