/* The recipe: every key comes through. */
#include "recipes.h"

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "graph/zoo.h"
#include "must.h"

/* ---- values ---- */

static void defaults(void **state) {
    (void)state;
    recipe *r = parse(MINIMAL);
    assert_string_equal(r->path, "r.yaml");
    assert_string_equal(r->model, "lenet-5");
    assert_int_equal(r->dataset_format, DATA_MNIST);
    assert_string_equal(r->dataset_path, "");
    assert_int_equal(r->validation, 5000);
    assert_int_equal(r->seed, 1);
    assert_int_equal(r->backend, ENGINE_AUTO);
    assert_int_equal(r->training.epochs, 10);
    assert_int_equal(r->training.batch, 64);
    assert_int_equal(r->training.optimizer, TRAIN_ADAM);
    assert_int_equal(r->training.schedule, TRAIN_ONE_CYCLE);
    assert_true(r->training.learning_rate == 3e-3 && r->training.momentum == 0.9);
    assert_int_equal(r->prune.method, RECIPE_PRUNE_ADMM);
    assert_int_equal(r->prune.scope, RECIPE_SCOPE_GLOBAL);
    assert_int_equal(r->prune.admm.iterations, 6);
    assert_int_equal(r->prune.admm.rho.iterations, 6);
    assert_int_equal(r->prune.admm.updates, 1);
    assert_true(r->prune.ramp == 0);
    assert_int_equal(r->prune.penalty, RECIPE_PENALTY_ALL);
    assert_true(r->prune.admm.rho.first == 1e-4F && r->prune.admm.rho.last == 1e-2F);
    assert_int_equal(r->prune.admm.training.schedule, TRAIN_CONSTANT);
    assert_int_equal(r->prune.retrain.epochs, 10);
    assert_int_equal(r->prune.finish.epochs, 20);
    assert_true(r->quantize.enabled);
    assert_int_equal(r->quantize.max_bits, 4);
    assert_int_equal(r->quantize.bias_bits, 8);
    assert_int_equal(r->quantize.admm.rho.iterations, 20);
    assert_int_equal(r->quantize.admm.training.schedule, TRAIN_COSINE);
    assert_int_equal(r->quantize.fix_count, 4);
    assert_true(r->quantize.fix[0] == 0.5 && r->quantize.fix[3] == 1.0);
    assert_int_equal(r->quantize.bits_count + r->prune.keep_count + r->prune.bit_cost_count, 0);
    assert_int_equal(r->pack.positions, PACK_POSITION_AUTO);
    base_free(r);
}

/* The dense training, which has no teacher, and ADMM's, which has no mean. */
static bool has_teacher(unsigned k) {
    return k != 1;
}

static bool has_average(unsigned k) {
    return k != 4 && k != 6;
}

/* The squared hinge has neither a teacher nor label_smoothing. */
static bool is_hinge(unsigned k) {
    return k == 1;
}

/* A stretch of training whose every value tells which stretch it is. */
static void write_training(base_writer *out, unsigned k) {
    base_write_text(out, "{");
    if (has_average(k))
        base_write_text(out, "average: 0.3%u, ", k);
    else
        base_write_text(out, "average: 0, ");
    if (has_teacher(k))
        base_write_text(out, "distill: 0.2%u, temperature: %u.5, versions: %u, ", k, k, 20 + k);
    else
        base_write_text(out, "distill: 0, temperature: 1, versions: 0, ");
    if (is_hinge(k))
        base_write_text(out, "loss: squared-hinge, label_smoothing: 0, ");
    else
        base_write_text(out, "loss: cross-entropy, label_smoothing: 0.1%u, ", k);
    base_write_text(out,
                    "epochs: %u, batch: %u, optimizer: %s, learning_rate: 0.%u, momentum: 0.0%u, "
                    "weight_decay: 0.00%u, schedule: %s, augment: {shift: %u, rotate: %u.25, flip: "
                    "%s, crop: 0.%u, brightness: 0.1%u, contrast: 0.2%u, saturation: 0.3%u}}\n",
                    30 + k, 40 + k, k % 2 == 0 ? "sgd" : "adamw", 10 + k, 10 + k, 10 + k,
                    k % 2 == 0 ? "step" : "cosine", 50 + k, k, k % 2 == 0 ? "true" : "false", k, k,
                    k, k);
}

