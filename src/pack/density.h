/* Bayesian logistic regression, one bit at a time: the logit of a bit is the sum
 * of the effects that bear on it, each known by a mean and a variance, and every
 * bit coded teaches them all (assumed density filtering: Spiegelhalter and
 * Lauritzen 1990; Graepel et al. 2010). Integer arithmetic only. */
#ifndef PACK_DENSITY_H
#define PACK_DENSITY_H

#include "pack/coder.h"

/* In 1/65536. */
typedef struct density_effect {
    int32_t mean, variance;
} density_effect;

#define DENSITY_UNIT 65536
#define DENSITY_EFFECTS_MAX 12

/* Effects of which nothing is known but their variance; NULL: nothing to do. */
void density_start(density_effect *effects, size_t count, int32_t variance);

/* Codes a bit whose logit is the sum of the effects, and learns from it. */
unsigned density_code(coder *c, density_effect *const *effects, unsigned count, unsigned bit);

#endif
