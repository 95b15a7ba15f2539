#include "onnx/nodes.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "onnx/attributes.h"
#include "onnx/fold.h"

/* ---- inputs ---- */

bool onnx_has_input(const Onnx__NodeProto *node, size_t i) {
    return i < node->n_input && node->input[i] != NULL && node->input[i][0] != 0;
}

static admmnn_status find_known(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                onnx_tensor **out, admmnn_error *err) {
    *out = onnx_has_input(node, i) ? onnx_names_find(&r->names, node->input[i]) : NULL;
    if (*out != NULL && (*out)->known)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT, "input %zu, '%.60s', is made by no node", i,
                     onnx_has_input(node, i) ? node->input[i] : "");
}

admmnn_status onnx_find_input(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                              onnx_tensor **out, admmnn_error *err) {
    BASE_TRY(find_known(r, node, i, out, err));
    return onnx_check_batch(*out, err);
}

static admmnn_status check_value(const onnx_tensor *tensor, size_t i, admmnn_error *err) {
    if (tensor->array != NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "input %zu, '%.60s', is a constant", i,
                         tensor->name);
    return ADMMNN_OK;
}

admmnn_status onnx_find_value(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                              onnx_tensor **out, admmnn_error *err) {
    BASE_TRY(onnx_find_input(r, node, i, out, err));
    return check_value(*out, i, err);
}

admmnn_status onnx_find_moved(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                              onnx_tensor **out, admmnn_error *err) {
    BASE_TRY(find_known(r, node, i, out, err));
    return check_value(*out, i, err);
}

admmnn_status onnx_find_constant(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                 const onnx_array **out, admmnn_error *err) {
    onnx_tensor *tensor;
    BASE_TRY(onnx_find_input(r, node, i, &tensor, err));
    if (tensor->array == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "input %zu, '%.60s', is not a constant", i,
                         node->input[i]);
    *out = tensor->array;
    return ADMMNN_OK;
}

admmnn_status onnx_plain_number(const onnx_array *array, size_t i, float *out, admmnn_error *err) {
    if (!onnx_array_is_plain(array, i))
        return onnx_fail_mixing("a number depends on how many there are", err);
    *out = onnx_array_number(array, i);
    return ADMMNN_OK;
}

admmnn_status onnx_find_integers(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                 size_t i, const int64_t **out, size_t *count, admmnn_error *err) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);
    const onnx_array *array;
    *out = a == NULL ? NULL : a->ints;
    *count = a == NULL ? 0 : a->n_ints;
    if (a != NULL || !onnx_has_input(node, i))
        return ADMMNN_OK;
    BASE_TRY(onnx_find_constant(r, node, i, &array, err));
    if (array->integers == NULL || array->rank > 1)
        return base_fail(err, ADMMNN_CORRUPT, "its %s are not a row of whole numbers", name);
    for (size_t k = 0; k < array->count; k++)
        if (!onnx_array_is_plain(array, k))
            return onnx_fail_mixing("its numbers depend on how many there are", err);
    *out = array->integers;
    *count = array->count;
    return ADMMNN_OK;
}

admmnn_status onnx_whole(onnx_reader *r, onnx_tensor *tensor, uint32_t *value, admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    if (tensor->whole == GRAPH_NONE) {
        onnx_name_node(r, tensor->shown, name);
        BASE_TRY(onnx_held(
            graph_add_reshape(r->g, name, tensor->root, tensor->shape, &tensor->whole, err)));
    }
    *value = tensor->whole;
    return ADMMNN_OK;
}

/* ---- constants as operands ---- */

/* Whether every slice along the first axis is the same, so that one stands for all. */
static bool rows_agree(const onnx_array *array) {
    const size_t row = array->count / (size_t)array->dims[0];
    for (size_t i = 0; i + row < array->count; i++)
        if (onnx_array_number(array, i) != onnx_array_number(array, i + row))
            return false;
    return true;
}

