/* The figures of a finished run, counted again from the bytes of model.admm and from
 * the networks themselves. */
#include "engine/support.h"

#include <zstd.h>

#include "compress/finish.h"
#include "runs.h"

#define TRAINING_IMAGES 330
#define TEST_IMAGES 200
#define CLASSES 10

typedef struct finished {
    recipe *r;
    compress_run *run;
    compress_result result;
    pack_model *packed; /* what model.admm says */
    uint64_t file_bytes;
    float *flat; /* the compressed network */
} finished;

static int make_larger_set(void **state) {
    if (make_set(state) != 0)
        return -1;
    tiny_set_write(root, "train", TRAINING_IMAGES, SIDE, 1);
    tiny_set_write(root, "t10k", TEST_IMAGES, SIDE, 2);
    return 0;
}

static finished finish_on(const char *backend, const char *model, const char *more) {
    finished f = {.r = make_recipe_on(backend, model, more)};
    char folder[BASE_PATH_MAX];
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    f.run = start(f.r);
    tick_to(f.run, RUN_DONE);
    f.flat = flat_params(f.run);
    assert_int_equal(tiny_set_folder("figures", folder), 0);
    MUST(run_finish(f.run, folder, &f.result, err));
    MUST(base_path_join(path, sizeof path, folder, "model.admm", err));
    MUST(base_file_read(path, 1 << 24, &bytes, &count, err));
    MUST(pack_decode(bytes, count, &f.packed, NULL, err));
    f.file_bytes = count;
    base_free(bytes);
    tiny_set_remove(folder);
    return f;
}

static finished finish(const char *model, const char *more) {
    return finish_on("lanes", model, more);
}

static void drop(finished *f) {
    pack_model_free(f->packed);
    base_free(f->flat);
    run_free(f->run);
    base_free(f->r);
}

/* ---- ratios and bytes ---- */

/* A layer as the file has it. */
typedef struct counted {
    uint64_t places, kept;
    unsigned bits;
    unsigned index_bits; /* of those that make indices and values shortest */
    uint64_t entries;
} counted;

static bool is_kept(const pack_tensor *t, size_t i) {
    return t->form == PACK_LEVELS ? t->codes[i] != 0 : t->values[i] != 0.0F;
}

/* Han et al. 2016: one for each weight, and one for each full run of zeros before it. */
static uint64_t entries_of(const pack_tensor *t, size_t count, unsigned width) {
    const uint64_t full = (UINT64_C(1) << width) - 1;
    uint64_t entries = 0;
    uint64_t escapes = 0;
    uint64_t zeros = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_kept(t, i)) {
            entries += escapes + 1;
            escapes = zeros = 0;
        } else if (++zeros == full) {
            escapes++;
            zeros = 0;
        }
    }
    return entries;
}

static counted count_layer(const finished *f, uint32_t layer) {
    const graph *g = f->packed->g;
    const uint32_t p = g->nodes[graph_layer(g, layer)].weight;
    const pack_tensor *t = &f->packed->tensors[p];
    counted c = {.places = g->parameters[p].count, .index_bits = 1};
    c.bits = t->form == PACK_LEVELS ? t->bits : 32;
    for (size_t i = 0; i < c.places; i++)
        c.kept += is_kept(t, i);
    c.entries = entries_of(t, c.places, 1);
    for (unsigned width = 2; width <= 16; width++) {
        uint64_t entries = entries_of(t, c.places, width);
        if (entries * (width + c.bits) >= c.entries * (c.index_bits + c.bits))
            continue;
        c.entries = entries;
        c.index_bits = width;
    }
    return c;
}

static void same_ratio(double ratio, uint64_t weights, double bits) {
    assert_true(fabs(ratio * bits / (32.0 * (double)weights) - 1.0) < 1e-9);
}

static uint64_t whole_bytes(uint64_t bits) {
    return (bits + 7) / 8;
}

/* Over all layers. */
typedef struct sums {
    uint64_t weights; /* before compression */
    uint64_t places, kept, data_bits, indexed_bits;
} sums;

static sums expect_layers(const finished *f) {
    sums s = {0};
    assert_int_equal(f->result.layer_count, f->run->layer_count);
    assert_int_equal(graph_layer_count(f->packed->g), f->run->layer_count);
    for (uint32_t l = 0; l < f->run->layer_count; l++) {
        const result_layer *got = &f->result.layers[l];
        const counted c = count_layer(f, l);
        assert_int_equal(got->weights, run_weight(f->run, l)->count);
        assert_int_equal(got->kept, c.kept);
        assert_int_equal(got->bits, c.bits);
        assert_int_equal(got->index_bits, c.index_bits);
        assert_int_equal(got->index_entries, c.entries);
        assert_true(c.kept > 0);
        s.weights += run_weight(f->run, l)->count;
        s.places += c.places;
        s.kept += c.kept;
        s.data_bits += c.kept * c.bits;
        s.indexed_bits += c.entries * (c.bits + c.index_bits);
    }
    return s;
}

