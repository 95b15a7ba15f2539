/* The kernels of lanes_kernels.h, compiled once per instruction set by
 * lanes_4.c, lanes_8.c and lanes_16.c, which define
 *   LANES      images in a vector
 *   TILE_F     filters of a register tile of the dense convolution
 *   TILE_X     output positions of it: TILE_F * TILE_X accumulators
 *   TILE_DW_F  filters of the weight gradient's tile, times the kernel width
 *   TILE_DX_C  input channels of the data gradient's tile
 *   TILE_P     rows of the inner product's tile, times two blocks
 *   TABLE      the table's name
 * Loops whose bounds are tile constants unroll completely and keep their
 * accumulators in registers. */
#include "engine/lanes_kernels.h"

#include <string.h>

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef float vec_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t veci __attribute__((vector_size(LANES * 4)));
typedef int8_t vecb __attribute__((vector_size(LANES)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

INLINE const vec *vec_of(const float *p) {
    return (const vec *)(const void *)p;
}

INLINE vec *vec_at(float *p) {
    return (vec *)(void *)p;
}

INLINE vec splat(float value) {
    return (vec){0} + value;
}

INLINE float sum_lanes(vec v) {
    float lane[LANES];
    memcpy(lane, &v, sizeof lane);
    UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    }
    return lane[0];
}

INLINE vec select_vec(veci mask, vec a, vec b) {
    return (vec)((mask & (veci)a) | (~mask & (veci)b));
}

/* ---- convolution ---- */

/* n_f filters by n_x positions of one output row; x at (0, row, first position). */
INLINE void conv_tile(const lanes_conv *c, const float *w, const float *b, const vec *x, vec *y,
                      size_t plane, int n_f, int n_x) {
    const size_t stride = c->channels * c->kernel_height * c->kernel_width;
    vec sum[TILE_F][TILE_X];
    UNROLL for (int f = 0; f < n_f; f++) {
        UNROLL for (int i = 0; i < n_x; i++) sum[f][i] = splat(b[f]);
    }
    for (size_t channel = 0; channel < c->channels; channel++) {
        for (size_t ky = 0; ky < c->kernel_height; ky++) {
            const vec *row = x + (channel * c->height + ky) * c->width;
            for (size_t kx = 0; kx < c->kernel_width; kx++, w++) {
                UNROLL for (int i = 0; i < n_x; i++) {
                    UNROLL for (int f = 0; f < n_f; f++) sum[f][i] +=
                        w[(size_t)f * stride] * row[kx + (size_t)i];
                }
            }
        }
    }
    UNROLL for (int f = 0; f < n_f; f++) {
        UNROLL for (int i = 0; i < n_x; i++) y[(size_t)f * plane + (size_t)i] = sum[f][i];
    }
}

/* One output row of n_f filters. */
INLINE void conv_row(const lanes_conv *c, const float *w, const float *b, const vec *x, vec *y,
                     size_t plane, int n_f) {
    size_t i = 0;
    for (; i + TILE_X <= c->out_width; i += TILE_X)
        conv_tile(c, w, b, x + i, y + i, plane, n_f, TILE_X);
    for (; i < c->out_width; i++)
        conv_tile(c, w, b, x + i, y + i, plane, n_f, 1);
}

static void conv_row_full(const lanes_conv *c, const float *w, const float *b, const vec *x, vec *y,
                          size_t plane) {
    conv_row(c, w, b, x, y, plane, TILE_F);
}

static void conv_row_one(const lanes_conv *c, const float *w, const float *b, const vec *x, vec *y,
                         size_t plane) {
    conv_row(c, w, b, x, y, plane, 1);
}

INLINE void pool_quad(vec a, vec b, vec c, vec d, vec *y, int8_t *winner) {
    const veci zero = {0};
    veci b_wins = b > a;
    vec top = select_vec(b_wins, b, a);
    veci d_wins = d > c;
    vec bottom = select_vec(d_wins, d, c);
    veci low_wins = bottom > top;
    *y = select_vec(low_wins, bottom, top);
    veci place = (low_wins & ((zero + 2) - d_wins)) | (~low_wins & (zero - b_wins));
    vecb small = __builtin_convertvector(place, vecb);
    memcpy(winner, &small, sizeof small);
}

/* Pools two rows of one filter; the winners' numbers are 2 * (row) + column. */
static void pool_rows(const vec *upper, const vec *lower, size_t out_width, vec *y,
                      int8_t *winner) {
    for (size_t i = 0; i + 1 < out_width; i += 2)
        pool_quad(upper[i], upper[i + 1], lower[i], lower[i + 1], &y[i / 2],
                  winner + i / 2 * LANES);
}

static void conv_forward(const lanes_conv *c, const float *w, const float *b, const float *x,
                         float *y, int8_t *winner, float *scratch) {
    const size_t stride = c->channels * c->kernel_height * c->kernel_width;
    const size_t pooled_plane = (c->out_height / 2) * (c->out_width / 2);
    const size_t plane = c->pooled ? 2 * c->out_width : c->out_height * c->out_width;
    const size_t row_step = c->pooled ? 2 : 1;
    for (size_t f = 0; f < c->filters;) {
        size_t tile = c->filters - f >= TILE_F ? TILE_F : 1;
        for (size_t row = 0; row + row_step <= c->out_height; row += row_step) {
            for (size_t r = 0; r < row_step; r++) {
                const vec *from = vec_of(x) + (row + r) * c->width;
                vec *to = c->pooled ? vec_at(scratch) + r * c->out_width
                                    : vec_at(y) + f * plane + row * c->out_width;
                if (tile == TILE_F)
                    conv_row_full(c, w + f * stride, b + f, from, to, plane);
                else
                    conv_row_one(c, w + f * stride, b + f, from, to, plane);
            }
            for (size_t i = 0; c->pooled && i < tile; i++) {
                const vec *rows = vec_of(scratch) + i * plane;
                size_t at = (f + i) * pooled_plane + row / 2 * (c->out_width / 2);
                pool_rows(rows, rows + c->out_width, c->out_width, vec_at(y) + at,
                          winner + at * LANES);
            }
        }
        f += tile;
    }
}

#define SPARSE_X 8

/* n_y rows by n_x positions of one filter, all its nonzeros. */
INLINE void conv_sparse_tile(const lanes_conv *c, const uint32_t *offset, const float *w,
                             size_t count, float bias, const vec *x, vec *y, int n_y, int n_x) {
    vec sum[2][SPARSE_X];
    UNROLL for (int r = 0; r < n_y; r++) {
        UNROLL for (int i = 0; i < n_x; i++) sum[r][i] = splat(bias);
    }
    for (size_t e = 0; e < count; e++) {
        const vec *from = x + offset[e];
        vec weight = splat(w[e]);
        UNROLL for (int r = 0; r < n_y; r++) {
            UNROLL for (int i = 0; i < n_x; i++) sum[r][i] +=
                weight * from[(size_t)r * c->width + (size_t)i];
        }
    }
    UNROLL for (int r = 0; r < n_y; r++) {
        UNROLL for (int i = 0; i < n_x; i++) y[(size_t)r * c->out_width + (size_t)i] = sum[r][i];
    }
}

INLINE void conv_sparse_rows(const lanes_conv *c, const uint32_t *offset, const float *w,
                             size_t count, float bias, const vec *x, vec *y, int n_y) {
    size_t i = 0;
    for (; i + SPARSE_X <= c->out_width; i += SPARSE_X)
        conv_sparse_tile(c, offset, w, count, bias, x + i, y + i, n_y, SPARSE_X);
    for (; i < c->out_width; i++)
        conv_sparse_tile(c, offset, w, count, bias, x + i, y + i, n_y, 1);
}

static void conv_forward_sparse(const lanes_conv *c, const lanes_sparse *s, const float *w,
                                const float *b, const float *x, float *y, int8_t *winner,
                                float *scratch) {
    const size_t pooled_width = c->out_width / 2;
    const size_t pooled_plane = (c->out_height / 2) * pooled_width;
    const size_t plane = c->out_height * c->out_width;
    for (size_t f = 0; f < c->filters; f++) {
        const uint32_t *offset = s->offset + s->row_start[f];
        const float *weights = w + s->row_start[f];
        size_t count = s->row_start[f + 1] - s->row_start[f];
        size_t row = 0;
        for (; row + 2 <= c->out_height; row += 2) {
            const vec *from = vec_of(x) + row * c->width;
            vec *to = c->pooled ? vec_at(scratch) : vec_at(y) + f * plane + row * c->out_width;
            conv_sparse_rows(c, offset, weights, count, b[f], from, to, 2);
            size_t at = f * pooled_plane + row / 2 * pooled_width;
            if (c->pooled)
                pool_rows(to, to + c->out_width, c->out_width, vec_at(y) + at, winner + at * LANES);
        }
        if (!c->pooled && row < c->out_height)
            conv_sparse_rows(c, offset, weights, count, b[f], vec_of(x) + row * c->width,
                             vec_at(y) + f * plane + row * c->out_width, 1);
    }
}

static void conv_expand(const lanes_conv *c, const float *pooled_dy, const int8_t *winner,
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
            vecb small;
            memcpy(&small, winner + at * LANES, sizeof small);
            veci place = __builtin_convertvector(small, veci);
            vec *to =
                vec_at(dy) + f * plane + i / pooled_width * 2 * c->out_width + i % pooled_width * 2;
            to[0] = (vec)((veci)gradient & (place == 0));
            to[1] = (vec)((veci)gradient & (place == 1));
            to[c->out_width] = (vec)((veci)gradient & (place == 2));
            to[c->out_width + 1] = (vec)((veci)gradient & (place == 3));
        }
    }
}

