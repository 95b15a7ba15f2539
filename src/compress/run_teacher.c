/* What distillation learns from: the answers of the dense network, or to quantization
 * those of the pruned one. */
#include "base/memory.h"
#include "compress/run.h"

static bool asks_pruned(const compress_run *run) {
    return run->at.stage >= RUN_BITS && run->r->quantize.teacher == RECIPE_TEACHER_PRUNED;
}

static bool is_current(const compress_run *run, const recipe_training *training) {
    const run_answers *a = &run->answers;
    if (a->logits == NULL || a->pruned != asks_pruned(run) || a->versions != training->versions ||
        a->seed != run->r->seed || a->batch != run->network->batch)
        return false;
    return a->versions == 0 || data_augmentation_same(&a->augment, &training->augment);
}

/* Logits of all images once. */
static size_t answers_count(const compress_run *run) {
    return run->train.count * graph_value_count(run->g, run->g->output);
}

static admmnn_status begin_answers(compress_run *run, const recipe_training *training,
                                   admmnn_error *err) {
    const size_t versions = training->versions == 0 ? 1 : training->versions;
    run_answers *a = &run->answers;
    base_free(a->logits);
    *a = (run_answers){.pruned = asks_pruned(run),
                       .logits = base_array(versions * answers_count(run), sizeof *a->logits),
                       .seed = run->r->seed,
                       .batch = run->network->batch,
                       .versions = training->versions,
                       .augment = training->augment};
    return a->logits == NULL ? base_fail_memory(err, "the teacher's answers") : ADMMNN_OK;
}

static admmnn_status answer_version(compress_run *run, uint32_t version, admmnn_error *err) {
    run_answers *a = &run->answers;
    data_view view = {
        .set = &run->train, .seed = run->r->seed, .epoch = version, .tones = run->tones};
    if (a->versions > 0)
        view.augmentation = a->augment;
    const engine_settings settings = {.backend = run->r->backend, .max_batch = a->batch};
    train_network *teacher;
    BASE_TRY(train_network_create(run->g, a->pruned ? run_pruned(run) : run->dense, run->pool,
                                  &settings, &teacher, err));
    const admmnn_status status = train_network_answer(
        teacher, &view, run->train.count, a->logits + version * answers_count(run), err);
    train_network_free(teacher);
    if (status == ADMMNN_OK)
        a->answered |= UINT64_C(1) << version;
    return status;
}

static admmnn_status ask(compress_run *run, uint32_t version, admmnn_error *err) {
    double from;
    double each;
    run_progress(run, &from, &each);
    admmnn_progress progress = {.task = "the teacher's answers",
                                .unit = "images",
                                .total = run->train.count,
                                .run_done = from,
                                .note = run->note};
    base_progress(run->context, &progress);
    if (base_cancelled(run->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request during %s", progress.task);
    return answer_version(run, version, err);
}

/* A version for every epoch of the run: a stretch goes on where the one before it stopped. */
train_teacher run_teacher(const compress_run *run) {
    return (train_teacher){.logits = run->answers.logits,
                           .versions = run->answers.versions,
                           .shown = run->at.trained - run->at.epoch,
                           .seed = run->r->seed};
}

_Static_assert(RECIPE_VERSIONS_MAX <= 64, "answered has a bit for each");

/* The answers depend on the teacher, the distortions, the seed and the batch alone: a resumed run
 * asks again for those that it still wants. */
admmnn_status run_ask_teacher(compress_run *run, const recipe_training *training,
                              admmnn_error *err) {
    if (training->distill == 0 || run->at.stage == RUN_DENSE)
        return ADMMNN_OK;
    if (!is_current(run, training))
        BASE_TRY(begin_answers(run, training, err));
    const train_teacher teacher = run_teacher(run);
    const uint32_t version = train_teacher_version(&teacher, run->at.epoch);
    if (run->answers.answered >> version & 1)
        return ADMMNN_OK;
    return ask(run, version, err);
}

void run_answers_free(run_answers *answers) {
    base_free(answers->logits);
    *answers = (run_answers){0};
}

void run_answers_move(run_answers *from, run_answers *to) {
    run_answers_free(to);
    *to = *from;
    *from = (run_answers){0};
}
