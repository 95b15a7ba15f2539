/* The recipe: every key comes through, every mistake has its line and key, and
 * hostile text does no harm. */
#include "recipes.h"

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "graph/zoo.h"
#include "must.h"

#define MINIMAL "model: lenet-5\nprune: {rounds: [2]}\n"

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
                    "  admm:\n    iterations: %u\n    epochs: %u\n    rho: {schedule: balancing, "
                    "first: %u.5, last: %u.5, ratio: %u.5, factor: %u.5}\n    tolerance: 0.3%u\n"
                    "    training: ",
                    60 + k, 70 + k, k, 20 + k, 30 + k, 40 + k, k);
    write_training(out, k);
}

static void expect_admm(const recipe_admm *a, unsigned k) {
    assert_int_equal(a->iterations, 60 + k);
    assert_int_equal(a->rho.iterations, 60 + k);
    assert_int_equal(a->epochs, 70 + k);
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
        base_write_text(&out, "  bit_cost: [5, 9.5, 0.5]\n");
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

/* ---- mistakes ---- */

typedef struct mistake {
    const char *text;
    const char *message;
} mistake;

static void expect_mistake(const char *text, size_t count, const char *message) {
    recipe *r = NULL;
    admmnn_error err = {0};
    assert_int_equal(recipe_parse("r.yaml", (const uint8_t *)text, count, &r, &err), ADMMNN_INPUT);
    assert_null(r);
    assert_string_equal(err.message, message);
}

static void expect_mistakes(const mistake *mistakes, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect_mistake(mistakes[i].text, strlen(mistakes[i].text), mistakes[i].message);
}

#define EXPECT_MISTAKES(list) expect_mistakes(list, sizeof(list) / sizeof(list)[0])

static void unknown_and_missing_keys(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "sed: 3\n",
         "r.yaml:3: sed: unknown key, 'seed' perhaps; there are model, "
         "dataset, seed, backend, training, prune, quantize, pack"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  admm:\n    rho:\n      frist: 1\n",
         "r.yaml:6: prune.admm.rho.frist: unknown key, 'first' perhaps; there are schedule, first, "
         "last, ratio, factor"},
        {MINIMAL "pack: {colour: red}\n",
         "r.yaml:3: pack.colour: unknown key; there are positions, values"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  keep:\n  - {layer: fc1, share: 1}\n",
         "r.yaml:5: prune.keep[0].keep: missing; it must be a number above 0, at most 1"},
        {"seed: 1\nprune: {rounds: [2]}\n",
         "r.yaml:1: model: missing; it must be a text of 1 to 1023 bytes"},
        {"model: lenet-5\nprune: {set: sparse}\n",
         "r.yaml:1: prune.rounds: missing; it must be the ratios to reach, for instance [19, 48, "
         "86] (or give method: none)"},
        {MINIMAL "prune.method: admm\n",
         "r.yaml:3: prune?method: unknown key; there are model, dataset, seed, backend, training, "
         "prune, quantize, pack"},
        {MINIMAL "seed: 1\nseed: 2\n", "r.yaml:4: seed: given a second time"},
    };
    EXPECT_MISTAKES(list);
}

