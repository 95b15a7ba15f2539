/* Recipes side by side over seeds: each run is one of admmnn_compress_run, in a folder of
 * its own, and is taken as it is where it has finished. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admmnn/admmq.h"
#include "admmnn/compress.h"
#include "base/context.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "compress/run.h"
#include "report/figures.h"
#include "report/report.h"

#define JSON_NAME "recipes.json"
#define PICTURE_NAME "recipes.svg"
#define RUNS_NAME "recipe-runs"
#define RECIPES_MAX 32
#define NAME_MAX_BYTES 64
#define JSON_MOST ((size_t)16 << 20)

/* What is kept of a run; fractions. */
typedef struct score {
    double dense, validation, packed;
    double file; /* bytes */
} score;

typedef struct recipes {
    const admmnn_recipes_settings *settings;
    const admmnn_context *outer;
    admmnn_context context; /* the runs' */
    char names[RECIPES_MAX][NAME_MAX_BYTES];
    size_t count, at; /* recipes; the run that goes on */
    score *scores;    /* [count][seeds] */
} recipes;

/* ---- the recipes ---- */

static int by_name(const void *left, const void *right) {
    return strcmp(left, right);
}

static bool is_recipe(const char *file) {
    const size_t length = strlen(file);
    return length > 5 && strcmp(file + length - 5, ".yaml") == 0;
}

/* The name without its ".yaml". */
static admmnn_status take_name(recipes *r, const char *file, admmnn_error *err) {
    const size_t length = strlen(file) - 5;
    if (r->count == RECIPES_MAX)
        return base_fail(err, ADMMNN_INPUT, "%s: more than %d recipes", r->settings->recipes,
                         RECIPES_MAX);
    if (length >= NAME_MAX_BYTES)
        return base_fail(err, ADMMNN_INPUT, "%s: %s: a name of at most %d bytes is needed",
                         r->settings->recipes, file, NAME_MAX_BYTES - 1 + 5);
    memcpy(r->names[r->count++], file, length);
    return ADMMNN_OK;
}

static admmnn_status list_recipes(recipes *r, admmnn_error *err) {
    const char *folder = r->settings->recipes;
    admmnn_status status = ADMMNN_OK;
    DIR *open = opendir(folder);
    if (open == NULL)
        return base_fail(err, ADMMNN_NOT_FOUND, "%s: no folder of recipes", folder);
    for (struct dirent *entry; status == ADMMNN_OK && (entry = readdir(open)) != NULL;)
        if (is_recipe(entry->d_name))
            status = take_name(r, entry->d_name, err);
    closedir(open);
    if (status == ADMMNN_OK && r->count == 0)
        return base_fail(err, ADMMNN_INPUT, "%s: holds no recipe (.yaml)", folder);
    qsort(r->names, r->count, sizeof r->names[0], by_name);
    return status;
}

/* A mistake in the last recipe is told before the first is run for hours. */
static admmnn_status check_recipes(const recipes *r, admmnn_error *err) {
    for (size_t k = 0; k < r->count; k++) {
        char path[BASE_PATH_MAX];
        char name[NAME_MAX_BYTES + 8];
        recipe *read = NULL;
        snprintf(name, sizeof name, "%s.yaml", r->names[k]);
        BASE_TRY(base_path_join(path, sizeof path, r->settings->recipes, name, err));
        BASE_TRY(run_read_recipe(path, &read, err));
        base_free(read);
    }
    return ADMMNN_OK;
}

/* Figures of other recipes or seeds are written anew, as their runs stay; not somebody's file. */
static admmnn_status check_held(const char *path, admmnn_error *err) {
    uint8_t *text;
    size_t count;
    if (!base_name_taken(path))
        return ADMMNN_OK;
    BASE_TRY(base_file_read(path, JSON_MOST, &text, &count, err));
    cJSON *root = cJSON_ParseWithLength((const char *)text, count);
    const bool own = strcmp(report_text(root, "experiment"), "recipes") == 0;
    cJSON_Delete(root);
    base_free(text);
    return own ? ADMMNN_OK
               : base_fail(err, ADMMNN_USAGE,
                           "%s: exists already, and admmnn did not write it; choose another --out",
                           path);
}

static admmnn_status check_folder(const recipes *r, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_folder_check_write(r->settings->out, err));
    BASE_TRY(base_path_join(path, sizeof path, r->settings->out, JSON_NAME, err));
    BASE_TRY(base_file_check_write(path, err));
    BASE_TRY(check_held(path, err));
    BASE_TRY(base_path_join(path, sizeof path, r->settings->out, PICTURE_NAME, err));
    return base_file_check_write(path, err);
}

static admmnn_status check_seeds(const admmnn_recipes_settings *s, admmnn_error *err) {
    if (s->seeds == 0 || s->seeds > 1000)
        return base_fail(err, ADMMNN_USAGE, "%u seeds; 1 to 1000 make sense", s->seeds);
    return s->first_seed <= ADMMNN_SEED_MAX - (s->seeds - 1)
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_USAGE, "the last of the seeds is above %llu",
                           (unsigned long long)ADMMNN_SEED_MAX);
}

