#include "compress/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "compress/yaml.h"
#include "graph/zoo.h"

#define RECIPE_SIZE_MAX ((size_t)1 << 20)

#define AT(structure, member) offsetof(structure, member), sizeof(((structure *)0)->member)
#define NUMBER(key, type, structure, member, least, greatest)                                      \
    {key, type, AT(structure, member), least, greatest, 0, NULL, NULL, 0, 0}
#define ABOVE(key, type, structure, member, least, greatest)                                       \
    {key, type, AT(structure, member), least, greatest, 1, NULL, NULL, 0, 0}
#define CHOICE(key, structure, member, names)                                                      \
    {key, YAML_ENUM, AT(structure, member), 0, 0, 0, names, NULL, 0, 0}
#define SECTION(key, structure, member, fields)                                                    \
    {key, YAML_SECTION, AT(structure, member), 0, 0, 0, NULL, fields, 0, 0}
#define TEXT(key, structure, member)                                                               \
    {key, YAML_TEXT, AT(structure, member), 0, 0, 0, NULL, NULL, 0, 0}
#define LIST(key, type, structure, member, count, fields, least, above)                            \
    {key,   type,                                                                                  \
     offsetof(structure, member), sizeof(((structure *)0)->member[0]),                             \
     least, 0,                                                                                     \
     above, NULL,                                                                                  \
     fields, sizeof(((structure *)0)->member) / sizeof(((structure *)0)->member[0]),               \
     offsetof(structure, count)}
#define END {NULL, YAML_U32, 0, 0, 0, 0, 0, NULL, NULL, 0, 0}

#define NAME_ENTRY(name, text) text,
static const char *const optimizer_names[] = {TRAIN_OPTIMIZER_MAP(NAME_ENTRY) NULL};
static const char *const schedule_names[] = {TRAIN_SCHEDULE_MAP(NAME_ENTRY) NULL};
static const char *const backend_names[] = {ENGINE_BACKEND_MAP(NAME_ENTRY) NULL};
static const char *const position_names[] = {PACK_POSITION_MAP(NAME_ENTRY) NULL};
static const char *const coder_names[] = {PACK_CODER_MAP(NAME_ENTRY) NULL};
static const char *const rho_names[] = {"fixed", "geometric", "balancing", NULL};
static const char *const method_names[] = {"none", "admm", "one-shot", "gradual", "random", NULL};
static const char *const set_names[] = {"sparse", "filters", "channels", "columns",
                                        "blocks", "n-of-m",  NULL};
static const char *const scope_names[] = {"global", "per-layer", NULL};
static const char *const level_names[] = {"equal",  "equal-zero", "power-of-two",
                                          "binary", "ternary",    NULL};

static const yaml_field augment_fields[] = {
    NUMBER("shift", YAML_U32, data_augmentation, shift, 0, 64),
    NUMBER("rotate", YAML_FLOAT, data_augmentation, rotate, 0, 180),
    END,
};

static const yaml_field training_fields[] = {
    NUMBER("epochs", YAML_U32, recipe_training, epochs, 0, 10000),
    NUMBER("batch", YAML_U32, recipe_training, batch, 1, 4096),
    CHOICE("optimizer", recipe_training, optimizer, optimizer_names),
    ABOVE("learning_rate", YAML_DOUBLE, recipe_training, learning_rate, 0, 100),
    NUMBER("momentum", YAML_DOUBLE, recipe_training, momentum, 0, 0.9999),
    NUMBER("weight_decay", YAML_DOUBLE, recipe_training, weight_decay, 0, 10),
    CHOICE("schedule", recipe_training, schedule, schedule_names),
    NUMBER("label_smoothing", YAML_DOUBLE, recipe_training, label_smoothing, 0, 0.9),
    NUMBER("distill", YAML_DOUBLE, recipe_training, distill, 0, 1),
    NUMBER("temperature", YAML_DOUBLE, recipe_training, temperature, 0.1, 100),
    SECTION("augment", recipe_training, augment, augment_fields),
    END,
};

