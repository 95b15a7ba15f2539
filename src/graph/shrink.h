/* What no one misses of a network, and the smaller network without it.
 *
 * A slot is one index of one axis of a value: channel 3 of a convolution's output, token 5,
 * head 2. It can go where everything that is tied to it goes too: the same channel of all
 * terms of a sum and of what stands between them, the place in a concatenation that it came
 * from, the elements of a flattened image, the channel of a squeeze-and-excite gate. */
#ifndef GRAPH_SHRINK_H
#define GRAPH_SHRINK_H

#include "graph/graph.h"

typedef enum shrink_care {
    SHRINK_EXACT,  /* the network's function does not change but for rounding */
    SHRINK_BORDERS /* but at the borders of padded convolutions: for who trains afterwards */
} shrink_care;

/* Removes dead structure from mask and params (both [g->flat_count]) until nothing changes:
 *  - what no one reads loses its weights, its biases and its normalization;
 *  - what is the same number for all samples and places, as a filter without weights makes
 *    it, is added to the biases of the layers that read it, or taken from the means of the
 *    batch normalizations behind them, and its outgoing weights are removed. A padded
 *    convolution reads the number within and zero beyond, so that what it makes of it is not
 *    one number: unless the number is zero, it is left (or, with SHRINK_BORDERS, taken as if
 *    the borders were not there). Nor can it go where a layer has neither bias nor batch
 *    normalization.
 * A weight is zero where its mask is 0. Of what lives, biases and normalizations stay in the
 * mask. */
admmnn_status shrink_remove_dead(const graph *g, shrink_care care, uint8_t *mask, float *params,
                                 admmnn_error *err);

/* The network without its dead slots, and where each of its parameters came from:
 * origin[small->flat_count] are places in g's flat vector (SIZE_MAX in the padding). Nodes,
 * values and parameters have the numbers they have in g. mask is as shrink_remove_dead left
 * it. What is the caller's is freed with graph_free and base_free.
 * More than what is dead stays:
 *  - the input and the output have the shape they had;
 *  - of an axis that is dead altogether, one index, so that there is a shape;
 *  - of a convolution's groups, as many channels and filters as the largest has;
 *  - what something is divided by, or is raised to a power that may be negative, unless it is
 *    a constant of the graph: of what is dead zeros are left;
 *  - all of an axis that an operation works along: channels of local response
 *    normalization, whose window counts neighbours; elements of a layer normalization, whose
 *    mean counts them; the axis of a softmax, a reduction or a gather; pixels. */
admmnn_status shrink_network(const graph *g, const uint8_t *mask, graph **small, size_t **origin,
                             admmnn_error *err);

#endif
