/* The network as a directed acyclic graph of typed operations.
 *
 * Values carry one sample's shape; the batch is implicit. A value is the input, made by a
 * node, a constant, or a parameter that nodes read as an operand; the last two are the same
 * for all samples. Parameters live in one flat float vector that the caller owns:
 * parameter p is floats [offset, offset + count) of it. Nodes stand in topological order: a
 * node reads only values made before it. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/error.h"
#include "graph/shape.h"

/* X(name, text) */
#define GRAPH_OP_MAP(X)                                                                            \
    X(CONV, "conv")                                                                                \
    X(MAXPOOL, "maxpool")                                                                          \
    X(INNER_PRODUCT, "inner-product")                                                              \
    X(RELU, "relu")                                                                                \
    X(BATCH_NORMALIZATION, "batch-normalization")                                                  \
    X(DROPOUT, "dropout")                                                                          \
    X(TRANSPOSED_CONV, "transposed-conv")                                                          \
    X(AVERAGE_POOL, "average-pool")                                                                \
    X(MATMUL, "matmul")                                                                            \
    X(LRN, "lrn")                                                                                  \
    X(INSTANCE_NORMALIZATION, "instance-normalization")                                            \
    X(LAYER_NORMALIZATION, "layer-normalization")                                                  \
    X(UNARY, "unary")                                                                              \
    X(BINARY, "binary")                                                                            \
    X(SOFTMAX, "softmax")                                                                          \
    X(LOG_SOFTMAX, "log-softmax")                                                                  \
    X(REDUCE, "reduce")                                                                            \
    X(CONCAT, "concat")                                                                            \
    X(SLICE, "slice")                                                                              \
    X(PAD, "pad")                                                                                  \
    X(RESHAPE, "reshape")                                                                          \
    X(TRANSPOSE, "transpose")                                                                      \
    X(GATHER, "gather")                                                                            \
    X(RESIZE, "resize")

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

/* ---- what operations need to know ---- */

/* Geometry of a convolution or pooling window: {vertical, horizontal}. Output size =
 * (in + pad + pad_end - (dilation (kernel - 1) + 1)) / stride + 1, rounded down. */
typedef struct graph_window {
    uint32_t kernel[2], stride[2], pad[2], pad_end[2], dilation[2];
} graph_window;

/* One window, as many pixels on each side, no dilation. */
static inline graph_window graph_window_of(uint32_t kernel, uint32_t stride, uint32_t pad) {
    return (graph_window){{kernel, kernel}, {stride, stride}, {pad, pad}, {pad, pad}, {1, 1}};
}

/* Output channels of a group read the input channels of the same group alone. */
typedef struct graph_conv {
    graph_window window;
    uint32_t groups;
    bool biased;
    uint32_t output_pad[2]; /* transposed alone: rows and columns more at the end */
} graph_conv;

/* Of one group, with a bias. */
static inline graph_conv graph_conv_of(graph_window window) {
    return (graph_conv){.window = window, .groups = 1, .biased = true};
}

/* `ceil` rounds the output size up, for a last window that begins on the input or the
 * padding before it. `counts_padding`: an average divides by the padding it covers too. */
typedef struct graph_pool {
    graph_window window;
    bool ceil, counts_padding;
} graph_pool;

static inline graph_pool graph_pool_of(graph_window window) {
    return (graph_pool){.window = window};
}

/* y = (x - mean) / sqrt(variance + epsilon) * scale + shift, the variance that of a
 * population.
 * Batch (Ioffe and Szegedy 2015): of each channel. In training mean and variance are the
 * batch's, and the running ones follow them: running = momentum * running + (1 - momentum) *
 * batch. Elsewhere they are the running ones.
 * Instance (Ulyanov et al. 2016): of each channel of each sample.
 * Layer (Ba et al. 2016): of each sample over the axes from `axis` on, of whose elements
 * each has a scale and a shift. */
typedef struct graph_normalization {
    uint32_t scale, shift, mean, variance; /* parameters, or GRAPH_NONE */
    float epsilon, momentum;
    uint32_t axis;
} graph_normalization;

