#include "hardware/single_time.h"

#include "base/context.h"
#include "hardware/turns.h"

/* oneDNN's threads look for work some 15 ms before they sleep, on the processors that ours need. */
#define SETTLE_SECONDS 0.02

static admmnn_status run_way(void *user, int way, admmnn_error *err) {
    single *s = user;
    return way == SINGLE_SPARSE ? single_run_sparse(s, err) : single_run_dense(s, err);
}

admmnn_status single_time(single *s, double seconds, single_times *times, admmnn_error *err) {
    const turns t = {.ways = SINGLE_WAYS,
                     .run = run_way,
                     .user = s,
                     .now = s->threads == 1 ? base_thread_seconds : base_seconds,
                     .settle = s->threads == 1 ? 0.0 : SETTLE_SECONDS};
    turns_times of[SINGLE_WAYS];
    BASE_TRY(turns_time(&t, seconds, of, &times->rounds, err));
    for (int way = 0; way < SINGLE_WAYS; way++) {
        times->median[way] = of[way].median;
        times->least[way] = of[way].least;
    }
    return ADMMNN_OK;
}
