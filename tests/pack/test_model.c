/* The public face of model files: opened, described, run, packed, unpacked. */
#include "support.h"

#include <pthread.h>
#include <unistd.h>

#include "admmnn/model.h"
#include "data/npy.h"
#include "onnx/onnx.h"
#include "pack/model_file.h"
#include "pack/reorder.h"

static char folder[] = "/tmp/admmnn-model-XXXXXX";
static const char *const names[] = {"a.admm",
                                    "a.onnx",
                                    "b.admm",
                                    "b.onnx",
                                    "c.onnx",
                                    "in.npy",
                                    "out.npy",
                                    "t10k-images-idx3-ubyte",
                                    "t10k-labels-idx1-ubyte"};

static const char *in_folder(const char *name) {
    static char paths[4][128];
    static int next = 0;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static int remove_files(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(in_folder(names[i]));
    return 0;
}

static bytes read_file(const char *name) {
    bytes file;
    MUST(base_file_read(in_folder(name), 1 << 24, &file.at, &file.count, err));
    return file;
}

static void expect_same_files(const char *a, const char *b) {
    bytes x = read_file(a);
    bytes y = read_file(b);
    assert_int_equal(x.count, y.count);
    assert_memory_equal(x.at, y.at, x.count);
    base_free(x.at);
    base_free(y.at);
}

static pack_model *compressed_lenet(void) {
    pack_model *model = random_model(zoo("lenet-5"), (filling){ADMM_LEVELS_EQUAL, 3, 0.02}, 11);
    model->tones = data_tones_of(0.1307F, 3.2456F);
    return model;
}

static void write_packed(pack_model *model, const char *name) {
    bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    MUST(base_file_write(in_folder(name), file.at, file.count, err));
    base_free(file.at);
    pack_model_free(model);
}

static void write_onnx(const graph *g, const float *params, const char *name) {
    const onnx_writing writing = {.g = g, .params = params};
    const onnx_target target = {.path = in_folder(name)};
    uint64_t data_bytes;
    MUST(onnx_write(&writing, &target, &data_bytes, err));
}

static void convert(const char *from, const char *to, bool pack) {
    const admmnn_pack_settings settings = {.input = in_folder(from), .output = in_folder(to)};
    MUST(pack ? admmnn_model_pack(&settings, NULL, err)
              : admmnn_model_unpack(&settings, NULL, err));
}

static void unpacked_and_packed_again_is_the_same_file(void **state) {
    (void)state;
    const filling fillings[] = {
        {ADMM_LEVELS_EQUAL, 3, 0.02},       {ADMM_LEVELS_EQUAL_ZERO, 4, 0.9},
        {ADMM_LEVELS_POWER_OF_TWO, 4, 0.1}, {ADMM_LEVELS_BINARY, 1, 0.1},
        {ADMM_LEVELS_TERNARY, 2, 0.9},      {ADMM_LEVELS_EQUAL, 16, 0.1}};
    for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++) {
        pack_model *model = random_model(small_network(), fillings[i], i);
        model->tones.mean[0] = 0.1F; /* of the others 0, or the same for all */
        if (i % 2 == 0)
            model->tones = data_tones_of(0.1F, 1.0F);
        MUST(pack_reorder(model, NULL, err));
        write_packed(model, "a.admm");
        convert("a.admm", "a.onnx", false);
        convert("a.onnx", "b.admm", true);
        expect_same_files("a.admm", "b.admm");
        remove_files(NULL);
    }
}

static void mixed_floats_and_codes_too(void **state) {
    (void)state;
    pack_model *model = compressed_lenet();
    base_random random = base_random_at(6, 6, 6);
    for (uint32_t p = 1; p < model->g->parameter_count; p += 2) {
        base_free(model->tensors[p].codes);
        fill_floats(&model->tensors[p], model->g->parameters[p].count, 0.9, &random);
    }
    write_packed(model, "a.admm");
    convert("a.admm", "a.onnx", false);
    convert("a.onnx", "b.admm", true);
    expect_same_files("a.admm", "b.admm");
    convert("b.admm", "b.onnx", false);
    expect_same_files("a.onnx", "b.onnx");
}

