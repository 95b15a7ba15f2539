/* What the targets of packed files share, beside their mutator (packed.c). */
#ifndef FUZZ_PACKED_H
#define FUZZ_PACKED_H

#include <stdbool.h>

#include "graph/graph.h"

/* Larger networks only take time: numbers of parameters, and of all values together. */
#define PACKED_NUMBERS_MOST ((size_t)1 << 16)

static inline bool packed_is_small(const graph *g) {
    size_t numbers = g->flat_count;
    for (uint32_t v = 0; v < g->value_count && numbers <= PACKED_NUMBERS_MOST; v++)
        numbers += graph_value_count(g, v);
    return numbers <= PACKED_NUMBERS_MOST;
}

#endif
