/* What the reference computes, against closed forms, the definitions written another way, and
 * examples worked by hand or published with ONNX's operators. */
#include "doubles.h"

#define CLOSE 1e-12

static graph *image(uint32_t channels, uint32_t height, uint32_t width) {
    return graph_start(graph_shape_image(channels, height, width));
}

/* The one sample 1, 2, 3, ..., unless it is random; parameters are random. */
static trial run(graph *g, bool counting) {
    trial t = trial_open(g, 1, 1);
    base_random random = base_random_at(1, 2, 3);
    for (size_t i = 0; i < g->flat_count; i++)
        t.params[i] = (double)base_random_normal(&random);
    for (size_t i = 0; i < t.inputs; i++)
        t.input[i] = counting ? (double)(i + 1) : (double)base_random_normal(&random);
    trial_forward(&t, false);
    return t;
}

static void expect_close(double got, double expected, double bound, const char *what, size_t i) {
    if (!(fabs(got - expected) <= bound * (1.0 + fabs(expected))))
        fail_msg("%s: element %zu is %.15g, expected %.15g", what, i, got, expected);
}

/* Of the sample 1, 2, 3, ... */
static void expect_values(graph *g, const double *expected, size_t count, double bound) {
    trial t = run(g, true);
    assert_int_equal(t.outputs, count);
    for (size_t i = 0; i < count; i++)
        expect_close(trial_output(&t, 0)[i], expected[i], bound, g->nodes[0].name, i);
    trial_close(&t);
}

/* ---- convolutions: every pair of input and output pixel is asked for its kernel place ---- */

typedef struct axis {
    int64_t kernel, stride, pad, dilation;
} axis;

static axis axis_of(const graph_window *w, int i) {
    return (axis){w->kernel[i], w->stride[i], w->pad[i], w->dilation[i]};
}

/* The kernel place k with covering = grid stride + k dilation - pad, or -1. */
static int64_t kernel_place(axis a, int64_t grid, int64_t covering) {
    const int64_t offset = covering - grid * a.stride + a.pad;
    const int64_t k = offset / a.dilation;
    return offset >= 0 && offset % a.dilation == 0 && k < a.kernel ? k : -1;
}

static void expect_conv(graph *g, bool transposed) {
    trial t = run(g, false);
    const graph_node *node = &g->nodes[0];
    const graph_conv *conv = &node->conv;
    const graph_shape in = g->values[g->input].shape;
    const graph_shape out = g->values[g->output].shape;
    const axis down = axis_of(&conv->window, 0);
    const axis right = axis_of(&conv->window, 1);
    const uint32_t own = in.dims[0] / conv->groups; /* inputs of a group */
    const double *w = t.params + g->parameters[node->weight].offset;
    const double *b = t.params + g->parameters[node->bias].offset;
    double *y = base_array(t.outputs, sizeof *y);
    for (size_t i = 0; i < t.outputs; i++)
        y[i] = b[i / ((size_t)out.dims[1] * out.dims[2])];
    for (size_t i = 0; i < t.inputs; i++) {
        const size_t c = i / in.dims[2] / in.dims[1];
        const int64_t iy = (int64_t)(i / in.dims[2] % in.dims[1]);
        const int64_t ix = (int64_t)(i % in.dims[2]);
        for (size_t o = 0; o < t.outputs; o++) {
            const size_t f = o / out.dims[2] / out.dims[1];
            const int64_t oy = (int64_t)(o / out.dims[2] % out.dims[1]);
            const int64_t ox = (int64_t)(o % out.dims[2]);
            const int64_t ky = transposed ? kernel_place(down, iy, oy) : kernel_place(down, oy, iy);
            const int64_t kx =
                transposed ? kernel_place(right, ix, ox) : kernel_place(right, ox, ix);
            if (c / own != f / (out.dims[0] / conv->groups) || ky < 0 || kx < 0)
                continue;
            y[o] += t.input[i] *
                    w[((int64_t)(f * own + c % own) * down.kernel + ky) * right.kernel + kx];
        }
    }
    for (size_t i = 0; i < t.outputs; i++)
        expect_close(trial_output(&t, 0)[i], y[i], CLOSE, node->name, i);
    base_free(y);
    trial_close(&t);
}

