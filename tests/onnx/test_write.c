/* Written files against the onnx package and an evaluation by NumPy. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

#define SAMPLES 3U

static char folder[] = "/tmp/admmnn-onnx-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    const char *names[] = {"model.onnx", "input", "output"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    return rmdir(folder);
}

static void save(const char *name, const void *from, size_t count) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(base_file_write(path, from, count, err));
}

/* The exit status of the script on the folder's files. Debian's packages belong to the
 * system's Python, which another may hide. */
static int evaluate(void) {
    char command[512];
    snprintf(command, sizeof command,
             "PATH=/usr/bin:$PATH python3 tests/onnx/evaluate.py %s/model.onnx %s/input %s/output",
             folder, folder, folder);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void compare(graph *g) {
    const onnx_property property = {"admmnn.test", "a value"};
    float *params = random_params(g, 7);
    bytes file;
    const onnx_writing writing = {
        .g = g, .params = params, .properties = &property, .property_count = 1};
    MUST(write_bytes(&writing, &file, err));
    size_t elements = graph_value_count(g, g->input);
    size_t outputs = graph_value_count(g, g->output);
    float *input = base_array(SAMPLES * elements, sizeof *input);
    float *expected = base_array(SAMPLES * outputs, sizeof *expected);
    base_random random = base_random_at(8, 0, 0);
    for (size_t i = 0; i < SAMPLES * elements; i++)
        input[i] = base_random_normal(&random);
    forward(g, params, input, SAMPLES, expected);
    save("model.onnx", file.at, file.count);
    save("input", input, SAMPLES * elements * sizeof *input);
    int status = evaluate();
    if (status == 0) {
        char path[128];
        uint8_t *got;
        size_t count;
        snprintf(path, sizeof path, "%s/output", folder);
        MUST(base_file_read(path, 1 << 20, &got, &count, err));
        assert_int_equal(count, SAMPLES * outputs * sizeof(float));
        for (size_t i = 0; i < SAMPLES * outputs; i++) {
            float y;
            memcpy(&y, got + i * sizeof y, sizeof y);
            assert_true(fabsf(y - expected[i]) < 1e-5F);
        }
        base_free(got);
    }
    base_free(file.at);
    base_free(params);
    base_free(input);
    base_free(expected);
    graph_free(g);
    if (status == 77 || status == 127) {
        print_message("python3 with onnx and numpy is not installed: skipped\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void lenet5_is_what_numpy_computes(void **state) {
    (void)state;
    compare(zoo("lenet-5"));
}

static void odd_network_is_what_numpy_computes(void **state) {
    (void)state;
    compare(odd_network());
}

/* The second ends with a dropout, whose output is then the model's. */
static void normalized_networks_are_what_numpy_computes(void **state) {
    (void)state;
    compare(normalized_network(false));
    compare(normalized_network(true));
}

static void names_must_differ(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    admmnn_error err;
    bytes file;
    MUST(graph_create("twins", graph_shape_image(1, 2, 2), &g, err));
    float none = 0.0F;
    const onnx_writing writing = {.g = g, .params = &none};
    assert_int_equal(write_bytes(&writing, &file, &err), ADMMNN_USAGE);
    MUST(graph_add_relu(g, "same", g->input, &v, err));
    MUST(graph_add_relu(g, "same", v, &v, err));
    assert_int_equal(write_bytes(&writing, &file, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "'same'"));
    graph_free(g);
}

/* A value of one row has no rows for such a window in ONNX. */
static void window_of_rows_on_one_is_refused(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    admmnn_error err;
    bytes file;
    const graph_shape row = {2, {3, 10}};
    const graph_conv tall = {.window = {{3, 1}, {1, 1}, {1, 0}, {1, 0}, {1, 1}}, .groups = 1};
    MUST(graph_create("tall", row, &g, err));
    MUST(graph_add_conv(g, "conv1", g->input, 2, tall, &v, err));
    float *params = random_params(g, 9);
    const onnx_writing writing = {.g = g, .params = params};
    assert_int_equal(write_bytes(&writing, &file, &err), ADMMNN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "conv1"));
    base_free(params);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenet5_is_what_numpy_computes),
        cmocka_unit_test(odd_network_is_what_numpy_computes),
        cmocka_unit_test(normalized_networks_are_what_numpy_computes),
        cmocka_unit_test(names_must_differ),
        cmocka_unit_test(window_of_rows_on_one_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
