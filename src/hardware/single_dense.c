#include "hardware/single_dense.h"

#include <string.h>

#include "base/memory.h"
#include "engine/dnnl_tape.h"

/* On the tape: changes of format of input and weights, the layer, one of the output. */
struct single_dense {
    const graph *g;
    const float *params;
    unsigned threads;
    tape tape;
    dnnl_api_desc plain_src, plain_weights, plain_dst; /* owned; row-major */
    dnnl_api_desc any_src, any_weights, any_dst;       /* owned; the format is open */
    dnnl_api_window window;
    uint32_t src, dst; /* row-major tensors */
    size_t layer;      /* its call */
};

/* ---- descriptions ---- */

static const graph_node *node_of(const single_dense *d) {
    return &d->g->nodes[0];
}

static bool is_conv(const single_dense *d) {
    return node_of(d)->op == GRAPH_CONV;
}

static int image_dims(const single_dense *d, uint32_t value, dnnl_dims_t dims) {
    const graph_shape shape = d->g->values[value].shape;
    dims[0] = 1;
    dims[1] = is_conv(d) ? graph_shape_channels(shape) : (dnnl_dim_t)graph_value_count(d->g, value);
    dims[2] = graph_shape_height(shape);
    dims[3] = graph_shape_width(shape);
    return is_conv(d) ? 4 : 2;
}

static int weight_dims(const single_dense *d, dnnl_dims_t dims) {
    const graph_parameter *weight = &d->g->parameters[node_of(d)->weight];
    const graph_conv *conv = &node_of(d)->conv;
    int at = 0;
    if (!is_conv(d)) {
        dims[0] = weight->rows;
        dims[1] = weight->columns;
        return 2;
    }
    if (conv->groups > 1)
        dims[at++] = conv->groups;
    dims[at++] = weight->rows / conv->groups;
    dims[at++] = weight->columns / (conv->window.kernel[0] * conv->window.kernel[1]);
    dims[at++] = conv->window.kernel[0];
    dims[at++] = conv->window.kernel[1];
    return at;
}

static void describe_window(single_dense *d) {
    const graph_window *w = &node_of(d)->conv.window;
    for (int axis = 0; is_conv(d) && axis < 2; axis++) {
        d->window.kernel[axis] = w->kernel[axis];
        d->window.stride[axis] = w->stride[axis];
        d->window.dilation[axis] = w->dilation[axis] - 1;
        d->window.pad[axis] = w->pad[axis];
        d->window.pad_end[axis] = w->pad_end[axis];
    }
}

static admmnn_status describe(int ndims, const dnnl_dims_t dims, dnnl_api_desc *plain,
                              dnnl_api_desc *any, admmnn_error *err) {
    dnnl_status_t status = dnnl_api_desc_create(ndims, dims, false, plain);
    if (status == dnnl_success)
        status = dnnl_api_desc_create(ndims, dims, true, any);
    return status == dnnl_success ? ADMMNN_OK : tape_fail(err, status, "describing a tensor");
}

static admmnn_status describe_all(single_dense *d, admmnn_error *err) {
    dnnl_dims_t dims;
    int ndims = image_dims(d, d->g->input, dims);
    BASE_TRY(describe(ndims, dims, &d->plain_src, &d->any_src, err));
    ndims = image_dims(d, node_of(d)->output, dims);
    BASE_TRY(describe(ndims, dims, &d->plain_dst, &d->any_dst, err));
    ndims = weight_dims(d, dims);
    describe_window(d);
    return describe(ndims, dims, &d->plain_weights, &d->any_weights, err);
}

/* ---- recording ---- */

