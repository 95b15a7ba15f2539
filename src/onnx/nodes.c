#include "onnx/nodes.h"

#include <stdio.h>
#include <string.h>

#include "onnx/constant.h"

/* ---- attributes ---- */

static const Onnx__AttributeProto *attribute(const Onnx__NodeProto *node, const char *name) {
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name != NULL && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

static int64_t integer_of(const Onnx__NodeProto *node, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *a = attribute(node, name);
    return a == NULL ? otherwise : a->i;
}

static float number_of(const Onnx__NodeProto *node, const char *name, float otherwise) {
    const Onnx__AttributeProto *a = attribute(node, name);
    return a == NULL ? otherwise : a->f;
}

/* `count` integers of 0 to GRAPH_DIMENSION_MAX; all `otherwise` when absent. */
static bool integers_of(const Onnx__NodeProto *node, const char *name, uint32_t otherwise,
                        uint32_t *out, size_t count) {
    const Onnx__AttributeProto *a = attribute(node, name);
    for (size_t i = 0; i < count; i++)
        out[i] = otherwise;
    if (a == NULL)
        return true;
    if (a->n_ints != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (a->ints[i] < 0 || a->ints[i] > (int64_t)GRAPH_DIMENSION_MAX)
            return false;
        out[i] = (uint32_t)a->ints[i];
    }
    return true;
}

static bool pads_nothing_on_its_own(const Onnx__NodeProto *node) {
    const Onnx__AttributeProto *a = attribute(node, "auto_pad");
    const char *known[] = {"NOTSET", "VALID"};
    for (size_t i = 0; a != NULL && i < sizeof known / sizeof known[0]; i++)
        if (a->s.len == strlen(known[i]) && memcmp(a->s.data, known[i], a->s.len) == 0)
            return true;
    return a == NULL;
}

/* kernel[2] 0 when the attribute is absent. */
static admmnn_status window_of(const Onnx__NodeProto *node, graph_window *window,
                               admmnn_error *err) {
    uint32_t pads[4];
    uint32_t dilations[2];
    if (!pads_nothing_on_its_own(node))
        return base_fail(err, ADMMNN_UNSUPPORTED, "auto_pad other than NOTSET and VALID");
    if (!integers_of(node, "kernel_shape", 0, window->kernel, 2) ||
        !integers_of(node, "strides", 1, window->stride, 2) ||
        !integers_of(node, "dilations", 1, dilations, 2) || !integers_of(node, "pads", 0, pads, 4))
        return base_fail(err, ADMMNN_UNSUPPORTED, "a window that is not of two dimensions");
    if (dilations[0] != 1 || dilations[1] != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "dilations %ux%u; only 1x1 is read", dilations[0],
                         dilations[1]);
    if (pads[0] != pads[2] || pads[1] != pads[3])
        return base_fail(err, ADMMNN_UNSUPPORTED, "pads that differ between the sides");
    for (int i = 0; i < 2; i++) {
        window->pad[i] = window->pad_end[i] = pads[i];
        window->dilation[i] = 1;
    }
    return ADMMNN_OK;
}

/* ---- inputs and outputs ---- */

static admmnn_status find_input(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                onnx_tensor **out, admmnn_error *err) {
    *out = i < node->n_input ? onnx_names_find(&r->names, node->input[i]) : NULL;
    if (*out == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "input %zu, '%.60s', is made by no node before it", i,
                         i < node->n_input ? node->input[i] : "");
    if ((*out)->spent)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "reads '%.60s' both with and without what is added to it", node->input[i]);
    return ADMMNN_OK;
}

static admmnn_status find_value(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                onnx_tensor **out, admmnn_error *err) {
    BASE_TRY(find_input(r, node, i, out, err));
    if ((*out)->constant != NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "input %zu, '%.60s', is a constant", i,
                         node->input[i]);
    (*out)->reads++;
    return ADMMNN_OK;
}

static admmnn_status find_constant(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                   const Onnx__TensorProto **out, size_t *count,
                                   admmnn_error *err) {
    onnx_tensor *tensor;
    BASE_TRY(find_input(r, node, i, &tensor, err));
    if (tensor->constant == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "input %zu, '%.60s', is not a constant", i,
                         node->input[i]);
    *out = tensor->constant;
    return onnx_constant_count(tensor->constant, count, err);
}

static admmnn_status add_output(onnx_reader *r, const Onnx__NodeProto *node, onnx_tensor tensor,
                                admmnn_error *err) {
    tensor.name = node->n_output > 0 ? node->output[0] : NULL;
    if (!onnx_names_add(&r->names, tensor))
        return base_fail(err, ADMMNN_CORRUPT, "its output has no name, or one that is taken");
    return ADMMNN_OK;
}

static bool is_plain(const char *name) {
    for (; *name != 0; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7f)
            return false;
    return true;
}

