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

#endif
