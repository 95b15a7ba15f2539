/* One slice of ADMM-Q's grid (a method and its parameters from every start of a problem in
 * NumPy files q.npy, b.npy, starts.npy), side by side in one thread: what scripts/bench-admmq
 * sets against the published Python code. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admm/batch.h"
#include "admm/quadratic.h"
#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/npy.h"
#include "options.h"
#include "peak.h"

#define FILE_MOST ((size_t)1 << 30)
#define LEAST_SECONDS 0.5

typedef struct slice {
    const char *problem, *method;
    double rho, beta, probability;
    size_t d, starts;
    double *q, *b, *start;
    bool json;
} slice;

static admmnn_status read_array(const slice *s, const char *name, double **values, size_t *count,
                                admmnn_error *err) {
    char path[BASE_PATH_MAX];
    npy_array array;
    BASE_TRY(base_path_join(path, sizeof path, s->problem, name, err));
    BASE_TRY(npy_read(path, FILE_MOST, &array, values, err));
    *count = array.count;
    return ADMMNN_OK;
}

static admmnn_status read_problem(slice *s, admmnn_error *err) {
    size_t entries;
    size_t coordinates;
    BASE_TRY(read_array(s, "b.npy", &s->b, &s->d, err));
    BASE_TRY(read_array(s, "q.npy", &s->q, &entries, err));
    BASE_TRY(read_array(s, "starts.npy", &s->start, &coordinates, err));
    s->starts = coordinates / s->d;
    return entries == s->d * s->d && coordinates == s->starts * s->d
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_INPUT, "%s: its arrays do not fit", s->problem);
}

static batch_method kernel_of(const slice *s) {
    return strcmp(s->method, "pgd") == 0      ? BATCH_GRADIENT
           : strcmp(s->method, "admm-r") == 0 ? BATCH_RANDOMISED
                                              : BATCH_SOFT;
}

static admmnn_status find_rho(const slice *s, double *rho, admmnn_error *err) {
    const admmnn_matrix matrix = {.dense = s->q};
    admm_quadratic *f;
    double smallest;
    double largest;
    double residual;
    BASE_TRY(admm_quadratic_create(&matrix, s->b, s->d, &f, err));
    admmnn_status status =
        admm_quadratic_spectrum(f, 1e-9, &smallest, &largest, &residual, NULL, err);
    admm_quadratic_free(f);
    *rho = s->rho * largest;
    return status;
}

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

/* Seconds of one pass over all starts, the mean of as many as half a second takes. */
static admmnn_status time_passes(const batch_problem *problem, batch_run *runs, size_t count,
                                 double *seconds, admmnn_error *err) {
    const double begun = base_seconds();
    unsigned passes = 0;
    do {
        BASE_TRY(batch_solve(problem, NULL, NULL, runs, count, err));
        passes++;
    } while (base_seconds() - begun < LEAST_SECONDS);
    *seconds = (base_seconds() - begun) / passes;
    return ADMMNN_OK;
}

static admmnn_status print(const slice *s, const batch_run *runs, double seconds,
                           admmnn_error *err) {
    base_pool *pool;
    double iterations = 0;
    double *values = base_array(s->starts, sizeof *values);
    if (values == NULL)
        return base_fail_memory(err, "the values");
    for (size_t r = 0; r < s->starts; r++) {
        values[r] = runs[r].value;
        iterations += (double)runs[r].iterations;
    }
    admmnn_status status = base_pool_create(1, &pool, err);
    if (status == ADMMNN_OK) {
        const double flops = iterations * 2 * (double)(s->d * s->d) / seconds;
        const double peak = bench_peak_flops(pool) / 2; /* of doubles */
        printf(
            "{\"method\": \"%s\", \"seconds\": %.6g, \"median\": %.17g, \"iterations\": %.0f, "
            "\"gflops\": %.4g, \"peak_gflops\": %.4g}\n",
            s->method, seconds, median(values, s->starts), iterations, flops / 1e9, peak / 1e9);
        base_pool_destroy(pool);
    }
    base_free(values);
    return status;
}

static admmnn_status run(slice *s, admmnn_error *err) {
    double rho;
    double seconds;
    BASE_TRY(read_problem(s, err));
    BASE_TRY(find_rho(s, &rho, err));
    const batch_method kernel = kernel_of(s);
    const batch_problem problem = {.d = s->d,
                                   .q = s->q,
                                   .b = s->b,
                                   .spacing = 8,
                                   .rho = rho,
                                   .method = kernel,
                                   .iterations = kernel == BATCH_GRADIENT ? 100000 : 30000,
                                   .last = 50};
    batch_run *runs = base_array(s->starts, sizeof *runs);
    if (runs == NULL)
        return base_fail_memory(err, "the runs");
    for (size_t r = 0; r < s->starts; r++)
        runs[r] = (batch_run){.start = s->start + r * s->d,
                              .beta = strcmp(s->method, "admm-s") == 0 ? s->beta : INFINITY,
                              .probability = s->probability,
                              .seed = r};
    admmnn_status status = time_passes(&problem, runs, s->starts, &seconds, err);
    if (status == ADMMNN_OK)
        status = print(s, runs, seconds, err);
    base_free(runs);
    return status;
}

int main(int argc, char **argv) {
    slice s = {.method = "admm-q", .rho = 1e-3, .beta = 1, .probability = 0.3};
    admmnn_error err = {0};
    const bench_option options[] = {{.name = "--problem", .text = &s.problem},
                                    {.name = "--method", .text = &s.method},
                                    {.name = "--rho", .real = &s.rho},
                                    {.name = "--beta", .real = &s.beta},
                                    {.name = "--probability", .real = &s.probability}};
    if (!bench_options_read(argc, argv, options, sizeof options / sizeof options[0], &s.json) ||
        s.problem == NULL) {
        fprintf(stderr,
                "usage: bench_admmq --problem DIR [--method M] [--rho R] [--beta B] "
                "[--probability P]\n");
        return 2;
    }
    admmnn_status status = run(&s, &err);
    base_free(s.q);
    base_free(s.b);
    base_free(s.start);
    return bench_exit("bench_admmq", status, &err);
}
