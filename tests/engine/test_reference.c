/* Gradients of every operation of the reference, in double precision, against central
 * differences of its own forward pass: by every parameter and every element of the input.
 * Its values are tested apart (test_values.c). */
#include "doubles.h"

#define SAMPLES 3
#define STEP 1e-5
/* Of the largest difference quotient: STEP^2 times third derivatives, and 1e-16 / STEP. */
#define BOUND 2e-8
/* What other readers of the input are said to have left in its gradient. */
#define BEFORE 0.25

/* What the outputs are weighted by in the loss. */
static double *coefficients_make(const trial *t) {
    double *k = base_array(SAMPLES * t->outputs, sizeof *k);
    base_random random = base_random_at(8, 0, 0);
    assert_non_null(k);
    for (size_t i = 0; i < SAMPLES * t->outputs; i++)
        k[i] = (double)base_random_normal(&random);
    return k;
}

static double loss(trial *t, const double *coefficients) {
    double sum = 0.0;
    trial_forward(t, true);
    for (size_t s = 0; s < SAMPLES; s++)
        for (size_t i = 0; i < t->outputs; i++)
            sum += coefficients[s * t->outputs + i] * trial_output(t, s)[i];
    return sum;
}

static double quotient(trial *t, const double *coefficients, double *at) {
    const double here = *at;
    *at = here + STEP;
    const double up = loss(t, coefficients);
    *at = here - STEP;
    const double down = loss(t, coefficients);
    *at = here;
    return (up - down) / (2.0 * STEP);
}

/* gradient[count] against the quotients by at[count]. */
static double expect_quotients(trial *t, const double *coefficients, const char *what, double *at,
                               const double *gradient, size_t count) {
    double largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double expected = quotient(t, coefficients, at + i);
        largest = fmax(largest, fabs(expected));
        if (!(fabs(gradient[i] - expected) <= BOUND * (1.0 + fabs(expected))))
            fail_msg("%s: gradient by %s %zu is %.12g, difference quotient %.12g",
                     t->g->nodes[0].name, what, i, gradient[i], expected);
    }
    return largest;
}

static void expect_gradients(trial *t) {
    const graph *g = t->g;
    double *coefficients = coefficients_make(t);
    double *by_params = base_array(g->flat_count, sizeof *by_params);
    double *by_input = base_array(SAMPLES * t->inputs, sizeof *by_input);
    loss(t, coefficients);
    for (size_t s = 0; s < SAMPLES; s++) {
        reference_clear_gradients(t->r, s);
        memcpy(reference_gradient(t->r, s, g->output), coefficients + s * t->outputs,
               t->outputs * sizeof *coefficients);
        for (size_t i = 0; i < t->inputs; i++)
            reference_gradient(t->r, s, g->input)[i] += BEFORE;
    }
    memcpy(by_params, reference_backward(t->r, t->params, &t->batch),
           g->flat_count * sizeof *by_params);
    for (size_t s = 0; s < SAMPLES; s++)
        memcpy(by_input + s * t->inputs, reference_gradient(t->r, s, g->input),
               t->inputs * sizeof *by_input);
    for (size_t i = 0; i < SAMPLES * t->inputs; i++)
        by_input[i] -= BEFORE;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        char name[GRAPH_PARAMETER_NAME_MAX];
        graph_parameter_name(g, p, name);
        if (!graph_parameter_is_trained(parameter))
            continue;
        const double largest =
            expect_quotients(t, coefficients, name, t->params + parameter->offset,
                             by_params + parameter->offset, parameter->count);
        assert_int_equal(largest > 0.0, strncmp(name, "nowhere", 7) != 0);
    }
    assert_true(
        expect_quotients(t, coefficients, "input", t->input, by_input, SAMPLES * t->inputs) > 0.0);
    base_free(coefficients);
    base_free(by_params);
    base_free(by_input);
}

/* Parameters are divided by too. */
static double away_from_zero(base_random *random) {
    const double size = 0.3 + (double)base_random_uniform(random);
    return base_random_below(random, 2) == 0 ? size : -size;
}

static void check_threads(const graph *g, unsigned threads, double low, double high) {
    graph *copy;
    MUST(graph_clone(g, &copy, err));
    trial t = trial_open(copy, SAMPLES, threads);
    base_random random = base_random_at(1, 2, 3);
    for (size_t i = 0; i < g->flat_count; i++)
        t.params[i] = away_from_zero(&random);
    for (size_t i = 0; i < SAMPLES * t.inputs; i++)
        t.input[i] = low + (high - low) * (double)base_random_uniform(&random);
    expect_gradients(&t);
    trial_close(&t);
}

