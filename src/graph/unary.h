/* Functions of one number, as operations apply them to every element. */
#ifndef GRAPH_UNARY_H
#define GRAPH_UNARY_H

#include <math.h>

#include "graph/graph.h"

#define GRAPH_SQRT_2 1.41421356237309504880
#define GRAPH_SQRT_2_PI 0.79788456080286535588 /* sqrt(2 / pi) */
#define GRAPH_GELU_CUBIC 0.044715

double graph_unary_value(const graph_unary *unary, double x);

static inline double graph_sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}

/* Of the tanh in GELU's approximation. */
static inline double graph_gelu_argument(double x) {
    return GRAPH_SQRT_2_PI * (x + GRAPH_GELU_CUBIC * x * x * x);
}

#endif
