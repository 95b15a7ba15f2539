/* Runs on a tiny set: a run restored from the state after any tick goes on as the
 * run that was never stopped does, whatever the recipe asks for. */
#include <math.h>

#include "base/hash.h"
#include "compress/rank.h"
#include "graph/shrink.h"
#include "instrumented.h"
#include "runs.h"

/* In a snapshot, the seconds of the run and its stages, and the closing CRC-32. */
#define SECONDS_AT (8 + 4 + 2 * 64 + 8 + 4 + 8 + 6 * 4 + 6 * 8)
#define SECONDS_COUNT ((1 + RUN_DONE) * 8)
#define CRC_COUNT 4

/* The same state but for the clock. */
static void same_state(const compress_run *run, const base_writer *expected, const char *when) {
    base_writer got = {0};
    take(run, &got);
    size_t end = expected->count - CRC_COUNT;
    size_t at = 0;
    while (at < end && at < got.count && got.bytes[at] == expected->bytes[at]) {
        at++;
        if (at == SECONDS_AT)
            at += SECONDS_COUNT;
    }
    if (at < end || got.count != expected->count)
        fail_msg("%s, epoch %u, %s: byte %zu of %zu and %zu differs", run_stage_text(run),
                 run->at.trained, when, at, got.count, expected->count);
    base_writer_free(&got);
}

/* A tick, with a second run restored before it. */
static void tick_beside(compress_run *run, const recipe *r, base_writer *snapshot) {
    take(run, snapshot);
    compress_run *other = restored(r, snapshot);
    same_state(other, snapshot, "restored");
    tick(run);
    take(run, snapshot);
    tick(other);
    same_state(other, snapshot, "one tick later");
    run_free(other);
}

/* To the end, with a second run restored at every tick, where that is slow at a stage's first
 * and at every third; the run is the caller's. */
static compress_run *drive(const recipe *r, unsigned stages) {
    compress_run *run = start(r);
    base_writer snapshot = {0};
    unsigned seen = 0;
    for (unsigned ticks = 0; run->at.stage != RUN_DONE; ticks++) {
        const unsigned stage = 1U << run->at.stage;
        if ((seen & stage) == 0 || ticks % instrumented_or(3, 1) == 0)
            tick_beside(run, r, &snapshot);
        else
            tick(run);
        seen |= stage;
    }
    take(run, &snapshot);
    compress_run *other = restored(r, &snapshot);
    same_state(other, &snapshot, "at the end");
    run_free(other);
    assert_int_equal(seen, stages);
    base_writer_free(&snapshot);
    return run;
}

#define STAGE(name) (1U << RUN_##name)
#define DENSE_STAGE STAGE(DENSE)
#define PRUNE_STAGES (STAGE(PRUNE_ADMM) | STAGE(RETRAIN))
#define QUANTIZE_STAGES (STAGE(QUANTIZE_ADMM) | STAGE(QUANTIZE_TRAIN))

#define PRUNE                                                                                      \
    "  rounds: [3, 9]\n"                                                                           \
    "  retrain: {epochs: 1, batch: 16}\n"                                                          \
    "  finish: {epochs: 2, batch: 16}\n"
#define PRUNE_ADMM "  admm: {iterations: 2, epochs: 2, training: {batch: 16}}\n"
#define QUANTIZE                                                                                   \
    "  admm: {iterations: 2, training: {batch: 16}}\n"                                             \
    "  retrain: {epochs: 2, batch: 16}\n"

static void bits_by_hand(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100",
                            TRAINING "prune:\n" PRUNE PRUNE_ADMM "quantize:\n" QUANTIZE
                                     "  bits: [{layer: fc1, bits: 3}, {layer: fc2, bits: 4},"
                                     " {layer: fc3, bits: 5}]\n");
    compress_run *run = drive(r, DENSE_STAGE | PRUNE_STAGES | QUANTIZE_STAGES);
    for (uint32_t l = 0; l < 3; l++)
        assert_int_equal(run->layers[l].bits, 3 + l);
    run_free(run);
    base_free(r);
}

static size_t targets_of(const compress_run *run) {
    size_t sum = 0;
    for (uint32_t l = 0; l < run->layer_count; l++)
        sum += run->layers[l].target;
    return sum;
}

