/* Convolution of the lanes back end: a part of lanes_template.h, which defines the
 * vectors it is written in. */

INLINE void pool_quad(vec a, vec b, vec c, vec d, vec *y, veci *winner) {
    const veci zero = {0};
    veci b_wins = b > a;
    vec top = select_vec(b_wins, b, a);
    veci d_wins = d > c;
    vec bottom = select_vec(d_wins, d, c);
    veci low_wins = bottom > top;
    *y = select_vec(low_wins, bottom, top);
    *winner = (low_wins & ((zero + 2) - d_wins)) | (~low_wins & (zero - b_wins));
}

/* What a tile of a convolution reads and writes: x at the tile's first position,
 * channel 0; y and winner at its first output (before or after pooling) of filter 0,
 * whose next filter is `plane` vectors on. */
typedef struct conv_place {
    const vec *x;
    vec *y;
    veci *winner;
    size_t plane;
} conv_place;

static conv_place conv_place_at(const lanes_conv *c, const float *x, float *y, int32_t *winner,
                                size_t row, size_t column) {
    const size_t width = c->pooled ? c->out_width / 2 : c->out_width;
    const size_t height = c->pooled ? c->out_height / 2 : c->out_height;
    const size_t at = c->pooled ? row / 2 * width + column / 2 : row * width + column;
    return (conv_place){.x = vec_of(x) + row * c->width + column,
                        .y = vec_at(y) + at,
                        .winner = winner != NULL ? (veci *)(void *)winner + at : NULL,
                        .plane = c->out_plane > 0 ? c->out_plane : height * width};
}

/* n_f filters by n_y by n_x positions, pooled when they are 2x2 of a pooled convolution. */
INLINE void conv_tile(const lanes_conv *c, const float *w, const float *b, const conv_place *p,
                      size_t first, int n_f, int n_y, int n_x, bool pooled) {
    const size_t stride = c->channels * c->kernel_height * c->kernel_width;
    vec sum[TILE_F][4];
    UNROLL for (int f = 0; f < n_f; f++) {
        UNROLL for (int i = 0; i < n_y * n_x; i++) sum[f][i] = splat(b[f]);
    }
    for (size_t channel = 0; channel < c->channels; channel++) {
        for (size_t ky = 0; ky < c->kernel_height; ky++) {
            const vec *row = p->x + (channel * c->height + ky) * c->width;
            ROLL for (size_t kx = 0; kx < c->kernel_width; kx++, w++, row++) {
                PIN(row);
                UNROLL for (int i = 0; i < n_y * n_x; i++) {
                    vec input = row[(size_t)(i % n_x) + (size_t)(i / n_x) * c->width];
                    UNROLL for (int f = 0; f < n_f; f++) sum[f][i] += w[(size_t)f * stride] * input;
                }
            }
        }
    }
    UNROLL for (int f = 0; f < n_f; f++) {
        const size_t at = (first + (size_t)f) * p->plane;
        if (pooled) {
            pool_quad(sum[f][0], sum[f][1], sum[f][2], sum[f][3], p->y + at, p->winner + at);
            continue;
        }
        UNROLL for (int i = 0; i < n_y * n_x; i++)
            p->y[at + (size_t)(i % n_x) + (size_t)(i / n_x) * c->out_width] = sum[f][i];
    }
}

/* The tiles of all filters at one place: what they read of x stays in the first cache. */
INLINE void conv_filters(const lanes_conv *c, const float *w, const float *b, conv_place p, int n_y,
                         int n_x, bool pooled) {
    const size_t stride = c->channels * c->kernel_height * c->kernel_width;
    size_t f = 0;
    for (; f + TILE_F <= c->filters; f += TILE_F)
        conv_tile(c, w + f * stride, b + f, &p, f, TILE_F, n_y, n_x, pooled);
    for (; f + 2 <= c->filters; f += 2)
        conv_tile(c, w + f * stride, b + f, &p, f, 2, n_y, n_x, pooled);
    for (; f < c->filters; f++)
        conv_tile(c, w + f * stride, b + f, &p, f, 1, n_y, n_x, pooled);
}

