#include "admmq/problem.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/npy.h"

#define FILE_MOST ((size_t)8 << 30)
/* The stream of random numbers that starts are drawn from. */
#define STREAM_STARTS 0x73746172U

static admmnn_status read_finite(const char *path, npy_array *array, double **values,
                                 admmnn_error *err) {
    BASE_TRY(npy_read(path, FILE_MOST, array, values, err));
    for (size_t i = 0; i < array->count; i++)
        if (!isfinite((*values)[i]))
            return base_fail(err, ADMMNN_INPUT, "%s: number %zu, from 0, is not finite", path, i);
    return ADMMNN_OK;
}

static admmnn_status open_dense(const char *path, admmq_problem *p, admmnn_error *err) {
    npy_array array;
    BASE_TRY(read_finite(path, &array, &p->dense, err));
    if (array.rank != 2 || array.dims[0] != array.dims[1] || array.dims[0] == 0)
        return base_fail(err, ADMMNN_INPUT, "%s: Q is to be of d x d numbers", path);
    p->dimension = array.dims[0];
    p->matrix = (admmnn_matrix){.dense = p->dense};
    return ADMMNN_OK;
}

static admmnn_status open_sparse(const char *path, admmq_problem *p, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(path, FILE_MOST, &bytes, &count, err));
    admmnn_status status = strlen((const char *)bytes) == count
                               ? market_parse(path, (const char *)bytes, &p->sparse, err)
                               : base_fail(err, ADMMNN_CORRUPT, "%s: holds a byte of 0", path);
    base_free(bytes);
    p->dimension = p->sparse.dimension;
    p->matrix = (admmnn_matrix){
        .start = p->sparse.start, .column = p->sparse.column, .value = p->sparse.value};
    return status;
}

static bool ends_in(const char *text, const char *end) {
    const size_t length = strlen(text);
    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static admmnn_status open_q(const char *path, admmq_problem *p, admmnn_error *err) {
    if (ends_in(path, ".mtx"))
        return open_sparse(path, p, err);
    return open_dense(path, p, err);
}

static admmnn_status open_b(const char *path, admmq_problem *p, admmnn_error *err) {
    if (path == NULL) {
        p->b = base_array(p->dimension, sizeof *p->b);
        return p->b != NULL ? ADMMNN_OK : base_fail_memory(err, "b");
    }
    npy_array array;
    BASE_TRY(read_finite(path, &array, &p->b, err));
    return array.rank == 1 && array.count == p->dimension
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_INPUT, "%s: b is to be of %zu numbers, as Q is", path,
                           p->dimension);
}

/* ---- lists of levels ---- */

/* The numbers of a row before its filling. */
static size_t row_length(const double *row, size_t columns) {
    while (columns > 0 && isnan(row[columns - 1]))
        columns--;
    return columns;
}

/* Coordinates take the rows in equal shares, one after another. */
static admmnn_status spread_rows(const double *rows, size_t row_count, size_t columns,
                                 admmq_problem *p, admmnn_error *err) {
    const size_t share = p->dimension / row_count;
    size_t total = 0;
    for (size_t r = 0; r < row_count; r++)
        total += share * row_length(rows + r * columns, columns);
    p->levels = base_array(total, sizeof *p->levels);
    p->first = base_array(p->dimension + 1, sizeof *p->first);
    if (p->levels == NULL || p->first == NULL)
        return base_fail_memory(err, "the levels");
    for (size_t i = 0; i < p->dimension; i++) {
        const double *row = rows + i / share * columns;
        const size_t count = row_length(row, columns);
        memcpy(p->levels + p->first[i], row, count * sizeof *row);
        p->first[i + 1] = p->first[i] + count;
    }
    return ADMMNN_OK;
}

static admmnn_status read_levels(const char *path, admmq_problem *p, double **rows,
                                 admmnn_error *err) {
    npy_array array;
    BASE_TRY(npy_read(path, FILE_MOST, &array, rows, err));
    const size_t row_count = array.rank == 2 ? array.dims[0] : 1;
    const size_t columns = array.rank == 0 ? 0 : array.dims[array.rank - 1];
    if (array.rank > 2 || columns == 0 || row_count == 0 || p->dimension % row_count != 0)
        return base_fail(
            err, ADMMNN_INPUT,
            "%s: levels are to be of one row for each coordinate, or for each group of "
            "as many of the %zu",
            path, p->dimension);
    for (size_t r = 0; r < row_count; r++)
        if (row_length(*rows + r * columns, columns) == 0)
            return base_fail(err, ADMMNN_INPUT, "%s: row %zu, from 0, has no level", path, r);
    return spread_rows(*rows, row_count, columns, p, err);
}

static admmnn_status open_set(const char *set, admmq_problem *p, admmnn_error *err) {
    double *rows = NULL;
    if (!ends_in(set, ".npy")) {
        p->set = set;
        return ADMMNN_OK;
    }
    const admmnn_status status = read_levels(set, p, &rows, err);
    base_free(rows);
    return status;
}

static admmnn_status draw_starts(const admmnn_admmq_settings *settings, admmq_problem *p,
                                 admmnn_error *err) {
    size_t count;
    p->start_count = settings->starts;
    if (base_multiply(settings->starts, p->dimension, &count))
        p->starts = base_array(count, sizeof *p->starts);
    if (p->starts == NULL)
        return base_fail_memory(err, "the starts");
    for (uint32_t s = 0; s < settings->starts; s++) {
        base_random random = base_random_at(settings->solver.seed, STREAM_STARTS, s);
        for (size_t i = 0; i < p->dimension; i++)
            p->starts[s * p->dimension + i] =
                settings->start_scale * (double)base_random_normal(&random);
    }
    return ADMMNN_OK;
}

static admmnn_status open_starts(const admmnn_admmq_settings *settings, admmq_problem *p,
                                 admmnn_error *err) {
    npy_array array;
    BASE_TRY(read_finite(settings->start, &array, &p->starts, err));
    const size_t rows = array.rank == 2 ? array.dims[0] : 1;
    const size_t columns = array.rank == 0 ? 0 : array.dims[array.rank - 1];
    const bool counted = settings->starts == 0 || rows == settings->starts;
    if (array.rank > 2 || columns != p->dimension || rows == 0 || rows > UINT32_MAX || !counted)
        return base_fail(err, ADMMNN_INPUT,
                         counted ? "%s: starts are to be rows of %zu numbers"
                                 : "%s: starts are to be rows of %zu numbers, %u of them",
                         settings->start, p->dimension, settings->starts);
    p->start_count = (uint32_t)rows;
    return ADMMNN_OK;
}

admmnn_status admmq_problem_open(const admmnn_admmq_settings *settings, admmq_problem *p,
                                 admmnn_error *err) {
    *p = (admmq_problem){0};
    if (settings->starts == 0 && settings->start == NULL)
        return base_fail(err, ADMMNN_USAGE, "no starts; at least 1 is needed");
    if (!(settings->start_scale >= 0) || !isfinite(settings->start_scale))
        return base_fail(err, ADMMNN_USAGE,
                         "the starts' deviation is %g; a finite number of at least 0 is needed",
                         settings->start_scale);
    BASE_TRY(open_q(settings->q, p, err));
    BASE_TRY(open_b(settings->b, p, err));
    BASE_TRY(open_set(settings->set, p, err));
    return settings->start != NULL ? open_starts(settings, p, err) : draw_starts(settings, p, err);
}

void admmq_problem_free(admmq_problem *p) {
    base_free(p->dense);
    market_free(&p->sparse);
    base_free(p->b);
    base_free(p->starts);
    base_free(p->levels);
    base_free(p->first);
}
