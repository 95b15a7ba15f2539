/* The lanes back end: each thread takes whole blocks of images through all
 * layers, so a pass has no barrier inside. */
#include <string.h>

#include "base/memory.h"
#include "engine/lanes_plan.h"
#include "engine/loss.h"

typedef struct lanes_thread {
    float *arena;
    int32_t *winners;
    float *part; /* gradient */
    engine_loss_sum sum;
} lanes_thread;

typedef struct lanes_state {
    const graph *g; /* the engine's */
    base_pool *pool;
    lanes_plan *plan;
    unsigned threads;
    bool training;
    bool supported; /* a support is set */
    float *memory;  /* every thread's arena, one allocation */
    int32_t *winner_memory;
    float *part_memory;
    lanes_thread *workers;
    const float **parts;
} lanes_state;

/* One pass, as the threads see it. */
typedef struct lanes_pass {
    lanes_state *state;
    const float *params;
    const engine_batch *batch;
    float *logits; /* forward only; NULL: a training step */
} lanes_pass;

/* A thread's blocks of a batch of `count` samples. */
static base_share blocks_of(const lanes_state *s, size_t count, unsigned thread) {
    size_t lanes = s->plan->kernels->lanes;
    return base_pool_share((count + lanes - 1) / lanes, 1, thread, s->threads);
}

static void destroy(void *state) {
    lanes_state *s = state;
    if (s == NULL)
        return;
    lanes_plan_free(s->plan);
    base_free(s->memory);
    base_free(s->winner_memory);
    base_free(s->part_memory);
    base_free(s->workers);
    base_free(s->parts);
    base_free(s);
}

/* Floats from one thread's gradient to the next one's. */
static size_t part_stride(size_t parameter_count) {
    return (parameter_count + 15) / 16 * 16;
}

/* Every thread's gradient; NULL when memory is short. */
static float *parts_create(const lanes_state *s, size_t parameter_count) {
    size_t total;
    if (!base_multiply(part_stride(parameter_count), s->threads, &total))
        return NULL;
    return base_array(s->training ? total : 0, sizeof(float));
}

static void take_parts(lanes_state *s, float *memory, size_t parameter_count) {
    base_free(s->part_memory);
    s->part_memory = memory;
    for (unsigned t = 0; s->training && t < s->threads; t++) {
        s->workers[t].part = memory + t * part_stride(parameter_count);
        s->parts[t] = s->workers[t].part;
    }
}

static uint64_t bytes_wanted(const lanes_state *s) {
    const uint64_t part = s->training ? part_stride(s->g->flat_count) : 0;
    return s->threads *
           (s->plan->arena_floats * sizeof *s->memory +
            s->plan->winner_count * sizeof *s->winner_memory + part * sizeof *s->part_memory);
}

static admmnn_status allocate(lanes_state *s, admmnn_error *err) {
    size_t floats;
    size_t winners;
    s->workers = base_array(s->threads, sizeof *s->workers);
    s->parts = base_array(s->threads, sizeof *s->parts);
    if (!base_multiply(s->plan->arena_floats, s->threads, &floats) ||
        !base_multiply(s->plan->winner_count, s->threads, &winners))
        return base_fail_memory(err, "the activations");
    s->memory = base_array(floats, sizeof *s->memory);
    s->winner_memory = base_array(winners, sizeof *s->winner_memory);
    float *parts = parts_create(s, s->g->flat_count);
    if (s->workers == NULL || s->parts == NULL || s->memory == NULL || s->winner_memory == NULL ||
        parts == NULL) {
        base_free(parts);
        return base_fail_memory(err, "the activations");
    }
    for (unsigned t = 0; t < s->threads; t++) {
        s->workers[t].arena = s->memory + t * s->plan->arena_floats;
        s->workers[t].winners = s->winner_memory + t * s->plan->winner_count;
    }
    take_parts(s, parts, s->g->flat_count);
    return ADMMNN_OK;
}

