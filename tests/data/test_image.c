/* Decoding and resampling, against the libraries' own decoders, closed forms and Pillow. */
#include "pictures.h"

#include <sys/wait.h>

#include "data/image.h"

static image decode(const bytes *file, uint32_t channels, unsigned reduce) {
    image out = {0};
    EXPECT_OK(image_decode(file->at, file->count, channels, reduce, &out, err));
    return out;
}

static void expect_pixels(const image *got, const picture *wanted) {
    assert_int_equal(got->extent.width, wanted->width);
    assert_int_equal(got->extent.height, wanted->height);
    assert_int_equal(got->channels, wanted->channels);
    assert_memory_equal(got->pixels, wanted->pixels, picture_count(wanted));
}

/* ---- PNG: exact ---- */

static void png_of_every_kind(void **state) {
    (void)state;
    picture rgb = picture_new(13, 7, 3, 1);
    picture grey = picture_new(13, 7, 1, 2);
    picture rgba = picture_new(13, 7, 4, 3);
    picture deep = picture_new(13, 7, 6, 4); /* of 16 bits: three channels of two bytes */
    deep.channels = 3;
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        bytes files[] = {png_of(&rgb, PNG_COLOR_TYPE_RGB, 8, interlaced == 1),
                         png_of(&grey, PNG_COLOR_TYPE_GRAY, 8, interlaced == 1),
                         png_of(&rgba, PNG_COLOR_TYPE_RGB_ALPHA, 8, interlaced == 1),
                         png_of(&deep, PNG_COLOR_TYPE_RGB, 16, interlaced == 1),
                         png_of(&grey, PNG_COLOR_TYPE_PALETTE, 8, interlaced == 1)};
        for (int k = 0; k < 5; k++) {
            image out = decode(&files[k], 3, 1);
            for (size_t i = 0; i < 13 * 7 * 3; i++) {
                const uint8_t index = grey.pixels[i / 3];
                const uint8_t colours[3] = {index, (uint8_t)(255 - index), (uint8_t)(index / 2)};
                const uint8_t wanted[5] = {rgb.pixels[i], index, rgba.pixels[i / 3 * 4 + i % 3],
                                           deep.pixels[2 * i], colours[i % 3]};
                assert_int_equal(out.pixels[i], wanted[k]);
            }
            image_free(&out);
        }
        image out = decode(&files[1], 1, 1);
        expect_pixels(&out, &grey);
        image_free(&out);
        out = decode(&files[0], 1, 1);
        for (size_t i = 0; i < 13 * 7; i++) {
            const uint8_t *c = rgb.pixels + 3 * i;
            assert_int_equal(out.pixels[i],
                             (int)(0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2] + 0.5));
        }
        image_free(&out);
        for (int k = 0; k < 5; k++)
            bytes_free(&files[k]);
    }
    picture_free(&rgb);
    picture_free(&grey);
    picture_free(&rgba);
    picture_free(&deep);
}

/* ---- JPEG ---- */

static double mean_difference(const image *got, const picture *wanted) {
    double sum = 0.0;
    for (size_t i = 0; i < picture_count(wanted); i++)
        sum += fabs((double)got->pixels[i] - wanted->pixels[i]);
    return sum / (double)picture_count(wanted);
}

/* Of smooth pictures at full quality little is lost. */
static picture smooth(uint32_t width, uint32_t height, uint32_t channels) {
    picture p = picture_new(width, height, channels, 1);
    for (size_t i = 0; i < picture_count(&p); i++) {
        const size_t x = i / channels % width;
        const size_t y = i / channels / width;
        p.pixels[i] = (uint8_t)(40 + x + y + 30 * (i % channels));
    }
    return p;
}