/* The node's name where ours can have it, else its operation and a number. */
static void name_of(onnx_reader *r, const Onnx__NodeProto *node, char *out) {
    const char *name = node->name == NULL ? "" : node->name;
    if (name[0] != 0 && strlen(name) < GRAPH_NAME_MAX && is_plain(name)) {
        snprintf(out, GRAPH_NAME_MAX, "%s", name);
        if (graph_find_node(r->g, out) == GRAPH_NONE)
            return;
    }
    do {
        snprintf(out, GRAPH_NAME_MAX, "%.16s%u", node->op_type, ++r->unnamed);
    } while (graph_find_node(r->g, out) != GRAPH_NONE);
}

/* ---- operations ---- */

static admmnn_status held(admmnn_status status) {
    return status == ADMMNN_INPUT ? ADMMNN_UNSUPPORTED : status;
}

static admmnn_status check_bias(const Onnx__TensorProto *bias, size_t count, uint32_t rows,
                                admmnn_error *err) {
    if (count != rows || bias->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        return base_fail(err, ADMMNN_UNSUPPORTED, "a bias of %zu numbers for %u outputs", count,
                         rows);
    return ADMMNN_OK;
}

/* Takes input 2, if there is one, as the bias of the graph's last node. */
static admmnn_status take_bias(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    const graph_node *last = &r->g->nodes[r->g->node_count - 1];
    size_t count;
    if (node->n_input < 3 || node->input[2][0] == 0)
        return ADMMNN_OK;
    BASE_TRY(find_constant(r, node, 2, &r->sources[last->bias].tensor, &count, err));
    return check_bias(r->sources[last->bias].tensor, count, r->g->parameters[last->bias].rows, err);
}

static admmnn_status convert_conv(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                  admmnn_error *err) {
    onnx_tensor *in;
    const Onnx__TensorProto *weight;
    size_t count;
    graph_window window;
    BASE_TRY(find_value(r, node, 0, &in, err));
    BASE_TRY(find_constant(r, node, 1, &weight, &count, err));
    BASE_TRY(window_of(node, &window, err));
    if (integer_of(node, "group", 1) != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "groups; only 1 is read");
    const uint32_t channels = graph_shape_channels(r->g->values[in->value].shape);
    if (in->flat || weight->n_dims != 4 || count > GRAPH_PARAMETERS_MAX ||
        weight->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || weight->dims[1] != channels)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "weights that are not filters x %u channels x height x width of floats",
                         channels);
    for (int i = 0; i < 2; i++) {
        if (window.kernel[i] == 0)
            window.kernel[i] = (uint32_t)weight->dims[2 + i];
        if (window.kernel[i] != weight->dims[2 + i])
            return base_fail(err, ADMMNN_CORRUPT, "kernel_shape is not that of the weights");
    }
    uint32_t value;
    BASE_TRY(held(graph_add_conv(r->g, name, in->value, (uint32_t)weight->dims[0],
                                 graph_conv_of(window), &value, err)));
    r->sources[r->g->nodes[r->g->node_count - 1].weight].tensor = weight;
    BASE_TRY(take_bias(r, node, err));
    return add_output(r, node, (onnx_tensor){.value = value}, err);
}

static admmnn_status convert_maxpool(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                     admmnn_error *err) {
    onnx_tensor *in;
    graph_window window;
    BASE_TRY(find_value(r, node, 0, &in, err));
    BASE_TRY(window_of(node, &window, err));
    graph_shape shape = r->g->values[in->value].shape;
    const uint32_t sides[2] = {graph_shape_height(shape), graph_shape_width(shape)};
    bool up = integer_of(node, "ceil_mode", 0) != 0;
    for (int i = 0; i < 2; i++)
        if (up && window.stride[i] > 0 &&
            (sides[i] + 2 * window.pad[i] - window.kernel[i]) % window.stride[i] != 0)
            return base_fail(err, ADMMNN_UNSUPPORTED, "ceil_mode: sizes are rounded down");
    if (in->flat || node->n_output > 1 || integer_of(node, "storage_order", 0) != 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "only the largest values of images are read");
    uint32_t value;
    BASE_TRY(held(graph_add_maxpool(r->g, name, in->value, graph_pool_of(window), &value, err)));
    return add_output(r, node, (onnx_tensor){.value = value}, err);
}

