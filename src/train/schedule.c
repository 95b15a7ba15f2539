#include "train/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

/* From 1 at done = 0 to 0 at done = 1. */
static double half_cosine(double done) {
    return 0.5 * (1.0 + cos(PI * done));
}

static double one_cycle(double done) {
    const double rise = 0.3;
    const double first = 1.0 / 25.0;
    const double last = 1e-5;
    if (done < rise)
        return first + (1.0 - first) * (1.0 - half_cosine(done / rise));
    return last + (1.0 - last) * half_cosine((done - rise) / (1.0 - rise));
}

double train_schedule_rate(train_schedule_kind kind, double peak, double done) {
    switch (kind) {
    case TRAIN_STEP:
        return peak * (done < 0.5 ? 1.0 : done < 0.75 ? 0.1 : 0.01);
    case TRAIN_COSINE:
        return peak * half_cosine(done);
    case TRAIN_ONE_CYCLE:
        return peak * one_cycle(done);
    default:
        return peak;
    }
}
