#include "train/network.h"

#include <string.h>

#include "base/memory.h"
#include "data/feed.h"

admmnn_status train_network_create(const graph *g, const float *params, base_pool *pool,
                                   const engine_settings *settings, train_network **out,
                                   admmnn_error *err) {
    train_network *n = base_array(1, sizeof *n);
    if (n == NULL)
        return base_fail_memory(err, "a network");
    *n = (train_network){
        .g = g, .pool = pool, .batch = settings->max_batch, .active_count = g->flat_count};
    n->params = base_array_copy(params, g->flat_count, sizeof *params);
    if (n->params == NULL) {
        train_network_free(n);
        return base_fail_memory(err, "the parameters");
    }
    admmnn_status status = engine_create(g, settings, pool, &n->engine, err);
    if (status != ADMMNN_OK) {
        train_network_free(n);
        return status;
    }
    *out = n;
    return ADMMNN_OK;
}

void train_network_free(train_network *n) {
    if (n == NULL)
        return;
    engine_destroy(n->engine);
    base_free(n->support);
    base_free(n->params);
    base_free(n);
}

train_range train_network_range(const train_network *n, const graph_parameter *p) {
    if (n->support == NULL)
        return (train_range){p->offset, p->count};
    const size_t first = base_array_below(n->support, n->active_count, p->offset);
    const size_t end = base_array_below(n->support, n->active_count, p->offset + p->count);
    return (train_range){first, end - first};
}

void train_network_expand(const train_network *n, const float *active, float *flat) {
    if (n->support == NULL) {
        memcpy(flat, active, n->active_count * sizeof *flat);
        return;
    }
    memset(flat, 0, n->g->flat_count * sizeof *flat);
    for (size_t i = 0; i < n->active_count; i++)
        flat[n->support[i]] = active[i];
}

void train_network_compact(const train_network *n, const float *flat, float *active) {
    if (n->support == NULL) {
        memcpy(active, flat, n->active_count * sizeof *flat);
        return;
    }
    for (size_t i = 0; i < n->active_count; i++)
        active[i] = flat[n->support[i]];
}

static size_t *places_of(const graph *g, const uint8_t *mask, size_t *count) {
    *count = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++)
            *count += mask[g->parameters[p].offset + i] != 0;
    size_t *places = base_array(*count, sizeof *places);
    size_t at = 0;
    for (uint32_t p = 0; places != NULL && p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        for (size_t i = parameter->offset; i < parameter->offset + parameter->count; i++)
            if (mask[i] != 0)
                places[at++] = i;
    }
    return places;
}

/* Another support, with the parameters of all places that it keeps. */
static admmnn_status take_support(train_network *n, const float *flat, size_t *support,
                                  size_t count, admmnn_error *err) {
    float *active = base_array(count, sizeof *active);
    if (active == NULL)
        return base_fail_memory(err, "the support");
    const admmnn_status status =
        engine_set_support(n->engine, support, support == NULL ? 0 : count, err);
    if (status != ADMMNN_OK) {
        base_free(active);
        return status;
    }
    base_free(n->support);
    n->support = support;
    n->active_count = count;
    train_network_compact(n, flat, active);
    base_free(n->params);
    n->params = active;
    return ADMMNN_OK;
}

/* Without a support the parameters are flat already. */
admmnn_status train_network_restrict(train_network *n, const uint8_t *mask, admmnn_error *err) {
    const bool sparse = n->support != NULL;
    float *expanded = sparse ? base_array(n->g->flat_count, sizeof *expanded) : NULL;
    size_t count = n->g->flat_count;
    size_t *support = mask == NULL ? NULL : places_of(n->g, mask, &count);
    if (sparse && expanded != NULL)
        train_network_expand(n, n->params, expanded);
    const bool whole = (!sparse || expanded != NULL) && (mask == NULL || support != NULL);
    const admmnn_status status =
        whole ? take_support(n, sparse ? expanded : n->params, support, count, err)
              : base_fail_memory(err, "the support");
    base_free(expanded);
    if (status != ADMMNN_OK)
        base_free(support);
    return status;
}

