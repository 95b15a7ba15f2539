/* Pruning by x steps on the loss's curvature: an iteration is one epoch's measuring and ADMM on
 * what was measured, and nothing else; and it is worth what it is for. */
#include <math.h>

#include "runs.h"

#define UPDATES 12

#define ON_CURVATURE                                                                               \
    "  x_step: curvature\n  curvature_share: 0.5\n"                                                \
    "  admm: {iterations: 2, updates: 12, rho: {schedule: geometric, first: 0.01, last: 2},"       \
    " training: {batch: 16}}\n"

/* ---- an iteration by hand ---- */

typedef struct hand {
    compress_run *run;
    train_curvature *curvature;
} hand;

static admmnn_status add_parts(void *user, const engine_result *result, admmnn_error *err) {
    const hand *h = user;
    float *flat = base_array(h->run->g->flat_count, sizeof *flat);
    assert_non_null(flat);
    for (uint32_t p = 0; p < result->part_count; p++)
        for (size_t i = 0; i < h->run->g->flat_count; i++)
            flat[i] += result->parts[p][i];
    const admmnn_status status = train_curvature_add(h->curvature, flat, err);
    base_free(flat);
    return status;
}

/* By the gradients of all weights, of half the training images: the first half, then the second.
 */
static void measure(hand *h) {
    compress_run *run = h->run;
    const size_t half = run->train_count / 2;
    const train_samples samples = {.set = &run->train,
                                   .order = run->order + run->at.iteration * half,
                                   .count = half,
                                   .tones = run->tones};
    const train_settings settings = {.task = "by hand",
                                     .epochs = 1,
                                     .batch = 16,
                                     .seed = run->r->seed,
                                     .stream = run->at.stream,
                                     .first_epoch = run->at.epoch};
    const train_hooks hooks = {.step_user = h, .measure = add_parts};
    const bool sparse = run->network->support != NULL;
    MUST(train_curvature_create(run->g, run->pool, &h->curvature, err));
    MUST(train_network_restrict(run->network, NULL, err));
    MUST(train_run(run->network, run->optimizer, &samples, &settings, &hooks, &context, err));
    MUST(train_curvature_settle(h->curvature, run->network->params, err));
    MUST(train_network_restrict(run->network, sparse ? run->mask : NULL, err));
}

static float rho_of(unsigned update, unsigned updates) {
    return 0.01F * powf(200.0F, (float)update / (float)(updates - 1));
}

/* Shares are given, so that the sets stay as they are; with the last z and u step. */
static void iterate(hand *h) {
    compress_run *run = h->run;
    const size_t flat_count = run->g->flat_count;
    float *x = flat_params(run);
    float *anchor = base_array(flat_count, sizeof *anchor);
    float *gone = base_array(flat_count, sizeof *gone); /* rho u, where z is 0 for good */
    assert_true(anchor != NULL && gone != NULL);
    for (unsigned k = 0; k < UPDATES; k++) {
        const float rho = rho_of(run->at.iteration * UPDATES + k, 2 * UPDATES);
        const float rhos[3] = {rho, rho, rho};
        for (size_t l = 0; l < 3; l++) {
            const admm_block *block = admm_block_at(run->admm, l);
            float *u = admm_u_mutable(run->admm);
            for (size_t i = block->offset; i < block->offset + block->count; i++)
                u[i] *= block->rho / rho;
            admm_block_rho_set(run->admm, l, rho);
        }
        for (size_t i = 0; i < flat_count; i++)
            anchor[i] = admm_z(run->admm)[i] - admm_u(run->admm)[i] - gone[i] / rho;
        MUST(train_curvature_step(h->curvature, rhos, anchor, x, err));
        for (size_t i = 0; i < flat_count; i++)
            if (run->mask[i] == 0) {
                gone[i] += rho * x[i];
                x[i] = 0.0F;
            }
        MUST(admm_update(run->admm, x, NULL, err));
    }
    train_network_compact(run->network, x, run->network->params);
    base_free(x);
    base_free(anchor);
    base_free(gone);
}

