/* In which order a tree over lists of levels is walked, and from where. */
#ifndef ADMM_LATTICE_ORDER_H
#define ADMM_LATTICE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "admm/ladder.h"
#include "base/error.h"

/* R x - t with its coordinates in another order: column i is the one that was order[i]. */
typedef struct lattice_order {
    size_t d;
    double *r, *t;        /* [d * d] by rows, upper; [d] */
    size_t *order;        /* [d] */
    admm_ladder *ladders; /* [d] */
    double *x;            /* [d] a point that no change of one coordinate betters */
    double distance2;     /* ||R x - t||^2 */
} lattice_order;

/* From the last coordinate to the first, each time the one whose second best level costs
 * most: the tree is then cut near its root (Su and Wassell 2005; Chang and Han 2008). x is
 * what its best levels, or zero, come to by single changes. ADMMNN_MEMORY; freed with
 * lattice_order_free also after a failure. */
admmnn_status lattice_order_create(lattice_order *order, const double *r, const double *t, size_t d,
                                   const admm_ladder *ladders, admmnn_error *err);
void lattice_order_free(lattice_order *order);

#endif