/* Inputs from low to high. */
static void check_within(graph *g, double low, double high) {
    check_threads(g, 1, low, high);
    check_threads(g, 2, low, high);
    graph_free(g);
}

static void check(graph *g) {
    check_within(g, -2.0, 2.0);
}

static graph *image(uint32_t channels, uint32_t height, uint32_t width) {
    return graph_start(graph_shape_image(channels, height, width));
}

static uint32_t parameter(graph *g, const char *name, graph_parameter_kind kind,
                          graph_shape shape) {
    uint32_t v;
    MUST(graph_add_parameter(g, name, kind, shape, &v, err));
    return v;
}

/* ---- convolutions ---- */

/* Stride, uneven padding, gaps and groups at once; axes apart. */
static const graph_window uneven = {{3, 2}, {2, 1}, {1, 2}, {2, 0}, {1, 2}};

static void convolutions(void **state) {
    (void)state;
    uint32_t v;
    graph *g = image(4, 6, 5);
    MUST(graph_add_conv(g, "grouped", g->input, 6, (graph_conv){uneven, 2, true, {0, 0}}, &v, err));
    check(g);
    g = image(3, 5, 4);
    MUST(graph_add_conv(g, "depthwise", g->input, 6,
                        (graph_conv){graph_window_of(2, 1, 1), 3, false, {0, 0}}, &v, err));
    check(g);
    g = graph_start((graph_shape){2, {3, 9}});
    const graph_window row = {{1, 3}, {1, 2}, {0, 1}, {0, 0}, {1, 2}};
    MUST(graph_add_conv(g, "row", g->input, 2, graph_conv_of(row), &v, err));
    assert_int_equal(g->values[v].shape.rank, 2);
    check(g);
    g = image(2, 3, 3); /* more padding than kernel: outputs that are biases */
    MUST(graph_add_conv(g, "wide", g->input, 2, graph_conv_of(graph_window_of(1, 1, 2)), &v, err));
    check(g);
}

static void transposed_convolutions(void **state) {
    (void)state;
    uint32_t v;
    graph *g = image(4, 3, 4);
    MUST(graph_add_transposed_conv(g, "grouped", g->input, 6, (graph_conv){uneven, 2, true, {1, 0}},
                                   &v, err));
    check(g);
    g = graph_start((graph_shape){2, {3, 5}});
    const graph_window row = {{1, 3}, {1, 2}, {0, 1}, {0, 0}, {1, 1}};
    MUST(graph_add_transposed_conv(g, "row", g->input, 2, (graph_conv){row, 1, false, {0, 0}}, &v,
                                   err));
    check(g);
}

/* ---- poolings ---- */

static void poolings(void **state) {
    (void)state;
    uint32_t v;
    const graph_window window = {{3, 2}, {2, 2}, {1, 0}, {0, 1}, {1, 2}};
    for (unsigned k = 0; k < 8; k++) {
        const graph_pool pool = {window, (k & 1) != 0, (k & 2) != 0};
        graph *g = image(2, 6, 7);
        if ((k & 4) != 0)
            MUST(graph_add_maxpool(g, "max", g->input, pool, &v, err));
        else
            MUST(graph_add_average_pool(g, "average", g->input, pool, &v, err));
        check(g);
    }
}

/* ---- products ---- */

static void inner_products(void **state) {
    (void)state;
    uint32_t v;
    for (int biased = 0; biased < 2; biased++) {
        graph *g = image(2, 2, 3);
        MUST(graph_add_inner_product(g, "product", g->input, 4, biased != 0, &v, err));
        check(g);
    }
}

/* Slices of the input times a parameter on either side, and times each other. */
static void matmuls(void **state) {
    (void)state;
    static const graph_shape rights[] = {
        {2, {4, 3}}, {1, {4}}, {3, {2, 4, 3}}, {4, {3, 1, 4, 2}}, {3, {1, 4, 1}}};
    uint32_t v;
    for (size_t k = 0; k < sizeof rights / sizeof rights[0]; k++) {
        graph *g = graph_start((graph_shape){3, {2, 3, 4}});
        MUST(graph_add_matmul(g, "right", g->input, parameter(g, "w", GRAPH_WEIGHT, rights[k]), &v,
                              err));
        assert_int_equal(g->nodes[0].weight, 0);
        check(g);
    }
    graph *g = graph_start((graph_shape){2, {3, 4}});
    MUST(graph_add_matmul(g, "left", parameter(g, "w", GRAPH_TENSOR, (graph_shape){3, {2, 2, 3}}),
                          g->input, &v, err));
    check(g);
    g = graph_start(graph_shape_vector(4));
    MUST(graph_add_matmul(g, "row", g->input,
                          parameter(g, "w", GRAPH_TENSOR, (graph_shape){3, {2, 4, 3}}), &v, err));
    check(g);
    g = graph_start((graph_shape){3, {2, 3, 3}}); /* read twice by one node */
    MUST(graph_add_matmul(g, "square", g->input, g->input, &v, err));
    check(g);
}

