/* What the runtime says of its memory against what it takes: the program is linked so that it sees
 * the library's calls of malloc. */
#include <stdio.h>
#include <unistd.h>

#include "support.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t number, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void __real_free(void *old);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t number, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void __wrap_free(void *old);

/* Bytes before a block's that count nothing. */
#define HEAD_BYTES 16
#define BLOCKS_MOST 1000

typedef struct block {
    void *at;
    size_t bytes;
} block;

/* What is taken while `watched`. */
static block blocks[BLOCKS_MOST];
static size_t count, calls, live, most;
static bool watched;

static void put_block(void *at, size_t bytes) {
    assert_true(count < BLOCKS_MOST && bytes >= HEAD_BYTES);
    blocks[count++] = (block){at, bytes - HEAD_BYTES};
    live += bytes - HEAD_BYTES;
    most = live > most ? live : most;
    calls++;
}

static void drop_block(const void *at) {
    size_t i = 0;
    while (i < count && blocks[i].at != at)
        i++;
    if (i == count)
        return;
    live -= blocks[i].bytes;
    blocks[i] = blocks[--count];
}

void *__wrap_malloc(size_t bytes) {
    void *at = __real_malloc(bytes);
    if (watched && at != NULL)
        put_block(at, bytes);
    return at;
}

void *__wrap_calloc(size_t number, size_t bytes) {
    void *at = __real_calloc(number, bytes);
    if (watched && at != NULL)
        put_block(at, number * bytes);
    return at;
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
    void *at = __real_aligned_alloc(alignment, bytes);
    if (watched && at != NULL)
        put_block(at, bytes);
    return at;
}

void *__wrap_realloc(void *old, size_t bytes) {
    if (watched)
        drop_block(old);
    void *at = __real_realloc(old, bytes);
    if (watched && at != NULL)
        put_block(at, bytes);
    return at;
}

void __wrap_free(void *old) {
    if (watched)
        drop_block(old);
    __real_free(old);
}

static void watch(void) {
    count = calls = live = most = 0;
    watched = true;
}

typedef graph *network(void);

static graph *large_product(void) {
    return one_product(400, 150);
}

static graph *one_conv(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("one", graph_shape_image(90, 12, 12), &g, err));
    MUST(
        graph_add_conv(g, "conv1", g->input, 24, graph_conv_of(graph_window_of(3, 1, 0)), &v, err));
    MUST(graph_add_average_pool(g, "pool1", v, graph_pool_of(graph_window_of(10, 1, 0)), &v, err));
    return g;
}

static network *const networks[] = {small_network, normalized_network, any_network, large_product,
                                    one_conv};
#define NETWORKS (sizeof networks / sizeof networks[0])

static bytes file_of(network *make) {
    pack_model *packed = random_model(make(), (filling){ADMM_LEVELS_EQUAL, 3, 0.3}, 5);
    if (make == one_conv)
        share_places(&packed->tensors[0], 24, 810, 810, 1);
    bytes file = encode(packed, PACK_POSITION_ENTROPY, PACK_CODER_FIXED, NULL);
    pack_model_free(packed);
    return file;
}

static void expect_held(const admmnn_runtime *model) {
    admmnn_runtime_info info;
    admmnn_runtime_get_info(model, &info);
    assert_int_equal(live, info.model_bytes);
}

static void run(const admmnn_runtime *model, float *output) {
    admmnn_runtime_info info;
    admmnn_runtime_get_info(model, &info);
    float *input = random_floats(info.inputs, 3);
    runtime_run(model, input, 1, output);
    base_free(input);
}

static void a_model_holds_what_it_says(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++)
        for (int weights = 0; weights < 3; weights++) {
            const admmnn_runtime_settings settings = {.weights = (admmnn_runtime_weights)weights};
            bytes file = file_of(networks[n]);
            admmnn_runtime *model;
            watch();
            OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
            expect_held(model);
            admmnn_runtime_close(model);
            watched = false;
            assert_int_equal(count, 0);
            base_free(file.at);
        }
}

/* And what an alignment takes. */
static void values_take_what_is_in_use_at_once(void **state) {
    (void)state;
    bytes file = file_of(chain_of_products);
    admmnn_runtime_info info;
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    admmnn_runtime_get_info(model, &info);
    assert_in_range(info.workspace_bytes, CHAIN_AT_ONCE * 4, CHAIN_AT_ONCE * 4 + 64);
    admmnn_runtime_close(model);
    base_free(file.at);
}

