/* What works element by element. */
#include "engine/dnnl_record.h"

/* ---- functions of one element ---- */

/* What its backward pass reads. */
typedef enum reading { READS_SIGNS, READS_OUTPUT, READS_INPUT } reading;

typedef struct function {
    bool known;
    dnnl_alg_kind_t algorithm; /* training, where that is another: reads the output */
    reading reads;
} function;

/* No square root: its slope at zero, which is what fills a share up, is infinite. */
static const function functions[GRAPH_UNARY_COUNT] = {
    [GRAPH_LEAKY_RELU] = {true, dnnl_eltwise_relu, READS_INPUT},
    [GRAPH_CLIP] = {true, dnnl_eltwise_clip_v2_use_dst_for_bwd, READS_OUTPUT},
    [GRAPH_SIGMOID] = {true, dnnl_eltwise_logistic_use_dst_for_bwd, READS_OUTPUT},
    [GRAPH_HARD_SWISH] = {true, dnnl_eltwise_hardswish, READS_INPUT},
    [GRAPH_TANH] = {true, dnnl_eltwise_tanh_use_dst_for_bwd, READS_OUTPUT},
    [GRAPH_ELU] = {true, dnnl_eltwise_elu, READS_INPUT},
    [GRAPH_GELU] = {true, dnnl_eltwise_gelu_erf, READS_INPUT},
    [GRAPH_GELU_TANH] = {true, dnnl_eltwise_gelu_tanh, READS_INPUT},
    [GRAPH_EXP] = {true, dnnl_eltwise_exp_use_dst_for_bwd, READS_OUTPUT},
};

/* What post-operations call the same. */
static dnnl_alg_kind_t forward_alone(dnnl_alg_kind_t algorithm) {
    switch ((int)algorithm) {
    case dnnl_eltwise_relu_use_dst_for_bwd:
        return dnnl_eltwise_relu;
    case dnnl_eltwise_clip_v2_use_dst_for_bwd:
        return dnnl_eltwise_clip_v2;
    case dnnl_eltwise_logistic_use_dst_for_bwd:
        return dnnl_eltwise_logistic;
    case dnnl_eltwise_tanh_use_dst_for_bwd:
        return dnnl_eltwise_tanh;
    case dnnl_eltwise_exp_use_dst_for_bwd:
        return dnnl_eltwise_exp;
    default:
        return algorithm;
    }
}

static reading find(const graph_node *node, dnnl_api_shapes *shapes) {
    *shapes = (dnnl_api_shapes){.algorithm = dnnl_eltwise_relu_use_dst_for_bwd};
    if (node->op == GRAPH_RELU)
        return READS_SIGNS;
    const graph_unary *u = &node->unary;
    const function *f = &functions[u->kind];
    const bool swish = u->kind == GRAPH_HARD_SWISH; /* of oneDNN 3: x (alpha x + beta), clipped */
    shapes->algorithm = f->algorithm;
    shapes->alpha = swish ? 1.0F / 6.0F : u->a;
    shapes->beta = swish ? 0.5F : u->b;
    return f->reads;
}

bool dnnl_element_algorithm(const graph_node *node, bool training, dnnl_api_shapes *shapes) {
    if (node->op != GRAPH_RELU && !functions[node->unary.kind].known)
        return false;
    find(node, shapes);
    if (!training)
        shapes->algorithm = forward_alone(shapes->algorithm);
    return true;
}

admmnn_status dnnl_attributes(const graph_node *act, bool sums, dnnl_primitive_attr_t *out,
                              admmnn_error *err) {
    dnnl_api_shapes function;
    if (act != NULL)
        dnnl_element_algorithm(act, false, &function);
    dnnl_status_t made = dnnl_api_attributes(sums, act != NULL ? &function : NULL, out);
    return made == dnnl_success ? ADMMNN_OK : tape_fail(err, made, "what runs along");
}

static admmnn_status make(const dnnl_network *d, const graph_node *node, uint32_t x,
                          dnnl_primitive_desc_t *out, admmnn_error *err) {
    dnnl_api_shapes shapes;
    dnnl_element_algorithm(node, true, &shapes);
    shapes.src = dnnl_format(d, x);
    dnnl_status_t made = dnnl_api_element_forward(&d->tape.api, &shapes, d->plan.training, out);
    return made == dnnl_success ? ADMMNN_OK : tape_fail(err, made, node->name);
}