static void convolutions(void **state) {
    (void)state;
    const graph_window windows[] = {{{3, 2}, {2, 1}, {1, 2}, {2, 0}, {1, 2}},
                                    {{1, 3}, {1, 2}, {2, 0}, {0, 1}, {3, 1}},
                                    {{2, 2}, {3, 3}, {0, 0}, {0, 0}, {1, 1}}};
    for (size_t k = 0; k < sizeof windows / sizeof windows[0]; k++) {
        for (uint32_t groups = 1; groups <= 4; groups *= 2) {
            const graph_conv conv = {windows[k], groups, true, {0, 0}};
            const graph_conv longer = {windows[k], groups, true, {1, 0}};
            uint32_t v;
            graph *g = image(4, 7, 6);
            MUST(graph_add_conv(g, "conv", g->input, 8, conv, &v, err));
            expect_conv(g, false);
            g = image(4, 3, 4);
            MUST(graph_add_transposed_conv(g, "transposed", g->input, 8, longer, &v, err));
            expect_conv(g, true);
        }
    }
}

/* Those of ONNX's examples convtranspose_pads and convtranspose_output_shape. */
static void transposed_sizes(void **state) {
    (void)state;
    uint32_t v;
    const graph_window window = {{3, 3}, {3, 2}, {1, 2}, {1, 2}, {1, 1}};
    graph *g = image(1, 3, 3);
    MUST(graph_add_transposed_conv(g, "pads", g->input, 2, graph_conv_of(window), &v, err));
    assert_true(graph_shape_equal(g->values[v].shape, graph_shape_image(2, 7, 3)));
    graph_free(g);
    g = image(1, 3, 3);
    const graph_conv conv = {{{3, 3}, {3, 2}, {0, 0}, {0, 0}, {1, 1}}, 1, true, {1, 1}};
    MUST(graph_add_transposed_conv(g, "output-pad", g->input, 2, conv, &v, err));
    assert_true(graph_shape_equal(g->values[v].shape, graph_shape_image(2, 10, 8)));
    graph_free(g);
}

/* ---- poolings: ONNX's examples, on 1, 2, 3, ... ---- */

static void expect_pool(bool largest, uint32_t side, graph_pool pool, const double *expected,
                        size_t count) {
    uint32_t v;
    graph *g = image(1, side, side);
    if (largest)
        MUST(graph_add_maxpool(g, "max", g->input, pool, &v, err));
    else
        MUST(graph_add_average_pool(g, "average", g->input, pool, &v, err));
    expect_values(g, expected, count, CLOSE);
}

static void poolings(void **state) {
    (void)state;
    const graph_window by_two = graph_window_of(3, 2, 0);
    const graph_window padded = graph_window_of(5, 1, 2);
    const graph_window gaps = {{2, 2}, {1, 1}, {0, 0}, {0, 0}, {2, 2}};
    const double max_ceil[] = {11, 12, 15, 16};
    const double average_ceil[] = {6, 7.5, 12, 13.5};
    const double max_gaps[] = {11, 12, 15, 16};
    const double average_gaps[] = {6, 7, 10, 11};
    const double average_padded[] = {7,    7.5,  8,    8.5,  9,    9.5,  10,   10.5, 11,
                                     11.5, 12,   12.5, 13,   13.5, 14,   14.5, 15,   15.5,
                                     16,   16.5, 17,   17.5, 18,   18.5, 19};
    const double average_counted[] = {2.52,  3.6,  4.8,  4.08, 3.24, 4.56, 6.4,  8.4, 7.04,
                                      5.52,  7.2,  10.0, 13.0, 10.8, 8.4,  6.96, 9.6, 12.4,
                                      10.24, 7.92, 6.12, 8.4,  10.8, 8.88, 6.84};
    expect_pool(true, 4, (graph_pool){by_two, true, false}, max_ceil, 4);
    expect_pool(false, 4, (graph_pool){by_two, true, false}, average_ceil, 4);
    expect_pool(false, 4, (graph_pool){by_two, true, true}, average_ceil, 4); /* not beyond */
    expect_pool(true, 4, (graph_pool){gaps, false, false}, max_gaps, 4);
    expect_pool(false, 4, (graph_pool){gaps, false, false}, average_gaps, 4);
    expect_pool(false, 5, (graph_pool){padded, false, false}, average_padded, 25);
    expect_pool(false, 5, (graph_pool){padded, false, true}, average_counted, 25);
}

