/* A packed file as the runtime runs it on a test set: with floats between layers, and in 8 bits. */
#include "admmnn/runtime.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/feed.h"
#include "pack/model_file.h"

#define FILE_BYTES_MOST ((size_t)2 << 30)
#define BATCH 64U

enum { FLOATS, CODES, WAYS };

typedef struct counts {
    uint64_t images, same, correct[WAYS];
} counts;

/* A thread's own. */
typedef struct worker {
    void *workspaces[WAYS];
    float *input, *outputs[WAYS];
    counts found;
} worker;

typedef struct evaluation {
    const char *path;
    base_pool *pool;
    admmnn_runtime *models[WAYS];
    admmnn_runtime_info infos[WAYS];
    worker *workers; /* [threads] */
    data_view asked, batch;
    size_t first, count; /* of the batch */
} evaluation;

/* ---- opening ---- */

static admmnn_status open_runtime(evaluation *e, int way, const uint8_t *bytes, size_t count,
                                  admmnn_error *err) {
    const admmnn_runtime_settings settings = {.activations = way == CODES ? 8 : 32};
    admmnn_runtime_error failure;
    const admmnn_runtime_status status =
        admmnn_runtime_open_memory(bytes, count, &settings, &e->models[way], &failure);
    if (status == ADMMNN_RUNTIME_MEMORY)
        return base_fail_memory(err, e->path);
    if (status == ADMMNN_RUNTIME_UNSUPPORTED && way == CODES)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: %s; 'admmnn pack --activations 8' writes them", e->path,
                         failure.reason);
    if (status != ADMMNN_RUNTIME_OK)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: the runtime, which reads what 'admmnn pack' writes: %s at byte %zu",
                         e->path, failure.reason, failure.at);
    admmnn_runtime_get_info(e->models[way], &e->infos[way]);
    return ADMMNN_OK;
}

static admmnn_status open_runtimes(evaluation *e, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(e->path, FILE_BYTES_MOST, &bytes, &count, err));
    admmnn_status status = ADMMNN_OK;
    for (int way = 0; way < WAYS && status == ADMMNN_OK; way++)
        status = open_runtime(e, way, bytes, count, err);
    base_free(bytes);
    return status;
}

static admmnn_status open_workers(evaluation *e, admmnn_error *err) {
    const unsigned threads = base_pool_threads(e->pool);
    bool there = true;
    e->workers = base_array(threads, sizeof *e->workers);
    for (unsigned t = 0; e->workers != NULL && t < threads; t++) {
        worker *w = &e->workers[t];
        w->input = base_array(e->infos[FLOATS].inputs, sizeof *w->input);
        there &= w->input != NULL;
        for (int way = 0; way < WAYS; way++) {
            w->workspaces[way] = base_array(e->infos[way].workspace_bytes, 1);
            w->outputs[way] = base_array(e->infos[way].outputs, sizeof *w->outputs[way]);
            there &= w->workspaces[way] != NULL && w->outputs[way] != NULL;
        }
    }
    return e->workers != NULL && there ? ADMMNN_OK : base_fail_memory(err, e->path);
}

static void evaluation_close(evaluation *e) {
    for (unsigned t = 0; e->workers != NULL && t < base_pool_threads(e->pool); t++) {
        base_free(e->workers[t].input);
        for (int way = 0; way < WAYS; way++) {
            base_free(e->workers[t].workspaces[way]);
            base_free(e->workers[t].outputs[way]);
        }
    }
    base_free(e->workers);
    for (int way = 0; way < WAYS; way++)
        admmnn_runtime_close(e->models[way]);
    base_pool_destroy(e->pool);
}

/* ---- running ---- */

static size_t largest(const float *values, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

static void run_image(const evaluation *e, worker *w, size_t i) {
    const size_t image = data_view_image(&e->batch, i);
    data_view view = e->batch;
    size_t classes[WAYS];
    if (image != data_view_image(&e->asked, e->first + i)) /* it stands in for a damaged one */
        return;
    data_view_fill(&view, i, w->input, 1);
    for (int way = 0; way < WAYS; way++) {
        /* It has all that it asks for. */
        (void)admmnn_runtime_run(e->models[way], w->workspaces[way], w->input, 1, w->outputs[way]);
        classes[way] = largest(w->outputs[way], e->infos[way].outputs);
        w->found.correct[way] += classes[way] == view.set->labels[image];
    }
    w->found.same += classes[FLOATS] == classes[CODES];
    w->found.images++;
}

static void run_share(void *argument, unsigned thread, unsigned threads) {
    const evaluation *e = argument;
    const base_share share = base_pool_share(e->count, 1, thread, threads);
    for (size_t i = share.first; i < share.first + share.count; i++)
        run_image(e, &e->workers[thread], i);
}

static admmnn_status run_all(evaluation *e, const data_set *test, data_tones tones,
                             admmnn_error *err) {
    data_feed *feed;
    e->asked = (data_view){.set = test, .tones = tones};
    BASE_TRY(data_feed_open(&e->asked, test->count, BATCH, base_pool_threads(e->pool), &feed, err));
    admmnn_status status = data_feed_next(feed, &e->batch, &e->count, err);
    while (status == ADMMNN_OK && e->count > 0) {
        base_pool_run(e->pool, run_share, e);
        e->first += e->count;
        status = data_feed_next(feed, &e->batch, &e->count, err);
    }
    data_feed_close(feed);
    return status;
}

static void add_up(const evaluation *e, admmnn_int8_evaluation *sum) {
    *sum = (admmnn_int8_evaluation){.values = e->infos[CODES].values,
                                    .codes = e->infos[CODES].codes,
                                    .workspace = e->infos[CODES].workspace_bytes,
                                    .workspace_float = e->infos[FLOATS].workspace_bytes};
    for (unsigned t = 0; t < base_pool_threads(e->pool); t++) {
        const counts *found = &e->workers[t].found;
        sum->count += found->images;
        sum->same += found->same;
        sum->correct += found->correct[CODES];
        sum->correct_float += found->correct[FLOATS];
    }
}

static admmnn_status evaluate(evaluation *e, const pack_model *model, const admmnn_images *images,
                              const admmnn_context *context, admmnn_int8_evaluation *sum,
                              admmnn_error *err) {
    data_set test;
    data_tones tones;
    BASE_TRY(base_pool_create(context == NULL ? 0 : context->threads, &e->pool, err));
    BASE_TRY(open_runtimes(e, err));
    BASE_TRY(open_workers(e, err));
    BASE_TRY(model_choose_tones(model, e->path, images, &tones, err));
    BASE_TRY(model_images_open(model->g, e->path, images, context, DATA_TEST, &test, err));
    const admmnn_status status = run_all(e, &test, tones, err);
    data_set_free(&test);
    if (status == ADMMNN_OK)
        add_up(e, sum);
    return status;
}

admmnn_status admmnn_model_evaluate_int8(const char *path, const admmnn_images *images,
                                         const admmnn_context *context, admmnn_int8_evaluation *sum,
                                         admmnn_error *err) {
    evaluation e = {.path = path};
    pack_model *model;
    uint64_t file_bytes;
    bool described;
    BASE_TRY(model_file_read(path, NULL, &model, NULL, &file_bytes, &described, err));
    const admmnn_status status = evaluate(&e, model, images, context, sum, err);
    evaluation_close(&e);
    pack_model_free(model);
    return status;
}