/* Without metadata: equal levels are found, and other values stay as they are. */
static void levels_are_found(void **state) {
    (void)state;
    graph *g = one_product(40, 30);
    float *params = base_array(g->flat_count, sizeof *params);
    base_random random = base_random_at(3, 3, 3);
    for (size_t i = 0; i < 1200; i += 7)
        params[i] = 0.0123F * (float)((int)base_random_below(&random, 7) - 3);
    params[g->parameters[1].offset] = 0.3F;
    params[g->parameters[1].offset + 1] = 0.31F;
    write_onnx(g, params, "a.onnx");
    convert("a.onnx", "a.admm", true);
    bytes file = read_file("a.admm");
    pack_model *model;
    MUST(pack_decode(file.at, file.count, &model, NULL, err));
    assert_int_equal(model->tensors[0].form, PACK_LEVELS);
    assert_int_equal(model->tensors[0].bits, 3);
    assert_true(model->tensors[0].step == 0.0123F);
    assert_int_equal(model->tensors[1].form, PACK_FLOAT32);
    assert_int_equal(model->original_weights, 1200);
    float *back = base_array(g->flat_count, sizeof *back);
    pack_model_values(model, back);
    assert_memory_equal(params, back, g->flat_count * sizeof *back);
    pack_model_free(model);
    base_free(file.at);
    base_free(params);
    base_free(back);
    graph_free(g);
}

static void metadata_that_lie_are_noticed(void **state) {
    (void)state;
    graph *g = one_product(4, 2);
    float params[32] = {0.5F, -0.25F, 0.125F};
    static const char *const lies[][2] = {{"admmnn.levels.fc1.weight", "equal 2 3e000000"},
                                          {"admmnn.levels.fc1.weight", "equal 3 3e00000"},
                                          {"admmnn.levels.fc1.weight", "equal 3 7f800000"},
                                          {"admmnn.levels.fc1.weight", "equals 3 3e000000"},
                                          {"admmnn.levels.fc1.weight", "equal 17 3e000000"},
                                          {"admmnn.levels.fc1.weight", "equal 3 3e000000 "},
                                          {"admmnn.original", "1"},
                                          {"admmnn.original", "-1 2"},
                                          {"admmnn.original", "281474976710657 7"},
                                          {"admmnn.input", "3e000000"}};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        const onnx_property property = {lies[i][0], lies[i][1]};
        admmnn_error err = {0};
        admmnn_model *model;
        const onnx_writing writing = {
            .g = g, .params = params, .properties = &property, .property_count = 1};
        const onnx_target target = {.path = in_folder("a.onnx")};
        uint64_t data_bytes;
        MUST(onnx_write(&writing, &target, &data_bytes, err));
        assert_int_equal(admmnn_model_open(in_folder("a.onnx"), NULL, &model, &err),
                         ADMMNN_CORRUPT);
        assert_non_null(strstr(err.message, "a.onnx"));
    }
    graph_free(g);
}

static void nothing_is_overwritten_unasked(void **state) {
    (void)state;
    write_packed(compressed_lenet(), "a.admm");
    convert("a.admm", "a.onnx", false);
    admmnn_pack_settings settings = {.input = in_folder("a.admm"), .output = in_folder("a.onnx")};
    admmnn_error err;
    assert_int_equal(admmnn_model_unpack(&settings, NULL, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "a.onnx: exists already; --force"));
    settings.force = 1;
    assert_int_equal(admmnn_model_unpack(&settings, NULL, &err), ADMMNN_OK);
    settings = (admmnn_pack_settings){
        .input = in_folder("a.onnx"), .output = in_folder("b.admm"), .positions = "morse"};
    assert_int_equal(admmnn_model_pack(&settings, NULL, &err), ADMMNN_USAGE);
    settings.input = in_folder("none.onnx");
    assert_int_equal(admmnn_model_pack(&settings, NULL, &err), ADMMNN_NOT_FOUND);
    assert_false(base_file_exists(in_folder("b.admm")));
}

