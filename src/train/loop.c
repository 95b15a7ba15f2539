#include "train/loop.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/feed.h"
#include "graph/reader.h"

/* Everything one stretch works with. */
typedef struct loop {
    train_network *network;
    train_optimizer *optimizer;
    const train_samples *samples;
    const train_settings *settings;
    const train_hooks *hooks;
    const admmnn_context *context;
    uint32_t *order;
    uint16_t *labels;
    float *targets; /* NULL: one-hot */
    float *at;      /* what the hooks' forward_at makes; NULL: they have none */
    float *answers; /* [batch][classes] the network's own, to draw labels from; NULL: given ones */
    train_segment *segments;
    size_t segment_count;
    size_t classes, steps;
} loop;

static void loop_free(loop *l) {
    base_free(l->order);
    base_free(l->labels);
    base_free(l->targets);
    base_free(l->at);
    base_free(l->answers);
    base_free(l->segments);
}

/* A bias without a gradient stays: of what rounding leaves, Adam would make steps as large
 * as any. */
static train_motion motion_of(const graph *g, const graph_parameter *parameter) {
    if (!graph_parameter_is_trained(parameter))
        return TRAIN_FOLLOW;
    const bool still = parameter->kind == GRAPH_BIAS && parameter->node != GRAPH_NONE &&
                       graph_bias_is_void(g, parameter->node);
    return still ? TRAIN_STAY : TRAIN_DESCEND;
}

/* One segment a parameter of the graph, in the active vector's places. */
static void make_segments(loop *l) {
    const train_network *n = l->network;
    for (uint32_t p = 0; p < n->g->parameter_count; p++) {
        const graph_parameter *parameter = &n->g->parameters[p];
        const train_range range = train_network_range(n, parameter);
        l->segments[l->segment_count++] =
            (train_segment){.offset = range.first,
                            .count = range.count,
                            .motion = motion_of(n->g, parameter),
                            .momentum = graph_parameter_is_trained(parameter)
                                            ? 0.0F
                                            : n->g->nodes[parameter->node].normalization.momentum,
                            .rho = l->hooks->rho == NULL ? 0.0F : l->hooks->rho[p],
                            .decay = parameter->kind == GRAPH_WEIGHT};
    }
}

static admmnn_status loop_prepare(loop *l, admmnn_error *err) {
    const train_settings *s = l->settings;
    if (s->batch == 0 || l->samples->count == 0)
        return base_fail(err, ADMMNN_USAGE, "%s: %zu images in batches of %u cannot be trained on",
                         s->task, l->samples->count, s->batch);
    l->classes = graph_value_count(l->network->g, l->network->g->output);
    l->steps = (l->samples->count + s->batch - 1) / s->batch;
    l->order = base_array(l->samples->count, sizeof *l->order);
    l->labels = base_array(s->batch, sizeof *l->labels);
    l->segments = base_array(l->network->g->parameter_count, sizeof *l->segments);
    bool drawn = l->hooks->measure != NULL;
    bool soft =
        !drawn && (s->label_smoothing > 0 || (s->distill > 0 && l->samples->teacher != NULL));
    if (soft)
        l->targets = base_array(s->batch * l->classes, sizeof *l->targets);
    bool elsewhere = l->hooks->forward_at != NULL;
    if (elsewhere)
        l->at = base_array(l->network->active_count, sizeof *l->at);
    if (drawn)
        l->answers = base_array(s->batch * l->classes, sizeof *l->answers);
    if (l->order == NULL || l->labels == NULL || l->segments == NULL ||
        (soft && l->targets == NULL) || (elsewhere && l->at == NULL) ||
        (drawn && l->answers == NULL))
        return base_fail_memory(err, "the training loop");
    make_segments(l);
    return ADMMNN_OK;
}

/* target += share * softmax(logits / temperature) */
static void add_softened(const float *logits, size_t classes, float temperature, float share,
                         float *target) {
    float largest = logits[0];
    for (size_t c = 1; c < classes; c++)
        largest = logits[c] > largest ? logits[c] : largest;
    float sum = 0.0F;
    for (size_t c = 0; c < classes; c++)
        sum += expf((logits[c] - largest) / temperature);
    for (size_t c = 0; c < classes; c++)
        target[c] += share * expf((logits[c] - largest) / temperature) / sum;
}

uint32_t train_teacher_version(const train_teacher *teacher, uint32_t epoch) {
    return teacher->versions == 0 ? 0 : (epoch + teacher->shown) % teacher->versions;
}

/* The teacher's logits in this epoch; NULL: none. */
static const float *answers_of(const loop *l, uint32_t epoch) {
    const train_teacher *teacher = l->samples->teacher;
    if (teacher == NULL || l->settings->distill == 0.0)
        return NULL;
    return teacher->logits +
           train_teacher_version(teacher, epoch) * l->samples->set->count * l->classes;
}

