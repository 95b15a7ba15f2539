/* Networks that are no chains: what they compute stays, and what can go, goes. */
#include "engine/shrinking.h"
#include "instrumented.h"

/* ---- networks ---- */

static graph *zoo(const char *name, uint32_t side) {
    graph *g;
    add(graph_zoo_create(name, graph_shape_image(3, side, side), 10, &g, NULL));
    return g;
}

static graph *image(uint32_t channels, uint32_t side) {
    graph *g;
    add(graph_create("hand", graph_shape_image(channels, side, side), &g, NULL));
    return g;
}

static uint32_t conv(graph *g, const char *name, uint32_t in, uint32_t filters, uint32_t kernel,
                     uint32_t groups) {
    const graph_conv c = {
        .window = graph_window_of(kernel, 1, kernel / 2), .groups = groups, .biased = true};
    uint32_t v;
    add(graph_add_conv(g, name, in, filters, c, &v, NULL));
    return v;
}

static uint32_t relu(graph *g, const char *name, uint32_t in) {
    uint32_t v;
    add(graph_add_relu(g, name, in, &v, NULL));
    return v;
}

static uint32_t unary(graph *g, const char *name, uint32_t in, graph_unary u) {
    uint32_t v;
    add(graph_add_unary(g, name, in, u, &v, NULL));
    return v;
}

static uint32_t binary(graph *g, const char *name, graph_binary_kind kind, uint32_t a, uint32_t b) {
    uint32_t v;
    add(graph_add_binary(g, name, kind, a, b, &v, NULL));
    return v;
}

static void head(graph *g, uint32_t in) {
    const graph_reduce mean = {GRAPH_REDUCE_MEAN, 1U << 1 | 1U << 2, false};
    uint32_t v;
    add(graph_add_reduce(g, "mean", in, mean, &v, NULL));
    add(graph_add_inner_product(g, "fc", v, 5, true, &v, NULL));
}

/* Two branches and the input itself, joined, normalized, cut in two and added. */
static graph *joined(void) {
    graph *g = image(2, 6);
    uint32_t v;
    const uint32_t first = relu(g, "r1", conv(g, "a", g->input, 5, 3, 1));
    const uint32_t second = relu(g, "r2", conv(g, "b", g->input, 7, 1, 1));
    const uint32_t in[3] = {first, g->input, second};
    add(graph_add_concat(g, "join", in, 3, 0, &v, NULL));
    add(graph_add_batch_normalization(g, "bn", v, 1e-5F, 0.9F, &v, NULL));
    const uint32_t wide = conv(g, "c", relu(g, "r3", v), 8, 3, 1);
    graph_slice low = {{0}, {4, 6, 6}, {1, 1, 1}};
    graph_slice high = {{7}, {4, 6, 6}, {-1, 1, 1}};
    uint32_t a;
    uint32_t b;
    add(graph_add_slice(g, "low", wide, &low, &a, NULL));
    add(graph_add_slice(g, "high", wide, &high, &b, NULL));
    v = binary(g, "product", GRAPH_MUL, a, b);
    add(graph_add_reshape(g, "flat", v, graph_shape_vector(4 * 36), &v, NULL));
    add(graph_add_inner_product(g, "fc", v, 5, true, &v, NULL));
    return g;
}

/* A gate for each channel, of the mean of it; beside it, what is gated. */
static graph *gated(void) {
    const graph_reduce mean = {GRAPH_REDUCE_MEAN, 1U << 1 | 1U << 2, true};
    const graph_unary sigmoid = {.kind = GRAPH_HARD_SIGMOID, .a = 0.2F, .b = 0.5F};
    graph *g = image(2, 6);
    uint32_t v;
    const uint32_t x = relu(g, "r1", conv(g, "a", g->input, 8, 3, 1));
    add(graph_add_reduce(g, "squeeze", x, mean, &v, NULL));
    v = relu(g, "r2", conv(g, "narrow", v, 4, 1, 1));
    v = unary(g, "gate", conv(g, "wide", v, 8, 1, 1), sigmoid);
    v = binary(g, "excite", GRAPH_MUL, x, v);
    v = binary(g, "sum", GRAPH_ADD, v, conv(g, "beside", g->input, 8, 1, 1));
    head(g, conv(g, "b", v, 6, 1, 1));
    return g;
}

/* Groups of three channels and two filters, and of one channel and two filters. */
static graph *grouped(void) {
    graph *g = image(2, 5);
    uint32_t v = relu(g, "r1", conv(g, "a", g->input, 12, 1, 1));
    v = relu(g, "r2", conv(g, "groups", v, 8, 3, 4));
    v = relu(g, "r3", conv(g, "twice", v, 16, 3, 8));
    head(g, conv(g, "b", v, 6, 1, 1));
    return g;
}

