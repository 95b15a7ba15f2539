#include "engine/engine.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "engine/backend.h"

struct engine {
    graph *graph;
    const engine_backend *backend;
    void *state;
    engine_settings settings;
    size_t classes;
    bool sparse;
    size_t support_count;
    const float *held; /* parameters, the caller's, or NULL */
    /* Only for a back end that knows dense parameters alone: where the compact
     * floats stand, the flat vector they are scattered into (zero elsewhere) and
     * the gathered gradient. */
    size_t *support;
    float *flat;
    float *gathered;
    const float *gathered_parts[1];
};

static const char *const backend_texts[] = {
#define BACKEND_TEXT(name, text) [ENGINE_##name] = (text),
    ENGINE_BACKEND_MAP(BACKEND_TEXT)
#undef BACKEND_TEXT
};
#define BACKEND_COUNT (sizeof backend_texts / sizeof backend_texts[0])

static const engine_backend *const backends[BACKEND_COUNT] = {
    [ENGINE_AUTO] = NULL,
    [ENGINE_LANES] = &engine_backend_lanes,
    [ENGINE_DNNL] = &engine_backend_dnnl,
    [ENGINE_REFERENCE] = &engine_backend_reference,
};

admmnn_status engine_backend_find(const char *text, engine_backend_id *id, admmnn_error *err) {
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        if (strcmp(backend_texts[i], text) == 0) {
            *id = (engine_backend_id)i;
            return ADMMNN_OK;
        }
    }
    base_words names = {0};
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        base_words_add(&names, backend_texts[i]);
    return base_fail(err, ADMMNN_USAGE, "no back end named '%.40s'; there are %s", text,
                     names.text);
}

/* ---- memory ---- */

admmnn_status engine_check_memory(const graph *g, const engine_settings *settings, uint64_t bytes,
                                  admmnn_error *err) {
    const uint64_t memory = settings->memory == 0 ? base_memory_size() : settings->memory;
    if (bytes <= memory)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_MEMORY,
                     "network %s in batches of %u needs at least %" PRIu64
                     " MiB of memory; there are %" PRIu64
                     ": it wants a smaller batch, or a larger machine",
                     g->name, settings->max_batch, bytes >> 20, memory >> 20);
}

/* Far above any memory, and so far below 2^64 that no sum or product of sizes overflows. */
#define VALUES_MOST ((size_t)1 << 50)

static admmnn_status check_values(const graph *g, const engine_settings *settings,
                                  admmnn_error *err) {
    size_t count = 0;
    for (uint32_t v = 0; v < g->value_count; v++)
        count += graph_value_count(g, v);
    if (base_multiply(count, settings->max_batch, &count) && count <= VALUES_MOST)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_MEMORY,
                     "network %s in batches of %u makes more values than any memory holds", g->name,
                     settings->max_batch);
}

/* ---- creation ---- */

static admmnn_status open_backend(engine *e, const engine_backend *backend, base_pool *pool,
                                  admmnn_error *err) {
    e->backend = backend;
    return backend->create(e->graph, &e->settings, pool, &e->state, err);
}

/* The fastest first; one that lacks an operation passes the graph on. */
static admmnn_status open_fastest(engine *e, base_pool *pool, admmnn_error *err) {
    static const engine_backend *const by_speed[] = {&engine_backend_lanes, &engine_backend_dnnl};
    for (size_t i = 0; i < sizeof by_speed / sizeof by_speed[0]; i++) {
        admmnn_status status = open_backend(e, by_speed[i], pool, err);
        if (status != ADMMNN_UNSUPPORTED)
            return status;
    }
    return open_backend(e, &engine_backend_reference, pool, err);
}

static admmnn_status open_engine(engine *e, base_pool *pool, admmnn_error *err) {
    const engine_backend *backend = backends[e->settings.backend];
    if (backend == NULL)
        BASE_TRY(open_fastest(e, pool, err));
    else
        BASE_TRY(open_backend(e, backend, pool, err));
    if (err != NULL)
        *err = (admmnn_error){.status = ADMMNN_OK}; /* a refusal passed over on the way */
    return ADMMNN_OK;
}

admmnn_status engine_create(const graph *g, const engine_settings *settings, base_pool *pool,
                            engine **out, admmnn_error *err) {
    if ((size_t)settings->backend >= BACKEND_COUNT)
        return base_fail(err, ADMMNN_USAGE, "no back end of number %d", (int)settings->backend);
    if (settings->max_batch == 0)
        return base_fail(err, ADMMNN_USAGE, "an engine needs a largest batch of at least 1 sample");
    if (g->node_count == 0)
        return base_fail(err, ADMMNN_USAGE, "network %s has no operation to run", g->name);
    if (!graph_value_varies(g, g->output))
        return base_fail(err, ADMMNN_USAGE, "network %s: its output is alike for all samples",
                         g->name);
    BASE_TRY(check_values(g, settings, err));
    engine *e = base_array(1, sizeof *e);
    if (e == NULL)
        return base_fail_memory(err, "an engine");
    e->settings = *settings;
    e->classes = graph_value_count(g, g->output);
    admmnn_status status = graph_clone(g, &e->graph, err);
    if (status == ADMMNN_OK)
        status = open_engine(e, pool, err);
    if (status != ADMMNN_OK) {
        engine_destroy(e);
        return status;
    }
    *out = e;
    return ADMMNN_OK;
}

static void drop_support(engine *e) {
    base_free(e->support);
    base_free(e->flat);
    base_free(e->gathered);
    e->support = NULL;
    e->flat = NULL;
    e->gathered = NULL;
    e->support_count = 0;
    e->sparse = false;
}

void engine_destroy(engine *e) {
    if (e == NULL)
        return;
    if (e->state != NULL)
        e->backend->destroy(e->state);
    drop_support(e);
    graph_free(e->graph);
    base_free(e);
}

