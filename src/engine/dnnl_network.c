#include "engine/dnnl_network.h"

#include <string.h>

#include "base/memory.h"

/* What the backward pass needs to know of a node's forward pass. */
struct dnnl_node {
    const graph_node *node;
    dnnl_primitive_desc_t forward;
    dnnl_api_window window;
    dnnl_api_desc any_src, any_dst, any_weights; /* owned; the format is open */
    dnnl_api_desc plain_src, bias_desc;          /* owned; row-major */
    uint32_t src, dst, weights, bias, workspace; /* tensors */
    uint32_t norm;                               /* number of a batch normalization */
};

/* ---- descriptors ---- */

static bool works_by_element(const graph_node *node) {
    return node->op == GRAPH_RELU || node->op == GRAPH_BATCH_NORMALIZATION ||
           node->op == GRAPH_DROPOUT;
}

/* Values are [batch][C][H][W]; those of an inner product, and what follows it
 * element by element, [batch][C]. */
static int value_dims(const dnnl_network *d, uint32_t value, dnnl_dims_t dims) {
    const graph_value *v = &d->graph->values[value];
    dims[0] = (dnnl_dim_t)d->samples;
    dims[1] = graph_shape_channels(v->shape);
    dims[2] = graph_shape_height(v->shape);
    dims[3] = graph_shape_width(v->shape);
    const graph_node *node = v->producer == GRAPH_NONE ? NULL : &d->graph->nodes[v->producer];
    while (node != NULL && works_by_element(node)) {
        uint32_t producer = d->graph->values[graph_operand(d->graph, node, 0)].producer;
        node = producer == GRAPH_NONE ? NULL : &d->graph->nodes[producer];
    }
    return node != NULL && node->op == GRAPH_INNER_PRODUCT ? 2 : 4;
}

/* A weight matrix seen as the primitive sees it: [O][I][kh][kw], or for an inner
 * product [O] and then its input's shape. */
static int weight_dims(const dnnl_network *d, const graph_node *node, dnnl_dims_t dims) {
    int ndims = value_dims(d, graph_operand(d->graph, node, 0), dims);
    dims[0] = d->graph->parameters[node->weight].rows;
    if (node->op == GRAPH_CONV) {
        dims[2] = node->conv.window.kernel[0];
        dims[3] = node->conv.window.kernel[1];
    }
    return ndims;
}

static admmnn_status describe(int ndims, const dnnl_dims_t dims, bool any, dnnl_api_desc *out,
                              admmnn_error *err) {
    dnnl_status_t status = dnnl_api_desc_create(ndims, dims, any, out);
    return status == dnnl_success ? ADMMNN_OK : tape_fail(err, status, "describing a tensor");
}

/* A new row-major tensor. */
static admmnn_status add_plain(dnnl_network *d, int ndims, const dnnl_dims_t dims, tape_home home,
                               size_t offset, uint32_t *out, admmnn_error *err) {
    dnnl_api_desc desc;
    BASE_TRY(describe(ndims, dims, false, &desc, err));
    admmnn_status status = tape_tensor_add(&d->tape, desc, home, offset, out, err);
    dnnl_api_desc_free(desc);
    return status;
}

static void describe_window(dnnl_node *n) {
    const graph_window *w = graph_node_window(n->node);
    for (int axis = 0; w != NULL && axis < 2; axis++) {
        n->window.kernel[axis] = w->kernel[axis];
        n->window.stride[axis] = w->stride[axis];
        n->window.pad[axis] = w->pad[axis];
    }
}

static admmnn_status describe_node(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    dnnl_dims_t dims;
    int ndims = value_dims(d, graph_operand(d->graph, n->node, 0), dims);
    BASE_TRY(describe(ndims, dims, true, &n->any_src, err));
    BASE_TRY(describe(ndims, dims, false, &n->plain_src, err));
    ndims = value_dims(d, n->node->output, dims);
    BASE_TRY(describe(ndims, dims, true, &n->any_dst, err));
    describe_window(n);
    if (n->node->weight == GRAPH_NONE)
        return ADMMNN_OK;
    const graph_parameter *parameters = d->graph->parameters;
    ndims = weight_dims(d, n->node, dims);
    BASE_TRY(describe(ndims, dims, true, &n->any_weights, err));
    BASE_TRY(add_plain(d, ndims, dims, TAPE_PARAMETER, parameters[n->node->weight].offset,
                       &n->weights, err));
    dims[0] = parameters[n->node->bias].rows;
    BASE_TRY(describe(1, dims, false, &n->bias_desc, err));
    return tape_tensor_add(&d->tape, n->bias_desc, TAPE_PARAMETER, parameters[n->node->bias].offset,
                           &n->bias, err);
}

