/* Poolings, and normalization across neighbouring channels. */
#include "engine/dnnl_record.h"

/* ---- what both end with ---- */

/* From n->src to n->dst, with what the backward pass wants to know besides. */
static admmnn_status call_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    const dnnl_api_desc space = dnnl_asked(n->forward, dnnl_query_workspace_md);
    int count = 2;
    tape_argument arguments[3] = {{DNNL_ARG_SRC, n->src}, {DNNL_ARG_DST, n->dst}};
    n->workspace = TAPE_NONE;
    if (d->plan.training && space != NULL && dnnl_memory_desc_get_size(space) > 0) {
        BASE_TRY(tape_tensor_add(t, space, TAPE_ARENA, 0, &n->workspace, err));
        arguments[count++] = (tape_argument){DNNL_ARG_WORKSPACE, n->workspace};
    }
    BASE_TRY(tape_call_add(t, n->forward, arguments, count, err));
    dnnl_dims_t dims;
    const int ndims = dnnl_value_dims(d, n->node->output, dims);
    return dnnl_shaped(d, n->dst, ndims, dims, &d->tensor[n->node->output], err);
}

/* `what` is freed. A normalization reads its input again. */
static admmnn_status call_backward(dnnl_network *d, dnnl_node *n, dnnl_primitive_desc_t what,
                                   uint32_t dy, uint32_t dx, admmnn_error *err) {
    int count = 2;
    tape_argument arguments[4] = {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dx}};
    if (n->node->op == GRAPH_LRN)
        arguments[count++] = (tape_argument){DNNL_ARG_SRC, n->src};
    if (n->workspace != TAPE_NONE)
        arguments[count++] = (tape_argument){DNNL_ARG_WORKSPACE, n->workspace};
    BASE_TRY(dnnl_call_once(d, what, arguments, count, err));
    return dnnl_add_gradient(d, graph_operand(d->graph, n->node, 0), dx, err);
}

/* ---- poolings ---- */

/* The mean over height and width is an average pooling of one window. */
static graph_pool pool_of(const graph *g, const graph_node *node) {
    if (node->op != GRAPH_REDUCE)
        return node->pool;
    const graph_shape in = graph_operand_shape(g, node, 0);
    return graph_pool_of((graph_window){{in.dims[1], in.dims[2]}, {1, 1}, {0, 0}, {0, 0}, {1, 1}});
}

/* [N][C][H][W], of one pixel where a mean has taken the axes away. */
static int out_dims(const dnnl_network *d, const dnnl_node *n, dnnl_dims_t dims) {
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    if (n->node->op != GRAPH_REDUCE)
        return dnnl_image_dims(d, n->node->output, dims);
    const int ndims = dnnl_image_dims(d, value, dims);
    dims[2] = 1;
    dims[3] = 1;
    return ndims;
}

/* Rounded up, the last window may end beyond the padding. */
static void describe_window(const dnnl_network *d, dnnl_node *n) {
    const graph_pool pool = pool_of(d->graph, n->node);
    const graph_window *w = &pool.window;
    dnnl_dims_t in;
    dnnl_dims_t out;
    dnnl_image_dims(d, graph_operand(d->graph, n->node, 0), in);
    out_dims(d, n, out);
    for (int axis = 0; axis < 2; axis++) {
        n->window.kernel[axis] = w->kernel[axis];
        n->window.stride[axis] = w->stride[axis];
        n->window.dilation[axis] = w->dilation[axis] - 1;
        n->window.pad[axis] = w->pad[axis];
        n->window.pad_end[axis] = w->pad_end[axis];
        const dnnl_dim_t reach = (dnnl_dim_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
        const dnnl_dim_t end =
            (out[axis + 2] - 1) * w->stride[axis] + reach - in[axis + 2] - (dnnl_dim_t)w->pad[axis];
        if (pool.ceil)
            n->window.pad_end[axis] = end;
    }
}

static dnnl_api_shapes pool_shapes(const dnnl_network *d, const dnnl_node *n) {
    const graph_pool pool = pool_of(d->graph, n->node);
    const dnnl_alg_kind_t average =
        pool.counts_padding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
    return (dnnl_api_shapes){.window = &n->window,
                             .algorithm =
                                 n->node->op == GRAPH_MAXPOOL ? dnnl_pooling_max : average};
}

/* An average that counts padding counts none that rounding up has added. */
static bool is_alike(const dnnl_network *d, const graph_node *node) {
    const graph_pool pool = pool_of(d->graph, node);
    if (node->op == GRAPH_REDUCE)
        return d->plan.fuses && node->reduce.kind == GRAPH_REDUCE_MEAN && node->reduce.axes == 6 &&
               graph_operand_shape(d->graph, node, 0).rank == 3;
    return node->op == GRAPH_MAXPOOL || !pool.counts_padding || !pool.ceil;
}

admmnn_status dnnl_pool_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    dnnl_dims_t dims;
    if (!is_alike(d, n->node))
        return ADMMNN_UNSUPPORTED;
    describe_window(d, n);
    BASE_TRY(dnnl_describe(out_dims(d, n, dims), dims, true, &n->any_dst, err));
    const int ndims = dnnl_image_dims(d, value, dims);
    BASE_TRY(dnnl_shaped(d, d->tensor[value], ndims, dims, &n->src, err));
    dnnl_api_shapes shapes = pool_shapes(d, n);
    shapes.src = dnnl_format(d, n->src);
    shapes.dst = n->any_dst;
    dnnl_status_t made = dnnl_api_pool_forward(&t->api, &shapes, d->plan.training, &n->forward);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    BASE_TRY(
        tape_tensor_add(t, dnnl_asked(n->forward, dnnl_query_dst_md), TAPE_ARENA, 0, &n->dst, err));
    return call_forward(d, n, err);
}