/* ---- the runs ---- */

static uint64_t seed_of(const recipes *r) {
    return r->settings->first_seed + r->at % r->settings->seeds;
}

static const char *name_of(const recipes *r) {
    return r->names[r->at / r->settings->seeds];
}

static void pass_progress(void *user, const admmnn_progress *progress) {
    const recipes *r = user;
    const size_t runs = r->count * r->settings->seeds;
    char task[256];
    snprintf(task, sizeof task, "%zu/%zu %s, seed %llu: %.100s", r->at + 1, runs, name_of(r),
             (unsigned long long)seed_of(r), progress->task);
    admmnn_progress whole = *progress;
    whole.task = task;
    if (progress->run_done >= 0)
        whole.run_done = ((double)r->at + progress->run_done) / (double)runs;
    base_progress(r->outer, &whole);
}

static void pass_log(void *user, admmnn_log_level level, const char *message) {
    const admmnn_log_level here = level == ADMMNN_LOG_INFO ? ADMMNN_LOG_DEBUG : level;
    base_log(((const recipes *)user)->outer, here, "%s", message);
}

static bool pass_cancelled(void *user) {
    return base_cancelled(((const recipes *)user)->outer);
}

static admmnn_status read_score(const char *folder, score *s, admmnn_error *err) {
    char *text;
    BASE_TRY(admmnn_result_json(folder, &text, err));
    cJSON *root = cJSON_Parse(text);
    const cJSON *accuracy = report_part(root, "accuracy");
    const cJSON *validation = report_part(root, "validation_accuracy");
    *s = (score){.dense = report_number(accuracy, "dense"),
                 .validation = report_number(validation, "compressed"),
                 .packed = report_number(accuracy, "packed"),
                 .file = report_number(report_part(root, "bytes"), "file")};
    cJSON_Delete(root);
    admmnn_text_free(text);
    return ADMMNN_OK;
}

static admmnn_status run_one(recipes *r, admmnn_error *err) {
    char recipe[BASE_PATH_MAX];
    char folder[BASE_PATH_MAX];
    char inner[NAME_MAX_BYTES + 64];
    snprintf(inner, sizeof inner, "%s.yaml", name_of(r));
    BASE_TRY(base_path_join(recipe, sizeof recipe, r->settings->recipes, inner, err));
    snprintf(inner, sizeof inner, RUNS_NAME "/%s-seed-%llu", name_of(r),
             (unsigned long long)seed_of(r));
    BASE_TRY(base_path_join(folder, sizeof folder, r->settings->out, inner, err));
    const admmnn_compress_settings settings = {
        .recipe = recipe, .out = folder, .resume = true, .has_seed = true, .seed = seed_of(r)};
    admmnn_status status = admmnn_compress_run(&settings, &r->context, err);
    if (status == ADMMNN_CANCELLED)
        return base_fail(err, status, "stopped on request; the same command goes on with %s",
                         r->settings->out);
    return status == ADMMNN_OK ? read_score(folder, &r->scores[r->at], err) : status;
}

static admmnn_status run_all(recipes *r, admmnn_error *err) {
    const size_t runs = r->count * r->settings->seeds;
    r->scores = base_array(runs, sizeof *r->scores);
    if (r->scores == NULL)
        return base_fail_memory(err, "the runs");
    for (r->at = 0; r->at < runs; r->at++)
        BASE_TRY(run_one(r, err));
    return ADMMNN_OK;
}

/* ---- what is left ---- */

static double figure_of(const score *s, size_t offset) {
    return *(const double *)(const void *)((const char *)s + offset);
}

/* The mean and the standard deviation (of a sample; null of one run) of a recipe's figure. */
static void write_summary(base_writer *out, const recipes *r, size_t recipe, const char *name,
                          size_t offset) {
    const size_t seeds = r->settings->seeds;
    const score *scores = r->scores + recipe * seeds;
    double mean = 0;
    double squares = 0;
    for (size_t s = 0; s < seeds; s++)
        mean += figure_of(&scores[s], offset) / (double)seeds;
    for (size_t s = 0; s < seeds; s++)
        squares += pow(figure_of(&scores[s], offset) - mean, 2);
    base_write_text(out, ", \"%s\": {\"mean\": ", name);
    base_write_json_number(out, mean);
    base_write_text(out, ", \"deviation\": ");
    base_write_json_number(out, sqrt(squares / (double)(seeds - 1)));
    base_write_text(out, "}");
}