static dnnl_api_desc format(const dnnl_network *d, uint32_t tensor) {
    return d->tape.tensors[tensor].desc;
}

/* ---- marks ---- */

/* What is marked uses x and y, either of which may be TAPE_NONE. */
static admmnn_status add_mark(dnnl_network *d, dnnl_mark mark, admmnn_error *err) {
    dnnl_mark *marks = base_array_grow(d->marks, d->mark_count, &d->mark_capacity, sizeof *marks);
    if (marks == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->marks = marks;
    mark.call = d->tape.call_count;
    marks[d->mark_count++] = mark;
    int count = 0;
    tape_argument arguments[2];
    if (mark.x != TAPE_NONE)
        arguments[count++] = (tape_argument){DNNL_ARG_SRC, mark.x};
    if (mark.y != TAPE_NONE)
        arguments[count++] = (tape_argument){DNNL_ARG_DST, mark.y};
    return tape_call_add(&d->tape, NULL, arguments, count, err);
}

static dnnl_mark mark_of(const dnnl_network *d, const dnnl_node *n, dnnl_work work, uint32_t x,
                         uint32_t y) {
    return (dnnl_mark){.work = work,
                       .node = (uint32_t)(n->node - d->graph->nodes),
                       .norm = n->norm,
                       .x = x,
                       .y = y};
}

/* ---- choice of primitives ---- */

/* oneDNN names its unoptimised implementations "ref...". */
static bool is_slow(const_dnnl_primitive_desc_t what) {
    const char *name = NULL;
    dnnl_status_t status = dnnl_primitive_desc_query(what, dnnl_query_impl_info_str, 0, &name);
    return status == dnnl_success && strncmp(name, "ref", 3) == 0;
}

/* The primitive in the formats preferred, or, when that is slow or missing, in
 * the open formats, if those are any better. */
static admmnn_status choose(const dnnl_network *d, dnnl_api_make make, dnnl_api_shapes *preferred,
                            dnnl_api_shapes *open, bool training, const char *name,
                            dnnl_primitive_desc_t *out, admmnn_error *err) {
    dnnl_status_t first = make(&d->tape.api, preferred, training, out);
    if (first == dnnl_success && !is_slow(*out))
        return ADMMNN_OK;
    dnnl_primitive_desc_t other;
    dnnl_status_t second = make(&d->tape.api, open, training, &other);
    if (second == dnnl_success && (first != dnnl_success || !is_slow(other))) {
        if (first == dnnl_success)
            dnnl_primitive_desc_destroy(*out);
        *out = other;
        return ADMMNN_OK;
    }
    if (second == dnnl_success)
        dnnl_primitive_desc_destroy(other);
    return first == dnnl_success ? ADMMNN_OK : tape_fail(err, first, name);
}

static dnnl_api_desc asked(const_dnnl_primitive_desc_t what, dnnl_query_t role) {
    return dnnl_primitive_desc_query_md(what, role, 0);
}

/* A convolution's activations outnumber its weights: it takes the input as it
 * is. An inner product's weights outnumber its activations: they are used, and
 * their gradient written, where they stand in the flat vectors. */
static dnnl_api_shapes preferred_shapes(const dnnl_network *d, const dnnl_node *n,
                                        dnnl_api_shapes open, uint32_t src) {
    dnnl_api_shapes shapes = open;
    bool product = n->node->op == GRAPH_INNER_PRODUCT;
    shapes.src = product ? n->plain_src : format(d, src);
    if (product)
        shapes.weights = format(d, n->weights);
    return shapes;
}

/* ---- forward ---- */

static admmnn_status weighted_forward(dnnl_network *d, dnnl_node *n, uint32_t x, bool training,
                                      admmnn_error *err) {
    bool conv = n->node->op == GRAPH_CONV;
    dnnl_api_shapes open = {n->any_src, n->any_weights, n->bias_desc, n->any_dst, &n->window, NULL};
    dnnl_api_shapes preferred = preferred_shapes(d, n, open, x);
    BASE_TRY(choose(d, conv ? dnnl_api_conv_forward : dnnl_api_product_forward, &preferred, &open,
                    training, n->node->name, &n->forward, err));
    tape *t = &d->tape;
    uint32_t weights;
    BASE_TRY(tape_reorder(t, x, asked(n->forward, dnnl_query_src_md), &n->src, err));
    BASE_TRY(tape_reorder(t, n->weights, asked(n->forward, dnnl_query_weights_md), &weights, err));
    BASE_TRY(tape_tensor_add(t, asked(n->forward, dnnl_query_dst_md), TAPE_ARENA, 0, &n->dst, err));
    const tape_argument arguments[] = {{DNNL_ARG_SRC, n->src},
                                       {DNNL_ARG_WEIGHTS, weights},
                                       {DNNL_ARG_BIAS, n->bias},
                                       {DNNL_ARG_DST, n->dst}};
    return tape_call_add(t, n->forward, arguments, 4, err);
}

static admmnn_status pool_forward(dnnl_network *d, dnnl_node *n, uint32_t x, bool training,
                                  admmnn_error *err) {
    tape *t = &d->tape;
    dnnl_api_shapes shapes = {.src = format(d, x), .dst = n->any_dst, .window = &n->window};
    dnnl_status_t status = dnnl_api_pool_forward(&t->api, &shapes, training, &n->forward);
    if (status != dnnl_success)
        return tape_fail(err, status, n->node->name);
    n->src = x;
    BASE_TRY(tape_tensor_add(t, asked(n->forward, dnnl_query_dst_md), TAPE_ARENA, 0, &n->dst, err));
    int count = 2;
    tape_argument arguments[3] = {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, n->dst}};
    if (training) {
        BASE_TRY(tape_tensor_add(t, asked(n->forward, dnnl_query_workspace_md), TAPE_ARENA, 0,
                                 &n->workspace, err));
        arguments[count++] = (tape_argument){DNNL_ARG_WORKSPACE, n->workspace};
    }
    return tape_call_add(t, n->forward, arguments, count, err);
}

