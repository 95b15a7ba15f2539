#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/data.h"

/* What one image is moved by. */
typedef struct distortion {
    int down, right;
    float sine, cosine; /* of the rotation */
} distortion;

static int draw_shift(base_random *random, uint32_t most) {
    return (int)base_random_below(random, 2 * most + 1) - (int)most;
}

static distortion draw(const data_view *view, size_t image) {
    distortion d = {.cosine = 1.0F};
    const data_augmentation *a = &view->augmentation;
    if (a->shift == 0 && a->rotate == 0.0F)
        return d;
    base_random random = base_random_at(view->seed, view->epoch, image);
    if (a->shift > 0) {
        d.down = draw_shift(&random, a->shift);
        d.right = draw_shift(&random, a->shift);
    }
    if (a->rotate != 0.0F) {
        float degrees = a->rotate * (2.0F * base_random_uniform(&random) - 1.0F);
        float radians = degrees * 0.017453292519943295F;
        d.sine = sinf(radians);
        d.cosine = cosf(radians);
    }
    return d;
}

/* (pixel / 255 - mean) * scale as one product and one sum. */
typedef struct tone {
    float scale, blank;
} tone;

static tone tone_of(const data_tones *tones, uint32_t c) {
    return (tone){tones->scale[c] / 255.0F, -tones->mean[c] * tones->scale[c]};
}

static void blank_pixels(tone t, int count, float *out, size_t stride) {
    for (int x = 0; x < count; x++)
        out[(size_t)x * stride] = t.blank;
}

/* Row y of a shifted plane: the pixels of row y - down, moved right. */
static void shift_row(const data_set *set, tone t, const uint8_t *plane, distortion d, int y,
                      float *out, size_t stride) {
    const int height = (int)graph_shape_height(set->shape);
    const int width = (int)graph_shape_width(set->shape);
    const int from = y - d.down;
    if (from < 0 || from >= height || d.right >= width || -d.right >= width) {
        blank_pixels(t, width, out, stride);
        return;
    }
    const int before = d.right > 0 ? d.right : 0;
    const int after = d.right < 0 ? -d.right : 0;
    const int kept = width - before - after;
    const uint8_t *row = plane + (size_t)from * (size_t)width + after;
    float *to = out + (size_t)before * stride;
    blank_pixels(t, before, out, stride);
    for (int x = 0; x < kept; x++)
        to[(size_t)x * stride] = (float)row[x] * t.scale + t.blank;
    blank_pixels(t, after, to + (size_t)kept * stride, stride);
}

static float pixel_at(const data_set *set, const uint8_t *plane, int y, int x) {
    bool inside = y >= 0 && x >= 0 && y < (int)graph_shape_height(set->shape) &&
                  x < (int)graph_shape_width(set->shape);
    return inside ? (float)plane[(size_t)y * graph_shape_width(set->shape) + (size_t)x] : 0.0F;
}

/* floorf without a call: the compiler's own wants SSE4.1. */
static int floor_of(float x) {
    int whole = (int)x;
    return whole - ((float)whole > x);
}

static float bilinear(const data_set *set, const uint8_t *plane, float y, float x) {
    const int width = (int)graph_shape_width(set->shape);
    const int y0 = floor_of(y);
    const int x0 = floor_of(x);
    const float fy = y - (float)y0;
    const float fx = x - (float)x0;
    float corner[4];
    if (y0 >= 0 && x0 >= 0 && y0 < (int)graph_shape_height(set->shape) - 1 && x0 < width - 1) {
        const uint8_t *from = plane + (size_t)y0 * (size_t)width + x0;
        corner[0] = (float)from[0];
        corner[1] = (float)from[1];
        corner[2] = (float)from[width];
        corner[3] = (float)from[width + 1];
    } else {
        for (int i = 0; i < 4; i++)
            corner[i] = pixel_at(set, plane, y0 + i / 2, x0 + i % 2);
    }
    float top = (1.0F - fx) * corner[0] + fx * corner[1];
    float bottom = (1.0F - fx) * corner[2] + fx * corner[3];
    return (1.0F - fy) * top + fy * bottom;
}

/* The pixel that stands at (y, x) after a rotation about the centre and a shift
 * came from the inverse of both. */
static void rotate_row(const data_set *set, tone t, const uint8_t *plane, distortion d, int y,
                       float *out, size_t stride) {
    const uint32_t height = graph_shape_height(set->shape);
    const uint32_t width = graph_shape_width(set->shape);
    const float centre_y = 0.5F * (float)(height - 1);
    const float centre_x = 0.5F * (float)(width - 1);
    const float dy = (float)(y - d.down) - centre_y;
    for (int x = 0; x < (int)width; x++, out += stride) {
        float dx = (float)(x - d.right) - centre_x;
        float from_y = d.cosine * dy - d.sine * dx + centre_y;
        float from_x = d.sine * dy + d.cosine * dx + centre_x;
        *out = bilinear(set, plane, from_y, from_x) * t.scale + t.blank;
    }
}

/* Images come in random order: the lines of one are asked for at once, as waiting
 * for each in turn cost a tenth of the time. */
static void prefetch(const uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i += BASE_ALIGNMENT)
        __builtin_prefetch(pixels + i);
}

void data_view_fill(void *user, size_t sample, float *input, size_t stride) {
    const data_view *view = user;
    const data_set *set = view->set;
    const size_t place = view->first + sample;
    const size_t image = view->order == NULL ? place : view->order[place];
    const size_t plane = (size_t)graph_shape_height(set->shape) * graph_shape_width(set->shape);
    const uint8_t *pixels = set->pixels + image * graph_shape_channels(set->shape) * plane;
    prefetch(pixels, graph_shape_channels(set->shape) * plane);
    const distortion d = draw(view, image);
    for (uint32_t c = 0; c < graph_shape_channels(set->shape); c++) {
        const uint8_t *from = pixels + c * plane;
        const tone t =
            tone_of(&view->tones, graph_shape_channels(set->shape) == DATA_TONES ? c : 0);
        for (uint32_t y = 0; y < graph_shape_height(set->shape); y++) {
            float *out = input + (c * plane + (size_t)y * graph_shape_width(set->shape)) * stride;
            if (d.sine == 0.0F)
                shift_row(set, t, from, d, (int)y, out, stride);
            else
                rotate_row(set, t, from, d, (int)y, out, stride);
        }
    }
}
