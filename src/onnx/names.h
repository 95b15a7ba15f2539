/* The tensors of a graph being read, by name. */
#ifndef ONNX_NAMES_H
#define ONNX_NAMES_H

#include "graph/graph.h"
#include "onnx/array.h"
#include "onnx/texts.h"

/* A constant, or a value of the graph. Flatten, Reshape and their like make views of one
 * value, which becomes a node of its own only where a reader wants the shape. */
typedef struct onnx_tensor {
    const char *name;
    bool known; /* made already; before that the last three fields alone are filled */
    /* A constant: */
    const onnx_array *array; /* NULL: a value */
    uint32_t operand;        /* the value that stands for it in the graph, or GRAPH_NONE */
    /* A value: */
    uint32_t root;                /* the value that it shows */
    uint32_t whole;               /* the value of this shape, or GRAPH_NONE: not made yet */
    graph_shape shape;            /* of one sample, as the view has it */
    uint32_t before;              /* its axes that stand before the batch's, in the file alone */
    const Onnx__NodeProto *shown; /* the node that made the view; NULL: no view */
    size_t producer;              /* the file's node that makes it; SIZE_MAX: none */
    size_t reads, reader;         /* how often it is read, and the last node that reads it */
} onnx_tensor;

/* numbers: each name's place in the list, where tensors stay. */
typedef struct onnx_names {
    onnx_tensor *list; /* [most] */
    size_t most;
    onnx_texts numbers;
    onnx_arena *arena;
} onnx_names;

bool onnx_names_create(onnx_names *names, size_t most, onnx_arena *arena);
/* NULL when there is none. */
onnx_tensor *onnx_names_find(const onnx_names *names, const char *name);
/* The name's place, a new one where there is none; NULL: no name, or no room for more. */
onnx_tensor *onnx_names_place(onnx_names *names, const char *name);

#endif