/* Of two by two with a stride of two and a row and column of padding: a last window rounded up
 * divides by what it has of input and padding, and begins on the input. */
static void rounded_up_windows(void **state) {
    (void)state;
    const graph_window window = {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {1, 1}};
    const double counted[] = {0.25, 1.25, 2.75, 7.0}; /* 3 x 3: all windows are whole */
    const double alone[] = {1, 2.5, 5.5, 7};
    expect_pool(false, 3, (graph_pool){window, true, true}, counted, 4);
    expect_pool(false, 3, (graph_pool){window, true, false}, alone, 4);
    const graph_window tall = {{3, 3}, {2, 2}, {0, 0}, {1, 1}, {1, 1}};
    /* 4 x 4: the second window has rows 2 and 3 and the padding, 9 places. */
    const double ends[] = {6, (7 + 8 + 11 + 12 + 3 + 4) / 9.0, (9 + 10 + 11 + 13 + 14 + 15) / 9.0,
                           (11 + 12 + 15 + 16) / 9.0};
    expect_pool(false, 4, (graph_pool){tall, true, true}, ends, 4);
}

/* ---- products ---- */

/* [2][1][2][3] x [3][3][4] -> [2][3][2][4], element by element. */
static void matmuls(void **state) {
    (void)state;
    uint32_t v;
    uint32_t w;
    graph *g = graph_start((graph_shape){4, {2, 1, 2, 3}});
    MUST(graph_add_parameter(g, "w", GRAPH_WEIGHT, (graph_shape){3, {3, 3, 4}}, &w, err));
    MUST(graph_add_matmul(g, "matmul", g->input, w, &v, err));
    assert_true(graph_shape_equal(g->values[v].shape, (graph_shape){4, {2, 3, 2, 4}}));
    assert_int_equal(graph_macs(g), 2 * 3 * 2 * 4 * 3);
    trial t = run(g, false);
    for (size_t i = 0; i < t.outputs; i++) {
        const size_t column = i % 4;
        const size_t row = i / 4 % 2;
        const size_t stack = i / 8 % 3;
        const size_t outer = i / 24;
        double sum = 0.0;
        for (size_t k = 3; k-- > 0;)
            sum += t.input[(outer * 2 + row) * 3 + k] * t.params[(stack * 3 + k) * 4 + column];
        expect_close(trial_output(&t, 0)[i], sum, CLOSE, "matmul", i);
    }
    trial_close(&t);
}

/* ---- normalizations ---- */

/* Rows of 1, 2, 3, 4 and so on: mean m, variance 1.25. */
static void layer_normalization(void **state) {
    (void)state;
    uint32_t v;
    graph *g = graph_start((graph_shape){2, {3, 4}});
    MUST(graph_add_layer_normalization(g, "layer", g->input, 1, 0.25F, &v, err));
    trial t = run(g, true);
    const graph_normalization *n = &g->nodes[0].normalization;
    for (size_t i = 0; i < t.outputs; i++) {
        const double normal = ((double)(i % 4) - 1.5) / sqrt(1.5);
        expect_close(trial_output(&t, 0)[i],
                     normal * t.params[g->parameters[n->scale].offset + i % 4] +
                         t.params[g->parameters[n->shift].offset + i % 4],
                     CLOSE, "layer", i);
    }
    trial_close(&t);
}

static void instance_normalization(void **state) {
    (void)state;
    uint32_t v;
    graph *g = image(3, 2, 2);
    MUST(graph_add_instance_normalization(g, "instance", g->input, 0.25F, &v, err));
    trial t = run(g, true);
    const graph_normalization *n = &g->nodes[0].normalization;
    for (size_t i = 0; i < t.outputs; i++) {
        const double normal = ((double)(i % 4) - 1.5) / sqrt(1.5);
        expect_close(trial_output(&t, 0)[i],
                     normal * t.params[g->parameters[n->scale].offset + i / 4] +
                         t.params[g->parameters[n->shift].offset + i / 4],
                     CLOSE, "instance", i);
    }
    trial_close(&t);
}

