/* A layer by itself, timed both ways in turns. On one thread by the time that the thread had a
 * processor, which other programs of the machine hardly change; on several by the clock. */
#ifndef HARDWARE_SINGLE_TIME_H
#define HARDWARE_SINGLE_TIME_H

#include "hardware/single.h"

enum { SINGLE_SPARSE, SINGLE_DENSE, SINGLE_WAYS };

/* Of one run, in seconds. */
typedef struct single_times {
    double median[SINGLE_WAYS], least[SINGLE_WAYS];
    unsigned rounds;
} single_times;

/* Runs both ways in turns for about so many seconds, at least 5 times and at most 500. */
admmnn_status single_time(single *s, double seconds, single_times *times, admmnn_error *err);

#endif