/* The array without the batch's axis, where it has one. Without elements it is nothing to work
 * with, and a batch that the file does not fix is 0, too. */
static admmnn_status drop_batch(const onnx_reader *r, const onnx_array *array, uint32_t rank,
                                onnx_array *out, admmnn_error *err) {
    *out = *array;
    if (array->count == 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "a constant without elements");
    if (array->rank < rank)
        return ADMMNN_OK;
    if (array->rank > rank)
        return onnx_fail_mixing("a constant has more dimensions than the samples", err);
    if (array->dims[0] != 1 && array->dims[0] != r->batch)
        return onnx_fail_mixing("a constant differs from sample to sample", err);
    out->count = array->count / (size_t)array->dims[0];
    for (uint32_t i = 0; i + 1 < rank; i++)
        out->dims[i] = array->dims[i + 1];
    out->rank = rank - 1;
    return ADMMNN_OK;
}

/* Once for all nodes that read the operand: a constant may be large. */
static admmnn_status check_samples(const onnx_array *array, uint32_t rank, admmnn_error *err) {
    for (size_t i = 0; array->batches != NULL && i < array->count; i++)
        if (array->batches[i] != 0)
            return onnx_fail_mixing("a constant depends on how many there are", err);
    if (array->rank == rank && !rows_agree(array))
        return onnx_fail_mixing("a constant differs from sample to sample", err);
    return ADMMNN_OK;
}

static admmnn_status shape_of_array(const onnx_array *array, graph_shape *shape,
                                    admmnn_error *err) {
    *shape = (graph_shape){.rank = array->rank};
    bool sound = array->rank <= GRAPH_RANK_MAX;
    for (uint32_t i = 0; sound && i < array->rank; i++) {
        sound = array->dims[i] > 0 && array->dims[i] <= (int64_t)GRAPH_DIMENSION_MAX;
        shape->dims[i] = sound ? (uint32_t)array->dims[i] : 0;
    }
    if (sound)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED, "a constant of impossible dimensions");
}

static admmnn_status as_floats(onnx_reader *r, const onnx_array *array, onnx_array *out,
                               admmnn_error *err) {
    float *floats;
    *out = *array;
    if (array->floats != NULL)
        return ADMMNN_OK;
    BASE_TRY(onnx_array_floats(r->arena, out, &floats, err));
    for (size_t i = 0; i < out->count; i++)
        floats[i] = onnx_array_number(array, i);
    return ADMMNN_OK;
}

/* The last bytes that fit, from the beginning of a character on. */
static const char *tail_of(const char *name) {
    const size_t length = strlen(name);
    if (length < GRAPH_NAME_MAX)
        return name;
    name += length - (GRAPH_NAME_MAX - 1);
    while (((unsigned char)*name & 0xc0U) == 0x80)
        name++;
    return name;
}

/* What is short of memory is told where the reader takes its next array. */
static bool parameter_has_name(onnx_reader *r, const char *name) {
    char made[GRAPH_PARAMETER_NAME_MAX];
    for (; r->named < r->g->parameter_count; r->named++) {
        graph_parameter_name(r->g, r->named, made);
        const char *kept = onnx_arena_text(r->arena, "%s", made);
        if (kept == NULL || !onnx_texts_add(&r->parameters, kept, r->named, r->arena))
            return false;
    }
    return onnx_texts_find(&r->parameters, name) != ONNX_NO_TEXT;
}

/* A number past `count` that no name has had: names that are there already are passed once
 * in all, however many there are. */
static uint32_t next_number(onnx_reader *r, uint32_t count) {
    r->number = r->number < count ? count + 1 : r->number + 1;
    return r->number;
}

/* Set apart as the writer does it, so that the name is the same when it is read again. */
static void name_parameter(onnx_reader *r, const char *from, char out[GRAPH_NAME_MAX]) {
    snprintf(out, GRAPH_NAME_MAX, "%s", tail_of(from));
    size_t length = strlen(out);
    while (length > 0 && length + 1 < GRAPH_NAME_MAX && parameter_has_name(r, out)) {
        out[length++] = '_';
        out[length] = 0;
    }
    while (out[0] == 0 || !base_text_is_plain(out) || parameter_has_name(r, out))
        snprintf(out, GRAPH_NAME_MAX, "tensor%u", next_number(r, r->g->parameter_count));
}

