/* First-order optimisers, each one pass over the parameters: the gradient parts
 * are added, the ADMM penalty's gradient rho (W - (Z - U)) and the weight decay
 * joined, the moments and weights updated, every float touched once. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

/* X(name, text) */
#define TRAIN_OPTIMIZER_MAP(X)                                                                     \
    X(SGD, "sgd")     /* with momentum */                                                          \
    X(ADAM, "adam")   /* Kingma and Ba 2015; weight decay joins the gradient */                    \
    X(ADAMW, "adamw") /* Loshchilov and Hutter 2019: decoupled weight decay */

typedef enum train_optimizer_kind {
#define TRAIN_OPTIMIZER_ENUM(name, text) TRAIN_##name,
    TRAIN_OPTIMIZER_MAP(TRAIN_OPTIMIZER_ENUM)
#undef TRAIN_OPTIMIZER_ENUM
} train_optimizer_kind;

typedef struct train_optimizer_settings {
    train_optimizer_kind kind;
    float momentum;     /* SGD */
    float beta1, beta2; /* Adam; 0.9 and 0.999 when 0 */
    float epsilon;      /* Adam; 1e-8 when 0 */
    float weight_decay;
} train_optimizer_settings;

/* What a step does to a range of the parameter vector. */
typedef enum train_motion {
    TRAIN_DESCEND, /* follows the gradient */
    TRAIN_FOLLOW,  /* running statistics: follow the batch's, which stand in the gradient's place */
    TRAIN_STAY     /* nothing */
} train_motion;

typedef struct train_segment {
    size_t offset, count;
    train_motion motion;
    float momentum; /* TRAIN_FOLLOW: w = momentum * w + (1 - momentum) * batch */
    float rho;      /* 0: no penalty */
    bool decay;     /* weight decay applies (weights alone) */
} train_segment;

typedef struct train_optimizer train_optimizer;

admmnn_status train_optimizer_create(const train_optimizer_settings *settings, size_t count,
                                     train_optimizer **out, admmnn_error *err);
void train_optimizer_free(train_optimizer *optimizer);

typedef struct train_update {
    const float *const *parts; /* gradient parts */
    uint32_t part_count;
    float scale; /* of the summed gradient: 1 / samples */
    float learning_rate;
    const float *anchor;           /* Z - U, NULL: no penalty */
    const uint8_t *unpenalized;    /* 1: the penalty leaves the parameter out; NULL: none */
    const uint8_t *fixed;          /* 1: the parameter stays as it is; NULL: none */
    const train_segment *segments; /* cover the vector in order */
    size_t segment_count;
} train_update;

/* params[count] is updated. Parameters are divided among the pool's threads. */
void train_optimizer_step(train_optimizer *optimizer, base_pool *pool, const train_update *update,
                          float *params);

/* Moments, for checkpoints and for the importance rank: first[count] and
 * second[count] (SGD has no second: NULL). steps are the steps done. */
float *train_optimizer_first(train_optimizer *optimizer);
float *train_optimizer_second(train_optimizer *optimizer);
uint64_t *train_optimizer_steps(train_optimizer *optimizer);

#endif