static void conv_forward_pooled(const lanes_conv *c, const float *w, const float *b, const float *x,
                                float *y, int32_t *winner) {
    for (size_t row = 0; row + 2 <= c->out_height; row += 2) {
        for (size_t i = 0; i + 2 <= c->out_width; i += 2)
            conv_filters(c, w, b, conv_place_at(c, x, y, winner, row, i), 2, 2, true);
    }
}

static void conv_forward_whole(const lanes_conv *c, const float *w, const float *b, const float *x,
                               float *y) {
    for (size_t row = 0; row < c->out_height; row += 2) {
        bool pair = row + 2 <= c->out_height;
        for (size_t i = 0; i < c->out_width; i += 2) {
            conv_place p = conv_place_at(c, x, y, NULL, row, i);
            bool both = i + 2 <= c->out_width;
            if (pair && both)
                conv_filters(c, w, b, p, 2, 2, false);
            else if (pair)
                conv_filters(c, w, b, p, 2, 1, false);
            else if (both)
                conv_filters(c, w, b, p, 1, 2, false);
            else
                conv_filters(c, w, b, p, 1, 1, false);
        }
    }
}

static void conv_forward(const lanes_conv *c, const float *w, const float *b, const float *x,
                         float *y, int32_t *winner) {
    if (c->pooled)
        conv_forward_pooled(c, w, b, x, y, winner);
    else
        conv_forward_whole(c, w, b, x, y);
}

/* Adds the nonzeros [first, end) to n_y rows by n_x positions of what they make. */
INLINE void conv_sparse_sum(const lanes_conv *c, const lanes_sparse *s, const float *w,
                            size_t first, size_t end, const vec *x, vec (*sum)[TILE_SPARSE_WIDE],
                            int n_y, int n_x) {
    ROLL for (size_t e = first; e < end; e++) {
        const vec *from = x + s->offset[e];
        PIN(from);
        vec weight = splat(w[e]);
        UNROLL for (int r = 0; r < n_y; r++) {
            UNROLL for (int i = 0; i < n_x; i++) sum[r][i] +=
                weight * from[(size_t)r * c->width + (size_t)i];
        }
    }
}

/* Two rows by n_x positions of filter f, pooled. */
INLINE void conv_sparse_tile(const lanes_conv *c, const lanes_sparse *s, const float *w, float bias,
                             const conv_place *p, size_t f, int n_x) {
    vec sum[2][TILE_SPARSE_WIDE];
    UNROLL for (int i = 0; i < n_x; i++) sum[0][i] = sum[1][i] = splat(bias);
    conv_sparse_sum(c, s, w, s->row_start[f], s->row_start[f + 1], p->x, sum, 2, n_x);
    vec *y = p->y + f * p->plane;
    veci *winner = p->winner + f * p->plane;
    UNROLL for (int i = 0; i < n_x / 2; i++) pool_quad(
        sum[0][2 * i], sum[0][2 * i + 1], sum[1][2 * i], sum[1][2 * i + 1], y + i, winner + i);
}

INLINE void conv_sparse_filters(const lanes_conv *c, const lanes_sparse *s, const float *w,
                                const float *b, conv_place p, int n_x) {
    for (size_t f = 0; f < c->filters; f++)
        conv_sparse_tile(c, s, w, b[f], &p, f, n_x);
}

/* Two rows, in tiles as wide as fit evenly, then narrower ones. */
static void conv_sparse_pooled(const lanes_conv *c, const lanes_sparse *s, const float *w,
                               const float *b, const float *x, float *y, int32_t *winner,
                               size_t row) {
    size_t i = 0;
    for (; c->out_width % TILE_SPARSE_X == 0 && i < c->out_width; i += TILE_SPARSE_X)
        conv_sparse_filters(c, s, w, b, conv_place_at(c, x, y, winner, row, i), TILE_SPARSE_X);
    for (; i + 4 <= c->out_width; i += 4)
        conv_sparse_filters(c, s, w, b, conv_place_at(c, x, y, winner, row, i), 4);
    for (; i + 2 <= c->out_width; i += 2)
        conv_sparse_filters(c, s, w, b, conv_place_at(c, x, y, winner, row, i), 2);
}

/* Bytes of input channels that stay in the first cache while the filters pass. Processors with
 * vectors of 16 floats have 48 KB of it, mostly, and need twice the bytes for as many channels:
 * for each group the sums of a tile are brought in and back. */
#define CONV_GROUP_BYTES (LANES == 16 ? 40000 : 20000)

