#include <stdlib.h>

#include "base/random.h"
#include "data/data.h"

/* Names the split's random numbers apart from all others of the seed. */
#define SPLIT_STREAM 0x73706c6974U

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

admmnn_status data_split(size_t count, size_t validation, uint64_t seed, uint32_t *order,
                         admmnn_error *err) {
    if (validation > count || count > UINT32_MAX)
        return base_fail(err, ADMMNN_USAGE, "%zu validation samples of %zu", validation, count);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    base_random random = base_random_at(seed, SPLIT_STREAM, 0);
    base_random_shuffle(&random, order, count);
    qsort(order, count - validation, sizeof *order, ascending);
    qsort(order + (count - validation), validation, sizeof *order, ascending);
    return ADMMNN_OK;
}