/* z and u steps within epochs, under a ramp that ends within the second. */
static void a_ramp_with_updates(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100",
                            TRAINING "prune:\n  ramp: 0.6\n  penalty: pruned\n" PRUNE
                                     "  admm: {iterations: 2, epochs: 2, updates: 3,"
                                     " training: {batch: 16}}\n"
                                     "quantize:\n" QUANTIZE
                                     "  bits: [{layer: fc1, bits: 3}, {layer: fc2, bits: 4},"
                                     " {layer: fc3, bits: 5}]\n");
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES | QUANTIZE_STAGES));
    compress_run *run = start(r);
    while (run->at.iteration == 0)
        tick(run);
    const double left = 1 - 0.5 / 0.6; /* three of six updates */
    assert_int_equal(targets_of(run), (size_t)(ALL_WEIGHTS * (1 / 3.0 + 2 / 3.0 * pow(left, 3))));
    tick_to(run, RUN_RETRAIN);
    assert_int_equal(targets_of(run), ALL_WEIGHTS / 3);
    run_free(run);
    base_free(r);
}

static void bits_searched(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING "prune:\n" PRUNE PRUNE_ADMM
                                                      "quantize:\n  max_bits: 3\n"
                                                      "  bias_bits: 6\n" QUANTIZE);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES | STAGE(BITS) | QUANTIZE_STAGES));
    base_free(r);
}

/* With no accuracy to give up, a bit goes only where the accuracy stays. */
static void bits_searched_of_a_dense_network(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100",
                            "training: {epochs: 12, batch: 16, learning_rate: 0.003}\n"
                            "prune: {method: none}\n"
                            "quantize:\n  max_bits: 3\n  max_loss: 0\n" QUANTIZE);
    compress_run *run = drive(r, DENSE_STAGE | STAGE(BITS) | QUANTIZE_STAGES);
    unsigned bits = 0;
    for (uint32_t l = 0; l < run->layer_count; l++)
        bits += run->layers[l].bits;
    assert_true(run->scores.dense > 0.5);
    assert_in_range(bits, run->layer_count + 1, 3 * run->layer_count);
    assert_true(run->scores.pruned == run->scores.dense);
    run_free(run);
    base_free(r);
}

static void levels_with_bits_of_their_own(void **state) {
    (void)state;
    static const char *const levels[] = {"binary", "ternary"};
    for (unsigned k = 0; k < 2; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 TRAINING "prune:\n" PRUNE PRUNE_ADMM "quantize:\n  levels: %s\n" QUANTIZE,
                 levels[k]);
        recipe *r = make_recipe("lenet-300-100", text);
        compress_run *run = start(r);
        while (run->at.stage != RUN_DONE) {
            tick(run);
            assert_int_not_equal(run->at.stage, RUN_BITS);
        }
        for (uint32_t l = 0; l < 3; l++)
            assert_int_equal(run->layers[l].bits, 1 + k);
        run_free(run);
        base_free(r);
    }
}

typedef struct shares {
    double last, least, most; /* of the stage that is watched */
    unsigned count;
} shares;

static void watch_share(void *user, const admmnn_progress *progress) {
    shares *seen = user;
    if (progress->run_done < seen->last - 1e-12) /* but for rounding */
        fail_msg("%s: from %g back to %g", progress->task, seen->last, progress->run_done);
    assert_true(progress->run_done <= 1 + 1e-9);
    seen->last = progress->run_done;
    if (strcmp(progress->task, "search of bits") != 0)
        return;
    seen->least = seen->count++ == 0 ? progress->run_done : seen->least;
    seen->most = progress->run_done;
}

/* The share done never falls, and the search of bits has its part of the whole: here
 * 24 epochs at most (3 layers, 2 bits to lose, 4 epochs) beside 2 of dense training,
 * 11 of pruning, and 4 of quantization. */
static void progress_counts_the_search_of_bits(void **state) {
    (void)state;
    shares seen = {0};
    const admmnn_context watched = {.threads = 1, .progress = watch_share, .user = &seen};
    recipe *r = make_recipe("lenet-300-100", TRAINING "prune:\n" PRUNE PRUNE_ADMM
                                                      "quantize:\n  max_bits: 3\n" QUANTIZE);
    compress_run *run;
    assert_int_equal(run_create(r, &watched, &run, NULL), ADMMNN_OK);
    while (run->at.stage != RUN_DONE)
        tick(run);
    assert_true(seen.count >= 8);
    assert_true(seen.most - seen.least > 0.25 && seen.most < 0.95);
    assert_true(seen.last > 0.999);
    run_free(run);
    base_free(r);
}

static void distillation(void **state) {
    (void)state;
    recipe *r =
        make_recipe("lenet-300-100", TRAINING
                    "prune:\n"
                    "  rounds: [4]\n"
                    "  admm: {iterations: 2, training: {batch: 16, distill: 0.6}}\n"
                    "  finish: {epochs: 2, batch: 16, distill: 0.7, temperature: 2, versions: 2,"
                    " augment: {shift: 1, rotate: 8}}\n" NO_QUANTIZE);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES));
    base_free(r);
}

