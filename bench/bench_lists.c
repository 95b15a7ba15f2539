/* Where coordinate lists overtake dense kernels: LeNet-5, one layer at a share of
 * nonzeros and the others whole, a pass by lists and a pass by tiles in turns.
 * src/engine/lanes_plan.c has its thresholds from here.
 *
 *   bench_lists [--threads N] [--batch N] [--rounds N] [--json]
 *
 * Medians over the rounds of the whole pass, forward and backward. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"
#include "graph/zoo.h"
#include "options.h"
#include "trainer.h"

#define LAYERS 4
#define ROUNDS_MAX 1000
enum { TILES, LISTS, WAYS };

static const float densities[WAYS] = {[TILES] = 1e-9F, [LISTS] = 1.0F};
static const char *const layer_names[LAYERS] = {"conv1", "conv2", "fc1", "fc2"};
static const unsigned percents[] = {10, 20, 30, 40, 50, 60, 70, 80, 90};

typedef struct options {
    unsigned threads, batch, rounds;
    bool json;
} options;

typedef struct bench {
    const options *o;
    graph *g;
    base_pool *pool;
    bench_images images;
    engine *engines[WAYS];
    float *params;  /* [flat_count] */
    size_t *places; /* [flat_count] */
    double seconds[WAYS][ROUNDS_MAX];
} bench;

/* Every parameter but those of layer k that are drawn to be zero. Returns their number. */
static size_t draw_support(const bench *b, uint32_t k, unsigned percent) {
    const graph_node *node = &b->g->nodes[graph_layer(b->g, k)];
    base_random random = base_random_at(1, k, percent);
    size_t count = 0;
    for (uint32_t p = 0; p < b->g->parameter_count; p++) {
        const graph_parameter *parameter = &b->g->parameters[p];
        for (size_t i = 0; i < parameter->count; i++) {
            bool thinned = p == node->weight && base_random_below(&random, 100) >= percent;
            if (!thinned)
                b->places[count++] = parameter->offset + i;
        }
    }
    return count;
}

static admmnn_status measure(bench *b, uint32_t k, unsigned percent, admmnn_error *err) {
    size_t count = draw_support(b, k, percent);
    const engine_batch batch = {.count = b->o->batch,
                                .fill = bench_images_fill,
                                .user = &b->images,
                                .labels = b->images.labels};
    for (size_t way = 0; way < WAYS; way++)
        BASE_TRY(engine_set_support(b->engines[way], b->places, count, err));
    /* Round 0 warms up and is overwritten by the first that counts. */
    for (unsigned round = 0; round <= b->o->rounds; round++) {
        for (size_t way = 0; way < WAYS; way++) {
            engine_result result;
            double start = base_seconds();
            BASE_TRY(engine_step(b->engines[way], b->params, &batch, &result, err));
            b->seconds[way][round == 0 ? 0 : round - 1] = base_seconds() - start;
        }
    }
    double tiles = 1e3 * bench_median(b->seconds[TILES], b->o->rounds);
    double lists = 1e3 * bench_median(b->seconds[LISTS], b->o->rounds);
    if (b->o->json)
        printf("{\"layer\": \"%s\", \"percent\": %u, \"tiles_ms\": %.4f, \"lists_ms\": %.4f}\n",
               layer_names[k], percent, tiles, lists);
    else
        printf("%-6s %3u %%   tiles %7.3f ms   lists %7.3f ms   %.3f\n", layer_names[k], percent,
               tiles, lists, lists / tiles);
    return ADMMNN_OK;
}

static admmnn_status run_all(bench *b, admmnn_error *err) {
    BASE_TRY(graph_zoo_create("lenet-5", graph_shape_image(1, 28, 28), BENCH_CLASSES, &b->g, err));
    BASE_TRY(base_pool_create(b->o->threads, &b->pool, err));
    BASE_TRY(bench_images_make(b->g, &b->images, err));
    b->params = base_array(b->g->flat_count, sizeof *b->params);
    b->places = base_array(b->g->flat_count, sizeof *b->places);
    if (b->params == NULL || b->places == NULL)
        return base_fail_memory(err, "the parameters");
    graph_initialise(b->g, 1, b->params);
    for (size_t way = 0; way < WAYS; way++) {
        const engine_settings settings = {.backend = ENGINE_LANES,
                                          .max_batch = b->o->batch,
                                          .training = true,
                                          .list_density = densities[way]};
        BASE_TRY(engine_create(b->g, &settings, b->pool, &b->engines[way], err));
    }
    for (uint32_t k = 0; k < LAYERS; k++)
        for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++)
            BASE_TRY(measure(b, k, percents[i], err));
    return ADMMNN_OK;
}

static admmnn_status run(const options *o, admmnn_error *err) {
    bench *b = base_array(1, sizeof *b);
    if (b == NULL)
        return base_fail_memory(err, "the benchmark");
    b->o = o;
    admmnn_status status = run_all(b, err);
    for (size_t way = 0; way < WAYS; way++)
        engine_destroy(b->engines[way]);
    base_free(b->images.pixels);
    base_free(b->params);
    base_free(b->places);
    base_pool_destroy(b->pool);
    graph_free(b->g);
    base_free(b);
    return status;
}

int main(int argc, char **argv) {
    options o = {.batch = 64, .rounds = 99};
    const bench_option known[] = {{"--threads", .number = &o.threads},
                                  {"--batch", .number = &o.batch},
                                  {"--rounds", .number = &o.rounds}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o.json) ||
        o.batch < 1 || o.batch > BENCH_IMAGES || o.rounds < 1 || o.rounds > ROUNDS_MAX) {
        fprintf(stderr,
                "usage: bench_lists [--threads N] [--batch 1..4096] [--rounds 1..1000] "
                "[--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    admmnn_status status = run(&o, &err);
    return bench_exit("bench_lists", status, &err);
}
