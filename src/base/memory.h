/* Allocation with checked sizes. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Alignment of every numeric buffer: one cache line, one AVX-512 register. */
#define BASE_ALIGNMENT 64

/* *product = a * b; false when it overflows. */
bool base_multiply(size_t a, size_t b, size_t *product);

/* Zeroed array of count elements of size bytes, aligned to BASE_ALIGNMENT;
 * NULL when memory is short or the product overflows. Free with base_free.
 * count 0 gives a valid pointer. */
void *base_array(size_t count, size_t size);

/* Grows or shrinks an array of base_array from old_count to count elements;
 * new elements are zero. On failure NULL, and the old array stays. */
void *base_array_resize(void *array, size_t old_count, size_t count, size_t size);

/* The array with room for one element after the first count: itself, or one of twice
 * the capacity, which then has zeros after count. On failure NULL, and the old array
 * stays. An array of NULL has capacity 0. */
void *base_array_grow(void *array, size_t count, size_t *capacity, size_t size);

/* A copy of count elements; NULL when memory is short. */
void *base_array_copy(const void *array, size_t count, size_t size);

/* How many of rising[count] are below the value: by halves. */
size_t base_array_below(const size_t *rising, size_t count, size_t value);

void base_free(void *memory);

/* Whether so many bytes, not 0, could be had of the system at this moment. None are kept, as malloc
 * may keep what is freed, where others that ask the system do not get it. */
bool base_has_room(size_t bytes);

/* Bytes that the process may hold: the machine's memory, or less where its address space or its
 * control groups are limited. */
uint64_t base_memory_size(void);

/* The least limit of the process's control groups, of version 1 or 2, by the files below root;
 * UINT64_MAX: none. */
uint64_t base_memory_group_limit(const char *root);

#endif
