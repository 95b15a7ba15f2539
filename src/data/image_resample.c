#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/image.h"

/* Weights are whole numbers of 2^-22: their sums of bytes fit 32 bits. */
#define WEIGHT_BITS 22

/* Output pixel i is the sum of weights[i * most + k] times pixel first[i] + k, k < count[i]. */
typedef struct axis {
    uint32_t outputs, most;
    int32_t *first, *count, *weights;
} axis;

void image_room_free(image_room *room) {
    base_free(room->weights);
    base_free(room->rows);
    *room = (image_room){0};
}

/* Numbers that an axis takes in the room. */
static size_t axis_size(double length, uint32_t outputs, uint32_t *most) {
    const double coarse = fmax(length / outputs, 1.0);
    *most = 2 * (uint32_t)ceil(coarse) + 1;
    return (size_t)outputs * (*most + 2U);
}

static axis axis_at(int32_t *room, uint32_t outputs, uint32_t most) {
    return (axis){.outputs = outputs,
                  .most = most,
                  .first = room,
                  .count = room + outputs,
                  .weights = room + 2 * (size_t)outputs};
}

static double triangle(double x) {
    const double distance = fabs(x);
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

/* Pixel i of the source covers [i, i + 1). */
static void weigh_one(axis *a, uint32_t out, double from, double length, uint32_t side) {
    const double step = length / a->outputs;
    const double coarse = fmax(step, 1.0);
    const double centre = from + (out + 0.5) * step;
    int32_t first = (int32_t)(centre - coarse + 0.5);
    int32_t end = (int32_t)(centre + coarse + 0.5);
    first = first < 0 ? 0 : first;
    end = end > (int32_t)side ? (int32_t)side : end;
    double sum = 0.0;
    for (int32_t i = first; i < end; i++)
        sum += triangle((i - centre + 0.5) / coarse);
    int32_t *weights = a->weights + (size_t)out * a->most;
    for (int32_t i = first; i < end; i++)
        weights[i - first] =
            (int32_t)(triangle((i - centre + 0.5) / coarse) / sum * (1 << WEIGHT_BITS) + 0.5);
    a->first[out] = first;
    a->count[out] = end - first;
}

static void weigh(axis *a, double from, double length, uint32_t side) {
    for (uint32_t out = 0; out < a->outputs; out++)
        weigh_one(a, out, from, length, side);
}

static uint8_t rounded(int32_t sum) {
    const int32_t value = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

/* One row of one channel, [across->outputs]. */
static void squeeze_row(const axis *across, const uint8_t *row, size_t column, uint8_t *out) {
    for (uint32_t x = 0; x < across->outputs; x++) {
        const int32_t *weights = across->weights + (size_t)x * across->most;
        const uint8_t *from = row + (size_t)across->first[x] * column;
        int32_t sum = 0;
        for (int32_t k = 0; k < across->count[x]; k++)
            sum += weights[k] * from[(size_t)k * column];
        out[x] = rounded(sum);
    }
}

#define CHUNK 256U

/* One row of the result from rows[..][width] of the squeezed ones: by pieces whose sums
 * stay in registers or near them. */
static void squeeze_column(const axis *down, uint32_t y, const uint8_t *rows, uint32_t width,
                           uint8_t *out) {
    const int32_t *weights = down->weights + (size_t)y * down->most;
    for (uint32_t from = 0; from < width; from += CHUNK) {
        const uint32_t count = width - from < CHUNK ? width - from : CHUNK;
        int32_t sums[CHUNK] = {0};
        for (int32_t k = 0; k < down->count[y]; k++) {
            const uint8_t *row = rows + (size_t)k * width + from;
            for (uint32_t x = 0; x < count; x++)
                sums[x] += weights[k] * row[x];
        }
        for (uint32_t x = 0; x < count; x++)
            out[from + x] = rounded(sums[x]);
    }
}

static bool reserve(image_room *room, size_t weights, size_t rows) {
    if (weights > room->weight_capacity) {
        base_free(room->weights);
        room->weights = base_array(weights, sizeof *room->weights);
        room->weight_capacity = room->weights == NULL ? 0 : weights;
    }
    if (rows > room->row_capacity) {
        base_free(room->rows);
        room->rows = base_array(rows, 1);
        room->row_capacity = room->rows == NULL ? 0 : rows;
    }
    return room->weights != NULL && room->rows != NULL;
}

/* Whether the box's pixels are the result's. */
static bool is_copy(const image_box *box, image_extent extent) {
    return box->width == extent.width && box->height == extent.height &&
           floor(box->left) == box->left && floor(box->top) == box->top;
}

static void copy(const image_view *from, const image_box *box, image_extent extent, uint8_t *out) {
    const uint8_t *corner =
        from->pixels + (size_t)box->top * from->row + (size_t)box->left * from->column;
    for (uint32_t c = 0; c < from->channels; c++)
        for (uint32_t y = 0; y < extent.height; y++) {
            const uint8_t *row = corner + c * from->plane + y * from->row;
            for (uint32_t x = 0; x < extent.width; x++)
                *out++ = row[x * from->column];
        }
}

admmnn_status image_resample(const image_view *from, const image_box *box, image_extent extent,
                             image_room *room, uint8_t *out, admmnn_error *err) {
    if (is_copy(box, extent)) {
        copy(from, box, extent, out);
        return ADMMNN_OK;
    }
    uint32_t most[2];
    const size_t across_size = axis_size(box->width, extent.width, &most[0]);
    const size_t down_size = axis_size(box->height, extent.height, &most[1]);
    if (!reserve(room, across_size + down_size, (size_t)from->extent.height * extent.width))
        return base_fail_memory(err, "an image");
    axis across = axis_at(room->weights, extent.width, most[0]);
    axis down = axis_at(room->weights + across_size, extent.height, most[1]);
    weigh(&across, box->left, box->width, from->extent.width);
    weigh(&down, box->top, box->height, from->extent.height);
    const uint32_t last = extent.height - 1;
    const int32_t top = down.first[0];
    const int32_t bottom = down.first[last] + down.count[last];
    for (uint32_t c = 0; c < from->channels; c++) {
        for (int32_t y = top; y < bottom; y++)
            squeeze_row(&across, from->pixels + c * from->plane + (size_t)y * from->row,
                        from->column, room->rows + (size_t)(y - top) * extent.width);
        for (uint32_t y = 0; y < extent.height; y++, out += extent.width)
            squeeze_column(&down, y, room->rows + (size_t)(down.first[y] - top) * extent.width,
                           extent.width, out);
    }
    return ADMMNN_OK;
}

/* ---- boxes ---- */

static image_box middle(image_extent of, double width, double height) {
    return (image_box){(of.width - width) / 2, (of.height - height) / 2, width, height};
}

image_box image_box_of_centre(image_extent of, double inner, double outer) {
    const double shorter = of.width < of.height ? of.width : of.height;
    const double side = shorter * inner / outer;
    return middle(of, side, side);
}

#define PROPORTION (4.0 / 3.0)
#define DRAWS 10

image_box image_box_draw(base_random *random, image_extent of, double least) {
    const double area = (double)of.width * of.height;
    for (int i = 0; i < DRAWS; i++) {
        const double share = least + (1.0 - least) * (double)base_random_uniform(random);
        const double turn = 2.0 * (double)base_random_uniform(random) - 1.0;
        const double proportion = exp(turn * log(PROPORTION));
        const double width = round(sqrt(area * share * proportion));
        const double height = round(sqrt(area * share / proportion));
        if (width < 1 || height < 1 || width > of.width || height > of.height)
            continue;
        const uint32_t left = base_random_below(random, of.width - (uint32_t)width + 1);
        const uint32_t top = base_random_below(random, of.height - (uint32_t)height + 1);
        return (image_box){left, top, width, height};
    }
    return middle(of, fmin(of.width, of.height * PROPORTION),
                  fmin(of.height, of.width * PROPORTION));
}