/* Everything that keeps channels apart, and some of what does not. */
static graph *assorted(void) {
    graph *g = image(2, 6);
    const graph_pool window = {
        .window = graph_window_of(3, 2, 1), .ceil = true, .counts_padding = true};
    const graph_pad pad = {.kind = GRAPH_PAD_CONSTANT, .value = 0.5F, .begin = {2}, .end = {1}};
    const graph_conv turned = {.window = graph_window_of(2, 2, 0), .groups = 2, .biased = true};
    const graph_lrn lrn = {.size = 3, .alpha = 0.5F, .beta = 0.75F, .bias = 1.0F};
    const graph_resize twice = {
        .mode = GRAPH_RESIZE_LINEAR, .scale = {1, 2, 2}, .size = {11, 12, 12}};
    static const uint32_t order[GRAPH_RANK_MAX] = {1, 0, 2};
    uint32_t v = conv(g, "a", g->input, 8, 3, 1);
    uint32_t slope;
    add(graph_add_parameter(g, "slope", GRAPH_TENSOR, (graph_shape){3, {8, 1, 1}}, &slope, NULL));
    v = binary(g, "prelu", GRAPH_PRELU, v, slope);
    add(graph_add_average_pool(g, "pool", v, window, &v, NULL));
    add(graph_add_transposed_conv(g, "up", v, 8, turned, &v, NULL));
    add(graph_add_instance_normalization(g, "in", v, 1e-3F, &v, NULL));
    v = unary(g, "clip", v, (graph_unary){GRAPH_CLIP, -1.0F, 1.5F});
    v = conv(g, "b", v, 8, 1, 1);
    add(graph_add_pad(g, "pad", v, &pad, &v, NULL));
    v = unary(g, "soft", v, (graph_unary){.kind = GRAPH_SIGMOID});
    graph_resize resize = twice;
    for (uint32_t i = 1; i < 3; i++)
        resize.size[i] = 2 * g->values[v].shape.dims[i];
    add(graph_add_resize(g, "twice", v, &resize, &v, NULL));
    add(graph_add_dropout(g, "drop", v, 0.5F, &v, NULL));
    add(graph_add_transpose(g, "turn", v, order, &v, NULL));
    add(graph_add_transpose(g, "back", v, order, &v, NULL));
    v = conv(g, "c", v, 6, 1, 1);
    add(graph_add_lrn(g, "lrn", v, lrn, &v, NULL));
    head(g, conv(g, "d", v, 5, 1, 1));
    return g;
}

/* ---- masks ---- */

/* A matrix of what each output reads of each input. */
typedef struct matrix {
    const graph_parameter *weight;
    size_t outputs, inputs, taps;
    bool turned; /* a matmul's: inputs are rows */
} matrix;

static matrix matrix_of(const graph *g, const graph_node *node) {
    const graph_parameter *w = &g->parameters[node->weight];
    if (node->op == GRAPH_MATMUL)
        return (matrix){w, w->columns, w->rows, 1, true};
    const graph_window *window = graph_node_window(node);
    const size_t taps = window != NULL ? (size_t)window->kernel[0] * window->kernel[1] : 1;
    return (matrix){w, w->rows, w->columns / taps, taps, false};
}

static void cut(network *n, const matrix *m, size_t output, size_t input) {
    for (size_t t = 0; t < m->taps; t++) {
        const size_t at = m->turned ? input * m->weight->columns + output
                                    : output * m->weight->columns + input * m->taps + t;
        n->mask[m->weight->offset + at] = 0;
        n->params[m->weight->offset + at] = 0.0F;
    }
}

static void cut_output(network *n, const matrix *m, size_t output) {
    for (size_t i = 0; i < m->inputs; i++)
        cut(n, m, output, i);
}

static void cut_input(network *n, const matrix *m, size_t input) {
    for (size_t o = 0; o < m->outputs; o++)
        cut(n, m, o, input);
}

/* What is added to an output: its bias, and the normalization's shift after it. */
static void silence(network *n, uint32_t node, size_t output) {
    const graph *g = n->g;
    if (g->nodes[node].bias != GRAPH_NONE)
        n->params[g->parameters[g->nodes[node].bias].offset + output] = 0.0F;
    if (node + 1 < g->node_count && g->nodes[node + 1].op == GRAPH_BATCH_NORMALIZATION) {
        const graph_normalization *b = &g->nodes[node + 1].normalization;
        n->params[g->parameters[b->shift].offset + output] = 0.0F;
        n->params[g->parameters[b->mean].offset + output] = 0.0F;
    }
    if (node + 1 < g->node_count && g->nodes[node].op == GRAPH_MATMUL &&
        g->nodes[node + 1].op == GRAPH_BINARY) {
        const uint32_t row = g->values[graph_operand(g, &g->nodes[node + 1], 1)].parameter;
        if (row != GRAPH_NONE)
            n->params[g->parameters[row].offset + output] = 0.0F;
    }
}

static network make_dense(graph *g, uint64_t seed) {
    network n = {g, floats(g->flat_count), base_array(g->flat_count, 1)};
    assert_non_null(n.mask);
    memset(n.mask, 1, g->flat_count);
    graph_initialise(g, seed, n.params);
    base_random random = base_random_at(seed, 1, 0);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; i < g->parameters[p].count; i++) {
            float *at = &n.params[g->parameters[p].offset + i];
            if (g->parameters[p].kind == GRAPH_VARIANCE)
                *at = 0.5F + base_random_uniform(&random);
            else if (g->parameters[p].kind != GRAPH_WEIGHT)
                *at += 0.5F * base_random_normal(&random);
        }
    return n;
}

