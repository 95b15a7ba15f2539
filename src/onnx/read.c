#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/arena.h"
#include "onnx/constant.h"
#include "onnx/nodes.h"
#include "onnx/onnx.h"
#include "onnx/wire.h"

#define OPSET_LEAST 7
#define NODES_MOST 4096U
#define TENSORS_MOST (4U * NODES_MOST)
/* What the messages, and then the parameters, may take: their numbers and names are copied, and
 * small fields grow on the way from the file to memory. */
#define READER_SPARE ((size_t)16 << 20)
#define READER_GROWTH 4U

static admmnn_status check_opset(const Onnx__ModelProto *model, admmnn_error *err) {
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        bool standard =
            set->domain == NULL || set->domain[0] == 0 || strcmp(set->domain, "ai.onnx") == 0;
        if (standard && set->version < OPSET_LEAST)
            return base_fail(err, ADMMNN_UNSUPPORTED, "operator set %lld; %d and later are read",
                             (long long)set->version, OPSET_LEAST);
    }
    return ADMMNN_OK;
}

static admmnn_status add_constants(onnx_reader *r, const Onnx__GraphProto *from,
                                   admmnn_error *err) {
    if (from->n_sparse_initializer > 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "sparse initializers");
    for (size_t i = 0; i < from->n_initializer; i++)
        if (!onnx_names_add(&r->names, (onnx_tensor){.name = from->initializer[i]->name,
                                                     .constant = from->initializer[i]}))
            return base_fail(err, ADMMNN_CORRUPT,
                             "initializer %zu has no name, or one that is taken", i);
    return ADMMNN_OK;
}

/* batch x channels x height x width, or batch x elements. */
static bool input_shape(const Onnx__ValueInfoProto *info, graph_shape *shape, bool *flat) {
    const Onnx__TypeProto *type = info->type;
    if (type == NULL || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
        type->tensor_type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
        type->tensor_type->shape == NULL)
        return false;
    const Onnx__TensorShapeProto *dims = type->tensor_type->shape;
    uint32_t sides[3] = {1, 1, 1};
    if (dims->n_dim != 2 && dims->n_dim != 4)
        return false;
    for (size_t i = 1; i < dims->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = dims->dim[i];
        if (dim->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ||
            dim->dim_value < 1 || dim->dim_value > (int64_t)GRAPH_DIMENSION_MAX)
            return false;
        sides[i - 1] = (uint32_t)dim->dim_value;
    }
    *shape = graph_shape_image(sides[0], sides[1], sides[2]);
    *flat = dims->n_dim == 2;
    return true;
}

static void plain_name(const char *from, char *to) {
    snprintf(to, GRAPH_NAME_MAX, "%s", from == NULL || from[0] == 0 ? "network" : from);
    for (; *to != 0; to++)
        if ((unsigned char)*to < ' ' || *to == 0x7f)
            *to = '?';
}

/* Old files list initializers among the inputs. */
static admmnn_status open_graph(onnx_reader *r, const Onnx__GraphProto *from, admmnn_error *err) {
    const Onnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < from->n_input; i++) {
        const char *name = from->input[i]->name;
        if (name != NULL && onnx_names_find(&r->names, name) != NULL)
            continue;
        if (input != NULL)
            return base_fail(err, ADMMNN_UNSUPPORTED, "more than one input");
        input = from->input[i];
    }
    graph_shape shape;
    onnx_tensor tensor = {.name = input == NULL ? NULL : input->name};
    char name[GRAPH_NAME_MAX];
    plain_name(from->name, name);
    if (input == NULL || !input_shape(input, &shape, &tensor.flat))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "no input of floats, batch x channels x height x width or batch x "
                         "elements of known size");
    BASE_TRY(graph_create(name, shape, &r->g, err));
    tensor.value = r->g->input;
    if (!onnx_names_add(&r->names, tensor))
        return base_fail(err, ADMMNN_CORRUPT, "the input has no name");
    return ADMMNN_OK;
}

static admmnn_status close_graph(onnx_reader *r, const Onnx__GraphProto *from, admmnn_error *err) {
    const char *name = from->n_output == 1 ? from->output[0]->name : NULL;
    const onnx_tensor *output = name == NULL ? NULL : onnx_names_find(&r->names, name);
    if (from->n_output != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "%zu outputs; one is read", from->n_output);
    if (output == NULL || output->constant != NULL || output->spent || output->value == r->g->input)
        return base_fail(err, ADMMNN_CORRUPT, "the output '%.60s' is made by no node",
                         name == NULL ? "" : name);
    r->g->output = output->value;
    return ADMMNN_OK;
}