static double number_of(const char *format, unsigned k) {
    char text[32];
    double number;
    snprintf(text, sizeof text, format, k);
    sscanf(text, "%lf", &number);
    return number;
}

static void expect_number(double value, const char *format, unsigned k) {
    assert_true(value == number_of(format, k));
}

static void expect_float(float value, const char *format, unsigned k) {
    assert_true(value == (float)number_of(format, k));
}

static void expect_training(const recipe_training *t, unsigned k) {
    assert_int_equal(t->epochs, 30 + k);
    assert_int_equal(t->batch, 40 + k);
    assert_int_equal(t->optimizer, k % 2 == 0 ? TRAIN_SGD : TRAIN_ADAMW);
    expect_number(t->learning_rate, "0.%u", 10 + k);
    expect_number(t->momentum, "0.0%u", 10 + k);
    expect_number(t->weight_decay, "0.00%u", 10 + k);
    assert_int_equal(t->schedule, k % 2 == 0 ? TRAIN_STEP : TRAIN_COSINE);
    expect_number(t->average, has_average(k) ? "0.3%u" : "0", k);
    assert_int_equal(t->loss, is_hinge(k) ? ENGINE_SQUARED_HINGE : ENGINE_CROSS_ENTROPY);
    expect_number(t->label_smoothing, is_hinge(k) ? "0" : "0.1%u", k);
    expect_number(t->distill, has_teacher(k) ? "0.2%u" : "0", k);
    expect_number(t->temperature, has_teacher(k) ? "%u.5" : "1", k);
    assert_int_equal(t->versions, has_teacher(k) ? 20 + k : 0);
    assert_int_equal(t->augment.shift, 50 + k);
    expect_number((double)t->augment.rotate, "%u.25", k);
    assert_int_equal(t->augment.flip, k % 2 == 0);
    expect_float(t->augment.crop, "0.%u", k);
    expect_float(t->augment.brightness, "0.1%u", k);
    expect_float(t->augment.contrast, "0.2%u", k);
    expect_float(t->augment.saturation, "0.3%u", k);
}

static void write_admm(base_writer *out, unsigned k) {
    base_write_text(out,
                    "  admm:\n    iterations: %u\n    epochs: %u\n    updates: %u\n"
                    "    rho: {schedule: balancing, "
                    "first: %u.5, last: %u.5, ratio: %u.5, factor: %u.5}\n    tolerance: 0.3%u\n"
                    "    training: ",
                    60 + k, 70 + k, 80 + k, k, 20 + k, 30 + k, 40 + k, k);
    write_training(out, k);
}

static void expect_admm(const recipe_admm *a, unsigned k) {
    assert_int_equal(a->iterations, 60 + k);
    assert_int_equal(a->rho.iterations, 60 + k);
    assert_int_equal(a->epochs, 70 + k);
    assert_int_equal(a->updates, 80 + k);
    assert_int_equal(a->rho.kind, ADMM_RHO_BALANCING);
    expect_number((double)a->rho.first, "%u.5", k);
    expect_number((double)a->rho.last, "%u.5", 20 + k);
    expect_number((double)a->rho.ratio, "%u.5", 30 + k);
    expect_number((double)a->rho.factor, "%u.5", 40 + k);
    expect_number(a->tolerance, "0.3%u", k);
    expect_training(&a->training, k);
}

/* Every key, between the two; what excludes another is in one of them: costs are of the rank
 * over all layers, shares of layers in its place. */
