/* Data beside the model: written, read back, and refused, small limits standing for 2 GiB. */
#include "models.h"

#include <unistd.h>

#include "onnx/external.h"

#define PRODUCT_ROWS 100U
#define PRODUCT_COLUMNS 64U

static char folder[] = "/tmp/admmnn-external-XXXXXX";
static const char *const names[] = {"a.onnx", "a.onnx.data", "b.onnx", "b.onnx.data"};

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static const char *in_folder(const char *name) {
    static char paths[4][128];
    static int next = 0;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int remove_files(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(in_folder(names[i]));
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static bytes load(const char *name) {
    bytes file;
    MUST(base_file_read(in_folder(name), 1 << 24, &file.at, &file.count, err));
    return file;
}

static void expect_same_files(const char *a, const char *b) {
    bytes x = load(a);
    bytes y = load(b);
    assert_int_equal(x.count, y.count);
    assert_memory_equal(x.at, y.at, x.count);
    base_free(x.at);
    base_free(y.at);
}

static admmnn_status write_target(const graph *g, const float *params, const onnx_labels *labels,
                                  const onnx_target *target, admmnn_error *err) {
    uint64_t data_bytes;
    const onnx_writing writing = {.g = g, .params = params, .labels = labels};
    BASE_TRY(onnx_write(&writing, target, &data_bytes, err));
    char data[128];
    snprintf(data, sizeof data, "%s" ONNX_DATA_SUFFIX, target->path);
    assert_int_equal(base_file_exists(data), data_bytes > 0);
    if (data_bytes > 0) {
        uint8_t *read;
        size_t count;
        BASE_TRY(base_file_read(data, 1 << 24, &read, &count, err));
        assert_int_equal(count, data_bytes);
        base_free(read);
    }
    return ADMMNN_OK;
}

static admmnn_status read_file(const char *name, onnx_model *model, admmnn_error *err) {
    bytes from = load(name);
    const onnx_file file = {
        .name = name, .folder = folder, .bytes = from.at, .count = from.count, .taken = true};
    return onnx_read(&file, model, err);
}

/* The tensors' places: in order, aligned, apart, the small ones inside. */
static void expect_places(const char *name, const char *location) {
    bytes file = load(name);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, file.count, file.at);
    assert_non_null(model);
    uint64_t end = 0;
    size_t outside = 0;
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        const Onnx__TensorProto *tensor = model->graph->initializer[i];
        if (!onnx_tensor_is_external(tensor)) {
            assert_true(tensor->raw_data.len < ONNX_OUTSIDE_LEAST);
            continue;
        }
        assert_int_equal(tensor->n_external_data, 3);
        assert_string_equal(tensor->external_data[0]->key, "location");
        assert_string_equal(tensor->external_data[0]->value, location);
        const uint64_t offset = strtoull(tensor->external_data[1]->value, NULL, 10);
        assert_true(offset % 4096 == 0 && offset >= end);
        end = offset + strtoull(tensor->external_data[2]->value, NULL, 10);
        outside++;
    }
    assert_true(outside > 0);
    onnx__model_proto__free_unpacked(model, NULL);
    base_free(file.at);
}

static void networks_come_back(void **state) {
    (void)state;
    const char *const zoo_names[] = {"lenet-5", "lenet-300-100"};
    for (size_t i = 0; i < sizeof zoo_names / sizeof zoo_names[0]; i++) {
        graph *g = zoo(zoo_names[i]);
        float *params = random_params(g, i);
        onnx_model model;
        onnx_target target = {.path = in_folder("a.onnx"), .data = ONNX_DATA_OUTSIDE};
        MUST(write_target(g, params, NULL, &target, err));
        expect_places("a.onnx", "a.onnx.data");
        MUST(read_file("a.onnx", &model, err));
        expect_same_nodes(g, model.g);
        assert_int_equal(g->flat_count, model.g->flat_count);
        assert_memory_equal(params, model.params, g->flat_count * sizeof *params);
        /* Inside it is the file that it was before it went outside, and outside again the same. */
        target = (onnx_target){.path = in_folder("b.onnx"), .data = ONNX_DATA_INSIDE};
        MUST(write_target(model.g, model.params, model.labels, &target, err));
        bytes inside = write_model(g, params, NULL);
        bytes again = load("b.onnx");
        assert_int_equal(again.count, inside.count);
        assert_memory_equal(again.at, inside.at, inside.count);
        target = (onnx_target){.path = in_folder("b.onnx"), .data = ONNX_DATA_OUTSIDE};
        MUST(write_target(model.g, model.params, model.labels, &target, err));
        expect_same_files("a.onnx.data", "b.onnx.data");
        onnx_model_free(&model);
        base_free(inside.at);
        base_free(again.at);
        base_free(params);
        graph_free(g);
        remove_files(state);
    }
}

static graph *one_product(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("product", graph_shape_image(1, 1, PRODUCT_COLUMNS), &g, err));
    MUST(graph_add_inner_product(g, "fc", g->input, PRODUCT_ROWS, true, &v, err));
    return g;
}

