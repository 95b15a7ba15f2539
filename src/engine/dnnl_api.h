/* The calls of oneDNN that changed between its versions 2 and 3: memory
 * descriptors became handles and operation descriptors went away. dnnl_tape.c
 * and dnnl_network.c are written against this file and against calls that are
 * the same in both. */
#ifndef ENGINE_DNNL_API_H
#define ENGINE_DNNL_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnnl.h>

#include "engine/lanes_kernels.h"

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t dnnl_api_desc;
#else
typedef const dnnl_memory_desc_t *dnnl_api_desc;
#endif

typedef struct dnnl_api {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attributes; /* scratch memory is the caller's */
} dnnl_api;

/* dnnl_api_close takes what dnnl_api_open left, also when that failed. */
dnnl_status_t dnnl_api_open(dnnl_api *api);
void dnnl_api_close(dnnl_api *api);

/* Threads of the calling thread's next calls; returns the number until now.
 * oneDNN built for OpenMP (Debian's) takes it from OpenMP's per-thread setting;
 * for another runtime the threads are that runtime's and this does nothing. */
int dnnl_api_set_threads(int threads);

/* Calls task(argument, thread, threads) in as many of the threads oneDNN's calls run on, and
 * returns when all have returned: what runs between such calls meets no other threads than
 * theirs. */
void dnnl_api_run(unsigned threads, void (*task)(void *, unsigned, unsigned), void *argument);

/* Descriptors of 32-bit floats made here and copies are the caller's, freed with
 * dnnl_api_desc_free; those of a primitive descriptor are its own. `any` leaves
 * the format to the primitive, otherwise it is row-major. */
dnnl_status_t dnnl_api_desc_create(int ndims, const dnnl_dims_t dims, bool any, dnnl_api_desc *out);
dnnl_status_t dnnl_api_desc_copy(dnnl_api_desc desc, dnnl_api_desc *out);
void dnnl_api_desc_free(dnnl_api_desc desc);
/* How a tensor of [N][C]... stands in memory; block 0: in no such way. */
lanes_layout dnnl_api_desc_layout(dnnl_api_desc desc);
/* As dnnl_api_desc_create, of images [N][C][H][W] in so many lanes, N being a multiple; or in
 * blocks of so many channels. */
dnnl_status_t dnnl_api_desc_in_lanes(const dnnl_dims_t dims, size_t lanes, dnnl_api_desc *out);
dnnl_status_t dnnl_api_desc_in_blocks(const dnnl_dims_t dims, size_t block, dnnl_api_desc *out);
/* Its number of dimensions, and those. */
int dnnl_api_desc_dims(dnnl_api_desc desc, dnnl_dims_t dims);

/* Two axes, {vertical, horizontal}. oneDNN counts a dilation from 0. */
typedef struct dnnl_api_window {
    dnnl_dims_t kernel, stride, dilation, pad, pad_end;
} dnnl_api_window;

/* What a primitive reads and writes, and how. Forward: src, weights, bias, dst; backward
 * by the same places: the gradient's descriptor stands where its value's does. */
typedef struct dnnl_api_shapes {
    dnnl_api_desc src, weights, bias, dst; /* weights: of a binary the second source */
    const dnnl_api_window *window;
    dnnl_alg_kind_t algorithm;              /* of a pooling, a function of an element, a binary */
    float alpha, beta, bias_value;          /* of such a function; lrn: alpha, beta, bias */
    float epsilon;                          /* of a normalization */
    unsigned flags;                         /* of a normalization */
    dnnl_dim_t size;                        /* of an lrn */
    const_dnnl_primitive_desc_t forward;    /* backward: the forward primitive */
    const_dnnl_primitive_attr_t attributes; /* NULL: the api's */
} dnnl_api_shapes;

/* Each makes a primitive descriptor, freed with dnnl_primitive_desc_destroy.
 * training: the forward pass keeps what the backward pass needs. */
typedef dnnl_status_t dnnl_api_make(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                    bool training, dnnl_primitive_desc_t *out);
dnnl_api_make dnnl_api_conv_forward, dnnl_api_conv_weights, dnnl_api_conv_data;
dnnl_api_make dnnl_api_transposed_forward, dnnl_api_transposed_weights, dnnl_api_transposed_data;
dnnl_api_make dnnl_api_product_forward, dnnl_api_product_weights, dnnl_api_product_data;
dnnl_api_make dnnl_api_pool_forward, dnnl_api_pool_backward;
/* Of one element each, dst in src's format. Backward reads dst where the algorithm says so. */
dnnl_api_make dnnl_api_element_forward, dnnl_api_element_backward;
dnnl_api_make dnnl_api_binary;
dnnl_api_make dnnl_api_batch_norm_forward, dnnl_api_batch_norm_backward;
dnnl_api_make dnnl_api_lrn_forward, dnnl_api_lrn_backward;
dnnl_status_t dnnl_api_concat(const dnnl_api *api, const dnnl_api_desc *src, int count, int axis,
                              dnnl_api_desc dst, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_reorder(const dnnl_api *api, dnnl_api_desc from, dnnl_api_desc to,
                               dnnl_primitive_desc_t *out);

/* Attributes of a primitive that adds its output to what is there, if it sums, and puts that
 * through a function of one element, which may be NULL. They are the caller's, freed with
 * dnnl_primitive_attr_destroy. */
dnnl_status_t dnnl_api_attributes(bool sums, const dnnl_api_shapes *function,
                                  dnnl_primitive_attr_t *out);

#endif
