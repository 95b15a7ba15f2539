/* The controls of ADMM quantization: levels in the training itself, epoch for epoch in the
 * place of ADMM's. */
#include <string.h>

#include "compress/run.h"

/* Steps between two fits of the intervals. */
#define FIT_EVERY 16U

/* Intervals of the weights as they are. */
static admmnn_status fit(run_levels *levels, admmnn_error *err) {
    return levels->steps++ % FIT_EVERY == 0 ? run_fit_weights(levels->run, err) : ADMMNN_OK;
}

static admmnn_status confine_to_levels(void *user, size_t done, size_t steps, float *params,
                                       admmnn_error *err) {
    (void)done;
    (void)steps;
    run_levels *levels = user;
    BASE_TRY(fit(levels, err));
    run_quantize_weights(levels->run, params);
    return ADMMNN_OK;
}

static admmnn_status take_levels(void *user, const float *params, float *at, admmnn_error *err) {
    run_levels *levels = user;
    BASE_TRY(fit(levels, err));
    memcpy(at, params, levels->run->network->active_count * sizeof *at);
    run_quantize_weights(levels->run, at);
    return ADMMNN_OK;
}

/* Weights beyond -1 and 1 would take ever more steps to change their sign (Courbariaux et
 * al. 2015). */
static admmnn_status confine_to_ends(void *user, size_t done, size_t steps, float *params,
                                     admmnn_error *err) {
    (void)done;
    (void)steps;
    (void)err;
    const run_levels *levels = user;
    for (uint32_t l = 0; l < levels->run->layer_count; l++) {
        const train_range w = train_network_range(levels->run->network, run_weight(levels->run, l));
        for (size_t i = w.first; i < w.first + w.count; i++)
            params[i] = params[i] < -1 ? -1 : params[i] > 1 ? 1 : params[i];
    }
    return ADMMNN_OK;
}

void run_levels_hooks(run_levels *levels, train_hooks *hooks) {
    const recipe_quantize *q = &levels->run->r->quantize;
    const bool straight = q->method == RECIPE_QUANTIZE_STRAIGHT_THROUGH;
    hooks->step_user = levels;
    hooks->forward_at = straight ? take_levels : NULL;
    if (!straight)
        hooks->after_step = confine_to_levels;
    else if (q->levels == ADMM_LEVELS_SIGN)
        hooks->after_step = confine_to_ends;
}
