#include "compress/compare_point.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/pool.h"
#include "compress/finish.h"
#include "compress/json_read.h"
#include "compress/rank.h"

#define POINT_LIMIT ((size_t)1 << 20)

static admmnn_status path_in(const compare_place *place, const compare_point *point,
                             const char *name, char path[BASE_PATH_MAX], admmnn_error *err) {
    char inner[128];
    if (point->method == COMPARE_START)
        snprintf(inner, sizeof inner, "%s-seed-%llu%s%s", compare_method_text(point->method),
                 (unsigned long long)point->seed, name[0] == 0 ? "" : "/", name);
    else
        snprintf(inner, sizeof inner, "%s-" COMPARE_RATIO_FORMAT "x-seed-%llu%s%s",
                 compare_method_text(point->method), point->ratio, (unsigned long long)point->seed,
                 name[0] == 0 ? "" : "/", name);
    return base_path_join(path, BASE_PATH_MAX, place->folder, inner, err);
}

/* What a point leaves; by the first two it is known as one. */
static const char *const point_names[] = {"run.ckpt", "point.json", "log.jsonl"};
#define POINT_NAMES (sizeof point_names / sizeof *point_names)
#define POINT_SIGNS 2

static bool has_begun(const char *folder, const char *point) {
    char inner[BASE_PATH_MAX];
    char path[BASE_PATH_MAX];
    if (base_path_join(inner, sizeof inner, folder, point, NULL) != ADMMNN_OK)
        return false;
    for (size_t i = 0; i < POINT_SIGNS; i++)
        if (base_path_join(path, sizeof path, inner, point_names[i], NULL) == ADMMNN_OK &&
            base_file_exists(path))
            return true;
    return false;
}

bool compare_point_any(const char *folder) {
    bool found = false;
    DIR *runs = opendir(folder);
    for (struct dirent *entry; !found && runs != NULL && (entry = readdir(runs)) != NULL;)
        found = has_begun(folder, entry->d_name);
    if (runs != NULL)
        closedir(runs);
    return found;
}

/* ---- point.json ---- */

static void write_point(const compress_run *run, const compare_point *point,
                        const compare_score *score, base_writer *out) {
    base_write_text(out, "{\n  \"method\": \"%s\", \"ratio\": %.10g, \"seed\": %llu,\n",
                    compare_method_text(point->method), point->ratio,
                    (unsigned long long)point->seed);
    base_write_text(out, "  \"recipe_sha256\": \"%s\",\n  \"data_sha256\": \"%s\",\n",
                    run->r->sha256, run->data_sha256);
    base_write_text(out, "  \"model_sha256\": \"%s\",\n", run->model_sha256);
    base_write_text(out, "  \"threads\": %u,\n", base_pool_threads(run->pool));
    base_write_text(out, "  \"validation_accuracy\": %.17g, \"test_accuracy\": %.17g,\n",
                    score->validation, score->test);
    base_write_text(out, "  \"weights\": %llu, \"kept\": %llu,\n  \"layers\": [\n",
                    (unsigned long long)score->weights, (unsigned long long)score->kept);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_node *node = &run->g->nodes[run->layers[l].node];
        base_write_text(out, "    {\"name\": ");
        base_write_json_string(out, node->name);
        base_write_text(out, ", \"weights\": %zu, \"share\": %.17g, \"kept\": %zu}%s\n",
                        run->g->parameters[node->weight].count, score->targets.share[l],
                        rank_kept(run->g, run->layers[l].node, run->mask),
                        l + 1 < run->layer_count ? "," : "");
    }
    base_write_text(out, "  ]\n}\n");
}

static bool read_targets(const cJSON *layers, compare_targets *targets) {
    const cJSON *layer;
    cJSON_ArrayForEach(layer, layers) {
        const uint32_t l = targets->count;
        if (l == RECIPE_LAYERS_MAX ||
            !json_read_name(layer, "name", targets->layer[l], GRAPH_NAME_MAX) ||
            !json_read_share(layer, "share", &targets->share[l]))
            return false;
        targets->count++;
    }
    return targets->count > 0;
}

