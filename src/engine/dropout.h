/* Dropout (Srivastava et al. 2014), shared by the back ends that have it. */
#ifndef ENGINE_DROPOUT_H
#define ENGINE_DROPOUT_H

#include "engine/engine.h"

/* Of the elements x[count] of one sample, each becomes zero with the node's ratio as its
 * probability; the others are divided by 1 - ratio. Which they are is named by the batch's
 * seed and step, the node and the sample's place in the batch: the forward pass and the
 * backward pass, in whichever thread, drop out the same. */
void engine_dropout_apply(const graph *g, uint32_t node, const engine_batch *batch, size_t sample,
                          size_t count, float *x);

#endif
