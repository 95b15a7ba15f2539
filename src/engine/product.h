/* The product of two matrices, by oneDNN. */
#ifndef ENGINE_PRODUCT_H
#define ENGINE_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* values: row-major, of the factor itself, or, if turned, of its transpose. */
typedef struct engine_factor {
    const float *values;
    bool turned;
} engine_factor;

/* c[m][n] = a[m][k] b[k][n], to which, if `add`, c as it was is added; in the calling thread. c
 * overlaps neither. ADMMNN_MEMORY. */
admmnn_status engine_product(size_t m, size_t n, size_t k, engine_factor a, engine_factor b,
                             bool add, float *c, admmnn_error *err);

#endif
