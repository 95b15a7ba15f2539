#include "admmq/crew.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "base/memory.h"
#include "base/pool.h"

typedef struct crew {
    const admmnn_context *outer;
    crew_task task;
    void *work;
    admmnn_error *errors; /* [threads] */
    atomic_bool stop;
    atomic_uint busy; /* threads but the caller's */
} crew;

/* The caller's thread alone asks the caller; the others hear of it. */
static bool is_stopped(void *user) {
    return atomic_load(&((crew *)user)->stop);
}

static bool asks_caller(void *user) {
    crew *c = user;
    if (base_cancelled(c->outer))
        atomic_store(&c->stop, true);
    return atomic_load(&c->stop);
}

static void pass_progress(void *user, const admmnn_progress *progress) {
    base_progress(((const crew *)user)->outer, progress);
}

static void pass_log(void *user, admmnn_log_level level, const char *message) {
    base_log(((const crew *)user)->outer, level, "%s", message);
}

/* Done with its own part, it still hears the caller while others go on. */
static void wait_for_others(crew *c) {
    const struct timespec moment = {.tv_nsec = 20000000};
    while (atomic_load(&c->busy) > 0 && !asks_caller(c))
        nanosleep(&moment, NULL);
}

static void run_thread(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    crew *c = argument;
    const bool caller = thread == 0;
    const admmnn_context context = {.cancelled = caller ? asks_caller : is_stopped,
                                    .progress = caller ? pass_progress : NULL,
                                    .log = caller ? pass_log : NULL,
                                    .user = c};
    if (c->task(c->work, &context, &c->errors[thread]) != ADMMNN_OK)
        atomic_store(&c->stop, true);
    if (caller)
        wait_for_others(c);
    else
        atomic_fetch_sub(&c->busy, 1);
}

/* The first failure that is more than the stop another led to. */
static admmnn_status error_of(const crew *c, unsigned threads, admmnn_error *err) {
    const admmnn_error *found = NULL;
    for (unsigned t = 0; t < threads; t++)
        if (c->errors[t].status != ADMMNN_OK &&
            (found == NULL || found->status == ADMMNN_CANCELLED))
            found = &c->errors[t];
    if (found != NULL)
        return base_fail(err, found->status, "%s", found->message);
    return atomic_load(&c->stop) ? base_fail(err, ADMMNN_CANCELLED, "stopped on request")
                                 : ADMMNN_OK;
}

admmnn_status crew_run(const admmnn_context *outer, unsigned threads, crew_task task, void *work,
                       admmnn_error *err) {
    crew c = {.outer = outer, .task = task, .work = work};
    base_pool *pool;
    BASE_TRY(base_pool_create(threads, &pool, err));
    atomic_store(&c.busy, threads - 1);
    c.errors = base_array(threads, sizeof *c.errors);
    admmnn_status status = ADMMNN_OK;
    if (c.errors == NULL) {
        status = base_fail_memory(err, "the threads");
    } else {
        base_pool_run(pool, run_thread, &c);
        status = error_of(&c, threads, err);
    }
    base_free(c.errors);
    base_pool_destroy(pool);
    return status;
}
