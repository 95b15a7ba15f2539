/* Networks packed, opened by the runtime and compared with what the engine makes of them. */
#ifndef TESTS_RUNTIME_SUPPORT_H
#define TESTS_RUNTIME_SUPPORT_H

#include "../outputs.h"
#include "../pack/support.h"
#include "admmnn/runtime.h"

#define OPEN(call)                                                                                 \
    do {                                                                                           \
        admmnn_runtime_error open_err_ = {ADMMNN_RUNTIME_OK, "", 0};                               \
        admmnn_runtime_error *err = &open_err_;                                                    \
        if ((call) != ADMMNN_RUNTIME_OK)                                                           \
            fail_msg("%s: %s at %zu", #call, open_err_.reason, open_err_.at);                      \
    } while (0)

/* output[count][outputs], of inputs that are left as they are, in a workspace that has just the
 * size it asks for, and so has the input. */
static inline void runtime_run(const admmnn_runtime *model, const float *input, size_t count,
                               float *output) {
    admmnn_runtime_info info;
    admmnn_runtime_get_info(model, &info);
    const size_t bytes = count * info.inputs * sizeof *input;
    void *workspace = malloc(info.workspace_bytes);
    float *own = malloc(bytes);
    assert_non_null(workspace);
    assert_non_null(own);
    memcpy(own, input, bytes);
    memset(workspace, 0xff, info.workspace_bytes); /* NaNs: what is read must be written */
    assert_int_equal(admmnn_runtime_run(model, workspace, own, count, output), ADMMNN_RUNTIME_OK);
    assert_memory_equal(own, input, bytes);
    free(own);
    free(workspace);
}

static inline void mend_checksum(bytes file) {
    const uint32_t crc = base_crc32(file.at, file.count - 4);
    for (size_t i = 0; i < 4; i++)
        file.at[file.count - 4 + i] = (uint8_t)(crc >> (8 * i));
}

#define SAMPLES 3

/* Every kind of kernels with every way to keep weights. */
#define RUNTIME_WAYS 9

static inline admmnn_runtime_settings runtime_way(int way) {
    return (admmnn_runtime_settings){.kernels = (admmnn_runtime_kernels)(way % 3),
                                     .weights = (admmnn_runtime_weights)(way / 3)};
}

/* The file's outputs, of all kinds of kernels and every way to keep weights, against those of the
 * reference. */
static inline void expect_as_engine(const pack_model *packed, bytes file, double bound) {
    const graph *g = packed->g;
    const size_t inputs = graph_value_count(g, g->input);
    const size_t outputs = graph_value_count(g, g->output);
    float *params = base_array(g->flat_count, sizeof *params);
    float *input = random_floats(SAMPLES * inputs, 11);
    float *expected = base_array(SAMPLES * outputs, sizeof *expected);
    float *output = base_array(SAMPLES * outputs, sizeof *output);
    pack_model_values(packed, params);
    forward(g, params, input, SAMPLES, expected);
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        const admmnn_runtime_settings settings = runtime_way(way);
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
        runtime_run(model, input, SAMPLES, output);
        const double difference = apart(output, expected, SAMPLES * outputs);
        if (!(difference <= bound))
            fail_msg("%s: %g apart, kernels %d, weights %d", g->name, difference, way % 3, way / 3);
        admmnn_runtime_close(model);
    }
    base_free(params);
    base_free(input);
    base_free(expected);
    base_free(output);
}

#endif