/* A share of outputs and of inputs of each layer cut, half of the outputs without a trace. */
static network make_masked(graph *g, float share, uint64_t seed) {
    network n = make_dense(g, seed);
    base_random random = base_random_at(seed, 2, 0);
    for (uint32_t node = 0; node < g->node_count; node++) {
        if (g->nodes[node].weight == GRAPH_NONE || g->nodes[node].output == g->output)
            continue;
        const matrix m = matrix_of(g, &g->nodes[node]);
        for (size_t o = 0; o < m.outputs; o++) {
            if (base_random_uniform(&random) >= share)
                continue;
            cut_output(&n, &m, o);
            if (base_random_uniform(&random) < 0.5F)
                silence(&n, node, o);
        }
        for (size_t i = 0; i < m.inputs && m.inputs > 1; i++)
            if (base_random_uniform(&random) < share)
                cut_input(&n, &m, i);
    }
    return n;
}

/* ---- what must hold ---- */

static double apart(const float *outputs, size_t each) {
    return distance(outputs, outputs + each, each);
}

/* The network's function stays. The network is dropped; what it shrank to is returned. */
static network expect_same(network n, double *samples_apart) {
    const size_t each = graph_value_count(n.g, n.g->output);
    float *wanted = outputs_of(n.g, n.params);
    *samples_apart = apart(wanted, each);
    remove_dead(&n);
    float *removed = outputs_of(n.g, n.params);
    if (distance(removed, wanted, SAMPLES * each) >= 1e-5)
        fail_msg("%s: %g", n.g->name, distance(removed, wanted, SAMPLES * each));
    expect_shrunk(&n, removed, SAMPLES * each);
    network small = shrink(&n);
    base_free(removed);
    base_free(wanted);
    drop(&n);
    return small;
}

/* Masks of several shares; most of them leave a network that is smaller and knows its
 * input. */
static void expect_masks(graph *(*make)(void), unsigned seeds) {
    static const float shares[] = {0.08F, 0.15F, 0.3F};
    unsigned telling = 0;
    seeds /= instrumented_or(3, 1);
    for (unsigned seed = 0; seed < seeds; seed++) {
        graph *g = make();
        const size_t weights = graph_weight_count(g);
        const uint64_t macs = graph_macs(g);
        double samples_apart;
        network small = expect_same(make_masked(g, shares[seed % 3], seed), &samples_apart);
        telling += samples_apart > 1e-3 && graph_weight_count(small.g) < weights &&
                   graph_macs(small.g) < macs;
        drop(&small);
    }
    assert_true(2 * telling > seeds);
}

static graph *make_resnet(void) {
    return zoo("resnet-20", 12);
}

static graph *make_mobilenet(void) {
    return zoo("mobilenet-v2", 32);
}

static graph *make_transformer(void) {
    return zoo("transformer-small", 8);
}

static void masks_of_a_residual_network(void **state) {
    (void)state;
    expect_masks(make_resnet, 3);
}

static void masks_of_inverted_residuals(void **state) {
    (void)state;
    expect_masks(make_mobilenet, 3);
}

static void masks_of_a_transformer(void **state) {
    (void)state;
    expect_masks(make_transformer, 3);
}

static void masks_of_joined_branches(void **state) {
    (void)state;
    expect_masks(joined, 30);
}

static void masks_of_gates(void **state) {
    (void)state;
    expect_masks(gated, 30);
}

static void masks_of_groups(void **state) {
    (void)state;
    expect_masks(grouped, 30);
}

static void masks_of_assorted_operations(void **state) {
    (void)state;
    expect_masks(assorted, 30);
}

/* ---- by hand ---- */

static uint32_t find(const graph *g, const char *name) {
    const uint32_t node = graph_find_node(g, name);
    assert_true(node != GRAPH_NONE);
    return node;
}

/* An output without a trace. */
static void kill_output(network *n, const char *name, size_t output) {
    const matrix m = matrix_of(n->g, &n->g->nodes[find(n->g, name)]);
    cut_output(n, &m, output);
    silence(n, find(n->g, name), output);
}

static void kill_input(network *n, const char *name, size_t input) {
    const matrix m = matrix_of(n->g, &n->g->nodes[find(n->g, name)]);
    cut_input(n, &m, input);
}

static void expect_size(const graph *g, const char *name, size_t outputs, size_t inputs) {
    const matrix m = matrix_of(g, &g->nodes[find(g, name)]);
    assert_int_equal(m.outputs, outputs);
    assert_int_equal(m.inputs, inputs);
}

static network expect_small(network n) {
    double samples_apart;
    network small = expect_same(n, &samples_apart);
    assert_true(samples_apart > 1e-3);
    return small;
}

/* Channel 5 of the first stage is channel 13 of the second and 29 of the third. */
static void a_channel_of_sums_goes_when_it_is_dead_in_all_terms(void **state) {
    (void)state;
    static const char *const terms[] = {
        "conv1",          "block1.1.conv2", "block1.2.conv2", "block1.3.conv2", "block2.1.conv2",
        "block2.2.conv2", "block2.3.conv2", "block3.1.conv2", "block3.2.conv2", "block3.3.conv2"};
    static const unsigned all = sizeof terms / sizeof terms[0];
    for (unsigned kept = 1; kept <= all; kept += 3) { /* this term is not dead; 10: all are */
        network n = make_dense(make_resnet(), kept);
        for (unsigned i = 0; i < all; i++)
            if (i != kept)
                kill_output(&n, terms[i], i < 4 ? 5 : i < 7 ? 13 : 29);
        network small = expect_small(n);
        const size_t gone = kept == all;
        expect_size(small.g, "conv1", 16 - gone, 3);
        expect_size(small.g, "block1.2.conv1", 16, 16 - gone);
        expect_size(small.g, "block1.2.conv2", 16 - gone, 16);
        expect_size(small.g, "block2.1.conv1", 32, 16 - gone);
        expect_size(small.g, "block3.3.conv2", 64 - gone, 64);
        expect_size(small.g, "fc", 10, 64 - gone);
        drop(&small);
    }
}

