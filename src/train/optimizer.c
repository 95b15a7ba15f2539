#include "train/optimizer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* The gradient of this many parameters is joined in a buffer that stays in the
 * first-level cache; the vectors themselves pass through memory once. */
#define CHUNK 1024

struct train_optimizer {
    train_optimizer_settings settings;
    size_t count;
    uint64_t steps;
    float *first;
    float *second;
};

/* What one chunk's update needs beside the vectors. */
typedef struct chunk_rates {
    float learning_rate;
    float first_correction, second_correction; /* Adam: 1 / (1 - beta^t) */
    float decay;                               /* of this segment */
} chunk_rates;

typedef struct step_pass {
    train_optimizer *optimizer;
    const train_update *update;
    float *params;
    float first_correction, second_correction;
} step_pass;

admmnn_status train_optimizer_create(const train_optimizer_settings *settings, size_t count,
                                     train_optimizer **out, admmnn_error *err) {
    train_optimizer *o = base_array(1, sizeof *o);
    if (o == NULL)
        return base_fail_memory(err, "the optimiser");
    o->settings = *settings;
    if (o->settings.beta1 == 0.0F)
        o->settings.beta1 = 0.9F;
    if (o->settings.beta2 == 0.0F)
        o->settings.beta2 = 0.999F;
    if (o->settings.epsilon == 0.0F)
        o->settings.epsilon = 1e-8F;
    o->count = count;
    o->first = base_array(count, sizeof *o->first);
    if (settings->kind != TRAIN_SGD)
        o->second = base_array(count, sizeof *o->second);
    if (o->first == NULL || (settings->kind != TRAIN_SGD && o->second == NULL)) {
        train_optimizer_free(o);
        return base_fail_memory(err, "the optimiser's moments");
    }
    *out = o;
    return ADMMNN_OK;
}

void train_optimizer_free(train_optimizer *o) {
    if (o == NULL)
        return;
    base_free(o->first);
    base_free(o->second);
    base_free(o);
}

float *train_optimizer_first(train_optimizer *o) {
    return o->first;
}

float *train_optimizer_second(train_optimizer *o) {
    return o->second;
}

uint64_t *train_optimizer_steps(train_optimizer *o) {
    return &o->steps;
}

static void add_parts(const train_update *u, size_t at, size_t n, float *restrict g) {
    const float *restrict head = u->parts[0] + at;
    for (size_t i = 0; i < n; i++)
        g[i] = head[i];
    for (uint32_t p = 1; p < u->part_count; p++) {
        const float *restrict part = u->parts[p] + at;
        for (size_t i = 0; i < n; i++)
            g[i] += part[i];
    }
}

static void add_penalty(float rho, const float *restrict anchor, const uint8_t *unpenalized,
                        size_t n, const float *restrict w, float *restrict g) {
    if (unpenalized == NULL)
        for (size_t i = 0; i < n; i++)
            g[i] += rho * (w[i] - anchor[i]);
    else
        for (size_t i = 0; i < n; i++)
            g[i] += unpenalized[i] != 0 ? 0.0F : rho * (w[i] - anchor[i]);
}

/* g = scale * (sum of parts) + rho (w - anchor) + decay w */
static void join_gradient(const train_update *u, size_t at, size_t n, float rho, float decay,
                          const float *restrict w, float *restrict g) {
    add_parts(u, at, n, g);
    const float scale = u->scale;
    for (size_t i = 0; i < n; i++)
        g[i] = scale * g[i] + decay * w[i];
    if (u->anchor == NULL || rho == 0.0F)
        return;
    add_penalty(rho, u->anchor + at, u->unpenalized == NULL ? NULL : u->unpenalized + at, n, w, g);
}

static void update_sgd(size_t n, float rate, float momentum, const float *restrict g,
                       float *restrict first, float *restrict w) {
    for (size_t i = 0; i < n; i++) {
        first[i] = momentum * first[i] + g[i];
        w[i] -= rate * first[i];
    }
}

