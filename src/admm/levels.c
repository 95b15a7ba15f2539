/* Levels: value = multiplier * q. Every kind is a rising list of multipliers,
 * with or without zero before it. */
#include <math.h>
#include <stdlib.h>

#include "admm/set.h"
#include "base/memory.h"

static bool has_zero(admm_levels kind) {
    return kind == ADMM_LEVELS_EQUAL_ZERO || kind == ADMM_LEVELS_TERNARY;
}

uint32_t admm_level_count(admm_levels kind, unsigned bits) {
    switch (kind) {
    case ADMM_LEVELS_BINARY:
    case ADMM_LEVELS_TERNARY:
        return 1;
    case ADMM_LEVELS_EQUAL_ZERO:
        return (1U << (bits - 1)) - 1;
    default:
        return 1U << (bits - 1);
    }
}

/* Multiplier of level k >= 1; 0 for level 0. */
static double multiplier(admm_levels kind, uint32_t k) {
    if (kind == ADMM_LEVELS_POWER_OF_TWO && k > 0)
        return ldexp(1.0, (int)k - 1);
    return (double)k;
}

/* The level nearest to ratio = |v| / q >= 0. */
static uint32_t nearest(admm_levels kind, unsigned bits, double ratio) {
    uint32_t last = admm_level_count(kind, bits);
    uint32_t first = has_zero(kind) ? 0 : 1;
    if (kind != ADMM_LEVELS_POWER_OF_TWO) {
        if (ratio >= (double)last)
            return last;
        uint32_t k = (uint32_t)(ratio + 0.5);
        return k < first ? first : k > last ? last : k;
    }
    uint32_t k = first;
    while (k < last && ratio >= 0.5 * (multiplier(kind, k) + multiplier(kind, k + 1)))
        k++;
    return k;
}

int32_t admm_level_code(admm_levels kind, unsigned bits, float q, float v) {
    uint32_t k = nearest(kind, bits, fabs((double)v) / (double)q);
    return v < 0 ? -(int32_t)k : (int32_t)k;
}

float admm_level_value(admm_levels kind, float q, int32_t code) {
    float magnitude = (float)multiplier(kind, (uint32_t)abs(code)) * q;
    return code < 0 ? -magnitude : magnitude;
}

float admm_levels_refit(admm_levels kind, unsigned bits, const float *v, const uint8_t *support,
                        size_t count, float q) {
    if (!(q > 0))
        return q;
    double cross = 0;
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        if (support != NULL && support[i] == 0)
            continue;
        double size = fabs((double)v[i]);
        double m = multiplier(kind, nearest(kind, bits, size / (double)q));
        cross += m * size;
        square += m * m;
    }
    return cross > 0 ? (float)(cross / square) : q;
}

/* As q grows, value `size` falls from level k + 1 to k at q = at. */
typedef struct fall {
    double at;
    double size;
    uint32_t level; /* k */
} fall;

static int by_place(const void *left, const void *right) {
    const fall *a = left;
    const fall *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->level != b->level)
        return a->level > b->level ? -1 : 1;
    return (a->size > b->size) - (a->size < b->size);
}

static size_t list_falls(admm_levels kind, unsigned bits, const float *v, const uint8_t *support,
                         size_t count, fall *falls) {
    uint32_t last = admm_level_count(kind, bits);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double size = fabs((double)v[i]);
        if ((support != NULL && support[i] == 0) || size == 0)
            continue;
        for (uint32_t k = has_zero(kind) ? 0 : 1; k < last; k++) {
            double middle = 0.5 * (multiplier(kind, k) + multiplier(kind, k + 1));
            falls[n++] = (fall){size / middle, size, k};
        }
    }
    return n;
}

typedef struct level_sums {
    double cross;  /* sum of multiplier * |v| */
    double square; /* sum of multiplier^2 */
    double energy; /* sum of v^2 */
} level_sums;

/* All values at the last level: where the sweep starts, q near 0. */
static level_sums start_sums(admm_levels kind, unsigned bits, const float *v,
                             const uint8_t *support, size_t count) {
    double top = multiplier(kind, admm_level_count(kind, bits));
    level_sums sums = {0};
    for (size_t i = 0; i < count; i++) {
        if (support != NULL && support[i] == 0)
            continue;
        double size = fabs((double)v[i]);
        /* A zero is nearest to the first level for every q: constant in q only
         * where zero is a level. */
        double m = size > 0 ? top : has_zero(kind) ? 0.0 : multiplier(kind, 1);
        sums.cross += m * size;
        sums.square += m * m;
        sums.energy += size * size;
    }
    return sums;
}

/* For fixed levels the best q is cross / square, and the error energy -
 * cross^2 / square. The nearest levels of the best q are among the assignments
 * the sweep passes, so the best of them is the optimum. */
static double sweep(admm_levels kind, level_sums sums, const fall *falls, size_t count,
                    double *best_gain) {
    double best_q = sums.square > 0 ? sums.cross / sums.square : 0;
    *best_gain = sums.square > 0 ? sums.cross * sums.cross / sums.square : 0;
    for (size_t i = 0; i < count; i++) {
        double low = multiplier(kind, falls[i].level);
        double high = multiplier(kind, falls[i].level + 1);
        sums.cross -= (high - low) * falls[i].size;
        sums.square -= high * high - low * low;
        if (sums.square < 0.5)
            break;
        double gain = sums.cross * sums.cross / sums.square;
        if (gain > *best_gain) {
            *best_gain = gain;
            best_q = sums.cross / sums.square;
        }
    }
    return best_q;
}

admmnn_status admm_levels_fit(admm_levels kind, unsigned bits, const float *v,
                              const uint8_t *support, size_t count, float *q, double *error2,
                              admmnn_error *err) {
    size_t each = admm_level_count(kind, bits);
    size_t room;
    if (!base_multiply(count, each, &room))
        return base_fail_memory(err, "the fit of levels");
    fall *falls = base_array(room, sizeof *falls);
    if (falls == NULL)
        return base_fail_memory(err, "the fit of levels");
    level_sums sums = start_sums(kind, bits, v, support, count);
    size_t n = list_falls(kind, bits, v, support, count, falls);
    qsort(falls, n, sizeof *falls, by_place);
    double gain;
    *q = (float)sweep(kind, sums, falls, n, &gain);
    if (error2 != NULL)
        *error2 = sums.energy > gain ? sums.energy - gain : 0;
    base_free(falls);
    return ADMMNN_OK;
}
