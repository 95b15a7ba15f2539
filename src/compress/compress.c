#include "admmnn/compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/pool.h"
#include "compress/compare_held.h"
#include "compress/finish.h"
#include "pack/pack.h"
#include "report/report.h"

#define RESULT_LIMIT ((size_t)1 << 26)

typedef struct session {
    const admmnn_compress_settings *settings;
    const admmnn_context *context;
    recipe *r;
    compress_run *run;
    int lock;                   /* on the folder of the results; below 0: none */
    char folder[BASE_PATH_MAX]; /* of the checkpoint */
    char checkpoint[BASE_PATH_MAX];
    char log[BASE_PATH_MAX];
    char result[BASE_PATH_MAX];
} session;

static admmnn_status open_recipe(session *s, admmnn_error *err) {
    BASE_TRY(run_read_recipe(s->settings->recipe, &s->r, err));
    if (s->settings->has_seed && s->settings->seed > ADMMNN_SEED_MAX)
        return base_fail(err, ADMMNN_USAGE, "the seed must be at most %llu",
                         (unsigned long long)ADMMNN_SEED_MAX);
    if (s->settings->has_seed)
        s->r->seed = s->settings->seed;
    return ADMMNN_OK;
}

static admmnn_status name_files(session *s, admmnn_error *err) {
    const char *out = s->settings->out;
    BASE_TRY(base_path_join(s->folder, sizeof s->folder, out, "checkpoint", err));
    BASE_TRY(base_path_join(s->checkpoint, sizeof s->checkpoint, s->folder, "run.ckpt", err));
    BASE_TRY(base_path_join(s->log, sizeof s->log, out, "log.jsonl", err));
    return base_path_join(s->result, sizeof s->result, out, "result.json", err);
}

#define MODEL_NAME "model.admm"
static const char *const result_names[] = {MODEL_NAME,  "model.onnx",  "small.onnx",
                                           "log.jsonl", "report.html", "result.json"};
#define RESULT_COUNT (sizeof result_names / sizeof *result_names)

/* Files that others left are not overwritten: only where a run has begun are the
 * names of its results its own. Asked before the training, which may take hours. */
static admmnn_status check_names(const session *s, admmnn_error *err) {
    bool begun = base_file_exists(s->checkpoint);
    BASE_TRY(base_file_check_write(s->checkpoint, err));
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        char path[BASE_PATH_MAX];
        BASE_TRY(base_path_join(path, sizeof path, s->settings->out, result_names[i], err));
        BASE_TRY(base_file_check_write(path, err));
        if (!begun && base_name_taken(path))
            return base_fail(err, ADMMNN_USAGE,
                             "%s: exists already, and no run here left it; choose another --out",
                             path);
    }
    return ADMMNN_OK;
}

/* Fails early when the results could not be written. */
static admmnn_status make_folder(const session *s, admmnn_error *err) {
    BASE_TRY(base_folder_make(s->settings->out, err));
    return base_folder_check_write(s->settings->out, err);
}

static admmnn_status leave_results(session *s, admmnn_error *err) {
    compress_result *result = base_array(1, sizeof *result);
    base_writer json = {0};
    if (result == NULL)
        return base_fail_memory(err, "the result");
    admmnn_status status = run_finish(s->run, s->settings->out, result, err);
    if (status == ADMMNN_OK) {
        compress_result_json(result, &json);
        status = json.failed
                     ? base_fail_memory(err, "the result")
                     : report_write_run(s->settings->out, (const char *)json.bytes, json.count,
                                        (const char *)s->run->log.bytes, s->run->log.count, err);
    }
    if (status == ADMMNN_OK)
        status = base_file_write(s->result, json.bytes, json.count, err);
    base_writer_free(&json);
    base_free(result);
    return status;
}

static admmnn_status find_checkpoint(const char *out, bool *found, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, out, "checkpoint/run.ckpt", err));
    *found = base_file_exists(path);
    return ADMMNN_OK;
}

/* There is no result: because of an unfinished run or comparison? */
static admmnn_status fail_unfinished(const char *out, admmnn_error *err) {
    char runs[BASE_PATH_MAX];
    bool run;
    BASE_TRY(find_checkpoint(out, &run, err));
    BASE_TRY(base_path_join(runs, sizeof runs, out, COMPARE_FOLDER, err));
    if (!run && !base_folder_exists(runs))
        return ADMMNN_NOT_FOUND;
    return base_fail(err, ADMMNN_NOT_FOUND,
                     "%s: its %s is not finished; 'admmnn %s RECIPE --out DIR --resume' goes on "
                     "with it",
                     out, run ? "run" : "comparison", run ? "compress" : "compare");
}