/* 25,600 bytes of weights, 400 of a bias. */
static void what_one_file_does_not_hold_goes_outside(void **state) {
    (void)state;
    graph *g = one_product();
    float *params = random_params(g, 1);
    admmnn_error err = {0};
    bytes inside = write_model(g, params, NULL);
    const size_t whole = inside.count;
    onnx_target target = {.path = in_folder("a.onnx")};
    target.file_most = whole;
    MUST(write_target(g, params, NULL, &target, err));
    assert_false(base_file_exists(in_folder("a.onnx.data")));
    target.file_most = whole - 1;
    MUST(write_target(g, params, NULL, &target, err));
    expect_places("a.onnx", "a.onnx.data");
    /* One file alone was asked for, or not even what is left fits. */
    target.data = ONNX_DATA_INSIDE;
    assert_int_equal(write_target(g, params, NULL, &target, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "holds at most "));
    target = (onnx_target){.path = in_folder("b.onnx"), .file_most = 500};
    assert_int_equal(write_target(g, params, NULL, &target, &err), ADMMNN_UNSUPPORTED);
    assert_false(base_name_taken(in_folder("b.onnx")));
    assert_false(base_name_taken(in_folder("b.onnx.data")));
    base_free(inside.at);
    base_free(params);
    graph_free(g);
}

static void what_is_small_stays_inside(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    MUST(graph_create("small", graph_shape_image(1, 1, 5), &g, err));
    MUST(graph_add_inner_product(g, "fc", g->input, 51, true, &v, err)); /* 1,020 bytes */
    float *params = random_params(g, 1);
    onnx_target target = {.path = in_folder("a.onnx"), .data = ONNX_DATA_OUTSIDE};
    MUST(write_target(g, params, NULL, &target, err));
    assert_false(base_file_exists(in_folder("a.onnx.data")));
    target = (onnx_target){.path = in_folder("b.onnx")};
    MUST(write_target(g, params, NULL, &target, err));
    expect_same_files("a.onnx", "b.onnx");
    base_free(params);
    graph_free(g);
}

static void other_files_are_not_replaced(void **state) {
    (void)state;
    graph *g = one_product();
    float *params = random_params(g, 1);
    admmnn_error err = {0};
    onnx_target target = {.path = in_folder("a.onnx"), .data = ONNX_DATA_OUTSIDE};
    MUST(base_file_write(in_folder("a.onnx.data"), "mine", 4, err));
    assert_int_equal(write_target(g, params, NULL, &target, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "a.onnx.data: exists already; --force"));
    assert_false(base_name_taken(in_folder("a.onnx")));
    /* The same is told without writing: not of a model that stays in one file, nor by force. */
    const onnx_writing writing = {.g = g, .params = params};
    assert_int_equal(onnx_check_write(&writing, &target, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "a.onnx.data: exists already; --force"));
    target.data = ONNX_DATA_BY_SIZE;
    MUST(onnx_check_write(&writing, &target, err));
    target.file_most = 5000;
    assert_int_equal(onnx_check_write(&writing, &target, &err), ADMMNN_USAGE);
    target.force = true;
    MUST(onnx_check_write(&writing, &target, err));
    assert_false(base_name_taken(in_folder("a.onnx")));
    MUST(write_target(g, params, NULL, &target, err));
    expect_places("a.onnx", "a.onnx.data");
    /* The reader would not take such a name. */
    target.path = in_folder("a\\b.onnx");
    assert_int_equal(write_target(g, params, NULL, &target, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "backslash"));
    assert_false(base_name_taken(target.path));
    base_free(params);
    graph_free(g);
}

/* A file of data that was cut, or is of another model, is told before it is read. */
static void damaged_data_are_refused(void **state) {
    (void)state;
    graph *g = one_product();
    float *params = random_params(g, 1);
    admmnn_error err = {0};
    onnx_model model;
    const onnx_target target = {.path = in_folder("a.onnx"), .data = ONNX_DATA_OUTSIDE};
    MUST(write_target(g, params, NULL, &target, err));
    bytes data = load("a.onnx.data");
    assert_int_equal(truncate(in_folder("a.onnx.data"), (off_t)data.count - 1), 0);
    assert_int_equal(read_file("a.onnx", &model, &err), ADMMNN_CORRUPT);
    assert_non_null(strstr(err.message, "does not hold 25600 bytes from 0 on"));
    assert_int_equal(remove(in_folder("a.onnx.data")), 0);
    assert_int_equal(read_file("a.onnx", &model, &err), ADMMNN_NOT_FOUND);
    assert_non_null(strstr(err.message, "is absent"));
    base_free(data.at);
    base_free(params);
    graph_free(g);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_files)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(networks_come_back),         TEST(what_one_file_does_not_hold_goes_outside),
        TEST(what_is_small_stays_inside), TEST(other_files_are_not_replaced),
        TEST(damaged_data_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
