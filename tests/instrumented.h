/* Less to do for a program that sanitizers slow down ten times and more: what they look for
 * shows without repetition. */
#ifndef TESTS_INSTRUMENTED_H
#define TESTS_INSTRUMENTED_H

#include <stdlib.h>

/* Either number, by what the suite was built with. */
static inline unsigned instrumented_or(unsigned instrumented, unsigned usual) {
    const char *sanitizers = getenv("ADMMNN_SANITIZE");
    return sanitizers == NULL || sanitizers[0] == 0 ? usual : instrumented;
}

#endif
