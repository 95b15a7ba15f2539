/* What works element by element. */
#include <math.h>
#include <string.h>

#include "onnx/attributes.h"
#include "onnx/nodes.h"

/* ---- of one operand ---- */

/* Each of these works on what a view shows as well as on the view. */
admmnn_status onnx_convert_relu(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_relu(r->g, name, in->root, &value, err)));
    return onnx_add_view(r, node, value, in->shape, in->shown, err);
}

static admmnn_status add_unary(onnx_reader *r, const Onnx__NodeProto *node, graph_unary unary,
                               admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_unary(r->g, name, in->root, unary, &value, err)));
    return onnx_add_view(r, node, value, in->shape, in->shown, err);
}

/* alpha and beta: ONNX's defaults of the numbers. */
static const struct unary {
    const char *type;
    graph_unary_kind kind;
    float alpha, beta;
} unaries[] = {
    {"LeakyRelu", GRAPH_LEAKY_RELU, 0.01F, 0.0F},
    {"Sigmoid", GRAPH_SIGMOID, 0.0F, 0.0F},
    {"HardSigmoid", GRAPH_HARD_SIGMOID, 0.2F, 0.5F},
    {"HardSwish", GRAPH_HARD_SWISH, 0.0F, 0.0F},
    {"Tanh", GRAPH_TANH, 0.0F, 0.0F},
    {"Elu", GRAPH_ELU, 1.0F, 0.0F},
    {"Gelu", GRAPH_GELU, 0.0F, 0.0F},
    {"Softplus", GRAPH_SOFTPLUS, 0.0F, 0.0F},
    {"Erf", GRAPH_ERF, 0.0F, 0.0F},
    {"Sqrt", GRAPH_SQRT, 0.0F, 0.0F},
    {"Neg", GRAPH_NEG, 0.0F, 0.0F},
    {"Exp", GRAPH_EXP, 0.0F, 0.0F},
};

admmnn_status onnx_convert_unary(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    char text[ONNX_TEXT_MAX];
    const struct unary *u = unaries;
    while (strcmp(u->type, node->op_type) != 0)
        u++;
    graph_unary unary = {.kind = u->kind,
                         .a = onnx_number(node, "alpha", u->alpha),
                         .b = onnx_number(node, "beta", u->beta)};
    if (u->kind == GRAPH_GELU && onnx_text_is(node, "approximate", "none", "tanh"))
        unary.kind = GRAPH_GELU_TANH;
    else if (u->kind == GRAPH_GELU && !onnx_text_is(node, "approximate", "none", "none"))
        return base_fail(err, ADMMNN_UNSUPPORTED, "approximate '%s'",
                         onnx_text(node, "approximate", text));
    return add_unary(r, node, unary, err);
}

/* A bound by attribute or, later, by input. */
static admmnn_status find_bound(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                size_t i, float *out, admmnn_error *err) {
    const onnx_array *array;
    *out = onnx_number(node, name, *out);
    if (!onnx_has_input(node, i))
        return ADMMNN_OK;
    BASE_TRY(onnx_find_constant(r, node, i, &array, err));
    if (array->count != 1)
        return base_fail(err, ADMMNN_CORRUPT, "%s of %zu numbers", name, array->count);
    return onnx_plain_number(array, 0, out, err);
}

admmnn_status onnx_convert_clip(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    graph_unary unary = {.kind = GRAPH_CLIP, .a = -INFINITY, .b = INFINITY};
    BASE_TRY(find_bound(r, node, "min", 1, &unary.a, err));
    BASE_TRY(find_bound(r, node, "max", 2, &unary.b, err));
    return add_unary(r, node, unary, err);
}

admmnn_status onnx_convert_identity(onnx_reader *r, const Onnx__NodeProto *node,
                                    admmnn_error *err) {
    onnx_tensor *in;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    return onnx_add_alias(r, node, in, err);
}

/* Between floating types nothing happens: all are floats here. */
admmnn_status onnx_convert_cast(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    const int64_t to = onnx_integer(node, "to", 0);
    if (!onnx_type_is_floating(to))
        return base_fail(err, ADMMNN_UNSUPPORTED, "values of type %lld; floating ones are read",
                         (long long)to);
    return onnx_convert_identity(r, node, err);
}

admmnn_status onnx_convert_dropout(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    float ratio = 0.5F;
    float training = 0.0F;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(find_bound(r, node, "ratio", 1, &ratio, err));
    BASE_TRY(find_bound(r, node, "training_mode", 2, &training, err));
    if (training != 0.0F)
        return base_fail(err, ADMMNN_UNSUPPORTED, "only the form for inference is read");
    if (ratio == 1.0F) /* nothing is left to train, and nothing happens otherwise */
        return onnx_add_alias(r, node, in, err);
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_dropout(r->g, name, in->root, ratio, &value, err)));
    return onnx_add_view(r, node, value, in->shape, in->shown, err);
}

/* ---- of two operands ---- */

/* Both as values of the graph that NumPy's rule broadcasts as ONNX would with the batch. */
static admmnn_status find_operands(onnx_reader *r, const Onnx__NodeProto *node, uint32_t out[2],
                                   admmnn_error *err) {
    onnx_tensor *in[2];
    for (size_t i = 0; i < 2; i++)
        BASE_TRY(onnx_find_input(r, node, i, &in[i], err));
    if (in[0]->array == NULL && in[1]->array == NULL && in[0]->shape.rank != in[1]->shape.rank)
        return onnx_fail_mixing("operands of different numbers of dimensions", err);
    for (size_t i = 0; i < 2; i++) {
        if (in[i]->array == NULL)
            BASE_TRY(onnx_whole(r, in[i], &out[i], err));
        else
            BASE_TRY(onnx_operand(r, in[i], in[1 - i]->shape.rank + 1, GRAPH_TENSOR, &out[i], err));
    }
    return ADMMNN_OK;
}

static admmnn_status add_binary(onnx_reader *r, const Onnx__NodeProto *node, graph_binary_kind kind,
                                admmnn_error *err) {
    uint32_t operands[2];
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(find_operands(r, node, operands, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_binary(r->g, name, kind, operands[0], operands[1], &value, err)));
    return onnx_add_value(r, node, value, err);
}

static const struct binary {
    const char *type;
    graph_binary_kind kind;
} binaries[] = {{"Add", GRAPH_ADD},
                {"Sub", GRAPH_SUB},
                {"Mul", GRAPH_MUL},
                {"Div", GRAPH_DIV},
                {"PRelu", GRAPH_PRELU}};

admmnn_status onnx_convert_binary(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    const struct binary *b = binaries;
    while (strcmp(b->type, node->op_type) != 0)
        b++;
    return add_binary(r, node, b->kind, err);
}

admmnn_status onnx_convert_pow(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *base;
    onnx_tensor *exponent;
    BASE_TRY(onnx_find_input(r, node, 0, &base, err));
    BASE_TRY(onnx_find_input(r, node, 1, &exponent, err));
    if (base->array != NULL || exponent->array == NULL || exponent->array->count != 1 ||
        exponent->array->rank > base->shape.rank + 1)
        return add_binary(r, node, GRAPH_POW, err);
    graph_unary unary = {.kind = GRAPH_POWER};
    BASE_TRY(onnx_plain_number(exponent->array, 0, &unary.a, err));
    return add_unary(r, node, unary, err);
}
