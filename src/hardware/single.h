/* One layer of a network by itself, a convolution or an inner product of one sample, at a share
 * of its weights: by the runtime's sparse kernels and by oneDNN's dense ones, so that the two can
 * be timed in turns. */
#ifndef HARDWARE_SINGLE_H
#define HARDWARE_SINGLE_H

#include "admmnn/runtime.h"
#include "graph/graph.h"
#include "hardware/single_dense.h"

typedef struct single {
    graph *g; /* of the layer alone, without biases */
    unsigned threads;
    size_t inputs, outputs;
    uint64_t kept;            /* weights that are there */
    float *params;            /* [g->flat_count] */
    float *input;             /* [inputs] */
    float *made;              /* [outputs], the runtime's */
    single_dense *dense;      /* oneDNN */
    admmnn_runtime *sparse;   /* the runtime, once weights are drawn */
    admmnn_runtime_info info; /* its */
    void *workspace;          /* its */
} single;

/* The i-th layer of g; *out is the caller's. UNSUPPORTED: a transposed convolution. */
admmnn_status single_create(const graph *g, uint32_t layer, unsigned threads, single **out,
                            admmnn_error *err);
void single_free(single *s);
/* Weights stay with a probability of `share`, on levels of 4 bits, and the runtime keeps them so.
 * What is drawn is each by itself; blocks of SINGLE_BLOCK_ROWS rows and one column; whole columns;
 * or, of every SINGLE_RUN following ones of a row, which of them, in number as near to the share as
 * can be, but one. */
typedef enum single_structure {
    SINGLE_UNSTRUCTURED,
    SINGLE_BLOCKS,
    SINGLE_COLUMNS,
    SINGLE_N_OF_M
} single_structure;
#define SINGLE_BLOCK_ROWS 4U
#define SINGLE_RUN 4U
admmnn_status single_draw(single *s, single_structure structure, double share,
                          admmnn_runtime_weights weights, admmnn_error *err);
/* One sample. The runtime's way begins and ends with row-major floats, copies included; oneDNN's
 * in formats of its choice, which are ready. */
admmnn_status single_run_sparse(single *s, admmnn_error *err);
admmnn_status single_run_dense(single *s, admmnn_error *err);
/* The largest difference of their outputs over the largest output; both are run. */
admmnn_status single_compare(single *s, double *apart, admmnn_error *err);

/* Multiply-adds of the dense layer, and its weights. */
uint64_t single_operations(const single *s);
uint64_t single_weights(const single *s);

#endif