static admmnn_model *open_model(const char *name) {
    admmnn_model *model;
    const admmnn_context context = {.threads = 1};
    MUST(admmnn_model_open(in_folder(name), &context, &model, err));
    return model;
}

static void both_forms_say_and_compute_the_same(void **state) {
    (void)state;
    enum { COUNT = 300 };
    write_packed(compressed_lenet(), "a.admm");
    convert("a.admm", "a.onnx", false);
    admmnn_model *packed = open_model("a.admm");
    admmnn_model *dense = open_model("a.onnx");
    admmnn_model_info a;
    admmnn_model_info b;
    admmnn_model_get_info(packed, &a);
    admmnn_model_get_info(dense, &b);
    assert_string_equal(a.name, "lenet-5");
    assert_true(a.input[0] == 1 && a.input[1] == 28 && a.input[2] == 28 && a.outputs == 10);
    assert_int_equal(a.weights, 430500);
    assert_int_equal(a.original_weights, 430500);
    assert_true(a.kept > 8000 && a.kept < 9300);
    assert_true(a.file_bytes * 50 < b.file_bytes);
    b.file_bytes = a.file_bytes;
    assert_memory_equal(&a, &b, sizeof a);
    float *input = base_array(COUNT * 784, sizeof *input);
    float *x = base_array(COUNT * 10, sizeof *x);
    float *y = base_array(COUNT * 10, sizeof *y);
    base_random random = base_random_at(1, 1, 1);
    for (size_t i = 0; i < COUNT * 784; i++)
        input[i] = base_random_normal(&random);
    MUST(admmnn_model_run(packed, input, COUNT, x, err));
    MUST(admmnn_model_run(dense, input, COUNT, y, err));
    assert_memory_equal(x, y, COUNT * 10 * sizeof *x);
    MUST(admmnn_model_run(packed, input + 299 * 784, 1, y, err));
    for (size_t i = 0; i < 10; i++)
        assert_true(fabsf(x[2990 + i] - y[i]) < 1e-4F * (1.0F + fabsf(y[i])));
    base_free(input);
    base_free(x);
    base_free(y);
    admmnn_model_close(packed);
    admmnn_model_close(dense);
}

/* ---- runs ---- */

static float *noise(size_t count) {
    float *values = base_array(count, sizeof *values);
    assert_non_null(values);
    base_random random = base_random_at(5, 5, 5);
    for (size_t i = 0; i < count; i++)
        values[i] = base_random_normal(&random);
    return values;
}

static bool close_to(const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) < 1e-4F * (1.0F + fabsf(b[i]))))
            return false;
    return true;
}

static size_t inputs_of(const admmnn_model_info *info) {
    return (size_t)info->input[0] * info->input[1] * info->input[2];
}

/* Calls of any number of samples, in any order, give what the reference gives for each;
 * a call made again gives the same bytes. */
static void expect_same_answers(pack_model *packed, unsigned threads) {
    enum { MOST = 300 };
    static const size_t counts[] = {1, MOST, 0, 7, 256, 1, 257, 16, 17};
    float *params = base_array(packed->g->flat_count, sizeof *params);
    const admmnn_context context = {.threads = threads};
    admmnn_model *model;
    admmnn_model_info info;
    pack_model_values(packed, params);
    graph *g;
    MUST(graph_clone(packed->g, &g, err));
    write_packed(packed, "a.admm");
    MUST(admmnn_model_open(in_folder("a.admm"), &context, &model, err));
    admmnn_model_get_info(model, &info);
    float *input = noise(MOST * inputs_of(&info));
    float *expected = base_array(MOST * info.outputs, sizeof *expected);
    float *output = base_array(MOST * info.outputs, sizeof *output);
    float *again = base_array(MOST * info.outputs, sizeof *again);
    forward(g, params, input, MOST, expected);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t first = MOST - counts[c];
        const float *from = input + first * inputs_of(&info);
        MUST(admmnn_model_run(model, from, counts[c], output, err));
        MUST(admmnn_model_run(model, from, counts[c], again, err));
        assert_memory_equal(output, again, counts[c] * info.outputs * sizeof *output);
        assert_true(close_to(output, expected + first * info.outputs, counts[c] * info.outputs));
    }
    for (size_t i = 0; i < 20; i++) {
        MUST(admmnn_model_run(model, input + i * inputs_of(&info), 1, output, err));
        assert_true(close_to(output, expected + i * info.outputs, info.outputs));
    }
    admmnn_model_close(model);
    graph_free(g);
    base_free(params);
    base_free(input);
    base_free(expected);
    base_free(output);
    base_free(again);
}

