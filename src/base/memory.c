/* sysconf's number of pages, mappings without a file. */
#define _DEFAULT_SOURCE
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Elements of an array that grows, at first. */
#define GROWN_LEAST 16

bool base_multiply(size_t a, size_t b, size_t *product) {
    return !__builtin_mul_overflow(a, b, product);
}

void *base_array(size_t count, size_t size) {
    size_t bytes;
    if (!base_multiply(count, size, &bytes) || bytes > SIZE_MAX - BASE_ALIGNMENT)
        return NULL;
    size_t padded = (bytes + BASE_ALIGNMENT - 1) / BASE_ALIGNMENT * BASE_ALIGNMENT;
    if (padded == 0)
        padded = BASE_ALIGNMENT;
    void *memory = aligned_alloc(BASE_ALIGNMENT, padded);
    if (memory != NULL)
        memset(memory, 0, padded);
    return memory;
}

void *base_array_resize(void *array, size_t old_count, size_t count, size_t size) {
    void *grown = base_array(count, size);
    if (grown == NULL)
        return NULL;
    size_t keep = old_count < count ? old_count : count;
    if (array != NULL && keep > 0)
        memcpy(grown, array, keep * size);
    base_free(array);
    return grown;
}

void *base_array_grow(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return array;
    size_t wanted;
    if (!base_multiply(*capacity, 2, &wanted))
        return NULL;
    wanted = wanted < GROWN_LEAST ? GROWN_LEAST : wanted;
    void *grown = base_array_resize(array, count, wanted, size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

void *base_array_copy(const void *array, size_t count, size_t size) {
    void *copy = base_array(count, size);
    if (copy != NULL && count > 0)
        memcpy(copy, array, count * size);
    return copy;
}

size_t base_array_below(const size_t *rising, size_t count, size_t value) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (rising[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void base_free(void *memory) {
    free(memory);
}

bool base_has_room(size_t bytes) {
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room != MAP_FAILED && munmap(room, bytes) == 0;
}

uint64_t base_memory_size(void) {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long bytes = sysconf(_SC_PAGESIZE);
    uint64_t size = pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes : UINT64_MAX;
    const uint64_t group = base_memory_group_limit("/");
    size = group < size ? group : size;
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < size)
        size = limit.rlim_cur;
    return size;
}
