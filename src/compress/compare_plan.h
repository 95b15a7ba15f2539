/* What a comparison runs: methods, ratios, and the recipe of each point. */
#ifndef COMPRESS_COMPARE_PLAN_H
#define COMPRESS_COMPARE_PLAN_H

#include "compress/recipe.h"

/* X(name, text, label). In the order they run: the methods per layer take the
 * shares that ADMM chose for the same seed and ratio. */
#define COMPARE_METHOD_MAP(X)                                                                      \
    X(START, "start", "dense start")                                                               \
    X(DENSE, "dense", "dense, trained on as long")                                                 \
    X(ADMM, "admm", "ADMM")                                                                        \
    X(GRADUAL, "gradual", "gradual magnitude, global")                                             \
    X(GRADUAL_PER_LAYER, "gradual-per-layer", "gradual magnitude, ADMM's shares")                  \
    X(ONE_SHOT, "one-shot", "one-shot magnitude, global")                                          \
    X(ONE_SHOT_PER_LAYER, "one-shot-per-layer", "one-shot magnitude, ADMM's shares")               \
    X(RANDOM, "random", "random, ADMM's shares")

typedef enum compare_method {
#define COMPARE_METHOD_ENUM(name, text, label) COMPARE_##name,
    COMPARE_METHOD_MAP(COMPARE_METHOD_ENUM)
#undef COMPARE_METHOD_ENUM
        COMPARE_METHODS
} compare_method;

const char *compare_method_text(compare_method method);
const char *compare_method_label(compare_method method);

#define COMPARE_RATIOS_MAX 64
#define COMPARE_RATIO_FORMAT "%.10g"

typedef struct compare_plan {
    const recipe *base; /* the caller's */
    bool methods[COMPARE_METHODS];
    double ratios[COMPARE_RATIOS_MAX]; /* rising */
    size_t ratio_count;
} compare_plan;

/* methods and ratios as comma lists; NULL: all methods the recipe's set can be pruned
 * by, the recipe's rounds. */
admmnn_status compare_plan_make(const recipe *base, const char *methods, const char *ratios,
                                compare_plan *plan, admmnn_error *err);

/* To the digits that runs' folders and comparison.json give. */
bool compare_ratios_differ(double a, double b);

/* Weights each layer was to keep, from the ADMM run of the same seed and ratio. */
typedef struct compare_targets {
    char layer[RECIPE_LAYERS_MAX][GRAPH_NAME_MAX];
    double share[RECIPE_LAYERS_MAX];
    uint32_t count;
} compare_targets;

/* The recipe of a point: the plan's without quantization, and with as many epochs
 * for every method of a ratio. ADMM takes the rounds below the ratio, then the
 * ratio. The one-shot methods prune the dense start at once and retrain for all
 * the epochs. Gradual pruning follows Zhu and Gupta 2017, the sparsity a cubic
 * curve, over the epochs before ADMM's last retraining, which it ends with too.
 * The dense control trains on for the epochs of the largest ratio. targets may be
 * NULL where the method has none. */
admmnn_status compare_recipe(const compare_plan *plan, compare_method method, double ratio,
                             uint64_t seed, const compare_targets *targets, recipe *out,
                             admmnn_error *err);

/* Whether the method prunes to ADMM's shares of the layers. */
bool compare_method_per_layer(compare_method method);

/* The work of a point after the dense start, in epochs of dense training. */
double compare_work(const recipe *r);

#endif