static sums expect_ratios(const finished *f) {
    const sums s = expect_layers(f);
    const compress_result *r = &f->result;
    uint64_t biases = 0;
    for (uint32_t p = 0; p < f->run->g->parameter_count; p++)
        if (f->run->g->parameters[p].kind != GRAPH_WEIGHT &&
            graph_parameter_is_trained(&f->run->g->parameters[p]))
            biases += f->run->g->parameters[p].count;
    assert_int_equal(r->bytes.dense_fp32, 4 * s.weights);
    assert_int_equal(r->bytes.dense_fp32_biases, 4 * biases);
    assert_int_equal(r->bytes.data, whole_bytes(s.data_bits));
    assert_int_equal(r->bytes.relative_indices, whole_bytes(s.indexed_bits));
    assert_int_equal(r->bytes.file, f->file_bytes);
    assert_int_equal(r->bytes.values + r->bytes.indices + r->bytes.codebooks + r->bytes.scales +
                         r->bytes.biases + r->bytes.header,
                     f->file_bytes);
    same_ratio(r->ratio.pruning, s.weights, 32.0 * (double)s.kept);
    same_ratio(r->ratio.data_only, s.weights, (double)s.data_bits);
    same_ratio(r->ratio.relative_indices, s.weights, (double)s.indexed_bits);
    same_ratio(r->ratio.with_indices, s.weights, 8.0 * (double)r->bytes.with_indices);
    same_ratio(r->ratio.file, s.weights + biases, 8.0 * (double)f->file_bytes);
    return s;
}

/* ---- the dense network, compressed by a general compressor ---- */

static size_t zstd_bytes(const void *bytes, size_t count) {
    const size_t bound = ZSTD_compressBound(count);
    void *packed = base_array(bound, 1);
    assert_non_null(packed);
    const size_t used = ZSTD_compress(packed, bound, bytes, count, 19);
    assert_false(ZSTD_isError(used));
    base_free(packed);
    return used;
}

/* A rounding may fall the other way. */
static void expect_near(uint64_t got, size_t wanted) {
    if (fabs((double)got / (double)wanted - 1.0) >= 0.001)
        fail_msg("%llu bytes, not %zu", (unsigned long long)got, wanted);
}

/* The graph's vector as floats, and with each parameter scaled to 127 at its largest:
 * with its padding, which zstd may find some per cent better or worse than none. */
static void expect_dense_controls(const finished *f) {
    const graph *g = f->run->g;
    float *dense = floats(g->flat_count);
    int8_t *small = base_array(g->flat_count, 1);
    assert_non_null(small);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        const double most = largest(f->run->dense + parameter->offset, parameter->count);
        for (size_t i = parameter->offset; i < parameter->offset + parameter->count; i++) {
            dense[i] = f->run->dense[i];
            small[i] = (int8_t)lround(127.0 * (double)dense[i] / most);
        }
    }
    expect_near(f->result.bytes.dense_zstd, zstd_bytes(dense, g->flat_count * sizeof *dense));
    expect_near(f->result.bytes.int8_zstd, zstd_bytes(small, g->flat_count));
    base_free(dense);
    base_free(small);
}

/* ---- accuracies ---- */

/* Images that are right, and those whose answer the last bits of a float decide. */
typedef struct tally {
    size_t right, unsure;
} tally;

static void judge(const float *logits, uint16_t label, tally *t) {
    uint32_t best = 0;
    for (uint32_t c = 1; c < CLASSES; c++)
        best = logits[c] > logits[best] ? c : best;
    bool close = false;
    for (uint32_t c = 0; c < CLASSES; c++)
        close |= c != best && logits[best] - logits[c] < 1e-4F;
    t->right += best == label;
    t->unsure += close;
}

/* By the reference back end, each pixel as (pixel / 255 - mean) * scale. */
static tally test_network(const graph *g, const float *params, float mean, float scale) {
    data_set test;
    MUST(data_idx_open(root, DATA_TEST, &test, err));
    assert_int_equal(test.count, TEST_IMAGES);
    base_pool *pool = pool_make(1);
    engine *e = engine_make(g, ENGINE_REFERENCE, 0, TEST_IMAGES, pool);
    samples s = samples_make(g, TEST_IMAGES);
    for (size_t i = 0; i < TEST_IMAGES * s.elements; i++)
        s.pixels[i] = ((float)test.pixels[i] / 255.0F - mean) * scale;
    engine_batch batch = batch_of(&s, TEST_IMAGES);
    float *logits = floats((size_t)TEST_IMAGES * CLASSES);
    MUST(engine_forward(e, params, &batch, logits, err));
    tally t = {0};
    for (size_t i = 0; i < TEST_IMAGES; i++)
        judge(logits + i * CLASSES, test.labels[i], &t);
    base_free(logits);
    samples_free(&s);
    engine_destroy(e);
    base_pool_destroy(pool);
    data_set_free(&test);
    return t;
}

static void expect_accuracy(double accuracy, const tally *t) {
    assert_true(fabs(accuracy * TEST_IMAGES - (double)t->right) <= (double)t->unsure + 1e-6);
    assert_true(t->unsure < 5);
}