static admmnn_status create(const graph *g, const engine_settings *settings, base_pool *pool,
                            void **state, admmnn_error *err) {
    lanes_state *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "the lanes back end");
    s->pool = pool;
    s->threads = base_pool_threads(pool);
    s->training = settings->training;
    s->g = g;
    admmnn_status status = lanes_plan_create(g, settings, s->threads, &s->plan, err);
    if (status == ADMMNN_OK)
        status = engine_check_memory(g, settings, bytes_wanted(s), err);
    if (status == ADMMNN_OK)
        status = allocate(s, err);
    if (status != ADMMNN_OK) {
        destroy(s);
        return status;
    }
    *state = s;
    return ADMMNN_OK;
}

static admmnn_status set_support(void *state, const size_t *index, size_t count,
                                 admmnn_error *err) {
    lanes_state *s = state;
    const size_t parameter_count = index != NULL ? count : s->g->flat_count;
    float *parts = parts_create(s, parameter_count);
    admmnn_status status = parts == NULL ? base_fail_memory(err, "the gradients")
                                         : lanes_plan_support(s->plan, s->g, index, count, err);
    if (status != ADMMNN_OK) {
        base_free(parts);
        return status;
    }
    take_parts(s, parts, parameter_count);
    s->supported = index != NULL;
    return ADMMNN_OK;
}

/* Compact parameters to what dense kernels read. */
static void scatter(const lanes_state *s, const float *params) {
    for (size_t i = 0; s->supported && i < s->plan->step_count; i++) {
        lanes_step *step = &s->plan->steps[i];
        for (size_t k = 0; k < step->bias_count; k++)
            step->bias_dense[step->bias_index[k]] = params[step->bias_first + k];
        for (size_t k = 0; !step->listed && k < step->weight_count; k++)
            step->weight_dense[step->weight_index[k]] = params[step->weight_first + k];
    }
}

static const float *weights_of(const lanes_step *step, const float *params) {
    return step->weight_dense != NULL ? step->weight_dense : params + step->weight_first;
}

static const float *biases_of(const lanes_step *step, const float *params) {
    return step->bias_dense != NULL ? step->bias_dense : params + step->bias_first;
}

static void load_inputs(const lanes_pass *pass, base_share blocks, float *input) {
    const lanes_plan *plan = pass->state->plan;
    const size_t lanes = plan->kernels->lanes;
    for (size_t i = 0; i < blocks.count * lanes; i++) {
        float *first = input + i / lanes * plan->input_count * lanes + i % lanes;
        size_t sample = blocks.first * lanes + i;
        if (sample < pass->batch->count) {
            pass->batch->fill(pass->batch->user, sample, first, lanes);
            continue;
        }
        for (size_t k = 0; k < plan->input_count; k++)
            first[k * lanes] = 0.0F;
    }
}

static void conv_forward(const lanes_plan *plan, const lanes_step *step, const lanes_thread *worker,
                         const float *params, size_t blocks) {
    const lanes_kernels *kernels = plan->kernels;
    const float *w = weights_of(step, params);
    const float *b = biases_of(step, params);
    for (size_t k = 0; k < blocks; k++) {
        const float *x = worker->arena + step->in + k * step->in_count * kernels->lanes;
        float *y = worker->arena + step->out + k * step->out_count * kernels->lanes;
        int32_t *winner = NULL;
        if (step->conv.pooled)
            winner = worker->winners + step->winner + k * step->out_count * kernels->lanes;
        if (step->listed)
            kernels->conv_forward_sparse(&step->conv, &step->list, w, b, x, y, winner);
        else
            kernels->conv_forward(&step->conv, w, b, x, y, winner);
    }
}