/* Epochs that the log has, of all stages. */
static uint32_t logged_epochs(const compress_run *run) {
    static const char line[] = "{\"kind\":\"epoch\"";
    const char *log = (const char *)run->log.bytes;
    uint32_t count = 0;
    for (size_t i = 0; i + sizeof line <= run->log.count; i++)
        count += memcmp(log + i, line, sizeof line - 1) == 0;
    return count;
}

/* A version that is not asked for again is no number, and to train on it diverges. */
static void forget_answers(compress_run *run) {
    const size_t count = run->train.count * graph_value_count(run->g, run->g->output);
    run->answers.answered = 0;
    for (size_t i = 0; run->answers.logits != NULL && i < run->answers.versions * count; i++)
        run->answers.logits[i] = NAN;
}

/* Nine versions, each asked for when it is shown. */
static void expect_versions_to(compress_run *run, run_stage stage) {
    while (run->at.stage != stage) {
        const uint32_t trained = run->at.trained;
        uint64_t shown = 0;
        forget_answers(run);
        tick(run);
        for (uint32_t e = trained; e < run->at.trained; e++)
            shown |= UINT64_C(1) << e % 9;
        assert_int_equal(run->answers.answered, shown);
    }
}

/* A stretch goes on with the versions where the one before it stopped, and does not see the first
 * ones again. */
static void versions_go_on_from_stretch_to_stretch(void **state) {
    (void)state;
    recipe *r =
        make_recipe("lenet-300-100", TRAINING
                    "prune:\n"
                    "  rounds: [2, 4]\n"
                    "  admm: {iterations: 2, training: {batch: 16, distill: 0.6, versions: 9}}\n"
                    "  retrain: {epochs: 1, batch: 16, distill: 0.6, versions: 9}\n"
                    "  finish: {epochs: 2, batch: 16, distill: 0.6, versions: 9}\n"
                    "quantize:\n  teacher: pruned\n  max_bits: 2\n"
                    "  admm: {iterations: 2, training: {batch: 16, distill: 0.6, versions: 9}}\n"
                    "  retrain: {epochs: 2, batch: 16, distill: 0.6, versions: 9}\n");
    compress_run *run = start(r);
    tick_to(run, RUN_PRUNE_ADMM);
    expect_versions_to(run, RUN_BITS);
    assert_int_equal(logged_epochs(run), 2 + 2 * 2 + 1 + 2);
    assert_int_equal(run->at.trained, logged_epochs(run));
    expect_versions_to(run, RUN_DONE);
    run_free(run);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES | STAGE(BITS) | QUANTIZE_STAGES));
    base_free(r);
}

/* What a tick moves the weights that stay. */
static double moved_by_tick(compress_run *run) {
    const size_t count = run->network->active_count;
    float *before = base_array_copy(run->network->params, count, sizeof *before);
    double moved = 0.0;
    tick(run);
    assert_int_equal(run->network->active_count, count);
    for (size_t i = 0; i < count; i++)
        moved += fabs((double)run->network->params[i] - (double)before[i]);
    base_free(before);
    return moved;
}

/* The rate falls from step to step, as it does in the iterations of one round of ADMM. */
static void steps_of_gradual_pruning_share_a_schedule(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n"
                            "  method: gradual\n"
                            "  rounds: [1.1, 1.2, 1.3, 1.4, 1.5, 1.6]\n"
                            "  retrain: {epochs: 1, batch: 16, optimizer: sgd,"
                            " learning_rate: 0.01, schedule: cosine}\n"
                            "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    double moved[6];
    while (run->at.stage != RUN_DONE) {
        const uint32_t round = run->at.round;
        if (run->at.stage == RUN_RETRAIN && run->at.epoch == 0)
            moved[round] = moved_by_tick(run);
        else
            tick(run);
    }
    assert_true(moved[4] < 0.3 * moved[0]); /* at a thirtieth of the rate */
    run_free(run);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES));
    base_free(r);
}

/* Through every stage, on the oneDNN back end; levels of zero cut units out. */
static void normalization_and_dropout(void **state) {
    (void)state;
    recipe *r =
        make_recipe_on("auto", "mlp-bn-12",
                       "training: {epochs: 2, batch: 16, loss: squared-hinge}\n"
                       "prune:\n"
                       "  rounds: [2, 4]\n"
                       "  retrain: {epochs: 1, batch: 16, loss: squared-hinge}\n"
                       "  finish: {epochs: 2, batch: 16, loss: squared-hinge}\n"
                       "  admm: {iterations: 2, training: {batch: 16, loss: squared-hinge}}\n"
                       "quantize:\n  levels: ternary\n"
                       "  admm: {iterations: 2, training: {batch: 16, loss: squared-hinge}}\n"
                       "  retrain: {epochs: 2, batch: 16, loss: squared-hinge}\n");
    compress_run *run = drive(r, DENSE_STAGE | PRUNE_STAGES | QUANTIZE_STAGES);
    assert_int_equal(run->network->loss, ENGINE_SQUARED_HINGE);
    run_free(run);
    base_free(r);
}