static bool read_score(const cJSON *root, compare_score *score) {
    return json_read_share(root, "validation_accuracy", &score->validation) &&
           json_read_share(root, "test_accuracy", &score->test) &&
           json_read_count(root, "weights", UINT64_MAX, &score->weights) &&
           json_read_count(root, "kept", score->weights, &score->kept) &&
           read_targets(cJSON_GetObjectItemCaseSensitive(root, "layers"), &score->targets);
}

static bool has_digest(const cJSON *root, const char *key, const char *digest) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, key);
    return cJSON_IsString(item) && strcmp(item->valuestring, digest) == 0;
}

/* Points of before, all of the zoo, do not say. */
static bool has_model(const cJSON *root, const char *digest) {
    return cJSON_HasObjectItem(root, "model_sha256") ? has_digest(root, "model_sha256", digest)
                                                     : digest[0] == 0;
}

static admmnn_status fail_damaged(const char *path, admmnn_error *err) {
    return base_fail(err, ADMMNN_CORRUPT, "%s: damaged; remove it to run the point again", path);
}

static admmnn_status check_identity(const compare_place *place, const cJSON *root, const char *path,
                                    admmnn_error *err) {
    if (!has_digest(root, "recipe_sha256", place->plan->base->sha256))
        return base_fail(
            err, ADMMNN_INPUT,
            "%s: made from another version of the recipe; restore the recipe or choose "
            "another --out",
            path);
    if (!has_digest(root, "data_sha256", place->data_sha256))
        return base_fail(
            err, ADMMNN_INPUT,
            "%s: made with other training images than those of %s; restore them or choose "
            "another --out",
            path, place->plan->base->dataset_path);
    if (!has_model(root, place->model_sha256))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: made from another network than that of %s; restore it or choose "
                         "another --out",
                         path, place->plan->base->model_path);
    uint64_t made = 0;
    if (!json_read_count(root, "threads", UINT32_MAX, &made))
        return fail_damaged(path, err);
    if (made == base_pool_resolve(place->context->threads))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "%s: made with %llu threads, whose sums differ in the last bits; resume with "
                     "--threads %llu",
                     path, (unsigned long long)made, (unsigned long long)made);
}

admmnn_status compare_point_read(const compare_place *place, const compare_point *point,
                                 compare_score *score, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    uint8_t *text;
    size_t count;
    memset(score, 0, sizeof *score);
    BASE_TRY(path_in(place, point, "point.json", path, err));
    BASE_TRY(base_file_read(path, POINT_LIMIT, &text, &count, err));
    cJSON *root = json_read((const char *)text, count);
    base_free(text);
    admmnn_status status =
        read_score(root, score) ? check_identity(place, root, path, err) : fail_damaged(path, err);
    cJSON_Delete(root);
    return status;
}

/* ---- running ---- */

static admmnn_status measure(compress_run *run, compare_score *score, admmnn_error *err) {
    train_score measured = {0};
    BASE_TRY(run_validate(run, run->network->params, &measured, err));
    score->validation = measured.accuracy;
    data_set test;
    BASE_TRY(run_open_test(run, &test, err));
    admmnn_status status = train_network_evaluate(run->network, run->network->params, &test, NULL,
                                                  test.count, run->tones, &measured, err);
    data_set_free(&test);
    score->test = measured.accuracy;
    score->weights = graph_weight_count(run->g);
    score->targets.count = run->layer_count;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_node *node = &run->g->nodes[run->layers[l].node];
        score->kept += rank_kept(run->g, run->layers[l].node, run->mask);
        snprintf(score->targets.layer[l], GRAPH_NAME_MAX, "%s", node->name);
        score->targets.share[l] =
            (double)run->layers[l].target / (double)run->g->parameters[node->weight].count;
    }
    return status;
}

