#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/arena.h"
#include "onnx/onnx.h"
#include "onnx_schema/onnx.pb-c.h"

#define IR_VERSION 7
#define OPSET 13
#define BATCH "N"
#define WRITER_LIMIT ((size_t)1 << 30)

/* Every node becomes at most two of ONNX and four initializers, of which each reads at
 * most five tensors and makes one. */
#define NODES_EACH 2U
#define INITIALIZERS_EACH 4U
#define INPUTS_MOST 5U

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "raw_data is the parameters as they lie in memory");

/* Tensors are named <node>.<what they are>: apart, since nodes' names are. */
typedef struct builder {
    const graph *g;
    const float *params;
    onnx_arena arena;
    Onnx__GraphProto *out;
    const char **values; /* the tensor of each value */
    bool *flat;          /* values of two dimensions; the others have four */
} builder;

static char *text(builder *b, const char *from) {
    return onnx_arena_text(&b->arena, "%s", from);
}

static Onnx__NodeProto *add_node(builder *b, const char *op, const char *name, const char *input) {
    Onnx__NodeProto *node = onnx_arena_take(&b->arena, 1, sizeof *node);
    char **names = onnx_arena_take(&b->arena, INPUTS_MOST + 1, sizeof *names);
    if (node == NULL || names == NULL)
        return NULL;
    onnx__node_proto__init(node);
    node->op_type = text(b, op);
    node->name = text(b, name);
    node->input = names;
    node->output = names + INPUTS_MOST;
    node->input[node->n_input++] = text(b, input);
    b->out->node[b->out->n_node++] = node;
    return node;
}

static Onnx__AttributeProto *add_attribute(builder *b, Onnx__NodeProto *node, const char *name) {
    enum { MOST = 4 };
    if (node->attribute == NULL)
        node->attribute = onnx_arena_take(&b->arena, MOST, sizeof *node->attribute);
    Onnx__AttributeProto *attribute = onnx_arena_take(&b->arena, 1, sizeof *attribute);
    if (node->attribute == NULL || attribute == NULL || node->n_attribute == MOST)
        return NULL;
    onnx__attribute_proto__init(attribute);
    attribute->name = text(b, name);
    attribute->has_type = 1;
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

static void add_integer(builder *b, Onnx__NodeProto *node, const char *name, int64_t value) {
    Onnx__AttributeProto *attribute = add_attribute(b, node, name);
    if (attribute == NULL)
        return;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    attribute->has_i = 1;
    attribute->i = value;
}

static void add_number(builder *b, Onnx__NodeProto *node, const char *name, float value) {
    Onnx__AttributeProto *attribute = add_attribute(b, node, name);
    if (attribute == NULL)
        return;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    attribute->has_f = 1;
    attribute->f = value;
}

static void add_integers(builder *b, Onnx__NodeProto *node, const char *name, const uint32_t *from,
                         size_t count, size_t repeats) {
    Onnx__AttributeProto *attribute = add_attribute(b, node, name);
    int64_t *values = onnx_arena_take(&b->arena, count * repeats, sizeof *values);
    if (attribute == NULL || values == NULL)
        return;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    attribute->n_ints = count * repeats;
    attribute->ints = values;
    for (size_t i = 0; i < count * repeats; i++)
        values[i] = from[i % count];
}

/* Adds an initializer to the graph and its name to the node's inputs. */
static void add_tensor(builder *b, Onnx__NodeProto *node, const char *name, int32_t type,
                       const int64_t *dims, size_t rank, const void *data, size_t bytes) {
    Onnx__TensorProto *tensor = onnx_arena_take(&b->arena, 1, sizeof *tensor);
    int64_t *copy = onnx_arena_take(&b->arena, rank, sizeof *copy);
    if (tensor == NULL || copy == NULL)
        return;
    for (size_t i = 0; i < rank; i++)
        copy[i] = dims[i];
    onnx__tensor_proto__init(tensor);
    tensor->name = onnx_arena_text(&b->arena, "%s.%s", node->name, name);
    tensor->n_dims = rank;
    tensor->dims = copy;
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)data};
    node->input[node->n_input++] = tensor->name;
    b->out->initializer[b->out->n_initializer++] = tensor;
}