/* Weights that are no level of their layer. */
static size_t off_levels(const compress_run *run) {
    size_t off = 0;
    const size_t count = run->network->active_count;
    float *levels = base_array_copy(run->network->params, count, sizeof *levels);
    run_quantize_weights(run, levels);
    for (size_t i = 0; i < count; i++)
        off += levels[i] != run->network->params[i];
    base_free(levels);
    return off;
}

/* A projected gradient's weights are levels after every epoch; those behind straight-through
 * levels are not, and stay between -1 and 1. Both go on from any tick, and end on levels. */
static void controls_of_quantization(void **state) {
    (void)state;
    static const char *const methods[] = {"projected-gradient", "straight-through"};
    for (size_t m = 0; m < 2; m++) {
        char text[512];
        snprintf(text, sizeof text,
                 "training: {epochs: 1, batch: 16}\n"
                 "prune: {method: none}\n"
                 "quantize:\n  method: %s\n  levels: sign\n"
                 "  admm: {iterations: 2, epochs: 2, training: {batch: 16, learning_rate: 0.05}}\n"
                 "  fix: [1]\n  retrain: {epochs: 1, batch: 16}\n",
                 methods[m]);
        recipe *r = make_recipe_on("auto", "mlp-bn-12", text);
        run_free(drive(r, DENSE_STAGE | QUANTIZE_STAGES));
        compress_run *run = start(r);
        tick_to(run, RUN_QUANTIZE_ADMM);
        tick(run);
        assert_null(run->admm);
        assert_true((off_levels(run) > 0) == (m == 1));
        for (uint32_t l = 0; l < run->layer_count; l++) {
            const train_range w = train_network_range(run->network, run_weight(run, l));
            for (size_t i = w.first; i < w.first + w.count; i++)
                assert_true(fabsf(run->network->params[i]) <= 1);
        }
        tick_to(run, RUN_DONE);
        assert_true(off_levels(run) == 0);
        run_free(run);
        base_free(r);
    }
}

/* SGD keeps no second moments: the rank is by magnitude, not by their zeros. */
static void sgd(void **state) {
    (void)state;
    static const char *const text =
        "training: {epochs: 2, batch: 16, optimizer: sgd, learning_rate: 0.05}\n"
        "prune:\n"
        "  rounds: [20]\n"
        "  admm: {iterations: 1, training: {batch: 16, optimizer: sgd}}\n"
        "  finish: {epochs: 1, batch: 16, optimizer: sgd}\n" NO_QUANTIZE;
    recipe *r = make_recipe("lenet-300-100", text);
    compress_run *run = start(r);
    while (run->at.stage == RUN_DENSE)
        tick(run);
    uint8_t *all = base_array(run->g->flat_count, 1);
    assert_non_null(all);
    memset(all, 1, run->g->flat_count);
    size_t total = graph_weight_count(run->g) / 20;
    size_t counts[3];
    assert_int_equal(rank_global(run->g, run->dense, all, NULL, NULL, total, counts, NULL),
                     ADMMNN_OK);
    for (uint32_t l = 0; l < 3; l++) {
        assert_int_equal(run->layers[l].target, counts[l]);
        assert_true(counts[l] > 1);
    }
    base_free(all);
    run_free(run);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES));
    base_free(r);
}

static void filters_with_a_balanced_penalty(void **state) {
    (void)state;
    recipe *r = make_recipe(
        "lenet-5",
        TRAINING "prune:\n  set: filters\n" PRUNE
                 "  admm: {iterations: 3, training: {batch: 16},"
                 " rho: {schedule: balancing, first: 0.001, ratio: 1.1, factor: 3}}\n" NO_QUANTIZE);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES));
    base_free(r);
}

/* Random filters are whole ones too, and no output of the network is lost to them. */
static void random_filters(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-5", TRAINING
                            "prune:\n  set: filters\n  method: random\n  rounds: [4]\n"
                            "  admm: {iterations: 0}\n  finish: {epochs: 0}\n" NO_QUANTIZE);
    compress_run *run = drive(r, DENSE_STAGE | PRUNE_STAGES);
    const graph_parameter *first = run_weight(run, 0);
    size_t whole_rows = 0;
    for (size_t row = 0; row < first->rows; row++) {
        size_t kept = 0;
        for (size_t i = 0; i < first->columns; i++)
            kept += run->mask[first->offset + row * first->columns + i];
        assert_true(kept == 0 || kept == first->columns);
        whole_rows += kept > 0;
    }
    assert_int_equal(whole_rows, first->rows / 4);
    const graph_parameter *last = run_weight(run, run->layer_count - 1);
    for (size_t row = 0; row < last->rows; row++) {
        size_t kept = 0;
        for (size_t i = 0; i < last->columns; i++)
            kept += run->mask[last->offset + row * last->columns + i];
        assert_in_range(kept, last->columns / 4, last->columns / 4 + 1);
    }
    run_free(run);
    base_free(r);
}

