/* sched_getaffinity: the cores this process may use, not those of the machine. */
#define _GNU_SOURCE
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

/* Batches are a few milliseconds apart: workers spin this long before they
 * sleep, so that a wake-up does not cost more than the work. */
#define SPIN_ROUNDS 2000

typedef struct worker {
    base_pool *pool;
    unsigned index;
    pthread_t thread;
} worker;

struct base_pool {
    unsigned threads;
    unsigned started;
    worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t work_ready;
    pthread_cond_t work_done;
    atomic_uint generation; /* written under lock; spun on without it */
    atomic_uint busy;
    bool stopping;
    base_pool_task task;
    void *argument;
};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static unsigned wait_for_work(base_pool *pool, unsigned seen) {
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (now != seen)
            return now;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen)
        pthread_cond_wait(&pool->work_ready, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return atomic_load_explicit(&pool->generation, memory_order_acquire);
}

static void *work(void *argument) {
    worker *self = argument;
    base_pool *pool = self->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_work(pool, seen);
        if (pool->stopping)
            return NULL;
        pool->task(pool->argument, self->index, pool->threads);
        if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->work_done);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void publish(base_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->lock);
}

static unsigned usable_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

unsigned base_pool_resolve(unsigned threads) {
    return threads == 0 ? usable_cores() : threads;
}

/* Signals are the caller's: a handler in a worker could run where a library has moved the
 * stack pointer. */
static void start_workers(base_pool *pool) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 1; i < pool->threads; i++) {
        pool->workers[i] = (worker){.pool = pool, .index = i};
        if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0)
            break;
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

admmnn_status base_pool_create(unsigned threads, base_pool **out, admmnn_error *err) {
    threads = base_pool_resolve(threads);
    if (threads > 1024)
        return base_fail(err, ADMMNN_USAGE,
                         "%u threads asked for; ask for 1 to 1024, or 0 for one a core", threads);
    base_pool *pool = base_array(1, sizeof *pool);
    worker *workers = base_array(threads, sizeof *workers);
    if (pool == NULL || workers == NULL) {
        base_free(pool);
        base_free(workers);
        return base_fail_memory(err, "the thread pool");
    }
    pool->threads = threads;
    pool->workers = workers;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_ready, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    start_workers(pool);
    if (pool->started + 1 < threads) {
        base_fail(err, ADMMNN_MEMORY, "cannot start thread %u of %u", pool->started + 2, threads);
        base_pool_destroy(pool);
        return ADMMNN_MEMORY;
    }
    *out = pool;
    return ADMMNN_OK;
}

void base_pool_destroy(base_pool *pool) {
    if (pool == NULL)
        return;
    pool->stopping = true;
    publish(pool);
    for (unsigned i = 1; i <= pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_ready);
    pthread_mutex_destroy(&pool->lock);
    base_free(pool->workers);
    base_free(pool);
}

unsigned base_pool_threads(const base_pool *pool) {
    return pool->threads;
}

static void wait_until_done(base_pool *pool) {
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->busy, memory_order_acquire) != 0)
        pthread_cond_wait(&pool->work_done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void base_pool_run(base_pool *pool, base_pool_task task, void *argument) {
    if (pool->threads > 1) {
        pool->task = task;
        pool->argument = argument;
        atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
        publish(pool);
    }
    task(argument, 0, pool->threads);
    if (pool->threads > 1)
        wait_until_done(pool);
}

base_share base_pool_share(size_t count, size_t unit, unsigned thread, unsigned threads) {
    const size_t units = count / unit + (count % unit != 0);
    const size_t each = (units + threads - 1) / threads * unit;
    const size_t first = thread * each < count ? thread * each : count;
    return (base_share){first, count - first < each ? count - first : each};
}