/* How many channels such are, a plane of each taking so many vectors. */
static size_t conv_group(const lanes_conv *c, size_t vectors) {
    const size_t fitting = CONV_GROUP_BYTES / (c->planes * vectors * sizeof(vec));
    return fitting > 0 ? fitting : 1;
}

/* What the input channels [first, end) add to n_y rows by n_x positions of all filters: the
 * first ones to the biases, the others to what is there. */
INLINE void conv_sparse_part(const lanes_conv *c, const lanes_sparse *s, const float *w,
                             const float *b, const conv_place *p, size_t first, size_t end, int n_y,
                             int n_x) {
    for (size_t f = 0; f < c->filters; f++) {
        const uint32_t *start = s->channel_start + f * c->channels;
        vec *y = p->y + f * p->plane;
        vec sum[2][TILE_SPARSE_WIDE];
        if (first > 0 && start[first] == start[end])
            continue;
        UNROLL for (int r = 0; r < n_y; r++) {
            UNROLL for (int i = 0; i < n_x; i++) sum[r][i] =
                first > 0 ? y[(size_t)r * c->out_width + (size_t)i]
                          : splat(b != NULL ? b[f] : 0.0F);
        }
        conv_sparse_sum(c, s, w, start[first], start[end], p->x, sum, n_y, n_x);
        UNROLL for (int r = 0; r < n_y; r++) {
            UNROLL for (int i = 0; i < n_x; i++) y[(size_t)r * c->out_width + (size_t)i] =
                sum[r][i];
        }
    }
}

INLINE void conv_sparse_place(const lanes_conv *c, const lanes_sparse *s, const float *w,
                              const float *b, conv_place p, int n_y, int n_x) {
    const size_t group =
        conv_group(c, ((size_t)n_y + c->kernel_height - 1) * ((size_t)n_x + c->kernel_width - 1));
    for (size_t channel = 0; channel < c->channels; channel += group) {
        const size_t end = channel + group < c->channels ? channel + group : c->channels;
        conv_sparse_part(c, s, w, b, &p, channel, end, n_y, n_x);
    }
}

/* n_y rows in tiles of n_x positions: the last may begin within the one before, whose
 * positions it then makes again. */
INLINE void conv_sparse_tiles(const lanes_conv *c, const lanes_sparse *s, const float *w,
                              const float *b, const float *x, float *y, size_t row, int n_y,
                              int n_x) {
    const size_t last = c->out_width - (size_t)n_x;
    for (size_t i = 0; i < c->out_width; i += (size_t)n_x)
        conv_sparse_place(c, s, w, b, conv_place_at(c, x, y, NULL, row, i < last ? i : last), n_y,
                          n_x);
}

/* Positions that tiles of that width make of a row. */
static size_t conv_tiled(size_t width, size_t tile) {
    return (width + tile - 1) / tile * tile;
}

INLINE void conv_sparse_rows(const lanes_conv *c, const lanes_sparse *s, const float *w,
                             const float *b, const float *x, float *y, size_t row, int n_y) {
    const size_t width = c->out_width;
    const size_t wide = conv_tiled(width, TILE_SPARSE_WIDE);
    const size_t less = conv_tiled(width, TILE_SPARSE_WIDE - 1);
    const size_t four = conv_tiled(width, 4);
    if (width >= TILE_SPARSE_WIDE && wide <= less && wide <= four)
        conv_sparse_tiles(c, s, w, b, x, y, row, n_y, TILE_SPARSE_WIDE);
    else if (width >= TILE_SPARSE_WIDE && less <= four)
        conv_sparse_tiles(c, s, w, b, x, y, row, n_y, TILE_SPARSE_WIDE - 1);
    else if (width >= 4)
        conv_sparse_tiles(c, s, w, b, x, y, row, n_y, 4);
    else
        conv_sparse_tiles(c, s, w, b, x, y, row, n_y, 1);
}