/* In place: whoever made the input does not need it again. */
static admmnn_status relu_forward(dnnl_network *d, dnnl_node *n, uint32_t x, bool training,
                                  admmnn_error *err) {
    dnnl_api_shapes shapes = {.src = format(d, x)};
    dnnl_status_t status = dnnl_api_relu_forward(&d->tape.api, &shapes, training, &n->forward);
    if (status != dnnl_success)
        return tape_fail(err, status, n->node->name);
    n->src = x;
    n->dst = x;
    const tape_argument arguments[] = {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, x}};
    return tape_call_add(&d->tape, n->forward, arguments, 2, err);
}

/* Not in place: the backward pass reads the input again. */
static admmnn_status norm_forward(dnnl_network *d, dnnl_node *n, uint32_t x, bool training,
                                  admmnn_error *err) {
    n->norm = d->norm_count++;
    BASE_TRY(tape_reorder(&d->tape, x, n->plain_src, &n->src, err));
    BASE_TRY(tape_tensor_add(&d->tape, n->plain_src, TAPE_ARENA, 0, &n->dst, err));
    if (training)
        BASE_TRY(add_mark(d, mark_of(d, n, DNNL_NORM_SUMS, n->src, TAPE_NONE), err));
    return add_mark(d, mark_of(d, n, DNNL_NORM, n->src, n->dst), err);
}

/* In place: a rectifier before it whose output becomes zero here has no gradient either. */
static admmnn_status dropout_forward(dnnl_network *d, dnnl_node *n, uint32_t x, bool training,
                                     admmnn_error *err) {
    BASE_TRY(tape_reorder(&d->tape, x, n->plain_src, &n->src, err));
    n->dst = n->src;
    return training ? add_mark(d, mark_of(d, n, DNNL_DROPOUT, TAPE_NONE, n->dst), err) : ADMMNN_OK;
}

static admmnn_status node_forward(dnnl_network *d, dnnl_node *n, uint32_t x, bool training,
                                  admmnn_error *err) {
    switch (n->node->op) {
    case GRAPH_MAXPOOL:
        return pool_forward(d, n, x, training, err);
    case GRAPH_RELU:
        return relu_forward(d, n, x, training, err);
    case GRAPH_BATCH_NORMALIZATION:
        return norm_forward(d, n, x, training, err);
    case GRAPH_DROPOUT:
        return dropout_forward(d, n, x, training, err);
    default:
        return weighted_forward(d, n, x, training, err);
    }
}

