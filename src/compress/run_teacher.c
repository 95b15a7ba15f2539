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

static uint32_t versions_of(const run_answers *a) {
    return a->versions == 0 ? 1 : a->versions;
}

static uint32_t count_answered(const run_answers *a) {
    uint32_t count = 0;
    for (uint32_t v = 0; v < versions_of(a); v++)
        count += a->answered >> v & 1;
    return count;
}

static void report(const compress_run *run) {
    const run_answers *a = &run->answers;
    double from;
    double each;
    run_progress(run, &from, &each);
    admmnn_progress progress = {.task = "the teacher's answers",
                                .unit = "images",
                                .done = (uint64_t)count_answered(a) * run->train.count,
                                .total = (uint64_t)versions_of(a) * run->train.count,
                                .run_done = from};
    base_progress(run->context, &progress);
}

static admmnn_status answer_version(compress_run *run, uint32_t version, admmnn_error *err) {
    run_answers *a = &run->answers;
    data_view view = {
        .set = &run->train, .seed = run->r->seed, .epoch = version, .tones = run->tones};
    if (a->versions > 0)
        view.augmentation = a->augment;
    const engine_settings settings = {.backend = run->r->backend, .max_batch = run->network->batch};
    train_network *teacher;
    BASE_TRY(train_network_create(run->g, a->pruned ? run_pruned(run) : run->dense, run->pool,
                                  &settings, &teacher, err));
    admmnn_status status = train_network_answer(teacher, &view, run->train.count,
                                                a->logits + version * answers_count(run), err);
    train_network_free(teacher);
    if (status == ADMMNN_OK)
        a->answered |= UINT64_C(1) << version;
    return status;
}

static admmnn_status begin_answers(compress_run *run, const recipe_training *training,
                                   admmnn_error *err) {
    run_answers *a = &run->answers;
    run_answers_free(a);
    *a = (run_answers){
        .pruned = asks_pruned(run), .versions = training->versions, .augment = training->augment};
    a->logits = base_array(versions_of(a) * answers_count(run), sizeof *a->logits);
    return a->logits == NULL ? base_fail_memory(err, "the teacher's answers") : ADMMNN_OK;
}

/* The answers depend on the teacher, the distortions and the seed alone: a resumed run asks again
 * for those that it still wants. */
admmnn_status run_ask_teacher(compress_run *run, const recipe_training *training,
                              admmnn_error *err) {
    if (training->distill == 0 || run->at.stage == RUN_DENSE)
        return ADMMNN_OK;
    if (!is_current(run, training))
        BASE_TRY(begin_answers(run, training, err));
    const uint32_t version = run->at.trained % versions_of(&run->answers);
    if (run->answers.answered >> version & 1)
        return ADMMNN_OK;
    report(run);
    if (base_cancelled(run->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request during the teacher's answers");
    return answer_version(run, version, err);
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
