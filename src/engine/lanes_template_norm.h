/* Batch normalization of a plane in a block of channels: a part of lanes_template.h. Block and
 * rectifier are constants in each of the bodies, so that their loops unroll into vectors. */

#define SOME_POSITIONS 16

/* Calls body(n, block, rectified, ...) with constants. */
#define BY_KIND(body, n, ...)                                                                      \
    ((n)->block == 8                                                                               \
         ? ((n)->rectified ? body(n, 8, true, __VA_ARGS__) : body(n, 8, false, __VA_ARGS__))       \
         : ((n)->rectified ? body(n, LANES_BLOCK_MAX, true, __VA_ARGS__)                           \
                           : body(n, LANES_BLOCK_MAX, false, __VA_ARGS__)))

/* What the channels are multiplied by, and the like: here no store can change it. */
typedef struct norm_channels {
    float center[LANES_BLOCK_MAX], factor[LANES_BLOCK_MAX], shift[LANES_BLOCK_MAX];
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

/* ---- sums, in double precision ---- */

typedef float half __attribute__((vector_size(LANES * 2)));
typedef double half_double __attribute__((vector_size(LANES * 4)));

/* Of each lane of a vector: the sum of terms, and of their products with x. */
typedef struct norm_sum {
    half_double first[2], second[2];
} norm_sum;

/* The product of two floats is exact in double precision, so that it is the same fused or not. */
INLINE void norm_add(norm_sum *sum, vec term, vec x) {
    half a[2];
    half b[2];
    memcpy(a, &term, sizeof term);
    memcpy(b, &x, sizeof x);
    UNROLL for (int h = 0; h < 2; h++) {
        const half_double one = __builtin_convertvector(a[h], half_double);
        sum->first[h] += one;
        sum->second[h] += one * __builtin_convertvector(b[h], half_double);
    }
}

/* Channels and lanes repeat alike: so many vectors have a lane for each channel, or the channels
 * of several positions. */
#define NORM_PARTS(block) ((block) > LANES ? (block) / LANES : 1)

typedef struct norm_vectors {
    vec center[LANES_BLOCK_MAX / LANES], factor[LANES_BLOCK_MAX / LANES],
        shift[LANES_BLOCK_MAX / LANES];
} norm_vectors;

INLINE void norm_repeat(const float *channels, size_t block, vec *to) {
    float lane[LANES_BLOCK_MAX] = {0};
    for (size_t k = 0; k < NORM_PARTS(block) * LANES; k++)
        lane[k] = channels[k % block];
    memcpy(to, lane, NORM_PARTS(block) * sizeof *to);
}

INLINE vec norm_term(const norm_vectors *c, bool rectified, size_t part, vec x, vec dy) {
    const vec value = (x - c->center[part]) * c->factor[part] + c->shift[part];
    return rectified ? (vec)((veci)dy & (value > 0)) : dy;
}

/* Each lane of sums to its channel. */
INLINE void norm_by_channel(const norm_sum *sums, size_t block, double *first, double *second) {
    memset(first, 0, block * sizeof *first);
    memset(second, 0, block * sizeof *second);
    for (size_t part = 0; part < NORM_PARTS(block); part++) {
        double lane[2][LANES];
        memcpy(lane[0], sums[part].first, sizeof lane[0]);
        memcpy(lane[1], sums[part].second, sizeof lane[1]);
        for (size_t k = 0; k < LANES; k++) {
            first[(part * LANES + k) % block] += lane[0][k];
            second[(part * LANES + k) % block] += lane[1][k];
        }
    }
}

/* Of dy and of dy * x; forward dy is x. */
INLINE void norm_sums_of(const lanes_norm *n, size_t block, bool rectified, const float *x,
                         const float *dy, double *first, double *second) {
    const size_t parts = NORM_PARTS(block);
    const size_t count = n->plane * block;
    norm_vectors c = {0};
    norm_sum sums[LANES_BLOCK_MAX / LANES] = {0};
    if (rectified) {
        norm_repeat(n->center, block, c.center);
        norm_repeat(n->factor, block, c.factor);
        norm_repeat(n->shift, block, c.shift);
    }
    size_t i = 0;
    for (; i + parts * LANES <= count; i += parts * LANES) {
        UNROLL for (size_t part = 0; part < parts; part++) {
            const vec a = *(const vec_unaligned *)(const void *)(x + i + part * LANES);
            const vec b = *(const vec_unaligned *)(const void *)(dy + i + part * LANES);
            norm_add(&sums[part], norm_term(&c, rectified, part, a, b), a);
        }
    }
    if (block < LANES && i < count) { /* one position */
        vec a = {0};
        vec b = {0};
        memcpy(&a, x + i, block * sizeof *x);
        memcpy(&b, dy + i, block * sizeof *dy);
        norm_add(&sums[0], norm_term(&c, rectified, 0, a, b), a);
    }
    norm_by_channel(sums, block, first, second);
}

static void norm_sums(const lanes_norm *n, const float *x, double *first, double *second) {
    if (n->block == 8)
        norm_sums_of(n, 8, false, x, x, first, second);
    else
        norm_sums_of(n, LANES_BLOCK_MAX, false, x, x, first, second);
}

static void norm_backward_sums(const lanes_norm *n, const float *x, const float *dy, double *first,
                               double *second) {
    BY_KIND(norm_sums_of, n, x, dy, first, second);
}

/* ---- */

INLINE void norm_forward_of(const lanes_norm *n, size_t block, bool rectified, bool adds,
                            const float *restrict x, const float *restrict z, float *restrict y) {
    const norm_channels c = norm_channels_of(n, block);
    for (size_t p = 0; p < n->plane * block; p += block) {
        for (size_t k = 0; k < block; k++) {
            const float alone = normalized(&c, k, x[p + k]);
            const float value = adds ? alone + z[p + k] : alone;
            y[p + k] = rectified && value <= 0.0F ? 0.0F : value; /* a NaN passes */
        }
    }
}

static void norm_forward(const lanes_norm *n, const float *x, const float *z, float *y) {
    if (z == NULL)
        BY_KIND(norm_forward_of, n, false, x, x, y);
    else
        BY_KIND(norm_forward_of, n, true, x, z, y);
}

INLINE void norm_turn(const lanes_norm *n, const norm_channels *c, size_t count, size_t block,
                      const float *restrict x, const float *restrict term, float *restrict dx) {
    float lift[LANES_BLOCK_MAX];
    float slope[LANES_BLOCK_MAX];
    memcpy(lift, n->lift, block * sizeof *lift);
    memcpy(slope, n->slope, block * sizeof *slope);
    for (size_t p = 0; p < count * block; p += block)
        for (size_t k = 0; k < block; k++)
            dx[p + k] = c->factor[k] * term[p + k] - lift[k] - (x[p + k] - c->center[k]) * slope[k];
}

INLINE void norm_backward_of(const lanes_norm *n, size_t block, bool rectified, const float *x,
                             const float *dy, float *dx) {
    const norm_channels c = norm_channels_of(n, block);
    float term[SOME_POSITIONS * LANES_BLOCK_MAX];
    for (size_t at = 0; at < n->plane; at += SOME_POSITIONS) {
        const size_t count = norm_some(n, at);
        norm_pass(&c, rectified, count, block, x + at * block, dy + at * block, term);
        norm_turn(n, &c, count, block, x + at * block, term, dx + at * block);
    }
}

static void norm_backward(const lanes_norm *n, const float *x, const float *dy, float *dx) {
    BY_KIND(norm_backward_of, n, x, dy, dx);
}

/* ---- a channel of images in lanes ---- */

/* The first lanes of a sum. */
static void norm_by_lane(const norm_sum *sum, size_t samples, double *first, double *second) {
    double lane[2][LANES];
    memcpy(lane[0], sum->first, sizeof lane[0]);
    memcpy(lane[1], sum->second, sizeof lane[1]);
    for (size_t k = 0; k < samples; k++) {
        *first += lane[0][k];
        *second += lane[1][k];
    }
}

static void norm_lane_sums(size_t count, size_t samples, const float *x, double *first,
                           double *second) {
    norm_sum sum = {0};
    for (size_t i = 0; i < count; i++)
        norm_add(&sum, vec_of(x)[i], vec_of(x)[i]);
    norm_by_lane(&sum, samples, first, second);
}

INLINE void norm_lane_backward_sums_of(const lanes_norm *n, bool rectified, size_t count,
                                       size_t samples, const float *x, const float *dy,
                                       double *first, double *second) {
    const norm_vectors c = {{splat(*n->center)}, {splat(*n->factor)}, {splat(*n->shift)}};
    norm_sum sum = {0};
    for (size_t i = 0; i < count; i++)
        norm_add(&sum, norm_term(&c, rectified, 0, vec_of(x)[i], vec_of(dy)[i]), vec_of(x)[i]);
    norm_by_lane(&sum, samples, first, second);
}

static void norm_lane_backward_sums(const lanes_norm *n, size_t count, size_t samples,
                                    const float *x, const float *dy, double *first,
                                    double *second) {
    if (n->rectified)
        norm_lane_backward_sums_of(n, true, count, samples, x, dy, first, second);
    else
        norm_lane_backward_sums_of(n, false, count, samples, x, dy, first, second);
}

INLINE void norm_lane_forward_of(const lanes_norm *n, bool rectified, bool adds, size_t count,
                                 const float *x, const float *z, float *y) {
    const vec center = splat(*n->center);
    const vec factor = splat(*n->factor);
    const vec shift = splat(*n->shift);
    for (size_t i = 0; i < count; i++) {
        const vec alone = (vec_of(x)[i] - center) * factor + shift;
        const vec value = adds ? alone + vec_of(z)[i] : alone;
        vec_at(y)[i] = rectified ? (vec)((veci)value & ~(value <= 0)) : value; /* a NaN passes */
    }
}

INLINE void norm_lane_unrectify_of(const lanes_unrectify *u, bool adds, size_t count,
                                   size_t samples, double *first, double *second) {
    norm_sum sum = {0};
    for (size_t i = 0; i < count; i++) {
        const vec dy = vec_of(u->dy)[i];
        const vec whole = adds ? dy + vec_of(u->z)[i] : dy;
        const vec passed = (vec)((veci)whole & (vec_of(u->y)[i] > 0));
        vec_at(u->dx)[i] = passed;
        norm_add(&sum, passed, vec_of(u->x)[i]);
    }
    norm_by_lane(&sum, samples, first, second);
}

static void norm_lane_unrectify(const lanes_unrectify *u, size_t count, size_t samples,
                                double *first, double *second) {
    if (u->z != NULL)
        norm_lane_unrectify_of(u, true, count, samples, first, second);
    else
        norm_lane_unrectify_of(u, false, count, samples, first, second);
}

static void norm_lane_forward(const lanes_norm *n, size_t count, const float *x, const float *z,
                              float *y) {
    if (n->rectified && z != NULL)
        norm_lane_forward_of(n, true, true, count, x, z, y);
    else if (n->rectified)
        norm_lane_forward_of(n, true, false, count, x, x, y);
    else if (z != NULL)
        norm_lane_forward_of(n, false, true, count, x, z, y);
    else
        norm_lane_forward_of(n, false, false, count, x, x, y);
}

#undef BY_KIND
#undef SOME_POSITIONS
