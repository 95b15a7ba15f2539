#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* Before a block's bytes, which begin RT_ALIGNMENT aligned behind it. `before`: the arena's
 * count at that end when it was taken. */
struct rt_block {
    rt_block *next;
    size_t before;
};

#define HEAD ((sizeof(rt_block) + RT_ALIGNMENT - 1) / RT_ALIGNMENT * RT_ALIGNMENT)
/* An array that grows takes at least this. */
#define GROWN_LEAST 1024U
/* More than any array, and safe to be rounded up. */
#define BYTES_MOST (SIZE_MAX / 2 - RT_ALIGNMENT)

static uint8_t *bytes_of(rt_block *block) {
    return (uint8_t *)block + HEAD;
}

static size_t rounded(size_t bytes) {
    return (bytes + RT_ALIGNMENT - 1) / RT_ALIGNMENT * RT_ALIGNMENT;
}

size_t rt_product(size_t a, size_t b, size_t c) {
    if (b != 0 && a > SIZE_MAX / b)
        return SIZE_MAX;
    const size_t ab = a * b;
    return c != 0 && ab > SIZE_MAX / c ? SIZE_MAX : ab * c;
}

void rt_memory_open(rt_memory *m, void *arena, size_t bytes) {
    const rt_memory none = {NULL, NULL, NULL, NULL, 0, 0, 0, 0};
    const size_t lost = (size_t)(-(uintptr_t)arena % RT_ALIGNMENT);
    *m = none;
    if (arena == NULL)
        return;
    m->lost = lost;
    m->bottom = m->top = arena;
    if (bytes >= lost) {
        m->bottom += lost;
        m->top = m->bottom + (bytes - lost) / RT_ALIGNMENT * RT_ALIGNMENT;
    }
}

static void free_blocks(rt_block **blocks, size_t *count, size_t mark) {
    while (*blocks != NULL && *count > mark) {
        rt_block *block = *blocks;
        *blocks = block->next;
        *count = block->before;
        free(block);
    }
}

void rt_memory_close(rt_memory *m) {
    free_blocks(&m->scratch, &m->high, 0);
    free_blocks(&m->blocks, &m->low, 0);
}

static void count_bytes(rt_memory *m, size_t *end, size_t bytes) {
    *end += bytes;
    if (m->low + m->high > m->peak)
        m->peak = m->low + m->high;
}

static void *take_block(rt_memory *m, rt_block **blocks, size_t *end, size_t bytes) {
    rt_block *block = malloc(HEAD + bytes);
    if (block == NULL)
        return NULL;
    block->next = *blocks;
    block->before = *end;
    *blocks = block;
    count_bytes(m, end, bytes);
    return bytes_of(block);
}

void *rt_take(rt_memory *m, size_t count, size_t size) {
    const size_t wanted = rt_product(count, size, 1);
    if (wanted > BYTES_MOST)
        return NULL;
    /* Never nothing: a block's count tells it from the one before. */
    const size_t bytes = rounded(wanted == 0 ? 1 : wanted);
    void *taken = m->bottom;
    if (m->bottom == NULL)
        taken = take_block(m, &m->blocks, &m->low, bytes);
    else if (bytes > (size_t)(m->top - m->bottom))
        return NULL;
    else {
        m->bottom += bytes;
        count_bytes(m, &m->low, bytes);
    }
    return taken == NULL ? NULL : memset(taken, 0, bytes);
}

void *rt_scratch(rt_memory *m, size_t count, size_t size) {
    const size_t wanted = rt_product(count, size, 1);
    if (wanted > BYTES_MOST)
        return NULL;
    const size_t bytes = rounded(wanted == 0 ? 1 : wanted);
    void *taken = NULL;
    if (m->bottom == NULL)
        taken = take_block(m, &m->scratch, &m->high, bytes);
    else if (bytes > (size_t)(m->top - m->bottom))
        return NULL;
    else {
        taken = m->top -= bytes;
        count_bytes(m, &m->high, bytes);
    }
    return taken == NULL ? NULL : memset(taken, 0, bytes);
}

size_t rt_scratch_mark(const rt_memory *m) {
    return m->high;
}

void rt_scratch_release(rt_memory *m, size_t mark) {
    if (m->bottom == NULL) {
        free_blocks(&m->scratch, &m->high, mark);
        return;
    }
    m->top += m->high - mark;
    m->high = mark;
}

size_t rt_mark(const rt_memory *m) {
    return m->low;
}

void rt_release(rt_memory *m, size_t mark) {
    if (m->bottom == NULL) {
        free_blocks(&m->blocks, &m->low, mark);
        return;
    }
    m->bottom -= m->low - mark;
    m->low = mark;
}

/* ---- arrays that grow ---- */

/* The newest block, made or moved to hold so many bytes. */
static bool resize_block(rt_memory *m, void **array, size_t bytes) {
    rt_block *old = *array == NULL ? NULL : m->blocks;
    rt_block *block = realloc(old, HEAD + bytes);
    if (block == NULL)
        return false;
    if (old == NULL) {
        block->next = m->blocks;
        block->before = m->low;
    }
    m->blocks = block;
    *array = bytes_of(block);
    return true;
}

size_t rt_more(rt_memory *m, void **array, size_t used, size_t least) {
    if (used > BYTES_MOST / 2 || least > BYTES_MOST / 2)
        return 0;
    if (m->bottom != NULL) {
        const size_t room = (size_t)(m->top - m->bottom);
        *array = m->bottom;
        return room - used < least ? 0 : room;
    }
    const size_t wanted = 2 * used + least < GROWN_LEAST ? GROWN_LEAST : 2 * used + least;
    return resize_block(m, array, wanted) ? wanted : 0;
}

bool rt_settle(rt_memory *m, void **array, size_t used) {
    const size_t bytes = rounded(used == 0 ? 1 : used);
    if (m->bottom == NULL) {
        if (!resize_block(m, array, bytes))
            return false;
    } else {
        if (bytes > (size_t)(m->top - m->bottom))
            return false;
        *array = m->bottom;
        m->bottom += bytes;
    }
    count_bytes(m, &m->low, bytes);
    return true;
}
