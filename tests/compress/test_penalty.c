/* The joint between admm/ and train/: an epoch of an ADMM stage is an epoch of training
 * with the penalty rho/2 ||x - (z - u)||^2 on the weights, and nothing else. */
#include "runs.h"

#define RHO 0.05F

#define ADMM_OF_TWO                                                                                \
    "  admm: {iterations: 3, epochs: 2, rho: {schedule: fixed, first: 0.05},"                      \
    " training: {batch: 16, learning_rate: 0.002, schedule: cosine}}\n"
#define QUANTIZE                                                                                   \
    "quantize:\n"                                                                                  \
    "  bits: [{layer: fc1, bits: 2}, {layer: fc2, bits: 3}, {layer: fc3, bits: 4}]\n" ADMM_OF_TWO  \
    "  retrain: {epochs: 0}\n"

/* z - u, in the places of the network's parameters; zero for the biases. */
static float *make_anchor(const compress_run *run) {
    const float *z = admm_z(run->admm);
    const float *u = admm_u(run->admm);
    float *anchor = base_array(run->network->active_count, sizeof *anchor);
    assert_non_null(anchor);
    size_t moved = 0;
    for (size_t i = 0; i < run->network->active_count; i++)
        for (uint32_t l = 0; l < run->layer_count; l++)
            if (is_weight_of(run, l, place_of(run, i))) {
                anchor[i] = z[place_of(run, i)] - u[place_of(run, i)];
                moved += u[place_of(run, i)] != 0.0F;
            }
    assert_true(moved > run->network->active_count / 2);
    return anchor;
}

static void fill_rho(const compress_run *run, float rho[16]) {
    assert_in_range(run->g->parameter_count, 1, 16);
    for (uint32_t p = 0; p < run->g->parameter_count; p++)
        rho[p] = run->g->parameters[p].kind == GRAPH_WEIGHT ? RHO : 0.0F;
}

/* An epoch by train_run: the one that the next tick is, or one `ahead` of it. */
static void replay_epoch(compress_run *run, const recipe_admm *a, uint32_t ahead,
                         const train_hooks *hooks) {
    const train_samples samples = {
        .set = &run->train, .order = run->order, .count = run->train_count, .tones = run->tones};
    const train_settings settings = {.task = "the epoch again",
                                     .epochs = 1,
                                     .batch = 16,
                                     .schedule = TRAIN_COSINE,
                                     .learning_rate = 0.002,
                                     .seed = run->r->seed,
                                     .stream = run->at.stream,
                                     .first_epoch = run->at.epoch + ahead,
                                     .schedule_epochs = a->iterations * a->epochs};
    MUST(train_run(run->network, run->optimizer, &samples, &settings, hooks, &context, err));
}

static void replay(compress_run *run, const recipe_admm *a) {
    float *anchor = make_anchor(run);
    float rho[16];
    fill_rho(run, rho);
    const train_hooks hooks = {.anchor = anchor, .rho = rho};
    replay_epoch(run, a, 0, &hooks);
    base_free(anchor);
}

/* One tick of the stage's second iteration, and of its third. */
static void expect_replayed(compress_run *run, run_stage stage, bool sparse) {
    const recipe_admm *a = stage == RUN_PRUNE_ADMM ? &run->r->prune.admm : &run->r->quantize.admm;
    for (uint32_t iteration = 1; iteration < 3; iteration++) {
        while (run->at.stage != stage || run->at.iteration != iteration)
            tick(run);
        assert_true(run->sparse == sparse);
        base_writer snapshot = {0};
        take(run, &snapshot);
        compress_run *other = restored(run->r, &snapshot);
        tick(run);
        replay(other, a);
        assert_int_equal(other->network->active_count, run->network->active_count);
        assert_memory_equal(other->network->params, run->network->params,
                            run->network->active_count * sizeof(float));
        base_writer_free(&snapshot);
        run_free(other);
    }
}

static void pruning_flat_and_sparse(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n  rounds: [3, 9]\n  retrain: {epochs: 1, batch: 16}\n"
                            "  finish: {epochs: 1, batch: 16}\n" ADMM_OF_TWO NO_QUANTIZE);
    compress_run *run = start(r);
    expect_replayed(run, RUN_PRUNE_ADMM, false);
    tick_to(run, RUN_RETRAIN);
    expect_replayed(run, RUN_PRUNE_ADMM, true);
    assert_int_equal(run->at.round, 1);
    run_free(run);
    base_free(r);
}

