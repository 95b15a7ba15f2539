/* The way of images into lanes and back, of every width and from every layout, against a loop
 * over places: as they are, normalized, and as the gradient of what is normalized. */
#include "support.h"

#include "engine/lanes_kernels.h"

#define LANES_MAX 16
#define CHANNELS_MAX 18

static const size_t size[2] = {7, 5};

/* Tensors of one case, and what they are to become. */
typedef struct staged {
    const lanes_kernels *kernels;
    lanes_image image;
    lanes_grid grid;
    lanes_norm norm;
    bool normalizes, turns;
    size_t samples;
    float *x, *dy; /* in the layout */
    float *vectors;
} staged;

static size_t padded(const lanes_image *image) {
    const size_t block = image->layout.block;
    return (image->channels + block - 1) / block * block;
}

static size_t tensor_floats(const staged *s) {
    return LANES_MAX * padded(&s->image) * size[0] * size[1];
}

static size_t vector_count(const staged *s) {
    const lanes_grid *g = &s->grid;
    return s->image.channels * g->phases[0] * g->phases[1] * g->count[0] * g->count[1];
}

/* Where a pixel stands. */
static size_t place_of(const staged *s, size_t sample, size_t c, size_t row, size_t column) {
    const size_t block = s->image.layout.block;
    const size_t plane = size[0] * size[1];
    const size_t pixel = row * size[1] + column;
    if (s->image.layout.in_lanes)
        return (c * plane + pixel) * s->kernels->lanes + sample;
    return sample * padded(&s->image) * plane + (c / block * plane + pixel) * block + c % block;
}

static double value_of(const staged *s, size_t c, size_t place) {
    const double x = (double)s->x[place];
    if (!s->normalizes)
        return x;
    const double y =
        (x - (double)s->norm.center[c]) * (double)s->norm.factor[c] + (double)s->norm.shift[c];
    const bool passes = !s->norm.rectified || y > 0.0;
    if (!s->turns)
        return passes ? y : 0.0;
    return (double)s->norm.factor[c] * (passes ? (double)s->dy[place] : 0.0) -
           (double)s->norm.lift[c] - (x - (double)s->norm.center[c]) * (double)s->norm.slope[c];
}

/* The pixel that a place of an axis stands for, or -1. */
static ptrdiff_t pixel_at(const lanes_grid *g, int axis, size_t phase, size_t place) {
    const ptrdiff_t pixel = (g->first[axis] + (ptrdiff_t)place) * (ptrdiff_t)g->phases[axis] +
                            (ptrdiff_t)phase - (ptrdiff_t)g->pad[axis];
    return pixel >= 0 && pixel < (ptrdiff_t)size[axis] ? pixel : -1;
}

static void expect_vector(const staged *s, size_t c, ptrdiff_t row, ptrdiff_t column,
                          const float *vector) {
    for (size_t k = 0; k < s->kernels->lanes; k++) {
        const bool there = row >= 0 && column >= 0 && k < s->samples;
        const double expected =
            there ? value_of(s, c, place_of(s, k, c, (size_t)row, (size_t)column)) : 0.0;
        if (!(fabs((double)vector[k] - expected) <= 1e-5 * (1.0 + fabs(expected))))
            fail_msg("channel %zu, row %td, column %td, lane %zu of %zu: %g for %g", c, row, column,
                     k, s->kernels->lanes, (double)vector[k], expected);
    }
}

static void expect_staged(const staged *s) {
    const lanes_grid *g = &s->grid;
    const float *vector = s->vectors;
    for (size_t c = 0; c < s->image.channels; c++)
        for (size_t phase = 0; phase < g->phases[0] * g->phases[1]; phase++)
            for (size_t q = 0; q < g->count[0] * g->count[1]; q++, vector += s->kernels->lanes)
                expect_vector(s, c, pixel_at(g, 0, phase / g->phases[1], q / g->count[1]),
                              pixel_at(g, 1, phase % g->phases[1], q % g->count[1]), vector);
}

static void run(const staged *s) {
    const lanes_source from = {
        .x = s->x, .dy = s->turns ? s->dy : NULL, .norm = s->normalizes ? &s->norm : NULL};
    s->kernels->stage(&s->image, &s->grid, &from, s->samples, s->vectors);
}

