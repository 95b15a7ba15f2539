#include "onnx/arena.h"

#include <stdint.h>
#include <stdio.h>

#include "base/memory.h"

#define ALIGNMENT 16U
#define BLOCK_BYTES 65536U

typedef struct onnx_block {
    struct onnx_block *next;
    size_t capacity, used;
    uint8_t *bytes;
} onnx_block;

static bool add_block(onnx_arena *arena, size_t bytes) {
    onnx_block *block = base_array(1, sizeof *block);
    if (block == NULL)
        return false;
    block->capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    block->bytes = base_array(block->capacity, 1);
    if (block->bytes == NULL) {
        base_free(block);
        return false;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return true;
}

void *onnx_arena_take(onnx_arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (!base_multiply(count, size, &bytes) || arena->used > arena->limit ||
        bytes > arena->limit - arena->used) {
        arena->failed = true;
        return NULL;
    }
    arena->used += bytes;
    size_t padded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    onnx_block *block = arena->blocks;
    if (block == NULL || padded > block->capacity - block->used) {
        if (!add_block(arena, padded)) {
            arena->failed = true;
            return NULL;
        }
        block = arena->blocks;
    }
    void *memory = block->bytes + block->used;
    block->used += padded;
    return memory;
}

char *onnx_arena_format(onnx_arena *arena, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : onnx_arena_take(arena, (size_t)length + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *onnx_arena_text(onnx_arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = onnx_arena_format(arena, format, arguments);
    va_end(arguments);
    return text;
}

void onnx_arena_free(onnx_arena *arena) {
    while (arena->blocks != NULL) {
        onnx_block *block = arena->blocks;
        arena->blocks = block->next;
        base_free(block->bytes);
        base_free(block);
    }
    arena->used = 0;
}

static void *take(void *arena, size_t size) {
    return onnx_arena_take(arena, size, 1);
}

static void give(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

ProtobufCAllocator onnx_arena_allocator(onnx_arena *arena) {
    return (ProtobufCAllocator){.alloc = take, .free = give, .allocator_data = arena};
}
