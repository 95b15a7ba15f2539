/* The network as a directed acyclic graph of typed operations.
 *
 * Values carry one sample's shape (channels, height, width); the batch is
 * implicit. Parameters live in one flat float vector that the caller owns:
 * parameter p is floats [offset, offset + count) of it. Nodes stand in
 * topological order: a node reads only values made before it. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* X(name, text, inputs, has weights) */
#define GRAPH_OP_MAP(X)                                                                            \
    X(CONV, "conv")                                                                                \
    X(MAXPOOL, "maxpool")                                                                          \
    X(INNER_PRODUCT, "inner-product")                                                              \
    X(RELU, "relu")                                                                                \
    X(BATCH_NORMALIZATION, "batch-normalization")                                                  \
    X(DROPOUT, "dropout")

typedef enum graph_op {
#define GRAPH_OP_ENUM(name, text) GRAPH_##name,
    GRAPH_OP_MAP(GRAPH_OP_ENUM)
#undef GRAPH_OP_ENUM
        GRAPH_OP_COUNT
} graph_op;

#define GRAPH_NONE UINT32_MAX
#define GRAPH_NAME_MAX 32
#define GRAPH_PARAMETER_NAME_MAX (GRAPH_NAME_MAX + 10)
/* Parameter offsets are multiples of this many floats (one AVX-512 register). */
#define GRAPH_PARAMETER_ALIGNMENT 16
/* Bounds that no real network meets and that keep every size product small. */
#define GRAPH_DIMENSION_MAX 1048576U
#define GRAPH_PARAMETERS_MAX ((size_t)1 << 31)
#define GRAPH_NODES_MAX 65536U

typedef struct graph_shape {
    uint32_t channels, height, width;
} graph_shape;

/* Geometry of a convolution or pooling window: {vertical, horizontal}. Padding
 * is symmetric. Output size = (in + 2 pad - kernel) / stride + 1, rounded down. */
typedef struct graph_window {
    uint32_t kernel[2], stride[2], pad[2];
} graph_window;

/* Of each channel: y = (x - mean) / sqrt(variance + epsilon) * scale + shift (Ioffe and
 * Szegedy 2015; ONNX's BatchNormalization). In training mean and variance are the batch's,
 * the variance that of a population, and the running ones follow them: running = momentum *
 * running + (1 - momentum) * batch. Elsewhere they are the running ones. */
typedef struct graph_normalization {
    uint32_t scale, shift, mean, variance; /* parameters, or GRAPH_NONE */
    float epsilon, momentum;
} graph_normalization;

/* ONNX's defaults. */
#define GRAPH_EPSILON 1e-5F
#define GRAPH_MOMENTUM 0.9F

typedef struct graph_value {
    graph_shape shape;
    uint32_t producer; /* node, or GRAPH_NONE for the input */
} graph_value;

typedef struct graph_node {
    graph_op op;
    char name[GRAPH_NAME_MAX];
    uint32_t inputs[2]; /* values; unused ones are GRAPH_NONE */
    uint32_t output;    /* value */
    graph_window window;
    uint32_t weight, bias; /* parameters, or GRAPH_NONE */
    graph_normalization normalization;
    float ratio; /* dropout: of the elements that become zero in training */
} graph_node;

/* X(name, text): the last two are running statistics, which are not trained. */
#define GRAPH_PARAMETER_MAP(X)                                                                     \
    X(WEIGHT, "weight")                                                                            \
    X(BIAS, "bias")                                                                                \
    X(SCALE, "scale")                                                                              \
    X(SHIFT, "shift")                                                                              \
    X(MEAN, "mean")                                                                                \
    X(VARIANCE, "variance")

typedef enum graph_parameter_kind {
#define GRAPH_PARAMETER_ENUM(name, text) GRAPH_##name,
    GRAPH_PARAMETER_MAP(GRAPH_PARAMETER_ENUM)
#undef GRAPH_PARAMETER_ENUM
} graph_parameter_kind;

/* A weight is a matrix of `rows` outputs by `columns` inputs: a convolution's
 * columns run over (input channel, kernel row, kernel column), an inner
 * product's over its input's (channel, row, column). The others have columns 1, and a
 * normalization's a row for each channel. */
typedef struct graph_parameter {
    graph_parameter_kind kind;
    uint32_t node;
    uint32_t rows, columns;
    size_t count;  /* rows * columns */
    size_t offset; /* into the flat vector */
} graph_parameter;

typedef struct graph {
    char name[GRAPH_NAME_MAX];
    uint32_t value_count, node_count, parameter_count;
    graph_value *values;
    graph_node *nodes;
    graph_parameter *parameters;
    size_t value_capacity, node_capacity, parameter_capacity;
    uint32_t input, output; /* values */
    size_t flat_count;      /* floats in the flat vector, padding included */
} graph;

/* The graph is the caller's, freed with graph_free; so are clones. */
admmnn_status graph_create(const char *name, graph_shape input, graph **out, admmnn_error *err);
admmnn_status graph_clone(const graph *g, graph **out, admmnn_error *err);
void graph_free(graph *g);

/* Each adds one node that reads value `in` and sets *out (and the graph's
 * output) to the value it makes. Impossible geometry is ADMMNN_INPUT. */
admmnn_status graph_add_conv(graph *g, const char *name, uint32_t in, uint32_t filters,
                             graph_window window, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_maxpool(graph *g, const char *name, uint32_t in, graph_window window,
                                uint32_t *out, admmnn_error *err);
admmnn_status graph_add_inner_product(graph *g, const char *name, uint32_t in, uint32_t outputs,
                                      uint32_t *out, admmnn_error *err);
admmnn_status graph_add_relu(graph *g, const char *name, uint32_t in, uint32_t *out,
                             admmnn_error *err);
/* epsilon above 0, momentum from 0 to 1. */
admmnn_status graph_add_batch_normalization(graph *g, const char *name, uint32_t in, float epsilon,
                                            float momentum, uint32_t *out, admmnn_error *err);
/* In training an element becomes zero with probability `ratio`, of 0 to below 1, and else
 * is divided by 1 - ratio; elsewhere nothing happens. */
admmnn_status graph_add_dropout(graph *g, const char *name, uint32_t in, float ratio, uint32_t *out,
                                admmnn_error *err);

const char *graph_op_name(graph_op op);
/* "conv1.weight": the node's name and which of its parameters. */
void graph_parameter_name(const graph *g, uint32_t p, char name[GRAPH_PARAMETER_NAME_MAX]);
/* channels * height * width of a value. */
size_t graph_value_count(const graph *g, uint32_t value);
size_t graph_shape_count(graph_shape shape);
/* Whether training moves it by its gradient: all but running statistics. */
bool graph_parameter_is_trained(const graph_parameter *parameter);
/* Weights alone, and with all else that is trained. */
size_t graph_weight_count(const graph *g);
size_t graph_trainable_count(const graph *g);
/* The node of that name; GRAPH_NONE when there is none. */
uint32_t graph_find_node(const graph *g, const char *name);
/* The i-th node with weights (a "layer"), in order; GRAPH_NONE beyond the last. */
uint32_t graph_layer(const graph *g, uint32_t i);
uint32_t graph_layer_count(const graph *g);
/* The i of a node with weights. */
uint32_t graph_layer_index(const graph *g, uint32_t node);
/* Multiply-accumulates of one sample's forward pass, dense. */
uint64_t graph_macs(const graph *g);

#endif