/* Pairs of rows: the last may begin within the one before, as tiles do. */
static void conv_forward_sparse(const lanes_conv *c, const lanes_sparse *s, const float *w,
                                const float *b, const float *x, float *y, int32_t *winner) {
    if (c->pooled) {
        for (size_t row = 0; row + 2 <= c->out_height; row += 2)
            conv_sparse_pooled(c, s, w, b, x, y, winner, row);
        return;
    }
    if (c->out_height == 1) {
        conv_sparse_rows(c, s, w, b, x, y, 0, 1);
        return;
    }
    const size_t last = c->out_height - 2;
    for (size_t row = 0; row < c->out_height; row += 2)
        conv_sparse_rows(c, s, w, b, x, y, row < last ? row : last, 2);
}

static void conv_expand(const lanes_conv *c, const float *pooled_dy, const int32_t *winner,
                        size_t first, size_t count, float *dy) {
    const size_t pooled_width = c->out_width / 2;
    const size_t pooled_height = c->out_height / 2;
    const size_t plane = c->out_height * c->out_width;
    if ((c->out_height | c->out_width) & 1)
        memset(dy, 0, count * plane * LANES * sizeof *dy);
    for (size_t f = 0; f < count; f++) {
        for (size_t i = 0; i < pooled_height * pooled_width; i++) {
            size_t at = (first + f) * pooled_height * pooled_width + i;
            vec gradient = vec_of(pooled_dy)[at];
            veci place = ((const veci *)(const void *)winner)[at];
            vec *to =
                vec_at(dy) + f * plane + i / pooled_width * 2 * c->out_width + i % pooled_width * 2;
            to[0] = (vec)((veci)gradient & (place == 0));
            to[1] = (vec)((veci)gradient & (place == 1));
            to[c->out_width] = (vec)((veci)gradient & (place == 2));
            to[c->out_width + 1] = (vec)((veci)gradient & (place == 3));
        }
    }
}

