/* Gradients of every operation, on every back end, against central differences
 * of a forward pass in double precision written here from the definitions. */
#include "instrumented.h"
#include "support.h"

#include "engine/dropout.h"

#define STEP 1e-5
/* Of the parameter's largest difference quotient: rounding of 32-bit sums. */
#define BOUND 2e-5
/* Of the largest of all, for gradients that are zero, as of a bias below a normalization. */
#define ROUNDING 1e-6
#define SAMPLED 24

/* ---- the network in double precision ---- */

typedef struct model {
    const graph *g;
    const engine_batch *batch;
    const double *params;
    double **values;    /* [value_count][samples][elements] */
    double *statistics; /* [flat_count] of the batch, in the places of the running ones */
} model;

static double *value_of(const model *m, size_t sample, uint32_t value) {
    return m->values[value] + sample * graph_value_count(m->g, value);
}

static double padded_input(const double *x, graph_shape shape, uint32_t c, int64_t y, int64_t at) {
    if (y < 0 || y >= graph_shape_height(shape) || at < 0 || at >= graph_shape_width(shape))
        return NAN;
    return x[((size_t)c * graph_shape_height(shape) + (size_t)y) * graph_shape_width(shape) +
             (size_t)at];
}

static double conv_at(const model *m, const graph_node *node, const double *x, uint32_t o,
                      uint32_t oy, uint32_t ox) {
    graph_shape in = graph_operand_shape(m->g, node, 0);
    const graph_window *w = graph_node_window(node);
    const double *weight = m->params + m->g->parameters[node->weight].offset +
                           (size_t)o * m->g->parameters[node->weight].columns;
    double sum = m->params[m->g->parameters[node->bias].offset + o];
    for (uint32_t c = 0; c < graph_shape_channels(in); c++) {
        for (uint32_t ky = 0; ky < w->kernel[0]; ky++) {
            for (uint32_t kx = 0; kx < w->kernel[1]; kx++, weight++) {
                double input = padded_input(x, in, c, (int64_t)oy * w->stride[0] + ky - w->pad[0],
                                            (int64_t)ox * w->stride[1] + kx - w->pad[1]);
                sum += isnan(input) ? 0.0 : input * *weight;
            }
        }
    }
    return sum;
}

static double pool_at(const model *m, const graph_node *node, const double *x, uint32_t c,
                      uint32_t oy, uint32_t ox) {
    graph_shape in = graph_operand_shape(m->g, node, 0);
    const graph_window *w = graph_node_window(node);
    double max = -INFINITY;
    for (uint32_t ky = 0; ky < w->kernel[0]; ky++)
        for (uint32_t kx = 0; kx < w->kernel[1]; kx++)
            max = fmax(max, padded_input(x, in, c, (int64_t)oy * w->stride[0] + ky - w->pad[0],
                                         (int64_t)ox * w->stride[1] + kx - w->pad[1]));
    return max;
}

static double product_at(const model *m, const graph_node *node, const double *x, size_t row) {
    const graph_parameter *weight = &m->g->parameters[node->weight];
    double sum = m->params[m->g->parameters[node->bias].offset + row];
    for (size_t i = 0; i < weight->columns; i++)
        sum += m->params[weight->offset + row * weight->columns + i] * x[i];
    return sum;
}

static void run_sample(const model *m, const graph_node *node, size_t sample) {
    graph_shape out = m->g->values[node->output].shape;
    const double *x = value_of(m, sample, graph_operand(m->g, node, 0));
    double *y = value_of(m, sample, node->output);
    for (uint32_t c = 0; c < graph_shape_channels(out); c++) {
        for (uint32_t oy = 0; oy < graph_shape_height(out); oy++) {
            for (uint32_t ox = 0; ox < graph_shape_width(out); ox++) {
                size_t at =
                    ((size_t)c * graph_shape_height(out) + oy) * graph_shape_width(out) + ox;
                if (node->op == GRAPH_CONV)
                    y[at] = conv_at(m, node, x, c, oy, ox);
                else if (node->op == GRAPH_MAXPOOL)
                    y[at] = pool_at(m, node, x, c, oy, ox);
                else if (node->op == GRAPH_INNER_PRODUCT)
                    y[at] = product_at(m, node, x, c);
                else
                    y[at] = fmax(x[at], 0.0);
            }
        }
    }
}

