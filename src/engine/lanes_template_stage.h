/* Between images in memory and one lane an image: a part of lanes_template.h, which defines the
 * vectors it is written in. */

#define FOUR(P, j, s) P((j), s), P((j) + 1, s), P((j) + 2, s), P((j) + 3, s)
#if LANES == 4
#define EACH(P, s) FOUR(P, 0, s)
#elif LANES == 8
#define EACH(P, s) FOUR(P, 0, s), FOUR(P, 4, s)
#else
#define EACH(P, s) FOUR(P, 0, s), FOUR(P, 4, s), FOUR(P, 8, s), FOUR(P, 12, s)
#endif
#define LOW(j, s) (((j) & (s)) != 0 ? LANES + (j) - (s) : (j))
#define HIGH(j, s) (((j) & (s)) != 0 ? LANES + (j) : (j) + (s))

/* Exchanges the lanes of a that have bit s in their number with those of b that have not. */
#define EXCHANGE(s)                                                                                \
    INLINE void exchange_##s(vec *a, vec *b) {                                                     \
        const vec low = __builtin_shufflevector(*a, *b, EACH(LOW, s));                             \
        *b = __builtin_shufflevector(*a, *b, EACH(HIGH, s));                                       \
        *a = low;                                                                                  \
    }
EXCHANGE(1)
EXCHANGE(2)
#if LANES > 4
EXCHANGE(4)
#endif
#if LANES > 8
EXCHANGE(8)
#endif

/* Lane j of vector i becomes lane i of vector j. */
INLINE void turn(vec *m) {
    UNROLL for (int i = 0; i < LANES; i += 2) exchange_1(&m[i], &m[i + 1]);
    UNROLL for (int i = 0; i < LANES / 2; i++)
        exchange_2(&m[i / 2 * 4 + i % 2], &m[i / 2 * 4 + i % 2 + 2]);
#if LANES > 4
    UNROLL for (int i = 0; i < LANES / 2; i++)
        exchange_4(&m[i / 4 * 8 + i % 4], &m[i / 4 * 8 + i % 4 + 4]);
#endif
#if LANES > 8
    UNROLL for (int i = 0; i < LANES / 2; i++) exchange_8(&m[i], &m[i + 8]);
#endif
}

/* Lane i: the lanes of vector i added up, in sum_lanes' order. */
INLINE vec add_lanes(vec *m) {
#define ADD_PAIRS(s)                                                                               \
    UNROLL for (int i = 0; i < (s); i++) {                                                         \
        exchange_##s(&m[i], &m[i + (s)]);                                                          \
        m[i] += m[i + (s)];                                                                        \
    }
#if LANES > 8
    ADD_PAIRS(8)
#endif
#if LANES > 4
    ADD_PAIRS(4)
#endif
    ADD_PAIRS(2)
    ADD_PAIRS(1)
#undef ADD_PAIRS
    return m[0];
}

/* What becomes of floats on the way: lanes_source says it in full. */
typedef enum stage_way { STAGE_AS_THEY_ARE, STAGE_NORMALIZED, STAGE_TURNED } stage_way;

/* Of `count` channels from one on, and zeros. */
typedef struct stage_channels {
    vec center, factor, shift, lift, slope;
} stage_channels;

INLINE stage_channels stage_channels_of(const lanes_norm *n, stage_way way, size_t first,
                                        size_t count) {
    stage_channels c = {0};
    if (way == STAGE_AS_THEY_ARE)
        return c;
    memcpy(&c.center, n->center + first, count * sizeof *n->center);
    memcpy(&c.factor, n->factor + first, count * sizeof *n->factor);
    memcpy(&c.shift, n->shift + first, count * sizeof *n->shift);
    if (way == STAGE_NORMALIZED)
        return c;
    memcpy(&c.lift, n->lift + first, count * sizeof *n->lift);
    memcpy(&c.slope, n->slope + first, count * sizeof *n->slope);
    return c;
}

/* As norm_forward and norm_backward have it (lanes_template_norm.h). */
INLINE vec stage_value(const stage_channels *c, stage_way way, bool rectified, vec x, vec dy) {
    if (way == STAGE_AS_THEY_ARE)
        return x;
    const vec value = (x - c->center) * c->factor + c->shift;
    if (way == STAGE_NORMALIZED)
        return rectified ? (vec)((veci)value & ~(value <= 0)) : value; /* a NaN passes */
    const vec term = rectified ? (vec)((veci)dy & (value > 0)) : dy;
    return c->factor * term - c->lift - (x - c->center) * c->slope;
}

