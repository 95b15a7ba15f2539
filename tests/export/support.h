/* Models exported as C code, compiled, and compared with what the engine makes of them. */
#ifndef TESTS_EXPORT_SUPPORT_H
#define TESTS_EXPORT_SUPPORT_H

#include <dlfcn.h>
#include <unistd.h>

#include "../outputs.h"
#include "../pack/support.h"
#include "admmnn/export.h"

/* Of the largest output: sums of 32 bits, of which the reference has none. */
#define BOUND 1e-5
#define SAMPLES 3

/* Models are compiled so many at a time, into one library. */
#define BATCH 48

typedef struct batch {
    char folder[32];
    pack_model *models[BATCH];
    uint32_t count;
} batch;

typedef int predict(const float *in, float *out);

static inline void batch_open(batch *b) {
    *b = (batch){.folder = "/tmp/admmnn-export-XXXXXX"};
    assert_non_null(mkdtemp(b->folder));
}

static inline void run_command(const char *format, const char *folder) {
    char command[512];
    snprintf(command, sizeof command, format, folder);
    if (system(command) != 0)
        fail_msg("%s failed", command);
}

static inline void expect_outputs(const pack_model *packed, predict *function) {
    const graph *g = packed->g;
    const size_t inputs = graph_value_count(g, g->input);
    const size_t outputs = graph_value_count(g, g->output);
    float *params = base_array(g->flat_count, sizeof *params);
    float *input = random_floats(SAMPLES * inputs, 11);
    float *expected = base_array(SAMPLES * outputs, sizeof *expected);
    float *output = base_array(outputs, sizeof *output);
    pack_model_values(packed, params);
    forward(g, params, input, SAMPLES, expected);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(function(input + i * inputs, output), 0);
        const double difference = apart(output, expected + i * outputs, outputs);
        if (!(difference <= BOUND))
            fail_msg("%s: %g apart", g->name, difference);
    }
    assert_int_not_equal(function(NULL, output), 0);
    assert_int_not_equal(function(input, NULL), 0);
    base_free(params);
    base_free(input);
    base_free(expected);
    base_free(output);
}

static inline predict *find_predict(void *library, uint32_t i) {
    char name[32];
    predict *function;
    snprintf(name, sizeof name, "net%u_predict", i);
    void *symbol = dlsym(library, name);
    assert_non_null(symbol);
    memcpy(&function, &symbol, sizeof function);
    return function;
}

/* Of all that was added. */
static inline void *batch_library(const batch *b) {
    char path[64];
    run_command(
        "cd %s && ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -shared "
        "${ADMMNN_SANITIZE:+-fsanitize=$ADMMNN_SANITIZE -fno-sanitize-recover=all} "
        "-fPIC -o all.so *.c -lm",
        b->folder);
    snprintf(path, sizeof path, "%s/all.so", b->folder);
    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL)
        fail_msg("%s", dlerror());
    return library;
}

/* Compiles, compares and forgets what was added. */
static inline void batch_check(batch *b) {
    if (b->count == 0)
        return;
    void *library = batch_library(b);
    for (uint32_t i = 0; i < b->count; i++) {
        expect_outputs(b->models[i], find_predict(library, i));
        pack_model_free(b->models[i]);
    }
    dlclose(library);
    run_command("rm %s/*", b->folder);
    b->count = 0;
}

/* The model becomes the batch's. */
static inline admmnn_export_sizes batch_add(batch *b, pack_model *packed) {
    char path[64];
    char name[16];
    admmnn_export_sizes sizes;
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    snprintf(name, sizeof name, "net%u", b->count);
    snprintf(path, sizeof path, "%s/%s.admm", b->folder, name);
    MUST(base_file_write(path, file.at, file.count, err));
    const admmnn_export_settings settings = {.input = path, .folder = b->folder, .name = name};
    MUST(admmnn_model_export_c(&settings, NULL, &sizes, err));
    base_free(file.at);
    b->models[b->count++] = packed;
    if (b->count == BATCH)
        batch_check(b);
    return sizes;
}

static inline void batch_close(batch *b) {
    batch_check(b);
    rmdir(b->folder);
}

#endif
