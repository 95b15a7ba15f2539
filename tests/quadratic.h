/* Quadratics x'Qx / 2 + b'x of the tests. */
#ifndef TESTS_QUADRATIC_H
#define TESTS_QUADRATIC_H

#include <stddef.h>

#include "base/random.h"

/* q[d * d], b[d]. */
static inline double quadratic_value(const double *q, const double *b, size_t d, const double *x) {
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += b[i] * x[i];
        for (size_t j = 0; j < d; j++)
            sum += 0.5 * x[i] * q[i * d + j] * x[j];
    }
    return sum;
}

/* Q = G'G + I / 2 with G[d * d] standard normal (scratch), b 20 times standard normal. */
static inline void quadratic_draw(base_random *random, size_t d, double *g, double *q, double *b) {
    for (size_t i = 0; i < d; i++) {
        b[i] = 20 * (double)base_random_normal(random);
        for (size_t j = 0; j < d; j++)
            g[i * d + j] = (double)base_random_normal(random);
    }
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            q[i * d + j] = i == j ? 0.5 : 0;
            for (size_t k = 0; k < d; k++)
                q[i * d + j] += g[k * d + i] * g[k * d + j];
        }
}

#endif