/* LANES floats in a row of LANES samples, a vector each of one float, `next` vectors apart; dy
 * for STAGE_TURNED alone. */
INLINE void stage_whole(const stage_channels *c, stage_way way, bool rectified, const float *x,
                        const float *dy, size_t stride, vec *to, size_t next) {
    vec m[LANES];
    UNROLL for (size_t k = 0; k < LANES; k++) {
        const vec of_dy = way == STAGE_TURNED ? *(const vec_unaligned *)(const void *)dy : (vec){0};
        m[k] = stage_value(c, way, rectified, *(const vec_unaligned *)(const void *)x, of_dy);
        x += stride;
        PIN(x);
        if (way == STAGE_TURNED) {
            dy += stride;
            PIN(dy);
        }
    }
    turn(m);
    UNROLL for (size_t k = 0; k < LANES; k++) {
        *to = m[k];
        to += next;
        PIN(to);
    }
}

/* The first `kept` of `count` floats of some samples; the other lanes are zero. */
INLINE void stage_some(const stage_channels *c, stage_way way, bool rectified, const float *x,
                       const float *dy, size_t stride, size_t samples, size_t count, size_t kept,
                       vec *to, size_t next) {
    vec m[LANES] = {{0}};
    for (size_t k = 0; k < samples; k++) {
        vec of_dy = {0};
        memcpy(&m[k], x + k * stride, count * sizeof *x);
        if (way == STAGE_TURNED)
            memcpy(&of_dy, dy + k * stride, count * sizeof *dy);
        m[k] = stage_value(c, way, rectified, m[k], of_dy);
    }
    turn(m);
    for (size_t k = 0; k < kept; k++)
        to[k * next] = m[k];
}

INLINE void unstage_whole(const vec *from, size_t next, float *to, size_t stride) {
    vec m[LANES];
    UNROLL for (size_t k = 0; k < LANES; k++) {
        m[k] = *from;
        from += next;
        PIN(from);
    }
    turn(m);
    UNROLL for (size_t k = 0; k < LANES; k++) {
        *(vec_unaligned *)(void *)to = m[k];
        to += stride;
        PIN(to);
    }
}

/* `kept` vectors, and zeros to make them `count`. */
static void unstage_some(const vec *from, size_t next, size_t samples, size_t count, size_t kept,
                         float *to, size_t stride) {
    vec m[LANES] = {{0}};
    for (size_t k = 0; k < kept; k++)
        m[k] = from[k * next];
    turn(m);
    for (size_t k = 0; k < samples; k++)
        memcpy(to + k * stride, &m[k], count * sizeof *to);
}

/* The pixels [first, end) of an axis that the grid has. */
typedef struct stage_range {
    size_t first, end;
} stage_range;

static stage_range stage_range_of(const lanes_image *image, const lanes_grid *grid, int axis) {
    const ptrdiff_t phases = (ptrdiff_t)grid->phases[axis];
    const ptrdiff_t pad = (ptrdiff_t)grid->pad[axis];
    const ptrdiff_t size = (ptrdiff_t)image->size[axis];
    const ptrdiff_t there = axis == 0 ? (ptrdiff_t)grid->there : 0;
    const ptrdiff_t first = (grid->first[axis] + there) * phases - pad;
    const ptrdiff_t end = (grid->first[axis] + (ptrdiff_t)grid->count[axis]) * phases - pad;
    const ptrdiff_t last = end < size ? end : size;
    return (stage_range){first > 0 ? (size_t)first : 0, last > 0 ? (size_t)last : 0};
}

/* Vectors from one plane of a grid to the next. */
static size_t grid_plane(const lanes_grid *grid) {
    return grid->count[0] * grid->count[1] * grid->step;
}

/* Where the pixels of one row of a channel are: each after the one before. */
typedef struct stage_cursor {
    size_t row;       /* vector of the first place of phase 0 */
    size_t phase, at; /* of the pixel */
} stage_cursor;

static stage_cursor stage_cursor_at(const lanes_grid *grid, size_t channel, size_t row,
                                    size_t column) {
    const size_t y = row + grid->pad[0];
    const size_t x = column + grid->pad[1];
    const size_t at = (size_t)((ptrdiff_t)(y / grid->phases[0]) - grid->first[0]);
    const size_t plane = (channel * grid->phases[0] + y % grid->phases[0]) * grid->phases[1];
    return (stage_cursor){.row = plane * grid_plane(grid) + at * grid->count[1] * grid->step,
                          .phase = x % grid->phases[1],
                          .at = (size_t)((ptrdiff_t)(x / grid->phases[1]) - grid->first[1])};
}