static admmnn_status leave(const compare_place *place, const compare_point *point,
                           const compress_run *run, const compare_score *score, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(path_in(place, point, "log.jsonl", path, err));
    BASE_TRY(base_file_write(path, run->log.bytes, run->log.count, err));
    BASE_TRY(path_in(place, point, "point.json", path, err));
    base_writer json = {0};
    write_point(run, point, score, &json);
    admmnn_status status = json.failed ? base_fail_memory(err, "a point's figures")
                                       : base_file_write(path, json.bytes, json.count, err);
    base_writer_free(&json);
    return status;
}

/* From the point's own checkpoint, or from the dense start. */
static admmnn_status go_on(const compare_place *place, const compare_point *point,
                           compress_run *run, const char *checkpoint, admmnn_error *err) {
    if (base_file_exists(checkpoint))
        return run_resume(run, checkpoint, err);
    if (point->method == COMPARE_START)
        return ADMMNN_OK;
    const compare_point start = {COMPARE_START, point->ratio, point->seed};
    char dense[BASE_PATH_MAX];
    BASE_TRY(path_in(place, &start, "run.ckpt", dense, err));
    return run_start_from(run, dense, err);
}

static admmnn_status run_point(const compare_place *place, const compare_point *point,
                               const recipe *r, compare_score *score, admmnn_error *err) {
    char folder[BASE_PATH_MAX];
    char checkpoint[BASE_PATH_MAX];
    char log[BASE_PATH_MAX];
    BASE_TRY(path_in(place, point, "", folder, err));
    BASE_TRY(path_in(place, point, "run.ckpt", checkpoint, err));
    BASE_TRY(path_in(place, point, "log.jsonl", log, err));
    BASE_TRY(base_folder_make(folder, err));
    base_folder_sweep(folder, point_names, POINT_NAMES);
    compress_run *run;
    BASE_TRY(run_create(r, place->context, &run, err));
    bool start = point->method == COMPARE_START;
    if (start) /* they are of the seed before */
        run_answers_free(place->answers);
    run_answers_move(place->answers, &run->answers);
    admmnn_status status = go_on(place, point, run, checkpoint, err);
    const run_trail trail = {.checkpoint = checkpoint, .log = log};
    if (status == ADMMNN_OK)
        status = run_drive(run, start ? RUN_TO_DENSE : RUN_TO_END, &trail, err);
    if (status == ADMMNN_OK)
        status = measure(run, score, err);
    if (status == ADMMNN_OK)
        status = leave(place, point, run, score, err);
    run_answers_move(&run->answers, place->answers);
    run_free(run);
    return status;
}

void compare_point_tidy(const compare_place *place, const compare_point *point) {
    char checkpoint[BASE_PATH_MAX];
    if (point->method != COMPARE_START &&
        path_in(place, point, "run.ckpt", checkpoint, NULL) == ADMMNN_OK)
        (void)unlink(checkpoint);
}

admmnn_status compare_point_check(const compare_place *place, admmnn_error *err) {
    const compare_plan *plan = place->plan;
    recipe *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "a point's recipe");
    compress_run *run = NULL;
    admmnn_status status =
        compare_recipe(plan, COMPARE_ADMM, plan->ratios[plan->ratio_count - 1], 1, NULL, r, err);
    if (status == ADMMNN_OK)
        status = run_create(r, place->context, &run, err);
    run_free(run);
    base_free(r);
    return status;
}

admmnn_status compare_point_run(const compare_place *place, const compare_point *point,
                                const compare_targets *targets, compare_score *score,
                                admmnn_error *err) {
    memset(score, 0, sizeof *score);
    recipe *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "a point's recipe");
    admmnn_status status =
        compare_recipe(place->plan, point->method, point->ratio, point->seed, targets, r, err);
    if (status == ADMMNN_OK)
        status = run_point(place, point, r, score, err);
    base_free(r);
    return status;
}
