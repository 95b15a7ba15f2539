/* Minimises a function over a product of sets of few values, by the Alternating Direction
 * Method of Multipliers and its variants for such sets (Huang et al. 2020, "Alternating
 * Direction Method of Multipliers for Quantization"):
 *
 *     minimise f(x)  subject to  x in A = A_1 x ... x A_d
 *
 * with the augmented Lagrangian L(x, y, l) = f(x) + <l, x - y> + rho/2 ||x - y||^2, x free
 * and y in A. A problem is described, a solver made of it, and solved from as many starts
 * as are wanted:
 *
 *     admmnn_solver_settings settings;
 *     admmnn_solver_defaults(ADMMNN_METHOD_ADMM_Q, &settings);
 *     admmnn_solver_create(&problem, &settings, NULL, &solver, &err);
 *     admmnn_solver_solve(solver, start, 0, NULL, x, &info, &err);
 *     admmnn_solver_free(solver);
 */
#ifndef ADMMNN_SOLVER_H
#define ADMMNN_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admmnn/context.h"
#include "admmnn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A symmetric matrix, in one of three ways. */
typedef struct admmnn_matrix {
    const double *dense; /* [d * d], by rows */
    /* Or sparse, by rows, both triangles: the entries of row i are value[start[i]] to
     * value[start[i + 1]], in rising columns. start[d + 1]. */
    const size_t *start;
    const uint32_t *column;
    const double *value;
    /* Or by y = Q x alone; false: it cannot be computed. */
    bool (*product)(void *user, const double *x, double *y);
    void *user;
} admmnn_matrix;

/* What is minimised. Arrays must stay as they are while there is a solver. */
typedef struct admmnn_problem {
    size_t dimension;
    /* f(x) = x'Qx / 2 + b'x; b NULL: zero. f must be bounded below on the set: a Q that is not
     * positive definite wants one that has ends. */
    const admmnn_matrix *q;
    const double *b;
    /* Or, where q is NULL, any f: its value, and its gradient in gradient[d] unless that
     * is NULL. A value that is not finite ends the run as diverged. */
    double (*f)(void *user, const double *x, double *gradient);
    void *user;
    /* grid:D, grid:D:LOW:HIGH, binary, ternary, power-of-two:A:B, levels:V,V,... for every
     * coordinate, scaled-binary:G with a fitted scale for each G coordinates; or, where it
     * is NULL, lists: the values of coordinate i are levels[first[i]] to
     * levels[first[i + 1]], rising. first[d + 1]. */
    const char *set;
    const double *levels;
    const size_t *first;
} admmnn_problem;

/* X(name, text) */
#define ADMMNN_METHOD_MAP(X)                                                                       \
    X(ADMM_Q, "admm-q")     /* y := P(x + l / rho) */                                              \
    X(ADMM_S, "admm-s")     /* y: at most beta / rho towards that projection */                    \
    X(ADMM_R, "admm-r")     /* each coordinate of y projected anew with a probability */           \
    X(PGD, "pgd")           /* x := P(x - gradient / rho) */                                       \
    X(GD_ROUND, "gd-round") /* gradient steps of 1 / rho without the constraint, then P */         \
    X(ROUND, "round")       /* P of a quadratic's minimum without the constraint */                \
    X(EXACT, "exact")       /* of a definite quadratic: branch and bound, no better point exists */

typedef enum admmnn_method {
#define ADMMNN_METHOD_ENUM(name, text) ADMMNN_METHOD_##name,
    ADMMNN_METHOD_MAP(ADMMNN_METHOD_ENUM)
#undef ADMMNN_METHOD_ENUM
} admmnn_method;

/* How x := argmin L(x, y, l) is done. X(name, text) */
#define ADMMNN_X_STEP_MAP(X)                                                                       \
    X(EXACT, "exact")       /* a quadratic alone: one factorisation, or conjugate gradients to     \
                               `tolerance` */                                                      \
    X(GRADIENT, "gradient") /* the inexact ADMM-I: steps of 1 / (L + rho) down L's gradient in x,  \
                               until that is `tolerance` of what it began as */                    \
    X(LINEAR, "linear")     /* f replaced by its tangent at the last x */

typedef enum admmnn_x_step {
#define ADMMNN_X_STEP_ENUM(name, text) ADMMNN_X_STEP_##name,
    ADMMNN_X_STEP_MAP(ADMMNN_X_STEP_ENUM)
#undef ADMMNN_X_STEP_ENUM
} admmnn_x_step;

typedef struct admmnn_solver_settings {
    admmnn_method method;
    admmnn_x_step x_step;
    uint32_t gradient_steps; /* of an inexact x step, at most */
    double tolerance;    /* of conjugate gradients, residual over right side, and of gradients */
    double rho;          /* of the penalty; 0: rho_relative times L */
    double rho_relative; /* in units of L, the Lipschitz constant of f's gradient; 0: below */
    /* L; 0: computed of a quadratic; any other f needs it for an x step of gradients, and
     * where rho is 0. */
    double lipschitz;
    double beta;         /* of ADMM-S; 0: y = z, and infinite: ADMM-Q */
    double probability;  /* of ADMM-R */
    uint64_t iterations; /* at most */
    uint32_t last;       /* the answer is the best of this many last iterates; 0: of all */
    bool check;          /* whether the augmented Lagrangian decreases: one more f a time */
    /* f is another at every call, as the loss of a batch drawn anew: no two of its values are
     * compared and no run ends before `iterations`; the answer is the last iterate's point, and
     * its objective the value that was drawn there. */
    bool stochastic;
    uint64_t nodes; /* of branch and bound, at most; 0: no limit */
    uint64_t seed;  /* of ADMM-R's coordinates */
} admmnn_solver_settings;

