#include "compress/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compress/finish.h"
#include "compress/rank.h"

/* The dense control of a comparison: pruning that keeps all. */
static bool keeps_all(const recipe *r) {
    return r->prune.round_count == 1 && r->prune.rounds[0] == 1;
}

/* The controls of ADMM go through its stages. */
const char *run_stage_text(const compress_run *run) {
    static const char *const text[] = {
#define STAGE_TEXT(name, text) text,
        RUN_STAGE_MAP(STAGE_TEXT)
#undef STAGE_TEXT
    };
    if (run->at.stage == RUN_PRUNE_ADMM && run->r->prune.method != RECIPE_PRUNE_ADMM)
        return "pruning";
    if (run->at.stage == RUN_QUANTIZE_ADMM && run->r->quantize.method != RECIPE_QUANTIZE_ADMM)
        return "quantization";
    if (run->at.stage == RUN_RETRAIN && keeps_all(run->r))
        return "further training";
    if (run->at.stage == RUN_DENSE && run->r->model_path[0] != 0)
        return run->r->training.epochs > 0 ? "fine-tuning" : "imported network";
    return text[run->at.stage];
}

void run_task_text(const compress_run *run, char *text, size_t size) {
    const char *stage = run_stage_text(run);
    bool pruning = run->at.stage == RUN_PRUNE_ADMM || run->at.stage == RUN_RETRAIN;
    if (pruning && !keeps_all(run->r))
        snprintf(text, size, "%s, round %u/%zu (%.0fx)", stage, run->at.round + 1,
                 run->r->prune.round_count, run->r->prune.rounds[run->at.round]);
    else
        snprintf(text, size, "%s", stage);
}

double run_seconds(const compress_run *run) {
    return run->seconds_before + base_seconds() - run->seconds_start;
}

/* The engine is made once, for the largest batch of any stretch. */
static uint32_t largest_batch(const recipe *r) {
    const uint32_t batches[] = {
        r->training.batch,     r->prune.admm.training.batch,    r->prune.retrain.batch,
        r->prune.finish.batch, r->quantize.admm.training.batch, r->quantize.retrain.batch};
    uint32_t largest = 1;
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
        largest = batches[i] > largest ? batches[i] : largest;
    return largest;
}

/* What is wrong with the test part is said before the training; nothing is
 * measured on it here. */
static admmnn_status check_test(const compress_run *run, admmnn_error *err) {
    data_set test;
    BASE_TRY(run_open_test(run, &test, err));
    data_set_free(&test);
    return ADMMNN_OK;
}

/* What it begins with is the dense network's no more. */
static admmnn_status create_network(compress_run *run, admmnn_error *err) {
    const engine_settings settings = {
        .backend = run->r->backend, .max_batch = run->batch, .training = true};
    BASE_TRY(run_draw_weights(run, err));
    const admmnn_status made =
        train_network_create(run->g, run->dense, run->pool, &settings, &run->network, err);
    base_free(run->dense);
    run->dense = NULL;
    const bool own = made == ADMMNN_UNSUPPORTED && run->r->backend != ENGINE_AUTO;
    return own ? base_fail_within(err, made, "%s:%u: backend", run->r->path, run->r->backend_line)
               : made;
}

static admmnn_status open_network(compress_run *run, admmnn_error *err) {
    BASE_TRY(run_make_graph(run, err));
    BASE_TRY(recipe_check(run->r, run->g, run->labels, err));
    BASE_TRY(run_check_memory(run, base_memory_size(), err));
    size_t flat = run->g->flat_count;
    run->layer_count = graph_layer_count(run->g);
    run->mask = base_array(flat, 1);
    run->rho = base_array(run->g->parameter_count, sizeof *run->rho);
    run->layers = base_array(run->layer_count, sizeof *run->layers);
    if (run->mask == NULL || run->rho == NULL || run->layers == NULL)
        return base_fail_memory(err, "the run");
    memset(run->mask, 1, flat);
    for (uint32_t l = 0; l < run->layer_count; l++)
        run->layers[l].node = graph_layer(run->g, l);
    return create_network(run, err);
}

admmnn_status run_create(const recipe *r, const admmnn_context *context, compress_run **out,
                         admmnn_error *err) {
    compress_run *run = base_array(1, sizeof *run);
    if (run == NULL)
        return base_fail_memory(err, "the run");
    run->r = r;
    run->context = context;
    run->batch = largest_batch(r);
    run->scores = (run_scores){-1, -1, -1, -1, -1, -1};
    run->seconds_start = base_seconds();
    admmnn_status status = base_pool_create(context->threads, &run->pool, err);
    if (status == ADMMNN_OK)
        status = run_read_model(run, err);
    if (status == ADMMNN_OK)
        status = run_open_data(run, err);
    if (status == ADMMNN_OK)
        status = check_test(run, err);
    if (status == ADMMNN_OK)
        status = open_network(run, err);
    if (status == ADMMNN_OK)
        status = run_begin(run, RUN_DENSE, err);
    if (status != ADMMNN_OK) {
        run_free(run);
        return status;
    }
    *out = run;
    return ADMMNN_OK;
}

