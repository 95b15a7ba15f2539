/* The Alternating Direction Method of Multipliers (Boyd et al. 2011, section 3)
 * for  minimise f(x) + g(z)  subject to  x = z,  g the indicator of a product of
 * sets, in scaled form:
 *     x := argmin f(x) + sum_i rho_i/2 ||x_i - z_i + u_i||^2      (the caller's)
 *     z_i := project(x_i + u_i)
 *     u_i := u_i + x_i - z_i
 * Blocks i are ranges of one flat vector. */
#ifndef ADMM_ADMM_H
#define ADMM_ADMM_H

#include "admm/set.h"

typedef struct admm_block {
    char name[32];
    size_t offset, count; /* range of the flat vector */
    admm_set *set;        /* owned by the problem once created */
    float rho;
} admm_block;

/* Primal residual ||x - z||, dual residual rho ||z - z_previous||, and the norms
 * they are compared with. */
typedef struct admm_residual {
    double primal, dual;
    double x_norm, z_norm, u_norm;
} admm_residual;

/* How rho goes from iteration to iteration. FIXED keeps first; GEOMETRIC goes from
 * first to last over the given number of iterations; BALANCING begins at first and
 * multiplies or divides by `factor` when one residual exceeds the other `ratio` times
 * (Boyd section 3.4.1). u is rescaled where rho changes. */
typedef enum admm_schedule_kind {
    ADMM_RHO_FIXED,
    ADMM_RHO_GEOMETRIC,
    ADMM_RHO_BALANCING
} admm_schedule_kind;

typedef struct admm_schedule {
    admm_schedule_kind kind;
    float first, last;
    uint32_t iterations;
    float ratio, factor; /* balancing; 10 and 2 when 0 */
} admm_schedule;

/* What the z step does with the projection zbar of v = x + u (Huang et al. 2020):
 * X(name, text) */
#define ADMM_VARIANT_MAP(X)                                                                        \
    X(Q, "admm-q") /* z := zbar */                                                                 \
    X(S, "admm-s") /* z: from v at most beta / rho towards zbar, by block: no point of the set */  \
    X(R, "admm-r") /* each place of zbar with a probability, else as z was, and the set's point    \
                      nearest to that */

typedef enum admm_variant_kind {
#define ADMM_VARIANT_ENUM(name, text) ADMM_VARIANT_##name,
    ADMM_VARIANT_MAP(ADMM_VARIANT_ENUM)
#undef ADMM_VARIANT_ENUM
} admm_variant_kind;

typedef struct admm_variant {
    admm_variant_kind kind;
    float beta;          /* of S */
    float probability;   /* of R */
    uint64_t seed, step; /* name R's draws of one update */
} admm_variant;

typedef struct admm_problem admm_problem;

/* blocks[block_count] are copied, their sets taken over (also on failure). size:
 * length of the flat vector; places outside every block take no part. ADMMNN_USAGE: a
 * block that is not within size, or whose rho is not a finite number above 0;
 * ADMMNN_MEMORY. */
admmnn_status admm_create(const admm_block *blocks, size_t block_count, size_t size,
                          admm_problem **out, admmnn_error *err);
void admm_free(admm_problem *problem);

/* z := project(x), u := 0. A warm start leaves this out and writes z and u. A value that
 * is not finite is ADMMNN_DIVERGED with the block's name; the sets' other errors. */
admmnn_status admm_start(admm_problem *problem, const float *x, admmnn_error *err);
/* Of the updates from now on; Q at first. */
void admm_set_variant(admm_problem *problem, const admm_variant *variant);
/* The z and u steps. residuals[block_count] (NULL when not wanted). Fails as admm_start
 * does, and z and u are then worth nothing. */
admmnn_status admm_update(admm_problem *problem, const float *x, admm_residual *residuals,
                          admmnn_error *err);
/* set, of as many values as block i, is taken over in the place of the block's own, which is
 * freed; z and u stay as they are until the next update. */
void admm_block_replace_set(admm_problem *problem, size_t i, admm_set *set);
/* Sets each block's rho for iteration k (from 0); rescales u where rho changes. */
void admm_set_rho(admm_problem *problem, const admm_schedule *schedule, uint32_t k,
                  const admm_residual *residuals);
/* True when every block has primal <= relative * max(x_norm, z_norm) and
 * dual <= relative * rho * u_norm (Boyd section 3.3.1, without absolute part). */
bool admm_converged(const admm_problem *problem, const admm_residual *residuals, double relative);

size_t admm_block_count(const admm_problem *problem);
const admm_block *admm_block_at(const admm_problem *problem, size_t i);
const float *admm_z(const admm_problem *problem);
const float *admm_u(const admm_problem *problem);
/* For checkpoints: z and u may be written. */
float *admm_z_mutable(admm_problem *problem);
float *admm_u_mutable(admm_problem *problem);
void admm_block_rho_set(admm_problem *problem, size_t i, float rho);

/* anchor[count] = z - u at those places of the flat vector (NULL: from its first on): the
 * penalty's gradient is rho (x - anchor). Zero outside blocks. */
void admm_anchor(const admm_problem *problem, const size_t *places, size_t count, float *anchor);

#endif