/* 4,194,304 numbers made of one. */
static pack_model *large_network(void) {
    const graph_pad pad = {.kind = GRAPH_PAD_EDGE, .end = {0, 2047, 2047}};
    graph *g;
    pack_model *model;
    uint32_t v;
    MUST(graph_create("large", graph_shape_image(1, 1, 1), &g, err));
    MUST(graph_add_pad(g, "pad", g->input, &pad, &v, err));
    MUST(graph_add_reduce(g, "mean", v, (graph_reduce){GRAPH_REDUCE_MEAN, 6, false}, &v, err));
    MUST(pack_model_create(g, &model, err));
    graph_free(g);
    return model;
}

static void expect_batches(pack_model *packed, const size_t (*runs)[2], size_t count) {
    admmnn_model *model;
    admmnn_model_info info;
    write_packed(packed, "a.admm");
    MUST(admmnn_model_open(in_folder("a.admm"), NULL, &model, err));
    admmnn_model_get_info(model, &info);
    for (size_t i = 0; i < count; i++) {
        float *input = noise(runs[i][0] * inputs_of(&info));
        float *output = base_array(runs[i][0] * info.outputs, sizeof *output);
        MUST(admmnn_model_run(model, input, runs[i][0], output, err));
        assert_int_equal(model->network->batch, runs[i][1]);
        base_free(input);
        base_free(output);
    }
    admmnn_model_close(model);
}

/* A network is opened for as many samples as are run, of large ones for few. */
static void few_samples_take_a_small_network(void **state) {
    (void)state;
    static const size_t small[][2] = {{1, 1},     {300, 256}, {200, 256}, {128, 256},
                                      {127, 127}, {64, 127},  {1, 1},     {0, 1}};
    static const size_t large[][2] = {{3, 3}, {1, 1}, {20, 16}};
    expect_batches(compressed_lenet(), small, sizeof small / sizeof *small);
    expect_batches(large_network(), large, sizeof large / sizeof *large);
}

/* Few weights and many, of one back end and of another, of no weight at all. */
static void runs_of_any_count_agree(void **state) {
    (void)state;
    expect_same_answers(compressed_lenet(), 2);
    for (unsigned threads = 1; threads <= 2; threads++) {
        for (size_t i = 0; i < 3; i++) {
            const filling f = {ADMM_LEVELS_EQUAL, 3, (double[]){0.0, 0.1, 0.9}[i]};
            expect_same_answers(random_model(one_product(40, 30), f, i), threads);
            expect_same_answers(random_model(small_network(), f, i), threads);
        }
    }
}

typedef struct shared_run {
    admmnn_model *model;
    const float *input, *expected;
    bool good;
} shared_run;

static void *run_often(void *argument) {
    shared_run *run = argument;
    float output[20 * 10];
    run->good = true;
    for (size_t i = 0; i < 40; i++) {
        const size_t count = 1 + i % 20;
        if (admmnn_model_run(run->model, run->input, count, output, NULL) != ADMMNN_OK ||
            !close_to(output, run->expected, count * 10))
            run->good = false;
    }
    return NULL;
}

