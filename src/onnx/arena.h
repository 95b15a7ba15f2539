/* Memory that is given back all at once: what protobuf-c's messages live in. */
#ifndef ONNX_ARENA_H
#define ONNX_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct onnx_block;

/* All zero but `limit` is an empty arena; what would exceed limit bytes fails.
 * `failed` is set by the first request that cannot be met and stays set. */
typedef struct onnx_arena {
    struct onnx_block *blocks;
    size_t used, limit;
    bool failed;
} onnx_arena;

/* Zeroed; NULL beyond the limit. The memory is the arena's. */
void *onnx_arena_take(onnx_arena *arena, size_t count, size_t size);
/* A formatted string in the arena; NULL as above. */
char *onnx_arena_text(onnx_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *onnx_arena_format(onnx_arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void onnx_arena_free(onnx_arena *arena);

/* The arena as protobuf-c's allocator. */
ProtobufCAllocator onnx_arena_allocator(onnx_arena *arena);

#endif
