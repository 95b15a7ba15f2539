/* Recipes for networks that are no chains: what a set takes out is gone from the smaller
 * network, which answers alike. */
#include <math.h>

#include "compress/run.h"
#include "engine/engine.h"
#include "graph/zoo.h"
#include "must.h"
#include "tiny_set.h"

#include "base/memory.h"

enum { IMAGES = 30, SIDE = 8 };

static char root[BASE_PATH_MAX];
static const admmnn_context context = {.threads = 1};

static int make_set(void **state) {
    (void)state;
    if (tiny_set_folder("any", root) != 0)
        return -1;
    tiny_set_write(root, "train", IMAGES, SIDE, 1);
    tiny_set_write(root, "t10k", 10, SIDE, 2);
    return 0;
}

static int remove_set(void **state) {
    (void)state;
    tiny_set_remove(root);
    return 0;
}

/* A recipe for the model, run to its end. */
static compress_run *drive(const char *model, const char *set, const char *quantize, recipe **r) {
    base_writer text = {0};
    compress_run *run;
    base_write_text(&text,
                    "model: %s\n"
                    "dataset: {format: idx, path: \"%s\", validation: 10}\n"
                    "backend: reference\n"
                    "training: {epochs: 1, batch: 10}\n"
                    "prune:\n"
                    "  set: %s\n"
                    "  rounds: [2]\n"
                    "  scope: per-layer\n"
                    "  admm: {iterations: 1, training: {batch: 10}}\n"
                    "  finish: {epochs: 1, batch: 10}\n"
                    "quantize:\n%s",
                    model, root, set, quantize);
    assert_false(text.failed);
    MUST(recipe_parse("r.yaml", text.bytes, text.count, r, err));
    base_writer_free(&text);
    MUST(run_create(*r, &context, &run, err));
    while (run->at.stage != RUN_DONE)
        MUST(run_tick(run, err));
    return run;
}

static void fill(void *user, size_t sample, float *input, size_t stride) {
    base_random random = base_random_at(5, sample, 0);
    const size_t *count = user;
    for (size_t i = 0; i < *count; i++)
        input[i * stride] = base_random_uniform(&random);
}

/* The network's outputs for two inputs; the caller's. */
static float *answers(const compress_run *run, const graph *g, const float *params) {
    const engine_settings settings = {.backend = ENGINE_REFERENCE, .max_batch = 2};
    size_t count = graph_value_count(g, g->input);
    const engine_batch batch = {.count = 2, .fill = fill, .user = &count};
    float *logits = base_array(2 * graph_value_count(g, g->output), sizeof *logits);
    assert_non_null(logits);
    engine *e;
    MUST(engine_create(g, &settings, run->pool, &e, err));
    MUST(engine_forward(e, params, &batch, logits, err));
    engine_destroy(e);
    return logits;
}

static graph *expect_same_answers(const compress_run *run) {
    graph *small;
    size_t *origin;
    float *flat;
    MUST(run_flat_params(run, &flat, err));
    MUST(shrink_network(run->g, run->mask, &small, &origin, err));
    float *params = base_array(small->flat_count, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < small->flat_count; i++)
        params[i] = origin[i] == SIZE_MAX ? 0.0F : flat[origin[i]];
    float *large = answers(run, run->g, flat);
    float *less = answers(run, small, params);
    for (size_t i = 0; i < 2 * graph_value_count(small, small->output); i++)
        assert_true(fabsf(large[i] - less[i]) <= 1e-5F * (1.0F + fabsf(large[i])));
    base_free(large);
    base_free(less);
    base_free(params);
    base_free(origin);
    base_free(flat);
    return small;
}

static uint32_t rows_of(const graph *g, const char *layer) {
    return g->parameters[g->nodes[graph_find_node(g, layer)].weight].rows;
}

static void filters_of_a_residual_network(void **state) {
    (void)state;
    recipe *r;
    compress_run *run = drive("resnet-20", "filters", "  enabled: false\n", &r);
    graph *small = expect_same_answers(run);
    for (unsigned block = 1; block <= 3; block++) { /* half of what no sum holds */
        char name[GRAPH_NAME_MAX];
        snprintf(name, sizeof name, "block2.%u.conv1", block);
        assert_int_equal(rows_of(small, name), 16);
        snprintf(name, sizeof name, "block3.%u.conv1", block);
        assert_int_equal(rows_of(small, name), 32);
    }
    assert_true(2 * graph_macs(small) < graph_macs(run->g) * 5 / 4);
    graph_free(small);
    run_free(run);
    base_free(r);
}

/* Levels, on layers without biases too. */
static void channels_of_a_transformer(void **state) {
    (void)state;
    recipe *r;
    compress_run *run = drive("transformer-small", "channels",
                              "  bits: [{layer: fc, bits: 4}]\n"
                              "  bias_bits: 4\n"
                              "  admm: {iterations: 1, training: {batch: 10}}\n"
                              "  fix: [1]\n"
                              "  retrain: {epochs: 1, batch: 10}\n",
                              &r);
    graph *small = expect_same_answers(run);
    for (unsigned block = 1; block <= 6; block++) {
        char name[GRAPH_NAME_MAX];
        snprintf(name, sizeof name, "block%u.narrow", block);
        assert_true(rows_of(small, name) <= 256); /* a matmul's inputs */
    }
    assert_true(graph_macs(small) < graph_macs(run->g));
    graph_free(small);
    run_free(run);
    base_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_of_a_residual_network),
        cmocka_unit_test(channels_of_a_transformer),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
