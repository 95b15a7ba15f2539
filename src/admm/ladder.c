#include "admm/ladder.h"

#include <math.h>

int64_t admm_ladder_below(const admm_ladder *ladder, double v) {
    if (ladder->count == 0)
        return (int64_t)floor(v / ladder->spacing);
    int64_t low = 0;
    int64_t high = (int64_t)ladder->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (ladder->levels[middle] <= v)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

/* An endless ladder never leaves floating point: far out, where whole numbers are no
 * int64_t any more, the nearest multiple is the value itself or not told from it. */
static double nearest_multiple(double spacing, double v) {
    const double rung = v / spacing;
    const double below = floor(rung);
    return (rung - below <= below + 1 - rung ? below : below + 1) * spacing;
}

double admm_ladder_nearest(const admm_ladder *ladder, double v) {
    if (ladder->count == 0)
        return nearest_multiple(ladder->spacing, v);
    const int64_t below = admm_ladder_below(ladder, v);
    if (below < 0)
        return ladder->levels[0];
    if (below + 1 == (int64_t)ladder->count)
        return ladder->levels[below];
    const double low = ladder->levels[below];
    const double high = ladder->levels[below + 1];
    return v - low <= high - v ? low : high;
}
