/* Seconds of a network's answer to one sample, as a program has it that opens a model file, and
 * that program's largest resident memory.
 *
 *   bench_infer --folder FOLDER --network NAME
 *   bench_infer --folder FOLDER [--threads N] [--steps N] [--json]
 *
 * The first writes FOLDER/model.onnx: a network of the zoo with random parameters. The second
 * opens such a file and runs it on one sample of normal numbers; the sample and the answer are
 * left as floats in input.f32 and output.f32, for a peer to compare with. Time is the median of
 * the runs after the first two. */
#include <stdio.h>
#include <sys/resource.h>

#include "admmnn/model.h"
#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "graph/zoo.h"
#include "network.h"
#include "onnx/onnx.h"
#include "options.h"
#include "trainer.h"

#define UNTIMED 2
#define STEPS_MAX 1000

typedef struct options {
    const char *folder, *network;
    unsigned threads, steps;
    bool json;
} options;

/* ---- the file ---- */

/* Normalizations and biases that are not those of a beginning: none may be left out unseen. */
static void disturb(const graph *g, base_random *random, float *params) {
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        float *values = params + parameter->offset;
        for (size_t i = 0; parameter->kind != GRAPH_WEIGHT && i < parameter->count; i++)
            values[i] += 0.1F * base_random_normal(random);
    }
}

static admmnn_status write_network(const graph *g, const char *path, float *params,
                                   admmnn_error *err) {
    const onnx_writing writing = {.g = g, .params = params};
    base_random random = base_random_at(1, 2, 3);
    const onnx_target target = {.path = path, .force = true};
    uint64_t data_bytes;
    graph_initialise(g, 1, params);
    disturb(g, &random, params);
    return onnx_write(&writing, &target, &data_bytes, err);
}

static admmnn_status make_file(const char *network, const char *path, admmnn_error *err) {
    graph *g;
    BASE_TRY(bench_network_make(network, &g, err));
    float *params = base_array(g->flat_count, sizeof *params);
    admmnn_status status = params == NULL ? base_fail_memory(err, "the parameters")
                                          : write_network(g, path, params, err);
    base_free(params);
    graph_free(g);
    return status;
}

/* ---- its answer ---- */

typedef struct sample {
    float *input, *output;
    size_t elements, outputs;
} sample;

static admmnn_status make_sample(const admmnn_model *model, sample *s, admmnn_error *err) {
    admmnn_model_info info;
    admmnn_model_get_info(model, &info);
    base_random random = base_random_at(1, 2, 4);
    s->elements = (size_t)info.input[0] * info.input[1] * info.input[2];
    s->outputs = info.outputs;
    s->input = base_array(s->elements, sizeof *s->input);
    s->output = base_array(s->outputs, sizeof *s->output);
    if (s->input == NULL || s->output == NULL)
        return base_fail_memory(err, "a sample");
    for (size_t i = 0; i < s->elements; i++)
        s->input[i] = base_random_normal(&random);
    return ADMMNN_OK;
}

static admmnn_status time_runs(const options *o, admmnn_model *model, const sample *s,
                               double *median, admmnn_error *err) {
    double seconds[STEPS_MAX];
    for (unsigned i = 0; i < o->steps + UNTIMED; i++) {
        const double start = base_seconds();
        BASE_TRY(admmnn_model_run(model, s->input, 1, s->output, err));
        if (i >= UNTIMED)
            seconds[i - UNTIMED] = base_seconds() - start;
    }
    *median = bench_median(seconds, o->steps);
    return ADMMNN_OK;
}

static void print(const options *o, const char *path, double seconds) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const double peak = (double)usage.ru_maxrss / 1024.0;
    if (o->json)
        printf("{\"threads\": %u, \"seconds\": %.6f, \"peak_mib\": %.1f}\n", o->threads, seconds,
               peak);
    else
        printf("%s: %.5f s, at most %.0f MiB\n", path, seconds, peak);
}

static admmnn_status run_model(const options *o, const char *path, admmnn_model *model, sample *s,
                               admmnn_error *err) {
    double seconds;
    BASE_TRY(make_sample(model, s, err));
    BASE_TRY(time_runs(o, model, s, &seconds, err));
    BASE_TRY(bench_leave(o->folder, s->input, s->elements, s->output, s->outputs, err));
    print(o, path, seconds);
    return ADMMNN_OK;
}

static admmnn_status measure(const options *o, admmnn_error *err) {
    const admmnn_context context = {.threads = o->threads};
    admmnn_model *model;
    char path[BASE_PATH_MAX];
    sample s = {0};
    BASE_TRY(base_path_join(path, sizeof path, o->folder, "model.onnx", err));
    if (o->network != NULL)
        return make_file(o->network, path, err);
    BASE_TRY(admmnn_model_open(path, &context, &model, err));
    admmnn_status status = run_model(o, path, model, &s, err);
    base_free(s.input);
    base_free(s.output);
    admmnn_model_close(model);
    return status;
}

int main(int argc, char **argv) {
    options o = {.threads = 1, .steps = 20};
    const bench_option known[] = {{"--folder", .text = &o.folder},
                                  {"--network", .text = &o.network},
                                  {"--threads", .number = &o.threads},
                                  {"--steps", .number = &o.steps}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o.json) ||
        o.folder == NULL || o.steps < 1 || o.steps > STEPS_MAX) {
        fprintf(stderr,
                "usage: bench_infer --folder FOLDER [--network NAME] "
                "[--threads N] [--steps 1..1000] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    return bench_exit("bench_infer", measure(&o, &err), &err);
}
