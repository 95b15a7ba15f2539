#include "hardware/single_time.h"

#include <stdlib.h>

#include "base/context.h"

#define ROUNDS_LEAST 5U
#define ROUNDS_MOST 500U

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static admmnn_status time_run(single *s, int way, double *seconds, admmnn_error *err) {
    double (*const now)(void) = s->threads == 1 ? base_thread_seconds : base_seconds;
    const double start = now();
    BASE_TRY(way == SINGLE_SPARSE ? single_run_sparse(s, err) : single_run_dense(s, err));
    *seconds = now() - start;
    return ADMMNN_OK;
}

admmnn_status single_time(single *s, double seconds, single_times *times, admmnn_error *err) {
    double runs[SINGLE_WAYS][ROUNDS_MOST];
    double start = base_seconds();
    unsigned rounds = 0;
    for (int way = 0; way < SINGLE_WAYS; way++) /* warms up */
        BASE_TRY(time_run(s, way, &runs[way][0], err));
    while (rounds < ROUNDS_MOST && (rounds < ROUNDS_LEAST || base_seconds() < start + seconds)) {
        for (int way = 0; way < SINGLE_WAYS; way++)
            BASE_TRY(time_run(s, way, &runs[way][rounds], err));
        rounds++;
    }
    for (int way = 0; way < SINGLE_WAYS; way++) {
        qsort(runs[way], rounds, sizeof runs[way][0], by_value);
        times->median[way] = runs[way][rounds / 2];
        times->least[way] = runs[way][0];
    }
    times->rounds = rounds;
    return ADMMNN_OK;
}