/* What dropout leaves of ones is what it does to anything. */
static void run_dropout(const model *m, const graph_node *node, size_t sample) {
    size_t count = graph_value_count(m->g, node->output);
    float *ones = floats(count);
    for (size_t i = 0; i < count; i++)
        ones[i] = 1.0F;
    engine_dropout_apply(m->g, (uint32_t)(node - m->g->nodes), m->batch, sample, count, ones);
    for (size_t i = 0; i < count; i++)
        value_of(m, sample, node->output)[i] =
            (double)ones[i] * value_of(m, sample, graph_operand(m->g, node, 0))[i];
    base_free(ones);
}

static void run_normalization(const model *m, const graph_node *node) {
    const graph_normalization *n = &node->normalization;
    graph_shape shape = m->g->values[node->output].shape;
    size_t plane = graph_shape_extent(shape, 1, shape.rank);
    double count = (double)(m->batch->count * plane);
    for (size_t c = 0; c < graph_shape_channels(shape); c++) {
        double mean = 0.0;
        double variance = 0.0;
        for (size_t s = 0; s < m->batch->count; s++)
            for (size_t i = c * plane; i < (c + 1) * plane; i++)
                mean += value_of(m, s, graph_operand(m->g, node, 0))[i] / count;
        for (size_t s = 0; s < m->batch->count; s++)
            for (size_t i = c * plane; i < (c + 1) * plane; i++)
                variance +=
                    pow(value_of(m, s, graph_operand(m->g, node, 0))[i] - mean, 2.0) / count;
        double scale = m->params[m->g->parameters[n->scale].offset + c];
        double shift = m->params[m->g->parameters[n->shift].offset + c];
        for (size_t s = 0; s < m->batch->count; s++)
            for (size_t i = c * plane; i < (c + 1) * plane; i++)
                value_of(m, s, node->output)[i] =
                    scale * (value_of(m, s, graph_operand(m->g, node, 0))[i] - mean) /
                        sqrt(variance + (double)n->epsilon) +
                    shift;
        m->statistics[m->g->parameters[n->mean].offset + c] = mean;
        m->statistics[m->g->parameters[n->variance].offset + c] = variance;
    }
}

static void run_node(const model *m, const graph_node *node) {
    if (node->op == GRAPH_BATCH_NORMALIZATION) {
        run_normalization(m, node);
        return;
    }
    for (size_t s = 0; s < m->batch->count; s++) {
        if (node->op == GRAPH_DROPOUT)
            run_dropout(m, node, s);
        else
            run_sample(m, node, s);
    }
}

