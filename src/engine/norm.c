#include "engine/norm.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Columns that are taken through all samples together: what is kept of them, and what they
 * are multiplied by, stays in the first cache. */
#define TILE 256

size_t engine_norm_channels(const engine_norm *n) {
    return (n->channels + LANES_BLOCK_MAX - 1) / LANES_BLOCK_MAX * LANES_BLOCK_MAX;
}

void engine_norm_lay_out(engine_norm *n, lanes_layout layout) {
    n->layout = layout;
    n->padded = (n->channels + layout.block - 1) / layout.block * layout.block;
}

admmnn_status engine_norm_open(const graph *g, const graph_node *node, engine_norm *n,
                               admmnn_error *err) {
    const graph_shape shape = g->values[node->output].shape;
    *n = (engine_norm){.g = g,
                       .node = &node->normalization,
                       .channels = graph_shape_channels(shape),
                       .plane = graph_shape_extent(shape, 1, shape.rank)};
    engine_norm_lay_out(n, (lanes_layout){.block = 1});
    const size_t count = engine_norm_channels(n);
    n->mean = base_array(count, sizeof *n->mean);
    n->inverse = base_array(count, sizeof *n->inverse);
    n->center = base_array(count, sizeof *n->center);
    n->factor = base_array(count, sizeof *n->factor);
    n->shift = base_array(count, sizeof *n->shift);
    n->lift = base_array(count, sizeof *n->lift);
    n->slope = base_array(count, sizeof *n->slope);
    return n->mean != NULL && n->inverse != NULL && n->center != NULL && n->factor != NULL &&
                   n->shift != NULL && n->lift != NULL && n->slope != NULL
               ? ADMMNN_OK
               : base_fail_memory(err, "a batch normalization");
}

void engine_norm_close(engine_norm *n) {
    base_free(n->mean);
    base_free(n->inverse);
    base_free(n->center);
    base_free(n->factor);
    base_free(n->shift);
    base_free(n->lift);
    base_free(n->slope);
}

static const float *parameter(const engine_norm *n, const float *params, uint32_t which) {
    return params + n->g->parameters[which].offset;
}

/* ---- blocks of channels: samples one after another, each a block at a time ---- */

static lanes_norm group_of(const engine_norm *n, size_t first, bool rectified) {
    return (lanes_norm){.plane = n->plane,
                        .block = n->layout.block,
                        .rectified = rectified,
                        .center = n->center + first,
                        .factor = n->factor + first,
                        .shift = n->shift + first,
                        .lift = n->lift + first,
                        .slope = n->slope + first};
}

lanes_norm engine_norm_lanes(const engine_norm *n, bool rectified) {
    return group_of(n, 0, rectified);
}

static void add_group(const engine_norm *n, size_t c, const double *first, const double *second,
                      double *sums) {
    for (size_t k = 0; k < n->layout.block; k++) {
        sums[c + k] += first[k];
        sums[n->padded + c + k] += second[k];
    }
}

static void block_sums(const engine_norm *n, size_t samples, const float *x, double *sums) {
    const size_t size = n->plane * n->layout.block;
    const lanes_kernels *kernels = lanes_kernels_get(0);
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->layout.block, x += size) {
            const lanes_norm group = group_of(n, c, false);
            double first[LANES_BLOCK_MAX];
            double second[LANES_BLOCK_MAX];
            kernels->norm_sums(&group, x, first, second);
            add_group(n, c, first, second, sums);
        }
    }
}

static void block_backward_sums(const engine_norm *n, size_t samples, bool rectified,
                                const float *x, const float *dy, double *sums) {
    const size_t size = n->plane * n->layout.block;
    const lanes_kernels *kernels = lanes_kernels_get(0);
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->layout.block, x += size, dy += size) {
            const lanes_norm group = group_of(n, c, rectified);
            double first[LANES_BLOCK_MAX];
            double second[LANES_BLOCK_MAX];
            kernels->norm_backward_sums(&group, x, dy, first, second);
            add_group(n, c, first, second, sums);
        }
    }
}

static void block_forward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                          const float *z, float *y) {
    const size_t size = n->plane * n->layout.block;
    const lanes_kernels *kernels = lanes_kernels_get(0);
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->layout.block, x += size, y += size) {
            const lanes_norm group = group_of(n, c, rectified);
            kernels->norm_forward(&group, x, z, y);
            z = z == NULL ? NULL : z + size;
        }
    }
}

