/* Convolutions, transposed ones, and inner products. */
#include <string.h>

#include "engine/dnnl_record.h"

static bool is_product(const dnnl_node *n) {
    return n->node->op == GRAPH_INNER_PRODUCT;
}

/* forward, gradient by the weights, by the input */
static dnnl_api_make *maker_of(const dnnl_node *n, int which) {
    static dnnl_api_make *const conv[] = {dnnl_api_conv_forward, dnnl_api_conv_weights,
                                          dnnl_api_conv_data};
    static dnnl_api_make *const transposed[] = {
        dnnl_api_transposed_forward, dnnl_api_transposed_weights, dnnl_api_transposed_data};
    static dnnl_api_make *const product[] = {dnnl_api_product_forward, dnnl_api_product_weights,
                                             dnnl_api_product_data};
    return is_product(n)               ? product[which]
           : n->node->op == GRAPH_CONV ? conv[which]
                                       : transposed[which];
}

/* ---- descriptors ---- */

/* An inner product of an image reads it as it is, of anything else its elements in a row. */
static int src_dims(const dnnl_network *d, const dnnl_node *n, dnnl_dims_t dims) {
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    const int ndims = dnnl_image_dims(d, value, dims);
    if (!is_product(n) || d->graph->values[value].shape.rank == 3)
        return ndims;
    dims[1] = (dnnl_dim_t)graph_value_count(d->graph, value);
    return 2;
}

static int dst_dims(const dnnl_network *d, const dnnl_node *n, dnnl_dims_t dims) {
    return is_product(n) ? dnnl_value_dims(d, n->node->output, dims)
                         : dnnl_image_dims(d, n->node->output, dims);
}

/* A weight matrix seen as the primitive sees it: [O][I][kh][kw], with groups before that, or
 * for an inner product [O] and then its input's shape. */
static int weight_dims(const dnnl_network *d, const dnnl_node *n, dnnl_dims_t dims) {
    const graph_parameter *weight = &d->graph->parameters[n->node->weight];
    const graph_conv *conv = &n->node->conv;
    int ndims = src_dims(d, n, dims);
    dims[0] = weight->rows;
    if (is_product(n))
        return ndims;
    int at = 0;
    if (conv->groups > 1)
        dims[at++] = conv->groups;
    dims[at++] = weight->rows / conv->groups;
    dims[at++] = weight->columns / (conv->window.kernel[0] * conv->window.kernel[1]);
    dims[at++] = conv->window.kernel[0];
    dims[at++] = conv->window.kernel[1];
    return at;
}

static void describe_window(dnnl_node *n) {
    const graph_window *w = graph_node_window(n->node);
    for (int axis = 0; w != NULL && axis < 2; axis++) {
        n->window.kernel[axis] = w->kernel[axis];
        n->window.stride[axis] = w->stride[axis];
        n->window.dilation[axis] = w->dilation[axis] - 1;
        n->window.pad[axis] = w->pad[axis];
        n->window.pad_end[axis] = w->pad_end[axis];
        if (n->node->op == GRAPH_TRANSPOSED_CONV)
            n->window.pad_end[axis] -= n->node->conv.output_pad[axis];
    }
}

static admmnn_status describe_node(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const graph_parameter *parameters = d->graph->parameters;
    dnnl_dims_t dims;
    int ndims = src_dims(d, n, dims);
    BASE_TRY(dnnl_describe(ndims, dims, true, &n->any_src, err));
    BASE_TRY(dnnl_describe(ndims, dims, false, &n->plain_src, err));
    ndims = dst_dims(d, n, dims);
    BASE_TRY(dnnl_describe(ndims, dims, true, &n->any_dst, err));
    ndims = weight_dims(d, n, dims);
    BASE_TRY(dnnl_describe(ndims, dims, true, &n->any_weights, err));
    BASE_TRY(dnnl_add_plain(d, ndims, dims, TAPE_PARAMETER, parameters[n->node->weight].offset,
                            &n->weights, err));
    describe_window(n);
    n->bias = TAPE_NONE;
    if (n->node->bias == GRAPH_NONE && n->norm == NULL)
        return ADMMNN_OK;
    dims[0] = parameters[n->node->weight].rows;
    BASE_TRY(dnnl_describe(1, dims, false, &n->bias_desc, err));
    if (n->node->bias == GRAPH_NONE)
        return ADMMNN_OK;
    return tape_tensor_add(&d->tape, n->bias_desc, TAPE_PARAMETER, parameters[n->node->bias].offset,
                           &n->bias, err);
}