static void update_adam(size_t n, const train_optimizer_settings *s, const chunk_rates *r,
                        const float *restrict g, float *restrict first, float *restrict second,
                        float *restrict w) {
    const float beta1 = s->beta1;
    const float beta2 = s->beta2;
    const float epsilon = s->epsilon;
    const float rate = r->learning_rate * r->first_correction;
    const float keep = 1.0F - r->learning_rate * r->decay;
    const float correction = sqrtf(r->second_correction);
    for (size_t i = 0; i < n; i++) {
        first[i] = beta1 * first[i] + (1.0F - beta1) * g[i];
        second[i] = beta2 * second[i] + (1.0F - beta2) * g[i] * g[i];
        w[i] = keep * w[i] - rate * first[i] / (correction * sqrtf(second[i]) + epsilon);
    }
}

static void follow_batch(const train_update *u, size_t at, size_t n, float momentum,
                         float *restrict w) {
    float batch[CHUNK];
    add_parts(u, at, n, batch);
    for (size_t i = 0; i < n; i++)
        w[i] = momentum * w[i] + (1.0F - momentum) * batch[i];
}

static void put_back(size_t n, const uint8_t *restrict fixed, const float *restrict before,
                     float *restrict w) {
    for (size_t i = 0; i < n; i++)
        w[i] = fixed[i] != 0 ? before[i] : w[i];
}

static void descend(const step_pass *pass, const train_segment *segment, size_t at, size_t n) {
    train_optimizer *o = pass->optimizer;
    const train_optimizer_settings *s = &o->settings;
    const train_update *u = pass->update;
    float *w = pass->params + at;
    float decay = segment->decay ? s->weight_decay : 0.0F;
    bool decoupled = s->kind == TRAIN_ADAMW;
    float g[CHUNK];
    float before[CHUNK];
    if (u->fixed != NULL)
        memcpy(before, w, n * sizeof *w);
    join_gradient(u, at, n, segment->rho, decoupled ? 0.0F : decay, w, g);
    chunk_rates rates = {.learning_rate = u->learning_rate,
                         .first_correction = pass->first_correction,
                         .second_correction = pass->second_correction,
                         .decay = decoupled ? decay : 0.0F};
    if (s->kind == TRAIN_SGD)
        update_sgd(n, u->learning_rate, s->momentum, g, o->first + at, w);
    else
        update_adam(n, s, &rates, g, o->first + at, o->second + at, w);
    if (u->fixed != NULL)
        put_back(n, u->fixed + at, before, w);
}

static void update_chunk(const step_pass *pass, const train_segment *segment, size_t at, size_t n) {
    if (segment->motion == TRAIN_DESCEND)
        descend(pass, segment, at, n);
    else if (segment->motion == TRAIN_FOLLOW)
        follow_batch(pass->update, at, n, segment->momentum, pass->params + at);
}

static void update_range(void *argument, unsigned thread, unsigned threads) {
    const step_pass *pass = argument;
    /* Whole registers, the widest of which holds 16 floats. */
    const base_share share = base_pool_share(pass->optimizer->count, 16, thread, threads);
    const size_t begin = share.first;
    const size_t end = share.first + share.count;
    for (size_t k = 0; k < pass->update->segment_count; k++) {
        const train_segment *segment = &pass->update->segments[k];
        size_t at = segment->offset > begin ? segment->offset : begin;
        size_t stop =
            segment->offset + segment->count < end ? segment->offset + segment->count : end;
        for (; at < stop; at += CHUNK)
            update_chunk(pass, segment, at, stop - at < CHUNK ? stop - at : CHUNK);
    }
}

/* Below this many parameters a second thread costs more than it saves. */
#define PARALLEL_COUNT 8192

void train_optimizer_step(train_optimizer *o, base_pool *pool, const train_update *update,
                          float *params) {
    o->steps++;
    double t = (double)o->steps;
    step_pass pass = {.optimizer = o, .update = update, .params = params};
    pass.first_correction = (float)(1.0 / (1.0 - pow((double)o->settings.beta1, t)));
    pass.second_correction = (float)(1.0 / (1.0 - pow((double)o->settings.beta2, t)));
    if (o->count < PARALLEL_COUNT)
        update_range(&pass, 0, 1);
    else
        base_pool_run(pool, update_range, &pass);
}
