/* Removing dead structure: the network computes what it computed, and exactly
 * the units on a path from input to output stay. */
#include "engine/shrinking.h"

/* LeNet-5's shape in small; with padding, windows that see the border. */
static graph *small_lenet(bool padded) {
    uint32_t pad = padded ? 1 : 0;
    graph_window conv = {{3, 3}, {1, 1}, {pad, pad}, {pad, pad}, {1, 1}};
    graph_window pool = {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    graph *g;
    uint32_t v;
    add(graph_create("small", graph_shape_image(2, 14, 14), &g, NULL));
    v = g->input;
    add(graph_add_conv(g, "conv1", v, 6, graph_conv_of(conv), &v, NULL));
    add(graph_add_relu(g, "relu1", v, &v, NULL));
    add(graph_add_maxpool(g, "pool1", v, graph_pool_of(pool), &v, NULL));
    add(graph_add_conv(g, "conv2", v, 8, graph_conv_of(conv), &v, NULL));
    add(graph_add_maxpool(g, "pool2", v, graph_pool_of(pool), &v, NULL));
    add(graph_add_inner_product(g, "fc1", v, 20, true, &v, NULL));
    add(graph_add_relu(g, "relu2", v, &v, NULL));
    add(graph_add_inner_product(g, "fc2", v, 12, true, &v, NULL));
    add(graph_add_relu(g, "relu3", v, &v, NULL));
    add(graph_add_inner_product(g, "fc3", v, 5, true, &v, NULL));
    return g;
}

/* Normalizations before and after rectifiers, pooling and dropouts. */
static graph *small_normalized(void) {
    graph_window conv = {{3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    graph_window pool = {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    graph *g;
    uint32_t v;
    add(graph_create("normalized", graph_shape_image(2, 10, 10), &g, NULL));
    v = g->input;
    add(graph_add_dropout(g, "dropout1", v, 0.2F, &v, NULL));
    add(graph_add_conv(g, "conv1", v, 6, graph_conv_of(conv), &v, NULL));
    add(graph_add_batch_normalization(g, "bn1", v, 1e-3F, 0.9F, &v, NULL));
    add(graph_add_relu(g, "relu1", v, &v, NULL));
    add(graph_add_maxpool(g, "pool1", v, graph_pool_of(pool), &v, NULL));
    add(graph_add_inner_product(g, "fc1", v, 20, true, &v, NULL));
    add(graph_add_relu(g, "relu2", v, &v, NULL));
    add(graph_add_batch_normalization(g, "bn2", v, 1e-5F, 0.9F, &v, NULL));
    add(graph_add_dropout(g, "dropout2", v, 0.5F, &v, NULL));
    add(graph_add_inner_product(g, "fc2", v, 5, true, &v, NULL));
    add(graph_add_batch_normalization(g, "bn3", v, 1e-5F, 0.9F, &v, NULL));
    return g;
}

static graph *zoo(const char *name) {
    graph *g;
    add(graph_zoo_create(name, graph_shape_image(1, 28, 28), 10, &g, NULL));
    return g;
}

/* About `each` weights a unit, biases of either sign; zero where pruned. */
static network make_sparse(graph *g, double each, uint64_t seed) {
    network n = {g, floats(g->flat_count), base_array(g->flat_count, 1)};
    assert_non_null(n.mask);
    base_random random = base_random_at(seed, 0, 0);
    memset(n.mask, 1, g->flat_count);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *from = &g->parameters[p];
        float share = (float)(each / from->columns);
        for (size_t i = from->offset; i < from->offset + from->count; i++) {
            if (from->kind == GRAPH_WEIGHT)
                n.mask[i] = base_random_uniform(&random) < share;
            n.params[i] = n.mask[i] != 0 ? base_random_normal(&random) : 0.0F;
            if (from->kind == GRAPH_VARIANCE)
                n.params[i] = 0.5F + base_random_uniform(&random);
        }
    }
    return n;
}

/* ---- the reference: what varies with the input, what the output needs ---- */

typedef struct flags {
    bool *of[64]; /* per value, per channel */
} flags;

static flags make_flags(const graph *g, uint32_t all) {
    flags f = {{0}};
    assert_true(g->value_count <= 64);
    for (uint32_t v = 0; v < g->value_count; v++) {
        f.of[v] = base_array(graph_shape_channels(g->values[v].shape), sizeof(bool));
        assert_non_null(f.of[v]);
    }
    memset(f.of[all], 1, graph_shape_channels(g->values[all].shape) * sizeof(bool));
    return f;
}

static void free_flags(const graph *g, flags *f) {
    for (uint32_t v = 0; v < g->value_count; v++)
        base_free(f->of[v]);
}

/* In these chains the nodes after n, up to the next with weights, read it. */
static bool read_with_padding(const graph *g, uint32_t n) {
    bool padded = false;
    while (++n < g->node_count) {
        const graph_window *w = graph_node_window(&g->nodes[n]);
        padded |= w != NULL && w->pad[0] > 0;
        if (g->nodes[n].weight != GRAPH_NONE)
            return padded;
    }
    return false;
}

/* f(row, channel, flat place) of every weight in the mask. */
static void spread(const graph *g, uint32_t n, const uint8_t *mask, bool *rows, bool *channels,
                   bool forward) {
    const graph_parameter *w = &g->parameters[g->nodes[n].weight];
    size_t block = w->columns / graph_shape_channels(graph_operand_shape(g, &g->nodes[n], 0));
    for (size_t row = 0; row < w->rows; row++)
        for (size_t c = 0; c < w->columns; c++) {
            if (mask[w->offset + row * w->columns + c] == 0)
                continue;
            if (forward)
                rows[row] |= channels[c / block];
            else
                channels[c / block] |= rows[row];
        }
}

/* Before padding, a rectifier follows: a unit without weights is zero or may not go. */
static void spread_padded(const graph *g, uint32_t n, const uint8_t *mask, const float *params,
                          bool *rows, bool *channels) {
    const graph_parameter *bias = &g->parameters[g->nodes[n].bias];
    spread(g, n, mask, rows, channels, true);
    for (size_t row = 0; row < bias->rows; row++)
        rows[row] |= params[bias->offset + row] > 0.0F;
}

static flags what_varies(const graph *g, const uint8_t *mask, const float *params) {
    flags f = make_flags(g, g->input);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        size_t channels = graph_shape_channels(g->values[node->output].shape);
        if (node->weight == GRAPH_NONE)
            memcpy(f.of[node->output], f.of[graph_operand(g, node, 0)], channels * sizeof(bool));
        else if (read_with_padding(g, n))
            spread_padded(g, n, mask, params, f.of[node->output], f.of[graph_operand(g, node, 0)]);
        else
            spread(g, n, mask, f.of[node->output], f.of[graph_operand(g, node, 0)], true);
    }
    return f;
}

static flags what_is_needed(const graph *g, const uint8_t *mask) {
    flags f = make_flags(g, g->output);
    for (uint32_t n = g->node_count; n-- > 0;) {
        const graph_node *node = &g->nodes[n];
        size_t channels = graph_shape_channels(g->values[node->output].shape);
        if (node->weight == GRAPH_NONE)
            memcpy(f.of[graph_operand(g, node, 0)], f.of[node->output], channels * sizeof(bool));
        else
            spread(g, n, mask, f.of[node->output], f.of[graph_operand(g, node, 0)], false);
    }
    return f;
}

/* In these chains, the layer whose units are the network's outputs. */
static bool is_last_layer(const graph *g, uint32_t n) {
    while (++n < g->node_count)
        if (g->nodes[n].weight != GRAPH_NONE)
            return false;
    return true;
}

/* The mask that must remain of `before`. */
static void expect_exact_mask(const graph *g, const uint8_t *before, const float *params,
                              const uint8_t *after) {
    flags varies = what_varies(g, before, params);
    flags needed = what_is_needed(g, before);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        if (node->weight == GRAPH_NONE)
            continue;
        const graph_parameter *w = &g->parameters[node->weight];
        size_t block = w->columns / graph_shape_channels(graph_operand_shape(g, node, 0));
        for (size_t row = 0; row < w->rows; row++) {
            bool need = needed.of[node->output][row];
            bool lives = need && (varies.of[node->output][row] || is_last_layer(g, n));
            assert_int_equal(after[g->parameters[node->bias].offset + row], lives);
            for (size_t c = 0; c < w->columns; c++) {
                size_t at = w->offset + row * w->columns + c;
                bool stays =
                    before[at] != 0 && need && varies.of[graph_operand(g, node, 0)][c / block];
                assert_int_equal(after[at], stays);
            }
        }
    }
    free_flags(g, &varies);
    free_flags(g, &needed);
}

/* ---- tests ---- */

static void expect_zero_where_removed(const network *n) {
    for (uint32_t p = 0; p < n->g->parameter_count; p++) {
        const graph_parameter *from = &n->g->parameters[p];
        for (size_t i = from->offset; i < from->offset + from->count; i++)
            assert_true(n->mask[i] != 0 || n->params[i] == 0.0F);
    }
}

/* All of it on one network; the network is dropped. */
static void expect_removal(network n) {
    const graph *g = n.g;
    size_t count = SAMPLES * graph_value_count(g, g->output);
    uint8_t *before = base_array_copy(n.mask, g->flat_count, 1);
    assert_non_null(before);
    float *params = base_array_copy(n.params, g->flat_count, sizeof *params);
    assert_non_null(params);
    float *wanted = outputs_of(g, n.params);
    remove_dead(&n);
    float *removed = outputs_of(g, n.params);
    assert_true(distance(removed, wanted, count) < 1e-5);
    expect_zero_where_removed(&n);
    expect_exact_mask(g, before, params, n.mask);
    expect_shrunk(&n, removed, count);
    base_free(removed);
    base_free(wanted);
    base_free(before);
    base_free(params);
    drop(&n);
}

static void random_small_networks(void **state) {
    (void)state;
    static const double each[] = {0.3, 0.7, 1.0, 1.5, 2.5, 6.0};
    for (uint64_t seed = 0; seed < 60; seed++)
        expect_removal(make_sparse(small_lenet(false), each[seed % 6], seed));
}

static void random_padded_networks(void **state) {
    (void)state;
    static const double each[] = {0.3, 0.7, 1.0, 1.5, 2.5, 6.0};
    for (uint64_t seed = 0; seed < 60; seed++)
        expect_removal(make_sparse(small_lenet(true), each[seed % 6], 1000 + seed));
}

static void random_normalized_networks(void **state) {
    (void)state;
    static const double each[] = {0.3, 0.7, 1.0, 1.5, 2.5, 6.0};
    for (uint64_t seed = 0; seed < 60; seed++)
        expect_removal(make_sparse(small_normalized(), each[seed % 6], 2000 + seed));
    for (uint64_t seed = 0; seed < 4; seed++)
        expect_removal(make_sparse(zoo("mlp-bn-30"), 0.8 + (double)seed, seed));
}

static void random_lenets(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        expect_removal(make_sparse(zoo("lenet-5"), 0.8 + (double)seed, seed));
        expect_removal(make_sparse(zoo("lenet-300-100"), 0.8 + (double)seed, seed));
    }
}

