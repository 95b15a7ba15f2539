/* Removing dead structure: the network computes what it computed, and exactly
 * the units on a path from input to output stay. */
#include "engine/support.h"

#include "compress/structure.h"

#define SAMPLES 3

typedef struct network {
    graph *g;
    float *params;
    uint8_t *mask;
} network;

static void add(admmnn_status status) {
    assert_int_equal(status, ADMMNN_OK);
}

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

static void drop(network *n) {
    graph_free(n->g);
    base_free(n->params);
    base_free(n->mask);
}

/* logits[SAMPLES][outputs] by the reference engine on fixed random inputs. */
static float *outputs_of(const graph *g, const float *params) {
    base_pool *pool = pool_make(1);
    engine *e = engine_make(g, ENGINE_REFERENCE, 0, SAMPLES, pool);
    assert_non_null(e);
    samples s = samples_make(g, SAMPLES);
    base_random random = base_random_at(77, 0, 0);
    for (size_t i = 0; i < SAMPLES * s.elements; i++)
        s.pixels[i] = base_random_normal(&random);
    engine_batch batch = batch_of(&s, SAMPLES);
    float *logits = floats(SAMPLES * graph_value_count(g, g->output));
    assert_int_equal(engine_forward(e, params, &batch, logits, NULL), ADMMNN_OK);
    samples_free(&s);
    engine_destroy(e);
    base_pool_destroy(pool);
    return logits;
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

static flags what_varies(const graph *g, const uint8_t *mask) {
    flags f = make_flags(g, g->input);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        size_t channels = graph_shape_channels(g->values[node->output].shape);
        if (node->weight == GRAPH_NONE)
            memcpy(f.of[node->output], f.of[graph_operand(g, node, 0)], channels * sizeof(bool));
        else if (read_with_padding(g, n))
            memset(f.of[node->output], 1, channels * sizeof(bool));
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
static void expect_exact_mask(const graph *g, const uint8_t *before, const uint8_t *after) {
    flags varies = what_varies(g, before);
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

static void expect_shrunk(const network *n, const float *wanted, size_t count) {
    graph *small;
    size_t *origin;
    admmnn_error err = {0};
    assert_int_equal(structure_shrink(n->g, n->mask, &small, &origin, &err), ADMMNN_OK);
    float *params = floats(small->flat_count);
    uint8_t *seen = base_array(n->g->flat_count, 1);
    assert_non_null(seen);
    for (size_t i = 0; i < small->flat_count; i++) {
        if (origin[i] == SIZE_MAX)
            continue;
        assert_true(origin[i] < n->g->flat_count && seen[origin[i]] == 0);
        seen[origin[i]] = 1;
        params[i] = n->params[origin[i]];
    }
    for (uint32_t p = 0; p < n->g->parameter_count; p++) {
        const graph_parameter *from = &n->g->parameters[p];
        for (size_t i = from->offset; i < from->offset + from->count; i++)
            assert_true(seen[i] != 0 || n->mask[i] == 0);
    }
    float *outputs = outputs_of(small, params);
    assert_true(distance(outputs, wanted, count) < 1e-6);
    base_free(outputs);
    base_free(seen);
    base_free(params);
    base_free(origin);
    graph_free(small);
}

/* All of it on one network; the network is dropped. */
static void expect_removal(network n) {
    const graph *g = n.g;
    size_t count = SAMPLES * graph_value_count(g, g->output);
    uint8_t *before = base_array_copy(n.mask, g->flat_count, 1);
    assert_non_null(before);
    float *wanted = outputs_of(g, n.params);
    structure_remove_dead(g, n.mask, n.params);
    float *removed = outputs_of(g, n.params);
    assert_true(distance(removed, wanted, count) < 1e-5);
    expect_zero_where_removed(&n);
    expect_exact_mask(g, before, n.mask);
    expect_shrunk(&n, removed, count);
    base_free(removed);
    base_free(wanted);
    base_free(before);
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
    structure_remove_dead(n.g, n.mask, n.params);
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
    structure_remove_dead(g, n.mask, n.params);
    assert_true(n.params[p[3].offset] == 6.25F && n.params[p[3].offset + 1] == 1.0F);
    static const float left[] = {0, 0, 1, 0, 0, 1};
    assert_memory_equal(n.params + p[2].offset, left, sizeof left);
    graph *small;
    size_t *origin;
    add(structure_shrink(g, n.mask, &small, &origin, NULL));
    assert_int_equal(graph_weight_count(small), 4);
    graph_free(small);
    base_free(origin);
    drop(&n);
}

/* Two layers read `a`: nothing is known of its units, nothing is removed. */
static void a_layer_with_two_readers_is_left_alone(void **state) {
    (void)state;
    graph *g;
    uint32_t v, other;
    add(graph_create("fork", graph_shape_image(1, 1, 4), &g, NULL));
    add(graph_add_inner_product(g, "a", g->input, 3, true, &v, NULL));
    add(graph_add_inner_product(g, "b", v, 2, true, &other, NULL));
    add(graph_add_inner_product(g, "c", v, 2, true, &other, NULL));
    network n = make_sparse(g, 0.0, 1);
    float *before = base_array_copy(n.params, g->flat_count, sizeof *before);
    structure_remove_dead(g, n.mask, n.params);
    const graph_parameter *bias = &g->parameters[g->nodes[0].bias];
    assert_memory_equal(before + bias->offset, n.params + bias->offset, 3 * sizeof *before);
    base_free(before);
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
        cmocka_unit_test(a_layer_with_two_readers_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