static void forward(const lanes_pass *pass, const lanes_thread *worker, size_t blocks) {
    const lanes_plan *plan = pass->state->plan;
    const lanes_kernels *kernels = plan->kernels;
    for (size_t i = 0; i < plan->step_count; i++) {
        const lanes_step *step = &plan->steps[i];
        const float *x = worker->arena + step->in;
        float *y = worker->arena + step->out;
        const float *w = weights_of(step, pass->params);
        switch (step->kind) {
        case LANES_CONV:
            conv_forward(plan, step, worker, pass->params, blocks);
            break;
        case LANES_POOL:
            for (size_t k = 0; k < blocks; k++)
                kernels->pool_forward(&step->pool, x + k * step->in_count * kernels->lanes,
                                      y + k * step->out_count * kernels->lanes);
            break;
        case LANES_PRODUCT:
            if (step->listed)
                kernels->product_forward_sparse(&step->list, blocks, w,
                                                biases_of(step, pass->params), x, y);
            else
                kernels->product_forward(step->rows, step->columns, blocks, w,
                                         biases_of(step, pass->params), x, y);
            break;
        case LANES_RELU:
            kernels->relu_forward(blocks * step->in_count, x, y);
            break;
        }
    }
}

/* The gradient of the filters [first, first + count) before pooling, block by
 * block; the distance between blocks in *stride. */
static const float *expanded(const lanes_plan *plan, const lanes_step *step,
                             const lanes_thread *worker, size_t block, size_t blocks, size_t first,
                             size_t count, size_t *stride) {
    const size_t lanes = plan->kernels->lanes;
    const size_t plane = step->conv.out_height * step->conv.out_width;
    const float *dy = worker->arena + step->out_gradient;
    if (!step->conv.pooled) {
        *stride = step->out_count * lanes;
        return dy + block * step->out_count * lanes + first * plane * lanes;
    }
    *stride = count * plane * lanes;
    for (size_t k = 0; k < blocks; k++) {
        size_t at = (block + k) * step->out_count * lanes;
        plan->kernels->conv_expand(&step->conv, dy + at, worker->winners + step->winner + at, first,
                                   count, worker->arena + plan->expanded + k * *stride);
    }
    return worker->arena + plan->expanded;
}

static void conv_backward_dense(const lanes_plan *plan, const lanes_step *step,
                                const lanes_thread *worker, const float *params, size_t blocks,
                                float *dw, float *db) {
    const lanes_kernels *kernels = plan->kernels;
    const float *x = worker->arena + step->in;
    const size_t x_stride = step->in_count * kernels->lanes;
    size_t stride;
    for (size_t f = 0; f < step->conv.filters; f += kernels->filter_tile) {
        size_t count = step->conv.filters - f;
        if (count > kernels->filter_tile)
            count = kernels->filter_tile;
        const float *dy = expanded(plan, step, worker, 0, blocks, f, count, &stride);
        kernels->conv_weights(&step->conv, f, count, blocks, dy, stride, x, x_stride, dw, db);
    }
    for (size_t k = 0; step->wants_data && k < blocks; k++) {
        const float *dy = expanded(plan, step, worker, k, 1, 0, step->conv.filters, &stride);
        kernels->conv_data(&step->conv, weights_of(step, params), dy,
                           worker->arena + step->in_gradient + k * x_stride);
    }
}

/* Block by block, so that gradients before pooling are expanded once and stay in the
 * cache: of all filters where the data gradient needs them all, else of one. */
