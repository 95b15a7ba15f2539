/* JPEG and PNG files, written by the libraries themselves, and folders of them. */
#ifndef TESTS_DATA_PICTURES_H
#define TESTS_DATA_PICTURES_H

#include "support.h"

#include <jpeglib.h>
#include <png.h>

typedef struct picture {
    uint32_t width, height, channels;
    uint8_t *pixels; /* [height][width][channels] */
} picture;

static inline size_t picture_count(const picture *p) {
    return (size_t)p->width * p->height * p->channels;
}

/* Noise of few frequencies on a ramp: no two pictures of other seeds are alike. */
static inline picture picture_new(uint32_t width, uint32_t height, uint32_t channels,
                                  uint64_t seed) {
    picture p = {width, height, channels, base_array((size_t)width * height * channels, 1)};
    base_random random = base_random_at(seed, 1, 2);
    assert_non_null(p.pixels);
    const uint32_t phase = base_random_below(&random, 97);
    for (size_t i = 0; i < picture_count(&p); i++) {
        const size_t x = i / channels % width;
        const size_t y = i / channels / width;
        const size_t c = i % channels;
        p.pixels[i] =
            (uint8_t)((x * 3 + y * 5 + c * 40 + phase + base_random_below(&random, 9)) % 256);
    }
    return p;
}

static inline void picture_free(picture *p) {
    base_free(p->pixels);
    p->pixels = NULL;
}

typedef struct bytes {
    uint8_t *at;
    size_t count;
} bytes;

static inline void bytes_free(bytes *b) {
    free(b->at);
    b->at = NULL;
}

/* space: of the pixels given; quality 1 to 100. */
static inline bytes jpeg_of(const picture *p, J_COLOR_SPACE space, int quality, bool progressive) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    bytes out = {0};
    unsigned long count = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out.at, &count);
    jpeg.image_width = p->width;
    jpeg.image_height = p->height;
    jpeg.input_components = (int)p->channels;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = p->pixels + (size_t)jpeg.next_scanline * p->width * p->channels;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    out.count = count;
    return out;
}

static inline bytes rgb_jpeg(uint32_t width, uint32_t height, uint64_t seed) {
    picture p = picture_new(width, height, 3, seed);
    bytes out = jpeg_of(&p, JCS_RGB, 90, false);
    picture_free(&p);
    return out;
}

static inline void png_append(png_structp png, png_bytep from, size_t count) {
    base_write_bytes(png_get_io_ptr(png), from, count);
}

static inline void png_no_flush(png_structp png) {
    (void)png;
}

/* depth 16: bytes of pixels are high and low bytes. */
static inline bytes png_of(const picture *p, int colour, int depth, bool interlaced) {
    base_writer w = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    if (setjmp(png_jmpbuf(png)) != 0)
        fail_msg("libpng writes no such image");
    png_set_write_fn(png, &w, png_append, png_no_flush);
    png_set_IHDR(png, info, p->width, p->height, depth, colour,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (colour == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        for (int i = 0; i < 256; i++)
            palette[i] = (png_color){(png_byte)i, (png_byte)(255 - i), (png_byte)(i / 2)};
        png_set_PLTE(png, info, palette, 256);
    }
    png_write_info(png, info);
    const size_t row = (size_t)p->width * p->channels * (size_t)depth / 8;
    const int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < p->height; y++)
            png_write_row(png, p->pixels + y * row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    bytes out = {malloc(w.count), w.count};
    assert_non_null(out.at);
    memcpy(out.at, w.bytes, w.count);
    base_writer_free(&w);
    return out;
}

static inline bytes rgb_png(uint32_t width, uint32_t height, uint64_t seed) {
    picture p = picture_new(width, height, 3, seed);
    bytes out = png_of(&p, PNG_COLOR_TYPE_RGB, 8, false);
    picture_free(&p);
    return out;
}

/* Puts a file at folder/part/class/name and frees the bytes. */
static inline void put_image(const char *folder, const char *part, const char *class,
                             const char *name, bytes file) {
    char path[BASE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s", folder, part, class);
    EXPECT_OK(base_folder_make(path, err));
    put_file(path, name, file.at, file.count);
    bytes_free(&file);
}

/* A shell command that must succeed. */
static inline void run_shell(const char *format, ...) {
    char command[2 * BASE_PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        fail_msg("'%s' failed", command);
}

#endif
