#include "crew.h"

static void run_alone(rt_task *task, void *argument, size_t units) {
    for (size_t i = 0; i < units; i++)
        task(argument, 0, i);
}

#if defined RT_THREADS && RT_THREADS

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* Layers follow one another: threads look for work, and the caller for the last one's end, so many
 * times before they sleep. */
#define SPIN_ROUNDS 2000

typedef struct rt_worker {
    rt_crew *crew;
    unsigned number;
    pthread_t thread;
} rt_worker;

struct rt_crew {
    unsigned count, started;
    pid_t process;         /* that it was opened in: a fork has its memory, but no worker */
    rt_worker *workers;    /* [count] */
    pthread_mutex_t owner; /* held by the caller whose units are done */
    pthread_mutex_t lock;  /* of what follows, but for the units' number */
    pthread_cond_t ready, done;
    unsigned generation; /* also read without the lock */
    unsigned active;     /* workers on the units; read as well */
    bool open, stopping;
    rt_task *task;
    void *argument;
    size_t units, next; /* next: atomic */
    fenv_t rounding;    /* the caller's, and what else decides the bits of a sum */
};

unsigned rt_crew_threads(unsigned asked) {
    return asked < 1 ? 1 : asked < RT_THREADS_MOST ? asked : RT_THREADS_MOST;
}

static void do_units(rt_crew *crew, unsigned thread) {
    for (;;) {
        const size_t unit = __atomic_fetch_add(&crew->next, 1, __ATOMIC_RELAXED);
        if (unit >= crew->units)
            return;
        crew->task(crew->argument, thread, unit);
    }
}

/* Whether *number changes from `from` before a thread should sleep. */
static bool changes_soon(const unsigned *number, unsigned from) {
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (__atomic_load_n(number, __ATOMIC_RELAXED) != from)
            return true;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("isb"); /* yield takes no time on most of them */
#endif
    }
    return false;
}

