/* Convolutions, poolings and matrix products. */
#include <string.h>

#include "onnx/attributes.h"
#include "onnx/nodes.h"

/* ---- windows ---- */

/* Windows move along one dimension or two: (channels, width) or (channels, height, width). */
static admmnn_status check_spatial(graph_shape shape, admmnn_error *err) {
    if (shape.rank == 2 || shape.rank == 3)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "an input of %u dimensions; windows of one and two are read", shape.rank + 1);
}

/* `rank` integers, or twice as many, into the last places of to[2] (and more[2]). */
static admmnn_status take_sides(const Onnx__NodeProto *node, const char *name, uint32_t rank,
                                uint32_t *to, uint32_t *more, admmnn_error *err) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    const size_t count = more == NULL ? rank : 2 * rank;
    if (a == NULL)
        return ADMMNN_OK;
    bool sound = a->n_ints == count;
    for (size_t i = 0; sound && i < count; i++) {
        uint32_t *side = i < rank ? &to[2 - rank + i] : &more[2 - rank + i - rank];
        sound = a->ints[i] >= 0 && a->ints[i] <= (int64_t)GRAPH_DIMENSION_MAX;
        *side = sound ? (uint32_t)a->ints[i] : 0;
    }
    if (sound)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "%s that are not %zu numbers of 0 to %u: a window of %u dimensions", name,
                     count, GRAPH_DIMENSION_MAX, rank);
}

/* Pads such that the output is as large as the input is in strides. */
static void pad_same(graph_window *w, graph_shape in, bool more_at_end) {
    const uint32_t sides[2] = {graph_shape_height(in), graph_shape_width(in)};
    for (int i = 0; i < 2; i++) {
        if (w->stride[i] == 0 || w->kernel[i] == 0)
            continue; /* refused by the graph */
        const uint64_t covered = (uint64_t)w->dilation[i] * (w->kernel[i] - 1) + 1;
        const uint64_t steps = (sides[i] - 1) / w->stride[i];
        const uint64_t wanted = steps * w->stride[i] + covered;
        const uint64_t total = wanted > sides[i] ? wanted - sides[i] : 0;
        const uint32_t less = (uint32_t)(total / 2);
        const uint32_t rest = (uint32_t)(total - less);
        w->pad[i] = more_at_end ? less : rest;
        w->pad_end[i] = more_at_end ? rest : less;
    }
}

/* kernel: of the weights, or NULL where the attribute must tell. */
static admmnn_status take_window(const Onnx__NodeProto *node, graph_shape in, const int64_t *kernel,
                                 graph_window *w, admmnn_error *err) {
    char text[ONNX_TEXT_MAX];
    *w = graph_window_of(1, 1, 0);
    BASE_TRY(check_spatial(in, err));
    const uint32_t rank = in.rank - 1;
    for (uint32_t i = 0; kernel != NULL && i < rank; i++)
        w->kernel[2 - rank + i] =
            kernel[i] > (int64_t)GRAPH_DIMENSION_MAX ? 0 : (uint32_t)kernel[i];
    const graph_window of_weights = *w;
    BASE_TRY(take_sides(node, "kernel_shape", rank, w->kernel, NULL, err));
    BASE_TRY(take_sides(node, "strides", rank, w->stride, NULL, err));
    BASE_TRY(take_sides(node, "dilations", rank, w->dilation, NULL, err));
    BASE_TRY(take_sides(node, "pads", rank, w->pad, w->pad_end, err));
    if (kernel != NULL && memcmp(w->kernel, of_weights.kernel, sizeof w->kernel) != 0)
        return base_fail(err, ADMMNN_CORRUPT, "kernel_shape is not that of the weights");
    if (kernel == NULL && onnx_attribute(node, "kernel_shape") == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "no kernel_shape");
    if (onnx_text_is(node, "auto_pad", "NOTSET", "NOTSET"))
        return ADMMNN_OK;
    memset(w->pad, 0, sizeof w->pad);
    memset(w->pad_end, 0, sizeof w->pad_end);
    if (onnx_text_is(node, "auto_pad", "", "SAME_UPPER") ||
        onnx_text_is(node, "auto_pad", "", "SAME_LOWER"))
        pad_same(w, in, onnx_text_is(node, "auto_pad", "", "SAME_UPPER"));
    else if (!onnx_text_is(node, "auto_pad", "", "VALID"))
        return base_fail(err, ADMMNN_CORRUPT, "auto_pad '%s'", onnx_text(node, "auto_pad", text));
    return ADMMNN_OK;
}

/* What a window moves over: an image of one pixel is as good as the row of its channels
 * that it shows. */