/* *logits: row-major. */
static admmnn_status record_forward(dnnl_network *d, uint32_t input, bool training,
                                    uint32_t *logits, admmnn_error *err) {
    BASE_TRY(add_mark(d, (dnnl_mark){.work = DNNL_FILL, .x = TAPE_NONE, .y = input}, err));
    uint32_t x = input;
    for (uint32_t i = 0; i < d->chain_count; i++) {
        dnnl_node *n = &d->chain[i];
        BASE_TRY(describe_node(d, n, err));
        BASE_TRY(node_forward(d, n, x, training, err));
        x = n->dst;
    }
    dnnl_dims_t dims;
    int ndims = value_dims(d, d->graph->output, dims);
    dnnl_api_desc plain;
    BASE_TRY(describe(ndims, dims, false, &plain, err));
    admmnn_status status = tape_reorder(&d->tape, x, plain, logits, err);
    dnnl_api_desc_free(plain);
    return status;
}

/* ---- backward ---- */

/* The primitive's own format of a gradient, then a reorder into the vector; or
 * straight into the vector where the format is row-major. */
static admmnn_status add_weight_gradient(dnnl_network *d, const dnnl_node *n,
                                         const_dnnl_primitive_desc_t what, uint32_t *own,
                                         uint32_t *flat, admmnn_error *err) {
    tape *t = &d->tape;
    dnnl_api_desc wanted = asked(what, dnnl_query_diff_weights_md);
    BASE_TRY(tape_tensor_add(t, format(d, n->weights), TAPE_GRADIENT,
                             d->graph->parameters[n->node->weight].offset, flat, err));
    *own = *flat;
    if (dnnl_memory_desc_equal(format(d, *flat), wanted))
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
    uint32_t bias;
    BASE_TRY(tape_reorder(t, n->src, asked(what, dnnl_query_src_md), &src, err));
    BASE_TRY(tape_reorder(t, dy, asked(what, dnnl_query_diff_dst_md), &dst, err));
    BASE_TRY(add_weight_gradient(d, n, what, &own, &flat, err));
    BASE_TRY(tape_tensor_add(t, n->bias_desc, TAPE_GRADIENT,
                             d->graph->parameters[n->node->bias].offset, &bias, err));
    const tape_argument arguments[] = {{DNNL_ARG_SRC, src},
                                       {DNNL_ARG_DIFF_DST, dst},
                                       {DNNL_ARG_DIFF_WEIGHTS, own},
                                       {DNNL_ARG_DIFF_BIAS, bias}};
    BASE_TRY(tape_call_add(t, what, arguments, 4, err));
    return own == flat ? ADMMNN_OK : tape_copy(t, own, flat, err);
}

static admmnn_status record_data(dnnl_network *d, const dnnl_node *n, uint32_t dy,
                                 const_dnnl_primitive_desc_t what, uint32_t *dx,
                                 admmnn_error *err) {
    tape *t = &d->tape;
    uint32_t weights;
    uint32_t dst;
    BASE_TRY(tape_reorder(t, n->weights, asked(what, dnnl_query_weights_md), &weights, err));
    BASE_TRY(tape_reorder(t, dy, asked(what, dnnl_query_diff_dst_md), &dst, err));
    BASE_TRY(tape_tensor_add(t, asked(what, dnnl_query_diff_src_md), TAPE_ARENA, 0, dx, err));
    const tape_argument arguments[] = {
        {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_DST, dst}, {DNNL_ARG_DIFF_SRC, *dx}};
    return tape_call_add(t, what, arguments, 3, err);
}

/* The gradient by the weights and, when dx is wanted, by the input. */
static admmnn_status weighted_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy,
                                       uint32_t *dx, admmnn_error *err) {
    bool conv = n->node->op == GRAPH_CONV;
    dnnl_api_shapes open = {n->any_src, n->any_weights, n->bias_desc,
                            n->any_dst, &n->window,     n->forward};
    dnnl_api_shapes preferred = preferred_shapes(d, n, open, n->src);
    preferred.dst = format(d, dy);
    dnnl_primitive_desc_t what;
    BASE_TRY(choose(d, conv ? dnnl_api_conv_weights : dnnl_api_product_weights, &preferred, &open,
                    true, n->node->name, &what, err));
    admmnn_status status = record_weights(d, n, dy, what, err);
    dnnl_primitive_desc_destroy(what);
    if (status != ADMMNN_OK || dx == NULL)
        return status;
    BASE_TRY(choose(d, conv ? dnnl_api_conv_data : dnnl_api_product_data, &preferred, &open, true,
                    n->node->name, &what, err));
    status = record_data(d, n, dy, what, dx, err);
    dnnl_primitive_desc_destroy(what);
    return status;
}