/* ONNX's defaults. */
#define GRAPH_EPSILON 1e-5F
#define GRAPH_MOMENTUM 0.9F

/* y_c = x_c / (bias + alpha / size * sum of x_k^2)^beta, k from c - (size - 1) / 2 to
 * c + size / 2, both rounded down, as far as there are channels (Krizhevsky et al. 2012;
 * ONNX's LRN). */
typedef struct graph_lrn {
    uint32_t size;
    float alpha, beta, bias;
} graph_lrn;

/* X(name, text): a and b are the node's numbers. */
#define GRAPH_UNARY_MAP(X)                                                                         \
    X(LEAKY_RELU, "leaky-relu")     /* x, of x < 0 a x */                                          \
    X(CLIP, "clip")                 /* min(max(x, a), b) */                                        \
    X(SIGMOID, "sigmoid")           /* 1 / (1 + exp(-x)) */                                        \
    X(HARD_SIGMOID, "hard-sigmoid") /* max(0, min(1, a x + b)) */                                  \
    X(HARD_SWISH, "hard-swish")     /* x max(0, min(1, x / 6 + 1 / 2)) */                          \
    X(TANH, "tanh")                                                                                \
    X(ELU, "elu")             /* x, of x < 0 a (exp(x) - 1) */                                     \
    X(GELU, "gelu")           /* x / 2 (1 + erf(x / sqrt(2))) (Hendrycks and Gimpel 2016) */       \
    X(GELU_TANH, "gelu-tanh") /* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */              \
    X(SOFTPLUS, "softplus")   /* log(1 + exp(x)) */                                                \
    X(ERF, "erf")                                                                                  \
    X(SQRT, "sqrt")                                                                                \
    X(NEG, "neg")                                                                                  \
    X(EXP, "exp")                                                                                  \
    X(POWER, "power") /* x^a */

typedef enum graph_unary_kind {
#define GRAPH_UNARY_ENUM(name, text) GRAPH_##name,
    GRAPH_UNARY_MAP(GRAPH_UNARY_ENUM)
#undef GRAPH_UNARY_ENUM
        GRAPH_UNARY_COUNT
} graph_unary_kind;

typedef struct graph_unary {
    graph_unary_kind kind;
    float a, b;
} graph_unary;

/* X(name, text): of operands x and z, broadcast by NumPy's rule. */
#define GRAPH_BINARY_MAP(X)                                                                        \
    X(ADD, "add")                                                                                  \
    X(SUB, "sub")                                                                                  \
    X(MUL, "mul")                                                                                  \
    X(DIV, "div")                                                                                  \
    X(POW, "pow")                                                                                  \
    X(PRELU, "prelu") /* x, of x < 0 z x (He et al. 2015); z is broadcast to x's shape */

typedef enum graph_binary_kind {
#define GRAPH_BINARY_ENUM(name, text) GRAPH_##name,
    GRAPH_BINARY_MAP(GRAPH_BINARY_ENUM)
#undef GRAPH_BINARY_ENUM
        GRAPH_BINARY_COUNT
} graph_binary_kind;

typedef enum graph_reduction { GRAPH_REDUCE_MEAN, GRAPH_REDUCE_SUM } graph_reduction;

typedef struct graph_reduce {
    graph_reduction kind;
    uint32_t axes; /* bit i: axis i */
    bool keeps;    /* the axes stay, of dim 1 */
} graph_reduce;

/* Output index i of an axis is input index first + i step. */
typedef struct graph_slice {
    uint32_t first[GRAPH_RANK_MAX], count[GRAPH_RANK_MAX];
    int32_t step[GRAPH_RANK_MAX]; /* not 0; below 0: backwards */
} graph_slice;

typedef enum graph_pad_kind {
    GRAPH_PAD_CONSTANT,
    GRAPH_PAD_REFLECT, /* the edge is not repeated */
    GRAPH_PAD_EDGE
} graph_pad_kind;

typedef struct graph_pad {
    graph_pad_kind kind;
    float value; /* of constant padding */
    uint32_t begin[GRAPH_RANK_MAX], end[GRAPH_RANK_MAX];
} graph_pad;

