#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "onnx/arena.h"
#include "onnx/external.h"
#include "onnx/labels.h"
#include "onnx/nodes.h"
#include "onnx/onnx.h"
#include "onnx/order.h"
#include "onnx/wire.h"

#define OPSET_LEAST 7
#define OPSET_MOST 22
#define NODES_MOST 16384U
#define TENSORS_MOST (4U * NODES_MOST)
/* What the messages and what is computed of constants may take: numbers and names are copied,
 * and small fields grow on the way from the file to memory. */
#define READER_SPARE ((size_t)16 << 20)
#define READER_GROWTH 32U
/* Rows and columns of a matrix that are turned together: of floats a cache line each way. */
#define SQUARE 16U

static admmnn_status find_opset(const Onnx__ModelProto *model, int64_t *opset, admmnn_error *err) {
    *opset = 0;
    for (size_t i = 0; i < model->n_opset_import; i++)
        if (onnx_is_standard(model->opset_import[i]->domain))
            *opset = model->opset_import[i]->version;
    if (*opset >= OPSET_LEAST && *opset <= OPSET_MOST)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED, "operator set %lld; %d to %d are read",
                     (long long)*opset, OPSET_LEAST, OPSET_MOST);
}

static admmnn_status check_features(const Onnx__ModelProto *model, admmnn_error *err) {
    const Onnx__GraphProto *from = model->graph;
    if (model->n_functions > 0)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "the model's own function '%.60s' is not read; export it inlined",
                         model->functions[0]->name == NULL ? "" : model->functions[0]->name);
    if (from->n_sparse_initializer > 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "sparse initializers are not read");
    if (from->n_node > NODES_MOST || from->n_initializer > TENSORS_MOST)
        return base_fail(err, ADMMNN_UNSUPPORTED, "more than %u nodes or %u tensors", NODES_MOST,
                         TENSORS_MOST);
    return ADMMNN_OK;
}

/* ---- the sizes, before memory is taken ---- */

/* The tensors that a node's attributes hold. */
static Onnx__TensorProto *tensor_of(const Onnx__NodeProto *node, size_t a) {
    return node->attribute[a]->t;
}

typedef struct sizes {
    uint64_t bytes, outside; /* of all tensors' data, and of what lies in other files */
} sizes;

static admmnn_status add_size(const Onnx__TensorProto *tensor, sizes *total, admmnn_error *err) {
    size_t bytes;
    if (!onnx_tensor_bytes(tensor, &bytes))
        return ADMMNN_OK; /* told when it is read */
    if (bytes > UINT64_MAX / 4 - total->bytes)
        return base_fail(err, ADMMNN_CORRUPT, "tensor '%.60s': impossible dimensions",
                         onnx_tensor_name(tensor));
    total->bytes += bytes;
    total->outside += onnx_tensor_is_external(tensor) ? bytes : 0;
    return ADMMNN_OK;
}

static admmnn_status add_sizes(const Onnx__GraphProto *from, sizes *total, admmnn_error *err) {
    for (size_t i = 0; i < from->n_initializer; i++)
        BASE_TRY(add_size(from->initializer[i], total, err));
    for (size_t n = 0; n < from->n_node; n++)
        for (size_t a = 0; a < from->node[n]->n_attribute; a++)
            if (tensor_of(from->node[n], a) != NULL)
                BASE_TRY(add_size(tensor_of(from->node[n], a), total, err));
    return ADMMNN_OK;
}

/* The tensors once more as parameters, and what lies outside the file: the rest is there. */
static admmnn_status check_memory(const Onnx__GraphProto *from, uint64_t memory, onnx_arena *arena,
                                  admmnn_error *err) {
    sizes total = {0};
    BASE_TRY(add_sizes(from, &total, err));
    const uint64_t needed = total.bytes + total.outside;
    if (needed > memory)
        return base_fail(err, ADMMNN_MEMORY,
                         "its tensors need %" PRIu64 " MiB of memory; there are %" PRIu64,
                         needed >> 20, memory >> 20);
    arena->limit += READER_GROWTH * total.outside;
    if (arena->limit > memory)
        arena->limit = memory;
    return ADMMNN_OK;
}

/* ---- names ---- */

