/* One training step taken apart, shared by the benchmarks: a network, its
 * optimiser and images that are in memory as floats. */
#ifndef BENCH_TRAINER_H
#define BENCH_TRAINER_H

#include "engine/engine.h"
#include "train/optimizer.h"

#define BENCH_IMAGES 4096
#define BENCH_CLASSES 10

/* pixels[BENCH_IMAGES][elements]; step k takes the batch that starts at `first`. */
typedef struct bench_images {
    float *pixels;
    uint16_t labels[BENCH_IMAGES];
    size_t elements, first;
} bench_images;

/* Random images and labels. pixels are the caller's, freed with base_free. */
admmnn_status bench_images_make(const graph *g, bench_images *images, admmnn_error *err);

/* An engine_fill of the batch that starts at user->first. */
void bench_images_fill(void *user, size_t sample, float *input, size_t stride);

typedef struct bench_trainer {
    const graph *graph;
    base_pool *pool;
    bench_images *images;
    size_t batch;
    engine *engine;
    train_optimizer *optimizer; /* Adam */
    float *params;
} bench_trainer;

/* graph, pool, images and batch of t are given; the rest is made. */
admmnn_status bench_trainer_make(bench_trainer *t, engine_backend_id backend, admmnn_error *err);
void bench_trainer_free(bench_trainer *t);

typedef struct bench_step {
    double engine_seconds, optimizer_seconds;
    double loss; /* an image */
} bench_step;

/* One step. With an anchor the penalty rho/2 ||x - anchor||^2 is part of it. */
admmnn_status bench_trainer_step(bench_trainer *t, const float *anchor, float rho, bench_step *out,
                                 admmnn_error *err);

/* values are sorted. */
double bench_median(double *values, size_t count);

#endif
