/* Rescaled units: the network computes what it computed, and its weights are
 * nearer to levels, as near as they were made to be where that is known. */
#include "engine/support.h"

#include "compress/rescale.h"

#define SAMPLES 4
#define LAYERS 3
#define BITS 3

typedef struct network {
    graph *g;
    float *params, *importance;
    uint8_t *mask;
} network;

static void done(admmnn_status status) {
    assert_int_equal(status, ADMMNN_OK);
}

/* A convolution, pooling, rectifiers and inner products; padding where asked. */
static graph *make_graph(bool padded) {
    uint32_t pad = padded ? 1 : 0;
    graph_window conv = {{3, 3}, {1, 1}, {pad, pad}, {pad, pad}, {1, 1}};
    graph_window pool = {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    graph *g;
    uint32_t v;
    done(graph_create("small", graph_shape_image(1, 10, 10), &g, NULL));
    v = g->input;
    done(graph_add_conv(g, "conv", v, 6, graph_conv_of(conv), &v, NULL));
    done(graph_add_maxpool(g, "pool", v, graph_pool_of(pool), &v, NULL));
    done(graph_add_inner_product(g, "fc1", v, 12, true, &v, NULL));
    done(graph_add_relu(g, "relu", v, &v, NULL));
    done(graph_add_inner_product(g, "fc2", v, 5, true, &v, NULL));
    return g;
}

static network make_network(bool padded) {
    graph *g = make_graph(padded);
    network n = {g, floats(g->flat_count), floats(g->flat_count), base_array(g->flat_count, 1)};
    assert_non_null(n.mask);
    memset(n.mask, 1, g->flat_count);
    base_random random = base_random_at(3, 0, padded);
    for (size_t i = 0; i < g->flat_count; i++) {
        n.importance[i] = 1.0F;
        n.params[i] = base_random_normal(&random);
    }
    return n;
}

static void drop(network *n) {
    graph_free(n->g);
    base_free(n->params);
    base_free(n->importance);
    base_free(n->mask);
}

static const graph_parameter *weight_of(const network *n, uint32_t layer) {
    return &n->g->parameters[n->g->nodes[graph_layer(n->g, layer)].weight];
}

static void prune(network *n, float share) {
    base_random random = base_random_at(4, 0, 0);
    for (uint32_t l = 0; l < LAYERS; l++)
        for (size_t i = 0; i < weight_of(n, l)->count; i++)
            if (base_random_uniform(&random) < share) {
                n->mask[weight_of(n, l)->offset + i] = 0;
                n->params[weight_of(n, l)->offset + i] = 0.0F;
            }
}

static void rescale(network *n) {
    const unsigned bits[LAYERS] = {BITS, BITS, BITS};
    done(rescale_units(n->g, ADMM_LEVELS_EQUAL, bits, n->mask, n->importance, n->params, NULL,
                       NULL));
}

static float *outputs_of(const network *n) {
    base_pool *pool = pool_make(1);
    engine *e = engine_make(n->g, ENGINE_REFERENCE, 0, SAMPLES, pool);
    samples s = samples_make(n->g, SAMPLES);
    base_random random = base_random_at(77, 0, 0);
    for (size_t i = 0; i < SAMPLES * s.elements; i++)
        s.pixels[i] = base_random_normal(&random);
    engine_batch batch = batch_of(&s, SAMPLES);
    float *logits = floats(SAMPLES * graph_value_count(n->g, n->g->output));
    done(engine_forward(e, n->params, &batch, logits, NULL));
    samples_free(&s);
    engine_destroy(e);
    base_pool_destroy(pool);
    return logits;
}

/* Sum over the layers of the squared distance from the best levels, as a share of
 * the weights' own squares: what no uniform scale of a layer changes. */
static double distance_of(const network *n) {
    double sum = 0.0;
    for (uint32_t l = 0; l < LAYERS; l++) {
        const graph_parameter *w = weight_of(n, l);
        float q;
        double error;
        done(admm_levels_fit(ADMM_LEVELS_EQUAL, BITS, n->params + w->offset, n->mask + w->offset,
                             w->count, &q, &error, NULL));
        double squares = 0.0;
        for (size_t i = w->offset; i < w->offset + w->count; i++)
            squares += (double)n->params[i] * (double)n->params[i];
        sum += error / squares;
    }
    return sum;
}

static void expect_same_outputs(bool padded) {
    network n = make_network(padded);
    prune(&n, 0.5F);
    float *before = outputs_of(&n);
    float *params = base_array_copy(n.params, n.g->flat_count, sizeof *params);
    rescale(&n);
    float *after = outputs_of(&n);
    size_t count = SAMPLES * graph_value_count(n.g, n.g->output);
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(before[i] - after[i]) < 1e-3F * (1.0F + fabsf(before[i])));
    size_t moved = 0;
    for (size_t i = 0; i < n.g->flat_count; i++) {
        moved += params[i] != n.params[i];
        assert_true(n.mask[i] != 0 || n.params[i] == 0.0F);
    }
    assert_true(moved > 0);
    base_free(params);
    base_free(before);
    base_free(after);
    drop(&n);
}

