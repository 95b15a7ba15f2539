/* Checkpoints whose checksum is right and whose content no run writes. */
#include <math.h>

#include "base/hash.h"
#include "base/memory.h"
#include "compress/run.h"
#include "tiny_set.h"

#define EPOCHS 2
#define CRC_COUNT 4

/* Where a snapshot has what; a layer's steps stand in its place. */
#define ROUND_AT (8 + 4 + 2 * 64 + 8 + 4 + 8 + 4)
#define ITERATION_AT (ROUND_AT + 4)
#define EPOCH_AT (ITERATION_AT + 4)
#define SCORES_AT (EPOCH_AT + 3 * 4)
#define SCORE_COUNT 6
#define SECONDS_AT (SCORES_AT + SCORE_COUNT * 8)
#define LAYERS_AT (SECONDS_AT + (1 + RUN_DONE) * 8)
#define LAYER_SIZE (8 + 4 + 1 + 4 + 4)
#define STEP_AT (8 + 4 + 1)
#define BIAS_STEP_AT (STEP_AT + 4)

static char root[BASE_PATH_MAX];
static recipe *r;
static base_writer snapshot; /* of a run that has not begun */
static size_t mask_at, mask_count;

static compress_run *start(void) {
    static const admmnn_context context = {.threads = 1};
    compress_run *run;
    admmnn_error err = {0};
    if (run_create(r, &context, &run, &err) != ADMMNN_OK)
        fail_msg("run_create: %s", err.message);
    return run;
}

static int make_snapshot(void **state) {
    (void)state;
    char text[BASE_PATH_MAX + 256];
    if (tiny_set_folder("checkpoint", root) != 0)
        return -1;
    tiny_set_write(root, "train", 90, 16, 1);
    tiny_set_write(root, "t10k", 90, 16, 2);
    snprintf(text, sizeof text,
             "model: lenet-300-100\n"
             "dataset: {format: idx, path: \"%s\", validation: 30}\n"
             "backend: lanes\n"
             "training: {epochs: %d}\n"
             "prune: {rounds: [4]}\n",
             root, EPOCHS);
    assert_int_equal(recipe_parse("r.yaml", (const uint8_t *)text, strlen(text), &r, NULL),
                     ADMMNN_OK);
    compress_run *run = start();
    assert_int_equal(run_snapshot(run, &snapshot, NULL), ADMMNN_OK);
    mask_at = LAYERS_AT + run->layer_count * LAYER_SIZE + 1;
    mask_count = run->g->flat_count;
    run_free(run);
    return 0;
}

static int remove_snapshot(void **state) {
    (void)state;
    base_writer_free(&snapshot);
    base_free(r);
    tiny_set_remove(root);
    return 0;
}

/* The snapshot with other bytes at a place and a checksum that is right again. */
static void restore(size_t place, const void *bytes, size_t count, admmnn_status wanted) {
    base_writer changed = {0};
    compress_run *run = start();
    admmnn_error err = {0};
    base_write_bytes(&changed, snapshot.bytes, snapshot.count - CRC_COUNT);
    assert_false(changed.failed);
    memcpy(changed.bytes + place, bytes, count);
    base_write_u32(&changed, base_crc32(changed.bytes, changed.count));
    const base_reader in = {.bytes = changed.bytes, .count = changed.count};
    admmnn_status got = run_restore(run, "c.ckpt", &in, &err);
    if (got != wanted)
        fail_msg("place %zu: %s, wanted %s: %s", place, admmnn_status_name(got),
                 admmnn_status_name(wanted), err.message);
    if (wanted != ADMMNN_OK)
        assert_string_equal(err.message,
                            "c.ckpt: the checkpoint's position makes no sense; "
                            "choose another --out, or remove all that the run left there");
    run_free(run);
    base_writer_free(&changed);
}

static void restore_f64(size_t place, double value, admmnn_status wanted) {
    base_writer bytes = {0};
    base_write_f64(&bytes, value);
    restore(place, bytes.bytes, bytes.count, wanted);
    base_writer_free(&bytes);
}

static void restore_u32(size_t place, uint32_t value, admmnn_status wanted) {
    base_writer bytes = {0};
    base_write_u32(&bytes, value);
    restore(place, bytes.bytes, bytes.count, wanted);
    base_writer_free(&bytes);
}

static void scores_are_fractions(void **state) {
    (void)state;
    static const double wrong[] = {NAN, INFINITY, -INFINITY, 1.5, -0.5};
    for (size_t s = 0; s < SCORE_COUNT; s++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
            restore_f64(SCORES_AT + 8 * s, wrong[i], ADMMNN_CORRUPT);
        restore_f64(SCORES_AT + 8 * s, 1, ADMMNN_OK);
        restore_f64(SCORES_AT + 8 * s, -1, ADMMNN_OK);
    }
}

static void seconds_are_finite(void **state) {
    (void)state;
    static const double wrong[] = {NAN, INFINITY, -1};
    for (size_t s = 0; s < 1 + RUN_DONE; s++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
            restore_f64(SECONDS_AT + 8 * s, wrong[i], ADMMNN_CORRUPT);
        restore_f64(SECONDS_AT + 8 * s, 1e6, ADMMNN_OK);
    }
}

static void steps_are_finite(void **state) {
    (void)state;
    const float wrong[] = {NAN, INFINITY};
    for (size_t i = 0; i < 2; i++) {
        restore(LAYERS_AT + STEP_AT, &wrong[i], sizeof wrong[i], ADMMNN_CORRUPT);
        restore(LAYERS_AT + LAYER_SIZE + BIAS_STEP_AT, &wrong[i], sizeof wrong[i], ADMMNN_CORRUPT);
    }
}

static void a_mask_is_of_zeros_and_ones(void **state) {
    (void)state;
    static const uint8_t wrong[] = {2, 255};
    for (size_t i = 0; i < sizeof wrong; i++) {
        restore(mask_at, &wrong[i], 1, ADMMNN_CORRUPT);
        restore(mask_at + mask_count - 1, &wrong[i], 1, ADMMNN_CORRUPT);
    }
}

static void epochs_are_of_the_stretch(void **state) {
    (void)state;
    restore_u32(EPOCH_AT, EPOCHS, ADMMNN_OK);
    restore_u32(EPOCH_AT, EPOCHS + 1, ADMMNN_CORRUPT);
    restore_u32(EPOCH_AT, UINT32_MAX, ADMMNN_CORRUPT);
    restore_u32(ITERATION_AT, 1, ADMMNN_CORRUPT);
    restore_u32(ROUND_AT, 1, ADMMNN_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_fractions),      cmocka_unit_test(seconds_are_finite),
        cmocka_unit_test(steps_are_finite),          cmocka_unit_test(a_mask_is_of_zeros_and_ones),
        cmocka_unit_test(epochs_are_of_the_stretch),
    };
    return cmocka_run_group_tests(tests, make_snapshot, remove_snapshot);
}