/* The engine is made for the largest batch, which the first training has not. */
static void later_batches_are_larger(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n"
                            "  rounds: [4]\n"
                            "  admm: {iterations: 1, training: {batch: 64}}\n"
                            "  finish: {epochs: 1, batch: 64}\n"
                            "quantize:\n  max_bits: 2\n"
                            "  admm: {iterations: 1, training: {batch: 64}}\n"
                            "  retrain: {epochs: 1, batch: 64}\n");
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES | STAGE(BITS) | QUANTIZE_STAGES));
    base_free(r);
}

/* The mean of the last epochs' weights is what the same run without averaging
 * passes through. */
static void averaging(void **state) {
    (void)state;
    enum { EPOCHS = 5, AVERAGED = 3 };
    static const char *const format =
        "training: {epochs: 5, batch: 16, schedule: constant, average: %s}\n"
        "prune: {method: none}\n" NO_QUANTIZE;
    char text[256];
    snprintf(text, sizeof text, format, "0");
    recipe *plain = make_recipe("lenet-300-100", text);
    compress_run *run = start(plain);
    double *sum = base_array(run->g->flat_count, sizeof *sum);
    assert_non_null(sum);
    for (uint32_t epoch = 1; epoch <= EPOCHS; epoch++) {
        tick(run);
        for (size_t i = 0; i < run->g->flat_count && epoch > EPOCHS - AVERAGED; i++)
            sum[i] += (double)run->network->params[i] / AVERAGED;
    }
    snprintf(text, sizeof text, format, "0.6");
    recipe *averaged = make_recipe("lenet-300-100", text);
    compress_run *mean = drive(averaged, DENSE_STAGE);
    double furthest = 0.0;
    for (size_t i = 0; i < run->g->flat_count; i++) {
        assert_true(fabs((double)mean->dense[i] - sum[i]) < 1e-6);
        furthest = fmax(furthest, fabs((double)run->network->params[i] - sum[i]));
    }
    assert_true(furthest > 1e-3);
    base_free(sum);
    run_free(mean);
    run_free(run);
    base_free(averaged);
    base_free(plain);
}

/* Fixed in two parts of two epochs: the first ends in the mean of what the same run
 * without averaging passes through, and what is fixed is on its level still. */
static void averaging_while_fixing(void **state) {
    (void)state;
    static const char *const format = TRAINING
        "prune: {method: none}\n"
        "quantize:\n  bits: [{layer: fc1, bits: 3}]\n  teacher: pruned\n"
        "  admm: {iterations: 1, training: {batch: 16, distill: 1}}\n"
        "  fix: [0.5, 1]\n"
        "  retrain: {epochs: 4, batch: 16, schedule: constant, average: %s, distill: 1}\n";
    char text[512];
    compress_run *runs[2];
    recipe *recipes[2];
    float *first = NULL;
    for (int k = 0; k < 2; k++) {
        snprintf(text, sizeof text, format, k == 0 ? "0" : "1");
        recipes[k] = make_recipe("lenet-300-100", text);
        runs[k] = start(recipes[k]);
        while (runs[k]->at.stage != RUN_QUANTIZE_TRAIN || runs[k]->at.epoch < 1)
            tick(runs[k]);
        if (k == 0)
            first = base_array_copy(runs[k]->network->params, runs[k]->network->active_count,
                                    sizeof *first);
        tick(runs[k]);
    }
    size_t fixed = 0;
    for (size_t i = 0; i < runs[0]->network->active_count; i++) {
        const float plain = runs[0]->network->params[i];
        const float mean = runs[1]->network->params[i];
        if (runs[1]->fixed[i] != 0) {
            assert_true(mean == first[i]);
            fixed++;
        }
        assert_true(fabsf(mean - 0.5F * (first[i] + plain)) < 1e-6F);
    }
    assert_true(fixed > 1000);
    base_free(first);
    for (int k = 0; k < 2; k++) {
        run_free(runs[k]);
        run_free(drive(recipes[k], DENSE_STAGE | QUANTIZE_STAGES));
        base_free(recipes[k]);
    }
}

