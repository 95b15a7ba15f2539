/* Layers on lists between oneDNN's calls, against the reference on the same support: networks
 * drawn at random, of convolutions with every kind of window and of inner products, in both
 * divisions among threads; and against quotients of differences. */
#include "lists.h"

#define NETWORKS 36

/* ---- networks ---- */

/* A window that fits an axis of that size. */
static void draw_axis(base_random *random, uint32_t size, int axis, graph_window *w) {
    w->dilation[axis] = between(random, 1, 2);
    w->kernel[axis] = between(random, 1, 5);
    w->stride[axis] = between(random, 1, 3);
    w->pad[axis] = between(random, 0, 5);
    w->pad_end[axis] = between(random, 0, 3);
    const uint32_t wide = w->dilation[axis] * (w->kernel[axis] - 1) + 1;
    if (wide > size + w->pad[axis] + w->pad_end[axis])
        *w = (graph_window){{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
}

static void keep_to_line(graph_window *w) {
    w->kernel[0] = w->stride[0] = w->dilation[0] = 1;
    w->pad[0] = w->pad_end[0] = 0;
}

static uint32_t add_drawn_conv(graph *g, base_random *random, const char *name, uint32_t v) {
    const graph_shape in = g->values[v].shape;
    graph_conv conv = {.groups = 1, .biased = base_random_below(random, 3) > 0};
    draw_axis(random, graph_shape_height(in), 0, &conv.window);
    draw_axis(random, graph_shape_width(in), 1, &conv.window);
    if (in.rank == 2)
        keep_to_line(&conv.window);
    while (base_random_below(random, 3) == 0 && graph_shape_channels(in) % (2 * conv.groups) == 0)
        conv.groups *= 2;
    const bool whole = base_random_below(random, 4) == 0; /* blocks of channels, several strips */
    const uint32_t filters = whole ? conv.groups * ((24 + conv.groups - 1) / conv.groups)
                                   : conv.groups * between(random, 1, 12);
    uint32_t out;
    assert_int_equal(graph_add_conv(g, name, v, filters, conv, &out, NULL), ADMMNN_OK);
    return out;
}

static uint32_t add_norm(graph *g, const char *name, uint32_t v) {
    assert_int_equal(graph_add_batch_normalization(g, name, v, 1e-2F, 0.1F, &v, NULL), ADMMNN_OK);
    return v;
}

/* Two convolutions, and only then their normalizations. */
static uint32_t add_pair(graph *g, uint32_t v, graph_conv conv) {
    const uint32_t channels = graph_shape_channels(g->values[v].shape);
    uint32_t left;
    uint32_t right;
    assert_int_equal(graph_add_conv(g, "j", v, channels, conv, &left, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_conv(g, "k", v, channels, conv, &right, NULL), ADMMNN_OK);
    left = add_norm(g, "l", left);
    right = add_norm(g, "m", right);
    assert_int_equal(graph_add_binary(g, "o", GRAPH_ADD, left, right, &v, NULL), ADMMNN_OK);
    return v;
}

/* Every second pixel, and channels of zeros beside its own. */
static uint32_t add_narrower(graph *g, uint32_t v, uint32_t channels) {
    const graph_shape in = g->values[v].shape;
    graph_slice slice = {.step = {1, 2, 2}};
    const graph_pad pad = {.kind = GRAPH_PAD_CONSTANT, .begin = {1}, .end = {channels - 1}};
    slice.count[0] = in.dims[0];
    slice.count[1] = (in.dims[1] + 1) / 2;
    slice.count[2] = (in.dims[2] + 1) / 2;
    assert_int_equal(graph_add_slice(g, "slice", v, &slice, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_pad(g, "pad", v, &pad, &v, NULL), ADMMNN_OK);
    return v;
}

/* Blocks as ResNet-20 has them: each adds what it reads, which a rectifier has made; one of them
 * halves the image. */
static uint32_t add_blocks(graph *g, base_random *random, uint32_t v) {
    const uint32_t count = between(random, 1, 3);
    const uint32_t halving = base_random_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t channels = graph_shape_channels(g->values[v].shape);
        const bool halves = i == halving;
        graph_conv conv = {.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, .groups = 1};
        uint32_t skip = v;
        char name[16];
        if (halves && base_random_below(random, 2) == 0)
            skip = add_narrower(g, v, channels);
        conv.window.stride[0] = conv.window.stride[1] = halves ? 2 : 1;
        snprintf(name, sizeof name, "p%u", (unsigned)i);
        assert_int_equal(
            graph_add_conv(g, name, v, halves ? 2 * channels : channels, conv, &v, NULL),
            ADMMNN_OK);
        if (halves && skip == graph_operand(g, &g->nodes[g->node_count - 1], 0))
            skip = add_narrower(g, skip, channels);
        v = add_norm(g, "q", v);
        assert_int_equal(graph_add_relu(g, "v", v, &v, NULL), ADMMNN_OK);
        conv.window.stride[0] = conv.window.stride[1] = 1;
        snprintf(name, sizeof name, "x%u", (unsigned)i);
        assert_int_equal(
            graph_add_conv(g, name, v, graph_shape_channels(g->values[v].shape), conv, &v, NULL),
            ADMMNN_OK);
        v = add_norm(g, "y", v);
        assert_int_equal(graph_add_binary(g, "z", GRAPH_ADD, v, skip, &v, NULL), ADMMNN_OK);
        if (i < 2 || base_random_below(random, 2) == 0)
            assert_int_equal(graph_add_relu(g, "rz", v, &v, NULL), ADMMNN_OK);
    }
    return v;
}

/* Of a normalization with two readers, or two before one sum. */
static uint32_t add_drawn_residue(graph *g, base_random *random, uint32_t v, bool smooth) {
    graph_conv same = {.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, .groups = 1};
    const uint32_t channels = graph_shape_channels(g->values[v].shape);
    uint32_t inner;
    if (g->values[v].shape.rank == 2)
        keep_to_line(&same.window);
    if (base_random_below(random, 3) == 0)
        v = add_pair(g, v, same);
    const uint32_t skip = add_norm(g, "s", v);
    const uint32_t into = base_random_below(random, 2) == 0 ? skip : v;
    assert_int_equal(graph_add_conv(g, "e", into, channels, same, &inner, NULL), ADMMNN_OK);
    inner = add_norm(g, "t", inner);
    if (!smooth)
        assert_int_equal(graph_add_relu(g, "u", inner, &inner, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_conv(g, "f", inner, channels, same, &inner, NULL), ADMMNN_OK);
    inner = add_norm(g, "w", inner);
    assert_int_equal(graph_add_binary(g, "h", GRAPH_ADD, inner, skip, &v, NULL), ADMMNN_OK);
    if (!smooth)
        assert_int_equal(graph_add_relu(g, "i", v, &v, NULL), ADMMNN_OK);
    return v;
}

static graph *draw_network(base_random *random, bool smooth) {
    graph *g;
    const uint32_t kind = base_random_below(random, 8);
    graph_shape image =
        graph_shape_image(between(random, 1, 10), between(random, 3, 17), between(random, 3, 17));
    if (kind == 0) /* so many channels are taken in several strips of rows */
        image = graph_shape_image(between(random, 90, 120), 9, 9);
    else if (kind == 1) /* a line, of so few that oneDNN reads them in a row */
        image = (graph_shape){2, {between(random, 1, 3), between(random, 8, 40)}};
    assert_int_equal(graph_create("drawn", image, &g, NULL), ADMMNN_OK);
    uint32_t v = add_drawn_conv(g, random, "a", g->input);
    if (base_random_below(random, 2) == 0)
        v = add_norm(g, "n", v);
    if (!smooth)
        assert_int_equal(graph_add_relu(g, "r", v, &v, NULL), ADMMNN_OK);
    v = add_drawn_conv(g, random, "b", v);
    if (base_random_below(random, 2) == 0)
        v = add_drawn_residue(g, random, v, smooth);
    if (!smooth && g->values[v].shape.rank == 3)
        v = add_blocks(g, random, v);
    assert_int_equal(graph_add_inner_product(g, "c", v, between(random, 1, 40), true, &v, NULL),
                     ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "d", v, CLASSES, false, &v, NULL), ADMMNN_OK);
    return g;
}

static problem problem_draw(uint64_t number, unsigned threads) {
    base_random random = base_random_at(41, 42, number);
    problem p = {.smooth = number % 3 == 0,
                 .batch = base_random_below(&random, 3) == 0 ? FEW : (size_t)LANES * threads};
    p.g = draw_network(&random, p.smooth);
    draw_support(&p, &random);
    draw_samples(&p, &random);
    return p;
}

static void lists_agree_with_reference(void **state) {
    (void)state;
    for (uint64_t n = 0; n < NETWORKS; n++) {
        const unsigned threads = 1 + (unsigned)(n / 6 % 3);
        base_pool *pool = pool_make(threads);
        problem p = problem_draw(n, threads);
        check_lists(n, &p, n % 2 == 0 ? ENGINE_DIVIDE_SAMPLES : ENGINE_DIVIDE_CALLS, pool);
        problem_free(&p);
        base_pool_destroy(pool);
    }
}

/* The loss in double precision, at params + step * direction. */
static double loss_at(engine *reference, problem *p, const float *direction, float step,
                      float *place) {
    for (size_t i = 0; i < p->count; i++)
        place[i] = p->compact[i] + step * direction[i];
    outcome o = outcome_run(reference, place, p, p->batch);
    const double loss = o.loss;
    outcome_free(&o);
    return loss;
}

/* Places of running statistics have no gradient. */
static void draw_direction(const problem *p, base_random *random, float *direction) {
    uint32_t k = 0;
    for (size_t i = 0; i < p->count; i++) {
        while (p->index[i] >= p->g->parameters[k].offset + p->g->parameters[k].count)
            k++;
        const graph_parameter_kind kind = p->g->parameters[k].kind;
        const bool moves = kind != GRAPH_MEAN && kind != GRAPH_VARIANCE;
        direction[i] = moves ? base_random_uniform(random) - 0.5F : 0.0F;
    }
}

static void check_differences(uint64_t number, problem *p, base_pool *pool) {
    const float step = 1.0F / 1024;
    base_random random = base_random_at(45, 46, number);
    engine *reference = make_engine(p, ENGINE_REFERENCE, ENGINE_DIVIDE_BY_SIZE, 0.0F, pool);
    engine *e = make_engine(p, ENGINE_DNNL, ENGINE_DIVIDE_SAMPLES, 1.0F, pool);
    outcome got = outcome_run(e, p->compact, p, p->batch);
    float *direction = floats(p->count);
    float *place = floats(p->count);
    draw_direction(p, &random, direction);
    const double quotient = (loss_at(reference, p, direction, step, place) -
                             loss_at(reference, p, direction, -step, place)) /
                            (2.0 * (double)step);
    double slope = 0.0;
    double scale = 1e-3;
    for (size_t i = 0; i < p->count; i++) {
        slope += (double)direction[i] * (double)got.gradient[i];
        scale += fabs((double)direction[i] * (double)got.gradient[i]);
    }
    if (!(fabs(slope - quotient) <= 1e-3 * scale))
        fail_msg("network %u: slope %g, differences %g", (unsigned)number, slope, quotient);
    base_free(direction);
    base_free(place);
    outcome_free(&got);
    engine_destroy(e);
    engine_destroy(reference);
}

static void lists_agree_with_differences(void **state) {
    (void)state;
    base_pool *pool = pool_make(2);
    for (uint64_t n = 0; n < NETWORKS; n += 3) {
        problem p = problem_draw(n, 2);
        assert_true(p.smooth);
        check_differences(n, &p, pool);
        problem_free(&p);
    }
    base_pool_destroy(pool);
}

/* From one support to another and to none, as if it had been made so. */
static void supports_follow_one_another(void **state) {
    (void)state;
    base_pool *pool = pool_make(2);
    problem p = problem_draw(7, 2);
    engine *e = make_engine(&p, ENGINE_DNNL, ENGINE_DIVIDE_SAMPLES, 1.0F, pool);
    outcome want = outcome_run(e, p.compact, &p, p.batch);
    assert_true(engine_gains_by_support(e));
    assert_int_equal(engine_set_support(e, p.index, p.count / 2, NULL), ADMMNN_OK);
    assert_int_equal(engine_set_support(e, NULL, 0, NULL), ADMMNN_OK);
    assert_int_equal(engine_parameter_count(e), p.g->flat_count);
    assert_int_equal(engine_set_support(e, p.index, p.count, NULL), ADMMNN_OK);
    outcome got = outcome_run(e, p.compact, &p, p.batch);
    assert_memory_equal(got.gradient, want.gradient, p.count * sizeof *got.gradient);
    outcome_free(&got);
    outcome_free(&want);
    engine_destroy(e);
    problem_free(&p);
    base_pool_destroy(pool);
}

/* Phases of such strides have more places than the image has pixels, and no memory holds them: the
 * layer stays dense. */
static void strides_far_beyond_the_image_stay_dense(void **state) {
    (void)state;
    base_pool *pool = pool_make(1);
    base_random random = base_random_at(71, 72, 73);
    problem p = {.batch = LANES};
    uint32_t v;
    assert_int_equal(graph_create("far", graph_shape_image(256, 1, 1), &p.g, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_conv(p.g, "conv1", p.g->input, 256,
                                    graph_conv_of(graph_window_of(1, 1000, 0)), &v, NULL),
                     ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(p.g, "c", v, CLASSES, true, &v, NULL), ADMMNN_OK);
    draw_support(&p, &random);
    draw_samples(&p, &random);
    p.count = p.count < 400 ? p.count : 400; /* so few that lists would pay */
    for (size_t i = p.count; i > 0 && p.index[i - 1] >= p.g->parameters[0].count; i--)
        p.count--;
    engine *e = make_engine(&p, ENGINE_DNNL, ENGINE_DIVIDE_SAMPLES, 0.0F, pool);
    outcome got = outcome_run(e, p.compact, &p, p.batch);
    outcome_free(&got);
    engine_destroy(e);
    problem_free(&p);
    base_pool_destroy(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_agree_with_reference),
        cmocka_unit_test(lists_agree_with_differences),
        cmocka_unit_test(supports_follow_one_another),
        cmocka_unit_test(strides_far_beyond_the_image_stay_dense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