/* ---- evaluation ---- */

typedef struct evaluation {
    data_feed *feed;
    float *scores; /* [batch][classes] */
    uint16_t *labels;
    size_t classes, count; /* of the images that were whole */
    engine_loss_sum sum;
} evaluation;

static void evaluation_free(evaluation *e) {
    data_feed_close(e->feed);
    base_free(e->scores);
    base_free(e->labels);
}

/* Drops the answers to images that stand in for damaged ones. */
static size_t keep_asked(evaluation *e, const data_view *asked, size_t first,
                         const data_view *batch, size_t size) {
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        const size_t image = data_view_image(batch, i);
        if (image != data_view_image(asked, first + i))
            continue;
        if (kept != i)
            memcpy(e->scores + kept * e->classes, e->scores + i * e->classes,
                   e->classes * sizeof *e->scores);
        e->labels[kept++] = batch->set->labels[image];
    }
    return kept;
}

static admmnn_status evaluate_all(train_network *n, const float *params, const data_view *asked,
                                  evaluation *e, admmnn_error *err) {
    size_t first = 0;
    data_view view;
    size_t size;
    BASE_TRY(data_feed_next(e->feed, &view, &size, err));
    while (size > 0) {
        engine_batch batch = {.count = size, .fill = data_view_fill, .user = &view};
        BASE_TRY(engine_forward(n->engine, params, &batch, e->scores, err));
        const size_t kept = keep_asked(e, asked, first, &view, size);
        engine_loss_layout layout = {kept, e->classes, e->classes, 1};
        engine_loss_add(n->loss, &layout, e->scores, e->labels, NULL, e->scores, &e->sum);
        e->count += kept;
        first += size;
        BASE_TRY(data_feed_next(e->feed, &view, &size, err));
    }
    return ADMMNN_OK;
}

admmnn_status train_network_evaluate(train_network *n, const float *params, const data_set *set,
                                     const uint32_t *order, size_t count, data_tones tones,
                                     train_score *score, admmnn_error *err) {
    const data_view asked = {.set = set, .order = order, .tones = tones};
    evaluation e = {.classes = graph_value_count(n->g, n->g->output)};
    e.scores = base_array(n->batch * e.classes, sizeof *e.scores);
    e.labels = base_array(n->batch, sizeof *e.labels);
    admmnn_status status =
        e.scores == NULL || e.labels == NULL ? base_fail_memory(err, "an evaluation") : ADMMNN_OK;
    if (status == ADMMNN_OK)
        status = data_feed_open(&asked, count, n->batch, base_pool_threads(n->pool), &e.feed, err);
    if (status == ADMMNN_OK)
        status = evaluate_all(n, params, &asked, &e, err);
    const double images = e.count == 0 ? 1.0 : (double)e.count;
    *score = (train_score){.count = e.count,
                           .correct = e.sum.correct,
                           .accuracy = (double)e.sum.correct / images,
                           .loss = e.sum.loss / images};
    evaluation_free(&e);
    return status;
}

static admmnn_status answer_all(train_network *n, data_feed *feed, float *logits,
                                admmnn_error *err) {
    const size_t classes = graph_value_count(n->g, n->g->output);
    data_view view;
    size_t size;
    BASE_TRY(data_feed_next(feed, &view, &size, err));
    while (size > 0) {
        engine_batch batch = {.count = size, .fill = data_view_fill, .user = &view};
        BASE_TRY(engine_forward(n->engine, n->params, &batch, logits, err));
        logits += size * classes;
        BASE_TRY(data_feed_next(feed, &view, &size, err));
    }
    return ADMMNN_OK;
}

admmnn_status train_network_answer(train_network *n, const data_view *view, size_t count,
                                   float *logits, admmnn_error *err) {
    data_feed *feed;
    BASE_TRY(data_feed_open(view, count, n->batch, base_pool_threads(n->pool), &feed, err));
    const admmnn_status status = answer_all(n, feed, logits, err);
    data_feed_close(feed);
    return status;
}
