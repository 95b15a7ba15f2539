#include <inttypes.h>

#include "onnx/external.h"

#define ENTRIES 3U

static bool goes_outside(const Onnx__TensorProto *tensor) {
    return tensor->raw_data.len >= ONNX_OUTSIDE_LEAST;
}

/* Where the next tensor begins behind `end`. */
static uint64_t aligned(uint64_t end) {
    return (end + ONNX_OUTSIDE_ALIGNMENT - 1) / ONNX_OUTSIDE_ALIGNMENT * ONNX_OUTSIDE_ALIGNMENT;
}

static bool place(Onnx__TensorProto *tensor, const char *location, uint64_t offset,
                  onnx_arena *arena) {
    static const char *const keys[ENTRIES] = {"location", "offset", "length"};
    char *const values[ENTRIES] = {onnx_arena_text(arena, "%s", location),
                                   onnx_arena_text(arena, "%" PRIu64, offset),
                                   onnx_arena_text(arena, "%zu", tensor->raw_data.len)};
    Onnx__StringStringEntryProto *entries = onnx_arena_take(arena, ENTRIES, sizeof *entries);
    tensor->external_data = onnx_arena_take(arena, ENTRIES, sizeof *tensor->external_data);
    if (arena->failed)
        return false;
    for (size_t i = 0; i < ENTRIES; i++) {
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = onnx_arena_text(arena, "%s", keys[i]);
        entries[i].value = values[i];
        tensor->external_data[i] = &entries[i];
    }
    tensor->n_external_data = ENTRIES;
    tensor->has_data_location = 1;
    tensor->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    tensor->has_raw_data = 0;
    return !arena->failed;
}

bool onnx_external_place(Onnx__GraphProto *graph, const char *location, onnx_arena *arena,
                         uint64_t *bytes) {
    *bytes = 0;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = graph->initializer[i];
        if (!goes_outside(tensor))
            continue;
        const uint64_t offset = aligned(*bytes);
        if (!place(tensor, location, offset, arena))
            return false;
        *bytes = offset + tensor->raw_data.len;
    }
    return true;
}

void onnx_external_append(const Onnx__GraphProto *graph, onnx_append *append, void *to) {
    static const uint8_t zeros[ONNX_OUTSIDE_ALIGNMENT];
    uint64_t end = 0;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const ProtobufCBinaryData *data = &graph->initializer[i]->raw_data;
        if (!goes_outside(graph->initializer[i]))
            continue;
        append(to, zeros, (size_t)(aligned(end) - end));
        append(to, data->data, data->len);
        end = aligned(end) + data->len;
    }
}
