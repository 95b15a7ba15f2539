/* Batch normalization of a batch whose samples are divided among threads: each adds up
 * its share, the sums of all shares together give the statistics, each normalizes its
 * share; and the same way back. oneDNN's primitive would take a share for a batch.
 *
 * Samples stand in memory in one of the ways of lanes_layout: rows of C x H x W floats, or such in
 * blocks of channels, or in lanes. Sums are kept in double precision, in
 * which the products of floats are exact: the variance from the mean of squares is then as good as
 * the floats it is of. */
#ifndef ENGINE_NORM_H
#define ENGINE_NORM_H

#include <stddef.h>

#include "base/error.h"
#include "engine/lanes_kernels.h"
#include "graph/graph.h"

/* What all shares have in common, one number a channel. */
typedef struct engine_norm {
    const graph *g;
    const graph_normalization *node;
    size_t channels, plane; /* plane: H x W */
    lanes_layout layout;
    size_t padded;                  /* channels, to a whole block */
    double *mean, *inverse;         /* inverse: 1 / sqrt(variance + epsilon) */
    float *center, *factor, *shift; /* y = (x - center) factor + shift */
    float *lift, *slope;            /* dx = factor dy - lift - (x - center) slope */
} engine_norm;

/* Of a node of g, which must outlive it, on row-major tensors. engine_norm_close takes what
 * engine_norm_open left, also when that failed. */
admmnn_status engine_norm_open(const graph *g, const graph_node *node, engine_norm *n,
                               admmnn_error *err);
void engine_norm_close(engine_norm *n);
/* On tensors of that layout from the next pass on. */
void engine_norm_lay_out(engine_norm *n, lanes_layout layout);
/* As many channels as there are, to a whole block of any layout. */
size_t engine_norm_channels(const engine_norm *n);

/* The same for kernels, of all channels. */
lanes_norm engine_norm_lanes(const engine_norm *n, bool rectified);

/* sums[2][padded], overwritten: of x, and of x * x, over `samples` rows. */
void engine_norm_sums(const engine_norm *n, size_t samples, const float *x, double *sums);

/* How engine_norm_forward normalizes: by the running statistics in params, or by those of
 * a batch of `count` samples with those sums, which are left in the places of
 * the running ones in `part`. */
void engine_norm_by_running(engine_norm *n, const float *params);
void engine_norm_by_batch(engine_norm *n, const float *params, const double *sums, size_t count,
                          float *part);
/* y[samples][...] from x[samples][...]; rectified: 0 where it were below. z may be added before
 * that; it is NULL on row-major tensors. */
void engine_norm_forward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                         const float *z, float *y);
/* sums[2][padded], overwritten: of dy, and of dy * x; where rectified, dy counts as 0 where y
 * is not above 0, which x tells. */
void engine_norm_backward_sums(const engine_norm *n, size_t samples, bool rectified, const float *x,
                               const float *dy, double *sums);
/* The gradient by scale and shift in `part`, from a share's sums of (dy, dy * x). */
void engine_norm_gradient(const engine_norm *n, const double *sums, float *part);
/* How engine_norm_backward goes, from such sums over the batch of `count`. */
void engine_norm_turn(engine_norm *n, const double *sums, size_t count);
/* dx[samples][...], which may be dy; not in lanes, where a convolution does it on the way. */
void engine_norm_backward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                          const float *dy, float *dx);
/* Zeros for the samples [first, end). */
void engine_norm_clear(const engine_norm *n, size_t first, size_t end, float *x);

#endif