static void wrong_types(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "seed: many\n",
         "r.yaml:3: seed: 'many' is not a number; it must be a whole number "
         "from 0 to 9007199254740991"},
        {MINIMAL "seed: \"5\"\n",
         "r.yaml:3: seed: '5' is in quotes, a text; it must be a whole "
         "number from 0 to 9007199254740991"},
        {MINIMAL "training:\n  batch: 1.5\n",
         "r.yaml:4: training.batch: '1.5' is not a whole number; it must be a whole number from 1 "
         "to 4096"},
        {MINIMAL "training:\n  batch: 010\n",
         "r.yaml:4: training.batch: '010' is not a whole number; it must be a whole number from 1 "
         "to 4096"},
        {MINIMAL "training:\n  batch: 5x\n",
         "r.yaml:4: training.batch: '5x' is not a number; it must be a whole number from 1 to "
         "4096"},
        {MINIMAL "training: {batch: }\n",
         "r.yaml:3: training.batch: '' is not a number; it must be a whole number from 1 to 4096"},
        {MINIMAL "training:\n  momentum: nan\n",
         "r.yaml:4: training.momentum: 'nan' is not a number; it must be a number from 0 to "
         "0.9999"},
        {MINIMAL "training: [1]\n",
         "r.yaml:3: training: a list is the wrong type; it must be a map of keys"},
        {MINIMAL "training:\n",
         "r.yaml:3: training: '' is the wrong type; it must be a map of keys"},
        {MINIMAL "seed: {a: 1}\n",
         "r.yaml:3: seed: a map is the wrong type; it must be a whole "
         "number from 0 to 9007199254740991"},
        {"model: lenet-5\nprune:\n  rounds: 5\n",
         "r.yaml:3: prune.rounds: '5' is the wrong type; it must be a list of 1 to 32 entries, "
         "each "
         "a number above 1, at most 1000000"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  keep: [fc1]\n",
         "r.yaml:4: prune.keep[0]: 'fc1' is the wrong type; it must be a map of keys"},
        {MINIMAL "quantize:\n  enabled: perhaps\n",
         "r.yaml:4: quantize.enabled: 'perhaps' is unknown; it must be one of false, true"},
        {"model: ''\n", "r.yaml:1: model: '' is empty; it must be a text of 1 to 1023 bytes"},
    };
    EXPECT_MISTAKES(list);
}

static void impossible_values(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "training: {batch: 0}\n",
         "r.yaml:3: training.batch: '0' is out of range; it must be a whole number from 1 to 4096"},
        {MINIMAL "seed: 9007199254740992\n",
         "r.yaml:3: seed: '9007199254740992' is out of range; "
         "it must be a whole number from 0 to 9007199254740991"},
        {MINIMAL "seed: -1\n",
         "r.yaml:3: seed: '-1' is not a whole number; it must be a whole "
         "number from 0 to 9007199254740991"},
        {MINIMAL "training: {learning_rate: 0}\n",
         "r.yaml:3: training.learning_rate: '0' is out of range; it must be a number above 0, at "
         "most 100"},
        {MINIMAL "training: {learning_rate: 1e999}\n",
         "r.yaml:3: training.learning_rate: '1e999' is out of range; it must be a number above 0, "
         "at most 100"},
        {"model: lenet-5\nprune:\n  rounds: [2,\n    1]\n",
         "r.yaml:4: prune.rounds[1]: '1' is out of range; it must be a number above 1, at most "
         "1000000"},
        {"model: lenet-5\nprune:\n  rounds:\n  - 4\n  - 8\n  - 8\n",
         "r.yaml:6: prune.rounds[2]: 8 comes after 8; the ratios must rise"},
        {MINIMAL "quantize:\n  fix: [0.5, 1,\n    1]\n",
         "r.yaml:5: quantize.fix[2]: 1 comes after 1; the shares must rise"},
        {MINIMAL "quantize: {admm: {training: {average: 0.5}}}\n",
         "r.yaml:3: quantize.admm.training.average: there is no averaging within ADMM"},
        {MINIMAL "quantize: {fix: [1.5]}\n",
         "r.yaml:3: quantize.fix[0]: '1.5' is out of range; it must be a number above 0, at most "
         "1"},
        {"model: lenet-5\nprune:\n  rounds: []\n",
         "r.yaml:3: prune.rounds: a list is empty; it must be a list of 1 to 32 entries, each a "
         "number above 1, at most 1000000"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  keep:\n  - layer: fc1\n"
         "    keep: 1.5\n",
         "r.yaml:7: prune.keep[0].keep: '1.5' is out of range; it must be a number above 0, at "
         "most "
         "1"},
        {MINIMAL "training: {optimizer: adma}\n",
         "r.yaml:3: training.optimizer: 'adma' is unknown, 'adam' perhaps; it must be one of sgd, "
         "adam, adamw"},
        {MINIMAL "training: {optimizer: 1}\n",
         "r.yaml:3: training.optimizer: '1' is unknown; it must be one of sgd, adam, adamw"},
        {"model: lenet-6\nprune: {rounds: [2]}\n",
         "r.yaml:1: model: no .onnx or .admm file: no network named 'lenet-6'; there are lenet-5, "
         "lenet-5-bn, "
         "lenet-300-100, mlp-bn-WIDTH, alexnet, vgg-16, vgg-small, resnet-18, resnet-50, "
         "resnet-20, resnet-56, mobilenet-v1, mobilenet-v2, transformer-small (WIDTH from 1 to "
         "7500)"},
    };
    EXPECT_MISTAKES(list);
}