/* What model.h promises: different models in different threads at once, and questions
 * about a model while it runs. */
static void models_run_at_once_and_tell_of_themselves(void **state) {
    (void)state;
    float *input = noise(20 * 784);
    float expected[20 * 10];
    shared_run runs[2];
    pthread_t threads[2];
    pack_model *packed = compressed_lenet();
    float *params = base_array(packed->g->flat_count, sizeof *params);
    pack_model_values(packed, params);
    forward(packed->g, params, input, 20, expected);
    write_packed(packed, "a.admm");
    for (size_t i = 0; i < 2; i++) {
        runs[i] = (shared_run){.input = input, .expected = expected};
        const admmnn_context context = {.threads = 2};
        MUST(admmnn_model_open(in_folder("a.admm"), &context, &runs[i].model, err));
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, &runs[i]), 0);
    }
    for (size_t i = 0; i < 20; i++) {
        admmnn_model_info info;
        char *text;
        admmnn_model_get_info(runs[i % 2].model, &info);
        assert_true(info.kept > 8000 && info.kept < 9300);
        MUST(admmnn_model_inspect(runs[i % 2].model, 1, &text, err));
        admmnn_text_free(text);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(runs[i].good);
        admmnn_model_close(runs[i].model);
    }
    base_free(params);
    base_free(input);
}

/* ---- arrays ---- */

static void write_array(const char *descr, const char *shape, const void *data, size_t count) {
    base_writer w = {0};
    char header[128];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n",
             descr, shape);
    base_write_bytes(&w, "\x93NUMPY\x01\x00", 8);
    base_write_u16(&w, (uint16_t)strlen(header));
    base_write_bytes(&w, header, strlen(header));
    base_write_bytes(&w, data, count);
    MUST(base_file_write(in_folder("in.npy"), w.bytes, w.count, err));
    base_writer_free(&w);
}

/* Pixels are normalised, floats are taken as they are; any usual shape. */
static void arrays_go_through_the_network(void **state) {
    (void)state;
    write_packed(compressed_lenet(), "a.admm");
    admmnn_model *model = open_model("a.admm");
    admmnn_model_info info;
    admmnn_model_get_info(model, &info);
    static uint8_t pixels[2 * 784];
    static float floats[2 * 784];
    base_random random = base_random_at(1, 1, 1);
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)base_random_below(&random, 256);
        floats[i] = ((float)pixels[i] / 255.0F - info.mean[0]) * info.scale[0];
    }
    float expected[20];
    MUST(admmnn_model_run(model, floats, 2, expected, err));
    const char *shapes[] = {"(2, 1, 28, 28)", "(2, 28, 28)", "(2, 784)",
                            "(1, 28, 28)",    "(28, 28)",    "(784,)"};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int pixel = 0; pixel < 2; pixel++) {
            size_t count = s < 3 ? 2 : 1;
            write_array(pixel != 0 ? "|u1" : "<f4", shapes[s],
                        pixel != 0 ? (void *)pixels : (void *)floats,
                        784 * count * (pixel != 0 ? 1 : 4));
            MUST(admmnn_model_run_file(model, in_folder("in.npy"), in_folder("out.npy"), 1, err));
            bytes file = read_file("out.npy");
            npy_array out;
            MUST(npy_parse("out", file.at, file.count, &out, err));
            assert_true(out.rank == 2 && out.dims[0] == count && out.dims[1] == 10);
            for (size_t i = 0; i < 10 * count; i++)
                assert_true(fabsf(npy_float(&out, i) - expected[i]) <
                            1e-4F * (1.0F + fabsf(expected[i])));
            base_free(file.at);
        }
    admmnn_error err;
    write_array("|u1", "(56, 14)", pixels, 784);
    assert_int_equal(
        admmnn_model_run_file(model, in_folder("in.npy"), in_folder("out.npy"), 1, &err),
        ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "in.npy"));
    assert_int_equal(
        admmnn_model_run_file(model, in_folder("in.npy"), in_folder("out.npy"), 0, &err),
        ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "out.npy: exists already; --force"));
    admmnn_model_close(model);
}

