#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "data/image.h"

/* No chunk beside the pixels needs more. */
#define CHUNK_BYTES_MAX ((png_alloc_size_t)1 << 23)
#define CHUNKS_MAX 64
#define PIXELS 0x49444154U /* "IDAT", a chunk's type */
/* More bytes of such chunks than this are not read for a row, whose pixels have 8 bytes at most:
 * they lie beyond the last one, and libpng would read them to their end. */
#define ROW_BYTES_MAX(width) (((size_t)1 << 14) + (size_t)12 * (width))

typedef struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count, at;
    size_t taken; /* bytes of pixels, for the row that is read */
    image *out;
    int passes;
    char reason[96];
} decoder;

static void leave(png_structp png, png_const_charp message) {
    decoder *d = png_get_error_ptr(png);
    snprintf(d->reason, sizeof d->reason, "%s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void take(png_structp png, png_bytep to, size_t count) {
    decoder *d = png_get_io_ptr(png);
    if (count > d->count - d->at)
        png_error(png, "it ends too early");
    d->taken += png_get_io_chunk_type(png) == PIXELS ? count : 0;
    if (d->taken > ROW_BYTES_MAX(png_get_image_width(png, d->info)))
        png_error(png, "its pixels go on beyond the last row");
    memcpy(to, d->bytes + d->at, count);
    d->at += count;
}

static void release(decoder *d) {
    png_destroy_read_struct(&d->png, &d->info, NULL);
}

static admmnn_status fail_with(decoder *d, admmnn_error *err) {
    release(d);
    return base_fail(err, ADMMNN_CORRUPT, "damaged PNG: %s", d->reason);
}

static admmnn_status prepare(decoder *d, admmnn_error *err) {
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, leave, ignore);
    d->info = d->png == NULL ? NULL : png_create_info_struct(d->png);
    if (d->info != NULL)
        return ADMMNN_OK;
    release(d);
    return base_fail_memory(err, "a PNG image");
}

static void start(decoder *d) {
    png_set_read_fn(d->png, d, take);
    png_set_user_limits(d->png, IMAGE_SIDE_MAX, IMAGE_SIDE_MAX);
    png_set_chunk_malloc_max(d->png, CHUNK_BYTES_MAX);
    png_set_chunk_cache_max(d->png, CHUNKS_MAX);
    png_read_info(d->png, d->info);
}

admmnn_status image_measure_png(const uint8_t *bytes, size_t count, image_extent *extent,
                                admmnn_error *err) {
    decoder d = {.bytes = bytes, .count = count};
    BASE_TRY(prepare(&d, err));
    if (setjmp(png_jmpbuf(d.png)) != 0)
        return fail_with(&d, err);
    start(&d);
    *extent =
        (image_extent){png_get_image_width(d.png, d.info), png_get_image_height(d.png, d.info)};
    release(&d);
    return ADMMNN_OK;
}

static bool is_coloured(const decoder *d) {
    return (png_get_color_type(d->png, d->info) & PNG_COLOR_MASK_COLOR) != 0;
}

/* Eight bits a channel, grey or coloured, nothing else. */
static void choose_form(decoder *d, uint32_t channels) {
    png_set_expand(d->png);
    png_set_strip_16(d->png);
    png_set_strip_alpha(d->png);
    if (channels == 3 && !is_coloured(d))
        png_set_gray_to_rgb(d->png);
    d->passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
}

static admmnn_status reserve(decoder *d, admmnn_error *err) {
    const image_extent extent = {png_get_image_width(d->png, d->info),
                                 png_get_image_height(d->png, d->info)};
    return image_reserve(d->out, extent, png_get_channels(d->png, d->info), err);
}

static void read_rows(decoder *d) {
    const size_t row = png_get_rowbytes(d->png, d->info);
    for (int pass = 0; pass < d->passes; pass++)
        for (size_t y = 0; y < d->out->extent.height; y++) {
            d->taken = 0;
            png_read_row(d->png, d->out->pixels + y * row, NULL);
        }
    png_read_end(d->png, NULL);
}

static void make_grey(image *out) {
    const size_t count = (size_t)out->extent.width * out->extent.height;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *colour = out->pixels + 3 * i;
        out->pixels[i] =
            (uint8_t)((299U * colour[0] + 587U * colour[1] + 114U * colour[2] + 500) / 1000);
    }
    out->channels = 1;
}

admmnn_status image_decode_png(const uint8_t *bytes, size_t count, uint32_t channels, image *out,
                               admmnn_error *err) {
    decoder d = {.bytes = bytes, .count = count, .out = out};
    BASE_TRY(prepare(&d, err));
    if (setjmp(png_jmpbuf(d.png)) != 0)
        return fail_with(&d, err);
    start(&d);
    choose_form(&d, channels);
    const admmnn_status status = reserve(&d, err);
    if (status == ADMMNN_OK)
        read_rows(&d);
    release(&d);
    if (status == ADMMNN_OK && out->channels > channels)
        make_grey(out);
    return status;
}