/* Outside training by the running statistics; in it by the batch's, which are told. */
static void batch_normalization(void **state) {
    (void)state;
    uint32_t v;
    graph *g = image(2, 1, 2);
    MUST(graph_add_batch_normalization(g, "bn", g->input, 0.25F, 0.9F, &v, err));
    trial t = trial_open(g, 2, 2);
    const double input[8] = {1, 2, 10, 20, 3, 4, 30, 40};
    memcpy(t.input, input, sizeof input);
    const graph_normalization *n = &g->nodes[0].normalization;
    for (size_t c = 0; c < 2; c++) {
        t.params[g->parameters[n->scale].offset + c] = 2.0;
        t.params[g->parameters[n->shift].offset + c] = 1.0;
        t.params[g->parameters[n->mean].offset + c] = 2.0;
        t.params[g->parameters[n->variance].offset + c] = 6.0;
    }
    trial_forward(&t, false);
    for (size_t i = 0; i < 4; i++)
        expect_close(trial_output(&t, 1)[i], (input[4 + i] - 2.0) / 2.5 * 2.0 + 1.0, CLOSE,
                     "running", i);
    trial_forward(&t, true);
    for (size_t i = 0; i < 2; i++) {
        expect_close(trial_output(&t, 1)[i], (input[4 + i] - 2.5) / sqrt(1.5) * 2.0 + 1.0, CLOSE,
                     "batch", i);
        expect_close(trial_output(&t, 1)[2 + i], (input[6 + i] - 25.0) / sqrt(125.25) * 2.0 + 1.0,
                     CLOSE, "batch", i);
    }
    reference_clear_gradients(t.r, 0);
    reference_clear_gradients(t.r, 1);
    const double *told = reference_backward(t.r, t.params, &t.batch);
    expect_close(told[g->parameters[n->mean].offset + 1], 25.0, CLOSE, "mean", 1);
    expect_close(told[g->parameters[n->variance].offset + 1], 125.0, CLOSE, "variance", 1);
    trial_close(&t);
}

/* Five channels of one pixel, 1 to 5. */
static void local_response(void **state) {
    (void)state;
    uint32_t v;
    const double three[5] = {1 + 4, 1 + 4 + 9, 4 + 9 + 16, 9 + 16 + 25, 16 + 25};
    const double four[5] = {1 + 4 + 9, 1 + 4 + 9 + 16, 4 + 9 + 16 + 25, 9 + 16 + 25, 16 + 25};
    double expected[5];
    for (uint32_t size = 3; size < 5; size++) {
        graph *g = image(5, 1, 1);
        MUST(graph_add_lrn(g, "lrn", g->input, (graph_lrn){size, 0.5F, 0.75F, 2.0F}, &v, err));
        for (size_t i = 0; i < 5; i++)
            expected[i] =
                (double)(i + 1) / pow(2.0 + 0.5 / size * (size == 3 ? three : four)[i], 0.75);
        expect_values(g, expected, 5, CLOSE);
    }
}

static void softmaxes(void **state) {
    (void)state;
    uint32_t v;
    const double sum = 1.0 + exp(2.0) + exp(4.0); /* columns 1, 3, 5 and 2, 4, 6 */
    double soft[6];
    double logarithm[6];
    for (size_t i = 0; i < 6; i++) {
        soft[i] = exp(2.0 * (double)(i / 2)) / sum;
        logarithm[i] = 2.0 * (double)(i / 2) - log(sum);
    }
    graph *g = graph_start((graph_shape){2, {3, 2}});
    MUST(graph_add_softmax(g, "softmax", g->input, 0, &v, err));
    expect_values(g, soft, 6, CLOSE);
    g = graph_start((graph_shape){2, {3, 2}});
    MUST(graph_add_log_softmax(g, "log-softmax", g->input, 0, &v, err));
    expect_values(g, logarithm, 6, CLOSE);
}

/* No overflow, whatever the size. */
static void softmax_of_large_numbers(void **state) {
    (void)state;
    uint32_t v;
    graph *g = graph_start(graph_shape_vector(2));
    MUST(graph_add_softmax(g, "softmax", g->input, 0, &v, err));
    trial t = trial_open(g, 1, 1);
    t.input[0] = 1e5;
    t.input[1] = 1e5 + 1.0;
    trial_forward(&t, false);
    expect_close(trial_output(&t, 0)[0], 1.0 / (1.0 + exp(1.0)), 1e-10, "softmax", 0);
    trial_close(&t);
}

