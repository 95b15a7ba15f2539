#include "onnx/array.h"

#include <string.h>

#include "base/memory.h"

/* Types that the schema at hand may not name yet. */
enum { UINT4 = 21, INT4 = 22 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "raw_data is read as it lies in the file");

const char *onnx_tensor_name(const Onnx__TensorProto *tensor) {
    return tensor->name == NULL ? "" : tensor->name;
}

/* Bits of one element; 0 of no number. */
static size_t element_bits(int64_t type) {
    switch (type) {
    case UINT4:
    case INT4:
        return 4;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
        return 8;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
        return 16;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
        return 32;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64:
        return 64;
    default:
        return 0;
    }
}

bool onnx_type_is_number(int64_t type) {
    return element_bits(type) != 0;
}

bool onnx_type_is_floating(int64_t type) {
    return type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
           type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 ||
           type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 ||
           type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

bool onnx_array_count(const int64_t *dims, uint32_t rank, size_t *count) {
    size_t extent = 1; /* dims of 0 taken for 1: strides must not overflow */
    *count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (dims[i] < 0 || !base_multiply(extent, dims[i] == 0 ? 1 : (size_t)dims[i], &extent) ||
            extent > (size_t)INT64_MAX / 2)
            return false;
        *count *= (size_t)dims[i];
    }
    return true;
}

bool onnx_tensor_bytes(const Onnx__TensorProto *tensor, size_t *bytes) {
    size_t count;
    const size_t bits = element_bits(tensor->data_type);
    if (bits == 0 || tensor->n_dims > ONNX_RANK_MAX ||
        !onnx_array_count(tensor->dims, (uint32_t)tensor->n_dims, &count))
        return false;
    *bytes = (count + 1) / 2;
    return bits == 4 || base_multiply(count, bits / 8, bytes);
}

/* ---- new arrays ---- */

static admmnn_status make_room(onnx_arena *arena, onnx_array *out, size_t size, void **room,
                               admmnn_error *err) {
    if (out->rank > ONNX_RANK_MAX || !onnx_array_count(out->dims, out->rank, &out->count))
        return base_fail(err, ADMMNN_UNSUPPORTED, "a constant of impossible size");
    *room = onnx_arena_take(arena, out->count, size);
    return *room == NULL ? base_fail_memory(err, "an ONNX model's constants") : ADMMNN_OK;
}

admmnn_status onnx_array_floats(onnx_arena *arena, onnx_array *out, float **floats,
                                admmnn_error *err) {
    void *room;
    BASE_TRY(make_room(arena, out, sizeof **floats, &room, err));
    out->floats = *floats = room;
    out->integers = NULL;
    return ADMMNN_OK;
}

admmnn_status onnx_array_integers(onnx_arena *arena, onnx_array *out, int64_t **integers,
                                  admmnn_error *err) {
    void *room;
    BASE_TRY(make_room(arena, out, sizeof **integers, &room, err));
    out->integers = *integers = room;
    out->floats = NULL;
    return ADMMNN_OK;
}

float onnx_array_number(const onnx_array *array, size_t i) {
    return array->floats != NULL ? array->floats[i] : (float)array->integers[i];
}

bool onnx_array_is_plain(const onnx_array *array, size_t i) {
    return array->batches == NULL || array->batches[i] == 0;
}

/* ---- from the file ---- */

/* Where elements lie: bytes of element_bits each, or typed numbers, each in a field wider
 * than itself. */
typedef struct source {
    int type;
    const uint8_t *raw;
    const int32_t *words;
    const uint64_t *longs;
} source;

static float half_value(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    const uint32_t exponent = half >> 10 & 0x1fU;
    const uint32_t fraction = half & 0x3ffU;
    uint32_t bits = sign | (exponent + 112) << 23 | fraction << 13;
    float value;
    if (exponent == 31)
        bits = sign | 0x7f800000U | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    if (exponent == 0) /* 2^-24 each */
        value = (sign != 0 ? -1.0F : 1.0F) * (float)fraction * 0x1p-24F;
    return value;
}

static uint64_t raw_bits(const source *from, size_t i, size_t bits) {
    uint64_t value = 0;
    if (bits == 4)
        return (uint64_t)from->raw[i / 2] >> (i % 2 * 4) & 0xfU;
    memcpy(&value, from->raw + i * (bits / 8), bits / 8);
    return value;
}

/* The bits of element i, in the lowest places. */
static uint64_t bits_at(const source *from, size_t i) {
    const size_t bits = element_bits(from->type);
    if (from->raw != NULL)
        return raw_bits(from, i, bits);
    if (from->longs != NULL)
        return from->longs[i];
    if (bits == 4)
        return (uint32_t)from->words[i / 2] >> (i % 2 * 4) & 0xfU;
    return (uint32_t)from->words[i] & (UINT64_MAX >> (64 - bits));
}

