#include "compress/compare_held.h"

#include <stdio.h>
#include <string.h>

#include "admmnn/compress.h"
#include "compress/json_read.h"

#define LABEL_MAX 64

/* ---- reading ---- */

static bool is_dense(compare_method method) {
    return method == COMPARE_START || method == COMPARE_DENSE;
}

static bool has_ratio(const double *ratios, size_t count, double ratio) {
    for (size_t i = 0; i < count; i++)
        if (!compare_ratios_differ(ratios[i], ratio))
            return true;
    return false;
}

static bool read_mean(const cJSON *point, const char *key, bool share) {
    const cJSON *figure = cJSON_GetObjectItemCaseSensitive(point, key);
    double mean;
    double deviation;
    return json_read_number(figure, "mean", &mean) &&
           json_read_number(figure, "deviation", &deviation) &&
           (!share || (mean <= 1 && deviation <= 1));
}

static bool read_runs(const cJSON *runs, uint64_t seeds, compare_held *held) {
    const cJSON *run;
    if (!cJSON_IsArray(runs) || (uint64_t)cJSON_GetArraySize(runs) != seeds)
        return false;
    cJSON_ArrayForEach(run, runs) {
        uint64_t seed;
        uint64_t kept;
        double accuracy;
        if (!json_read_count(run, "seed", ADMMNN_SEED_MAX, &seed) ||
            !json_read_count(run, "kept", UINT64_MAX, &kept) ||
            !json_read_share(run, "validation_accuracy", &accuracy) ||
            !json_read_share(run, "test_accuracy", &accuracy))
            return false;
        held->first_seed = seed < held->first_seed ? seed : held->first_seed;
        held->last_seed = seed > held->last_seed ? seed : held->last_seed;
    }
    return true;
}

static bool read_point(const cJSON *point, compare_method method, uint64_t seeds,
                       compare_held *held) {
    double ratio;
    if (!json_read_number(point, "ratio", &ratio) || !read_mean(point, "kept", false) ||
        !read_mean(point, "validation_accuracy", true) ||
        !read_mean(point, "test_accuracy", true) ||
        !read_runs(cJSON_GetObjectItemCaseSensitive(point, "runs"), seeds, held))
        return false;
    if (is_dense(method) || has_ratio(held->ratios, held->ratio_count, ratio))
        return true;
    if (held->ratio_count == COMPARE_RATIOS_MAX)
        return false;
    held->ratios[held->ratio_count++] = ratio;
    return true;
}

static bool read_method(const cJSON *object, uint64_t seeds, compare_held *held) {
    char text[LABEL_MAX];
    char label[LABEL_MAX];
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(object, "points");
    const cJSON *point;
    if (!json_read_name(object, "method", text, sizeof text) ||
        !json_read_name(object, "label", label, sizeof label) || !cJSON_IsArray(points))
        return false;
    int m = 0;
    while (m < COMPARE_METHODS && strcmp(compare_method_text((compare_method)m), text) != 0)
        m++;
    if (m == COMPARE_METHODS)
        return false;
    held->methods[m] = true;
    cJSON_ArrayForEach(point, points) {
        if (!read_point(point, (compare_method)m, seeds, held))
            return false;
    }
    return true;
}

static bool read_all(const cJSON *root, compare_held *held) {
    char model[sizeof((recipe *)0)->model];
    uint64_t weights;
    uint64_t seeds;
    const cJSON *methods = cJSON_GetObjectItemCaseSensitive(root, "methods");
    const cJSON *method;
    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(root, "recipe")) ||
        !json_read_name(root, "model", model, sizeof model) ||
        !json_read_count(root, "weights", UINT64_MAX, &weights) ||
        !json_read_count(root, "seeds", COMPARE_SEEDS_MAX, &seeds) || !cJSON_IsArray(methods))
        return false;
    cJSON_ArrayForEach(method, methods) {
        if (!read_method(method, seeds, held))
            return false;
    }
    return held->first_seed <= held->last_seed; /* there is a run */
}

admmnn_status compare_held_parse(const char *path, const char *text, size_t count,
                                 compare_held *held, admmnn_error *err) {
    *held = (compare_held){.first_seed = UINT64_MAX};
    cJSON *root = json_read(text, count);
    bool right = read_all(root, held);
    cJSON_Delete(root);
    return right ? ADMMNN_OK
                 : base_fail(err, ADMMNN_CORRUPT,
                             "%s: not a comparison of admmnn, or not whole; remove it, and compare "
                             "--resume makes it again from " COMPARE_FOLDER "/",
                             path);
}

/* ---- what a new one must have ---- */

static admmnn_status fail_narrower(const char *out, const char *option, const char *missing,
                                   admmnn_error *err) {
    return base_fail(err, ADMMNN_USAGE,
                     "%s: --resume adds to the comparison there and drops nothing of it; give %s "
                     "in %s too, or choose another --out",
                     out, missing, option);
}

static void add_word(char *list, size_t size, const char *word) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used == 0 ? "" : ",", word);
}

admmnn_status compare_held_check(const compare_held *held, const compare_plan *plan,
                                 uint64_t first_seed, uint32_t seeds, const char *out,
                                 admmnn_error *err) {
    char missing[256] = "";
    for (int m = 0; m < COMPARE_METHODS; m++)
        if (held->methods[m] && !plan->methods[m])
            add_word(missing, sizeof missing, compare_method_text((compare_method)m));
    if (missing[0] != 0)
        return fail_narrower(out, "--methods", missing, err);
    for (size_t i = 0; i < held->ratio_count; i++)
        if (!has_ratio(plan->ratios, plan->ratio_count, held->ratios[i])) {
            char word[32];
            snprintf(word, sizeof word, COMPARE_RATIO_FORMAT, held->ratios[i]);
            add_word(missing, sizeof missing, word);
        }
    if (missing[0] != 0)
        return fail_narrower(out, "--ratios", missing, err);
    const uint64_t last = first_seed + seeds - 1;
    if (held->first_seed >= first_seed && held->last_seed <= last)
        return ADMMNN_OK;
    const uint64_t least = held->first_seed < first_seed ? held->first_seed : first_seed;
    const uint64_t most = held->last_seed > last ? held->last_seed : last;
    const uint64_t all = most - least + 1;
    return base_fail(err, ADMMNN_USAGE,
                     "%s: --resume adds to the comparison there, of seeds %llu to %llu, and drops "
                     "nothing of it; give --first-seed %llu --seeds %llu, or choose another --out",
                     out, (unsigned long long)held->first_seed, (unsigned long long)held->last_seed,
                     (unsigned long long)least, (unsigned long long)all);
}
