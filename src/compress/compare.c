/* The recipe's pruning beside its controls, over seeds and ratios. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "admmnn/compress.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "compress/compare_held.h"
#include "compress/compare_point.h"
#include "compress/run.h"
#include "report/report.h"

#define COMPARISON_LIMIT ((size_t)1 << 26)

typedef struct comparison {
    const admmnn_compare_settings *settings;
    const admmnn_context *outer;
    admmnn_context context; /* the runs', which reports the whole comparison's progress */
    recipe *base;
    compare_plan plan;
    compare_place place;
    run_answers answers;
    int lock;                   /* on the folder of the results; below 0: none */
    char folder[BASE_PATH_MAX]; /* of the runs */
    compare_point *points;
    compare_score *scores;
    size_t count, at;
    /* Work in dense epochs: of all points, of those before this one, and of this
     * one, which takes its run from one share to another. */
    double work, work_before, work_here, from, to;
} comparison;

/* ---- progress ---- */

static void point_name(const compare_point *point, char *text, size_t size) {
    if (point->method == COMPARE_START || point->method == COMPARE_DENSE)
        snprintf(text, size, "%s, seed %llu", compare_method_text(point->method),
                 (unsigned long long)point->seed);
    else
        snprintf(text, size, "%s %gx, seed %llu", compare_method_text(point->method), point->ratio,
                 (unsigned long long)point->seed);
}

static void pass_progress(void *user, const admmnn_progress *progress) {
    const comparison *c = user;
    char name[64];
    char task[192];
    admmnn_progress whole = *progress;
    if (c->points == NULL) { /* images are read before there are runs */
        whole.run_done = -1;
        base_progress(c->outer, &whole);
        return;
    }
    point_name(&c->points[c->at], name, sizeof name);
    snprintf(task, sizeof task, "%zu/%zu %s: %.100s", c->at + 1, c->count, name, progress->task);
    whole.task = task;
    double share = (progress->run_done - c->from) / (c->to - c->from);
    share = share > 0 ? share < 1 ? share : 1 : 0;
    whole.run_done = c->work > 0 ? (c->work_before + share * c->work_here) / c->work : -1;
    base_progress(c->outer, &whole);
}

/* What happens within a run is detail here: a comparison tells of whole runs. */
static void pass_log(void *user, admmnn_log_level level, const char *message) {
    const admmnn_log_level here = level == ADMMNN_LOG_INFO ? ADMMNN_LOG_DEBUG : level;
    base_log(((const comparison *)user)->outer, here, "%s", message);
}

static bool pass_cancelled(void *user) {
    return base_cancelled(((const comparison *)user)->outer);
}

/* ---- points ---- */

static admmnn_status make_points(comparison *c, admmnn_error *err) {
    const compare_plan *plan = &c->plan;
    const double largest = plan->ratios[plan->ratio_count - 1];
    size_t most = c->settings->seeds * (2 + COMPARE_METHODS * plan->ratio_count);
    c->points = base_array(most, sizeof *c->points);
    c->scores = base_array(most, sizeof *c->scores);
    if (c->points == NULL || c->scores == NULL)
        return base_fail_memory(err, "the comparison");
    for (uint32_t s = 0; s < c->settings->seeds; s++) {
        uint64_t seed = c->settings->first_seed + s;
        for (int m = 0; m < COMPARE_METHODS; m++) {
            bool dense = m == COMPARE_START || m == COMPARE_DENSE;
            for (size_t k = 0; plan->methods[m] && k < (dense ? 1 : plan->ratio_count); k++)
                c->points[c->count++] =
                    (compare_point){(compare_method)m, dense ? largest : plan->ratios[k], seed};
        }
    }
    return ADMMNN_OK;
}

/* The start goes from nothing to the share of dense training, the others go on
 * from there. */
static admmnn_status point_work(comparison *c, const compare_point *point, double *work,
                                admmnn_error *err) {
    recipe *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "a point's recipe");
    admmnn_status status =
        compare_recipe(&c->plan, point->method, point->ratio, point->seed, NULL, r, err);
    double after = status == ADMMNN_OK ? compare_work(r) : 0;
    double dense = r->training.epochs;
    double share = dense + after > 0 ? dense / (dense + after) : 0;
    bool start = point->method == COMPARE_START;
    *work = start ? dense : after;
    c->from = start ? 0 : share;
    c->to = start ? share : 1;
    base_free(r);
    return status;
}