static void conv_backward_listed(const lanes_plan *plan, const lanes_step *step,
                                 const lanes_thread *worker, const float *params, size_t blocks,
                                 float *dw, float *db) {
    const lanes_kernels *kernels = plan->kernels;
    const size_t filters = step->conv.filters;
    const size_t count = step->wants_data ? filters : 1;
    const size_t x_stride = step->in_count * kernels->lanes;
    const size_t plane = step->conv.out_height * step->conv.out_width;
    float *sums = worker->arena + plan->sums;
    memset(sums, 0, (step->weight_count + filters) * kernels->lanes * sizeof *sums);
    for (size_t k = 0; k < blocks; k++) {
        const float *dy = NULL;
        for (size_t f = 0; f < filters; f += count) {
            size_t stride;
            dy = expanded(plan, step, worker, k, 1, f, count, &stride);
            kernels->conv_weights_sparse(&step->conv, &step->list, f, count, dy,
                                         step->conv.out_width, plane,
                                         worker->arena + step->in + k * x_stride, sums);
            kernels->conv_bias_sparse(count, plane, dy, plane,
                                      sums + (step->weight_count + f) * kernels->lanes);
        }
        if (step->wants_data)
            kernels->conv_data_sparse(&step->conv, &step->list, weights_of(step, params), dy,
                                      worker->arena + step->in_gradient + k * x_stride);
    }
    kernels->reduce(step->weight_count, sums, dw);
    kernels->reduce(filters, sums + step->weight_count * kernels->lanes, db);
}

static void product_backward(const lanes_plan *plan, const lanes_step *step,
                             const lanes_thread *worker, const float *params, size_t blocks,
                             float *dw, float *db) {
    const lanes_kernels *kernels = plan->kernels;
    const float *x = worker->arena + step->in;
    const float *dy = worker->arena + step->out_gradient;
    float *dx = worker->arena + step->in_gradient;
    const float *w = weights_of(step, params);
    kernels->product_bias(step->rows, blocks, dy, db);
    if (step->listed) {
        kernels->product_weights_sparse(&step->list, blocks, dy, x, dw);
        if (step->wants_data)
            kernels->product_data_sparse(&step->list, blocks, w, dy, dx);
        return;
    }
    kernels->product_weights(step->rows, step->columns, blocks, dy, x, dw,
                             worker->arena + plan->scratch);
    if (step->wants_data)
        kernels->product_data(step->rows, step->columns, blocks, w, dy, dx);
}

/* Dense gradients to the compact part. */
static void gather(const lanes_step *step, const float *dw, const float *db, float *part) {
    for (size_t k = 0; step->bias_index != NULL && k < step->bias_count; k++)
        part[step->bias_first + k] = db[step->bias_index[k]];
    for (size_t k = 0; step->weight_index != NULL && k < step->weight_count; k++)
        part[step->weight_first + k] = dw[step->weight_index[k]];
}

static void weighted_backward(const lanes_plan *plan, const lanes_step *step,
                              const lanes_thread *worker, const float *params, size_t blocks) {
    float *dw = step->weight_index != NULL ? worker->arena + plan->dense_weights
                                           : worker->part + step->weight_first;
    float *db = step->bias_index != NULL ? worker->arena + plan->dense_biases
                                         : worker->part + step->bias_first;
    if (step->kind == LANES_CONV && step->listed)
        conv_backward_listed(plan, step, worker, params, blocks, dw, db);
    else if (step->kind == LANES_CONV)
        conv_backward_dense(plan, step, worker, params, blocks, dw, db);
    else
        product_backward(plan, step, worker, params, blocks, dw, db);
    gather(step, dw, db, worker->part);
}

static void backward(const lanes_pass *pass, const lanes_thread *worker, size_t blocks) {
    const lanes_plan *plan = pass->state->plan;
    const lanes_kernels *kernels = plan->kernels;
    for (size_t i = plan->step_count; i-- > 0;) {
        const lanes_step *step = &plan->steps[i];
        float *arena = worker->arena;
        switch (step->kind) {
        case LANES_CONV:
        case LANES_PRODUCT:
            weighted_backward(plan, step, worker, pass->params, blocks);
            break;
        case LANES_POOL:
            for (size_t k = 0; step->wants_data && k < blocks; k++) {
                size_t in = k * step->in_count * kernels->lanes;
                size_t out = k * step->out_count * kernels->lanes;
                kernels->pool_backward(&step->pool, arena + step->in + in, arena + step->out + out,
                                       arena + step->out_gradient + out,
                                       arena + step->in_gradient + in);
            }
            break;
        case LANES_RELU:
            if (step->wants_data)
                kernels->relu_backward(blocks * step->in_count, arena + step->out,
                                       arena + step->out_gradient, arena + step->in_gradient);
            break;
        }
    }
}

