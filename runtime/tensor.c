#include "tensor.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

admmnn_runtime_status rt_sources_corrupt(const rt_sources *from, const char *reason) {
    return rt_fail(from->opening->err, ADMMNN_RUNTIME_CORRUPT, reason, from->range.in->at);
}

admmnn_runtime_status rt_sources_memory(const rt_sources *from) {
    const rt_opening *opening = from->opening;
    return rt_fail(opening->err, rt_memory_status(opening->memory), "no memory for the weights", 0);
}

/* ---- levels ---- */

uint32_t rt_level_count(const rt_tensor *tensor) {
    switch (tensor->level_kind) {
    case PACK_KIND_BINARY:
    case PACK_KIND_TERNARY:
    case PACK_KIND_SIGN:
        return 1;
    case PACK_KIND_EQUAL_ZERO:
        return (1U << (tensor->bits - 1)) - 1;
    default:
        return 1U << (tensor->bits - 1);
    }
}

bool rt_level_zero(const rt_tensor *tensor) {
    return tensor->level_kind == PACK_KIND_EQUAL_ZERO || tensor->level_kind == PACK_KIND_TERNARY;
}

float rt_level_value(const rt_tensor *tensor, int32_t code) {
    float multiplier = (float)abs(code);
    if (tensor->level_kind == PACK_KIND_POWER_OF_TWO && code != 0)
        multiplier = ldexpf(1.0F, abs(code) - 1);
    const float magnitude = multiplier * tensor->step;
    return code < 0 ? -magnitude : magnitude;
}

/* Every code has a value of its own, and a finite one. */
static bool levels_are_sound(const rt_tensor *tensor) {
    const unsigned least = tensor->level_kind == PACK_KIND_EQUAL_ZERO ? 2 : 1;
    const unsigned most =
        tensor->level_kind == PACK_KIND_POWER_OF_TWO ? PACK_POWER_BITS_MAX : PACK_BITS_MAX;
    if (tensor->level_kind >= PACK_KIND_COUNT || tensor->bits < least || tensor->bits > most ||
        (tensor->level_kind == PACK_KIND_SIGN && tensor->step != 1.0F))
        return false;
    const float largest = rt_level_value(tensor, (int32_t)rt_level_count(tensor));
    return tensor->step == 0.0F || (tensor->step >= FLT_MIN && isfinite(largest));
}

/* ---- descriptions ---- */

static bool coder_fits(const rt_tensor *tensor) {
    const bool zero = rt_level_zero(tensor) && tensor->places == PACK_PLACES_DENSE;
    const uint32_t symbols = 2 * rt_level_count(tensor) + (zero ? 1 : 0);
    if (tensor->symbols == PACK_SYMBOLS_FIXED)
        return symbols <= (uint32_t)1 << tensor->bits;
    return tensor->symbols == PACK_SYMBOLS_RANGE || symbols <= PACK_HUFFMAN_SYMBOLS_MAX;
}

static bool is_sound(const rt_tensor *tensor) {
    if (tensor->symbols >= PACK_SYMBOLS_COUNT)
        return false;
    if (tensor->levels)
        return levels_are_sound(tensor) && coder_fits(tensor);
    return tensor->level_kind == 0 && tensor->bits == 1 && tensor->symbols == PACK_SYMBOLS_FIXED;
}

/* Whether the upper half of the second byte is one that the positions may have. */
static bool read_detail(rt_tensor *tensor, unsigned detail) {
    if (tensor->places == PACK_PLACES_RELATIVE) {
        tensor->index_width = (uint8_t)(detail + 1);
        return true;
    }
    tensor->ordered = tensor->places == PACK_PLACES_ENTROPY && detail == PACK_ORDERED;
    return detail == 0 || tensor->ordered;
}

admmnn_runtime_status rt_tensor_describe(rt_opening *opening, rt_reader *in, bool half_step,
                                         rt_tensor *tensor) {
    const unsigned head = rt_read_u8(in);
    tensor->levels = (head & PACK_TENSOR_LEVELS) != 0;
    tensor->level_kind = head >> PACK_TENSOR_KIND_SHIFT & 7U;
    tensor->places = head >> PACK_TENSOR_POSITION_SHIFT & 3U;
    tensor->symbols = head >> PACK_TENSOR_VALUE_SHIFT & 3U;
    const bool sized = tensor->levels || tensor->places == PACK_PLACES_RELATIVE ||
                       tensor->places == PACK_PLACES_ENTROPY;
    const unsigned sizes = sized ? rt_read_u8(in) : 0;
    tensor->bits = (uint8_t)((sizes & 15U) + 1);
    const bool known = read_detail(tensor, sizes >> 4);
    if (tensor->levels)
        tensor->step = half_step ? rt_float_of(rt_read_u16(in) << 16) : rt_read_f32(in);
    if (in->failed || !known || !is_sound(tensor))
        return rt_fail(opening->err, ADMMNN_RUNTIME_CORRUPT,
                       "a parameter's description makes no sense", in->at);
    return ADMMNN_RUNTIME_OK;
}