INLINE vec plane_sum(const vec *from, size_t plane) {
    vec sum[4] = {{0}, {0}, {0}, {0}};
    size_t i = 0;
    for (; i + 4 <= plane; i += 4) {
        UNROLL for (size_t j = 0; j < 4; j++) sum[j] += from[i + j];
    }
    for (; i < plane; i++)
        sum[0] += from[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

INLINE void bias_gradient(const lanes_conv *c, size_t first, size_t count, size_t blocks,
                          const float *dy, size_t dy_stride, float *db) {
    const size_t plane = c->out_height * c->out_width;
    for (size_t f = 0; f < count; f++) {
        vec sum = {0};
        for (size_t k = 0; k < blocks; k++)
            sum += plane_sum(vec_of(dy + k * dy_stride) + f * plane, plane);
        db[first + f] = sum_lanes(sum);
    }
}

/* dw of n_f filters for one input channel and kernel row: n_f * n_k sums over
 * every position and block. */
INLINE void conv_weights_tile(const lanes_conv *c, size_t blocks, const float *dy, size_t dy_stride,
                              const float *x, size_t x_stride, size_t at, float *dw, int n_f,
                              int n_k) {
    const size_t plane = c->out_height * c->out_width;
    const size_t stride = c->channels * c->kernel_height * c->kernel_width;
    vec sum[TILE_DW_F][LANES_KERNEL_WIDTH_MAX];
    UNROLL for (int f = 0; f < n_f; f++) {
        UNROLL for (int k = 0; k < n_k; k++) sum[f][k] = (vec){0};
    }
    for (size_t block = 0; block < blocks; block++) {
        const vec *gradient = vec_of(dy + block * dy_stride);
        const vec *input = vec_of(x + block * x_stride) + at;
        for (size_t row = 0; row < c->out_height; row++) {
            for (size_t i = 0; i < c->out_width; i++) {
                UNROLL for (int f = 0; f < n_f; f++) {
                    vec g = gradient[(size_t)f * plane + i];
                    UNROLL for (int k = 0; k < n_k; k++) sum[f][k] += g * input[i + (size_t)k];
                }
            }
            gradient += c->out_width;
            input += c->width;
        }
    }
    UNROLL for (int f = 0; f < n_f; f++) {
        UNROLL for (int k = 0; k < n_k; k++) dw[(size_t)f * stride + (size_t)k] =
            sum_lanes(sum[f][k]);
    }
}

#define CONV_WEIGHTS_FOR(n_k)                                                                      \
    static void conv_weights_##n_k(const lanes_conv *c, size_t count, size_t blocks,               \
                                   const float *dy, size_t dy_stride, const float *x,              \
                                   size_t x_stride, size_t at, float *dw) {                        \
        const size_t plane = c->out_height * c->out_width;                                         \
        const size_t stride = c->channels * c->kernel_height * c->kernel_width;                    \
        size_t f = 0;                                                                              \
        for (; f + TILE_DW_F <= count; f += TILE_DW_F)                                             \
            conv_weights_tile(c, blocks, dy + f * plane * LANES, dy_stride, x, x_stride, at,       \
                              dw + f * stride, TILE_DW_F, n_k);                                    \
        for (; f < count; f++)                                                                     \
            conv_weights_tile(c, blocks, dy + f * plane * LANES, dy_stride, x, x_stride, at,       \
                              dw + f * stride, 1, n_k);                                            \
    }
CONV_WEIGHTS_FOR(1)
CONV_WEIGHTS_FOR(2)
CONV_WEIGHTS_FOR(3)
CONV_WEIGHTS_FOR(4)
CONV_WEIGHTS_FOR(5)
CONV_WEIGHTS_FOR(6)
CONV_WEIGHTS_FOR(7)

static void conv_weights(const lanes_conv *c, size_t first, size_t count, size_t blocks,
                         const float *dy, size_t dy_stride, const float *x, size_t x_stride,
                         float *dw, float *db) {
    typedef void row_kernel(const lanes_conv *, size_t, size_t, const float *, size_t,
                            const float *, size_t, size_t, float *);
    static row_kernel *const kernels[LANES_KERNEL_WIDTH_MAX + 1] = {
        NULL,           conv_weights_1, conv_weights_2, conv_weights_3,
        conv_weights_4, conv_weights_5, conv_weights_6, conv_weights_7};
    const size_t stride = c->channels * c->kernel_height * c->kernel_width;
    row_kernel *kernel = kernels[c->kernel_width];
    float *rows = dw + first * stride;
    for (size_t channel = 0; channel < c->channels; channel++) {
        for (size_t ky = 0; ky < c->kernel_height; ky++)
            kernel(c, count, blocks, dy, dy_stride, x, x_stride,
                   (channel * c->height + ky) * c->width,
                   rows + (channel * c->kernel_height + ky) * c->kernel_width);
    }
    bias_gradient(c, first, count, blocks, dy, dy_stride, db);
}

/* Nonzeros of a tile of the sparse weight gradient, two sums each. */
#define TILE_SPARSE_DW 6

/* Adds to the sums of n_e nonzeros of one filter: the gradient is loaded once for all. */
INLINE void conv_weights_entries(const lanes_conv *c, const uint32_t *offset, const vec *gradient,
                                 size_t dy_width, const vec *input, vec *to, int n_e) {
    vec sum[TILE_SPARSE_DW][2];
    UNROLL for (int e = 0; e < n_e; e++) sum[e][0] = sum[e][1] = (vec){0};
    for (size_t row = 0; row < c->out_height; row++) {
        size_t i = 0;
        ROLL for (; i + 2 <= c->out_width; i += 2) {
            vec g0 = gradient[i];
            vec g1 = gradient[i + 1];
            UNROLL for (int e = 0; e < n_e; e++) {
                sum[e][0] += g0 * input[offset[e] + i];
                sum[e][1] += g1 * input[offset[e] + i + 1];
            }
        }
        ROLL for (; i < c->out_width; i++) {
            UNROLL for (int e = 0; e < n_e; e++) sum[e][0] += gradient[i] * input[offset[e] + i];
        }
        gradient += dy_width;
        input += c->width;
    }
    UNROLL for (int e = 0; e < n_e; e++) to[e] += sum[e][0] + sum[e][1];
}

#define CONV_ENTRIES_FOR(n_e)                                                                      \
    static void conv_entries_##n_e(const lanes_conv *c, const uint32_t *offset,                    \
                                   const vec *gradient, size_t dy_width, const vec *input,         \
                                   vec *to) {                                                      \
        conv_weights_entries(c, offset, gradient, dy_width, input, to, n_e);                       \
    }
CONV_ENTRIES_FOR(1)
CONV_ENTRIES_FOR(2)
CONV_ENTRIES_FOR(3)
CONV_ENTRIES_FOR(4)
CONV_ENTRIES_FOR(5)
CONV_ENTRIES_FOR(6)

