/* The support of a network that oneDNN runs: the layers that are faster on lists, and how
 * compact vectors go into flat ones, and back, for all the rest. */
#ifndef ENGINE_DNNL_SUPPORT_H
#define ENGINE_DNNL_SUPPORT_H

#include "engine/sparse.h"

typedef struct dnnl_support {
    size_t count;          /* of the compact vector */
    size_t *index;         /* [count]: places in the flat one */
    sparse_layer **layers; /* [node_count]; NULL: on oneDNN alone */
    uint32_t node_count;
    float *flat; /* [flat_count]: the parameters of layers that oneDNN reads; else zeros */
    struct dnnl_support_range {
        size_t first, count;
        bool scattered, gathered;
    } * ranges; /* [parameter_count], in the compact vector */
    uint32_t parameter_count;
} dnnl_support;

/* For passes over so many samples in so many threads. Freed with dnnl_support_free.
 * every_layer: lists even where they are slower. */
admmnn_status dnnl_support_create(const graph *g, const size_t *index, size_t count, size_t samples,
                                  unsigned threads, bool every_layer, dnnl_support **out,
                                  admmnn_error *err);
void dnnl_support_free(dnnl_support *s);

/* Floats of scratch that its layers' passes want. */
size_t dnnl_support_scratch(const dnnl_support *s, unsigned threads);

/* params[count] to `flat`. */
void dnnl_support_scatter(const dnnl_support *s, const float *params);
/* The flat gradient to part[count], but for what the lists have written there. */
void dnnl_support_gather(const dnnl_support *s, const float *gradient, float *part);

#endif
