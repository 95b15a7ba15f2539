/* Learning rates over a stretch of training. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

/* X(name, text) */
#define TRAIN_SCHEDULE_MAP(X)                                                                      \
    X(CONSTANT, "constant")                                                                        \
    X(STEP, "step")           /* a tenth at one half and again at three quarters */                \
    X(COSINE, "cosine")       /* Loshchilov and Hutter 2017, to zero, no restart */                \
    X(ONE_CYCLE, "one-cycle") /* Smith 2018: up from 1/25 over 0.3, cosine down to 1e-5 */

typedef enum train_schedule_kind {
#define TRAIN_SCHEDULE_ENUM(name, text) TRAIN_##name,
    TRAIN_SCHEDULE_MAP(TRAIN_SCHEDULE_ENUM)
#undef TRAIN_SCHEDULE_ENUM
} train_schedule_kind;

/* The rate at `done` in [0, 1] of the stretch; peak is the largest. */
double train_schedule_rate(train_schedule_kind kind, double peak, double done);

#endif
