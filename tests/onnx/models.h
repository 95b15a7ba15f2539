/* ONNX models made by the tests themselves, by the names of their tensors. */
#ifndef TESTS_ONNX_MODELS_H
#define TESTS_ONNX_MODELS_H

#include "support.h"

#include "onnx_schema/onnx.pb-c.h"

#define MODEL_ROOM 64U

/* Nothing is freed before maker_free: all comes from `pieces`. */
typedef struct maker {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset;
    Onnx__OperatorSetIdProto *opsets[1];
    Onnx__NodeProto *nodes[MODEL_ROOM];
    Onnx__TensorProto *tensors[MODEL_ROOM];
    Onnx__ValueInfoProto *inputs[4], *outputs[4];
    void *pieces[4096];
    size_t piece_count;
} maker;

static inline void *maker_take(maker *m, size_t bytes) {
    assert_true(m->piece_count < sizeof m->pieces / sizeof m->pieces[0]);
    return m->pieces[m->piece_count++] = calloc(1, bytes == 0 ? 1 : bytes);
}

/* from: NULL where there are no bytes. */
static inline void *maker_copy(maker *m, const void *from, size_t bytes) {
    void *to = maker_take(m, bytes);
    return bytes == 0 ? to : memcpy(to, from, bytes);
}

static inline char *maker_text(maker *m, const char *text) {
    return strcpy(maker_take(m, strlen(text) + 1), text);
}

/* dims[0] below 0: the batch is "N". */
static inline Onnx__ValueInfoProto *maker_value(maker *m, const char *name, const int64_t *dims,
                                                size_t rank) {
    Onnx__ValueInfoProto *info = maker_take(m, sizeof *info);
    Onnx__TypeProto *type = maker_take(m, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = maker_take(m, sizeof *tensor);
    Onnx__TensorShapeProto *shape = maker_take(m, sizeof *shape);
    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    info->name = maker_text(m, name);
    info->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = shape;
    shape->n_dim = rank;
    shape->dim = maker_take(m, rank * sizeof *shape->dim);
    for (size_t i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = shape->dim[i] = maker_take(m, sizeof *dim);
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = dims[i] < 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                      : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (dims[i] < 0)
            dim->dim_param = maker_text(m, "N");
        else
            dim->dim_value = dims[i];
    }
    return info;
}

static inline void maker_begin(maker *m, int64_t opset) {
    memset(m, 0, sizeof *m);
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    onnx__operator_set_id_proto__init(&m->opset);
    m->opset.domain = maker_text(m, "");
    m->opset.has_version = 1;
    m->opset.version = opset;
    m->opsets[0] = &m->opset;
    m->model.graph = &m->graph;
    m->model.n_opset_import = 1;
    m->model.opset_import = m->opsets;
    m->graph.name = maker_text(m, "made");
    m->graph.node = m->nodes;
    m->graph.initializer = m->tensors;
    m->graph.input = m->inputs;
    m->graph.output = m->outputs;
}

static inline void maker_input(maker *m, const char *name, const int64_t *dims, size_t rank) {
    m->inputs[m->graph.n_input++] = maker_value(m, name, dims, rank);
}

static inline void maker_output(maker *m, const char *name) {
    const int64_t batch = -1;
    m->outputs[m->graph.n_output++] = maker_value(m, name, &batch, 1);
}

/* inputs: names with spaces between; "-": none there. */
static inline Onnx__NodeProto *maker_node(maker *m, const char *op, const char *inputs,
                                          const char *output) {
    Onnx__NodeProto *node = maker_take(m, sizeof *node);
    char *words = maker_text(m, inputs);
    onnx__node_proto__init(node);
    node->op_type = maker_text(m, op);
    node->name = maker_text(m, output);
    node->input = maker_take(m, MODEL_ROOM * sizeof *node->input);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        node->input[node->n_input++] = strcmp(word, "-") == 0 ? maker_text(m, "") : word;
    node->output = maker_take(m, sizeof *node->output);
    node->output[node->n_output++] = maker_text(m, output);
    node->attribute = maker_take(m, 8 * sizeof *node->attribute);
    return m->nodes[m->graph.n_node++] = node;
}

/* One node from x, images of two channels of 4x4, to y. */
static inline Onnx__NodeProto *begin_node(maker *m, int64_t opset, const char *op,
                                          const char *inputs) {
    maker_begin(m, opset);
    maker_input(m, "x", (const int64_t[]){-1, 2, 4, 4}, 4);
    maker_output(m, "y");
    return maker_node(m, op, inputs, "y");
}

static inline Onnx__AttributeProto *maker_attribute(maker *m, Onnx__NodeProto *node,
                                                    const char *name) {
    Onnx__AttributeProto *a = maker_take(m, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = maker_text(m, name);
    return node->attribute[node->n_attribute++] = a;
}

static inline void maker_integer(maker *m, Onnx__NodeProto *node, const char *name, int64_t value) {
    Onnx__AttributeProto *a = maker_attribute(m, node, name);
    a->has_i = 1;
    a->i = value;
}

static inline void maker_integers(maker *m, Onnx__NodeProto *node, const char *name,
                                  const int64_t *values, size_t count) {
    Onnx__AttributeProto *a = maker_attribute(m, node, name);
    a->n_ints = count;
    a->ints = maker_copy(m, values, count * sizeof *values);
}

static inline Onnx__TensorProto *maker_tensor(maker *m, const char *name, int32_t type,
                                              const int64_t *dims, size_t rank, const void *data,
                                              size_t bytes) {
    Onnx__TensorProto *tensor = maker_take(m, sizeof *tensor);
    onnx__tensor_proto__init(tensor);
    tensor->name = maker_text(m, name);
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->n_dims = rank;
    tensor->dims = maker_copy(m, dims, rank * sizeof *dims);
    tensor->has_raw_data = 1;
    tensor->raw_data.len = bytes;
    tensor->raw_data.data = maker_copy(m, data, bytes);
    return tensor;
}

static inline void maker_floats(maker *m, const char *name, const int64_t *dims, size_t rank,
                                const float *data) {
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    m->tensors[m->graph.n_initializer++] = maker_tensor(
        m, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, dims, rank, data, count * sizeof *data);
}

static inline void maker_number(maker *m, const char *name, float value) {
    maker_floats(m, name, NULL, 0, &value);
}

static inline void maker_row(maker *m, const char *name, const int64_t *values, size_t count) {
    const int64_t dims[1] = {(int64_t)count};
    m->tensors[m->graph.n_initializer++] = maker_tensor(
        m, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims, 1, values, count * sizeof *values);
}

static inline bytes maker_pack(maker *m) {
    bytes file = {.count = onnx__model_proto__get_packed_size(&m->model)};
    file.at = base_array(file.count, 1);
    onnx__model_proto__pack(&m->model, file.at);
    return file;
}

static inline void maker_free(maker *m) {
    for (size_t i = 0; i < m->piece_count; i++)
        free(m->pieces[i]);
}

/* Reads what was made, and frees it. */
static inline admmnn_status maker_read(maker *m, const char *folder, uint64_t memory,
                                       onnx_model *model, admmnn_error *err) {
    bytes packed = maker_pack(m);
    const onnx_file file = {.name = "made.onnx",
                            .folder = folder,
                            .bytes = packed.at,
                            .count = packed.count,
                            .memory = memory};
    const admmnn_status status = onnx_read(&file, model, err);
    base_free(packed.at);
    maker_free(m);
    return status;
}

#endif