/* The second of two strips, whose first rows are the last of the first one. */
static void check_next_strip(staged *s) {
    lanes_grid *g = &s->grid;
    const size_t width = g->count[1] * s->kernels->lanes;
    const size_t planes = s->image.channels * g->phases[0] * g->phases[1];
    const size_t there = 2;
    const size_t ahead = g->count[0] - there;
    for (size_t p = 0; p < planes; p++) {
        float *plane = s->vectors + p * g->count[0] * width;
        memmove(plane, plane + ahead * width, there * width * sizeof *plane);
    }
    g->first[0] += (ptrdiff_t)ahead;
    g->there = there;
    run(s);
    expect_staged(s);
}

/* As they are, out and back into a tensor of zeros. */
static void check_back(const staged *s) {
    const size_t count = tensor_floats(s);
    float *back = floats(count);
    s->kernels->unstage(&s->image, &s->grid, s->vectors, s->samples, back);
    for (size_t c = 0; c < s->image.channels; c++)
        for (size_t k = 0; k < s->samples; k++)
            for (size_t i = 0; i < size[0] * size[1]; i++) {
                const size_t place = place_of(s, k, c, i / size[1], i % size[1]);
                assert_true(back[place] == s->x[place]);
            }
    base_free(back);
}

static void draw_tensors(staged *s, float of[5][CHANNELS_MAX + LANES_BLOCK_MAX],
                         base_random *random) {
    s->x = floats(tensor_floats(s));
    s->dy = floats(tensor_floats(s));
    for (size_t k = 0; k < s->kernels->lanes; k++)
        for (size_t c = 0; c < s->image.channels; c++)
            for (size_t i = 0; i < size[0] * size[1]; i++) {
                const size_t place = place_of(s, k, c, i / size[1], i % size[1]);
                s->x[place] = base_random_normal(random);
                s->dy[place] = base_random_normal(random);
            }
    for (size_t c = 0; c < s->image.channels; c++)
        for (int i = 0; i < 5; i++)
            of[i][c] = base_random_normal(random);
    s->norm.center = of[0];
    s->norm.factor = of[1];
    s->norm.shift = of[2];
    s->norm.lift = of[3];
    s->norm.slope = of[4];
}

/* All places of the axes, and one beyond. */
static void check(staged s, base_random *random) {
    float of[5][CHANNELS_MAX + LANES_BLOCK_MAX] = {{0}};
    draw_tensors(&s, of, random);
    lanes_grid *g = &s.grid;
    for (int axis = 0; axis < 2; axis++)
        g->count[axis] = (size[axis] + g->pad[axis]) / g->phases[axis] + 2;
    s.vectors = floats(vector_count(&s) * s.kernels->lanes);
    for (size_t i = 0; i < vector_count(&s) * s.kernels->lanes; i++)
        s.vectors[i] = -77.0F; /* none of it may stay */
    run(&s);
    expect_staged(&s);
    if (!s.normalizes)
        check_back(&s);
    g->count[0] = 5;
    run(&s);
    check_next_strip(&s);
    base_free(s.vectors);
    base_free(s.x);
    base_free(s.dy);
}

static void check_layout(const lanes_kernels *kernels, lanes_layout layout) {
    static const size_t channels[] = {1, 4, 7, CHANNELS_MAX};
    static const size_t phases[][2] = {{1, 1}, {2, 1}, {2, 3}};
    base_random random = base_random_at(51, kernels->lanes, layout.block);
    const bool apart = layout.block > 1 || layout.in_lanes;
    for (size_t i = 0; i < 4 * 3 * 2 * 5; i++) {
        const size_t way = i % 5; /* as they are; normalized, turned, with a rectifier or not */
        if (way > 0 && !apart)
            continue;
        staged s = {.kernels = kernels,
                    .image = {channels[i / 5 % 4], {size[0], size[1]}, layout},
                    .normalizes = way > 0,
                    .turns = way > 2,
                    .samples = i / 60 == 0 ? kernels->lanes : kernels->lanes - 1};
        s.norm.rectified = way % 2 == 0;
        memcpy(s.grid.phases, phases[i / 20 % 3], sizeof s.grid.phases);
        s.grid.pad[0] = 1 + i % 2;
        s.grid.pad[1] = i % 3;
        s.grid.step = 1;
        check(s, &random);
    }
}

static void images_come_into_lanes_and_back(void **state) {
    (void)state;
    static const lanes_layout layouts[] = {{.block = 1}, {.block = 8}, {.block = 16}, {1, true}};
    for (size_t lanes = 4; lanes <= LANES_MAX; lanes *= 2)
        for (size_t i = 0; lanes_kernels_get(lanes) != NULL && i < 4; i++)
            check_layout(lanes_kernels_get(lanes), layouts[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(images_come_into_lanes_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