static admmnn_status record_layer(single_dense *d, const_dnnl_primitive_desc_t what,
                                  admmnn_error *err) {
    const dnnl_api_desc src = dnnl_primitive_desc_query_md(what, dnnl_query_src_md, 0);
    const dnnl_api_desc weights = dnnl_primitive_desc_query_md(what, dnnl_query_weights_md, 0);
    const dnnl_api_desc dst = dnnl_primitive_desc_query_md(what, dnnl_query_dst_md, 0);
    const size_t offset = d->g->parameters[node_of(d)->weight].offset;
    uint32_t plain_weights;
    uint32_t copies[3];
    BASE_TRY(tape_tensor_add(&d->tape, d->plain_src, TAPE_ARENA, 0, &d->src, err));
    BASE_TRY(
        tape_tensor_add(&d->tape, d->plain_weights, TAPE_PARAMETER, offset, &plain_weights, err));
    BASE_TRY(tape_call_add(&d->tape, NULL, &(tape_argument){DNNL_ARG_SRC, d->src}, 1, err));
    BASE_TRY(tape_reorder(&d->tape, d->src, src, &copies[0], err));
    BASE_TRY(tape_reorder(&d->tape, plain_weights, weights, &copies[1], err));
    BASE_TRY(tape_tensor_add(&d->tape, dst, TAPE_ARENA, 0, &copies[2], err));
    const tape_argument arguments[] = {
        {DNNL_ARG_SRC, copies[0]}, {DNNL_ARG_WEIGHTS, copies[1]}, {DNNL_ARG_DST, copies[2]}};
    d->layer = d->tape.call_count;
    BASE_TRY(tape_call_add(&d->tape, what, arguments, 3, err));
    return tape_reorder(&d->tape, copies[2], d->plain_dst, &d->dst, err);
}

static admmnn_status record(single_dense *d, admmnn_error *err) {
    const dnnl_api_shapes shapes = {
        .src = d->any_src, .weights = d->any_weights, .dst = d->any_dst, .window = &d->window};
    dnnl_api_make *make = is_conv(d) ? dnnl_api_conv_forward : dnnl_api_product_forward;
    dnnl_primitive_desc_t what;
    const dnnl_status_t made = make(&d->tape.api, &shapes, false, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, "a layer");
    const admmnn_status status = record_layer(d, what, err);
    dnnl_primitive_desc_destroy(what);
    BASE_TRY(status);
    BASE_TRY(tape_plan(&d->tape, err));
    BASE_TRY(tape_place(&d->tape, NULL, err));
    return tape_bind(&d->tape, d->params, err);
}

static admmnn_status open_layer(single_dense *d, admmnn_error *err) {
    BASE_TRY(tape_open(&d->tape, err));
    d->tape.when = TAPE_EVALUATE;
    BASE_TRY(describe_all(d, err));
    const int before = dnnl_api_set_threads((int)d->threads);
    const admmnn_status status = record(d, err);
    dnnl_api_set_threads(before);
    return status;
}

admmnn_status single_dense_create(const graph *g, const float *params, unsigned threads,
                                  single_dense **out, admmnn_error *err) {
    single_dense *d = base_array(1, sizeof *d);
    if (d == NULL)
        return base_fail_memory(err, "a layer of oneDNN");
    d->g = g;
    d->params = params;
    d->threads = threads;
    const admmnn_status status = open_layer(d, err);
    if (status != ADMMNN_OK) {
        single_dense_free(d);
        return status;
    }
    *out = d;
    return ADMMNN_OK;
}

void single_dense_free(single_dense *d) {
    if (d == NULL)
        return;
    tape_close(&d->tape);
    dnnl_api_desc_free(d->plain_src);
    dnnl_api_desc_free(d->plain_weights);
    dnnl_api_desc_free(d->plain_dst);
    dnnl_api_desc_free(d->any_src);
    dnnl_api_desc_free(d->any_weights);
    dnnl_api_desc_free(d->any_dst);
    base_free(d);
}

/* ---- running ---- */

static admmnn_status replay(single_dense *d, size_t first, size_t last, admmnn_error *err) {
    const int before = dnnl_api_set_threads((int)d->threads);
    const admmnn_status status = tape_replay(&d->tape, first, last, TAPE_EVALUATE, err);
    dnnl_api_set_threads(before);
    return status;
}

admmnn_status single_dense_prepare(single_dense *d, const float *input, admmnn_error *err) {
    memcpy(tape_floats(&d->tape, d->src), input,
           graph_value_count(d->g, d->g->input) * sizeof *input);
    return replay(d, 0, d->layer, err);
}

admmnn_status single_dense_run(single_dense *d, admmnn_error *err) {
    return replay(d, d->layer, d->layer + 1, err);
}

admmnn_status single_dense_read(single_dense *d, const float **output, admmnn_error *err) {
    *output = tape_floats(&d->tape, d->dst);
    return replay(d, d->layer + 1, d->tape.call_count, err);
}
