/* Blocks of networks as users have them, dense and on supports, against the reference: sums whose
 * parts come in every order, and what reads a normalization that is no convolution. */
#include "instrumented.h"
#include "lists.h"

#define DENSE_BOUND 1e-4

static uint32_t conv(graph *g, const char *name, uint32_t v, uint32_t filters, uint32_t kernel) {
    const graph_conv c = {.window = graph_window_of(kernel, 1, kernel / 2), .groups = 1};
    assert_int_equal(graph_add_conv(g, name, v, filters, c, &v, NULL), ADMMNN_OK);
    return v;
}

static uint32_t norm(graph *g, const char *name, uint32_t v) {
    assert_int_equal(graph_add_batch_normalization(g, name, v, 1e-2F, 0.1F, &v, NULL), ADMMNN_OK);
    return v;
}

static uint32_t relu(graph *g, const char *name, uint32_t v) {
    assert_int_equal(graph_add_relu(g, name, v, &v, NULL), ADMMNN_OK);
    return v;
}

static uint32_t binary(graph *g, const char *name, graph_binary_kind kind, uint32_t left,
                       uint32_t right) {
    uint32_t v;
    assert_int_equal(graph_add_binary(g, name, kind, left, right, &v, NULL), ADMMNN_OK);
    return v;
}

static uint32_t add(graph *g, const char *name, uint32_t left, uint32_t right) {
    return binary(g, name, GRAPH_ADD, left, right);
}

/* ---- blocks: each reads a rectified normalization ---- */

/* RepVGG: the normalization of the input comes first and is added last. */
static uint32_t identity_first(graph *g, uint32_t v) {
    const uint32_t identity = norm(g, "identity", v);
    const uint32_t three = norm(g, "norm3", conv(g, "conv3", v, 9, 3));
    const uint32_t one = norm(g, "norm1", conv(g, "conv1", v, 9, 1));
    return relu(g, "out", add(g, "last", add(g, "first", three, one), identity));
}

/* A projection first, and a body of other numbers of channels that ends without normalization. */
static uint32_t projection_first(graph *g, uint32_t v) {
    const uint32_t beside = norm(g, "norms", conv(g, "convs", v, 40, 1));
    uint32_t body = relu(g, "relu1", norm(g, "norm1", conv(g, "conv1", v, 5, 1)));
    body = norm(g, "norm2", conv(g, "conv2", body, 3, 3));
    body = conv(g, "conv3", relu(g, "relu2", body), 40, 1);
    return relu(g, "out", add(g, "sum", body, beside));
}

/* The input has three readers, and its gradient parts that are one and the same. */
static uint32_t three_ways(graph *g, uint32_t v) {
    const uint32_t a = norm(g, "norma", conv(g, "conva", v, 9, 3));
    const uint32_t b = norm(g, "normb", conv(g, "convb", v, 9, 1));
    return relu(g, "out", add(g, "last", add(g, "first", a, v), b));
}

/* The gradient by the output is the other part of that by the input. */
static uint32_t one_convolution(graph *g, uint32_t v) {
    const uint32_t a = norm(g, "norma", conv(g, "conva", v, 9, 3));
    v = relu(g, "outa", add(g, "suma", a, v));
    const uint32_t b = norm(g, "normb", conv(g, "convb", v, 9, 3));
    return relu(g, "outb", add(g, "sumb", v, b));
}

/* A shortcut that has to be made when the body is. */
static uint32_t projection_last(graph *g, uint32_t v) {
    uint32_t body = relu(g, "relu1", norm(g, "norm1", conv(g, "conv1", v, 9, 3)));
    body = norm(g, "norm2", conv(g, "conv2", body, 12, 3));
    const uint32_t beside = conv(g, "convs", v, 12, 1);
    return relu(g, "out", add(g, "sum", body, beside));
}

