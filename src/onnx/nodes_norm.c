/* Normalizations and softmaxes. */
#include "onnx/attributes.h"
#include "onnx/nodes.h"

static const graph_normalization *last_normalization(const onnx_reader *r) {
    return &r->g->nodes[r->g->node_count - 1].normalization;
}

/* Until then the form for training was told by more outputs than one. */
#define NORMALIZATION_BY_MODE 14

static bool is_for_training(const onnx_reader *r, const Onnx__NodeProto *node) {
    if (onnx_integer(node, "training_mode", 0) != 0)
        return true;
    for (size_t i = 1; r->opset < NORMALIZATION_BY_MODE && i < node->n_output; i++)
        if (node->output[i][0] != 0)
            return true;
    return false;
}

/* Normalizes channels, of which the input and what it shows must have the same. */
admmnn_status onnx_convert_batch_normalization(onnx_reader *r, const Onnx__NodeProto *node,
                                               admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    if (is_for_training(r, node) || onnx_integer(node, "spatial", 1) != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "only the form for inference is read");
    value = in->root;
    if (graph_shape_channels(in->shape) != graph_shape_channels(r->g->values[value].shape))
        BASE_TRY(onnx_whole(r, in, &value, err));
    const onnx_tensor view = *in;
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_batch_normalization(
        r->g, name, value, onnx_number(node, "epsilon", GRAPH_EPSILON),
        onnx_number(node, "momentum", GRAPH_MOMENTUM), &value, err)));
    const graph_normalization added = *last_normalization(r);
    const uint32_t parameters[4] = {added.scale, added.shift, added.mean, added.variance};
    for (size_t i = 0; i < 4; i++)
        BASE_TRY(onnx_take_parameter(r, node, i + 1, parameters[i], err));
    return onnx_add_view(r, node, value, view.shape, view.shown, err);
}

static admmnn_status take_scaled(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    const graph_normalization added = *last_normalization(r);
    BASE_TRY(onnx_take_parameter(r, node, 1, added.scale, err));
    if (onnx_has_input(node, 2))
        BASE_TRY(onnx_take_parameter(r, node, 2, added.shift, err));
    return onnx_add_value(r, node, r->g->output, err);
}

admmnn_status onnx_convert_instance_normalization(onnx_reader *r, const Onnx__NodeProto *node,
                                                  admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_instance_normalization(
        r->g, name, value, onnx_number(node, "epsilon", GRAPH_EPSILON), &value, err)));
    return take_scaled(r, node, err);
}

admmnn_status onnx_convert_layer_normalization(onnx_reader *r, const Onnx__NodeProto *node,
                                               admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    uint32_t axis;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    BASE_TRY(onnx_sample_axis(onnx_integer(node, "axis", -1), in->shape.rank + 1, &axis, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_layer_normalization(
        r->g, name, value, axis, onnx_number(node, "epsilon", GRAPH_EPSILON), &value, err)));
    return take_scaled(r, node, err);
}

admmnn_status onnx_convert_lrn(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    const int64_t size = onnx_integer(node, "size", 0);
    const graph_lrn lrn = {.size = size < 0 || size > UINT32_MAX ? 0 : (uint32_t)size,
                           .alpha = onnx_number(node, "alpha", 1e-4F),
                           .beta = onnx_number(node, "beta", 0.75F),
                           .bias = onnx_number(node, "bias", 1.0F)};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_lrn(r->g, name, value, lrn, &value, err)));
    return onnx_add_value(r, node, value, err);
}

/* ---- softmaxes ---- */

#define SOFTMAX_OF_ONE_AXIS 13

typedef admmnn_status softmax(graph *g, const char *name, uint32_t in, uint32_t axis, uint32_t *out,
                              admmnn_error *err);

/* Older ones take all axes from `axis` on for one. */
static admmnn_status join_axes(onnx_reader *r, const Onnx__NodeProto *node, onnx_tensor *in,
                               uint32_t axis, uint32_t *value, admmnn_error *err) {
    graph_shape shape = in->shape;
    char name[GRAPH_NAME_MAX];
    shape.rank = axis + 1;
    shape.dims[axis] = (uint32_t)graph_shape_extent(in->shape, axis, in->shape.rank);
    for (uint32_t i = shape.rank; i < GRAPH_RANK_MAX; i++)
        shape.dims[i] = 0;
    onnx_name_part(r, node, "rows", name);
    return onnx_held(graph_add_reshape(r->g, name, in->root, shape, value, err));
}

static admmnn_status convert_softmax(onnx_reader *r, const Onnx__NodeProto *node, softmax *add,
                                     admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    uint32_t axis;
    char name[GRAPH_NAME_MAX];
    const bool joins = r->opset < SOFTMAX_OF_ONE_AXIS;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_sample_axis(onnx_integer(node, "axis", joins ? 1 : -1), in->shape.rank + 1, &axis,
                              err));
    const graph_shape shape = in->shape;
    if (joins && axis + 1 < shape.rank)
        BASE_TRY(join_axes(r, node, in, axis, &value, err));
    else
        BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(add(r->g, name, value, axis, &value, err)));
    return onnx_add_view(r, node, value, shape, node, err);
}

admmnn_status onnx_convert_softmax(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    return convert_softmax(r, node, graph_add_softmax, err);
}

admmnn_status onnx_convert_log_softmax(onnx_reader *r, const Onnx__NodeProto *node,
                                       admmnn_error *err) {
    return convert_softmax(r, node, graph_add_log_softmax, err);
}
