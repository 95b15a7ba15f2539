#include "compress/recipe_schema.h"

#include <stdio.h>
#include <string.h>

#include "admmnn/compress.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define REQUIRED CYAML_FLAG_DEFAULT
#define CHOICE (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)

/* Bounds that no sensible recipe meets. */
#define EPOCHS_MAX 10000
#define UPDATES_MAX 10000
#define BATCH_MAX 4096
#define RATE_MAX 100
#define RATIO_MAX 1e6
#define RHO_MIN 1e-9
#define RHO_MAX 1e6
#define BLOCK_MAX 4096
#define GROUP_MAX 1024
#define SAMPLES_MAX 1e9
#define COST_MAX 1000
#define SIDE_MAX 4096
#define MEMORY_MAX 16777216
#define BIAS_BITS_MAX 12
#define BETA_MAX 1e6
/* Largest whole number that every JSON reader holds exactly. */
#define SEED_MAX ((double)ADMMNN_SEED_MAX)

/* Ranges: last arguments of the tables' lines. */
#define FROM(least, most)                                                                          \
    { least, most, false }
#define ABOVE(least, most)                                                                         \
    { least, most, true }
#define ANY                                                                                        \
    { 1, 0, false }

#define FIELD_OF(field, range) field,
#define RANGE_OF(field, range) range,

/* ---- words ---- */

#define WORD_OF(name, text) {text, PREFIX(name)},
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