/* x W (or x W^T where transposed is false: our weights are outputs x inputs). */
static admmnn_status add_product(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                 bool transposed, admmnn_error *err) {
    onnx_tensor *in;
    const Onnx__TensorProto *weight;
    size_t count;
    BASE_TRY(find_value(r, node, 0, &in, err));
    BASE_TRY(find_constant(r, node, 1, &weight, &count, err));
    size_t inputs = graph_value_count(r->g, in->value);
    if (!in->flat || weight->n_dims != 2 || count > GRAPH_PARAMETERS_MAX ||
        weight->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
        (size_t)weight->dims[transposed ? 0 : 1] != inputs)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "weights that are not a matrix of floats over %zu inputs", inputs);
    uint32_t value;
    BASE_TRY(held(graph_add_inner_product(
        r->g, name, in->value, (uint32_t)weight->dims[transposed ? 1 : 0], true, &value, err)));
    r->sources[r->g->nodes[r->g->node_count - 1].weight] = (onnx_source){weight, transposed};
    return ADMMNN_OK;
}

static admmnn_status convert_gemm(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                  admmnn_error *err) {
    if (number_of(node, "alpha", 1.0F) != 1.0F || number_of(node, "beta", 1.0F) != 1.0F ||
        integer_of(node, "transA", 0) != 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "alpha, beta or transA");
    BASE_TRY(add_product(r, node, name, integer_of(node, "transB", 0) == 0, err));
    BASE_TRY(take_bias(r, node, err));
    return add_output(r, node, (onnx_tensor){.value = r->g->output, .flat = true}, err);
}

static admmnn_status convert_matmul(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                    admmnn_error *err) {
    BASE_TRY(add_product(r, node, name, true, err));
    return add_output(r, node, (onnx_tensor){.value = r->g->output, .flat = true, .open = true},
                      err);
}

/* A constant added to a product that nothing else reads is its bias. */
static admmnn_status convert_add(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                 admmnn_error *err) {
    (void)name;
    onnx_tensor *product;
    const Onnx__TensorProto *bias;
    size_t count;
    BASE_TRY(find_input(r, node, 0, &product, err));
    size_t place = product->constant != NULL ? 1 : 0;
    BASE_TRY(find_value(r, node, place, &product, err));
    BASE_TRY(find_constant(r, node, 1 - place, &bias, &count, err));
    if (!product->open || product->reads != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "adds to something else than a MatMul's output");
    const graph_node *owner = &r->g->nodes[r->g->values[product->value].producer];
    BASE_TRY(check_bias(bias, count, r->g->parameters[owner->bias].rows, err));
    if (bias->n_dims > 2 || (bias->n_dims == 2 && bias->dims[0] != 1))
        return base_fail(err, ADMMNN_UNSUPPORTED, "a bias that is not one row");
    r->sources[owner->bias].tensor = bias;
    product->spent = true;
    return add_output(r, node, (onnx_tensor){.value = product->value, .flat = true}, err);
}

static admmnn_status convert_relu(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                  admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    BASE_TRY(find_value(r, node, 0, &in, err));
    bool flat = in->flat;
    BASE_TRY(held(graph_add_relu(r->g, name, in->value, &value, err)));
    return add_output(r, node, (onnx_tensor){.value = value, .flat = flat}, err);
}

/* Inputs 1 to 4: scale, shift, mean and variance, one number a channel. */
static admmnn_status take_normalization(onnx_reader *r, const Onnx__NodeProto *node,
                                        admmnn_error *err) {
    const graph_normalization *added = &r->g->nodes[r->g->node_count - 1].normalization;
    const uint32_t parameters[4] = {added->scale, added->shift, added->mean, added->variance};
    for (size_t i = 0; i < 4; i++) {
        const Onnx__TensorProto *tensor;
        size_t count;
        BASE_TRY(find_constant(r, node, i + 1, &tensor, &count, err));
        if (count != r->g->parameters[parameters[i]].rows ||
            tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
            return base_fail(err, ADMMNN_UNSUPPORTED, "input %zu has %zu numbers for %u channels",
                             i + 1, count, r->g->parameters[parameters[i]].rows);
        r->sources[parameters[i]].tensor = tensor;
    }
    return ADMMNN_OK;
}

static admmnn_status convert_normalization(onnx_reader *r, const Onnx__NodeProto *node,
                                           const char *name, admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    BASE_TRY(find_value(r, node, 0, &in, err));
    const bool flat = in->flat;
    const graph_shape shape = r->g->values[in->value].shape;
    if (node->n_output > 1 || integer_of(node, "training_mode", 0) != 0 ||
        integer_of(node, "spatial", 1) != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "only the form for inference is read");
    if (flat && graph_shape_extent(shape, 1, shape.rank) != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "normalizes the elements of flattened images");
    BASE_TRY(held(graph_add_batch_normalization(
        r->g, name, in->value, number_of(node, "epsilon", GRAPH_EPSILON),
        number_of(node, "momentum", GRAPH_MOMENTUM), &value, err)));
    BASE_TRY(take_normalization(r, node, err));
    return add_output(r, node, (onnx_tensor){.value = value, .flat = flat}, err);
}

static admmnn_status convert_flatten(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                     admmnn_error *err) {
    (void)name;
    onnx_tensor *in;
    BASE_TRY(find_value(r, node, 0, &in, err));
    int64_t axis = integer_of(node, "axis", 1);
    if (axis != 1 && axis != (in->flat ? -1 : -3))
        return base_fail(err, ADMMNN_UNSUPPORTED, "an axis other than 1");
    return add_output(r, node, (onnx_tensor){.value = in->value, .flat = true}, err);
}

/* The new shape keeps the batch and either flattens a sample or leaves its
 * channels, height and width. */
static admmnn_status convert_reshape(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                     admmnn_error *err) {
    (void)name;
    onnx_tensor *in;
    const Onnx__TensorProto *to;
    size_t rank;
    BASE_TRY(find_value(r, node, 0, &in, err));
    BASE_TRY(find_constant(r, node, 1, &to, &rank, err));
    graph_shape shape = r->g->values[in->value].shape;
    bool flat = rank == 2;
    const int64_t sides[3] = {flat ? (int64_t)graph_shape_count(shape)
                                   : graph_shape_channels(shape),
                              graph_shape_height(shape), graph_shape_width(shape)};
    bool kept = to->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 && (flat || rank == 4) &&
                integer_of(node, "allowzero", 0) == 0;
    unsigned free_sides = kept && onnx_constant_integer(to, 0) == -1;
    for (size_t i = 1; kept && i < rank; i++) {
        int64_t side = onnx_constant_integer(to, i);
        free_sides += side == -1;
        kept = side == sides[i - 1] || side == -1 || (side == 0 && !flat && !in->flat);
    }
    if (!kept || free_sides > 1)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "a shape that is neither (batch, all) nor the one there is");
    return add_output(r, node, (onnx_tensor){.value = in->value, .flat = flat}, err);
}

