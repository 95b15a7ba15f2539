#include "pack/range.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "pack/format.h"

#define SIGNED_MOST 127.0F
#define UNSIGNED_MOST 255.0F

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounded up, so that the largest number has a code. */
static uint32_t upper_half(float scale) {
    uint32_t bits;
    memcpy(&bits, &scale, sizeof bits);
    return (bits >> 16) + ((bits & 0xffffU) != 0);
}

pack_range range_of(float low, float high) {
    const bool is_signed = low < 0.0F;
    const float most = fmaxf(fabsf(low), fabsf(high));
    const float scale = most / (is_signed ? SIGNED_MOST : UNSIGNED_MOST);
    const uint32_t half = upper_half(scale);
    if (!isfinite(low) || !isfinite(high) || half > PACK_RANGE_MOST)
        return (pack_range){0.0F, false};
    return (pack_range){float_of((half < PACK_RANGE_LEAST ? PACK_RANGE_LEAST : half) << 16),
                        is_signed};
}

uint16_t range_bits(pack_range range) {
    const bool is_unsigned = range.scale != 0.0F && !range.is_signed;
    return (uint16_t)(upper_half(range.scale) | (is_unsigned ? PACK_RANGE_UNSIGNED : 0));
}

bool range_from_bits(unsigned bits, pack_range *range) {
    const unsigned half = bits & ~PACK_RANGE_UNSIGNED;
    *range = (pack_range){float_of(half << 16), bits != 0 && half == bits};
    return bits == 0 || (half >= PACK_RANGE_LEAST && half <= PACK_RANGE_MOST);
}

void range_write_all(const pack_model *model, base_writer *out) {
    const graph *g = model->g;
    base_write_u16(out, range_bits(model->ranges[g->input]));
    for (uint32_t n = 0; n < g->node_count; n++)
        base_write_u16(out, range_bits(model->ranges[g->nodes[n].output]));
}

admmnn_status range_read_all(base_reader *in, pack_model *model, admmnn_error *err) {
    const graph *g = model->g;
    model->ranges = base_array(g->value_count, sizeof *model->ranges);
    if (model->ranges == NULL)
        return base_fail_memory(err, "the ranges of values");
    bool sound = range_from_bits(base_read_u16(in), &model->ranges[g->input]);
    for (uint32_t n = 0; n < g->node_count; n++)
        sound &= range_from_bits(base_read_u16(in), &model->ranges[g->nodes[n].output]);
    if (in->failed || !sound)
        return base_fail(err, ADMMNN_CORRUPT, "the ranges of values make no sense at byte %zu",
                         in->at);
    return ADMMNN_OK;
}