static void the_network_computes_the_same(void **state) {
    (void)state;
    expect_same_outputs(false);
    expect_same_outputs(true);
}

/* Weights exactly on levels, every hidden unit then scaled by a power of the
 * step that is tried: the scales are found again and the distance is nothing. */
static void scales_that_hide_levels_are_found(void **state) {
    (void)state;
    network n = make_network(false);
    base_random random = base_random_at(5, 0, 0);
    for (uint32_t l = 0; l < LAYERS; l++)
        for (size_t i = 0; i < weight_of(&n, l)->count; i++) {
            float level = (float)(1 + base_random_below(&random, 4));
            n.params[weight_of(&n, l)->offset + i] =
                base_random_uniform(&random) < 0.5F ? -level : level;
        }
    assert_true(distance_of(&n) < 1e-12);
    const graph_parameter *in = weight_of(&n, 1);
    const graph_parameter *out = weight_of(&n, 2);
    for (size_t unit = 0; unit < in->rows; unit++) {
        float factor = exp2f((float)((int)base_random_below(&random, 9) - 4) / 8.0F);
        for (size_t i = 0; i < in->columns; i++)
            n.params[in->offset + unit * in->columns + i] *= factor;
        for (size_t row = 0; row < out->rows; row++)
            n.params[out->offset + row * out->columns + unit] /= factor;
    }
    double scaled = distance_of(&n);
    assert_true(scaled > 0.005);
    rescale(&n);
    assert_true(distance_of(&n) < 1e-9);
    drop(&n);
}

/* What is made small: sum importance (w - level / a)^2 over the weights as they
 * were, where a is what became of the weight. */
static double loss_of(const network *n, const float *original) {
    double sum = 0.0;
    for (uint32_t l = 0; l < LAYERS; l++) {
        const graph_parameter *w = weight_of(n, l);
        float q;
        done(admm_levels_fit(ADMM_LEVELS_EQUAL, BITS, n->params + w->offset, n->mask + w->offset,
                             w->count, &q, NULL, NULL));
        for (size_t i = w->offset; i < w->offset + w->count; i++) {
            if (n->mask[i] == 0)
                continue;
            int32_t code = admm_level_code(ADMM_LEVELS_EQUAL, BITS, q, n->params[i]);
            double level = (double)admm_level_value(ADMM_LEVELS_EQUAL, q, code);
            double factor = (double)n->params[i] / (double)original[i];
            double error = (double)original[i] - level / factor;
            sum += (double)n->importance[i] * error * error;
        }
    }
    return sum;
}

static void the_loss_by_levels_falls(void **state) {
    (void)state;
    network n = make_network(false);
    prune(&n, 0.8F);
    base_random random = base_random_at(6, 0, 0);
    for (size_t i = 0; i < n.g->flat_count; i++)
        n.importance[i] = base_random_uniform(&random) * base_random_uniform(&random);
    float *original = base_array_copy(n.params, n.g->flat_count, sizeof *original);
    double before = loss_of(&n, original);
    rescale(&n);
    assert_true(loss_of(&n, original) < 0.8 * before);
    base_free(original);
    drop(&n);
}

