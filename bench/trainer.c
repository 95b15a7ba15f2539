#include "trainer.h"

#include <stdlib.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"
#include "graph/zoo.h"

void bench_images_fill(void *user, size_t sample, float *input, size_t stride) {
    const bench_images *images = user;
    const float *pixels = images->pixels + (images->first + sample) * images->elements;
    for (size_t i = 0; i < images->elements; i++)
        input[i * stride] = pixels[i];
}

admmnn_status bench_images_make(const graph *g, bench_images *images, admmnn_error *err) {
    base_random random = base_random_at(1, 2, 3);
    images->elements = graph_value_count(g, g->input);
    images->first = 0;
    images->pixels = base_array((size_t)BENCH_IMAGES * images->elements, sizeof(float));
    if (images->pixels == NULL)
        return base_fail_memory(err, "the images");
    for (size_t i = 0; i < BENCH_IMAGES; i++) {
        images->labels[i] = (uint16_t)base_random_below(&random, BENCH_CLASSES);
        for (size_t k = 0; k < images->elements; k++)
            images->pixels[i * images->elements + k] = base_random_uniform(&random);
    }
    return ADMMNN_OK;
}

admmnn_status bench_trainer_make(bench_trainer *t, engine_backend_id backend, admmnn_error *err) {
    const engine_settings settings = {
        .backend = backend, .max_batch = (uint32_t)t->batch, .training = true};
    const train_optimizer_settings adam = {.kind = TRAIN_ADAM};
    t->params = base_array(t->graph->flat_count, sizeof *t->params);
    if (t->params == NULL)
        return base_fail_memory(err, "the parameters");
    graph_initialise(t->graph, 1, t->params);
    BASE_TRY(engine_create(t->graph, &settings, t->pool, &t->engine, err));
    return train_optimizer_create(&adam, t->graph->flat_count, &t->optimizer, err);
}

void bench_trainer_free(bench_trainer *t) {
    train_optimizer_free(t->optimizer);
    engine_destroy(t->engine);
    base_free(t->params);
}

admmnn_status bench_trainer_step(bench_trainer *t, const float *anchor, float rho, bench_step *out,
                                 admmnn_error *err) {
    bench_images *images = t->images;
    const engine_batch batch = {.count = t->batch,
                                .fill = bench_images_fill,
                                .user = images,
                                .labels = images->labels + images->first};
    const train_segment all = {.count = t->graph->flat_count, .rho = rho};
    engine_result result;
    double start = base_seconds();
    BASE_TRY(engine_step(t->engine, t->params, &batch, &result, err));
    double middle = base_seconds();
    const train_update update = {.parts = result.parts,
                                 .part_count = result.part_count,
                                 .scale = 1.0F / (float)t->batch,
                                 .learning_rate = 1e-3F,
                                 .anchor = anchor,
                                 .segments = &all,
                                 .segment_count = 1};
    train_optimizer_step(t->optimizer, t->pool, &update, t->params);
    out->optimizer_seconds = base_seconds() - middle;
    out->engine_seconds = middle - start;
    out->loss = result.loss / (double)t->batch;
    images->first = (images->first + t->batch) % (BENCH_IMAGES - t->batch + 1);
    return ADMMNN_OK;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}