/* Where output index y of an axis reads its input, of sizes out and in (ONNX's
 * coordinate_transformation_mode). */
typedef enum graph_resize_place {
    GRAPH_RESIZE_HALF_PIXEL,           /* (y + 0.5) / scale - 0.5 */
    GRAPH_RESIZE_PYTORCH_HALF_PIXEL,   /* the same, and 0 where out is 1 */
    GRAPH_RESIZE_HALF_PIXEL_SYMMETRIC, /* the same about the middle, where out is not in scale */
    GRAPH_RESIZE_ALIGN_CORNERS,        /* y (in - 1) / (out - 1), and 0 where out is 1 */
    GRAPH_RESIZE_ASYMMETRIC            /* y / scale */
} graph_resize_place;

typedef enum graph_resize_mode {
    GRAPH_RESIZE_NEAREST_DOWN,  /* to the nearest, of two the lower */
    GRAPH_RESIZE_NEAREST_UP,    /* to the nearest, of two the upper */
    GRAPH_RESIZE_NEAREST_FLOOR, /* rounded down */
    GRAPH_RESIZE_NEAREST_CEIL,  /* rounded up */
    GRAPH_RESIZE_LINEAR
} graph_resize_mode;

typedef struct graph_resize {
    graph_resize_mode mode;
    graph_resize_place place;
    float scale[GRAPH_RANK_MAX]; /* output size / input size, as far as it was rounded */
    uint32_t size[GRAPH_RANK_MAX];
} graph_resize;

/* ---- the graph ---- */

typedef struct graph_value {
    graph_shape shape;
    uint32_t producer;  /* node, or GRAPH_NONE: the input, a constant, a parameter */
    uint32_t parameter; /* or GRAPH_NONE */
    size_t constant;    /* place of its floats in the graph's constants, or GRAPH_VARIES */
    uint32_t index_dim; /* the least dim of an axis that a constant's floats are indices of: many
                           nodes may ask; 0: of none */
} graph_value;

#define GRAPH_VARIES SIZE_MAX

typedef struct graph_node {
    graph_op op;
    char name[GRAPH_NAME_MAX];
    uint32_t first_operand, operand_count; /* graph_operand tells the values it reads */
    uint32_t output;                       /* value */
    /* Parameters, or GRAPH_NONE: of convolutions and inner products. The weight of a matmul
     * is a parameter of that kind among its operands. */
    uint32_t weight, bias;
    union {
        graph_conv conv; /* transposed too */
        graph_pool pool;
        graph_normalization normalization;
        float ratio; /* dropout: of the elements that become zero in training */
        graph_lrn lrn;
        graph_unary unary;
        graph_binary_kind binary;
        graph_reduce reduce;
        uint32_t axis; /* softmax, log softmax, concat, gather */
        graph_slice slice;
        graph_pad pad;
        uint32_t order[GRAPH_RANK_MAX]; /* transpose: axis i of the output is order[i] */
        graph_resize resize;
    };
} graph_node;

/* X(name, text): mean and variance are running statistics, which are not trained; a tensor is
 * an operand that is none of the others. */
#define GRAPH_PARAMETER_MAP(X)                                                                     \
    X(WEIGHT, "weight")                                                                            \
    X(BIAS, "bias")                                                                                \
    X(SCALE, "scale")                                                                              \
    X(SHIFT, "shift")                                                                              \
    X(MEAN, "mean")                                                                                \
    X(VARIANCE, "variance")                                                                        \
    X(TENSOR, "tensor")

typedef enum graph_parameter_kind {
#define GRAPH_PARAMETER_ENUM(name, text) GRAPH_##name,
    GRAPH_PARAMETER_MAP(GRAPH_PARAMETER_ENUM)
#undef GRAPH_PARAMETER_ENUM
} graph_parameter_kind;

/* A weight is a matrix of `rows` outputs by `columns` inputs: a convolution's
 * columns run over (input channel of the group, kernel row, kernel column), transposed or
 * not; an inner product's over its input's elements. A parameter that is an operand has its
 * last axis as columns and all others as rows, so a matmul's right side has inputs by
 * outputs. All others have columns 1, and a normalization's a row for each channel, or
 * for each element that a layer normalization goes over. */
