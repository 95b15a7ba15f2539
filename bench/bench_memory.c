/* What a program has resident at most that opens a packed AlexNet by the runtime and runs it,
 * beside the network's weights as dense floats: runtime_peak, in a process of its own.
 *
 *   bench_memory [--set alexnet-24x|alexnet-21x] [--out FILE] [--model FILE] [--json]
 *
 * A set is drawn: of each layer's weights the share and the bits of recipes/alexnet-24x.yaml and
 * recipes/alexnet.yaml, at random places. --out keeps its file, --model takes another instead. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "network.h"
#include "options.h"
#include "pack/pack.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LAYERS 8
#define STEP 0.03125F

typedef struct share {
    double kept;
    unsigned bits;
} share;

typedef struct set {
    const char *name;
    share layers[LAYERS];
} set;

static const set sets[] = {
    {"alexnet-24x",
     {{0.802, 5},
      {0.185, 5},
      {0.175, 5},
      {0.185, 5},
      {0.185, 5},
      {0.0236, 3},
      {0.0515, 3},
      {0.083, 3}}},
    {"alexnet-21x",
     {{0.81, 5}, {0.2, 5}, {0.19, 5}, {0.2, 5}, {0.2, 5}, {0.028, 3}, {0.059, 3}, {0.093, 4}}}};

/* ---- drawing ---- */

static admmnn_status draw_codes(pack_tensor *tensor, size_t count, share s, base_random *random,
                                admmnn_error *err) {
    const uint32_t most = admm_level_count(ADMM_LEVELS_EQUAL, s.bits);
    *tensor = (pack_tensor){
        .form = PACK_LEVELS, .levels = ADMM_LEVELS_EQUAL, .bits = s.bits, .step = STEP};
    tensor->codes = base_array(count, sizeof *tensor->codes);
    if (tensor->codes == NULL)
        return base_fail_memory(err, "a layer's weights");
    for (size_t i = 0; i < count; i++) {
        if ((double)base_random_uniform(random) >= s.kept)
            continue;
        const int32_t code = 1 + (int32_t)base_random_below(random, most);
        tensor->codes[i] = base_random_below(random, 2) == 0 ? -code : code;
    }
    return ADMMNN_OK;
}

static admmnn_status draw_biases(pack_tensor *tensor, size_t count, base_random *random,
                                 admmnn_error *err) {
    tensor->values = base_array(count, sizeof *tensor->values);
    if (tensor->values == NULL)
        return base_fail_memory(err, "a layer's biases");
    for (size_t i = 0; i < count; i++)
        tensor->values[i] = base_random_uniform(random);
    return ADMMNN_OK;
}

static admmnn_status draw(const set *which, pack_model *packed, admmnn_error *err) {
    const graph *g = packed->g;
    base_random random = base_random_at(1, 2, 3);
    size_t layer = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const size_t count = g->parameters[p].count;
        BASE_TRY(g->parameters[p].kind == GRAPH_WEIGHT
                     ? draw_codes(&packed->tensors[p], count, which->layers[layer++], &random, err)
                     : draw_biases(&packed->tensors[p], count, &random, err));
    }
    return ADMMNN_OK;
}

static admmnn_status write_packed(const pack_model *packed, const char *path, admmnn_error *err) {
    const pack_settings settings = {PACK_POSITION_ENTROPY, PACK_CODER_RANGE, NULL};
    uint8_t *bytes;
    size_t count;
    BASE_TRY(pack_encode(packed, &settings, &bytes, &count, NULL, err));
    const admmnn_status status = base_file_write(path, bytes, count, err);
    base_free(bytes);
    return status;
}

static admmnn_status write_set(const set *which, const char *path, admmnn_error *err) {
    graph *g;
    pack_model *packed = NULL;
    BASE_TRY(bench_network_make("alexnet", &g, err));
    admmnn_status status = pack_model_create(g, &packed, err);
    if (status == ADMMNN_OK)
        status = draw(which, packed, err);
    if (status == ADMMNN_OK)
        status = write_packed(packed, path, err);
    pack_model_free(packed);
    graph_free(g);
    return status;
}

/* ---- measuring ---- */

extern char **environ;

static admmnn_status measure(const char *path, bool json, admmnn_error *err) {
    char *words[] = {RUNTIME_PEAK, (char *)(uintptr_t)path, json ? "--json" : NULL, NULL};
    pid_t child;
    int status;
    const int failure = posix_spawn(&child, RUNTIME_PEAK, NULL, NULL, words, environ);
    if (failure != 0)
        return base_fail(err, ADMMNN_IO, "%s: %s", RUNTIME_PEAK, strerror(failure));
    if (waitpid(child, &status, 0) != child || status != 0)
        return base_fail(err, ADMMNN_BACKEND, "%s failed", RUNTIME_PEAK);
    return ADMMNN_OK;
}

static admmnn_status measure_kept(const set *which, const char *path, bool json,
                                  admmnn_error *err) {
    BASE_TRY(write_set(which, path, err));
    return measure(path, json, err);
}

static admmnn_status measure_set(const set *which, bool json, admmnn_error *err) {
    char path[] = "/tmp/bench-memory-XXXXXX";
    const int handle = mkstemp(path);
    if (handle < 0)
        return base_fail(err, ADMMNN_IO, "%s: %s", path, strerror(errno));
    close(handle);
    const admmnn_status status = measure_kept(which, path, json, err);
    unlink(path);
    return status;
}

typedef struct options {
    const char *set, *out, *model;
    bool json;
} options;

static admmnn_status run(const options *o, const set *which, admmnn_error *err) {
    if (o->model != NULL)
        return measure(o->model, o->json, err);
    return o->out != NULL ? measure_kept(which, o->out, o->json, err)
                          : measure_set(which, o->json, err);
}

int main(int argc, char **argv) {
    options o = {.set = "alexnet-24x"};
    const bench_option table[] = {{.name = "--set", .text = &o.set},
                                  {.name = "--out", .text = &o.out},
                                  {.name = "--model", .text = &o.model}};
    const set *which = NULL;
    admmnn_error err = {0};
    const bool read = bench_options_read(argc, argv, table, COUNT(table), &o.json);
    for (size_t i = 0; i < COUNT(sets); i++)
        if (strcmp(sets[i].name, o.set) == 0)
            which = &sets[i];
    if (!read || which == NULL) {
        fputs(
            "usage: bench_memory [--set alexnet-24x|alexnet-21x] [--out FILE] [--model FILE] "
            "[--json]\n",
            stderr);
        return 2;
    }
    return bench_exit("bench_memory", run(&o, which, &err), &err);
}