static void jpeg_of_every_kind(void **state) {
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        picture rgb = smooth(50, 37, 3);
        bytes file = jpeg_of(&rgb, JCS_RGB, 100, progressive == 1);
        image out = decode(&file, 3, 1);
        assert_int_equal(out.extent.width, 50);
        assert_true(mean_difference(&out, &rgb) < 1.5);
        bytes_free(&file);
        image_free(&out);
        picture grey = smooth(50, 37, 1);
        file = jpeg_of(&grey, JCS_GRAYSCALE, 100, progressive == 1);
        out = decode(&file, 1, 1);
        assert_true(mean_difference(&out, &grey) < 0.7);
        image colour = decode(&file, 3, 1); /* each channel the grey */
        for (size_t i = 0; i < 3 * picture_count(&grey); i++)
            assert_int_equal(colour.pixels[i], out.pixels[i / 3]);
        image_free(&colour);
        image_free(&out);
        bytes_free(&file);
        picture_free(&rgb);
        picture_free(&grey);
    }
}

/* Adobe's ink is 255 less the ink: full paper is 255. libjpeg writes its marker. */
static void jpeg_of_ink(void **state) {
    (void)state;
    picture ink = smooth(24, 16, 4);
    for (size_t i = 3; i < picture_count(&ink); i += 4)
        ink.pixels[i] = 204; /* black 51 of 255 */
    bytes file = jpeg_of(&ink, JCS_CMYK, 100, false);
    image out = decode(&file, 3, 1);
    for (size_t i = 0; i < 24 * 16 * 3; i++) {
        const double wanted = ink.pixels[i / 3 * 4 + i % 3] * 204.0 / 255.0;
        assert_true(fabs(wanted - out.pixels[i]) < 3.0);
    }
    image grey = decode(&file, 1, 1);
    assert_int_equal(grey.channels, 1);
    image_free(&grey);
    image_free(&out);
    bytes_free(&file);
    picture_free(&ink);
}

/* At half, a quarter and an eighth: the means of as many pixels. */
static void jpeg_is_reduced(void **state) {
    (void)state;
    picture p = smooth(64, 48, 1);
    bytes file = jpeg_of(&p, JCS_GRAYSCALE, 100, false);
    for (unsigned reduce = 2; reduce <= 8; reduce *= 2) {
        image out = decode(&file, 1, reduce);
        assert_int_equal(out.extent.width, 64 / reduce);
        assert_int_equal(out.extent.height, 48 / reduce);
        for (uint32_t y = 0; y < out.extent.height; y++)
            for (uint32_t x = 0; x < out.extent.width; x++) {
                const double middle = 40 + (x + y) * reduce + (reduce - 1.0);
                assert_true(fabs(middle - out.pixels[y * out.extent.width + x]) < 2.0);
            }
        image_free(&out);
    }
    bytes_free(&file);
    picture_free(&p);
}

/* ---- damage ---- */

static void what_ends_early_is_damaged(void **state) {
    (void)state;
    bytes files[] = {rgb_jpeg(40, 30, 5), rgb_png(40, 30, 6)};
    for (int k = 0; k < 2; k++)
        for (size_t count = 0; count < files[k].count - 2; count += 7) {
            uint8_t *part = malloc(count + 1); /* of the exact size, for asan */
            image out = {0};
            memcpy(part + 1, files[k].at, count);
            admmnn_error reason = {ADMMNN_OK, ""};
            assert_int_equal(image_decode(part + 1, count, 3, 1, &out, &reason), ADMMNN_CORRUPT);
            assert_true(strlen(reason.message) > 10);
            image_free(&out);
            free(part);
        }
    bytes_free(&files[0]);
    bytes_free(&files[1]);
}

static void other_files_are_no_images(void **state) {
    (void)state;
    image out = {0};
    EXPECT(image_decode((const uint8_t *)"GIF89a", 6, 3, 1, &out, err), ADMMNN_CORRUPT,
           "neither a JPEG nor a PNG image (6 bytes)");
    EXPECT(image_decode((const uint8_t *)"", 0, 3, 1, &out, err), ADMMNN_CORRUPT, "neither");
}