static admmnn_status add_constants(onnx_reader *r, admmnn_error *err) {
    for (size_t i = 0; i < r->from->n_initializer; i++) {
        onnx_tensor *place = onnx_names_place(&r->names, r->from->initializer[i]->name);
        if (place == NULL || place->known)
            return base_fail(err, ADMMNN_CORRUPT,
                             "initializer %zu has no name, or one that is taken", i);
        place->known = true;
    }
    return ADMMNN_OK;
}

static admmnn_status add_outputs(onnx_reader *r, size_t n, admmnn_error *err) {
    const Onnx__NodeProto *node = r->from->node[n];
    for (size_t i = 0; i < node->n_output; i++) {
        if (node->output[i][0] == 0)
            continue;
        onnx_tensor *place = onnx_names_place(&r->names, node->output[i]);
        if (place == NULL || place->known || place->producer != SIZE_MAX)
            return base_fail(err, ADMMNN_CORRUPT,
                             "node %zu, '%.60s': its output '%.60s' is made "
                             "by another, too",
                             n, node->name == NULL ? "" : node->name, node->output[i]);
        place->producer = n;
    }
    return ADMMNN_OK;
}

static void count_reads(onnx_reader *r, char *const *names, size_t count, size_t reader) {
    for (size_t i = 0; i < count; i++) {
        onnx_tensor *tensor = onnx_names_find(&r->names, names[i]);
        if (tensor == NULL)
            continue;
        tensor->reads++;
        tensor->reader = reader;
    }
}

static admmnn_status add_names(onnx_reader *r, admmnn_error *err) {
    for (size_t n = 0; n < r->from->n_node; n++)
        BASE_TRY(add_outputs(r, n, err));
    for (size_t i = 0; i < r->from->n_input; i++) {
        const onnx_tensor *place = onnx_names_place(&r->names, r->from->input[i]->name);
        if (place == NULL || place->producer != SIZE_MAX)
            return base_fail(err, ADMMNN_CORRUPT, "input %zu has no name, or one that is taken", i);
    }
    for (size_t n = 0; n < r->from->n_node; n++)
        count_reads(r, r->from->node[n]->input, r->from->node[n]->n_input, n);
    for (size_t i = 0; i < r->from->n_output; i++)
        count_reads(r, &r->from->output[i]->name, 1, SIZE_MAX);
    return ADMMNN_OK;
}

/* ---- the constants that are read ---- */

static admmnn_status fetch(onnx_reader *r, Onnx__TensorProto *tensor, admmnn_error *err) {
    if (tensor == NULL || !onnx_tensor_is_external(tensor))
        return ADMMNN_OK;
    return onnx_external_fetch(tensor, r->file, r->arena, err);
}

/* An initializer that nothing reads may be of any kind. */
static admmnn_status read_constants(onnx_reader *r, admmnn_error *err) {
    for (size_t i = 0; i < r->from->n_initializer; i++) {
        Onnx__TensorProto *tensor = r->from->initializer[i];
        onnx_tensor *place = onnx_names_find(&r->names, tensor->name);
        if (place->reads == 0)
            continue;
        onnx_array *array = onnx_arena_take(r->arena, 1, sizeof *array);
        if (array == NULL)
            return base_fail_memory(err, "an ONNX model's constants");
        BASE_TRY(fetch(r, tensor, err));
        BASE_TRY(onnx_array_read(tensor, r->arena, array, err));
        array->name = tensor->name;
        place->array = array;
        r->given += array->count;
    }
    return ADMMNN_OK;
}

static bool is_read(const onnx_reader *r, const Onnx__NodeProto *node) {
    for (size_t i = 0; i < node->n_output; i++) {
        const onnx_tensor *place = onnx_names_find(&r->names, node->output[i]);
        if (place != NULL && place->reads > 0)
            return true;
    }
    return false;
}

/* Nor is there anything to know of a Constant that nothing reads. */
static bool is_idle(const onnx_reader *r, const Onnx__NodeProto *node) {
    return node->n_input == 0 && !is_read(r, node);
}

static admmnn_status fetch_attributes(onnx_reader *r, admmnn_error *err) {
    for (size_t n = 0; n < r->from->n_node; n++) {
        const Onnx__NodeProto *node = r->from->node[n];
        for (size_t a = 0; !is_idle(r, node) && a < node->n_attribute; a++)
            BASE_TRY(fetch(r, tensor_of(node, a), err));
    }
    return ADMMNN_OK;
}

/* ---- the input ---- */

static bool has_size(const Onnx__TensorShapeProto__Dimension *dim) {
    return dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
}

