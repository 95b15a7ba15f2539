/* Photographs: JPEG (libjpeg-turbo) and PNG (libpng) into pixels, and pixels into other
 * sizes. Errors tell what is wrong; the caller says of which file. */
#ifndef DATA_IMAGE_H
#define DATA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"

/* What a file may claim: a side, and a whole image, in pixels. */
#define IMAGE_SIDE_MAX 16384U
#define IMAGE_PIXELS_MAX ((size_t)1 << 26)
/* Scans of a progressive JPEG: each costs a pass over all of it. */
#define IMAGE_SCANS_MAX 100

typedef struct image_extent {
    uint32_t width, height;
} image_extent;

/* pixels[height][width][channels]; they are the image's, freed with image_free, and used
 * again by the next decoding into it. All zero is an empty one. */
typedef struct image {
    image_extent extent;
    uint32_t channels;
    uint8_t *pixels;
    size_t capacity;
} image;

/* The extent that a file's header tells. Neither JPEG nor PNG, or a damaged header:
 * ADMMNN_CORRUPT; too large: ADMMNN_UNSUPPORTED. */
admmnn_status image_measure(const uint8_t *bytes, size_t count, image_extent *extent,
                            admmnn_error *err);

/* Decodes into 1 channel or 3, as wanted: grey is JPEG's own, of a coloured PNG (299 R + 587 G +
 * 114 B) / 1000. Alpha is dropped, sixteen bits lose the lower eight, profiles, gamma and
 * orientation are not looked at. A JPEG may be decoded at 1 / reduce of its size (1, 2, 4 or 8,
 * rounded up), which takes less time; a PNG is not reduced. What ends too early, or whose
 * codes are damaged, is ADMMNN_CORRUPT, though part of it could be shown. */
admmnn_status image_decode(const uint8_t *bytes, size_t count, uint32_t channels, unsigned reduce,
                           image *out, admmnn_error *err);
void image_free(image *out);

/* Makes room for an image of these sizes. */
admmnn_status image_reserve(image *out, image_extent extent, uint32_t channels, admmnn_error *err);

/* image_jpeg.c, image_png.c: what image_measure and image_decode consist of. */
admmnn_status image_measure_jpeg(const uint8_t *bytes, size_t count, image_extent *extent,
                                 admmnn_error *err);
admmnn_status image_measure_png(const uint8_t *bytes, size_t count, image_extent *extent,
                                admmnn_error *err);
admmnn_status image_decode_jpeg(const uint8_t *bytes, size_t count, uint32_t channels,
                                unsigned reduce, image *out, admmnn_error *err);
admmnn_status image_decode_png(const uint8_t *bytes, size_t count, uint32_t channels, image *out,
                               admmnn_error *err);

/* ---- image_resample.c ---- */

/* Pixels in any order: channel c of (x, y) is pixels[y * row + x * column + c * plane]. */
typedef struct image_view {
    const uint8_t *pixels;
    image_extent extent;
    uint32_t channels;
    size_t row, column, plane;
} image_view;

image_view image_view_of(const image *decoded);
/* pixels[channels][height][width] */
image_view image_view_of_planes(const uint8_t *pixels, image_extent extent, uint32_t channels);

/* A part of an image, in pixels from its upper left corner. */
typedef struct image_box {
    double left, top, width, height;
} image_box;

/* What is kept between calls, for as many as there are; all zero at first. */
typedef struct image_room {
    int32_t *weights;
    size_t weight_capacity;
    uint8_t *rows;
    size_t row_capacity;
} image_room;

void image_room_free(image_room *room);

/* The box at another extent, bilinear and antialiased: a pixel is the mean of those in the
 * box around it, weighted by a triangle as wide as two pixels of the coarser of both
 * grids, along rows and then along columns, each rounded to eight bits (as Pillow's
 * Image.resize with BILINEAR and a box does). out[channels][height][width]. */
admmnn_status image_resample(const image_view *from, const image_box *box, image_extent extent,
                             image_room *room, uint8_t *out, admmnn_error *err);

/* The largest box of this extent's proportions in the middle, `inner / outer` of it along each
 * side: an image whose shorter side is resized to `outer` and then cropped to `inner`. */
image_box image_box_of_centre(image_extent of, double inner, double outer);
/* A box of a random share of the image, from `least` to 1, whose sides are as 3:4 to 4:3,
 * uniform in its logarithm, anywhere in it (Szegedy et al. 2015): the first of ten draws that fits,
 * or else the largest of such proportions in the middle. */
image_box image_box_draw(base_random *random, image_extent of, double least);

#endif
