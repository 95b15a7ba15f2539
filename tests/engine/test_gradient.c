/* Gradients of every operation, on every back end, against central differences
 * of a forward pass in double precision written here from the definitions. */
#include "support.h"

#define STEP 1e-5
/* Of the parameter's largest difference quotient: rounding of 32-bit sums. */
#define BOUND 2e-5
#define SAMPLED 24

/* ---- the network in double precision ---- */

typedef struct model {
    const graph *g;
    const double *params;
    double **values;
} model;

static double padded_input(const double *x, graph_shape shape, uint32_t c, int64_t y, int64_t at) {
    if (y < 0 || y >= shape.height || at < 0 || at >= shape.width)
        return NAN;
    return x[((size_t)c * shape.height + (size_t)y) * shape.width + (size_t)at];
}

static double conv_at(const model *m, const graph_node *node, uint32_t o, uint32_t oy,
                      uint32_t ox) {
    graph_shape in = m->g->values[node->inputs[0]].shape;
    const graph_window *w = &node->window;
    const double *x = m->values[node->inputs[0]];
    const double *weight = m->params + m->g->parameters[node->weight].offset +
                           (size_t)o * m->g->parameters[node->weight].columns;
    double sum = m->params[m->g->parameters[node->bias].offset + o];
    for (uint32_t c = 0; c < in.channels; c++) {
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

static double pool_at(const model *m, const graph_node *node, uint32_t c, uint32_t oy,
                      uint32_t ox) {
    graph_shape in = m->g->values[node->inputs[0]].shape;
    const graph_window *w = &node->window;
    double max = -INFINITY;
    for (uint32_t ky = 0; ky < w->kernel[0]; ky++)
        for (uint32_t kx = 0; kx < w->kernel[1]; kx++)
            max = fmax(max, padded_input(m->values[node->inputs[0]], in, c,
                                         (int64_t)oy * w->stride[0] + ky - w->pad[0],
                                         (int64_t)ox * w->stride[1] + kx - w->pad[1]));
    return max;
}

static double product_at(const model *m, const graph_node *node, size_t row) {
    const graph_parameter *weight = &m->g->parameters[node->weight];
    double sum = m->params[m->g->parameters[node->bias].offset + row];
    for (size_t i = 0; i < weight->columns; i++)
        sum +=
            m->params[weight->offset + row * weight->columns + i] * m->values[node->inputs[0]][i];
    return sum;
}

static void run_node(const model *m, const graph_node *node) {
    graph_shape out = m->g->values[node->output].shape;
    double *y = m->values[node->output];
    for (uint32_t c = 0; c < out.channels; c++) {
        for (uint32_t oy = 0; oy < out.height; oy++) {
            for (uint32_t ox = 0; ox < out.width; ox++) {
                size_t at = ((size_t)c * out.height + oy) * out.width + ox;
                if (node->op == GRAPH_CONV)
                    y[at] = conv_at(m, node, c, oy, ox);
                else if (node->op == GRAPH_MAXPOOL)
                    y[at] = pool_at(m, node, c, oy, ox);
                else if (node->op == GRAPH_INNER_PRODUCT)
                    y[at] = product_at(m, node, c);
                else
                    y[at] = fmax(m->values[node->inputs[0]][at], 0.0);
            }
        }
    }
}

/* Nodes from `first` on; what stands before is unchanged since the last call. */
static double sample_loss(const model *m, uint32_t first, const double *targets) {
    for (uint32_t n = first; n < m->g->node_count; n++)
        run_node(m, &m->g->nodes[n]);
    const double *x = m->values[m->g->output];
    size_t classes = graph_value_count(m->g, m->g->output);
    double max = -INFINITY;
    double sum = 0.0;
    double loss = 0.0;
    for (size_t c = 0; c < classes; c++)
        max = fmax(max, x[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp(x[c] - max);
    for (size_t c = 0; c < classes; c++)
        loss -= targets[c] * (x[c] - max - log(sum));
    return loss;
}

/* ---- difference quotients ---- */

typedef struct quotients {
    size_t count;
    size_t *index; /* into the flat vector, parameter after parameter */
    double *value;
    double loss;
} quotients;

/* All of a small parameter; some of a large one. */
static quotients choose_indices(const graph *g) {
    quotients q = {0};
    q.index = base_array(g->flat_count, sizeof *q.index);
    q.value = base_array(g->flat_count, sizeof *q.value);
    base_random random = base_random_at(5, 6, 7);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        bool all = parameter->count <= 200;
        size_t count = all ? parameter->count : SAMPLED;
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
                               const float *targets) {
    quotients q = choose_indices(g);
    size_t classes = graph_value_count(g, g->output);
    double *exact = base_array(g->flat_count, sizeof *exact);
    double *target = base_array(classes, sizeof *target);
    model m = {g, exact, base_array(g->value_count, sizeof *m.values)};
    for (size_t i = 0; i < g->flat_count; i++)
        exact[i] = (double)params[i];
    for (uint32_t v = 0; v < g->value_count; v++)
        m.values[v] = base_array(graph_value_count(g, v), sizeof **m.values);
    for (size_t k = 0; k < s->count; k++) {
        for (size_t i = 0; i < s->elements; i++)
            m.values[g->input][i] = (double)s->pixels[k * s->elements + i];
        for (size_t c = 0; c < classes; c++)
            target[c] = targets != NULL ? (double)targets[k * classes + c] : c == s->labels[k];
        q.loss += sample_loss(&m, 0, target);
        for (size_t i = 0; i < q.count; i++) {
            double here = exact[q.index[i]];
            uint32_t node = node_of(g, q.index[i]);
            exact[q.index[i]] = here + STEP;
            double up = sample_loss(&m, node, target);
            exact[q.index[i]] = here - STEP;
            double down = sample_loss(&m, node, target);
            exact[q.index[i]] = here;
            sample_loss(&m, node, target);
            q.value[i] += (up - down) / (2.0 * STEP);
        }
    }
    for (uint32_t v = 0; v < g->value_count; v++)
        base_free(m.values[v]);
    base_free(m.values);
    base_free(exact);
    base_free(target);
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

static void compare(const graph *g, engine *e, const float *params, samples *s,
                    const float *targets, const quotients *q) {
    engine_batch batch = batch_of(s, s->count);
    batch.targets = targets;
    engine_result result;
    admmnn_error err;
    if (engine_step(e, params, &batch, &result, &err) != ADMMNN_OK)
        fail_msg("%s: %s", engine_backend_name(e), err.message);
    float *gradient = floats(g->flat_count);
    add_parts(&result, g->flat_count, gradient);
    if (fabs(result.loss - q->loss) > 1e-5 * (1.0 + q->loss))
        fail_msg("%s: loss %.9g, expected %.9g", engine_backend_name(e), result.loss, q->loss);
    for (size_t i = 0; i < q->count; i++) {
        double got = (double)gradient[q->index[i]];
        if (!(fabs(got - q->value[i]) <= BOUND * scale_at(g, q, i) + 1e-6))
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

static void compare_backends(const graph *g, int expected, const float *params, samples *s,
                             const float *targets, const quotients *q, unsigned threads) {
    static const engine_backend_id ids[] = {ENGINE_REFERENCE, ENGINE_DNNL, ENGINE_LANES,
                                            ENGINE_LANES, ENGINE_LANES};
    static const uint32_t lanes[] = {0, 0, 4, 8, 16};
    base_pool *pool = pool_make(threads);
    for (size_t b = 0; b < sizeof ids / sizeof ids[0]; b++) {
        engine *e = engine_make(g, ids[b], lanes[b], (uint32_t)s->count + 2, pool);
        if (e != NULL)
            compare(g, e, params, s, targets, q);
        else if ((expected & 1 << ids[b]) != 0 && lanes[b] <= 4)
            fail_msg("back end %d does not hold %s", (int)ids[b], g->name);
        engine_destroy(e);
    }
    base_pool_destroy(pool);
}

static void check(graph *g, int expected, size_t count, bool soft) {
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
        s.labels[k] = (uint8_t)base_random_below(&random, (uint32_t)classes);
        if (soft) {
            targets[k * classes] = 0.25F;
            targets[k * classes + classes - 1] += 0.75F;
        }
    }
    quotients q = differentiate(g, params, &s, targets);
    compare_backends(g, expected, params, &s, targets, &q, 1);
    compare_backends(g, expected, params, &s, targets, &q, 2);
    base_free(q.index);
    base_free(q.value);
    base_free(params);
    base_free(targets);
    samples_free(&s);
    graph_free(g);
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
    graph *g = start("strided", (graph_shape){2, 7, 6});
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 3, (graph_window){{3, 3}, {2, 1}, {1, 2}}, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 4, (graph_window){{2, 3}, {1, 2}, {1, 0}}, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

static void conv_pool_conv(void **state) {
    (void)state;
    graph *g = start("conv-pool-conv", (graph_shape){2, 12, 11});
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 5, (graph_window){{3, 2}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v, (graph_window){{2, 2}, {2, 2}, {0, 0}}, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 6, (graph_window){{3, 3}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 5, false);
}

/* 9x9 pooled by 2x2: the last row and column have no gradient. */
static void conv_pool_of_odd_size(void **state) {
    (void)state;
    graph *g = start("odd", (graph_shape){2, 11, 11});
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 7, (graph_window){{3, 3}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v, (graph_window){{2, 2}, {2, 2}, {0, 0}}, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 3, (graph_window){{2, 2}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_maxpool(g, "q", v, (graph_window){{2, 2}, {2, 2}, {0, 0}}, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 4, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 5, false);
}

static void overlapping_padded_pool(void **state) {
    (void)state;
    graph *g = start("padded-pool", (graph_shape){1, 9, 8});
    uint32_t v = g->input;
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_conv(g, "a", v, 4, (graph_window){{3, 3}, {1, 1}, {1, 1}}, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v, (graph_window){{3, 2}, {2, 1}, {1, 1}}, &v, NULL));
    MUST(graph_add_relu(g, "s", v, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 3, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 4, false);
}

static void pool_of_any_window(void **state) {
    (void)state;
    graph *g = start("pool-3-1", (graph_shape){1, 9, 10});
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 3, (graph_window){{2, 2}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v, (graph_window){{3, 2}, {2, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 3, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 4, false);
}

static void inner_products_with_relu_and_soft_targets(void **state) {
    (void)state;
    graph *g = start("products", (graph_shape){1, 3, 7});
    uint32_t v = g->input;
    MUST(graph_add_inner_product(g, "a", v, 19, &v, NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_inner_product(g, "b", v, 17, &v, NULL));
    MUST(graph_add_relu(g, "s", v, &v, NULL));
    MUST(graph_add_inner_product(g, "c", v, 5, &v, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 9, true);
}

static void convolution_last(void **state) {
    (void)state;
    graph *g = start("conv-last", (graph_shape){3, 6, 6});
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 20, (graph_window){{3, 3}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 2, (graph_window){{3, 3}, {1, 1}, {0, 0}}, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

static void pool_last(void **state) {
    (void)state;
    graph *g = start("pool-last", (graph_shape){1, 8, 8});
    uint32_t v = g->input;
    MUST(graph_add_conv(g, "a", v, 18, (graph_window){{3, 3}, {1, 1}, {0, 0}}, &v, NULL));
    MUST(graph_add_maxpool(g, "p", v, (graph_window){{6, 6}, {6, 6}, {0, 0}}, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

/* A value with two readers of which one leads nowhere: weights there have no
 * gradient, those above the fork the gradient of the other branch. */
static void branch_that_leads_nowhere(void **state) {
    (void)state;
    graph *g = start("fork", (graph_shape){1, 6, 6});
    uint32_t fork;
    uint32_t v;
    MUST(graph_add_conv(g, "a", g->input, 3, (graph_window){{3, 3}, {1, 1}, {0, 0}}, &fork, NULL));
    MUST(graph_add_relu(g, "r", fork, &v, NULL));
    MUST(graph_add_inner_product(g, "dead", v, 4, &v, NULL));
    MUST(graph_add_inner_product(g, "b", fork, 4, &v, NULL));
    check(g, WITH_DNNL | WITH_REFERENCE, 3, false);
}

static void spatial_after_inner_product(void **state) {
    (void)state;
    graph *g = start("reshaped", (graph_shape){1, 4, 4});
    uint32_t v = g->input;
    MUST(graph_add_inner_product(g, "a", v, 6, &v, NULL));
    MUST(graph_add_relu(g, "r", v, &v, NULL));
    MUST(graph_add_conv(g, "b", v, 5, (graph_window){{1, 1}, {1, 1}, {0, 0}}, &v, NULL));
    check(g, WITH_REFERENCE, 3, false);
}

static void lenet5(void **state) {
    (void)state;
    graph *g;
    MUST(graph_zoo_create("lenet-5", (graph_shape){1, 28, 28}, 10, &g, NULL));
    check(g, WITH_LANES | WITH_DNNL | WITH_REFERENCE, 2, false);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
