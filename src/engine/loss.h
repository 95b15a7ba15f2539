/* The losses, shared by every back end. */
#ifndef ENGINE_LOSS_H
#define ENGINE_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* X(name, text) */
#define ENGINE_LOSS_MAP(X)                                                                         \
    X(CROSS_ENTROPY, "cross-entropy") /* of the softmax */                                         \
    X(SQUARED_HINGE, "squared-hinge") /* one class against all others */

typedef enum engine_loss_id {
#define ENGINE_LOSS_ENUM(name, text) ENGINE_##name,
    ENGINE_LOSS_MAP(ENGINE_LOSS_ENUM)
#undef ENGINE_LOSS_ENUM
} engine_loss_id;

/* Class c of sample s stands at [s * sample_stride + c * class_stride], in the
 * logits and in the gradient alike. */
typedef struct engine_loss_layout {
    size_t count, classes;
    size_t sample_stride, class_stride;
} engine_loss_layout;

typedef struct engine_loss_sum {
    double loss;    /* sum over samples */
    size_t correct; /* samples whose first largest logit is their label */
} engine_loss_sum;

/* Adds the samples' loss to *sum and writes its gradient by the logits, which may be the
 * logits themselves.
 *
 * Cross-entropy: -sum_c t_c log p_c, its gradient p - t, where p = softmax(logits) and t is
 * targets[count][classes] (each sample's sum to 1) or, when targets is NULL, one-hot of
 * labels[count]. The logits are shifted by their maximum first: no overflow, whatever
 * their size. A logit that is NaN or plus infinity makes the loss NaN.
 *
 * Squared hinge: sum_c max(0, 1 - t_c x_c)^2, its gradient -2 t_c max(0, 1 - t_c x_c),
 * where x are the logits and t_c is 1 for the label and -1 for the others; targets is not
 * looked at. A logit that is NaN makes the loss NaN. */
void engine_loss_add(engine_loss_id loss, const engine_loss_layout *layout, const float *logits,
                     const uint16_t *labels, const float *targets, float *gradient,
                     engine_loss_sum *sum);

#endif