/* Strips: rows of an image are in one place and the other at once. */
static uint32_t many_channels(graph *g, uint32_t v) {
    v = relu(g, "relu0", norm(g, "norm0", conv(g, "conv0", v, 56, 1)));
    uint32_t body = relu(g, "relu1", norm(g, "norm1", conv(g, "conv1", v, 56, 3)));
    body = norm(g, "norm2", conv(g, "conv2", body, 56, 3));
    v = relu(g, "out1", add(g, "sum1", body, v));
    body = relu(g, "relu3", norm(g, "norm3", conv(g, "conv3", v, 56, 3)));
    body = norm(g, "norm4", conv(g, "conv4", body, 56, 3));
    return relu(g, "out2", add(g, "sum2", body, v));
}

/* What knows nothing of lanes reads them too. */
static uint32_t other_readers(graph *g, uint32_t v) {
    uint32_t pooled;
    uint32_t both[2] = {v, 0};
    const graph_pool window = graph_pool_of(graph_window_of(3, 1, 1));
    const graph_unary clip = {.kind = GRAPH_CLIP, .a = 0.0F, .b = 6.0F};
    const graph_unary sigmoid = {.kind = GRAPH_SIGMOID};
    assert_int_equal(graph_add_maxpool(g, "pool", v, window, &pooled, NULL), ADMMNN_OK);
    uint32_t a = norm(g, "norma", conv(g, "conva", v, 9, 3));
    assert_int_equal(graph_add_unary(g, "clip", a, clip, &a, NULL), ADMMNN_OK);
    uint32_t gate = norm(g, "normg", conv(g, "convg", a, 9, 1));
    assert_int_equal(graph_add_unary(g, "sigmoid", gate, sigmoid, &gate, NULL), ADMMNN_OK);
    a = norm(g, "normc", conv(g, "convc", binary(g, "gated", GRAPH_MUL, a, gate), 9, 3));
    both[1] = add(g, "sum", a, pooled);
    assert_int_equal(graph_add_concat(g, "both", both, 2, 0, &v, NULL), ADMMNN_OK);
    return v;
}

/* Nothing is rectified between, and values are added to themselves. */
static uint32_t linear(graph *g, uint32_t v) {
    const uint32_t a = norm(g, "norma", conv(g, "conva", v, 9, 3));
    const uint32_t twice = add(g, "twice", a, a);
    const uint32_t b = norm(g, "normb", conv(g, "convb", twice, 9, 3));
    return add(g, "sum", b, twice);
}

/* Sums of sums, of which a normalization makes the first alone. */
static uint32_t long_shortcut(graph *g, uint32_t v) {
    const uint32_t a = relu(g, "relua", norm(g, "norma", conv(g, "conva", v, 9, 3)));
    const uint32_t b = norm(g, "normb", conv(g, "convb", a, 9, 3));
    return relu(g, "out", add(g, "long", add(g, "short", b, a), v));
}

/* Of stride 2, and yet an image of the same size: its rows come sooner than those of stride 1. */
static uint32_t wide_border(graph *g, uint32_t v) {
    const graph_conv c = {.window = {{3, 3}, {2, 2}, {6, 4}, {6, 4}, {1, 1}}, .groups = 1};
    uint32_t a = norm(g, "norma", conv(g, "conva", v, 48, 1));
    assert_int_equal(graph_add_conv(g, "convb", a, 48, c, &a, NULL), ADMMNN_OK);
    return relu(g, "out", norm(g, "normb", a));
}

/* A value whose gradient has three parts, of which two are one tensor. */
static uint32_t thrice(graph *g, uint32_t v) {
    const uint32_t y = conv(g, "conv1", v, 9, 3);
    return add(g, "last", add(g, "first", y, y), y);
}

/* A gradient that goes to a value with two parts already, and to another yet. */
static uint32_t shared_gradient(graph *g, uint32_t v) {
    const uint32_t y = conv(g, "conv1", v, 9, 3);
    const uint32_t early = add(g, "early", conv(g, "conv2", v, 9, 1), y);
    const uint32_t beside = conv(g, "conv3", y, 9, 3);
    return add(g, "out", beside, add(g, "late", early, y));
}

