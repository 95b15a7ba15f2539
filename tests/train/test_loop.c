/* The training loop: reproducible, divisible at epochs, stopped in order. */
#include "support.h"

static const train_settings plain = {.task = "test",
                                     .epochs = 4,
                                     .batch = BATCH,
                                     .schedule = TRAIN_ONE_CYCLE,
                                     .learning_rate = 0.01,
                                     .label_smoothing = 0.05,
                                     .augment = {.shift = 1},
                                     .seed = 3,
                                     .stream = 2};

static const train_optimizer_settings adam = {.kind = TRAIN_ADAM, .weight_decay = 1e-3F};
static const train_optimizer_settings sgd = {.kind = TRAIN_SGD};

/* Trains from the start and leaves the parameters in out[flat_count]. */
static void train(const fixture *f, const train_settings *settings,
                  train_optimizer_settings optimizer, float *out) {
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, optimizer);
    admmnn_error err = {0};
    expect_ok(train_run(n, o, &f->samples, settings, NULL, NULL, &err), &err);
    memcpy(out, n->params, f->g->flat_count * sizeof *out);
    train_optimizer_free(o);
    train_network_free(n);
}

static void training_learns(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    train_settings settings = plain;
    settings.epochs = 12;
    float *params = base_array(f->g->flat_count, sizeof *params);
    train(f, &settings, adam, params);
    train_network *n = network_make(f, params);
    train_score score;
    admmnn_error err = {0};
    expect_ok(
        train_network_evaluate(n, n->params, &f->set, NULL, IMAGES, f->samples.tones, &score, &err),
        &err);
    assert_true(score.accuracy > 0.95);
    train_network_free(n);
    base_free(params);
    fixture_free(f);
}

static void the_same_names_give_the_same_bytes(void **state) {
    (void)state;
    const unsigned threads[] = {1, 2, 3};
    for (size_t t = 0; t < 3; t++) {
        fixture *f = fixture_make(threads[t]);
        size_t bytes = f->g->flat_count * sizeof(float);
        float *a = base_array(f->g->flat_count, sizeof *a);
        float *b = base_array(f->g->flat_count, sizeof *b);
        train(f, &plain, adam, a);
        train(f, &plain, adam, b);
        assert_memory_equal(a, b, bytes);
        train_settings other = plain;
        other.seed = 4;
        train(f, &other, adam, b);
        assert_memory_not_equal(a, b, bytes);
        other = plain;
        other.stream = 3;
        train(f, &other, adam, b);
        assert_memory_not_equal(a, b, bytes);
        base_free(a);
        base_free(b);
        fixture_free(f);
    }
}

/* Epoch by epoch, with network and optimiser rebuilt from their vectors each
 * time, as after a checkpoint. */
static void a_split_run_is_the_whole_run(void **state) {
    (void)state;
    const train_optimizer_kind kinds[] = {TRAIN_SGD, TRAIN_ADAM, TRAIN_ADAMW};
    fixture *f = fixture_make(2);
    const size_t count = f->g->flat_count;
    float *whole = base_array(count, sizeof *whole);
    for (size_t k = 0; k < 3; k++) {
        train_settings settings = plain;
        const train_optimizer_settings optimizer = {
            .kind = kinds[k], .momentum = 0.9F, .weight_decay = 1e-3F};
        train(f, &settings, optimizer, whole);
        settings.schedule_epochs = settings.epochs;
        settings.epochs = 1;
        float *params = base_array_copy(f->start, count, sizeof *params);
        float *first = base_array(count, sizeof *first);
        float *second = base_array(count, sizeof *second);
        uint64_t steps = 0;
        for (settings.first_epoch = 0; settings.first_epoch < 4; settings.first_epoch++) {
            train_network *n = network_make(f, params);
            train_optimizer *o = optimizer_make(n, optimizer);
            memcpy(train_optimizer_first(o), first, count * sizeof *first);
            if (train_optimizer_second(o) != NULL)
                memcpy(train_optimizer_second(o), second, count * sizeof *second);
            *train_optimizer_steps(o) = steps;
            admmnn_error err = {0};
            expect_ok(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), &err);
            memcpy(params, n->params, count * sizeof *params);
            memcpy(first, train_optimizer_first(o), count * sizeof *first);
            if (train_optimizer_second(o) != NULL)
                memcpy(second, train_optimizer_second(o), count * sizeof *second);
            steps = *train_optimizer_steps(o);
            train_optimizer_free(o);
            train_network_free(n);
        }
        assert_memory_equal(params, whole, count * sizeof *params);
        base_free(params);
        base_free(first);
        base_free(second);
    }
    base_free(whole);
    fixture_free(f);
}