/* Its places are in the forward pass's format, so the gradients must be too. */
static admmnn_status pool_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy, uint32_t *dx,
                                   admmnn_error *err) {
    tape *t = &d->tape;
    dnnl_api_shapes shapes = {.src = format(d, n->src),
                              .dst = format(d, n->dst),
                              .window = &n->window,
                              .forward = n->forward};
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_pool_backward(&t->api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    admmnn_status status = tape_reorder(t, dy, format(d, n->dst), &dy, err);
    if (status == ADMMNN_OK)
        status = tape_tensor_add(t, format(d, n->src), TAPE_ARENA, 0, dx, err);
    if (status == ADMMNN_OK) {
        const tape_argument arguments[] = {
            {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WORKSPACE, n->workspace}, {DNNL_ARG_DIFF_SRC, *dx}};
        status = tape_call_add(t, what, arguments, 3, err);
    }
    dnnl_primitive_desc_destroy(what);
    return status;
}

/* In place too. */
static admmnn_status relu_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy, uint32_t *dx,
                                   admmnn_error *err) {
    tape *t = &d->tape;
    BASE_TRY(tape_reorder(t, dy, format(d, n->dst), dx, err));
    dnnl_api_shapes shapes = {
        .src = format(d, n->dst), .dst = format(d, *dx), .forward = n->forward};
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_relu_backward(&t->api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    const tape_argument arguments[] = {
        {DNNL_ARG_DST, n->dst}, {DNNL_ARG_DIFF_DST, *dx}, {DNNL_ARG_DIFF_SRC, *dx}};
    admmnn_status status = tape_call_add(t, what, arguments, 3, err);
    dnnl_primitive_desc_destroy(what);
    return status;
}

/* In place: no one else reads that gradient. */
static admmnn_status norm_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy, uint32_t *dx,
                                   admmnn_error *err) {
    BASE_TRY(tape_reorder(&d->tape, dy, n->plain_src, dx, err));
    BASE_TRY(add_mark(d, mark_of(d, n, DNNL_UNNORM_SUMS, n->src, *dx), err));
    return add_mark(d, mark_of(d, n, DNNL_UNNORM, n->src, *dx), err);
}

static admmnn_status dropout_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy,
                                      uint32_t *dx, admmnn_error *err) {
    BASE_TRY(tape_reorder(&d->tape, dy, n->plain_src, dx, err));
    return add_mark(d, mark_of(d, n, DNNL_UNDROP, TAPE_NONE, *dx), err);
}

static admmnn_status node_backward(dnnl_network *d, const dnnl_node *n, uint32_t dy, bool first,
                                   uint32_t *dx, admmnn_error *err) {
    switch (n->node->op) {
    case GRAPH_MAXPOOL:
        return pool_backward(d, n, dy, dx, err);
    case GRAPH_RELU:
        return relu_backward(d, n, dy, dx, err);
    case GRAPH_BATCH_NORMALIZATION:
        return norm_backward(d, n, dy, dx, err);
    case GRAPH_DROPOUT:
        return dropout_backward(d, n, dy, dx, err);
    default:
        return weighted_backward(d, n, dy, first ? NULL : dx, err);
    }
}

/* Below the first node with parameters no gradient is wanted. */
static uint32_t first_with_parameters(const dnnl_network *d) {
    uint32_t i = 0;
    while (i < d->chain_count && d->chain[i].node->weight == GRAPH_NONE &&
           d->chain[i].node->op != GRAPH_BATCH_NORMALIZATION)
        i++;
    return i;
}

static admmnn_status record_backward(dnnl_network *d, uint32_t dy, admmnn_error *err) {
    uint32_t last = first_with_parameters(d);
    for (uint32_t i = d->chain_count; i-- > last;) {
        uint32_t dx = dy;
        BASE_TRY(node_backward(d, &d->chain[i], dy, i == last, &dx, err));
        dy = dx;
    }
    return ADMMNN_OK;
}

/* ---- creation ---- */