static void running_takes_no_memory(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++) {
        bytes file = file_of(networks[n]);
        admmnn_runtime_info info;
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
        admmnn_runtime_get_info(model, &info);
        float *input = random_floats(info.inputs, 3);
        float *output = random_floats(info.outputs, 3);
        void *workspace = malloc(info.workspace_bytes);
        watch();
        assert_int_equal(admmnn_runtime_run(model, workspace, input, 1, output), ADMMNN_RUNTIME_OK);
        watched = false;
        assert_int_equal(calls, 0);
        free(workspace);
        base_free(input);
        base_free(output);
        admmnn_runtime_close(model);
        base_free(file.at);
    }
}

/* Of a file, two windows and nothing more. */
static void a_file_is_not_in_memory(void **state) {
    (void)state;
    char path[] = "/tmp/admmnn-runtime-XXXXXX";
    bytes file = file_of(large_product);
    admmnn_runtime *model;
    const int handle = mkstemp(path);
    assert_true(handle >= 0);
    assert_int_equal(write(handle, file.at, file.count), file.count);
    close(handle);
    watch();
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    admmnn_runtime_close(model);
    const size_t alone = most;
    watch();
    OPEN(admmnn_runtime_open(path, NULL, &model, err));
    expect_held(model);
    admmnn_runtime_close(model);
    watched = false;
    assert_int_equal(count, 0);
    assert_true(most <= alone + ADMMNN_RUNTIME_FILE_BYTES);
    assert_true(file.count > 3 * ADMMNN_RUNTIME_FILE_BYTES);
    unlink(path);
    base_free(file.at);
}

/* Bytes by which an arena may be beside an aligned one. */
#define ALIGNMENT 16

/* The rest of it is the caller's again: by an arena of what measuring tells, at so many bytes
 * behind an aligned one. */
static void expect_rest_free(bytes file, unsigned threads, size_t beside) {
    float outputs[2][150];
    admmnn_runtime_settings settings = {.threads = threads};
    admmnn_runtime_info info;
    admmnn_runtime *model;
    OPEN(admmnn_runtime_measure(file.at, file.count, &settings, &settings.arena_bytes, err));
    uint8_t *block = malloc(settings.arena_bytes + beside); /* aligned for anything: to 16 bytes */
    assert_int_equal((uintptr_t)block % ALIGNMENT, 0);
    settings.arena = block + beside;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    admmnn_runtime_get_info(model, &info);
    assert_true(info.outputs <= 150 && info.model_bytes < settings.arena_bytes);
    run(model, outputs[0]);
    memset(block + beside + info.model_bytes, 0xff, settings.arena_bytes - info.model_bytes);
    run(model, outputs[1]);
    assert_memory_equal(outputs[0], outputs[1], info.outputs * sizeof(float));
    admmnn_runtime_close(model);
    free(block);
}

static void of_an_arena_at_any_alignment_an_open_model_holds_what_it_says(void **state) {
    (void)state;
    for (size_t n = 0; n < NETWORKS; n++) {
        bytes file = file_of(networks[n]);
        for (size_t beside = 0; beside < ALIGNMENT; beside++) {
            expect_rest_free(file, 1, beside);
            expect_rest_free(file, 3, beside);
        }
        base_free(file.at);
    }
}

/* Of four filters, two bytes: a weight takes less than half of a list's three, and starts and
 * biases what they take. */
static void places_that_are_shared_are_held_once(void **state) {
    (void)state;
    bytes file = file_of(one_conv);
    for (int kernels = 0; kernels < 3; kernels++) {
        const admmnn_runtime_settings settings = {.kernels = (admmnn_runtime_kernels)kernels,
                                                  .weights = ADMMNN_RUNTIME_LISTS};
        admmnn_runtime_info info;
        admmnn_runtime *model;
        OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
        admmnn_runtime_get_info(model, &info);
        assert_true(info.kept > 4000);
        assert_true(info.model_bytes < 2 * info.kept + 2000);
        admmnn_runtime_close(model);
    }
    base_free(file.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_holds_what_it_says),
        cmocka_unit_test(values_take_what_is_in_use_at_once),
        cmocka_unit_test(running_takes_no_memory),
        cmocka_unit_test(places_that_are_shared_are_held_once),
        cmocka_unit_test(a_file_is_not_in_memory),
        cmocka_unit_test(of_an_arena_at_any_alignment_an_open_model_holds_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