/* ---- elements ---- */

/* At -4, -1, 0, 0.5, 1 and 4. */
static const double points[6] = {-4, -1, 0, 0.5, 1, 4};

static void expect_function(graph_unary function, const double expected[6], double bound) {
    uint32_t v;
    graph *g = graph_start(graph_shape_vector(6));
    MUST(graph_add_unary(g, graph_unary_name(function.kind), g->input, function, &v, err));
    trial t = trial_open(g, 1, 1);
    memcpy(t.input, points, sizeof points);
    trial_forward(&t, false);
    for (size_t i = 0; i < 6; i++)
        expect_close(trial_output(&t, 0)[i], expected[i], bound, graph_unary_name(function.kind),
                     i);
    trial_close(&t);
}

/* Digits from tables and from a calculator of arbitrary precision. */
static void functions_of_one(void **state) {
    (void)state;
    const double tenth = (double)0.1F;
    const double leaky[] = {-4 * tenth, -tenth, 0, 0.5, 1, 4};
    const double clip[] = {-2, -1, 0, 0.5, 0.5, 0.5};
    const double sigmoid[] = {0.0179862099620916, 0.2689414213699951, 0.5,
                              0.6224593312018546, 0.7310585786300049, 0.9820137900379085};
    const double hard[] = {0, 0.25, 0.5, 0.625, 0.75, 1};
    const double swish[] = {0, -1 / 3.0, 0, 0.5 * (1 / 12.0 + 0.5), 2 / 3.0, 4};
    const double tangent[] = {-0.9993292997390670, -0.7615941559557649, 0,
                              0.4621171572600098,  0.7615941559557649,  0.9993292997390670};
    const double elu[] = {-1.963368722222532, -1.264241117657115, 0, 0.5, 1, 4};
    const double gelu[] = {-0.000126684967, -0.158655253931, 0,
                           0.345731230631,  0.841344746069,  3.999873315033};
    const double gelu_tanh[] = {-0.0000702, -0.1588080, 0, 0.3457140, 0.8411920, 3.9999298};
    const double softplus[] = {0.0181499279178094, 0.3132616875182228, 0.6931471805599453,
                               0.9740769841801067, 1.3132616875182228, 4.0181499279178094};
    const double error[] = {-0.9999999845827421, -0.8427007929497149, 0,
                            0.5204998778130465,  0.8427007929497149,  0.9999999845827421};
    const double negative[] = {4, 1, 0, -0.5, -1, -4};
    const double cubes[] = {-64, -1, 0, 0.125, 1, 64};
    const double powers[] = {0.0183156388887342, 0.3678794411714423, 1,
                             1.6487212707001282, 2.7182818284590452, 54.598150033144239};
    expect_function((graph_unary){GRAPH_LEAKY_RELU, 0.1F, 0.0F}, leaky, CLOSE);
    expect_function((graph_unary){GRAPH_CLIP, -2.0F, 0.5F}, clip, CLOSE);
    expect_function((graph_unary){GRAPH_SIGMOID, 0.0F, 0.0F}, sigmoid, 1e-14);
    expect_function((graph_unary){GRAPH_HARD_SIGMOID, 0.25F, 0.5F}, hard, CLOSE);
    expect_function((graph_unary){GRAPH_HARD_SWISH, 0.0F, 0.0F}, swish, CLOSE);
    expect_function((graph_unary){GRAPH_TANH, 0.0F, 0.0F}, tangent, 1e-14);
    expect_function((graph_unary){GRAPH_ELU, 2.0F, 0.0F}, elu, 1e-14);
    expect_function((graph_unary){GRAPH_GELU, 0.0F, 0.0F}, gelu, 1e-11);
    expect_function((graph_unary){GRAPH_GELU_TANH, 0.0F, 0.0F}, gelu_tanh, 1e-6);
    expect_function((graph_unary){GRAPH_SOFTPLUS, 0.0F, 0.0F}, softplus, 1e-14);
    expect_function((graph_unary){GRAPH_ERF, 0.0F, 0.0F}, error, 1e-14);
    expect_function((graph_unary){GRAPH_NEG, 0.0F, 0.0F}, negative, CLOSE);
    expect_function((graph_unary){GRAPH_POWER, 3.0F, 0.0F}, cubes, CLOSE);
    expect_function((graph_unary){GRAPH_EXP, 0.0F, 0.0F}, powers, 1e-14);
}

