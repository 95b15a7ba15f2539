#include "compress/recipe_schema.h"

#include <stdio.h>
#include <string.h>

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define CHOICE (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)

/* Bounds that no sensible recipe meets. */
#define EPOCHS_MAX 10000
#define BATCH_MAX 4096
#define RATE_MAX 100
#define RATIO_MAX 1e6
#define RHO_MAX 1e6
#define BITS_MAX 16
/* Largest whole number that every JSON reader holds exactly. */
#define SEED_MAX 9007199254740991.0

/* Ranges: last arguments of the tables' lines. */
#define FROM(least, most)                                                                          \
    { least, most, false }
#define ABOVE(least, most)                                                                         \
    { least, most, true }
#define ANY                                                                                        \
    { 1, 0, false }

#define FIELD(field, range) field,
#define RANGE(field, range) range,

/* ---- words ---- */

#define WORD_OF(name, text) {text, PREFIX(name)},
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

static const cyaml_strval_t backends[] = {
#define PREFIX(name) ENGINE_##name
    ENGINE_BACKEND_MAP(WORD_OF)
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

static const cyaml_strval_t truths[] = {
    {"false", false}, {"true", true}, {"no", false}, {"yes", true}};

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

static const cyaml_strval_t rho_schedules[] = {{"fixed", ADMM_RHO_FIXED},
                                               {"geometric", ADMM_RHO_GEOMETRIC},
                                               {"balancing", ADMM_RHO_BALANCING}};

static const cyaml_strval_t levels[] = {{"equal", ADMM_LEVELS_EQUAL},
                                        {"equal-zero", ADMM_LEVELS_EQUAL_ZERO},
                                        {"power-of-two", ADMM_LEVELS_POWER_OF_TWO},
                                        {"binary", ADMM_LEVELS_BINARY},
                                        {"ternary", ADMM_LEVELS_TERNARY}};

/* ---- maps: X(libcyaml's field, range) ---- */

#define UINT(key, structure, member) CYAML_FIELD_UINT(key, OPTIONAL, structure, member)
#define FLOAT(key, structure, member) CYAML_FIELD_FLOAT(key, OPTIONAL, structure, member)
#define ENUM(key, structure, member, words)                                                        \
    CYAML_FIELD_ENUM(key, CHOICE, structure, member, words, COUNT_OF(words))
#define MAPPING(key, structure, member, fields)                                                    \
    CYAML_FIELD_MAPPING(key, OPTIONAL, structure, member, fields)

#define AUGMENT_KEYS(X)                                                                            \
    X(UINT("shift", data_augmentation, shift), FROM(0, 16))                                        \
    X(FLOAT("rotate", data_augmentation, rotate), FROM(0, 180))

static const cyaml_schema_field_t augment_fields[] = {AUGMENT_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range augment_ranges[] = {AUGMENT_KEYS(RANGE)};

#define TRAINING_KEYS(X)                                                                           \
    X(UINT("epochs", recipe_training, epochs), FROM(0, EPOCHS_MAX))                                \
    X(UINT("batch", recipe_training, batch), FROM(1, BATCH_MAX))                                   \
    X(ENUM("optimizer", recipe_training, optimizer, optimizers), ANY)                              \
    X(FLOAT("learning_rate", recipe_training, learning_rate), ABOVE(0, RATE_MAX))                  \
    X(FLOAT("momentum", recipe_training, momentum), FROM(0, 0.9999))                               \
    X(FLOAT("weight_decay", recipe_training, weight_decay), FROM(0, 1))                            \
    X(ENUM("schedule", recipe_training, schedule, schedules), ANY)                                 \
    X(FLOAT("label_smoothing", recipe_training, label_smoothing), FROM(0, 0.9))                    \
    X(FLOAT("distill", recipe_training, distill), FROM(0, 1))                                      \
    X(FLOAT("temperature", recipe_training, temperature), ABOVE(0, 100))                           \
    X(MAPPING("augment", recipe_training, augment, augment_fields), ANY)

static const cyaml_schema_field_t training_fields[] = {TRAINING_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range training_ranges[] = {TRAINING_KEYS(RANGE)};

#define RHO_KEYS(X)                                                                                \
    X(ENUM("schedule", admm_schedule, kind, rho_schedules), ANY)                                   \
    X(FLOAT("first", admm_schedule, first), ABOVE(0, RHO_MAX))                                     \
    X(FLOAT("last", admm_schedule, last), ABOVE(0, RHO_MAX))                                       \
    X(FLOAT("ratio", admm_schedule, ratio), ABOVE(1, 1000))                                        \
    X(FLOAT("factor", admm_schedule, factor), ABOVE(1, 100))

static const cyaml_schema_field_t rho_fields[] = {RHO_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range rho_ranges[] = {RHO_KEYS(RANGE)};

#define ADMM_KEYS(X)                                                                               \
    X(UINT("iterations", recipe_admm, iterations), FROM(1, EPOCHS_MAX))                            \
    X(UINT("epochs", recipe_admm, epochs), FROM(1, EPOCHS_MAX))                                    \
    X(MAPPING("rho", recipe_admm, rho, rho_fields), ANY)                                           \
    X(FLOAT("tolerance", recipe_admm, tolerance), FROM(0, 1))                                      \
    X(MAPPING("training", recipe_admm, training, training_fields), ANY)

static const cyaml_schema_field_t admm_fields[] = {ADMM_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range admm_ranges[] = {ADMM_KEYS(RANGE)};

#define KEEP_KEYS(X)                                                                               \
    X(CYAML_FIELD_STRING("layer", CYAML_FLAG_DEFAULT, recipe_layer_keep, layer, 1), ANY)           \
    X(CYAML_FIELD_FLOAT("keep", CYAML_FLAG_DEFAULT, recipe_layer_keep, keep), ABOVE(0, 1))

static const cyaml_schema_field_t keep_fields[] = {KEEP_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range keep_ranges[] = {KEEP_KEYS(RANGE)};
static const cyaml_schema_value_t keep_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, recipe_layer_keep, keep_fields)};

#define BITS_KEYS(X)                                                                               \
    X(CYAML_FIELD_STRING("layer", CYAML_FLAG_DEFAULT, recipe_layer_bits, layer, 1), ANY)           \
    X(CYAML_FIELD_UINT("bits", CYAML_FLAG_DEFAULT, recipe_layer_bits, bits), FROM(1, BITS_MAX))

static const cyaml_schema_field_t bits_fields[] = {BITS_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range bits_ranges[] = {BITS_KEYS(RANGE)};
static const cyaml_schema_value_t bits_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, recipe_layer_bits, bits_fields)};

static const cyaml_schema_value_t number_entry = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_value_t whole_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};

#define SEQUENCE(key, structure, member, entry, most)                                              \
    CYAML_FIELD_SEQUENCE(key, OPTIONAL, structure, member, &(entry), 1, most)

#define PRUNE_KEYS(X)                                                                              \
    X(ENUM("method", recipe_prune, method, methods), ANY)                                          \
    X(ENUM("set", recipe_prune, set, sets), ANY)                                                   \
    X(ENUM("scope", recipe_prune, scope, scopes), ANY)                                             \
    X(CYAML_FIELD_SEQUENCE_FIXED("block", OPTIONAL, recipe_prune, block, &whole_entry, 2),         \
      FROM(1, GRAPH_DIMENSION_MAX))                                                                \
    X(UINT("n", recipe_prune, n), FROM(1, GRAPH_DIMENSION_MAX))                                    \
    X(UINT("m", recipe_prune, m), FROM(1, GRAPH_DIMENSION_MAX))                                    \
    X(SEQUENCE("rounds", recipe_prune, rounds, number_entry, RECIPE_ROUNDS_MAX),                   \
      ABOVE(1, RATIO_MAX))                                                                         \
    X(SEQUENCE("keep", recipe_prune, keep, keep_entry, RECIPE_LAYERS_MAX), ANY)                    \
    X(SEQUENCE("bit_cost", recipe_prune, bit_cost, number_entry, RECIPE_LAYERS_MAX),               \
      ABOVE(0, 1000))                                                                              \
    X(MAPPING("admm", recipe_prune, admm, admm_fields), ANY)                                       \
    X(MAPPING("retrain", recipe_prune, retrain, training_fields), ANY)                             \
    X(MAPPING("finish", recipe_prune, finish, training_fields), ANY)

static const cyaml_schema_field_t prune_fields[] = {PRUNE_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range prune_ranges[] = {PRUNE_KEYS(RANGE)};

#define QUANTIZE_KEYS(X)                                                                           \
    X(ENUM("enabled", recipe_quantize, enabled, truths), ANY)                                      \
    X(ENUM("levels", recipe_quantize, levels, levels), ANY)                                        \
    X(SEQUENCE("bits", recipe_quantize, bits, bits_entry, RECIPE_LAYERS_MAX), ANY)                 \
    X(UINT("max_bits", recipe_quantize, max_bits), FROM(1, BITS_MAX))                              \
    X(FLOAT("max_loss", recipe_quantize, max_loss), FROM(0, 1))                                    \
    X(UINT("bias_bits", recipe_quantize, bias_bits), FROM(0, BITS_MAX))                            \
    X(MAPPING("admm", recipe_quantize, admm, admm_fields), ANY)                                    \
    X(MAPPING("retrain", recipe_quantize, retrain, training_fields), ANY)

static const cyaml_schema_field_t quantize_fields[] = {QUANTIZE_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range quantize_ranges[] = {QUANTIZE_KEYS(RANGE)};

#define PACK_KEYS(X)                                                                               \
    X(ENUM("positions", pack_settings, positions, positions), ANY)                                 \
    X(ENUM("values", pack_settings, values, coders), ANY)

static const cyaml_schema_field_t pack_fields[] = {PACK_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range pack_ranges[] = {PACK_KEYS(RANGE)};

#define DATASET_KEYS(X)                                                                            \
    X(CYAML_FIELD_STRING("format", CYAML_FLAG_DEFAULT, recipe_dataset, format, 1), ANY)            \
    X(CYAML_FIELD_STRING("path", OPTIONAL, recipe_dataset, path, 1), ANY)                          \
    X(UINT("validation", recipe_dataset, validation), FROM(1, 4294967295.0))

static const cyaml_schema_field_t dataset_fields[] = {DATASET_KEYS(FIELD) CYAML_FIELD_END};
static const recipe_range dataset_ranges[] = {DATASET_KEYS(RANGE)};
