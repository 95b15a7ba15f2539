/* What a solver holds, shared by its making (solver.c) and its runs (solver_run.c). */
#ifndef ADMM_SOLVER_H
#define ADMM_SOLVER_H

#include "admmnn/solver.h"

#include "admm/product.h"
#include "admm/quadratic.h"
#include "base/random.h"

/* One run's vectors, each [d]. */
typedef struct solver_iterate {
    double *x, *y, *l;     /* l: the multipliers */
    double *z, *projected; /* x + l / rho, and its projection */
    double *y_before;
    double *gradient, *right;
    double *best;
    double *x_mark, *l_mark; /* what later iterates are compared with */
    double best_value;
    base_random random;
} solver_iterate;
#define SOLVER_VECTORS 11

struct admmnn_solver {
    admmnn_problem problem;
    admmnn_solver_settings settings;
    size_t d;
    bool shares; /* set, which is another's */
    admm_product *set;
    admm_quadratic *quadratic; /* NULL: any f */
    double lipschitz, rho;
    /* Of a quadratic: the smallest eigenvalue, a bound of all by size, and how far both may be
     * off. */
    double smallest, bound, residual;
    double *vectors; /* [SOLVER_VECTORS][d] */
    solver_iterate at;
};

bool solver_is_admm(admmnn_method method);
/* Another one for a second thread, with what depends on the problem alone (eigenvalues, the
 * factor) in common; `of` must outlive it. ADMMNN_MEMORY. */
admmnn_status solver_share(const admmnn_solver *of, admmnn_solver **out, admmnn_error *err);

#endif
