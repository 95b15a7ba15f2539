/* How many weights each layer keeps. */
#ifndef COMPRESS_RANK_H
#define COMPRESS_RANK_H

#include "graph/graph.h"

/* counts[graph_layer_count(g)] so that the layers keep `total` weights of the
 * mask together (all of them where there are fewer), by one rank over all layers:
 * score = w^2 * importance / cost; ties go to the earlier layer and place.
 * importance[flat_count] (Adam's second moment: w^2 v estimates the loss a weight
 * is worth, LeCun et al. 1990 with the squared gradient for the curvature); NULL:
 * 1, the global magnitude rank. cost[layers]: bits a kept weight of the layer
 * costs; NULL: 1 each. Each layer with a weight in the mask keeps at least its
 * best, within the total when that allows one a layer. */
admmnn_status rank_global(const graph *g, const float *params, const uint8_t *mask,
                          const float *importance, const double *cost, size_t total, size_t *counts,
                          admmnn_error *err);

/* Nonzeros of the mask in a layer's weights. */
size_t rank_kept(const graph *g, uint32_t layer_node, const uint8_t *mask);
/* Units of a layer: rows of its weights, of a matmul columns; and those that keep no weight. */
size_t rank_units(const graph *g, uint32_t layer_node);
size_t rank_empty_units(const graph *g, uint32_t layer_node, const uint8_t *mask);

#endif
