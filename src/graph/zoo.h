/* Networks known by name. */
#ifndef GRAPH_ZOO_H
#define GRAPH_ZOO_H

#include "graph/graph.h"

/* "lenet-5": Caffe's LeNet (20@5x5, pool, 50@5x5, pool, 500 ReLU, 10; 430,500
 * weights), input 1x28x28.
 * "lenet-5-bn": the same with batch normalization after every convolution and inner
 * product, and ReLU after that of convolutions too.
 * "lenet-300-100": LeCun et al. 1998, three inner products with ReLU; 266,200
 * weights, input 1x28x28.
 * "mlp-bn-WIDTH", WIDTH from 1 to GRAPH_ZOO_WIDTH_MAX: inner products to WIDTH, WIDTH,
 * WIDTH and the classes, each with batch normalization, ReLU between; in training 0.2 of
 * the inputs and 0.5 of the hidden units dropped out (Huang et al. 2020 binarise the one of
 * 4096: 36,806,656 weights on images of 28x28).
 * classes sets the last layer's outputs, input the first value's shape.
 * Unknown names are ADMMNN_INPUT, with the names there are in the message. */
admmnn_status graph_zoo_create(const char *name, graph_shape input, uint32_t classes, graph **out,
                               admmnn_error *err);
bool graph_zoo_has(const char *name);

/* The widest that a packed file holds, on images of 28x28, rounded down. */
#define GRAPH_ZOO_WIDTH_MAX 7500

/* Uniform Glorot initialisation (Glorot and Bengio 2010) of weights; scales and running
 * variances one, all else zero: params[flat_count] is overwritten. */
void graph_initialise(const graph *g, uint64_t seed, float *params);

#endif