static void filters_within_a_block_go(void **state) {
    (void)state;
    network n = make_dense(make_resnet(), 1);
    kill_output(&n, "block2.2.conv1", 3);
    kill_input(&n, "block2.2.conv2", 30);
    network small = expect_small(n);
    expect_size(small.g, "block2.2.conv1", 30, 32);
    expect_size(small.g, "block2.2.conv2", 32, 30);
    drop(&small);
}

/* Channels 5 to 6 of the join are the input's, 7 to 13 those of b. */
static void channels_of_a_join_keep_their_places(void **state) {
    (void)state;
    network n = make_dense(joined(), 2);
    kill_input(&n, "c", 9); /* channel 2 of b */
    kill_input(&n, "c", 1); /* channel 1 of a */
    kill_input(&n, "c", 5); /* the input's first, which stays */
    for (size_t i = 0; i < 36; i++)
        kill_input(&n, "fc", 2 * 36 + i); /* channels 2 and 5 of c */
    network small = expect_small(n);
    expect_size(small.g, "a", 4, 2);
    expect_size(small.g, "b", 6, 2);
    expect_size(small.g, "c", 6, 12);
    expect_size(small.g, "fc", 5, 3 * 36);
    drop(&small);
}

static void a_gated_channel_goes_with_its_gate(void **state) {
    (void)state;
    for (int squeezed = 0; squeezed < 2; squeezed++) {
        network n = make_dense(gated(), 3);
        kill_input(&n, "b", 3);
        if (squeezed == 0)
            kill_input(&n, "narrow", 3);
        network small = expect_small(n);
        const size_t left = squeezed == 0 ? 7 : 8;
        expect_size(small.g, "a", left, 2);
        expect_size(small.g, "narrow", 4, left);
        expect_size(small.g, "wide", left, 4);
        expect_size(small.g, "beside", left, 2);
        expect_size(small.g, "b", 6, left);
        drop(&small);
    }
}

/* The zero that a closed gate makes is read by no one. */
static void what_a_closed_gate_lets_through_goes(void **state) {
    (void)state;
    network n = make_dense(gated(), 4);
    const graph_parameter *bias = &n.g->parameters[n.g->nodes[find(n.g, "wide")].bias];
    kill_output(&n, "wide", 2);
    n.params[bias->offset + 2] = -4.0F; /* 0.2 * -4 + 0.5 < 0 */
    kill_output(&n, "beside", 2);
    kill_input(&n, "narrow", 2);
    network small = expect_small(n);
    expect_size(small.g, "a", 7, 2);
    expect_size(small.g, "wide", 7, 4);
    drop(&small);
}

static void groups_go_whole_or_stay_even(void **state) {
    (void)state;
    network n = make_dense(grouped(), 5);
    kill_output(&n, "groups", 2); /* the second group */
    kill_output(&n, "groups", 3);
    kill_output(&n, "groups", 7); /* half of the fourth */
    network small = expect_small(n);
    assert_int_equal(small.g->nodes[find(small.g, "groups")].conv.groups, 3);
    expect_size(small.g, "a", 9, 2);
    expect_size(small.g, "groups", 6, 3);
    assert_int_equal(small.g->nodes[find(small.g, "twice")].conv.groups, 6);
    expect_size(small.g, "twice", 12, 1);
    drop(&small);
    n = make_dense(grouped(), 6);
    for (size_t group = 0; group < 4; group++) { /* another channel of each group */
        const uint32_t node = find(n.g, "groups");
        const matrix m = matrix_of(n.g, &n.g->nodes[node]);
        for (size_t filter = 0; filter < 2; filter++)
            cut(&n, &m, 2 * group + filter, group % 3);
    }
    small = expect_small(n);
    expect_size(small.g, "a", 8, 2);
    expect_size(small.g, "groups", 8, 2);
    drop(&small);
}

static void heads_and_hidden_units_go(void **state) {
    (void)state;
    network n = make_dense(make_transformer(), 7);
    for (size_t i = 64; i < 96; i++)
        kill_output(&n, "block1.value", i);   /* the third head */
    for (size_t head = 0; head < 4; head++) { /* the same places of all heads */
        kill_output(&n, "block2.query", 32 * head + 5);
        kill_output(&n, "block2.key", 32 * head + 9);
    }
    kill_output(&n, "block3.key", 40); /* of one: stays */
    kill_input(&n, "block4.narrow", 100);
    kill_output(&n, "block5.output", 3); /* what is normalized stays */
    network small = expect_small(n);
    expect_size(small.g, "block1.query", 96, 128);
    expect_size(small.g, "block1.value", 96, 128);
    expect_size(small.g, "block1.output", 128, 96);
    expect_size(small.g, "block2.query", 120, 128);
    expect_size(small.g, "block2.key", 120, 128);
    expect_size(small.g, "block2.value", 128, 128);
    expect_size(small.g, "block3.key", 128, 128);
    expect_size(small.g, "block4.hidden", 511, 128);
    expect_size(small.g, "block4.narrow", 128, 511);
    expect_size(small.g, "block5.output", 128, 128);
    drop(&small);
}

