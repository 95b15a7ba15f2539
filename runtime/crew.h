/* Threads that a model keeps, where its builder has them: RT_THREADS says so. Work is a number
 * of units, each done by one thread, in any order: what it is must not depend on which. */
#ifndef RT_CREW_H
#define RT_CREW_H

#include <stddef.h>

#include "fail.h"
#include "memory.h"

#define RT_THREADS_MOST 1024U

typedef struct rt_crew rt_crew;

/* How many threads there will be of those that are asked for. */
unsigned rt_crew_threads(unsigned asked);
/* All that it needs but its threads; *crew is NULL for one thread, the caller. MEMORY, ARENA. */
admmnn_runtime_status rt_crew_open(rt_memory *memory, unsigned threads, rt_crew **crew,
                                   admmnn_runtime_error *err);
/* Starts the threads, or closes it: MEMORY. NULL is nothing. */
admmnn_runtime_status rt_crew_start(rt_crew *crew, admmnn_runtime_error *err);
/* Ends the threads that were started; NULL is nothing, and so is it after a fork. */
void rt_crew_close(rt_crew *crew);

/* thread: a number below the crew's threads that no other unit has meanwhile. */
typedef void rt_task(void *argument, unsigned thread, size_t unit);
/* All units [0, units). While another caller has the crew, without one, and after a fork, by this
 * thread. */
void rt_crew_run(rt_crew *crew, rt_task *task, void *argument, size_t units);

#endif
