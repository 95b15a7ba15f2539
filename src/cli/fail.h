/* How the command line itself fails: it sees the library's public face only, so
 * it fills the error object on its own. */
#ifndef CLI_FAIL_H
#define CLI_FAIL_H

#include "admmnn/error.h"

/* Formats the message into err and returns status. */
admmnn_status cli_fail(admmnn_error *err, admmnn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define CLI_TRY(expression)                                                                        \
    do {                                                                                           \
        admmnn_status cli_try_status_ = (expression);                                              \
        if (cli_try_status_ != ADMMNN_OK)                                                          \
            return cli_try_status_;                                                                \
    } while (0)

#endif
