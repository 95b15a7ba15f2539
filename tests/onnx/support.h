/* Networks for the tests of ONNX models. */
#ifndef TESTS_ONNX_SUPPORT_H
#define TESTS_ONNX_SUPPORT_H

#include "base/bytes.h"
#include "networks.h"
#include "onnx/onnx.h"

static inline void append_bytes(void *to, const void *from, size_t count) {
    base_write_bytes(to, from, count);
}

/* The model's file, its data inside. */
static inline admmnn_status write_bytes(const onnx_writing *writing, bytes *file,
                                        admmnn_error *err) {
    const onnx_target target = {.data = ONNX_DATA_INSIDE};
    onnx_message *message;
    base_writer to = {0};
    *file = (bytes){0};
    BASE_TRY(onnx_message_create(writing, &target, &message, err));
    assert_int_equal(onnx_message_data_bytes(message), 0);
    onnx_message_append(message, append_bytes, &to);
    onnx_message_free(message);
    assert_false(to.failed);
    *file = (bytes){.at = to.bytes, .count = to.count};
    return ADMMNN_OK;
}

static inline bytes write_model(const graph *g, const float *params, const onnx_labels *labels) {
    bytes file;
    const onnx_writing writing = {.g = g,
                                  .params = params,
                                  .labels = labels,
                                  .properties = labels == NULL ? NULL : labels->properties,
                                  .property_count = labels == NULL ? 0 : labels->property_count};
    MUST(write_bytes(&writing, &file, err));
    return file;
}

static inline onnx_model read_model(const char *name, bytes file) {
    onnx_model model;
    const onnx_file from = {.name = name, .bytes = file.at, .count = file.count};
    MUST(onnx_read(&from, &model, err));
    return model;
}

static inline float *random_params(const graph *g, uint64_t seed) {
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    base_random random = base_random_at(seed, 0, 0);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++)
            params[g->parameters[p].offset + i] = g->parameters[p].kind == GRAPH_VARIANCE
                                                      ? 0.1F + base_random_uniform(&random)
                                                      : base_random_normal(&random) * 0.1F;
    return params;
}

/* Batch normalization of images and of features, one with an epsilon of its own; dropped
 * out where asked. */
static inline graph *normalized_network(bool dropout) {
    graph *g;
    uint32_t v;
    MUST(graph_create("normalized", graph_shape_image(2, 8, 8), &g, err));
    v = g->input;
    if (dropout)
        MUST(graph_add_dropout(g, "drop1", v, 0.2F, &v, err));
    MUST(graph_add_conv(g, "conv", v, 3,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        err));
    MUST(graph_add_batch_normalization(g, "bn1", v, 1e-3F, 0.8F, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    MUST(graph_add_inner_product(g, "fc", v, 5, true, &v, err));
    MUST(graph_add_batch_normalization(g, "bn2", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    if (dropout)
        MUST(graph_add_dropout(g, "drop2", v, 0.5F, &v, err));
    return g;
}

/* Strides, paddings, names of its own, an inner product that becomes an image. */
static inline graph *odd_network(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("odd", graph_shape_image(3, 11, 9), &g, err));
    MUST(graph_add_conv(g, "first", g->input, 5,
                        graph_conv_of((graph_window){{3, 2}, {2, 1}, {1, 0}, {1, 0}, {1, 1}}), &v,
                        err));
    MUST(graph_add_relu(g, "first.out", v, &v, err));
    MUST(graph_add_maxpool(g, "pool", v,
                           graph_pool_of((graph_window){{3, 2}, {2, 1}, {1, 1}, {1, 1}, {1, 1}}),
                           &v, err));
    MUST(graph_add_inner_product(g, "input", v, 6, true, &v, err));
    MUST(graph_add_relu(g, "logits", v, &v, err));
    MUST(graph_add_conv(g, "last", v, 4,
                        graph_conv_of((graph_window){{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        err));
    return g;
}

#endif
