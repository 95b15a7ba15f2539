#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/feed.h"

/* What one image is moved by, and its colours. */
typedef struct distortion {
    int down, right;
    float sine, cosine; /* of the rotation */
    bool flip;
    bool colours;
    float brightness, contrast, saturation; /* factors */
} distortion;

static int draw_shift(base_random *random, uint32_t most) {
    return (int)base_random_below(random, 2 * most + 1) - (int)most;
}

static float draw_factor(base_random *random, float most) {
    return most == 0.0F ? 1.0F : 1.0F + most * (2.0F * base_random_uniform(random) - 1.0F);
}

static bool changes_colours(const data_augmentation *a) {
    return a->brightness != 0.0F || a->contrast != 0.0F || a->saturation != 0.0F;
}

bool data_augmentation_same(const data_augmentation *a, const data_augmentation *b) {
    return a->shift == b->shift && a->rotate == b->rotate && a->flip == b->flip &&
           a->crop == b->crop && a->brightness == b->brightness && a->contrast == b->contrast &&
           a->saturation == b->saturation;
}

static distortion draw(const data_view *view, size_t image) {
    distortion d = {.cosine = 1.0F};
    const data_augmentation *a = &view->augmentation;
    d.colours = changes_colours(a);
    if (a->shift == 0 && a->rotate == 0.0F && !a->flip && !d.colours)
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
    d.flip = a->flip && base_random_below(&random, 2) == 1;
    d.brightness = draw_factor(&random, a->brightness);
    d.contrast = draw_factor(&random, a->contrast);
    d.saturation = draw_factor(&random, a->saturation);
    return d;
}

/* (pixel / 255 - mean) * scale as one product and one sum. */
typedef struct tone {
    float scale, blank;
} tone;

static tone tone_of(const data_view *view, uint32_t c) {
    const data_tones *tones = &view->tones;
    c = graph_shape_channels(view->set->shape) == DATA_TONES ? c : 0;
    return (tone){tones->scale[c] / 255.0F, -tones->mean[c] * tones->scale[c]};
}

/* One channel: bytes, or floats that are inputs already. */
typedef struct plane {
    const uint8_t *bytes;
    const float *floats;
    int height, width;
} plane;

static float at(const plane *p, size_t i) {
    return p->bytes != NULL ? (float)p->bytes[i] : p->floats[i];
}

static void blank_pixels(tone t, int count, float *out, size_t stride) {
    for (int x = 0; x < count; x++)
        out[(size_t)x * stride] = t.blank;
}

/* From pixel `from` on, to the right or, reversed, to the left. */
static void copy_pixels(const plane *p, size_t from, bool reversed, int count, tone t, float *to,
                        size_t stride) {
    if (p->bytes != NULL && !reversed) { /* by far the most frequent */
        const uint8_t *row = p->bytes + from;
        for (int x = 0; x < count; x++)
            to[(size_t)x * stride] = (float)row[x] * t.scale + t.blank;
        return;
    }
    for (int x = 0; x < count; x++)
        to[(size_t)x * stride] =
            at(p, reversed ? from - (size_t)x : from + (size_t)x) * t.scale + t.blank;
}

/* Row y of a shifted plane: the pixels of row y - down, moved right. */
static void shift_row(const plane *p, tone t, distortion d, int y, float *out, size_t stride) {
    const int width = p->width;
    const int from = y - d.down;
    if (from < 0 || from >= p->height || d.right >= width || -d.right >= width) {
        blank_pixels(t, width, out, stride);
        return;
    }
    const int before = d.right > 0 ? d.right : 0;
    const int after = d.right < 0 ? -d.right : 0;
    const int kept = width - before - after;
    const int first = d.flip ? width - 1 - after : after;
    float *to = out + (size_t)before * stride;
    blank_pixels(t, before, out, stride);
    copy_pixels(p, (size_t)from * (size_t)width + (size_t)first, d.flip, kept, t, to, stride);
    blank_pixels(t, after, to + (size_t)kept * stride, stride);
}

static float pixel_at(const plane *p, int y, int x) {
    bool inside = y >= 0 && x >= 0 && y < p->height && x < p->width;
    return inside ? at(p, (size_t)y * (size_t)p->width + (size_t)x) : 0.0F;
}

/* floorf without a call: the compiler's own wants SSE4.1. */
static int floor_of(float x) {
    int whole = (int)x;
    return whole - ((float)whole > x);
}

static float bilinear(const plane *p, float y, float x) {
    const int width = p->width;
    const int y0 = floor_of(y);
    const int x0 = floor_of(x);
    const float fy = y - (float)y0;
    const float fx = x - (float)x0;
    float corner[4];
    if (p->bytes != NULL && y0 >= 0 && x0 >= 0 && y0 < p->height - 1 && x0 < width - 1) {
        const uint8_t *from = p->bytes + (size_t)y0 * (size_t)width + x0;
        corner[0] = (float)from[0];
        corner[1] = (float)from[1];
        corner[2] = (float)from[width];
        corner[3] = (float)from[width + 1];
    } else {
        for (int i = 0; i < 4; i++)
            corner[i] = pixel_at(p, y0 + i / 2, x0 + i % 2);
    }
    float top = (1.0F - fx) * corner[0] + fx * corner[1];
    float bottom = (1.0F - fx) * corner[2] + fx * corner[3];
    return (1.0F - fy) * top + fy * bottom;
}

