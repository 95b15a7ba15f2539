/* Kernels of the batch solver: one SIMD lane a run, `width` runs side by side.
 *
 * All runs of a block share the system; a vector of one of them is a column: arrays below
 * are [d][width], d padded to a multiple of `tile` rows of zeros. One iteration costs
 * width * d^2 multiply-adds, whose matrix is broadcast from the first cache. */
#ifndef ADMM_BATCH_KERNELS_H
#define ADMM_BATCH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* x := matrix * (what the method gives it) - offset. */
typedef struct batch_system {
    size_t d, padded;     /* padded: a multiple of the kernels' tile */
    const double *matrix; /* [padded][d]: of ADMM rho (Q + rho I)^-1, of gradients I - Q / rho */
    const double *offset; /* [padded]: (Q + rho I)^-1 b, or b / rho */
    const double *q;      /* [padded][d] */
    const double *b;      /* [padded] */
    double spacing, inverse_spacing; /* levels: the multiples of spacing */
} batch_system;

typedef struct batch_block {
    double *x, *u;         /* u: the multipliers over rho */
    double *y, *projected; /* y: of ADMM-R alone from one iteration to the next */
    double *right;         /* scratch */
    double *most;          /* [width] beta / rho; infinite: ADMM-Q */
    uint64_t *threshold;   /* [width] 2^32 times the probability, of ADMM-R */
    uint64_t *random[2];   /* [width] state of xorshift128+ (Vigna 2017) */
} batch_block;

typedef struct batch_kernels {
    size_t width, tile;
    /* One iteration of ADMM-Q and ADMM-S, of ADMM-R, of PGD, of gradient descent: the point of
     * A is left in projected, y, x, projected. */
    void (*soft)(const batch_system *s, batch_block *b);
    void (*randomised)(const batch_system *s, batch_block *b);
    void (*gradient)(const batch_system *s, batch_block *b);
    void (*descent)(const batch_system *s, batch_block *b);
    /* values[width] = x'Qx / 2 + b'x of points[d][width]; scratch as large. */
    void (*evaluate)(const batch_system *s, const double *points, double *scratch, double *values);
} batch_kernels;

extern const batch_kernels batch_kernels_2, batch_kernels_4, batch_kernels_8;
/* Those of `lanes` doubles a vector; 0: the widest this processor runs. NULL: none. */
const batch_kernels *batch_kernels_get(size_t lanes);

#endif