/* ---- normalizations ---- */

static void normalizations(void **state) {
    (void)state;
    uint32_t v;
    graph *g = image(3, 2, 4);
    MUST(graph_add_batch_normalization(g, "batch", g->input, 0.1F, 0.9F, &v, err));
    check(g);
    g = image(3, 2, 4);
    MUST(graph_add_instance_normalization(g, "instance", g->input, 0.1F, &v, err));
    check(g);
    for (uint32_t axis = 0; axis < 3; axis++) {
        g = image(3, 2, 4);
        MUST(graph_add_layer_normalization(g, "layer", g->input, axis, 0.1F, &v, err));
        check(g);
    }
    for (uint32_t size = 1; size < 5; size++) {
        g = image(5, 2, 2);
        MUST(graph_add_lrn(g, "lrn", g->input, (graph_lrn){size, 0.5F, 0.75F, 1.5F}, &v, err));
        check(g);
    }
    for (uint32_t axis = 0; axis < 3; axis++) {
        g = image(3, 2, 4);
        MUST(graph_add_softmax(g, "softmax", g->input, axis, &v, err));
        check(g);
        g = image(3, 2, 4);
        MUST(graph_add_log_softmax(g, "log-softmax", g->input, axis, &v, err));
        check(g);
    }
}

/* ---- elements ---- */

static void functions_of_one(void **state) {
    (void)state;
    static const graph_unary functions[] = {
        {GRAPH_LEAKY_RELU, 0.2F, 0.0F}, {GRAPH_CLIP, -0.7F, 0.9F},
        {GRAPH_SIGMOID, 0.0F, 0.0F},    {GRAPH_HARD_SIGMOID, 0.4F, 0.3F},
        {GRAPH_HARD_SWISH, 0.0F, 0.0F}, {GRAPH_TANH, 0.0F, 0.0F},
        {GRAPH_ELU, 1.5F, 0.0F},        {GRAPH_GELU, 0.0F, 0.0F},
        {GRAPH_GELU_TANH, 0.0F, 0.0F},  {GRAPH_SOFTPLUS, 0.0F, 0.0F},
        {GRAPH_ERF, 0.0F, 0.0F},        {GRAPH_NEG, 0.0F, 0.0F},
        {GRAPH_EXP, 0.0F, 0.0F},        {GRAPH_POWER, 3.0F, 0.0F}};
    static const graph_unary of_positive[] = {{GRAPH_SQRT, 0.0F, 0.0F}, {GRAPH_POWER, 0.7F, 0.0F}};
    uint32_t v;
    for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++) {
        graph *g = graph_start(graph_shape_vector(20));
        MUST(graph_add_unary(g, graph_unary_name(functions[k].kind), g->input, functions[k], &v,
                             err));
        check_within(g, -5.0, 5.0);
    }
    for (size_t k = 0; k < 2; k++) {
        graph *g = graph_start(graph_shape_vector(20));
        MUST(graph_add_unary(g, graph_unary_name(of_positive[k].kind), g->input, of_positive[k], &v,
                             err));
        check_within(g, 0.5, 4.0);
    }
    graph *g = graph_start(graph_shape_vector(20));
    MUST(graph_add_relu(g, "relu", g->input, &v, err));
    check(g);
    g = graph_start(graph_shape_vector(20));
    MUST(graph_add_dropout(g, "dropout", g->input, 0.4F, &v, err));
    check(g);
}

/* Operands of all sorts: the input against a parameter of another shape, on both sides, and
 * against itself; powers of what is above 0. */