static void keys_that_contradict(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "training: {distill: 0.5}\n",
         "r.yaml:3: training.distill: the teacher is the dense network, which is trained here"},
        {MINIMAL "quantize:\n  method: straight-through\n  variant: admm-s\n",
         "r.yaml:5: quantize.variant: is of method: admm"},
        {MINIMAL "quantize:\n  method: projected-gradient\n  admm: {tolerance: 0.1}\n",
         "r.yaml:5: quantize.admm.tolerance: is of method: admm"},
        {MINIMAL "quantize:\n  method: straight-through\n  admm:\n    rho: {last: 2}\n",
         "r.yaml:6: quantize.admm.rho: is of method: admm"},
        {MINIMAL "quantize: {beta: 1}\n", "r.yaml:3: quantize.beta: is of variant: admm-s"},
        {MINIMAL "quantize: {variant: admm-s, probability: 0.5}\n",
         "r.yaml:3: quantize.probability: is of variant: admm-r"},
        {MINIMAL "quantize: {levels: sign, max_loss: 0.5}\n",
         "r.yaml:3: quantize.max_loss: is of the search for bits, which these levels do without"},
        {MINIMAL "quantize: {max_loss: 0.5, bits: [{layer: fc1, bits: 2}]}\n",
         "r.yaml:3: quantize.max_loss: is of the search for bits, which quantize.bits replaces"},
        {MINIMAL "training: {temperature: 2}\n",
         "r.yaml:3: training.temperature: is of the teacher's answers, and distill is 0"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  finish: {versions: 4}\n",
         "r.yaml:4: prune.finish.versions: are the teacher's, and distill is 0"},
        {MINIMAL "training:\n  loss: squared-hinge\n  label_smoothing: 0.1\n",
         "r.yaml:5: training.label_smoothing: is for loss: cross-entropy; the squared hinge knows "
         "labels alone"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  finish: {loss: squared-hinge, distill: 0.5}\n",
         "r.yaml:4: prune.finish.distill: is for loss: cross-entropy; the squared hinge knows "
         "labels alone"},
        {MINIMAL "quantize: {teacher: pruned}\n",
         "r.yaml:3: quantize.teacher: pruned, but neither quantize.admm.training nor "
         "quantize.retrain has a distill above 0"},
        {MINIMAL "quantize:\n  fix: [0.25, 0.5, 1]\n  retrain: {epochs: 2}\n",
         "r.yaml:4: quantize.fix: 3 shares for the 2 epochs of quantize.retrain; each needs one"},
        {MINIMAL "dataset:\n  format: cifar\n",
         "r.yaml:4: dataset.format: 'cifar' is unknown, 'cifar10' perhaps; it must be one of "
         "mnist, idx, cifar10, "
         "cifar100, folder, npy"},
        {MINIMAL "dataset:\n  format: idx\n",
         "r.yaml:4: dataset.format: idx needs dataset.path, where the files are"},
        {MINIMAL "dataset:\n  format: mnist\n  path: x\n",
         "r.yaml:5: dataset.path: is for format: idx; mnist is the fetched one"},
        {MINIMAL "dataset: {format: cifar100}\n",
         "r.yaml:3: dataset.format: cifar100 needs dataset.path, where the files are"},
        {MINIMAL "dataset:\n  format: idx\n  path: x\n  size: 32\n",
         "r.yaml:6: dataset.size: is of format: folder"},
        {MINIMAL "dataset:\n  max_damaged: 1\n",
         "r.yaml:4: dataset.max_damaged: is of format: folder"},
        {MINIMAL "dataset:\n  format: folder\n  path: x\n  resize: 256\n",
         "r.yaml:6: dataset.resize: is before the crop to dataset.size, which is not given"},
        {MINIMAL "dataset:\n  format: folder\n  path: x\n  size: 224\n  resize: 223\n",
         "r.yaml:7: dataset.resize: 223; the crop of dataset.size takes 224 of it"},
        {MINIMAL "dataset:\n  mean: [0.5]\n",
         "r.yaml:4: dataset.mean: 1 means and 0 deviations; as many of both are wanted"},
        {MINIMAL "dataset:\n  deviation: [0.5]\n",
         "r.yaml:4: dataset.deviation: 0 means and 1 deviations; as many of both are wanted"},
        {MINIMAL "dataset:\n  mean: [0.5, 0.5]\n  deviation: [0.5, 0.5]\n",
         "r.yaml:4: dataset.mean: 2 entries; one for all channels, or one each of three"},
        {MINIMAL "dataset:\n  mean: [0.5]\n  deviation: [0.5]\n  normalise: training\n",
         "r.yaml:6: dataset.normalise: training, but mean and deviation are given"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  keep: [{layer: fc1, keep: 0.1}]\n",
         "r.yaml:4: prune.keep: shares of layers need scope: per-layer"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  keep:\n"
         "  - {layer: fc1, keep: 0.1}\n  - {layer: fc1, keep: 0.2}\n",
         "r.yaml:7: prune.keep[1].layer: 'fc1' has a share already, at line 6"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  n: 5\n",
         "r.yaml:4: prune.n: 5 of 4; n must be at most m"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  m: 1\n",
         "r.yaml:4: prune.m: 2 of 1; n must be at most m"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  rounds: [2, 4]\n",
         "r.yaml:4: prune.rounds: set: n-of-m has one ratio, m / n = 2"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  rounds: [3]\n",
         "r.yaml:4: prune.rounds: set: n-of-m has one ratio, m / n = 2"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  m: 2\n",
         "r.yaml:4: prune.m: 2 of 2 prunes nothing"},
        {"model: lenet-5\nprune:\n  method: one-shot\n  rounds: [2, 4]\n",
         "r.yaml:4: prune.rounds: 2 rounds; one-shot prunes once (method: gradual takes many)"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  set: filters\n  scope: global\n",
         "r.yaml:5: prune.scope: global ranks single weights; only set: sparse has it"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: random\n  scope: global\n",
         "r.yaml:5: prune.scope: global ranks weights; method: random does not"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: gradual\n  bit_cost: [1, 2, 3, 4]\n",
         "r.yaml:5: prune.bit_cost: is for method: admm; its controls rank by magnitude"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  bit_cost: [1, 2, 3, 4]\n",
         "r.yaml:5: prune.bit_cost: is for scope: global, the rank over all layers"},
        {MINIMAL "quantize:\n  bias_bits: 1\n",
         "r.yaml:4: quantize.bias_bits: 1 holds zero alone; "
         "it must be 0 (float32) or from 2 to 12"},
        {MINIMAL "quantize:\n  levels: equal-zero\n  bits:\n  - {layer: fc1, bits: 1}\n",
         "r.yaml:6: quantize.bits[0].bits: 1; levels equal-zero need at least 2"},
        {MINIMAL "quantize:\n  levels: power-of-two\n  max_bits: 7\n",
         "r.yaml:5: quantize.max_bits: 7; levels power-of-two take at most 6"},
        {MINIMAL "quantize:\n  levels: binary\n  max_bits: 4\n",
         "r.yaml:5: quantize.max_bits: 4; levels binary have 1"},
        {MINIMAL "quantize:\n  max_bits: 1\n  levels: ternary\n",
         "r.yaml:4: quantize.max_bits: 1; levels ternary have 2"},
        {MINIMAL "quantize:\n  levels: ternary\n  bits:\n  - {layer: fc1, bits: 3}\n",
         "r.yaml:6: quantize.bits[0].bits: 3; levels ternary have 2"},
        {MINIMAL "quantize:\n  bits:\n  - {layer: fc1, bits: 1}\n  - {layer: fc1, bits: 1}\n",
         "r.yaml:6: quantize.bits[1].layer: 'fc1' has bits already, at line 5"},
    };
    EXPECT_MISTAKES(list);
}

