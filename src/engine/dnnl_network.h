/* A graph recorded as a tape of oneDNN calls, forward and then backward, for a
 * fixed number of samples.
 *
 * It is recorded in one of two ways. As a share it is what one thread does of a batch:
 * batch normalizations are left to the caller, who has the sums of all shares. As a whole
 * it is all of a batch: oneDNN divides each call among threads, and normalizes.
 *
 * Formats follow the data: a primitive is first asked for in the format its input already
 * has (an inner product: in the row-major format of the flat parameter vector), with the
 * rest left open; only when oneDNN has nothing but its slow reference for that is the
 * input's format left open too, and a reorder recorded. Nodes that do not lead to the output
 * have no gradient and are left out.
 *
 * What oneDNN does not do stands between its calls, at marks on the tape: filling the
 * input, the loss, dropout, and operations it lacks, on row-major tensors. */
#ifndef ENGINE_DNNL_NETWORK_H
#define ENGINE_DNNL_NETWORK_H

#include "engine/backend.h"
#include "engine/dnnl_support.h"
#include "engine/dnnl_tape.h"

typedef struct dnnl_node dnnl_node;
typedef struct dnnl_own dnnl_own;
typedef struct dnnl_move dnnl_move;

typedef enum dnnl_work {
    DNNL_FILL,      /* y: the input */
    DNNL_DROPOUT,   /* y, in place; training alone */
    DNNL_NORM_SUMS, /* of x, unless they are there; training alone */
    DNNL_NORM,      /* y from x, unless it is done on the way; z is added, or NONE */
    DNNL_FOLD,      /* y, weights, and z, biases, of which a normalization is part */
    DNNL_SPARSE,    /* y from x, by lists (sparse.h), and the sums of the normalization after it */
    DNNL_MOVE,      /* y from x (dnnl_move.h) */
    DNNL_OWN,       /* a node's operation (dnnl_own.h) */
    DNNL_LOSS,      /* x: the logits; y: their gradient */
    DNNL_UNMOVE,    /* y, the gradient by the input, from x, that by the output */
    DNNL_UNSPARSE,  /* y, the gradient by the input, or by the weights from x, from z, that by
                       the output */
    DNNL_UNOWN,     /* a node's gradients */
    DNNL_UNDROP,    /* dropout of the gradient y, in place */
    DNNL_UNRELU,    /* y += z, and 0 where x is not above it */
    DNNL_UNNORM_SUMS, /* of the gradient z with x, through the rectifier, unless they are there */
    DNNL_UNNORM       /* the gradient y from z, which it may be, with x */
} dnnl_work;

/* A batch normalization that a layer on lists does on the way, of its input or its output. */
typedef struct dnnl_on_the_way {
    uint32_t norm; /* its number, or TAPE_NONE */
    bool rectified;
} dnnl_on_the_way;

/* One piece of such work. */
typedef struct dnnl_mark {
    dnnl_work work;
    unsigned when;                 /* tape_when's, added */
    size_t call;                   /* its place on the tape */
    uint32_t node;                 /* of the graph */
    uint32_t norm;                 /* its number among the batch normalizations of a share */
    lanes_layout layout;           /* of such a one's tensors */
    bool rectified;                /* and whether a rectifier is part of it */
    lanes_layout x_layout;         /* of a layer on lists: of its input */
    lanes_layout y_layout;         /* and of its output, and of their gradients */
    dnnl_on_the_way before, after; /* backward both, forward the first */
    bool sums;           /* and those of the next node, backward the one before, are added up */
    uint32_t x, y, z;    /* tensors, or TAPE_NONE */
    uint32_t made;       /* likewise: what `after` normalizes */
    uint32_t normalized; /* likewise: what became x by a normalization and a rectifier that y goes
                            back through */
    uint32_t added;      /* and what is added to y before */
    const dnnl_own *own; /* of such a node */
    const dnnl_move *move;
} dnnl_mark;

typedef struct dnnl_plan {
    const engine_settings *settings; /* of the engine */
    size_t samples;
    unsigned shares;  /* networks of this plan */
    unsigned threads; /* of each oneDNN call */
    bool training;    /* the backward pass too */
    bool fuses;       /* operations run together, in whatever format they are */
    bool whole;       /* the samples are all of a batch, those of one that trains to the last */
    const dnnl_support *support; /* of one that trains, or NULL: all parameters are there */
} dnnl_plan;

typedef struct dnnl_network {
    const graph *graph;
    dnnl_plan plan;
    tape tape;
    dnnl_node *nodes;    /* [node_count] of the graph */
    uint32_t norm_count; /* batch normalizations of a share */
    dnnl_mark *marks;    /* in the order of the tape */
    size_t mark_count, mark_capacity;
    float *gradient; /* [flat_count]; training only */
    uint64_t bytes;  /* that dnnl_claim was asked for */
    float *scratch;  /* of layers on lists */
    /* While it is recorded, of each of the graph's values: */
    uint32_t *tensor;     /* where it is, or TAPE_NONE */
    uint32_t *left;       /* how many nodes will still read it; the output: one more */
    uint32_t (*terms)[2]; /* tensors whose sum is its gradient so far, or TAPE_NONE */
    bool *wanted;         /* whether its gradient is */
} dnnl_network;

/* ADMMNN_UNSUPPORTED when oneDNN or this recording lacks an operation.
 * dnnl_network_close takes what dnnl_network_open left, also when that failed. */
admmnn_status dnnl_network_open(const graph *g, const dnnl_plan *plan, dnnl_network *d,
                                admmnn_error *err);
void dnnl_network_close(dnnl_network *d);

/* To be asked before so much is taken: ADMMNN_MEMORY where all shares together would want more
 * than there is. */
admmnn_status dnnl_claim(dnnl_network *d, uint64_t bytes, admmnn_error *err);

/* The lists of the node that runs on them in one of its passes, or NULL. */
const sparse_layer *dnnl_listed(const dnnl_network *d, uint32_t node);

/* The batch normalization that is part of what a node's calls do. */
const graph_node *dnnl_norm_after(const dnnl_network *d, uint32_t node);

#endif