admmnn_status dnnl_apply(dnnl_network *d, const graph_node *node, uint32_t tensor,
                         admmnn_error *err) {
    dnnl_primitive_desc_t what;
    BASE_TRY(make(d, node, tensor, &what, err));
    const tape_argument arguments[] = {{DNNL_ARG_SRC, tensor}, {DNNL_ARG_DST, tensor}};
    return dnnl_call_once(d, what, arguments, 2, err);
}

/* In place where no one needs the input again. */
admmnn_status dnnl_element_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    dnnl_api_shapes shapes;
    if (!dnnl_element_algorithm(n->node, true, &shapes))
        return ADMMNN_UNSUPPORTED;
    const reading reads = find(n->node, &shapes);
    n->src = d->tensor[value];
    n->dst = n->src;
    BASE_TRY(make(d, n->node, n->src, &n->forward, err));
    const bool reads_input = d->plan.training && reads == READS_INPUT;
    if (reads_input || !dnnl_may_overwrite(d, value, TAPE_FORGOTTEN))
        BASE_TRY(tape_tensor_add(&d->tape, dnnl_format(d, n->src), TAPE_ARENA, 0, &n->dst, err));
    tape_overwrite(&d->tape, n->dst);
    const tape_argument arguments[] = {{DNNL_ARG_SRC, n->src}, {DNNL_ARG_DST, n->dst}};
    BASE_TRY(tape_call_add(&d->tape, n->forward, arguments, 2, err));
    dnnl_keep(d, reads_input ? n->src : n->dst, reads == READS_SIGNS ? TAPE_SIGNS : TAPE_KEPT);
    d->tensor[n->node->output] = n->dst;
    return ADMMNN_OK;
}

/* In place too. */
admmnn_status dnnl_element_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    uint32_t dy;
    uint32_t dx;
    dnnl_api_shapes shapes;
    const bool reads_input = find(n->node, &shapes) == READS_INPUT;
    const uint32_t data = reads_input ? n->src : n->dst;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    BASE_TRY(tape_reorder(t, dy, dnnl_format(d, data), &dy, err));
    BASE_TRY(dnnl_gradient_beside(d, dy, &dx, err));
    shapes.src = dnnl_format(d, data);
    shapes.dst = dnnl_format(d, dy);
    shapes.forward = n->forward;
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_element_backward(&t->api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    tape_overwrite(t, dx);
    const tape_argument arguments[] = {{reads_input ? DNNL_ARG_SRC : DNNL_ARG_DST, data},
                                       {DNNL_ARG_DIFF_DST, dy},
                                       {DNNL_ARG_DIFF_SRC, dx}};
    BASE_TRY(dnnl_call_once(d, what, arguments, 3, err));
    return dnnl_add_gradient(d, graph_operand(d->graph, n->node, 0), dx, err);
}

/* ---- dropout ---- */

/* In place: a rectifier before it whose output becomes zero here has no gradient either. */
admmnn_status dnnl_dropout_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    const unsigned when = t->when;
    uint32_t x;
    BASE_TRY(dnnl_plain(d, value, d->tensor[value], &x, err));
    if (!d->plan.training) {
        d->tensor[n->node->output] = x;
        return ADMMNN_OK;
    }
    const tape_tensor *base = &t->tensors[t->tensors[x].base];
    const bool copied = base != &t->tensors[t->tensors[d->tensor[value]].base];
    if (copied ? base->kept > TAPE_SIGNS : !dnnl_may_overwrite(d, value, TAPE_SIGNS)) {
        uint32_t own;
        BASE_TRY(tape_tensor_add(t, dnnl_format(d, x), TAPE_ARENA, 0, &own, err));
        BASE_TRY(tape_copy(t, x, own, err));
        x = own;
    }
    tape_overwrite(t, x);
    d->tensor[n->node->output] = x;
    t->when = TAPE_TRAIN;
    admmnn_status status = dnnl_add_mark(d, dnnl_mark_of(d, n, DNNL_DROPOUT, TAPE_NONE, x), err);
    t->when = when;
    return status;
}

admmnn_status dnnl_dropout_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    uint32_t dy;
    uint32_t dx;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    BASE_TRY(dnnl_plain(d, n->node->output, dy, &dy, err));
    BASE_TRY(dnnl_gradient_beside(d, dy, &dx, err));
    if (dx != dy)
        BASE_TRY(tape_copy(&d->tape, dy, dx, err));
    tape_overwrite(&d->tape, dx);
    BASE_TRY(dnnl_add_mark(d, dnnl_mark_of(d, n, DNNL_UNDROP, TAPE_NONE, dx), err));
    return dnnl_add_gradient(d, graph_operand(d->graph, n->node, 0), dx, err);
}

/* ---- functions of two elements ---- */

