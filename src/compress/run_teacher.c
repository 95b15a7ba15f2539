/* What distillation learns from: the answers of the dense network or of the folds', or to
 * quantization those of the pruned one. */
#include <string.h>

#include "base/memory.h"
#include "compress/run.h"
#include "graph/zoo.h"

static bool asks_pruned(const compress_run *run) {
    return run->at.stage >= RUN_BITS && run->r->quantize.teacher == RECIPE_TEACHER_PRUNED;
}

static bool is_current(const compress_run *run, const recipe_training *training) {
    const run_answers *a = &run->answers;
    if (a->logits == NULL || a->pruned != asks_pruned(run) || a->versions != training->versions)
        return false;
    return a->versions == 0 || (a->augment.shift == training->augment.shift &&
                                a->augment.rotate == training->augment.rotate);
}

static admmnn_status answer_version(compress_run *run, train_network *teacher, uint32_t version,
                                    admmnn_error *err) {
    run_answers *a = &run->answers;
    const uint32_t versions = a->versions == 0 ? 1 : a->versions;
    data_view view = {.set = &run->train,
                      .seed = run->r->seed,
                      .epoch = version,
                      .mean = run->input.mean,
                      .scale = run->input.scale};
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
    return train_network_answer(teacher, view, run->train.count,
                                a->logits + version * run->train.count * run->train.classes, err);
}

/* Nothing to do when the last stretch learnt from the same answers: they depend
 * on the teacher, the distortions and the seed alone, so a resumed run computes them
 * again. */
admmnn_status run_ask_teacher(compress_run *run, const recipe_training *training,
                              admmnn_error *err) {
    if (training->distill == 0 || run->at.stage <= RUN_FOLDS || is_current(run, training))
        return ADMMNN_OK;
    run_answers *a = &run->answers;
    const size_t versions = training->versions == 0 ? 1 : training->versions;
    base_free(a->logits);
    *a = (run_answers){
        .pruned = asks_pruned(run), .versions = training->versions, .augment = training->augment};
    const size_t count = versions * run->train.count * run->train.classes;
    a->logits = base_array(count, sizeof *a->logits);
    if (a->logits == NULL)
        return base_fail_memory(err, "the teacher's answers");
    if (!a->pruned && run->fold_answers != NULL) {
        memcpy(a->logits, run->fold_answers, count * sizeof *a->logits);
        return ADMMNN_OK;
    }
    train_network *teacher = NULL;
    admmnn_status status =
        train_network_create(run->g, a->pruned ? run->pruned : run->dense, run->pool,
                             run->r->backend, run->network->batch, &teacher, err);
    for (uint32_t v = 0; v < versions && status == ADMMNN_OK; v++)
        status = answer_version(run, teacher, v, err);
    train_network_free(teacher);
    if (status == ADMMNN_OK)
        return ADMMNN_OK;
    base_free(a->logits);
    a->logits = NULL;
    return status;
}

/* ---- folds ---- */

/* The order is random, so its images in turn are as good as any parts. */
static uint32_t fold_of(const compress_run *run, size_t place) {
    return (uint32_t)(place % run->r->folds);
}

admmnn_status run_open_folds(compress_run *run, admmnn_error *err) {
    if (run->train_count < run->r->folds)
        return base_fail(err, ADMMNN_INPUT, "%s: folds: %u for %zu training images", run->r->path,
                         run->r->folds, run->train_count);
    const size_t answers = run->train.count * run->train.classes;
    run->fold_answers = base_array(answers, sizeof *run->fold_answers);
    run->fold_images = base_array(run->train_count, sizeof *run->fold_images);
    if (run->fold_answers == NULL || run->fold_images == NULL)
        return base_fail_memory(err, "the folds");
    return ADMMNN_OK;
}

size_t run_fold_images(const compress_run *run, uint32_t fold, uint32_t *images) {
    size_t count = 0;
    for (size_t i = 0; i < run->train_count; i++)
        if (fold_of(run, i) != fold)
            images[count++] = run->order[i];
    return count;
}

/* A recipe's seeds have fewer bits: no dense network starts where a fold's does. */
static uint64_t fold_seed(const compress_run *run, uint32_t fold) {
    return run->r->seed + ((uint64_t)(fold + 1) << 53);
}

admmnn_status run_begin_fold(compress_run *run, uint32_t fold, admmnn_error *err) {
    BASE_TRY(run_begin(run, RUN_FOLDS, err));
    run->at.iteration = fold;
    float *flat = base_array(run->g->flat_count, sizeof *flat);
    if (flat == NULL)
        return base_fail_memory(err, "the fold's network");
    graph_initialise(run->g, fold_seed(run, fold), flat);
    train_network_compact(run->network, flat, run->network->params);
    base_free(flat);
    return ADMMNN_OK;
}

admmnn_status run_answer_fold(compress_run *run, admmnn_error *err) {
    const size_t classes = run->train.classes;
    const data_view view = {.set = &run->train, .mean = run->input.mean, .scale = run->input.scale};
    train_score score;
    BASE_TRY(run_validate(run, run->network->params, &score, err));
    run_log_event(run, "fold", &score);
    float *logits = base_array(run->train.count * classes, sizeof *logits);
    if (logits == NULL)
        return base_fail_memory(err, "the fold's answers");
    admmnn_status status = train_network_answer(run->network, view, run->train.count, logits, err);
    for (size_t i = 0; status == ADMMNN_OK && i < run->train_count; i++)
        if (fold_of(run, i) == run->at.iteration)
            memcpy(run->fold_answers + run->order[i] * classes, logits + run->order[i] * classes,
                   classes * sizeof *logits);
    base_free(logits);
    return status;
}