static admmnn_status input_shape(const Onnx__ValueInfoProto *info, graph_shape *shape,
                                 admmnn_error *err) {
    const Onnx__TypeProto *type = info->type;
    if (type == NULL || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
        !onnx_type_is_floating(type->tensor_type->elem_type) || type->tensor_type->shape == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "the input '%.60s' is no tensor of floats of known dimensions",
                         info->name);
    const Onnx__TensorShapeProto *dims = type->tensor_type->shape;
    if (dims->n_dim < 2 || dims->n_dim > GRAPH_RANK_MAX + 1)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "the input '%.60s' has %zu dimensions; read are the batch and 1 to %d",
                         info->name, dims->n_dim, GRAPH_RANK_MAX);
    *shape = (graph_shape){.rank = (uint32_t)dims->n_dim - 1};
    for (size_t i = 1; i < dims->n_dim; i++) {
        if (!has_size(dims->dim[i]) || dims->dim[i]->dim_value < 1 ||
            dims->dim[i]->dim_value > (int64_t)GRAPH_DIMENSION_MAX)
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "the input '%.60s': dimension %zu has no size of 1 to %u; export the "
                             "network with a fixed one",
                             info->name, i, GRAPH_DIMENSION_MAX);
        shape->dims[i - 1] = (uint32_t)dims->dim[i]->dim_value;
    }
    return ADMMNN_OK;
}

static void plain_name(const char *from, char *to) {
    snprintf(to, GRAPH_NAME_MAX, "%s", from == NULL || from[0] == 0 ? "network" : from);
    base_text_make_plain(to);
}

/* The one input that is read. Old files list initializers among the inputs. */
static admmnn_status find_graph_input(onnx_reader *r, const Onnx__ValueInfoProto **out,
                                      admmnn_error *err) {
    *out = NULL;
    for (size_t i = 0; i < r->from->n_input; i++) {
        const Onnx__ValueInfoProto *info = r->from->input[i];
        const onnx_tensor *place = onnx_names_find(&r->names, info->name);
        if (place->known || (place->reads == 0 && r->from->n_input > 1))
            continue;
        if (*out != NULL)
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "two inputs, '%.60s' and '%.60s'; networks of one are read",
                             (*out)->name, info->name);
        *out = info;
    }
    if (*out == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "no input that is read");
    return ADMMNN_OK;
}

static admmnn_status open_graph(onnx_reader *r, const Onnx__ValueInfoProto *input,
                                admmnn_error *err) {
    graph_shape shape;
    char name[GRAPH_NAME_MAX];
    plain_name(r->from->name, name);
    BASE_TRY(input_shape(input, &shape, err));
    const Onnx__TensorShapeProto__Dimension *batch = input->type->tensor_type->shape->dim[0];
    r->batch = has_size(batch) && batch->dim_value > 0 ? batch->dim_value : 0;
    BASE_TRY(onnx_held(graph_create(name, shape, &r->g, err)));
    onnx_tensor *place = onnx_names_find(&r->names, input->name);
    place->known = true;
    place->root = place->whole = r->g->input;
    place->shape = shape;
    return ADMMNN_OK;
}

/* ---- the nodes ---- */

static admmnn_status fail_at_node(const onnx_reader *r, size_t n, admmnn_status status,
                                  admmnn_error *err) {
    const Onnx__NodeProto *node = r->from->node[n];
    return base_fail_within(err, status, "node %zu, '%.60s' (%.30s of operator set %lld)", n,
                            node->name == NULL ? "" : node->name,
                            node->op_type == NULL ? "" : node->op_type, (long long)r->opset);
}

/* Before any is converted: what an operator that is not read leaves undone shows in others, too. */
static admmnn_status check_operators(const onnx_reader *r, const size_t *order, admmnn_error *err) {
    for (size_t i = 0; i < r->from->n_node; i++) {
        const Onnx__NodeProto *node = r->from->node[order[i]];
        const admmnn_status status = is_idle(r, node) ? ADMMNN_OK : onnx_check_operator(node, err);
        if (status != ADMMNN_OK)
            return fail_at_node(r, order[i], status, err);
    }
    return ADMMNN_OK;
}