static dnnl_api_shapes open_shapes(const dnnl_node *n) {
    return (dnnl_api_shapes){.src = n->any_src,
                             .weights = n->any_weights,
                             .bias = n->bias_desc,
                             .dst = n->any_dst,
                             .window = &n->window,
                             .forward = n->forward};
}

/* A convolution's activations outnumber its weights: it takes the input as it
 * is. An inner product's weights outnumber its activations: they are used, and
 * their gradient written, where they stand in the flat vectors. */
static dnnl_api_shapes preferred_shapes(const dnnl_network *d, const dnnl_node *n, uint32_t src) {
    dnnl_api_shapes shapes = open_shapes(n);
    shapes.src = is_product(n) ? n->plain_src : dnnl_format(d, src);
    if (is_product(n))
        shapes.weights = dnnl_format(d, n->weights);
    return shapes;
}

/* ---- forward ---- */

/* With the function of an element that runs along in `act`, which may be NULL. */
static admmnn_status choose_forward(dnnl_network *d, dnnl_node *n, const graph_node *act,
                                    uint32_t x, admmnn_error *err) {
    dnnl_api_shapes open = open_shapes(n);
    dnnl_api_shapes preferred = preferred_shapes(d, n, x);
    dnnl_primitive_attr_t attributes;
    BASE_TRY(dnnl_attributes(act, n->added != GRAPH_NONE, &attributes, err));
    open.attributes = attributes;
    preferred.attributes = attributes;
    admmnn_status status =
        dnnl_choose(d, maker_of(n, 0), &preferred, &open, n->node->name, &n->forward, err);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* Where it writes: what it adds to is there, or is brought there if that may not be
 * overwritten or has another format. */
static admmnn_status add_output(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    const dnnl_api_desc format = dnnl_asked(n->forward, dnnl_query_dst_md);
    if (n->added == GRAPH_NONE)
        return tape_tensor_add(t, format, TAPE_ARENA, 0, &n->dst, err);
    const uint32_t there = d->tensor[n->added];
    const bool stays = dnnl_memory_desc_equal(dnnl_format(d, there), format) &&
                       dnnl_may_overwrite(d, n->added, TAPE_FORGOTTEN);
    d->left[n->added]--;
    n->dst = there;
    if (!stays) {
        BASE_TRY(tape_tensor_add(t, format, TAPE_ARENA, 0, &n->dst, err));
        BASE_TRY(tape_copy(t, there, n->dst, err));
    }
    tape_overwrite(t, n->dst);
    return ADMMNN_OK;
}

/* The weights and biases with the normalization in them. */
static admmnn_status fold(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    const uint32_t own = n->weights;
    BASE_TRY(tape_tensor_add(t, dnnl_format(d, own), TAPE_ARENA, 0, &n->weights, err));
    BASE_TRY(tape_tensor_add(t, n->bias_desc, TAPE_ARENA, 0, &n->bias, err));
    dnnl_mark mark = dnnl_mark_of(d, n, DNNL_FOLD, TAPE_NONE, n->weights);
    mark.z = n->bias;
    return dnnl_add_mark(d, mark, err);
}

/* In an inference network once for all passes with the same parameters. */
static admmnn_status prepare_weights(dnnl_network *d, dnnl_node *n, uint32_t *weights,
                                     admmnn_error *err) {
    tape *t = &d->tape;
    const unsigned when = t->when;
    if (!d->plan.training)
        t->when = TAPE_PREPARE;
    admmnn_status status = n->norm == NULL ? ADMMNN_OK : fold(d, n, err);
    if (status == ADMMNN_OK)
        status = tape_reorder(t, n->weights, dnnl_asked(n->forward, dnnl_query_weights_md), weights,
                              err);
    t->when = when;
    return status;
}

static admmnn_status call_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    uint32_t weights;
    BASE_TRY(prepare_weights(d, n, &weights, err));
    int count = 3;
    tape_argument arguments[4] = {
        {DNNL_ARG_SRC, n->src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, n->dst}};
    if (n->bias != TAPE_NONE)
        arguments[count++] = (tape_argument){DNNL_ARG_BIAS, n->bias};
    return tape_call_add(&d->tape, n->forward, arguments, count, err);
}

