#include "engine/loss.h"

#include <math.h>

static size_t largest(const float *logits, size_t classes, size_t stride) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (logits[c * stride] > logits[best * stride])
            best = c;
    return best;
}

/* Of one sample, what all losses are made from. */
typedef struct one_sample {
    const float *logits;
    size_t classes, stride;
    size_t best; /* the first largest logit */
    uint16_t label;
    const float *targets; /* NULL: one-hot */
    float *gradient;
} one_sample;

/* Leaves e^(x - max) in gradient, then p - t. Each logit is read
 * before its place is written, so that both may be the same memory. */
static double cross_entropy(const one_sample *s) {
    const float max = s->logits[s->best * s->stride];
    double sum = 0.0;
    double expected = 0.0; /* sum_c t_c (x_c - max) */
    for (size_t c = 0; c < s->classes; c++) {
        float shifted = s->logits[c * s->stride] - max;
        float target = s->targets != NULL ? s->targets[c] : (float)(c == s->label);
        /* A class of no probability adds nothing, even at minus infinity. */
        if (target != 0.0F)
            expected += (double)target * (double)shifted;
        float power = expf(shifted);
        sum += (double)power;
        s->gradient[c * s->stride] = power;
    }
    float scale = (float)(1.0 / sum);
    for (size_t c = 0; c < s->classes; c++) {
        float target = s->targets != NULL ? s->targets[c] : (float)(c == s->label);
        s->gradient[c * s->stride] = s->gradient[c * s->stride] * scale - target;
    }
    return log(sum) - expected;
}

static double squared_hinge(const one_sample *s) {
    double sum = 0.0;
    for (size_t c = 0; c < s->classes; c++) {
        const float target = c == s->label ? 1.0F : -1.0F;
        const float margin = 1.0F - target * s->logits[c * s->stride];
        const float short_of = margin <= 0.0F ? 0.0F : margin; /* a NaN passes */
        sum += (double)short_of * (double)short_of;
        s->gradient[c * s->stride] = -2.0F * target * short_of;
    }
    return sum;
}

void engine_loss_add(engine_loss_id loss, const engine_loss_layout *layout, const float *logits,
                     const uint16_t *labels, const float *targets, float *gradient,
                     engine_loss_sum *sum) {
    for (size_t i = 0; i < layout->count; i++) {
        const float *x = logits + i * layout->sample_stride;
        const one_sample s = {.logits = x,
                              .classes = layout->classes,
                              .stride = layout->class_stride,
                              .best = largest(x, layout->classes, layout->class_stride),
                              .label = labels[i],
                              .targets = targets != NULL ? targets + i * layout->classes : NULL,
                              .gradient = gradient + i * layout->sample_stride};
        sum->correct += s.best == labels[i];
        sum->loss += loss == ENGINE_SQUARED_HINGE ? squared_hinge(&s) : cross_entropy(&s);
    }
}