static admmnn_status convert_nodes(onnx_reader *r, admmnn_error *err) {
    size_t *order;
    BASE_TRY(onnx_order(r->from, &r->names, r->arena, &order, err));
    BASE_TRY(check_operators(r, order, err));
    for (size_t i = 0; i < r->from->n_node; i++) {
        const Onnx__NodeProto *node = r->from->node[order[i]];
        admmnn_status status = is_idle(r, node) ? ADMMNN_OK : onnx_convert_node(r, node, err);
        if (status == ADMMNN_OK &&
            (r->g->flat_count > r->params_most || r->g->constant_count > r->params_most))
            status =
                base_fail(err, ADMMNN_UNSUPPORTED, "its weights or constants serve too many nodes");
        if (status != ADMMNN_OK)
            return fail_at_node(r, order[i], status, err);
    }
    return ADMMNN_OK;
}

static admmnn_status close_graph(onnx_reader *r, admmnn_error *err) {
    const Onnx__GraphProto *from = r->from;
    const char *name = from->n_output > 0 ? from->output[0]->name : NULL;
    uint32_t value;
    onnx_tensor *output = onnx_names_find(&r->names, name);
    if (from->n_output != 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "%zu outputs; networks of one are read",
                         from->n_output);
    if (output == NULL || !output->known || output->array != NULL)
        return base_fail(err, ADMMNN_CORRUPT, "the output '%.60s' is made by no node",
                         name == NULL ? "" : name);
    BASE_TRY(onnx_check_batch(output, err));
    BASE_TRY(onnx_whole(r, output, &value, err));
    if (value == r->g->input)
        return base_fail(err, ADMMNN_UNSUPPORTED, "the output '%.60s' is the input", name);
    r->g->output = value;
    return ADMMNN_OK;
}

static admmnn_status keep_labels(const onnx_reader *r, const Onnx__ModelProto *model,
                                 const Onnx__ValueInfoProto *input, onnx_model *out,
                                 admmnn_error *err) {
    const Onnx__TensorShapeProto__Dimension *batch = input->type->tensor_type->shape->dim[0];
    const bool named = batch->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    return onnx_labels_create(r, model, input->name, r->from->output[0]->name,
                              named ? batch->dim_param : NULL, &out->labels, err);
}

/* ---- parameters ---- */