static void block_backward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                           const float *dy, float *dx) {
    const size_t size = n->plane * n->layout.block;
    const lanes_kernels *kernels = lanes_kernels_get(0);
    for (size_t s = 0; s < samples; s++) {
        for (size_t c = 0; c < n->padded; c += n->layout.block, x += size, dy += size, dx += size) {
            const lanes_norm group = group_of(n, c, rectified);
            kernels->norm_backward(&group, x, dy, dx);
        }
    }
}

/* ---- in lanes: groups of samples one after another, each a channel at a time ---- */

/* Samples of the group from `first` on. */
static size_t group_samples(size_t samples, size_t first, size_t lanes) {
    return samples - first < lanes ? samples - first : lanes;
}

static void lane_sums(const engine_norm *n, size_t samples, const float *x, double *sums) {
    const lanes_kernels *kernels = lanes_kernels_get(0);
    for (size_t s = 0; s < samples; s += kernels->lanes)
        for (size_t c = 0; c < n->channels; c++, x += n->plane * kernels->lanes)
            kernels->norm_lane_sums(n->plane, group_samples(samples, s, kernels->lanes), x,
                                    &sums[c], &sums[n->padded + c]);
}

static void lane_backward_sums(const engine_norm *n, size_t samples, bool rectified, const float *x,
                               const float *dy, double *sums) {
    const lanes_kernels *kernels = lanes_kernels_get(0);
    const size_t size = n->plane * kernels->lanes;
    for (size_t s = 0; s < samples; s += kernels->lanes) {
        const size_t count = group_samples(samples, s, kernels->lanes);
        for (size_t c = 0; c < n->channels; c++, x += size, dy += size) {
            const lanes_norm channel = group_of(n, c, rectified);
            kernels->norm_lane_backward_sums(&channel, n->plane, count, x, dy, &sums[c],
                                             &sums[n->padded + c]);
        }
    }
}

static void lane_forward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                         const float *z, float *y) {
    const lanes_kernels *kernels = lanes_kernels_get(0);
    const size_t size = n->plane * kernels->lanes;
    for (size_t s = 0; s < samples; s += kernels->lanes) {
        for (size_t c = 0; c < n->channels; c++, x += size, y += size) {
            const lanes_norm channel = group_of(n, c, rectified);
            kernels->norm_lane_forward(&channel, n->plane, x, z, y);
            z = z == NULL ? NULL : z + size;
        }
    }
}

static void lane_clear(const engine_norm *n, size_t first, size_t end, float *x) {
    const size_t lanes = lanes_kernels_get(0)->lanes;
    const size_t vectors = n->channels * n->plane;
    const size_t whole = (first + lanes - 1) / lanes * lanes;
    float *group = x + first / lanes * lanes * vectors;
    for (size_t i = 0; first < whole && i < vectors; i++)
        memset(group + i * lanes + first % lanes, 0, (whole - first) * sizeof *x);
    if (whole < end)
        memset(x + whole * vectors, 0, (end - whole) * vectors * sizeof *x);
}

