/* A lattice's basis and its reduction (Lenstra, Lenstra and Lovasz 1982). */
#ifndef ADMM_LATTICE_BASIS_H
#define ADMM_LATTICE_BASIS_H

#include <stdbool.h>
#include <stddef.h>

#include "admm/ladder.h"
#include "base/context.h"
#include "base/error.h"

/* Vector j of the basis is b[j * d .. + d] = sum_i change[j * d + i] old vector i. star:
 * the vectors made orthogonal; mu[j * d + i]: the share of star i in vector j. */
typedef struct lattice_basis {
    size_t d;
    double *b, *star, *mu, *length2, *change;
} lattice_basis;

/* False: no memory. Freed with lattice_basis_free either way. */
bool lattice_basis_create(lattice_basis *basis, size_t d);
void lattice_basis_free(lattice_basis *basis);

/* Reduces the lattice R x, r[d * d] by rows and upper, x on endless ladders. The basis is
 * 1 / *scale of it, lest its squares leave floating point. ADMMNN_USAGE: too nearly
 * singular; ADMMNN_CANCELLED. */
admmnn_status lattice_basis_reduce(lattice_basis *basis, const double *r,
                                   const admm_ladder *ladders, const admmnn_context *context,
                                   double *scale, admmnn_error *err);
/* The reduced basis as a triangle (by rows), with the target t in its axes; multipliers are
 * whole numbers. */
void lattice_basis_triangle(const lattice_basis *basis, const double *t, double scale, double *r,
                            double *target);
/* x of such multipliers. */
void lattice_basis_change_back(const lattice_basis *basis, const admm_ladder *ladders,
                               const double *multipliers, double *x);

#endif
