#include "onnx/names.h"

bool onnx_names_create(onnx_names *names, size_t most, onnx_arena *arena) {
    *names = (onnx_names){.most = most, .arena = arena};
    names->list = onnx_arena_take(arena, most, sizeof *names->list);
    return names->list != NULL;
}

onnx_tensor *onnx_names_find(const onnx_names *names, const char *name) {
    const uint32_t number =
        name == NULL || name[0] == 0 ? ONNX_NO_TEXT : onnx_texts_find(&names->numbers, name);
    return number == ONNX_NO_TEXT ? NULL : &names->list[number];
}

onnx_tensor *onnx_names_place(onnx_names *names, const char *name) {
    const size_t count = names->numbers.count;
    onnx_tensor *place = onnx_names_find(names, name);
    if (place != NULL || name == NULL || name[0] == 0)
        return place;
    if (count >= names->most || count >= ONNX_NO_TEXT ||
        !onnx_texts_add(&names->numbers, name, (uint32_t)count, names->arena))
        return NULL;
    names->list[count] = (onnx_tensor){.name = name,
                                       .operand = GRAPH_NONE,
                                       .root = GRAPH_NONE,
                                       .whole = GRAPH_NONE,
                                       .producer = SIZE_MAX};
    return &names->list[count];
}