static admmnn_status add_operand(onnx_reader *r, onnx_tensor *tensor, const onnx_array *array,
                                 graph_shape shape, graph_parameter_kind kind, admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    onnx_array *kept = onnx_arena_take(r->arena, 1, sizeof *kept);
    if (kept == NULL)
        return base_fail_memory(err, "an ONNX model's constants");
    BASE_TRY(as_floats(r, array, kept, err));
    if (kind != GRAPH_WEIGHT && array->count == 1)
        return onnx_held(graph_add_constant(r->g, shape, kept->floats, &tensor->operand, err));
    const char *from = array->name != NULL ? array->name : tensor->name;
    name_parameter(r, from, name);
    BASE_TRY(onnx_held(graph_add_parameter(r->g, name, kind, shape, &tensor->operand, err)));
    r->sources[r->g->values[tensor->operand].parameter] =
        (onnx_source){.array = kept, .name = from, .factor = 1.0F};
    return ADMMNN_OK;
}

admmnn_status onnx_operand(onnx_reader *r, onnx_tensor *tensor, uint32_t rank,
                           graph_parameter_kind kind, uint32_t *value, admmnn_error *err) {
    onnx_array array;
    graph_shape shape;
    BASE_TRY(drop_batch(r, tensor->array, rank, &array, err));
    BASE_TRY(shape_of_array(&array, &shape, err));
    if (tensor->operand == GRAPH_NONE ||
        !graph_shape_equal(r->g->values[tensor->operand].shape, shape)) {
        BASE_TRY(check_samples(tensor->array, rank, err));
        BASE_TRY(add_operand(r, tensor, &array, shape, kind, err));
    }
    *value = tensor->operand;
    return ADMMNN_OK;
}

bool onnx_is_batch(const onnx_reader *r, const onnx_array *array, size_t i) {
    if (onnx_array_is_plain(array, i))
        return r->batch > 0 && array->integers[i] == r->batch;
    return array->batches[i] == 1 && array->integers[i] == 0;
}

admmnn_status onnx_take_parameter(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                  uint32_t parameter, admmnn_error *err) {
    const onnx_array *array;
    const size_t rows = r->g->parameters[parameter].rows;
    BASE_TRY(onnx_find_constant(r, node, i, &array, err));
    if (array->floats == NULL || (array->count != rows && array->count != 1))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "input %zu, '%.60s', is not %zu floating numbers, nor one for all", i,
                         node->input[i], rows);
    r->sources[parameter] =
        (onnx_source){.array = array,
                      .name = array->name != NULL ? array->name : node->input[i],
                      .layout = array->count == rows ? ONNX_AS_IS : ONNX_REPEATED,
                      .factor = 1.0F};
    return ADMMNN_OK;
}

/* ---- outputs ---- */

admmnn_status onnx_add_output(onnx_reader *r, const Onnx__NodeProto *node, size_t output,
                              onnx_tensor tensor, admmnn_error *err) {
    const char *name = output < node->n_output ? node->output[output] : NULL;
    onnx_tensor *place = onnx_names_find(&r->names, name);
    if (place == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "its output has no name");
    tensor.name = place->name;
    tensor.known = true;
    tensor.operand = GRAPH_NONE;
    tensor.producer = place->producer;
    tensor.reads = place->reads;
    tensor.reader = place->reader;
    *place = tensor;
    return ADMMNN_OK;
}

admmnn_status onnx_add_value(onnx_reader *r, const Onnx__NodeProto *node, uint32_t value,
                             admmnn_error *err) {
    const graph_shape shape = r->g->values[value].shape;
    return onnx_add_output(r, node, 0, (onnx_tensor){.root = value, .whole = value, .shape = shape},
                           err);
}