static char *write_full(bool other) {
    base_writer out = {0};
    base_write_text(&out,
                    "model: lenet-300-100\nseed: 9007199254740991\nbackend: reference\n"
                    "dataset: {format: %s, path: folder, validation: 123%s}\ntraining: ",
                    other ? "folder" : "idx",
                    other ? ", size: 224, resize: 256, colour: grey, normalise: none, "
                            "mean: [0.1, 0.2, 0.3], deviation: [0.4, 0.5, 1], memory: 77, "
                            "max_damaged: 9"
                          : "");
    write_training(&out, 1);
    base_write_text(&out,
                    "prune:\n  rounds: [1.5, 3, 4e1]\n  block_rows: 5\n  block_columns: 6\n"
                    "  n: 7\n  m: 8\n");
    if (other)
        base_write_text(&out,
                        "  bit_cost: [5, 9.5, 0.5]\n  ramp: 0.75\n  penalty: pruned\n"
                        "  x_step: training\n  curvature_share: 1\n");
    else
        base_write_text(&out,
                        "  method: gradual\n  set: blocks\n  scope: per-layer\n"
                        "  keep: [{layer: fc1, keep: 0.25}, {keep: 1, layer: fc3}]\n");
    base_write_text(&out, "  retrain: ");
    write_training(&out, 2);
    base_write_text(&out, "  finish: ");
    write_training(&out, 3);
    write_admm(&out, 4);
    base_write_text(&out,
                    "quantize:\n  enabled: false\n  levels: equal-zero\n  teacher: pruned\n"
                    "  max_bits: 7\n  bias_bits: 12\n");
    if (other)
        base_write_text(&out, "  max_loss: 0.5\n  method: admm\n  variant: admm-s\n  beta: 0.25\n");
    else
        base_write_text(&out,
                        "  bits:\n    - layer: fc2\n      bits: 3\n    - {layer: fc1, bits: 8}\n"
                        "  variant: admm-r\n  probability: 0.75\n");
    base_write_text(&out, "  fix: [0.125, 0.5]\n  retrain: ");
    write_training(&out, 5);
    write_admm(&out, 6);
    base_write_text(&out, "pack: {positions: bitmap, values: range}\n");
    base_write_u8(&out, 0);
    assert_false(out.failed);
    return (char *)out.bytes;
}

static void expect_prune(const recipe_prune *p) {
    assert_int_equal(p->method, RECIPE_PRUNE_GRADUAL);
    assert_int_equal(p->set, RECIPE_SET_BLOCKS);
    assert_int_equal(p->scope, RECIPE_SCOPE_PER_LAYER);
    assert_int_equal(p->round_count, 3);
    assert_true(p->rounds[0] == 1.5 && p->rounds[1] == 3 && p->rounds[2] == 40);
    assert_int_equal(p->rounds_line, 7);
    assert_int_equal(p->block_rows, 5);
    assert_int_equal(p->block_columns, 6);
    assert_int_equal(p->n, 7);
    assert_int_equal(p->m, 8);
    assert_int_equal(p->keep_count, 2);
    assert_string_equal(p->keep[0].layer, "fc1");
    assert_string_equal(p->keep[1].layer, "fc3");
    assert_true(p->keep[0].keep == 0.25 && p->keep[1].keep == 1);
    assert_int_equal(p->keep[1].line, 15);
    expect_training(&p->retrain, 2);
    expect_training(&p->finish, 3);
    expect_admm(&p->admm, 4);
}

static void expect_quantize(const recipe_quantize *q) {
    assert_false(q->enabled);
    assert_int_equal(q->levels, ADMM_LEVELS_EQUAL_ZERO);
    assert_int_equal(q->teacher, RECIPE_TEACHER_PRUNED);
    assert_int_equal(q->bits_count, 2);
    assert_string_equal(q->bits[0].layer, "fc2");
    assert_int_equal(q->bits[0].bits, 3);
    assert_string_equal(q->bits[1].layer, "fc1");
    assert_int_equal(q->bits[1].bits, 8);
    assert_true(q->bits[0].line > 0 && q->bits[1].line == q->bits[0].line + 2);
    assert_int_equal(q->max_bits, 7);
    assert_int_equal(q->bias_bits, 12);
    assert_int_equal(q->variant, ADMM_VARIANT_R);
    assert_true(q->probability == 0.75);
    assert_int_equal(q->fix_count, 2);
    assert_true(q->fix[0] == 0.125 && q->fix[1] == 0.5);
    expect_training(&q->retrain, 5);
    expect_admm(&q->admm, 6);
}

