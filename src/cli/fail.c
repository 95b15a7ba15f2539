#include "fail.h"

#include <stdarg.h>
#include <stdio.h>

admmnn_status cli_fail(admmnn_error *err, admmnn_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    err->status = status;
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return status;
}