static void expect_unfit(const char *text, const char *message) {
    graph *g = NULL;
    admmnn_error err = {0};
    recipe *r = parse(text);
    assert_int_equal(graph_zoo_create(r->model, graph_shape_image(1, 28, 28), 10, &g, NULL),
                     ADMMNN_OK);
    if (message == NULL) {
        assert_int_equal(recipe_check(r, g, NULL, &err), ADMMNN_OK);
    } else {
        assert_int_equal(recipe_check(r, g, NULL, &err), ADMMNN_INPUT);
        assert_string_equal(err.message, message);
    }
    base_free(r);
    graph_free(g);
}

static void mistakes_the_network_shows(void **state) {
    (void)state;
    expect_unfit(
        "model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  keep:\n"
        "  - {layer: fc1, keep: 0.5}\n  -\n    layer: fc9\n    keep: 0.5\n",
        "r.yaml:8: prune.keep: lenet-5 has no layer 'fc9'; there are conv1, conv2, fc1, "
        "fc2");
    expect_unfit(
        "model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n"
        "  keep: [{layer: conv1, keep: 0.0019}]\n",
        "r.yaml:5: prune.keep: 0.0019 of conv1's 500 weights is less than one");
    expect_unfit(MINIMAL "quantize: {bits: [{layer: relu1, bits: 2}]}\n",
                 "r.yaml:3: quantize.bits: lenet-5 has no layer 'relu1'; there are conv1, conv2, "
                 "fc1, fc2");
    expect_unfit("model: lenet-5\nprune:\n  rounds: [2]\n  bit_cost: [1, 2]\n",
                 "r.yaml:4: prune.bit_cost: 2 costs; there must be one for each of lenet-5's 4 "
                 "layers");
    expect_unfit("model: mlp-bn-8\nprune: {rounds: [2],\n  finish: {average: 0.5}}\n",
                 "r.yaml:3: prune.finish.average: mlp-bn-8 has batch normalization, whose running "
                 "statistics are not those of averaged weights");
    expect_unfit("model: mlp-bn-8\nprune: {rounds: [2]}\n", NULL);
    /* 430,500 weights in four layers. */
    expect_unfit("model: lenet-5\nprune:\n  rounds: [2, 107626]\n",
                 "r.yaml:3: prune.rounds: 107626 keeps less than a weight a layer of lenet-5; the "
                 "ratios must be at most 107625");
    expect_unfit("model: lenet-5\nprune: {rounds: [2, 107625], bit_cost: [1, 2, 3, 4]}\n", NULL);
}

