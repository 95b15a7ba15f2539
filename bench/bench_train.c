/* Training throughput: LeNet-5 with Adam, in images a second, and the part of
 * the machine's peak it reaches.
 *
 *   bench_train [--backend lanes|dnnl|reference|all] [--network lenet-5]
 *               [--threads N] [--batch N] [--seconds S] [--json]
 *
 * Images are synthetic (their values do not change the work) and already in
 * memory as floats; a step is everything else: input, forward, loss, backward,
 * Adam. Counted are the multiply-adds of the dense network, two FLOP each. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "graph/zoo.h"
#include "options.h"
#include "peak.h"
#include "trainer.h"

typedef struct options {
    const char *backend;
    const char *network;
    unsigned threads;
    unsigned batch;
    double seconds;
    bool json;
} options;

typedef struct measurement {
    double images_per_second; /* of the median step */
    double engine_ms, optimizer_ms;
    double loss; /* of the last step, an image */
} measurement;

/* Three products a weight: forward, by the weights, and, above the first layer,
 * by the input. */
static double flops_per_image(const graph *g) {
    const graph_node *first = &g->nodes[graph_layer(g, 0)];
    graph_shape out = g->values[first->output].shape;
    double below =
        (double)g->parameters[first->weight].count * (double)graph_shape_extent(out, 1, out.rank);
    return 2.0 * (3.0 * (double)graph_macs(g) - below);
}

#define STEPS_MAX 100000

static admmnn_status run_steps(bench_trainer *t, double seconds, measurement *m,
                               admmnn_error *err) {
    double *engine_time = base_array(STEPS_MAX, sizeof *engine_time);
    double *optimizer_time = base_array(STEPS_MAX, sizeof *optimizer_time);
    double *step_time = base_array(STEPS_MAX, sizeof *step_time);
    admmnn_status status = engine_time == NULL || optimizer_time == NULL || step_time == NULL
                               ? base_fail_memory(err, "the times")
                               : ADMMNN_OK;
    double end = base_seconds() + seconds;
    double warm = end - 0.8 * seconds; /* the first fifth is not counted */
    size_t count = 0;
    while (status == ADMMNN_OK && count < STEPS_MAX && (count == 0 || base_seconds() < end)) {
        bench_step step;
        status = bench_trainer_step(t, NULL, 0.0F, &step, err);
        if (status != ADMMNN_OK)
            break;
        engine_time[count] = step.engine_seconds;
        optimizer_time[count] = step.optimizer_seconds;
        step_time[count] = step.engine_seconds + step.optimizer_seconds;
        m->loss = step.loss;
        count += base_seconds() > warm;
    }
    if (status == ADMMNN_OK) {
        m->images_per_second = (double)t->batch / bench_median(step_time, count);
        m->engine_ms = 1e3 * bench_median(engine_time, count);
        m->optimizer_ms = 1e3 * bench_median(optimizer_time, count);
    }
    base_free(engine_time);
    base_free(optimizer_time);
    base_free(step_time);
    return status;
}

static admmnn_status measure(const options *o, const graph *g, base_pool *pool,
                             bench_images *images, engine_backend_id backend, measurement *m,
                             admmnn_error *err) {
    bench_trainer t = {.graph = g, .pool = pool, .images = images, .batch = o->batch};
    admmnn_status status = bench_trainer_make(&t, backend, err);
    if (status == ADMMNN_OK)
        status = run_steps(&t, o->seconds, m, err);
    bench_trainer_free(&t);
    return status;
}

static void report(const options *o, const graph *g, const char *backend, double peak,
                   const measurement *m) {
    double flops = m->images_per_second * flops_per_image(g);
    if (o->json)
        printf(
            "{\"backend\": \"%s\", \"network\": \"%s\", \"threads\": %u, \"batch\": %u, "
            "\"images_per_second\": %.1f, \"engine_ms\": %.4f, \"optimizer_ms\": %.4f, "
            "\"gflops\": %.2f, \"peak_gflops\": %.2f, \"fraction_of_peak\": %.4f, "
            "\"loss\": %.4f}\n",
            backend, g->name, o->threads, o->batch, m->images_per_second, m->engine_ms,
            m->optimizer_ms, flops / 1e9, peak / 1e9, flops / peak, m->loss);
    else
        printf(
            "%-10s %10.0f images/s %8.3f ms engine %8.3f ms Adam %8.1f GFLOP/s %5.1f %% of "
            "%.0f\n",
            backend, m->images_per_second, m->engine_ms, m->optimizer_ms, flops / 1e9,
            100.0 * flops / peak, peak / 1e9);
    fflush(stdout);
}

static admmnn_status run(options *o, admmnn_error *err) {
    static const char *const all[] = {"lanes", "dnnl", "reference"};
    graph *g;
    base_pool *pool;
    bench_images images = {0};
    BASE_TRY(graph_zoo_create(o->network, graph_shape_image(1, 28, 28), BENCH_CLASSES, &g, err));
    BASE_TRY(base_pool_create(o->threads, &pool, err));
    o->threads = base_pool_threads(pool);
    admmnn_status status = bench_images_make(g, &images, err);
    double peak = bench_peak_flops(pool);
    for (size_t i = 0; i < sizeof all / sizeof all[0] && status == ADMMNN_OK; i++) {
        if (strcmp(o->backend, "all") != 0 && strcmp(o->backend, all[i]) != 0)
            continue;
        engine_backend_id backend;
        measurement m = {0};
        status = engine_backend_find(all[i], &backend, err);
        if (status == ADMMNN_OK)
            status = measure(o, g, pool, &images, backend, &m, err);
        if (status == ADMMNN_OK)
            report(o, g, all[i], peak, &m);
    }
    base_free(images.pixels);
    base_pool_destroy(pool);
    graph_free(g);
    return status;
}

/* False for an option that is unknown or out of range. */
static bool parse(int argc, char **argv, options *o) {
    const bench_option known[] = {{"--backend", .text = &o->backend},
                                  {"--network", .text = &o->network},
                                  {"--threads", .number = &o->threads},
                                  {"--batch", .number = &o->batch},
                                  {"--seconds", .real = &o->seconds}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o->json))
        return false;
    engine_backend_id id;
    bool known_backend =
        strcmp(o->backend, "all") == 0 ||
        (engine_backend_find(o->backend, &id, NULL) == ADMMNN_OK && id != ENGINE_AUTO);
    return known_backend && o->batch >= 1 && o->batch <= BENCH_IMAGES && o->seconds > 0.0;
}

int main(int argc, char **argv) {
    options o = {.backend = "all", .network = "lenet-5", .batch = 64, .seconds = 3.0};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: bench_train [--backend lanes|dnnl|reference|all] [--network NAME] "
                "[--threads N] [--batch 1..4096] [--seconds S] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    admmnn_status status = run(&o, &err);
    return bench_exit("bench_train", status, &err);
}
