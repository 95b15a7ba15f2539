#include "base/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void base_log(const admmnn_context *context, admmnn_log_level level, const char *format, ...) {
    if (context == NULL || context->log == NULL)
        return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    context->log(context->user, level, message);
}

void base_progress(const admmnn_context *context, const admmnn_progress *progress) {
    if (context != NULL && context->progress != NULL)
        context->progress(context->user, progress);
}

bool base_cancelled(const admmnn_context *context) {
    return context != NULL && context->cancelled != NULL && context->cancelled(context->user);
}

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double base_seconds(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double base_thread_seconds(void) {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}
