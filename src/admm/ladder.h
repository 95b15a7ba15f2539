/* The values one coordinate may have. */
#ifndef ADMM_LADDER_H
#define ADMM_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In rising order: levels[count], the owner's; or, where count is 0, every whole multiple
 * of spacing. Rung i is levels[i], or i * spacing. */
typedef struct admm_ladder {
    const double *levels;
    size_t count;
    double spacing;
} admm_ladder;

static inline bool admm_ladder_has(const admm_ladder *ladder, int64_t rung) {
    return ladder->count == 0 || (rung >= 0 && rung < (int64_t)ladder->count);
}

static inline double admm_ladder_value(const admm_ladder *ladder, int64_t rung) {
    return ladder->count == 0 ? (double)rung * ladder->spacing : ladder->levels[rung];
}

/* The last rung at or below v; -1 where a list has none. */
int64_t admm_ladder_below(const admm_ladder *ladder, double v);
/* The value nearest to v, the lower of two as near. */
double admm_ladder_nearest(const admm_ladder *ladder, double v);

#endif
