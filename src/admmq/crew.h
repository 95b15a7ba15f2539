/* Threads that share out one piece of work, and how they hear of a stop. */
#ifndef ADMMQ_CREW_H
#define ADMMQ_CREW_H

#include "base/context.h"

/* One thread's part. context is the thread's own: its cancelled may be asked by this thread;
 * progress and log are the outer one's in the caller's thread and NULL in the others. */
typedef admmnn_status (*crew_task)(void *work, const admmnn_context *context, admmnn_error *err);

/* Runs task in `threads` threads (at least 1), the calling one among them, and waits for
 * all. The first failure, or a stop the outer context asks for, stops the others. The
 * statuses of the tasks; ADMMNN_CANCELLED; ADMMNN_MEMORY. */
admmnn_status crew_run(const admmnn_context *outer, unsigned threads, crew_task task, void *work,
                       admmnn_error *err);

#endif