/* ---- on lists ---- */

/* The tensor as lists can read it: as it is, or row-major. */
static admmnn_status readable(dnnl_network *d, const dnnl_node *n, uint32_t tensor, uint32_t *out,
                              admmnn_error *err) {
    const lanes_layout layout = dnnl_layout(d, tensor);
    *out = tensor;
    if (is_product(n) ? layout.block == 1 && !layout.in_lanes : layout.block > 0)
        return ADMMNN_OK;
    dnnl_dims_t dims;
    dnnl_api_desc desc;
    const int ndims = dnnl_api_desc_dims(dnnl_format(d, tensor), dims);
    BASE_TRY(dnnl_describe(ndims, dims, false, &desc, err));
    admmnn_status status = tape_reorder(&d->tape, tensor, desc, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

static dnnl_on_the_way on_the_way(const dnnl_node *norm) {
    dnnl_on_the_way way = {.norm = TAPE_NONE};
    if (norm != NULL)
        way = (dnnl_on_the_way){norm->norm_number, norm->act != NULL};
    return way;
}

/* The normalization after it is done on the way where its layout has channels apart. Its sums are
 * there as long as no other's are made. */
static void take_after(const dnnl_network *d, dnnl_node *n) {
    if (n->after == NULL)
        return;
    if (!dnnl_is_grouped(d, n->dst)) {
        n->after = NULL;
        return;
    }
    const dnnl_node *next = n + 1;
    while (!next->live)
        next++;
    n->after->turned = true;
    n->after->summed = next == n->after;
}

/* The node that is recorded before it, or NULL. */
static dnnl_node *live_before(const dnnl_network *d, const dnnl_node *n) {
    for (size_t i = (size_t)(n - d->nodes); i-- > 0;)
        if (d->nodes[i].live)
            return &d->nodes[i];
    return NULL;
}

/* The same of the sums of its gradient by the normalization before it. */
static void take_before(const dnnl_network *d, const dnnl_node *n, bool data) {
    if (n->before == NULL)
        return;
    n->before->unsummed = data && live_before(d, n) == n->before;
}

/* Whether the normalization adds what is in lanes, or a convolution on lists reads what it makes.
 */
static bool is_among_lists(const dnnl_network *d, const dnnl_node *norm) {
    const dnnl_node *last = norm->sum != NULL ? norm->sum : norm;
    const uint32_t value = last->tail->output;
    const uint32_t added = norm->sum != NULL ? d->tensor[norm->added] : TAPE_NONE;
    if (added != TAPE_NONE && dnnl_layout(d, added).in_lanes)
        return true;
    for (uint32_t i = 0; i < d->graph->node_count; i++) {
        const dnnl_node *n = &d->nodes[i];
        if (n->live && n->node->op == GRAPH_CONV && dnnl_runs_listed(d, n, SPARSE_FORWARD) &&
            graph_operand(d->graph, n->node, 0) == value)
            return true;
    }
    return false;
}

/* In lanes from one convolution on lists to the next, if normalizations alone stand between; else
 * in the format that oneDNN would make. */
static admmnn_status listed_output(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const dnnl_api_desc format = dnnl_asked(n->forward, dnnl_query_dst_md);
    const bool whole = d->plan.samples % lanes_kernels_get(0)->lanes == 0;
    dnnl_dims_t dims;
    const int ndims = dst_dims(d, n, dims);
    if (n->after != NULL && whole && is_among_lists(d, n->after))
        return dnnl_add_in_lanes(d, dims, &n->dst, err);
    if (dnnl_api_desc_layout(format).block > 0)
        return tape_tensor_add(&d->tape, format, TAPE_ARENA, 0, &n->dst, err);
    return dnnl_add_plain(d, ndims, dims, TAPE_ARENA, 0, &n->dst, err);
}

static admmnn_status listed_forward(dnnl_network *d, dnnl_node *n, uint32_t x, admmnn_error *err) {
    BASE_TRY(readable(d, n, x, &n->src, err));
    BASE_TRY(listed_output(d, n, err));
    take_after(d, n);
    dnnl_mark mark = dnnl_mark_of(d, n, DNNL_SPARSE, n->src, n->dst);
    mark.x_layout = dnnl_layout(d, n->src);
    mark.y_layout = dnnl_layout(d, n->dst);
    mark.before = on_the_way(n->before);
    mark.sums = n->after != NULL && n->after->summed;
    return dnnl_add_mark(d, mark, err);
}

static bool is_of_stride_1(const dnnl_network *d, const dnnl_node *n) {
    const sparse_layer *l = dnnl_listed(d, (uint32_t)(n->node - d->graph->nodes));
    return l->axis[0].stride * l->axis[1].stride == 1;
}

/* The normalization whose rectifier, alone or after a sum, is `maker`; or NULL. */
static dnnl_node *norm_of(dnnl_node *maker) {
    if (maker->made)
        return maker->by;
    return maker->node->op == GRAPH_BATCH_NORMALIZATION ? maker : NULL;
}

/* Whether between the two no one else adds sums up. */
static bool keeps_sums(const dnnl_node *norm, const dnnl_node *maker) {
    for (const dnnl_node *n = norm + 1; n < maker; n++)
        if (n->live && (n->node->op == GRAPH_CONV || n->node->op == GRAPH_BATCH_NORMALIZATION))
            return false;
    return true;
}

/* What has rectified a normalization into n's input, n following directly: it is then the last
 * whose gradient by that input comes. All is in lanes. Or NULL. */
static dnnl_node *rectified_before(const dnnl_network *d, const dnnl_node *n, uint32_t src) {
    dnnl_node *maker = n->before == NULL ? live_before(d, n) : NULL;
    if (maker == NULL || maker->act == NULL || maker->dst != src || !dnnl_layout(d, src).in_lanes)
        return NULL;
    const dnnl_node *norm = norm_of(maker);
    return norm != NULL && keeps_sums(norm, maker) ? maker : NULL;
}

/* What others have added to the gradient; dx is made in its place where the stride is 1. */
static admmnn_status take_other_part(dnnl_network *d, const dnnl_node *n, uint32_t value,
                                     dnnl_mark *mark, admmnn_error *err) {
    const dnnl_api_desc format = dnnl_format(d, n->src);
    BASE_TRY(dnnl_take_gradient(d, value, &mark->added, err));
    BASE_TRY(tape_reorder(&d->tape, mark->added, format, &mark->added, err));
    if (!is_of_stride_1(d, n))
        return tape_tensor_add(&d->tape, format, TAPE_ARENA, 0, &mark->y, err);
    BASE_TRY(dnnl_gradient_beside(d, mark->added, &mark->y, err));
    tape_overwrite(&d->tape, mark->y);
    return ADMMNN_OK;
}

/* The whole gradient, with what others have added to it, through that rectifier. */
static admmnn_status unrectify_dx(dnnl_network *d, const dnnl_node *n, dnnl_node *maker,
                                  dnnl_mark *mark, admmnn_error *err) {
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    const dnnl_api_desc format = dnnl_format(d, n->src);
    dnnl_node *norm = norm_of(maker);
    maker->unrectified = true;
    norm->unsummed = true;
    mark->sums = true;
    mark->normalized = norm->src;
    if (d->terms[value][0] == TAPE_NONE)
        return tape_tensor_add(&d->tape, format, TAPE_ARENA, 0, &mark->y, err);
    /* The gradient by the output, which is yet to be read, may be one of those parts. */
    uint32_t *held = &d->terms[n->node->output][0];
    *held = mark->z;
    admmnn_status status = take_other_part(d, n, value, mark, err);
    *held = TAPE_NONE;
    return status;
}

/* Whether dx may stand where the output was, which is read for the last time then: of equal images
 * a strip makes no row of dx whose row of the output was not brought into lanes before. */
static bool fits_over_output(const dnnl_network *d, const dnnl_node *n, uint32_t src) {
    return n->after != NULL && dnnl_layout(d, src).in_lanes && is_of_stride_1(d, n) &&
           dnnl_memory_desc_equal(dnnl_format(d, n->dst), dnnl_format(d, src));
}

static admmnn_status add_dx(dnnl_network *d, const dnnl_node *n, uint32_t src, dnnl_mark *mark,
                            admmnn_error *err) {
    dnnl_node *maker = mark->x != TAPE_NONE ? rectified_before(d, n, src) : NULL;
    if (maker != NULL)
        return unrectify_dx(d, n, maker, mark, err);
    if (!fits_over_output(d, n, src))
        return tape_tensor_add(&d->tape, dnnl_format(d, src), TAPE_ARENA, 0, &mark->y, err);
    mark->y = n->dst;
    tape_overwrite(&d->tape, n->dst);
    return ADMMNN_OK;
}

/* The gradient by the weights, or by the input. */
static admmnn_status listed_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy, bool weights,
                                     bool data, admmnn_error *err) {
    uint32_t src;
    dnnl_mark mark = dnnl_mark_of(d, n, DNNL_UNSPARSE, TAPE_NONE, TAPE_NONE);
    BASE_TRY(readable(d, n, dy, &mark.z, err));
    BASE_TRY(readable(d, n, n->src, &src, err));
    mark.x_layout = dnnl_layout(d, src);
    mark.y_layout = dnnl_layout(d, mark.z);
    mark.before = on_the_way(n->before);
    mark.after = on_the_way(n->after);
    if (n->after != NULL)
        mark.made = n->dst;
    take_before(d, n, data);
    mark.sums = n->before != NULL && n->before->unsummed;
    if (weights)
        mark.x = src;
    if (data)
        BASE_TRY(add_dx(d, n, src, &mark, err));
    BASE_TRY(dnnl_add_mark(d, mark, err));
    return data ? dnnl_add_gradient(d, graph_operand(d->graph, n->node, 0), mark.y, err)
                : ADMMNN_OK;
}

/* ---- */

static admmnn_status dense_forward(dnnl_network *d, dnnl_node *n, uint32_t x, admmnn_error *err) {
    BASE_TRY(tape_reorder(&d->tape, x, dnnl_asked(n->forward, dnnl_query_src_md), &n->src, err));
    BASE_TRY(add_output(d, n, err));
    return call_forward(d, n, err);
}

admmnn_status dnnl_weighted_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    dnnl_dims_t dims;
    uint32_t x = d->tensor[graph_operand(d->graph, n->node, 0)];
    BASE_TRY(describe_node(d, n, err));
    int ndims = src_dims(d, n, dims);
    BASE_TRY(dnnl_shaped(d, x, ndims, dims, &x, err));
    const graph_node *later = NULL;
    admmnn_status status = choose_forward(d, n, n->act, x, err);
    if (status == ADMMNN_UNSUPPORTED && n->act != NULL) {
        later = n->act;
        status = choose_forward(d, n, NULL, x, err);
    }
    BASE_TRY(status);
    if (dnnl_runs_listed(d, n, SPARSE_FORWARD))
        BASE_TRY(listed_forward(d, n, x, err));
    else
        BASE_TRY(dense_forward(d, n, x, err));
    dnnl_keep(d, n->src, TAPE_KEPT);
    if (later != NULL)
        BASE_TRY(dnnl_apply(d, later, n->dst, err));
    ndims = dnnl_value_dims(d, n->tail->output, dims);
    return dnnl_shaped(d, n->dst, ndims, dims, &d->tensor[n->tail->output], err);
}