/* [2][3] of 1 to 6 with a column 10, 20 and with a row 1, 2, 4. */
static void functions_of_two(void **state) {
    (void)state;
    const float column[2] = {10, 20};
    const float row[3] = {1, 2, 4};
    const double sums[] = {11, 12, 13, 24, 25, 26};
    const double differences[] = {9, 8, 7, 16, 15, 14};
    const double products[] = {1, 4, 12, 4, 10, 24};
    const double quotients[] = {1, 1, 0.75, 4, 2.5, 1.5};
    const double powers[] = {1, 4, 81, 4, 25, 1296};
    const struct {
        graph_binary_kind kind;
        bool by_row, reversed;
        const double *expected;
    } cases[] = {{GRAPH_ADD, false, false, sums},
                 {GRAPH_SUB, false, true, differences},
                 {GRAPH_MUL, true, false, products},
                 {GRAPH_DIV, true, false, quotients},
                 {GRAPH_POW, true, false, powers}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        graph *g = graph_start((graph_shape){2, {2, 3}});
        const bool by_row = cases[k].by_row;
        const graph_shape shape = by_row ? graph_shape_vector(3) : (graph_shape){2, {2, 1}};
        uint32_t z;
        uint32_t v;
        MUST(graph_add_constant(g, shape, by_row ? row : column, &z, err));
        MUST(graph_add_binary(g, graph_binary_name(cases[k].kind), cases[k].kind,
                              cases[k].reversed ? z : g->input, cases[k].reversed ? g->input : z,
                              &v, err));
        expect_values(g, cases[k].expected, 6, CLOSE);
    }
}

/* ---- axes and moves, on 1, 2, 3, ... ---- */

static void reductions(void **state) {
    (void)state;
    uint32_t v;
    const double outer[] = {(1 + 7) / 2.0, 5, 6, 7, 8, 9};
    const double ends[] = {1 + 2 + 7 + 8, 3 + 4 + 9 + 10, 5 + 6 + 11 + 12};
    const double all[] = {6.5};
    graph *g = image(2, 3, 2);
    MUST(graph_add_reduce(g, "mean", g->input, (graph_reduce){GRAPH_REDUCE_MEAN, 1, false}, &v,
                          err));
    assert_true(graph_shape_equal(g->values[v].shape, (graph_shape){2, {3, 2}}));
    expect_values(g, outer, 6, CLOSE);
    g = image(2, 3, 2);
    MUST(graph_add_reduce(g, "sum", g->input, (graph_reduce){GRAPH_REDUCE_SUM, 5, true}, &v, err));
    assert_true(graph_shape_equal(g->values[v].shape, graph_shape_image(1, 3, 1)));
    expect_values(g, ends, 3, CLOSE);
    g = image(2, 3, 2);
    MUST(
        graph_add_reduce(g, "all", g->input, (graph_reduce){GRAPH_REDUCE_MEAN, 7, false}, &v, err));
    assert_int_equal(g->values[v].shape.rank, 0);
    expect_values(g, all, 1, CLOSE);
}

static void joins(void **state) {
    (void)state;
    uint32_t v;
    uint32_t z;
    const float constant[2] = {-1, -2};
    const double expected[] = {1, 2, -1, 1, 2, 3, 4, -2, 3, 4};
    graph *g = graph_start((graph_shape){2, {2, 2}});
    MUST(graph_add_constant(g, (graph_shape){2, {2, 1}}, constant, &z, err));
    const uint32_t in[3] = {g->input, z, g->input};
    MUST(graph_add_concat(g, "concat", in, 3, 1, &v, err));
    expect_values(g, expected, 10, CLOSE);
}

static void moves(void **state) {
    (void)state;
    uint32_t v;
    const graph_slice slice = {{2, 1}, {2, 2}, {-2, 2}};
    const double sliced[] = {10, 12, 2, 4};
    graph *g = graph_start((graph_shape){2, {3, 4}});
    MUST(graph_add_slice(g, "slice", g->input, &slice, &v, err));
    expect_values(g, sliced, 4, CLOSE);
    const uint32_t order[GRAPH_RANK_MAX] = {1, 2, 0};
    const double turned[] = {1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12};
    g = image(2, 3, 2);
    MUST(graph_add_transpose(g, "transpose", g->input, order, &v, err));
    assert_true(graph_shape_equal(g->values[v].shape, graph_shape_image(3, 2, 2)));
    expect_values(g, turned, 12, CLOSE);
    const double plain[] = {1, 2, 3, 4, 5, 6};
    g = image(1, 2, 3);
    MUST(graph_add_reshape(g, "reshape", g->input, graph_shape_vector(6), &v, err));
    expect_values(g, plain, 6, CLOSE);
}