static admmnn_status all_work(comparison *c, admmnn_error *err) {
    for (size_t i = 0; i < c->count; i++) {
        double work;
        BASE_TRY(point_work(c, &c->points[i], &work, err));
        c->work += work;
    }
    return ADMMNN_OK;
}

/* What ADMM chose at the same ratio and seed; it ran before. */
static const compare_targets *targets_of(const comparison *c, const compare_point *point) {
    for (size_t i = 0; i < c->at; i++)
        if (c->points[i].method == COMPARE_ADMM && c->points[i].ratio == point->ratio &&
            c->points[i].seed == point->seed)
            return &c->scores[i].targets;
    return NULL;
}

static admmnn_status run_point(comparison *c, admmnn_error *err) {
    const compare_point *point = &c->points[c->at];
    compare_score *score = &c->scores[c->at];
    BASE_TRY(point_work(c, point, &c->work_here, err));
    admmnn_error unread = {0};
    admmnn_status status = compare_point_read(&c->place, point, score, &unread);
    if (status == ADMMNN_NOT_FOUND)
        status = compare_point_run(&c->place, point, targets_of(c, point), score, err);
    else if (status != ADMMNN_OK)
        base_fail(err, status, "%s", unread.message);
    c->work_before += c->work_here;
    if (status != ADMMNN_OK)
        return status;
    compare_point_tidy(&c->place, point); /* also what was killed before it could be */
    char name[64];
    point_name(point, name, sizeof name);
    base_log(c->outer, ADMMNN_LOG_INFO, "%s: keeps %llu, validation %.2f %%, test %.2f %%", name,
             (unsigned long long)score->kept, 100 * score->validation, 100 * score->test);
    return ADMMNN_OK;
}

/* ---- comparison.json ---- */

typedef double (*score_figure)(const compare_score *score);

static double validation_of(const compare_score *score) {
    return score->validation;
}
static double test_of(const compare_score *score) {
    return score->test;
}
static double kept_of(const compare_score *score) {
    return (double)score->kept;
}

static bool same_kind(const compare_point *a, const compare_point *b) {
    return a->method == b->method && a->ratio == b->ratio;
}

/* Mean and sample standard deviation over the seeds of the point's kind. */
static void write_mean(const comparison *c, const compare_point *point, const char *key,
                       score_figure figure, base_writer *out) {
    double sum = 0;
    double squares = 0;
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++)
        if (same_kind(&c->points[i], point)) {
            sum += figure(&c->scores[i]);
            count++;
        }
    double mean = sum / (double)count;
    for (size_t i = 0; i < c->count; i++)
        if (same_kind(&c->points[i], point)) {
            double from = figure(&c->scores[i]) - mean;
            squares += from * from;
        }
    double deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
    base_write_text(out, "       \"%s\": {\"mean\": %.10g, \"deviation\": %.10g},\n", key, mean,
                    deviation);
}

static void write_kind(const comparison *c, const compare_point *point, base_writer *out) {
    bool dense = point->method == COMPARE_START || point->method == COMPARE_DENSE;
    base_write_text(out, "      {\"ratio\": %.10g,\n", dense ? 1.0 : point->ratio);
    write_mean(c, point, "kept", kept_of, out);
    write_mean(c, point, "validation_accuracy", validation_of, out);
    write_mean(c, point, "test_accuracy", test_of, out);
    base_write_text(out, "       \"runs\": [");
    bool first = true;
    for (size_t i = 0; i < c->count; i++) {
        const compare_score *score = &c->scores[i];
        if (!same_kind(&c->points[i], point))
            continue;
        base_write_text(out,
                        "%s\n        {\"seed\": %llu, \"kept\": %llu, \"validation_accuracy\": "
                        "%.10g, \"test_accuracy\": %.10g}",
                        first ? "" : ",", (unsigned long long)c->points[i].seed,
                        (unsigned long long)score->kept, score->validation, score->test);
        first = false;
    }
    base_write_text(out, "]}");
}

