/* Where buffers that live at different times stand in one allocation. */
#ifndef ENGINE_PLACE_H
#define ENGINE_PLACE_H

#include <stddef.h>

/* A buffer in use from call `birth` to call `death`, both included. */
typedef struct engine_buffer {
    size_t bytes;
    size_t birth, death;
    size_t offset; /* result: a multiple of BASE_ALIGNMENT */
} engine_buffer;

/* Gives every buffer an offset such that no two that live at the same time
 * overlap; largest first, each at the lowest place that is free all its life.
 * Returns the bytes of the whole. order[count] is scratch. */
size_t engine_place(engine_buffer *buffers, size_t count, size_t *order);

#endif
