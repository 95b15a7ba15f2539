/* Networks, batches and comparisons shared by the engine's tests. */
#ifndef TESTS_ENGINE_SUPPORT_H
#define TESTS_ENGINE_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "engine/engine.h"
#include "graph/zoo.h"

#define EXPECT(call, expected, words)                                                              \
    do {                                                                                           \
        admmnn_error error_ = {0};                                                                 \
        admmnn_error *err = &error_;                                                               \
        assert_int_equal((call), (expected));                                                      \
        assert_int_equal(error_.status, (expected));                                               \
        if (strstr(error_.message, (words)) == NULL)                                               \
            fail_msg("'%s' does not speak of '%s'", error_.message, (words));                      \
    } while (0)

/* Inputs and labels of a batch, sample after sample. */
typedef struct samples {
    size_t count, elements;
    float *pixels;
    uint16_t *labels;
} samples;

static inline void fill_sample(void *user, size_t sample, float *input, size_t stride) {
    const samples *s = user;
    for (size_t i = 0; i < s->elements; i++)
        input[i * stride] = s->pixels[sample * s->elements + i];
}

static inline samples samples_make(const graph *g, size_t count) {
    samples s = {count, graph_value_count(g, g->input), NULL, NULL};
    s.pixels = base_array(count * s.elements, sizeof *s.pixels);
    s.labels = base_array(count, sizeof *s.labels);
    assert_non_null(s.pixels);
    assert_non_null(s.labels);
    return s;
}

static inline void samples_free(samples *s) {
    base_free(s->pixels);
    base_free(s->labels);
}

static inline engine_batch batch_of(samples *s, size_t count) {
    return (engine_batch){.count = count, .fill = fill_sample, .user = s, .labels = s->labels};
}

static inline base_pool *pool_make(unsigned threads) {
    base_pool *pool;
    assert_int_equal(base_pool_create(threads, &pool, NULL), ADMMNN_OK);
    return pool;
}

/* NULL where the back end does not hold the graph. */
static inline engine *engine_make_with(const engine_settings *settings, const graph *g,
                                       base_pool *pool) {
    engine *e = NULL;
    admmnn_error err = {0};
    admmnn_status status = engine_create(g, settings, pool, &e, &err);
    if (status == ADMMNN_UNSUPPORTED)
        return NULL;
    if (status != ADMMNN_OK)
        fail_msg("engine_create: %s", err.message);
    return e;
}

static inline engine *engine_make(const graph *g, engine_backend_id backend, uint32_t lanes,
                                  uint32_t max_batch, base_pool *pool) {
    const engine_settings settings = {
        .backend = backend, .max_batch = max_batch, .training = true, .lanes = lanes};
    return engine_make_with(&settings, g, pool);
}

static inline float *floats(size_t count) {
    float *array = base_array(count, sizeof *array);
    assert_non_null(array);
    return array;
}

/* The gradient parts added in their order. */
static inline void add_parts(const engine_result *result, size_t count, float *sum) {
    memset(sum, 0, count * sizeof *sum);
    for (uint32_t p = 0; p < result->part_count; p++)
        for (size_t i = 0; i < count; i++)
            sum[i] += result->parts[p][i];
}

static inline double largest(const float *x, size_t count) {
    double max = 0.0;
    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs((double)x[i]));
    return max;
}

/* max |a - b| / max |b|; an infinite or missing number is never close. */
static inline double distance(const float *a, const float *b, size_t count) {
    double max = 0.0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        if (!isfinite(difference))
            return INFINITY;
        max = fmax(max, difference);
    }
    double scale = largest(b, count);
    return max == 0.0 ? 0.0 : max / scale;
}

#endif