/* The first seed's points stand for their kinds. */
static void write_method(const comparison *c, compare_method method, base_writer *out) {
    base_write_text(out, "    {\"method\": \"%s\", \"label\": \"%s\", \"points\": [\n",
                    compare_method_text(method), compare_method_label(method));
    bool first = true;
    for (size_t i = 0; i < c->count; i++) {
        if (c->points[i].method != method || c->points[i].seed != c->settings->first_seed)
            continue;
        if (!first)
            base_write_text(out, ",\n");
        write_kind(c, &c->points[i], out);
        first = false;
    }
    base_write_text(out, "\n    ]}");
}

static void write_recipe(const comparison *c, base_writer *out) {
    base_write_text(out, "  \"recipe\": ");
    base_write_json_string(out, c->base->path);
    base_write_text(out, ",\n  \"model\": ");
    base_write_json_string(out, c->base->model);
    base_write_text(out, ",\n  \"weights\": %llu,\n  \"seeds\": %u,\n",
                    (unsigned long long)c->scores[0].weights, c->settings->seeds);
}

static void write_comparison(const comparison *c, base_writer *out) {
    base_write_text(out, "{\n");
    write_recipe(c, out);
    base_write_text(out, "  \"methods\": [\n");
    bool first = true;
    for (int m = 0; m < COMPARE_METHODS; m++) {
        if (!c->plan.methods[m])
            continue;
        if (!first)
            base_write_text(out, ",\n");
        write_method(c, (compare_method)m, out);
        first = false;
    }
    base_write_text(out, "\n  ]\n}\n");
}

static admmnn_status leave(const comparison *c, const char *path, admmnn_error *err) {
    char picture[BASE_PATH_MAX];
    BASE_TRY(base_path_join(picture, sizeof picture, c->settings->out, "comparison.svg", err));
    base_writer json = {0};
    write_comparison(c, &json);
    admmnn_status status =
        json.failed ? base_fail_memory(err, "the comparison")
                    : report_write_comparison(picture, (const char *)json.bytes, json.count, err);
    if (status == ADMMNN_OK)
        status = base_file_write(path, json.bytes, json.count, err);
    base_writer_free(&json);
    return status;
}

/* ---- the whole ---- */

static const char *const result_names[] = {"comparison.svg", "comparison.json"};
#define RESULT_COUNT (sizeof result_names / sizeof *result_names)

/* Files that others left are not overwritten: the names are a comparison's own only
 * where one has begun. */
static admmnn_status check_names(const comparison *c, admmnn_error *err) {
    const bool begun = compare_point_any(c->folder);
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        char path[BASE_PATH_MAX];
        BASE_TRY(base_path_join(path, sizeof path, c->settings->out, result_names[i], err));
        BASE_TRY(base_file_check_write(path, err));
        if (!begun && base_name_taken(path))
            return base_fail(
                err, ADMMNN_USAGE,
                "%s: exists already, and no comparison here left it; choose another --out", path);
    }
    return ADMMNN_OK;
}

/* A run of compress would be hidden: `show` tells a comparison first. */
static admmnn_status refuse_run(const char *out, admmnn_error *err) {
    static const char *const names[] = {"result.json", "checkpoint/run.ckpt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[BASE_PATH_MAX];
        BASE_TRY(base_path_join(path, sizeof path, out, names[i], err));
        if (base_file_exists(path))
            return base_fail(err, ADMMNN_USAGE,
                             "%s: holds a run of compress (%s); choose another --out", out,
                             names[i]);
    }
    return ADMMNN_OK;
}

/* The comparison as it stands in the file, and its text, the caller's. */
static admmnn_status read_held(const char *path, compare_held *held, char **text,
                               admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(path, COMPARISON_LIMIT, &bytes, &count, err));
    admmnn_status status = compare_held_parse(path, (char *)bytes, count, held, err);
    if (status == ADMMNN_OK)
        *text = (char *)bytes;
    else
        base_free(bytes);
    return status;
}