static void wait_for_work(rt_crew *crew, unsigned seen) {
    if (changes_soon(&crew->generation, seen))
        return;
    pthread_mutex_lock(&crew->lock);
    while (crew->generation == seen)
        pthread_cond_wait(&crew->ready, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

/* One that comes too late finds the work closed, and nobody waited for it. */
static bool join_work(rt_crew *crew, unsigned *seen, bool *joined) {
    pthread_mutex_lock(&crew->lock);
    *seen = crew->generation;
    *joined = crew->open;
    __atomic_fetch_add(&crew->active, crew->open ? 1U : 0U, __ATOMIC_RELAXED);
    const bool stopping = crew->stopping;
    pthread_mutex_unlock(&crew->lock);
    return !stopping;
}

static void leave_work(rt_crew *crew) {
    pthread_mutex_lock(&crew->lock);
    if (__atomic_sub_fetch(&crew->active, 1, __ATOMIC_RELAXED) == 0)
        pthread_cond_signal(&crew->done);
    pthread_mutex_unlock(&crew->lock);
}

static void *work(void *argument) {
    rt_worker *self = argument;
    rt_crew *crew = self->crew;
    unsigned seen = 0;
    bool joined = false;
    for (;;) {
        wait_for_work(crew, seen);
        if (!join_work(crew, &seen, &joined))
            return NULL;
        if (!joined)
            continue;
        fesetenv(&crew->rounding);
        do_units(crew, self->number);
        leave_work(crew);
    }
}

static void publish(rt_crew *crew, bool open, bool stopping) {
    pthread_mutex_lock(&crew->lock);
    crew->open = open;
    crew->stopping = stopping;
    __atomic_store_n(&crew->generation, crew->generation + 1, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&crew->ready);
    pthread_mutex_unlock(&crew->lock);
}

/* The work is closed: there are no more of them. What they wrote is there once the lock was had. */
static void wait_for_workers(rt_crew *crew, unsigned active) {
    while (active > 0 && changes_soon(&crew->active, active))
        active = __atomic_load_n(&crew->active, __ATOMIC_RELAXED);
    pthread_mutex_lock(&crew->lock);
    while (crew->active > 0)
        pthread_cond_wait(&crew->done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

/* Of a fork, where a lock may have been held by a thread that is not there. */
static bool is_of_another_process(const rt_crew *crew) {
    return crew->process != getpid();
}

/* By the caller and the workers; the owner is the caller. */
static void run_together(rt_crew *crew, rt_task *task, void *argument, size_t units) {
    crew->task = task;
    crew->argument = argument;
    crew->units = units;
    crew->next = 0;
    fegetenv(&crew->rounding);
    publish(crew, true, false);
    do_units(crew, 0);
    pthread_mutex_lock(&crew->lock);
    crew->open = false;
    const unsigned active = crew->active;
    pthread_mutex_unlock(&crew->lock);
    if (active > 0)
        wait_for_workers(crew, active);
}

/* A caller who is cancelled where it waits would keep the locks for ever. */
void rt_crew_run(rt_crew *crew, rt_task *task, void *argument, size_t units) {
    int before;
    if (crew == NULL || units < 2 || is_of_another_process(crew)) {
        run_alone(task, argument, units);
        return;
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    if (pthread_mutex_trylock(&crew->owner) == 0) {
        run_together(crew, task, argument, units);
        pthread_mutex_unlock(&crew->owner);
    } else {
        run_alone(task, argument, units);
    }
    pthread_setcancelstate(before, &before);
}

/* Signals are the caller's threads'. */
static bool start_workers(rt_crew *crew) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (; crew->started < crew->count; crew->started++) {
        rt_worker *worker = &crew->workers[crew->started];
        worker->crew = crew;
        worker->number = crew->started + 1;
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return crew->started == crew->count;
}

admmnn_runtime_status rt_crew_open(rt_memory *memory, unsigned threads, rt_crew **out,
                                   admmnn_runtime_error *err) {
    *out = NULL;
    if (threads < 2)
        return ADMMNN_RUNTIME_OK;
    rt_crew *crew = rt_take(memory, 1, sizeof *crew);
    rt_worker *workers = rt_take(memory, threads - 1, sizeof *workers);
    if (crew == NULL || workers == NULL)
        return rt_fail(err, rt_memory_status(memory), "no memory for threads", 0);
    crew->count = threads - 1;
    crew->process = getpid();
    crew->workers = workers;
    pthread_mutex_init(&crew->owner, NULL);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->ready, NULL);
    pthread_cond_init(&crew->done, NULL);
    *out = crew;
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_crew_start(rt_crew *crew, admmnn_runtime_error *err) {
    if (crew == NULL || start_workers(crew))
        return ADMMNN_RUNTIME_OK;
    rt_crew_close(crew);
    return rt_fail(err, ADMMNN_RUNTIME_MEMORY, "a thread cannot be started", 0);
}

void rt_crew_close(rt_crew *crew) {
    if (crew == NULL || is_of_another_process(crew))
        return;
    publish(crew, false, true);
    for (unsigned i = 0; i < crew->started; i++)
        pthread_join(crew->workers[i].thread, NULL);
    pthread_cond_destroy(&crew->done);
    pthread_cond_destroy(&crew->ready);
    pthread_mutex_destroy(&crew->lock);
    pthread_mutex_destroy(&crew->owner);
}

#else

unsigned rt_crew_threads(unsigned asked) {
    (void)asked;
    return 1;
}

admmnn_runtime_status rt_crew_open(rt_memory *memory, unsigned threads, rt_crew **crew,
                                   admmnn_runtime_error *err) {
    (void)memory;
    (void)threads;
    (void)err;
    *crew = NULL;
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_crew_start(rt_crew *crew, admmnn_runtime_error *err) {
    (void)crew;
    (void)err;
    return ADMMNN_RUNTIME_OK;
}

void rt_crew_close(rt_crew *crew) {
    (void)crew;
}

void rt_crew_run(rt_crew *crew, rt_task *task, void *argument, size_t units) {
    (void)crew;
    run_alone(task, argument, units);
}

#endif
