/* Softmax cross-entropy, shared by every back end. */
#ifndef ENGINE_LOSS_H
#define ENGINE_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* Class c of sample s stands at [s * sample_stride + c * class_stride], in the
 * logits and in the gradient alike. */
typedef struct engine_loss_layout {
    size_t count, classes;
    size_t sample_stride, class_stride;
} engine_loss_layout;

typedef struct engine_loss_sum {
    double loss;    /* sum over samples of -sum_c t_c log p_c */
    size_t correct; /* samples whose first largest logit is their label */
} engine_loss_sum;

/* Adds the samples' loss to *sum and writes its gradient by the logits, p - t,
 * where p = softmax(logits) and t is targets[count][classes] (each sample's sum
 * to 1) or, when targets is NULL, one-hot of labels[count].
 * The logits are shifted by their maximum first: no overflow, whatever their
 * size. A logit that is NaN or plus infinity makes the loss NaN.
 * gradient may be the logits themselves. */
void engine_loss_softmax(const engine_loss_layout *layout, const float *logits,
                         const uint8_t *labels, const float *targets, float *gradient,
                         engine_loss_sum *sum);

#endif