static const yaml_field rho_fields[] = {
    CHOICE("schedule", admm_schedule, kind, rho_names),
    ABOVE("first", YAML_FLOAT, admm_schedule, first, 0, 1e6),
    ABOVE("last", YAML_FLOAT, admm_schedule, last, 0, 1e6),
    ABOVE("ratio", YAML_FLOAT, admm_schedule, ratio, 1, 1e6),
    ABOVE("factor", YAML_FLOAT, admm_schedule, factor, 1, 1e6),
    END,
};

static const yaml_field admm_fields[] = {
    NUMBER("iterations", YAML_U32, recipe_admm, iterations, 0, 10000),
    NUMBER("epochs", YAML_U32, recipe_admm, epochs, 1, 10000),
    SECTION("rho", recipe_admm, rho, rho_fields),
    NUMBER("tolerance", YAML_DOUBLE, recipe_admm, tolerance, 0, 1),
    SECTION("training", recipe_admm, training, training_fields),
    END,
};

static const yaml_field keep_fields[] = {
    TEXT("layer", recipe_layer_keep, layer),
    ABOVE("keep", YAML_DOUBLE, recipe_layer_keep, keep, 0, 1),
    END,
};

static const yaml_field bits_fields[] = {
    TEXT("layer", recipe_layer_bits, layer),
    NUMBER("bits", YAML_U32, recipe_layer_bits, bits, 1, 8),
    END,
};

static const yaml_field prune_fields[] = {
    CHOICE("method", recipe_prune, method, method_names),
    CHOICE("set", recipe_prune, set, set_names),
    CHOICE("scope", recipe_prune, scope, scope_names),
    NUMBER("block_rows", YAML_U32, recipe_prune, block_rows, 1, 4096),
    NUMBER("block_columns", YAML_U32, recipe_prune, block_columns, 1, 4096),
    NUMBER("n", YAML_U32, recipe_prune, n, 1, 1024),
    NUMBER("m", YAML_U32, recipe_prune, m, 1, 1024),
    LIST("rounds", YAML_NUMBERS, recipe_prune, rounds, round_count, NULL, 1, 1),
    LIST("keep", YAML_RECORDS, recipe_prune, keep, keep_count, keep_fields, 0, 0),
    LIST("bit_cost", YAML_NUMBERS, recipe_prune, bit_cost, bit_cost_count, NULL, 0, 1),
    SECTION("admm", recipe_prune, admm, admm_fields),
    SECTION("retrain", recipe_prune, retrain, training_fields),
    SECTION("finish", recipe_prune, finish, training_fields),
    END,
};

static const yaml_field quantize_fields[] = {
    NUMBER("enabled", YAML_BOOL, recipe_quantize, enabled, 0, 0),
    CHOICE("levels", recipe_quantize, levels, level_names),
    LIST("bits", YAML_RECORDS, recipe_quantize, bits, bits_count, bits_fields, 0, 0),
    NUMBER("max_bits", YAML_U32, recipe_quantize, max_bits, 1, 8),
    NUMBER("max_loss", YAML_DOUBLE, recipe_quantize, max_loss, 0, 1),
    NUMBER("bias_bits", YAML_U32, recipe_quantize, bias_bits, 0, 12),
    SECTION("admm", recipe_quantize, admm, admm_fields),
    SECTION("retrain", recipe_quantize, retrain, training_fields),
    END,
};

static const yaml_field dataset_fields[] = {
    TEXT("format", recipe, dataset_format),
    TEXT("path", recipe, dataset_path),
    NUMBER("validation", YAML_U64, recipe, validation, 1, 1e9),
    END,
};

static const yaml_field pack_fields[] = {
    CHOICE("positions", pack_settings, positions, position_names),
    CHOICE("values", pack_settings, values, coder_names),
    END,
};

