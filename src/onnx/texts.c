#include "onnx/texts.h"

#include <string.h>

#define CAPACITY_LEAST 64U

struct onnx_text {
    const char *text; /* NULL: a free place */
    uint32_t number;
};

/* FNV-1a from where the program has been loaded, its upper bits brought down: a file cannot choose
 * names that fall on one place, since that differs from run to run. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)&hash_of;
    for (; *text != 0; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static struct onnx_text *place_of(const onnx_texts *texts, const char *text) {
    size_t at = (size_t)hash_of(text) & (texts->capacity - 1);
    while (texts->list[at].text != NULL && strcmp(texts->list[at].text, text) != 0)
        at = (at + 1) & (texts->capacity - 1);
    return &texts->list[at];
}

static bool grow(onnx_texts *texts, onnx_arena *arena) {
    const onnx_texts old = *texts;
    texts->capacity = old.capacity == 0 ? CAPACITY_LEAST : 2 * old.capacity;
    texts->list = onnx_arena_take(arena, texts->capacity, sizeof *texts->list);
    if (texts->list == NULL) {
        *texts = old;
        return false;
    }
    for (size_t i = 0; i < old.capacity; i++)
        if (old.list[i].text != NULL)
            *place_of(texts, old.list[i].text) = old.list[i];
    return true;
}

bool onnx_texts_add(onnx_texts *texts, const char *text, uint32_t number, onnx_arena *arena) {
    if (2 * texts->count >= texts->capacity && !grow(texts, arena))
        return false;
    struct onnx_text *place = place_of(texts, text);
    if (place->text != NULL)
        return true;
    *place = (struct onnx_text){text, number};
    texts->count++;
    return true;
}

uint32_t onnx_texts_find(const onnx_texts *texts, const char *text) {
    if (texts->count == 0)
        return ONNX_NO_TEXT;
    const struct onnx_text *place = place_of(texts, text);
    return place->text == NULL ? ONNX_NO_TEXT : place->number;
}