static void add_parameters(builder *b, Onnx__NodeProto *to, const graph_node *from,
                           const int64_t *dims, size_t rank) {
    const graph_parameter *weight = &b->g->parameters[from->weight];
    const graph_parameter *bias = &b->g->parameters[from->bias];
    const int64_t rows = bias->rows;
    add_tensor(b, to, "weight", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, dims, rank,
               b->params + weight->offset, weight->count * sizeof(float));
    add_tensor(b, to, "bias", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &rows, 1,
               b->params + bias->offset, bias->count * sizeof(float));
}

/* The name of the node's input with four dimensions, or with two. */
static const char *shaped_input(builder *b, const graph_node *node, bool flat) {
    uint32_t value = graph_operand(b->g, node, 0);
    if (b->flat[value] == flat)
        return b->values[value];
    char *name = onnx_arena_text(&b->arena, "%s.%s", node->name, flat ? "flatten" : "reshape");
    Onnx__NodeProto *added =
        name == NULL ? NULL : add_node(b, flat ? "Flatten" : "Reshape", name, b->values[value]);
    if (added == NULL)
        return NULL;
    if (flat) {
        add_integer(b, added, "axis", 1);
    } else {
        graph_shape shape = b->g->values[value].shape;
        int64_t *to = onnx_arena_take(&b->arena, 4, sizeof *to);
        const int64_t rank = 4;
        if (to == NULL)
            return NULL;
        to[1] = graph_shape_channels(shape); /* the first, 0, keeps the batch */
        to[2] = graph_shape_height(shape);
        to[3] = graph_shape_width(shape);
        add_tensor(b, added, "shape", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, &rank, 1, to,
                   4 * sizeof *to);
    }
    added->output[added->n_output++] = name;
    return name;
}

static void add_window(builder *b, Onnx__NodeProto *to, const graph_window *window) {
    add_integers(b, to, "kernel_shape", window->kernel, 2, 1);
    add_integers(b, to, "strides", window->stride, 2, 1);
    add_integers(b, to, "pads", window->pad, 2, 2);
}

static Onnx__NodeProto *add_conv(builder *b, const graph_node *node, const char *input) {
    Onnx__NodeProto *to = add_node(b, "Conv", node->name, input);
    if (to == NULL)
        return NULL;
    const graph_window *w = &node->conv.window;
    const int64_t dims[4] = {b->g->parameters[node->weight].rows,
                             graph_shape_channels(graph_operand_shape(b->g, node, 0)), w->kernel[0],
                             w->kernel[1]};
    add_parameters(b, to, node, dims, 4);
    add_window(b, to, w);
    return to;
}

static Onnx__NodeProto *add_gemm(builder *b, const graph_node *node, const char *input) {
    Onnx__NodeProto *to = add_node(b, "Gemm", node->name, input);
    if (to == NULL)
        return NULL;
    const graph_parameter *weight = &b->g->parameters[node->weight];
    const int64_t dims[2] = {weight->rows, weight->columns};
    add_parameters(b, to, node, dims, 2);
    add_integer(b, to, "transB", 1);
    return to;
}

/* In the form for inference, as is dropout, which does nothing then. */
static Onnx__NodeProto *add_normalization(builder *b, const graph_node *node, const char *input) {
    Onnx__NodeProto *to = add_node(b, "BatchNormalization", node->name, input);
    if (to == NULL)
        return NULL;
    const graph_normalization *n = &node->normalization;
    const struct {
        const char *name;
        const graph_parameter *from;
    } tensors[] = {{"scale", &b->g->parameters[n->scale]},
                   {"shift", &b->g->parameters[n->shift]},
                   {"mean", &b->g->parameters[n->mean]},
                   {"variance", &b->g->parameters[n->variance]}};
    for (size_t i = 0; i < 4; i++) {
        const int64_t channels = tensors[i].from->rows;
        add_tensor(b, to, tensors[i].name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &channels, 1,
                   b->params + tensors[i].from->offset, tensors[i].from->count * sizeof(float));
    }
    add_number(b, to, "epsilon", n->epsilon);
    add_number(b, to, "momentum", n->momentum);
    return to;
}

