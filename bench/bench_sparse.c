/* An epoch of masked retraining against a dense epoch: LeNet-5, Adam, the loop
 * and the loader as a run has them (images shifted by up to a pixel).
 *
 *   bench_sparse [--threads N] [--batch N] [--rounds N] [--images N] [--json]
 *
 * Dense and sparse epochs in turns; medians over the rounds. Layer by layer the
 * counts are those the global rank finds at these ratios; places are drawn at
 * random and no unit is dead, so a real pruned network is a little faster. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"
#include "graph/zoo.h"
#include "options.h"
#include "train/loop.h"
#include "trainer.h"

#define LAYERS 4
#define ROUNDS_MAX 1000

typedef struct level {
    const char *name;
    uint32_t kept[LAYERS]; /* conv1, conv2, fc1, fc2; 0: all */
} level;

static const level levels[] = {
    {"dense", {0}},
    {"50x", {260, 2700, 4800, 850}},
    {"85x", {247, 1565, 2495, 709}},
    {"167x", {222, 765, 1091, 465}},
};
#define LEVELS (sizeof levels / sizeof levels[0])

typedef struct options {
    unsigned threads, batch, rounds, images;
    bool json;
} options;

typedef struct bench {
    const options *o;
    graph *g;
    base_pool *pool;
    data_set set;
    uint32_t *order;
    float *start; /* [flat_count] */
    train_network *networks[LEVELS];
    train_optimizer *optimizers[LEVELS];
    double seconds[LEVELS][ROUNDS_MAX];
} bench;

static admmnn_status make_images(bench *b, admmnn_error *err) {
    const size_t pixels = (size_t)b->o->images * 784;
    base_random random = base_random_at(1, 2, 3);
    b->set = (data_set){
        .count = b->o->images, .shape = graph_shape_image(1, 28, 28), .classes = BENCH_CLASSES};
    b->set.pixels = base_array(pixels, 1);
    b->set.labels = base_array(b->o->images, sizeof *b->set.labels);
    b->order = base_array(b->o->images, sizeof *b->order);
    if (b->set.pixels == NULL || b->set.labels == NULL || b->order == NULL)
        return base_fail_memory(err, "the images");
    for (size_t i = 0; i < pixels; i++)
        b->set.pixels[i] = (uint8_t)base_random_below(&random, 256);
    for (uint32_t i = 0; i < b->o->images; i++) {
        b->set.labels[i] = (uint16_t)base_random_below(&random, BENCH_CLASSES);
        b->order[i] = i;
    }
    return ADMMNN_OK;
}

/* Draws the weights that stay; biases stay all. */
static admmnn_status draw_mask(const graph *g, const level *l, uint8_t *mask, admmnn_error *err) {
    base_random random = base_random_at(4, 5, 6);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        if (g->parameters[p].kind != GRAPH_WEIGHT)
            memset(mask + g->parameters[p].offset, 1, g->parameters[p].count);
    for (uint32_t i = 0; i < LAYERS; i++) {
        const graph_parameter *weight = &g->parameters[g->nodes[graph_layer(g, i)].weight];
        uint32_t *places = base_array(weight->count, sizeof *places);
        if (places == NULL)
            return base_fail_memory(err, "the support");
        for (uint32_t k = 0; k < weight->count; k++)
            places[k] = k;
        base_random_shuffle(&random, places, weight->count);
        for (uint32_t k = 0; k < l->kept[i]; k++)
            mask[weight->offset + places[k]] = 1;
        base_free(places);
    }
    return ADMMNN_OK;
}

static admmnn_status make_network(bench *b, size_t k, admmnn_error *err) {
    const train_optimizer_settings adam = {.kind = TRAIN_ADAM};
    const engine_settings settings = {.max_batch = b->o->batch, .training = true};
    train_network **n = &b->networks[k];
    BASE_TRY(train_network_create(b->g, b->start, b->pool, &settings, n, err));
    if (levels[k].kept[0] > 0) {
        uint8_t *mask = base_array(b->g->flat_count, 1);
        admmnn_status status = mask == NULL ? base_fail_memory(err, "the support")
                                            : draw_mask(b->g, &levels[k], mask, err);
        if (status == ADMMNN_OK)
            status = train_network_restrict(*n, mask, err);
        base_free(mask);
        BASE_TRY(status);
    }
    return train_optimizer_create(&adam, (*n)->active_count, &b->optimizers[k], err);
}

