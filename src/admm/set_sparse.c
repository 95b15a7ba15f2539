/* At most k nonzeros: keep the k of largest magnitude (Zhang et al. 2018,
 * equation 8). */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "admm/set_class.h"
#include "base/memory.h"

/* Bits of a float >= 0 sort as the float does: two histograms of 16 bits each
 * find the k-th largest without sorting. Neighbours are counted apart, since a count that is
 * raised twice in a row waits for itself. */
#define RADIX 65536U
#define APART 4U
#define BLOCK 16U

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x7fffffffU;
}

/* The largest bucket b such that at least `kept` entries lie in buckets >= b;
 * *above: entries in buckets > b. */
static uint32_t bucket_of(const size_t *histogram, size_t kept, size_t *above) {
    size_t sum = 0;
    uint32_t b = RADIX - 1;
    while (sum + histogram[b] < kept) {
        sum += histogram[b];
        b--;
    }
    *above = sum;
    return b;
}

/* Of the upper halves, which are below RADIX / 2: the sign is gone. */
static void count_upper(const float *scores, size_t count, uint32_t *apart, size_t *histogram) {
    size_t i = 0;
    memset(apart, 0, (size_t)APART * RADIX / 2 * sizeof *apart);
    for (; i + APART <= count; i += APART)
        for (size_t k = 0; k < APART; k++)
            apart[k * (RADIX / 2) + (bits_of(scores[i + k]) >> 16)]++;
    for (; i < count; i++)
        apart[bits_of(scores[i]) >> 16]++;
    memset(histogram, 0, RADIX * sizeof *histogram);
    for (size_t b = 0; b < RADIX / 2; b++)
        for (size_t k = 0; k < APART; k++)
            histogram[b] += apart[k * (RADIX / 2) + b];
}

static bool has_upper(const float *scores, size_t count, uint32_t high) {
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= bits_of(scores[i]) >> 16 == high;
    return any;
}

/* Of the lower halves of those whose upper is `high`: few, so that whole blocks have none. */
static void count_lower(const float *scores, size_t count, uint32_t high, size_t *histogram) {
    memset(histogram, 0, RADIX * sizeof *histogram);
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t size = count - first < BLOCK ? count - first : BLOCK;
        if (size == BLOCK && !has_upper(scores + first, BLOCK, high))
            continue;
        for (size_t i = first; i < first + size; i++)
            if (bits_of(scores[i]) >> 16 == high)
                histogram[bits_of(scores[i]) & 0xffffU]++;
    }
}

/* Where the kept end: at the bits of the least, of which `ties` are kept of `equal`. */
typedef struct cut {
    uint32_t least;
    size_t ties, equal;
} cut;

static admmnn_status find_cut(const float *scores, size_t count, size_t kept, cut *out,
                              admmnn_error *err) {
    size_t *histogram = base_array(RADIX, sizeof *histogram);
    uint32_t *apart = base_array((size_t)APART * RADIX / 2, sizeof *apart);
    if (histogram == NULL || apart == NULL) {
        base_free(histogram);
        base_free(apart);
        return base_fail_memory(err, "a selection");
    }
    size_t above_high;
    size_t above_low;
    count_upper(scores, count, apart, histogram);
    const uint32_t high = bucket_of(histogram, kept, &above_high);
    count_lower(scores, count, high, histogram);
    const uint32_t low = bucket_of(histogram, kept - above_high, &above_low);
    *out = (cut){high << 16 | low, kept - above_high - above_low, histogram[low]};
    base_free(histogram);
    base_free(apart);
    return ADMMNN_OK;
}

static void keep_from(const float *v, size_t count, uint32_t least, float *z) {
    for (size_t i = 0; i < count; i++)
        z[i] = bits_of(v[i]) >= least ? v[i] : 0.0F;
}

/* Of those as large as the least the first. */
static void keep_with_ties(const float *v, size_t count, cut at, float *z) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = bits_of(v[i]);
        const bool tie = bits == at.least && at.ties > 0;
        at.ties -= tie;
        z[i] = bits > at.least || tie ? v[i] : 0.0F;
    }
}

/* Keeps the `kept` entries of largest magnitude, ties towards the lower index; z may be v.
 * O(count). */
static admmnn_status keep_largest(const float *v, size_t count, size_t kept, float *z,
                                  admmnn_error *err) {
    cut at = {0};
    if (kept == 0)
        memset(z, 0, count * sizeof *z);
    else if (kept >= count)
        memmove(z, v, count * sizeof *z);
    if (kept == 0 || kept >= count)
        return ADMMNN_OK;
    BASE_TRY(find_cut(v, count, kept, &at, err));
    if (at.ties == at.equal)
        keep_from(v, count, at.least, z);
    else
        keep_with_ties(v, count, at, z);
    return ADMMNN_OK;
}

typedef struct sparse_set {
    admm_set set;
    size_t count, kept;
} sparse_set;

static admmnn_status project(admm_set *set, const float *v, float *z, size_t count,
                             admmnn_error *err) {
    const sparse_set *s = (const sparse_set *)set;
    if (count != s->count)
        return base_fail(err, ADMMNN_USAGE, "sparse set of %zu got %zu values", s->count, count);
    return keep_largest(v, count, s->kept, z, err);
}

static void release(admm_set *set) {
    base_free(set);
}

static const admm_set_class sparse_class = {"sparse", project, release};

admmnn_status admm_set_sparse(size_t count, size_t kept, admm_set **out, admmnn_error *err) {
    if (kept > count)
        return base_fail(err, ADMMNN_USAGE, "sparse set: %zu to keep of %zu", kept, count);
    sparse_set *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "a sparse set");
    *s = (sparse_set){.set = {.class = &sparse_class}, .count = count, .kept = kept};
    *out = &s->set;
    return ADMMNN_OK;
}