/* ---- backward ---- */

/* The primitive's own format of a gradient, then a reorder into the vector; or
 * straight into the vector where the format is row-major. */
static admmnn_status add_weight_gradient(dnnl_network *d, const dnnl_node *n,
                                         const_dnnl_primitive_desc_t what, uint32_t *own,
                                         uint32_t *flat, admmnn_error *err) {
    tape *t = &d->tape;
    dnnl_api_desc wanted = dnnl_asked(what, dnnl_query_diff_weights_md);
    BASE_TRY(tape_tensor_add(t, dnnl_format(d, n->weights), TAPE_GRADIENT,
                             d->graph->parameters[n->node->weight].offset, flat, err));
    *own = *flat;
    if (dnnl_memory_desc_equal(dnnl_format(d, *flat), wanted))
        return ADMMNN_OK;
    return tape_tensor_add(t, wanted, TAPE_ARENA, 0, own, err);
}

static admmnn_status record_weights(dnnl_network *d, const dnnl_node *n, uint32_t dy,
                                    const_dnnl_primitive_desc_t what, admmnn_error *err) {
    tape *t = &d->tape;
    uint32_t src;
    uint32_t dst;
    uint32_t own;
    uint32_t flat;
    BASE_TRY(tape_reorder(t, n->src, dnnl_asked(what, dnnl_query_src_md), &src, err));
    BASE_TRY(tape_reorder(t, dy, dnnl_asked(what, dnnl_query_diff_dst_md), &dst, err));
    BASE_TRY(add_weight_gradient(d, n, what, &own, &flat, err));
    int count = 3;
    tape_argument arguments[4] = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_DIFF_DST, dst}, {DNNL_ARG_DIFF_WEIGHTS, own}};
    if (n->bias != TAPE_NONE) {
        uint32_t bias;
        BASE_TRY(tape_tensor_add(t, n->bias_desc, TAPE_GRADIENT,
                                 d->graph->parameters[n->node->bias].offset, &bias, err));
        arguments[count++] = (tape_argument){DNNL_ARG_DIFF_BIAS, bias};
    }
    BASE_TRY(tape_call_add(t, what, arguments, count, err));
    return own == flat ? ADMMNN_OK : tape_copy(t, own, flat, err);
}

