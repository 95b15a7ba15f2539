#include "compress/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "compress/recipe_places.h"
#include "compress/recipe_schema.h"
#include "compress/recipe_validate.h"
#include "graph/zoo.h"
#include "pack/topology.h"

#define RECIPE_SIZE_MAX ((size_t)1 << 20)

/* ---- the text into the structure ---- */

/* What the text gives goes from libcyaml's structure over the defaults in `to`. */
static void take_given(const recipe_places *places, const cyaml_schema_field_t *fields,
                       const char *above, const char *from, char *to) {
    for (const cyaml_schema_field_t *field = fields; field->key != NULL; field++) {
        const cyaml_schema_value_t *value = &field->value;
        char path[RECIPE_PATH_MAX];
        recipe_places_join(path, above, field->key);
        if (recipe_places_find(places, path) == NULL)
            continue;
        const char *source = from + field->data_offset;
        char *target = to + field->data_offset;
        if (value->type == CYAML_MAPPING) {
            take_given(places, value->mapping.fields, path, source, target);
            continue;
        }
        bool list = value->type == CYAML_SEQUENCE;
        memcpy(target, source, (size_t)value->data_size * (list ? value->sequence.max : 1));
        if (list)
            memcpy(to + field->count_offset, from + field->count_offset, field->count_size);
    }
}

static admmnn_status load(const char *file, const uint8_t *text, size_t count,
                          const recipe_places *places, recipe *r, admmnn_error *err) {
    const cyaml_config_t config = {.mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS};
    cyaml_data_t *loaded = NULL;
    cyaml_err_t failure = cyaml_load_data(text, count, &config, recipe_schema(), &loaded, NULL);
    if (failure == CYAML_ERR_OOM)
        return base_fail_memory(err, "a recipe");
    if (failure != CYAML_OK)
        return base_fail(err, ADMMNN_INPUT, "%s:1: not a recipe: %s", file,
                         cyaml_strerror(failure));
    take_given(places, recipe_schema()->mapping.fields, "", (const char *)loaded, (char *)r);
    cyaml_free(&config, recipe_schema(), loaded, 0);
    return ADMMNN_OK;
}

/* ---- what one key alone does not tell ---- */

typedef struct whole {
    const char *file;
    const recipe_places *places;
    recipe *r;
    admmnn_error *err;
} whole;