static void every_key_comes_through(void **state) {
    (void)state;
    char *text = write_full(false);
    recipe *r = parse(text);
    assert_string_equal(r->model, "lenet-300-100");
    assert_int_equal(r->seed, 9007199254740991);
    assert_int_equal(r->backend, ENGINE_REFERENCE);
    assert_int_equal(r->dataset_format, DATA_IDX);
    assert_string_equal(r->dataset_path, "folder");
    assert_int_equal(r->validation, 123);
    expect_training(&r->training, 1);
    expect_prune(&r->prune);
    expect_quantize(&r->quantize);
    assert_int_equal(r->pack.positions, PACK_POSITION_BITMAP);
    assert_int_equal(r->pack.values, PACK_CODER_RANGE);
    base_free(r);
    base_free(text);
}

static void expect_images(const recipe *r) {
    assert_int_equal(r->dataset_format, DATA_FOLDER);
    assert_int_equal(r->image_size, 224);
    assert_int_equal(r->image_resize, 256);
    assert_true(r->grey && !r->normalise);
    assert_int_equal(r->mean_count, 3);
    assert_true(r->mean[0] == 0.1 && r->mean[2] == 0.3 && r->deviation[0] == 0.4);
    assert_int_equal(r->memory, 77);
    assert_int_equal(r->max_damaged, 9);
}

/* Fewer epochs than the default has shares: its last ones. */
static void shares_fit_the_epochs(void **state) {
    (void)state;
    static const size_t counts[] = {4, 1, 2, 3, 4, 4};
    for (unsigned epochs = 0; epochs < sizeof counts / sizeof counts[0]; epochs++) {
        char text[96];
        snprintf(text, sizeof text, MINIMAL "quantize: {retrain: {epochs: %u}}\n", epochs);
        recipe *r = parse(text);
        assert_int_equal(r->quantize.fix_count, counts[epochs]);
        assert_true(r->quantize.fix[counts[epochs] - 1] == 1.0);
        if (counts[epochs] > 1)
            assert_true(r->quantize.fix[counts[epochs] - 2] == 0.9);
        base_free(r);
    }
}

static void other_keys_come_through(void **state) {
    (void)state;
    char *text = write_full(true);
    recipe *r = parse(text);
    expect_images(r);
    assert_int_equal(r->prune.bit_cost_count, 3);
    assert_true(r->prune.bit_cost[0] == 5 && r->prune.bit_cost[1] == 9.5 &&
                r->prune.bit_cost[2] == 0.5);
    assert_int_equal(r->prune.bit_cost_line, 12);
    assert_true(r->prune.ramp == 0.75);
    assert_int_equal(r->prune.penalty, RECIPE_PENALTY_PRUNED);
    assert_true(r->quantize.max_loss == 0.5 && r->quantize.beta == 0.25);
    assert_int_equal(r->quantize.variant, ADMM_VARIANT_S);
    base_free(r);
    base_free(text);
}

static void expect_given(void *user, const char *path, const cyaml_schema_field_t *field) {
    (void)field;
    const recipe_places *places = user;
    if (recipe_places_find(&places[0], path) == NULL &&
        recipe_places_find(&places[1], path) == NULL)
        fail_msg("%s is not tested by every_key_comes_through", path);
}

static void no_key_is_untested(void **state) {
    (void)state;
    recipe_places places[2];
    for (int costs = 0; costs < 2; costs++) {
        char *text = write_full(costs == 1);
        assert_int_equal(
            recipe_places_read("r.yaml", (const uint8_t *)text, strlen(text), &places[costs], NULL),
            ADMMNN_OK);
        base_free(text);
    }
    walk_keys(recipe_schema(), "", expect_given, places);
    recipe_places_free(&places[0]);
    recipe_places_free(&places[1]);
}

/* Its rho goes from update to update, over all iterations of a round. */
static void curvature_comes_through(void **state) {
    (void)state;
    recipe *r = parse(
        "model: lenet-5\nprune:\n  rounds: [2]\n  x_step: curvature\n"
        "  curvature_share: 0.25\n  admm: {iterations: 3, updates: 50}\n");
    assert_int_equal(r->prune.x_step, RECIPE_X_CURVATURE);
    assert_true(r->prune.curvature_share == 0.25);
    assert_int_equal(r->prune.admm.rho.iterations, 150);
    base_free(r);
}

