/* Levels: value = multiplier * q. Every kind is a rising list of multipliers,
 * with or without zero before it. */
#include <math.h>
#include <stdlib.h>

#include "admm/set.h"
#include "base/memory.h"

bool admm_levels_have_zero(admm_levels kind) {
    return kind == ADMM_LEVELS_EQUAL_ZERO || kind == ADMM_LEVELS_TERNARY;
}

const char *admm_levels_text(admm_levels kind) {
    static const char *const text[] = {
#define LEVELS_TEXT(name, text) text,
        ADMM_LEVELS_MAP(LEVELS_TEXT)
#undef LEVELS_TEXT
    };
    return text[kind];
}

unsigned admm_levels_least_bits(admm_levels kind) {
    return kind == ADMM_LEVELS_EQUAL_ZERO ? 2 : 1;
}

unsigned admm_levels_most_bits(admm_levels kind) {
    return kind == ADMM_LEVELS_POWER_OF_TWO ? 6 : 16; /* the largest level is 2^(M - 1) q */
}

uint32_t admm_level_count(admm_levels kind, unsigned bits) {
    switch (kind) {
    case ADMM_LEVELS_BINARY:
    case ADMM_LEVELS_TERNARY:
    case ADMM_LEVELS_SIGN:
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
    uint32_t first = admm_levels_have_zero(kind) ? 0 : 1;
    if (kind != ADMM_LEVELS_POWER_OF_TWO) {
        if (!(ratio < (double)last)) /* NaN too */
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

/* As q falls below `at`, the next of the sizes rises from the lower level of
 * this pair to the upper: sizes[next] / at is their middle. One a pair, so that
 * the events come in order without a list of all of them. */
typedef struct rise {
    double at;
    double middle, cross, square; /* what the rise adds, for a size of 1 */
    size_t next;
    uint32_t level; /* the lower */
} rise;

static bool comes_before(const rise *a, const rise *b) {
    return a->at > b->at || (a->at == b->at && a->level < b->level);
}

/* heap[0] comes first. */
static void sift_down(rise *heap, size_t count, size_t i) {
    for (;;) {
        size_t first = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
            if (comes_before(&heap[child], &heap[first]))
                first = child;
        if (first == i)
            return;
        rise swap = heap[i];
        heap[i] = heap[first];
        heap[first] = swap;
        i = first;
    }
}

static size_t make_rises(admm_levels kind, unsigned bits, const float *sizes, size_t count,
                         rise *heap) {
    uint32_t last = admm_level_count(kind, bits);
    size_t pairs = 0;
    for (uint32_t k = admm_levels_have_zero(kind) ? 0 : 1; count > 0 && k < last; k++) {
        double low = multiplier(kind, k);
        double high = multiplier(kind, k + 1);
        double middle = 0.5 * (low + high);
        heap[pairs++] = (rise){.at = (double)sizes[0] / middle,
                               .middle = middle,
                               .cross = high - low,
                               .square = high * high - low * low,
                               .level = k};
    }
    for (size_t i = pairs; i-- > 0;)
        sift_down(heap, pairs, i);
    return pairs;
}

static int by_size(const void *left, const void *right) {
    const float *a = left;
    const float *b = right;
    return (*a < *b) - (*a > *b);
}

typedef struct level_sums {
    double cross;  /* sum of multiplier * |v| */
    double square; /* sum of multiplier^2 */
    double energy; /* sum of v^2 */
} level_sums;

/* The sizes |v| > 0, largest first, and the sums of all values at the first
 * level: where the sweep starts, q without bound. A zero stays there for every q. */
static size_t start_sums(admm_levels kind, const float *v, const uint8_t *support, size_t count,
                         float *sizes, level_sums *sums) {
    double first = admm_levels_have_zero(kind) ? 0.0 : multiplier(kind, 1);
    size_t n = 0;
    *sums = (level_sums){0};
    for (size_t i = 0; i < count; i++) {
        if (support != NULL && support[i] == 0)
            continue;
        double size = fabs((double)v[i]);
        sums->cross += first * size;
        sums->square += first * first;
        sums->energy += size * size;
        if (size > 0)
            sizes[n++] = fabsf(v[i]);
    }
    qsort(sizes, n, sizeof *sizes, by_size);
    return n;
}

/* For fixed levels the best q is cross / square, and the error energy -
 * cross^2 / square. The nearest levels of the best q are among the assignments
 * the sweep passes, so the best of them is the optimum. The sums only grow, so
 * that rounding does not either. */
static double sweep(level_sums sums, const float *sizes, size_t count, rise *heap, size_t pairs,
                    double *best_gain) {
    double best_q = sums.square > 0 ? sums.cross / sums.square : 0;
    *best_gain = sums.cross * best_q;
    while (pairs > 0) {
        rise *r = &heap[0];
        sums.cross += r->cross * (double)sizes[r->next];
        sums.square += r->square;
        double q = sums.cross / sums.square;
        if (sums.cross * q >= *best_gain) {
            *best_gain = sums.cross * q;
            best_q = q;
        }
        if (++r->next < count)
            r->at = (double)sizes[r->next] / r->middle;
        else
            *r = heap[--pairs];
        sift_down(heap, pairs, 0);
    }
    return best_q;
}

/* Of v's signs, without any q to choose. */
static double sign_error2(const float *v, const uint8_t *support, size_t count) {
    double error2 = 0;
    for (size_t i = 0; i < count; i++) {
        const double gap = fabs((double)v[i]) - 1;
        error2 += support == NULL || support[i] != 0 ? gap * gap : 0;
    }
    return error2;
}

admmnn_status admm_levels_fit(admm_levels kind, unsigned bits, const float *v,
                              const uint8_t *support, size_t count, float *q, double *error2,
                              admmnn_error *err) {
    if (kind == ADMM_LEVELS_SIGN) {
        *q = 1;
        if (error2 != NULL)
            *error2 = sign_error2(v, support, count);
        return ADMMNN_OK;
    }
    float *sizes = base_array(count, sizeof *sizes);
    rise *heap = base_array(admm_level_count(kind, bits), sizeof *heap);
    if (sizes == NULL || heap == NULL) {
        base_free(sizes);
        base_free(heap);
        return base_fail_memory(err, "the fit of levels");
    }
    level_sums sums;
    size_t n = start_sums(kind, v, support, count, sizes, &sums);
    size_t pairs = make_rises(kind, bits, sizes, n, heap);
    double gain;
    *q = (float)sweep(sums, sizes, n, heap, pairs, &gain);
    if (error2 != NULL)
        *error2 = sums.energy > gain ? sums.energy - gain : 0;
    base_free(sizes);
    base_free(heap);
    return ADMMNN_OK;
}
