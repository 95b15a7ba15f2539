/* One sample at a time on one thread: a packed model by the runtime's kernels, and its dense
 * values by the engine's back ends, in turns.
 *
 *   bench_runtime --model FILE [--activations 8] [--rounds N] [--samples N]
 *                 [--leave FOLDER] [--json]
 *
 * With --activations 8 the runtime runs it with values between layers in 8 bits, too; a file that
 * has no ranges for them gets those of the sample.
 *
 * Median and least over the rounds, of N samples each, in microseconds a sample for which the
 * thread had a processor: other programs of the machine take none of it. --leave: the sample and
 * the runtime's answer, as floats in input.f32 and output.f32, for a peer to compare with. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "admmnn/runtime.h"
#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/engine.h"
#include "options.h"
#include "pack/model_calibrate.h"
#include "pack/pack.h"
#include "pack/range.h"
#include "trainer.h"

#define ROUNDS_MAX 1000
#define FILE_BYTES_MOST ((size_t)1 << 30)
enum { FASTEST, AVX2, PORTABLE, CODES, RUNTIMES, ONEDNN = RUNTIMES, LANES, WAYS };

static const engine_backend_id backends[WAYS] = {[ONEDNN] = ENGINE_DNNL, [LANES] = ENGINE_LANES};
static const admmnn_runtime_kernels kernels[RUNTIMES] = {
    ADMMNN_RUNTIME_KERNELS_FASTEST, ADMMNN_RUNTIME_KERNELS_AVX2, ADMMNN_RUNTIME_KERNELS_PORTABLE,
    ADMMNN_RUNTIME_KERNELS_FASTEST};
static const char *const way_names[WAYS] = {"runtime",         "runtime AVX2", "runtime portable",
                                            "runtime, 8 bits", "oneDNN dense", "lanes dense"};

typedef struct options {
    const char *model, *leave;
    unsigned rounds, samples, activations;
    bool json;
} options;

typedef struct bench {
    const options *o;
    pack_model *packed;
    base_pool *pool;
    float *params;                    /* [flat_count] */
    float *input;                     /* of a sample */
    float *outputs[WAYS];             /* of a sample */
    engine *engines[WAYS];            /* NULL where a back end lacks an operation */
    admmnn_runtime *models[RUNTIMES]; /* of each kind of kernels */
    void *workspaces[RUNTIMES];
    double seconds[WAYS][ROUNDS_MAX];
} bench;

static void fill(void *user, size_t sample, float *input, size_t stride) {
    const bench *b = user;
    const size_t count = graph_value_count(b->packed->g, b->packed->g->input);
    (void)sample;
    for (size_t i = 0; i < count; i++)
        input[i * stride] = b->input[i];
}

static admmnn_status run_once(bench *b, size_t way, admmnn_error *err) {
    if (way < RUNTIMES)
        return admmnn_runtime_run(b->models[way], b->workspaces[way], b->input, 1,
                                  b->outputs[way]) == ADMMNN_RUNTIME_OK
                   ? ADMMNN_OK
                   : base_fail(err, ADMMNN_BACKEND, "the runtime failed");
    const engine_batch batch = {.count = 1, .fill = fill, .user = b};
    return engine_forward(b->engines[way], b->params, &batch, b->outputs[way], err);
}

static bool is_there(const bench *b, size_t way) {
    return way < RUNTIMES ? b->models[way] != NULL : b->engines[way] != NULL;
}

/* ---- making ---- */

static admmnn_status open_runtime(bench *b, size_t way, const uint8_t *bytes, size_t count,
                                  admmnn_error *err) {
    const admmnn_runtime_settings settings = {.kernels = kernels[way],
                                              .activations = way == CODES ? 8 : 32};
    admmnn_runtime_error failure;
    admmnn_runtime_info info;
    if (admmnn_runtime_open_memory(bytes, count, &settings, &b->models[way], &failure) !=
        ADMMNN_RUNTIME_OK)
        return base_fail(err, ADMMNN_CORRUPT, "%s: %s at byte %zu", b->o->model, failure.reason,
                         failure.at);
    admmnn_runtime_get_info(b->models[way], &info);
    b->workspaces[way] = base_array(info.workspace_bytes, 1);
    if (b->workspaces[way] == NULL)
        return base_fail_memory(err, "a workspace");
    if (!b->o->json)
        printf("%-17s %s kernels, %zu bytes held, %zu of workspace, %u of %u values in 8 bits\n",
               way_names[way], info.kernels, info.model_bytes, info.workspace_bytes, info.codes,
               info.values);
    return ADMMNN_OK;
}