/* The result could not be read: can it be made again? */
static admmnn_status fail_unread(const char *out, const admmnn_error *reason, admmnn_error *err) {
    bool again;
    BASE_TRY(find_checkpoint(out, &again, err));
    return base_fail(err, reason->status, "%s%s", reason->message,
                     again && reason->status == ADMMNN_CORRUPT
                         ? "; remove it, and compress --resume makes it again"
                         : "");
}

/* The result and the text it stands in, each the caller's; NULL: not wanted. */
static admmnn_status read_result(const char *out, compress_result **result, char **text,
                                 admmnn_error *err) {
    char path[BASE_PATH_MAX];
    uint8_t *json;
    size_t count;
    BASE_TRY(base_path_join(path, sizeof path, out, "result.json", err));
    admmnn_status status = base_file_read(path, RESULT_LIMIT, &json, &count, err);
    if (status == ADMMNN_NOT_FOUND)
        return fail_unfinished(out, err);
    BASE_TRY(status);
    compress_result *read = base_array(1, sizeof *read);
    admmnn_error reason = {0};
    status = read == NULL ? base_fail_memory(&reason, "the result")
                          : compress_result_parse(path, (char *)json, count, read, &reason);
    if (status != ADMMNN_OK)
        status = fail_unread(out, &reason, err);
    if (status == ADMMNN_OK && result != NULL)
        *result = read;
    else
        base_free(read);
    if (status == ADMMNN_OK && text != NULL)
        *text = (char *)json;
    else
        base_free(json);
    return status;
}

static admmnn_status check_same(const session *s, const compress_result *result,
                                admmnn_error *err) {
    const char *out = s->settings->out;
    if (strcmp(result->recipe_sha256, s->r->sha256) != 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: holds a run of another version of the recipe; choose another --out",
                         out);
    if (result->seed != s->r->seed)
        return base_fail(err, ADMMNN_INPUT, "%s: holds a run with seed %llu; choose another --out",
                         out, (unsigned long long)result->seed);
    if (result->threads != base_pool_resolve(s->context->threads))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: holds a run with %u threads, whose sums differ in the last bits; "
                         "choose another --out, or --threads %u",
                         out, result->threads, result->threads);
    return ADMMNN_OK;
}

static admmnn_status check_model(const session *s, const compress_result *result,
                                 admmnn_error *err) {
    char digest[65];
    BASE_TRY(run_digest_model(s->r, digest, err));
    if (strcmp(result->model_sha256, digest) != 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: holds a run from another network than that of %s; restore it or "
                         "choose another --out",
                         s->settings->out, s->r->model_path);
    return ADMMNN_OK;
}

static admmnn_status check_data(const session *s, const compress_result *result,
                                admmnn_error *err) {
    char digest[65];
    BASE_TRY(run_digest_data(s->r, s->context, digest, err));
    if (strcmp(result->data_sha256, digest) != 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: holds a run with other training images than those of %s; restore "
                         "them or choose another --out",
                         s->settings->out, s->r->dataset_path);
    return ADMMNN_OK;
}

/* A finished run is its own answer, to the same question only. */
static admmnn_status check_finished(const session *s, admmnn_error *err) {
    compress_result *result;
    BASE_TRY(read_result(s->settings->out, &result, NULL, err));
    admmnn_status status = check_same(s, result, err);
    if (status == ADMMNN_OK)
        status = check_model(s, result, err);
    if (status == ADMMNN_OK)
        status = check_data(s, result, err);
    base_free(result);
    return status;
}

static admmnn_status refuse_finished(const session *s, admmnn_error *err) {
    compress_result *result;
    admmnn_status status = read_result(s->settings->out, &result, NULL, err);
    if (status == ADMMNN_CORRUPT)
        return base_fail(err, ADMMNN_USAGE,
                         "%s: exists already, and no run of admmnn left it; choose another --out",
                         s->result);
    BASE_TRY(status);
    base_free(result);
    return base_fail(err, ADMMNN_USAGE,
                     "%s: holds a finished run; choose another --out, or --resume to see it",
                     s->settings->out);
}

static admmnn_status refuse_unfinished(const session *s, admmnn_error *err) {
    return base_fail(
        err, ADMMNN_USAGE,
        "%s: holds an unfinished run; --resume goes on with it, or choose another --out",
        s->settings->out);
}

