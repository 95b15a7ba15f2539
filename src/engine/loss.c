#include "engine/loss.h"

#include <math.h>

static size_t largest(const float *logits, size_t classes, size_t stride) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (logits[c * stride] > logits[best * stride])
            best = c;
    return best;
}

/* One sample: leaves e^(x - max) in gradient, then p - t. Each logit is read
 * before its place is written, so that both may be the same memory. */
static double sample_loss(const float *logits, size_t classes, size_t stride, float max,
                          uint8_t label, const float *targets, float *gradient) {
    double sum = 0.0;
    double expected = 0.0; /* sum_c t_c (x_c - max) */
    for (size_t c = 0; c < classes; c++) {
        float shifted = logits[c * stride] - max;
        float target = targets != NULL ? targets[c] : (float)(c == label);
        /* A class of no probability adds nothing, even at minus infinity. */
        if (target != 0.0F)
            expected += (double)target * (double)shifted;
        float power = expf(shifted);
        sum += (double)power;
        gradient[c * stride] = power;
    }
    float scale = (float)(1.0 / sum);
    for (size_t c = 0; c < classes; c++) {
        float target = targets != NULL ? targets[c] : (float)(c == label);
        gradient[c * stride] = gradient[c * stride] * scale - target;
    }
    return log(sum) - expected;
}

void engine_loss_softmax(const engine_loss_layout *layout, const float *logits,
                         const uint8_t *labels, const float *targets, float *gradient,
                         engine_loss_sum *sum) {
    for (size_t s = 0; s < layout->count; s++) {
        const float *x = logits + s * layout->sample_stride;
        size_t best = largest(x, layout->classes, layout->class_stride);
        sum->correct += best == labels[s];
        sum->loss +=
            sample_loss(x, layout->classes, layout->class_stride, x[best * layout->class_stride],
                        labels[s], targets != NULL ? targets + s * layout->classes : NULL,
                        gradient + s * layout->sample_stride);
    }
}
