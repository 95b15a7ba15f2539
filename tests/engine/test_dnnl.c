/* The oneDNN back end against the reference, operation by operation between a convolution,
 * which leaves its output in a format of oneDNN's, and an inner product: both ways to divide a
 * step, forward and gradients, for training and for inference alone. */
#include <pthread.h>

#include "instrumented.h"
#include "must.h"
#include "support.h"

/* Largest difference over largest number of a parameter's gradient, or of the outputs: 32-bit
 * sums, and oneDNN's approximations of exponentials. */
#define BOUND 2e-5
/* The same through tens of normalized layers, which pass rounding on, and past it a rectifier's
 * corner here and there. */
#define DEEP_BOUND 1e-3
/* Of the largest gradient of all, for those that are zero, as of a bias below a normalization. */
#define ROUNDING 2e-6
#define CLASSES 5
#define SAMPLES 7

typedef void build(graph *g, uint32_t *v);

typedef struct network {
    const char *name;
    build *add;    /* NULL: the zoo's of that name */
    uint32_t side; /* of the zoo's images */
} network;

/* ---- operations ---- */

static void add_function(graph *g, uint32_t *v, graph_unary_kind kind, float a, float b) {
    MUST(graph_add_unary(g, graph_unary_name(kind), *v, (graph_unary){kind, a, b}, v, err));
}

static void add_grouped(graph *g, uint32_t *v) {
    graph_conv conv = graph_conv_of((graph_window){{3, 2}, {2, 1}, {1, 0}, {2, 1}, {1, 2}});
    conv.groups = 2;
    conv.biased = false;
    MUST(graph_add_conv(g, "grouped", *v, 32, conv, v, err));
}

static void add_depthwise(graph *g, uint32_t *v) {
    graph_conv conv = graph_conv_of(graph_window_of(3, 2, 1));
    conv.groups = 16;
    MUST(graph_add_conv(g, "depthwise", *v, 16, conv, v, err));
    add_function(g, v, GRAPH_CLIP, 0.0F, 0.6F);
}

static void add_transposed(graph *g, uint32_t *v) {
    graph_conv conv = graph_conv_of((graph_window){{3, 3}, {2, 2}, {1, 0}, {1, 1}, {1, 1}});
    conv.output_pad[0] = 1;
    MUST(graph_add_transposed_conv(g, "transposed", *v, 6, conv, v, err));
}

