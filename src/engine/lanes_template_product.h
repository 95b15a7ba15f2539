/* Inner product of the lanes back end: a part of lanes_template.h, which defines the
 * vectors it is written in. */

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

/* y of n_b blocks at once: an index and a weight are loaded once for all. */
INLINE void product_forward_entries(const lanes_sparse *s, const float *w, const float *b,
                                    const vec *x, vec *y, int n_b) {
    for (size_t r = 0; r < s->rows; r++) {
        vec sum[4];
        UNROLL for (int k = 0; k < n_b; k++) sum[k] = splat(b[r]);
        ROLL for (size_t e = s->row_start[r]; e < s->row_start[r + 1]; e++) {
            UNROLL for (int k = 0; k < n_b; k++) sum[k] +=
                w[e] * x[(size_t)k * s->columns + s->offset[e]];
        }
        UNROLL for (int k = 0; k < n_b; k++) y[(size_t)k * s->rows + r] = sum[k];
    }
}

static void product_forward_sparse(const lanes_sparse *s, size_t blocks, const float *w,
                                   const float *b, const float *x, float *y) {
    size_t k = 0;
    for (; k + 4 <= blocks; k += 4)
        product_forward_entries(s, w, b, vec_of(x) + k * s->columns, vec_at(y) + k * s->rows, 4);
    for (; k < blocks; k++)
        product_forward_entries(s, w, b, vec_of(x) + k * s->columns, vec_at(y) + k * s->rows, 1);
}

INLINE void product_data_entries(const lanes_sparse *s, const float *w, const vec *dy, vec *dx,
                                 int n_b) {
    for (size_t column = 0; column < s->columns; column++) {
        vec sum[4] = {{0}, {0}, {0}, {0}};
        ROLL for (size_t n = s->column_start[column]; n < s->column_start[column + 1]; n++) {
            float weight = w[s->by_column[n]];
            UNROLL for (int k = 0; k < n_b; k++) sum[k] +=
                weight * dy[(size_t)k * s->rows + (size_t)s->source[n]];
        }
        UNROLL for (int k = 0; k < n_b; k++) dx[(size_t)k * s->columns + column] = sum[k];
    }
}

static void product_data_sparse(const lanes_sparse *s, size_t blocks, const float *w,
                                const float *dy, float *dx) {
    size_t k = 0;
    for (; k + 4 <= blocks; k += 4)
        product_data_entries(s, w, vec_of(dy) + k * s->rows, vec_at(dx) + k * s->columns, 4);
    for (; k < blocks; k++)
        product_data_entries(s, w, vec_of(dy) + k * s->rows, vec_at(dx) + k * s->columns, 1);
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

#define OUTER_C 4

/* n_r rows by n_c vectors of columns of dW = sum over samples of dy x^T. */
INLINE void outer_tile(size_t samples, const float *dy, size_t dy_stride, const float *x,
                       size_t x_stride, float *dw, size_t columns, int n_r, int n_c) {
    vec sum[TILE_OUTER][OUTER_C];
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
    for (; r + TILE_OUTER <= rows; r += TILE_OUTER)
        outer_rows(samples, gradients + r, dy_stride, inputs, columns, dw + r * columns,
                   TILE_OUTER);
    for (; r < rows; r++)
        outer_rows(samples, gradients + r, dy_stride, inputs, columns, dw + r * columns, 1);
}
