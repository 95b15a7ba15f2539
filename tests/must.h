/* A call that must succeed, with its message where it does not. */
#ifndef TESTS_MUST_H
#define TESTS_MUST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

/* The expression passes `err` where it wants an admmnn_error. */
#define MUST(expression)                                                                           \
    do {                                                                                           \
        admmnn_error must_err_ = {0};                                                              \
        admmnn_error *err = &must_err_;                                                            \
        if ((expression) != ADMMNN_OK)                                                             \
            fail_msg("%s: %s", #expression, must_err_.message);                                    \
    } while (0)

#endif