/* More rows than its stride: oneDNN takes that for a mistake, with and without what follows. */
static void add_padded_transposed(graph *g, uint32_t *v) {
    graph_conv conv = graph_conv_of(graph_window_of(3, 2, 0));
    conv.output_pad[0] = 3;
    MUST(graph_add_transposed_conv(g, "transposed", *v, 6, conv, v, err));
    MUST(graph_add_batch_normalization(g, "bn", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_relu(g, "relu", *v, v, err));
}

static void add_line(graph *g, uint32_t *v) {
    const graph_conv conv = graph_conv_of((graph_window){{1, 3}, {1, 2}, {0, 1}, {0, 0}, {1, 1}});
    MUST(graph_add_reshape(g, "line", *v, (graph_shape){2, {16, 72}}, v, err));
    MUST(graph_add_conv(g, "conv1d", *v, 8, conv, v, err));
    MUST(graph_add_relu(g, "relu", *v, v, err));
    MUST(graph_add_average_pool(
        g, "pool1d", *v, graph_pool_of((graph_window){{1, 4}, {1, 3}, {0, 1}, {0, 2}, {1, 1}}), v,
        err));
}

static void add_maxpool(graph *g, uint32_t *v) {
    graph_pool pool = graph_pool_of((graph_window){{3, 2}, {2, 3}, {1, 0}, {0, 1}, {1, 1}});
    pool.ceil = true;
    MUST(graph_add_maxpool(g, "maxpool", *v, pool, v, err));
}

/* The last column is read by none. */
static void add_sparse_pools(graph *g, uint32_t *v) {
    graph_pool pool = graph_pool_of((graph_window){{1, 1}, {2, 2}, {0, 0}, {0, 0}, {1, 1}});
    pool.ceil = true;
    MUST(graph_add_maxpool(g, "max", *v, pool, v, err));
    MUST(graph_add_average_pool(g, "average", *v, pool, v, err));
}

static void add_average_pools(graph *g, uint32_t *v) {
    graph_pool pool = graph_pool_of((graph_window){{3, 3}, {1, 2}, {1, 1}, {1, 0}, {1, 1}});
    MUST(graph_add_average_pool(g, "exclusive", *v, pool, v, err));
    pool.counts_padding = true;
    MUST(graph_add_average_pool(g, "inclusive", *v, pool, v, err));
    pool.ceil = true;
    MUST(graph_add_average_pool(g, "rounded", *v, pool, v, err));
}

static void add_lrns(graph *g, uint32_t *v) {
    MUST(graph_add_lrn(g, "odd", *v, (graph_lrn){5, 0.5F, 0.75F, 1.5F}, v, err));
    MUST(graph_add_lrn(g, "even", *v, (graph_lrn){4, 0.5F, 0.75F, 1.5F}, v, err));
}

/* No image. */
static void add_lrn_of_four_axes(graph *g, uint32_t *v) {
    MUST(graph_add_reshape(g, "four", *v, (graph_shape){4, {8, 2, 9, 8}}, v, err));
    MUST(graph_add_lrn(g, "lrn", *v, (graph_lrn){3, 0.5F, 0.75F, 1.5F}, v, err));
}

static void add_norms(graph *g, uint32_t *v) {
    MUST(graph_add_batch_normalization(g, "bn1", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_relu(g, "relu1", *v, v, err));
    MUST(graph_add_conv(g, "conv", *v, 12, graph_conv_of(graph_window_of(1, 1, 0)), v, err));
    MUST(graph_add_batch_normalization(g, "bn2", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_inner_product(g, "fc1", *v, 10, true, v, err));
    MUST(graph_add_batch_normalization(g, "bn3", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_relu(g, "relu3", *v, v, err));
    MUST(graph_add_dropout(g, "dropout", *v, 0.3F, v, err));
}

static void add_other_norms(graph *g, uint32_t *v) {
    MUST(graph_add_instance_normalization(g, "instance", *v, 0.1F, v, err));
    MUST(graph_add_layer_normalization(g, "layer", *v, 1, 0.1F, v, err));
}

static void add_softmaxes(graph *g, uint32_t *v) {
    MUST(graph_add_softmax(g, "softmax", *v, 0, v, err));
    add_function(g, v, GRAPH_SQRT, 0.0F, 0.0F);
    MUST(graph_add_log_softmax(g, "log-softmax", *v, 2, v, err));
}

/* One after another, each of what a convolution makes of the last. */
static void add_functions(graph *g, uint32_t *v) {
    static const graph_unary functions[] = {
        {GRAPH_LEAKY_RELU, 0.2F, 0.0F}, {GRAPH_CLIP, -0.7F, 0.9F},
        {GRAPH_SIGMOID, 0.0F, 0.0F},    {GRAPH_HARD_SIGMOID, 0.4F, 0.3F},
        {GRAPH_HARD_SWISH, 0.0F, 0.0F}, {GRAPH_TANH, 0.0F, 0.0F},
        {GRAPH_ELU, 1.5F, 0.0F},        {GRAPH_GELU, 0.0F, 0.0F},
        {GRAPH_GELU_TANH, 0.0F, 0.0F},  {GRAPH_SOFTPLUS, 0.0F, 0.0F},
        {GRAPH_ERF, 0.0F, 0.0F},        {GRAPH_NEG, 0.0F, 0.0F},
        {GRAPH_EXP, 0.0F, 0.0F},        {GRAPH_SQRT, 0.0F, 0.0F}};
    for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++) {
        const graph_unary f = functions[k];
        char name[GRAPH_NAME_MAX];
        snprintf(name, sizeof name, "conv%zu", k);
        if (f.kind != GRAPH_SQRT)
            MUST(graph_add_conv(g, name, *v, 8, graph_conv_of(graph_window_of(1, 1, 0)), v, err));
        add_function(g, v, f.kind, f.a, f.b);
    }
}

/* Read by two that write in place. */
static void add_two_functions(graph *g, uint32_t *v) {
    uint32_t other = *v;
    add_function(g, &other, GRAPH_TANH, 0.0F, 0.0F);
    MUST(graph_add_relu(g, "relu", *v, v, err));
    MUST(graph_add_relu(g, "again", *v, v, err));
    MUST(graph_add_binary(g, "sub", GRAPH_SUB, *v, other, v, err));
}

/* A sum and the function after it; of each as many again. */
static void add_summed_functions(graph *g, uint32_t *v) {
    static const graph_unary functions[] = {
        {GRAPH_LEAKY_RELU, 0.2F, 0.0F}, {GRAPH_CLIP, -0.7F, 0.9F}, {GRAPH_SIGMOID, 0.0F, 0.0F},
        {GRAPH_HARD_SWISH, 0.0F, 0.0F}, {GRAPH_TANH, 0.0F, 0.0F},  {GRAPH_ELU, 1.5F, 0.0F},
        {GRAPH_GELU, 0.0F, 0.0F},       {GRAPH_EXP, 0.0F, 0.0F}};
    for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++) {
        char name[GRAPH_NAME_MAX];
        uint32_t other;
        snprintf(name, sizeof name, "conv%zu", k);
        MUST(graph_add_conv(g, name, *v, 16, graph_conv_of(graph_window_of(1, 1, 0)), &other, err));
        snprintf(name, sizeof name, "sum%zu", k);
        MUST(graph_add_binary(g, name, GRAPH_ADD, other, *v, v, err));
        add_function(g, v, functions[k].kind, functions[k].a, functions[k].b);
    }
}

/* What is dropped of a rectifier's output reaches the sum, and its gradient comes back from
 * there; the same behind a normalization and by two dropouts. */
static void add_shared_rectifiers(graph *g, uint32_t *v) {
    uint32_t rectified;
    uint32_t dropped;
    MUST(graph_add_inner_product(g, "fc", *v, 12, true, v, err));
    MUST(graph_add_relu(g, "r1", *v, &rectified, err));
    MUST(graph_add_binary(g, "sum1", GRAPH_ADD, rectified, *v, v, err));
    MUST(graph_add_dropout(g, "d1", rectified, 0.4F, &dropped, err));
    MUST(graph_add_binary(g, "sum2", GRAPH_ADD, *v, dropped, v, err));
    MUST(graph_add_batch_normalization(g, "bn", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_relu(g, "r2", *v, &rectified, err));
    MUST(graph_add_dropout(g, "d2", rectified, 0.4F, &dropped, err));
    MUST(graph_add_dropout(g, "d3", rectified, 0.4F, v, err));
    MUST(graph_add_binary(g, "sum3", GRAPH_ADD, *v, dropped, v, err));
}

/* Nothing but the roots is other than zero in samples that fill a share up. */
static void add_roots(graph *g, uint32_t *v) {
    const graph_conv plain = {graph_window_of(1, 1, 0), 1, false, {0, 0}};
    MUST(graph_add_instance_normalization(g, "instance", *v, 0.1F, v, err));
    MUST(graph_add_conv(g, "conv", *v, 8, plain, v, err));
    MUST(graph_add_binary(g, "square", GRAPH_MUL, *v, *v, v, err));
    MUST(graph_add_average_pool(g, "pool", *v, graph_pool_of(graph_window_of(3, 3, 0)), v, err));
    add_function(g, v, GRAPH_SQRT, 0.0F, 0.0F);
}

static void add_residual(graph *g, uint32_t *v) {
    const graph_conv conv = {graph_window_of(3, 1, 1), 1, false, {0, 0}};
    const graph_conv down = {graph_window_of(1, 2, 0), 1, false, {0, 0}};
    const graph_conv first = {graph_window_of(3, 2, 1), 1, false, {0, 0}};
    uint32_t trunk;
    MUST(graph_add_relu(g, "relu", *v, &trunk, err));
    MUST(graph_add_conv(g, "a1", trunk, 16, conv, v, err));
    MUST(graph_add_batch_normalization(g, "an1", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_relu(g, "ar1", *v, v, err));
    MUST(graph_add_conv(g, "a2", *v, 16, conv, v, err));
    MUST(graph_add_batch_normalization(g, "an2", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_binary(g, "asum", GRAPH_ADD, *v, trunk, v, err));
    MUST(graph_add_relu(g, "ar2", *v, &trunk, err));
    MUST(graph_add_conv(g, "b1", trunk, 24, first, v, err));
    MUST(graph_add_batch_normalization(g, "bn1", *v, 1e-3F, 0.9F, v, err));
    MUST(graph_add_conv(g, "bd", trunk, 24, down, &trunk, err));
    MUST(graph_add_batch_normalization(g, "bnd", trunk, 1e-3F, 0.9F, &trunk, err));
    MUST(graph_add_binary(g, "bsum", GRAPH_ADD, *v, trunk, v, err));
    MUST(graph_add_relu(g, "br", *v, v, err));
    MUST(graph_add_binary(g, "twice", GRAPH_ADD, *v, *v, v, err));
    MUST(graph_add_binary(g, "square", GRAPH_MUL, *v, *v, v, err));
}

/* Sums with what a convolution makes: of its own input, of a value with readers to come, of one
 * in another format, on either side; and functions of sums with and without a convolution. */
static void add_joined_sums(graph *g, uint32_t *v) {
    const graph_conv same = graph_conv_of(graph_window_of(3, 1, 1));
    const graph_slice even = {{0, 0, 0}, {8, 9, 8}, {2, 1, 1}};
    graph_conv deep = same;
    uint32_t trunk = *v;
    uint32_t pooled;
    deep.groups = 16;
    MUST(graph_add_conv(g, "a", trunk, 16, same, v, err));
    MUST(graph_add_binary(g, "own", GRAPH_ADD, trunk, *v, v, err));
    add_function(g, v, GRAPH_CLIP, -0.5F, 1.5F);
    MUST(graph_add_conv(g, "b", *v, 16, deep, v, err));
    MUST(graph_add_binary(g, "last", GRAPH_ADD, *v, trunk, v, err));
    MUST(graph_add_relu(g, "relu", *v, &trunk, err));
    MUST(graph_add_slice(g, "even", trunk, &even, &pooled, err));
    MUST(graph_add_conv(g, "c", trunk, 8, same, v, err));
    MUST(graph_add_binary(g, "moved", GRAPH_ADD, pooled, *v, v, err));
    MUST(graph_add_average_pool(g, "pool", *v, graph_pool_of(graph_window_of(3, 1, 1)), &pooled,
                                err));
    MUST(graph_add_binary(g, "plain", GRAPH_ADD, *v, pooled, v, err));
    add_function(g, v, GRAPH_TANH, 0.0F, 0.0F);
}

/* A value that four nodes read, and one that leads nowhere. */
static void add_branches(graph *g, uint32_t *v) {
    const uint32_t trunk = *v;
    uint32_t gate;
    uint32_t nowhere;
    MUST(graph_add_inner_product(g, "nowhere", trunk, 2, false, &nowhere, err));
    MUST(graph_add_reduce(g, "squeeze", trunk, (graph_reduce){GRAPH_REDUCE_MEAN, 6, true}, &gate,
                          err));
    MUST(
        graph_add_conv(g, "excite", gate, 16, graph_conv_of(graph_window_of(1, 1, 0)), &gate, err));
    add_function(g, &gate, GRAPH_SIGMOID, 0.0F, 0.0F);
    MUST(graph_add_binary(g, "scaled", GRAPH_MUL, trunk, gate, v, err));
    MUST(graph_add_binary(g, "sum", GRAPH_ADD, *v, trunk, v, err));
    const uint32_t both[3] = {*v, trunk, *v};
    MUST(graph_add_concat(g, "concat", both, 3, 0, v, err));
    MUST(graph_add_dropout(g, "dropout", *v, 0.2F, v, err));
}

static uint32_t parameter(graph *g, const char *name, graph_parameter_kind kind,
                          graph_shape shape) {
    uint32_t v;
    MUST(graph_add_parameter(g, name, kind, shape, &v, err));
    return v;
}

static void add_attention(graph *g, uint32_t *v) {
    const uint32_t order[GRAPH_RANK_MAX] = {1, 0};
    uint32_t q;
    uint32_t k;
    MUST(graph_add_reshape(g, "tokens", *v, (graph_shape){2, {16, 72}}, v, err));
    MUST(graph_add_layer_normalization(g, "ln", *v, 1, 1e-3F, v, err));
    MUST(graph_add_matmul(g, "q", *v, parameter(g, "wq", GRAPH_WEIGHT, (graph_shape){2, {72, 8}}),
                          &q, err));
    MUST(graph_add_matmul(g, "k", *v, parameter(g, "wk", GRAPH_WEIGHT, (graph_shape){2, {72, 8}}),
                          &k, err));
    MUST(graph_add_transpose(g, "kt", k, order, &k, err));
    MUST(graph_add_matmul(g, "scores", q, k, &q, err));
    MUST(graph_add_softmax(g, "softmax", q, 1, &q, err));
    MUST(graph_add_matmul(g, "mix", q, *v, &q, err));
    MUST(graph_add_binary(g, "sum", GRAPH_ADD, *v, q, v, err));
    MUST(graph_add_binary(g, "gamma", GRAPH_MUL, *v,
                          parameter(g, "g", GRAPH_SCALE, graph_shape_vector(72)), v, err));
    MUST(graph_add_binary(g, "prelu", GRAPH_PRELU, *v,
                          parameter(g, "slope", GRAPH_TENSOR, (graph_shape){2, {16, 1}}), v, err));
}

/* More than oneDNN has numbers for. */
static void add_many_parts(graph *g, uint32_t *v) {
    uint32_t parts[1025];
    const graph_reduce mean = {.kind = GRAPH_REDUCE_MEAN, .axes = 6};
    MUST(graph_add_reduce(g, "mean", *v, mean, v, err));
    for (size_t i = 0; i < 1025; i++)
        parts[i] = *v;
    MUST(graph_add_concat(g, "joined", parts, 1025, 0, v, err));
}

static void add_moves(graph *g, uint32_t *v) {
    const graph_slice slice = {{2, 1, 6}, {10, 4, 4}, {1, 1, -1}};
    const graph_pad pad = {GRAPH_PAD_REFLECT, 0.0F, {1, 0, 2}, {0, 2, 1}};
    MUST(graph_add_slice(g, "slice", *v, &slice, v, err));
    MUST(graph_add_pad(g, "pad", *v, &pad, v, err));
    MUST(graph_add_reduce(g, "sum", *v, (graph_reduce){GRAPH_REDUCE_SUM, 2, false}, v, err));
}

static const network networks[] = {
    {"grouped", add_grouped, 0},
    {"depthwise", add_depthwise, 0},
    {"transposed", add_transposed, 0},
    {"padded", add_padded_transposed, 0},
    {"line", add_line, 0},
    {"maxpool", add_maxpool, 0},
    {"sparse", add_sparse_pools, 0},
    {"average", add_average_pools, 0},
    {"lrn", add_lrns, 0},
    {"lrn of four axes", add_lrn_of_four_axes, 0},
    {"norms", add_norms, 0},
    {"other norms", add_other_norms, 0},
    {"softmax", add_softmaxes, 0},
    {"functions", add_functions, 0},
    {"two", add_two_functions, 0},
    {"sums", add_summed_functions, 0},
    {"sums with a convolution", add_joined_sums, 0},
    {"shared", add_shared_rectifiers, 0},
    {"roots", add_roots, 0},
    {"residual", add_residual, 0},
    {"branches", add_branches, 0},
    {"many parts", add_many_parts, 0},
    {"attention", add_attention, 0},
    {"moves", add_moves, 0},
};
#define NETWORKS (sizeof networks / sizeof networks[0])

static const network zoo[] = {{"vgg-small", NULL, 8},
                              {"resnet-20", NULL, 12},
                              {"mobilenet-v2", NULL, 32},
                              {"transformer-small", NULL, 8}};

static graph *network_make(const network *n) {
    graph *g;
    uint32_t v;
    if (n->add == NULL) {
        MUST(graph_zoo_create(n->name, graph_shape_image(3, n->side, n->side), CLASSES, &g, err));
        return g;
    }
    MUST(graph_create(n->name, graph_shape_image(3, 9, 8), &g, err));
    MUST(graph_add_conv(g, "stem", g->input, 16, graph_conv_of(graph_window_of(3, 1, 1)), &v, err));
    n->add(g, &v);
    MUST(graph_add_inner_product(g, "last", v, CLASSES, true, &v, err));
    return g;
}

static const network *network_of(const char *name) {
    for (size_t n = 0; n < NETWORKS; n++)
        if (strcmp(networks[n].name, name) == 0)
            return &networks[n];
    fail_msg("no network %s", name);
    return NULL;
}

/* ---- comparison ---- */

typedef struct problem {
    graph *g;
    float *params;
    samples s;
    double bound;
} problem;

static problem problem_make(const network *n) {
    problem p = {.g = network_make(n), .bound = n->add == NULL ? DEEP_BOUND : BOUND};
    base_random random = base_random_at(11, 12, 13);
    p.params = floats(p.g->flat_count);
    graph_initialise(p.g, 3, p.params);
    for (uint32_t i = 0; i < p.g->parameter_count; i++) {
        const graph_parameter *parameter = &p.g->parameters[i];
        for (size_t k = 0; k < parameter->count; k++) {
            float *value = &p.params[parameter->offset + k];
            if (parameter->kind == GRAPH_VARIANCE)
                *value = 0.5F + base_random_uniform(&random);
            else if (parameter->kind != GRAPH_WEIGHT)
                *value += 0.2F * base_random_normal(&random);
        }
    }
    p.s = samples_make(p.g, SAMPLES);
    for (size_t k = 0; k < SAMPLES * p.s.elements; k++)
        p.s.pixels[k] = base_random_normal(&random);
    for (size_t k = 0; k < SAMPLES; k++)
        p.s.labels[k] = (uint16_t)base_random_below(&random, CLASSES);
    return p;
}

static void problem_free(problem *p) {
    base_free(p->params);
    samples_free(&p->s);
    graph_free(p->g);
}

typedef struct outcome {
    float logits[SAMPLES * CLASSES];
    float *gradient;
    double loss;
} outcome;

static outcome run(engine *e, const problem *p, size_t count) {
    samples s = p->s;
    engine_batch batch = batch_of(&s, count);
    engine_result result;
    outcome o = {.gradient = floats(p->g->flat_count)};
    batch.seed = 5;
    batch.step = 6;
    MUST(engine_forward(e, p->params, &batch, o.logits, err));
    MUST(engine_step(e, p->params, &batch, &result, err));
    add_parts(&result, p->g->flat_count, o.gradient);
    o.loss = result.loss;
    return o;
}

static engine *engine_of(const problem *p, engine_backend_id backend, engine_division division,
                         bool training, base_pool *pool) {
    const engine_settings settings = {
        .backend = backend, .max_batch = SAMPLES, .training = training, .division = division};
    engine *e = NULL;
    MUST(engine_create(p->g, &settings, pool, &e, err));
    return e;
}

static void expect_close(const problem *p, const char *what, const outcome *got,
                         const outcome *want, size_t count) {
    const graph *g = p->g;
    const double scale = largest(want->gradient, g->flat_count);
    double error = distance(got->logits, want->logits, count * CLASSES);
    if (!(error <= p->bound))
        fail_msg("%s, %s, %zu samples: outputs differ by %g", g->name, what, count, error);
    if (!(fabs(got->loss - want->loss) <= p->bound * (1.0 + fabs(want->loss))))
        fail_msg("%s, %s, %zu samples: loss %.9g, not %.9g", g->name, what, count, got->loss,
                 want->loss);
    for (uint32_t i = 0; i < g->parameter_count; i++) {
        const graph_parameter *parameter = &g->parameters[i];
        const float *a = got->gradient + parameter->offset;
        const float *b = want->gradient + parameter->offset;
        char name[GRAPH_PARAMETER_NAME_MAX];
        graph_parameter_name(g, i, name);
        error = distance(a, b, parameter->count);
        if (!(error <= p->bound) &&
            !(error * largest(b, parameter->count) <= ROUNDING * scale && isfinite(error)))
            fail_msg("%s, %s, %zu samples: gradient by %s differs by %g", g->name, what, count,
                     name, error);
    }
}

static const size_t counts[] = {SAMPLES, 3, SAMPLES, 1};
#define COUNTS (sizeof counts / sizeof counts[0])

static void check(const problem *p, const outcome *want, size_t rounds, base_pool *pool,
                  engine_division division, const char *what) {
    engine *trained = engine_of(p, ENGINE_DNNL, division, true, pool);
    engine *fixed = engine_of(p, ENGINE_DNNL, division, false, pool);
    for (size_t c = 0; c < rounds; c++) {
        outcome got = run(trained, p, counts[c]);
        outcome again = run(trained, p, counts[c]);
        expect_close(p, what, &got, &want[c], counts[c]);
        assert_memory_equal(got.gradient, again.gradient, p->g->flat_count * sizeof(float));
        samples s = p->s;
        const engine_batch batch = batch_of(&s, counts[c]);
        MUST(engine_forward(fixed, p->params, &batch, got.logits, err));
        expect_close(p, "inference", &got, &want[c], counts[c]);
        base_free(got.gradient);
        base_free(again.gradient);
    }
    engine_destroy(trained);
    engine_destroy(fixed);
}

/* Of the batches of counts[] the first `rounds`. */
static void check_network(const network *n, size_t rounds, unsigned first_threads,
                          unsigned last_threads) {
    problem p = problem_make(n);
    outcome want[COUNTS];
    base_pool *pool = pool_make(2);
    engine *reference = engine_of(&p, ENGINE_REFERENCE, ENGINE_DIVIDE_BY_SIZE, true, pool);
    for (size_t c = 0; c < rounds; c++)
        want[c] = run(reference, &p, counts[c]);
    engine_destroy(reference);
    base_pool_destroy(pool);
    for (unsigned threads = first_threads; threads <= last_threads; threads++) {
        pool = pool_make(threads);
        check(&p, want, rounds, pool, ENGINE_DIVIDE_SAMPLES, "divided by samples");
        check(&p, want, rounds, pool, ENGINE_DIVIDE_CALLS, "divided by calls");
        base_pool_destroy(pool);
    }
    for (size_t c = 0; c < rounds; c++)
        base_free(want[c].gradient);
    problem_free(&p);
}

static void operations_agree_with_the_reference(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++)
        check_network(&networks[n], COUNTS, instrumented_or(3, 1), 3);
}

static void the_zoo_agrees_with_the_reference(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof zoo / sizeof zoo[0]; n++)
        check_network(&zoo[n], 1, 2, 2);
}

/* What was made of held parameters is made anew for others, and for the same when they are
 * held again. */
static void held_parameters_are_used(void **state) {
    (void)state;
    problem p = problem_make(network_of("residual"));
    base_pool *pool = pool_make(2);
    samples s = p.s;
    const engine_batch batch = batch_of(&s, SAMPLES);
    float *other = floats(p.g->flat_count);
    float logits[3][SAMPLES * CLASSES];
    engine *e = engine_of(&p, ENGINE_DNNL, ENGINE_DIVIDE_CALLS, false, pool);
    admmnn_error none;
    assert_int_equal(engine_forward(e, NULL, &batch, logits[0], &none), ADMMNN_USAGE);
    for (size_t i = 0; i < p.g->flat_count; i++)
        other[i] = 0.5F * p.params[i];
    MUST(engine_forward(e, other, &batch, logits[1], err));
    engine_hold(e, p.params);
    for (int round = 0; round < 2; round++) {
        MUST(engine_forward(e, p.params, &batch, logits[0], err));
        MUST(engine_forward(e, NULL, &batch, logits[2], err));
        assert_memory_equal(logits[0], logits[2], sizeof logits[0]);
        MUST(engine_forward(e, other, &batch, logits[2], err));
        assert_memory_equal(logits[1], logits[2], sizeof logits[1]);
    }
    memcpy(p.params, other, p.g->flat_count * sizeof *other);
    engine_hold(e, p.params);
    MUST(engine_forward(e, NULL, &batch, logits[2], err));
    assert_memory_equal(logits[1], logits[2], sizeof logits[1]);
    engine_destroy(e);
    e = engine_of(&p, ENGINE_DNNL, ENGINE_DIVIDE_SAMPLES, false, pool);
    const engine_batch one = batch_of(&s, 1); /* which leaves a thread without a share */
    engine_hold(e, p.params);
    MUST(engine_forward(e, NULL, &one, logits[0], err));
    MUST(engine_forward(e, NULL, &batch, logits[2], err));
    assert_true(distance(logits[2], logits[1], SAMPLES * CLASSES) <= BOUND);
    engine_destroy(e);
    base_free(other);
    base_pool_destroy(pool);
    problem_free(&p);
}

/* ---- the choice ---- */

/* filters x 512 x 16 multiply-accumulates of 512 x filters weights, and 17 outputs a filter. */
static uint32_t parts_of(uint32_t filters, uint32_t max_batch) {
    graph *g;
    uint32_t v;
    engine *e;
    engine_result result;
    base_pool *pool = pool_make(2);
    const engine_settings settings = {
        .backend = ENGINE_DNNL, .max_batch = max_batch, .training = true};
    MUST(graph_create("pointwise", graph_shape_image(512, 4, 4), &g, err));
    MUST(graph_add_conv(g, "c", g->input, filters, graph_conv_of(graph_window_of(1, 1, 0)), &v,
                        err));
    MUST(graph_add_average_pool(g, "p", v, graph_pool_of(graph_window_of(4, 4, 0)), &v, err));
    float *params = floats(g->flat_count);
    samples s = samples_make(g, 2);
    const engine_batch batch = batch_of(&s, 2);
    MUST(engine_create(g, &settings, pool, &e, err));
    MUST(engine_step(e, params, &batch, &result, err));
    const uint32_t parts = result.part_count;
    engine_destroy(e);
    base_pool_destroy(pool);
    samples_free(&s);
    base_free(params);
    graph_free(g);
    return parts;
}

/* From 40,000,000 multiply-accumulates on, and only if parameters outnumber what is made of
 * the batch, there is one gradient. */
static void large_networks_are_taken_as_a_whole(void **state) {
    (void)state;
    assert_int_equal(parts_of(4882, 2), 2); /* 39,993,344 */
    assert_int_equal(parts_of(4883, 2), 1); /* 40,001,536 */
    assert_int_equal(parts_of(4883, 30), 1);
    assert_int_equal(parts_of(4883, 31), 2);
}

/* ---- two at once ---- */

typedef struct runner {
    const problem *p;
    outcome got;
} runner;

static void *run_alone(void *argument) {
    runner *r = argument;
    base_pool *pool = pool_make(2);
    engine *e = engine_of(r->p, ENGINE_DNNL, ENGINE_DIVIDE_CALLS, true, pool);
    for (int i = 0; i < 3; i++) {
        base_free(r->got.gradient);
        r->got = run(e, r->p, SAMPLES);
    }
    engine_destroy(e);
    base_pool_destroy(pool);
    return NULL;
}

static void engines_in_two_threads_do_not_meet(void **state) {
    (void)state;
    problem p = problem_make(network_of("residual"));
    runner runners[3] = {{.p = &p}, {.p = &p}, {.p = &p}};
    pthread_t other;
    run_alone(&runners[0]);
    assert_int_equal(pthread_create(&other, NULL, run_alone, &runners[1]), 0);
    run_alone(&runners[2]);
    pthread_join(other, NULL);
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(runners[i].got.gradient, runners[0].got.gradient,
                            p.g->flat_count * sizeof(float));
        assert_memory_equal(runners[i].got.logits, runners[0].got.logits,
                            sizeof runners[0].got.logits);
    }
    for (int i = 0; i < 3; i++)
        base_free(runners[i].got.gradient);
    problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_agree_with_the_reference),
        cmocka_unit_test(the_zoo_agrees_with_the_reference),
        cmocka_unit_test(held_parameters_are_used),
        cmocka_unit_test(large_networks_are_taken_as_a_whole),
        cmocka_unit_test(engines_in_two_threads_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