/* A level of zero prunes: what is left at the end is the mask's, on levels, and no part of
 * it is dead. */
static void levels_of_zero_prune_too(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune: {method: none}\n"
                            "quantize:\n"
                            "  levels: ternary\n"
                            "  bias_bits: 4\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n"
                            "  retrain: {epochs: 2, batch: 16}\n");
    compress_run *run = drive(r, DENSE_STAGE | QUANTIZE_STAGES);
    const size_t count = run->g->flat_count;
    float *flat = base_array(count, sizeof *flat);
    uint8_t *mask = base_array_copy(run->mask, count, 1);
    assert_true(flat != NULL && mask != NULL);
    train_network_expand(run->network, run->network->params, flat);
    size_t cut = 0;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_parameter *weight = run_weight(run, l);
        for (size_t i = weight->offset; i < weight->offset + weight->count; i++) {
            assert_int_equal(run->mask[i] != 0, flat[i] != 0.0F);
            assert_true(flat[i] == 0.0F || fabsf(flat[i]) == run->layers[l].step);
            cut += flat[i] == 0.0F && run_pruned(run)[i] != 0.0F;
        }
    }
    assert_true(cut > 1000);
    assert_int_equal(shrink_remove_dead(run->g, SHRINK_EXACT, mask, flat, NULL), ADMMNN_OK);
    assert_memory_equal(mask, run->mask, count);
    train_score score;
    admmnn_error err = {0};
    assert_int_equal(run_validate(run, run->network->params, &score, &err), ADMMNN_OK);
    assert_true(score.accuracy == run->scores.quantized);
    base_free(flat);
    base_free(mask);
    run_free(run);
    base_free(r);
}

/* Rounds of other numbers of weights: each mean is of its own, and a checkpoint within
 * it holds what is in it. */
static void averaging_of_what_is_left(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n"
                            "  rounds: [3, 9]\n"
                            "  admm: {iterations: 1, training: {batch: 16}}\n"
                            "  retrain: {epochs: 2, batch: 16, average: 1}\n"
                            "  finish: {epochs: 3, batch: 16, average: 0.7}\n" NO_QUANTIZE);
    compress_run *run = drive(r, DENSE_STAGE | PRUNE_STAGES);
    for (size_t i = 0; i < run->g->flat_count; i++)
        assert_true(run->mask[i] != 0 || run->pruned[i] == 0.0F);
    run_free(run);
    base_free(r);
}

/* Boyd et al. 2011, section 3.3.1, from x, z, u and the z before, for every layer. */
static bool is_converged(const compress_run *run, const float *before, double tolerance) {
    float *x;
    admmnn_error err = {0};
    if (run_flat_params(run, &x, &err) != ADMMNN_OK)
        fail_msg("run_flat_params: %s", err.message);
    const float *z = admm_z(run->admm);
    const float *u = admm_u(run->admm);
    bool converged = true;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_parameter *w = run_weight(run, l);
        double primal = 0.0;
        double moved = 0.0; /* ||z - before||: rho is on both sides */
        double norms[3] = {0.0, 0.0, 0.0};
        for (size_t i = w->offset; i < w->offset + w->count; i++) {
            primal += pow((double)x[i] - (double)z[i], 2);
            moved += pow((double)z[i] - (double)before[i], 2);
            norms[0] += (double)x[i] * (double)x[i];
            norms[1] += (double)z[i] * (double)z[i];
            norms[2] += (double)u[i] * (double)u[i];
        }
        converged = converged && sqrt(primal) <= tolerance * sqrt(fmax(norms[0], norms[1])) &&
                    sqrt(moved) <= tolerance * sqrt(norms[2]);
    }
    base_free(x);
    return converged;
}

static size_t logged(const compress_run *run, const char *what) {
    size_t count = 0;
    size_t length = strlen(what);
    for (size_t i = 0; i + length <= run->log.count; i++)
        count += memcmp(run->log.bytes + i, what, length) == 0;
    return count;
}

/* ADMM ends at the iteration whose residuals are small, not before and not after, and
 * the log holds the iterations there were. A run restored at any tick, the one after
 * that iteration among them, ends there too. */
