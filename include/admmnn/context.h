/* What the library asks of its caller: threads, a log, progress, a way to stop; and that
 * LC_NUMERIC is "C", as it is where setlocale was not called, since the numbers of recipes and
 * results are read and written by the C library. */
#ifndef ADMMNN_CONTEXT_H
#define ADMMNN_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum admmnn_log_level {
    ADMMNN_LOG_DEBUG,
    ADMMNN_LOG_INFO,
    ADMMNN_LOG_WARNING
} admmnn_log_level;

/* Progress of one piece of long work. `done` and `total` are in `unit`s
 * ("images", "bytes", "files"; empty where nothing is counted); total is 0 when it
 * is not known. `run_done` is the fraction of the whole run in [0, 1], negative
 * when it is not known. `note` says how the work goes ("validation 99.31 %"); NULL or
 * empty when there is nothing to say. Strings live only during the call. */
typedef struct admmnn_progress {
    const char *task;
    const char *unit;
    uint64_t done;
    uint64_t total;
    double run_done;
    const char *note;
} admmnn_progress;

/* A call that takes a context wants one, unless it says that NULL will do. All
 * callbacks may be NULL; they are called from the thread that called the
 * library, never from its workers. The library never prints.
 *
 * A program that handles signals gives its handlers a stack of their own (sigaltstack,
 * SA_ONSTACK): oneDNN's matrix products keep the stack pointer in their buffers, and a
 * handler below it writes over the heap. The library's workers block all signals. */
typedef struct admmnn_context {
    unsigned threads; /* 0: one per core this process may use */
    void (*log)(void *user, admmnn_log_level level, const char *message);
    void (*progress)(void *user, const admmnn_progress *progress);
    bool (*cancelled)(void *user); /* asked between batches; true stops cleanly */
    void *user;
} admmnn_context;

#ifdef __cplusplus
}
#endif
#endif
