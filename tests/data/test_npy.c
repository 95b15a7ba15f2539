/* NumPy's arrays: what is read, what is refused, and NumPy's own opinion. */
#include "support.h"

#include "must.h"

#include <sys/wait.h>
#include <unistd.h>

#include "data/npy.h"

static admmnn_status parse(unsigned major, const char *header, const void *data, size_t data_bytes,
                           npy_array *out, uint8_t *room, admmnn_error *err) {
    base_writer w = {0};
    base_write_bytes(&w, "\x93NUMPY", 6);
    base_write_u8(&w, (uint8_t)major);
    base_write_u8(&w, 0);
    if (major == 1)
        base_write_u16(&w, (uint16_t)strlen(header));
    else
        base_write_u32(&w, (uint32_t)strlen(header));
    base_write_bytes(&w, header, strlen(header));
    base_write_bytes(&w, data, data_bytes);
    assert_true(w.count < 1024);
    memcpy(room, w.bytes, w.count);
    size_t count = w.count;
    base_writer_free(&w);
    return npy_parse("x.npy", room, count, out, err);
}

static void arrays_are_read(void **state) {
    (void)state;
    uint8_t room[1024];
    npy_array a;
    const float f4[6] = {0.0F, 1.5F, -2.0F, 3e8F, -0.0F, 5.0F};
    const double f8[2] = {0.25, -1e300};
    const uint8_t u1[3] = {0, 128, 255};
    admmnn_error err;
    for (unsigned major = 1; major <= 3; major++) {
        assert_int_equal(parse(major,
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n",
                               f4, sizeof f4, &a, room, &err),
                         ADMMNN_OK);
        assert_true(a.rank == 2 && a.dims[0] == 2 && a.dims[1] == 3 && a.count == 6);
        for (size_t i = 0; i < 6; i++)
            assert_true(npy_float(&a, i) == f4[i]);
    }
    assert_int_equal(parse(1, "{\"shape\":(2,),\"descr\":\"<f8\",\"fortran_order\":True}", f8,
                           sizeof f8, &a, room, &err),
                     ADMMNN_OK);
    assert_true(a.type == NPY_FLOAT64 && a.rank == 1 && npy_float(&a, 0) == 0.25F);
    assert_true(isinf(npy_float(&a, 1)));
    assert_int_equal(parse(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1, 1)}", u1, 3,
                           &a, room, &err),
                     ADMMNN_OK);
    assert_true(npy_float(&a, 2) == 255.0F);
    const int32_t i4[2] = {-7, INT32_MAX};
    const int64_t i8[2] = {-7, (int64_t)1 << 40};
    assert_int_equal(
        parse(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", i4, 8, &a, room, &err),
        ADMMNN_OK);
    assert_true(npy_double(&a, 0) == -7 && npy_double(&a, 1) == (double)INT32_MAX);
    assert_int_equal(
        parse(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", i8, 16, &a, room, &err),
        ADMMNN_OK);
    assert_true(npy_double(&a, 0) == -7 && npy_double(&a, 1) == 0x1p40);
    assert_int_equal(
        parse(1, "{'descr': '|u1', 'fortran_order': False, 'shape': ()}", u1, 1, &a, room, &err),
        ADMMNN_OK);
    assert_true(a.rank == 0 && a.count == 1);
    assert_int_equal(parse(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7)}", u1, 0,
                           &a, room, &err),
                     ADMMNN_OK);
    assert_int_equal(a.count, 0);
}

static void others_are_refused(void **state) {
    (void)state;
    static const struct {
        unsigned major;
        const char *header;
        size_t bytes;
        admmnn_status status;
    } cases[] = {
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4, ADMMNN_UNSUPPORTED},
        {1, "{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", 8, ADMMNN_UNSUPPORTED},
        {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", 16, ADMMNN_UNSUPPORTED},
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, ADMMNN_UNSUPPORTED},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 3, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 5, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 4, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", 4, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", 4, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4,
         ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0,
         ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4,
         ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False}", 4, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4,
         ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", 4,
         ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, ADMMNN_CORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", 4, ADMMNN_CORRUPT},
        {1, "", 4, ADMMNN_CORRUPT},
    };
    const uint8_t zeros[16] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t room[1024];
        npy_array a;
        admmnn_error err = {0};
        assert_int_equal(
            parse(cases[i].major, cases[i].header, zeros, cases[i].bytes, &a, room, &err),
            cases[i].status);
        assert_non_null(strstr(err.message, "x.npy: "));
    }
    npy_array a;
    assert_int_equal(npy_parse("x", (const uint8_t *)"\x93NUMPX......", 13, &a, NULL),
                     ADMMNN_CORRUPT);
    assert_int_equal(npy_parse("x", zeros, 0, &a, NULL), ADMMNN_CORRUPT);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    const float elements[6] = {1.0F, -0.5F, 1e-42F, 3.0F, INFINITY, 6.0F};
    const size_t dims[3] = {1, 3, 2};
    for (uint32_t rank = 0; rank <= 3; rank++) {
        base_writer w = {0};
        size_t count = rank == 3 ? 6 : rank == 2 ? 3 : 1;
        npy_write(&w, elements, dims, rank);
        npy_array a;
        MUST(npy_parse("w", w.bytes, w.count, &a, err));
        assert_true(a.rank == rank && a.count == count && a.type == NPY_FLOAT32);
        assert_int_equal((size_t)(a.elements - w.bytes) % 64, 0);
        for (size_t i = 0; i < count; i++)
            assert_true(npy_float(&a, i) == elements[i]);
        base_writer_free(&w);
    }
}

/* NumPy loads what is written, and what NumPy saves is read. */
static void numpy_agrees(void **state) {
    (void)state;
    char folder[] = "/tmp/admmnn-npy-XXXXXX";
    char path[64];
    char command[512];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.npy", folder);
    float elements[12];
    for (int i = 0; i < 12; i++)
        elements[i] = (float)i / 7.0F;
    base_writer w = {0};
    npy_write(&w, elements, (size_t[]){4, 3}, 2);
    MUST(base_file_write(path, w.bytes, w.count, err));
    base_writer_free(&w);
    snprintf(command, sizeof command,
             "PATH=/usr/bin:$PATH python3 -c \"\n"
             "import sys\n"
             "try:\n    import numpy as np\n"
             "except ImportError:\n    sys.exit(77)\n"
             "a = np.load('%s')\n"
             "assert a.dtype == np.float32 and a.shape == (4, 3)\n"
             "np.save('%s', a.astype(np.float64).reshape(2, 3, 2) * 2)\"",
             path, path);
    int status = system(command);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    struct {
        uint8_t *at;
        size_t count;
    } file;
    MUST(base_file_read(path, 4096, &file.at, &file.count, err));
    remove(path);
    rmdir(folder);
    npy_array a;
    admmnn_status parsed = npy_parse(path, file.at, file.count, &a, NULL);
    bool same = parsed == ADMMNN_OK && code == 0 && a.type == NPY_FLOAT64 && a.rank == 3;
    for (size_t i = 0; same && i < 12; i++)
        same = npy_float(&a, i) == elements[i] * 2.0F;
    base_free(file.at);
    if (code == 77 || code == 127) {
        print_message("python3 with numpy is not installed: skipped\n");
        skip();
    }
    assert_true(same);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_read),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(numpy_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