/* A PNG's checksum guards its header: libpng says what is wrong. A JPEG's does not. */
static void huge_claims_are_refused(void **state) {
    (void)state;
    bytes jpeg = rgb_jpeg(40, 30, 7);
    size_t frame = 0;
    while (jpeg.at[frame] != 0xff || jpeg.at[frame + 1] != 0xc0)
        frame++;
    memset(jpeg.at + frame + 5, 0xff, 4); /* 65535 x 65535 */
    image out = {0};
    EXPECT(image_decode(jpeg.at, jpeg.count, 3, 1, &out, err), ADMMNN_CORRUPT, "");
    jpeg.at[frame + 5] = jpeg.at[frame + 7] = 0x30; /* 12543 x 12543: each side is allowed */
    EXPECT(image_decode(jpeg.at, jpeg.count, 3, 1, &out, err), ADMMNN_UNSUPPORTED,
           "claims 12543x12543 pixels; at most 16384 a side and 67108864 in all");
    assert_null(out.pixels);
    bytes_free(&jpeg);
}

static void append_chunk(png_structp png, const char *type, const base_writer *chunk) {
    png_write_chunk(png, (png_const_bytep)type, chunk->bytes, chunk->count);
}

/* Of 8 x 8 grey pixels, whose rows are followed by as many zeros. */
static bytes png_with_surplus(size_t surplus) {
    const size_t rows = 8 * 9;
    base_writer file = {0};
    base_writer pixels = {.capacity = compressBound(rows + surplus)};
    uint8_t *raw = base_array(rows + surplus, 1);
    pixels.bytes = base_array(pixels.capacity, 1);
    uLongf packed = pixels.capacity;
    assert_true(raw != NULL && pixels.bytes != NULL);
    assert_int_equal(compress2(pixels.bytes, &packed, raw, rows + surplus, 9), Z_OK);
    pixels.count = packed;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &file, png_append, png_no_flush);
    png_set_IHDR(png, info, 8, 8, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    append_chunk(png, "IDAT", &pixels);
    append_chunk(png, "IEND", &(base_writer){0});
    png_destroy_write_struct(&png, &info);
    base_free(raw);
    base_writer_free(&pixels);
    const bytes out = {malloc(file.count), file.count};
    assert_non_null(out.at);
    memcpy(out.at, file.bytes, file.count);
    base_writer_free(&file);
    return out;
}

/* A file of 33 KB that inflates to 32 MiB is not read through for its 64 pixels. */
static void what_goes_on_beyond_the_last_row_is_damaged(void **state) {
    (void)state;
    bytes little = png_with_surplus(100);
    image out = decode(&little, 1, 1);
    assert_int_equal(out.extent.height, 8);
    bytes much = png_with_surplus((size_t)1 << 25);
    EXPECT(image_decode(much.at, much.count, 1, 1, &out, err), ADMMNN_CORRUPT,
           "damaged PNG: its pixels go on beyond the last row");
    image_free(&out);
    bytes_free(&little);
    bytes_free(&much);
}

/* ---- resampling ---- */

