#include "data/image.h"

#include <string.h>

#include "base/memory.h"

static bool is_jpeg(const uint8_t *bytes, size_t count) {
    return count >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

static bool is_png(const uint8_t *bytes, size_t count) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    return count >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

static admmnn_status fail_kind(size_t count, admmnn_error *err) {
    return base_fail(err, ADMMNN_CORRUPT, "neither a JPEG nor a PNG image (%zu bytes)", count);
}

static admmnn_status check_extent(image_extent extent, admmnn_error *err) {
    const size_t pixels = (size_t)extent.width * extent.height;
    if (extent.width > 0 && extent.height > 0 && extent.width <= IMAGE_SIDE_MAX &&
        extent.height <= IMAGE_SIDE_MAX && pixels <= IMAGE_PIXELS_MAX)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "claims %ux%u pixels; at most %u a side and %zu in all are read", extent.width,
                     extent.height, IMAGE_SIDE_MAX, IMAGE_PIXELS_MAX);
}

admmnn_status image_measure(const uint8_t *bytes, size_t count, image_extent *extent,
                            admmnn_error *err) {
    image_extent told;
    if (is_jpeg(bytes, count))
        BASE_TRY(image_measure_jpeg(bytes, count, &told, err));
    else if (is_png(bytes, count))
        BASE_TRY(image_measure_png(bytes, count, &told, err));
    else
        return fail_kind(count, err);
    BASE_TRY(check_extent(told, err));
    *extent = told;
    return ADMMNN_OK;
}

admmnn_status image_decode(const uint8_t *bytes, size_t count, uint32_t channels, unsigned reduce,
                           image *out, admmnn_error *err) {
    image_extent told;
    BASE_TRY(image_measure(bytes, count, &told, err));
    if (is_jpeg(bytes, count))
        return image_decode_jpeg(bytes, count, channels, reduce, out, err);
    return image_decode_png(bytes, count, channels, out, err);
}

admmnn_status image_reserve(image *out, image_extent extent, uint32_t channels, admmnn_error *err) {
    const size_t wanted = (size_t)extent.width * extent.height * channels;
    if (wanted > out->capacity) {
        image_free(out);
        out->pixels = base_array(wanted, 1);
        if (out->pixels == NULL)
            return base_fail_memory(err, "an image");
        out->capacity = wanted;
    }
    out->extent = extent;
    out->channels = channels;
    return ADMMNN_OK;
}

void image_free(image *out) {
    base_free(out->pixels);
    *out = (image){0};
}

image_view image_view_of(const image *decoded) {
    return (image_view){.pixels = decoded->pixels,
                        .extent = decoded->extent,
                        .channels = decoded->channels,
                        .row = (size_t)decoded->extent.width * decoded->channels,
                        .column = decoded->channels,
                        .plane = 1};
}

image_view image_view_of_planes(const uint8_t *pixels, image_extent extent, uint32_t channels) {
    return (image_view){.pixels = pixels,
                        .extent = extent,
                        .channels = channels,
                        .row = extent.width,
                        .column = 1,
                        .plane = (size_t)extent.width * extent.height};
}
