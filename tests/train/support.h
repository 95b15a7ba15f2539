/* A small network and a small set of images for the tests of training. */
#ifndef TESTS_TRAIN_SUPPORT_H
#define TESTS_TRAIN_SUPPORT_H

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
#include "graph/zoo.h"
#include "train/loop.h"

#define IMAGES 150
#define SIDE 12
#define CLASSES 6
#define BATCH 32

static inline void expect_ok(admmnn_status status, const admmnn_error *err) {
    if (status != ADMMNN_OK)
        fail_msg("%s: %s", admmnn_status_name(status), err->message);
}

/* A class is the place of a bright patch; the rest is noise. */
static inline data_set images_make(void) {
    data_set set = {.count = IMAGES, .shape = graph_shape_image(1, SIDE, SIDE), .classes = CLASSES};
    set.pixels = base_array((size_t)IMAGES * SIDE * SIDE, 1);
    set.labels = base_array(IMAGES, sizeof *set.labels);
    assert_true(set.pixels != NULL && set.labels != NULL);
    base_random random = base_random_at(5, 6, 7);
    for (size_t i = 0; i < IMAGES; i++) {
        set.labels[i] = (uint16_t)base_random_below(&random, CLASSES);
        for (size_t k = 0; k < SIDE * SIDE; k++) {
            size_t patch = k / SIDE / 6 * 3 + k % SIDE / 4;
            uint32_t noise = base_random_below(&random, 80);
            set.pixels[i * SIDE * SIDE + k] =
                (uint8_t)(noise + (patch == set.labels[i] ? 120U : 0U));
        }
    }
    return set;
}

static inline graph *graph_make(void) {
    const graph_window conv = {{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    const graph_window pool = {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    graph *g;
    assert_int_equal(graph_create("small", graph_shape_image(1, SIDE, SIDE), &g, NULL), ADMMNN_OK);
    uint32_t v = g->input;
    assert_int_equal(graph_add_conv(g, "conv", v, 5, graph_conv_of(conv), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_maxpool(g, "pool", v, graph_pool_of(pool), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "fc1", v, 20, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "relu", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "fc2", v, CLASSES, true, &v, NULL), ADMMNN_OK);
    return g;
}

/* Everything a stretch of training needs. */
typedef struct fixture {
    data_set set;
    uint32_t order[IMAGES];
    graph *g;
    base_pool *pool;
    float *start; /* [flat_count] */
    train_samples samples;
} fixture;

static inline fixture *fixture_make(unsigned threads) {
    fixture *f = base_array(1, sizeof *f);
    assert_non_null(f);
    f->set = images_make();
    f->g = graph_make();
    assert_int_equal(base_pool_create(threads, &f->pool, NULL), ADMMNN_OK);
    f->start = base_array(f->g->flat_count, sizeof *f->start);
    assert_non_null(f->start);
    graph_initialise(f->g, 1, f->start);
    for (uint32_t i = 0; i < IMAGES; i++)
        f->order[i] = i;
    f->samples = (train_samples){
        .set = &f->set, .order = f->order, .count = IMAGES, .tones = data_tones_of(0.3F, 2.0F)};
    return f;
}

static inline void fixture_free(fixture *f) {
    base_free(f->set.pixels);
    base_free(f->set.labels);
    base_free(f->start);
    graph_free(f->g);
    base_pool_destroy(f->pool);
    base_free(f);
}

static inline train_network *network_make(const fixture *f, const float *params) {
    const engine_settings settings = {.max_batch = BATCH, .training = true};
    train_network *n;
    admmnn_error err = {0};
    expect_ok(train_network_create(f->g, params, f->pool, &settings, &n, &err), &err);
    return n;
}

static inline train_optimizer *optimizer_make(const train_network *n,
                                              train_optimizer_settings settings) {
    train_optimizer *o;
    assert_int_equal(train_optimizer_create(&settings, n->active_count, &o, NULL), ADMMNN_OK);
    return o;
}

static inline const graph_parameter *parameter_of(const graph *g, const char *node, bool bias) {
    const graph_node *n = &g->nodes[graph_find_node(g, node)];
    return &g->parameters[bias ? n->bias : n->weight];
}

#endif