/* A back end that lacks an operation is left out. */
static admmnn_status open_engine(bench *b, size_t way, admmnn_error *err) {
    const engine_settings settings = {.backend = backends[way], .max_batch = 1};
    const admmnn_status status =
        engine_create(b->packed->g, &settings, b->pool, &b->engines[way], err);
    if (status == ADMMNN_OK)
        engine_hold(b->engines[way], b->params);
    return status == ADMMNN_UNSUPPORTED ? ADMMNN_OK : status;
}

static admmnn_status find_ranges(const bench *b, model_range *found, admmnn_error *err) {
    const graph *g = b->packed->g;
    const data_set sample = {
        .count = 1, .shape = g->values[g->input].shape, .values = b->input, .classes = 2};
    BASE_TRY(model_calibrate(b->packed, b->params, &sample, b->pool, found, err));
    b->packed->ranges = base_array(g->value_count, sizeof *b->packed->ranges);
    if (b->packed->ranges == NULL)
        return base_fail_memory(err, "the ranges of values");
    for (uint32_t v = 0; v < g->value_count; v++)
        b->packed->ranges[v] = range_of(found[v].low, found[v].high);
    return ADMMNN_OK;
}

/* The file as it is where it has ranges, else packed anew with those of the sample. */
static admmnn_status open_codes(bench *b, const uint8_t *bytes, size_t count, admmnn_error *err) {
    const pack_settings settings = {PACK_POSITION_BITMAP, PACK_CODER_FIXED, NULL};
    uint8_t *packed;
    if (b->packed->ranges != NULL)
        return open_runtime(b, CODES, bytes, count, err);
    model_range *found = base_array(b->packed->g->value_count, sizeof *found);
    admmnn_status status =
        found == NULL ? base_fail_memory(err, "the ranges of values") : find_ranges(b, found, err);
    base_free(found);
    BASE_TRY(status);
    BASE_TRY(pack_encode(b->packed, &settings, &packed, &count, NULL, err));
    status = open_runtime(b, CODES, packed, count, err);
    base_free(packed);
    return status;
}

static admmnn_status open_way(bench *b, size_t way, const uint8_t *bytes, size_t count,
                              admmnn_error *err) {
    if (way >= RUNTIMES)
        return open_engine(b, way, err);
    if (way != CODES)
        return open_runtime(b, way, bytes, count, err);
    return b->o->activations == 8 ? open_codes(b, bytes, count, err) : ADMMNN_OK;
}

static admmnn_status open_ways(bench *b, const uint8_t *bytes, size_t count, admmnn_error *err) {
    BASE_TRY(pack_decode(bytes, count, &b->packed, NULL, err));
    const graph *g = b->packed->g;
    BASE_TRY(base_pool_create(1, &b->pool, err));
    b->params = base_array(g->flat_count, sizeof *b->params);
    b->input = base_array(graph_value_count(g, g->input), sizeof *b->input);
    if (b->params == NULL || b->input == NULL)
        return base_fail_memory(err, "the parameters");
    pack_model_values(b->packed, b->params);
    base_random random = base_random_at(1, 1, 1);
    for (size_t i = 0; i < graph_value_count(g, g->input); i++)
        b->input[i] = base_random_uniform(&random);
    for (size_t way = 0; way < WAYS; way++) {
        BASE_TRY(open_way(b, way, bytes, count, err));
        b->outputs[way] = base_array(graph_value_count(g, g->output), sizeof(float));
        if (b->outputs[way] == NULL)
            return base_fail_memory(err, "the outputs");
    }
    return ADMMNN_OK;
}

/* ---- measuring ---- */