static void admm_stops_early(void **state) {
    (void)state;
    enum { ITERATIONS = 12 };
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune:\n"
                            "  rounds: [1.5]\n"
                            "  admm: {iterations: 12, epochs: 2, tolerance: 0.6,"
                            " rho: {schedule: fixed, first: 10},"
                            " training: {batch: 16, learning_rate: 0.01}}\n"
                            "  finish: {epochs: 2, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    float *before = base_array(run->g->flat_count, sizeof *before);
    assert_non_null(before);
    while (run->at.stage == RUN_DENSE)
        tick(run);
    uint32_t iterations = 0;
    while (run->at.iteration < ITERATIONS) {
        memcpy(before, admm_z(run->admm), run->g->flat_count * sizeof *before);
        tick(run);
        tick(run);
        iterations++;
        assert_int_equal(run->at.epoch, 2 * iterations);
        bool converged = is_converged(run, before, 0.6);
        assert_int_equal(run->at.iteration, converged ? ITERATIONS : iterations);
    }
    assert_in_range(iterations, 2, ITERATIONS - 1);
    tick(run);
    assert_int_equal(run->at.stage, RUN_RETRAIN);
    assert_int_equal(logged(run, "\"kind\":\"residual\""), 3 * iterations);
    assert_int_equal(logged(run, "\"kind\":\"epoch\",\"stage\":\"ADMM pruning\""), 2 * iterations);
    base_free(before);
    run_free(run);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES));
    base_free(r);
}

/* Weights that hardly move are converged at once; they wait for the ramp, and so for the
 * round's ratio. */
static void no_round_ends_on_its_ramp(void **state) {
    (void)state;
    recipe *r =
        make_recipe("lenet-300-100", TRAINING
                    "prune:\n  scope: per-layer\n  rounds: [2]\n  ramp: 0.5\n"
                    "  admm: {iterations: 12, tolerance: 1, rho: {schedule: fixed, first: 0.001},"
                    " training: {batch: 16, learning_rate: 0.00001}}\n"
                    "  finish: {epochs: 1, batch: 16}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to(run, RUN_PRUNE_ADMM);
    while (run->at.iteration < 12)
        tick(run);
    assert_in_range(run->at.epoch, 6, 12);
    assert_int_equal(targets_of(run), ALL_WEIGHTS / 2);
    run_free(run);
    base_free(r);
}

/* z steps onto levels within an epoch, each of admm-r with draws of its own. */
static void quantization_with_updates(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune: {method: none}\n"
                            "quantize:\n  variant: admm-r\n"
                            "  admm: {iterations: 2, updates: 3, training: {batch: 16}}\n"
                            "  retrain: {epochs: 1, batch: 16}\n"
                            "  bits: [{layer: fc1, bits: 3}, {layer: fc2, bits: 4},"
                            " {layer: fc3, bits: 5}]\n");
    run_free(drive(r, DENSE_STAGE | QUANTIZE_STAGES));
    base_free(r);
}

static size_t fixed_weights(const compress_run *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->network->active_count; i++)
        count += run->fixed[i];
    return count;
}

/* What is fixed is on a level and stays there to the end; biases are never fixed. */
static void weights_are_fixed_in_steps(void **state) {
    (void)state;
    recipe *r =
        make_recipe("lenet-300-100", TRAINING "prune:\n" PRUNE PRUNE_ADMM
                                              "quantize:\n  max_bits: 2\n  fix: [0.25, 0.5, 1]\n"
                                              "  bits: [{layer: fc1, bits: 2}]\n"
                                              "  admm: {iterations: 1, training: {batch: 16}}\n"
                                              "  retrain: {epochs: 6, batch: 16}\n");
    compress_run *run = start(r);
    while (run->at.stage != RUN_QUANTIZE_TRAIN)
        tick(run);
    static const double shares[] = {0.25, 0.25, 0.5, 0.5, 1, 1};
    size_t kept = 0;
    for (uint32_t l = 0; l < 3; l++)
        kept += rank_kept(run->g, run->layers[l].node, run->mask);
    float *levels = base_array(run->network->active_count, sizeof *levels);
    uint8_t *fixed = base_array(run->network->active_count, 1);
    assert_true(levels != NULL && fixed != NULL);
    for (size_t epoch = 0; epoch < 6; epoch++) {
        tick(run);
        for (size_t i = 0; i < run->network->active_count; i++) {
            if (fixed[i] != 0)
                assert_true(run->fixed[i] != 0 && run->network->params[i] == levels[i]);
            fixed[i] = run->fixed[i];
            levels[i] = run->network->params[i];
        }
        double wanted = shares[epoch] * (double)kept;
        assert_true(fabs((double)fixed_weights(run) - wanted) <= 3.0);
    }
    tick(run);
    assert_int_equal(run->at.stage, RUN_DONE);
    for (size_t i = 0; i < run->network->active_count; i++)
        if (fixed[i] != 0)
            assert_true(run->network->params[i] == levels[i]);
    base_free(levels);
    base_free(fixed);
    run_free(run);
    run_free(drive(r, DENSE_STAGE | PRUNE_STAGES | QUANTIZE_STAGES));
    base_free(r);
}

