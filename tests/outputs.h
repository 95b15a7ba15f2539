/* Inputs for networks, and how far their outputs are from others. */
#ifndef TESTS_OUTPUTS_H
#define TESTS_OUTPUTS_H

#include <math.h>

#include "must.h"

#include "base/memory.h"
#include "base/random.h"

/* Rather small numbers: sums of many stay of the size of one. */
static inline float *random_floats(size_t count, uint64_t seed) {
    base_random random = base_random_at(seed, 7, 7);
    float *floats = base_array(count, sizeof *floats);
    assert_non_null(floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = base_random_normal(&random);
    return floats;
}

/* The largest difference over the largest number. */
static inline double apart(const float *a, const float *b, size_t count) {
    double most = 0.0;
    double size = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double difference = fabs((double)a[i] - (double)b[i]);
        most = difference > most || isnan(difference) ? difference : most;
        size = fabs((double)b[i]) > size ? fabs((double)b[i]) : size;
    }
    return size > 0.0 ? most / size : most;
}

#endif