static void write_recipe(base_writer *out, const recipes *r, size_t recipe) {
    const size_t seeds = r->settings->seeds;
    base_write_text(out, "{\"recipe\": ");
    base_write_json_string(out, r->names[recipe]);
    write_summary(out, r, recipe, "dense", offsetof(score, dense));
    write_summary(out, r, recipe, "validation", offsetof(score, validation));
    write_summary(out, r, recipe, "packed", offsetof(score, packed));
    write_summary(out, r, recipe, "file", offsetof(score, file));
    base_write_text(out, ", \"packed_by_seed\": [");
    for (size_t s = 0; s < seeds; s++) {
        base_write_text(out, s == 0 ? "" : ", ");
        base_write_json_number(out, r->scores[recipe * seeds + s].packed);
    }
    base_write_text(out, "]}");
}

static admmnn_status leave(const recipes *r, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    base_writer json = {0};
    base_write_text(&json, "{\"experiment\": \"recipes\", \"seeds\": %u, \"first_seed\": %llu,\n",
                    r->settings->seeds, (unsigned long long)r->settings->first_seed);
    base_write_text(&json, "  \"recipes\": [");
    for (size_t k = 0; k < r->count; k++) {
        base_write_text(&json, k == 0 ? "\n    " : ",\n    ");
        write_recipe(&json, r, k);
    }
    base_write_text(&json, "]\n}\n");
    admmnn_status status = json.failed ? base_fail_memory(err, "the figures") : ADMMNN_OK;
    if (status == ADMMNN_OK)
        status = base_path_join(path, sizeof path, r->settings->out, PICTURE_NAME, err);
    if (status == ADMMNN_OK)
        status = report_write_recipes(path, (const char *)json.bytes, json.count, err);
    if (status == ADMMNN_OK)
        status = base_path_join(path, sizeof path, r->settings->out, JSON_NAME, err);
    if (status == ADMMNN_OK)
        status = base_file_write(path, json.bytes, json.count, err);
    base_writer_free(&json);
    return status;
}

admmnn_status admmnn_recipes_run(const admmnn_recipes_settings *settings,
                                 const admmnn_context *context, admmnn_error *err) {
    recipes r = {.settings = settings, .outer = context};
    r.context = (admmnn_context){.threads = context == NULL ? 0 : context->threads,
                                 .log = pass_log,
                                 .progress = pass_progress,
                                 .cancelled = pass_cancelled,
                                 .user = &r};
    BASE_TRY(check_seeds(settings, err));
    BASE_TRY(list_recipes(&r, err));
    BASE_TRY(check_recipes(&r, err));
    BASE_TRY(base_folder_make(settings->out, err));
    BASE_TRY(check_folder(&r, err));
    admmnn_status status = run_all(&r, err);
    if (status == ADMMNN_OK)
        status = leave(&r, err);
    base_free(r.scores);
    return status;
}

admmnn_status admmnn_recipes_json(const char *out, char **text, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    size_t count;
    BASE_TRY(base_path_join(path, sizeof path, out, JSON_NAME, err));
    return base_file_read(path, JSON_MOST, (uint8_t **)text, &count, err);
}

static void write_percent(base_writer *out, const cJSON *recipe, const char *key) {
    const cJSON *summary = report_part(recipe, key);
    const double deviation = report_number(summary, "deviation");
    base_write_text(out, "  %6.2f", 100 * report_number(summary, "mean"));
    if (isfinite(deviation))
        base_write_text(out, " +- %5.2f %%", 100 * deviation);
    else
        base_write_text(out, " %%%9s", "");
}

static void write_table(base_writer *out, const cJSON *root) {
    const cJSON *recipe;
    const double seeds = report_number(root, "seeds");
    int width = (int)strlen("recipe");
    cJSON_ArrayForEach(recipe, report_part(root, "recipes")) width =
        base_text_widen(width, report_text(recipe, "recipe"));
    base_write_text(out, "%-*s  %17s  %17s  %17s  %8s   over %.0f seed%s\n", width, "recipe",
                    "dense, test", "quantized, val.", "packed, test", "file, B", seeds,
                    seeds == 1 ? "" : "s");
    cJSON_ArrayForEach(recipe, report_part(root, "recipes")) {
        base_write_text(out, "%-*s", width, report_text(recipe, "recipe"));
        write_percent(out, recipe, "dense");
        write_percent(out, recipe, "validation");
        write_percent(out, recipe, "packed");
        base_write_text(out, "  %8.0f\n", report_number(report_part(recipe, "file"), "mean"));
    }
}

admmnn_status admmnn_recipes_table(const char *folder, char **text, admmnn_error *err) {
    char *json;
    base_writer out = {0};
    BASE_TRY(admmnn_recipes_json(folder, &json, err));
    cJSON *root = cJSON_Parse(json);
    admmnn_text_free(json);
    if (!cJSON_IsArray(report_part(root, "recipes"))) {
        cJSON_Delete(root);
        return base_fail(err, ADMMNN_CORRUPT, "%s: its " JSON_NAME " is not one of admmnn", folder);
    }
    write_table(&out, root);
    base_write_u8(&out, 0);
    cJSON_Delete(root);
    *text = (char *)out.bytes;
    return out.failed ? base_fail_memory(err, "the table") : ADMMNN_OK;
}