/* A recipe that gives the key at path one value, and what it needs besides. */
static recipe *parse_one(const char *path, const char *value) {
    bool prune = strncmp(path, "prune.", 6) == 0;
    base_writer out = {0};
    base_write_text(&out, "model: lenet-5\nprune:\n rounds: [2]\n");
    const char *key = prune ? path + 6 : path;
    int depth = prune ? 1 : 0;
    for (const char *dot; (dot = strchr(key, '.')) != NULL; key = dot + 1)
        base_write_text(&out, "%*s%.*s:\n", depth++, "", (int)(dot - key), key);
    base_write_text(&out, "%*s%s: %s\n", depth, "", key, value);
    if (strcmp(path, "dataset.format") == 0 && strcmp(value, "mnist") != 0)
        base_write_text(&out, " path: x\n");
    if (strcmp(path, "dataset.colour") == 0)
        base_write_text(&out, " format: folder\n path: x\n");
    if (strcmp(path, "quantize.teacher") == 0)
        base_write_text(&out, " retrain: {distill: 0.5}\n");
    base_write_u8(&out, 0);
    recipe *r = parse((char *)out.bytes);
    base_writer_free(&out);
    return r;
}

static void expect_words(void *user, const char *path, const cyaml_schema_field_t *field) {
    (void)user;
    for (uint32_t i = 0; field->value.type == CYAML_ENUM && i < field->value.enumeration.count; i++)
        base_free(parse_one(path, field->value.enumeration.strings[i].str));
}

static void every_word_is_taken(void **state) {
    (void)state;
    walk_keys(recipe_schema(), "", expect_words, NULL);
}

/* The words that this floor spells out itself, and what they stand for. */
static void words_mean_what_they_say(void **state) {
    (void)state;
    static const struct {
        const char *path, *word;
        size_t at;
        int value;
    } cases[] = {
#define CASE(path, word, member, value) {path, word, offsetof(recipe, member), value}
        CASE("prune.method", "none", prune.method, RECIPE_PRUNE_NONE),
        CASE("prune.method", "admm", prune.method, RECIPE_PRUNE_ADMM),
        CASE("prune.method", "one-shot", prune.method, RECIPE_PRUNE_ONE_SHOT),
        CASE("prune.method", "gradual", prune.method, RECIPE_PRUNE_GRADUAL),
        CASE("prune.method", "random", prune.method, RECIPE_PRUNE_RANDOM),
        CASE("prune.set", "sparse", prune.set, RECIPE_SET_SPARSE),
        CASE("prune.set", "filters", prune.set, RECIPE_SET_FILTERS),
        CASE("prune.set", "channels", prune.set, RECIPE_SET_CHANNELS),
        CASE("prune.set", "columns", prune.set, RECIPE_SET_COLUMNS),
        CASE("prune.set", "blocks", prune.set, RECIPE_SET_BLOCKS),
        CASE("prune.set", "n-of-m", prune.set, RECIPE_SET_N_OF_M),
        CASE("prune.scope", "global", prune.scope, RECIPE_SCOPE_GLOBAL),
        CASE("prune.scope", "per-layer", prune.scope, RECIPE_SCOPE_PER_LAYER),
        CASE("prune.x_step", "training", prune.x_step, RECIPE_X_TRAINING),
        CASE("prune.x_step", "curvature", prune.x_step, RECIPE_X_CURVATURE),
        CASE("prune.admm.rho.schedule", "fixed", prune.admm.rho.kind, ADMM_RHO_FIXED),
        CASE("prune.admm.rho.schedule", "geometric", prune.admm.rho.kind, ADMM_RHO_GEOMETRIC),
        CASE("quantize.admm.rho.schedule", "balancing", quantize.admm.rho.kind, ADMM_RHO_BALANCING),
        CASE("quantize.variant", "admm-q", quantize.variant, ADMM_VARIANT_Q),
        CASE("quantize.variant", "admm-s", quantize.variant, ADMM_VARIANT_S),
        CASE("quantize.variant", "admm-r", quantize.variant, ADMM_VARIANT_R),
        CASE("quantize.levels", "equal", quantize.levels, ADMM_LEVELS_EQUAL),
        CASE("quantize.levels", "equal-zero", quantize.levels, ADMM_LEVELS_EQUAL_ZERO),
        CASE("quantize.levels", "power-of-two", quantize.levels, ADMM_LEVELS_POWER_OF_TWO),
        CASE("quantize.levels", "binary", quantize.levels, ADMM_LEVELS_BINARY),
        CASE("quantize.levels", "ternary", quantize.levels, ADMM_LEVELS_TERNARY),
        CASE("quantize.levels", "sign", quantize.levels, ADMM_LEVELS_SIGN),
        CASE("quantize.method", "admm", quantize.method, RECIPE_QUANTIZE_ADMM),
        CASE("quantize.method", "projected-gradient", quantize.method, RECIPE_QUANTIZE_PROJECTED),
        CASE("quantize.method", "straight-through", quantize.method,
             RECIPE_QUANTIZE_STRAIGHT_THROUGH),
        CASE("training.schedule", "step", training.schedule, TRAIN_STEP),
        CASE("backend", "dnnl", backend, ENGINE_DNNL),
        CASE("pack.positions", "relative", pack.positions, PACK_POSITION_RELATIVE),
        CASE("pack.values", "huffman", pack.values, PACK_CODER_HUFFMAN),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        recipe *r = parse_one(cases[i].path, cases[i].word);
        int value;
        memcpy(&value, (const char *)r + cases[i].at, sizeof value);
        assert_int_equal(value, cases[i].value);
        base_free(r);
    }
}

