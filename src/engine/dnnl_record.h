/* What the files that record a network (dnnl_network.h) share: one file a kind of operation,
 * each with its forward and its backward calls. */
#ifndef ENGINE_DNNL_RECORD_H
#define ENGINE_DNNL_RECORD_H

#include "engine/dnnl_network.h"

/* What the backward pass needs to know of a node's forward pass. */
struct dnnl_node {
    const graph_node *node;
    const graph_node *norm; /* batch normalization that is folded into its weights, or NULL */
    const graph_node *act;  /* function of one element that runs with it, or NULL */
    uint32_t added;         /* value that is added before that, or in `sum`, or GRAPH_NONE */
    const graph_node *tail; /* the last of those: whose output it makes; itself where none */
    bool live;              /* leads to the output, and runs with no other */
    dnnl_primitive_desc_t forward;
    dnnl_api_window window;
    dnnl_api_desc any_src, any_dst, any_weights; /* owned; the format is open */
    dnnl_api_desc plain_src, bias_desc;          /* owned; row-major */
    uint32_t src, dst, weights, bias, workspace; /* tensors */
    uint32_t mean, variance;                     /* tensors; of a normalization */
    uint32_t norm_number;                        /* of a batch normalization in a share */
    struct dnnl_node *before, *after;            /* of a layer on lists: normalizations that it
                                                    does on the way in, or NULL: of its input, whose
                                                    output it alone reads; and, backward, of its
                                                    output, which that alone reads */
    struct dnnl_node *reader;                    /* of a normalization: whose `before` it may be */
    struct dnnl_node *sum; /* of a normalization: that of its output and another, which it makes */
    bool later;            /* and only when the sum's turn comes, since the other is not there */
    struct dnnl_node *by;  /* of such a sum: that normalization */
    bool made;             /* and it has */
    bool summed, turned;   /* its sums, and its gradient, are made by the layer before it */
    bool unsummed;         /* the sums of its gradient by the one after it */
    bool unrectified;      /* of such a sum: so is its gradient before the rectifier */
    dnnl_move *moves;      /* [move_count]; of what only moves elements */
    uint32_t move_count;
    dnnl_own *own; /* where oneDNN lacks the operation */
};

/* Forward sets the output's tensor, backward takes its gradient and adds to the operands'. */
typedef admmnn_status dnnl_record_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err);
typedef admmnn_status dnnl_record_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err);

dnnl_record_forward dnnl_weighted_forward; /* convolutions and inner products */
dnnl_record_backward dnnl_weighted_backward;
dnnl_record_forward dnnl_pool_forward;
dnnl_record_backward dnnl_pool_backward;
dnnl_record_forward dnnl_lrn_forward;
dnnl_record_backward dnnl_lrn_backward;
dnnl_record_forward dnnl_norm_forward;
dnnl_record_backward dnnl_norm_backward;
dnnl_record_forward dnnl_norm_sum; /* the sum that a normalization makes, recorded as itself */
dnnl_record_forward dnnl_element_forward; /* functions of one element */
dnnl_record_backward dnnl_element_backward;
dnnl_record_forward dnnl_dropout_forward;
dnnl_record_backward dnnl_dropout_backward;
dnnl_record_forward dnnl_binary_forward;
dnnl_record_backward dnnl_binary_backward;
dnnl_record_forward dnnl_reshape_forward;
dnnl_record_backward dnnl_reshape_backward;
dnnl_record_forward dnnl_move_forward;
dnnl_record_backward dnnl_move_backward;
dnnl_record_forward dnnl_concat_forward;
dnnl_record_backward dnnl_concat_backward;
dnnl_record_forward dnnl_own_forward; /* any operation */
dnnl_record_backward dnnl_own_backward;

/* The algorithm of a function of one element; false where oneDNN has none that agrees. */
bool dnnl_element_algorithm(const graph_node *node, bool training, dnnl_api_shapes *shapes);

/* Attributes of a call that adds its output to what is there, if it sums, and puts that through
 * the function of one element `act`, which may be NULL. They are the caller's. */
admmnn_status dnnl_attributes(const graph_node *act, bool sums, dnnl_primitive_attr_t *out,
                              admmnn_error *err);

/* A function of one element on a tensor, in place. */
admmnn_status dnnl_apply(dnnl_network *d, const graph_node *node, uint32_t tensor,
                         admmnn_error *err);

/* Whether the node's pass runs on lists. */
static inline bool dnnl_runs_listed(const dnnl_network *d, const dnnl_node *n, sparse_pass pass) {
    const sparse_layer *l = dnnl_listed(d, (uint32_t)(n->node - d->graph->nodes));
    return l != NULL && l->runs[pass];
}

/* ---- shapes and formats ---- */

