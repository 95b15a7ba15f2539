/* What distillation learns from: the answers of the dense network, or to quantization
 * those of the pruned one. */
#include "base/memory.h"
#include "compress/run.h"

static bool asks_pruned(const compress_run *run) {
    return run->at.stage >= RUN_BITS && run->r->quantize.teacher == RECIPE_TEACHER_PRUNED;
}

static bool is_current(const compress_run *run, const recipe_training *training) {
    const run_answers *a = &run->answers;
    if (a->logits == NULL || a->pruned != asks_pruned(run) || a->versions != training->versions)
        return false;
    return a->versions == 0 || data_augmentation_same(&a->augment, &training->augment);
}

/* Logits of all images once. */
static size_t answers_count(const compress_run *run) {
    return run->train.count * graph_value_count(run->g, run->g->output);
}

static admmnn_status answer_version(compress_run *run, train_network *teacher, uint32_t version,
                                    admmnn_error *err) {
    run_answers *a = &run->answers;
    const uint32_t versions = a->versions == 0 ? 1 : a->versions;
    data_view view = {
        .set = &run->train, .seed = run->r->seed, .epoch = version, .tones = run->tones};
    if (a->versions > 0)
        view.augmentation = a->augment;
    double from;
    double each;
    run_progress(run, &from, &each);
    admmnn_progress progress = {.task = "the teacher's answers",
                                .unit = "images",
                                .done = (uint64_t)version * run->train.count,
                                .total = (uint64_t)versions * run->train.count,
                                .run_done = from};
    base_progress(run->context, &progress);
    if (base_cancelled(run->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request during %s", progress.task);
    return train_network_answer(teacher, &view, run->train.count,
                                a->logits + version * answers_count(run), err);
}

/* Nothing to do when the last stretch learnt from the same answers: they depend
 * on the teacher, the distortions and the seed alone, so a resumed run computes them
 * again. */
admmnn_status run_ask_teacher(compress_run *run, const recipe_training *training,
                              admmnn_error *err) {
    if (training->distill == 0 || run->at.stage == RUN_DENSE || is_current(run, training))
        return ADMMNN_OK;
    run_answers *a = &run->answers;
    const uint32_t versions = training->versions == 0 ? 1 : training->versions;
    base_free(a->logits);
    *a = (run_answers){
        .pruned = asks_pruned(run), .versions = training->versions, .augment = training->augment};
    const engine_settings settings = {.backend = run->r->backend, .max_batch = run->network->batch};
    train_network *teacher;
    BASE_TRY(train_network_create(run->g, a->pruned ? run_pruned(run) : run->dense, run->pool,
                                  &settings, &teacher, err));
    a->logits = base_array((size_t)versions * answers_count(run), sizeof *a->logits);
    admmnn_status status =
        a->logits == NULL ? base_fail_memory(err, "the teacher's answers") : ADMMNN_OK;
    for (uint32_t v = 0; v < versions && status == ADMMNN_OK; v++)
        status = answer_version(run, teacher, v, err);
    train_network_free(teacher);
    if (status == ADMMNN_OK)
        return ADMMNN_OK;
    base_free(a->logits);
    a->logits = NULL;
    return status;
}