/* A row 1, 2, 3 padded by two before and one behind. */
static void paddings(void **state) {
    (void)state;
    const double expected[3][6] = {{7, 7, 1, 2, 3, 7}, {3, 2, 1, 2, 3, 2}, {1, 1, 1, 2, 3, 3}};
    for (unsigned kind = GRAPH_PAD_CONSTANT; kind <= GRAPH_PAD_EDGE; kind++) {
        const graph_pad pad = {(graph_pad_kind)kind, 7.0F, {0, 2}, {0, 1}};
        uint32_t v;
        graph *g = graph_start((graph_shape){2, {1, 3}});
        MUST(graph_add_pad(g, "pad", g->input, &pad, &v, err));
        expect_values(g, expected[kind], 6, CLOSE);
    }
}

static void gathers(void **state) {
    (void)state;
    const float at[2] = {2, 0};
    const double columns[] = {3, 1, 6, 4};
    const double row[] = {5, 6};
    uint32_t v;
    uint32_t indices;
    graph *g = graph_start((graph_shape){2, {2, 3}});
    MUST(graph_add_constant(g, graph_shape_vector(2), at, &indices, err));
    MUST(graph_add_gather(g, "columns", g->input, indices, 1, &v, err));
    expect_values(g, columns, 4, CLOSE);
    g = graph_start((graph_shape){2, {3, 2}});
    MUST(graph_add_constant(g, (graph_shape){0, {0}}, at, &indices, err));
    MUST(graph_add_gather(g, "row", g->input, indices, 0, &v, err));
    assert_true(graph_shape_equal(g->values[v].shape, graph_shape_vector(2)));
    expect_values(g, row, 2, CLOSE);
}

/* ONNX's examples: images of 2 x 2 and 2 x 4. */
static void resizes(void **state) {
    (void)state;
    const double nearest[] = {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2,
                              3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4};
    const double linear[] = {1,   1.25, 1.75, 2,   1.5, 1.75, 2.25, 2.5,
                             2.5, 2.75, 3.25, 3.5, 3,   3.25, 3.75, 4};
    const double corners[] = {1,       4 / 3.0,  5 / 3.0,  2,       5 / 3.0, 2,
                              7 / 3.0, 8 / 3.0,  7 / 3.0,  8 / 3.0, 3,       10 / 3.0,
                              3,       10 / 3.0, 11 / 3.0, 4};
    const double down[] = {1, 3};
    const double down_linear[] = {8 / 3.0, 13 / 3.0};
    const struct {
        uint32_t width;
        graph_resize resize;
        const double *expected;
        size_t count;
    } cases[] = {
        {2,
         {GRAPH_RESIZE_NEAREST_DOWN, GRAPH_RESIZE_HALF_PIXEL, {1, 2, 3}, {1, 4, 6}},
         nearest,
         24},
        {2, {GRAPH_RESIZE_LINEAR, GRAPH_RESIZE_HALF_PIXEL, {1, 2, 2}, {1, 4, 4}}, linear, 16},
        {2, {GRAPH_RESIZE_LINEAR, GRAPH_RESIZE_ALIGN_CORNERS, {1, 2, 2}, {1, 4, 4}}, corners, 16},
        {4,
         {GRAPH_RESIZE_NEAREST_DOWN, GRAPH_RESIZE_HALF_PIXEL, {1, 0.6F, 0.6F}, {1, 1, 2}},
         down,
         2},
        {4,
         {GRAPH_RESIZE_LINEAR, GRAPH_RESIZE_HALF_PIXEL, {1, 0.6F, 0.6F}, {1, 1, 2}},
         down_linear,
         2},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        uint32_t v;
        graph *g = image(1, 2, cases[k].width);
        MUST(graph_add_resize(g, "resize", g->input, &cases[k].resize, &v, err));
        expect_values(g, cases[k].expected, cases[k].count, 1e-6); /* scales are floats */
    }
}

