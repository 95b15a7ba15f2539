/* Inner product on panels: a part of lanes_template.h, which defines the vectors it is
 * written in. A panel is as many columns as the cache holds vectors of, so that rows follow one
 * another through what they share. */

/* Begins to read what the row after the next one has in this panel. */
INLINE void panels_prefetch(const lanes_panels *s, size_t row, size_t panel, const float *w) {
    const size_t ahead = row + 3 < s->rows ? row + 3 : row;
    const size_t e = s->start[ahead * s->panels + panel];
    for (size_t i = 0; i < 4; i++) {
        __builtin_prefetch(s->offset + e + 16 * i);
        __builtin_prefetch(w + e + 16 * i);
    }
}

INLINE void panel_forward(const lanes_panels *s, size_t panel, size_t first, size_t count,
                          const float *w, const vec *x, vec *y, int n_b) {
    for (size_t r = first; r < first + count; r++) {
        const uint32_t *start = s->start + r * s->panels + panel;
        vec sum[2][2];
        size_t e = start[0];
        panels_prefetch(s, r, panel, w);
        UNROLL for (int k = 0; k < n_b; k++) {
            sum[0][k] = y[r * (size_t)n_b + (size_t)k];
            sum[1][k] = (vec){0};
        }
        for (; e + 2 <= start[1]; e += 2) {
            UNROLL for (size_t i = 0; i < 2; i++) {
                UNROLL for (int k = 0; k < n_b; k++) sum[i][k] +=
                    w[e + i] * x[s->offset[e + i] * (size_t)n_b + (size_t)k];
            }
        }
        for (; e < start[1]; e++) {
            UNROLL for (int k = 0; k < n_b; k++) sum[0][k] +=
                w[e] * x[s->offset[e] * (size_t)n_b + (size_t)k];
        }
        UNROLL for (int k = 0; k < n_b; k++) y[r * (size_t)n_b + (size_t)k] = sum[0][k] + sum[1][k];
    }
}

static void panels_forward(const lanes_panels *s, size_t blocks, size_t first, size_t count,
                           const float *w, const float *x, float *y) {
    for (size_t p = 0; p < s->panels; p++) {
        if (blocks == 1)
            panel_forward(s, p, first, count, w, vec_of(x), vec_at(y), 1);
        else
            panel_forward(s, p, first, count, w, vec_of(x), vec_at(y), 2);
    }
}

INLINE void panel_data(const lanes_panels *s, size_t panel, const float *w, const vec *dy, vec *dx,
                       int n_b) {
    for (size_t r = 0; r < s->rows; r++) {
        const uint32_t *start = s->start + r * s->panels + panel;
        panels_prefetch(s, r, panel, w);
        vec gradient[2];
        UNROLL for (int k = 0; k < n_b; k++) gradient[k] = dy[r * (size_t)n_b + (size_t)k];
        for (size_t e = start[0]; e < start[1]; e++) {
            vec *to = dx + s->offset[e] * (size_t)n_b;
            UNROLL for (int k = 0; k < n_b; k++) to[k] += w[e] * gradient[k];
        }
    }
}

static void panels_data(const lanes_panels *s, size_t blocks, size_t first, size_t count,
                        const float *w, const float *dy, float *dx) {
    for (size_t p = first; p < first + count; p++) {
        if (blocks == 1)
            panel_data(s, p, w, vec_of(dy), vec_at(dx), 1);
        else
            panel_data(s, p, w, vec_of(dy), vec_at(dx), 2);
    }
}

INLINE vec panel_product(const vec *gradient, const vec *x, int n_b) {
    vec sum = gradient[0] * x[0];
    UNROLL for (int k = 1; k < n_b; k++) sum += gradient[k] * x[k];
    return sum;
}

/* Lane i of the result: the lanes of m[i] added up, in the order of sum_lanes. */
INLINE vec sum_each(vec *m) {
    turn(m);
    UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) m[i] += m[i + half];
    }
    return m[0];
}

INLINE void panel_weights(const lanes_panels *s, size_t panel, const vec *dy, const vec *x,
                          float *dw, int n_b) {
    for (size_t r = 0; r < s->rows; r++) {
        const uint32_t *start = s->start + r * s->panels + panel;
        panels_prefetch(s, r, panel, dw);
        vec gradient[2];
        size_t e = start[0];
        UNROLL for (int k = 0; k < n_b; k++) gradient[k] = dy[r * (size_t)n_b + (size_t)k];
        for (; e + LANES <= start[1]; e += LANES) {
            vec m[LANES];
            UNROLL for (size_t i = 0; i < LANES; i++) m[i] =
                panel_product(gradient, x + s->offset[e + i] * (size_t)n_b, n_b);
            *(vec_unaligned *)(void *)(dw + e) += sum_each(m);
        }
        for (; e < start[1]; e++)
            dw[e] += sum_lanes(panel_product(gradient, x + s->offset[e] * (size_t)n_b, n_b));
    }
}

static void panels_weights(const lanes_panels *s, size_t blocks, size_t first, size_t count,
                           const float *dy, const float *x, float *dw) {
    for (size_t p = first; p < first + count; p++) {
        if (blocks == 1)
            panel_weights(s, p, vec_of(dy), vec_of(x), dw, 1);
        else
            panel_weights(s, p, vec_of(dy), vec_of(x), dw, 2);
    }
}
