/* The closest point of a lattice or of a product of levels, exactly: reduction (Lenstra,
 * Lenstra and Lovasz 1982), then a tree walked in the order of Schnorr and Euchner
 * (1994), as Agrell et al. (2002, "Closest point search in lattices") put them together. */
#ifndef ADMM_LATTICE_H
#define ADMM_LATTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admm/ladder.h"
#include "base/context.h"
#include "base/error.h"

typedef struct lattice_answer {
    double distance2; /* ||R x - t||^2 */
    uint64_t nodes;   /* of the tree that were visited */
    bool proven;      /* no point is closer; false: most_nodes came first */
} lattice_answer;

/* The x[d] with x[i] on ladders[i] that minimises ||R x - t||^2. r[d * d], by rows, is
 * upper triangular; most_nodes 0: no limit. context (NULL will do) is asked whether to
 * stop. ADMMNN_USAGE: a triangle that is singular or not finite, a ladder without a
 * level, a minimum more than 2^53 rungs out; ADMMNN_CANCELLED: x is the best point so far
 * where answer->distance2 is finite; ADMMNN_MEMORY. */
admmnn_status lattice_closest(const double *r, const double *t, size_t d,
                              const admm_ladder *ladders, uint64_t most_nodes,
                              const admmnn_context *context, double *x, lattice_answer *answer,
                              admmnn_error *err);

#endif