/* X(name, text) */
#define ADMMNN_OUTCOME_MAP(X)                                                                      \
    X(NOT_RUN, "not run")                                                                          \
    X(REPEATS, "iterates repeat") /* so that no later one is another */                            \
    X(ITERATION_LIMIT, "iteration limit")                                                          \
    X(OPTIMAL, "optimal") /* proven by branch and bound */                                         \
    X(NODE_LIMIT, "node limit")                                                                    \
    X(ROUNDED, "rounded")                                                                          \
    X(STOPPED, "stopped on request") /* the answer is the best before that */                      \
    X(DIVERGED, "diverged")          /* likewise */

typedef enum admmnn_outcome {
#define ADMMNN_OUTCOME_ENUM(name, text) ADMMNN_OUTCOME_##name,
    ADMMNN_OUTCOME_MAP(ADMMNN_OUTCOME_ENUM)
#undef ADMMNN_OUTCOME_ENUM
} admmnn_outcome;

/* How a run went. What was not measured is NaN; what was not checked is -1. */
typedef struct admmnn_solver_info {
    admmnn_outcome outcome;
    /* Done: until the iterates repeated, and `last` more; of branch and bound: nodes. */
    uint64_t iterations;
    double objective;      /* f of the answer */
    double rho, lipschitz; /* L; 0: not known */
    double primal, dual;   /* ||x - y|| and rho ||y - y before|| of the last iteration */
    /* The theory's conditions (Huang et al. 2020). rho_suffices: rho (rho + m) >= 2 L^2 with
     * m the smallest eigenvalue of Q, so that the augmented Lagrangian decreases; of the
     * exact x step alone. decreased: it did not grow in any iteration after the first.
     * stationary: the answer is, in every coordinate (or group with one scale), nearest to
     * answer - gradient / rho. limit_stationary: the same of the last iterate's point, where the
     * iterates repeat. */
    int rho_suffices, decreased, stationary, limit_stationary;
} admmnn_solver_info;

typedef struct admmnn_solver admmnn_solver;

/* The method with an exact x step and the best of all of at most 30,000 iterations; beta 1,
 * probability 0.9. A rho_relative of 0 is, of ADMM-Q and ADMM-S, 1e-5, among the best over
 * ill-conditioned quadratics without being the smallest tried (docs/admmq.md); of ADMM-R
 * 1e-3; of the inexact x steps and the gradient methods, which diverge at small ones, 1
 * (linear: 3). */
void admmnn_solver_defaults(admmnn_method method, admmnn_solver_settings *settings);
/* A solver with its memory, factorisation and L; the caller's, freed with
 * admmnn_solver_free. ADMMNN_USAGE says what is wrong with the problem or the settings: Q
 * not symmetric, not finite, or Q + rho I not positive definite; a set that is empty or
 * whose levels do not rise; a rho below 0 or not finite; ADMMNN_DIVERGED: Q's eigenvalues
 * cannot be computed; ADMMNN_CANCELLED: context (NULL will do) is asked where Q is a product
 * or sparse; ADMMNN_MEMORY. */
admmnn_status admmnn_solver_create(const admmnn_problem *problem,
                                   const admmnn_solver_settings *settings,
                                   const admmnn_context *context, admmnn_solver **solver,
                                   admmnn_error *err);
/* From start[dimension] (NULL: zero) to x[dimension], a point of A, by one thread at a time.
 * number tells runs of one solver apart: ADMM-R draws by it.
 * context (NULL will do) hears of the progress and is asked whether to stop. Of the same
 * start and settings the answer is the same; f must be a function of x unless settings say
 * otherwise, since a run whose iterates repeat is ended. ADMMNN_DIVERGED: an iterate or f was not
 * finite, a product failed, or conjugate gradients did not reach the tolerance; ADMMNN_CANCELLED:
 * after these two x and info hold the best point before, or else the last one, whose objective is
 * NaN where f is not known; without any x stays as it is. ADMMNN_USAGE: a start that is not finite,
 * Q + rho I that conjugate gradients find not positive definite, of exact a lattice that cannot be
 * reduced or whose minimum is too far out; ADMMNN_MEMORY. */
admmnn_status admmnn_solver_solve(admmnn_solver *solver, const double *start, uint64_t number,
                                  const admmnn_context *context, double *x,
                                  admmnn_solver_info *info, admmnn_error *err);
void admmnn_solver_free(admmnn_solver *solver);

/* The words of the maps above; static storage. */
const char *admmnn_method_text(admmnn_method method);
const char *admmnn_x_step_text(admmnn_x_step step);
const char *admmnn_outcome_text(admmnn_outcome outcome);
/* The method of a word; false when there is none. */
bool admmnn_method_find(const char *text, admmnn_method *method);
bool admmnn_x_step_find(const char *text, admmnn_x_step *step);

#ifdef __cplusplus
}
#endif
#endif