/* Its places are in the forward pass's format, so the gradients must be too. */
admmnn_status dnnl_pool_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    uint32_t dy;
    uint32_t dx;
    dnnl_dims_t dims;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    BASE_TRY(dnnl_shaped(d, dy, out_dims(d, n, dims), dims, &dy, err));
    BASE_TRY(tape_reorder(t, dy, dnnl_format(d, n->dst), &dy, err));
    BASE_TRY(tape_tensor_add(t, dnnl_format(d, n->src), TAPE_ARENA, 0, &dx, err));
    dnnl_api_shapes shapes = pool_shapes(d, n);
    shapes.src = dnnl_format(d, n->src);
    shapes.dst = dnnl_format(d, n->dst);
    shapes.forward = n->forward;
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_pool_backward(&t->api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    return call_backward(d, n, what, dy, dx, err);
}

/* ---- across channels ---- */

static dnnl_api_shapes lrn_shapes(const dnnl_network *d, const dnnl_node *n) {
    const graph_lrn *lrn = &n->node->lrn;
    return (dnnl_api_shapes){.src = dnnl_format(d, n->src),
                             .dst = dnnl_format(d, n->src),
                             .size = lrn->size,
                             .alpha = lrn->alpha,
                             .beta = lrn->beta,
                             .bias_value = lrn->bias,
                             .forward = n->forward};
}

/* oneDNN's window of an even size lies elsewhere; more axes are no image. */
admmnn_status dnnl_lrn_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    dnnl_dims_t dims;
    if (n->node->lrn.size % 2 == 0 || d->graph->values[value].shape.rank > 3)
        return ADMMNN_UNSUPPORTED;
    const int ndims = dnnl_image_dims(d, value, dims);
    BASE_TRY(dnnl_shaped(d, d->tensor[value], ndims, dims, &n->src, err));
    const dnnl_api_shapes shapes = lrn_shapes(d, n);
    dnnl_status_t made = dnnl_api_lrn_forward(&t->api, &shapes, d->plan.training, &n->forward);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    BASE_TRY(tape_tensor_add(t, dnnl_format(d, n->src), TAPE_ARENA, 0, &n->dst, err));
    dnnl_keep(d, n->src, TAPE_KEPT);
    return call_forward(d, n, err);
}

admmnn_status dnnl_lrn_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    uint32_t dy;
    uint32_t dx;
    dnnl_dims_t dims;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    BASE_TRY(dnnl_shaped(d, dy, dnnl_image_dims(d, n->node->output, dims), dims, &dy, err));
    BASE_TRY(tape_reorder(t, dy, dnnl_format(d, n->src), &dy, err));
    BASE_TRY(tape_tensor_add(t, dnnl_format(d, n->src), TAPE_ARENA, 0, &dx, err));
    const dnnl_api_shapes shapes = lrn_shapes(d, n);
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_lrn_backward(&t->api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    return call_backward(d, n, what, dy, dx, err);
}