/* ---- hostile text ---- */

static void text_that_is_no_recipe(void **state) {
    (void)state;
    static const mistake list[] = {
        {"", "r.yaml:1: empty; a recipe names at least its model"},
        {"# nothing\n", "r.yaml:1: empty; a recipe names at least its model"},
        {"---\n", "r.yaml:2: a recipe is a map of keys to values"},
        {"lenet-5\n", "r.yaml:1: a recipe is a map of keys to values"},
        {"\n- a\n", "r.yaml:2: a recipe is a map of keys to values"},
        {MINIMAL "---\nmodel: lenet-5\n", "r.yaml:3: a second document; a recipe is one"},
        {"model: lenet-5\npack: *m\n", "r.yaml:2: a recipe has no aliases; repeat the value"},
        {"model: &m lenet-5\npack: *m\n", "r.yaml:1: a recipe has no anchors; remove the '&'"},
        {MINIMAL "&s seed: 1\n", "r.yaml:3: a recipe has no anchors; remove the '&'"},
        {MINIMAL "pack: &p\n  values: auto\n", "r.yaml:3: a recipe has no anchors; remove the '&'"},
        {"model: lenet-5\nprune:\n  rounds: &r [2]\n",
         "r.yaml:3: a recipe has no anchors; remove the '&'"},
        {"!!map\nmodel: lenet-5\n", "r.yaml:1: a recipe has no tags; remove the '!'"},
        {MINIMAL "seed: !!str 1\n", "r.yaml:3: a recipe has no tags; remove the '!'"},
        {MINIMAL "seed: ! 1\n", "r.yaml:3: a recipe has no tags; remove the '!'"},
        {MINIMAL "!!str seed: 1\n", "r.yaml:3: a recipe has no tags; remove the '!'"},
        {MINIMAL "quantize:\n  enabled: !!bool false\n",
         "r.yaml:4: a recipe has no tags; remove the '!'"},
        {"model: lenet-5\nprune:\n  rounds: !mine [2]\n",
         "r.yaml:3: a recipe has no tags; remove the '!'"},
        {"model: lenet-5\n<<: {seed: 1}\n",
         "r.yaml:2: <<: unknown key; there are model, dataset, "
         "seed, backend, training, prune, quantize, pack"},
        {"model: lenet-5\n[a]: 1\n", "r.yaml:2: a key must be a word"},
        {"model: lenet-5\n\tseed: 1\n",
         "r.yaml:2: not YAML: found a tab character that violates indentation"},
        {"model: lenet-5\npack: {\n", "r.yaml:3: not YAML: did not find expected node content"},
        {"model: lenet-5\nseed: \x01\n", "r.yaml:2: not YAML: control characters are not allowed"},
        {"model: lenet-5\n\nseed: \xff\xfe\n", "r.yaml:3: not YAML: invalid leading UTF-8 octet"},
        {"model: \"lenet-5\\0\"\n", "r.yaml:1: a zero byte in a text"},
    };
    EXPECT_MISTAKES(list);
    static const char zero[] = "model: lenet-5\nseed: 1\0\n";
    expect_mistake(zero, sizeof zero - 1, "r.yaml:2: not YAML: control characters are not allowed");
}