static void fill_labels(const loop *l, const data_view *view, size_t count) {
    for (size_t i = 0; i < count; i++)
        l->labels[i] = view->set->labels[data_view_image(view, i)];
}

/* A class by the softmax of the logits. */
static uint16_t draw_class(const float *logits, size_t classes, base_random *random) {
    float largest = logits[0];
    for (size_t c = 1; c < classes; c++)
        largest = logits[c] > largest ? logits[c] : largest;
    float sum = 0.0F;
    for (size_t c = 0; c < classes; c++)
        sum += expf(logits[c] - largest);
    float left = base_random_uniform(random) * sum;
    size_t c = 0;
    for (; c + 1 < classes; c++) {
        left -= expf(logits[c] - largest);
        if (left < 0.0F)
            break;
    }
    return (uint16_t)c;
}

/* In the place of the given ones. */
static admmnn_status draw_labels(loop *l, const engine_batch *batch, admmnn_error *err) {
    const train_network *n = l->network;
    base_random random = base_random_at(batch->seed, 0x6c6162656cU, batch->step);
    BASE_TRY(engine_forward(n->engine, n->params, batch, l->answers, err));
    for (size_t i = 0; i < batch->count; i++)
        l->labels[i] = draw_class(l->answers + i * l->classes, l->classes, &random);
    return ADMMNN_OK;
}

static void fill_targets(const loop *l, uint32_t epoch, const data_view *view, size_t count) {
    const float *answers = answers_of(l, epoch);
    const float temperature =
        l->settings->temperature == 0.0 ? 1.0F : (float)l->settings->temperature;
    const float smoothing = (float)l->settings->label_smoothing;
    const float teacher = answers == NULL ? 0.0F : (float)l->settings->distill;
    const float hard = (1.0F - teacher) * (1.0F - smoothing);
    const float uniform = (1.0F - teacher) * smoothing / (float)l->classes;
    for (size_t i = 0; i < count; i++) {
        float *target = l->targets + i * l->classes;
        for (size_t c = 0; c < l->classes; c++)
            target[c] = uniform;
        if (answers != NULL)
            add_softened(answers + data_view_image(view, i) * l->classes, l->classes, temperature,
                         teacher, target);
        target[l->labels[i]] += hard;
    }
}

/* Version `epoch` of every image, or the one the teacher answered. */
static void choose_distortions(const loop *l, uint32_t epoch, data_view *view) {
    const train_settings *s = l->settings;
    const train_teacher *teacher = l->samples->teacher;
    view->augmentation = s->augment;
    view->seed = s->seed ^ (s->stream << 32);
    view->epoch = epoch;
    if (teacher == NULL || teacher->versions == 0 || s->distill == 0.0)
        return;
    view->seed = teacher->seed;
    view->epoch = train_teacher_version(teacher, epoch);
}

/* The gradient, at the parameters or at what the hook makes of them. */
static admmnn_status compute(loop *l, const engine_batch *batch, engine_result *result,
                             admmnn_error *err) {
    const train_hooks *h = l->hooks;
    const float *params = l->network->params;
    if (h->forward_at != NULL)
        BASE_TRY(h->forward_at(h->step_user, params, l->at, err));
    return engine_step(l->network->engine, h->forward_at != NULL ? l->at : params, batch, result,
                       err);
}

static admmnn_status one_step(loop *l, data_feed *feed, uint32_t epoch, size_t step, double done,
                              engine_result *result, admmnn_error *err) {
    const train_settings *s = l->settings;
    data_view view;
    size_t count;
    BASE_TRY(data_feed_next(feed, &view, &count, err));
    fill_labels(l, &view, count);
    if (l->targets != NULL)
        fill_targets(l, epoch, &view, count);
    engine_batch batch = {.count = count,
                          .fill = data_view_fill,
                          .user = &view,
                          .labels = l->labels,
                          .targets = l->targets,
                          .loss = l->network->loss,
                          .seed = s->seed ^ (s->stream << 32),
                          .step = (uint64_t)epoch * l->steps + step};
    if (l->answers != NULL)
        BASE_TRY(draw_labels(l, &batch, err));
    BASE_TRY(compute(l, &batch, result, err));
    if (!isfinite(result->loss))
        return base_fail(err, ADMMNN_DIVERGED, "%s: the loss is not finite at epoch %u, step %zu%s",
                         s->task, epoch + 1, step + 1,
                         l->hooks->measure != NULL ? "" : "; lower the learning rate");
    if (l->hooks->measure != NULL)
        return l->hooks->measure(l->hooks->step_user, result, err);
    train_update update = {.parts = result->parts,
                           .part_count = result->part_count,
                           .scale = 1.0F / (float)count,
                           .learning_rate =
                               (float)train_schedule_rate(s->schedule, s->learning_rate, done),
                           .anchor = l->hooks->anchor,
                           .unpenalized = l->hooks->unpenalized,
                           .fixed = l->hooks->fixed,
                           .segments = l->segments,
                           .segment_count = l->segment_count};
    train_optimizer_step(l->optimizer, l->network->pool, &update, l->network->params);
    return l->hooks->after_step == NULL ? ADMMNN_OK
                                        : l->hooks->after_step(l->hooks->step_user, step + 1,
                                                               l->steps, l->network->params, err);
}

