#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/build.h"
#include "onnx/external.h"

#define OPSET_LEAST 13
#define BATCH "N"
#define WRITER_LIMIT ((size_t)4 << 30)

/* Each node of the graph becomes at most this many of ONNX, with so many tensors; so does
 * each of its operands, and a parameter as whole numbers. */
#define NODES_EACH 6U
#define TENSORS_EACH 8U

static int64_t ir_version(int64_t opset) {
    return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10;
}

/* A float tensor N x shape, as an input or output of the graph. */
static Onnx__ValueInfoProto *describe(onnx_builder *b, const char *name, graph_shape shape) {
    struct {
        Onnx__ValueInfoProto info;
        Onnx__TypeProto type;
        Onnx__TypeProto__Tensor tensor;
        Onnx__TensorShapeProto shape;
        Onnx__TensorShapeProto__Dimension dims[GRAPH_RANK_MAX + 1];
        Onnx__TensorShapeProto__Dimension *list[GRAPH_RANK_MAX + 1];
    } *all = onnx_arena_take(&b->arena, 1, sizeof *all);
    const onnx_labels *labels = b->from->labels;
    if (all == NULL)
        return NULL;
    onnx__value_info_proto__init(&all->info);
    onnx__type_proto__init(&all->type);
    onnx__type_proto__tensor__init(&all->tensor);
    onnx__tensor_shape_proto__init(&all->shape);
    all->info.name = (char *)name;
    all->info.type = &all->type;
    all->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    all->type.tensor_type = &all->tensor;
    all->tensor.has_elem_type = 1;
    all->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    all->tensor.shape = &all->shape;
    all->shape.dim = all->list;
    all->shape.n_dim = shape.rank + 1;
    for (size_t i = 0; i < all->shape.n_dim; i++) {
        Onnx__TensorShapeProto__Dimension *dim = all->list[i] = &all->dims[i];
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = i == 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                 : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (i == 0)
            dim->dim_param = onnx_arena_text(
                &b->arena, "%s", labels == NULL || labels->batch == NULL ? BATCH : labels->batch);
        else
            dim->dim_value = shape.dims[i - 1];
    }
    return &all->info;
}

static const char *label_or(const char *label, const char *usual) {
    return label == NULL ? usual : label;
}

static bool open_builder(onnx_builder *b) {
    const graph *g = b->from->g;
    const size_t nodes = (size_t)g->node_count + g->operand_count + g->parameter_count;
    b->node_room = NODES_EACH * nodes;
    b->initializer_room = TENSORS_EACH * nodes;
    b->out->node = onnx_arena_take(&b->arena, b->node_room, sizeof *b->out->node);
    b->out->initializer =
        onnx_arena_take(&b->arena, b->initializer_room, sizeof *b->out->initializer);
    b->out->input = onnx_arena_take(&b->arena, 1, sizeof *b->out->input);
    b->out->output = onnx_arena_take(&b->arena, 1, sizeof *b->out->output);
    b->values = onnx_arena_take(&b->arena, g->value_count, sizeof *b->values);
    return onnx_names_create(&b->names, b->node_room + b->initializer_room + 2, &b->arena) &&
           !b->arena.failed;
}

static void convert_graph(onnx_builder *b) {
    const graph *g = b->from->g;
    const onnx_labels none = {0};
    const onnx_labels *labels = b->from->labels == NULL ? &none : b->from->labels;
    Onnx__GraphProto *out = b->out;
    if (!open_builder(b))
        return;
    out->name = onnx_arena_text(&b->arena, "%s", label_or(labels->graph, g->name));
    if (labels->documentation != NULL)
        out->doc_string = onnx_arena_text(&b->arena, "%s", labels->documentation);
    b->values[g->input] = onnx_build_name(b, "%s", label_or(labels->input, "input"));
    b->values[g->output] = onnx_build_name(b, "%s", label_or(labels->output, "logits"));
    for (uint32_t n = 0; n < g->node_count && !b->arena.failed; n++)
        onnx_build_graph_node(b, n);
    out->n_input = out->n_output = 1;
    out->input[0] = describe(b, b->values[g->input], g->values[g->input].shape);
    out->output[0] = describe(b, b->values[g->output], g->values[g->output].shape);
}

static void convert_properties(onnx_builder *b, Onnx__ModelProto *model) {
    const onnx_property *from = b->from->properties;
    const size_t count = b->from->property_count;
    Onnx__StringStringEntryProto *entries = onnx_arena_take(&b->arena, count, sizeof *entries);
    model->metadata_props = onnx_arena_take(&b->arena, count, sizeof *model->metadata_props);
    if (entries == NULL || model->metadata_props == NULL)
        return;
    model->n_metadata_props = count;
    for (size_t i = 0; i < count; i++) {
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = onnx_arena_text(&b->arena, "%s", from[i].key);
        entries[i].value = onnx_arena_text(&b->arena, "%s", from[i].value);
        model->metadata_props[i] = &entries[i];
    }
}