static admmnn_status image_of(onnx_reader *r, onnx_tensor *tensor, uint32_t *value,
                              admmnn_error *err) {
    const graph_shape root = r->g->values[tensor->root].shape;
    const graph_shape pixel = graph_shape_image(graph_shape_channels(root), 1, 1);
    if (root.rank == 1 && graph_shape_equal(tensor->shape, pixel)) {
        *value = tensor->root;
        return ADMMNN_OK;
    }
    return onnx_whole(r, tensor, value, err);
}

/* ---- parameters ---- */

static void set_source(onnx_reader *r, uint32_t parameter, const onnx_tensor *tensor,
                       onnx_layout layout) {
    const onnx_array *array = tensor->array;
    r->sources[parameter] = (onnx_source){.array = array,
                                          .name = array->name != NULL ? array->name : tensor->name,
                                          .layout = layout,
                                          .factor = 1.0F};
}

static admmnn_status find_floats(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                 onnx_tensor **out, admmnn_error *err) {
    const onnx_array *array;
    BASE_TRY(onnx_find_constant(r, node, i, &array, err));
    BASE_TRY(onnx_find_input(r, node, i, out, err));
    if (array->floats == NULL || array->count == 0 || array->count > GRAPH_PARAMETERS_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "input %zu, '%.60s', is no tensor of floating numbers", i, node->input[i]);
    return ADMMNN_OK;
}

/* Input i as the bias of the graph's last node: a row of numbers, or one for all. */
static admmnn_status take_bias(onnx_reader *r, const Onnx__NodeProto *node, size_t i, float factor,
                               admmnn_error *err) {
    const graph_node *last = &r->g->nodes[r->g->node_count - 1];
    const onnx_array *array;
    if (last->bias == GRAPH_NONE)
        return ADMMNN_OK;
    BASE_TRY(onnx_find_constant(r, node, i, &array, err));
    for (uint32_t k = 0; k + 1 < array->rank; k++)
        if (array->dims[k] != 1)
            return onnx_fail_mixing("a bias that is not one row", err);
    BASE_TRY(onnx_take_parameter(r, node, i, last->bias, err));
    r->sources[last->bias].factor = factor;
    return ADMMNN_OK;
}

/* ---- convolutions ---- */

/* Weights of rank 2 more than the window, whose dim `axis` goes with the input's channels. */
static admmnn_status find_weights(onnx_reader *r, const Onnx__NodeProto *node, graph_shape in,
                                  uint32_t axis, uint32_t groups, onnx_tensor **out,
                                  admmnn_error *err) {
    char text[GRAPH_SHAPE_TEXT_MAX];
    BASE_TRY(find_floats(r, node, 1, out, err));
    const onnx_array *w = (*out)->array;
    const uint64_t share = axis == 0 ? 1 : groups;
    bool sound = w->rank == in.rank + 1 && groups > 0 &&
                 (uint64_t)w->dims[axis] * share == graph_shape_channels(in);
    for (uint32_t i = 0; sound && i < w->rank; i++)
        sound = w->dims[i] <= (int64_t)GRAPH_DIMENSION_MAX;
    if (sound)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED, "weights that do not fit an input of %s in %u groups",
                     graph_shape_text(in, text), groups);
}

static uint32_t groups_of(const Onnx__NodeProto *node) {
    const int64_t groups = onnx_integer(node, "group", 1);
    return groups < 1 || groups > (int64_t)GRAPH_DIMENSION_MAX ? 0 : (uint32_t)groups;
}

