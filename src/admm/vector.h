/* Vectors of doubles. */
#ifndef ADMM_VECTOR_H
#define ADMM_VECTOR_H

#include <stddef.h>

static inline double vector_dot(const double *x, const double *y, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += x[i] * y[i];
    return sum;
}

#endif
