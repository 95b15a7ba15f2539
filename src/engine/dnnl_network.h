/* A graph recorded as a tape of oneDNN calls, forward and then backward, for a
 * fixed number of samples on one thread.
 *
 * The nodes that lead to the output form a chain, as every operation reads one
 * value; the others have no gradient and are left out. Formats follow the data:
 * a primitive is first asked for in the format its input already has (an inner
 * product: in the row-major format of the flat parameter vector), with the rest
 * left open; only when oneDNN has nothing but its slow reference for that is the
 * input's format left open too, and a reorder recorded. */
#ifndef ENGINE_DNNL_NETWORK_H
#define ENGINE_DNNL_NETWORK_H

#include "engine/dnnl_tape.h"
#include "graph/graph.h"

typedef struct dnnl_node dnnl_node;

typedef struct dnnl_network {
    const graph *graph;
    size_t samples;
    tape tape;
    dnnl_node *chain; /* first to last */
    uint32_t chain_count;
    uint32_t input, logits, loss_gradient; /* row-major tensors [samples][...] */
    size_t forward_end; /* calls [0, forward_end) are the forward pass, the rest the backward */
    float *gradient;    /* [flat_count]; training only */
} dnnl_network;

/* ADMMNN_UNSUPPORTED when oneDNN or this recording lacks an operation.
 * dnnl_network_close takes what dnnl_network_open left, also when that failed. */
admmnn_status dnnl_network_open(const graph *g, size_t samples, bool training, dnnl_network *d,
                                admmnn_error *err);
void dnnl_network_close(dnnl_network *d);

#endif