static void big_endian(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The labels are what the network says itself, but for every fifth. */
static void accuracy_is_counted(void **state) {
    (void)state;
    enum { COUNT = 40 };
    write_packed(compressed_lenet(), "a.admm");
    admmnn_model *model = open_model("a.admm");
    admmnn_model_info info;
    admmnn_model_get_info(model, &info);
    static uint8_t images[16 + COUNT * 784];
    static uint8_t labels[8 + COUNT];
    static float input[COUNT * 784];
    float logits[COUNT * 10];
    const uint32_t sizes[4] = {0x803, COUNT, 28, 28};
    for (int i = 0; i < 4; i++)
        big_endian(images + 4 * i, sizes[i]);
    big_endian(labels, 0x801);
    big_endian(labels + 4, COUNT);
    base_random random = base_random_at(1, 1, 1);
    for (size_t i = 0; i < COUNT * 784; i++) {
        images[16 + i] = (uint8_t)base_random_below(&random, 256);
        input[i] = ((float)images[16 + i] / 255.0F - info.mean[0]) * info.scale[0];
    }
    MUST(admmnn_model_run(model, input, COUNT, logits, err));
    double loss = 0.0;
    for (size_t s = 0; s < COUNT; s++) {
        const float *l = logits + 10 * s;
        uint8_t best = 0;
        double sum = 0.0;
        for (uint8_t c = 1; c < 10; c++)
            best = l[c] > l[best] ? c : best;
        for (int c = 0; c < 10; c++)
            sum += exp((double)l[c] - (double)l[best]);
        labels[8 + s] = (uint8_t)(s % 5 == 0 ? (best + 1) % 10 : best);
        loss += log(sum) - ((double)l[labels[8 + s]] - (double)l[best]);
    }
    MUST(base_file_write(in_folder("t10k-images-idx3-ubyte"), images, sizeof images, err));
    MUST(base_file_write(in_folder("t10k-labels-idx1-ubyte"), labels, sizeof labels, err));
    admmnn_evaluation e;
    admmnn_images set = {.path = folder};
    MUST(admmnn_model_evaluate(model, &set, &e, err));
    assert_int_equal(e.count, COUNT);
    assert_int_equal(e.correct, COUNT - COUNT / 5);
    assert_true(fabs(e.accuracy - 0.8) < 1e-12);
    assert_true(fabs(e.loss - loss / COUNT) < 1e-3 * (1.0 + loss / COUNT));
    remove(in_folder("t10k-labels-idx1-ubyte"));
    assert_int_equal(admmnn_model_evaluate(model, &set, &e, NULL), ADMMNN_NOT_FOUND);
    set.format = "cifar";
    assert_int_equal(admmnn_model_evaluate(model, &set, &e, NULL), ADMMNN_USAGE);
    set = (admmnn_images){.path = folder, .resize = 32};
    assert_int_equal(admmnn_model_evaluate(model, &set, &e, NULL), ADMMNN_USAGE);
    admmnn_model_close(model);
}

/* Attention's products have no weights: 5 x 7 times 7 x 5 takes 175. */
static void inspection_counts_products_of_values(void **state) {
    (void)state;
    graph *g;
    uint32_t turned;
    uint32_t v;
    char *text;
    const graph_shape shape = {.rank = 2, .dims = {5, 7}};
    const uint32_t order[GRAPH_RANK_MAX] = {1, 0};
    MUST(graph_create("attention", shape, &g, err));
    MUST(graph_add_transpose(g, "turned", g->input, order, &turned, err));
    MUST(graph_add_matmul(g, "product", g->input, turned, &v, err));
    MUST(graph_add_inner_product(g, "fc", v, 3, false, &v, err));
    float *params = base_array(g->flat_count, sizeof *params);
    write_onnx(g, params, "a.onnx");
    admmnn_model *model = open_model("a.onnx");
    MUST(admmnn_model_inspect(model, 0, &text, err));
    const char *row = strstr(text, "\nproduct ");
    assert_non_null(row);
    assert_memory_equal(strchr(row + 1, '\n') - 4, " 175", 4);
    assert_non_null(strstr(text, ", 250 multiply-accumulates"));
    admmnn_text_free(text);
    admmnn_model_close(model);
    base_free(params);
    graph_free(g);
}

static void inspection_tells_every_byte(void **state) {
    (void)state;
    write_packed(random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 1), "a.admm");
    admmnn_model *model = open_model("a.admm");
    bytes file = read_file("a.admm");
    char *text;
    char wanted[64];
    MUST(admmnn_model_inspect(model, 1, &text, err));
    snprintf(wanted, sizeof wanted, "\"file\": %zu}", file.count);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, "{\"name\": \"conv1.weight\", \"rows\": 4, \"columns\": 12"));
    uint64_t sum = 0;
    const char *const parts[] = {"values", "positions", "codebooks", "scales", "biases", "header"};
    for (size_t i = 0; i < 6; i++) {
        snprintf(wanted, sizeof wanted, "\"%s\": ", parts[i]);
        const char *last = NULL;
        for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted))
            last = at + strlen(wanted);
        assert_non_null(last);
        sum += strtoull(last, NULL, 10);
    }
    assert_int_equal(sum, file.count);
    admmnn_text_free(text);
    MUST(admmnn_model_inspect(model, 0, &text, err));
    assert_non_null(strstr(text, "conv1.weight"));
    assert_non_null(strstr(text, "\nindices   "));
    assert_null(strstr(text, "positions"));
    assert_non_null(strstr(text, "entropy"));
    admmnn_text_free(text);
    admmnn_model_close(model);
    base_free(file.at);
    write_packed(compressed_lenet(), "a.admm");
    convert("a.admm", "a.onnx", false);
    model = open_model("a.onnx");
    MUST(admmnn_model_inspect(model, 0, &text, err));
    assert_non_null(strstr(text, "\nconv2 "));
    assert_non_null(strstr(text, " 1600000\n")); /* multiply-accumulates of conv2 */
    admmnn_text_free(text);
    MUST(admmnn_model_inspect(model, 1, &text, err));
    assert_non_null(strstr(text, "\"macs\": 2293000,"));
    admmnn_text_free(text);
    admmnn_model_close(model);
}

