/* How many weights each layer may keep after a round, against the definitions: shares
 * along the rounds' geometric path, and one rank over all layers. */
#include <math.h>

#include "compress/rank.h"
#include "runs.h"

#define LAYERS 3

/* ---- shares ---- */

static void expect_shares(const compress_run *run, double path) {
    static const double shares[LAYERS] = {0.02, 1.0 / 16, 0.5};
    static const double weights[LAYERS] = {300.0 * SIDE * SIDE, 300 * 100, 100 * 10};
    for (uint32_t l = 0; l < LAYERS; l++)
        assert_true(fabs((double)run->layers[l].target - weights[l] * pow(shares[l], path)) <
                    0.5 + 1e-6);
}

/* 2 of 16 is a quarter of the way, by factors. */
static void shares_are_reached_along_the_geometric_path(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n  scope: per-layer\n  rounds: [2, 16]\n"
                            "  keep: [{layer: fc1, keep: 0.02}, {layer: fc3, keep: 0.5}]\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n"
                            "  retrain: {epochs: 1, batch: 16}\n"
                            "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to(run, RUN_PRUNE_ADMM);
    expect_shares(run, 0.25);
    tick_to(run, RUN_RETRAIN);
    tick_to(run, RUN_PRUNE_ADMM);
    assert_int_equal(run->at.round, 1);
    expect_shares(run, 1.0);
    run_free(run);
    base_free(r);
}

/* ---- the rank ---- */

typedef struct ranked {
    double score;
    uint32_t layer;
} ranked;

static int best_first(const void *left, const void *right) {
    const ranked *a = left;
    const ranked *b = right;
    return (a->score < b->score) - (a->score > b->score);
}

/* The layers of the `total` weights with the largest w^2 v / cost. */
static void count_best(const compress_run *run, const float *w, const float *v, const double *cost,
                       size_t total, size_t counts[LAYERS]) {
    ranked *all = base_array(run->network->active_count, sizeof *all);
    assert_non_null(all);
    size_t count = 0;
    for (size_t i = 0; i < run->network->active_count; i++)
        for (uint32_t l = 0; l < LAYERS; l++) {
            const size_t at = place_of(run, i);
            if (is_weight_of(run, l, at))
                all[count++] = (ranked){pow((double)w[at], 2) * (v == NULL ? 1.0 : (double)v[at]) /
                                            (cost == NULL ? 1.0 : cost[l]),
                                        l};
        }
    assert_true(total < count);
    qsort(all, count, sizeof *all, best_first);
    memset(counts, 0, LAYERS * sizeof *counts);
    for (size_t i = 0; i < total; i++)
        counts[all[i].layer]++;
    base_free(all);
}

/* The tick that begins the round, with what the network and its training were before. */
static void expect_rank(compress_run *run, bool by_importance, const double *cost, double ratio) {
    float *w = flat_params(run);
    float *v = flat_second_moments(run);
    const size_t total = (size_t)(ALL_WEIGHTS / ratio);
    size_t wanted[LAYERS], others[3][LAYERS];
    count_best(run, w, by_importance ? v : NULL, cost, total, wanted);
    count_best(run, w, NULL, NULL, total, others[0]);
    count_best(run, w, NULL, cost, total, others[1]);
    count_best(run, w, v, NULL, total, others[2]);
    tick(run);
    assert_int_equal(run->at.stage, RUN_PRUNE_ADMM);
    assert_int_equal(run->at.epoch, 0);
    for (uint32_t l = 0; l < LAYERS; l++)
        assert_int_equal(run->layers[l].target, wanted[l]);
    for (size_t k = by_importance ? 0 : 2; k < 3; k++)
        assert_memory_not_equal(others[k], wanted, sizeof wanted);
    base_free(w);
    base_free(v);
}

/* Up to the end of the last epoch of a stage. */
static void tick_to_last(compress_run *run, run_stage stage, uint32_t epochs) {
    tick_to(run, stage);
    while (run->at.epoch < epochs)
        tick(run);
    assert_int_equal(run->at.stage, stage);
}

/* Each round ranks by the second moments of the training before it. */
static void the_rank_is_by_importance_and_cost(void **state) {
    (void)state;
    static const double cost[LAYERS] = {9, 4, 1};
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n  rounds: [3, 9]\n  bit_cost: [9, 4, 1]\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n"
                            "  retrain: {epochs: 2, batch: 16}\n"
                            "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to_last(run, RUN_DENSE, 2);
    expect_rank(run, true, cost, 3);
    tick_to_last(run, RUN_RETRAIN, 2);
    expect_rank(run, true, cost, 9);
    assert_int_equal(run->at.round, 1);
    run_free(run);
    base_free(r);
}

/* The controls rank by magnitude. */
static void the_controls_rank_by_magnitude(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n  method: one-shot\n  rounds: [9]\n"
                            "  admm: {iterations: 0}\n"
                            "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to_last(run, RUN_DENSE, 2);
    expect_rank(run, false, NULL, 9);
    run_free(run);
    base_free(r);
}

/* ---- a ramp ---- */

/* Zhu and Gupta 2017, equation 1, from one round's share to the next one's. */
static size_t kept_on_ramp(double from, double to, double ramp, double done) {
    const double left = done < ramp ? 1 - done / ramp : 0;
    return (size_t)(ALL_WEIGHTS * (1 / to + (1 / from - 1 / to) * pow(left, 3)));
}