static const yaml_field recipe_fields[] = {
    TEXT("model", recipe, model),
    {"dataset", YAML_SECTION, 0, 0, 0, 0, 0, NULL, dataset_fields, 0, 0},
    NUMBER("seed", YAML_U64, recipe, seed, 0, 0),
    CHOICE("backend", recipe, backend, backend_names),
    SECTION("training", recipe, training, training_fields),
    SECTION("prune", recipe, prune, prune_fields),
    SECTION("quantize", recipe, quantize, quantize_fields),
    SECTION("pack", recipe, pack, pack_fields),
    END,
};

/* What a recipe means where it says nothing; docs/recipe.md lists it. */
static void set_defaults(recipe *r) {
    const recipe_training base = {.epochs = 10,
                                  .batch = 64,
                                  .optimizer = TRAIN_ADAM,
                                  .learning_rate = 1e-3,
                                  .momentum = 0.9,
                                  .schedule = TRAIN_COSINE,
                                  .temperature = 1.0};
    snprintf(r->dataset_format, sizeof r->dataset_format, "mnist");
    r->validation = 5000;
    r->seed = 1;
    r->training = base;
    r->training.learning_rate = 3e-3;
    r->training.schedule = TRAIN_ONE_CYCLE;
    r->prune.method = RECIPE_PRUNE_ADMM;
    r->prune.block_rows = 4;
    r->prune.block_columns = 1;
    r->prune.n = 2;
    r->prune.m = 4;
    r->prune.admm = (recipe_admm){
        .iterations = 6,
        .epochs = 1,
        .rho = {.kind = ADMM_RHO_GEOMETRIC, .first = 1e-4F, .last = 1e-2F},
        .training = base,
    };
    r->prune.admm.training.schedule = TRAIN_CONSTANT;
    r->prune.retrain = base;
    r->prune.finish = base;
    r->prune.finish.epochs = 20;
    r->quantize.enabled = true;
    r->quantize.max_bits = 4;
    r->quantize.max_loss = 0.001;
    r->quantize.bias_bits = 8;
    r->quantize.admm = (recipe_admm){
        .iterations = 5,
        .epochs = 1,
        .rho = {.kind = ADMM_RHO_GEOMETRIC, .first = 1e-3F, .last = 1e-1F},
        .training = base,
    };
    r->quantize.admm.training.schedule = TRAIN_CONSTANT;
    r->quantize.retrain = base;
    r->quantize.retrain.epochs = 20;
}

static admmnn_status check_rounds(const recipe *r, admmnn_error *err) {
    const recipe_prune *p = &r->prune;
    if (p->method != RECIPE_PRUNE_NONE && p->round_count == 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: prune.rounds: give the ratios to reach, for instance [19, 48, 86], or "
                         "method: none",
                         r->path);
    for (size_t i = 1; i < p->round_count; i++)
        if (p->rounds[i] <= p->rounds[i - 1])
            return base_fail(err, ADMMNN_INPUT, "%s: prune.rounds: %g after %g; ratios must rise",
                             r->path, p->rounds[i], p->rounds[i - 1]);
    if (p->scope == RECIPE_SCOPE_GLOBAL && p->keep_count > 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: prune.keep: shares by layer need scope: per-layer", r->path);
    if (p->n > p->m)
        return base_fail(err, ADMMNN_INPUT, "%s: prune.n: %u of %u", r->path, p->n, p->m);
    return ADMMNN_OK;
}

static admmnn_status check_whole(recipe *r, admmnn_error *err) {
    bool mnist = strcmp(r->dataset_format, "mnist") == 0;
    if (!mnist && strcmp(r->dataset_format, "idx") != 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: dataset.format: '%s' is not known; there are mnist, idx", r->path,
                         r->dataset_format);
    if (!mnist && r->dataset_path[0] == 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: dataset.path: format idx needs the folder of the files", r->path);
    if (r->model[0] == 0)
        return base_fail(err, ADMMNN_INPUT, "%s: model: name a network, for instance lenet-5",
                         r->path);
    if (!graph_zoo_has(r->model))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: model: no network named '%s'; there are lenet-5, lenet-300-100",
                         r->path, r->model);
    unsigned least = r->quantize.levels == ADMM_LEVELS_EQUAL_ZERO ? 2 : 1;
    for (size_t i = 0; i < r->quantize.bits_count; i++)
        if (r->quantize.bits[i].bits < least)
            return base_fail(err, ADMMNN_INPUT,
                             "%s: quantize.bits: %s has %u; levels with zero need %u", r->path,
                             r->quantize.bits[i].layer, r->quantize.bits[i].bits, least);
    if (r->quantize.bias_bits == 1)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: quantize.bias_bits: 1 holds no levels; give 0 (float32) or 2 to 12",
                         r->path);
    r->prune.admm.rho.iterations = r->prune.admm.iterations;
    r->quantize.admm.rho.iterations = r->quantize.admm.iterations;
    return check_rounds(r, err);
}