/* One channel is left of the layer, and nothing of what it made. */
static void a_layer_that_dies_leaves_one_channel(void **state) {
    (void)state;
    network n = make_dense(grouped(), 8);
    for (size_t filter = 0; filter < 8; filter++)
        kill_output(&n, "groups", filter);
    double samples_apart;
    network small = expect_same(n, &samples_apart);
    assert_true(samples_apart == 0.0);
    expect_size(small.g, "a", 1, 2);
    expect_size(small.g, "groups", 1, 1);
    expect_size(small.g, "fc", 5, 1);
    drop(&small);
}

/* a, a function that makes something of zero, b. */
static graph *constant_chain(uint32_t kernel, graph_unary_kind kind, bool normalized) {
    graph *g = image(2, 7);
    const graph_conv second = {
        .window = graph_window_of(kernel, 1, kernel / 2), .groups = 1, .biased = !normalized};
    uint32_t v = conv(g, "a", g->input, 4, 3, 1);
    v = unary(g, "f", v, (graph_unary){kind, 0.3F, 0.8F});
    add(graph_add_conv(g, "b", v, 3, second, &v, NULL));
    if (normalized)
        add(graph_add_batch_normalization(g, "bn", v, 1e-5F, 0.9F, &v, NULL));
    return g;
}

static void a_constant_goes_where_no_border_tells(void **state) {
    (void)state;
    static const graph_unary_kind kinds[] = {GRAPH_SIGMOID, GRAPH_HARD_SIGMOID, GRAPH_EXP,
                                             GRAPH_SOFTPLUS, GRAPH_GELU};
    for (unsigned k = 0; k < 5; k++)
        for (uint32_t kernel = 1; kernel <= 3; kernel += 2)
            for (int normalized = 0; normalized < 2; normalized++) {
                network n = make_dense(constant_chain(kernel, kinds[k], normalized != 0), k);
                const graph_parameter *bias = &n.g->parameters[n.g->nodes[0].bias];
                kill_output(&n, "a", 1);
                n.params[bias->offset + 1] = 0.25F;
                network small = expect_small(n);
                expect_size(small.g, "a", kernel == 1 ? 3 : 4, 2);
                expect_size(small.g, "b", 3, kernel == 1 ? 3 : 4);
                drop(&small);
            }
}

/* Beyond the border is zero; the pixels within do not see it. */
static void borders_may_be_given_up(void **state) {
    (void)state;
    enum { SIDE = 7 };
    network n = make_dense(constant_chain(3, GRAPH_SIGMOID, false), 9);
    kill_output(&n, "a", 1);
    float *wanted = outputs_of(n.g, n.params);
    add(shrink_remove_dead(n.g, SHRINK_BORDERS, n.mask, n.params, NULL));
    float *removed = outputs_of(n.g, n.params);
    bool differs = false;
    for (size_t i = 0; i < SAMPLES * 3 * SIDE * SIDE; i++) {
        const size_t x = i % SIDE;
        const size_t y = i / SIDE % SIDE;
        const bool within = x > 0 && y > 0 && x < SIDE - 1 && y < SIDE - 1;
        const bool same = fabsf(wanted[i] - removed[i]) < 1e-5F;
        assert_true(same || !within);
        differs |= !same;
    }
    assert_true(differs);
    expect_shrunk(&n, removed, SAMPLES * 3 * SIDE * SIDE);
    network small = shrink(&n);
    expect_size(small.g, "a", 3, 2);
    drop(&small);
    base_free(wanted);
    base_free(removed);
    drop(&n);
}

/* Neither a bias nor a normalization takes the constant, or another reads what would. */
static void a_constant_without_a_place_stays(void **state) {
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        graph *g = image(2, 5);
        const graph_conv bare = {.window = graph_window_of(1, 1, 0), .groups = 1};
        uint32_t v = conv(g, "a", g->input, 4, 1, 1);
        uint32_t before;
        v = unary(g, "f", v, (graph_unary){.kind = GRAPH_SIGMOID});
        add(graph_add_conv(g, "b", v, 3, bare, &before, NULL));
        v = before;
        if (shared != 0) {
            add(graph_add_batch_normalization(g, "bn", before, 1e-5F, 0.9F, &v, NULL));
            v = binary(g, "sum", GRAPH_ADD, v, before);
        }
        network n = make_dense(g, 10);
        kill_output(&n, "a", 1);
        network small = expect_small(n);
        expect_size(small.g, "a", 4, 2);
        drop(&small);
    }
}

/* A number that an average sees beside counted zeros is not the same everywhere. */
static void a_constant_meets_padding_in_an_average(void **state) {
    (void)state;
    for (int counted = 0; counted < 2; counted++) {
        graph *g = image(2, 6);
        const graph_pool pool = {.window = graph_window_of(3, 2, 1),
                                 .counts_padding = counted != 0};
        uint32_t v = conv(g, "a", g->input, 4, 3, 1);
        add(graph_add_average_pool(g, "pool", v, pool, &v, NULL));
        head(g, conv(g, "b", v, 3, 1, 1));
        network n = make_dense(g, 12);
        const size_t bias = n.g->parameters[n.g->nodes[0].bias].offset;
        kill_output(&n, "a", 1);
        n.params[bias + 1] = 0.5F;
        network small = expect_small(n);
        expect_size(small.g, "a", counted != 0 ? 4 : 3, 2);
        drop(&small);
    }
}

