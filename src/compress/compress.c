#include "admmnn/compress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admmnn/data.h"
#include "base/file.h"
#include "base/memory.h"
#include "compress/finish.h"
#include "report/report.h"

/* A checkpoint goes to disk this often, and at every change of stage. */
#define CHECKPOINT_SECONDS 10.0
#define CHECKPOINT_LIMIT ((size_t)1 << 34)
#define RESULT_LIMIT ((size_t)1 << 26)

typedef struct session {
    const admmnn_compress_settings *settings;
    const admmnn_context *context;
    recipe *r;
    compress_run *run;
    base_writer snapshot; /* the state at the last epoch's end */
    char checkpoint[BASE_PATH_MAX];
    char result[BASE_PATH_MAX];
} session;

static admmnn_status open_recipe(session *s, admmnn_error *err) {
    BASE_TRY(recipe_read(s->settings->recipe, &s->r, err));
    if (s->settings->has_seed)
        s->r->seed = s->settings->seed;
    if (strcmp(s->r->dataset_format, "mnist") != 0)
        return ADMMNN_OK;
    return admmnn_data_folder("mnist", s->r->dataset_path, sizeof s->r->dataset_path, err);
}

/* Fails early, before hours of training, when the results could not be written. */
static admmnn_status open_folder(session *s, admmnn_error *err) {
    char folder[BASE_PATH_MAX];
    BASE_TRY(base_path_join(folder, sizeof folder, s->settings->out, "checkpoint", err));
    BASE_TRY(base_folder_make(folder, err));
    if (access(s->settings->out, W_OK) != 0)
        return base_fail(err, ADMMNN_IO, "%s: cannot write: %s", s->settings->out, strerror(errno));
    BASE_TRY(base_path_join(s->checkpoint, sizeof s->checkpoint, folder, "run.ckpt", err));
    return base_path_join(s->result, sizeof s->result, s->settings->out, "result.json", err);
}

static admmnn_status restore(session *s, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(s->checkpoint, CHECKPOINT_LIMIT, &bytes, &count, err));
    admmnn_status status = run_restore(s->run, s->checkpoint, bytes, count, err);
    base_free(bytes);
    if (status == ADMMNN_OK)
        base_log(s->context, ADMMNN_LOG_INFO, "resumed: %s, round %u, epoch %u",
                 run_stage_text(s->run->at.stage), s->run->at.round + 1, s->run->at.epoch);
    return status;
}

static admmnn_status save(session *s, admmnn_error *err) {
    return base_file_write(s->checkpoint, s->snapshot.bytes, s->snapshot.count, err);
}

/* Ticks until done. The snapshot is of the last whole epoch, so a stop in the
 * middle of one still leaves a checkpoint to go on from. */
static admmnn_status train_all(session *s, admmnn_error *err) {
    double saved_at = base_seconds();
    run_stage stage = s->run->at.stage;
    BASE_TRY(run_snapshot(s->run, &s->snapshot, err));
    while (s->run->at.stage != RUN_DONE) {
        admmnn_status status = run_tick(s->run, err);
        if (status == ADMMNN_CANCELLED)
            BASE_TRY(save(s, err));
        if (status == ADMMNN_CANCELLED)
            return base_fail(err, status, "stopped on request; `--resume` goes on from %s",
                             s->checkpoint);
        BASE_TRY(status);
        BASE_TRY(run_snapshot(s->run, &s->snapshot, err));
        if (s->run->at.stage == stage && base_seconds() - saved_at < CHECKPOINT_SECONDS)
            continue;
        BASE_TRY(save(s, err));
        saved_at = base_seconds();
        stage = s->run->at.stage;
    }
    return ADMMNN_OK;
}

static admmnn_status leave_results(session *s, admmnn_error *err) {
    compress_result *result = base_array(1, sizeof *result);
    base_writer json = {0};
    if (result == NULL)
        return base_fail_memory(err, "the result");
    admmnn_status status = run_finish(s->run, s->settings->out, result, err);
    if (status == ADMMNN_OK) {
        compress_result_json(result, &json);
        status = json.failed ? base_fail_memory(err, "the result")
                             : report_write_run(s->settings->out, (const char *)json.bytes, json.count,
                                                (const char *)s->run->log.bytes, s->run->log.count, err);
    }
    if (status == ADMMNN_OK)
        status = base_file_write(s->result, json.bytes, json.count, err);
    base_writer_free(&json);
    base_free(result);
    return status;
}

static admmnn_status run_session(session *s, admmnn_error *err) {
    BASE_TRY(open_recipe(s, err));
    BASE_TRY(open_folder(s, err));
    if (base_file_exists(s->result)) {
        if (s->settings->resume)
            return ADMMNN_OK;
        return base_fail(err, ADMMNN_USAGE,
                         "%s: holds a finished run; choose another --out, or --resume to see it",
                         s->settings->out);
    }
    bool begun = base_file_exists(s->checkpoint);
    if (begun && !s->settings->resume)
        return base_fail(err, ADMMNN_USAGE,
                         "%s: holds an unfinished run; --resume goes on with it, or choose another "
                         "--out",
                         s->settings->out);
    BASE_TRY(run_create(s->r, s->context, &s->run, err));
    if (begun)
        BASE_TRY(restore(s, err));
    BASE_TRY(train_all(s, err));
    return leave_results(s, err);
}

admmnn_status admmnn_compress_run(const admmnn_compress_settings *settings,
                                  const admmnn_context *context, admmnn_error *err) {
    session s = {.settings = settings, .context = context};
    admmnn_status status = run_session(&s, err);
    run_free(s.run);
    base_free(s.r);
    base_writer_free(&s.snapshot);
    return status;
}

static admmnn_status read_result(const char *out, uint8_t **text, char *path, admmnn_error *err) {
    size_t count;
    BASE_TRY(base_path_join(path, BASE_PATH_MAX, out, "result.json", err));
    return base_file_read(path, RESULT_LIMIT, text, &count, err);
}

admmnn_status admmnn_result_json(const char *out, char **text, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    BASE_TRY(read_result(out, &bytes, path, err));
    *text = (char *)bytes;
    return ADMMNN_OK;
}

admmnn_status admmnn_result_table(const char *out, char **text, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    uint8_t *json;
    BASE_TRY(read_result(out, &json, path, err));
    compress_result *result = base_array(1, sizeof *result);
    admmnn_status status = result == NULL
                               ? base_fail_memory(err, "the result")
                               : compress_result_parse(path, (char *)json, result, err);
    base_writer table = {0};
    if (status == ADMMNN_OK) {
        compress_result_table(result, &table);
        base_write_u8(&table, 0);
        if (table.failed)
            status = base_fail_memory(err, "the table");
    }
    base_free(json);
    base_free(result);
    if (status != ADMMNN_OK) {
        base_writer_free(&table);
        return status;
    }
    *text = (char *)table.bytes;
    return ADMMNN_OK;
}
