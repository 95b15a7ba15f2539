/* The order of hidden units is free: a permutation of a layer's rows and of the
 * columns that read them leaves the function as it is, and rows sorted by what
 * they keep cost fewer bits. */
#ifndef PACK_REORDER_H
#define PACK_REORDER_H

#include "pack/pack.h"

/* Sorts the hidden units of each layer by their number of nonzeros, fullest first,
 * or by the place of the first, whichever makes the file smaller. Sums of floats may round
 * differently afterwards. context as in pack_settings. */
admmnn_status pack_reorder(pack_model *model, const admmnn_context *context, admmnn_error *err);

/* Puts unit order[i] of a hidden layer at place i. order is a permutation of the
 * layer's rows. */
admmnn_status pack_permute(pack_model *model, uint32_t layer_node, const uint32_t *order,
                           admmnn_error *err);

#endif
