/* Networks known by name. */
#ifndef GRAPH_ZOO_H
#define GRAPH_ZOO_H

#include "graph/graph.h"

/* "lenet-5": Caffe's LeNet (20@5x5, pool, 50@5x5, pool, 500 ReLU, 10; 430,500
 * weights), input 1x28x28.
 * "lenet-300-100": LeCun et al. 1998, three inner products with ReLU; 266,200
 * weights, input 1x28x28.
 * classes sets the last layer's outputs, input the first value's shape.
 * Unknown names are ADMMNN_INPUT, with the names there are in the message. */
admmnn_status graph_zoo_create(const char *name, graph_shape input, uint32_t classes, graph **out,
                               admmnn_error *err);
bool graph_zoo_has(const char *name);

/* Uniform Glorot initialisation (Glorot and Bengio 2010) of weights, zero biases:
 * params[flat_count] is overwritten. */
void graph_initialise(const graph *g, uint64_t seed, float *params);

#endif