static uint32_t linear(graph *g, const char *name, uint32_t in, uint32_t outputs, uint32_t bias) {
    const graph_shape shape = g->values[in].shape;
    char own[GRAPH_NAME_MAX];
    uint32_t weight;
    uint32_t v;
    snprintf(own, sizeof own, "%s.weight", name);
    add(graph_add_parameter(g, own, GRAPH_WEIGHT,
                            (graph_shape){2, {shape.dims[shape.rank - 1], outputs}}, &weight,
                            NULL));
    add(graph_add_matmul(g, name, in, weight, &v, NULL));
    snprintf(own, sizeof own, "%s.add", name);
    return binary(g, own, GRAPH_ADD, v, bias);
}

static uint32_t bias_row(graph *g, const char *name, uint32_t count) {
    uint32_t v;
    add(graph_add_parameter(g, name, GRAPH_BIAS, graph_shape_vector(count), &v, NULL));
    return v;
}

/* The mean and the variance count an element that is zero. */
static void normalized_elements_stay(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    add(graph_create("hand", (graph_shape){2, {3, 4}}, &g, NULL));
    v = linear(g, "a", g->input, 6, bias_row(g, "a.bias", 6));
    add(graph_add_layer_normalization(g, "norm", v, 1, 1e-5F, &v, NULL));
    v = linear(g, "b", v, 5, bias_row(g, "b.bias", 5));
    network n = make_dense(g, 13);
    kill_output(&n, "a", 2);
    kill_input(&n, "b", 2);
    network small = expect_small(n);
    expect_size(small.g, "a", 6, 4);
    expect_size(small.g, "b", 5, 6);
    drop(&small);
}

/* Of biases that two layers add, neither takes a constant. */
static void a_constant_spares_biases_of_others(void **state) {
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        graph *g;
        add(graph_create("hand", (graph_shape){2, {3, 4}}, &g, NULL));
        const uint32_t first = bias_row(g, "first", 5);
        const uint32_t second = shared != 0 ? first : bias_row(g, "second", 5);
        uint32_t v = linear(g, "a", g->input, 6, bias_row(g, "a.bias", 6));
        v = unary(g, "f", v, (graph_unary){.kind = GRAPH_SIGMOID});
        const uint32_t one = linear(g, "b", v, 5, first);
        binary(g, "sum", GRAPH_ADD, one, linear(g, "c", g->input, 5, second));
        network n = make_dense(g, 14);
        kill_output(&n, "a", 2);
        network small = expect_small(n);
        expect_size(small.g, "a", shared != 0 ? 6 : 5, 4);
        drop(&small);
    }
}

/* Outputs of a transposed convolution see another part of the kernel each. */
static void a_constant_stays_before_a_transposed_convolution(void **state) {
    (void)state;
    graph *g = image(2, 4);
    const graph_conv turned = {.window = graph_window_of(2, 2, 0), .groups = 1, .biased = true};
    uint32_t v = conv(g, "a", g->input, 4, 1, 1);
    add(graph_add_transposed_conv(g, "up", v, 3, turned, &v, NULL));
    network n = make_dense(g, 18);
    kill_output(&n, "a", 1);
    n.params[n.g->parameters[n.g->nodes[0].bias].offset + 1] = 0.5F;
    kill_output(&n, "a", 2); /* a zero goes */
    network small = expect_small(n);
    expect_size(small.g, "a", 3, 2);
    expect_size(small.g, "up", 3, 3);
    drop(&small);
}

/* a of four filters, the third of them dead, what `add_between` makes of it, and b; the layer
 * of that name does not read it. */
static network between(uint32_t (*add_between)(graph *g, uint32_t in), const char *name) {
    graph *g = image(2, 5);
    const uint32_t v = add_between(g, conv(g, "a", g->input, 4, 1, 1));
    conv(g, "b", v, 3, 1, 1);
    network n = make_dense(g, 19);
    kill_output(&n, "a", 2);
    if (name != NULL)
        kill_input(&n, name, 2);
    return n;
}

static uint32_t add_softmax(graph *g, uint32_t in) {
    uint32_t v;
    add(graph_add_softmax(g, "softmax", in, 0, &v, NULL));
    return v;
}

static uint32_t add_mean(graph *g, uint32_t in) {
    uint32_t v;
    add(graph_add_reduce(g, "mean", in, (graph_reduce){GRAPH_REDUCE_MEAN, 1, true}, &v, NULL));
    return v;
}

static uint32_t add_every_second(graph *g, uint32_t in) {
    const graph_slice slice = {{0}, {2, 5, 5}, {2, 1, 1}};
    uint32_t v;
    add(graph_add_slice(g, "slice", in, &slice, &v, NULL));
    return v;
}

/* What counts all channels, or every second, keeps the others too. */
static void an_axis_that_is_worked_along_stays(void **state) {
    (void)state;
    const network networks[] = {between(add_softmax, "b"), between(add_mean, NULL),
                                between(add_every_second, NULL)};
    for (unsigned i = 0; i < 3; i++) {
        network small = expect_small(networks[i]);
        expect_size(small.g, "a", 4, 2);
        drop(&small);
    }
}

static uint32_t add_slopes(graph *g, uint32_t in) {
    uint32_t slope;
    add(graph_add_parameter(g, "slope", GRAPH_TENSOR, (graph_shape){3, {4, 1, 1}}, &slope, NULL));
    return binary(g, "prelu", GRAPH_PRELU, in, slope);
}