/* The pixel's vector; the cursor goes on to the next. */
INLINE size_t stage_next(const lanes_grid *grid, size_t plane, stage_cursor *c) {
    const size_t vector = c->row + c->phase * plane + c->at * grid->step;
    if (++c->phase == grid->phases[1]) {
        c->phase = 0;
        c->at++;
    }
    return vector;
}

static size_t stage_least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* One row of a block of channels. */
INLINE void stage_blocks_of(const lanes_image *image, const lanes_grid *grid, size_t channel,
                            size_t row, const lanes_source *from, stage_way way, bool rectified,
                            size_t samples, vec *to) {
    const stage_range columns = stage_range_of(image, grid, 1);
    const size_t plane = grid_plane(grid);
    const size_t next = grid->phases[0] * grid->phases[1] * plane;
    const size_t stride = lanes_image_floats(image);
    const size_t block = image->layout.block;
    for (size_t part = 0; part < block && channel + part < image->channels; part += LANES) {
        const size_t count = stage_least(LANES, block - part);
        const size_t kept = stage_least(count, image->channels - channel - part);
        const size_t first = (channel * image->size[0] + row * block) * image->size[1] + part;
        const stage_channels c = stage_channels_of(from->norm, way, channel + part, count);
        const float *x = from->x + first;
        const float *dy = way == STAGE_TURNED ? from->dy + first : NULL;
        stage_cursor at = stage_cursor_at(grid, channel + part, row, columns.first);
        for (size_t i = columns.first * block; i < columns.end * block; i += block) {
            vec *place = to + stage_next(grid, plane, &at);
            const float *of_dy = way == STAGE_TURNED ? dy + i : NULL;
            if (samples == LANES && kept == LANES)
                stage_whole(&c, way, rectified, x + i, of_dy, stride, place, next);
            else
                stage_some(&c, way, rectified, x + i, of_dy, stride, samples, count, kept, place,
                           next);
        }
    }
}

/* The same numbers in all lanes. */
INLINE stage_channels stage_channel_of(const lanes_norm *n, stage_way way, size_t channel) {
    stage_channels c = {0};
    if (way == STAGE_AS_THEY_ARE)
        return c;
    c.center = splat(n->center[channel]);
    c.factor = splat(n->factor[channel]);
    c.shift = splat(n->shift[channel]);
    if (way == STAGE_NORMALIZED)
        return c;
    c.lift = splat(n->lift[channel]);
    c.slope = splat(n->slope[channel]);
    return c;
}

/* All bits of the first lanes. */
INLINE veci stage_mask(size_t samples) {
    int32_t lane[LANES];
    veci mask;
    for (size_t k = 0; k < LANES; k++)
        lane[k] = k < samples ? -1 : 0;
    memcpy(&mask, lane, sizeof mask);
    return mask;
}

/* Channels of images in lanes that are read side by side, and how many vectors ahead: one stream
 * from memory alone is slower, and ends with its page. */
#define STAGE_STREAMS 4
#define STAGE_AHEAD 24

/* It may be past the array, where no pointer may be. */
INLINE void stage_prefetch(const vec *here) {
    __builtin_prefetch((const void *)((uintptr_t)here + STAGE_AHEAD * sizeof *here));
}

/* One row of `count` channels of images that are in lanes. */
INLINE void stage_lanes_of(const lanes_image *image, const lanes_grid *grid, size_t channel,
                           size_t count, size_t row, const lanes_source *from, stage_way way,
                           bool rectified, size_t samples, vec *to) {
    const stage_range columns = stage_range_of(image, grid, 1);
    const size_t plane = grid_plane(grid);
    const size_t next = grid->phases[0] * grid->phases[1] * plane;
    const size_t size = image->size[0] * image->size[1];
    const size_t first = channel * size + row * image->size[1];
    const veci mask = stage_mask(samples);
    const vec *x = vec_of(from->x) + first;
    const vec *dy = way == STAGE_TURNED ? vec_of(from->dy) + first : NULL;
    stage_channels c[STAGE_STREAMS];
    UNROLL for (size_t k = 0; k < count; k++) c[k] = stage_channel_of(from->norm, way, channel + k);
    stage_cursor at = stage_cursor_at(grid, channel, row, columns.first);
    for (size_t i = columns.first; i < columns.end; i++) {
        vec *place = to + stage_next(grid, plane, &at);
        UNROLL for (size_t k = 0; k < count; k++) {
            const size_t here = k * size + i;
            const vec of_dy = way == STAGE_TURNED ? dy[here] : (vec){0};
            const vec value = stage_value(&c[k], way, rectified, x[here], of_dy);
            stage_prefetch(&x[here]);
            if (way == STAGE_TURNED)
                stage_prefetch(&dy[here]);
            place[k * next] = (vec)((veci)value & mask);
        }
    }
}

