/* Neurons and filters without a path from input to output, and what is left of
 * the network without them. */
#ifndef COMPRESS_STRUCTURE_H
#define COMPRESS_STRUCTURE_H

#include "graph/graph.h"

/* ADMMNN_UNSUPPORTED where the network holds what the functions below cannot follow. */
admmnn_status structure_check(const graph *g, admmnn_error *err);

/* Removes dead structure from mask and params (both [g->flat_count]) until
 * nothing changes:
 *  - a unit that no one reads loses its weights, its bias and its normalization;
 *  - a unit with no weights is a constant: what it adds to the next layer goes
 *    into that layer's biases, exactly, and its outgoing weights are removed
 *    (not through a padded convolution, whose borders would differ).
 * Biases of living units stay in the mask. The network's function does not change
 * but for rounding. */
void structure_remove_dead(const graph *g, uint8_t *mask, float *params);

/* The network without its dead units, and where each of its parameters came
 * from: origin[small->flat_count] are places in g's flat vector (SIZE_MAX in the
 * padding). mask is as structure_remove_dead left it. The caller's, freed with
 * graph_free and base_free. */
admmnn_status structure_shrink(const graph *g, const uint8_t *mask, graph **small, size_t **origin,
                               admmnn_error *err);

#endif
