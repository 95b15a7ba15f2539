#include <math.h>

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

static distortion draw(const data_view *view, size_t place) {
    distortion d = {.cosine = 1.0F};
    const data_augmentation *a = &view->augmentation;
    if (a->shift == 0 && a->rotate == 0.0F)
        return d;
    base_random random = base_random_at(view->seed, view->epoch, place);
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

/* Row y of a shifted plane: the pixels of row y - down, moved right. */
static void shift_row(const data_view *view, const uint8_t *plane, distortion d, int y, float *out,
                      size_t stride) {
    const int height = (int)view->set->shape.height;
    const int width = (int)view->set->shape.width;
    const float scale = view->scale / 255.0F;
    const float blank = -view->mean * view->scale;
    int from = y - d.down;
    bool inside = from >= 0 && from < height && d.right < width && -d.right < width;
    int first = !inside ? width : d.right > 0 ? d.right : 0;
    int end = !inside ? width : d.right < 0 ? width + d.right : width;
    for (int x = 0; x < first; x++)
        out[(size_t)x * stride] = blank;
    const uint8_t *row = plane + (size_t)(inside ? from : 0) * (size_t)width;
    for (int x = first; x < end; x++)
        out[(size_t)x * stride] = (float)row[x - d.right] * scale + blank;
    for (int x = end; x < width; x++)
        out[(size_t)x * stride] = blank;
}

static float pixel_at(const data_set *set, const uint8_t *plane, int y, int x) {
    bool inside = y >= 0 && x >= 0 && y < (int)set->shape.height && x < (int)set->shape.width;
    return inside ? (float)plane[(size_t)y * set->shape.width + (size_t)x] : 0.0F;
}

/* Bilinear: the pixel that stands at (y, x) after a rotation about the centre and
 * a shift came from the inverse of both. */
static float rotated_pixel(const data_set *set, const uint8_t *plane, distortion d, int y, int x) {
    float centre_y = 0.5F * (float)(set->shape.height - 1);
    float centre_x = 0.5F * (float)(set->shape.width - 1);
    float dy = (float)(y - d.down) - centre_y;
    float dx = (float)(x - d.right) - centre_x;
    float from_y = d.cosine * dy - d.sine * dx + centre_y;
    float from_x = d.sine * dy + d.cosine * dx + centre_x;
    int y0 = (int)floorf(from_y);
    int x0 = (int)floorf(from_x);
    float fy = from_y - (float)y0;
    float fx = from_x - (float)x0;
    float top = (1.0F - fx) * pixel_at(set, plane, y0, x0) + fx * pixel_at(set, plane, y0, x0 + 1);
    float bottom =
        (1.0F - fx) * pixel_at(set, plane, y0 + 1, x0) + fx * pixel_at(set, plane, y0 + 1, x0 + 1);
    return (1.0F - fy) * top + fy * bottom;
}

static void rotate_row(const data_view *view, const uint8_t *plane, distortion d, int y, float *out,
                       size_t stride) {
    for (uint32_t x = 0; x < view->set->shape.width; x++) {
        float pixel = rotated_pixel(view->set, plane, d, y, (int)x);
        out[x * stride] = (pixel / 255.0F - view->mean) * view->scale;
    }
}

void data_view_fill(void *user, size_t sample, float *input, size_t stride) {
    const data_view *view = user;
    const data_set *set = view->set;
    size_t place = view->first + sample;
    size_t image = view->order == NULL ? place : view->order[place];
    const size_t plane = (size_t)set->shape.height * set->shape.width;
    distortion d = draw(view, place);
    for (uint32_t c = 0; c < set->shape.channels; c++) {
        const uint8_t *from = set->pixels + (image * set->shape.channels + c) * plane;
        for (uint32_t y = 0; y < set->shape.height; y++) {
            float *out = input + (c * plane + (size_t)y * set->shape.width) * stride;
            if (d.sine == 0.0F)
                shift_row(view, from, d, (int)y, out, stride);
            else
                rotate_row(view, from, d, (int)y, out, stride);
        }
    }
}