static void functions_of_two(void **state) {
    (void)state;
    static const graph_shape others[] = {{3, {3, 2, 4}}, {1, {4}}, {2, {2, 1}},
                                         {3, {3, 1, 4}}, {0, {0}}, {4, {2, 1, 2, 1}}};
    uint32_t v;
    for (unsigned kind = 0; kind < GRAPH_BINARY_COUNT; kind++) {
        const bool prelu = kind == GRAPH_PRELU;
        const char *name = graph_binary_name((graph_binary_kind)kind);
        const double low = prelu ? -2.0 : 1.0;
        for (size_t k = 0; k < sizeof others / sizeof others[0] - (prelu ? 1 : 0); k++) {
            graph *g = image(3, 2, 4);
            const uint32_t other = parameter(g, "z", GRAPH_TENSOR, others[k]);
            MUST(graph_add_binary(g, name, (graph_binary_kind)kind, g->input, other, &v, err));
            check_within(g, low, 2.0);
            if (prelu || kind == GRAPH_POW) /* parameters are below 0 too */
                continue;
            g = image(3, 2, 4);
            MUST(graph_add_binary(g, name, (graph_binary_kind)kind,
                                  parameter(g, "z", GRAPH_TENSOR, others[k]), g->input, &v, err));
            check_within(g, low, 2.0);
        }
        if (kind == GRAPH_SUB || kind == GRAPH_DIV) /* constant */
            continue;
        graph *g = image(3, 2, 4);
        MUST(graph_add_binary(g, name, (graph_binary_kind)kind, g->input, g->input, &v, err));
        check_within(g, low, 2.0);
    }
}

/* ---- axes and moves ---- */

static void reductions(void **state) {
    (void)state;
    uint32_t v;
    for (uint32_t axes = 0; axes < 8; axes++) {
        const graph_reduce reduce = {axes % 2 == 0 ? GRAPH_REDUCE_MEAN : GRAPH_REDUCE_SUM, axes,
                                     axes % 3 == 0};
        graph *g = image(2, 3, 4);
        MUST(graph_add_reduce(g, "reduce", g->input, reduce, &v, err));
        check(g);
    }
}

static void joins(void **state) {
    (void)state;
    uint32_t v;
    for (uint32_t axis = 0; axis < 3; axis++) {
        graph *g = image(2, 3, 2);
        graph_shape shape = graph_shape_image(2, 3, 2);
        shape.dims[axis] = 4;
        const uint32_t in[3] = {g->input, parameter(g, "z", GRAPH_TENSOR, shape), g->input};
        MUST(graph_add_concat(g, "concat", in, 3, axis, &v, err));
        check(g);
    }
}

static void moves(void **state) {
    (void)state;
    uint32_t v;
    graph *g = image(3, 5, 4);
    const graph_slice slice = {{2, 1, 3}, {2, 2, 2}, {-2, 3, -1}};
    MUST(graph_add_slice(g, "slice", g->input, &slice, &v, err));
    check(g);
    for (unsigned kind = GRAPH_PAD_CONSTANT; kind <= GRAPH_PAD_EDGE; kind++) {
        const graph_pad pad = {(graph_pad_kind)kind, 0.5F, {1, 0, 2}, {0, 2, 1}};
        g = image(2, 3, 4);
        MUST(graph_add_pad(g, "pad", g->input, &pad, &v, err));
        check(g);
    }
    g = image(2, 3, 4);
    MUST(graph_add_reshape(g, "reshape", g->input, (graph_shape){2, {6, 4}}, &v, err));
    check(g);
    const uint32_t order[GRAPH_RANK_MAX] = {2, 0, 1};
    g = image(2, 3, 4);
    MUST(graph_add_transpose(g, "transpose", g->input, order, &v, err));
    check(g);
}

/* Rows that are taken twice and not at all; of the input, and of a table of parameters. */
static void gathers(void **state) {
    (void)state;
    const float at[6] = {2, 0, 2, 1, 1, 2};
    uint32_t v;
    uint32_t indices;
    for (uint32_t axis = 0; axis < 2; axis++) {
        graph *g = image(3, 4, 2);
        MUST(graph_add_constant(g, (graph_shape){2, {2, 3}}, at, &indices, err));
        MUST(graph_add_gather(g, "gather", g->input, indices, axis, &v, err));
        assert_int_equal(g->values[v].shape.rank, 4);
        check(g);
    }
    graph *g = image(6, 1, 2);
    const uint32_t table = parameter(g, "table", GRAPH_TENSOR, (graph_shape){2, {3, 2}});
    MUST(graph_add_constant(g, (graph_shape){2, {6, 1}}, at, &indices, err));
    MUST(graph_add_gather(g, "table", table, indices, 0, &v, err));
    MUST(graph_add_binary(g, "mul", GRAPH_MUL, g->input, v, &v, err));
    check(g);
}

