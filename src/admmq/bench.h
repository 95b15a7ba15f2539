/* The experiment on quadratics: what is measured, and how it is kept. */
#ifndef ADMMQ_BENCH_H
#define ADMMQ_BENCH_H

#include "admmq/quadratics.h"
#include "admmq/statistics.h"
#include "base/bytes.h"

/* The first of admmnn_method, in its order: ADMM-Q, ADMM-S, ADMM-R, projected gradient, gradient
 * descent that is rounded. */
#define BENCH_METHODS 5

#define BENCH_RHOS 9
#define BENCH_BETAS 21
#define BENCH_PROBABILITIES 7
#define BENCH_SETTINGS (BENCH_RHOS * (1 + BENCH_BETAS + BENCH_PROBABILITIES + 1 + 1))

typedef struct bench_setting {
    admmnn_method method;
    double rho_relative; /* in units of L */
    double beta;         /* of ADMM-S; infinite otherwise */
    double probability;  /* of ADMM-R; 1 otherwise */
} bench_setting;

/* What a setting reached from an instance's starts; diverged ones are infinite. */
typedef struct bench_cell {
    admmnn_quartiles value;
    uint32_t diverged;
    double iterations; /* done, of all starts */
} bench_cell;

/* Settings on instances. */
typedef struct bench_table {
    const bench_setting *settings; /* [setting_count] */
    size_t setting_count, instance_count;
    quadratics_instance *instances; /* [instance_count] */
    bench_cell *cells;              /* [setting_count][instance_count] */
    double seconds, exact_seconds;  /* of the settings, and of the instances' optima */
} bench_table;

/* The whole grid, by method: settings[BENCH_SETTINGS]. */
void bench_fill_grid(bench_setting *settings);

/* Instances first to first + count - 1 with all the table's settings, by all threads.
 * The table's settings are set before; freed with bench_table_free also after a failure. */
admmnn_status bench_table_run(const admmnn_quadratics_settings *settings, uint32_t first,
                              const admmnn_context *context, bench_table *table, admmnn_error *err);
void bench_table_free(bench_table *table);

/* The setting of a method whose medians have the lowest mean rank among the method's. */
admmnn_status bench_best(const bench_table *table, admmnn_method method, size_t *best,
                         admmnn_error *err);

/* Pairs that are compared: whether `a` is below `b`, by instance the least median of each
 * one's settings. */
typedef struct bench_pair {
    admmnn_method a, b;
    statistics_test test;
} bench_pair;
#define BENCH_PAIRS 4
/* pairs[BENCH_PAIRS]. */
admmnn_status bench_compare(const bench_table *table, bench_pair *pairs, admmnn_error *err);

typedef struct bench_result {
    bench_table grid, held_out;          /* held_out: one setting a method */
    size_t best[BENCH_METHODS];          /* of grid's settings */
    bench_setting chosen[BENCH_METHODS]; /* those */
    /* Of grid, each method with the best of its settings for an instance, as published: the
     * more settings, the better. Of held_out: without that advantage. */
    bench_pair grid_pairs[BENCH_PAIRS], held_out_pairs[BENCH_PAIRS];
    unsigned threads;
} bench_result;

/* quadratics.json. */
void bench_write_json(const admmnn_quadratics_settings *settings, const bench_result *result,
                      base_writer *out);

#endif