/* From oneDNN's outputs, over the largest of them. */
static double apart(const bench *b, size_t way) {
    double most = 0.0;
    double size = 0.0;
    for (size_t i = 0; i < graph_value_count(b->packed->g, b->packed->g->output); i++) {
        const double expected = (double)b->outputs[ONEDNN][i];
        most = fmax(most, fabs((double)b->outputs[way][i] - expected));
        size = fmax(size, fabs(expected));
    }
    return most / size;
}

/* In microseconds a sample: the median leaves the rounds sorted. */
static void print_way(bench *b, size_t way) {
    const double scale = 1e6 / b->o->samples;
    const double median = scale * bench_median(b->seconds[way], b->o->rounds);
    const double least = scale * b->seconds[way][0];
    printf(b->o->json ? "{\"way\": \"%s\", \"median_us\": %.3f, \"least_us\": %.3f, "
                        "\"apart\": %.3g}\n"
                      : "%-17s median %10.2f us   least %10.2f us   %.2g apart\n",
           way_names[way], median, least, apart(b, way));
}

static admmnn_status measure(bench *b, admmnn_error *err) {
    /* Round 0 warms up and is overwritten by the first that counts. */
    for (unsigned round = 0; round <= b->o->rounds; round++) {
        for (size_t way = 0; way < WAYS; way++) {
            const double start = base_thread_seconds();
            for (unsigned i = 0; is_there(b, way) && i < b->o->samples; i++)
                BASE_TRY(run_once(b, way, err));
            b->seconds[way][round == 0 ? 0 : round - 1] = base_thread_seconds() - start;
        }
    }
    for (size_t way = 0; way < WAYS; way++)
        if (is_there(b, way))
            print_way(b, way);
    return ADMMNN_OK;
}

static admmnn_status leave(const bench *b, admmnn_error *err) {
    const graph *g = b->packed->g;
    return bench_leave(b->o->leave, b->input, graph_value_count(g, g->input), b->outputs[FASTEST],
                       graph_value_count(g, g->output), err);
}

static void bench_free(bench *b) {
    for (size_t way = 0; way < WAYS; way++) {
        engine_destroy(b->engines[way]);
        base_free(b->outputs[way]);
    }
    for (size_t way = 0; way < RUNTIMES; way++) {
        admmnn_runtime_close(b->models[way]);
        base_free(b->workspaces[way]);
    }
    base_free(b->params);
    base_free(b->input);
    base_pool_destroy(b->pool);
    pack_model_free(b->packed);
    base_free(b);
}

static admmnn_status run(const options *o, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    bench *b = base_array(1, sizeof *b);
    if (b == NULL)
        return base_fail_memory(err, "the benchmark");
    b->o = o;
    admmnn_status status = base_file_read(o->model, FILE_BYTES_MOST, &bytes, &count, err);
    if (status == ADMMNN_OK) {
        status = open_ways(b, bytes, count, err);
        base_free(bytes);
    }
    if (status == ADMMNN_OK)
        status = measure(b, err);
    if (status == ADMMNN_OK && o->leave != NULL)
        status = leave(b, err);
    bench_free(b);
    return status;
}

int main(int argc, char **argv) {
    options o = {.rounds = 501, .samples = 1};
    const bench_option table[] = {{.name = "--model", .text = &o.model},
                                  {.name = "--activations", .number = &o.activations},
                                  {.name = "--rounds", .number = &o.rounds},
                                  {.name = "--samples", .number = &o.samples},
                                  {.name = "--leave", .text = &o.leave}};
    admmnn_error err = {0};
    if (!bench_options_read(argc, argv, table, sizeof table / sizeof table[0], &o.json) ||
        o.model == NULL || o.rounds == 0 || o.rounds > ROUNDS_MAX || o.samples == 0 ||
        (o.activations != 0 && o.activations != 8)) {
        fputs(
            "usage: bench_runtime --model FILE [--activations 8] [--rounds N] [--samples N] "
            "[--leave FOLDER] "
            "[--json]\n",
            stderr);
        return 2;
    }
    return bench_exit("bench_runtime", run(&o, &err), &err);
}
