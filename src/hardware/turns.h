/* Several ways to do the same, timed in turns, so that what slows the machine down slows all of
 * them. */
#ifndef HARDWARE_TURNS_H
#define HARDWARE_TURNS_H

#include "base/error.h"

#define TURNS_RUNS 8U

typedef struct turns {
    int ways;
    admmnn_status (*run)(void *user, int way, admmnn_error *err);
    void *user;
    double (*now)(void); /* seconds, of the clock or of the thread */
    /* 0, or so many seconds a way runs in each turn before TURNS_RUNS runs are timed: until the
     * threads that the way before it left looking for work sleep. */
    double settle;
} turns;

/* Of one run, in seconds. */
typedef struct turns_times {
    double median, least;
} turns_times;

/* Runs all ways in turns for about so many seconds, at least 5 turns and at most 10,000 runs, and
 * one turn before that. times: [ways]; rounds: runs of a way that were timed. */
admmnn_status turns_time(const turns *t, double seconds, turns_times *times, unsigned *rounds,
                         admmnn_error *err);

#endif