/* The pixel that stands at (y, x) after a rotation about the centre and a shift
 * came from the inverse of both. */
static void rotate_row(const plane *p, tone t, distortion d, int y, float *out, size_t stride) {
    const float centre_y = 0.5F * (float)(p->height - 1);
    const float centre_x = 0.5F * (float)(p->width - 1);
    const float dy = (float)(y - d.down) - centre_y;
    for (int x = 0; x < p->width; x++, out += stride) {
        float dx = (float)(x - d.right) - centre_x;
        float from_y = d.cosine * dy - d.sine * dx + centre_y;
        float from_x = d.sine * dy + d.cosine * dx + centre_x;
        from_x = d.flip ? 2.0F * centre_x - from_x : from_x;
        *out = bilinear(p, from_y, from_x) * t.scale + t.blank;
    }
}

/* ---- colours ---- */

/* Rec. 601's luma. */
static const float grey_of[3] = {0.299F, 0.587F, 0.114F};

static float mean_grey(const uint8_t *pixels, uint32_t channels, size_t plane_count) {
    float mean = 0.0F;
    for (uint32_t c = 0; c < channels; c++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < plane_count; i++)
            sum += pixels[c * plane_count + i];
        const float share = channels == 3 ? grey_of[c] : 1.0F / (float)channels;
        mean += share * ((float)sum / (float)plane_count);
    }
    return mean;
}

/* All three are linear, so the image is run through once: brightness b, then contrast k about
 * the mean grey, then saturation s about the pixel's grey, is
 * b k (s p + (1 - s) grey) + (1 - k) b mean. input holds pixels of 0..255 and becomes what
 * the network wants. */
static void change_colours(const data_view *view, const distortion *d, float mean,
                           size_t plane_count, float *input, size_t stride) {
    const uint32_t channels = graph_shape_channels(view->set->shape);
    const float gain = d->brightness * d->contrast;
    const float base = (1.0F - d->contrast) * d->brightness * mean;
    for (size_t i = 0; i < plane_count; i++) {
        float grey = 0.0F;
        for (uint32_t c = 0; channels == 3 && c < 3; c++)
            grey += grey_of[c] * input[(c * plane_count + i) * stride];
        for (uint32_t c = 0; c < channels; c++) {
            float *value = &input[(c * plane_count + i) * stride];
            const float about = channels == 3 ? grey : *value;
            const float mixed = d->saturation * *value + (1.0F - d->saturation) * about;
            const float changed = fminf(fmaxf(gain * mixed + base, 0.0F), 255.0F);
            const tone t = tone_of(view, c);
            *value = changed * t.scale + t.blank;
        }
    }
}

/* ---- the whole ---- */

/* Images come in random order: the lines of one are asked for at once, as waiting
 * for each in turn cost a tenth of the time. */
static void prefetch(const uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i += BASE_ALIGNMENT)
        __builtin_prefetch(pixels + i);
}

/* Where the image begins: in the set, or among what a feed made. */
static plane first_plane(const data_view *view, size_t sample, size_t image, size_t elements) {
    const data_set *set = view->set;
    plane p = {.height = (int)graph_shape_height(set->shape),
               .width = (int)graph_shape_width(set->shape)};
    if (set->values != NULL)
        p.floats = set->values + image * elements;
    else if (view->pixels != NULL)
        p.bytes = view->pixels + sample * elements;
    else
        p.bytes = set->pixels + image * elements;
    return p;
}

void data_view_fill(void *user, size_t sample, float *input, size_t stride) {
    const data_view *view = user;
    const data_set *set = view->set;
    const size_t image = data_view_image(view, sample);
    const size_t elements = graph_shape_count(set->shape);
    const uint32_t channels = graph_shape_channels(set->shape);
    const size_t plane_count = elements / channels;
    const distortion d = draw(view, image);
    plane p = first_plane(view, sample, image, elements);
    const uint8_t *pixels = p.bytes;
    const float *values = p.floats;
    if (pixels != NULL)
        prefetch(pixels, elements);
    for (uint32_t c = 0; c < channels; c++) {
        const tone t = d.colours || values != NULL ? (tone){1.0F, 0.0F} : tone_of(view, c);
        p.bytes = pixels == NULL ? NULL : pixels + c * plane_count;
        p.floats = values == NULL ? NULL : values + c * plane_count;
        for (int y = 0; y < p.height; y++) {
            float *out = input + (c * plane_count + (size_t)y * (size_t)p.width) * stride;
            if (d.sine == 0.0F)
                shift_row(&p, t, d, y, out, stride);
            else
                rotate_row(&p, t, d, y, out, stride);
        }
    }
    if (d.colours && pixels != NULL)
        change_colours(view, &d, mean_grey(pixels, channels, plane_count), plane_count, input,
                       stride);
}
