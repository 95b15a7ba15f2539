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

/* Descriptors of 32-bit floats made here and copies are the caller's, freed with
 * dnnl_api_desc_free; those of a primitive descriptor are its own. `any` leaves
 * the format to the primitive, otherwise it is row-major. */
dnnl_status_t dnnl_api_desc_create(int ndims, const dnnl_dims_t dims, bool any, dnnl_api_desc *out);
dnnl_status_t dnnl_api_desc_copy(dnnl_api_desc desc, dnnl_api_desc *out);
void dnnl_api_desc_free(dnnl_api_desc desc);

/* {vertical, horizontal}; padding is symmetric. */
typedef struct dnnl_api_window {
    dnnl_dims_t kernel, stride, pad;
} dnnl_api_window;

/* What a primitive reads and writes. Forward: src, weights, bias, dst; backward
 * by the same places: the gradient's descriptor stands where its value's does. */
typedef struct dnnl_api_shapes {
    dnnl_api_desc src, weights, bias, dst;
    const dnnl_api_window *window;
    const_dnnl_primitive_desc_t forward; /* backward: the forward primitive */
} dnnl_api_shapes;

/* Each makes a primitive descriptor, freed with dnnl_primitive_desc_destroy.
 * training: the forward pass keeps what the backward pass needs. */
typedef dnnl_status_t (*dnnl_api_make)(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                       bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_conv_forward(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                    bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_conv_weights(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                    bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_conv_data(const dnnl_api *api, const dnnl_api_shapes *shapes, bool training,
                                 dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_product_forward(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                       bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_product_weights(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                       bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_product_data(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                    bool training, dnnl_primitive_desc_t *out);
/* The largest element of each window. */
dnnl_status_t dnnl_api_pool_forward(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                    bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_pool_backward(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                     bool training, dnnl_primitive_desc_t *out);
/* In place; the backward pass reads dst, not src. */
dnnl_status_t dnnl_api_relu_forward(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                    bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_relu_backward(const dnnl_api *api, const dnnl_api_shapes *shapes,
                                     bool training, dnnl_primitive_desc_t *out);
dnnl_status_t dnnl_api_reorder(const dnnl_api *api, dnnl_api_desc from, dnnl_api_desc to,
                               dnnl_primitive_desc_t *out);

#endif
