/* Files, of which the runtime has two windows in memory: larger than these, damaged and unreadable
 * ones. The program is linked so that it says which reads fail. */
#include <stdio.h>
#include <unistd.h>

#include "instrumented.h"
#include "support.h"

size_t __real_fread(void *to, size_t size, size_t count, FILE *file);
size_t __wrap_fread(void *to, size_t size, size_t count, FILE *file);

/* The read that fails, from 1; 0: none. And those so far. */
static unsigned failing, reads;

size_t __wrap_fread(void *to, size_t size, size_t count, FILE *file) {
    return ++reads == failing ? 0 : __real_fread(to, size, count, file);
}

/* Positions of the range coder, values of plain bits: some windows of each. */
static bytes large_file(void) {
    pack_model *packed =
        random_model(one_product(400, 150), (filling){ADMM_LEVELS_EQUAL, 3, 0.3}, 5);
    bytes file = encode(packed, PACK_POSITION_ENTROPY, PACK_CODER_FIXED, NULL);
    assert_true(file.count > 3 * ADMMNN_RUNTIME_FILE_BYTES);
    pack_model_free(packed);
    return file;
}

static char path[] = "/tmp/admmnn-runtime-XXXXXX";

static int make_path(void **state) {
    (void)state;
    const int handle = mkstemp(path);
    return handle < 0 || close(handle) != 0;
}

static int remove_path(void **state) {
    (void)state;
    return unlink(path);
}

