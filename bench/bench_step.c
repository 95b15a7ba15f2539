/* Seconds of a training step, or of a forward pass, of a network of the zoo on one batch that
 * is in memory, and the program's largest resident memory.
 *
 *   bench_step [--network resnet-20] [--batch N] [--threads N] [--steps N]
 *              [--backend auto|dnnl|reference] [--division size|samples|calls]
 *              [--pass train|infer] [--kept PERCENT] [--json]
 *
 * A training step is all of it: input, forward, loss, backward, and gradient descent with
 * momentum. Time is the median of the steps after the first two, and their least. With --kept
 * below 100 so many of the weights, drawn at random, are the support, and all other parameters. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/engine.h"
#include "graph/zoo.h"
#include "network.h"
#include "options.h"
#include "train/optimizer.h"
#include "trainer.h"

#define UNTIMED 2
#define STEPS_MAX 1000
/* So small that the network does not learn its one batch by heart: gradients that vanish become
 * denormal numbers, which a processor takes many times longer for. */
#define LEARNING_RATE 1e-6F

typedef struct options {
    const char *network, *backend, *division, *pass;
    unsigned batch, threads, steps;
    double kept;
    bool json;
} options;

typedef struct machine {
    graph *g;
    base_pool *pool;
    engine *engine;
    train_optimizer *optimizer;
    float *params, *pixels, *logits;
    uint16_t *labels;
    size_t elements, classes;
} machine;

static void fill(void *user, size_t sample, float *input, size_t stride) {
    const machine *m = user;
    for (size_t i = 0; i < m->elements; i++)
        input[i * stride] = m->pixels[sample * m->elements + i];
}

static admmnn_status make_data(const options *o, machine *m, admmnn_error *err) {
    base_random random = base_random_at(1, 2, 3);
    m->elements = graph_value_count(m->g, m->g->input);
    m->classes = graph_value_count(m->g, m->g->output);
    m->params = base_array(m->g->flat_count, sizeof *m->params);
    m->pixels = base_array(o->batch * m->elements, sizeof *m->pixels);
    m->logits = base_array(o->batch * m->classes, sizeof *m->logits);
    m->labels = base_array(o->batch, sizeof *m->labels);
    if (m->params == NULL || m->pixels == NULL || m->logits == NULL || m->labels == NULL)
        return base_fail_memory(err, "the batch");
    graph_initialise(m->g, 1, m->params);
    for (size_t i = 0; i < o->batch * m->elements; i++)
        m->pixels[i] = base_random_normal(&random);
    for (size_t i = 0; i < o->batch; i++)
        m->labels[i] = (uint16_t)base_random_below(&random, (uint32_t)m->classes);
    return ADMMNN_OK;
}

/* Draws what is kept, in index unless that is NULL. */
static size_t draw_kept(const options *o, const machine *m, size_t *index) {
    base_random random = base_random_at(4, 5, 6);
    size_t count = 0;
    for (uint32_t p = 0; p < m->g->parameter_count; p++) {
        const graph_parameter *parameter = &m->g->parameters[p];
        for (size_t i = 0; i < parameter->count; i++) {
            if (parameter->kind == GRAPH_WEIGHT &&
                100.0 * (double)base_random_uniform(&random) >= o->kept)
                continue;
            if (index != NULL)
                index[count] = parameter->offset + i;
            count++;
        }
    }
    return count;
}

/* The support, and its parameters moved together. */
static admmnn_status keep_some(const options *o, machine *m, admmnn_error *err) {
    const size_t count = draw_kept(o, m, NULL);
    size_t *index = base_array(count, sizeof *index);
    if (index == NULL)
        return base_fail_memory(err, "the support");
    draw_kept(o, m, index);
    for (size_t i = 0; i < count; i++)
        m->params[i] = m->params[index[i]];
    admmnn_status status = engine_set_support(m->engine, index, count, err);
    base_free(index);
    return status;
}

static admmnn_status make(const options *o, machine *m, admmnn_error *err) {
    const bool trains = strcmp(o->pass, "train") == 0;
    engine_settings settings = {.max_batch = o->batch, .training = trains};
    if (strcmp(o->division, "size") != 0)
        settings.division =
            strcmp(o->division, "calls") == 0 ? ENGINE_DIVIDE_CALLS : ENGINE_DIVIDE_SAMPLES;
    const train_optimizer_settings sgd = {.kind = TRAIN_SGD, .momentum = 0.9F};
    BASE_TRY(engine_backend_find(o->backend, &settings.backend, err));
    BASE_TRY(bench_network_make(o->network, &m->g, err));
    BASE_TRY(base_pool_create(o->threads, &m->pool, err));
    BASE_TRY(make_data(o, m, err));
    BASE_TRY(engine_create(m->g, &settings, m->pool, &m->engine, err));
    if (o->kept < 100.0)
        BASE_TRY(keep_some(o, m, err));
    engine_hold(m->engine, m->params);
    return trains
               ? train_optimizer_create(&sgd, engine_parameter_count(m->engine), &m->optimizer, err)
               : ADMMNN_OK;
}