static double cross_entropy(const double *x, size_t classes, size_t label, const float *targets) {
    double max = -INFINITY;
    double sum = 0.0;
    double loss = 0.0;
    for (size_t c = 0; c < classes; c++)
        max = fmax(max, x[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp(x[c] - max);
    for (size_t c = 0; c < classes; c++)
        loss -= (targets != NULL ? (double)targets[c] : c == label) * (x[c] - max - log(sum));
    return loss;
}

static double squared_hinge(const double *x, size_t classes, size_t label) {
    double loss = 0.0;
    for (size_t c = 0; c < classes; c++)
        loss += pow(fmax(0.0, 1.0 - (c == label ? x[c] : -x[c])), 2.0);
    return loss;
}

/* Nodes from `first` on; what stands before is unchanged since the last call. */
static double batch_loss(const model *m, uint32_t first) {
    const engine_batch *batch = m->batch;
    size_t classes = graph_value_count(m->g, m->g->output);
    double loss = 0.0;
    for (uint32_t n = first; n < m->g->node_count; n++)
        run_node(m, &m->g->nodes[n]);
    for (size_t s = 0; s < batch->count; s++) {
        const double *x = value_of(m, s, m->g->output);
        const float *targets = batch->targets != NULL ? batch->targets + s * classes : NULL;
        loss += batch->loss == ENGINE_SQUARED_HINGE
                    ? squared_hinge(x, classes, batch->labels[s])
                    : cross_entropy(x, classes, batch->labels[s], targets);
    }
    return loss;
}

/* ---- difference quotients ---- */

typedef struct quotients {
    size_t count;
    size_t *index; /* into the flat vector, parameter after parameter */
    double *value;
    double *statistics; /* [flat_count] of the batch */
    double loss;
} quotients;

/* All of a small parameter; some of a large one. */
static quotients choose_indices(const graph *g) {
    quotients q = {0};
    q.index = base_array(g->flat_count, sizeof *q.index);
    q.value = base_array(g->flat_count, sizeof *q.value);
    q.statistics = base_array(g->flat_count, sizeof *q.statistics);
    base_random random = base_random_at(5, 6, 7);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        bool all = parameter->count <= 200;
        size_t count = all ? parameter->count : SAMPLED;
        if (!graph_parameter_is_trained(parameter))
            continue;
        for (size_t i = 0; i < count; i++)
            q.index[q.count++] = parameter->offset +
                                 (all ? i : base_random_below(&random, (uint32_t)parameter->count));
    }
    return q;
}

static uint32_t node_of(const graph *g, size_t index) {
    uint32_t p = 0;
    while (index >= g->parameters[p].offset + g->parameters[p].count)
        p++;
    return g->parameters[p].node;
}

static quotients differentiate(const graph *g, const float *params, const samples *s,
                               const engine_batch *batch) {
    quotients q = choose_indices(g);
    double *exact = base_array(g->flat_count, sizeof *exact);
    model m = {g, batch, exact, base_array(g->value_count, sizeof *m.values), q.statistics};
    for (size_t i = 0; i < g->flat_count; i++)
        exact[i] = (double)params[i];
    for (uint32_t v = 0; v < g->value_count; v++)
        m.values[v] = base_array(batch->count * graph_value_count(g, v), sizeof **m.values);
    for (size_t i = 0; i < batch->count * s->elements; i++)
        m.values[g->input][i] = (double)s->pixels[i];
    q.loss = batch_loss(&m, 0);
    for (size_t i = 0; i < q.count; i++) {
        double here = exact[q.index[i]];
        uint32_t node = node_of(g, q.index[i]);
        exact[q.index[i]] = here + STEP;
        double up = batch_loss(&m, node);
        exact[q.index[i]] = here - STEP;
        double down = batch_loss(&m, node);
        exact[q.index[i]] = here;
        batch_loss(&m, node);
        q.value[i] = (up - down) / (2.0 * STEP);
    }
    for (uint32_t v = 0; v < g->value_count; v++)
        base_free(m.values[v]);
    base_free(m.values);
    base_free(exact);
    return q;
}

/* ---- comparison ---- */

/* The largest difference quotient of the parameter index i belongs to. */
static double scale_at(const graph *g, const quotients *q, size_t i) {
    double scale = 0.0;
    uint32_t p = 0;
    while (q->index[i] >= g->parameters[p].offset + g->parameters[p].count)
        p++;
    for (size_t k = 0; k < q->count; k++)
        if (q->index[k] >= g->parameters[p].offset &&
            q->index[k] < g->parameters[p].offset + g->parameters[p].count)
            scale = fmax(scale, fabs(q->value[k]));
    return scale;
}

/* In the place of running statistics stand those of the batch. */
static void compare_statistics(const graph *g, const char *backend, const float *gradient,
                               const quotients *q) {
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        for (size_t i = parameter->offset; i < parameter->offset + parameter->count; i++)
            if (!graph_parameter_is_trained(parameter) &&
                !(fabs((double)gradient[i] - q->statistics[i]) <=
                  1e-5 * (1.0 + fabs(q->statistics[i]))))
                fail_msg("%s on %s: statistic %zu is %.9g, expected %.9g", backend, g->name, i,
                         (double)gradient[i], q->statistics[i]);
    }
}