/* A comparison would hide the run: `show` tells it first. */
static admmnn_status refuse_comparison(const session *s, admmnn_error *err) {
    const char *out = s->settings->out;
    char file[BASE_PATH_MAX];
    char runs[BASE_PATH_MAX];
    BASE_TRY(base_path_join(file, sizeof file, out, "comparison.json", err));
    BASE_TRY(base_path_join(runs, sizeof runs, out, COMPARE_FOLDER, err));
    if (!base_file_exists(file) && !base_folder_exists(runs))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_USAGE, "%s: holds a comparison (%s); choose another --out", out,
                     base_file_exists(file) ? "comparison.json" : COMPARE_FOLDER "/");
}

/* Files are written whole: an empty one is another's doing. The model has a checksum. */
static admmnn_status look_at_result(const char *name, const char *path, bool *whole,
                                    admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    *whole = base_file_filled(path);
    if (!*whole || strcmp(name, MODEL_NAME) != 0)
        return ADMMNN_OK;
    BASE_TRY(base_file_read(path, SIZE_MAX, &bytes, &count, err));
    *whole = pack_check(bytes, count, NULL) == ADMMNN_OK;
    base_free(bytes);
    return ADMMNN_OK;
}

/* Whether all that a finished run left is there still. What is not can be made again
 * from the checkpoint. */
static admmnn_status look_whole(const session *s, bool *whole, admmnn_error *err) {
    *whole = true;
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        char path[BASE_PATH_MAX];
        bool one;
        BASE_TRY(base_path_join(path, sizeof path, s->settings->out, result_names[i], err));
        BASE_TRY(look_at_result(result_names[i], path, &one, err));
        *whole = *whole && one;
        if (!one && !base_file_exists(s->checkpoint))
            return base_fail(err, ADMMNN_USAGE,
                             "%s: %s a finished run, and no %s to make it again from; "
                             "restore one of them, or choose another --out",
                             path, base_file_exists(path) ? "not as left by" : "gone from",
                             s->checkpoint);
    }
    return ADMMNN_OK;
}

/* What the folder holds already: *finished when that is the answer. */
static admmnn_status look(const session *s, bool *finished, admmnn_error *err) {
    BASE_TRY(refuse_comparison(s, err));
    *finished = base_file_exists(s->result);
    if (*finished) {
        BASE_TRY(s->settings->resume ? check_finished(s, err) : refuse_finished(s, err));
        return look_whole(s, finished, err);
    }
    if (base_file_exists(s->checkpoint) && !s->settings->resume)
        return refuse_unfinished(s, err);
    return ADMMNN_OK;
}

static admmnn_status run_locked(session *s, admmnn_error *err) {
    static const char *const checkpoint_name = "run.ckpt";
    bool finished; /* by another process, since the first look */
    BASE_TRY(look(s, &finished, err));
    base_folder_sweep(s->settings->out, result_names, RESULT_COUNT);
    base_folder_sweep(s->folder, &checkpoint_name, 1);
    if (finished)
        return ADMMNN_OK;
    BASE_TRY(base_folder_make(s->folder, err));
    if (base_file_exists(s->checkpoint))
        BASE_TRY(run_resume(s->run, s->checkpoint, err));
    const run_trail trail = {.checkpoint = s->checkpoint, .log = s->log};
    BASE_TRY(run_drive(s->run, RUN_TO_END, &trail, err));
    return leave_results(s, err);
}

static admmnn_status run_session(session *s, admmnn_error *err) {
    bool finished;
    BASE_TRY(open_recipe(s, err));
    BASE_TRY(name_files(s, err));
    BASE_TRY(look(s, &finished, err));
    if (finished)
        return ADMMNN_OK;
    BASE_TRY(check_names(s, err));
    BASE_TRY(run_create(s->r, s->context, &s->run, err));
    BASE_TRY(make_folder(s, err));
    BASE_TRY(base_folder_lock(s->settings->out, &s->lock, err));
    return run_locked(s, err);
}

admmnn_status admmnn_compress_run(const admmnn_compress_settings *settings,
                                  const admmnn_context *context, admmnn_error *err) {
    session s = {.settings = settings, .context = context, .lock = -1};
    admmnn_status status = run_session(&s, err);
    base_folder_unlock(s.lock);
    run_free(s.run);
    base_free(s.r);
    return status;
}

admmnn_status admmnn_result_json(const char *out, char **text, admmnn_error *err) {
    return read_result(out, NULL, text, err);
}

admmnn_status admmnn_result_table(const char *out, char **text, admmnn_error *err) {
    compress_result *result;
    BASE_TRY(read_result(out, &result, NULL, err));
    base_writer table = {0};
    compress_result_table(result, &table);
    base_write_u8(&table, 0);
    base_free(result);
    if (table.failed) {
        base_writer_free(&table);
        return base_fail_memory(err, "the table");
    }
    *text = (char *)table.bytes;
    return ADMMNN_OK;
}