/* Ascending, and on parameters: not on the padding between them. */
static admmnn_status check_support(const graph *g, const size_t *index, size_t count,
                                   admmnn_error *err) {
    uint32_t p = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && index[i] <= index[i - 1])
            return base_fail(err, ADMMNN_USAGE, "support: index %zu (place %zu) does not ascend",
                             index[i], i);
        while (p < g->parameter_count &&
               index[i] >= g->parameters[p].offset + g->parameters[p].count)
            p++;
        if (p == g->parameter_count || index[i] < g->parameters[p].offset)
            return base_fail(err, ADMMNN_USAGE,
                             "support: index %zu (place %zu) is no parameter of network %s",
                             index[i], i, g->name);
    }
    return ADMMNN_OK;
}

/* Leaves e as it was when memory runs short. */
static admmnn_status keep_support(engine *e, const size_t *index, size_t count, admmnn_error *err) {
    size_t *support = base_array_copy(index, count, sizeof *support);
    float *flat = base_array(e->graph->flat_count, sizeof *flat);
    float *gathered = base_array(count, sizeof *gathered);
    if (support == NULL || flat == NULL || gathered == NULL) {
        base_free(support);
        base_free(flat);
        base_free(gathered);
        return base_fail_memory(err, "the support of a sparse network");
    }
    drop_support(e);
    e->support = support;
    e->flat = flat;
    e->gathered = gathered;
    e->gathered_parts[0] = gathered;
    return ADMMNN_OK;
}

void engine_hold(engine *e, const float *params) {
    e->held = params;
    if (e->backend->hold != NULL)
        e->backend->hold(e->state, e->support == NULL ? params : NULL);
}

/* Whether the back end takes the support. */
static bool takes_support(const engine *e) {
    return e->backend->set_support != NULL &&
           (e->settings.training || !e->backend->lists_in_training_alone);
}

admmnn_status engine_set_support(engine *e, const size_t *index, size_t count, admmnn_error *err) {
    if (index == NULL && count > 0)
        return base_fail(err, ADMMNN_USAGE, "support: %zu indices announced, none given", count);
    BASE_TRY(check_support(e->graph, index, count, err));
    if (takes_support(e))
        BASE_TRY(e->backend->set_support(e->state, index, count, err));
    else if (index != NULL)
        BASE_TRY(keep_support(e, index, count, err));
    else
        drop_support(e);
    e->sparse = index != NULL;
    e->support_count = count;
    engine_hold(e, NULL);
    return ADMMNN_OK;
}

bool engine_gains_by_support(const engine *e) {
    return takes_support(e);
}

size_t engine_parameter_count(const engine *e) {
    return e->sparse ? e->support_count : e->graph->flat_count;
}

/* The vector the back end reads. The support's places are all overwritten, the
 * others stay zero. */
static const float *scattered(engine *e, const float *params) {
    if (e->support == NULL)
        return params;
    for (size_t i = 0; i < e->support_count; i++)
        e->flat[e->support[i]] = params[i];
    return e->flat;
}

/* The parts are added here, in their order, as the optimiser would add them. */
static void gather(engine *e, engine_result *result) {
    for (size_t i = 0; i < e->support_count; i++) {
        float sum = result->parts[0][e->support[i]];
        for (uint32_t p = 1; p < result->part_count; p++)
            sum += result->parts[p][e->support[i]];
        e->gathered[i] = sum;
    }
    result->parts = e->gathered_parts;
    result->part_count = 1;
}

static admmnn_status check_batch(const engine *e, const float *params, const engine_batch *batch,
                                 admmnn_error *err) {
    if (batch->count == 0 || batch->count > e->settings.max_batch)
        return base_fail(err, ADMMNN_USAGE,
                         "a batch of %zu samples; the engine was made for 1 to %u", batch->count,
                         e->settings.max_batch);
    if (params == NULL || batch->fill == NULL)
        return base_fail(err, ADMMNN_USAGE,
                         "a batch needs parameters and a function that fills it");
    return ADMMNN_OK;
}

admmnn_status engine_forward(engine *e, const float *params, const engine_batch *batch,
                             float *logits, admmnn_error *err) {
    if (params == NULL)
        params = e->held;
    BASE_TRY(check_batch(e, params, batch, err));
    return e->backend->forward(e->state, scattered(e, params), batch, logits, err);
}

static admmnn_status check_labels(const engine *e, const engine_batch *batch, admmnn_error *err) {
    if (!e->settings.training)
        return base_fail(err, ADMMNN_USAGE, "this engine was made for the forward pass alone");
    if (batch->labels == NULL)
        return base_fail(err, ADMMNN_USAGE, "a training step needs labels");
    if (batch->loss == ENGINE_SQUARED_HINGE && batch->targets != NULL)
        return base_fail(err, ADMMNN_USAGE, "the squared hinge has no targets but the labels");
    for (size_t s = 0; s < batch->count; s++)
        if (batch->labels[s] >= e->classes)
            return base_fail(err, ADMMNN_INPUT,
                             "sample %zu has label %u; the network has %zu classes", s,
                             batch->labels[s], e->classes);
    return ADMMNN_OK;
}

admmnn_status engine_step(engine *e, const float *params, const engine_batch *batch,
                          engine_result *result, admmnn_error *err) {
    BASE_TRY(check_batch(e, params, batch, err));
    BASE_TRY(check_labels(e, batch, err));
    BASE_TRY(e->backend->step(e->state, scattered(e, params), batch, result, err));
    if (e->support != NULL)
        gather(e, result);
    return ADMMNN_OK;
}

const char *engine_backend_name(const engine *e) {
    return e->backend->name;
}