typedef struct graph_parameter {
    graph_parameter_kind kind;
    uint32_t node;             /* GRAPH_NONE: an operand that is no node's weight */
    char name[GRAPH_NAME_MAX]; /* an operand's own */
    uint32_t rows, columns;
    size_t count;  /* rows * columns */
    size_t offset; /* into the flat vector */
} graph_parameter;

/* How graph_initialise draws weights. */
typedef enum graph_initialisation {
    GRAPH_GLOROT, /* uniform, by both fans (Glorot and Bengio 2010) */
    GRAPH_HE      /* normal, by the fan in, for rectifiers (He et al. 2015) */
} graph_initialisation;

typedef struct graph {
    char name[GRAPH_NAME_MAX];
    uint32_t value_count, node_count, parameter_count;
    graph_value *values;
    graph_node *nodes;
    graph_parameter *parameters;
    uint32_t *operands; /* values, those of a node in a row */
    float *constants;
    uint32_t operand_count;
    size_t constant_count;
    size_t value_capacity, node_capacity, parameter_capacity, operand_capacity, constant_capacity;
    uint32_t input, output; /* values */
    size_t flat_count;      /* floats in the flat vector, padding included */
    graph_initialisation initialisation;
} graph;

/* The graph is the caller's, freed with graph_free; so are clones. */
admmnn_status graph_create(const char *name, graph_shape input, graph **out, admmnn_error *err);
admmnn_status graph_clone(const graph *g, graph **out, admmnn_error *err);
void graph_free(graph *g);

/* ---- values that no node makes ---- */

/* data[graph_shape_count(shape)] is copied. */
admmnn_status graph_add_constant(graph *g, graph_shape shape, const float *data, uint32_t *out,
                                 admmnn_error *err);
/* A parameter of that name as an operand. One of kind GRAPH_WEIGHT becomes the weight of
 * the first matmul that reads it. */
admmnn_status graph_add_parameter(graph *g, const char *name, graph_parameter_kind kind,
                                  graph_shape shape, uint32_t *out, admmnn_error *err);

/* ---- nodes ---- */

/* Each adds one node that reads value `in` (and others) and sets *out (and the graph's
 * output) to the value it makes. Impossible geometry is ADMMNN_INPUT, and leaves the graph
 * as it was. */

/* Images are (channels, height, width), or (channels, width) of height 1. */
admmnn_status graph_add_conv(graph *g, const char *name, uint32_t in, uint32_t filters,
                             graph_conv conv, uint32_t *out, admmnn_error *err);
