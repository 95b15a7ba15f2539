/* What the targets of packed files share (packed.c). */
#ifndef FUZZ_PACKED_H
#define FUZZ_PACKED_H

#include <stdbool.h>

#include "graph/graph.h"

/* Larger networks only take time: numbers of parameters, and of all values together. */
#define PACKED_NUMBERS_MOST ((size_t)1 << 16)

bool packed_is_small(const graph *g);

#endif