static void without_any_weight_the_output_is_constant(void **state) {
    (void)state;
    network n = make_sparse(small_lenet(false), 0.0, 5);
    const graph_parameter *bias = &n.g->parameters[n.g->nodes[n.g->node_count - 1].bias];
    float *wanted = outputs_of(n.g, n.params);
    for (size_t i = 0; i < 5 * SAMPLES; i++)
        assert_true(wanted[i] == n.params[bias->offset + i % 5]);
    base_free(wanted);
    expect_removal(n);
}

static void a_dense_network_stays_as_it_is(void **state) {
    (void)state;
    network n = make_sparse(small_lenet(false), 1e9, 6);
    float *before = base_array_copy(n.params, n.g->flat_count, sizeof *before);
    remove_dead(&n);
    assert_memory_equal(before, n.params, n.g->flat_count * sizeof *before);
    base_free(before);
    expect_removal(n);
}

/* By hand: unit 0 of `a` is the constant relu(3), unit 1 the constant relu(-2). */
static void a_constant_goes_into_the_next_biases(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    add(graph_create("hand", graph_shape_image(1, 1, 2), &g, NULL));
    v = g->input;
    add(graph_add_inner_product(g, "a", v, 3, true, &v, NULL));
    add(graph_add_relu(g, "relu", v, &v, NULL));
    add(graph_add_inner_product(g, "b", v, 2, true, &v, NULL));
    network n = {g, floats(g->flat_count), base_array(g->flat_count, 1)};
    const graph_parameter *p = g->parameters;
    static const float a[] = {0, 0, 0, 0, 1, -1}, a_bias[] = {3, -2, 0.5F};
    static const float b[] = {2, 10, 1, -1, 100, 1}, b_bias[] = {0.25F, 4};
    memcpy(n.params + p[0].offset, a, sizeof a);
    memcpy(n.params + p[1].offset, a_bias, sizeof a_bias);
    memcpy(n.params + p[2].offset, b, sizeof b);
    memcpy(n.params + p[3].offset, b_bias, sizeof b_bias);
    for (size_t i = 0; i < g->flat_count; i++)
        n.mask[i] = n.params[i] != 0;
    remove_dead(&n);
    assert_true(n.params[p[3].offset] == 6.25F && n.params[p[3].offset + 1] == 1.0F);
    static const float left[] = {0, 0, 1, 0, 0, 1};
    assert_memory_equal(n.params + p[2].offset, left, sizeof left);
    graph *small;
    size_t *origin;
    add(shrink_network(g, n.mask, &small, &origin, NULL));
    assert_int_equal(graph_weight_count(small), 4);
    graph_free(small);
    base_free(origin);
    drop(&n);
}