/* Output size = stride (in - 1) + dilation (kernel - 1) + 1 + output_pad - pad - pad_end. */
admmnn_status graph_add_transposed_conv(graph *g, const char *name, uint32_t in, uint32_t filters,
                                        graph_conv conv, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_maxpool(graph *g, const char *name, uint32_t in, graph_pool pool,
                                uint32_t *out, admmnn_error *err);
admmnn_status graph_add_average_pool(graph *g, const char *name, uint32_t in, graph_pool pool,
                                     uint32_t *out, admmnn_error *err);

/* Of all elements of the input, whatever its shape; the output has rank 1. */
admmnn_status graph_add_inner_product(graph *g, const char *name, uint32_t in, uint32_t outputs,
                                      bool biased, uint32_t *out, admmnn_error *err);
/* NumPy's matmul of two samples: matrices in the last two axes, the axes before them
 * broadcast; rank 1 is one row on the left, one column on the right. */
admmnn_status graph_add_matmul(graph *g, const char *name, uint32_t left, uint32_t right,
                               uint32_t *out, admmnn_error *err);

/* epsilon above 0, momentum from 0 to 1. */
admmnn_status graph_add_batch_normalization(graph *g, const char *name, uint32_t in, float epsilon,
                                            float momentum, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_instance_normalization(graph *g, const char *name, uint32_t in,
                                               float epsilon, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_layer_normalization(graph *g, const char *name, uint32_t in, uint32_t axis,
                                            float epsilon, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_lrn(graph *g, const char *name, uint32_t in, graph_lrn lrn, uint32_t *out,
                            admmnn_error *err);
admmnn_status graph_add_softmax(graph *g, const char *name, uint32_t in, uint32_t axis,
                                uint32_t *out, admmnn_error *err);
admmnn_status graph_add_log_softmax(graph *g, const char *name, uint32_t in, uint32_t axis,
                                    uint32_t *out, admmnn_error *err);

admmnn_status graph_add_relu(graph *g, const char *name, uint32_t in, uint32_t *out,
                             admmnn_error *err);
admmnn_status graph_add_unary(graph *g, const char *name, uint32_t in, graph_unary unary,
                              uint32_t *out, admmnn_error *err);
admmnn_status graph_add_binary(graph *g, const char *name, graph_binary_kind kind, uint32_t left,
                               uint32_t right, uint32_t *out, admmnn_error *err);
/* In training an element becomes zero with probability `ratio`, of 0 to below 1, and else
 * is divided by 1 - ratio; elsewhere nothing happens. */
admmnn_status graph_add_dropout(graph *g, const char *name, uint32_t in, float ratio, uint32_t *out,
                                admmnn_error *err);

admmnn_status graph_add_reduce(graph *g, const char *name, uint32_t in, graph_reduce reduce,
                               uint32_t *out, admmnn_error *err);
/* in[count], alike but for the dim of the axis. */
admmnn_status graph_add_concat(graph *g, const char *name, const uint32_t *in, uint32_t count,
                               uint32_t axis, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_slice(graph *g, const char *name, uint32_t in, const graph_slice *slice,
                              uint32_t *out, admmnn_error *err);
admmnn_status graph_add_pad(graph *g, const char *name, uint32_t in, const graph_pad *pad,
                            uint32_t *out, admmnn_error *err);
/* As many elements, in the same order. */
admmnn_status graph_add_reshape(graph *g, const char *name, uint32_t in, graph_shape shape,
                                uint32_t *out, admmnn_error *err);
admmnn_status graph_add_transpose(graph *g, const char *name, uint32_t in,
                                  const uint32_t order[GRAPH_RANK_MAX], uint32_t *out,
                                  admmnn_error *err);
/* indices: a constant of whole numbers from 0 to below the axis' dim, whose shape takes the
 * axis' place. */
admmnn_status graph_add_gather(graph *g, const char *name, uint32_t in, uint32_t indices,
                               uint32_t axis, uint32_t *out, admmnn_error *err);
admmnn_status graph_add_resize(graph *g, const char *name, uint32_t in, const graph_resize *resize,
                               uint32_t *out, admmnn_error *err);

/* ---- questions ---- */

/* Whether it differs between samples: it is neither a constant nor a parameter. */
static inline bool graph_value_varies(const graph *g, uint32_t value) {
    return g->values[value].parameter == GRAPH_NONE && g->values[value].constant == GRAPH_VARIES;
}

/* The i-th value the node reads. */
static inline uint32_t graph_operand(const graph *g, const graph_node *node, uint32_t i) {
    return g->operands[node->first_operand + i];
}

static inline graph_shape graph_operand_shape(const graph *g, const graph_node *node, uint32_t i) {
    return g->values[graph_operand(g, node, i)].shape;
}

/* Of a convolution, transposed or not, or a pooling; NULL of all else. */
const graph_window *graph_node_window(const graph_node *node);

const char *graph_op_name(graph_op op);
const char *graph_unary_name(graph_unary_kind kind);
const char *graph_binary_name(graph_binary_kind kind);
/* "conv1.weight": the node's name and which of its parameters, or an operand's own name. */
void graph_parameter_name(const graph *g, uint32_t p, char name[GRAPH_PARAMETER_NAME_MAX]);
/* Elements of a value. */
size_t graph_value_count(const graph *g, uint32_t value);
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
/* Multiply-accumulates of one sample's forward pass, dense: of convolutions, inner products
 * and matmuls. */
uint64_t graph_node_macs(const graph *g, const graph_node *node);
uint64_t graph_macs(const graph *g);

#endif