static void compare(const graph *g, engine *e, const float *params, const engine_batch *batch,
                    const quotients *q) {
    engine_result result;
    admmnn_error err;
    if (engine_step(e, params, batch, &result, &err) != ADMMNN_OK)
        fail_msg("%s: %s", engine_backend_name(e), err.message);
    float *gradient = floats(g->flat_count);
    add_parts(&result, g->flat_count, gradient);
    if (fabs(result.loss - q->loss) > 1e-5 * (1.0 + q->loss))
        fail_msg("%s: loss %.9g, expected %.9g", engine_backend_name(e), result.loss, q->loss);
    double most = 1.0;
    for (size_t i = 0; i < q->count; i++)
        most = fmax(most, fabs(q->value[i]));
    compare_statistics(g, engine_backend_name(e), gradient, q);
    for (size_t i = 0; i < q->count; i++) {
        double got = (double)gradient[q->index[i]];
        if (!(fabs(got - q->value[i]) <= BOUND * scale_at(g, q, i) + ROUNDING * most))
            fail_msg("%s on %s: gradient of parameter %zu is %.9g, difference quotient %.9g",
                     engine_backend_name(e), g->name, q->index[i], got, q->value[i]);
    }
    base_free(gradient);
}

/* Back ends that must hold the graph, by bit; the others are tried. */
enum {
    WITH_LANES = 1 << ENGINE_LANES,
    WITH_DNNL = 1 << ENGINE_DNNL,
    WITH_REFERENCE = 1 << ENGINE_REFERENCE
};

static void compare_backends(const graph *g, int expected, const float *params,
                             const engine_batch *batch, const quotients *q, unsigned threads) {
    static const engine_backend_id ids[] = {ENGINE_REFERENCE, ENGINE_DNNL, ENGINE_LANES,
                                            ENGINE_LANES, ENGINE_LANES};
    static const uint32_t lanes[] = {0, 0, 4, 8, 16};
    base_pool *pool = pool_make(threads);
    for (size_t b = 0; b < sizeof ids / sizeof ids[0]; b++) {
        engine *e = engine_make(g, ids[b], lanes[b], (uint32_t)batch->count + 2, pool);
        if (e != NULL)
            compare(g, e, params, batch, q);
        else if ((expected & 1 << ids[b]) != 0 && lanes[b] <= 4)
            fail_msg("back end %d does not hold %s", (int)ids[b], g->name);
        engine_destroy(e);
    }
    base_pool_destroy(pool);
}

static void check_loss(graph *g, int expected, size_t count, bool soft, engine_loss_id loss) {
    samples s = samples_make(g, count);
    size_t classes = graph_value_count(g, g->output);
    float *params = floats(g->flat_count);
    float *targets = soft ? floats(count * classes) : NULL;
    base_random random = base_random_at(1, 2, classes);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++)
            params[g->parameters[p].offset + i] =
                base_random_normal(&random) / sqrtf((float)g->parameters[p].columns);
    for (size_t i = 0; i < count * s.elements; i++)
        s.pixels[i] = base_random_normal(&random);
    for (size_t k = 0; k < count; k++) {
        s.labels[k] = (uint16_t)base_random_below(&random, (uint32_t)classes);
        if (soft) {
            targets[k * classes] = 0.25F;
            targets[k * classes + classes - 1] += 0.75F;
        }
    }
    engine_batch batch = batch_of(&s, count);
    batch.targets = targets;
    batch.loss = loss;
    batch.seed = 11;
    batch.step = 5;
    quotients q = differentiate(g, params, &s, &batch);
    compare_backends(g, expected, params, &batch, &q, 1);
    compare_backends(g, expected, params, &batch, &q, 2);
    compare_backends(g, expected, params, &batch, &q, 3);
    base_free(q.index);
    base_free(q.value);
    base_free(q.statistics);
    base_free(params);
    base_free(targets);
    samples_free(&s);
    graph_free(g);
}