static admmnn_status check_adds(const comparison *c, const char *path, admmnn_error *err) {
    const admmnn_compare_settings *s = c->settings;
    compare_held held;
    char *text;
    BASE_TRY(read_held(path, &held, &text, err));
    base_free(text);
    return compare_held_check(&held, &c->plan, s->first_seed, s->seeds, s->out, err);
}

static admmnn_status open_folder(comparison *c, const char *path, admmnn_error *err) {
    const char *out = c->settings->out;
    BASE_TRY(base_path_join(c->folder, sizeof c->folder, out, COMPARE_FOLDER, err));
    BASE_TRY(base_folder_make(out, err));
    BASE_TRY(base_folder_lock(out, &c->lock, err));
    BASE_TRY(refuse_run(out, err));
    BASE_TRY(check_names(c, err));
    if (c->settings->resume && base_file_exists(path))
        BASE_TRY(check_adds(c, path, err));
    if (!c->settings->resume && base_file_exists(path))
        return base_fail(
            err, ADMMNN_USAGE,
            "%s: holds a finished comparison; choose another --out, or --resume to add "
            "to it",
            out);
    if (!c->settings->resume && base_folder_exists(c->folder))
        return base_fail(err, ADMMNN_USAGE,
                         "%s: holds an unfinished comparison; --resume goes on with it, or choose "
                         "another --out",
                         out);
    base_folder_sweep(out, result_names, RESULT_COUNT);
    return base_folder_make(c->folder, err);
}

static admmnn_status compare(comparison *c, admmnn_error *err) {
    const admmnn_compare_settings *s = c->settings;
    if (s->seeds == 0 || s->seeds > COMPARE_SEEDS_MAX)
        return base_fail(err, ADMMNN_USAGE, "--seeds: %u seeds; a comparison takes 1 to %d",
                         s->seeds, COMPARE_SEEDS_MAX);
    if (s->first_seed > ADMMNN_SEED_MAX - (s->seeds - 1))
        return base_fail(err, ADMMNN_USAGE, "--first-seed: %u seeds from %llu would go beyond %llu",
                         s->seeds, (unsigned long long)s->first_seed,
                         (unsigned long long)ADMMNN_SEED_MAX);
    BASE_TRY(run_read_recipe(s->recipe, &c->base, err));
    BASE_TRY(run_digest_model(c->base, c->place.model_sha256, err));
    BASE_TRY(run_digest_data(c->base, c->place.context, c->place.data_sha256, err));
    BASE_TRY(compare_plan_make(c->base, s->methods, s->ratios, &c->plan, err));
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, s->out, "comparison.json", err));
    BASE_TRY(make_points(c, err));
    BASE_TRY(all_work(c, err));
    BASE_TRY(compare_point_check(&c->place, err));
    BASE_TRY(open_folder(c, path, err));
    for (c->at = 0; c->at < c->count; c->at++)
        BASE_TRY(run_point(c, err));
    return leave(c, path, err);
}

admmnn_status admmnn_compare_run(const admmnn_compare_settings *settings,
                                 const admmnn_context *context, admmnn_error *err) {
    comparison *c = base_array(1, sizeof *c);
    if (c == NULL)
        return base_fail_memory(err, "the comparison");
    c->settings = settings;
    c->lock = -1;
    c->outer = context;
    c->context = (admmnn_context){.threads = context->threads,
                                  .log = pass_log,
                                  .progress = pass_progress,
                                  .cancelled = pass_cancelled,
                                  .user = c};
    c->place = (compare_place){
        .plan = &c->plan, .folder = c->folder, .context = &c->context, .answers = &c->answers};
    admmnn_status status = compare(c, err);
    base_folder_unlock(c->lock);
    run_answers_free(&c->answers);
    base_free(c->points);
    base_free(c->scores);
    base_free(c->base);
    base_free(c);
    return status;
}

admmnn_status admmnn_comparison_json(const char *out, char **text, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    compare_held held;
    BASE_TRY(base_path_join(path, sizeof path, out, "comparison.json", err));
    return read_held(path, &held, text, err);
}