/* Units that two layers read go when neither does. */
static void a_unit_lives_while_one_of_two_readers_reads_it(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    uint32_t b;
    uint32_t c;
    add(graph_create("fork", graph_shape_image(1, 1, 4), &g, NULL));
    add(graph_add_inner_product(g, "a", g->input, 3, true, &v, NULL));
    add(graph_add_inner_product(g, "b", v, 2, true, &b, NULL));
    add(graph_add_inner_product(g, "c", v, 2, true, &c, NULL));
    add(graph_add_binary(g, "sum", GRAPH_ADD, b, c, &v, NULL));
    network n = make_sparse(g, 1e9, 1);
    const size_t of_b = g->parameters[g->nodes[1].weight].offset;
    const size_t of_c = g->parameters[g->nodes[2].weight].offset;
    for (size_t row = 0; row < 2; row++) { /* unit 0: c reads it, unit 1: no one */
        n.mask[of_b + 3 * row] = n.mask[of_b + 3 * row + 1] = n.mask[of_c + 3 * row + 1] = 0;
        n.params[of_b + 3 * row] = n.params[of_b + 3 * row + 1] = 0.0F;
        n.params[of_c + 3 * row + 1] = 0.0F;
    }
    remove_dead(&n);
    const uint8_t *biases = n.mask + g->parameters[g->nodes[0].bias].offset;
    assert_true(biases[0] != 0 && biases[1] == 0 && biases[2] != 0);
    drop(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_small_networks),
        cmocka_unit_test(random_padded_networks),
        cmocka_unit_test(random_normalized_networks),
        cmocka_unit_test(random_lenets),
        cmocka_unit_test(without_any_weight_the_output_is_constant),
        cmocka_unit_test(a_dense_network_stays_as_it_is),
        cmocka_unit_test(a_constant_goes_into_the_next_biases),
        cmocka_unit_test(a_unit_lives_while_one_of_two_readers_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