/* Nonzeros [first, end) of one filter in as few tiles as hold them, as even as can be:
 * a tile of one or two waits for its own sums. */
static void conv_weights_range(const lanes_conv *c, const lanes_sparse *s, size_t first, size_t end,
                               const vec *gradient, size_t dy_width, const vec *input, vec *sums) {
    typedef void entries_kernel(const lanes_conv *, const uint32_t *, const vec *, size_t,
                                const vec *, vec *);
    static entries_kernel *const kernels[TILE_SPARSE_DW + 1] = {
        NULL,           conv_entries_1, conv_entries_2, conv_entries_3,
        conv_entries_4, conv_entries_5, conv_entries_6};
    for (size_t tiles = (end - first + TILE_SPARSE_DW - 1) / TILE_SPARSE_DW; tiles > 0; tiles--) {
        size_t n = (end - first) / tiles;
        kernels[n](c, s->offset + first, gradient, dy_width, input, sums + first);
        first += n;
    }
}

static void conv_weights_sparse(const lanes_conv *c, const lanes_sparse *s, size_t first,
                                size_t count, const float *dy, size_t dy_width, size_t dy_plane,
                                const float *x, float *sums) {
    const size_t group = conv_group(c, c->height * c->width);
    for (size_t channel = 0; channel < c->channels; channel += group) {
        const size_t end = channel + group < c->channels ? channel + group : c->channels;
        for (size_t f = 0; f < count; f++) {
            const uint32_t *start = s->channel_start + (first + f) * c->channels;
            conv_weights_range(c, s, start[channel], start[end], vec_of(dy) + f * dy_plane,
                               dy_width, vec_of(x), vec_at(sums));
        }
    }
}

static void conv_bias_sparse(size_t filters, size_t count, const float *dy, size_t dy_plane,
                             float *sums) {
    for (size_t f = 0; f < filters; f++)
        vec_at(sums)[f] += plane_sum(vec_of(dy) + f * dy_plane, count);
}

static void reduce(size_t count, const float *vectors, float *sums) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vec m[LANES];
        memcpy(m, vec_of(vectors) + i, sizeof m);
        *(vec_unaligned *)(void *)(sums + i) = add_lanes(m);
    }
    for (; i < count; i++)
        sums[i] = sum_lanes(vec_of(vectors)[i]);
}

#define DATA_X 8

/* dx of n_c input channels, one input row, the inputs that n_x output positions
 * touch: every filter and every kernel row that reaches this input row. */
INLINE void conv_data_tile(const lanes_conv *c, const float *w, const vec *dy, size_t row,
                           size_t ky_first, size_t ky_end, size_t x0, vec *dx, int n_c, int n_x,
                           int n_k) {
    const size_t taps = c->kernel_height * c->kernel_width;
    const size_t plane = c->height * c->width;
    vec sum[TILE_DX_C][DATA_X + LANES_KERNEL_WIDTH_MAX - 1];
    UNROLL for (int channel = 0; channel < n_c; channel++) {
        UNROLL for (int i = 0; i < n_x + n_k - 1; i++) sum[channel][i] =
            dx[(size_t)channel * plane + x0 + (size_t)i];
    }
    for (size_t f = 0; f < c->filters; f++) {
        for (size_t ky = ky_first; ky < ky_end; ky++) {
            const vec *gradient = dy + (f * c->out_height + row - ky) * c->out_width + x0;
            const float *tap = w + f * c->channels * taps + ky * c->kernel_width;
            UNROLL for (int i = 0; i < n_x; i++) {
                vec g = gradient[i];
                UNROLL for (int channel = 0; channel < n_c; channel++) {
                    UNROLL for (int k = 0; k < n_k; k++) sum[channel][i + k] +=
                        tap[(size_t)channel * taps + (size_t)k] * g;
                }
            }
        }
    }
    UNROLL for (int channel = 0; channel < n_c; channel++) {
        UNROLL for (int i = 0; i < n_x + n_k - 1; i++)
            dx[(size_t)channel * plane + x0 + (size_t)i] = sum[channel][i];
    }
}

