/* The caller's callbacks, called safely when they are absent. */
#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

#include "admmnn/context.h"
#include "base/error.h"

void base_log(const admmnn_context *context, admmnn_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void base_progress(const admmnn_context *context, const admmnn_progress *progress);
bool base_cancelled(const admmnn_context *context);

/* Seconds on a clock that never goes back. */
double base_seconds(void);
/* Seconds for which the calling thread has had a processor. */
double base_thread_seconds(void);

#endif
