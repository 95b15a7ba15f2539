/* What is said of many runs. */
#ifndef ADMMQ_STATISTICS_H
#define ADMMQ_STATISTICS_H

#include <stddef.h>

#include "admmnn/admmq.h"
#include "base/error.h"

/* Sorts values[count], infinite ones last; of none every figure is NaN. */
admmnn_quartiles statistics_quartiles(double *values, size_t count);

/* Twice the ranks from 1 of rising[count], which are whole where equal values share theirs. */
void statistics_rank(const double *rising, size_t count, size_t *twice);

/* The signed-rank test of paired values (Wilcoxon 1945): how often a is below b, equal to
 * it, above it, and the probability that ranks as one-sided as these (in either
 * direction) come by chance. Exact: every sign of every rank is counted; equal pairs are
 * left out, ranks of equal differences are shared. p is 1 when no pair differs. */
typedef struct statistics_test {
    size_t below, equal, above;
    double p;
} statistics_test;

/* ADMMNN_MEMORY. */
admmnn_status statistics_signed_rank(const double *a, const double *b, size_t count,
                                     statistics_test *test, admmnn_error *err);

#endif
