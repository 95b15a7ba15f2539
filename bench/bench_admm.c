/* What the ADMM penalty adds to a training step: LeNet-5, Adam, one step with
 * the penalty's gradient fused into the optimiser's pass, one without, in turns.
 *
 *   bench_admm [--threads N] [--batch N] [--seconds S] [--json]
 *
 * The ratio of the median steps is the figure; the same steps without their
 * engine's part show where the time goes. */
#include <stdio.h>

#include "base/context.h"
#include "base/memory.h"
#include "graph/zoo.h"
#include "options.h"
#include "trainer.h"

#define STEPS_MAX 100000

typedef struct options {
    unsigned threads, batch;
    double seconds;
    bool json;
} options;

/* Medians, in seconds. */
typedef struct measurement {
    double step, optimizer;
} measurement;

static admmnn_status run_steps(bench_trainer *t, const float *anchor, double seconds,
                               measurement *plain, measurement *admm, admmnn_error *err) {
    double *step_time[2] = {base_array(STEPS_MAX, sizeof(double)),
                            base_array(STEPS_MAX, sizeof(double))};
    double *optimizer_time[2] = {base_array(STEPS_MAX, sizeof(double)),
                                 base_array(STEPS_MAX, sizeof(double))};
    measurement *const out[2] = {plain, admm};
    admmnn_status status = step_time[0] == NULL || step_time[1] == NULL ||
                                   optimizer_time[0] == NULL || optimizer_time[1] == NULL
                               ? base_fail_memory(err, "the times")
                               : ADMMNN_OK;
    double end = base_seconds() + seconds;
    double warm = end - 0.8 * seconds; /* the first fifth is not counted */
    size_t count = 0;
    while (status == ADMMNN_OK && count < STEPS_MAX && (count == 0 || base_seconds() < end)) {
        for (size_t k = 0; k < 2 && status == ADMMNN_OK; k++) {
            bench_step step;
            status = bench_trainer_step(t, k == 1 ? anchor : NULL, 1e-3F, &step, err);
            if (status != ADMMNN_OK)
                break;
            step_time[k][count] = step.engine_seconds + step.optimizer_seconds;
            optimizer_time[k][count] = step.optimizer_seconds;
        }
        count += base_seconds() > warm;
    }
    for (size_t k = 0; k < 2; k++) {
        if (status == ADMMNN_OK)
            *out[k] = (measurement){bench_median(step_time[k], count),
                                    bench_median(optimizer_time[k], count)};
        base_free(step_time[k]);
        base_free(optimizer_time[k]);
    }
    return status;
}

static void report(const options *o, const measurement *plain, const measurement *admm) {
    double ratio = admm->step / plain->step;
    if (o->json)
        printf(
            "{\"threads\": %u, \"batch\": %u, \"plain_ms\": %.4f, \"admm_ms\": %.4f, "
            "\"plain_optimizer_ms\": %.4f, \"admm_optimizer_ms\": %.4f, \"ratio\": %.4f}\n",
            o->threads, o->batch, 1e3 * plain->step, 1e3 * admm->step, 1e3 * plain->optimizer,
            1e3 * admm->optimizer, ratio);
    else
        printf("plain step %8.3f ms (Adam %.3f)\nADMM step  %8.3f ms (Adam %.3f)\nratio %.3f\n",
               1e3 * plain->step, 1e3 * plain->optimizer, 1e3 * admm->step, 1e3 * admm->optimizer,
               ratio);
}

static admmnn_status run(options *o, admmnn_error *err) {
    graph *g;
    base_pool *pool;
    bench_images images = {0};
    measurement plain = {0};
    measurement admm = {0};
    BASE_TRY(graph_zoo_create("lenet-5", graph_shape_image(1, 28, 28), BENCH_CLASSES, &g, err));
    BASE_TRY(base_pool_create(o->threads, &pool, err));
    o->threads = base_pool_threads(pool);
    bench_trainer t = {.graph = g, .pool = pool, .images = &images, .batch = o->batch};
    admmnn_status status = bench_images_make(g, &images, err);
    if (status == ADMMNN_OK)
        status = bench_trainer_make(&t, ENGINE_AUTO, err);
    float *anchor =
        status == ADMMNN_OK ? base_array_copy(t.params, g->flat_count, sizeof *t.params) : NULL;
    if (status == ADMMNN_OK && anchor == NULL)
        status = base_fail_memory(err, "the anchor");
    if (status == ADMMNN_OK)
        status = run_steps(&t, anchor, o->seconds, &plain, &admm, err);
    if (status == ADMMNN_OK)
        report(o, &plain, &admm);
    base_free(anchor);
    bench_trainer_free(&t);
    base_free(images.pixels);
    base_pool_destroy(pool);
    graph_free(g);
    return status;
}

/* False for an option that is unknown or out of range. */
static bool parse(int argc, char **argv, options *o) {
    const bench_option known[] = {{"--threads", .number = &o->threads},
                                  {"--batch", .number = &o->batch},
                                  {"--seconds", .real = &o->seconds}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o->json))
        return false;
    return o->batch >= 1 && o->batch <= BENCH_IMAGES && o->seconds > 0.0;
}

int main(int argc, char **argv) {
    options o = {.batch = 64, .seconds = 5.0};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: bench_admm [--threads N] [--batch 1..4096] [--seconds S] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    admmnn_status status = run(&o, &err);
    return bench_exit("bench_admm", status, &err);
}
