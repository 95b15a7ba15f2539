/* One way to fail: a status handed up, the reason in the object that the caller passed. */
#ifndef RT_FAIL_H
#define RT_FAIL_H

#include "admmnn/runtime.h"

#define RT_TRY(call)                                                                               \
    do {                                                                                           \
        const admmnn_runtime_status rt_status_ = (call);                                           \
        if (rt_status_ != ADMMNN_RUNTIME_OK)                                                       \
            return rt_status_;                                                                     \
    } while (0)

/* Fills *err, which may be NULL, and returns the status. reason: static storage. */
admmnn_runtime_status rt_fail(admmnn_runtime_error *err, admmnn_runtime_status status,
                              const char *reason, size_t at);

#endif
