#include "hardware/turns.h"

#include <stdlib.h>

#include "base/context.h"

#define ROUNDS_LEAST 5U
#define ROUNDS_MOST 500U

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static admmnn_status time_round(const turns *t, double runs[][ROUNDS_MOST], unsigned round,
                                admmnn_error *err) {
    for (int way = 0; way < t->ways; way++) {
        const double start = t->now();
        BASE_TRY(t->run(t->user, way, err));
        runs[way][round] = t->now() - start;
    }
    return ADMMNN_OK;
}

admmnn_status turns_time(const turns *t, double seconds, turns_times *times, unsigned *rounds,
                         admmnn_error *err) {
    double runs[TURNS_WAYS_MOST][ROUNDS_MOST];
    const double end = base_seconds() + seconds;
    unsigned count = 0;
    BASE_TRY(time_round(t, runs, 0, err)); /* warms up */
    while (count < ROUNDS_MOST && (count < ROUNDS_LEAST || base_seconds() < end))
        BASE_TRY(time_round(t, runs, count++, err));
    for (int way = 0; way < t->ways; way++) {
        qsort(runs[way], count, sizeof runs[way][0], by_value);
        times[way] = (turns_times){runs[way][count / 2], runs[way][0]};
    }
    *rounds = count;
    return ADMMNN_OK;
}