/* One pixel or one label of the training data: another run. */
static void other_data_is_refused(void **state) {
    (void)state;
    recipe *r = make_recipe("lenet-300-100", TRAINING "prune: {method: none}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    base_writer snapshot = {0};
    take(run, &snapshot);
    for (int which = 0; which < 2; which++) {
        compress_run *other = start(r);
        admmnn_error err = {0};
        other->train.pixels[77] ^= which == 0;
        other->train.labels[5] ^= which == 1;
        MUST(data_set_digest(&other->train, other->data_sha256, err));
        assert_int_equal(restore(other, &snapshot, &err), ADMMNN_INPUT);
        assert_non_null(strstr(err.message, "c.ckpt: made with other training images than"));
        assert_non_null(strstr(err.message, root));
        other->train.pixels[77] ^= which == 0;
        other->train.labels[5] ^= which == 1;
        MUST(data_set_digest(&other->train, other->data_sha256, err));
        assert_int_equal(restore(other, &snapshot, &err), ADMMNN_OK);
        run_free(other);
    }
    base_writer_free(&snapshot);
    run_free(run);
    base_free(r);
}

/* A snapshot with this 32-bit field and a checksum that is right again. */
static void expect_refused(const recipe *r, const base_writer *snapshot, size_t place,
                           uint32_t value, const char *reason) {
    base_writer bytes = {0};
    base_write_bytes(&bytes, snapshot->bytes, place);
    base_write_u32(&bytes, value);
    base_write_bytes(&bytes, snapshot->bytes + place + 4, snapshot->count - CRC_COUNT - place - 4);
    base_write_u32(&bytes, base_crc32(bytes.bytes, bytes.count));
    assert_false(bytes.failed);
    compress_run *run = start(r);
    admmnn_error err = {0};
    assert_int_equal(restore(run, &bytes, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, reason));
    assert_non_null(
        strstr(err.message, "; choose another --out, or remove all that the run left there"));
    run_free(run);
    base_writer_free(&bytes);
}

static void states_that_no_run_has_are_refused(void **state) {
    (void)state;
    static const char nonsense[] = "c.ckpt: the checkpoint's position makes no sense";
    recipe *r = make_recipe("lenet-300-100", TRAINING
                            "prune: {method: none}\nquantize:\n  levels: equal-zero\n"
                            "  bits: [{layer: fc1, bits: 2}]\n" QUANTIZE);
    compress_run *run = start(r);
    base_writer snapshot = {0};
    const size_t bits_at = SECONDS_AT + SECONDS_COUNT + 8;
    take(run, &snapshot);
    expect_refused(r, &snapshot, 8 + 4 + 2 * 64 + 8 + 4 + 8, RUN_DONE + 1, nonsense);
    expect_refused(r, &snapshot, bits_at, 2, nonsense); /* before there are any */
    const size_t averaged_at = snapshot.count - CRC_COUNT - run->log.count - 8 - 4;
    expect_refused(r, &snapshot, averaged_at, 1, "average");
    while (run->at.stage != RUN_QUANTIZE_TRAIN)
        tick(run);
    take(run, &snapshot);
    const unsigned wrong[] = {0, 1, 17};
    for (size_t i = 0; i < 3; i++)
        expect_refused(r, &snapshot, bits_at, wrong[i], nonsense);
    run_free(restored(r, &snapshot));
    base_writer_free(&snapshot);
    run_free(run);
    base_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_by_hand),
        cmocka_unit_test(a_ramp_with_updates),
        cmocka_unit_test(bits_searched),
        cmocka_unit_test(bits_searched_of_a_dense_network),
        cmocka_unit_test(levels_with_bits_of_their_own),
        cmocka_unit_test(progress_counts_the_search_of_bits),
        cmocka_unit_test(distillation),
        cmocka_unit_test(versions_go_on_from_stretch_to_stretch),
        cmocka_unit_test(steps_of_gradual_pruning_share_a_schedule),
        cmocka_unit_test(normalization_and_dropout),
        cmocka_unit_test(controls_of_quantization),
        cmocka_unit_test(sgd),
        cmocka_unit_test(filters_with_a_balanced_penalty),
        cmocka_unit_test(random_filters),
        cmocka_unit_test(later_batches_are_larger),
        cmocka_unit_test(admm_stops_early),
        cmocka_unit_test(no_round_ends_on_its_ramp),
        cmocka_unit_test(quantization_with_updates),
        cmocka_unit_test(averaging),
        cmocka_unit_test(averaging_while_fixing),
        cmocka_unit_test(levels_of_zero_prune_too),
        cmocka_unit_test(averaging_of_what_is_left),
        cmocka_unit_test(weights_are_fixed_in_steps),
        cmocka_unit_test(other_data_is_refused),
        cmocka_unit_test(states_that_no_run_has_are_refused),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