void run_free(compress_run *run) {
    if (run == NULL)
        return;
    admm_free(run->admm);
    run_curvature_free(run);
    train_optimizer_free(run->optimizer);
    train_network_free(run->network);
    data_set_free(&run->train);
    graph_free(run->g);
    onnx_labels_free(run->labels);
    base_free(run->order);
    base_free(run->mask);
    base_free(run->dense);
    base_free(run->pruned);
    base_free(run->importance);
    base_free(run->average);
    base_free(run->fixed);
    base_free(run->rho);
    run_answers_free(&run->answers);
    base_free(run->layers);
    base_writer_free(&run->log);
    base_pool_destroy(run->pool);
    base_free(run);
}

static const recipe_training *training_of(const compress_run *run) {
    const recipe *r = run->r;
    switch (run->at.stage) {
    case RUN_PRUNE_ADMM:
        return &r->prune.admm.training;
    case RUN_RETRAIN:
        return run->at.round + 1 < r->prune.round_count ? &r->prune.retrain : &r->prune.finish;
    case RUN_QUANTIZE_ADMM:
        return &r->quantize.admm.training;
    case RUN_BITS:
    case RUN_QUANTIZE_TRAIN:
        return &r->quantize.retrain;
    default:
        return &r->training;
    }
}

admmnn_status run_begin(compress_run *run, run_stage stage, admmnn_error *err) {
    run->at.stage = stage;
    run->at.epoch = 0;
    run->at.iteration = 0;
    run->at.stream++;
    run->averaged = 0;
    base_free(run->average);
    run->average = NULL;
    train_optimizer_free(run->optimizer);
    run->optimizer = NULL;
    if (stage == RUN_DONE)
        return ADMMNN_OK;
    const recipe_training *training = training_of(run);
    run->network->loss = training->loss;
    train_optimizer_settings settings = {.kind = training->optimizer,
                                         .momentum = (float)training->momentum,
                                         .weight_decay = (float)training->weight_decay};
    return train_optimizer_create(&settings, run->network->active_count, &run->optimizer, err);
}

/* Relative cost of an epoch at a pruning ratio: what does not depend on the
 * weights (images, pooling, moments) is about a sixth of a dense epoch. */
static double epoch_cost(double ratio) {
    return 1.0 / 6.0 + (5.0 / 6.0) / ratio;
}

typedef struct work_sum {
    double all, before;
    double each; /* of the current stage */
} work_sum;

/* each: of an epoch. */
static void add_work(work_sum *sum, const compress_run *run, run_stage stage, uint32_t round,
                     double epochs, double each) {
    bool earlier = run->at.stage == RUN_PRUNE_ADMM || run->at.stage == RUN_RETRAIN
                       ? round < run->at.round || stage == RUN_DENSE ||
                             (round == run->at.round && stage < run->at.stage)
                       : stage < run->at.stage;
    sum->all += epochs * each;
    if (earlier)
        sum->before += epochs * each;
    if (stage == run->at.stage && round == run->at.round)
        sum->each = each;
}

void run_progress(const compress_run *run, double *from, double *each) {
    const recipe *r = run->r;
    work_sum sum = {0};
    add_work(&sum, run, RUN_DENSE, 0, r->training.epochs, epoch_cost(1));
    double cost = epoch_cost(1);
    for (uint32_t k = 0; r->prune.method != RECIPE_PRUNE_NONE && k < r->prune.round_count; k++) {
        const recipe_training *t =
            k + 1 < r->prune.round_count ? &r->prune.retrain : &r->prune.finish;
        add_work(&sum, run, RUN_PRUNE_ADMM, k,
                 (double)r->prune.admm.iterations * r->prune.admm.epochs,
                 r->prune.x_step == RECIPE_X_CURVATURE ? epoch_cost(1) * r->prune.curvature_share
                                                       : cost);
        cost = epoch_cost(r->prune.rounds[k]);
        add_work(&sum, run, RUN_RETRAIN, k, t->epochs, cost);
    }
    if (r->quantize.enabled) {
        add_work(&sum, run, RUN_BITS, run->at.round, run_bits_epochs(run), cost);
        add_work(&sum, run, RUN_QUANTIZE_ADMM, run->at.round,
                 (double)r->quantize.admm.iterations * r->quantize.admm.epochs, cost);
        add_work(&sum, run, RUN_QUANTIZE_TRAIN, run->at.round, r->quantize.retrain.epochs, cost);
    }
    *each = sum.all > 0 ? sum.each / sum.all : 0;
    double done = run->at.stage == RUN_BITS ? run_bits_done(run) : run->at.epoch;
    *from = sum.all > 0 ? sum.before / sum.all + done * *each : 0;
}

