/* What a table of measurements says: which setting is best, and which method. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "admmq/bench.h"
#include "base/memory.h"

typedef struct ranked {
    double median;
    size_t setting;
} ranked;

static int by_median(const void *left, const void *right) {
    const ranked *a = left;
    const ranked *b = right;
    if (a->median != b->median)
        return a->median < b->median ? -1 : 1;
    return (a->setting > b->setting) - (a->setting < b->setting);
}

/* Adds twice the ranks of an instance's medians to sums[setting_count]. */
static void add_ranks(const bench_table *table, admmnn_method method, size_t instance,
                      ranked *order, double *medians, size_t *twice, size_t *sums) {
    size_t count = 0;
    for (size_t s = 0; s < table->setting_count; s++)
        if (table->settings[s].method == method)
            order[count++] =
                (ranked){table->cells[s * table->instance_count + instance].value.median, s};
    qsort(order, count, sizeof *order, by_median);
    for (size_t k = 0; k < count; k++)
        medians[k] = order[k].median;
    statistics_rank(medians, count, twice);
    for (size_t k = 0; k < count; k++)
        sums[order[k].setting] += twice[k];
}

admmnn_status bench_best(const bench_table *table, admmnn_method method, size_t *best,
                         admmnn_error *err) {
    const size_t count = table->setting_count;
    ranked *order = base_array(count, sizeof *order);
    double *medians = base_array(count, sizeof *medians);
    size_t *twice = base_array(2 * count, sizeof *twice);
    admmnn_status status = ADMMNN_OK;
    if (order == NULL || medians == NULL || twice == NULL) {
        status = base_fail_memory(err, "the ranks");
    } else {
        size_t *sums = twice + count;
        for (size_t i = 0; i < table->instance_count; i++)
            add_ranks(table, method, i, order, medians, twice, sums);
        *best = SIZE_MAX;
        for (size_t s = 0; s < count; s++)
            if (table->settings[s].method == method && (*best == SIZE_MAX || sums[s] < sums[*best]))
                *best = s;
    }
    base_free(order);
    base_free(medians);
    base_free(twice);
    return status;
}

static double best_median(const bench_table *table, admmnn_method method, size_t instance) {
    double best = INFINITY;
    for (size_t s = 0; s < table->setting_count; s++)
        if (table->settings[s].method == method)
            best = fmin(best, table->cells[s * table->instance_count + instance].value.median);
    return best;
}

static admmnn_status compare(const bench_table *table, bench_pair *pair, double *medians,
                             admmnn_error *err) {
    const size_t count = table->instance_count;
    for (size_t i = 0; i < count; i++) {
        medians[i] = best_median(table, pair->a, i);
        medians[count + i] = best_median(table, pair->b, i);
    }
    return statistics_signed_rank(medians, medians + count, count, &pair->test, err);
}

admmnn_status bench_compare(const bench_table *table, bench_pair *pairs, admmnn_error *err) {
    static const admmnn_method compared[BENCH_PAIRS][2] = {
        {ADMMNN_METHOD_ADMM_S, ADMMNN_METHOD_ADMM_Q},
        {ADMMNN_METHOD_ADMM_R, ADMMNN_METHOD_ADMM_Q},
        {ADMMNN_METHOD_ADMM_Q, ADMMNN_METHOD_PGD},
        {ADMMNN_METHOD_ADMM_R, ADMMNN_METHOD_ADMM_S}};
    admmnn_status status = ADMMNN_OK;
    double *medians = base_array(2 * table->instance_count, sizeof *medians);
    if (medians == NULL)
        status = base_fail_memory(err, "the comparison");
    for (size_t p = 0; status == ADMMNN_OK && p < BENCH_PAIRS; p++) {
        pairs[p] = (bench_pair){.a = compared[p][0], .b = compared[p][1]};
        status = compare(table, &pairs[p], medians, err);
    }
    base_free(medians);
    return status;
}