/* Channels from one on that are brought into lanes together. */
static size_t stage_count(const lanes_image *image, size_t channel) {
    if (!image->layout.in_lanes)
        return image->layout.block;
    return channel + STAGE_STREAMS <= image->channels ? STAGE_STREAMS : 1;
}

/* Way and rectifier are constants in each of the bodies. */
static void stage_row(const lanes_image *image, const lanes_grid *grid, size_t channel, size_t row,
                      const lanes_source *from, size_t samples, vec *to) {
#define BODY(way, rectified)                                                                       \
    (image->layout.in_lanes                                                                        \
         ? (stage_count(image, channel) == STAGE_STREAMS                                           \
                ? stage_lanes_of(image, grid, channel, STAGE_STREAMS, row, from, way, rectified,   \
                                 samples, to)                                                      \
                : stage_lanes_of(image, grid, channel, 1, row, from, way, rectified, samples, to)) \
         : stage_blocks_of(image, grid, channel, row, from, way, rectified, samples, to))
    if (from->norm == NULL)
        BODY(STAGE_AS_THEY_ARE, false);
    else if (from->dy == NULL && from->norm->rectified)
        BODY(STAGE_NORMALIZED, true);
    else if (from->dy == NULL)
        BODY(STAGE_NORMALIZED, false);
    else if (from->norm->rectified)
        BODY(STAGE_TURNED, true);
    else
        BODY(STAGE_TURNED, false);
#undef BODY
}

/* One row of one channel. */
static void stage_pixels(const lanes_image *image, const lanes_grid *grid, size_t channel,
                         size_t row, const float *x, size_t samples, vec *to) {
    const stage_range columns = stage_range_of(image, grid, 1);
    const size_t stride = lanes_image_floats(image);
    const size_t plane = grid_plane(grid);
    const float *from = x + (channel * image->size[0] + row) * image->size[1];
    const stage_channels none = {0};
    stage_cursor at = stage_cursor_at(grid, channel, row, columns.first);
    for (size_t i = columns.first; i < columns.end; i += LANES) {
        const size_t count = stage_least(LANES, columns.end - i);
        vec m[LANES];
        if (samples == LANES && count == LANES)
            stage_whole(&none, STAGE_AS_THEY_ARE, false, from + i, NULL, stride, m, 1);
        else
            stage_some(&none, STAGE_AS_THEY_ARE, false, from + i, NULL, stride, samples, count,
                       count, m, 1);
        for (size_t k = 0; k < count; k++)
            to[stage_next(grid, plane, &at)] = m[k];
    }
}

/* Zeros where one plane has no pixel: above and below its rows, before and after its columns. */
static void stage_borders(const lanes_grid *grid, stage_range rows, stage_range columns, vec *to) {
    const size_t width = grid->count[1];
    const stage_cursor at = stage_cursor_at(grid, 0, rows.first, columns.first);
    const size_t first = at.row + at.at;
    const size_t count = columns.end - columns.first;
    const size_t there = grid->there * width;
    memset(to + there, 0, (first - there) * sizeof *to);
    /* Beside rows that are there zeros are, and rows that are no longer left theirs. */
    for (size_t r = 1; grid->there == 0 && r < rows.end - rows.first; r++)
        memset(to + first + (r - 1) * width + count, 0, (width - count) * sizeof *to);
    const size_t last = first + (rows.end - rows.first - 1) * width + count;
    memset(to + last, 0, (grid->count[0] * width - last) * sizeof *to);
}