void engine_norm_clear(const engine_norm *n, size_t first, size_t end, float *x) {
    const size_t elements = n->padded * n->plane;
    if (n->layout.in_lanes)
        lane_clear(n, first, end, x);
    else
        memset(x + first * elements, 0, (end - first) * elements * sizeof *x);
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

/* What each column of a tile is multiplied by, and the like. */
typedef struct columns {
    float center[TILE], factor[TILE], shift[TILE];
} columns;

static void spread_forward(const engine_norm *n, tile t, columns *c) {
    spread(n, t, n->center, c->center);
    spread(n, t, n->factor, c->factor);
    spread(n, t, n->shift, c->shift);
}

/* dy, or 0 where the rectifier passed nothing. */
static inline float passed(const columns *c, bool rectified, size_t i, float x, float dy) {
    return !rectified || (x - c->center[i]) * c->factor[i] + c->shift[i] > 0.0F ? dy : 0.0F;
}

static void add_row(size_t count, const columns *c, bool rectified, const float *x, const float *dy,
                    double *restrict first, double *restrict second) {
    for (size_t i = 0; i < count; i++) {
        const double term = (double)passed(c, rectified, i, x[i], dy[i]);
        first[i] += term;
        second[i] += term * (double)x[i];
    }
}

static void column_sums(const engine_norm *n, size_t samples, bool rectified, const float *x,
                        const float *dy, double *sums) {
    const size_t width = n->channels * n->plane;
    for (size_t at = 0; at < width; at += TILE) {
        const tile t = tile_at(n, at);
        columns c;
        spread_forward(n, t, &c);
        double first[TILE] = {0};
        double second[TILE] = {0};
        for (size_t s = 0; s < samples; s++)
            add_row(t.count, &c, rectified, x + s * width + at, dy + s * width + at, first, second);
        for (size_t i = 0; i < t.count; i++) {
            sums[(at + i) / n->plane] += first[i];
            sums[n->padded + (at + i) / n->plane] += second[i];
        }
    }
}

/* ---- sums ---- */

void engine_norm_sums(const engine_norm *n, size_t samples, const float *x, double *sums) {
    memset(sums, 0, 2 * n->padded * sizeof *sums);
    if (n->layout.in_lanes)
        lane_sums(n, samples, x, sums);
    else if (n->layout.block > 1)
        block_sums(n, samples, x, sums);
    else
        column_sums(n, samples, false, x, x, sums);
}

void engine_norm_backward_sums(const engine_norm *n, size_t samples, bool rectified, const float *x,
                               const float *dy, double *sums) {
    memset(sums, 0, 2 * n->padded * sizeof *sums);
    if (n->layout.in_lanes)
        lane_backward_sums(n, samples, rectified, x, dy, sums);
    else if (n->layout.block > 1)
        block_backward_sums(n, samples, rectified, x, dy, sums);
    else
        column_sums(n, samples, rectified, x, dy, sums);
}

/* ---- forward ---- */

static void normalize_by(engine_norm *n, const float *params, size_t c, double mean,
                         double variance) {
    n->mean[c] = mean;
    n->inverse[c] = 1.0 / sqrt(variance + (double)n->node->epsilon);
    n->center[c] = (float)mean;
    n->factor[c] = (float)(n->inverse[c] * (double)parameter(n, params, n->node->scale)[c]);
    n->shift[c] = parameter(n, params, n->node->shift)[c];
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

static void normalize_row(size_t count, const columns *c, bool rectified, const float *restrict x,
                          float *restrict y) {
    for (size_t i = 0; i < count; i++) {
        const float value = (x[i] - c->center[i]) * c->factor[i] + c->shift[i];
        y[i] = rectified && value <= 0.0F ? 0.0F : value; /* a NaN passes */
    }
}

void engine_norm_forward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                         const float *z, float *y) {
    if (n->layout.in_lanes) {
        lane_forward(n, samples, rectified, x, z, y);
        return;
    }
    if (n->layout.block > 1) {
        block_forward(n, samples, rectified, x, z, y);
        return;
    }
    const size_t width = n->channels * n->plane;
    for (size_t at = 0; at < width; at += TILE) {
        const tile t = tile_at(n, at);
        columns c;
        spread_forward(n, t, &c);
        for (size_t s = 0; s < samples; s++)
            normalize_row(t.count, &c, rectified, x + s * width + at, y + s * width + at);
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
        n->lift[c] = (float)(factor * sums[c] / elements);
    }
}

static void turn_row(size_t count, const columns *c, const float *lift, const float *slope,
                     bool rectified, const float *x, const float *dy, float *dx) {
    for (size_t i = 0; i < count; i++)
        dx[i] = c->factor[i] * passed(c, rectified, i, x[i], dy[i]) - lift[i] -
                (x[i] - c->center[i]) * slope[i];
}

void engine_norm_backward(const engine_norm *n, size_t samples, bool rectified, const float *x,
                          const float *dy, float *dx) {
    if (n->layout.block > 1) {
        block_backward(n, samples, rectified, x, dy, dx);
        return;
    }
    const size_t width = n->channels * n->plane;
    for (size_t at = 0; at < width; at += TILE) {
        const tile t = tile_at(n, at);
        columns c;
        float lift[TILE];
        float slope[TILE];
        spread_forward(n, t, &c);
        spread(n, t, n->lift, lift);
        spread(n, t, n->slope, slope);
        for (size_t s = 0; s < samples; s++) {
            const size_t row = s * width + at;
            turn_row(t.count, &c, lift, slope, rectified, x + row, dy + row, dx + row);
        }
    }
}