/* Loss and output gradient, block by block; lanes beyond the batch get zero. */
static void loss(const lanes_pass *pass, lanes_thread *worker, base_share blocks) {
    const lanes_plan *plan = pass->state->plan;
    const size_t lanes = plan->kernels->lanes;
    worker->sum = (engine_loss_sum){0};
    for (size_t k = 0; k < blocks.count; k++) {
        size_t sample = (blocks.first + k) * lanes;
        size_t left = pass->batch->count - sample;
        engine_loss_layout layout = {.count = left < lanes ? left : lanes,
                                     .classes = plan->classes,
                                     .sample_stride = 1,
                                     .class_stride = lanes};
        const float *targets = pass->batch->targets;
        float *gradient = worker->arena + plan->output_gradient + k * plan->classes * lanes;
        if (layout.count < lanes)
            memset(gradient, 0, plan->classes * lanes * sizeof *gradient);
        engine_loss_add(
            pass->batch->loss, &layout, worker->arena + plan->output + k * plan->classes * lanes,
            pass->batch->labels + sample, targets == NULL ? NULL : targets + sample * plan->classes,
            gradient, &worker->sum);
    }
}

static void copy_logits(const lanes_pass *pass, const lanes_thread *worker, base_share blocks) {
    const lanes_plan *plan = pass->state->plan;
    const size_t lanes = plan->kernels->lanes;
    const float *output = worker->arena + plan->output;
    for (size_t i = 0; i < blocks.count * lanes; i++) {
        size_t sample = blocks.first * lanes + i;
        if (sample >= pass->batch->count)
            return;
        for (size_t c = 0; c < plan->classes; c++)
            pass->logits[sample * plan->classes + c] =
                output[(i / lanes * plan->classes + c) * lanes + i % lanes];
    }
}

static void run(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    const lanes_pass *pass = argument;
    lanes_thread *worker = &pass->state->workers[thread];
    base_share blocks = blocks_of(pass->state, pass->batch->count, thread);
    if (blocks.count == 0)
        return;
    load_inputs(pass, blocks, worker->arena + pass->state->plan->input);
    forward(pass, worker, blocks.count);
    if (pass->logits != NULL) {
        copy_logits(pass, worker, blocks);
        return;
    }
    loss(pass, worker, blocks);
    backward(pass, worker, blocks.count);
}

static admmnn_status forward_pass(void *state, const float *params, const engine_batch *batch,
                                  float *logits, admmnn_error *err) {
    (void)err;
    lanes_pass pass = {.state = state, .params = params, .batch = batch, .logits = logits};
    scatter(pass.state, params);
    base_pool_run(pass.state->pool, run, &pass);
    return ADMMNN_OK;
}

static admmnn_status step(void *state, const float *params, const engine_batch *batch,
                          engine_result *result, admmnn_error *err) {
    (void)err;
    lanes_pass pass = {.state = state, .params = params, .batch = batch};
    lanes_state *s = state;
    scatter(s, params);
    base_pool_run(s->pool, run, &pass);
    *result = (engine_result){.parts = s->parts};
    /* Threads without blocks left no part: they are the last ones. */
    while (result->part_count < s->threads &&
           blocks_of(s, batch->count, result->part_count).count > 0) {
        const engine_loss_sum *sum = &s->workers[result->part_count++].sum;
        result->loss += sum->loss;
        result->correct += sum->correct;
    }
    return ADMMNN_OK;
}

const engine_backend engine_backend_lanes = {
    .name = "lanes",
    .create = create,
    .destroy = destroy,
    .set_support = set_support,
    .forward = forward_pass,
    .step = step,
};