admmnn_status onnx_add_view(onnx_reader *r, const Onnx__NodeProto *node, uint32_t root,
                            graph_shape shape, const Onnx__NodeProto *shown, admmnn_error *err) {
    const bool same = graph_shape_equal(r->g->values[root].shape, shape);
    return onnx_add_output(
        r, node, 0,
        (onnx_tensor){
            .root = root, .whole = same ? root : GRAPH_NONE, .shape = shape, .shown = shown},
        err);
}

admmnn_status onnx_add_alias(onnx_reader *r, const Onnx__NodeProto *node, const onnx_tensor *of,
                             admmnn_error *err) {
    return onnx_add_output(r, node, 0, *of, err);
}

admmnn_status onnx_add_array(onnx_reader *r, const Onnx__NodeProto *node, const onnx_array *array,
                             admmnn_error *err) {
    onnx_array *kept = onnx_arena_take(r->arena, 1, sizeof *kept);
    if (kept == NULL)
        return base_fail_memory(err, "an ONNX model's constants");
    *kept = *array;
    return onnx_add_output(
        r, node, 0, (onnx_tensor){.array = kept, .root = GRAPH_NONE, .whole = GRAPH_NONE}, err);
}

/* ---- names ---- */

/* A name that several nodes of the file have is kept for the first. */
static const char *origin_of(onnx_reader *r, const Onnx__NodeProto *node) {
    const char *name = node->name == NULL ? "" : node->name;
    if (name[0] == 0 || onnx_texts_find(&r->kept, name) != ONNX_NO_TEXT ||
        !onnx_texts_add(&r->kept, name, r->g->node_count, r->arena))
        return NULL;
    return name;
}

/* A name that the file keeps and ours cannot have is not made of the operation: that may be
 * written as another one, and read again it would become another name. Nor is a name made that
 * another node of the file has: both would be written. */
void onnx_name_node(onnx_reader *r, const Onnx__NodeProto *node, char out[GRAPH_NAME_MAX]) {
    const char *origin = origin_of(r, node);
    bool taken = false;
    snprintf(out, GRAPH_NAME_MAX, "%s", node->name == NULL ? "" : tail_of(node->name));
    while (taken || out[0] == 0 || !base_text_is_plain(out) ||
           graph_find_node(r->g, out) != GRAPH_NONE) {
        snprintf(out, GRAPH_NAME_MAX, "%.16s%u", origin == NULL ? node->op_type : "node",
                 next_number(r, r->g->node_count));
        taken = onnx_texts_find(&r->file_nodes, out) != ONNX_NO_TEXT;
    }
    r->origins[r->g->node_count] = origin;
}

void onnx_name_part(onnx_reader *r, const Onnx__NodeProto *node, const char *part,
                    char out[GRAPH_NAME_MAX]) {
    const char *name = node->name == NULL || !base_text_is_plain(node->name) ? "" : node->name;
    const size_t room = GRAPH_NAME_MAX - 2 - strlen(part);
    const size_t length = strlen(name);
    snprintf(out, GRAPH_NAME_MAX, "%s.%s", length > room ? "" : name, part);
    while (out[0] == '.' || graph_find_node(r->g, out) != GRAPH_NONE)
        snprintf(out, GRAPH_NAME_MAX, "%.10s%u.%s", node->op_type, next_number(r, r->g->node_count),
                 part);
    r->origins[r->g->node_count] = NULL;
}

bool onnx_is_standard(const char *domain) {
    return domain == NULL || domain[0] == 0 || strcmp(domain, "ai.onnx") == 0;
}

/* ---- failures ---- */

admmnn_status onnx_held(admmnn_status status) {
    return status == ADMMNN_INPUT ? ADMMNN_UNSUPPORTED : status;
}

admmnn_status onnx_fail_mixing(const char *what, admmnn_error *err) {
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "%s; only what treats each sample of the batch by itself is read", what);
}

