#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct status_entry {
    const char *name;
    int exit_status;
    const char *text;
} status_entry;

static const status_entry status_table[] = {
#define STATUS_ENTRY(name, exit_status, text) {#name, exit_status, text},
    ADMMNN_STATUS_MAP(STATUS_ENTRY)
#undef STATUS_ENTRY
};

static const status_entry *entry_of(admmnn_status status) {
    static const status_entry unknown = {"UNKNOWN", 1, "unknown status"};
    size_t count = sizeof status_table / sizeof status_table[0];
    return (size_t)status < count ? &status_table[status] : &unknown;
}

const char *admmnn_status_name(admmnn_status status) {
    return entry_of(status)->name;
}

const char *admmnn_status_text(admmnn_status status) {
    return entry_of(status)->text;
}

int admmnn_status_exit(admmnn_status status) {
    return entry_of(status)->exit_status;
}

admmnn_status base_fail(admmnn_error *err, admmnn_status status, const char *format, ...) {
    if (err == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    err->status = status;
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return status;
}

admmnn_status base_fail_memory(admmnn_error *err, const char *what) {
    return base_fail(err, ADMMNN_MEMORY, "out of memory for %s", what);
}

admmnn_status base_fail_within(admmnn_error *err, admmnn_status status, const char *format, ...) {
    if (err == NULL)
        return status;
    char inner[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    err->status = status;
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s", inner);
    return status;
}
