#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_MOST 8192
#define HEAD 240

/* What does not fit loses its middle: the reason stands at the end. */
admmnn_status cli_fail(admmnn_error *err, admmnn_status status, const char *format, ...) {
    const size_t most = sizeof err->message - 1;
    char whole[WHOLE_MOST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(whole, sizeof whole, format, arguments);
    va_end(arguments);
    size_t length = strlen(whole);
    err->status = status;
    if (length <= most)
        memcpy(err->message, whole, length + 1);
    else
        snprintf(err->message, sizeof err->message, "%.*s...%s", HEAD, whole,
                 whole + length - (most - HEAD - 3));
    return status;
}