/* As whole numbers the weights are the same; of too few bits they are refused. */
static void whole_numbers_give_the_same_weights(void **state) {
    (void)state;
    const char *const forms[] = {"int8", "int4"};
    admmnn_error err;
    write_packed(compressed_lenet(), "a.admm");
    convert("a.admm", "a.onnx", false);
    bytes dense = read_file("a.onnx");
    for (size_t i = 0; i < 2; i++) {
        admmnn_pack_settings settings = {.weights = forms[i], .force = 1};
        settings.input = in_folder("a.admm");
        settings.output = in_folder("b.onnx");
        MUST(admmnn_model_unpack(&settings, NULL, err));
        settings = (admmnn_pack_settings){.force = 1};
        settings.input = in_folder("b.onnx");
        settings.output = in_folder("c.onnx");
        MUST(admmnn_model_unpack(&settings, NULL, err));
        bytes again = read_file("c.onnx");
        assert_int_equal(again.count, dense.count);
        assert_memory_equal(again.at, dense.at, dense.count);
        base_free(again.at);
    }
    base_free(dense.at);
    admmnn_pack_settings wrong = {.weights = "int2", .force = 1};
    wrong.input = in_folder("a.admm");
    wrong.output = in_folder("b.onnx");
    assert_int_equal(admmnn_model_unpack(&wrong, NULL, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "float32, int8, int4"));
}