static admmnn_status check_graph(const graph *g, admmnn_error *err) {
    if (g->output == g->input)
        return base_fail(err, ADMMNN_USAGE, "network %s: no operation makes its output", g->name);
    for (uint32_t n = 0; n < g->node_count; n++)
        if (graph_find_node(g, g->nodes[n].name) != n)
            return base_fail(err, ADMMNN_USAGE, "network %s: two nodes are named '%s'", g->name,
                             g->nodes[n].name);
    for (uint32_t n = 0; n < g->node_count; n++)
        BASE_TRY(onnx_check_node(g, &g->nodes[n], err));
    return ADMMNN_OK;
}

#define OPSET_OF_FOUR_BITS 21

static int64_t opset_of(const onnx_writing *writing) {
    const graph *g = writing->g;
    int64_t opset = OPSET_LEAST;
    for (uint32_t n = 0; n < g->node_count; n++) {
        const int64_t of_node = onnx_node_opset(g, &g->nodes[n]);
        opset = of_node > opset ? of_node : opset;
    }
    for (uint32_t p = 0; writing->codes != NULL && p < g->parameter_count; p++)
        if (writing->codes[p].codes != NULL && writing->codes[p].bits == 4)
            opset = opset > OPSET_OF_FOUR_BITS ? opset : OPSET_OF_FOUR_BITS;
    return opset;
}

/* ---- the message ---- */

struct onnx_message {
    onnx_builder builder;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset;
    Onnx__OperatorSetIdProto *opsets[1];
    uint64_t data_bytes;
};

static void compose(onnx_message *m) {
    onnx_arena *arena = &m->builder.arena;
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    onnx__operator_set_id_proto__init(&m->opset);
    m->opset.domain = onnx_arena_text(arena, "%s", "");
    m->opset.has_version = 1;
    m->opset.version = m->builder.opset;
    m->opsets[0] = &m->opset;
    m->model.has_ir_version = 1;
    m->model.ir_version = ir_version(m->builder.opset);
    m->model.producer_name = onnx_arena_text(arena, "admmnn");
    m->model.n_opset_import = 1;
    m->model.opset_import = m->opsets;
    m->model.graph = &m->graph;
    convert_graph(&m->builder);
    convert_properties(&m->builder, &m->model);
}

/* Told before any byte is made: protobuf-c counts a message's bytes without copying them. */
static admmnn_status divide(onnx_message *m, const onnx_target *target, admmnn_error *err) {
    const size_t most = target->file_most == 0 ? INT_MAX : target->file_most;
    const size_t whole = onnx__model_proto__get_packed_size(&m->model);
    if (target->data == ONNX_DATA_OUTSIDE || (target->data == ONNX_DATA_BY_SIZE && whole > most)) {
        const char *slash = strrchr(target->path, '/');
        const char *location = onnx_arena_text(&m->builder.arena, "%s" ONNX_DATA_SUFFIX,
                                               slash == NULL ? target->path : slash + 1);
        if (location == NULL ||
            !onnx_external_place(&m->graph, location, &m->builder.arena, &m->data_bytes))
            return base_fail_memory(err, "an ONNX model");
    }
    const size_t size = onnx__model_proto__get_packed_size(&m->model);
    if (size > most)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "an ONNX file holds at most %zu bytes, and this model takes %zu", most,
                         size);
    return ADMMNN_OK;
}

admmnn_status onnx_message_create(const onnx_writing *writing, const onnx_target *target,
                                  onnx_message **out, admmnn_error *err) {
    BASE_TRY(check_graph(writing->g, err));
    onnx_message *m = base_array(1, sizeof *m);
    if (m == NULL)
        return base_fail_memory(err, "an ONNX model");
    m->builder = (onnx_builder){.from = writing,
                                .out = &m->graph,
                                .arena = {.limit = WRITER_LIMIT},
                                .opset = opset_of(writing)};
    compose(m);
    admmnn_status status =
        m->builder.arena.failed ? base_fail_memory(err, "an ONNX model") : divide(m, target, err);
    if (status != ADMMNN_OK) {
        onnx_message_free(m);
        return status;
    }
    *out = m;
    return ADMMNN_OK;
}

void onnx_message_free(onnx_message *message) {
    if (message == NULL)
        return;
    onnx_arena_free(&message->builder.arena);
    base_free(message);
}

uint64_t onnx_message_data_bytes(const onnx_message *message) {
    return message->data_bytes;
}

/* ---- its bytes ---- */

typedef struct sink {
    ProtobufCBuffer buffer; /* the first: protobuf-c hands it back */
    onnx_append *append;
    void *to;
} sink;

static void pass_on(ProtobufCBuffer *buffer, size_t count, const uint8_t *bytes) {
    const sink *s = (const sink *)buffer;
    s->append(s->to, bytes, count);
}

void onnx_message_append(const onnx_message *message, onnx_append *append, void *to) {
    sink s = {.buffer = {.append = pass_on}, .append = append, .to = to};
    onnx__model_proto__pack_to_buffer(&message->model, &s.buffer);
}

void onnx_message_append_data(const onnx_message *message, onnx_append *append, void *to) {
    if (message->data_bytes > 0)
        onnx_external_append(&message->graph, append, to);
}