static Onnx__NodeProto *add_dropout(builder *b, const graph_node *node, const char *input) {
    Onnx__NodeProto *to = add_node(b, "Dropout", node->name, input);
    if (to != NULL)
        add_tensor(b, to, "ratio", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, NULL, 0, &node->ratio,
                   sizeof node->ratio);
    return to;
}

static bool works_by_element(graph_op op) {
    return op == GRAPH_RELU || op == GRAPH_BATCH_NORMALIZATION || op == GRAPH_DROPOUT;
}

static void convert_node(builder *b, const graph_node *node) {
    bool flat = node->op == GRAPH_INNER_PRODUCT ||
                (works_by_element(node->op) && b->flat[graph_operand(b->g, node, 0)]);
    const char *input = shaped_input(b, node, flat);
    Onnx__NodeProto *to = NULL;
    if (input == NULL)
        return;
    switch (node->op) {
    case GRAPH_CONV:
        to = add_conv(b, node, input);
        break;
    case GRAPH_INNER_PRODUCT:
        to = add_gemm(b, node, input);
        break;
    case GRAPH_MAXPOOL:
        to = add_node(b, "MaxPool", node->name, input);
        if (to != NULL)
            add_window(b, to, &node->pool.window);
        break;
    case GRAPH_BATCH_NORMALIZATION:
        to = add_normalization(b, node, input);
        break;
    case GRAPH_DROPOUT:
        to = add_dropout(b, node, input);
        break;
    default:
        to = add_node(b, "Relu", node->name, input);
    }
    char *name = node->output == b->g->output ? text(b, "logits")
                                              : onnx_arena_text(&b->arena, "%s.out", node->name);
    if (to == NULL || name == NULL)
        return;
    to->output[to->n_output++] = name;
    b->values[node->output] = name;
    b->flat[node->output] = flat;
}

/* A float tensor N x shape, as an input or output of the graph. */
static Onnx__ValueInfoProto *describe(builder *b, const char *name, graph_shape shape, bool flat) {
    struct {
        Onnx__ValueInfoProto info;
        Onnx__TypeProto type;
        Onnx__TypeProto__Tensor tensor;
        Onnx__TensorShapeProto shape;
        Onnx__TensorShapeProto__Dimension dims[4];
        Onnx__TensorShapeProto__Dimension *list[4];
    } *all = onnx_arena_take(&b->arena, 1, sizeof *all);
    if (all == NULL)
        return NULL;
    const int64_t sides[4] = {
        0, flat ? (int64_t)graph_shape_count(shape) : graph_shape_channels(shape),
        graph_shape_height(shape), graph_shape_width(shape)};
    onnx__value_info_proto__init(&all->info);
    onnx__type_proto__init(&all->type);
    onnx__type_proto__tensor__init(&all->tensor);
    onnx__tensor_shape_proto__init(&all->shape);
    all->info.name = text(b, name);
    all->info.type = &all->type;
    all->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    all->type.tensor_type = &all->tensor;
    all->tensor.has_elem_type = 1;
    all->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    all->tensor.shape = &all->shape;
    all->shape.dim = all->list;
    all->shape.n_dim = flat ? 2 : 4;
    for (size_t i = 0; i < all->shape.n_dim; i++) {
        Onnx__TensorShapeProto__Dimension *dim = all->list[i] = &all->dims[i];
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = i == 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                 : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (i == 0)
            dim->dim_param = text(b, BATCH);
        else
            dim->dim_value = sides[i];
    }
    return &all->info;
}

static void convert_graph(builder *b) {
    const graph *g = b->g;
    Onnx__GraphProto *out = b->out;
    out->name = text(b, g->name);
    out->node = onnx_arena_take(&b->arena, g->node_count, NODES_EACH * sizeof *out->node);
    out->initializer =
        onnx_arena_take(&b->arena, g->node_count, INITIALIZERS_EACH * sizeof *out->initializer);
    out->input = onnx_arena_take(&b->arena, 1, sizeof *out->input);
    out->output = onnx_arena_take(&b->arena, 1, sizeof *out->output);
    b->values = onnx_arena_take(&b->arena, g->value_count, sizeof *b->values);
    b->flat = onnx_arena_take(&b->arena, g->value_count, sizeof *b->flat);
    if (b->arena.failed)
        return;
    b->values[g->input] = "input";
    for (uint32_t n = 0; n < g->node_count && !b->arena.failed; n++)
        convert_node(b, &g->nodes[n]);
    out->n_input = out->n_output = 1;
    out->input[0] = describe(b, "input", g->values[g->input].shape, false);
    out->output[0] = describe(b, "logits", g->values[g->output].shape, b->flat[g->output]);
}