static admmnn_status run_epoch(bench *b, size_t k, uint32_t epoch, double *seconds,
                               admmnn_error *err) {
    const train_samples samples = {.set = &b->set,
                                   .order = b->order,
                                   .count = b->o->images,
                                   .tones = data_tones_of(0.13F, 3.2F)};
    const train_settings settings = {.task = levels[k].name,
                                     .epochs = 1,
                                     .batch = b->o->batch,
                                     .learning_rate = 1e-3,
                                     .augment = {.shift = 1},
                                     .seed = 1,
                                     .first_epoch = epoch};
    double start = base_seconds();
    BASE_TRY(train_run(b->networks[k], b->optimizers[k], &samples, &settings, NULL, NULL, err));
    *seconds = base_seconds() - start;
    return ADMMNN_OK;
}

static void report(bench *b) {
    double dense = bench_median(b->seconds[0], b->o->rounds);
    for (size_t k = 0; k < LEVELS; k++) {
        double seconds = bench_median(b->seconds[k], b->o->rounds);
        double of_mnist = 60000.0 / b->o->images * seconds;
        if (b->o->json)
            printf(
                "{\"network\": \"%s\", \"threads\": %u, \"batch\": %u, "
                "\"seconds_per_60000\": %.4f, \"ratio\": %.4f}\n",
                levels[k].name, b->o->threads, b->o->batch, of_mnist, seconds / dense);
        else
            printf("%-6s %8.2f s for 60,000 images   %.3f of dense\n", levels[k].name, of_mnist,
                   seconds / dense);
    }
}

static admmnn_status measure(bench *b, admmnn_error *err) {
    BASE_TRY(make_images(b, err));
    b->start = base_array(b->g->flat_count, sizeof *b->start);
    if (b->start == NULL)
        return base_fail_memory(err, "the parameters");
    graph_initialise(b->g, 1, b->start);
    for (size_t k = 0; k < LEVELS; k++)
        BASE_TRY(make_network(b, k, err));
    /* Round 0 warms up and is overwritten by the first that counts. */
    for (uint32_t round = 0; round <= b->o->rounds; round++)
        for (size_t k = 0; k < LEVELS; k++)
            BASE_TRY(run_epoch(b, k, round, &b->seconds[k][round == 0 ? 0 : round - 1], err));
    report(b);
    return ADMMNN_OK;
}

static admmnn_status run(options *o, admmnn_error *err) {
    bench *b = base_array(1, sizeof *b);
    if (b == NULL)
        return base_fail_memory(err, "the benchmark");
    b->o = o;
    admmnn_status status =
        graph_zoo_create("lenet-5", graph_shape_image(1, 28, 28), BENCH_CLASSES, &b->g, err);
    if (status == ADMMNN_OK)
        status = base_pool_create(o->threads, &b->pool, err);
    if (status == ADMMNN_OK) {
        o->threads = base_pool_threads(b->pool);
        status = measure(b, err);
    }
    for (size_t k = 0; k < LEVELS; k++) {
        train_optimizer_free(b->optimizers[k]);
        train_network_free(b->networks[k]);
    }
    base_free(b->start);
    base_free(b->order);
    data_set_free(&b->set);
    base_pool_destroy(b->pool);
    graph_free(b->g);
    base_free(b);
    return status;
}

/* False for an option that is unknown or out of range. */
static bool parse(int argc, char **argv, options *o) {
    const bench_option known[] = {{"--threads", .number = &o->threads},
                                  {"--batch", .number = &o->batch},
                                  {"--rounds", .number = &o->rounds},
                                  {"--images", .number = &o->images}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o->json))
        return false;
    return o->batch >= 1 && o->rounds >= 1 && o->rounds <= ROUNDS_MAX && o->images >= o->batch &&
           o->images <= 1000000;
}

int main(int argc, char **argv) {
    options o = {.batch = 64, .rounds = 9, .images = 6000};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: bench_sparse [--threads N] [--batch N] [--rounds 1..1000] "
                "[--images N] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    admmnn_status status = run(&o, &err);
    return bench_exit("bench_sparse", status, &err);
}
