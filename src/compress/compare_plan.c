#include "compress/compare_plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "compress/recipe_validate.h"
#include "compress/run.h"

static const struct {
    const char *text, *label;
} names[] = {
#define METHOD_NAME(name, text, label) {text, label},
    COMPARE_METHOD_MAP(METHOD_NAME)
#undef METHOD_NAME
};

const char *compare_method_text(compare_method method) {
    return names[method].text;
}

const char *compare_method_label(compare_method method) {
    return names[method].label;
}

bool compare_method_per_layer(compare_method method) {
    return method == COMPARE_GRADUAL_PER_LAYER || method == COMPARE_ONE_SHOT_PER_LAYER ||
           method == COMPARE_RANDOM;
}

#define ENTRY_MAX 48

/* The next entry of a comma list, without spaces around it; false at the end. One
 * too long for its place is cut, and then longer than any that is right. */
static bool next_entry(const char **list, char entry[ENTRY_MAX]) {
    if (*list == NULL)
        return false;
    size_t length = strcspn(*list, ",");
    const char *text = *list;
    *list = text[length] == ',' ? text + length + 1 : NULL;
    for (; length > 0 && *text == ' '; length--)
        text++;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    snprintf(entry, ENTRY_MAX, "%.*s", (int)(length < ENTRY_MAX ? length : ENTRY_MAX - 1), text);
    return true;
}

static admmnn_status fail_method(const char *entry, admmnn_error *err) {
    base_words all = {0};
    for (int m = COMPARE_DENSE; m < COMPARE_METHODS; m++)
        base_words_add(&all, names[m].text);
    return base_fail(err, ADMMNN_USAGE, "--methods: no method '%s' to compare; there are %s", entry,
                     all.text);
}

/* Why the recipe's set cannot be pruned so; NULL: it can. */
static const char *objection(const recipe *base, compare_method method) {
    const bool gradual = method == COMPARE_GRADUAL || method == COMPARE_GRADUAL_PER_LAYER;
    if (gradual && base->prune.x_step == RECIPE_X_CURVATURE)
        return "prunes between the epochs of ADMM's x steps, and x_step: curvature has none";
    const bool sparse = base->prune.set == RECIPE_SET_SPARSE;
    if (!sparse && (method == COMPARE_GRADUAL || method == COMPARE_ONE_SHOT))
        return "ranks single weights over all layers, which only set: sparse has";
    if (base->prune.set == RECIPE_SET_N_OF_M && method == COMPARE_GRADUAL_PER_LAYER)
        return "has no steps to take with set: n-of-m";
    return NULL;
}

static admmnn_status take_method(compare_plan *plan, const char *entry, admmnn_error *err) {
    int m = COMPARE_DENSE;
    while (m < COMPARE_METHODS && strcmp(names[m].text, entry) != 0)
        m++;
    if (m == COMPARE_METHODS)
        return fail_method(entry, err);
    if (plan->methods[m])
        return base_fail(err, ADMMNN_USAGE, "--methods: '%s' is given twice", entry);
    const char *why = objection(plan->base, (compare_method)m);
    if (why != NULL)
        return base_fail(err, ADMMNN_USAGE, "--methods: %s %s", entry, why);
    plan->methods[m] = true;
    return ADMMNN_OK;
}

static admmnn_status take_methods(compare_plan *plan, const char *list, admmnn_error *err) {
    char entry[ENTRY_MAX];
    plan->methods[COMPARE_START] = true;
    for (int m = COMPARE_DENSE; list == NULL && m < COMPARE_METHODS; m++)
        plan->methods[m] = objection(plan->base, (compare_method)m) == NULL;
    while (next_entry(&list, entry))
        BASE_TRY(take_method(plan, entry, err));
    for (int m = COMPARE_DENSE; m < COMPARE_METHODS && !plan->methods[COMPARE_ADMM]; m++)
        if (plan->methods[m] && compare_method_per_layer((compare_method)m))
            return base_fail(err, ADMMNN_USAGE,
                             "--methods: %s prunes to the shares ADMM chose; add admm",
                             names[m].text);
    return ADMMNN_OK;
}

bool compare_ratios_differ(double a, double b) {
    char text[2][32];
    snprintf(text[0], sizeof text[0], COMPARE_RATIO_FORMAT, a);
    snprintf(text[1], sizeof text[1], COMPARE_RATIO_FORMAT, b);
    return strcmp(text[0], text[1]) != 0;
}