/* ---- hooks ---- */

typedef struct witness {
    uint32_t epochs;
    admmnn_status answer; /* of epoch_done */
} witness;

static admmnn_status watch_epoch(void *user, uint32_t epoch, const train_score *score,
                                 admmnn_error *err) {
    witness *w = user;
    assert_int_equal(epoch, w->epochs++);
    assert_int_equal(score->count, IMAGES);
    assert_true(isfinite(score->loss) && score->loss > 0.0);
    assert_true(fabs(score->accuracy - (double)score->correct / IMAGES) < 1e-12);
    return w->answer == ADMMNN_OK ? ADMMNN_OK : base_fail(err, w->answer, "enough");
}

/* A teacher whose answer to one image in one version is not a number: the step that meets it is
 * known from the order of the epoch that shows the version. */
static void expect_divergence(uint32_t shown, uint32_t epoch) {
    fixture *f = fixture_make(2);
    train_network *n = network_make(f, f->start);
    train_settings settings = plain;
    settings.distill = 0.5;
    train_optimizer *o = optimizer_make(n, adam);
    const size_t poisoned = 7;
    float *logits = base_array(2 * IMAGES * CLASSES, sizeof *logits);
    logits[(IMAGES + poisoned) * CLASSES] = NAN;
    const train_teacher teacher = {.logits = logits, .versions = 2, .shown = shown};
    f->samples.teacher = &teacher;
    uint32_t order[IMAGES];
    memcpy(order, f->samples.order, sizeof order);
    base_random random = base_random_at(settings.seed, 0x6f72646572U + settings.stream, epoch);
    base_random_shuffle(&random, order, IMAGES);
    size_t place = 0;
    while (order[place] != poisoned)
        place++;
    char expected[64];
    snprintf(expected, sizeof expected, "epoch %u, step %zu;", epoch + 1, place / BATCH + 1);
    witness w = {0};
    const train_hooks hooks = {.user = &w, .epoch_done = watch_epoch};
    admmnn_error err = {0};
    assert_int_equal(train_run(n, o, &f->samples, &settings, &hooks, NULL, &err), ADMMNN_DIVERGED);
    assert_non_null(strstr(err.message, "test"));
    assert_non_null(strstr(err.message, expected));
    assert_int_equal(w.epochs, epoch);
    for (size_t i = 0; i < f->g->flat_count; i++)
        assert_true(isfinite(n->params[i]));
    base_free(logits);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

static void divergence_names_epoch_and_step(void **state) {
    (void)state;
    expect_divergence(0, 1);
    expect_divergence(3, 0); /* earlier stretches showed three versions */
}

/* The last step's update is in no loss of the epoch. */
static void parameters_are_looked_at_after_an_epoch(void **state) {
    (void)state;
    fixture *f = fixture_make(1);
    f->samples.count = BATCH;
    train_network *n = network_make(f, f->start);
    train_settings settings = plain;
    settings.schedule = TRAIN_CONSTANT;
    settings.epochs = 1;
    settings.learning_rate = INFINITY;
    train_optimizer *o = optimizer_make(n, sgd);
    admmnn_error err = {0};
    assert_int_equal(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), ADMMNN_DIVERGED);
    assert_non_null(strstr(err.message, "epoch 1;"));
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

static void an_enormous_rate_diverges(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    train_network *n = network_make(f, f->start);
    train_settings settings = plain;
    settings.schedule = TRAIN_CONSTANT;
    settings.learning_rate = 1e20;
    train_optimizer *o = optimizer_make(n, sgd);
    admmnn_error err = {0};
    assert_int_equal(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), ADMMNN_DIVERGED);
    assert_non_null(strstr(err.message, "learning rate"));
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

static void an_epoch_s_error_stops(void **state) {
    (void)state;
    fixture *f = fixture_make(1);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    witness w = {.answer = ADMMNN_IO};
    const train_hooks hooks = {.user = &w, .epoch_done = watch_epoch};
    admmnn_error err = {0};
    assert_int_equal(train_run(n, o, &f->samples, &plain, &hooks, NULL, &err), ADMMNN_IO);
    assert_string_equal(err.message, "enough");
    assert_int_equal(*train_optimizer_steps(o), 5);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

/* What is fixed stays, to the bit; the rest moves as far as there is a gradient,
 * and learns. */
static void what_is_fixed_stays(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    const size_t count = f->g->flat_count;
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    uint8_t *fixed = base_array(count, 1);
    for (size_t i = 0; i < count; i++)
        fixed[i] = i % 3 != 0;
    const train_hooks hooks = {.fixed = fixed};
    admmnn_error err = {0};
    expect_ok(train_run(n, o, &f->samples, &plain, &hooks, NULL, &err), &err);
    size_t moved = 0;
    for (size_t i = 0; i < count; i++) {
        if (fixed[i] != 0)
            assert_true(n->params[i] == f->start[i]);
        moved += n->params[i] != f->start[i];
    }
    assert_true(moved > count / 6);
    base_free(fixed);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

/* One step of plain gradient descent with and without the penalty differs by
 * -rate rho (w - anchor), on the parameters with a rho alone; on a support too. */
static void check_penalty(const uint8_t *mask, fixture *f) {
    train_settings settings = {.task = "test", .epochs = 1, .batch = BATCH, .learning_rate = 0.5};
    f->samples.count = BATCH;
    train_network *networks[2];
    float rho[6] = {0};
    rho[f->g->nodes[graph_find_node(f->g, "fc1")].weight] = 0.25F;
    float *anchor = base_array(f->g->flat_count, sizeof *anchor);
    float *flat[2];
    for (int k = 0; k < 2; k++) {
        admmnn_error err = {0};
        networks[k] = network_make(f, f->start);
        expect_ok(train_network_restrict(networks[k], mask, &err), &err);
        for (size_t i = 0; i < networks[k]->active_count; i++)
            anchor[i] = networks[k]->params[i] - 2.0F;
        const train_hooks hooks = {.anchor = anchor, .rho = rho};
        train_optimizer *o = optimizer_make(networks[k], sgd);
        expect_ok(
            train_run(networks[k], o, &f->samples, &settings, k == 1 ? &hooks : NULL, NULL, &err),
            &err);
        train_optimizer_free(o);
        flat[k] = base_array(f->g->flat_count, sizeof *flat[k]);
        train_network_expand(networks[k], networks[k]->params, flat[k]);
    }
    const graph_parameter *fc1 = parameter_of(f->g, "fc1", false);
    for (size_t i = 0; i < f->g->flat_count; i++) {
        bool pulled =
            i >= fc1->offset && i < fc1->offset + fc1->count && (mask == NULL || mask[i] != 0);
        double by = (double)flat[1][i] - (double)flat[0][i];
        assert_true(fabs(by - (pulled ? -0.5 * 0.25 * 2.0 : 0.0)) < 1e-6);
    }
    for (int k = 0; k < 2; k++) {
        train_network_free(networks[k]);
        base_free(flat[k]);
    }
    base_free(anchor);
}

static void the_penalty_pulls_to_its_anchor(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    check_penalty(NULL, f);
    uint8_t *mask = base_array(f->g->flat_count, 1);
    for (uint32_t p = 0; p < f->g->parameter_count; p++)
        for (size_t i = p % 2; i < f->g->parameters[p].count; i += 4)
            mask[f->g->parameters[p].offset + i] = 1;
    check_penalty(mask, f);
    base_free(mask);
    fixture_free(f);
}

/* A network of zeros gives every class 1/CLASSES, so one step of plain gradient
 * descent moves the last biases by rate (mean target - 1/CLASSES): the targets
 * can be read from it. */
static void targets_are_mixed_and_sum_to_one(void **state) {
    (void)state;
    fixture *f = fixture_make(1);
    memset(f->start, 0, f->g->flat_count * sizeof *f->start);
    float teacher[IMAGES][CLASSES];
    for (size_t i = 0; i < IMAGES; i++)
        for (size_t c = 0; c < CLASSES; c++)
            teacher[i][c] = (float)(1 + (i + c) % 4 + (c == i % CLASSES ? 9 : 0));
    for (size_t i = 0; i < IMAGES; i++) {
        float sum = 0.0F;
        for (size_t c = 0; c < CLASSES; c++)
            sum += teacher[i][c];
        for (size_t c = 0; c < CLASSES; c++)
            teacher[i][c] /= sum;
    }
    float logits[IMAGES][CLASSES];
    for (size_t i = 0; i < IMAGES; i++)
        for (size_t c = 0; c < CLASSES; c++)
            logits[i][c] = 2.0F * logf(teacher[i][c]) + (float)i;
    const train_teacher answers = {.logits = &logits[0][0]};
    const double shares[4][2] = {{0.0, 0.0}, {0.1, 0.0}, {0.0, 0.7}, {0.2, 0.5}};
    for (size_t k = 0; k < 4; k++) {
        train_settings settings = {.task = "test",
                                   .epochs = 1,
                                   .batch = BATCH,
                                   .learning_rate = 1.0,
                                   .label_smoothing = shares[k][0],
                                   .distill = shares[k][1],
                                   .temperature = 2.0};
        f->samples.count = BATCH;
        f->samples.teacher = &answers;
        train_network *n = network_make(f, f->start);
        train_optimizer *o = optimizer_make(n, sgd);
        admmnn_error err = {0};
        expect_ok(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), &err);
        double all = 0.0;
        for (size_t c = 0; c < CLASSES; c++) {
            double expected = 0.0;
            for (size_t i = 0; i < BATCH; i++) {
                double hard = f->set.labels[i] == c ? 1.0 : 0.0;
                double smooth = (1.0 - shares[k][0]) * hard + shares[k][0] / CLASSES;
                expected += (1.0 - shares[k][1]) * smooth + shares[k][1] * (double)teacher[i][c];
            }
            double bias = (double)n->params[parameter_of(f->g, "fc2", true)->offset + c];
            double target = bias + 1.0 / CLASSES;
            assert_true(fabs(target - expected / BATCH) < 1e-6);
            all += target;
        }
        assert_true(fabs(all - 1.0) < 1e-6);
        train_optimizer_free(o);
        train_network_free(n);
    }
    fixture_free(f);
}

/* ---- the caller's callbacks ---- */

typedef struct caller {
    unsigned questions, allowed;
    uint64_t last;
    double run_done;
} caller;

static bool cancel_later(void *user) {
    caller *c = user;
    return c->questions++ >= c->allowed;
}

static void watch_progress(void *user, const admmnn_progress *progress) {
    caller *c = user;
    assert_string_equal(progress->task, "test");
    assert_string_equal(progress->unit, "images");
    assert_int_equal(progress->total, 4 * IMAGES);
    assert_true(progress->done >= c->last && progress->done <= progress->total);
    assert_true(progress->run_done >= 0.25 && progress->run_done <= 0.75 + 1e-12);
    c->last = progress->done;
    c->run_done = progress->run_done;
}

static void a_request_stops_between_batches(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    caller c = {.allowed = 7};
    const admmnn_context context = {.cancelled = cancel_later, .user = &c};
    admmnn_error err = {0};
    assert_int_equal(train_run(n, o, &f->samples, &plain, NULL, &context, &err), ADMMNN_CANCELLED);
    assert_non_null(strstr(err.message, "test"));
    assert_int_equal(*train_optimizer_steps(o), 7);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

static void progress_reaches_the_end(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    caller c = {0};
    const admmnn_context context = {.progress = watch_progress, .user = &c};
    const train_hooks hooks = {.run_from = 0.25, .run_to = 0.75};
    admmnn_error err = {0};
    expect_ok(train_run(n, o, &f->samples, &plain, &hooks, &context, &err), &err);
    assert_int_equal(c.last, 4 * IMAGES);
    assert_true(fabs(c.run_done - 0.75) < 1e-12);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

static void impossible_stretches_are_refused(void **state) {
    (void)state;
    fixture *f = fixture_make(1);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, adam);
    train_settings settings = plain;
    admmnn_error err = {0};
    settings.batch = 0;
    assert_int_equal(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), ADMMNN_USAGE);
    settings.batch = BATCH + 1; /* more than the network was made for */
    assert_int_equal(train_run(n, o, &f->samples, &settings, NULL, NULL, &err), ADMMNN_USAGE);
    f->samples.count = 0;
    assert_int_equal(train_run(n, o, &f->samples, &plain, NULL, NULL, &err), ADMMNN_USAGE);
    f->samples.count = IMAGES;
    f->set.labels[3] = CLASSES;
    assert_int_equal(train_run(n, o, &f->samples, &plain, NULL, NULL, &err), ADMMNN_INPUT);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_learns),
        cmocka_unit_test(the_same_names_give_the_same_bytes),
        cmocka_unit_test(a_split_run_is_the_whole_run),
        cmocka_unit_test(divergence_names_epoch_and_step),
        cmocka_unit_test(parameters_are_looked_at_after_an_epoch),
        cmocka_unit_test(an_enormous_rate_diverges),
        cmocka_unit_test(an_epoch_s_error_stops),
        cmocka_unit_test(what_is_fixed_stays),
        cmocka_unit_test(the_penalty_pulls_to_its_anchor),
        cmocka_unit_test(targets_are_mixed_and_sum_to_one),
        cmocka_unit_test(a_request_stops_between_batches),
        cmocka_unit_test(progress_reaches_the_end),
        cmocka_unit_test(impossible_stretches_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