/* Of tensors of one shape; a quotient's gradients are not oneDNN's. */
static bool find_binary(const dnnl_network *d, const graph_node *node, dnnl_alg_kind_t *out) {
    static const dnnl_alg_kind_t algorithms[] = {[GRAPH_ADD] = dnnl_binary_add,
                                                 [GRAPH_SUB] = dnnl_binary_sub,
                                                 [GRAPH_MUL] = dnnl_binary_mul,
                                                 [GRAPH_DIV] = dnnl_binary_div};
    const graph *g = d->graph;
    const uint32_t left = graph_operand(g, node, 0);
    const uint32_t right = graph_operand(g, node, 1);
    if (!graph_shape_equal(g->values[left].shape, g->values[right].shape) ||
        node->binary > (d->plan.training ? GRAPH_MUL : GRAPH_DIV))
        return false;
    *out = algorithms[node->binary];
    return true;
}

static admmnn_status call_binary(dnnl_network *d, dnnl_alg_kind_t algorithm, const graph_node *act,
                                 uint32_t a, uint32_t b, uint32_t y, admmnn_error *err) {
    dnnl_api_shapes shapes = {.src = dnnl_format(d, a),
                              .weights = dnnl_format(d, b),
                              .dst = dnnl_format(d, y),
                              .algorithm = algorithm};
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_t what;
    BASE_TRY(dnnl_attributes(act, false, &attributes, err));
    shapes.attributes = attributes;
    dnnl_status_t made = dnnl_api_binary(&d->tape.api, &shapes, true, &what);
    dnnl_primitive_attr_destroy(attributes);
    if (made != dnnl_success)
        return tape_fail(err, made, "a function of two tensors");
    tape_overwrite(&d->tape, y);
    const tape_argument arguments[] = {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, y}};
    return dnnl_call_once(d, what, arguments, 3, err);
}

/* Whether the last block of channels is not full. A function that oneDNN 2.6's binary operations
 * by AVX-512 run along is wrong there: it runs by itself. */
static bool has_padding(const dnnl_network *d, uint32_t tensor) {
    const dnnl_api_desc format = dnnl_format(d, tensor);
    const size_t block = dnnl_layout(d, tensor).block;
    dnnl_dims_t dims;
    return dnnl_api_desc_dims(format, dims) > 1 && block > 1 && (size_t)dims[1] % block != 0;
}

admmnn_status dnnl_binary_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    tape *t = &d->tape;
    if (n->by != NULL && !n->made)
        BASE_TRY(dnnl_norm_sum(d, n, err));
    if (n->made) {
        d->tensor[n->tail->output] = n->dst;
        if (n->act != NULL)
            dnnl_keep(d, n->dst, TAPE_SIGNS);
        return ADMMNN_OK;
    }
    const uint32_t left = graph_operand(d->graph, n->node, 0);
    const uint32_t right = graph_operand(d->graph, n->node, 1);
    const bool multiplies = n->node->binary == GRAPH_MUL;
    dnnl_alg_kind_t algorithm;
    if (!find_binary(d, n->node, &algorithm))
        return ADMMNN_UNSUPPORTED;
    n->src = d->tensor[left];
    BASE_TRY(tape_reorder(t, d->tensor[right], dnnl_format(d, n->src), &n->weights, err));
    if (multiplies) {
        dnnl_keep(d, n->src, TAPE_KEPT);
        dnnl_keep(d, n->weights, TAPE_KEPT);
    }
    if (dnnl_may_overwrite(d, left, TAPE_FORGOTTEN))
        n->dst = n->src;
    else if (n->weights == d->tensor[right] && dnnl_may_overwrite(d, right, TAPE_FORGOTTEN))
        n->dst = n->weights;
    else
        BASE_TRY(tape_tensor_add(t, dnnl_format(d, n->src), TAPE_ARENA, 0, &n->dst, err));
    d->tensor[n->tail->output] = n->dst;
    const graph_node *along = has_padding(d, n->dst) ? NULL : n->act;
    BASE_TRY(call_binary(d, algorithm, along, n->src, n->weights, n->dst, err));
    if (n->act != along)
        BASE_TRY(dnnl_apply(d, n->act, n->dst, err));
    if (n->act != NULL)
        dnnl_keep(d, n->dst, TAPE_SIGNS);
    return ADMMNN_OK;
}