static void a_constant_takes_its_slope(void **state) {
    (void)state;
    network n = between(add_slopes, NULL);
    n.params[n.g->parameters[n.g->nodes[0].bias].offset + 2] = -2.0F;
    network small = expect_small(n);
    expect_size(small.g, "a", 3, 2);
    drop(&small);
}

static uint32_t divided(graph *g, uint32_t in) {
    uint32_t divisor;
    add(graph_add_parameter(g, "by", GRAPH_TENSOR, (graph_shape){3, {4, 1, 1}}, &divisor, NULL));
    return binary(g, "quotient", GRAPH_DIV, in, divisor);
}

static uint32_t divided_by_constants(graph *g, uint32_t in) {
    static const float by[] = {1.5F, 2.0F, 0.5F, 4.0F};
    uint32_t divisor;
    add(graph_add_constant(g, (graph_shape){3, {4, 1, 1}}, by, &divisor, NULL));
    return binary(g, "quotient", GRAPH_DIV, in, divisor);
}

static uint32_t above_zero(graph *g, uint32_t in) {
    return unary(g, "exp", in, (graph_unary){.kind = GRAPH_EXP});
}

static uint32_t power_of(graph *g, uint32_t in) {
    uint32_t exponent;
    add(graph_add_parameter(g, "to", GRAPH_TENSOR, (graph_shape){3, {4, 1, 1}}, &exponent, NULL));
    return binary(g, "power", GRAPH_POW, above_zero(g, in), exponent);
}

static uint32_t inverse(graph *g, uint32_t in) {
    const graph_conv one = {.window = graph_window_of(1, 1, 0), .groups = 4};
    uint32_t v;
    add(graph_add_conv(g, "scaled", above_zero(g, in), 4, one, &v, NULL));
    return unary(g, "inverse", v, (graph_unary){GRAPH_POWER, -1.0F, 0.0F});
}

/* What no one reads would be zeros, and a quotient of them no number. */
static void what_divides_stays(void **state) {
    (void)state;
    uint32_t (*const added[])(graph *, uint32_t) = {divided, power_of, inverse};
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        network n = between(added[i], "b");
        kill_input(&n, "b", 1);
        network small = expect_small(n);
        expect_size(small.g, "a", 4, 2);
        drop(&small);
    }
    network n = between(divided_by_constants, "b");
    kill_input(&n, "b", 1);
    network small = expect_small(n);
    expect_size(small.g, "a", 2, 2);
    drop(&small);
}

static uint32_t add_map(graph *g, uint32_t in) {
    return binary(g, "mapped", GRAPH_MUL, in, conv(g, "map", g->input, 1, 3, 1));
}

/* One channel for all of them outlives the first. */
static void what_is_repeated_over_channels_stays(void **state) {
    (void)state;
    network n = between(add_map, "b");
    kill_input(&n, "b", 0);
    network small = expect_small(n);
    expect_size(small.g, "a", 2, 2);
    expect_size(small.g, "map", 1, 2);
    drop(&small);
}

/* New channels of a shortcut go where what is added to them is dead, those of its input do
 * not. */
static void padding_of_a_shortcut_goes(void **state) {
    (void)state;
    graph *g = image(2, 5);
    const graph_pad pad = {.kind = GRAPH_PAD_CONSTANT, .begin = {2}, .end = {3}};
    uint32_t v;
    add(graph_add_pad(g, "pad", conv(g, "a", g->input, 4, 1, 1), &pad, &v, NULL));
    v = binary(g, "sum", GRAPH_ADD, v, conv(g, "c", g->input, 9, 1, 1));
    conv(g, "b", v, 3, 3, 1);
    network n = make_dense(g, 20);
    static const size_t dead[] = {0, 3, 7, 8};
    for (unsigned i = 0; i < 4; i++)
        kill_output(&n, "c", dead[i]);
    network small = expect_small(n);
    expect_size(small.g, "a", 4, 2);
    expect_size(small.g, "c", 6, 2);
    expect_size(small.g, "b", 3, 6);
    drop(&small);
}

/* Rows of a number make a number only where the number is zero. */
static void a_product_with_constant_columns_varies(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    add(graph_create("hand", (graph_shape){2, {3, 4}}, &g, NULL));
    const uint32_t left = linear(g, "a", g->input, 3, bias_row(g, "a.bias", 3));
    const uint32_t right = linear(g, "b", g->input, 6, bias_row(g, "b.bias", 6));
    add(graph_add_matmul(g, "product", left, right, &v, NULL));
    linear(g, "c", v, 5, bias_row(g, "c.bias", 5));
    network n = make_dense(g, 15);
    const matrix m = matrix_of(n.g, &n.g->nodes[find(n.g, "b")]);
    cut_output(&n, &m, 2);
    kill_output(&n, "b", 4);
    network small = expect_small(n);
    expect_size(small.g, "b", 5, 4);
    expect_size(small.g, "c", 5, 5);
    drop(&small);
}