/* Which layer, what its levels are, what would hold them; and no file. */
static void levels_beyond_whole_numbers_are_refused(void **state) {
    (void)state;
    const struct {
        filling weights;
        const char *form, *text;
    } cases[] = {
        {{ADMM_LEVELS_EQUAL, 4, 1.0},
         "int4",
         "conv1.weight: its levels of 4 bits reach 8 times their interval, and int4 holds 7; "
         "nothing is written: write int8"},
        {{ADMM_LEVELS_EQUAL_ZERO, 8, 1.0}, "int4", "write int8"},
        {{ADMM_LEVELS_EQUAL_ZERO, 16, 1.0}, "int4", "write float32"},
        {{ADMM_LEVELS_EQUAL_ZERO, 16, 1.0},
         "int8",
         "and int8 holds 127; nothing is written: write "
         "float32"},
        {{ADMM_LEVELS_POWER_OF_TWO, 5, 1.0}, "int8", "conv1.weight: its levels of 5 bits reach"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        admmnn_pack_settings settings = {.weights = cases[i].form};
        admmnn_error err = {0};
        write_packed(random_model(small_network(), cases[i].weights, 1), "a.admm");
        settings.input = in_folder("a.admm");
        settings.output = in_folder("b.onnx");
        assert_int_equal(admmnn_model_unpack(&settings, NULL, &err), ADMMNN_UNSUPPORTED);
        if (strstr(err.message, cases[i].text) == NULL)
            fail_msg("no '%s' in: %s", cases[i].text, err.message);
        assert_false(base_name_taken(settings.output));
    }
}

/* Floats are not rounded to any. */
static void floats_are_no_whole_numbers(void **state) {
    (void)state;
    admmnn_error err = {0};
    base_random random = base_random_at(6, 6, 6);
    pack_model *model = compressed_lenet();
    base_free(model->tensors[2].codes);
    fill_floats(&model->tensors[2], model->g->parameters[2].count, 0.9, &random);
    write_packed(model, "a.admm");
    admmnn_pack_settings settings = {.weights = "int8"};
    settings.input = in_folder("a.admm");
    settings.output = in_folder("b.onnx");
    assert_int_equal(admmnn_model_unpack(&settings, NULL, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message,
                           "conv2.weight: its values are no whole multiples of an "
                           "interval, as int8 wants them; nothing is written"));
    assert_false(base_name_taken(settings.output));
}

static void damaged_models_name_their_file(void **state) {
    (void)state;
    admmnn_model *model;
    admmnn_error err;
    write_packed(compressed_lenet(), "a.admm");
    bytes file = read_file("a.admm");
    file.at[file.count / 2] ^= 1;
    MUST(base_file_write(in_folder("a.admm"), file.at, file.count, err));
    base_free(file.at);
    assert_int_equal(admmnn_model_open(in_folder("a.admm"), NULL, &model, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "a.admm"));
    assert_int_equal(admmnn_model_open(in_folder("none"), NULL, &model, &err), ADMMNN_NOT_FOUND);
    MUST(base_file_write(in_folder("a.onnx"), "text", 4, err));
    assert_int_equal(admmnn_model_open(in_folder("a.onnx"), NULL, &model, &err), ADMMNN_CORRUPT);
    admmnn_model_close(NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_files)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(unpacked_and_packed_again_is_the_same_file),
        TEST(mixed_floats_and_codes_too),
        TEST(levels_are_found),
        TEST(metadata_that_lie_are_noticed),
        TEST(nothing_is_overwritten_unasked),
        TEST(both_forms_say_and_compute_the_same),
        TEST(runs_of_any_count_agree),
        TEST(few_samples_take_a_small_network),
        TEST(models_run_at_once_and_tell_of_themselves),
        TEST(arrays_go_through_the_network),
        TEST(accuracy_is_counted),
        TEST(inspection_counts_products_of_values),
        TEST(inspection_tells_every_byte),
        TEST(whole_numbers_give_the_same_weights),
        TEST(levels_beyond_whole_numbers_are_refused),
        TEST(floats_are_no_whole_numbers),
        TEST(damaged_models_name_their_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