admmnn_status recipe_parse(const char *path, const uint8_t *text, size_t count, recipe **out,
                           admmnn_error *err) {
    recipe *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "a recipe");
    snprintf(r->path, sizeof r->path, "%s", path);
    set_defaults(r);
    base_sha256(text, count, r->sha256);
    admmnn_status status = yaml_read(path, text, count, recipe_fields, r, err);
    if (status == ADMMNN_OK)
        status = check_whole(r, err);
    if (status != ADMMNN_OK) {
        base_free(r);
        return status;
    }
    *out = r;
    return ADMMNN_OK;
}

admmnn_status recipe_read(const char *path, recipe **out, admmnn_error *err) {
    uint8_t *text;
    size_t count;
    BASE_TRY(base_file_read(path, RECIPE_SIZE_MAX, &text, &count, err));
    admmnn_status status = recipe_parse(path, text, count, out, err);
    base_free(text);
    return status;
}

static admmnn_status check_layer(const recipe *r, const graph *g, const char *key,
                                 const char *layer, admmnn_error *err) {
    char names[256] = "";
    size_t used = 0;
    for (uint32_t l = 0; l < graph_layer_count(g); l++) {
        const char *name = g->nodes[graph_layer(g, l)].name;
        if (strcmp(name, layer) == 0)
            return ADMMNN_OK;
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", l == 0 ? "" : ", ",
                                     name);
    }
    return base_fail(err, ADMMNN_INPUT, "%s: %s: %s has no layer '%s'; there are %s", r->path, key,
                     g->name, layer, names);
}

admmnn_status recipe_check(const recipe *r, const graph *g, admmnn_error *err) {
    uint32_t layers = graph_layer_count(g);
    if (layers == 0 || layers > RECIPE_LAYERS_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED, "%s: %u layers; recipes hold 1 to %d", g->name,
                         layers, RECIPE_LAYERS_MAX);
    for (size_t i = 0; i < r->prune.keep_count; i++)
        BASE_TRY(check_layer(r, g, "prune.keep", r->prune.keep[i].layer, err));
    for (size_t i = 0; i < r->quantize.bits_count; i++)
        BASE_TRY(check_layer(r, g, "quantize.bits", r->quantize.bits[i].layer, err));
    if (r->prune.bit_cost_count > 0 && r->prune.bit_cost_count != layers)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: prune.bit_cost: %zu costs; %s has %u layers", r->path,
                         r->prune.bit_cost_count, g->name, layers);
    double least = (double)graph_weight_count(g) / layers;
    for (size_t i = 0; i < r->prune.round_count; i++)
        if (r->prune.rounds[i] > least)
            return base_fail(err, ADMMNN_INPUT,
                             "%s: prune.rounds: %g would keep less than a weight a layer of %s",
                             r->path, r->prune.rounds[i], g->name);
    return ADMMNN_OK;
}
