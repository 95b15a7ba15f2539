/* What every run begins with, and its ticks with checkpoints between them. */
#include <string.h>

#include "admmnn/data.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/memory.h"
#include "compress/run.h"

/* A checkpoint goes to disk this often, and at every change of stage. */
#define CHECKPOINT_SECONDS 10.0
#define CHECKPOINT_LIMIT ((size_t)1 << 34)

admmnn_status run_read_recipe(const char *path, recipe **r, admmnn_error *err) {
    BASE_TRY(recipe_read(path, r, err));
    if ((*r)->dataset_path[0] != 0)
        return ADMMNN_OK;
    return admmnn_data_folder(data_format_text((*r)->dataset_format), (*r)->dataset_path,
                              sizeof(*r)->dataset_path, err);
}

admmnn_status run_digest_data(const recipe *r, const admmnn_context *context, char digest[65],
                              admmnn_error *err) {
    data_set train;
    BASE_TRY(run_open_part(r, context, DATA_TRAIN, &train, err));
    admmnn_status status = data_set_digest(&train, digest, err);
    data_set_free(&train);
    return status;
}

admmnn_status run_start_from(compress_run *run, const char *checkpoint, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(checkpoint, CHECKPOINT_LIMIT, &bytes, &count, err));
    admmnn_status status = run_restore(run, checkpoint, bytes, count, err);
    base_free(bytes);
    return status;
}

admmnn_status run_resume(compress_run *run, const char *checkpoint, admmnn_error *err) {
    char task[96];
    BASE_TRY(run_start_from(run, checkpoint, err));
    run_task_text(run, task, sizeof task);
    base_log(run->context, ADMMNN_LOG_INFO, "resumed: %s, epoch %u", task, run->at.epoch);
    return ADMMNN_OK;
}

static bool reached(const compress_run *run, run_goal goal) {
    if (goal == RUN_TO_DENSE)
        return run->at.stage != RUN_DENSE || run->at.epoch >= run->r->training.epochs;
    return run->at.stage == RUN_DONE;
}

/* The log comes second: where there is a checkpoint, log.jsonl is the run's own. */
static admmnn_status save(const compress_run *run, const run_trail *trail,
                          const base_writer *snapshot, admmnn_error *err) {
    BASE_TRY(base_file_write(trail->checkpoint, snapshot->bytes, snapshot->count, err));
    return base_file_write(trail->log, run->log.bytes, run->log.count, err);
}

/* Images can be mended or replaced under their names, and the run goes on. */
static admmnn_status stop_damaged(const compress_run *run, const run_trail *trail,
                                  const base_writer *snapshot, admmnn_error *err) {
    const admmnn_error reason = *err;
    BASE_TRY(save(run, trail, snapshot, err));
    return base_fail(err, ADMMNN_CORRUPT, "%s; when they are mended, '--resume' goes on from %s",
                     reason.message, trail->checkpoint);
}

/* The snapshot is of the last whole epoch, so a stop in the middle of one still
 * leaves a checkpoint to go on from. One that diverged leaves it too, as far as
 * the disk allows: what went wrong is worth more than that nothing could be saved. */
static admmnn_status stop(compress_run *run, admmnn_status status, const run_trail *trail,
                          const base_writer *snapshot, admmnn_error *err) {
    if (status == ADMMNN_DIVERGED) {
        run_log_divergence(run);
        (void)save(run, trail, snapshot, NULL);
    }
    if (status == ADMMNN_CORRUPT)
        return stop_damaged(run, trail, snapshot, err);
    if (status != ADMMNN_CANCELLED)
        return status;
    BASE_TRY(save(run, trail, snapshot, err));
    return base_fail(err, status, "stopped on request; '--resume' goes on from %s",
                     trail->checkpoint);
}

static admmnn_status drive(compress_run *run, run_goal goal, const run_trail *trail,
                           base_writer *snapshot, admmnn_error *err) {
    double saved_at = base_seconds();
    run_stage stage = run->at.stage;
    BASE_TRY(run_snapshot(run, snapshot, err));
    while (!reached(run, goal)) {
        admmnn_status status = run_tick(run, err);
        if (status != ADMMNN_OK)
            return stop(run, status, trail, snapshot, err);
        BASE_TRY(run_snapshot(run, snapshot, err));
        bool due = run->at.stage != stage || base_seconds() - saved_at >= CHECKPOINT_SECONDS;
        if (!due)
            continue;
        BASE_TRY(save(run, trail, snapshot, err));
        saved_at = base_seconds();
        stage = run->at.stage;
    }
    if (goal == RUN_TO_DENSE)
        return save(run, trail, snapshot, err);
    return ADMMNN_OK;
}

admmnn_status run_drive(compress_run *run, run_goal goal, const run_trail *trail,
                        admmnn_error *err) {
    base_writer snapshot = {0};
    admmnn_status status = drive(run, goal, trail, &snapshot, err);
    base_writer_free(&snapshot);
    return status;
}
