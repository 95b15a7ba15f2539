/* What every run begins with, and its ticks with checkpoints between them. */
#include "admmnn/data.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/output.h"
#include "base/view.h"
#include "compress/run.h"

/* A checkpoint goes to disk this often, and at every change of stage. */
#define CHECKPOINT_SECONDS 10.0

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
    base_view *view;
    base_reader in = {.look = base_view_look};
    BASE_TRY(base_view_open(checkpoint, &view, &in.count, err));
    in.user = view;
    admmnn_status status = run_restore(run, checkpoint, &in, err);
    if (base_view_check(view, NULL) != ADMMNN_OK)
        status = base_view_check(view, err);
    base_view_close(view);
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

/* A run on its way: where it leaves itself, and the state after its last whole epoch, which
 * stands beside the checkpoint until it takes its place. So much is kept on disk, since
 * memory has no room for a large network's state once more. */
typedef struct journey {
    compress_run *run;
    const run_trail *trail;
    size_t logged;      /* bytes of the log until then */
    base_output *draft; /* NULL: the checkpoint is of that state itself */
} journey;

/* What could not be written is told when the draft is to take the checkpoint's place. */
static bool add_to_draft(void *user, const void *bytes, size_t count) {
    base_output_write(user, bytes, count);
    return true;
}

static admmnn_status take_snapshot(journey *j, admmnn_error *err) {
    base_output_drop(j->draft);
    j->draft = NULL;
    j->logged = j->run->log.count;
    BASE_TRY(base_output_open(j->trail->checkpoint, &j->draft, err));
    base_writer out = {.drain = add_to_draft, .user = j->draft};
    const admmnn_status status = run_snapshot(j->run, &out, err);
    base_writer_free(&out);
    return status;
}

/* The log comes second: where there is a checkpoint, log.jsonl is the run's own. */
static admmnn_status save(journey *j, admmnn_error *err) {
    base_output *draft = j->draft;
    j->draft = NULL;
    if (draft != NULL)
        BASE_TRY(base_output_publish(&draft, 1, err));
    return base_file_write(j->trail->log, j->run->log.bytes, j->run->log.count, err);
}

/* Images can be mended or replaced under their names, and the run goes on. */
static admmnn_status stop_damaged(journey *j, admmnn_error *err) {
    const admmnn_error reason = *err;
    BASE_TRY(save(j, err));
    return base_fail(err, ADMMNN_CORRUPT, "%s; when they are mended, '--resume' goes on from %s",
                     reason.message, j->trail->checkpoint);
}

/* The snapshot is of the last whole epoch, so a stop in the middle of one still
 * leaves a checkpoint to go on from. One that diverged leaves it too, as far as
 * the disk allows: what went wrong is worth more than that nothing could be saved. */
static admmnn_status stop(journey *j, admmnn_status status, admmnn_error *err) {
    if (status == ADMMNN_DIVERGED) {
        run_log_divergence(j->run);
        (void)save(j, NULL);
        return status;
    }
    j->run->log.count = j->logged; /* as the checkpoint's */
    if (status == ADMMNN_CORRUPT)
        return stop_damaged(j, err);
    if (status != ADMMNN_CANCELLED)
        return status;
    BASE_TRY(save(j, err));
    return base_fail(err, status, "stopped on request; '--resume' goes on from %s",
                     j->trail->checkpoint);
}

static admmnn_status drive(journey *j, run_goal goal, admmnn_error *err) {
    compress_run *run = j->run;
    double saved_at = base_seconds();
    run_stage stage = run->at.stage;
    BASE_TRY(take_snapshot(j, err));
    while (!reached(run, goal)) {
        admmnn_status status = run_tick(run, err);
        if (status != ADMMNN_OK)
            return stop(j, status, err);
        BASE_TRY(take_snapshot(j, err));
        bool due = run->at.stage != stage || base_seconds() - saved_at >= CHECKPOINT_SECONDS;
        if (!due)
            continue;
        BASE_TRY(save(j, err));
        saved_at = base_seconds();
        stage = run->at.stage;
    }
    if (goal == RUN_TO_DENSE)
        return save(j, err);
    return ADMMNN_OK;
}

admmnn_status run_drive(compress_run *run, run_goal goal, const run_trail *trail,
                        admmnn_error *err) {
    journey j = {.run = run, .trail = trail};
    admmnn_status status = drive(&j, goal, err);
    base_output_drop(j.draft);
    return status;
}