admmnn_status onnx_convert_conv(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    onnx_tensor *weights;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    graph_conv conv = {.groups = groups_of(node), .biased = onnx_has_input(node, 2)};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(find_weights(r, node, in->shape, 1, conv.groups, &weights, err));
    BASE_TRY(take_window(node, in->shape, weights->array->dims + 2, &conv.window, err));
    BASE_TRY(image_of(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(
        graph_add_conv(r->g, name, value, (uint32_t)weights->array->dims[0], conv, &value, err)));
    set_source(r, r->g->nodes[r->g->node_count - 1].weight, weights, ONNX_AS_IS);
    BASE_TRY(take_bias(r, node, 2, 1.0F, err));
    return onnx_add_value(r, node, value, err);
}

/* output_shape tells the pads: what is too much is cut, what is too little padded. */
static admmnn_status take_output_shape(const Onnx__NodeProto *node, graph_shape in,
                                       graph_conv *conv, admmnn_error *err) {
    const uint32_t rank = in.rank - 1;
    const uint32_t sides[2] = {graph_shape_height(in), graph_shape_width(in)};
    const bool upper = onnx_text_is(node, "auto_pad", "NOTSET", "SAME_UPPER");
    const bool same = upper || onnx_text_is(node, "auto_pad", "NOTSET", "SAME_LOWER");
    graph_window *w = &conv->window;
    uint32_t wanted[2] = {1, 1};
    if (onnx_attribute(node, "output_shape") == NULL && !same)
        return ADMMNN_OK;
    for (int i = 0; i < 2; i++)
        wanted[i] = (i == 0 && rank == 1) ? 1 : sides[i] * w->stride[i];
    BASE_TRY(take_sides(node, "output_shape", rank, wanted, NULL, err));
    for (int i = 0; i < 2; i++) {
        const int64_t made = (int64_t)w->stride[i] * (sides[i] - 1) + conv->output_pad[i] +
                             (int64_t)w->dilation[i] * ((int64_t)w->kernel[i] - 1) + 1;
        const int64_t total = made > wanted[i] ? made - wanted[i] : 0;
        const uint32_t less = (uint32_t)(total / 2);
        w->pad[i] = upper ? less : (uint32_t)total - less;
        w->pad_end[i] = (uint32_t)total - w->pad[i];
        conv->output_pad[i] += wanted[i] > made ? (uint32_t)(wanted[i] - made) : 0;
    }
    return ADMMNN_OK;
}

admmnn_status onnx_convert_transposed_conv(onnx_reader *r, const Onnx__NodeProto *node,
                                           admmnn_error *err) {
    onnx_tensor *in;
    onnx_tensor *weights;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    graph_conv conv = {.groups = groups_of(node), .biased = onnx_has_input(node, 2)};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(find_weights(r, node, in->shape, 0, conv.groups, &weights, err));
    const int64_t *dims = weights->array->dims;
    BASE_TRY(take_window(node, in->shape, dims + 2, &conv.window, err));
    BASE_TRY(take_sides(node, "output_padding", in->shape.rank - 1, conv.output_pad, NULL, err));
    BASE_TRY(take_output_shape(node, in->shape, &conv, err));
    BASE_TRY(image_of(r, in, &value, err));
    const int64_t filters = dims[1] * conv.groups;
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_transposed_conv(
        r->g, name, value, filters > UINT32_MAX ? 0 : (uint32_t)filters, conv, &value, err)));
    const uint32_t weight = r->g->nodes[r->g->node_count - 1].weight;
    set_source(r, weight, weights, ONNX_TRANSPOSED_CONV);
    r->sources[weight].groups = conv.groups;
    BASE_TRY(take_bias(r, node, 2, 1.0F, err));
    return onnx_add_value(r, node, value, err);
}

/* ---- poolings ---- */

typedef admmnn_status pooling(graph *g, const char *name, uint32_t in, graph_pool pool,
                              uint32_t *out, admmnn_error *err);

static admmnn_status convert_pool(onnx_reader *r, const Onnx__NodeProto *node, pooling *add,
                                  admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    graph_pool pool = {.ceil = onnx_integer(node, "ceil_mode", 0) != 0,
                       .counts_padding = onnx_integer(node, "count_include_pad", 0) != 0};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(take_window(node, in->shape, NULL, &pool.window, err));
    BASE_TRY(image_of(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(add(r->g, name, value, pool, &value, err)));
    return onnx_add_value(r, node, value, err);
}

admmnn_status onnx_convert_maxpool(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    return convert_pool(r, node, graph_add_maxpool, err);
}

admmnn_status onnx_convert_average_pool(onnx_reader *r, const Onnx__NodeProto *node,
                                        admmnn_error *err) {
    return convert_pool(r, node, graph_add_average_pool, err);
}

admmnn_status onnx_convert_global_maxpool(onnx_reader *r, const Onnx__NodeProto *node,
                                          admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(check_spatial(in->shape, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    graph_window window = graph_window_of(1, 1, 0);
    window.kernel[0] = graph_shape_height(in->shape);
    window.kernel[1] = graph_shape_width(in->shape);
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_maxpool(r->g, name, value, graph_pool_of(window), &value, err)));
    return onnx_add_value(r, node, value, err);
}

admmnn_status onnx_convert_global_average_pool(onnx_reader *r, const Onnx__NodeProto *node,
                                               admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    if (in->shape.rank == 0)
        return base_fail(err, ADMMNN_CORRUPT, "an input without channels");
    if (in->shape.rank == 1)
        return onnx_add_alias(r, node, in, err);
    const graph_reduce reduce = {
        .kind = GRAPH_REDUCE_MEAN, .axes = (1U << in->shape.rank) - 2, .keeps = true};
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_reduce(r->g, name, value, reduce, &value, err)));
    return onnx_add_value(r, node, value, err);
}

/* ---- products ---- */