/* By the definition, in floating point, one axis after the other. */
static double weight_of(double place, double centre, double coarse) {
    const double distance = fabs(place + 0.5 - centre) / coarse;
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

static double mean_along(const double *line, size_t step, uint32_t side, double from, double length,
                         uint32_t outputs, uint32_t out) {
    const double coarse = fmax(length / outputs, 1.0);
    const double centre = from + (out + 0.5) * length / outputs;
    double sum = 0.0;
    double weights = 0.0;
    for (uint32_t i = 0; i < side; i++) {
        sum += weight_of(i, centre, coarse) * line[i * step];
        weights += weight_of(i, centre, coarse);
    }
    return sum / weights;
}

static void expect_resampled(const picture *p, image_box box, image_extent extent) {
    const image from = {
        .extent = {p->width, p->height}, .channels = p->channels, .pixels = p->pixels};
    const image_view view = image_view_of(&from);
    image_room room = {0};
    uint8_t *out = base_array((size_t)extent.width * extent.height * p->channels, 1);
    double *rows = base_array((size_t)extent.width * p->height, sizeof *rows);
    double *line = base_array(p->width, sizeof *line);
    EXPECT_OK(image_resample(&view, &box, extent, &room, out, err));
    for (uint32_t c = 0; c < p->channels; c++) {
        for (uint32_t y = 0; y < p->height; y++)
            for (uint32_t x = 0; x < extent.width; x++) {
                for (uint32_t i = 0; i < p->width; i++)
                    line[i] = p->pixels[((size_t)y * p->width + i) * p->channels + c];
                rows[(size_t)y * extent.width + x] =
                    mean_along(line, 1, p->width, box.left, box.width, extent.width, x);
            }
        for (uint32_t y = 0; y < extent.height; y++)
            for (uint32_t x = 0; x < extent.width; x++) {
                const double wanted = mean_along(rows + x, extent.width, p->height, box.top,
                                                 box.height, extent.height, y);
                const uint8_t got = out[((size_t)c * extent.height + y) * extent.width + x];
                assert_true(fabs(wanted - got) <= 1.01); /* rounded twice */
            }
    }
    base_free(out);
    base_free(rows);
    base_free(line);
    image_room_free(&room);
}

static void images_are_resampled_by_the_definition(void **state) {
    (void)state;
    picture p = picture_new(37, 23, 3, 11);
    picture grey = picture_new(19, 41, 1, 12);
    expect_resampled(&p, (image_box){0, 0, 37, 23}, (image_extent){8, 8});
    expect_resampled(&p, (image_box){0, 0, 37, 23}, (image_extent){64, 50});
    expect_resampled(&p, (image_box){3.25, 1.5, 20.5, 17}, (image_extent){11, 13});
    expect_resampled(&p, (image_box){5, 4, 16, 16}, (image_extent){16, 16});
    expect_resampled(&p, (image_box){36, 22, 1, 1}, (image_extent){3, 3});
    expect_resampled(&grey, (image_box){0, 10, 19, 19}, (image_extent){7, 7});
    picture_free(&p);
    picture_free(&grey);
}

/* To a third each pixel is a triangle of five around the middle one: of a ramp the middle. */
static void ramps_stay_ramps(void **state) {
    (void)state;
    picture ramp = smooth(60, 60, 1);
    const image_view view = image_view_of_planes(ramp.pixels, (image_extent){60, 60}, 1);
    const image_box all = {0, 0, 60, 60};
    image_room room = {0};
    uint8_t out[20 * 20];
    EXPECT_OK(image_resample(&view, &all, (image_extent){20, 20}, &room, out, err));
    for (uint32_t y = 1; y < 19; y++)
        for (uint32_t x = 1; x < 19; x++)
            assert_int_equal(out[20 * y + x], 40 + 3 * x + 1 + 3 * y + 1);
    image_room_free(&room);
    picture_free(&ramp);
}

static void planes_and_pixels_give_the_same(void **state) {
    (void)state;
    picture p = picture_new(21, 17, 3, 13);
    uint8_t planes[3 * 21 * 17];
    for (size_t i = 0; i < sizeof planes; i++)
        planes[i % 3 * 21 * 17 + i / 3] = p.pixels[i];
    const image from = {.extent = {21, 17}, .channels = 3, .pixels = p.pixels};
    const image_view views[2] = {image_view_of(&from),
                                 image_view_of_planes(planes, (image_extent){21, 17}, 3)};
    const image_box boxes[2] = {{1.5, 2, 15, 13}, {4, 5, 10, 9}};
    for (size_t b = 0; b < 2; b++) {
        uint8_t out[2][3 * 10 * 9];
        for (size_t v = 0; v < 2; v++) {
            image_room room = {0};
            EXPECT_OK(
                image_resample(&views[v], &boxes[b], (image_extent){10, 9}, &room, out[v], err));
            image_room_free(&room);
        }
        assert_memory_equal(out[0], out[1], sizeof out[0]);
    }
    picture_free(&p);
}

/* ---- Pillow's opinion ---- */

static void pillow_agrees(void **state) {
    (void)state;
    char folder[64];
    char command[1024];
    folder_new(folder);
    picture p = picture_new(53, 40, 3, 14);
    bytes png = png_of(&p, PNG_COLOR_TYPE_RGB, 8, false);
    bytes jpeg = jpeg_of(&p, JCS_RGB, 80, false);
    put_file(folder, "p.png", png.at, png.count);
    put_file(folder, "p.jpg", jpeg.at, jpeg.count);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"\nimport sys\ntry:\n    from PIL import Image\n"
             "except ImportError:\n    sys.exit(77)\n"
             "for n in 'png', 'jpg':\n"
             "    i = Image.open('%s/p.' + n)\n"
             "    open('%s/' + n, 'wb').write(i.tobytes() + "
             "i.resize((17, 19), Image.BILINEAR, box=(2.5, 3, 40.25, 39)).tobytes())\"",
             folder, folder);
    const int result = system(command);
    const int code = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    const bytes *files[2] = {&png, &jpeg};
    for (int k = 0; k < 2 && code == 0; k++) {
        char path[BASE_PATH_MAX];
        uint8_t *wanted;
        size_t count;
        snprintf(path, sizeof path, "%s/%s", folder, k == 0 ? "png" : "jpg");
        EXPECT_OK(base_file_read(path, 1U << 20, &wanted, &count, err));
        assert_int_equal(count, 53 * 40 * 3 + 17 * 19 * 3);
        image got = decode(files[k], 3, 1);
        assert_memory_equal(got.pixels, wanted, 53 * 40 * 3);
        const image_view view = image_view_of(&got);
        const image_box box = {2.5, 3, 37.75, 36};
        image_room room = {0};
        uint8_t out[17 * 19 * 3];
        EXPECT_OK(image_resample(&view, &box, (image_extent){17, 19}, &room, out, err));
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i % 3 * 17 * 19 + i / 3], wanted[53 * 40 * 3 + i]);
        image_room_free(&room);
        image_free(&got);
        base_free(wanted);
    }
    bytes_free(&png);
    bytes_free(&jpeg);
    picture_free(&p);
    folder_remove(folder);
    if (code == 77 || code == 127) {
        print_message("python3 with Pillow is not installed: skipped\n");
        skip();
    }
    assert_int_equal(code, 0);
}

