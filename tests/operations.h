/* Every operation, in the shapes and with the attributes that it may have, and graphs drawn at
 * random, whose values share memory. The test that includes this says in expect_model what is
 * expected of each. */
#ifndef TESTS_OPERATIONS_H
#define TESTS_OPERATIONS_H

#include "pack/support.h"

/* The model becomes expect_model's. */
static void expect_model(pack_model *packed);

static const filling usual = {ADMM_LEVELS_EQUAL, 4, 0.5};

/* g becomes the test's. */
static void expect_graph(graph *g, uint64_t seed) {
    expect_model(random_model(g, usual, seed));
}

/* What a test does to a graph before any of its operations is there. */
#ifndef BEGIN_GRAPH
#define BEGIN_GRAPH(g) ((void)(g))
#endif

static graph *begin(graph_shape input) {
    graph *g;
    MUST(graph_create("one", input, &g, err));
    BEGIN_GRAPH(g);
    return g;
}

static graph *image(uint32_t channels, uint32_t height, uint32_t width) {
    return begin(graph_shape_image(channels, height, width));
}

/* The input above zero, for what is defined there. */
static uint32_t above_zero(graph *g) {
    uint32_t v;
    MUST(graph_add_unary(g, "softplus", g->input, (graph_unary){.kind = GRAPH_SOFTPLUS}, &v, err));
    return v;
}

/* ---- layers ---- */

static void expect_conv(graph *g, graph_conv conv, uint32_t filters) {
    uint32_t v;
    MUST(graph_add_conv(g, "conv1", g->input, filters, conv, &v, err));
    expect_graph(g, filters);
}

