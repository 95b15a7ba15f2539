/* Many runs on one quadratic at once: ADMM-Q, -S and -R with the exact x step,
 * projected gradient, and gradient descent that is rounded, on the multiples of a
 * spacing. The answers are the solver's but for rounding, which decides where a run is chaotic, and
 * for ADMM-R's draws, which are others. */
#ifndef ADMM_BATCH_H
#define ADMM_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admm/batch_kernels.h"
#include "base/context.h"

typedef enum batch_method {
    BATCH_SOFT,
    BATCH_RANDOMISED,
    BATCH_GRADIENT,
    BATCH_DESCENT
} batch_method;

typedef struct batch_problem {
    size_t d;
    const double *q; /* [d * d], symmetric */
    const double *b; /* [d] */
    double spacing;  /* levels: its multiples */
    double rho;
    batch_method method;
    uint64_t iterations;
    uint64_t last; /* the answer is the best of this many last iterates, at least 1 */
} batch_problem;

typedef struct batch_run {
    const double *start;   /* [d] */
    double beta;           /* of ADMM-S; infinite: ADMM-Q */
    double probability;    /* of ADMM-R */
    uint64_t seed, number; /* name ADMM-R's draws */
    /* What comes of it. */
    double value;        /* f of the answer; infinite when the run diverged */
    uint64_t iterations; /* done, before it repeated or diverged */
} batch_run;

/* Does all runs in the calling thread. kernels NULL: the best. context (NULL will do) is
 * asked whether to stop. ADMMNN_USAGE: Q + rho I is not positive definite;
 * ADMMNN_CANCELLED; ADMMNN_MEMORY. */
admmnn_status batch_solve(const batch_problem *problem, const batch_kernels *kernels,
                          const admmnn_context *context, batch_run *runs, size_t count,
                          admmnn_error *err);

#endif