static void check(graph *g, int expected, size_t count, bool soft) {
    check_loss(g, expected, count, soft, ENGINE_CROSS_ENTROPY);
}

/* ---- the networks ---- */

#define MUST(call) assert_int_equal((call), ADMMNN_OK)

static graph *start(const char *name, graph_shape input) {
    graph *g;
    MUST(graph_create(name, input, &g, NULL));
    return g;
}

static void conv_with_stride_and_padding(void **state) {
    (void)state;
    graph *g = start("strided", graph_shape_image(2, 7, 6));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 3,
                        graph_conv_of((graph_window){{3, 3}, {2, 1}, {1, 2}, {1, 2}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_conv(g, "b", v, 4,
                        graph_conv_of((graph_window){{2, 3}, {1, 2}, {1, 0}, {1, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, true, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

static void conv_pool_conv(void **state) {
    (void)state;
    graph *g = start("conv-pool-conv", graph_shape_image(2, 12, 11));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 5,
                        graph_conv_of((graph_window){{3, 2}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_conv(g, "b", v, 6,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, true, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 5, false);
}

/* 9x9 pooled by 2x2: the last row and column have no gradient. */
static void conv_pool_of_odd_size(void **state) {
    (void)state;
    graph *g = start("odd", graph_shape_image(2, 11, 11));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 7,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_conv(g, "b", v, 3,
                        graph_conv_of((graph_window){{2, 2}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "q", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, true, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 5, false);
}

static void overlapping_padded_pool(void **state) {
    (void)state;
    graph *g = start("padded-pool", graph_shape_image(1, 9, 8));
    uint32_t v = g->input;
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_conv(g, "a", v, 4,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{3, 2}, {2, 1}, {1, 1}, {1, 1}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_relu(g, "s", v, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 3, true, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 4, false);
}

static void pool_of_any_window(void **state) {
    (void)state;
    graph *g = start("pool-3-1", graph_shape_image(1, 9, 10));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 3,
                        graph_conv_of((graph_window){{2, 2}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{3, 2}, {2, 1}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 3, true, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 4, false);
}

static void inner_products_with_relu_and_soft_targets(void **state) {
    (void)state;
    graph *g = start("products", graph_shape_image(1, 3, 7));
    uint32_t v = g->input;
    MUST(graph_add_inner_product(g, "a", v, 19, true, &v, NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_inner_product(g, "b", v, 17, true, &v, NULL));
    MUST(graph_add_relu(g, "s", v, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 5, true, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 9, true);
}

static void convolution_last(void **state) {
    (void)state;
    graph *g = start("conv-last", graph_shape_image(3, 6, 6));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 20,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 2,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

static void pool_last(void **state) {
    (void)state;
    graph *g = start("pool-last", graph_shape_image(1, 8, 8));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 18,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{6, 6}, {6, 6}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

/* A value with two readers of which one leads nowhere: weights there have no
 * gradient, those above the fork the gradient of the other branch. */
static void branch_that_leads_nowhere(void **state) {
    (void)state;
    graph *g = start("fork", graph_shape_image(1, 6, 6));
    uint32_t fork;
    uint32_t v;
    MUST(graph_add_conv(g, "a", g->input, 3,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}),
                        &fork, NULL));
    MUST(graph_add_relu(g, "r", fork, &v, NULL));
    MUST(graph_add_inner_product(g, "dead", v, 4, true, &v, NULL));
    MUST(graph_add_inner_product(g, "b", fork, 4, true, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

static void spatial_after_inner_product(void **state) {
    (void)state;
    graph *g = start("reshaped", graph_shape_image(1, 4, 4));
    uint32_t v = g->input;
    MUST(graph_add_inner_product(g, "a", v, 6, true, &v, NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 5,
                        graph_conv_of((graph_window){{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    check(g, WITH_REFERENCE, 3, false);
}

static void lenet5(void **state) {
    (void)state;
    graph *g;
    if (instrumented_or(0, 1) == 0) /* such layers again, only larger */
        skip();
    MUST(graph_zoo_create("lenet-5", graph_shape_image(1, 28, 28), 10, &g, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 2, false);
}

static void squared_hinge_loss(void **state) {
    (void)state;
    graph *g = start("hinge", graph_shape_image(1, 3, 7));
    uint32_t v = g->input;
    MUST(graph_add_inner_product(g, "a", v, 9, true, &v, NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_inner_product(g, "b", v, 5, true, &v, NULL));
    check_loss(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 9, false, ENGINE_SQUARED_HINGE);
}

#define NORM(name) MUST(graph_add_batch_normalization(g, name, v, 1e-3F, 0.8F, &v, NULL))

static void normalized_features(void **state) {
    (void)state;
    graph *g = start("norm-features", graph_shape_image(1, 3, 7));
    uint32_t v = g->input;
    MUST(graph_add_inner_product(g, "a", v, 19, true, &v, NULL));
    NORM("m");
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_inner_product(g, "b", v, 17, true, &v, NULL));
    MUST(graph_add_relu(g, "s", v, &v, NULL));
    NORM("n");
    MUST(graph_add_inner_product(g, "c", v, 4, true, &v, NULL));
    NORM("o");
    check_loss(g, WITH_DNNL | WITH_REFERENCE, 11, false, ENGINE_SQUARED_HINGE);
}

/* The first one is of the input: its scale has a gradient, what lies below has none. */
static void normalized_channels(void **state) {
    (void)state;
    graph *g = start("norm-channels", graph_shape_image(2, 9, 8));
    uint32_t v = g->input;
    NORM("m");
    MUST(graph_add_conv(g, "a", v, 18,
                        graph_conv_of((graph_window){{3, 2}, {1, 1}, {0, 1}, {0, 1}, {1, 1}}), &v,
                        NULL));
    NORM("n");
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_conv(g, "b", v, 5,
                        graph_conv_of((graph_window){{2, 2}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_maxpool(g, "q", v,
                           graph_pool_of((graph_window){{2, 2}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    NORM("o");
    MUST(graph_add_inner_product(g, "c", v, 3, true, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 5, false);
}

/* A batch of one sample varies over the plane alone, or not at all. */
static void normalized_single_sample(void **state) {
    (void)state;
    graph *g = start("norm-single", graph_shape_image(2, 5, 5));
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 3,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    NORM("m");
    MUST(graph_add_inner_product(g, "b", v, 3, true, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 1, false);
}

static void dropped_out(void **state) {
    (void)state;
    graph *g = start("dropout", graph_shape_image(2, 7, 6));
    uint32_t v = g->input;
    MUST(graph_add_dropout(g, "d", v, 0.2F, &v, NULL));
    MUST(graph_add_conv(g, "a", v, 17,
                        graph_conv_of((graph_window){{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), &v,
                        NULL));
    MUST(graph_add_dropout(g, "e", v, 0.3F, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v,
                           graph_pool_of((graph_window){{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}),
                           &v, NULL));
    MUST(graph_add_inner_product(g, "b", v, 20, true, &v, NULL));
    NORM("n");
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_dropout(g, "f", v, 0.5F, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, true, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 7, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_with_stride_and_padding),
        cmocka_unit_test(conv_pool_conv),
        cmocka_unit_test(conv_pool_of_odd_size),
        cmocka_unit_test(overlapping_padded_pool),
        cmocka_unit_test(pool_of_any_window),
        cmocka_unit_test(inner_products_with_relu_and_soft_targets),
        cmocka_unit_test(convolution_last),
        cmocka_unit_test(pool_last),
        cmocka_unit_test(branch_that_leads_nowhere),
        cmocka_unit_test(spatial_after_inner_product),
        cmocka_unit_test(lenet5),
        cmocka_unit_test(squared_hinge_loss),
        cmocka_unit_test(normalized_features),
        cmocka_unit_test(normalized_channels),
        cmocka_unit_test(normalized_single_sample),
        cmocka_unit_test(dropped_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
