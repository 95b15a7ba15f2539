/* JPEG and PNG images: what is decoded is as large as it says, and can be resampled. */
#include <stdlib.h>

#include "base/memory.h"
#include "data/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An honest image of so many pixels takes longer than a fuzzer wants to wait. */
#define PIXELS_MOST ((size_t)1 << 20)

static void resample(const image *decoded) {
    const image_extent small = {5, 3};
    const image_view view = image_view_of(decoded);
    const image_box box = image_box_of_centre(decoded->extent, 7, 8);
    uint8_t *out = base_array((size_t)small.width * small.height * decoded->channels, 1);
    image_room room = {0};
    if (out != NULL)
        (void)image_resample(&view, &box, small, &room, out, NULL);
    image_room_free(&room);
    base_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    image_extent extent;
    if (size < 1 || image_measure(data + 1, size - 1, &extent, NULL) != ADMMNN_OK ||
        (size_t)extent.width * extent.height > PIXELS_MOST)
        return 0;
    const uint32_t channels = (data[0] & 1) == 0 ? 1 : 3;
    const unsigned reduce = 1U << (data[0] >> 1 & 3U);
    image decoded = {0};
    if (image_decode(data + 1, size - 1, channels, reduce, &decoded, NULL) == ADMMNN_OK) {
        if (decoded.channels != channels || decoded.extent.width == 0 ||
            decoded.extent.width > extent.width || decoded.extent.height > extent.height)
            abort();
        resample(&decoded);
    }
    image_free(&decoded);
    return 0;
}