/* Far enough apart that none is taken for another. */
static void expect_apart(const tally *a, const tally *b) {
    assert_true(fabs((double)a->right - (double)b->right) > (double)(a->unsure + b->unsure));
}

static void expect_accuracies(const finished *f) {
    const compress_run *run = f->run;
    const data_tones *in = &run->tones;
    float *read = floats(f->packed->g->flat_count);
    pack_model_values(f->packed, read);
    const tally dense = test_network(run->g, run->dense, in->mean[0], in->scale[0]);
    const tally pruned = test_network(run->g, run_pruned(run), in->mean[0], in->scale[0]);
    const tally compressed = test_network(run->g, f->flat, in->mean[0], in->scale[0]);
    const tally packed =
        test_network(f->packed->g, read, f->packed->tones.mean[0], f->packed->tones.scale[0]);
    expect_accuracy(f->result.accuracy.dense, &dense);
    expect_accuracy(f->result.accuracy.pruned, &pruned);
    expect_accuracy(f->result.accuracy.compressed, &compressed);
    expect_accuracy(f->result.accuracy.packed, &packed);
    expect_apart(&dense, &pruned);
    if (f->r->quantize.enabled) {
        expect_apart(&dense, &compressed);
        expect_apart(&pruned, &compressed);
    }
    base_free(read);
}

/* ---- runs ---- */

/* A bitmap and codes of fixed length: what the file must spend on them is known. The
 * dense network is half trained, pruning breaks it and quantization mends it. */
static void on_levels(void **state) {
    (void)state;
    finished f = finish("lenet-300-100",
                        "training: {epochs: 1, batch: 16, learning_rate: 0.002}\n"
                        "prune:\n  rounds: [10]\n  method: one-shot\n  admm: {iterations: 0}\n"
                        "  finish: {epochs: 0}\n"
                        "quantize:\n  bias_bits: 0\n  bits: [{layer: fc1, bits: 2},"
                        " {layer: fc2, bits: 3}, {layer: fc3, bits: 4}]\n"
                        "  admm: {iterations: 0}\n  fix: [0.1, 1]\n"
                        "  retrain: {epochs: 8, batch: 16, learning_rate: 0.01}\n"
                        "pack: {positions: bitmap, values: fixed}\n");
    const sums s = expect_ratios(&f);
    const uint64_t intervals = 2 * UINT64_C(3);
    const uint64_t stored = s.data_bits / 8 + s.places / 8 + intervals;
    assert_int_equal(f.result.bytes.values, s.data_bits / 8);
    assert_int_equal(f.result.bytes.indices, s.places / 8);
    assert_int_equal(f.result.bytes.codebooks, 0);
    assert_int_equal(f.result.bytes.scales, intervals);
    assert_int_equal(f.result.bytes.with_indices, stored);
    expect_dense_controls(&f);
    expect_accuracies(&f);
    drop(&f);
}

/* Whole filters go, and their units with them. */
static void on_floats_without_dead_units(void **state) {
    (void)state;
    finished f = finish("lenet-5",
                        "training: {epochs: 4, batch: 16, learning_rate: 0.003}\n"
                        "prune:\n  rounds: [3]\n  set: filters\n  method: one-shot\n"
                        "  admm: {iterations: 0}\n"
                        "  finish: {epochs: 0}\n" NO_QUANTIZE);
    const sums s = expect_ratios(&f);
    assert_true(s.places < s.weights);
    expect_dense_controls(&f);
    expect_accuracies(&f);
    drop(&f);
}

/* Normalizations are floats in the file whatever the weights are. */
static void with_normalization(void **state) {
    (void)state;
    finished f = finish_on("auto", "mlp-bn-32",
                           "training: {epochs: 12, batch: 16, learning_rate: 0.003}\n"
                           "prune:\n  rounds: [3]\n  method: one-shot\n  admm: {iterations: 0}\n"
                           "  finish: {epochs: 4, batch: 16}\n"
                           "quantize:\n  levels: binary\n  admm: {iterations: 0}\n"
                           "  retrain: {epochs: 8, batch: 16, learning_rate: 0.003}\n");
    expect_ratios(&f);
    expect_dense_controls(&f);
    const graph *g = f.packed->g;
    size_t floats_found = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const bool coded =
            g->parameters[p].kind == GRAPH_WEIGHT || g->parameters[p].kind == GRAPH_BIAS;
        assert_int_equal(f.packed->tensors[p].form, coded ? PACK_LEVELS : PACK_FLOAT32);
        floats_found += !coded;
    }
    assert_int_equal(floats_found, 16);
    assert_true(f.result.accuracy.packed == f.result.accuracy.compressed);
    assert_true(f.result.accuracy.packed > 0.3);
    drop(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_levels),
        cmocka_unit_test(on_floats_without_dead_units),
        cmocka_unit_test(with_normalization),
    };
    return cmocka_run_group_tests(tests, make_larger_set, remove_set);
}
