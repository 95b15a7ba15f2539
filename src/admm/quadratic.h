/* f(x) = x'Qx / 2 + b'x with a symmetric Q: by its entries, dense or sparse, or by its
 * product with a vector alone. */
#ifndef ADMM_QUADRATIC_H
#define ADMM_QUADRATIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admmnn/solver.h"
#include "base/context.h"
#include "base/error.h"

typedef struct admm_quadratic admm_quadratic;

/* b[d], NULL: zero. q's arrays are the caller's and must outlive what is made of them.
 * ADMMNN_USAGE: a matrix that is not symmetric (to 1e-12 of its largest entry), an entry that is
 * not finite or stands where there is no column; ADMMNN_MEMORY. */
admmnn_status admm_quadratic_create(const admmnn_matrix *q, const double *b, size_t d,
                                    admm_quadratic **out, admmnn_error *err);
/* Another one for a second thread, as it was after its last shift, which must outlive it: the
 * factor is one for both. Not to be shifted. */
admmnn_status admm_quadratic_share(const admm_quadratic *of, admm_quadratic **out,
                                   admmnn_error *err);
void admm_quadratic_free(admm_quadratic *f);

/* y[d] = Q x. ADMMNN_DIVERGED when the product cannot be computed. */
admmnn_status admm_quadratic_product(const admm_quadratic *f, const double *x, double *y,
                                     admmnn_error *err);
/* f(x), and its gradient Qx + b in gradient[d]. */
admmnn_status admm_quadratic_value(const admm_quadratic *f, const double *x, double *value,
                                   double *gradient, admmnn_error *err);

/* The smallest and the largest eigenvalue: of a dense matrix of at most 512
 * coordinates to rounding, else by Lanczos's method, until the residuals of both are `relative` of
 * the larger. There are eigenvalues within *residual (0 of the former) of both, and beyond them as
 * far as the method sees none. context (NULL will do) is asked by products whether to stop. */
admmnn_status admm_quadratic_spectrum(const admm_quadratic *f, double relative, double *smallest,
                                      double *largest, double *residual,
                                      const admmnn_context *context, admmnn_error *err);

/* A dense, positive definite Q as R'R with r[d * d] = R, upper, by rows, and t[d] such that
 * f(x) = ||R x - t||^2 / 2 + a constant. ADMMNN_USAGE: Q is not positive definite. */
admmnn_status admm_quadratic_triangle(const admm_quadratic *f, double *r, double *t,
                                      admmnn_error *err);

/* Prepares solve for Q + rho I: one Cholesky factorisation of a dense matrix.
 * ADMMNN_USAGE: Q + rho I is not positive definite. */
admmnn_status admm_quadratic_shift(admm_quadratic *f, double rho, admmnn_error *err);
/* x[d] = (Q + rho I)^-1 y[d] for the last rho: by the factor, or by conjugate gradients
 * from x as it stands, until the residual is `tolerance` of y's norm. */
admmnn_status admm_quadratic_solve(admm_quadratic *f, const double *y, double tolerance, double *x,
                                   const admmnn_context *context, admmnn_error *err);

#endif
