#include "network.h"

uint32_t rt_shape_channels(const rt_shape *s) {
    return s->rank == 0 ? 1 : s->dims[0];
}

uint32_t rt_shape_height(const rt_shape *s) {
    return s->rank < 3 ? 1 : s->dims[1];
}

uint32_t rt_shape_width(const rt_shape *s) {
    return s->rank < 2 ? 1 : s->dims[s->rank == 2 ? 1 : 2];
}

size_t rt_shape_extent(const rt_shape *s, uint32_t first, uint32_t last) {
    size_t count = 1;
    for (uint32_t i = first; i < last; i++)
        count *= s->dims[i];
    return count;
}

size_t rt_shape_count(const rt_shape *s) {
    return rt_shape_extent(s, 0, s->rank);
}

bool rt_shape_equal(const rt_shape *a, const rt_shape *b) {
    bool equal = a->rank == b->rank;
    for (uint32_t i = 0; equal && i < a->rank; i++)
        equal = a->dims[i] == b->dims[i];
    return equal;
}

bool rt_shape_is_sound(const rt_shape *s) {
    uint64_t count = 1;
    if (s->rank > PACK_RANK_MAX)
        return false;
    for (uint32_t i = 0; i < s->rank; i++) {
        if (s->dims[i] == 0 || s->dims[i] > PACK_DIMENSION_MAX)
            return false;
        count *= s->dims[i];
        if (count > PACK_ELEMENTS_MAX || count > SIZE_MAX / sizeof(float))
            return false;
    }
    return true;
}

/* The dim of an axis counted from the last. */
static uint32_t dim_from_last(const rt_shape *s, uint32_t axis) {
    return axis < s->rank ? s->dims[s->rank - 1 - axis] : 1;
}

bool rt_shape_broadcast(const rt_shape *a, const rt_shape *b, rt_shape *out) {
    const rt_shape none = {0, {0}};
    *out = none;
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    for (uint32_t i = 0; i < out->rank; i++) {
        const uint32_t of_a = dim_from_last(a, i);
        const uint32_t of_b = dim_from_last(b, i);
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return false;
        out->dims[out->rank - 1 - i] = of_a == 1 ? of_b : of_a;
    }
    return true;
}

size_t rt_broadcast(const rt_shape *to, const rt_shape *from, size_t i) {
    size_t at = 0;
    size_t stride = 1;
    for (uint32_t k = 0; k < from->rank; k++) { /* axes from the last */
        const uint32_t dim = from->dims[from->rank - 1 - k];
        const uint32_t whole = to->dims[to->rank - 1 - k];
        if (dim != 1)
            at += i % whole * stride;
        stride *= dim;
        i /= whole;
    }
    return at;
}