INLINE void bias_gradient(const lanes_conv *c, size_t first, size_t count, size_t blocks,
                          const float *dy, size_t dy_stride, float *db) {
    const size_t plane = c->out_height * c->out_width;
    for (size_t f = 0; f < count; f++) {
        vec sum[4] = {{0}, {0}, {0}, {0}};
        for (size_t k = 0; k < blocks; k++) {
            const vec *from = vec_of(dy + k * dy_stride) + f * plane;
            size_t i = 0;
            for (; i + 4 <= plane; i += 4) {
                UNROLL for (size_t j = 0; j < 4; j++) sum[j] += from[i + j];
            }
            for (; i < plane; i++)
                sum[0] += from[i];
        }
        db[first + f] = sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
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

#define SPARSE_DW 4

/* dw of n_e nonzeros of one filter: the gradient is loaded once for all. */
INLINE void conv_weights_entries(const lanes_conv *c, const uint32_t *offset, size_t blocks,
                                 const float *dy, size_t dy_stride, const float *x, size_t x_stride,
                                 float *dw, int n_e) {
    vec sum[SPARSE_DW][2];
    UNROLL for (int e = 0; e < n_e; e++) sum[e][0] = sum[e][1] = (vec){0};
    for (size_t block = 0; block < blocks; block++) {
        const vec *gradient = vec_of(dy + block * dy_stride);
        const vec *input = vec_of(x + block * x_stride);
        for (size_t row = 0; row < c->out_height; row++) {
            size_t i = 0;
            for (; i + 2 <= c->out_width; i += 2) {
                vec g0 = gradient[i];
                vec g1 = gradient[i + 1];
                UNROLL for (int e = 0; e < n_e; e++) {
                    sum[e][0] += g0 * input[offset[e] + i];
                    sum[e][1] += g1 * input[offset[e] + i + 1];
                }
            }
            for (; i < c->out_width; i++) {
                UNROLL for (int e = 0; e < n_e; e++) sum[e][0] +=
                    gradient[i] * input[offset[e] + i];
            }
            gradient += c->out_width;
            input += c->width;
        }
    }
    UNROLL for (int e = 0; e < n_e; e++) dw[e] = sum_lanes(sum[e][0] + sum[e][1]);
}

static void conv_weights_sparse(const lanes_conv *c, const lanes_sparse *s, size_t first,
                                size_t count, size_t blocks, const float *dy, size_t dy_stride,
                                const float *x, size_t x_stride, float *dw, float *db) {
    const size_t plane = c->out_height * c->out_width;
    for (size_t f = 0; f < count; f++) {
        const float *gradient = dy + f * plane * LANES;
        size_t e = s->row_start[first + f];
        size_t end = s->row_start[first + f + 1];
        for (; e + SPARSE_DW <= end; e += SPARSE_DW)
            conv_weights_entries(c, s->offset + e, blocks, gradient, dy_stride, x, x_stride, dw + e,
                                 SPARSE_DW);
        for (; e < end; e++)
            conv_weights_entries(c, s->offset + e, blocks, gradient, dy_stride, x, x_stride, dw + e,
                                 1);
    }
    bias_gradient(c, first, count, blocks, dy, dy_stride, db);
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

static void conv_data_sparse(const lanes_conv *c, const lanes_sparse *s, const float *w,
                             const float *dy, float *dx) {
    const size_t plane = c->out_height * c->out_width;
    memset(dx, 0, c->channels * c->height * c->width * LANES * sizeof *dx);
    for (size_t n = 0; n < s->column_start[s->columns]; n++) {
        uint32_t e = s->by_column[n];
        const vec *from = vec_of(dy) + s->row_of[e] * plane;
        vec *to = vec_at(dx) + s->offset[e];
        vec weight = splat(w[e]);
        for (size_t row = 0; row < c->out_height; row++) {
            for (size_t i = 0; i < c->out_width; i++)
                to[i] += weight * from[i];
            from += c->out_width;
            to += c->width;
        }
    }
}

/* ---- inner product ---- */

/* n_r rows by n_b blocks of y = W x + b. step: floats between consecutive
 * weights of one row; row_step between rows. Serves W (step 1) and its
 * transpose (step = columns). */
INLINE void product_tile(size_t inner, const float *w, size_t step, size_t row_step, const float *b,
                         const vec *x, size_t x_stride, vec *y, size_t y_stride, int n_r, int n_b) {
    vec sum[TILE_P][2];
    UNROLL for (int r = 0; r < n_r; r++) {
        UNROLL for (int k = 0; k < n_b; k++) sum[r][k] = splat(b == NULL ? 0.0F : b[r]);
    }
    for (size_t i = 0; i < inner; i++) {
        UNROLL for (int r = 0; r < n_r; r++) {
            float weight = w[(size_t)r * row_step + i * step];
            UNROLL for (int k = 0; k < n_b; k++) sum[r][k] += weight * x[(size_t)k * x_stride + i];
        }
    }
    UNROLL for (int r = 0; r < n_r; r++) {
        UNROLL for (int k = 0; k < n_b; k++) y[(size_t)k * y_stride + (size_t)r] = sum[r][k];
    }
}

INLINE void product_rows(size_t outer, size_t inner, const float *w, size_t step, size_t row_step,
                         const float *b, const vec *x, vec *y, int n_b) {
    size_t r = 0;
    for (; r + TILE_P <= outer; r += TILE_P)
        product_tile(inner, w + r * row_step, step, row_step, b == NULL ? NULL : b + r, x, inner,
                     y + r, outer, TILE_P, n_b);
    for (; r < outer; r++)
        product_tile(inner, w + r * row_step, step, row_step, b == NULL ? NULL : b + r, x, inner,
                     y + r, outer, 1, n_b);
}

static void product_forward(size_t rows, size_t columns, size_t blocks, const float *w,
                            const float *b, const float *x, float *y) {
    size_t k = 0;
    for (; k + 2 <= blocks; k += 2)
        product_rows(rows, columns, w, 1, columns, b, vec_of(x) + k * columns, vec_at(y) + k * rows,
                     2);
    for (; k < blocks; k++)
        product_rows(rows, columns, w, 1, columns, b, vec_of(x) + k * columns, vec_at(y) + k * rows,
                     1);
}

static void product_data(size_t rows, size_t columns, size_t blocks, const float *w,
                         const float *dy, float *dx) {
    size_t k = 0;
    for (; k + 2 <= blocks; k += 2)
        product_rows(columns, rows, w, columns, 1, NULL, vec_of(dy) + k * rows,
                     vec_at(dx) + k * columns, 2);
    for (; k < blocks; k++)
        product_rows(columns, rows, w, columns, 1, NULL, vec_of(dy) + k * rows,
                     vec_at(dx) + k * columns, 1);
}

static void product_forward_sparse(const lanes_sparse *s, size_t blocks, const float *w,
                                   const float *b, const float *x, float *y) {
    for (size_t k = 0; k < blocks; k++) {
        const vec *from = vec_of(x) + k * s->columns;
        vec *to = vec_at(y) + k * s->rows;
        for (size_t r = 0; r < s->rows; r++) {
            vec sum = splat(b[r]);
            for (size_t e = s->row_start[r]; e < s->row_start[r + 1]; e++)
                sum += w[e] * from[s->offset[e]];
            to[r] = sum;
        }
    }
}

static void product_data_sparse(const lanes_sparse *s, size_t blocks, const float *w,
                                const float *dy, float *dx) {
    for (size_t k = 0; k < blocks; k++) {
        const vec *from = vec_of(dy) + k * s->rows;
        vec *to = vec_at(dx) + k * s->columns;
        for (size_t column = 0; column < s->columns; column++) {
            vec sum = {0};
            for (size_t n = s->column_start[column]; n < s->column_start[column + 1]; n++) {
                uint32_t e = s->by_column[n];
                sum += w[e] * from[s->row_of[e]];
            }
            to[column] = sum;
        }
    }
}

static void product_weights_sparse(const lanes_sparse *s, size_t blocks, const float *dy,
                                   const float *x, float *dw) {
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t e = s->row_start[r]; e < s->row_start[r + 1]; e++) {
            vec sum = {0};
            for (size_t k = 0; k < blocks; k++)
                sum += vec_of(dy)[k * s->rows + r] * vec_of(x)[k * s->columns + s->offset[e]];
            dw[e] = sum_lanes(sum);
        }
    }
}

static void product_bias(size_t rows, size_t blocks, const float *dy, float *db) {
    for (size_t r = 0; r < rows; r++) {
        vec sum = {0};
        for (size_t k = 0; k < blocks; k++)
            sum += vec_of(dy)[k * rows + r];
        db[r] = sum_lanes(sum);
    }
}

static size_t padded(size_t count) {
    return (count + LANES - 1) / LANES * LANES;
}

/* [block][elements][lane] to [sample][elements], rows padded to whole vectors. */
static void transpose(size_t elements, size_t blocks, const float *from, float *to) {
    const size_t stride = padded(elements);
    for (size_t k = 0; k < blocks; k++) {
        for (size_t i = 0; i < elements; i++) {
            const float *group = from + (k * elements + i) * LANES;
            for (size_t lane = 0; lane < LANES; lane++)
                to[(k * LANES + lane) * stride + i] = group[lane];
        }
    }
}

#define OUTER_R 4
#define OUTER_C 4

/* n_r rows by n_c vectors of columns of dW = sum over samples of dy x^T. */
INLINE void outer_tile(size_t samples, const float *dy, size_t dy_stride, const float *x,
                       size_t x_stride, float *dw, size_t columns, int n_r, int n_c) {
    vec sum[OUTER_R][OUTER_C];
    UNROLL for (int r = 0; r < n_r; r++) {
        UNROLL for (int i = 0; i < n_c; i++) sum[r][i] = (vec){0};
    }
    for (size_t n = 0; n < samples; n++) {
        const vec *input = vec_of(x + n * x_stride);
        UNROLL for (int r = 0; r < n_r; r++) {
            float gradient = dy[n * dy_stride + (size_t)r];
            UNROLL for (int i = 0; i < n_c; i++) sum[r][i] += gradient * input[i];
        }
    }
    UNROLL for (int r = 0; r < n_r; r++) {
        UNROLL for (int i = 0; i < n_c; i++) *
            (vec_unaligned *)(void *)(dw + (size_t)r * columns + (size_t)i * LANES) = sum[r][i];
    }
}

static void outer_tail(size_t samples, const float *dy, size_t dy_stride, const float *x,
                       size_t x_stride, float *dw) {
    float sum = 0.0F;
    for (size_t n = 0; n < samples; n++)
        sum += dy[n * dy_stride] * x[n * x_stride];
    *dw = sum;
}

INLINE void outer_rows(size_t samples, const float *dy, size_t dy_stride, const float *x,
                       size_t columns, float *dw, int n_r) {
    const size_t x_stride = padded(columns);
    size_t i = 0;
    for (; i + OUTER_C * LANES <= columns; i += OUTER_C * LANES)
        outer_tile(samples, dy, dy_stride, x + i, x_stride, dw + i, columns, n_r, OUTER_C);
    for (; i + LANES <= columns; i += LANES)
        outer_tile(samples, dy, dy_stride, x + i, x_stride, dw + i, columns, n_r, 1);
    for (; i < columns; i++) {
        for (size_t r = 0; r < (size_t)n_r; r++)
            outer_tail(samples, dy + r, dy_stride, x + i, x_stride, dw + r * columns + i);
    }
}

static void product_weights(size_t rows, size_t columns, size_t blocks, const float *dy,
                            const float *x, float *dw, float *scratch) {
    const size_t samples = blocks * LANES;
    const size_t dy_stride = padded(rows);
    float *inputs = scratch;
    float *gradients = scratch + samples * padded(columns);
    transpose(columns, blocks, x, inputs);
    transpose(rows, blocks, dy, gradients);
    size_t r = 0;
    for (; r + OUTER_R <= rows; r += OUTER_R)
        outer_rows(samples, gradients + r, dy_stride, inputs, columns, dw + r * columns, OUTER_R);
    for (; r < rows; r++)
        outer_rows(samples, gradients + r, dy_stride, inputs, columns, dw + r * columns, 1);
}

/* ---- pooling and rectifier ---- */

static void pool_forward(const lanes_pool *p, const float *x, float *y) {
    vec *to = vec_at(y);
    for (size_t channel = 0; channel < p->channels; channel++) {
        const vec *plane = vec_of(x) + channel * p->height * p->width;
        for (size_t i = 0; i < p->out_height * p->out_width; i++) {
            const vec *window = plane + i / p->out_width * p->stride[0] * p->width +
                                i % p->out_width * p->stride[1];
            vec best = window[0];
            for (size_t ky = 0; ky < p->kernel[0]; ky++) {
                for (size_t kx = 0; kx < p->kernel[1]; kx++) {
                    vec candidate = window[ky * p->width + kx];
                    best = select_vec(candidate > best, candidate, best);
                }
            }
            *to++ = best;
        }
    }
}

static void pool_backward(const lanes_pool *p, const float *x, const float *y, const float *dy,
                          float *dx) {
    const vec *best = vec_of(y);
    const vec *gradient = vec_of(dy);
    memset(dx, 0, p->channels * p->height * p->width * LANES * sizeof *dx);
    for (size_t channel = 0; channel < p->channels; channel++) {
        size_t plane = channel * p->height * p->width;
        for (size_t i = 0; i < p->out_height * p->out_width; i++, best++, gradient++) {
            size_t at = plane + i / p->out_width * p->stride[0] * p->width +
                        i % p->out_width * p->stride[1];
            veci open = ~(veci){0};
            for (size_t ky = 0; ky < p->kernel[0]; ky++) {
                for (size_t kx = 0; kx < p->kernel[1]; kx++) {
                    size_t place = at + ky * p->width + kx;
                    veci wins = (vec_of(x)[place] == *best) & open;
                    vec_at(dx)[place] += (vec)((veci)*gradient & wins);
                    open &= ~wins;
                }
            }
        }
    }
}

static void relu_forward(size_t count, const float *x, float *y) {
    for (size_t i = 0; i < count; i++) {
        vec value = vec_of(x)[i];
        /* A NaN passes: it must reach the loss to be noticed. */
        vec_at(y)[i] = (vec)((veci)value & ~(value <= 0));
    }
}

static void relu_backward(size_t count, const float *y, const float *dy, float *dx) {
    for (size_t i = 0; i < count; i++)
        vec_at(dx)[i] = (vec)((veci)vec_of(dy)[i] & (vec_of(y)[i] > 0));
}

const lanes_kernels TABLE = {
    .name = TABLE_NAME,
    .lanes = LANES,
    .conv_forward = conv_forward,
    .conv_forward_sparse = conv_forward_sparse,
    .conv_expand = conv_expand,
    .conv_weights = conv_weights,
    .conv_weights_sparse = conv_weights_sparse,
    .conv_data = conv_data,
    .conv_data_sparse = conv_data_sparse,
    .product_forward = product_forward,
    .product_forward_sparse = product_forward_sparse,
    .product_weights = product_weights,
    .product_weights_sparse = product_weights_sparse,
    .product_bias = product_bias,
    .product_data = product_data,
    .product_data_sparse = product_data_sparse,
    .pool_forward = pool_forward,
    .pool_backward = pool_backward,
    .relu_forward = relu_forward,
    .relu_backward = relu_backward,
};
