#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "data/image.h"

/* libjpeg's own error manager first: it hands that back to the functions below. */
typedef struct decoder {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf failed;
    char reason[JMSG_LENGTH_MAX];
    image *out;
    uint8_t ink[4 * IMAGE_SIDE_MAX]; /* a row of CMYK */
} decoder;

static void leave(j_common_ptr jpeg) {
    decoder *d = (decoder *)jpeg->err;
    jpeg->err->format_message(jpeg, d->reason);
    longjmp(d->failed, 1);
}

/* libjpeg goes on after damage with grey for what is lost, and says so in warnings. Others
 * of its warnings are of harmless things. */
static void judge(j_common_ptr jpeg, int level) {
    const int code = jpeg->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER ||
                      code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE))
        leave(jpeg);
}

static void count_scans(j_common_ptr jpeg) {
    decoder *d = (decoder *)jpeg->err;
    if (d->jpeg.input_scan_number <= IMAGE_SCANS_MAX)
        return;
    snprintf(d->reason, sizeof d->reason, "more than %d scans", IMAGE_SCANS_MAX);
    longjmp(d->failed, 1);
}

static void start(decoder *d, const uint8_t *bytes, size_t count) {
    jpeg_create_decompress(&d->jpeg);
    d->progress.progress_monitor = count_scans;
    d->jpeg.progress = &d->progress;
    jpeg_mem_src(&d->jpeg, bytes, (unsigned long)count);
    (void)jpeg_read_header(&d->jpeg, TRUE);
}

static bool is_ink(const decoder *d) {
    return d->jpeg.jpeg_color_space == JCS_CMYK || d->jpeg.jpeg_color_space == JCS_YCCK;
}

static uint8_t product(unsigned a, unsigned b) {
    return (uint8_t)((a * b + 127) / 255);
}

/* Adobe's files hold 255 less the ink. */
static void colour_ink(const decoder *d, uint32_t channels, uint8_t *to) {
    const uint8_t flip = d->jpeg.saw_Adobe_marker ? 0 : 255;
    for (uint32_t x = 0; x < d->jpeg.output_width; x++, to += channels) {
        const uint8_t *ink = d->ink + 4 * (size_t)x;
        uint8_t colour[3];
        for (int c = 0; c < 3; c++)
            colour[c] = product(ink[c] ^ flip, ink[3] ^ flip);
        if (channels == 3)
            memcpy(to, colour, 3);
        else
            *to = (uint8_t)((299U * colour[0] + 587U * colour[1] + 114U * colour[2] + 500) / 1000);
    }
}

static void read_rows(decoder *d, uint32_t channels) {
    const size_t row = (size_t)d->jpeg.output_width * channels;
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        uint8_t *to = d->out->pixels + d->jpeg.output_scanline * row;
        JSAMPROW into = is_ink(d) ? d->ink : to;
        (void)jpeg_read_scanlines(&d->jpeg, &into, 1);
        if (is_ink(d))
            colour_ink(d, channels, to);
    }
    (void)jpeg_finish_decompress(&d->jpeg);
}

static admmnn_status fail_with(decoder *d, admmnn_error *err) {
    jpeg_destroy_decompress(&d->jpeg);
    return base_fail(err, ADMMNN_CORRUPT, "damaged JPEG: %s", d->reason);
}

static void prepare(decoder *d, image *out) {
    memset(&d->jpeg, 0, sizeof d->jpeg);
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = leave;
    d->errors.emit_message = judge;
    d->out = out;
}

admmnn_status image_measure_jpeg(const uint8_t *bytes, size_t count, image_extent *extent,
                                 admmnn_error *err) {
    decoder d;
    prepare(&d, NULL);
    if (setjmp(d.failed) != 0)
        return fail_with(&d, err);
    start(&d, bytes, count);
    *extent = (image_extent){d.jpeg.image_width, d.jpeg.image_height};
    jpeg_destroy_decompress(&d.jpeg);
    return ADMMNN_OK;
}

admmnn_status image_decode_jpeg(const uint8_t *bytes, size_t count, uint32_t channels,
                                unsigned reduce, image *out, admmnn_error *err) {
    decoder d;
    prepare(&d, out);
    if (setjmp(d.failed) != 0)
        return fail_with(&d, err);
    start(&d, bytes, count);
    d.jpeg.out_color_space = is_ink(&d) ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    d.jpeg.scale_num = 1;
    d.jpeg.scale_denom = reduce;
    (void)jpeg_start_decompress(&d.jpeg);
    const image_extent extent = {d.jpeg.output_width, d.jpeg.output_height};
    const admmnn_status status = image_reserve(out, extent, channels, err);
    if (status == ADMMNN_OK)
        read_rows(&d, channels);
    jpeg_destroy_decompress(&d.jpeg);
    return status;
}
