/* Checkpoints: whatever is restored writes itself down again as it was, and the run
 * goes on from it. The input is what follows the identity, with one byte for the
 * mask (a weight kept of so many; 0: all), so that it stays short; identity and
 * checksum are written here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "compress/run.h"

#define IMAGES 12
#define SIDE 2
#define LAYERS 3
#define POSITION_COUNT (6 * 4 + 6 * 8 + (1 + RUN_DONE) * 8 + LAYERS * 21 + 1)
#define SECONDS_AT (8 + 4 + 2 * 64 + 8 + 4 + 8 + 6 * 4 + 6 * 8)
#define SECONDS_COUNT ((1 + RUN_DONE) * 8)
#define CRC_COUNT 4

static const char text[] =
    "model: lenet-300-100\n"
    "dataset: {format: idx, path: ., validation: 4}\n"
    "backend: lanes\n"
    "training: {epochs: 1}\n"
    "prune:\n"
    "  rounds: [2, 9]\n"
    "  admm: {iterations: 1}\n"
    "  retrain: {epochs: 1}\n"
    "  finish: {epochs: 1}\n"
    "quantize:\n"
    "  max_bits: 2\n"
    "  admm: {iterations: 1}\n"
    "  retrain: {epochs: 1}\n";

static char folder[] = "/tmp/admmnn-fuzz-XXXXXX";
#define PARTS 2
static const char *const parts[PARTS] = {"train", "t10k"};
static char images[PARTS][64], labels[PARTS][64];
static recipe *r;
static const admmnn_context context = {.threads = 1};

static void must(bool holds) {
    if (!holds)
        abort();
}

static void remove_set(void) {
    for (size_t part = 0; part < PARTS; part++) {
        unlink(images[part]);
        unlink(labels[part]);
    }
    rmdir(folder);
    base_free(r);
}

static void make_set(void) {
    uint8_t image_bytes[16 + IMAGES * SIDE * SIDE] = {0, 0, 8, 3,    0, 0, 0, IMAGES,
                                                      0, 0, 0, SIDE, 0, 0, 0, SIDE};
    uint8_t label_bytes[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 0, IMAGES};
    for (size_t i = 0; i < IMAGES * SIDE * SIDE; i++)
        image_bytes[16 + i] = (uint8_t)(i * 37);
    for (size_t i = 0; i < IMAGES; i++)
        label_bytes[8 + i] = (uint8_t)(i % 10);
    must(mkdtemp(folder) != NULL);
    atexit(remove_set);
    for (size_t part = 0; part < PARTS; part++) {
        snprintf(images[part], sizeof images[part], "%s/%s-images-idx3-ubyte", folder, parts[part]);
        snprintf(labels[part], sizeof labels[part], "%s/%s-labels-idx1-ubyte", folder, parts[part]);
        must(base_file_write(images[part], image_bytes, sizeof image_bytes, NULL) == ADMMNN_OK);
        must(base_file_write(labels[part], label_bytes, sizeof label_bytes, NULL) == ADMMNN_OK);
    }
    must(recipe_parse("r.yaml", (const uint8_t *)text, sizeof text - 1, &r, NULL) == ADMMNN_OK);
    snprintf(r->dataset_path, sizeof r->dataset_path, "%s", folder);
}

static compress_run *start(void) {
    compress_run *run;
    must(run_create(r, &context, &run, NULL) == ADMMNN_OK);
    must(run->layer_count == LAYERS);
    return run;
}

static void write_mask(const compress_run *run, uint8_t spacing, base_writer *out) {
    for (size_t i = 0; i < run->g->flat_count; i++)
        base_write_u8(out, spacing == 0 || i % spacing == 0);
}

static void make_checkpoint(const compress_run *run, const uint8_t *data, size_t size,
                            base_writer *out) {
    base_write_text(out, "ADMMNNCK");
    base_write_u32(out, 4);
    base_write_bytes(out, r->sha256, 64);
    base_write_bytes(out, run->data_sha256, 64);
    base_write_u64(out, r->seed);
    base_write_u32(out, context.threads);
    base_write_u64(out, run->g->flat_count);
    size_t position = size - 1 < POSITION_COUNT ? size - 1 : POSITION_COUNT;
    base_write_bytes(out, data + 1, position);
    if (position == POSITION_COUNT)
        write_mask(run, data[0], out);
    base_write_bytes(out, data + 1 + position, size - 1 - position);
    base_write_u32(out, base_crc32(out->bytes, out->count));
    must(!out->failed);
}

static bool restore(compress_run *run, const base_writer *checkpoint) {
    const base_reader in = {.bytes = checkpoint->bytes, .count = checkpoint->count};
    return run_restore(run, "input", &in, NULL) == ADMMNN_OK;
}

static void must_round_trip(const compress_run *run) {
    base_writer first = {0};
    base_writer second = {0};
    compress_run *again = start();
    must(run_snapshot(run, &first, NULL) == ADMMNN_OK);
    must(restore(again, &first));
    must(run_snapshot(again, &second, NULL) == ADMMNN_OK);
    const size_t rest = SECONDS_AT + SECONDS_COUNT;
    must(first.count == second.count && memcmp(first.bytes, second.bytes, SECONDS_AT) == 0);
    must(memcmp(first.bytes + rest, second.bytes + rest, first.count - rest - CRC_COUNT) == 0);
    base_writer_free(&first);
    base_writer_free(&second);
    run_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    if (r == NULL)
        make_set();
    base_writer checkpoint = {0};
    compress_run *run = start();
    make_checkpoint(run, data, size, &checkpoint);
    if (restore(run, &checkpoint)) {
        must_round_trip(run);
        run_tick(run, NULL);
    }
    run_free(run);
    base_writer_free(&checkpoint);
    return 0;
}
