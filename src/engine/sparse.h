/* A convolution or an inner product on the support: lists of the weights it keeps, on images
 * that stand in memory one after another, row-major or in blocks of channels, or one in a lane.
 *
 * The kernels are those of one SIMD lane an image (lanes_kernels.h). Images are brought into
 * that form block by block just before they are used, a convolution's in strips of rows that
 * the second cache holds, and what is made of them is brought back: no tensor is there twice.
 * Of images that are in lanes already it is a copy. On the way padding becomes zeros and a stride
 * planes that are read side by side, so that every convolution is one of stride 1 without padding.
 * The gradient by the input is such a convolution too, of the output's gradient by the lists turned
 * round.
 *
 * Threads divide blocks and strips, of an inner product rows and panels of columns, by their
 * number alone, and sums are added in their order. */
#ifndef ENGINE_SPARSE_H
#define ENGINE_SPARSE_H

#include "engine/lanes_kernels.h"
#include "graph/graph.h"

typedef enum sparse_pass { SPARSE_FORWARD, SPARSE_WEIGHTS, SPARSE_DATA, SPARSE_PASSES } sparse_pass;

/* One axis of a convolution: rows or columns. Place q of phase p stands for the input's pixel
 * q * stride + p - pad. */
typedef struct sparse_axis {
    size_t size, out, kernel, dilation, stride, pad;
    size_t reach;                  /* places that a window reads beyond its first */
    size_t data_first, data_count; /* places that hold pixels */
    ptrdiff_t dy_first;            /* of the outputs that these have their gradient from */
    size_t dy_count;
} sparse_axis;

typedef struct sparse_layer {
    const lanes_kernels *kernels;
    bool product;
    bool runs[SPARSE_PASSES]; /* which passes the lists are faster in */
    size_t channels, filters; /* of an inner product: columns and rows */
    size_t first, count;      /* its weights in the compact vector */
    sparse_axis axis[2];      /* of a convolution */
    size_t rows;              /* of a strip */
    lanes_sparse list;        /* by filter */
    lanes_sparse turned;      /* by plane of the input */
    uint32_t *entry;          /* [count]: the weight of each of turned */
    lanes_panels panels;      /* of an inner product */
    size_t shared_floats;     /* scratch */
    size_t thread_floats;     /* and that of each thread */
} sparse_layer;

/* Of a channel: one for each phase of the strides. */
static inline size_t sparse_planes(const sparse_layer *l) {
    return l->axis[0].stride * l->axis[1].stride;
}

/* Of the node's weights index[count] are there, places in the flat vector; weight `first` of
 * the compact one is the first of them. For passes over so many samples in so many threads.
 * *out NULL: no pass would be faster. force: the lists are to run whatever they cost.
 * The layer is freed with sparse_layer_free. */
admmnn_status sparse_layer_create(const graph *g, const graph_node *node, const size_t *index,
                                  size_t first, size_t count, size_t samples, unsigned threads,
                                  bool force, sparse_layer **out, admmnn_error *err);
void sparse_layer_free(sparse_layer *l);

/* A convolution's or an inner product's tensors: what is NULL is not wanted.
 *
 * A batch normalization of a convolution's x, or of its y, may be done on the way, where x or y is
 * in blocks of channels or in lanes: x is what is to be normalized then; and dy the gradient of
 * what y becomes, y being there in the backward pass too. Tensors are so read and written once
 * where they would be twice or three times. In lanes and where the stride is 1, dx may be dx_added;
 * and, of images of one size and in one thread, the y that y_norm normalizes. */
typedef struct sparse_call {
    const sparse_layer *layer;
    size_t samples;
    size_t count; /* of them are of the batch: with a normalization the others pass nothing */
    unsigned threads;
    const float *weights; /* [layer->count] */
    const float *bias;    /* [filters], or NULL */
    const float *x, *dy;
    float *y, *dx;
    float *dw, *db;                    /* [layer->count], [filters] */
    lanes_layout x_layout, y_layout;   /* dx has x's, dy has y's */
    const lanes_norm *x_norm, *y_norm; /* of all channels; y_norm in the backward pass */
    /* Of x in lanes that a rectifier made of a normalization of x_normalized, or NULL: dx and
     * dx_added, unless that is NULL, go back through the rectifier together. */
    const float *x_normalized, *dx_added;
    /* By channel to a whole block, of one thread alone, or NULL: [2][filters] of y and of y * y;
     * and [2][channels], backward, of the gradient dx with x, as x_norm passes it, or with
     * x_normalized. */
    double *y_sums, *x_sums;
    float *scratch; /* sparse_scratch of the layer */
} sparse_call;

size_t sparse_scratch(const sparse_layer *l, unsigned threads);
/* y */
void sparse_forward(const sparse_call *call);
/* dw and db, and dx */
void sparse_backward(const sparse_call *call);

/* ---- sparse_conv.c, sparse_product.c ---- */

/* The scratch floats of a layer whose lists are made. */
void sparse_conv_scratch(sparse_layer *l);
void sparse_product_scratch(sparse_layer *l);
void sparse_conv_forward(const sparse_call *call);
void sparse_conv_backward(const sparse_call *call);
void sparse_product_forward(const sparse_call *call);
void sparse_product_backward(const sparse_call *call);

#endif
