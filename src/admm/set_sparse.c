/* At most k nonzeros: keep the k of largest magnitude (Zhang et al. 2018,
 * equation 8). */
#include <math.h>
#include <string.h>

#include "admm/set_class.h"
#include "base/memory.h"

/* Bits of a float >= 0 sort as the float does: two histograms of 16 bits each
 * find the k-th largest without sorting. */
#define RADIX 65536U

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

/* Bits of the kept-th largest score, and how many lie strictly above it. */
static uint32_t threshold(const float *scores, size_t count, size_t kept, size_t *histogram,
                          size_t *above) {
    memset(histogram, 0, RADIX * sizeof *histogram);
    for (size_t i = 0; i < count; i++)
        histogram[bits_of(scores[i]) >> 16]++;
    size_t above_high;
    uint32_t high = bucket_of(histogram, kept, &above_high);
    memset(histogram, 0, RADIX * sizeof *histogram);
    for (size_t i = 0; i < count; i++)
        if (bits_of(scores[i]) >> 16 == high)
            histogram[bits_of(scores[i]) & 0xffffU]++;
    size_t above_low;
    uint32_t low = bucket_of(histogram, kept - above_high, &above_low);
    *above = above_high + above_low;
    return (high << 16) | low;
}

/* Keeps the `kept` entries of largest magnitude, ties towards the lower index:
 * keep[i] is 1 or 0. O(count). */
static admmnn_status select_largest(const float *scores, size_t count, size_t kept, uint8_t *keep,
                                    admmnn_error *err) {
    if (kept >= count || kept == 0) {
        memset(keep, kept != 0, count);
        return ADMMNN_OK;
    }
    size_t *histogram = base_array(RADIX, sizeof *histogram);
    if (histogram == NULL)
        return base_fail_memory(err, "a selection");
    size_t above;
    uint32_t least = threshold(scores, count, kept, histogram, &above);
    size_t ties = kept - above;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_of(scores[i]);
        keep[i] = bits > least;
        if (bits == least && ties > 0) {
            keep[i] = 1;
            ties--;
        }
    }
    base_free(histogram);
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
    uint8_t *keep = base_array(count, 1);
    if (keep == NULL)
        return base_fail_memory(err, "a projection");
    admmnn_status status = select_largest(v, count, s->kept, keep, err);
    for (size_t i = 0; status == ADMMNN_OK && i < count; i++)
        z[i] = keep[i] != 0 ? v[i] : 0.0F;
    base_free(keep);
    return status;
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
