/* Runs on a tiny set of their own, driven tick by tick, for what is tested of them. */
#ifndef TESTS_COMPRESS_RUNS_H
#define TESTS_COMPRESS_RUNS_H

#include "base/memory.h"
#include "compress/run.h"
#include "must.h"
#include "tiny_set.h"

#define IMAGES 90
#define SIDE 16 /* the smallest images LeNet-5 takes */
/* Of LeNet-300-100 on them. */
#define ALL_WEIGHTS (300 * SIDE * SIDE + 300 * 100 + 100 * 10)

static char root[BASE_PATH_MAX];
static const admmnn_context context = {.threads = 1};

/* The group's setup and teardown. */
static inline int make_set(void **state) {
    (void)state;
    if (tiny_set_folder("run", root) != 0)
        return -1;
    tiny_set_write(root, "train", IMAGES, SIDE, 1);
    tiny_set_write(root, "t10k", IMAGES, SIDE, 2);
    return 0;
}

static inline int remove_set(void **state) {
    (void)state;
    tiny_set_remove(root);
    return 0;
}

/* The recipe of what is asked for, on the tiny set. */
static inline recipe *make_recipe_on(const char *backend, const char *model, const char *more) {
    recipe *r = NULL;
    admmnn_error err = {0};
    base_writer text = {0};
    base_write_text(&text,
                    "model: %s\n"
                    "dataset: {format: idx, path: \"%s\", validation: 30}\n"
                    "backend: %s\n%s",
                    model, root, backend, more);
    if (text.failed || recipe_parse("r.yaml", text.bytes, text.count, &r, &err) != ADMMNN_OK)
        fail_msg("recipe_parse: %s", err.message);
    base_writer_free(&text);
    return r;
}

static inline recipe *make_recipe(const char *model, const char *more) {
    return make_recipe_on("lanes", model, more);
}

static inline compress_run *start(const recipe *r) {
    compress_run *run;
    MUST(run_create(r, &context, &run, err));
    return run;
}

static inline void tick(compress_run *run) {
    admmnn_error err = {0};
    if (run_tick(run, &err) != ADMMNN_OK)
        fail_msg("%s, epoch %u: %s", run_stage_text(run), run->at.trained, err.message);
}

static inline void tick_to(compress_run *run, run_stage stage) {
    while (run->at.stage != stage && run->at.stage != RUN_DONE)
        tick(run);
    assert_int_equal(run->at.stage, stage);
}

static inline void take(const compress_run *run, base_writer *snapshot) {
    MUST(run_snapshot(run, snapshot, err));
}

static inline admmnn_status restore(compress_run *run, const base_writer *snapshot,
                                    admmnn_error *err) {
    const base_reader in = {.bytes = snapshot->bytes, .count = snapshot->count};
    return run_restore(run, "c.ckpt", &in, err);
}

static inline compress_run *restored(const recipe *r, const base_writer *snapshot) {
    compress_run *run = start(r);
    MUST(restore(run, snapshot, err));
    return run;
}

/* The network's parameters in the graph's places; the caller's. */
static inline float *flat_params(const compress_run *run) {
    float *flat;
    MUST(run_flat_params(run, &flat, err));
    return flat;
}

/* The place in the graph's vector of the network's parameter i. */
static inline size_t place_of(const compress_run *run, size_t i) {
    return run->network->support == NULL ? i : run->network->support[i];
}

static inline bool is_weight_of(const compress_run *run, uint32_t layer, size_t place) {
    const graph_parameter *weight = run_weight(run, layer);
    return place >= weight->offset && place < weight->offset + weight->count;
}

/* The moments of the training that goes on, in the graph's places; the caller's. */
static inline float *flat_second_moments(const compress_run *run) {
    float *flat = base_array(run->g->flat_count, sizeof *flat);
    const float *second = train_optimizer_second(run->optimizer);
    assert_true(flat != NULL && second != NULL);
    for (size_t i = 0; i < run->network->active_count; i++)
        flat[place_of(run, i)] = second[i];
    return flat;
}

#define TRAINING "training: {epochs: 2, batch: 16, learning_rate: 0.003}\n"
#define NO_QUANTIZE "quantize: {enabled: false}\n"

#endif
