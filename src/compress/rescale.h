/* Scales of hidden units, chosen so that levels fit. */
#ifndef COMPRESS_RESCALE_H
#define COMPRESS_RESCALE_H

#include "admm/set.h"
#include "base/context.h"
#include "graph/graph.h"

/* A unit whose incoming weights and bias are multiplied by a > 0, and whose
 * outgoing weights are divided by it, computes the same: convolutions, inner
 * products, pooling and rectifiers are positively homogeneous (Nagel et al. 2019
 * equalise ranges so). Not where a batch normalization reads the unit, whose scale it takes
 * away itself. Here each unit's a is the one that brings the weights on
 * both its sides nearest to their layers' levels, as the loss sees it:
 * sum of importance * (w - level)^2 over the unscaled weights, where importance is
 * the squared gradient. Units and layers in turn, intervals fitted between.
 *
 * bits[layer_count] of each layer's weights; mask, importance and params are
 * [g->flat_count], and params and importance are changed: the gradient of a weight
 * multiplied by a is divided by it. ADMMNN_CANCELLED when the context (NULL will do)
 * asks to stop, with some units done. */
admmnn_status rescale_units(const graph *g, admm_levels kind, const unsigned *bits,
                            const uint8_t *mask, float *importance, float *params,
                            const admmnn_context *context, admmnn_error *err);

#endif