static const cyaml_strval_t backends[] = {
#define PREFIX(name) ENGINE_##name
    ENGINE_BACKEND_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t formats[] = {
#define PREFIX(name) DATA_##name
    DATA_FORMAT_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t colours[] = {{"rgb", false}, {"grey", true}};

/* What pixels are normalised by, where no numbers are given. */
static const cyaml_strval_t normalisations[] = {{"none", false}, {"training", true}};

static const cyaml_strval_t losses[] = {
#define PREFIX(name) ENGINE_##name
    ENGINE_LOSS_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t optimizers[] = {
#define PREFIX(name) TRAIN_##name
    TRAIN_OPTIMIZER_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t schedules[] = {
#define PREFIX(name) TRAIN_##name
    TRAIN_SCHEDULE_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t positions[] = {
#define PREFIX(name) PACK_POSITION_##name
    PACK_POSITION_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t coders[] = {
#define PREFIX(name) PACK_CODER_##name
    PACK_CODER_MAP(WORD_OF)
#undef PREFIX
};

/* libcyaml's own type takes any other word for true. */
static const cyaml_strval_t truths[] = {{"false", false}, {"true", true}};

static const cyaml_strval_t methods[] = {{"none", RECIPE_PRUNE_NONE},
                                         {"admm", RECIPE_PRUNE_ADMM},
                                         {"one-shot", RECIPE_PRUNE_ONE_SHOT},
                                         {"gradual", RECIPE_PRUNE_GRADUAL},
                                         {"random", RECIPE_PRUNE_RANDOM}};

static const cyaml_strval_t sets[] = {
    {"sparse", RECIPE_SET_SPARSE},     {"filters", RECIPE_SET_FILTERS},
    {"channels", RECIPE_SET_CHANNELS}, {"columns", RECIPE_SET_COLUMNS},
    {"blocks", RECIPE_SET_BLOCKS},     {"n-of-m", RECIPE_SET_N_OF_M}};

static const cyaml_strval_t scopes[] = {{"global", RECIPE_SCOPE_GLOBAL},
                                        {"per-layer", RECIPE_SCOPE_PER_LAYER}};

static const cyaml_strval_t penalties[] = {{"all", RECIPE_PENALTY_ALL},
                                           {"pruned", RECIPE_PENALTY_PRUNED}};

static const cyaml_strval_t x_steps[] = {{"training", RECIPE_X_TRAINING},
                                         {"curvature", RECIPE_X_CURVATURE}};

static const cyaml_strval_t rho_schedules[] = {{"fixed", ADMM_RHO_FIXED},
                                               {"geometric", ADMM_RHO_GEOMETRIC},
                                               {"balancing", ADMM_RHO_BALANCING}};

static const cyaml_strval_t quantize_methods[] = {
    {"admm", RECIPE_QUANTIZE_ADMM},
    {"projected-gradient", RECIPE_QUANTIZE_PROJECTED},
    {"straight-through", RECIPE_QUANTIZE_STRAIGHT_THROUGH}};

static const cyaml_strval_t teachers[] = {{"dense", RECIPE_TEACHER_DENSE},
                                          {"pruned", RECIPE_TEACHER_PRUNED}};

static const cyaml_strval_t levels[] = {
#define PREFIX(name) ADMM_LEVELS_##name
    ADMM_LEVELS_MAP(WORD_OF)
#undef PREFIX
};

static const cyaml_strval_t variants[] = {
#define PREFIX(name) ADMM_VARIANT_##name
    ADMM_VARIANT_MAP(WORD_OF)
#undef PREFIX
};

/* ---- maps: X(libcyaml's field, range), one line a key ---- */

#define UINT(key, structure, member) CYAML_FIELD_UINT(key, OPTIONAL, structure, member)
#define FLOAT(key, structure, member) CYAML_FIELD_FLOAT(key, OPTIONAL, structure, member)
#define ENUM(key, structure, member, words)                                                        \
    CYAML_FIELD_ENUM(key, CHOICE, structure, member, words, COUNT_OF(words))
#define MAPPING(key, structure, member, fields)                                                    \
    CYAML_FIELD_MAPPING(key, OPTIONAL, structure, member, fields)

#define AUGMENT_KEYS(X)                                                                            \
    X(UINT("shift", data_augmentation, shift), FROM(0, 64))                                        \
    X(FLOAT("rotate", data_augmentation, rotate), FROM(0, 180))                                    \
    X(ENUM("flip", data_augmentation, flip, truths), ANY)                                          \
    X(FLOAT("crop", data_augmentation, crop), FROM(0, 1))                                          \
    X(FLOAT("brightness", data_augmentation, brightness), FROM(0, 1))                              \
    X(FLOAT("contrast", data_augmentation, contrast), FROM(0, 1))                                  \
    X(FLOAT("saturation", data_augmentation, saturation), FROM(0, 1))

static const cyaml_schema_field_t augment_fields[] = {AUGMENT_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range augment_ranges[] = {AUGMENT_KEYS(RANGE_OF)};

#define TRAINING_KEYS(X)                                                                           \
    X(UINT("epochs", recipe_training, epochs), FROM(0, EPOCHS_MAX))                                \
    X(UINT("batch", recipe_training, batch), FROM(1, BATCH_MAX))                                   \
    X(ENUM("loss", recipe_training, loss, losses), ANY)                                            \
    X(ENUM("optimizer", recipe_training, optimizer, optimizers), ANY)                              \
    X(FLOAT("learning_rate", recipe_training, learning_rate), ABOVE(0, RATE_MAX))                  \
    X(FLOAT("momentum", recipe_training, momentum), FROM(0, 0.9999))                               \
    X(FLOAT("weight_decay", recipe_training, weight_decay), FROM(0, 10))                           \
    X(ENUM("schedule", recipe_training, schedule, schedules), ANY)                                 \
    X(FLOAT("average", recipe_training, average), FROM(0, 1))                                      \
    X(FLOAT("label_smoothing", recipe_training, label_smoothing), FROM(0, 0.9))                    \
    X(FLOAT("distill", recipe_training, distill), FROM(0, 1))                                      \
    X(FLOAT("temperature", recipe_training, temperature), FROM(0.1, 100))                          \
    X(UINT("versions", recipe_training, versions), FROM(0, RECIPE_VERSIONS_MAX))                   \
    X(MAPPING("augment", recipe_training, augment, augment_fields), ANY)

static const cyaml_schema_field_t training_fields[] = {TRAINING_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range training_ranges[] = {TRAINING_KEYS(RANGE_OF)};

#define RHO_KEYS(X)                                                                                \
    X(ENUM("schedule", admm_schedule, kind, rho_schedules), ANY)                                   \
    X(FLOAT("first", admm_schedule, first), FROM(RHO_MIN, RHO_MAX))                                \
    X(FLOAT("last", admm_schedule, last), FROM(RHO_MIN, RHO_MAX))                                  \
    X(FLOAT("ratio", admm_schedule, ratio), FROM(1.1, 1000))                                       \
    X(FLOAT("factor", admm_schedule, factor), FROM(1.1, 100))

static const cyaml_schema_field_t rho_fields[] = {RHO_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range rho_ranges[] = {RHO_KEYS(RANGE_OF)};

#define ADMM_KEYS(X)                                                                               \
    X(UINT("iterations", recipe_admm, iterations), FROM(0, EPOCHS_MAX))                            \
    X(UINT("epochs", recipe_admm, epochs), FROM(1, EPOCHS_MAX))                                    \
    X(UINT("updates", recipe_admm, updates), FROM(1, UPDATES_MAX))                                 \
    X(MAPPING("rho", recipe_admm, rho, rho_fields), ANY)                                           \
    X(FLOAT("tolerance", recipe_admm, tolerance), FROM(0, 1))                                      \
    X(MAPPING("training", recipe_admm, training, training_fields), ANY)

static const cyaml_schema_field_t admm_fields[] = {ADMM_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range admm_ranges[] = {ADMM_KEYS(RANGE_OF)};

#define KEEP_KEYS(X)                                                                               \
    X(CYAML_FIELD_STRING("layer", REQUIRED, recipe_layer_keep, layer, 1), ANY)                     \
    X(CYAML_FIELD_FLOAT("keep", REQUIRED, recipe_layer_keep, keep), ABOVE(0, 1))

static const cyaml_schema_field_t keep_fields[] = {KEEP_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range keep_ranges[] = {KEEP_KEYS(RANGE_OF)};
static const cyaml_schema_value_t keep_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, recipe_layer_keep, keep_fields)};

#define BITS_KEYS(X)                                                                               \
    X(CYAML_FIELD_STRING("layer", REQUIRED, recipe_layer_bits, layer, 1), ANY)                     \
    X(CYAML_FIELD_UINT("bits", REQUIRED, recipe_layer_bits, bits), FROM(1, RECIPE_BITS_MAX))

static const cyaml_schema_field_t bits_fields[] = {BITS_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range bits_ranges[] = {BITS_KEYS(RANGE_OF)};
static const cyaml_schema_value_t bits_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, recipe_layer_bits, bits_fields)};

static const cyaml_schema_value_t number_entry = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};

#define SEQUENCE(key, structure, member, count, entry, most)                                       \
    CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL, structure, member, count, &(entry), 1, most)

#define PRUNE_KEYS(X)                                                                              \
    X(ENUM("method", recipe_prune, method, methods), ANY)                                          \
    X(ENUM("set", recipe_prune, set, sets), ANY)                                                   \
    X(ENUM("scope", recipe_prune, scope, scopes), ANY)                                             \
    X(UINT("block_rows", recipe_prune, block_rows), FROM(1, BLOCK_MAX))                            \
    X(UINT("block_columns", recipe_prune, block_columns), FROM(1, BLOCK_MAX))                      \
    X(UINT("n", recipe_prune, n), FROM(1, GROUP_MAX))                                              \
    X(UINT("m", recipe_prune, m), FROM(1, GROUP_MAX))                                              \
    X(SEQUENCE("rounds", recipe_prune, rounds, round_count, number_entry, RECIPE_ROUNDS_MAX),      \
      ABOVE(1, RATIO_MAX))                                                                         \
    X(SEQUENCE("keep", recipe_prune, keep, keep_count, keep_entry, RECIPE_LAYERS_MAX), ANY)        \
    X(SEQUENCE("bit_cost", recipe_prune, bit_cost, bit_cost_count, number_entry,                   \
               RECIPE_LAYERS_MAX),                                                                 \
      ABOVE(0, COST_MAX))                                                                          \
    X(FLOAT("ramp", recipe_prune, ramp), FROM(0, 1))                                               \
    X(ENUM("penalty", recipe_prune, penalty, penalties), ANY)                                      \
    X(ENUM("x_step", recipe_prune, x_step, x_steps), ANY)                                          \
    X(FLOAT("curvature_share", recipe_prune, curvature_share), ABOVE(0, 1))                        \
    X(MAPPING("admm", recipe_prune, admm, admm_fields), ANY)                                       \
    X(MAPPING("retrain", recipe_prune, retrain, training_fields), ANY)                             \
    X(MAPPING("finish", recipe_prune, finish, training_fields), ANY)

static const cyaml_schema_field_t prune_fields[] = {PRUNE_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range prune_ranges[] = {PRUNE_KEYS(RANGE_OF)};

#define QUANTIZE_KEYS(X)                                                                           \
    X(ENUM("enabled", recipe_quantize, enabled, truths), ANY)                                      \
    X(ENUM("method", recipe_quantize, method, quantize_methods), ANY)                              \
    X(ENUM("levels", recipe_quantize, levels, levels), ANY)                                        \
    X(ENUM("teacher", recipe_quantize, teacher, teachers), ANY)                                    \
    X(SEQUENCE("bits", recipe_quantize, bits, bits_count, bits_entry, RECIPE_LAYERS_MAX), ANY)     \
    X(UINT("max_bits", recipe_quantize, max_bits), FROM(1, RECIPE_BITS_MAX))                       \
    X(FLOAT("max_loss", recipe_quantize, max_loss), FROM(0, 1))                                    \
    X(UINT("bias_bits", recipe_quantize, bias_bits), FROM(0, BIAS_BITS_MAX))                       \
    X(MAPPING("admm", recipe_quantize, admm, admm_fields), ANY)                                    \
    X(ENUM("variant", recipe_quantize, variant, variants), ANY)                                    \
    X(FLOAT("beta", recipe_quantize, beta), FROM(0, BETA_MAX))                                     \
    X(FLOAT("probability", recipe_quantize, probability), ABOVE(0, 1))                             \
    X(SEQUENCE("fix", recipe_quantize, fix, fix_count, number_entry, RECIPE_ROUNDS_MAX),           \
      ABOVE(0, 1))                                                                                 \
    X(MAPPING("retrain", recipe_quantize, retrain, training_fields), ANY)

static const cyaml_schema_field_t quantize_fields[] = {QUANTIZE_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range quantize_ranges[] = {QUANTIZE_KEYS(RANGE_OF)};

#define PACK_KEYS(X)                                                                               \
    X(ENUM("positions", pack_settings, positions, positions), ANY)                                 \
    X(ENUM("values", pack_settings, values, coders), ANY)

static const cyaml_schema_field_t pack_fields[] = {PACK_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range pack_ranges[] = {PACK_KEYS(RANGE_OF)};

#define DATASET_KEYS(X)                                                                            \
    X(ENUM("format", recipe, dataset_format, formats), ANY)                                        \
    X(CYAML_FIELD_STRING("path", OPTIONAL, recipe, dataset_path, 1), ANY)                          \
    X(UINT("validation", recipe, validation), FROM(1, SAMPLES_MAX))                                \
    X(UINT("size", recipe, image_size), FROM(0, SIDE_MAX))                                         \
    X(UINT("resize", recipe, image_resize), FROM(0, SIDE_MAX))                                     \
    X(ENUM("colour", recipe, grey, colours), ANY)                                                  \
    X(ENUM("normalise", recipe, normalise, normalisations), ANY)                                   \
    X(SEQUENCE("mean", recipe, mean, mean_count, number_entry, DATA_TONES), FROM(0, 1))            \
    X(SEQUENCE("deviation", recipe, deviation, deviation_count, number_entry, DATA_TONES),         \
      ABOVE(0, 1))                                                                                 \
    X(UINT("memory", recipe, memory), FROM(1, MEMORY_MAX))                                         \
    X(UINT("max_damaged", recipe, max_damaged), FROM(0, SAMPLES_MAX))

static const cyaml_schema_field_t dataset_fields[] = {DATASET_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range dataset_ranges[] = {DATASET_KEYS(RANGE_OF)};

/* A map in the text whose keys are members of the structure around it. */
#define FLATTENED(name, structure, keys)                                                           \
    {                                                                                              \
        .key = name, .value = { CYAML_VALUE_MAPPING(OPTIONAL, structure, keys) }                   \
    }

#define RECIPE_KEYS(X)                                                                             \
    X(CYAML_FIELD_STRING("model", REQUIRED, recipe, model, 1), ANY)                                \
    X(FLATTENED("dataset", recipe, dataset_fields), ANY)                                           \
    X(UINT("seed", recipe, seed), FROM(0, SEED_MAX))                                               \
    X(ENUM("backend", recipe, backend, backends), ANY)                                             \
    X(MAPPING("training", recipe, training, training_fields), ANY)                                 \
    X(MAPPING("prune", recipe, prune, prune_fields), ANY)                                          \
    X(MAPPING("quantize", recipe, quantize, quantize_fields), ANY)                                 \
    X(MAPPING("pack", recipe, pack, pack_fields), ANY)

static const cyaml_schema_field_t recipe_fields[] = {RECIPE_KEYS(FIELD_OF) CYAML_FIELD_END};
static const recipe_range recipe_ranges[] = {RECIPE_KEYS(RANGE_OF)};
static const cyaml_schema_value_t whole_recipe = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, recipe, recipe_fields)};

const cyaml_schema_value_t *recipe_schema(void) {
    return &whole_recipe;
}

/* ---- ranges ---- */

typedef struct map_ranges {
    const cyaml_schema_field_t *fields;
    const recipe_range *ranges;
    size_t count;
} map_ranges;

#define MAP(name)                                                                                  \
    { name##_fields, name##_ranges, COUNT_OF(name##_ranges) }

static const map_ranges maps[] = {MAP(recipe),   MAP(dataset), MAP(training), MAP(augment),
                                  MAP(prune),    MAP(keep),    MAP(admm),     MAP(rho),
                                  MAP(quantize), MAP(bits),    MAP(pack)};

recipe_range recipe_schema_range(const cyaml_schema_field_t *field) {
    for (size_t m = 0; m < COUNT_OF(maps); m++)
        for (size_t i = 0; i < maps[m].count; i++)
            if (&maps[m].fields[i] == field)
                return maps[m].ranges[i];
    return (recipe_range)ANY;
}

static size_t list_words(const cyaml_schema_value_t *value, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "one of ");
    for (uint32_t i = 0; i < value->enumeration.count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ", ",
                                 value->enumeration.strings[i].str);
    return used;
}

void recipe_schema_expected(const cyaml_schema_value_t *value, recipe_range range, char *out,
                            size_t size) {
    const char *number = value->type == CYAML_UINT ? "a whole number" : "a number";
    int used;
    switch (value->type) {
    case CYAML_STRING:
        snprintf(out, size, "a text of %u to %u bytes", value->string.min, value->string.max);
        return;
    case CYAML_ENUM:
        list_words(value, out, size);
        return;
    case CYAML_MAPPING:
        snprintf(out, size, "a map of keys");
        return;
    case CYAML_SEQUENCE:
        used = snprintf(out, size, "a list of %u to %u entries, each ", value->sequence.min,
                        value->sequence.max);
        if (used > 0 && (size_t)used < size)
            recipe_schema_expected(value->sequence.entry, range, out + used, size - (size_t)used);
        return;
    default:
        snprintf(out, size,
                 range.above ? "%s above %.16g, at most %.16g" : "%s from %.16g to %.16g", number,
                 range.least, range.most);
    }
}

/* ---- defaults ---- */

static recipe_training default_training(uint32_t epochs, train_schedule_kind schedule) {
    return (recipe_training){.epochs = epochs,
                             .batch = 64,
                             .loss = ENGINE_CROSS_ENTROPY,
                             .optimizer = TRAIN_ADAM,
                             .learning_rate = 1e-3,
                             .momentum = 0.9,
                             .schedule = schedule,
                             .temperature = 1.0};
}

static recipe_admm default_admm(uint32_t iterations, float first, float last) {
    return (recipe_admm){
        .iterations = iterations,
        .epochs = 1,
        .updates = 1,
        .rho = {.kind = ADMM_RHO_GEOMETRIC, .first = first, .last = last, .ratio = 10, .factor = 2},
        .training = default_training(10, TRAIN_CONSTANT)};
}

void recipe_default(recipe *r) {
    memset(r, 0, sizeof *r);
    r->validation = 5000;
    r->memory = 1024;
    r->seed = 1;
    r->training = default_training(10, TRAIN_ONE_CYCLE);
    r->training.learning_rate = 3e-3;
    r->prune.method = RECIPE_PRUNE_ADMM;
    r->prune.block_rows = 4;
    r->prune.block_columns = 1;
    r->prune.curvature_share = 1;
    r->prune.n = 2;
    r->prune.m = 4;
    r->prune.admm = default_admm(6, 1e-4F, 1e-2F);
    r->prune.retrain = default_training(10, TRAIN_COSINE);
    r->prune.finish = default_training(20, TRAIN_COSINE);
    r->quantize.enabled = true;
    r->quantize.max_bits = 4;
    r->quantize.max_loss = 0.001;
    r->quantize.bias_bits = 8;
    r->quantize.admm = default_admm(20, 1e-3F, 1.0F);
    r->quantize.admm.training.schedule = TRAIN_COSINE;
    r->quantize.beta = 0.01;
    r->quantize.probability = 0.3;
    r->quantize.retrain = default_training(20, TRAIN_COSINE);
}