static void convert_properties(builder *b, const onnx_property *from, size_t count,
                               Onnx__ModelProto *model) {
    Onnx__StringStringEntryProto *entries = onnx_arena_take(&b->arena, count, sizeof *entries);
    model->metadata_props = onnx_arena_take(&b->arena, count, sizeof *model->metadata_props);
    if (entries == NULL || model->metadata_props == NULL)
        return;
    model->n_metadata_props = count;
    for (size_t i = 0; i < count; i++) {
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = text(b, from[i].key);
        entries[i].value = text(b, from[i].value);
        model->metadata_props[i] = &entries[i];
    }
}

static admmnn_status serialize(const Onnx__ModelProto *model, uint8_t **bytes, size_t *count,
                               admmnn_error *err) {
    size_t size = onnx__model_proto__get_packed_size(model);
    if (size > INT_MAX)
        return base_fail(err, ADMMNN_UNSUPPORTED, "an ONNX file holds at most 2 GiB, not %zu bytes",
                         size);
    *bytes = base_array(size, 1);
    if (*bytes == NULL)
        return base_fail_memory(err, "an ONNX model");
    *count = onnx__model_proto__pack(model, *bytes);
    return ADMMNN_OK;
}

/* Whether the writer has a form for the node. */
static bool is_written(const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    for (int i = 0; w != NULL && i < 2; i++)
        if (w->pad[i] != w->pad_end[i] || w->dilation[i] != 1)
            return false;
    switch (node->op) {
    case GRAPH_CONV:
        return node->conv.groups == 1 && node->bias != GRAPH_NONE;
    case GRAPH_INNER_PRODUCT:
        return node->bias != GRAPH_NONE;
    case GRAPH_MAXPOOL:
        return !node->pool.ceil;
    default:
        return works_by_element(node->op);
    }
}

static admmnn_status check_nodes(const graph *g, admmnn_error *err) {
    for (uint32_t n = 0; n < g->node_count; n++)
        if (!is_written(&g->nodes[n]))
            return base_fail(err, ADMMNN_UNSUPPORTED, "node %s: no such %s is written as ONNX",
                             g->nodes[n].name, graph_op_name(g->nodes[n].op));
    return ADMMNN_OK;
}

static admmnn_status check_names(const graph *g, admmnn_error *err) {
    if (g->output == g->input)
        return base_fail(err, ADMMNN_USAGE, "network %s: no operation makes its output", g->name);
    for (uint32_t n = 0; n < g->node_count; n++)
        if (graph_find_node(g, g->nodes[n].name) != n)
            return base_fail(err, ADMMNN_USAGE, "network %s: two nodes are named '%s'", g->name,
                             g->nodes[n].name);
    return ADMMNN_OK;
}

admmnn_status onnx_write(const graph *g, const float *params, const onnx_property *properties,
                         size_t property_count, uint8_t **bytes, size_t *count, admmnn_error *err) {
    BASE_TRY(check_names(g, err));
    BASE_TRY(check_nodes(g, err));
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto out = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT;
    Onnx__OperatorSetIdProto *opsets[1] = {&opset};
    builder b = {.g = g, .params = params, .out = &out, .arena = {.limit = WRITER_LIMIT}};
    char domain[] = "";
    char producer[] = "admmnn";
    opset.domain = domain;
    opset.has_version = 1;
    opset.version = OPSET;
    model.has_ir_version = 1;
    model.ir_version = IR_VERSION;
    model.producer_name = producer;
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.graph = &out;
    convert_graph(&b);
    convert_properties(&b, properties, property_count, &model);
    admmnn_status status = b.arena.failed ? base_fail_memory(err, "an ONNX model")
                                          : serialize(&model, bytes, count, err);
    onnx_arena_free(&b.arena);
    return status;
}
