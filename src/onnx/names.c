#include "onnx/names.h"

#include <string.h>

#include "onnx/texts.h"

bool onnx_names_create(onnx_names *names, size_t most, onnx_arena *arena) {
    size_t capacity = 16;
    while (capacity / 2 < most)
        capacity *= 2;
    names->list = onnx_arena_take(arena, capacity, sizeof *names->list);
    names->capacity = capacity;
    names->count = 0;
    return names->list != NULL;
}

/* The name's place, or the free one where it would stand. */
static onnx_tensor *slot_of(const onnx_names *names, const char *name) {
    size_t at = (size_t)onnx_text_hash(name) & (names->capacity - 1);
    while (names->list[at].name != NULL && strcmp(names->list[at].name, name) != 0)
        at = (at + 1) & (names->capacity - 1);
    return &names->list[at];
}

onnx_tensor *onnx_names_find(const onnx_names *names, const char *name) {
    onnx_tensor *slot = name == NULL || name[0] == 0 ? NULL : slot_of(names, name);
    return slot == NULL || slot->name == NULL ? NULL : slot;
}

onnx_tensor *onnx_names_place(onnx_names *names, const char *name) {
    if (name == NULL || name[0] == 0)
        return NULL;
    onnx_tensor *slot = slot_of(names, name);
    if (slot->name != NULL)
        return slot;
    if (names->count >= names->capacity / 2)
        return NULL;
    names->count++;
    *slot = (onnx_tensor){.name = name,
                          .operand = GRAPH_NONE,
                          .root = GRAPH_NONE,
                          .whole = GRAPH_NONE,
                          .producer = SIZE_MAX};
    return slot;
}
