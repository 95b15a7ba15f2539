/* What a max pooling makes of a NaN and of infinities, by a plain loop: every place of an image has
 * one in a sample of its own, so that every place of every window has. */
#ifndef TESTS_POOLING_H
#define TESTS_POOLING_H

#include <math.h>

#include "outputs.h"
#include "pack/support.h"

#define POOLING_CHANNELS 2

typedef struct pooling {
    uint32_t height, width;
    graph_window window;
} pooling;

/* Two by two by whole vectors and not, in less than one; others; padded; of the whole image. */
static const pooling poolings[] = {{4, 38, {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}},
                                   {2, 24, {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}},
                                   {4, 6, {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}},
                                   {7, 21, {{3, 3}, {2, 2}, {0, 0}, {0, 0}, {1, 1}}},
                                   {5, 19, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}},
                                   {5, 19, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}},
                                   {6, 13, {{2, 3}, {3, 3}, {1, 1}, {0, 2}, {2, 1}}},
                                   {5, 7, {{5, 7}, {1, 1}, {0, 0}, {0, 0}, {1, 1}}}};
#define POOLINGS (sizeof poolings / sizeof poolings[0])

static graph *pooling_graph(const pooling *p) {
    graph *g;
    uint32_t v;
    MUST(
        graph_create("pooling", graph_shape_image(POOLING_CHANNELS, p->height, p->width), &g, err));
    MUST(graph_add_maxpool(g, "pool1", g->input, graph_pool_of(p->window), &v, err));
    return g;
}

/* A sample for each place of a plane, and one where all places are so. */
static size_t pooling_samples(const pooling *p) {
    return (size_t)p->height * p->width + 1;
}

static float *pooling_input(const pooling *p, float special) {
    const size_t plane = (size_t)p->height * p->width;
    const size_t inputs = POOLING_CHANNELS * plane;
    float *input = random_floats(pooling_samples(p) * inputs, 7);
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < POOLING_CHANNELS; c++)
            input[i * inputs + c * plane + (i + c) % plane] = special;
    for (size_t i = 0; i < inputs; i++)
        input[plane * inputs + i] = special;
    return input;
}

static float pooling_largest(const pooling *p, const float *plane, size_t oy, size_t ox) {
    const graph_window *w = &p->window;
    float most = -INFINITY;
    for (size_t ky = 0; ky < w->kernel[0]; ky++)
        for (size_t kx = 0; kx < w->kernel[1]; kx++) {
            const size_t y = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
            const size_t x = ox * w->stride[1] + kx * w->dilation[1] - w->pad[1];
            if (y >= p->height || x >= p->width) /* or below 0 */
                continue;
            if (isnan(plane[y * p->width + x]))
                return NAN;
            most = fmaxf(most, plane[y * p->width + x]);
        }
    return most;
}

/* Of one sample. */
static void expect_pooled(const pooling *p, const graph *g, const float *input,
                          const float *output) {
    const graph_shape *out = &g->values[g->output].shape;
    for (size_t c = 0; c < POOLING_CHANNELS; c++)
        for (size_t oy = 0; oy < out->dims[1]; oy++)
            for (size_t ox = 0; ox < out->dims[2]; ox++, output++) {
                const float expected = pooling_largest(p, input + c * p->height * p->width, oy, ox);
                if (isnan(expected) ? !isnan(*output) : *output != expected)
                    fail_msg("pooling %zu: %g, not %g, at %zu %zu of %zu", (size_t)(p - poolings),
                             (double)*output, (double)expected, oy, ox, c);
            }
}

static const float pooling_specials[] = {NAN, -NAN, INFINITY, -INFINITY};
#define POOLING_SPECIALS (sizeof pooling_specials / sizeof pooling_specials[0])

#endif