static void write_file(const uint8_t *at, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(at, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_opened_as_its_bytes_are(void **state) {
    (void)state;
    bytes file = large_file();
    float *input = random_floats(400, 3);
    float outputs[3][150];
    size_t needed = 0;
    admmnn_runtime *model;
    write_file(file.at, file.count);
    OPEN(admmnn_runtime_measure(file.at, file.count, NULL, &needed, err));
    needed += ADMMNN_RUNTIME_FILE_BYTES;
    void *arena = malloc(needed);
    const admmnn_runtime_settings settings = {.arena = arena, .arena_bytes = needed};
    OPEN(admmnn_runtime_open(path, &settings, &model, err));
    runtime_run(model, input, 1, outputs[0]);
    admmnn_runtime_close(model);
    OPEN(admmnn_runtime_open(path, NULL, &model, err));
    runtime_run(model, input, 1, outputs[1]);
    admmnn_runtime_close(model);
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    runtime_run(model, input, 1, outputs[2]);
    admmnn_runtime_close(model);
    assert_memory_equal(outputs[0], outputs[2], sizeof outputs[0]);
    assert_memory_equal(outputs[1], outputs[2], sizeof outputs[0]);
    for (size_t less = 0; less + 32 < needed; less += 1 + needed / 97) {
        const admmnn_runtime_settings small = {.arena = arena, .arena_bytes = less};
        assert_int_equal(admmnn_runtime_open(path, &small, &model, NULL), ADMMNN_RUNTIME_ARENA);
    }
    free(arena);
    base_free(input);
    base_free(file.at);
}

static void expect_one_opinion(const uint8_t *at, size_t count) {
    admmnn_runtime_error errors[2] = {{ADMMNN_RUNTIME_OK, NULL, 0}, {ADMMNN_RUNTIME_OK, NULL, 0}};
    admmnn_runtime *models[2] = {NULL, NULL};
    write_file(at, count);
    assert_int_equal(admmnn_runtime_open(path, NULL, &models[0], &errors[0]),
                     admmnn_runtime_open_memory(at, count, NULL, &models[1], &errors[1]));
    assert_int_equal(errors[0].status, errors[1].status);
    assert_ptr_equal(errors[0].reason, errors[1].reason);
    assert_int_equal(errors[0].at, errors[1].at);
    admmnn_runtime_close(models[0]);
    admmnn_runtime_close(models[1]);
}

static void a_damaged_file_is_refused_as_its_bytes_are(void **state) {
    (void)state;
    bytes file = large_file();
    for (size_t i = 0; i + 4 < file.count; i += 1 + file.count / instrumented_or(20, 60)) {
        file.at[i] ^= 0x20U;
        expect_one_opinion(file.at, file.count);
        mend_checksum(file);
        expect_one_opinion(file.at, file.count);
        file.at[i] ^= 0x20U;
        mend_checksum(file);
    }
    for (size_t count = 0; count <= file.count; count += 1 + file.count / 10)
        expect_one_opinion(file.at, count);
    base_free(file.at);
}

/* Wherever it happens, be it in bits that the model could do without. */
static void a_file_that_cannot_be_read_is_no_model(void **state) {
    (void)state;
    bytes file = large_file();
    admmnn_runtime *model;
    admmnn_runtime_error err;
    write_file(file.at, file.count);
    reads = 0;
    OPEN(admmnn_runtime_open(path, NULL, &model, err));
    admmnn_runtime_close(model);
    const unsigned all = reads;
    assert_true(all > 2 * file.count / ADMMNN_RUNTIME_FILE_BYTES);
    for (failing = 1; failing <= all; failing++) {
        reads = 0;
        assert_int_equal(admmnn_runtime_open(path, NULL, &model, &err), ADMMNN_RUNTIME_IO);
        assert_int_equal(err.status, ADMMNN_RUNTIME_IO);
        assert_string_equal(err.reason, "the file cannot be read");
    }
    failing = 0;
    base_free(file.at);
}

static void what_is_no_file_is_told(void **state) {
    (void)state;
    admmnn_runtime *model;
    admmnn_runtime_error err;
    assert_int_equal(admmnn_runtime_open("/nonexistent", NULL, &model, &err),
                     ADMMNN_RUNTIME_NOT_FOUND);
    assert_int_equal(admmnn_runtime_open("/tmp", NULL, &model, &err), ADMMNN_RUNTIME_IO);
    assert_int_equal(admmnn_runtime_open(NULL, NULL, &model, &err), ADMMNN_RUNTIME_USAGE);
    assert_int_equal(admmnn_runtime_open_memory(NULL, 9, NULL, &model, &err), ADMMNN_RUNTIME_USAGE);
    assert_int_equal(admmnn_runtime_measure("ADMM", 4, NULL, NULL, &err), ADMMNN_RUNTIME_USAGE);
    assert_string_equal(admmnn_runtime_status_text(ADMMNN_RUNTIME_ARENA),
                        "the arena is smaller than what admmnn_runtime_measure tells");
}

static void running_wants_all_pointers_whatever_the_count(void **state) {
    (void)state;
    bytes file = large_file();
    float number = 0.0F;
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    assert_int_equal(admmnn_runtime_run(model, &number, &number, 0, &number), ADMMNN_RUNTIME_OK);
    for (size_t count = 0; count < 2; count++) {
        assert_int_equal(admmnn_runtime_run(NULL, &number, &number, count, &number),
                         ADMMNN_RUNTIME_USAGE);
        assert_int_equal(admmnn_runtime_run(model, NULL, &number, count, &number),
                         ADMMNN_RUNTIME_USAGE);
        assert_int_equal(admmnn_runtime_run(model, &number, NULL, count, &number),
                         ADMMNN_RUNTIME_USAGE);
        assert_int_equal(admmnn_runtime_run(model, &number, &number, count, NULL),
                         ADMMNN_RUNTIME_USAGE);
    }
    admmnn_runtime_close(model);
    base_free(file.at);
}

static void a_setting_that_stands_for_nothing_is_told_before_the_file_is_read(void **state) {
    (void)state;
    const admmnn_runtime_settings wrong[] = {{.kernels = (admmnn_runtime_kernels)3},
                                             {.weights = (admmnn_runtime_weights)3},
                                             {.activations = 4}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        admmnn_runtime *model;
        assert_int_equal(admmnn_runtime_open_memory("ADMM", 4, &wrong[i], &model, NULL),
                         ADMMNN_RUNTIME_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_opened_as_its_bytes_are),
        cmocka_unit_test(a_damaged_file_is_refused_as_its_bytes_are),
        cmocka_unit_test(a_file_that_cannot_be_read_is_no_model),
        cmocka_unit_test(what_is_no_file_is_told),
        cmocka_unit_test(running_wants_all_pointers_whatever_the_count),
        cmocka_unit_test(a_setting_that_stands_for_nothing_is_told_before_the_file_is_read),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