static void resizes(void **state) {
    (void)state;
    uint32_t v;
    for (unsigned mode = GRAPH_RESIZE_NEAREST_DOWN; mode <= GRAPH_RESIZE_LINEAR; mode++) {
        for (unsigned place = GRAPH_RESIZE_HALF_PIXEL; place <= GRAPH_RESIZE_ASYMMETRIC; place++) {
            const graph_resize resize = {
                (graph_resize_mode)mode, (graph_resize_place)place, {1.0F, 2.5F, 0.6F}, {2, 7, 3}};
            graph *g = image(2, 3, 5);
            MUST(graph_add_resize(g, "resize", g->input, &resize, &v, err));
            check(g);
        }
    }
}

/* ---- graphs ---- */

/* A residual block whose input is read three times, with a branch that leads nowhere, and
 * squeeze-and-excite. */
static void branches(void **state) {
    (void)state;
    graph *g = image(2, 4, 4);
    uint32_t trunk;
    uint32_t v;
    uint32_t gate;
    const graph_conv conv = {graph_window_of(3, 1, 1), 1, false, {0, 0}};
    MUST(graph_add_conv(g, "stem", g->input, 3, conv, &trunk, err));
    MUST(graph_add_inner_product(g, "nowhere", trunk, 2, false, &v, err));
    MUST(graph_add_batch_normalization(g, "bn", trunk, 0.1F, 0.9F, &v, err));
    MUST(graph_add_unary(g, "tanh", v, (graph_unary){GRAPH_TANH, 0.0F, 0.0F}, &v, err));
    MUST(graph_add_conv(g, "conv", v, 3, conv, &v, err));
    MUST(graph_add_reduce(g, "squeeze", v, (graph_reduce){GRAPH_REDUCE_MEAN, 6, true}, &gate, err));
    MUST(graph_add_conv(g, "excite", gate, 3, graph_conv_of(graph_window_of(1, 1, 0)), &gate, err));
    MUST(graph_add_unary(g, "gate", gate, (graph_unary){GRAPH_SIGMOID, 0.0F, 0.0F}, &gate, err));
    MUST(graph_add_binary(g, "scaled", GRAPH_MUL, v, gate, &v, err));
    MUST(graph_add_binary(g, "sum", GRAPH_ADD, v, trunk, &v, err));
    const uint32_t both[2] = {v, trunk};
    MUST(graph_add_concat(g, "concat", both, 2, 0, &v, err));
    MUST(graph_add_inner_product(g, "last", v, 3, true, &v, err));
    check(g);
}

/* Layer normalization as exporters spell it out, with constants and parameters. */
static void spelled_out_normalization(void **state) {
    (void)state;
    graph *g = graph_start((graph_shape){2, {3, 4}});
    const float epsilon = 0.1F;
    uint32_t mean;
    uint32_t apart;
    uint32_t v;
    uint32_t added;
    MUST(graph_add_constant(g, (graph_shape){0, {0}}, &epsilon, &added, err));
    MUST(graph_add_reduce(g, "mean", g->input, (graph_reduce){GRAPH_REDUCE_MEAN, 2, true}, &mean,
                          err));
    MUST(graph_add_binary(g, "apart", GRAPH_SUB, g->input, mean, &apart, err));
    MUST(graph_add_unary(g, "square", apart, (graph_unary){GRAPH_POWER, 2.0F, 0.0F}, &v, err));
    MUST(graph_add_reduce(g, "variance", v, (graph_reduce){GRAPH_REDUCE_MEAN, 2, true}, &v, err));
    MUST(graph_add_binary(g, "epsilon", GRAPH_ADD, v, added, &v, err));
    MUST(graph_add_unary(g, "sqrt", v, (graph_unary){GRAPH_SQRT, 0.0F, 0.0F}, &v, err));
    MUST(graph_add_binary(g, "normal", GRAPH_DIV, apart, v, &v, err));
    MUST(graph_add_binary(g, "scale", GRAPH_MUL, v,
                          parameter(g, "gamma", GRAPH_SCALE, graph_shape_vector(4)), &v, err));
    MUST(graph_add_binary(g, "shift", GRAPH_ADD, v,
                          parameter(g, "beta", GRAPH_SHIFT, graph_shape_vector(4)), &v, err));
    check(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(transposed_convolutions),
        cmocka_unit_test(poolings),
        cmocka_unit_test(inner_products),
        cmocka_unit_test(matmuls),
        cmocka_unit_test(normalizations),
        cmocka_unit_test(functions_of_one),
        cmocka_unit_test(functions_of_two),
        cmocka_unit_test(reductions),
        cmocka_unit_test(joins),
        cmocka_unit_test(moves),
        cmocka_unit_test(gathers),
        cmocka_unit_test(resizes),
        cmocka_unit_test(branches),
        cmocka_unit_test(spelled_out_normalization),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
