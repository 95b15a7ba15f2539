/* Training with batch normalization, dropout and the squared hinge. */
#include "support.h"

static const train_settings plain = {.task = "test",
                                     .epochs = 3,
                                     .batch = BATCH,
                                     .schedule = TRAIN_CONSTANT,
                                     .learning_rate = 0.003,
                                     .seed = 3,
                                     .stream = 2};
static const train_optimizer_settings adam = {.kind = TRAIN_ADAM, .weight_decay = 1e-3F};

/* The fixture with the zoo's network in place of its own. */
static fixture *zoo_make(unsigned threads) {
    fixture *f = fixture_make(threads);
    graph_free(f->g);
    base_free(f->start);
    assert_int_equal(
        graph_zoo_create("mlp-bn-64", graph_shape_image(1, SIDE, SIDE), CLASSES, &f->g, NULL),
        ADMMNN_OK);
    f->start = base_array(f->g->flat_count, sizeof *f->start);
    graph_initialise(f->g, 1, f->start);
    return f;
}

static void train(const fixture *f, train_network *n, train_optimizer *o, uint32_t first,
                  uint32_t epochs) {
    train_settings settings = plain;
    settings.first_epoch = first;
    settings.epochs = epochs;
    settings.schedule_epochs = plain.epochs;
    admmnn_error err = {0};
    n->loss = ENGINE_SQUARED_HINGE;
    expect_ok(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), &err);
}

static train_score score_of(const fixture *f, train_network *n) {
    train_score score;
    admmnn_error err = {0};
    expect_ok(
        train_network_evaluate(n, n->params, &f->set, NULL, IMAGES, f->samples.tones, &score, &err),
        &err);
    return score;
}

static void training_learns(void **state) {
    (void)state;
    fixture *f = zoo_make(2);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    n->loss = ENGINE_SQUARED_HINGE;
    const train_score before = score_of(f, n);
    train(f, n, o, 0, 12);
    const train_score after = score_of(f, n);
    assert_true(before.accuracy < 0.5);
    assert_true(after.accuracy > 0.9);
    assert_true(after.loss < 0.5 * before.loss);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

/* Whole, and in two parts with all that a checkpoint holds carried over. */
static void an_epoch_resumes_to_the_same_bytes(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        fixture *f = zoo_make(threads);
        const size_t count = f->g->flat_count;
        train_network *whole = network_make(f, f->start);
        train_optimizer *o = optimizer_make(whole, adam);
        train(f, whole, o, 0, 3);
        train_network *half = network_make(f, f->start);
        train_optimizer *first = optimizer_make(half, adam);
        train(f, half, first, 0, 1);
        train_network *rest = network_make(f, half->params);
        train_optimizer *second = optimizer_make(rest, adam);
        memcpy(train_optimizer_first(second), train_optimizer_first(first), count * sizeof(float));
        memcpy(train_optimizer_second(second), train_optimizer_second(first),
               count * sizeof(float));
        *train_optimizer_steps(second) = *train_optimizer_steps(first);
        train(f, rest, second, 1, 2);
        assert_memory_equal(rest->params, whole->params, count * sizeof(float));
        train_optimizer_free(o);
        train_optimizer_free(first);
        train_optimizer_free(second);
        train_network_free(whole);
        train_network_free(half);
        train_network_free(rest);
        fixture_free(f);
    }
}

/* One step over all images: each statistic is 0.9 of what it was and 0.1 of theirs, which is
 * known of the first normalization where nothing is dropped out below it. */
static void statistics_follow_the_batch(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    graph_free(f->g);
    uint32_t v;
    assert_int_equal(graph_create("norm", graph_shape_image(1, SIDE, SIDE), &f->g, NULL),
                     ADMMNN_OK);
    assert_int_equal(graph_add_batch_normalization(f->g, "bn", f->g->input, 1e-5F, 0.9F, &v, NULL),
                     ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(f->g, "fc", v, CLASSES, true, &v, NULL), ADMMNN_OK);
    base_free(f->start);
    f->start = base_array(f->g->flat_count, sizeof *f->start);
    graph_initialise(f->g, 1, f->start);
    f->samples.count = BATCH;
    double mean = 0.0;
    double square = 0.0;
    for (size_t i = 0; i < (size_t)BATCH * SIDE * SIDE; i++) {
        double x = ((double)f->set.pixels[i] / 255.0 - 0.3) * 2.0;
        mean += x / (BATCH * SIDE * SIDE);
        square += x * x / (BATCH * SIDE * SIDE);
    }
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    train(f, n, o, 0, 1);
    const graph_normalization *norm = &f->g->nodes[0].normalization;
    const float *running = n->params + f->g->parameters[norm->mean].offset;
    assert_true(fabs((double)running[0] - 0.1 * mean) < 1e-6);
    running = n->params + f->g->parameters[norm->variance].offset;
    assert_true(fabs((double)running[0] - (0.9 + 0.1 * (square - mean * mean))) < 1e-6);
    /* They have no moments: nothing else moves them. */
    assert_true(train_optimizer_second(o)[f->g->parameters[norm->mean].offset] == 0.0F);
    assert_true(train_optimizer_second(o)[f->g->parameters[norm->scale].offset] > 0.0F);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

/* Adam would make steps of what rounding leaves of their gradients. */
static void void_biases_stay(void **state) {
    (void)state;
    fixture *f = zoo_make(2);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    train(f, n, o, 0, 1);
    for (uint32_t l = 0; l < graph_layer_count(f->g); l++) {
        const graph_node *layer = &f->g->nodes[graph_layer(f->g, l)];
        const graph_parameter *bias = &f->g->parameters[layer->bias];
        for (size_t i = 0; i < bias->count; i++)
            assert_true(n->params[bias->offset + i] == 0.0F);
    }
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

/* Compact vectors hold statistics too. */
static void a_support_trains_alike(void **state) {
    (void)state;
    fixture *f = zoo_make(2);
    const size_t count = f->g->flat_count;
    uint8_t *mask = base_array(count, 1);
    float *flat = base_array(count, sizeof *flat);
    memset(mask, 1, count);
    admmnn_error err = {0};
    train_network *dense = network_make(f, f->start);
    train_network *sparse = network_make(f, f->start);
    expect_ok(train_network_restrict(sparse, mask, &err), &err);
    train_optimizer *a = optimizer_make(dense, adam);
    train_optimizer *b = optimizer_make(sparse, adam);
    train(f, dense, a, 0, 1);
    train(f, sparse, b, 0, 1);
    train_network_expand(sparse, sparse->params, flat);
    assert_memory_equal(flat, dense->params, count * sizeof *flat);
    base_free(mask);
    base_free(flat);
    train_optimizer_free(a);
    train_optimizer_free(b);
    train_network_free(dense);
    train_network_free(sparse);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_learns),
        cmocka_unit_test(an_epoch_resumes_to_the_same_bytes),
        cmocka_unit_test(statistics_follow_the_batch),
        cmocka_unit_test(void_biases_stay),
        cmocka_unit_test(a_support_trains_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