static void stage_zeros(const lanes_image *image, const lanes_grid *grid, stage_range rows,
                        stage_range columns, vec *to) {
    const size_t planes = image->channels * grid->phases[0] * grid->phases[1];
    const size_t plane = grid_plane(grid);
    const bool alike = grid->phases[0] * grid->phases[1] == 1;
    const bool none = rows.end <= rows.first || columns.end <= columns.first;
    const size_t there = grid->there * grid->count[1];
    for (size_t p = 0; p < planes; p++) {
        if (alike && !none)
            stage_borders(grid, rows, columns, to + p * plane);
        else
            memset(to + p * plane + there, 0, (plane - there) * sizeof *to);
    }
}

static void stage(const lanes_image *image, const lanes_grid *grid, const lanes_source *from,
                  size_t samples, float *to) {
    const stage_range rows = stage_range_of(image, grid, 0);
    if (grid->step == 1) /* else there are no other places than pixels */
        stage_zeros(image, grid, rows, stage_range_of(image, grid, 1), vec_at(to));
    for (size_t c = 0; c < image->channels; c += stage_count(image, c)) {
        for (size_t row = rows.first; row < rows.end; row++) {
            if (image->layout.block > 1 || image->layout.in_lanes)
                stage_row(image, grid, c, row, from, samples, vec_at(to));
            else
                stage_pixels(image, grid, c, row, from->x, samples, vec_at(to));
        }
    }
}

static void unstage_blocks(const lanes_image *image, const lanes_grid *grid, size_t channel,
                           size_t row, const vec *from, size_t samples, float *y) {
    const stage_range columns = stage_range_of(image, grid, 1);
    const size_t plane = grid_plane(grid);
    const size_t next = grid->phases[0] * grid->phases[1] * plane;
    const size_t stride = lanes_image_floats(image);
    const size_t block = image->layout.block;
    for (size_t part = 0; part < block; part += LANES) {
        const size_t count = stage_least(LANES, block - part);
        const size_t left = image->channels - channel;
        const size_t kept = left > part ? stage_least(count, left - part) : 0;
        float *to = y + (channel * image->size[0] + row * block) * image->size[1] + part;
        stage_cursor at = stage_cursor_at(grid, channel + part, row, columns.first);
        for (size_t i = columns.first; i < columns.end; i++) {
            const vec *place = from + stage_next(grid, plane, &at);
            if (samples == LANES && kept == LANES)
                unstage_whole(place, next, to + i * block, stride);
            else
                unstage_some(place, next, samples, count, kept, to + i * block, stride);
        }
    }
}

static void unstage_pixels(const lanes_image *image, const lanes_grid *grid, size_t channel,
                           size_t row, const vec *from, size_t samples, float *y) {
    const stage_range columns = stage_range_of(image, grid, 1);
    const size_t stride = lanes_image_floats(image);
    const size_t plane = grid_plane(grid);
    float *to = y + (channel * image->size[0] + row) * image->size[1];
    stage_cursor at = stage_cursor_at(grid, channel, row, columns.first);
    for (size_t i = columns.first; i < columns.end; i += LANES) {
        const size_t count = stage_least(LANES, columns.end - i);
        vec m[LANES];
        for (size_t k = 0; k < count; k++)
            m[k] = from[stage_next(grid, plane, &at)];
        if (samples == LANES && count == LANES)
            unstage_whole(m, 1, to + i, stride);
        else
            unstage_some(m, 1, samples, count, count, to + i, stride);
    }
}

static void unstage_lanes(const lanes_image *image, const lanes_grid *grid, size_t channel,
                          size_t row, const vec *from, vec *y) {
    const stage_range columns = stage_range_of(image, grid, 1);
    const size_t plane = grid_plane(grid);
    vec *to = y + (channel * image->size[0] + row) * image->size[1];
    stage_cursor at = stage_cursor_at(grid, channel, row, columns.first);
    for (size_t i = columns.first; i < columns.end; i++)
        to[i] = from[stage_next(grid, plane, &at)];
}

static void unstage(const lanes_image *image, const lanes_grid *grid, const float *from,
                    size_t samples, float *y) {
    const stage_range rows = stage_range_of(image, grid, 0);
    for (size_t c = 0; c < image->channels; c += image->layout.block) {
        for (size_t row = rows.first; row < rows.end; row++) {
            if (image->layout.in_lanes)
                unstage_lanes(image, grid, c, row, vec_of(from), vec_at(y));
            else if (image->layout.block > 1)
                unstage_blocks(image, grid, c, row, vec_of(from), samples, y);
            else
                unstage_pixels(image, grid, c, row, vec_of(from), samples, y);
        }
    }
}
