/* The controls of ADMM quantization: levels in the training itself, epoch for epoch in the
 * place of ADMM's. */
#include <string.h>

#include "compress/run.h"

/* Steps between two fits of the intervals. */
#define FIT_EVERY 16U

/* Intervals of the weights as they are. Where memory is short they stay as they were. */
static void fit(run_levels *levels) {
    if (levels->steps++ % FIT_EVERY == 0)
        (void)run_fit_weights(levels->run, NULL);
}

static void confine_to_levels(void *user, float *params) {
    run_levels *levels = user;
    fit(levels);
    run_quantize_weights(levels->run, params);
}

static void take_levels(void *user, const float *params, float *at) {
    run_levels *levels = user;
    fit(levels);
    memcpy(at, params, levels->run->network->active_count * sizeof *at);
    run_quantize_weights(levels->run, at);
}

/* Weights beyond -1 and 1 would take ever more steps to change their sign (Courbariaux et
 * al. 2015). */
static void confine_to_ends(void *user, float *params) {
    const run_levels *levels = user;
    for (uint32_t l = 0; l < levels->run->layer_count; l++) {
        const train_range w = train_network_range(levels->run->network, run_weight(levels->run, l));
        for (size_t i = w.first; i < w.first + w.count; i++)
            params[i] = params[i] < -1 ? -1 : params[i] > 1 ? 1 : params[i];
    }
}

void run_levels_hooks(run_levels *levels, train_hooks *hooks) {
    const recipe_quantize *q = &levels->run->r->quantize;
    const bool straight = q->method == RECIPE_QUANTIZE_STRAIGHT_THROUGH;
    hooks->levels_user = levels;
    hooks->forward_at = straight ? take_levels : NULL;
    if (!straight)
        hooks->confine = confine_to_levels;
    else if (q->levels == ADMM_LEVELS_SIGN)
        hooks->confine = confine_to_ends;
}