static void report(const loop *l, uint32_t done_epochs, size_t step) {
    const train_settings *s = l->settings;
    uint64_t all = (uint64_t)s->epochs * l->samples->count;
    uint64_t done = (uint64_t)done_epochs * l->samples->count + (uint64_t)step * s->batch;
    double share = (double)done / (double)all;
    admmnn_progress progress = {.task = s->task,
                                .unit = "images",
                                .done = done < all ? done : all,
                                .total = all,
                                .note = l->hooks->note,
                                .run_done = l->hooks->run_from +
                                            share * (l->hooks->run_to - l->hooks->run_from)};
    base_progress(l->context, &progress);
}

/* A rectifier may swallow what is not a number, so that the loss alone is no
 * proof that the parameters are sound. */
static admmnn_status check_parameters(const loop *l, uint32_t epoch, admmnn_error *err) {
    const train_network *n = l->network;
    for (size_t i = 0; i < n->active_count; i++)
        if (!isfinite(n->params[i]))
            return base_fail(
                err, ADMMNN_DIVERGED,
                "%s: a parameter is not finite after epoch %u; lower the learning rate",
                l->settings->task, epoch + 1);
    return ADMMNN_OK;
}

static admmnn_status all_steps(loop *l, data_feed *feed, uint32_t k, train_score *score,
                               admmnn_error *err) {
    const train_settings *s = l->settings;
    uint32_t epoch = s->first_epoch + k;
    uint32_t of = s->schedule_epochs == 0 ? s->first_epoch + s->epochs : s->schedule_epochs;
    for (size_t step = 0; step < l->steps; step++) {
        if (base_cancelled(l->context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request during %s", s->task);
        double done = ((double)(s->schedule_before + epoch) * (double)l->steps + (double)step) /
                      ((double)of * (double)l->steps);
        engine_result result;
        BASE_TRY(one_step(l, feed, epoch, step, done, &result, err));
        score->loss += result.loss / (double)l->samples->count;
        score->correct += result.correct;
        if (step % 32 == 0)
            report(l, k, step);
    }
    return ADMMNN_OK;
}

static admmnn_status one_epoch(loop *l, uint32_t k, train_score *score, admmnn_error *err) {
    const train_settings *s = l->settings;
    uint32_t epoch = s->first_epoch + k;
    memcpy(l->order, l->samples->order, l->samples->count * sizeof *l->order);
    base_random random = base_random_at(s->seed, 0x6f72646572U + s->stream, epoch);
    base_random_shuffle(&random, l->order, l->samples->count);
    *score = (train_score){.count = l->samples->count};
    data_view view = {.set = l->samples->set, .order = l->order, .tones = l->samples->tones};
    choose_distortions(l, epoch, &view);
    data_feed *feed;
    BASE_TRY(data_feed_open(&view, l->samples->count, s->batch, base_pool_threads(l->network->pool),
                            &feed, err));
    const admmnn_status status = all_steps(l, feed, k, score, err);
    data_feed_close(feed);
    BASE_TRY(status);
    score->accuracy = (double)score->correct / (double)score->count;
    return check_parameters(l, epoch, err);
}

admmnn_status train_run(train_network *network, train_optimizer *optimizer,
                        const train_samples *samples, const train_settings *settings,
                        const train_hooks *hooks, const admmnn_context *context,
                        admmnn_error *err) {
    static const train_hooks none = {0};
    loop l = {.network = network,
              .optimizer = optimizer,
              .samples = samples,
              .settings = settings,
              .hooks = hooks == NULL ? &none : hooks,
              .context = context};
    admmnn_status status = loop_prepare(&l, err);
    for (uint32_t k = 0; k < settings->epochs && status == ADMMNN_OK; k++) {
        train_score score;
        status = one_epoch(&l, k, &score, err);
        if (status == ADMMNN_OK && l.hooks->epoch_done != NULL)
            status = l.hooks->epoch_done(l.hooks->user, settings->first_epoch + k, &score, err);
    }
    if (status == ADMMNN_OK)
        report(&l, settings->epochs, 0);
    loop_free(&l);
    return status;
}