static void expect_close(const float *a, const float *b, size_t count) {
    double distance = 0;
    double size = 0;
    for (size_t i = 0; i < count; i++) {
        distance += pow((double)(a[i] - b[i]), 2);
        size += pow((double)b[i], 2);
    }
    assert_true(size > 0 && distance <= 1e-8 * size);
}

/* Both iterations of a round, each from what the run has before it. */
static void expect_by_hand(compress_run *run) {
    for (uint32_t iteration = 0; iteration < 2; iteration++) {
        base_writer snapshot = {0};
        assert_int_equal(run->at.iteration, iteration);
        take(run, &snapshot);
        hand h = {.run = restored(run->r, &snapshot)};
        const uint32_t trained = run->at.trained;
        tick(run);
        assert_int_equal(run->at.trained, trained);
        assert_null(run->curvature);
        measure(&h);
        iterate(&h);
        expect_close(run->network->params, h.run->network->params, run->network->active_count);
        expect_close(admm_z(run->admm), admm_z(h.run->admm), run->g->flat_count);
        train_curvature_free(h.curvature);
        run_free(h.run);
        base_writer_free(&snapshot);
    }
}

static void an_iteration_is_that_by_hand(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100",
                            TRAINING "prune:\n  scope: per-layer\n  rounds: [2, 5]\n" ON_CURVATURE
                                     "  retrain: {epochs: 1, batch: 16}\n"
                                     "  finish: {epochs: 0}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to(run, RUN_PRUNE_ADMM);
    expect_by_hand(run);
    tick_to(run, RUN_RETRAIN);
    tick_to(run, RUN_PRUNE_ADMM);
    assert_true(run->sparse);
    expect_by_hand(run);
    run_free(run);
    base_free(r);
}

/* ---- what it is worth ---- */

/* The set is small: every image counts, and alone. */
#define BY_SAMPLES                                                                                 \
    "  x_step: curvature\n"                                                                        \
    "  admm: {iterations: 2, updates: 40, rho: {schedule: geometric, first: 0.01, last: 2},"       \
    " training: {batch: 1}}\n"

static double loss_of(compress_run *run) {
    train_score score;
    MUST(run_validate(run, run->network->params, &score, err));
    return score.loss;
}

static double loss_after_cut(const char *prune, size_t *kept) {
    base_writer more = {0};
    base_write_text(&more,
                    "training: {epochs: 12, batch: 16, learning_rate: 0.003}\n"
                    "prune:\n  rounds: [8]\n  finish: {epochs: 0}\n%s" NO_QUANTIZE,
                    prune);
    base_write_u8(&more, 0);
    assert_false(more.failed);
    recipe *r = make_recipe("lenet-300-100", (const char *)more.bytes);
    base_writer_free(&more);
    compress_run *run = start(r);
    tick_to(run, RUN_RETRAIN);
    const double loss = loss_of(run);
    *kept = 0;
    for (size_t i = 0; i < run->network->active_count; i++)
        for (uint32_t l = 0; l < run->layer_count; l++)
            *kept += is_weight_of(run, l, place_of(run, i)) && run->network->params[i] != 0.0F;
    run_free(run);
    base_free(r);
    return loss;
}

/* An eighth of the weights and not a step of training: the loss is far below that of the largest
 * eighth, with the set from the start and with one that shrinks. */
static void it_is_ahead_of_magnitude_without_training(void **state) {
    (void)state;
    size_t kept;
    const double magnitude = loss_after_cut("  method: one-shot\n  admm: {iterations: 0}\n", &kept);
    assert_int_equal(kept, ALL_WEIGHTS / 8);
    for (int ramp = 0; ramp < 2; ramp++) {
        const double own =
            loss_after_cut(ramp == 1 ? "  ramp: 0.5\n" BY_SAMPLES : BY_SAMPLES, &kept);
        print_message("%zu weights, a loss of %.4f; by magnitude %.4f\n", kept, own, magnitude);
        /* What none reads goes too. */
        assert_true(kept <= ALL_WEIGHTS / 8 && kept > 0);
        assert_true(own < 0.5 * magnitude);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_iteration_is_that_by_hand),
        cmocka_unit_test(it_is_ahead_of_magnitude_without_training),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