static uint32_t shared_difference(graph *g, uint32_t v) {
    const uint32_t a = conv(g, "conv1", v, 9, 3);
    const uint32_t early = binary(g, "early", GRAPH_SUB, conv(g, "conv2", v, 9, 1), a);
    const uint32_t beside = conv(g, "conv3", a, 9, 3);
    return add(g, "out", beside, add(g, "late", early, a));
}

static uint32_t shared_product(graph *g, uint32_t v) {
    const uint32_t a = conv(g, "conv1", v, 9, 3);
    const uint32_t early = binary(g, "early", GRAPH_MUL, a, conv(g, "conv2", v, 9, 1));
    const uint32_t beside = conv(g, "conv3", a, 9, 3);
    return add(g, "out", beside, add(g, "late", early, a));
}

static uint32_t (*const blocks[])(graph *, uint32_t) = {
    identity_first,    projection_first, three_ways,    one_convolution,
    projection_last,   many_channels,    other_readers, linear,
    long_shortcut,     wide_border,      thrice,        shared_gradient,
    shared_difference, shared_product};

#define BLOCKS (sizeof blocks / sizeof *blocks)

/* A convolution that reads the block's output stands behind it. */
static graph *network_of(uint32_t (*block)(graph *, uint32_t)) {
    graph *g;
    assert_int_equal(graph_create("block", graph_shape_image(3, 11, 7), &g, NULL), ADMMNN_OK);
    uint32_t v = relu(g, "before", norm(g, "normi", conv(g, "convi", g->input, 9, 3)));
    v = block(g, v);
    v = relu(g, "behind", norm(g, "normo", conv(g, "convo", v, 4, 3)));
    assert_int_equal(graph_add_inner_product(g, "c", v, CLASSES, true, &v, NULL), ADMMNN_OK);
    return g;
}

static problem problem_of(size_t number, unsigned threads) {
    base_random random = base_random_at(61, 62, number);
    problem p = {.g = network_of(blocks[number]), .batch = (size_t)LANES * threads};
    draw_support(&p, &random);
    draw_samples(&p, &random);
    return p;
}

static void lists_agree_with_reference(void **state) {
    (void)state;
    for (unsigned threads = instrumented_or(2, 1); threads <= 2; threads++) {
        base_pool *pool = pool_make(threads);
        for (size_t n = 0; n < BLOCKS; n++) {
            problem p = problem_of(n, threads);
            check_lists(n, &p, ENGINE_DIVIDE_SAMPLES, pool);
            problem_free(&p);
        }
        base_pool_destroy(pool);
    }
}

/* Of all weights. */
static outcome dense_outcome(problem *p, engine_backend_id backend, base_pool *pool) {
    engine *e = make_engine(p, backend, ENGINE_DIVIDE_SAMPLES, 0.0F, pool);
    assert_int_equal(engine_set_support(e, NULL, 0, NULL), ADMMNN_OK);
    problem dense = *p;
    dense.count = p->g->flat_count;
    const outcome o = outcome_run(e, p->params, &dense, p->batch);
    engine_destroy(e);
    return o;
}

static void dense_steps_agree_with_reference(void **state) {
    (void)state;
    base_pool *pool = pool_make(2);
    for (size_t n = 0; n < BLOCKS; n++) {
        problem p = problem_of(n, 2);
        outcome want = dense_outcome(&p, ENGINE_REFERENCE, pool);
        outcome got = dense_outcome(&p, ENGINE_DNNL, pool);
        const double logits = distance(got.logits, want.logits, p.batch * CLASSES);
        const double gradient = distance(got.gradient, want.gradient, p.g->flat_count);
        if (!(logits <= DENSE_BOUND) || !(gradient <= DENSE_BOUND))
            fail_msg("block %zu: logits differ by %g, gradient by %g", n, logits, gradient);
        outcome_free(&want);
        outcome_free(&got);
        problem_free(&p);
    }
    base_pool_destroy(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_agree_with_reference),
        cmocka_unit_test(dense_steps_agree_with_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
