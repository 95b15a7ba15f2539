/* Batch normalization of a plane in a block of channels: a part of lanes_template.h. Block and
 * rectifier are constants in each of the bodies, so that their loops unroll into vectors. */

#define MOST_BLOCK 16
#define SOME_POSITIONS 16

/* Calls body(n, block, rectified, ...) with constants. */
#define BY_KIND(body, n, ...)                                                                      \
    ((n)->block == 8                                                                               \
         ? ((n)->rectified ? body(n, 8, true, __VA_ARGS__) : body(n, 8, false, __VA_ARGS__))       \
         : ((n)->rectified ? body(n, MOST_BLOCK, true, __VA_ARGS__)                                \
                           : body(n, MOST_BLOCK, false, __VA_ARGS__)))

/* What the channels are multiplied by, and the like: here no store can change it. */
typedef struct norm_channels {
    float center[MOST_BLOCK], factor[MOST_BLOCK], shift[MOST_BLOCK];
} norm_channels;

INLINE norm_channels norm_channels_of(const lanes_norm *n, size_t block) {
    norm_channels c;
    memcpy(c.center, n->center, block * sizeof *c.center);
    memcpy(c.factor, n->factor, block * sizeof *c.factor);
    memcpy(c.shift, n->shift, block * sizeof *c.shift);
    return c;
}

/* The same expression, contracted the same way, wherever the sign of y decides. */
INLINE float normalized(const norm_channels *c, size_t k, float x) {
    return (x - c->center[k]) * c->factor[k] + c->shift[k];
}

INLINE float passed(const norm_channels *c, bool rectified, size_t k, float x, float dy) {
    return !rectified || normalized(c, k, x) > 0.0F ? dy : 0.0F;
}

/* The product of two floats is exact in double precision, so that it is the same fused or not. */
INLINE void norm_add(size_t count, size_t block, const float *a, const float *b, double *first,
                     double *second) {
    double one[MOST_BLOCK];
    double two[MOST_BLOCK];
    memcpy(one, first, block * sizeof *one);
    memcpy(two, second, block * sizeof *two);
    for (size_t p = 0; p < count * block; p += block) {
        for (size_t k = 0; k < block; k++) {
            one[k] += (double)a[p + k];
            two[k] += (double)a[p + k] * (double)b[p + k];
        }
    }
    memcpy(first, one, block * sizeof *one);
    memcpy(second, two, block * sizeof *two);
}

INLINE void norm_sums_of(const lanes_norm *n, size_t block, const float *a, const float *b,
                         double *first, double *second) {
    memset(first, 0, block * sizeof *first);
    memset(second, 0, block * sizeof *second);
    norm_add(n->plane, block, a, b, first, second);
}

/* What passes of `count` positions. */
INLINE void norm_pass(const norm_channels *c, bool rectified, size_t count, size_t block,
                      const float *restrict x, const float *restrict dy, float *restrict term) {
    for (size_t p = 0; p < count * block; p += block)
        for (size_t k = 0; k < block; k++)
            term[p + k] = passed(c, rectified, k, x[p + k], dy[p + k]);
}

INLINE size_t norm_some(const lanes_norm *n, size_t at) {
    const size_t left = n->plane - at;
    return left < SOME_POSITIONS ? left : SOME_POSITIONS;
}

/* A few positions at a time: what passes and its sums in one loop were no vectors. */
INLINE void norm_sums_passed(const lanes_norm *n, size_t block, const float *x, const float *dy,
                             double *first, double *second) {
    const norm_channels c = norm_channels_of(n, block);
    float term[SOME_POSITIONS * MOST_BLOCK];
    memset(first, 0, block * sizeof *first);
    memset(second, 0, block * sizeof *second);
    for (size_t at = 0; at < n->plane; at += SOME_POSITIONS) {
        const size_t count = norm_some(n, at);
        norm_pass(&c, true, count, block, x + at * block, dy + at * block, term);
        norm_add(count, block, term, x + at * block, first, second);
    }
}

static void norm_sums(const lanes_norm *n, const float *x, double *first, double *second) {
    if (n->block == 8)
        norm_sums_of(n, 8, x, x, first, second);
    else
        norm_sums_of(n, MOST_BLOCK, x, x, first, second);
}

INLINE void norm_backward_sums_of(const lanes_norm *n, size_t block, bool rectified, const float *x,
                                  const float *dy, double *first, double *second) {
    if (rectified)
        norm_sums_passed(n, block, x, dy, first, second);
    else
        norm_sums_of(n, block, dy, x, first, second);
}

static void norm_backward_sums(const lanes_norm *n, const float *x, const float *dy, double *first,
                               double *second) {
    BY_KIND(norm_backward_sums_of, n, x, dy, first, second);
}

INLINE void norm_forward_of(const lanes_norm *n, size_t block, bool rectified,
                            const float *restrict x, float *restrict y) {
    const norm_channels c = norm_channels_of(n, block);
    for (size_t p = 0; p < n->plane * block; p += block) {
        for (size_t k = 0; k < block; k++) {
            const float value = normalized(&c, k, x[p + k]);
            y[p + k] = rectified && value <= 0.0F ? 0.0F : value; /* a NaN passes */
        }
    }
}

static void norm_forward(const lanes_norm *n, const float *x, float *y) {
    BY_KIND(norm_forward_of, n, x, y);
}

INLINE void norm_turn(const lanes_norm *n, const norm_channels *c, size_t count, size_t block,
                      const float *restrict x, const float *restrict term, float *restrict dx) {
    float lift[MOST_BLOCK];
    float slope[MOST_BLOCK];
    memcpy(lift, n->lift, block * sizeof *lift);
    memcpy(slope, n->slope, block * sizeof *slope);
    for (size_t p = 0; p < count * block; p += block)
        for (size_t k = 0; k < block; k++)
            dx[p + k] = c->factor[k] * term[p + k] - lift[k] - (x[p + k] - c->center[k]) * slope[k];
}

INLINE void norm_backward_of(const lanes_norm *n, size_t block, bool rectified, const float *x,
                             const float *dy, float *dx) {
    const norm_channels c = norm_channels_of(n, block);
    float term[SOME_POSITIONS * MOST_BLOCK];
    for (size_t at = 0; at < n->plane; at += SOME_POSITIONS) {
        const size_t count = norm_some(n, at);
        norm_pass(&c, rectified, count, block, x + at * block, dy + at * block, term);
        norm_turn(n, &c, count, block, x + at * block, term, dx + at * block);
    }
}

static void norm_backward(const lanes_norm *n, const float *x, const float *dy, float *dx) {
    BY_KIND(norm_backward_of, n, x, dy, dx);
}

#undef BY_KIND
#undef SOME_POSITIONS
#undef MOST_BLOCK