/* A product's term that is 0 only as long as a bias is what it is stays, and so does the bias. */
static void a_term_that_a_bias_makes_zero_stays(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    const uint32_t order[GRAPH_RANK_MAX] = {1, 0};
    const graph_unary gate = {GRAPH_HARD_SIGMOID, 0.2F, 0.5F};
    add(graph_create("hand", (graph_shape){2, {3, 4}}, &g, NULL));
    uint32_t left = linear(g, "a", g->input, 2, bias_row(g, "a.bias", 2));
    uint32_t right = linear(g, "b", g->input, 2, bias_row(g, "b.bias", 2));
    add(graph_add_unary(g, "left", left, gate, &left, NULL));
    add(graph_add_unary(g, "right", right, gate, &right, NULL));
    add(graph_add_transpose(g, "turned", right, order, &right, NULL));
    add(graph_add_matmul(g, "product", left, right, &v, NULL));
    linear(g, "c", v, 5, bias_row(g, "c.bias", 5));
    network n = make_dense(g, 21);
    const matrix m = matrix_of(n.g, &n.g->nodes[find(n.g, "b")]);
    const uint32_t row = graph_operand(n.g, &n.g->nodes[find(n.g, "b") + 1], 1);
    cut_output(&n, &m, 1);
    n.params[n.g->parameters[n.g->values[row].parameter].offset + 1] = -5.0F;
    network small = expect_small(n);
    expect_size(small.g, "a", 2, 4);
    drop(&small);
}

/* Beside padding of another number, in other axes, a channel is not one number. */
static void a_constant_is_padded_by_another(void **state) {
    (void)state;
    for (int same = 0; same < 2; same++) {
        graph *g = image(2, 5);
        const graph_pad pad = {
            .kind = GRAPH_PAD_CONSTANT, .value = 0.5F, .begin = {0, 1, 0}, .end = {0, 0, 1}};
        uint32_t v = conv(g, "a", g->input, 4, 1, 1);
        add(graph_add_pad(g, "pad", v, &pad, &v, NULL));
        conv(g, "b", v, 3, 1, 1);
        network n = make_dense(g, 16);
        kill_output(&n, "a", 1);
        n.params[n.g->parameters[n.g->nodes[0].bias].offset + 1] = same != 0 ? 0.5F : 0.25F;
        network small = expect_small(n);
        expect_size(small.g, "a", same != 0 ? 3 : 4, 2);
        drop(&small);
    }
}

/* Weights that another matmul reads too are not taken from it. */
static void shared_weights_stay(void **state) {
    (void)state;
    graph *g;
    uint32_t weight;
    uint32_t one;
    uint32_t two;
    add(graph_create("hand", (graph_shape){2, {3, 4}}, &g, NULL));
    const uint32_t first = linear(g, "a", g->input, 6, bias_row(g, "a.bias", 6));
    const uint32_t second = linear(g, "b", g->input, 6, bias_row(g, "b.bias", 6));
    add(graph_add_parameter(g, "shared", GRAPH_WEIGHT, (graph_shape){2, {6, 5}}, &weight, NULL));
    add(graph_add_matmul(g, "c", first, weight, &one, NULL));
    add(graph_add_matmul(g, "d", second, weight, &two, NULL));
    binary(g, "sum", GRAPH_ADD, one, two);
    network n = make_dense(g, 17);
    kill_output(&n, "a", 2);
    network small = expect_small(n);
    expect_size(small.g, "a", 6, 4);
    expect_size(small.g, "b", 6, 4);
    drop(&small);
}

/* Neighbours count in local response normalization: what it reads stays, and what reads a
 * zero of it does not. */
static void normalized_neighbours_stay(void **state) {
    (void)state;
    network n = make_dense(assorted(), 11);
    kill_output(&n, "c", 2);
    network small = expect_small(n);
    expect_size(small.g, "c", 6, 8); /* the padding went into the biases */
    expect_size(small.g, "d", 5, 6);
    drop(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_of_sums_goes_when_it_is_dead_in_all_terms),
        cmocka_unit_test(filters_within_a_block_go),
        cmocka_unit_test(channels_of_a_join_keep_their_places),
        cmocka_unit_test(a_gated_channel_goes_with_its_gate),
        cmocka_unit_test(what_a_closed_gate_lets_through_goes),
        cmocka_unit_test(groups_go_whole_or_stay_even),
        cmocka_unit_test(heads_and_hidden_units_go),
        cmocka_unit_test(a_layer_that_dies_leaves_one_channel),
        cmocka_unit_test(a_constant_goes_where_no_border_tells),
        cmocka_unit_test(borders_may_be_given_up),
        cmocka_unit_test(a_constant_without_a_place_stays),
        cmocka_unit_test(normalized_neighbours_stay),
        cmocka_unit_test(a_product_with_constant_columns_varies),
        cmocka_unit_test(a_term_that_a_bias_makes_zero_stays),
        cmocka_unit_test(a_constant_is_padded_by_another),
        cmocka_unit_test(shared_weights_stay),
        cmocka_unit_test(padding_of_a_shortcut_goes),
        cmocka_unit_test(an_axis_that_is_worked_along_stays),
        cmocka_unit_test(a_constant_takes_its_slope),
        cmocka_unit_test(what_is_repeated_over_channels_stays),
        cmocka_unit_test(what_divides_stays),
        cmocka_unit_test(a_constant_stays_before_a_transposed_convolution),
        cmocka_unit_test(a_constant_meets_padding_in_an_average),
        cmocka_unit_test(normalized_elements_stay),
        cmocka_unit_test(a_constant_spares_biases_of_others),
        cmocka_unit_test(masks_of_joined_branches),
        cmocka_unit_test(masks_of_gates),
        cmocka_unit_test(masks_of_groups),
        cmocka_unit_test(masks_of_assorted_operations),
        cmocka_unit_test(masks_of_a_residual_network),
        cmocka_unit_test(masks_of_inverted_residuals),
        cmocka_unit_test(masks_of_a_transformer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
