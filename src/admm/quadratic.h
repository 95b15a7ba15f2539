/* f(x) = x'Qx / 2 + b'x with a symmetric Q: by its entries, dense or sparse, or by its
 * product with a vector alone. */
#ifndef ADMM_QUADRATIC_H
#define ADMM_QUADRATIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One of three. Arrays are the caller's and must outlive what is made of them. */
typedef struct admm_matrix {
    const double *dense; /* [d * d], by rows */
    /* By rows, both triangles: the entries of row i are value[start[i]] to
     * value[start[i + 1]], in columns column[...]. start[d + 1]; NULL: not sparse. */
    const size_t *start;
    const uint32_t *column;
    const double *value;
    /* y = Q x, false when it cannot be computed; NULL: by entries. */
    bool (*product)(void *user, const double *x, double *y);
    void *user;
} admm_matrix;

typedef struct admm_quadratic admm_quadratic;

/* b[d], NULL: zero. ADMMNN_USAGE: a matrix that is not symmetric (to 1e-12 of its largest
 * entry), an entry that is not finite or stands where there is no column; ADMMNN_MEMORY. */
admmnn_status admm_quadratic_create(const admm_matrix *q, const double *b, size_t d,
                                    admm_quadratic **out, admmnn_error *err);
void admm_quadratic_free(admm_quadratic *f);

size_t admm_quadratic_dimension(const admm_quadratic *f);
/* y[d] = Q x. ADMMNN_DIVERGED when the product cannot be computed. */
admmnn_status admm_quadratic_product(const admm_quadratic *f, const double *x, double *y,
                                     admmnn_error *err);
/* f(x), and its gradient Qx + b in gradient[d]. */
admmnn_status admm_quadratic_value(const admm_quadratic *f, const double *x, double *value,
                                   double *gradient, admmnn_error *err);

/* The smallest and the largest eigenvalue: of a dense matrix to rounding, else by
 * Lanczos's method (bounds from within; good to `relative` for the largest, which is what
 * is asked of them). */
admmnn_status admm_quadratic_spectrum(const admm_quadratic *f, double relative, double *smallest,
                                      double *largest, admmnn_error *err);

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
                                   admmnn_error *err);

#endif
