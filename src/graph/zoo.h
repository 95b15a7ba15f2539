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
 * "alexnet": Krizhevsky et al. 2012 as Caffe's BVLC reference: groups, pooling before local
 * response normalization; 60,954,656 weights, input 3x227x227.
 * "vgg-16": Simonyan and Zisserman 2015, D; 138,344,128 weights, input 3x224x224.
 * "vgg-small": six normalized convolutions and one inner product, of binary and quantized
 * networks (Zhang et al. 2018, LQ-Nets); 4,656,512 weights, input 3x32x32.
 * "resnet-18", "resnet-50": He et al. 2016 with projections where the shape changes (option
 * B), the stride in the bottleneck's middle convolution, as later authors have it; input
 * 3x224x224.
 * "resnet-20", "resnet-56": He et al. 2016 for images of 32x32, shortcuts without parameters
 * (option A), as in the paper.
 * "mobilenet-v1": Howard et al. 2017; "mobilenet-v2": Sandler et al. 2018, of width 1; input
 * 3x224x224.
 * "transformer-small": an encoder over patches of 4x4, as of Dosovitskiy et al. 2021: 6
 * blocks of width 128, 4 heads, 512 hidden units, the mean of its tokens classified.
 * classes sets the last layer's outputs, input the first value's shape.
 * Unknown names are ADMMNN_INPUT, with the names there are in the message. */
admmnn_status graph_zoo_create(const char *name, graph_shape input, uint32_t classes, graph **out,
                               admmnn_error *err);
bool graph_zoo_has(const char *name);

/* Of 118 million weights, on images of 28x28. */
#define GRAPH_ZOO_WIDTH_MAX 7500

/* Weights as the graph's initialisation says; scales and running variances one; tensors that
 * are operands small and normal; all else zero. params[flat_count] is overwritten. */
void graph_initialise(const graph *g, uint64_t seed, float *params);

#endif