static float float_at(const source *from, size_t i) {
    const uint64_t bits = bits_at(from, i);
    const uint32_t low = (uint32_t)bits;
    const uint32_t brain = low << 16;
    double wide;
    float value;
    switch (from->type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
        return half_value((uint16_t)low);
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
        memcpy(&value, &brain, sizeof value);
        return value;
    default:
        memcpy(&value, &low, sizeof value);
        return value;
    }
}

static bool is_signed(int type) {
    return type == INT4 || type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8 ||
           type == ONNX__TENSOR_PROTO__DATA_TYPE__INT16 ||
           type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
}

static int64_t integer_at(const source *from, size_t i) {
    const uint64_t bits = bits_at(from, i);
    const uint64_t top = UINT64_C(1) << (element_bits(from->type) - 1);
    return is_signed(from->type) ? (int64_t)(bits ^ top) - (int64_t)top : (int64_t)bits;
}

/* Typed numbers, in the field that the schema gives the type. */
static size_t typed_source(const Onnx__TensorProto *tensor, source *from) {
    switch (from->type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        from->words = (const int32_t *)tensor->float_data;
        return tensor->n_float_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        from->longs = (const uint64_t *)tensor->double_data;
        return tensor->n_double_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        from->longs = (const uint64_t *)tensor->int64_data;
        return tensor->n_int64_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64:
        from->longs = tensor->uint64_data;
        return tensor->n_uint64_data;
    default:
        from->words = tensor->int32_data;
        return tensor->n_int32_data;
    }
}

static admmnn_status find_source(const Onnx__TensorProto *tensor, size_t count, source *from,
                                 admmnn_error *err) {
    size_t bytes = 0;
    *from = (source){.type = (int)tensor->data_type};
    bool sound = tensor->segment == NULL && onnx_tensor_bytes(tensor, &bytes);
    if (sound && tensor->has_raw_data) {
        from->raw = tensor->raw_data.data;
        sound = tensor->raw_data.len == bytes;
    } else if (sound) {
        const size_t wanted = element_bits(from->type) == 4 ? bytes : count;
        sound = typed_source(tensor, from) == wanted;
    }
    if (sound)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT,
                     "tensor '%.60s': its data is not what its dimensions ask for",
                     onnx_tensor_name(tensor));
}

/* Floats and longs that lie as they are wanted stay where they are. */
static bool lies_ready(const source *from, onnx_array *out) {
    if (from->type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        out->floats = from->raw != NULL ? (const void *)from->raw : (const void *)from->words;
    if (from->type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
        out->integers = from->raw != NULL ? (const void *)from->raw : (const void *)from->longs;
    return out->floats != NULL || out->integers != NULL;
}

static admmnn_status convert(const source *from, onnx_arena *arena, onnx_array *out,
                             admmnn_error *err) {
    float *floats;
    int64_t *integers;
    if (onnx_type_is_floating(from->type)) {
        BASE_TRY(onnx_array_floats(arena, out, &floats, err));
        for (size_t i = 0; i < out->count; i++)
            floats[i] = float_at(from, i);
        return ADMMNN_OK;
    }
    BASE_TRY(onnx_array_integers(arena, out, &integers, err));
    for (size_t i = 0; i < out->count; i++)
        integers[i] = integer_at(from, i);
    return ADMMNN_OK;
}

admmnn_status onnx_array_read(const Onnx__TensorProto *tensor, onnx_arena *arena, onnx_array *out,
                              admmnn_error *err) {
    source from;
    *out = (onnx_array){0};
    if (!onnx_type_is_number(tensor->data_type))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "tensor '%.60s': elements of type %d; numbers of up to 64 bits are read",
                         onnx_tensor_name(tensor), (int)tensor->data_type);
    if (tensor->n_dims > ONNX_RANK_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED, "tensor '%.60s': %zu dimensions; %u are read",
                         onnx_tensor_name(tensor), tensor->n_dims, ONNX_RANK_MAX);
    out->rank = (uint32_t)tensor->n_dims;
    for (uint32_t i = 0; i < out->rank; i++)
        out->dims[i] = tensor->dims[i];
    if (!onnx_array_count(out->dims, out->rank, &out->count))
        return base_fail(err, ADMMNN_CORRUPT, "tensor '%.60s': impossible dimensions",
                         onnx_tensor_name(tensor));
    BASE_TRY(find_source(tensor, out->count, &from, err));
    if (out->count > 0 && lies_ready(&from, out))
        return ADMMNN_OK;
    return convert(&from, arena, out, err);
}
