/* A fixed set of threads that run one function together. Work is divided by
 * thread index alone, so that results do not depend on timing. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/error.h"

typedef struct base_pool base_pool;
typedef void (*base_pool_task)(void *argument, unsigned thread, unsigned threads);

/* threads 0: one for each core this process may use. The calling thread is
 * thread 0, so a pool of one starts no thread. */
admmnn_status base_pool_create(unsigned threads, base_pool **pool, admmnn_error *err);
void base_pool_destroy(base_pool *pool);
unsigned base_pool_threads(const base_pool *pool);
/* The number of threads that a pool of `threads` has. */
unsigned base_pool_resolve(unsigned threads);

/* Calls task once in every thread and returns when all have returned. One
 * caller at a time. */
void base_pool_run(base_pool *pool, base_pool_task task, void *argument);

/* What thread `thread` of `threads` does of `count` things in a row: shares that
 * follow one another, as equal as multiples of `unit` can be, the last ones smaller or
 * empty. */
typedef struct base_share {
    size_t first, count;
} base_share;
base_share base_pool_share(size_t count, size_t unit, unsigned thread, unsigned threads);

#endif