/* where: what gave the ratio. */
static admmnn_status take_ratio(compare_plan *plan, const char *where, double ratio,
                                admmnn_error *err) {
    if (!(ratio > 1 && ratio <= 1e6))
        return base_fail(err, ADMMNN_USAGE,
                         "%s: %g is no ratio to compare at; it must be above 1, at most 1e6", where,
                         ratio);
    const recipe_prune *p = &plan->base->prune;
    if (p->set == RECIPE_SET_N_OF_M && ratio != (double)p->m / p->n)
        return base_fail(err, ADMMNN_USAGE,
                         "%s: %g cannot be reached; %u of %u is a ratio of %g, always", where,
                         ratio, p->n, p->m, (double)p->m / p->n);
    bool first = plan->ratio_count == 0;
    double before = first ? 1 : plan->ratios[plan->ratio_count - 1];
    if (ratio < before)
        return base_fail(err, ADMMNN_USAGE, "%s: ratios to compare at must rise: %g after %g",
                         where, ratio, before);
    if (!first && !compare_ratios_differ(ratio, before))
        return base_fail(err, ADMMNN_USAGE,
                         "%s: two ratios to compare at are %g to ten digits; they must rise", where,
                         ratio);
    if (plan->ratio_count == COMPARE_RATIOS_MAX)
        return base_fail(err, ADMMNN_USAGE, "%s: more than %d ratios to compare at", where,
                         COMPARE_RATIOS_MAX);
    plan->ratios[plan->ratio_count++] = ratio;
    return ADMMNN_OK;
}

static admmnn_status recipe_ratios(compare_plan *plan, admmnn_error *err) {
    char where[sizeof plan->base->path + 32];
    const recipe *base = plan->base;
    snprintf(where, sizeof where, "%s: prune.rounds", base->path);
    for (size_t i = 0; i < base->prune.round_count; i++)
        BASE_TRY(take_ratio(plan, where, base->prune.rounds[i], err));
    if (plan->ratio_count == 0)
        return base_fail(err, ADMMNN_INPUT, "%s: none to compare at; give --ratios", where);
    return ADMMNN_OK;
}

static admmnn_status take_ratios(compare_plan *plan, const char *list, admmnn_error *err) {
    char entry[ENTRY_MAX];
    if (list == NULL)
        return recipe_ratios(plan, err);
    while (next_entry(&list, entry)) {
        double ratio;
        if (entry[0] == '+' || strlen(entry) == ENTRY_MAX - 1 || !recipe_read_number(entry, &ratio))
            return base_fail(err, ADMMNN_USAGE,
                             "--ratios: '%s' is no ratio; give numbers such as 19,48,86", entry);
        BASE_TRY(take_ratio(plan, "--ratios", ratio, err));
    }
    return ADMMNN_OK;
}

admmnn_status compare_plan_make(const recipe *base, const char *methods, const char *ratios,
                                compare_plan *plan, admmnn_error *err) {
    *plan = (compare_plan){.base = base};
    BASE_TRY(take_methods(plan, methods, err));
    return take_ratios(plan, ratios, err);
}

/* ---- recipes ---- */

/* ADMM's way to the ratio: the recipe's rounds below it, and shares of layers
 * given for the last round brought to it along the geometric path. */
static admmnn_status admm_rounds(const recipe *base, double ratio, recipe_prune *p,
                                 admmnn_error *err) {
    size_t count = 0;
    while (count < base->prune.round_count && base->prune.rounds[count] < ratio)
        count++;
    if (count == RECIPE_ROUNDS_MAX)
        return base_fail(err, ADMMNN_USAGE, "%s: %g would be one round too many", base->path,
                         ratio);
    if (base->prune.round_count > 0) {
        double last = base->prune.rounds[base->prune.round_count - 1];
        for (size_t i = 0; i < p->keep_count; i++)
            p->keep[i].keep = pow(p->keep[i].keep, log(ratio) / log(last));
    }
    p->rounds[count] = ratio;
    p->round_count = count + 1;
    return ADMMNN_OK;
}

/* Epochs of ADMM's rounds but for the last retraining; a part of one is one. */
static uint32_t epochs_before_finish(const recipe_prune *p) {
    uint32_t rounds = (uint32_t)p->round_count;
    double epochs = (double)rounds * p->admm.iterations * p->admm.epochs * p->curvature_share;
    return (uint32_t)ceil(epochs) + (rounds - 1) * p->retrain.epochs;
}