/* A value's dimensions, the batch first; their number. */
int dnnl_value_dims(const dnnl_network *d, uint32_t value, dnnl_dims_t dims);
/* The same as an image's. */
int dnnl_image_dims(const dnnl_network *d, uint32_t value, dnnl_dims_t dims);
/* The descriptor is the caller's. `any`: the format is open, else row-major. */
admmnn_status dnnl_describe(int ndims, const dnnl_dims_t dims, bool any, dnnl_api_desc *out,
                            admmnn_error *err);
/* A new row-major tensor. */
admmnn_status dnnl_add_plain(dnnl_network *d, int ndims, const dnnl_dims_t dims, tape_home home,
                             size_t offset, uint32_t *out, admmnn_error *err);
/* A new tensor of images in lanes, whose number of samples is a multiple of those. */
admmnn_status dnnl_add_in_lanes(dnnl_network *d, const dnnl_dims_t dims, uint32_t *out,
                                admmnn_error *err);
/* The tensor in those dimensions: itself, or row-major. */
admmnn_status dnnl_shaped(dnnl_network *d, uint32_t tensor, int ndims, const dnnl_dims_t dims,
                          uint32_t *out, admmnn_error *err);
/* The tensor as oneDNN's operations take it: as it is, unless it is in lanes, of which their fast
 * implementations know nothing. */
admmnn_status dnnl_out_of_lanes(dnnl_network *d, uint32_t tensor, uint32_t *out, admmnn_error *err);
/* A value, or its gradient's tensor, row-major in its own dimensions. */
admmnn_status dnnl_plain(dnnl_network *d, uint32_t value, uint32_t tensor, uint32_t *out,
                         admmnn_error *err);

static inline dnnl_api_desc dnnl_format(const dnnl_network *d, uint32_t tensor) {
    return d->tape.tensors[tensor].desc;
}

static inline lanes_layout dnnl_layout(const dnnl_network *d, uint32_t tensor) {
    return dnnl_api_desc_layout(dnnl_format(d, tensor));
}

/* Whether a batch normalization may be done on the way into lanes. */
static inline bool dnnl_is_grouped(const dnnl_network *d, uint32_t tensor) {
    const lanes_layout layout = dnnl_layout(d, tensor);
    return layout.block > 1 || layout.in_lanes;
}

/* The format a primitive wants a tensor in. */
static inline dnnl_api_desc dnnl_asked(const_dnnl_primitive_desc_t what, dnnl_query_t role) {
    return dnnl_primitive_desc_query_md(what, role, 0);
}

/* ---- primitives ---- */

/* The primitive in the formats preferred, or, when that is slow or missing, in the open
 * formats, if those are any better. */
admmnn_status dnnl_choose(const dnnl_network *d, dnnl_api_make *make,
                          const dnnl_api_shapes *preferred, const dnnl_api_shapes *open,
                          const char *name, dnnl_primitive_desc_t *out, admmnn_error *err);
/* Calls a primitive that is described, and frees the description. */
admmnn_status dnnl_call_once(dnnl_network *d, dnnl_primitive_desc_t what,
                             const tape_argument *arguments, int count, admmnn_error *err);

/* ---- marks ---- */

admmnn_status dnnl_add_mark(dnnl_network *d, dnnl_mark mark, admmnn_error *err);
dnnl_mark dnnl_mark_of(const dnnl_network *d, const dnnl_node *n, dnnl_work work, uint32_t x,
                       uint32_t y);
/* Of no node. */
dnnl_mark dnnl_mark_alone(dnnl_work work, uint32_t x, uint32_t y);

/* ---- who still needs what ---- */

/* The backward pass reads the tensor as it is, or whether it is above 0. */
void dnnl_keep(dnnl_network *d, uint32_t tensor, tape_kept how);
/* Where whether the tensor is above 0 is kept, no more of it may become 0: that would stop
 * more of the gradient than its own part. */
void dnnl_keep_zeros(dnnl_network *d, uint32_t tensor);
/* Whether the node that is recorded, the last to read that value, may write over its
 * tensor, of which no more is kept than that. */
bool dnnl_may_overwrite(const dnnl_network *d, uint32_t value, tape_kept kept);

/* The value's gradient has that tensor as a part. */
admmnn_status dnnl_add_gradient(dnnl_network *d, uint32_t value, uint32_t tensor,
                                admmnn_error *err);
/* The value's gradient, which is no longer the value's. */
admmnn_status dnnl_take_gradient(dnnl_network *d, uint32_t value, uint32_t *out, admmnn_error *err);
/* Whether a gradient that was taken is part of no other. */
bool dnnl_is_free(const dnnl_network *d, uint32_t tensor);
/* A tensor for a gradient in dy's format: dy itself where it is free. */
admmnn_status dnnl_gradient_beside(dnnl_network *d, uint32_t dy, uint32_t *out, admmnn_error *err);

#endif