static void quantization_flat_and_sparse(void **state) {
    (void)state;
    static const char *const prune[] = {
        "prune: {method: none}\n",
        "prune:\n  method: one-shot\n  rounds: [6]\n  admm: {iterations: 0}\n"
        "  finish: {epochs: 1, batch: 16}\n"};
    for (int sparse = 0; sparse < 2; sparse++) {
        base_writer more = {0};
        base_write_text(&more, TRAINING "%s" QUANTIZE, prune[sparse]);
        base_write_u8(&more, 0);
        assert_false(more.failed);
        recipe *r = make_recipe("lenet-300-100", (const char *)more.bytes);
        base_writer_free(&more);
        compress_run *run = start(r);
        expect_replayed(run, RUN_QUANTIZE_ADMM, sparse != 0);
        run_free(run);
        base_free(r);
    }
}

/* ---- several z and u steps within an iteration ---- */

#define UPDATES 3

typedef struct turns {
    compress_run *run;
    float *anchor;
    uint8_t *unpenalized;
    size_t before, all; /* steps of the iteration: before this epoch, and in all */
    uint32_t updates;
} turns;

static void look(turns *t) {
    const compress_run *run = t->run;
    for (size_t i = 0; i < run->network->active_count; i++) {
        const size_t at = place_of(run, i);
        t->anchor[i] = admm_z(run->admm)[at] - admm_u(run->admm)[at];
        t->unpenalized[i] = admm_z(run->admm)[at] != 0.0F;
    }
}

/* Due at the first step that is not before a third of the iteration, and two thirds. */
static admmnn_status take_turn(void *user, size_t done, size_t steps, float *params,
                               admmnn_error *err) {
    (void)steps;
    (void)params;
    turns *t = user;
    const size_t at = t->before + done;
    if (at == t->all || at * UPDATES < t->all * (t->updates + 1))
        return ADMMNN_OK;
    float *flat = flat_params(t->run);
    const admmnn_status status = admm_update(t->run->admm, flat, NULL, err);
    base_free(flat);
    t->updates++;
    look(t);
    return status;
}

/* An iteration by train_run, without its last update. */
static void replay_iteration(compress_run *run, const recipe_admm *a) {
    const size_t steps = (run->train_count + 15) / 16;
    turns t = {.run = run,
               .anchor = base_array(run->network->active_count, sizeof(float)),
               .unpenalized = base_array(run->network->active_count, 1),
               .all = steps * a->epochs};
    assert_true(t.anchor != NULL && t.unpenalized != NULL);
    look(&t);
    float rho[16];
    fill_rho(run, rho);
    const train_hooks hooks = {.anchor = t.anchor,
                               .unpenalized = t.unpenalized,
                               .rho = rho,
                               .step_user = &t,
                               .after_step = take_turn};
    for (uint32_t e = 0; e < a->epochs; e++, t.before += steps)
        replay_epoch(run, a, e, &hooks);
    assert_int_equal(t.updates, UPDATES - 1);
    base_free(t.anchor);
    base_free(t.unpenalized);
}

/* The second iteration of a round by the run and by train_run. */
static void expect_updates(compress_run *run) {
    while (run->at.stage != RUN_PRUNE_ADMM || run->at.iteration != 1)
        tick(run);
    base_writer snapshot = {0};
    take(run, &snapshot);
    compress_run *other = restored(run->r, &snapshot);
    tick(run);
    tick(run);
    assert_int_equal(run->at.iteration, 2);
    replay_iteration(other, &run->r->prune.admm);
    assert_memory_equal(other->network->params, run->network->params,
                        run->network->active_count * sizeof(float));
    float *flat = flat_params(other);
    MUST(admm_update(other->admm, flat, NULL, err));
    assert_memory_equal(admm_z(other->admm), admm_z(run->admm), run->g->flat_count * sizeof(float));
    assert_memory_equal(admm_u(other->admm), admm_u(run->admm), run->g->flat_count * sizeof(float));
    base_free(flat);
    base_writer_free(&snapshot);
    run_free(other);
}

/* Weights that z has are free, the others are drawn to -u, and both change on the way: on all
 * weights, and on the support of a round before. */
static void an_iteration_of_three_updates(void **state) {
    (void)state;
    recipe *r = make_recipe(
        "lenet-300-100", TRAINING
        "prune:\n  rounds: [3, 9]\n  penalty: pruned\n"
        "  retrain: {epochs: 1, batch: 16}\n"
        "  finish: {epochs: 1, batch: 16}\n"
        "  admm: {iterations: 3, epochs: 2, updates: 3,"
        " rho: {schedule: fixed, first: 0.05},"
        " training: {batch: 16, learning_rate: 0.002, schedule: cosine}}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    expect_updates(run);
    tick_to(run, RUN_RETRAIN);
    expect_updates(run);
    assert_true(run->sparse);
    run_free(run);
    base_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pruning_flat_and_sparse),
        cmocka_unit_test(quantization_flat_and_sparse),
        cmocka_unit_test(an_iteration_of_three_updates),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
