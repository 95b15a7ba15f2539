#ifndef TESTS_GRAPH_SUPPORT_H
#define TESTS_GRAPH_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "graph/graph.h"

static inline graph *graph_make(graph_shape input) {
    graph *g;
    assert_int_equal(graph_create("net", input, &g, NULL), ADMMNN_OK);
    return g;
}

static inline graph_window window_of(uint32_t kernel, uint32_t stride, uint32_t pad) {
    return (graph_window){{kernel, kernel}, {stride, stride}, {pad, pad}};
}

#endif
