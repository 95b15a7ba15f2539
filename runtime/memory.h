/* The memory of a model: one arena of the caller's, or blocks of malloc's that are freed
 * together. What stays is taken from the bottom; scratch, which opening a model needs for a
 * while, from the top. Both count what an arena would have needed. */
#ifndef RT_MEMORY_H
#define RT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admmnn/runtime.h"

#define RT_ALIGNMENT 16U

typedef struct rt_block rt_block;

typedef struct rt_memory {
    uint8_t *bottom, *top;      /* the arena's free bytes; NULL: blocks of malloc's */
    rt_block *blocks, *scratch; /* newest first */
    size_t low, high, peak;     /* bytes of an arena: taken at both ends, and the most so far */
    size_t lost;                /* before its first aligned byte */
} rt_memory;

/* What a model fails with where there was not enough of this memory. */
static inline admmnn_runtime_status rt_memory_status(const rt_memory *m) {
    return m->bottom != NULL ? ADMMNN_RUNTIME_ARENA : ADMMNN_RUNTIME_MEMORY;
}

/* NULL: malloc. */
void rt_memory_open(rt_memory *m, void *arena, size_t bytes);
/* Frees all blocks; m must not lie in one. */
void rt_memory_close(rt_memory *m);
/* a * b * c, or SIZE_MAX, which no memory holds. */
size_t rt_product(size_t a, size_t b, size_t c);

/* Zeros, aligned to RT_ALIGNMENT; NULL where there is not enough. */
void *rt_take(rt_memory *m, size_t count, size_t size);
/* Scratch is released in the order opposite to that in which it was taken: down to a mark. */
void *rt_scratch(rt_memory *m, size_t count, size_t size);
size_t rt_scratch_mark(const rt_memory *m);
void rt_scratch_release(rt_memory *m, size_t mark);
/* The same for what stays: what was taken since the mark is free again. */
size_t rt_mark(const rt_memory *m);
void rt_release(rt_memory *m, size_t mark);

/* An array whose length is not known: *array, at first NULL, of which `used` bytes are written,
 * is given room for at least `least` more. The room in all, an arena's to its last byte; 0 where
 * there is not enough. Nothing else may be taken until rt_settle ends it at `used` bytes. */
size_t rt_more(rt_memory *m, void **array, size_t used, size_t least);
bool rt_settle(rt_memory *m, void **array, size_t used);

#endif