/* As many epochs are averaged at the end, however many come before them. */
static void lengthen(recipe_training *finish, uint32_t epochs) {
    if (epochs > 0)
        finish->average *= (double)finish->epochs / epochs;
    finish->epochs = epochs;
}

static void one_shot(recipe_prune *p, double ratio) {
    lengthen(&p->finish, p->finish.epochs + epochs_before_finish(p));
    p->admm.iterations = 0;
    p->rounds[0] = ratio;
    p->round_count = 1;
}

/* Sparsity s(t) = s_f (1 - (1 - t)^3), a step after every `each` epochs trained
 * as ADMM's x steps are; what does not divide goes to the last retraining. */
static void gradual(recipe_prune *p, double ratio) {
    uint32_t before = epochs_before_finish(p);
    uint32_t steps = before < RECIPE_ROUNDS_MAX ? before : RECIPE_ROUNDS_MAX;
    steps = steps == 0 ? 1 : steps;
    uint32_t each = before / steps;
    uint32_t last = p->finish.epochs + before - (steps - 1) * each;
    for (uint32_t i = 0; i < steps; i++)
        p->rounds[i] = run_ratio_on_ramp(1.0, ratio, 1.0 - (double)(i + 1) / steps);
    p->rounds[steps - 1] = ratio;
    p->round_count = steps;
    p->retrain = p->admm.training;
    p->retrain.epochs = each;
    lengthen(&p->finish, last);
    p->admm.iterations = 0;
}

static void take_targets(recipe_prune *p, const compare_targets *targets) {
    p->scope = RECIPE_SCOPE_PER_LAYER;
    p->keep_count = targets->count;
    for (uint32_t l = 0; l < targets->count; l++) {
        snprintf(p->keep[l].layer, sizeof p->keep[l].layer, "%s", targets->layer[l]);
        p->keep[l].keep = targets->share[l];
    }
}

static void set_method(recipe_prune *p, compare_method method, double ratio) {
    switch (method) {
    case COMPARE_ONE_SHOT:
    case COMPARE_ONE_SHOT_PER_LAYER:
        p->method = RECIPE_PRUNE_ONE_SHOT;
        one_shot(p, ratio);
        break;
    case COMPARE_GRADUAL:
    case COMPARE_GRADUAL_PER_LAYER:
        p->method = RECIPE_PRUNE_GRADUAL;
        gradual(p, ratio);
        break;
    case COMPARE_RANDOM:
        p->method = RECIPE_PRUNE_RANDOM;
        one_shot(p, ratio);
        break;
    case COMPARE_DENSE: /* pruning that keeps all */
        p->method = RECIPE_PRUNE_ONE_SHOT;
        p->set = RECIPE_SET_SPARSE;
        one_shot(p, 1);
        break;
    default:
        p->method = RECIPE_PRUNE_ADMM;
    }
}

admmnn_status compare_recipe(const compare_plan *plan, compare_method method, double ratio,
                             uint64_t seed, const compare_targets *targets, recipe *out,
                             admmnn_error *err) {
    *out = *plan->base;
    out->seed = seed;
    out->quantize = (recipe_quantize){.enabled = false};
    recipe_prune *p = &out->prune;
    /* An early stop would leave ADMM fewer epochs than its controls. */
    p->admm.tolerance = 0;
    BASE_TRY(admm_rounds(plan->base, ratio, p, err));
    set_method(p, method, ratio);
    if (method == COMPARE_ADMM || method == COMPARE_START)
        return ADMMNN_OK;
    p->scope = RECIPE_SCOPE_GLOBAL;
    p->keep_count = 0;
    p->ramp = 0;
    p->penalty = RECIPE_PENALTY_ALL;
    p->x_step = RECIPE_X_TRAINING;
    p->curvature_share = 1;
    if (compare_method_per_layer(method) && targets != NULL)
        take_targets(p, targets);
    return ADMMNN_OK;
}

double compare_work(const recipe *r) {
    const compress_run fresh = {.r = r}; /* at the first dense epoch */
    double from;
    double each;
    run_progress(&fresh, &from, &each);
    return each > 0 ? 1.0 / each - r->training.epochs : 0.0;
}
