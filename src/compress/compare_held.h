/* What the comparison.json of an earlier comparison holds. */
#ifndef COMPRESS_COMPARE_HELD_H
#define COMPRESS_COMPARE_HELD_H

#include "compress/compare_plan.h"

/* Of a comparison's runs, in the folder of its results: its presence says that one has
 * begun there. */
#define COMPARE_FOLDER "comparison-runs"

#define COMPARE_SEEDS_MAX 1000

typedef struct compare_held {
    bool methods[COMPARE_METHODS];
    double ratios[COMPARE_RATIOS_MAX]; /* no two the same, in the file's order */
    size_t ratio_count;
    uint64_t first_seed, last_seed;
} compare_held;

/* text[count] is zero. ADMMNN_CORRUPT: no comparison, not whole, or of figures that
 * cannot be. */
admmnn_status compare_held_parse(const char *path, const char *text, size_t count,
                                 compare_held *held, admmnn_error *err);

/* That the plan and its seeds have all of it, lest the new file say less than the one
 * it replaces: else ADMMNN_USAGE says what is to be given too. out: the folder. */
admmnn_status compare_held_check(const compare_held *held, const compare_plan *plan,
                                 uint64_t first_seed, uint32_t seeds, const char *out,
                                 admmnn_error *err);

#endif
