/* A graph recorded as a tape of oneDNN calls, forward and then backward, for a
 * fixed number of samples on one thread.
 *
 * The nodes that lead to the output form a chain, as every operation reads one
 * value; the others have no gradient and are left out. Formats follow the data:
 * a primitive is first asked for in the format its input already has (an inner
 * product: in the row-major format of the flat parameter vector), with the rest
 * left open; only when oneDNN has nothing but its slow reference for that is the
 * input's format left open too, and a reorder recorded.
 *
 * What oneDNN does not do stands between its calls, at marks on the tape: filling the
 * input, the loss, and batch normalization and dropout, which work on row-major tensors. */
#ifndef ENGINE_DNNL_NETWORK_H
#define ENGINE_DNNL_NETWORK_H

#include "engine/dnnl_tape.h"
#include "graph/graph.h"

typedef struct dnnl_node dnnl_node;

typedef enum dnnl_work {
    DNNL_FILL,        /* y: the input */
    DNNL_DROPOUT,     /* y, in place; training alone */
    DNNL_NORM_SUMS,   /* of x; training alone */
    DNNL_NORM,        /* y from x */
    DNNL_LOSS,        /* x: the logits; y: their gradient */
    DNNL_UNDROP,      /* dropout of the gradient y, in place */
    DNNL_UNNORM_SUMS, /* of the gradient y with x */
    DNNL_UNNORM       /* the gradient y, in place, with x */
} dnnl_work;

/* One piece of such work. */
typedef struct dnnl_mark {
    dnnl_work work;
    size_t call;   /* its place on the tape */
    uint32_t node; /* of the graph */
    uint32_t norm; /* its number among the batch normalizations of the chain */
    uint32_t x, y; /* tensors */
} dnnl_mark;

typedef struct dnnl_network {
    const graph *graph;
    size_t samples;
    tape tape;
    dnnl_node *chain; /* first to last */
    uint32_t chain_count;
    uint32_t norm_count; /* batch normalizations among them */
    dnnl_mark *marks;    /* in the order of the tape */
    size_t mark_count, mark_capacity;
    float *gradient; /* [flat_count]; training only */
} dnnl_network;

/* ADMMNN_UNSUPPORTED when oneDNN or this recording lacks an operation.
 * dnnl_network_close takes what dnnl_network_open left, also when that failed. */
admmnn_status dnnl_network_open(const graph *g, size_t samples, bool training, dnnl_network *d,
                                admmnn_error *err);
void dnnl_network_close(dnnl_network *d);

#endif