/* Rows of every length about a vector's, and of several. */
static void convolutions_of_every_size(void **state) {
    (void)state;
    for (uint32_t width = 1; width <= 42; width++)
        expect_conv(image(3, 1 + width % 11, width + 2),
                    graph_conv_of((graph_window){{1, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}), 5);
    for (uint32_t height = 1; height <= 20; height++)
        for (uint32_t width = 2; width <= 16; width += 7)
            expect_conv(image(2, height + 1, width), graph_conv_of(graph_window_of(2, 1, 0)), 6);
    for (uint32_t width = 110; width <= 240; width += 13) /* several tiles across */
        expect_conv(image(2, 4, width), graph_conv_of(graph_window_of(3, 1, 1)), 5);
    for (uint32_t height = 26; height <= 61; height += 5) /* and down, of narrow rows */
        for (uint32_t width = 6; width <= 8; width++)
            expect_conv(image(2, height, width), graph_conv_of(graph_window_of(3, 1, 1)), 5);
}

static void convolutions_of_every_geometry(void **state) {
    (void)state;
    const graph_window windows[] = {
        {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},  {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
        {{3, 2}, {1, 3}, {0, 2}, {2, 0}, {1, 1}},  {{2, 3}, {2, 1}, {1, 0}, {0, 4}, {2, 2}},
        {{1, 5}, {1, 2}, {0, 3}, {0, 3}, {1, 3}},  {{1, 1}, {2, 4}, {0, 0}, {0, 0}, {1, 1}},
        {{12, 13}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        for (uint32_t groups = 1; groups <= 4; groups *= 2) {
            graph_conv conv = graph_conv_of(windows[i]);
            conv.groups = groups;
            conv.biased = groups != 2;
            expect_conv(image(4, 12, 13), conv, 8);
        }
    expect_conv(begin((graph_shape){2, {4, 21}}), /* one row */
                graph_conv_of((graph_window){{1, 3}, {1, 1}, {0, 1}, {0, 1}, {1, 1}}), 6);
    expect_conv(begin(graph_shape_vector(9)), graph_conv_of(graph_window_of(1, 1, 0)), 7);
}

/* One axis of a window, and an input that it fits in: its length. */
static uint32_t draw_axis(base_random *random, graph_window *w, size_t axis) {
    w->kernel[axis] = 1 + (uint32_t)base_random_below(random, 5);
    w->stride[axis] = 1 + (uint32_t)base_random_below(random, 3);
    w->dilation[axis] = 1 + (uint32_t)base_random_below(random, 3);
    w->pad[axis] = (uint32_t)base_random_below(random, 4);
    w->pad_end[axis] = (uint32_t)base_random_below(random, 4);
    const uint32_t reach = w->dilation[axis] * (w->kernel[axis] - 1) + 1;
    const uint32_t padded = w->pad[axis] + w->pad_end[axis];
    const uint32_t least = reach > padded ? reach - padded : 1;
    return least + (uint32_t)base_random_below(random, 24);
}

static void convolutions_drawn_at_random(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) {
        base_random random = base_random_at(seed, 6, 6);
        graph_conv conv = graph_conv_of(graph_window_of(1, 1, 0));
        const uint32_t height = draw_axis(&random, &conv.window, 0);
        const uint32_t width = draw_axis(&random, &conv.window, 1);
        conv.groups = 1U << base_random_below(&random, 3);
        conv.biased = base_random_below(&random, 2) == 0;
        const uint32_t channels = conv.groups * (1 + (uint32_t)base_random_below(&random, 5));
        const uint32_t filters = conv.groups * (1 + (uint32_t)base_random_below(&random, 6));
        expect_conv(image(channels, height, width), conv, filters);
    }
}

/* More than the first cache holds at once: rows are cut into parts by channels. */
static void convolutions_of_many_channels(void **state) {
    (void)state;
    for (uint32_t width = 3; width <= 37; width += 17) {
        graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
        expect_conv(image(150, 9, width), conv, 4);
        conv.groups = 2;
        expect_conv(image(300, 5, width), conv, 6);
    }
    graph_conv strided = graph_conv_of(graph_window_of(3, 2, 0));
    expect_conv(image(200, 19, 19), strided, 5);
    expect_conv(image(200, 15, 15), strided, 5);
    expect_conv(image(300, 7, 7), graph_conv_of(graph_window_of(3, 1, 1)), 6);
}

/* More places than 16 bits tell. */
static void places_beyond_sixteen_bits(void **state) {
    (void)state;
    expect_conv(image(9, 90, 100), graph_conv_of(graph_window_of(3, 1, 1)), 2);
    graph *g = begin(graph_shape_vector(70000));
    uint32_t v;
    MUST(graph_add_inner_product(g, "fc1", g->input, 3, true, &v, err));
    expect_graph(g, 1);
}

/* As levels and as floats. g becomes the test's. */
static void expect_shared(graph *g, size_t rows, size_t columns, size_t apart, size_t next) {
    graph *other;
    MUST(graph_clone(g, &other, err));
    pack_model *levels = random_model(g, usual, rows);
    pack_model *floats = random_model(other, usual, rows);
    share_places(&levels->tensors[0], rows, columns, apart, next);
    share_places(&floats->tensors[0], rows, columns, apart, next);
    make_floats(&floats->tensors[0], rows * columns);
    expect_model(levels);
    expect_model(floats);
}

static void expect_shared_conv(graph *g, uint32_t channels, graph_conv conv, uint32_t filters) {
    const size_t columns =
        (size_t)channels / conv.groups * conv.window.kernel[0] * conv.window.kernel[1];
    uint32_t v;
    MUST(graph_add_conv(g, "conv1", g->input, filters, conv, &v, err));
    MUST(graph_add_batch_normalization(g, "bn", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    expect_shared(g, filters, columns, columns, 1);
}

/* Filters that share places, of one part and of several, in whole fours and not, of groups that
 * fours make up and that they do not; wide places; a matmul's columns. */
static void layers_that_share_places(void **state) {
    (void)state;
    const graph_window far = {{2, 30}, {1, 1}, {0, 0}, {0, 0}, {70, 1}};
    graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
    for (uint32_t width = 1; width <= 43; width += 6)
        expect_shared_conv(image(3, 7, width), 3, conv, 8);
    expect_shared_conv(image(4, 9, 9), 4, conv, 39);
    expect_shared_conv(image(80, 3, 20), 80, conv, 39);
    expect_shared_conv(image(2, 74, 61), 2, graph_conv_of(far), 4);
    conv.groups = 2;
    expect_shared_conv(image(12, 14, 33), 12, conv, 16);
    expect_shared_conv(image(12, 14, 33), 12, conv, 12);
    graph *g = begin((graph_shape){2, {17, 40}});
    uint32_t weight;
    uint32_t v;
    MUST(graph_add_parameter(g, "w", GRAPH_WEIGHT, (graph_shape){2, {40, 12}}, &weight, err));
    MUST(graph_add_matmul(g, "m", g->input, weight, &v, err));
    expect_shared(g, 12, 40, 1, 12);
}

static void transposed_convolutions(void **state) {
    (void)state;
    const graph_conv convs[] = {{graph_window_of(2, 2, 0), 1, true, {0, 0}},
                                {graph_window_of(3, 2, 1), 2, true, {1, 1}},
                                {{{3, 2}, {1, 3}, {2, 0}, {1, 1}, {1, 2}}, 4, false, {0, 1}}};
    for (size_t i = 0; i < sizeof convs / sizeof convs[0]; i++) {
        graph *g = image(4, 5, 6);
        uint32_t v;
        MUST(graph_add_transposed_conv(g, "t", g->input, 8, convs[i], &v, err));
        MUST(graph_add_batch_normalization(g, "bn", v, GRAPH_EPSILON, GRAPH_MOMENTUM, &v, err));
        MUST(graph_add_relu(g, "relu", v, &v, err));
        expect_graph(g, i);
    }
}

/* [tokens][12] by weights, sums and a rectifier behind them. */
static void expect_linear(graph_shape left, bool added) {
    graph *g = begin(left);
    uint32_t weight;
    uint32_t bias;
    uint32_t v;
    MUST(graph_add_parameter(g, "w", GRAPH_WEIGHT, (graph_shape){2, {12, 9}}, &weight, err));
    MUST(graph_add_matmul(g, "m", g->input, weight, &v, err));
    MUST(graph_add_parameter(g, "b", GRAPH_BIAS, graph_shape_vector(9), &bias, err));
    if (added)
        MUST(graph_add_binary(g, "add", GRAPH_ADD, v, bias, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    expect_graph(g, left.rank);
}

static void matmuls(void **state) {
    (void)state;
    for (uint32_t tokens = 1; tokens <= 40; tokens += tokens < 9 ? 1 : 7) {
        expect_linear((graph_shape){2, {tokens, 12}}, tokens % 2 == 0);
        expect_linear((graph_shape){3, {2, tokens, 12}}, true);
    }
    expect_linear(graph_shape_vector(12), true);
    /* Weights on the left, weights of two, stacks by each other, two of the input. */
    graph *g = begin((graph_shape){3, {2, 6, 6}});
    uint32_t weight;
    uint32_t other;
    uint32_t v;
    uint32_t w;
    MUST(graph_add_parameter(g, "w", GRAPH_WEIGHT, (graph_shape){2, {6, 6}}, &weight, err));
    MUST(graph_add_parameter(g, "x", GRAPH_WEIGHT, (graph_shape){2, {6, 6}}, &other, err));
    MUST(graph_add_matmul(g, "left", weight, g->input, &v, err));
    MUST(graph_add_matmul(g, "first", v, other, &w, err));
    MUST(graph_add_matmul(g, "second", g->input, other, &v, err));
    MUST(graph_add_matmul(g, "both", v, w, &v, err));
    expect_graph(g, 3);
}

static void inner_products(void **state) {
    (void)state;
    const double densities[] = {0.02, 0.3, 1.0};
    for (size_t i = 0; i < 3; i++)
        for (uint32_t inputs = 1; inputs < 200; inputs += 39) {
            const filling f = {ADMM_LEVELS_EQUAL_ZERO, 4, densities[i]};
            expect_model(random_model(one_product(inputs, 17), f, inputs));
        }
}

/* ---- windows ---- */

static void poolings(void **state) {
    (void)state;
    const graph_pool pools[] = {graph_pool_of(graph_window_of(2, 2, 0)),
                                graph_pool_of(graph_window_of(3, 2, 1)),
                                {{{3, 2}, {2, 3}, {1, 0}, {0, 1}, {1, 1}}, true, true},
                                {{{2, 2}, {1, 2}, {1, 1}, {1, 1}, {2, 3}}, true, false},
                                {graph_window_of(3, 3, 0), true, false}};
    for (uint32_t width = 4; width <= 44; width++)
        for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
            graph *g = image(2, 4 + width % 3, width);
            uint32_t v;
            if (width % 2 == 0)
                MUST(graph_add_maxpool(g, "p", g->input, pools[i], &v, err));
            else
                MUST(graph_add_average_pool(g, "p", g->input, pools[i], &v, err));
            expect_graph(g, width);
        }
}

/* ---- elements ---- */

static void functions_of_one_number(void **state) {
    (void)state;
    for (uint32_t kind = 0; kind < GRAPH_UNARY_COUNT; kind++) {
        const graph_unary unary = {(graph_unary_kind)kind, kind == GRAPH_CLIP ? -0.5F : 0.3F, 0.4F};
        const bool above = kind == GRAPH_SQRT || kind == GRAPH_POWER;
        graph *g = image(2, 5, 7);
        uint32_t v = above ? above_zero(g) : g->input;
        MUST(graph_add_unary(g, "u", v, unary, &v, err));
        expect_graph(g, kind);
    }
}

static void functions_of_two_numbers(void **state) {
    (void)state;
    const graph_shape shapes[] = {{3, {2, 5, 7}}, {3, {2, 1, 1}}, {1, {7}}, {0, {0}}, {2, {5, 1}}};
    for (uint32_t kind = 0; kind < GRAPH_BINARY_COUNT; kind++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            graph *g = image(2, 5, 7);
            uint32_t tensor;
            uint32_t v = kind == GRAPH_POW ? above_zero(g) : g->input;
            MUST(graph_add_parameter(g, "z", GRAPH_TENSOR, shapes[i], &tensor, err));
            MUST(graph_add_binary(g, "b", (graph_binary_kind)kind, v, tensor, &v, err));
            if (kind != GRAPH_PRELU &&
                kind != GRAPH_POW) /* its other operand may be broadcast too */
                MUST(graph_add_binary(g, "c", (graph_binary_kind)kind, tensor, v, &v, err));
            expect_graph(g, kind);
        }
}

static void normalizations(void **state) {
    (void)state;
    const graph_lrn lrns[] = {{5, 0.1F, 0.75F, 1.0F}, {2, 0.5F, 0.5F, 2.0F}, {9, 1.0F, 1.0F, 1.0F}};
    uint32_t v;
    for (uint32_t axis = 0; axis < 3; axis++) {
        graph *g = image(6, 3, 4);
        MUST(graph_add_layer_normalization(g, "n", g->input, axis, 0.01F, &v, err));
        MUST(graph_add_lrn(g, "lrn", v, lrns[axis], &v, err));
        expect_graph(g, axis);
        g = image(6, 3, 4);
        MUST(graph_add_batch_normalization(g, "bn", g->input, 0.01F, 0.5F, &v, err));
        MUST(graph_add_softmax(g, "s", v, axis, &v, err));
        expect_graph(g, axis);
        g = image(6, 3, 4);
        MUST(graph_add_instance_normalization(g, "in", g->input, 0.01F, &v, err));
        MUST(graph_add_log_softmax(g, "s", v, axis, &v, err));
        expect_graph(g, axis);
    }
}

/* ---- axes and moves ---- */

static void reductions(void **state) {
    (void)state;
    for (uint32_t axes = 0; axes < 8; axes++)
        for (unsigned k = 0; k < 4; k++) {
            graph *g = image(3, 4, 5);
            uint32_t v;
            MUST(graph_add_reduce(g, "r", g->input,
                                  (graph_reduce){(graph_reduction)(k / 2), axes, k % 2 == 1}, &v,
                                  err));
            expect_graph(g, axes);
        }
}

static void moves(void **state) {
    (void)state;
    static const uint32_t orders[][GRAPH_RANK_MAX] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0},
                                                      {2, 0, 1}, {2, 1, 0}, {0, 1, 2}};
    const graph_slice slices[] = {{{2, 3, 4}, {3, 2, 5}, {-1, -2, -1}},
                                  {{0, 1, 0}, {1, 3, 3}, {1, 1, 2}}};
    const float picked[] = {2, 0, 2, 1};
    for (uint32_t i = 0; i < 6; i++) {
        const graph_pad pad = {(graph_pad_kind)(i % 3), 0.5F, {i % 2, 2, 1}, {1, 0, 3}};
        graph *g = image(3, 4, 5);
        uint32_t indices;
        uint32_t v;
        uint32_t joined[3];
        MUST(graph_add_transpose(g, "t", g->input, orders[i], &v, err));
        expect_graph(g, i);
        g = image(3, 4, 5);
        MUST(graph_add_slice(g, "s", g->input, &slices[i % 2], &joined[0], err));
        MUST(graph_add_pad(g, "p", g->input, &pad, &v, err));
        MUST(graph_add_slice(g, "again", g->input, &slices[i % 2], &joined[1], err));
        joined[2] = joined[0];
        MUST(graph_add_concat(g, "c", joined, 3, i % 3, &joined[1], err));
        MUST(graph_add_constant(g, (graph_shape){2, {2, 2}}, picked, &indices, err));
        MUST(graph_add_gather(g, "g", g->input, indices, i % 3, &joined[0], err));
        for (int k = 0; k < 2; k++)
            MUST(graph_add_reshape(g, k == 0 ? "flat0" : "flat1", joined[k],
                                   graph_shape_vector((uint32_t)graph_value_count(g, joined[k])),
                                   &joined[k], err));
        MUST(graph_add_reshape(g, "flat", v, graph_shape_vector((uint32_t)graph_value_count(g, v)),
                               &joined[2], err));
        MUST(graph_add_concat(g, "all", joined, 3, 0, &v, err));
        expect_graph(g, i);
    }
}

static void resizes(void **state) {
    (void)state;
    for (unsigned mode = 0; mode <= GRAPH_RESIZE_LINEAR; mode++)
        for (unsigned place = 0; place <= GRAPH_RESIZE_ASYMMETRIC; place++) {
            const graph_resize resize = {
                (graph_resize_mode)mode, (graph_resize_place)place, {1.0F, 2.5F, 0.6F}, {2, 10, 3}};
            graph *g = image(2, 4, 5);
            uint32_t v;
            MUST(graph_add_resize(g, "r", g->input, &resize, &v, err));
            expect_graph(g, mode);
        }
}

/* ---- values that share memory ---- */

#define DRAWN_NODES 14

static void add_drawn(graph *g, base_random *random, uint32_t *values, uint32_t *count) {
    char name[GRAPH_NAME_MAX];
    const uint32_t x = values[base_random_below(random, *count)];
    const uint32_t z = values[base_random_below(random, *count)];
    const graph_shape shape = {3, {4, 3, 5}};
    uint32_t v = 0;
    snprintf(name, sizeof name, "n%u", *count);
    switch (base_random_below(random, 12)) {
    case 0:
        MUST(graph_add_relu(g, name, x, &v, err));
        break;
    case 1:
        MUST(graph_add_unary(g, name, x, (graph_unary){GRAPH_CLIP, -1.0F, 1.0F}, &v, err));
        break;
    case 2:
        MUST(graph_add_conv(g, name, x, 4, graph_conv_of(graph_window_of(3, 1, 1)), &v, err));
        break;
    case 3:
        MUST(graph_add_batch_normalization(g, name, x, GRAPH_EPSILON, 0.9F, &v, err));
        break;
    case 4:
        MUST(graph_add_reshape(g, name, x, shape, &v, err));
        break;
    case 5:
        MUST(graph_add_dropout(g, name, x, 0.5F, &v, err));
        break;
    case 6:
        MUST(graph_add_conv(g, name, x, 4, graph_conv_of(graph_window_of(1, 1, 0)), &v, err));
        break;
    case 7:
        MUST(graph_add_maxpool(g, name, x, graph_pool_of(graph_window_of(3, 1, 1)), &v, err));
        break;
    case 8:
        MUST(graph_add_average_pool(g, name, x, graph_pool_of(graph_window_of(3, 1, 1)), &v, err));
        break;
    default:
        MUST(graph_add_binary(g, name, GRAPH_ADD, x, z, &v, err));
    }
    values[(*count)++] = v;
}

static void graphs_drawn_at_random(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        base_random random = base_random_at(seed, 5, 5);
        graph *g = image(4, 3, 5);
        uint32_t values[DRAWN_NODES + 1] = {g->input};
        uint32_t count = 1;
        while (count <= DRAWN_NODES)
            add_drawn(g, &random, values, &count);
        g->output = values[1 + base_random_below(&random, DRAWN_NODES)];
        expect_graph(g, seed);
    }
}

/* What does not depend on the input, and outputs that are views of it. */
static void outputs_of_all_kinds(void **state) {
    (void)state;
    const float numbers[] = {1.5F, -2.0F, 0.25F};
    graph *g = image(1, 2, 3);
    uint32_t constant;
    uint32_t v;
    MUST(graph_add_reshape(g, "r", g->input, graph_shape_vector(6), &v, err));
    expect_graph(g, 1);
    g = image(1, 2, 3);
    MUST(graph_add_constant(g, graph_shape_vector(3), numbers, &constant, err));
    MUST(graph_add_reshape(g, "r", constant, (graph_shape){2, {3, 1}}, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    expect_graph(g, 1);
    g = image(1, 2, 3);
    MUST(graph_add_dropout(g, "d", g->input, 0.5F, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    MUST(graph_add_binary(g, "add", GRAPH_SUB, v, g->input, &v, err));
    expect_graph(g, 1);
}

static const struct CMUnitTest operations_tests[] = {
    cmocka_unit_test(convolutions_of_every_size),
    cmocka_unit_test(convolutions_of_every_geometry),
    cmocka_unit_test(convolutions_drawn_at_random),
    cmocka_unit_test(convolutions_of_many_channels),
    cmocka_unit_test(places_beyond_sixteen_bits),
    cmocka_unit_test(layers_that_share_places),
    cmocka_unit_test(transposed_convolutions),
    cmocka_unit_test(matmuls),
    cmocka_unit_test(inner_products),
    cmocka_unit_test(poolings),
    cmocka_unit_test(functions_of_one_number),
    cmocka_unit_test(functions_of_two_numbers),
    cmocka_unit_test(normalizations),
    cmocka_unit_test(reductions),
    cmocka_unit_test(moves),
    cmocka_unit_test(resizes),
    cmocka_unit_test(graphs_drawn_at_random),
    cmocka_unit_test(outputs_of_all_kinds),
};

#endif
