/* ADMM-Q (Huang et al. 2020) on a user's own quadratic, and its experiments. */
#ifndef ADMMNN_ADMMQ_H
#define ADMMNN_ADMMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admmnn/context.h"
#include "admmnn/error.h"
#include "admmnn/solver.h"
#include "admmnn/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The values of some runs: their least, quartiles (between two values in proportion) and
 * greatest. NaN where there is no run. */
typedef struct admmnn_quartiles {
    double least, lower, median, upper, greatest;
} admmnn_quartiles;

typedef struct admmnn_admmq_settings {
    /* Paths. Q: a NumPy array (.npy) of d x d numbers, or a sparse matrix in the Matrix
     * Market's coordinate format (.mtx); b: a NumPy array of d, NULL: zero. */
    const char *q, *b;
    /* As admmnn_problem's; or the path of a NumPy array (.npy) whose row i has the levels of
     * coordinate i, rising; of fewer rows each is that of as many coordinates, one group after
     * another, and a single one that of all. Short rows end in NaN. */
    const char *set;
    admmnn_solver_settings solver;
    /* At least 1; 0: as many as `start` has. Methods that start nowhere do one run. */
    uint32_t starts;
    /* A NumPy array of starts x d (or of d, for one start); NULL: drawn from the normal
     * distribution of deviation start_scale by solver.seed. */
    const char *start;
    double start_scale;
} admmnn_admmq_settings;

typedef struct admmnn_admmq_result {
    size_t dimension;
    double *x;               /* [dimension] of the best start; NULL: no run had a point */
    admmnn_solver_info info; /* of the best start */
    uint32_t best;           /* its number, from 0: that of the least objective, of those that
                              * did not diverge where there are any */
    uint32_t starts;         /* that were run, fewer than asked for after a stop */
    uint32_t diverged;
    admmnn_quartiles objective; /* over the starts that did not diverge */
    double iterations;          /* their mean */
} admmnn_admmq_result;

/* Solves from every start, by several threads where there are several. *result is the
 * caller's, freed with admmnn_admmq_free, also after a failure. ADMMNN_NOT_FOUND,
 * ADMMNN_IO, ADMMNN_CORRUPT, ADMMNN_UNSUPPORTED: a file that is absent, cannot be read, is
 * damaged or of another kind; ADMMNN_INPUT: shapes that do not fit one another; those of
 * admmnn_solver_create; ADMMNN_DIVERGED: every start diverged; ADMMNN_CANCELLED. After
 * the last two result holds the best point before, where there was one. */
admmnn_status admmnn_admmq_solve(const admmnn_admmq_settings *settings,
                                 const admmnn_context *context, admmnn_admmq_result *result,
                                 admmnn_error *err);
void admmnn_admmq_free(admmnn_admmq_result *result);

/* ---- experiments ---- */

/* Quadratics x'Qx/2 + b'x on the multiples of a spacing, as Huang et al. (2020, section
 * 5.1) draw them: Q = G'G + v^2 qq' with G, q standard normal, b 20 times and starts 10
 * times standard normal. */
typedef struct admmnn_quadratics_settings {
    const char *out; /* folder; made when absent */
    bool force;      /* replace the files of an earlier run */
    uint32_t dimension, instances, starts;
    double condition; /* v */
    double spacing;
    uint64_t iterations, pgd_iterations;
    uint32_t last;  /* the answer is the best of this many last iterates */
    uint64_t nodes; /* of branch and bound for one instance, at most; 0: no limit */
    uint64_t seed;
} admmnn_quadratics_settings;

/* As published: 12 instances of 16 coordinates, v 10, spacing 8, 50 starts, 30,000 and
 * 100,000 iterations, the best of the last 50. */
void admmnn_quadratics_defaults(admmnn_quadratics_settings *settings);
/* ADMM-Q, ADMM-S, ADMM-R and projected gradient at rho/L from 1e-6 to 1e2, beta from 1e-5
 * to 1e5 and seven probabilities; each method's setting of the best mean rank then on as
 * many other instances, where methods are compared by the signed-rank test; beside the
 * true optimum. Leaves in out: quadratics.json, quadratics.svg (boxes), quadratics-rho.svg.
 * ADMMNN_USAGE: numbers that make no sense, files that are there without force;
 * ADMMNN_IO; ADMMNN_MEMORY; ADMMNN_CANCELLED, nothing is left then. */
admmnn_status admmnn_quadratics_run(const admmnn_quadratics_settings *settings,
                                    const admmnn_context *context, admmnn_error *err);
/* quadratics.json of a folder, as it stands there, or as a table for people; the
 * caller's, freed with admmnn_text_free. ADMMNN_NOT_FOUND; ADMMNN_CORRUPT; ADMMNN_IO;
 * ADMMNN_MEMORY. */
admmnn_status admmnn_quadratics_json(const char *out, char **text, admmnn_error *err);
admmnn_status admmnn_quadratics_table(const char *out, char **text, admmnn_error *err);

typedef struct admmnn_recipes_settings {
    const char *out;     /* folder; made when absent */
    const char *recipes; /* folder of recipes, *.yaml: at most 32, compared by name */
    uint32_t seeds;      /* runs of each, 1 to 1000 */
    uint64_t first_seed; /* the others follow it */
} admmnn_recipes_settings;
/* Runs every recipe with every seed (admmnn_compress_run, in out/recipe-runs/, going on
 * with what is there) and leaves recipes.json and recipes.svg in out: means and standard
 * deviations (null of one seed) of the dense, quantized and packed networks' accuracies. The
 * statuses are those of that call; before the first run ADMMNN_NOT_FOUND also: no such folder;
 * ADMMNN_INPUT: no recipe in it, more than 32, or one that is not in order; ADMMNN_USAGE: no
 * seeds, too many or too large ones, or a recipes.json in out that is none of admmnn. */
admmnn_status admmnn_recipes_run(const admmnn_recipes_settings *settings,
                                 const admmnn_context *context, admmnn_error *err);
/* As admmnn_quadratics_json and _table, of recipes.json. */
admmnn_status admmnn_recipes_json(const char *out, char **text, admmnn_error *err);
admmnn_status admmnn_recipes_table(const char *out, char **text, admmnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