static admmnn_status convert(onnx_reader *r, const Onnx__GraphProto *from, admmnn_error *err) {
    BASE_TRY(add_constants(r, from, err));
    BASE_TRY(open_graph(r, from, err));
    for (size_t n = 0; n < from->n_node; n++) {
        const Onnx__NodeProto *node = from->node[n];
        admmnn_status status = onnx_convert_node(r, node, err);
        if (status == ADMMNN_OK && r->g->flat_count > r->params_most)
            status = base_fail(err, ADMMNN_UNSUPPORTED, "its weights serve too many nodes");
        if (status != ADMMNN_OK)
            return base_fail_within(err, status, "node %zu, '%.60s' (%.30s)", n,
                                    node->name == NULL ? "" : node->name,
                                    node->op_type == NULL ? "" : node->op_type);
    }
    return close_graph(r, from, err);
}

static admmnn_status copy_params(const onnx_reader *r, float **out, admmnn_error *err) {
    float *params = base_array(r->g->flat_count, sizeof *params);
    if (params == NULL)
        return base_fail_memory(err, "an ONNX model's parameters");
    for (uint32_t p = 0; p < r->g->parameter_count; p++) {
        const graph_parameter *to = &r->g->parameters[p];
        const onnx_source *source = &r->sources[p];
        if (source->tensor != NULL)
            onnx_constant_floats(source->tensor, to->rows, to->columns, source->transposed,
                                 params + to->offset);
    }
    *out = params;
    return ADMMNN_OK;
}

static char *copy_text(const char *text) {
    return text == NULL ? base_array(1, 1) : base_array_copy(text, strlen(text) + 1, 1);
}

static admmnn_status copy_properties(const Onnx__ModelProto *model, onnx_model *out,
                                     admmnn_error *err) {
    out->properties = base_array(model->n_metadata_props, sizeof *out->properties);
    if (out->properties == NULL)
        return base_fail_memory(err, "an ONNX model's properties");
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        onnx_property *to = &out->properties[out->property_count++];
        to->key = copy_text(model->metadata_props[i]->key);
        to->value = copy_text(model->metadata_props[i]->value);
        if (to->key == NULL || to->value == NULL)
            return base_fail_memory(err, "an ONNX model's properties");
    }
    return ADMMNN_OK;
}

static admmnn_status convert_model(const Onnx__ModelProto *model, onnx_arena *arena,
                                   onnx_model *out, admmnn_error *err) {
    const Onnx__GraphProto *from = model->graph;
    if (from == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "no graph: not an ONNX model");
    BASE_TRY(check_opset(model, err));
    if (from->n_node > NODES_MOST || from->n_initializer > TENSORS_MOST)
        return base_fail(err, ADMMNN_UNSUPPORTED, "more than %u nodes or %u tensors", NODES_MOST,
                         TENSORS_MOST);
    onnx_reader r = {.params_most = arena->limit / sizeof(float)};
    r.sources = onnx_arena_take(arena, from->n_node, 4 * sizeof *r.sources);
    if (r.sources == NULL ||
        !onnx_names_create(&r.names, from->n_node + from->n_initializer + 1, arena))
        return base_fail_memory(err, "an ONNX model");
    admmnn_status status = convert(&r, from, err);
    out->g = r.g;
    BASE_TRY(status);
    BASE_TRY(copy_params(&r, &out->params, err));
    return copy_properties(model, out, err);
}

admmnn_status onnx_read(const char *name, const uint8_t *bytes, size_t count, onnx_model *out,
                        admmnn_error *err) {
    *out = (onnx_model){0};
    onnx_arena arena = {.limit = READER_SPARE + READER_GROWTH * count};
    ProtobufCAllocator allocator = onnx_arena_allocator(&arena);
    Onnx__ModelProto *model = NULL;
    admmnn_status status;
    if (onnx_wire_is_sound(&onnx__model_proto__descriptor, bytes, count))
        model = onnx__model_proto__unpack(&allocator, count, bytes);
    if (model != NULL)
        status = convert_model(model, &arena, out, err);
    else if (arena.failed)
        status = base_fail_memory(err, "an ONNX model");
    else
        status = base_fail(err, ADMMNN_CORRUPT, "not an ONNX model: not its protobuf message");
    onnx_arena_free(&arena);
    if (status == ADMMNN_OK)
        return ADMMNN_OK;
    onnx_model_free(out);
    return base_fail_within(err, status, "%s", name);
}

void onnx_model_free(onnx_model *model) {
    graph_free(model->g);
    base_free(model->params);
    for (size_t i = 0; i < model->property_count; i++) {
        base_free((void *)model->properties[i].key);
        base_free((void *)model->properties[i].value);
    }
    base_free(model->properties);
    *model = (onnx_model){0};
}
