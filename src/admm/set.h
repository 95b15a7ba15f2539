/* Sets with an exact Euclidean projection. Knows no network: a tensor is a row
 * of floats, with a shape where the set needs one. */
#ifndef ADMM_SET_H
#define ADMM_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct admm_set admm_set;

/* z[count] = a nearest point of the set to v[count]; z may be v. Ties are broken
 * towards the lower index, so that the result is a function of v. */
admmnn_status admm_set_project(admm_set *set, const float *v, float *z, size_t count,
                               admmnn_error *err);
void admm_set_free(admm_set *set);

/* ---- pruning sets ---- */

/* A weight tensor as rows x inputs x taps: a convolution's filters x input
 * channels x kernel positions; an inner product's taps are 1. */
typedef struct admm_shape {
    size_t rows, inputs, taps;
} admm_shape;

/* Every one of them: ADMMNN_USAGE for a shape or numbers that make no sense, more to
 * keep than there is among them, and for a projection of another count of values;
 * ADMMNN_MEMORY. */

/* At most `kept` nonzeros of `count` values. O(count) selection, not a sort. */
admmnn_status admm_set_sparse(size_t count, size_t kept, admm_set **out, admmnn_error *err);
/* At most `kept` rows (filters), inputs (channels), or columns (one input and
 * tap across all rows: the kernel shape) that are not all zero. */
admmnn_status admm_set_filters(admm_shape shape, size_t kept, admm_set **out, admmnn_error *err);
admmnn_status admm_set_channels(admm_shape shape, size_t kept, admm_set **out, admmnn_error *err);
admmnn_status admm_set_columns(admm_shape shape, size_t kept, admm_set **out, admmnn_error *err);
/* At most `kept` nonzero blocks of block_rows x block_columns of the matrix
 * rows x (inputs * taps); blocks at the edges may be smaller. */
admmnn_status admm_set_blocks(admm_shape shape, size_t block_rows, size_t block_columns,
                              size_t kept, admm_set **out, admmnn_error *err);
/* At most n nonzeros among every m consecutive of a row of the matrix. */
admmnn_status admm_set_n_of_m(admm_shape shape, size_t n, size_t m, admm_set **out,
                              admmnn_error *err);

/* ---- quantization sets: the interval q is part of the projection ---- */

/* X(name, text) */
#define ADMM_LEVELS_MAP(X)                                                                         \
    X(EQUAL, "equal")           /* {±q, ..., ±Mq}, M = 2^(bits-1): zero where pruned alone */    \
    X(EQUAL_ZERO, "equal-zero") /* {0, ±q, ..., ±Mq}, M = 2^(bits-1) - 1, zero is a level */     \
    X(POWER_OF_TWO, "power-of-two") /* {±q, ±2q, ..., ±2^(M-1) q}, M = 2^(bits-1) */            \
    X(BINARY, "binary")             /* {±q} */                                                    \
    X(TERNARY, "ternary")           /* {0, ±q} */                                                 \
    X(SIGN, "sign")                 /* {±1}: q is 1 */

typedef enum admm_levels {
#define ADMM_LEVELS_ENUM(name, text) ADMM_LEVELS_##name,
    ADMM_LEVELS_MAP(ADMM_LEVELS_ENUM)
#undef ADMM_LEVELS_ENUM
} admm_levels;
#define ADMM_LEVELS_LAST ADMM_LEVELS_SIGN

/* The word for it in recipes and files. */
const char *admm_levels_text(admm_levels kind);
bool admm_levels_have_zero(admm_levels kind);
/* The fewest and the most bits there are such levels for. */
unsigned admm_levels_least_bits(admm_levels kind);
unsigned admm_levels_most_bits(admm_levels kind);

/* q is free: the projection finds the q > 0 that minimises the squared error
 * (Ren et al. 2018, section 3.4.2, which searches; here the optimum is exact:
 * the assignment changes only at q = |v_i| / (k + 1/2)). support[count], copied,
 * says where the values are; elsewhere z is 0 (the joint set "on this support,
 * to these levels"). NULL: everywhere. */
admmnn_status admm_set_levels(admm_levels kind, unsigned bits, const uint8_t *support, size_t count,
                              admm_set **out, admmnn_error *err);

/* Level arithmetic shared by the projection, training and packing. A code is the level's number:
 * value = admm_level_value(kind, q, code). Equal levels: value = code * q. Powers of two:
 * sign(code) * 2^(|code|-1) * q. */
int32_t admm_level_code(admm_levels kind, unsigned bits, float q, float v);
float admm_level_value(admm_levels kind, float q, int32_t code);
/* The number of positive levels, M. */
uint32_t admm_level_count(admm_levels kind, unsigned bits);
/* The q > 0 that minimises sum over the support of (v_i - nearest level)^2, and
 * that sum (NULL when not wanted). 0 when every v_i is 0. Exact. Of SIGN q is 1. */
admmnn_status admm_levels_fit(admm_levels kind, unsigned bits, const float *v,
                              const uint8_t *support, size_t count, float *q, double *error2,
                              admmnn_error *err);

#endif