/* ---- crops ---- */

static void boxes_are_within_and_as_large_as_drawn(void **state) {
    (void)state;
    base_random random = base_random_at(1, 2, 3);
    const image_extent extents[] = {{500, 375}, {32, 32}, {1, 900}, {7, 3}};
    for (size_t e = 0; e < 4; e++) {
        double least = 1.0;
        double area = 0.0;
        for (int i = 0; i < 2000; i++) {
            const image_box b = image_box_draw(&random, extents[e], 0.08);
            const double share =
                b.width * b.height / (extents[e].width * (double)extents[e].height);
            assert_true(b.left >= 0 && b.left + b.width <= extents[e].width);
            assert_true(b.top >= 0 && b.top + b.height <= extents[e].height);
            assert_true(b.width > 0 && b.height > 0);
            least = fmin(least, share);
            area += share / 2000;
        }
        if (e == 0) /* of 0.08 to 1, evenly, but for draws that do not fit */
            assert_true(least < 0.1 && area > 0.4 && area < 0.56);
    }
    const image_box c = image_box_of_centre((image_extent){500, 375}, 224, 256);
    assert_true(fabs(c.width - 328.125) < 1e-9 && fabs(c.height - 328.125) < 1e-9);
    assert_true(fabs(c.left - 85.9375) < 1e-9 && fabs(c.top - 23.4375) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_of_every_kind),
        cmocka_unit_test(jpeg_of_every_kind),
        cmocka_unit_test(jpeg_of_ink),
        cmocka_unit_test(jpeg_is_reduced),
        cmocka_unit_test(what_ends_early_is_damaged),
        cmocka_unit_test(other_files_are_no_images),
        cmocka_unit_test(huge_claims_are_refused),
        cmocka_unit_test(what_goes_on_beyond_the_last_row_is_damaged),
        cmocka_unit_test(images_are_resampled_by_the_definition),
        cmocka_unit_test(ramps_stay_ramps),
        cmocka_unit_test(planes_and_pixels_give_the_same),
        cmocka_unit_test(pillow_agrees),
        cmocka_unit_test(boxes_are_within_and_as_large_as_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