/* x W, or x W^T where transposed is false: our weights are outputs x inputs. */
static admmnn_status add_product(onnx_reader *r, const Onnx__NodeProto *node, bool transposed,
                                 bool biased, admmnn_error *err) {
    onnx_tensor *in;
    onnx_tensor *weights;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(find_floats(r, node, 1, &weights, err));
    const onnx_array *w = weights->array;
    if (in->shape.rank != 1 || w->rank != 2 ||
        w->dims[transposed ? 0 : 1] != (int64_t)in->shape.dims[0] ||
        w->dims[transposed ? 1 : 0] > UINT32_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "weights that are not a matrix of floats over %zu inputs",
                         graph_shape_count(in->shape));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_inner_product(
        r->g, name, in->root, (uint32_t)w->dims[transposed ? 1 : 0], biased, &value, err)));
    set_source(r, r->g->nodes[r->g->node_count - 1].weight, weights,
               transposed ? ONNX_TRANSPOSED : ONNX_AS_IS);
    return ADMMNN_OK;
}

admmnn_status onnx_convert_gemm(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    if (onnx_integer(node, "transA", 0) != 0)
        return onnx_fail_mixing("transA", err);
    BASE_TRY(
        add_product(r, node, onnx_integer(node, "transB", 0) == 0, onnx_has_input(node, 2), err));
    r->sources[r->g->nodes[r->g->node_count - 1].weight].factor = onnx_number(node, "alpha", 1.0F);
    BASE_TRY(take_bias(r, node, 2, onnx_number(node, "beta", 1.0F), err));
    return onnx_add_value(r, node, r->g->output, err);
}

/* The Add of a constant row that alone reads the product, or NULL; *input: which of its
 * inputs the constant is. */
static const Onnx__NodeProto *adding_node(onnx_reader *r, const Onnx__NodeProto *product,
                                          int64_t outputs, size_t *input) {
    const onnx_tensor *out = onnx_names_find(&r->names, product->output[0]);
    if (out == NULL || out->reads != 1 || out->reader >= r->from->n_node)
        return NULL;
    const Onnx__NodeProto *add = r->from->node[out->reader];
    if (!onnx_is_standard(add->domain) || add->op_type == NULL ||
        strcmp(add->op_type, "Add") != 0 || add->n_input != 2 || add->n_attribute > 0)
        return NULL;
    *input = strcmp(add->input[0], out->name) == 0 ? 1 : 0;
    const onnx_tensor *bias = onnx_names_find(&r->names, add->input[*input]);
    if (bias == NULL || bias->array == NULL || bias->array->floats == NULL)
        return NULL;
    const onnx_array *array = bias->array;
    const bool row = array->rank <= 2 && (array->rank < 2 || array->dims[0] == 1) &&
                     (array->count == 1 || (array->count == (size_t)outputs && array->rank > 0));
    return row ? add : NULL;
}

/* A row that alone is multiplied by a matrix is an inner product, with the bias that an Add
 * gives it. */
static admmnn_status convert_row(onnx_reader *r, const Onnx__NodeProto *node,
                                 const onnx_tensor *right, admmnn_error *err) {
    size_t input = 0;
    const Onnx__NodeProto *add = adding_node(r, node, right->array->dims[1], &input);
    BASE_TRY(add_product(r, node, true, add != NULL, err));
    if (add != NULL) {
        BASE_TRY(take_bias(r, add, input, 1.0F, err));
        BASE_TRY(onnx_add_value(r, add, r->g->output, err));
    }
    return onnx_add_value(r, node, r->g->output, err);
}

/* The constant beside a value of a sample's rank `rank`. */
static admmnn_status product_operand(onnx_reader *r, onnx_tensor *tensor, uint32_t rank,
                                     uint32_t *value, admmnn_error *err) {
    if (tensor->array == NULL)
        return onnx_whole(r, tensor, value, err);
    return onnx_operand(r, tensor, rank + 1, GRAPH_WEIGHT, value, err);
}

/* Whether the batch is a stack of matrices in both operands: not a side of one. */
static bool stacks_samples(const onnx_tensor *left, const onnx_tensor *right) {
    if (left->array == NULL && right->array == NULL)
        return left->shape.rank == right->shape.rank && left->shape.rank >= 2;
    if (left->array == NULL)
        return left->shape.rank >= 1;
    return right->shape.rank >= 2;
}

admmnn_status onnx_convert_matmul(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *left;
    onnx_tensor *right;
    uint32_t operands[2];
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_input(r, node, 0, &left, err));
    BASE_TRY(onnx_find_input(r, node, 1, &right, err));
    if (left->array == NULL && left->shape.rank == 1 && right->array != NULL &&
        right->array->rank == 2)
        return convert_row(r, node, right, err);
    if (!stacks_samples(left, right))
        return onnx_fail_mixing("a product over the batch", err);
    BASE_TRY(product_operand(r, left, right->shape.rank, &operands[0], err));
    BASE_TRY(product_operand(r, right, left->shape.rank, &operands[1], err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_matmul(r->g, name, operands[0], operands[1], &value, err)));
    return onnx_add_value(r, node, value, err);
}