admmnn_status onnx_check_batch(const onnx_tensor *tensor, admmnn_error *err) {
    if (tensor->before == 0)
        return ADMMNN_OK;
    return onnx_fail_mixing("a Transpose's perm moves the batch's axis", err);
}

admmnn_status onnx_sample_axis(int64_t axis, uint32_t rank, uint32_t *out, admmnn_error *err) {
    const int64_t from_first = axis < 0 ? axis + rank : axis;
    if (from_first < 0 || from_first >= rank)
        return base_fail(err, ADMMNN_CORRUPT, "axis %lld of %u", (long long)axis, rank);
    if (from_first == 0)
        return onnx_fail_mixing("its axis is the batch's", err);
    *out = (uint32_t)from_first - 1;
    return ADMMNN_OK;
}

/* ---- operations ---- */

static const struct operation {
    const char *type;
    onnx_converter *convert;
} operations[] = {
    {"Conv", onnx_convert_conv},
    {"ConvTranspose", onnx_convert_transposed_conv},
    {"MaxPool", onnx_convert_maxpool},
    {"AveragePool", onnx_convert_average_pool},
    {"GlobalMaxPool", onnx_convert_global_maxpool},
    {"GlobalAveragePool", onnx_convert_global_average_pool},
    {"Gemm", onnx_convert_gemm},
    {"MatMul", onnx_convert_matmul},
    {"BatchNormalization", onnx_convert_batch_normalization},
    {"InstanceNormalization", onnx_convert_instance_normalization},
    {"LayerNormalization", onnx_convert_layer_normalization},
    {"LRN", onnx_convert_lrn},
    {"Softmax", onnx_convert_softmax},
    {"LogSoftmax", onnx_convert_log_softmax},
    {"Relu", onnx_convert_relu},
    {"LeakyRelu", onnx_convert_unary},
    {"Sigmoid", onnx_convert_unary},
    {"HardSigmoid", onnx_convert_unary},
    {"HardSwish", onnx_convert_unary},
    {"Tanh", onnx_convert_unary},
    {"Elu", onnx_convert_unary},
    {"Gelu", onnx_convert_unary},
    {"Softplus", onnx_convert_unary},
    {"Erf", onnx_convert_unary},
    {"Sqrt", onnx_convert_unary},
    {"Neg", onnx_convert_unary},
    {"Exp", onnx_convert_unary},
    {"Clip", onnx_convert_clip},
    {"Add", onnx_convert_binary},
    {"Sub", onnx_convert_binary},
    {"Mul", onnx_convert_binary},
    {"Div", onnx_convert_binary},
    {"PRelu", onnx_convert_binary},
    {"Pow", onnx_convert_pow},
    {"Dropout", onnx_convert_dropout},
    {"Identity", onnx_convert_identity},
    {"Cast", onnx_convert_cast},
    {"ReduceMean", onnx_convert_reduce},
    {"ReduceSum", onnx_convert_reduce},
    {"Concat", onnx_convert_concat},
    {"Split", onnx_convert_split},
    {"Slice", onnx_convert_slice},
    {"Pad", onnx_convert_pad},
    {"Flatten", onnx_convert_flatten},
    {"Reshape", onnx_convert_reshape},
    {"Squeeze", onnx_convert_squeeze},
    {"Unsqueeze", onnx_convert_unsqueeze},
    {"Expand", onnx_convert_expand},
    {"Transpose", onnx_convert_transpose},
    {"Gather", onnx_convert_gather},
    {"Shape", onnx_convert_shape},
    {"Resize", onnx_convert_resize},
};

static const struct operation *find_operation(const char *type) {
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].type, type) == 0)
            return &operations[i];
    return NULL;
}

/* Masks and indices beside the first output: of Split all are values. */
static admmnn_status check_outputs(const onnx_reader *r, const Onnx__NodeProto *node,
                                   admmnn_error *err) {
    for (size_t i = 1; i < node->n_output && strcmp(node->op_type, "Split") != 0; i++) {
        const onnx_tensor *tensor = onnx_names_find(&r->names, node->output[i]);
        if (tensor != NULL && tensor->reads > 0)
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "its output %zu, '%.60s', is read; only the first one is made", i,
                             node->output[i]);
    }
    return ADMMNN_OK;
}

