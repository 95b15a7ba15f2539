#include "hardware/turns.h"

#include <stdlib.h>

#include "base/context.h"
#include "base/memory.h"

#define TURNS_LEAST 5U
#define RUNS_MOST 10000U

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static unsigned runs_of_turn(const turns *t) {
    return t->settle > 0 ? TURNS_RUNS : 1;
}

static admmnn_status settle(const turns *t, int way, admmnn_error *err) {
    const double end = base_seconds() + t->settle;
    do
        BASE_TRY(t->run(t->user, way, err));
    while (base_seconds() < end);
    return ADMMNN_OK;
}

static admmnn_status time_turns(const turns *t, double runs[][RUNS_MOST], unsigned first,
                                admmnn_error *err) {
    for (int way = 0; way < t->ways; way++) {
        if (t->settle > 0)
            BASE_TRY(settle(t, way, err));
        for (unsigned i = 0; i < runs_of_turn(t); i++) {
            const double start = t->now();
            BASE_TRY(t->run(t->user, way, err));
            runs[way][first + i] = t->now() - start;
        }
    }
    return ADMMNN_OK;
}

static admmnn_status time_all(const turns *t, double seconds, double runs[][RUNS_MOST],
                              turns_times *times, unsigned *rounds, admmnn_error *err) {
    const double end = base_seconds() + seconds;
    const unsigned each = runs_of_turn(t);
    unsigned count = 0;
    BASE_TRY(time_turns(t, runs, 0, err)); /* warms up */
    for (; count + each <= RUNS_MOST && (count < each * TURNS_LEAST || base_seconds() < end);
         count += each)
        BASE_TRY(time_turns(t, runs, count, err));
    for (int way = 0; way < t->ways; way++) {
        qsort(runs[way], count, sizeof runs[way][0], by_value);
        times[way] = (turns_times){runs[way][count / 2], runs[way][0]};
    }
    *rounds = count;
    return ADMMNN_OK;
}

admmnn_status turns_time(const turns *t, double seconds, turns_times *times, unsigned *rounds,
                         admmnn_error *err) {
    double(*runs)[RUNS_MOST] = base_array((size_t)t->ways, sizeof *runs);
    if (runs == NULL)
        return base_fail_memory(err, "the times of runs");
    const admmnn_status status = time_all(t, seconds, runs, times, rounds, err);
    base_free(runs);
    return status;
}