admmnn_status run_validate(compress_run *run, const float *params, train_score *score,
                           admmnn_error *err) {
    BASE_TRY(train_network_evaluate(run->network, params, &run->train,
                                    run->order + run->train_count, run->validation_count,
                                    run->tones, score, err));
    if (isfinite(score->loss))
        return ADMMNN_OK;
    /* Parameters may be finite, but so large that the outputs are not. */
    return base_fail(err, ADMMNN_DIVERGED,
                     "%s: the validation loss is not finite; lower the learning rate",
                     run_stage_text(run));
}

static admmnn_status keep_score(void *user, uint32_t epoch, const train_score *score,
                                admmnn_error *err) {
    (void)epoch;
    (void)err;
    *(train_score *)user = *score;
    return ADMMNN_OK;
}

/* The epoch that the run is at. */
static train_settings settings_of(const compress_run *run, const recipe_training *training,
                                  run_schedule schedule, const char *task) {
    return (train_settings){.task = task,
                            .epochs = 1,
                            .batch = training->batch,
                            .schedule = training->schedule,
                            .learning_rate = training->learning_rate,
                            .label_smoothing = training->label_smoothing,
                            .distill = training->distill,
                            .temperature = training->temperature,
                            .augment = training->augment,
                            .seed = run->r->seed,
                            .stream = run->at.stream,
                            .first_epoch = run->at.epoch,
                            .schedule_epochs = schedule.epochs,
                            .schedule_before = schedule.before};
}

static admmnn_status train_epoch(compress_run *run, const train_settings *settings,
                                 const train_hooks *hooks, admmnn_error *err) {
    const train_teacher teacher = run_teacher(run);
    const train_samples samples = {.set = &run->train,
                                   .order = run->order,
                                   .count = run->train_count,
                                   .tones = run->tones,
                                   .teacher = teacher.logits == NULL ? NULL : &teacher};
    const double start = base_seconds();
    BASE_TRY(train_run(run->network, run->optimizer, &samples, settings, hooks, run->context, err));
    run->stage_seconds[run->at.stage] += base_seconds() - start;
    run->at.trained++;
    return ADMMNN_OK;
}

/* With the coming epoch's place in the run. */
static train_hooks hooks_of(const compress_run *run, const train_hooks *hooks) {
    train_hooks all = {0};
    if (hooks != NULL)
        all = *hooks;
    double each;
    run_progress(run, &all.run_from, &each);
    all.run_to = all.run_from + each;
    all.note = run->note;
    return all;
}

/* Other images in each iteration, as long as there are others. */
static train_samples measured_samples(const compress_run *run) {
    const double share = run->r->prune.curvature_share * (double)run->train_count;
    const size_t count = share < 1 ? 1 : (size_t)share;
    const size_t first = run->at.iteration * count % run->train_count;
    const size_t most = run->train_count - count;
    return (train_samples){.set = &run->train,
                           .order = run->order + (first < most ? first : most),
                           .count = count,
                           .tones = run->tones};
}

admmnn_status run_measure(compress_run *run, const recipe_training *training,
                          const train_hooks *hooks, admmnn_error *err) {
    const train_hooks all = hooks_of(run, hooks);
    const train_samples samples = measured_samples(run);
    char task[96];
    run_task_text(run, task, sizeof task);
    const train_settings settings = settings_of(run, training, (run_schedule){0, 1}, task);
    const double start = base_seconds();
    BASE_TRY(train_run(run->network, run->optimizer, &samples, &settings, &all, run->context, err));
    run->stage_seconds[run->at.stage] += base_seconds() - start;
    return ADMMNN_OK;
}

