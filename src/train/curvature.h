/* A second-order model of the loss around a network's weights W0, and the x step of ADMM on it.
 *
 * Of each weight matrix, as it stands in memory, W[rows][columns], the Fisher information, which is
 * the Gauss-Newton curvature of the cross-entropy, is taken for a Kronecker product:
 *
 *     f(W) = 1/2 tr(L (W - W0) R (W - W0)')       L = E[G G'] / tr E[G G'],  R = E[G' G]
 *
 * G being the gradient of the loss of a label that is drawn from the network's own answer. Layers
 * are independent of one another in it. (J. Martens and R. Grosse 2015, arXiv:1503.05671, for
 * Kronecker factors of the Fisher information and the drawn labels; V. Gupta et al. 2018,
 * arXiv:1802.09568, for factors from gradients by the weights alone; D. Morwani et al. 2024,
 * arXiv:2406.17748, for why their product over the trace is near the best such product.)
 *
 * The gradient of a batch serves for that of a sample: with labels drawn independently their mean
 * is zero, so that E[G G'] of a sum of samples is the sum of theirs. Behind a batch normalization
 * or a dropout that is not quite so, as answers are by running statistics and without dropout, and
 * gradients by the batch's and with it: the square of what the mean then is comes on top. */
#ifndef TRAIN_CURVATURE_H
#define TRAIN_CURVATURE_H

#include "base/pool.h"
#include "engine/engine.h"
#include "graph/graph.h"

/* A factor of more rows than this is taken for diagonal: it would be as large as the network. */
#define TRAIN_CURVATURE_SIDE_MAX 4608

typedef struct train_curvature train_curvature;

/* Of the weights of g's layers, all gradients zero so far. g and pool must outlive it. */
admmnn_status train_curvature_create(const graph *g, base_pool *pool, train_curvature **out,
                                     admmnn_error *err);
void train_curvature_free(train_curvature *c);
/* Bytes that it takes, in a pool of so many threads. */
uint64_t train_curvature_size(const graph *g, unsigned threads);

/* gradient[flat_count]: of the sum of the losses of a batch's drawn labels. */
admmnn_status train_curvature_add(train_curvature *c, const float *gradient, admmnn_error *err);

/* Ends the adding: factors, with a share of their mean added to their diagonals, into their
 * eigenvectors. w0[flat_count]. ADMMNN_DIVERGED: a factor that is not finite. */
admmnn_status train_curvature_settle(train_curvature *c, const float *w0, admmnn_error *err);

/* Of a layer, after settling: the mean of the curvature's diagonal; above 0. */
double train_curvature_mean(const train_curvature *c, uint32_t layer);

/* x[flat_count] at the layers' weights = argmin f(x) + rho_i / 2 ||x_i - anchor_i||^2 with rho_i =
 * rho[layer] train_curvature_mean(layer): exact, by the eigenvectors. The layer's rho, so, has no
 * unit. */
admmnn_status train_curvature_step(train_curvature *c, const float *rho, const float *anchor,
                                   float *x, admmnn_error *err);

#endif
