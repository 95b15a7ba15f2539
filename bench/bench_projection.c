/* What the z step costs on a large network: the projections of all of AlexNet's layers onto
 * their numbers of weights at 21x (Zhang et al. 2018), in turns with a pass over the same
 * memory that reads every weight and writes it elsewhere.
 *
 *   bench_projection [--rounds N] [--json]
 *
 * One thread; the ratio of the medians is the figure. */
#include <stdio.h>
#include <string.h>

#include "admm/set.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"
#include "graph/zoo.h"
#include "options.h"
#include "trainer.h"

#define ROUNDS_MAX 1000
#define LAYERS 8

/* Of conv1 to fc8. */
static const double kept[LAYERS] = {0.81, 0.20, 0.19, 0.20, 0.20, 0.028, 0.059, 0.093};

typedef struct weights {
    graph *g;
    float *from, *to; /* [flat_count] */
    admm_set *sets[LAYERS];
} weights;

static const graph_parameter *layer_of(const weights *w, uint32_t l) {
    return &w->g->parameters[w->g->nodes[graph_layer(w->g, l)].weight];
}

static admmnn_status open_weights(weights *w, admmnn_error *err) {
    BASE_TRY(graph_zoo_create("alexnet", graph_shape_image(3, 227, 227), 1000, &w->g, err));
    w->from = base_array(w->g->flat_count, sizeof *w->from);
    w->to = base_array(w->g->flat_count, sizeof *w->to);
    if (w->from == NULL || w->to == NULL)
        return base_fail_memory(err, "the weights");
    graph_initialise(w->g, 1, w->from);
    for (uint32_t l = 0; l < LAYERS; l++) {
        const size_t count = layer_of(w, l)->count;
        BASE_TRY(admm_set_sparse(count, (size_t)(kept[l] * (double)count), &w->sets[l], err));
    }
    return ADMMNN_OK;
}

static void close_weights(weights *w) {
    for (uint32_t l = 0; l < LAYERS; l++)
        admm_set_free(w->sets[l]);
    base_free(w->from);
    base_free(w->to);
    graph_free(w->g);
}

static admmnn_status project(weights *w, admmnn_error *err) {
    for (uint32_t l = 0; l < LAYERS; l++) {
        const graph_parameter *p = layer_of(w, l);
        BASE_TRY(
            admm_set_project(w->sets[l], w->from + p->offset, w->to + p->offset, p->count, err));
    }
    return ADMMNN_OK;
}

/* The first round is not counted: memory is new in it. */
static admmnn_status measure(weights *w, unsigned rounds, double *pass, double *projection,
                             admmnn_error *err) {
    static double passes[ROUNDS_MAX];
    static double projections[ROUNDS_MAX];
    for (unsigned i = 0; i <= rounds; i++) {
        const double start = base_seconds();
        memcpy(w->to, w->from, w->g->flat_count * sizeof *w->to);
        const double middle = base_seconds();
        BASE_TRY(project(w, err));
        passes[i == 0 ? 0 : i - 1] = middle - start;
        projections[i == 0 ? 0 : i - 1] = base_seconds() - middle;
    }
    *pass = bench_median(passes, rounds);
    *projection = bench_median(projections, rounds);
    return ADMMNN_OK;
}

int main(int argc, char **argv) {
    unsigned rounds = 9;
    bool json = false;
    const bench_option known[] = {{"--rounds", .number = &rounds}};
    if (!bench_options_read(argc, argv, known, 1, &json) || rounds < 1 || rounds >= ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_projection [--rounds 1..999] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    weights w = {0};
    double pass = 1;
    double projection = 1;
    admmnn_status status = open_weights(&w, &err);
    if (status == ADMMNN_OK)
        status = measure(&w, rounds, &pass, &projection, &err);
    if (status == ADMMNN_OK && json)
        printf("{\"weights\": %zu, \"pass_ms\": %.2f, \"projection_ms\": %.2f, \"ratio\": %.3f}\n",
               graph_weight_count(w.g), 1e3 * pass, 1e3 * projection, projection / pass);
    else if (status == ADMMNN_OK)
        printf("%zu weights: a pass %.1f ms, the projections %.1f ms: %.2f passes\n",
               graph_weight_count(w.g), 1e3 * pass, 1e3 * projection, projection / pass);
    close_weights(&w);
    return bench_exit("bench_projection", status, &err);
}