static void deep_long_and_many(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    char *text = base_array(COUNT + 64, 1);
    assert_non_null(text);
    memcpy(text, "pack: ", 6);
    memset(text + 6, '[', COUNT);
    expect_mistake(text, COUNT, "r.yaml:1: nested deeper than any recipe");
    memset(text, 'k', COUNT);
    memcpy(text + COUNT, ": 1\n", 4);
    recipe *r = NULL;
    admmnn_error err = {0};
    /* libyaml wants a key within 1024 characters. */
    assert_int_equal(recipe_parse("r.yaml", (uint8_t *)text, COUNT + 4, &r, &err), ADMMNN_INPUT);
    memset(text, 0, COUNT + 64);
    memset(text + snprintf(text, COUNT, "pack:\n "), 'k', 300);
    memcpy(text + 307, ": 1\n", 5);
    expect_mistake(text, 311, "r.yaml:2: a key longer than any recipe's");
    memcpy(text, "model: ", 7);
    memset(text + 7, 'm', COUNT);
    expect_mistake(text, COUNT,
                   "r.yaml:1: model: 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm' is too "
                   "long; it must be a text of 1 to 1023 bytes");
    size_t used = (size_t)snprintf(text, COUNT, "pack: [");
    for (int i = 0; i < 40000; i++)
        used += (size_t)snprintf(text + used, COUNT - used, "1,");
    expect_mistake(text, used, "r.yaml:1: more than 4096 keys");
    base_free(text);
}

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
        cmocka_unit_test(other_keys_come_through),
        cmocka_unit_test(shares_fit_the_epochs),
        cmocka_unit_test(no_key_is_untested),
        cmocka_unit_test(every_word_is_taken),
        cmocka_unit_test(words_mean_what_they_say),
        cmocka_unit_test(bits_follow_the_levels),
        cmocka_unit_test(sets_bring_their_scope_and_ratio),
        cmocka_unit_test(a_relative_dataset_starts_at_the_recipe),
        cmocka_unit_test(the_digest_is_of_the_text),
        cmocka_unit_test(unknown_and_missing_keys),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(impossible_values),
        cmocka_unit_test(keys_that_contradict),
        cmocka_unit_test(mistakes_the_network_shows),
        cmocka_unit_test(text_that_is_no_recipe),
        cmocka_unit_test(deep_long_and_many),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