static admmnn_status check_subgraphs(const Onnx__NodeProto *node, admmnn_error *err) {
    for (size_t a = 0; a < node->n_attribute; a++)
        if (node->attribute[a]->g != NULL || node->attribute[a]->n_graphs > 0)
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "control flow, its subgraph '%.40s', is not read; export the "
                             "network for one fixed path",
                             node->attribute[a]->name == NULL ? "" : node->attribute[a]->name);
    return ADMMNN_OK;
}

static bool is_made(const onnx_reader *r, const Onnx__NodeProto *node) {
    const onnx_tensor *tensor = onnx_names_find(&r->names, node->output[0]);
    return tensor != NULL && tensor->known;
}

/* Whether all there is to read are constants. */
static bool reads_constants(const onnx_reader *r, const Onnx__NodeProto *node) {
    for (size_t i = 0; i < node->n_input; i++) {
        const onnx_tensor *tensor = onnx_names_find(&r->names, node->input[i]);
        if (onnx_has_input(node, i) && (tensor == NULL || tensor->array == NULL))
            return false;
    }
    return true;
}

/* Elements that may be read to make constants of constants: some, which take a second,
 * and as many for each that the file has. Those that no node reads are made too. */
#define FOLDED_MOST (UINT64_C(1) << 25)
#define FOLDED_EACH 16U

static admmnn_status fold(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    const onnx_array *in[ONNX_FOLD_INPUTS] = {NULL};
    onnx_array out;
    if (node->n_input > ONNX_FOLD_INPUTS)
        return base_fail(err, ADMMNN_UNSUPPORTED, "%zu constants; %u are read", node->n_input,
                         ONNX_FOLD_INPUTS);
    for (size_t i = 0; i < node->n_input; i++)
        if (onnx_has_input(node, i))
            BASE_TRY(onnx_find_constant(r, node, i, &in[i], err));
    for (size_t i = 0; i < node->n_input; i++)
        r->folded += in[i] == NULL ? 0 : in[i]->count;
    if (r->folded > FOLDED_MOST + FOLDED_EACH * r->given)
        return base_fail(err, ADMMNN_UNSUPPORTED, "the file computes too much of its constants");
    BASE_TRY(onnx_fold(node, in, node->n_input, r->arena, &out, err));
    r->given += node->n_input == 0 ? out.count : 0;
    return onnx_add_array(r, node, &out, err);
}

static const char *type_of(const Onnx__NodeProto *node) {
    return node->op_type == NULL ? "" : node->op_type;
}

admmnn_status onnx_check_operator(const Onnx__NodeProto *node, admmnn_error *err) {
    BASE_TRY(check_subgraphs(node, err));
    if (!onnx_is_standard(node->domain))
        return base_fail(err, ADMMNN_UNSUPPORTED, "operators of the domain '%.40s' are not read",
                         node->domain);
    if (find_operation(type_of(node)) == NULL && !onnx_folds(type_of(node)))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "this operator is not read; docs/onnx.md has those that are");
    return ADMMNN_OK;
}

admmnn_status onnx_convert_node(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    const char *type = type_of(node);
    if (node->n_output == 0)
        return base_fail(err, ADMMNN_CORRUPT, "it has no output");
    if (is_made(r, node)) /* an Add whose sum was a product's bias */
        return ADMMNN_OK;
    const struct operation *o = find_operation(type);
    BASE_TRY(onnx_check_attributes(node, err));
    if (onnx_folds(type) && reads_constants(r, node))
        return fold(r, node, err);
    if (o == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "this operator is read of constants alone");
    if (reads_constants(r, node))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "it reads constants alone; export the network with constants folded");
    BASE_TRY(check_outputs(r, node, err));
    return o->convert(r, node, err);
}
