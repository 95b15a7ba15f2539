#include "admmq/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(const double *sorted, size_t count, double share) {
    const double place = share * (double)(count - 1);
    const size_t below = (size_t)place;
    const double rest = place - (double)below;
    if (rest == 0 || sorted[below] == sorted[below + 1]) /* which may both be infinite */
        return sorted[below];
    return sorted[below] + rest * (sorted[below + 1] - sorted[below]);
}

admmnn_quartiles statistics_quartiles(double *values, size_t count) {
    if (count == 0)
        return (admmnn_quartiles){NAN, NAN, NAN, NAN, NAN};
    qsort(values, count, sizeof *values, by_value);
    return (admmnn_quartiles){.least = values[0],
                              .lower = quantile(values, count, 0.25),
                              .median = quantile(values, count, 0.5),
                              .upper = quantile(values, count, 0.75),
                              .greatest = values[count - 1]};
}

void statistics_rank(const double *rising, size_t count, size_t *twice) {
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && rising[end] == rising[i])
            end++;
        for (size_t k = i; k < end; k++)
            twice[k] = i + 1 + end;
        i = end;
    }
}

static int by_size(const void *left, const void *right) {
    const double a = fabs(*(const double *)left);
    const double b = fabs(*(const double *)right);
    return (a > b) - (a < b);
}

/* The share of all signs that give a sum of at most `sum` to the ranks with a plus. */
static double share_up_to(const size_t *twice, size_t count, size_t sum, double *shares,
                          size_t most) {
    for (size_t s = 0; s <= most; s++)
        shares[s] = s == 0 ? 1 : 0;
    for (size_t i = 0; i < count; i++)
        for (size_t s = most + 1; s-- > 0;)
            shares[s] = 0.5 * (shares[s] + (s >= twice[i] ? shares[s - twice[i]] : 0));
    double total = 0;
    for (size_t s = 0; s <= sum; s++)
        total += shares[s];
    return total;
}

static admmnn_status test_differences(double *differences, size_t count, statistics_test *test,
                                      admmnn_error *err) {
    size_t most = count * (count + 1); /* twice the sum of all ranks */
    size_t *twice = base_array(count, sizeof *twice);
    double *shares = base_array(most + 1, sizeof *shares);
    admmnn_status status = ADMMNN_OK;
    if (twice == NULL || shares == NULL) {
        status = base_fail_memory(err, "a signed-rank test");
    } else {
        qsort(differences, count, sizeof *differences, by_size);
        for (size_t i = 0; i < count; i++)
            shares[i] = fabs(differences[i]);
        statistics_rank(shares, count, twice);
        size_t sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += differences[i] > 0 ? twice[i] : 0;
        const size_t smaller = sum < most - sum ? sum : most - sum;
        test->p = fmin(1, 2 * share_up_to(twice, count, smaller, shares, most));
    }
    base_free(twice);
    base_free(shares);
    return status;
}

admmnn_status statistics_signed_rank(const double *a, const double *b, size_t count,
                                     statistics_test *test, admmnn_error *err) {
    *test = (statistics_test){.p = 1};
    double *differences = base_array(count, sizeof *differences);
    if (differences == NULL)
        return base_fail_memory(err, "a signed-rank test");
    for (size_t i = 0; i < count; i++) {
        test->below += a[i] < b[i];
        test->above += a[i] > b[i];
        if (a[i] == b[i])
            test->equal++;
        else
            differences[i - test->equal] = a[i] - b[i];
    }
    admmnn_status status = ADMMNN_OK;
    if (test->equal < count)
        status = test_differences(differences, count - test->equal, test, err);
    base_free(differences);
    return status;
}