/* Nothing happens: the output is another name of the input. */
static admmnn_status convert_nothing(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                     admmnn_error *err) {
    (void)name;
    onnx_tensor *in;
    BASE_TRY(find_input(r, node, 0, &in, err));
    in->reads++;
    return add_output(r, node,
                      (onnx_tensor){.constant = in->constant, .value = in->value, .flat = in->flat},
                      err);
}

static admmnn_status convert_constant(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                      admmnn_error *err) {
    (void)name;
    const Onnx__AttributeProto *value = attribute(node, "value");
    if (value == NULL || value->t == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "only tensors are read as constants");
    return add_output(r, node, (onnx_tensor){.constant = value->t}, err);
}

#define ATTRIBUTES_MOST 7

static const struct operation {
    const char *type;
    admmnn_status (*convert)(onnx_reader *, const Onnx__NodeProto *, const char *, admmnn_error *);
    const char *attributes[ATTRIBUTES_MOST + 1];
} operations[] = {
    {"Conv",
     convert_conv,
     {"kernel_shape", "strides", "pads", "auto_pad", "dilations", "group", NULL}},
    {"MaxPool",
     convert_maxpool,
     {"kernel_shape", "strides", "pads", "auto_pad", "dilations", "ceil_mode", "storage_order",
      NULL}},
    {"Gemm", convert_gemm, {"alpha", "beta", "transA", "transB", NULL}},
    {"MatMul", convert_matmul, {NULL}},
    {"Add", convert_add, {NULL}},
    {"Relu", convert_relu, {NULL}},
    {"BatchNormalization",
     convert_normalization,
     {"epsilon", "momentum", "spatial", "training_mode", NULL}},
    {"Flatten", convert_flatten, {"axis", NULL}},
    {"Reshape", convert_reshape, {"allowzero", NULL}},
    {"Identity", convert_nothing, {NULL}},
    {"Dropout", convert_nothing, {"ratio", "seed", NULL}},
    {"Constant", convert_constant, {"value", NULL}},
};

static bool listed(const char *const *names, const char *name) {
    for (; *names != NULL; names++)
        if (name != NULL && strcmp(*names, name) == 0)
            return true;
    return false;
}

admmnn_status onnx_convert_node(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    bool standard =
        node->domain == NULL || node->domain[0] == 0 || strcmp(node->domain, "ai.onnx") == 0;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const struct operation *o = &operations[i];
        if (!standard || node->op_type == NULL || strcmp(o->type, node->op_type) != 0)
            continue;
        for (size_t a = 0; a < node->n_attribute; a++)
            if (!listed(o->attributes, node->attribute[a]->name))
                return base_fail(err, ADMMNN_UNSUPPORTED, "attribute '%.40s'",
                                 node->attribute[a]->name == NULL ? "" : node->attribute[a]->name);
        char name[GRAPH_NAME_MAX];
        name_of(r, node, name);
        return o->convert(r, node, name, err);
    }
    return base_fail(err, ADMMNN_UNSUPPORTED, "this operator is not read");
}