/* Levels that are as many with any bits have their own number, and no search. */
static void bits_follow_the_levels(void **state) {
    (void)state;
    static const struct {
        const char *levels;
        unsigned max_bits;
        bool searched;
    } cases[] = {{"equal", 4, true},   {"equal-zero", 4, true}, {"power-of-two", 4, true},
                 {"binary", 1, false}, {"ternary", 2, false},   {"sign", 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        recipe *r = parse_one("quantize.levels", cases[i].levels);
        assert_int_equal(r->quantize.max_bits, cases[i].max_bits);
        assert_int_equal(recipe_bits_searched(&r->quantize), cases[i].searched);
        base_free(r);
    }
    recipe *r = parse(MINIMAL
                      "quantize: {levels: ternary, max_bits: 2, bits: "
                      "[{layer: fc1, bits: 2}]}\n");
    assert_int_equal(r->quantize.bits[0].bits, 2);
    base_free(r);
    r = parse(MINIMAL "quantize: {bits: [{layer: fc1, bits: 2}]}\n");
    assert_false(recipe_bits_searched(&r->quantize));
    base_free(r);
}

/* What a set or method leaves no choice of needs no key. */
static void sets_bring_their_scope_and_ratio(void **state) {
    (void)state;
    recipe *r = parse("model: lenet-5\nprune: {set: n-of-m, n: 2, m: 5}\n");
    assert_int_equal(r->prune.round_count, 1);
    assert_true(r->prune.rounds[0] == 2.5);
    assert_int_equal(r->prune.scope, RECIPE_SCOPE_PER_LAYER);
    base_free(r);
    r = parse("model: lenet-5\nprune: {set: columns, rounds: [2, 4]}\n");
    assert_int_equal(r->prune.scope, RECIPE_SCOPE_PER_LAYER);
    assert_int_equal(r->prune.round_count, 2);
    base_free(r);
    r = parse("model: lenet-5\nprune: {method: random, rounds: [2]}\n");
    assert_int_equal(r->prune.scope, RECIPE_SCOPE_PER_LAYER);
    base_free(r);
}

static void a_relative_dataset_starts_at_the_recipe(void **state) {
    (void)state;
    static const char text[] =
        "model: lenet-5\nprune: {rounds: [2]}\ndataset: {format: idx, path: %s}\n";
    static const char *const cases[][3] = {
        {"r.yaml", "data/x", "data/x"},
        {"/etc/r/r.yaml", "data", "/etc/r/data"},
        {"a/r.yaml", "../data", "a/../data"},
        {"a/r.yaml", "/data", "/data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char whole[256];
        snprintf(whole, sizeof whole, "%.*s%s}\n", (int)(strstr(text, "%s") - text), text,
                 cases[i][1]);
        recipe *r = parse_at(cases[i][0], whole);
        assert_string_equal(r->dataset_path, cases[i][2]);
        base_free(r);
    }
}

static void the_digest_is_of_the_text(void **state) {
    (void)state;
    recipe *a = parse(MINIMAL);
    recipe *b = parse(MINIMAL "# a remark\n");
    /* printf 'model: lenet-5\nprune: {rounds: [2]}\n' | sha256sum */
    assert_string_equal(a->sha256,
                        "a93baf7f29703723f21694a9024d27e8a13cdabd7cfc32b95253e8c76db15098");
    assert_string_not_equal(a->sha256, b->sha256);
    base_free(a);
    base_free(b);
}

/* ---- files ---- */

static void files(void **state) {
    (void)state;
    recipe *r = NULL;
    admmnn_error err = {0};
    assert_int_equal(recipe_read("/nowhere/r.yaml", &r, &err), ADMMNN_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/r.yaml"));
    char path[] = "/tmp/admmnn-recipe-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(base_file_write(path, MINIMAL, strlen(MINIMAL), NULL), ADMMNN_OK);
    assert_int_equal(recipe_read(path, &r, &err), ADMMNN_OK);
    assert_string_equal(r->path, path);
    base_free(r);
    char *large = base_array((1U << 20) + 1, 1);
    memset(large, '#', (1U << 20) + 1);
    assert_int_equal(base_file_write(path, large, (1U << 20) + 1, NULL), ADMMNN_OK);
    assert_int_equal(recipe_read(path, &r, &err), ADMMNN_INPUT);
    base_free(large);
    remove(path);
}

/* ---- the project's own ---- */

/* As the networks' authors had them; the others are MNIST's. */
static graph_shape shape_for(const char *model, uint32_t *classes) {
    static const struct {
        const char *model;
        uint32_t side, classes;
    } large[] = {{"alexnet", 227, 1000},
                 {"vgg-16", 224, 1000},
                 {"resnet-50", 224, 1000},
                 {"resnet-20", 32, 10}};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        if (strcmp(large[i].model, model) == 0) {
            *classes = large[i].classes;
            return graph_shape_image(3, large[i].side, large[i].side);
        }
    *classes = 10;
    return graph_shape_image(1, 28, 28);
}

static void recipes_of_the_project_fit_their_networks(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("recipes/*.yaml", 0, NULL, &found), 0);
    assert_int_equal(glob("recipes/*/*.yaml", GLOB_APPEND, NULL, &found), 0);
    assert_true(found.gl_pathc > 20);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        recipe *r;
        graph *g;
        uint32_t classes;
        MUST(recipe_read(found.gl_pathv[i], &r, err));
        const graph_shape shape = shape_for(r->model, &classes);
        MUST(graph_zoo_create(r->model, shape, classes, &g, err));
        MUST(recipe_check(r, g, NULL, err));
        graph_free(g);
        base_free(r);
    }
    globfree(&found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipes_of_the_project_fit_their_networks),
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_key_comes_through),
        cmocka_unit_test(curvature_comes_through),
        cmocka_unit_test(other_keys_come_through),
        cmocka_unit_test(shares_fit_the_epochs),
        cmocka_unit_test(no_key_is_untested),
        cmocka_unit_test(every_word_is_taken),
        cmocka_unit_test(words_mean_what_they_say),
        cmocka_unit_test(bits_follow_the_levels),
        cmocka_unit_test(sets_bring_their_scope_and_ratio),
        cmocka_unit_test(a_relative_dataset_starts_at_the_recipe),
        cmocka_unit_test(the_digest_is_of_the_text),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