admmnn_status run_epoch(compress_run *run, const recipe_training *training, run_schedule schedule,
                        const train_hooks *hooks, admmnn_error *err) {
    train_score score;
    train_hooks all = hooks_of(run, hooks);
    all.user = &score;
    all.epoch_done = keep_score;
    char task[96];
    run_task_text(run, task, sizeof task);
    const train_settings settings = settings_of(run, training, schedule, task);
    BASE_TRY(run_ask_teacher(run, training, err));
    BASE_TRY(train_epoch(run, &settings, &all, err));
    train_score validation;
    /* With an anchor what comes after a step is ADMM's, and the weights are on no levels yet. */
    const bool quantized = all.fixed != NULL || all.forward_at != NULL ||
                           (all.after_step != NULL && all.anchor == NULL);
    admmnn_status status = quantized ? run_validate_quantized(run, &validation, err)
                                     : run_validate(run, run->network->params, &validation, err);
    if (status != ADMMNN_OK)
        return base_fail_within(err, status, "epoch %u", run->at.epoch + 1);
    run_log_epoch(run, &score, &validation);
    return ADMMNN_OK;
}

admmnn_status run_flat_params(const compress_run *run, float **flat, admmnn_error *err) {
    *flat = base_array(run->g->flat_count, sizeof **flat);
    if (*flat == NULL)
        return base_fail_memory(err, "the parameters");
    train_network_expand(run->network, run->network->params, *flat);
    return ADMMNN_OK;
}

admmnn_status run_look_flat(const compress_run *run, float **own, const float **flat,
                            admmnn_error *err) {
    *own = NULL;
    *flat = run->network->params;
    if (run->network->support == NULL)
        return ADMMNN_OK;
    BASE_TRY(run_flat_params(run, own, err));
    *flat = *own;
    return ADMMNN_OK;
}

const float *run_pruned(const compress_run *run) {
    return run->pruned == NULL ? run->dense : run->pruned;
}

/* Places in the active form are others then: of moments and of what is fixed too. */
admmnn_status run_apply_mask(compress_run *run, const float *params, admmnn_error *err) {
    train_network *n = run->network;
    train_optimizer_free(run->optimizer);
    run->optimizer = NULL;
    base_free(run->fixed);
    run->fixed = NULL;
    BASE_TRY(train_network_restrict(n, run->mask, err));
    run->sparse = true;
    train_network_compact(n, params, n->params);
    return ADMMNN_OK;
}

admmnn_status run_cut_zeros(compress_run *run, shrink_care care, float *params, admmnn_error *err) {
    const size_t fixed_before = run_fixed_classes(run);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_parameter *weight = run_weight(run, l);
        for (size_t i = weight->offset; i < weight->offset + weight->count; i++)
            run->mask[i] = params[i] != 0.0F;
    }
    BASE_TRY(shrink_remove_dead(run->g, care, run->mask, params, err));
    run_warn_of_fixed_classes(run, fixed_before);
    return run_apply_mask(run, params, err);
}

admmnn_status run_keep_importance(compress_run *run, admmnn_error *err) {
    const float *second = train_optimizer_second(run->optimizer);
    if (second == NULL || run->at.epoch == 0)
        return ADMMNN_OK;
    if (run->importance == NULL)
        run->importance = base_array(run->g->flat_count, sizeof *run->importance);
    if (run->importance == NULL)
        return base_fail_memory(err, "the weights' importance");
    train_network_expand(run->network, second, run->importance);
    return ADMMNN_OK;
}

static admmnn_status after_dense(compress_run *run, admmnn_error *err) {
    train_score score;
    BASE_TRY(run_validate(run, run->network->params, &score, err));
    run->scores.dense = score.accuracy;
    run->scores.pruned = score.accuracy; /* what quantization starts from without pruning */
    run_log_event(run, "dense", &score);
    BASE_TRY(run_flat_params(run, &run->dense, err));
    BASE_TRY(run_keep_importance(run, err));
    if (run->r->prune.method == RECIPE_PRUNE_NONE)
        return run_begin_quantize(run, err);
    return run_begin_round(run, err);
}

static admmnn_status tick_dense(compress_run *run, admmnn_error *err) {
    const recipe_training *training = &run->r->training;
    if (run->at.epoch < training->epochs) {
        BASE_TRY(run_epoch(run, training, (run_schedule){0, training->epochs}, NULL, err));
        run->at.epoch++;
        return run_average(run, training->average, training->epochs,
                           training->epochs - run->at.epoch, err);
    }
    return after_dense(run, err);
}

admmnn_status run_tick(compress_run *run, admmnn_error *err) {
    switch (run->at.stage) {
    case RUN_DENSE:
        return tick_dense(run, err);
    case RUN_PRUNE_ADMM:
    case RUN_RETRAIN:
        return run_tick_prune(run, err);
    case RUN_BITS:
        return run_tick_bits(run, err);
    case RUN_QUANTIZE_ADMM:
        return run_tick_quantize_admm(run, err);
    case RUN_QUANTIZE_TRAIN:
        return run_tick_quantize_train(run, err);
    case RUN_DONE:
        break;
    }
    return ADMMNN_OK;
}