/* Through the rectifier that follows: both parts of the gradient at once, in one of them. */
static admmnn_status unrectify(dnnl_network *d, dnnl_node *n, uint32_t *out, admmnn_error *err) {
    tape *t = &d->tape;
    const uint32_t value = n->tail->output;
    const dnnl_api_desc wanted = dnnl_format(d, n->dst);
    uint32_t a = d->terms[value][0];
    uint32_t b = d->terms[value][1];
    d->terms[value][0] = TAPE_NONE;
    d->terms[value][1] = TAPE_NONE;
    BASE_TRY(tape_reorder(t, a, wanted, &a, err));
    if (b != TAPE_NONE)
        BASE_TRY(tape_reorder(t, b, wanted, &b, err));
    if (b != TAPE_NONE && !dnnl_is_free(d, a)) {
        const uint32_t other = a;
        a = b;
        b = other;
    }
    BASE_TRY(dnnl_gradient_beside(d, a, out, err));
    if (*out != a)
        BASE_TRY(tape_copy(t, a, *out, err));
    tape_overwrite(t, *out);
    dnnl_mark mark = dnnl_mark_of(d, n, DNNL_UNRELU, n->dst, *out);
    mark.z = b;
    return dnnl_add_mark(d, mark, err);
}

static admmnn_status add_product(dnnl_network *d, uint32_t value, uint32_t dy, uint32_t other,
                                 admmnn_error *err) {
    uint32_t dx;
    if (!d->wanted[value])
        return ADMMNN_OK;
    BASE_TRY(tape_tensor_add(&d->tape, dnnl_format(d, dy), TAPE_ARENA, 0, &dx, err));
    BASE_TRY(call_binary(d, dnnl_binary_mul, NULL, dy, other, dx, err));
    return dnnl_add_gradient(d, value, dx, err);
}

static admmnn_status add_negative(dnnl_network *d, uint32_t value, uint32_t dy, admmnn_error *err) {
    uint32_t dx;
    dnnl_primitive_desc_t what;
    if (!d->wanted[value])
        return ADMMNN_OK;
    const dnnl_api_shapes shapes = {
        .src = dnnl_format(d, dy), .algorithm = dnnl_eltwise_linear, .alpha = -1.0F};
    dnnl_status_t made = dnnl_api_element_forward(&d->tape.api, &shapes, false, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, "a difference");
    admmnn_status status = tape_tensor_add(&d->tape, dnnl_format(d, dy), TAPE_ARENA, 0, &dx, err);
    if (status != ADMMNN_OK) {
        dnnl_primitive_desc_destroy(what);
        return status;
    }
    const tape_argument arguments[] = {{DNNL_ARG_SRC, dy}, {DNNL_ARG_DST, dx}};
    BASE_TRY(dnnl_call_once(d, what, arguments, 2, err));
    return dnnl_add_gradient(d, value, dx, err);
}

static admmnn_status divide_gradient(dnnl_network *d, dnnl_node *n, uint32_t dy,
                                     admmnn_error *err) {
    const uint32_t left = graph_operand(d->graph, n->node, 0);
    const uint32_t right = graph_operand(d->graph, n->node, 1);
    if (n->node->binary == GRAPH_MUL) {
        BASE_TRY(tape_reorder(&d->tape, dy, dnnl_format(d, n->src), &dy, err));
        BASE_TRY(add_product(d, left, dy, n->weights, err));
        return add_product(d, right, dy, n->src, err);
    }
    if (n->node->binary == GRAPH_SUB)
        BASE_TRY(add_negative(d, right, dy, err));
    else
        BASE_TRY(dnnl_add_gradient(d, right, dy, err));
    return dnnl_add_gradient(d, left, dy, err);
}

admmnn_status dnnl_binary_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    uint32_t *held = &d->terms[n->tail->output][0];
    uint32_t dy;
    if (n->act != NULL && !n->unrectified)
        BASE_TRY(unrectify(d, n, &dy, err));
    else
        BASE_TRY(dnnl_take_gradient(d, n->tail->output, &dy, err));
    /* One operand's gradient may be added up where it stands before it goes to the other. */
    *held = dy;
    const admmnn_status status = divide_gradient(d, n, dy, err);
    *held = TAPE_NONE;
    return status;
}

/* ---- the same elements in another shape ---- */

admmnn_status dnnl_reshape_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    dnnl_dims_t dims;
    const int ndims = dnnl_value_dims(d, n->node->output, dims);
    return dnnl_shaped(d, d->tensor[graph_operand(d->graph, n->node, 0)], ndims, dims,
                       &d->tensor[n->node->output], err);
}

admmnn_status dnnl_reshape_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    dnnl_dims_t dims;
    uint32_t dy;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    BASE_TRY(dnnl_shaped(d, dy, dnnl_value_dims(d, value, dims), dims, &dy, err));
    return dnnl_add_gradient(d, value, dy, err);
}
