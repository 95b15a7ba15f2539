#include "engine/norm.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/lanes_kernels.h"

/* Columns that are taken through all samples together: what is kept of them, and what they
 * are multiplied by, stays in the first cache. */
#define TILE 256

admmnn_status engine_norm_open(const graph *g, const graph_node *node, size_t block, engine_norm *n,
                               admmnn_error *err) {
    const graph_shape shape = g->values[node->output].shape;
    *n = (engine_norm){.g = g,
                       .node = &node->normalization,
                       .channels = graph_shape_channels(shape),
                       .plane = graph_shape_extent(shape, 1, shape.rank),
                       .block = block};
    n->padded = (n->channels + block - 1) / block * block;
    n->mean = base_array(n->padded, sizeof *n->mean);
    n->inverse = base_array(n->padded, sizeof *n->inverse);
    n->center = base_array(n->padded, sizeof *n->center);
    n->factor = base_array(n->padded, sizeof *n->factor);
    n->offset = base_array(n->padded, sizeof *n->offset);
    n->slope = base_array(n->padded, sizeof *n->slope);
    return n->mean != NULL && n->inverse != NULL && n->center != NULL && n->factor != NULL &&
                   n->offset != NULL && n->slope != NULL
               ? ADMMNN_OK
               : base_fail_memory(err, "a batch normalization");
}

void engine_norm_close(engine_norm *n) {
    base_free(n->mean);
    base_free(n->inverse);
    base_free(n->center);
    base_free(n->factor);
    base_free(n->offset);
    base_free(n->slope);
}

static const float *parameter(const engine_norm *n, const float *params, uint32_t which) {
    return params + n->g->parameters[which].offset;
}

/* ---- blocks of channels: samples one after another, each a block at a time ---- */

#define MOST_BLOCK 16

typedef struct group {
    size_t plane, block;
    const float *center, *factor, *offset, *slope; /* [block] */
} group;

static group group_of(const engine_norm *n, size_t first) {
    return (group){n->plane,          n->block,          n->center + first,
                   n->factor + first, n->offset + first, n->slope + first};
}

static void block_sums(const engine_norm *n, size_t samples, const float *a, const float *b,
                       double *sums) {
    const size_t size = n->plane * n->block;
    const lanes_kernels *kernels = lanes_kernels_get(0);
    memset(sums, 0, 2 * n->padded * sizeof *sums);
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->block, a += size, b += size) {
            double first[MOST_BLOCK] = {0};
            double second[MOST_BLOCK] = {0};
            kernels->channel_sums(n->plane, n->block, a, b, first, second);
            for (size_t k = 0; k < n->block; k++) {
                sums[c + k] += first[k];
                sums[n->padded + c + k] += second[k];
            }
        }
    }
}

static inline void normalize_group(const group *g, size_t block, float least,
                                   const float *restrict x, float *restrict y) {
    for (size_t p = 0; p < g->plane * block; p += block) {
        for (size_t k = 0; k < block; k++) {
            const float value = (x[p + k] - g->center[k]) * g->factor[k] + g->offset[k];
            y[p + k] = value <= least ? least : value; /* a NaN passes */
        }
    }
}

static void block_forward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                          float *y) {
    const size_t size = n->plane * n->block;
    const float least = rectified ? 0.0F : -INFINITY;
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->block, x += size, y += size) {
            const group g = group_of(n, c);
            if (n->block == 8)
                normalize_group(&g, 8, least, x, y);
            else
                normalize_group(&g, MOST_BLOCK, least, x, y);
        }
    }
}

static inline void turn_group(const group *g, size_t block, const float *restrict x,
                              float *restrict dy) {
    for (size_t p = 0; p < g->plane * block; p += block)
        for (size_t k = 0; k < block; k++)
            dy[p + k] =
                g->factor[k] * dy[p + k] - g->offset[k] - (x[p + k] - g->center[k]) * g->slope[k];
}

static void block_backward(const engine_norm *n, size_t samples, const float *x, float *dy) {
    const size_t size = n->plane * n->block;
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->block, x += size, dy += size) {
            const group g = group_of(n, c);
            if (n->block == 8)
                turn_group(&g, 8, x, dy);
            else
                turn_group(&g, MOST_BLOCK, x, dy);
        }
    }
}

/* ---- columns of rows ---- */

typedef struct tile {
    size_t first, count;
} tile;

static tile tile_at(const engine_norm *n, size_t first) {
    const size_t left = n->channels * n->plane - first;
    return (tile){first, left < TILE ? left : TILE};
}

/* A number of each channel, for each column of the tile. */
static void spread(const engine_norm *n, tile t, const float *of_channels, float *of_columns) {
    for (size_t i = 0; i < t.count; i++)
        of_columns[i] = of_channels[(t.first + i) / n->plane];
}

static void add_row(size_t count, const float *a, const float *b, double *restrict first,
                    double *restrict second) {
    for (size_t i = 0; i < count; i++) {
        first[i] += (double)a[i];
        second[i] += (double)a[i] * (double)b[i];
    }
}