INLINE void conv_data_row(const lanes_conv *c, const float *w, const vec *dy, size_t row, vec *dx,
                          int n_c, int n_k) {
    size_t ky_first = row >= c->out_height ? row - c->out_height + 1 : 0;
    size_t ky_end = row + 1 < c->kernel_height ? row + 1 : c->kernel_height;
    size_t i = 0;
    for (; i + DATA_X <= c->out_width; i += DATA_X)
        conv_data_tile(c, w, dy, row, ky_first, ky_end, i, dx, n_c, DATA_X, n_k);
    for (; i < c->out_width; i++)
        conv_data_tile(c, w, dy, row, ky_first, ky_end, i, dx, n_c, 1, n_k);
}

#define CONV_DATA_FOR(n_k)                                                                         \
    static void conv_data_##n_k(const lanes_conv *c, const float *w, const vec *dy, vec *dx) {     \
        const size_t taps = c->kernel_height * c->kernel_width;                                    \
        const size_t plane = c->height * c->width;                                                 \
        for (size_t channel = 0; channel < c->channels;) {                                         \
            size_t tile = c->channels - channel >= TILE_DX_C ? TILE_DX_C : 1;                      \
            for (size_t row = 0; row < c->height; row++) {                                         \
                vec *to = dx + channel * plane + row * c->width;                                   \
                if (tile == TILE_DX_C)                                                             \
                    conv_data_row(c, w + channel * taps, dy, row, to, TILE_DX_C, n_k);             \
                else                                                                               \
                    conv_data_row(c, w + channel * taps, dy, row, to, 1, n_k);                     \
            }                                                                                      \
            channel += tile;                                                                       \
        }                                                                                          \
    }
CONV_DATA_FOR(1)
CONV_DATA_FOR(2)
CONV_DATA_FOR(3)
CONV_DATA_FOR(4)
CONV_DATA_FOR(5)
CONV_DATA_FOR(6)
CONV_DATA_FOR(7)

static void conv_data(const lanes_conv *c, const float *w, const float *dy, float *dx) {
    typedef void data_kernel(const lanes_conv *, const float *, const vec *, vec *);
    static data_kernel *const kernels[LANES_KERNEL_WIDTH_MAX + 1] = {
        NULL,        conv_data_1, conv_data_2, conv_data_3,
        conv_data_4, conv_data_5, conv_data_6, conv_data_7};
    memset(dx, 0, c->channels * c->height * c->width * LANES * sizeof *dx);
    kernels[c->kernel_width](c, w, vec_of(dy), vec_at(dx));
}

/* The n_x inputs of one row of dx that a column of the kernel reaches, from entries
 * [first, end) of by_column: those of that column. */
INLINE void conv_data_sparse_tile(const lanes_sparse *s, const float *w, size_t first, size_t end,
                                  const vec *dy, vec *dx, int n_x) {
    vec sum[DATA_X];
    UNROLL for (int i = 0; i < n_x; i++) sum[i] = dx[i];
    ROLL for (size_t n = first; n < end; n++) {
        const vec *from = dy + s->source[n];
        PIN(from);
        vec weight = splat(w[s->by_column[n]]);
        UNROLL for (int i = 0; i < n_x; i++) sum[i] += weight * from[i];
    }
    UNROLL for (int i = 0; i < n_x; i++) dx[i] = sum[i];
}

static void conv_data_sparse(const lanes_conv *c, const lanes_sparse *s, const float *w,
                             const float *dy, float *dx) {
    memset(dx, 0, c->channels * c->height * c->width * LANES * sizeof *dx);
    for (size_t row = 0; row < c->height; row++) {
        size_t ky_first = row >= c->out_height ? row - c->out_height + 1 : 0;
        size_t ky_end = row + 1 < c->kernel_height ? row + 1 : c->kernel_height;
        const vec *from = vec_of(dy) + row * c->out_width;
        for (size_t k = 0; k < c->channels * c->kernel_width; k++) {
            size_t first = s->column_start[k * c->kernel_height + ky_first];
            size_t end = s->column_start[k * c->kernel_height + ky_end];
            vec *to = vec_at(dx) + (k / c->kernel_width * c->height + row) * c->width +
                      k % c->kernel_width;
            size_t i = 0;
            for (; i + DATA_X <= c->out_width; i += DATA_X)
                conv_data_sparse_tile(s, w, first, end, from + i, to + i, DATA_X);
            for (; i < c->out_width; i++)
                conv_data_sparse_tile(s, w, first, end, from + i, to + i, 1);
        }
    }
}
