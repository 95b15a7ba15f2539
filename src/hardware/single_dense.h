/* A convolution or an inner product by oneDNN, in the formats that it prefers. */
#ifndef HARDWARE_SINGLE_DENSE_H
#define HARDWARE_SINGLE_DENSE_H

#include "graph/graph.h"

typedef struct single_dense single_dense;

/* g: of one layer without biases. It and params, [g->flat_count], must outlive the layer. */
admmnn_status single_dense_create(const graph *g, const float *params, unsigned threads,
                                  single_dense **out, admmnn_error *err);
void single_dense_free(single_dense *d);
/* Of the parameters as they are now, and of the input, row-major, in formats of oneDNN's. */
admmnn_status single_dense_prepare(single_dense *d, const float *input, admmnn_error *err);
/* The layer alone. */
admmnn_status single_dense_run(single_dense *d, admmnn_error *err);
/* Its output, row-major, until it is prepared or run again; afterwards it must be prepared. */
admmnn_status single_dense_read(single_dense *d, const float **output, admmnn_error *err);

#endif