void engine_norm_sums(const engine_norm *n, size_t samples, const float *a, const float *b,
                      double *sums) {
    if (n->block > 1) {
        block_sums(n, samples, a, b, sums);
        return;
    }
    const size_t columns = n->channels * n->plane;
    memset(sums, 0, 2 * n->padded * sizeof *sums);
    for (size_t at = 0; at < columns; at += TILE) {
        const tile t = tile_at(n, at);
        double first[TILE] = {0};
        double second[TILE] = {0};
        for (size_t s = 0; s < samples; s++)
            add_row(t.count, a + s * columns + at, b + s * columns + at, first, second);
        for (size_t i = 0; i < t.count; i++) {
            sums[(at + i) / n->plane] += first[i];
            sums[n->padded + (at + i) / n->plane] += second[i];
        }
    }
}

/* ---- forward ---- */

static void normalize_by(engine_norm *n, const float *params, size_t c, double mean,
                         double variance) {
    n->mean[c] = mean;
    n->inverse[c] = 1.0 / sqrt(variance + (double)n->node->epsilon);
    n->center[c] = (float)mean;
    n->factor[c] = (float)(n->inverse[c] * (double)parameter(n, params, n->node->scale)[c]);
    n->offset[c] = parameter(n, params, n->node->shift)[c];
}

void engine_norm_by_running(engine_norm *n, const float *params) {
    for (size_t c = 0; c < n->channels; c++)
        normalize_by(n, params, c, (double)parameter(n, params, n->node->mean)[c],
                     (double)parameter(n, params, n->node->variance)[c]);
}

void engine_norm_by_batch(engine_norm *n, const float *params, const double *sums, size_t count,
                          float *part) {
    const double elements = (double)(count * n->plane);
    for (size_t c = 0; c < n->channels; c++) {
        const double mean = sums[c] / elements;
        const double variance = sums[n->padded + c] / elements - mean * mean;
        const double sound = variance <= 0.0 ? 0.0 : variance; /* a NaN passes */
        normalize_by(n, params, c, mean, sound);
        part[n->g->parameters[n->node->mean].offset + c] = (float)mean;
        part[n->g->parameters[n->node->variance].offset + c] = (float)sound;
    }
}

static void normalize_row(size_t count, const float *restrict center, const float *restrict factor,
                          const float *restrict offset, const float *restrict x,
                          float *restrict y) {
    for (size_t i = 0; i < count; i++)
        y[i] = (x[i] - center[i]) * factor[i] + offset[i];
}

static void rectify_row(size_t count, float *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = y[i] <= 0.0F ? 0.0F : y[i]; /* a NaN passes */
}

void engine_norm_unrectify(const engine_norm *n, size_t samples, const float *y, float *dy) {
    for (size_t i = 0; i < samples * n->padded * n->plane; i++)
        dy[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

void engine_norm_forward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                         float *y) {
    if (n->block > 1) {
        block_forward(n, samples, rectified, x, y);
        return;
    }
    const size_t columns = n->channels * n->plane;
    for (size_t at = 0; at < columns; at += TILE) {
        const tile t = tile_at(n, at);
        float center[TILE];
        float factor[TILE];
        float offset[TILE];
        spread(n, t, n->center, center);
        spread(n, t, n->factor, factor);
        spread(n, t, n->offset, offset);
        for (size_t s = 0; s < samples; s++) {
            float *row = y + s * columns + at;
            normalize_row(t.count, center, factor, offset, x + s * columns + at, row);
            if (rectified)
                rectify_row(t.count, row);
        }
    }
}

/* ---- backward ---- */

/* With x^ the normalized x: sum of dy x^, from the sums of dy and of dy x. */
static double turned(const engine_norm *n, const double *sums, size_t c) {
    return (sums[n->padded + c] - n->mean[c] * sums[c]) * n->inverse[c];
}

void engine_norm_gradient(const engine_norm *n, const double *sums, float *part) {
    float *scale = part + n->g->parameters[n->node->scale].offset;
    float *shift = part + n->g->parameters[n->node->shift].offset;
    for (size_t c = 0; c < n->channels; c++) {
        scale[c] = (float)turned(n, sums, c);
        shift[c] = (float)sums[c];
    }
}

/* dx = factor (dy - mean of dy - x^ mean of dy x^) */
void engine_norm_turn(engine_norm *n, const double *sums, size_t count) {
    const double elements = (double)(count * n->plane);
    for (size_t c = 0; c < n->channels; c++) {
        const double factor = (double)n->factor[c];
        n->slope[c] = (float)(factor * n->inverse[c] * turned(n, sums, c) / elements);
        n->offset[c] = (float)(factor * sums[c] / elements);
    }
}

static void turn_row(size_t count, const float *restrict center, const float *restrict factor,
                     const float *restrict offset, const float *restrict slope,
                     const float *restrict x, float *restrict dy) {
    for (size_t i = 0; i < count; i++)
        dy[i] = factor[i] * dy[i] - offset[i] - (x[i] - center[i]) * slope[i];
}

void engine_norm_backward(const engine_norm *n, size_t samples, const float *x, float *dy) {
    if (n->block > 1) {
        block_backward(n, samples, x, dy);
        return;
    }
    const size_t columns = n->channels * n->plane;
    for (size_t at = 0; at < columns; at += TILE) {
        const tile t = tile_at(n, at);
        float center[TILE];
        float factor[TILE];
        float offset[TILE];
        float slope[TILE];
        spread(n, t, n->center, center);
        spread(n, t, n->factor, factor);
        spread(n, t, n->offset, offset);
        spread(n, t, n->slope, slope);
        for (size_t s = 0; s < samples; s++)
            turn_row(t.count, center, factor, offset, slope, x + s * columns + at,
                     dy + s * columns + at);
    }
}
