/* NumPy's array files (.npy, format versions 1.0 to 3.0; NumPy Enhancement
 * Proposal 1): one array in C order.
 *
 *   6   0x93 "NUMPY"
 *   2   version: major 1, 2 or 3, minor 0
 *   2   (4 from version 2 on) length of the header
 *   .   header: a Python dictionary of exactly 'descr', 'fortran_order', 'shape'
 *   .   the elements, to the end of the file */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "base/bytes.h"
#include "base/error.h"

#define NPY_RANK_MAX 8U

/* X(name, descr, bytes of an element) */
#define NPY_TYPE_MAP(X)                                                                            \
    X(FLOAT32, "<f4", 4)                                                                           \
    X(FLOAT64, "<f8", 8)                                                                           \
    X(UINT8, "|u1", 1)                                                                             \
    X(INT32, "<i4", 4)                                                                             \
    X(INT64, "<i8", 8)

typedef enum npy_type {
#define NPY_TYPE_ENUM(name, descr, size) NPY_##name,
    NPY_TYPE_MAP(NPY_TYPE_ENUM)
#undef NPY_TYPE_ENUM
} npy_type;

typedef struct npy_array {
    npy_type type;
    uint32_t rank;
    size_t dims[NPY_RANK_MAX];
    size_t count;
    const uint8_t *elements; /* within the file's bytes, of any alignment */
} npy_array;

/* name appears in errors. Other types, Fortran order: ADMMNN_UNSUPPORTED with
 * what to do; damage: ADMMNN_CORRUPT. */
admmnn_status npy_parse(const char *name, const uint8_t *bytes, size_t count, npy_array *out,
                        admmnn_error *err);
/* Element i; of whole numbers the number itself, as far as a double holds it. */
double npy_double(const npy_array *array, size_t i);
float npy_float(const npy_array *array, size_t i);

/* A whole file as numbers: *values[array->count] is the caller's, freed with base_free; the
 * array's elements are gone. More than `most` bytes are ADMMNN_INPUT. */
admmnn_status npy_read(const char *path, size_t most, npy_array *array, double **values,
                       admmnn_error *err);

/* Version 1.0, float32, rank at most NPY_RANK_MAX. */
void npy_write(base_writer *out, const float *elements, const size_t *dims, uint32_t rank);

#endif