/* The tick that ends an iteration ranks what is W + U before its z step. */
static void expect_ramp(compress_run *run, double from, double to, double done) {
    const size_t total = kept_on_ramp(from, to, 0.75, done);
    base_writer snapshot = {0};
    size_t wanted[LAYERS], of_w[LAYERS], sum = 0;
    take(run, &snapshot);
    compress_run *before = restored(run->r, &snapshot);
    tick(run);
    float *w = flat_params(run);
    count_best(run, w, NULL, NULL, total, of_w);
    for (size_t i = 0; i < run->g->flat_count; i++)
        w[i] += admm_u(before->admm)[i];
    count_best(run, w, NULL, NULL, total, wanted);
    for (uint32_t l = 0; l < LAYERS; l++) {
        assert_int_equal(run->layers[l].target, wanted[l]);
        sum += wanted[l];
    }
    assert_int_equal(sum, total);
    if (run->at.iteration == 2)
        assert_memory_not_equal(of_w, wanted, sizeof wanted);
    base_free(w);
    run_free(before);
    base_writer_free(&snapshot);
}

static void a_ramp_ranks_anew_at_every_update(void **state) {
    (void)state;
    recipe *r =
        make_recipe("lenet-300-100",
                    "training: {epochs: 2, batch: 16, optimizer: sgd, learning_rate: 0.05}\n"
                    "prune:\n  rounds: [4, 16]\n  ramp: 0.75\n"
                    "  admm: {iterations: 4, rho: {schedule: fixed, first: 0.5},"
                    " training: {batch: 16, optimizer: sgd, learning_rate: 0.05}}\n"
                    "  retrain: {epochs: 0}\n"
                    "  finish: {epochs: 0}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    for (uint32_t round = 0; round < 2; round++) {
        tick_to(run, RUN_PRUNE_ADMM);
        assert_int_equal(run->at.round, round);
        for (uint32_t i = 1; i <= 4; i++)
            expect_ramp(run, round == 0 ? 1 : 4, round == 0 ? 4 : 16, i / 4.0);
        tick_to(run, RUN_RETRAIN);
    }
    run_free(run);
    base_free(r);
}

/* Between two rounds' shares along the geometric path, as the rounds themselves are. */
static void shares_follow_the_ramp(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n  scope: per-layer\n  rounds: [16]\n  ramp: 1\n"
                            "  keep: [{layer: fc1, keep: 0.02}, {layer: fc3, keep: 0.5}]\n"
                            "  admm: {iterations: 2, training: {batch: 16}}\n"
                            "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to(run, RUN_PRUNE_ADMM);
    expect_shares(run, 0);
    tick(run);
    expect_shares(run, -log(1.0 / 16 + 15.0 / 16 / 8) / log(16));
    tick(run);
    expect_shares(run, 1);
    run_free(run);
    base_free(r);
}

/* ---- what is left of the last layer ---- */

static void keep_warnings(void *user, admmnn_log_level level, const char *message) {
    base_writer *kept = user;
    if (level == ADMMNN_LOG_WARNING)
        base_write_text(kept, "%s\n", message);
}

/* Rows of the last layer without a weight. */
static size_t empty_rows(const compress_run *run) {
    const graph_parameter *last = run_weight(run, LAYERS - 1);
    float *flat = flat_params(run);
    size_t empty = 0;
    for (size_t row = 0; row < last->rows; row++) {
        float sum = 0.0F;
        for (size_t i = 0; i < last->columns; i++)
            sum += fabsf(flat[last->offset + row * last->columns + i]);
        empty += sum == 0.0F;
    }
    base_free(flat);
    return empty;
}

/* Told once, in the round that does it, with the layer and the classes. */
static void classes_without_a_weight_are_told_once(void **state) {
    (void)state;
    base_writer warnings = {0};
    const admmnn_context watched = {.threads = 1, .log = keep_warnings, .user = &warnings};
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n  scope: per-layer\n  rounds: [4, 20, 20.01]\n"
                            "  keep: [{layer: fc1, keep: 0.2}, {layer: fc3, keep: 0.006}]\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n"
                            "  retrain: {epochs: 1, batch: 16}\n"
                            "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run;
    char text[128];
    MUST(run_create(r, &watched, &run, err));
    tick_to(run, RUN_RETRAIN);
    assert_int_equal(empty_rows(run), 0);
    assert_int_equal(warnings.count, 0);
    tick_to(run, RUN_PRUNE_ADMM);
    tick_to(run, RUN_RETRAIN);
    assert_in_range(empty_rows(run), 1, 9);
    base_write_u8(&warnings, 0);
    snprintf(text, sizeof text, "layer fc3 keeps %zu weights, and none for %zu of the 10 classes",
             rank_kept(run->g, run->layers[LAYERS - 1].node, run->mask), empty_rows(run));
    if (strstr((const char *)warnings.bytes, text) == NULL)
        fail_msg("no '%s' in: %s", text, warnings.bytes);
    const size_t told = warnings.count;
    tick_to(run, RUN_DONE);
    if (warnings.count != told)
        fail_msg("told again: %s", warnings.bytes + told);
    base_writer_free(&warnings);
    run_free(run);
    base_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_reached_along_the_geometric_path),
        cmocka_unit_test(the_rank_is_by_importance_and_cost),
        cmocka_unit_test(the_controls_rank_by_magnitude),
        cmocka_unit_test(a_ramp_ranks_anew_at_every_update),
        cmocka_unit_test(shares_follow_the_ramp),
        cmocka_unit_test(classes_without_a_weight_are_told_once),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
