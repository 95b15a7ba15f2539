/* What is computed and where it lies: which operations a layer does on the way, and the places
 * of values in one buffer, by when they are read last. */
#ifndef EXPORT_PLAN_H
#define EXPORT_PLAN_H

#include "graph/graph.h"

/* What an operation with weights does. Its rows are its outputs. */
typedef struct export_layer {
    bool turned;            /* a matmul: its parameter's columns are the rows */
    uint32_t rows, columns; /* of the weights */
    uint32_t bias;          /* parameter; GRAPH_NONE: none, or biases */
    float *scales, *biases; /* [rows] or NULL; the plan's */
    float low, high;
} export_layer;

typedef struct export_step {
    bool needed;         /* the output depends on it */
    bool done;           /* by another step; nothing is run */
    export_layer *layer; /* NULL: it has none */
    uint32_t pooled;     /* a pooling: the convolution it is run with, or GRAPH_NONE */
    size_t plane;        /* of those, where a plane of the convolution lies in the buffer */
} export_step;

typedef enum export_home {
    EXPORT_FIXED, /* a constant or a parameter */
    EXPORT_IN,    /* the caller's input */
    EXPORT_OUT,   /* the caller's output */
    EXPORT_BUFFER
} export_home;

typedef struct export_place {
    export_home home;
    size_t at; /* of its numbers in the buffer */
} export_place;

typedef struct export_plan {
    uint32_t node_count;
    export_step *steps;   /* [node_count] */
    export_place *places; /* [values] */
    uint32_t *only;       /* [values] the one operation that reads it; GRAPH_NONE: not exactly one,
                             or the caller too */
    size_t count;         /* numbers that the buffer has */
} export_plan;

/* params[g->flat_count]. apart: planes of convolutions that are pooled are not in the buffer.
 * *plan is the caller's, freed with export_plan_free, of a failure too. */
admmnn_status export_plan_make(const graph *g, const float *params, bool apart, export_plan *plan,
                               admmnn_error *err);
void export_plan_free(export_plan *plan);

/* The numbers of a constant or a parameter; NULL: it varies. */
const float *export_fixed(const graph *g, const float *params, uint32_t value);

#endif