static admmnn_status record_data(dnnl_network *d, const dnnl_node *n, uint32_t dy,
                                 const_dnnl_primitive_desc_t what, admmnn_error *err) {
    tape *t = &d->tape;
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    uint32_t weights;
    uint32_t dst;
    uint32_t dx;
    BASE_TRY(tape_reorder(t, n->weights, dnnl_asked(what, dnnl_query_weights_md), &weights, err));
    BASE_TRY(tape_reorder(t, dy, dnnl_asked(what, dnnl_query_diff_dst_md), &dst, err));
    BASE_TRY(tape_tensor_add(t, dnnl_asked(what, dnnl_query_diff_src_md), TAPE_ARENA, 0, &dx, err));
    const tape_argument arguments[] = {
        {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_DST, dst}, {DNNL_ARG_DIFF_SRC, dx}};
    BASE_TRY(tape_call_add(t, what, arguments, 3, err));
    return dnnl_add_gradient(d, value, dx, err);
}

static admmnn_status dense_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy, bool weights,
                                    admmnn_error *err) {
    dnnl_api_shapes open = open_shapes(n);
    dnnl_api_shapes preferred = preferred_shapes(d, n, n->src);
    preferred.dst = dnnl_format(d, dy);
    dnnl_primitive_desc_t what;
    BASE_TRY(
        dnnl_choose(d, maker_of(n, weights ? 1 : 2), &preferred, &open, n->node->name, &what, err));
    admmnn_status status =
        weights ? record_weights(d, n, dy, what, err) : record_data(d, n, dy, what, err);
    dnnl_primitive_desc_destroy(what);
    return status;
}

/* The gradient by the weights and, when it is wanted, by the input. */
admmnn_status dnnl_weighted_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    uint32_t dy;
    dnnl_dims_t dims;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    const int ndims = dst_dims(d, n, dims);
    BASE_TRY(dnnl_shaped(d, dy, ndims, dims, &dy, err));
    const bool data = d->wanted[graph_operand(d->graph, n->node, 0)];
    const bool listed_weights = dnnl_runs_listed(d, n, SPARSE_WEIGHTS);
    const bool listed_data = data && dnnl_runs_listed(d, n, SPARSE_DATA);
    if (!listed_weights)
        BASE_TRY(dense_backward(d, n, dy, true, err));
    if (listed_weights || listed_data)
        BASE_TRY(listed_backward(d, n, dy, listed_weights, listed_data, err));
    return data && !listed_data ? dense_backward(d, n, dy, false, err) : ADMMNN_OK;
}
