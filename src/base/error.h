/* One way to fail: fill the error object, return the status. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "admmnn/error.h"

/* Formats the message into err (which may be NULL) and returns status. A message
 * too long for its place loses the middle of its longest words, which are paths. */
admmnn_status base_fail(admmnn_error *err, admmnn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ADMMNN_MEMORY with the name of what could not be allocated. */
admmnn_status base_fail_memory(admmnn_error *err, const char *what);

/* Puts "prefix: " before the message err already holds; returns err's status. */
admmnn_status base_fail_within(admmnn_error *err, admmnn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define BASE_TRY(expression)                                                                       \
    do {                                                                                           \
        admmnn_status base_try_status_ = (expression);                                             \
        if (base_try_status_ != ADMMNN_OK)                                                         \
            return base_try_status_;                                                               \
    } while (0)

#endif
