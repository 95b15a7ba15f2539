/* Numbers at random that are the same each time. */
#ifndef TESTS_DRAWN_H
#define TESTS_DRAWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"

/* From -0.5 to 0.5; the caller's. */
static inline float *drawn(size_t count, uint64_t stream) {
    float *values = base_array(count, sizeof *values);
    assert_non_null(values);
    base_random random = base_random_at(8, stream, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = base_random_uniform(&random) - 0.5F;
    return values;
}

#endif
