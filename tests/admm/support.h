/* What the tests of sets share. */
#ifndef TESTS_ADMM_SUPPORT_H
#define TESTS_ADMM_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admm/set.h"
#include "base/memory.h"
#include "base/random.h"

static inline float *floats(size_t count) {
    float *array = base_array(count, sizeof *array);
    assert_non_null(array);
    return array;
}

static inline void expect_ok(admmnn_status status, const admmnn_error *err) {
    if (status != ADMMNN_OK)
        fail_msg("%s: %s", admmnn_status_name(status), err->message);
}

/* Projects with z apart from v and with z = v; both must agree, and v must stay. */
static inline void project_both(admm_set *set, const float *v, float *z, size_t count) {
    admmnn_error err = {0};
    float *before = base_array_copy(v, count, sizeof *v);
    float *alias = base_array_copy(v, count, sizeof *v);
    assert_non_null(before);
    assert_non_null(alias);
    expect_ok(admm_set_project(set, v, z, count, &err), &err);
    assert_memory_equal(v, before, count * sizeof *v);
    expect_ok(admm_set_project(set, alias, alias, count, &err), &err);
    assert_memory_equal(alias, z, count * sizeof *v);
    base_free(before);
    base_free(alias);
}

static inline double distance2(const float *a, const float *b, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

#endif