/* "file:line: key: reason", at the line of the path when it was given. */
__attribute__((format(printf, 3, 4))) static admmnn_status fail_key(const whole *w, const char *key,
                                                                    const char *format, ...) {
    char reason[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return base_fail(w->err, ADMMNN_INPUT, "%s:%u: %s: %s", w->file,
                     recipe_places_line(w->places, key), key, reason);
}

/* A relative path begins at the recipe's folder. */
static admmnn_status place_path(const whole *w, const char *key, char *path, size_t size) {
    const char *slash = strrchr(w->file, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - w->file) + 1;
    size_t path_length = strlen(path);
    if (path[0] == '/' || length == 0)
        return ADMMNN_OK;
    if (length + path_length >= size)
        return fail_key(w, key, "with the recipe's folder longer than %zu bytes", size - 1);
    memmove(path + length, path, path_length + 1);
    memcpy(path, w->file, length);
    return ADMMNN_OK;
}

/* No network of the zoo is called so. */
static bool is_model_file(const char *model) {
    static const char *const endings[] = {".onnx", ".admm"};
    const size_t length = strlen(model);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(model + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static admmnn_status check_model(whole *w) {
    recipe *r = w->r;
    if (!base_text_is_plain(r->model))
        return fail_key(w, "model", "holds control characters");
    if (is_model_file(r->model)) {
        snprintf(r->model_path, sizeof r->model_path, "%s", r->model);
        /* It has been trained: more of it is asked for, or there is none. */
        if (recipe_places_find(w->places, "training") == NULL)
            r->training.epochs = 0;
        return place_path(w, "model", r->model_path, sizeof r->model_path);
    }
    if (graph_zoo_has(r->model))
        return ADMMNN_OK;
    graph *none = NULL;
    graph_zoo_create(r->model, graph_shape_image(1, 28, 28), 10, &none, w->err);
    return base_fail_within(w->err, ADMMNN_INPUT, "%s:%u: model: no .onnx or .admm file", w->file,
                            recipe_places_line(w->places, "model"));
}

/* What only a folder of images has. */
static admmnn_status check_images(const whole *w) {
    const recipe *r = w->r;
    const struct {
        const char *key;
        bool given;
    } keys[] = {{"dataset.size", r->image_size > 0},
                {"dataset.resize", r->image_resize > 0},
                {"dataset.colour", r->grey},
                {"dataset.max_damaged", r->max_damaged > 0}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].given && r->dataset_format != DATA_FOLDER)
            return fail_key(w, keys[i].key, "is of format: folder");
    if (r->image_resize > 0 && r->image_size == 0)
        return fail_key(w, "dataset.resize",
                        "is before the crop to dataset.size, which is not given");
    if (r->image_resize > 0 && r->image_resize < r->image_size)
        return fail_key(w, "dataset.resize",
                        "%u; the crop takes dataset.size, %u, so that it must be %u at least",
                        r->image_resize, r->image_size, r->image_size);
    return ADMMNN_OK;
}

static admmnn_status check_tones(whole *w) {
    recipe *r = w->r;
    r->mean_line = recipe_places_line(w->places, "dataset.mean");
    if (r->mean_count != r->deviation_count)
        return fail_key(w, r->mean_count > 0 ? "dataset.mean" : "dataset.deviation",
                        "%zu means and %zu deviations; as many of both are wanted", r->mean_count,
                        r->deviation_count);
    if (r->mean_count == 2)
        return fail_key(w, "dataset.mean", "2 entries; one for all channels, or one each of three");
    if (r->mean_count > 0 && r->normalise)
        return fail_key(w, "dataset.normalise", "training, but mean and deviation are given");
    return ADMMNN_OK;
}

static admmnn_status check_dataset(whole *w) {
    const data_format format = w->r->dataset_format;
    const bool given = w->r->dataset_path[0] != 0;
    BASE_TRY(check_images(w));
    BASE_TRY(check_tones(w));
    if (format == DATA_MNIST && given)
        return fail_key(w, "dataset.path",
                        "is of other formats; mnist is the fetched one, idx has a path");
    if (!given && format != DATA_MNIST && format != DATA_CIFAR10)
        return fail_key(w, "dataset.format", "%s needs dataset.path, where the files are",
                        data_format_text(format));
    if (!given)
        return ADMMNN_OK;
    return place_path(w, "dataset.path", w->r->dataset_path, sizeof w->r->dataset_path);
}

static admmnn_status check_rising(const whole *w, const char *list, const char *what,
                                  const double *numbers, size_t count) {
    for (size_t i = 1; i < count; i++) {
        char key[RECIPE_PATH_MAX];
        snprintf(key, sizeof key, "%s[%zu]", list, i);
        if (numbers[i] <= numbers[i - 1])
            return fail_key(w, key, "%g comes after %g; the %s must rise", numbers[i],
                            numbers[i - 1], what);
    }
    return ADMMNN_OK;
}

static admmnn_status check_rounds(whole *w) {
    recipe_prune *p = &w->r->prune;
    if (p->method != RECIPE_PRUNE_NONE && p->round_count == 0)
        return fail_key(w, "prune.rounds",
                        "missing; it must be the ratios to reach, for instance [19, 48, 86] "
                        "(or give method: none)");
    BASE_TRY(check_rising(w, "prune.rounds", "ratios", p->rounds, p->round_count));
    if (p->method == RECIPE_PRUNE_ONE_SHOT && p->round_count > 1)
        return fail_key(w, "prune.rounds",
                        "%zu rounds; one-shot prunes once (method: gradual takes many)",
                        p->round_count);
    p->rounds_line = recipe_places_line(w->places, "prune.rounds");
    p->bit_cost_line = recipe_places_line(w->places, "prune.bit_cost");
    return ADMMNN_OK;
}

/* n of m is a ratio already. */
static admmnn_status check_n_of_m(whole *w) {
    recipe_prune *p = &w->r->prune;
    bool given = recipe_places_find(w->places, "prune.n") != NULL;
    if (p->n > p->m)
        return fail_key(w, given ? "prune.n" : "prune.m", "%u of %u; n must be at most m", p->n,
                        p->m);
    if (p->set != RECIPE_SET_N_OF_M || p->method == RECIPE_PRUNE_NONE)
        return ADMMNN_OK;
    if (p->n == p->m)
        return fail_key(w, given ? "prune.n" : "prune.m", "%u of %u prunes nothing", p->n, p->m);
    const double ratio = (double)p->m / p->n;
    if (p->round_count > 1 || (p->round_count == 1 && p->rounds[0] != ratio))
        return fail_key(w, "prune.rounds", "set: n-of-m has one ratio, m / n = %g", ratio);
    p->rounds[0] = ratio;
    p->round_count = 1;
    return ADMMNN_OK;
}

/* A rank over all layers is one of single weights; groups, and what chance chooses, go by
 * the layers' shares. */
static admmnn_status check_scope(whole *w) {
    recipe_prune *p = &w->r->prune;
    const bool random = p->method == RECIPE_PRUNE_RANDOM;
    if (random || p->set != RECIPE_SET_SPARSE) {
        if (p->scope == RECIPE_SCOPE_GLOBAL && recipe_places_find(w->places, "prune.scope") != NULL)
            return fail_key(w, "prune.scope",
                            random ? "global ranks weights; method: random does not"
                                   : "global ranks single weights; only set: sparse has it");
        p->scope = RECIPE_SCOPE_PER_LAYER;
    }
    if (p->bit_cost_count == 0)
        return ADMMNN_OK;
    if (p->method != RECIPE_PRUNE_ADMM)
        return fail_key(w, "prune.bit_cost", "is for method: admm; its controls rank by magnitude");
    if (p->scope != RECIPE_SCOPE_GLOBAL)
        return fail_key(w, "prune.bit_cost", "is for scope: global, the rank over all layers");
    return ADMMNN_OK;
}

static admmnn_status check_curvature(whole *w) {
    const recipe_prune *p = &w->r->prune;
    if (p->x_step != RECIPE_X_CURVATURE)
        return p->curvature_share == 1
                   ? ADMMNN_OK
                   : fail_key(w, "prune.curvature_share", "is of x_step: curvature");
    if (p->method != RECIPE_PRUNE_ADMM)
        return fail_key(w, "prune.x_step", "is for method: admm; its controls have none");
    if (p->penalty != RECIPE_PENALTY_ALL)
        return fail_key(w, "prune.penalty", "is for x_step: training");
    if (p->admm.iterations == 0)
        return fail_key(w, "prune.x_step", "is of iterations, and prune.admm.iterations is 0");
    if (p->admm.epochs != 1)
        return fail_key(w, "prune.admm.epochs",
                        "x_step: curvature measures one epoch an iteration; give more iterations");
    if (p->admm.training.loss != ENGINE_CROSS_ENTROPY)
        return fail_key(w, "prune.admm.training.loss",
                        "x_step: curvature is of loss: cross-entropy");
    return ADMMNN_OK;
}

/* So many steps its schedule has. */
static uint32_t steps_of_rho(const recipe_prune *p) {
    return p->admm.iterations * (p->x_step == RECIPE_X_CURVATURE ? p->admm.updates : 1);
}

/* Keys that say how ADMM goes about its rounds. */
static admmnn_status check_admm_keys(whole *w) {
    const recipe_prune *p = &w->r->prune;
    if (p->method != RECIPE_PRUNE_ADMM && p->ramp > 0)
        return fail_key(w, "prune.ramp", "is for method: admm (method: gradual has its rounds)");
    if (p->method != RECIPE_PRUNE_ADMM && p->penalty != RECIPE_PENALTY_ALL)
        return fail_key(w, "prune.penalty", "is for method: admm; its controls have none");
    if (p->admm.iterations == 0 && p->ramp > 0)
        return fail_key(w, "prune.ramp", "is of iterations, and prune.admm.iterations is 0");
    if (p->set == RECIPE_SET_N_OF_M && p->ramp > 0)
        return fail_key(w, "prune.ramp", "set: n-of-m has one ratio, and none on the way to it");
    return check_curvature(w);
}

static admmnn_status check_keep(whole *w) {
    recipe_prune *p = &w->r->prune;
    if (p->scope == RECIPE_SCOPE_GLOBAL && p->keep_count > 0)
        return fail_key(w, "prune.keep", "shares of layers need scope: per-layer");
    for (size_t i = 0; i < p->keep_count; i++) {
        char key[RECIPE_PATH_MAX];
        snprintf(key, sizeof key, "prune.keep[%zu].layer", i);
        p->keep[i].line = recipe_places_line(w->places, key);
        for (size_t j = 0; j < i; j++)
            if (strcmp(p->keep[i].layer, p->keep[j].layer) == 0)
                return fail_key(w, key, "'%s' has a share already, at line %u", p->keep[i].layer,
                                p->keep[j].line);
    }
    return ADMMNN_OK;
}

unsigned recipe_least_bits(admm_levels levels) {
    return levels == ADMM_LEVELS_TERNARY ? 2 : admm_levels_least_bits(levels);
}

static unsigned most_bits(admm_levels levels) {
    if (levels == ADMM_LEVELS_BINARY || levels == ADMM_LEVELS_TERNARY || levels == ADMM_LEVELS_SIGN)
        return recipe_least_bits(levels);
    unsigned most = admm_levels_most_bits(levels);
    return most < RECIPE_BITS_MAX ? most : RECIPE_BITS_MAX;
}

static bool one_number_of_bits(admm_levels levels) {
    return recipe_least_bits(levels) == most_bits(levels);
}

bool recipe_bits_searched(const recipe_quantize *q) {
    return q->bits_count == 0 && !one_number_of_bits(q->levels);
}

static admmnn_status check_bits_of(const whole *w, const char *key, unsigned bits) {
    const admm_levels levels = w->r->quantize.levels;
    const unsigned least = recipe_least_bits(levels);
    const unsigned most = most_bits(levels);
    if (bits >= least && bits <= most)
        return ADMMNN_OK;
    const char *what = least == most ? "have" : bits < least ? "need at least" : "take at most";
    return fail_key(w, key, "%u; levels %s %s %u", bits, admm_levels_text(levels), what,
                    bits < least ? least : most);
}

#define FIX_SHARES 4

/* Every share needs an epoch of its own; without epochs the nearest levels are all. */
static admmnn_status check_fix(whole *w) {
    static const double shares[FIX_SHARES] = {0.5, 0.75, 0.9, 1.0};
    recipe_quantize *q = &w->r->quantize;
    const uint32_t epochs = q->retrain.epochs;
    if (q->fix_count == 0) {
        q->fix_count = epochs > 0 && epochs < FIX_SHARES ? epochs : FIX_SHARES;
        memcpy(q->fix, shares + FIX_SHARES - q->fix_count, q->fix_count * sizeof *shares);
    }
    if (epochs > 0 && epochs < q->fix_count)
        return fail_key(w, "quantize.fix",
                        "%zu shares for the %u epochs of quantize.retrain; each needs one",
                        q->fix_count, epochs);
    return check_rising(w, "quantize.fix", "shares", q->fix, q->fix_count);
}

static bool rho_differs(const admm_schedule *a, const admm_schedule *b) {
    return a->kind != b->kind || a->first != b->first || a->last != b->last ||
           a->ratio != b->ratio || a->factor != b->factor;
}

/* What would change nothing beside the method, its variant and its levels. */
static admmnn_status check_unheard(const whole *w, const recipe *defaults) {
    const recipe_quantize *q = &w->r->quantize;
    const recipe_quantize *usual = &defaults->quantize;
    if (q->method != RECIPE_QUANTIZE_ADMM && q->variant != usual->variant)
        return fail_key(w, "quantize.variant", "is of method: admm");
    if (q->method != RECIPE_QUANTIZE_ADMM && q->admm.tolerance != usual->admm.tolerance)
        return fail_key(w, "quantize.admm.tolerance", "is of method: admm");
    if (q->method != RECIPE_QUANTIZE_ADMM && q->admm.updates != usual->admm.updates)
        return fail_key(w, "quantize.admm.updates", "is of method: admm");
    if (q->method != RECIPE_QUANTIZE_ADMM && rho_differs(&q->admm.rho, &usual->admm.rho))
        return fail_key(w, "quantize.admm.rho", "is of method: admm");
    if (q->variant != ADMM_VARIANT_S && q->beta != usual->beta)
        return fail_key(w, "quantize.beta", "is of variant: admm-s");
    if (q->variant != ADMM_VARIANT_R && q->probability != usual->probability)
        return fail_key(w, "quantize.probability", "is of variant: admm-r");
    if (!recipe_bits_searched(q) && q->max_loss != usual->max_loss)
        return fail_key(w, "quantize.max_loss", "is of the search for bits, which %s",
                        q->bits_count > 0 ? "quantize.bits replaces" : "these levels do without");
    return ADMMNN_OK;
}

static admmnn_status check_method(const whole *w) {
    recipe *defaults = base_array(1, sizeof *defaults);
    if (defaults == NULL)
        return base_fail_memory(w->err, "the recipe");
    recipe_default(defaults);
    const admmnn_status status = check_unheard(w, defaults);
    base_free(defaults);
    return status;
}

static admmnn_status check_quantize(whole *w) {
    recipe_quantize *q = &w->r->quantize;
    BASE_TRY(check_fix(w));
    BASE_TRY(check_method(w));
    if (q->bias_bits == 1)
        return fail_key(w, "quantize.bias_bits",
                        "1 holds zero alone; it must be 0 (float32) or from 2 to 12");
    if (one_number_of_bits(q->levels) && recipe_places_find(w->places, "quantize.max_bits") == NULL)
        q->max_bits = recipe_least_bits(q->levels);
    BASE_TRY(check_bits_of(w, "quantize.max_bits", q->max_bits));
    for (size_t i = 0; i < q->bits_count; i++) {
        char key[RECIPE_PATH_MAX];
        snprintf(key, sizeof key, "quantize.bits[%zu].bits", i);
        BASE_TRY(check_bits_of(w, key, q->bits[i].bits));
        snprintf(key, sizeof key, "quantize.bits[%zu].layer", i);
        q->bits[i].line = recipe_places_line(w->places, key);
        for (size_t j = 0; j < i; j++)
            if (strcmp(q->bits[i].layer, q->bits[j].layer) == 0)
                return fail_key(w, key, "'%s' has bits already, at line %u", q->bits[i].layer,
                                q->bits[j].line);
    }
    return ADMMNN_OK;
}

static admmnn_status fail_in_training(const whole *w, const char *training, const char *field,
                                      const char *reason) {
    char key[RECIPE_PATH_MAX];
    recipe_places_join(key, training, field);
    return fail_key(w, key, "%s", reason);
}

/* What says how the teacher answers says nothing without one. */
static admmnn_status check_teacher(const whole *w, const char *key, const recipe_training *t) {
    if (t->distill > 0 && t == &w->r->training)
        return fail_in_training(w, key, "distill",
                                "the teacher is the dense network, which is trained here");
    if (t->distill > 0)
        return ADMMNN_OK;
    if (t->temperature != 1)
        return fail_in_training(w, key, "temperature",
                                "is of the teacher's answers, and distill is 0");
    if (t->versions > 0)
        return fail_in_training(w, key, "versions", "are the teacher's, and distill is 0");
    return ADMMNN_OK;
}

/* Its targets are the labels and nothing in between. */
static admmnn_status check_loss(const whole *w, const char *key, const recipe_training *t) {
    if (t->loss != ENGINE_SQUARED_HINGE)
        return ADMMNN_OK;
    if (t->label_smoothing > 0)
        return fail_in_training(w, key, "label_smoothing",
                                "is for loss: cross-entropy; the squared hinge knows labels alone");
    if (t->distill > 0)
        return fail_in_training(w, key, "distill",
                                "is for loss: cross-entropy; the squared hinge knows labels alone");
    return ADMMNN_OK;
}

static admmnn_status check_trainings(whole *w) {
    recipe *r = w->r;
    recipe_quantize *q = &r->quantize;
    const struct {
        const char *key;
        recipe_training *training;
        bool within_admm;
    } trainings[] = {{"training", &r->training, false},
                     {"prune.admm.training", &r->prune.admm.training, true},
                     {"prune.retrain", &r->prune.retrain, false},
                     {"prune.finish", &r->prune.finish, false},
                     {"quantize.admm.training", &q->admm.training, true},
                     {"quantize.retrain", &q->retrain, false}};
    for (size_t i = 0; i < sizeof trainings / sizeof trainings[0]; i++) {
        /* ADMM's iterates are no cloud around one point. */
        if (trainings[i].within_admm && trainings[i].training->average > 0)
            return fail_in_training(w, trainings[i].key, "average",
                                    "there is no averaging within ADMM");
        BASE_TRY(check_loss(w, trainings[i].key, trainings[i].training));
        BASE_TRY(check_teacher(w, trainings[i].key, trainings[i].training));
        char key[RECIPE_PATH_MAX];
        recipe_places_join(key, trainings[i].key, "average");
        trainings[i].training->average_line = recipe_places_line(w->places, key);
    }
    if (q->teacher == RECIPE_TEACHER_PRUNED && q->retrain.distill == 0 &&
        q->admm.training.distill == 0)
        return fail_key(w, "quantize.teacher",
                        "pruned, but neither quantize.admm.training nor quantize.retrain has a "
                        "distill above 0");
    return ADMMNN_OK;
}

static admmnn_status check_whole(whole *w) {
    recipe *r = w->r;
    BASE_TRY(check_model(w));
    BASE_TRY(check_dataset(w));
    BASE_TRY(check_n_of_m(w));
    BASE_TRY(check_rounds(w));
    BASE_TRY(check_scope(w));
    BASE_TRY(check_admm_keys(w));
    BASE_TRY(check_keep(w));
    BASE_TRY(check_quantize(w));
    BASE_TRY(check_trainings(w));
    r->backend_line = recipe_places_line(w->places, "backend");
    r->prune.admm.rho.iterations = steps_of_rho(&r->prune);
    r->quantize.admm.rho.iterations = r->quantize.admm.iterations;
    return ADMMNN_OK;
}

static admmnn_status parse_into(const char *file, const uint8_t *text, size_t count, recipe *r,
                                admmnn_error *err) {
    recipe_default(r);
    snprintf(r->path, sizeof r->path, "%s", file);
    base_sha256(text, count, r->sha256);
    recipe_places places;
    admmnn_status status = recipe_places_read(file, text, count, &places, err);
    if (status == ADMMNN_OK)
        status = recipe_validate(file, &places, err);
    if (status == ADMMNN_OK)
        status = load(file, text, count, &places, r, err);
    if (status == ADMMNN_OK)
        status = check_whole(&(whole){file, &places, r, err});
    recipe_places_free(&places);
    return status;
}

admmnn_status recipe_parse(const char *path, const uint8_t *text, size_t count, recipe **out,
                           admmnn_error *err) {
    recipe *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "a recipe");
    admmnn_status status = parse_into(path, text, count, r, err);
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

/* ---- what needs the network ---- */

uint32_t recipe_find_layer(const graph *g, const onnx_labels *labels, const char *name) {
    const uint32_t count = graph_layer_count(g);
    for (uint32_t l = 0; l < count; l++)
        if (strcmp(g->nodes[graph_layer(g, l)].name, name) == 0)
            return graph_layer(g, l);
    for (uint32_t l = 0; l < count && labels != NULL; l++) {
        const char *label = labels->nodes[graph_layer(g, l)];
        if (label != NULL && strcmp(label, name) == 0)
            return graph_layer(g, l);
    }
    return GRAPH_NONE;
}

/* The network, and the recipe beside it. */
typedef struct fitting {
    const recipe *r;
    const graph *g;
    const onnx_labels *labels;
    admmnn_error *err;
} fitting;

static admmnn_status find_layer(const fitting *f, const char *key, uint32_t line, const char *layer,
                                uint32_t *node) {
    base_words names = {0};
    *node = recipe_find_layer(f->g, f->labels, layer);
    if (*node != GRAPH_NONE)
        return ADMMNN_OK;
    for (uint32_t l = 0; l < graph_layer_count(f->g); l++)
        base_words_add(&names, f->g->nodes[graph_layer(f->g, l)].name);
    return base_fail(f->err, ADMMNN_INPUT, "%s:%u: %s: %s has no layer '%s'; there are %s",
                     f->r->path, line, key, f->r->model, layer, names.text);
}

/* One layer may have two names, of the graph and of the ONNX file. */
static admmnn_status fail_again(const fitting *f, const char *key, uint32_t line, const char *layer,
                                uint32_t before) {
    return base_fail(f->err, ADMMNN_INPUT, "%s:%u: %s: '%s' is the layer of line %u, too",
                     f->r->path, line, key, layer, before);
}

static admmnn_status check_share(const fitting *f, size_t entry) {
    const recipe_layer_keep *keep = &f->r->prune.keep[entry];
    uint32_t node;
    BASE_TRY(find_layer(f, "prune.keep", keep->line, keep->layer, &node));
    for (const recipe_layer_keep *k = f->r->prune.keep; k < keep; k++)
        if (recipe_find_layer(f->g, f->labels, k->layer) == node)
            return fail_again(f, "prune.keep", keep->line, keep->layer, k->line);
    const graph_parameter *weight = &f->g->parameters[f->g->nodes[node].weight];
    if (keep->keep * (double)weight->count >= 1)
        return ADMMNN_OK;
    return base_fail(f->err, ADMMNN_INPUT,
                     "%s:%u: prune.keep: %g of %s's %zu weights is less than one", f->r->path,
                     keep->line, keep->keep, keep->layer, weight->count);
}

static admmnn_status check_layer_bits(const fitting *f, size_t entry) {
    const recipe_layer_bits *bits = &f->r->quantize.bits[entry];
    uint32_t node;
    BASE_TRY(find_layer(f, "quantize.bits", bits->line, bits->layer, &node));
    for (const recipe_layer_bits *b = f->r->quantize.bits; b < bits; b++)
        if (recipe_find_layer(f->g, f->labels, b->layer) == node)
            return fail_again(f, "quantize.bits", bits->line, bits->layer, b->line);
    return ADMMNN_OK;
}

static bool has_normalization(const graph *g) {
    for (uint32_t n = 0; n < g->node_count; n++)
        if (g->nodes[n].op == GRAPH_BATCH_NORMALIZATION)
            return true;
    return false;
}

/* The statistics of averaged weights are not the average of the statistics. */
static admmnn_status check_averages(const recipe *r, const graph *g, admmnn_error *err) {
    const struct {
        const char *key;
        const recipe_training *training;
    } trainings[] = {{"training", &r->training},
                     {"prune.retrain", &r->prune.retrain},
                     {"prune.finish", &r->prune.finish},
                     {"quantize.retrain", &r->quantize.retrain}};
    for (size_t i = 0; i < sizeof trainings / sizeof trainings[0] && has_normalization(g); i++)
        if (trainings[i].training->average > 0)
            return base_fail(err, ADMMNN_INPUT,
                             "%s:%u: %s.average: %s has batch normalization, whose running "
                             "statistics are not those of averaged weights",
                             r->path, trainings[i].training->average_line, trainings[i].key,
                             r->model);
    return ADMMNN_OK;
}

admmnn_status recipe_check(const recipe *r, const graph *g, const onnx_labels *labels,
                           admmnn_error *err) {
    const recipe_prune *p = &r->prune;
    const fitting f = {r, g, labels, err};
    uint32_t layers = graph_layer_count(g);
    if (layers == 0 || layers > RECIPE_LAYERS_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: %u layers with weights; recipes hold 1 to %d", r->model, layers,
                         RECIPE_LAYERS_MAX);
    BASE_TRY(topology_check(g, err)); /* or the file could not be written, hours later */
    BASE_TRY(check_averages(r, g, err));
    for (size_t i = 0; i < p->keep_count; i++)
        BASE_TRY(check_share(&f, i));
    for (size_t i = 0; i < r->quantize.bits_count; i++)
        BASE_TRY(check_layer_bits(&f, i));
    if (p->bit_cost_count > 0 && p->bit_cost_count != layers)
        return base_fail(err, ADMMNN_INPUT,
                         "%s:%u: prune.bit_cost: %zu costs; there must be one for each of %s's %u "
                         "layers",
                         r->path, p->bit_cost_line, p->bit_cost_count, r->model, layers);
    double most = (double)graph_weight_count(g) / layers;
    for (size_t i = 0; i < p->round_count; i++)
        if (p->rounds[i] > most)
            return base_fail(err, ADMMNN_INPUT,
                             "%s:%u: prune.rounds: %g keeps less than a weight a layer of %s; the "
                             "ratios must be at most %g",
                             r->path, p->rounds_line, p->rounds[i], r->model, most);
    return ADMMNN_OK;
}