static void unmake(machine *m) {
    train_optimizer_free(m->optimizer);
    engine_destroy(m->engine);
    base_free(m->params);
    base_free(m->pixels);
    base_free(m->logits);
    base_free(m->labels);
    base_pool_destroy(m->pool);
    graph_free(m->g);
}

static admmnn_status run(const options *o, machine *m, double *loss, admmnn_error *err) {
    const engine_batch batch = {
        .count = o->batch, .fill = fill, .user = m, .labels = m->labels, .seed = 1};
    if (m->optimizer == NULL)
        return engine_forward(m->engine, NULL, &batch, m->logits, err);
    engine_result result;
    BASE_TRY(engine_step(m->engine, m->params, &batch, &result, err));
    const train_segment all = {.count = engine_parameter_count(m->engine)};
    const train_update update = {.parts = result.parts,
                                 .part_count = result.part_count,
                                 .scale = 1.0F / (float)o->batch,
                                 .learning_rate = LEARNING_RATE,
                                 .segments = &all,
                                 .segment_count = 1};
    train_optimizer_step(m->optimizer, m->pool, &update, m->params);
    *loss = result.loss / (double)o->batch;
    return ADMMNN_OK;
}

static admmnn_status measure(options *o, machine *m, admmnn_error *err) {
    double seconds[STEPS_MAX];
    double loss = 0.0;
    BASE_TRY(make(o, m, err));
    for (unsigned i = 0; i < o->steps + UNTIMED; i++) {
        const double start = base_seconds();
        BASE_TRY(run(o, m, &loss, err));
        if (i >= UNTIMED)
            seconds[i - UNTIMED] = base_seconds() - start;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const double median = bench_median(seconds, o->steps);
    if (o->json)
        printf(
            "{\"network\": \"%s\", \"backend\": \"%s\", \"pass\": \"%s\", \"batch\": %u, "
            "\"threads\": %u, \"kept\": %g, \"seconds\": %.6f, \"least\": %.6f, \"peak_mib\": "
            "%.1f, \"loss\": %.6f}\n",
            o->network, engine_backend_name(m->engine), o->pass, o->batch,
            base_pool_threads(m->pool), o->kept, median, seconds[0],
            (double)usage.ru_maxrss / 1024.0, loss);
    else
        printf("%s, batch %u, %s, %s, %g %%: %.4f s, least %.4f s, at most %.0f MiB, loss %.4f\n",
               o->network, o->batch, o->pass, engine_backend_name(m->engine), o->kept, median,
               seconds[0], (double)usage.ru_maxrss / 1024.0, loss);
    return ADMMNN_OK;
}

static bool is_one_of(const char *text, const char *a, const char *b, const char *c) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

static bool parse(int argc, char **argv, options *o) {
    const bench_option known[] = {
        {"--network", .text = &o->network},   {"--backend", .text = &o->backend},
        {"--division", .text = &o->division}, {"--pass", .text = &o->pass},
        {"--batch", .number = &o->batch},     {"--threads", .number = &o->threads},
        {"--steps", .number = &o->steps},     {"--kept", .real = &o->kept}};
    if (!bench_options_read(argc, argv, known, sizeof known / sizeof known[0], &o->json))
        return false;
    return is_one_of(o->division, "size", "samples", "calls") &&
           is_one_of(o->pass, "train", "infer", "train") && o->kept > 0.0 && o->batch >= 1 &&
           o->steps >= 1 && o->steps <= STEPS_MAX;
}

int main(int argc, char **argv) {
    options o = {.network = "resnet-20",
                 .backend = "auto",
                 .division = "size",
                 .pass = "train",
                 .kept = 100.0,
                 .batch = 128,
                 .steps = 5};
    machine m = {0};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: bench_step [--network NAME] [--batch N] [--threads N] "
                "[--steps 1..1000] [--backend NAME] [--division size|samples|calls] "
                "[--pass train|infer] [--kept PERCENT] [--json]\n");
        return 2;
    }
    admmnn_error err = {0};
    admmnn_status status = measure(&o, &m, &err);
    unmake(&m);
    return bench_exit("bench_step", status, &err);
}