/* A row 1, 2, 3, 4 shrunk to three by each way to round, at y / 0.75: 0, 4/3, 8/3. */
static void resize_roundings(void **state) {
    (void)state;
    const double expected[4][3] = {{1, 2, 4}, {1, 2, 4}, {1, 2, 3}, {1, 3, 4}};
    for (unsigned mode = GRAPH_RESIZE_NEAREST_DOWN; mode <= GRAPH_RESIZE_NEAREST_CEIL; mode++) {
        const graph_resize resize = {
            (graph_resize_mode)mode, GRAPH_RESIZE_ASYMMETRIC, {1, 1, 0.75F}, {1, 1, 3}};
        uint32_t v;
        graph *g = image(1, 1, 4);
        MUST(graph_add_resize(g, "resize", g->input, &resize, &v, err));
        expect_values(g, expected[mode], 3, CLOSE);
    }
    /* Halves: 1, 2, 3, 4 to two, at 0.5 and 2.5. */
    const double halves[2][2] = {{1, 3}, {2, 4}};
    for (unsigned mode = GRAPH_RESIZE_NEAREST_DOWN; mode <= GRAPH_RESIZE_NEAREST_UP; mode++) {
        const graph_resize resize = {
            (graph_resize_mode)mode, GRAPH_RESIZE_HALF_PIXEL, {1, 1, 0.5F}, {1, 1, 2}};
        uint32_t v;
        graph *g = image(1, 1, 4);
        MUST(graph_add_resize(g, "resize", g->input, &resize, &v, err));
        expect_values(g, halves[mode], 2, CLOSE);
    }
}

/* Of every size to every other: what index * size / made is, and the nearest of its middle. */
static void nearest_elements_are_exact(void **state) {
    (void)state;
    for (uint32_t size = 1; size <= 24; size++)
        for (uint32_t made = 1; made <= 40; made++)
            for (int half = 0; half < 2; half++) {
                const graph_resize r = {
                    half != 0 ? GRAPH_RESIZE_NEAREST_DOWN : GRAPH_RESIZE_NEAREST_FLOOR,
                    half != 0 ? GRAPH_RESIZE_HALF_PIXEL : GRAPH_RESIZE_ASYMMETRIC,
                    {1, 1, (float)made / (float)size},
                    {1, 1, made}};
                double expected[40];
                uint32_t v;
                for (uint32_t i = 0; i < made; i++) {
                    /* Rounded up from what lies half a place below the middle. */
                    const uint32_t down = ((2 * i + 1) * size - 1) / (2 * made);
                    expected[i] = 1.0 + (half != 0 ? down : i * size / made);
                }
                graph *g = image(1, 1, size);
                MUST(graph_add_resize(g, "resize", g->input, &r, &v, err));
                expect_values(g, expected, made, CLOSE);
            }
}

static void bounds_that_cross_give_the_upper_one(void **state) {
    (void)state;
    const double expected[] = {2, 2, 2};
    uint32_t v;
    graph *g = image(1, 1, 3);
    MUST(graph_add_unary(g, "clip", g->input, (graph_unary){GRAPH_CLIP, 5.0F, 2.0F}, &v, err));
    expect_values(g, expected, 3, CLOSE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(nearest_elements_are_exact),
        cmocka_unit_test(bounds_that_cross_give_the_upper_one),
        cmocka_unit_test(transposed_sizes),
        cmocka_unit_test(poolings),
        cmocka_unit_test(rounded_up_windows),
        cmocka_unit_test(matmuls),
        cmocka_unit_test(layer_normalization),
        cmocka_unit_test(instance_normalization),
        cmocka_unit_test(batch_normalization),
        cmocka_unit_test(local_response),
        cmocka_unit_test(softmaxes),
        cmocka_unit_test(softmax_of_large_numbers),
        cmocka_unit_test(functions_of_one),
        cmocka_unit_test(functions_of_two),
        cmocka_unit_test(reductions),
        cmocka_unit_test(joins),
        cmocka_unit_test(moves),
        cmocka_unit_test(paddings),
        cmocka_unit_test(gathers),
        cmocka_unit_test(resizes),
        cmocka_unit_test(resize_roundings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