/* Where element i of a parameter lies in its array. */
static size_t place_of(const onnx_source *source, const graph_parameter *to, size_t i) {
    const size_t row = i / to->columns;
    const size_t column = i % to->columns;
    switch (source->layout) {
    case ONNX_REPEATED:
        return 0;
    case ONNX_TRANSPOSED_CONV: {
        /* from[group, input channel][filter of the group][kernel] */
        const size_t filters = to->rows / source->groups;
        const size_t channels = (size_t)source->array->dims[0] / source->groups;
        const size_t kernel = to->columns / channels;
        const size_t channel = row / filters * channels + column / kernel;
        return (channel * filters + row % filters) * kernel + column % kernel;
    }
    default:
        return i;
    }
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* to[rows][columns] of from[columns][rows], by squares: along a row every number of a large matrix
 * would come from another page. */
static void turn(const float *from, size_t rows, size_t columns, float *to) {
    for (size_t top = 0; top < rows; top += SQUARE)
        for (size_t left = 0; left < columns; left += SQUARE)
            for (size_t row = top; row < least(top + SQUARE, rows); row++)
                for (size_t column = left; column < least(left + SQUARE, columns); column++)
                    to[row * columns + column] = from[column * rows + row];
}

static void copy_param(const onnx_source *source, const graph_parameter *to, float *at) {
    const float *from = source->array->floats;
    if (source->layout == ONNX_AS_IS)
        memcpy(at, from, to->count * sizeof *at);
    else if (source->layout == ONNX_TRANSPOSED)
        turn(from, to->rows, to->columns, at);
    else
        for (size_t i = 0; i < to->count; i++)
            at[i] = from[place_of(source, to, i)];
    for (size_t i = 0; source->factor != 1.0F && i < to->count; i++)
        at[i] *= source->factor;
}

static admmnn_status copy_params(const onnx_reader *r, float **out, admmnn_error *err) {
    float *params = base_array(r->g->flat_count, sizeof *params);
    if (params == NULL)
        return base_fail_memory(err, "an ONNX model's parameters");
    *out = params;
    for (uint32_t p = 0; p < r->g->parameter_count; p++) {
        const graph_parameter *to = &r->g->parameters[p];
        if (r->sources[p].array != NULL)
            copy_param(&r->sources[p], to, params + to->offset);
    }
    return ADMMNN_OK;
}

/* Rooms for what the file's nodes may become. */
static admmnn_status open_reader(onnx_reader *r, admmnn_error *err) {
    size_t inputs = 1;
    size_t outputs = 1;
    for (size_t n = 0; n < r->from->n_node; n++) {
        inputs += r->from->node[n]->n_input;
        outputs += r->from->node[n]->n_output;
    }
    const size_t each = ONNX_SOURCES_EACH * r->from->n_node;
    r->sources = onnx_arena_take(r->arena, each + inputs, sizeof *r->sources);
    r->origins = onnx_arena_take(r->arena, each + outputs, sizeof *r->origins);
    if (r->sources == NULL || r->origins == NULL ||
        !onnx_names_create(&r->names, outputs + r->from->n_initializer + r->from->n_input,
                           r->arena))
        return base_fail_memory(err, "an ONNX model");
    for (uint32_t n = 0; n < r->from->n_node; n++) {
        const char *name = r->from->node[n]->name;
        if (name != NULL && !onnx_texts_add(&r->file_nodes, name, n, r->arena))
            return base_fail_memory(err, "an ONNX model");
    }
    return ADMMNN_OK;
}

static admmnn_status convert_graph(onnx_reader *r, const Onnx__ModelProto *model, onnx_model *out,
                                   admmnn_error *err) {
    const Onnx__ValueInfoProto *input;
    BASE_TRY(open_reader(r, err));
    BASE_TRY(add_constants(r, err));
    BASE_TRY(add_names(r, err));
    BASE_TRY(fetch_attributes(r, err));
    BASE_TRY(read_constants(r, err));
    BASE_TRY(find_graph_input(r, &input, err));
    admmnn_status status = open_graph(r, input, err);
    if (status == ADMMNN_OK)
        status = convert_nodes(r, err);
    if (status == ADMMNN_OK)
        status = close_graph(r, err);
    if (status == ADMMNN_OK && r->arena->failed)
        status = base_fail_memory(err, "an ONNX model");
    if (status == ADMMNN_OK)
        status = keep_labels(r, model, input, out, err);
    out->g = r->g;
    return status;
}

static admmnn_status convert_model(const onnx_file *file, const Onnx__ModelProto *model,
                                   onnx_arena *arena, onnx_model *out, admmnn_error *err) {
    const uint64_t memory = file->memory == 0 ? base_memory_size() : file->memory;
    if (model->graph == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "no graph: not an ONNX model");
    onnx_reader r = {.from = model->graph, .file = file, .arena = arena};
    BASE_TRY(find_opset(model, &r.opset, err));
    BASE_TRY(check_features(model, err));
    BASE_TRY(check_memory(model->graph, memory, arena, err));
    r.params_most = arena->limit / sizeof(float);
    BASE_TRY(convert_graph(&r, model, out, err));
    return copy_params(&r, &out->params, err);
}

/* The message holds copies of all: a large file's bytes need not stay beside them. */
static Onnx__ModelProto *unpack(const onnx_file *file, onnx_arena *arena) {
    ProtobufCAllocator allocator = onnx_arena_allocator(arena);
    Onnx__ModelProto *model = NULL;
    if (onnx_wire_is_sound(&onnx__model_proto__descriptor, file->bytes, file->count))
        model = onnx__model_proto__unpack(&allocator, file->count, file->bytes);
    if (file->taken)
        base_free((uint8_t *)file->bytes);
    return model;
}

admmnn_status onnx_read(const onnx_file *file, onnx_model *out, admmnn_error *err) {
    *out = (onnx_model){0};
    onnx_arena arena = {.limit = READER_SPARE + READER_GROWTH * file->count};
    const Onnx__ModelProto *model = unpack(file, &arena);
    admmnn_status status;
    if (model != NULL)
        status = convert_model(file, model, &arena, out, err);
    else if (arena.failed)
        status = base_fail_memory(err, "an ONNX model");
    else
        status = base_fail(
            err, ADMMNN_CORRUPT,
            "not an ONNX model, or a part of one (not its protobuf message), and no packed "
            "model");
    onnx_arena_free(&arena);
    if (status == ADMMNN_OK)
        return ADMMNN_OK;
    onnx_model_free(out);
    return base_fail_within(err, status, "%s", file->name);
}

void onnx_model_free(onnx_model *model) {
    graph_free(model->g);
    base_free(model->params);
    onnx_labels_free(model->labels);
    *model = (onnx_model){0};
}