/* The gradient of a weight multiplied by a is divided by it, so v w^2 stays. */
static void importance_follows_the_weights(void **state) {
    (void)state;
    network n = make_network(false);
    prune(&n, 0.8F);
    base_random random = base_random_at(8, 0, 0);
    float *before = floats(n.g->flat_count);
    for (size_t i = 0; i < n.g->flat_count; i++) {
        n.importance[i] = base_random_uniform(&random);
        before[i] = n.importance[i] * n.params[i] * n.params[i];
    }
    float *params = base_array_copy(n.params, n.g->flat_count, sizeof *params);
    rescale(&n);
    size_t moved = 0;
    for (uint32_t l = 0; l < LAYERS; l++)
        for (size_t i = weight_of(&n, l)->offset;
             i < weight_of(&n, l)->offset + weight_of(&n, l)->count; i++) {
            float after = n.importance[i] * n.params[i] * n.params[i];
            assert_true(fabsf(after - before[i]) <= 1e-4F * before[i]);
            moved += params[i] != n.params[i];
        }
    assert_true(moved > 20);
    base_free(params);
    base_free(before);
    drop(&n);
}

/* Nothing is known of what matters, or nothing is left: nothing moves. */
static void without_importance_nothing_moves(void **state) {
    (void)state;
    network n = make_network(false);
    memset(n.importance, 0, n.g->flat_count * sizeof *n.importance);
    float *params = base_array_copy(n.params, n.g->flat_count, sizeof *params);
    rescale(&n);
    assert_memory_equal(params, n.params, n.g->flat_count * sizeof *params);
    prune(&n, 2.0F);
    rescale(&n);
    for (uint32_t l = 0; l < LAYERS; l++)
        for (size_t i = 0; i < weight_of(&n, l)->count; i++)
            assert_true(n.params[weight_of(&n, l)->offset + i] == 0.0F);
    base_free(params);
    drop(&n);
}

/* A normalization takes a unit's scale away, but not its running statistics'. */
static void normalized_units_are_left_alone(void **state) {
    (void)state;
    network n = {0};
    uint32_t v;
    done(graph_create("normalized", graph_shape_image(1, 4, 4), &n.g, NULL));
    done(graph_add_inner_product(n.g, "fc1", n.g->input, 6, true, &v, NULL));
    done(graph_add_batch_normalization(n.g, "bn", v, 1e-5F, 0.9F, &v, NULL));
    done(graph_add_relu(n.g, "relu", v, &v, NULL));
    done(graph_add_inner_product(n.g, "fc2", v, 6, true, &v, NULL));
    done(graph_add_inner_product(n.g, "fc3", v, 5, true, &v, NULL));
    n.params = floats(n.g->flat_count);
    n.importance = floats(n.g->flat_count);
    n.mask = base_array(n.g->flat_count, 1);
    memset(n.mask, 1, n.g->flat_count);
    base_random random = base_random_at(3, 0, 0);
    for (size_t i = 0; i < n.g->flat_count; i++) {
        n.importance[i] = 1.0F;
        n.params[i] = base_random_normal(&random);
    }
    float *before = base_array_copy(n.params, n.g->flat_count, sizeof *before);
    rescale(&n);
    const size_t end = weight_of(&n, 1)->offset; /* all of fc1 and the normalization */
    assert_memory_equal(before, n.params, end * sizeof *before);
    assert_memory_not_equal(before + end, n.params + end, (n.g->flat_count - end) * sizeof *before);
    base_free(before);
    drop(&n);
}

/* Asked between units: true from the third on. */
static bool third_time(void *user) {
    return ++*(int *)user >= 3;
}

static void a_request_to_stop_is_heard(void **state) {
    (void)state;
    network n = make_network(false);
    int asked = 0;
    const admmnn_context context = {.cancelled = third_time, .user = &asked};
    const unsigned bits[LAYERS] = {BITS, BITS, BITS};
    assert_int_equal(
        rescale_units(n.g, ADMM_LEVELS_EQUAL, bits, n.mask, n.importance, n.params, &context, NULL),
        ADMMNN_CANCELLED);
    assert_int_equal(asked, 3);
    drop(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_computes_the_same),
        cmocka_unit_test(scales_that_hide_levels_are_found),
        cmocka_unit_test(the_loss_by_levels_falls),
        cmocka_unit_test(importance_follows_the_weights),
        cmocka_unit_test(without_importance_nothing_moves),
        cmocka_unit_test(normalized_units_are_left_alone),
        cmocka_unit_test(a_request_to_stop_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
