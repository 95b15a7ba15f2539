#include "onnx/names.h"

#include <string.h>

bool onnx_names_create(onnx_names *names, size_t capacity, onnx_arena *arena) {
    names->list = onnx_arena_take(arena, capacity, sizeof *names->list);
    names->capacity = capacity;
    names->count = 0;
    return names->list != NULL;
}

/* FNV-1a: the search compares numbers, and texts only where those agree. */
static uint64_t hash_of(const char *name) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

onnx_tensor *onnx_names_find(const onnx_names *names, const char *name) {
    uint64_t hash = hash_of(name);
    for (size_t i = 0; i < names->count; i++)
        if (names->list[i].hash == hash && strcmp(names->list[i].name, name) == 0)
            return &names->list[i];
    return NULL;
}

bool onnx_names_add(onnx_names *names, onnx_tensor tensor) {
    if (tensor.name == NULL || tensor.name[0] == 0 || names->count == names->capacity ||
        onnx_names_find(names, tensor.name) != NULL)
        return false;
    tensor.hash = hash_of(tensor.name);
    names->list[names->count++] = tensor;
    return true;
}