void dnnl_network_close(dnnl_network *d) {
    for (uint32_t i = 0; i < d->chain_count; i++) {
        dnnl_node *n = &d->chain[i];
        if (n->forward != NULL)
            dnnl_primitive_desc_destroy(n->forward);
        dnnl_api_desc_free(n->any_src);
        dnnl_api_desc_free(n->any_dst);
        dnnl_api_desc_free(n->any_weights);
        dnnl_api_desc_free(n->plain_src);
        dnnl_api_desc_free(n->bias_desc);
    }
    tape_close(&d->tape);
    base_free(d->chain);
    base_free(d->marks);
    base_free(d->gradient);
}

/* Padded alike on both sides, without gaps. */
static bool window_is_plain(const graph_window *w) {
    for (int axis = 0; axis < 2; axis++)
        if (w->pad[axis] != w->pad_end[axis] || w->dilation[axis] != 1)
            return false;
    return true;
}

static bool is_supported(const dnnl_network *d, const graph_node *node) {
    dnnl_dims_t dims;
    switch (node->op) {
    case GRAPH_CONV:
        return node->conv.groups == 1 && node->conv.biased && window_is_plain(&node->conv.window) &&
               value_dims(d, graph_operand(d->graph, node, 0), dims) == 4;
    case GRAPH_MAXPOOL:
        return !node->pool.ceil && window_is_plain(&node->pool.window) &&
               value_dims(d, graph_operand(d->graph, node, 0), dims) == 4;
    case GRAPH_INNER_PRODUCT:
        return node->bias != GRAPH_NONE;
    default:
        return works_by_element(node);
    }
}

/* The first value that the value's maker reads. */
static uint32_t chain_before(const graph *g, uint32_t value) {
    return graph_operand(g, &g->nodes[g->values[value].producer], 0);
}

/* Nodes that do not lead to the output have no gradient and are left out. */
static admmnn_status find_chain(dnnl_network *d, admmnn_error *err) {
    const graph *g = d->graph;
    uint32_t count = 0;
    uint32_t first = g->output;
    for (; g->values[first].producer != GRAPH_NONE; first = chain_before(g, first))
        count++;
    if (first != g->input)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "network %s: the oneDNN back end runs chains from the input; use auto",
                         g->name);
    d->chain = base_array(count, sizeof *d->chain);
    if (d->chain == NULL)
        return base_fail_memory(err, "the oneDNN back end");
    d->chain_count = count;
    for (uint32_t v = g->output; count-- > 0;) {
        const graph_node *node = &g->nodes[g->values[v].producer];
        if (!is_supported(d, node))
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "node %s: the oneDNN back end has no %s there; use auto or reference",
                             node->name, graph_op_name(node->op));
        d->chain[count].node = node;
        v = graph_operand(d->graph, node, 0);
    }
    return ADMMNN_OK;
}

static admmnn_status record_all(dnnl_network *d, bool training, admmnn_error *err) {
    dnnl_dims_t dims;
    int ndims = value_dims(d, d->graph->input, dims);
    uint32_t input;
    uint32_t logits;
    uint32_t gradient = TAPE_NONE;
    BASE_TRY(tape_open(&d->tape, err));
    BASE_TRY(add_plain(d, ndims, dims, TAPE_ARENA, 0, &input, err));
    BASE_TRY(record_forward(d, input, training, &logits, err));
    if (training)
        BASE_TRY(tape_tensor_add(&d->tape, format(d, logits), TAPE_ARENA, 0, &gradient, err));
    BASE_TRY(add_mark(d, (dnnl_mark){.work = DNNL_LOSS, .x = logits, .y = gradient}, err));
    if (training) {
        d->gradient = base_array(d->graph->flat_count, sizeof *d->gradient);
        if (d->gradient == NULL)
            return base_fail_memory(err, "the gradient");
        BASE_TRY(record_backward(d, gradient, err));
    }
    return tape_place(&d->tape, d->gradient, err);
}

admmnn_status dnnl_network_open(const graph *g, size_t samples, bool training, dnnl_network *d,
                                admmnn_error *err) {
    *d = (dnnl_network){.graph = g, .samples = samples};
    BASE_TRY(find_chain(d, err));
    /* oneDNN divides the work when a primitive is made: among one thread. */
    int before = dnnl_api_set_threads(1);
    admmnn_status status = record_all(d, training, err);
    dnnl_api_set_threads(before);
    return status;
}
