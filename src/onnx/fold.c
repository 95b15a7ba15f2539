/* Constants made of constants: how shapes are computed by exporters, and weights that are
 * stored as integers. */
#include "onnx/fold.h"

#include <string.h>

#include "onnx/folding.h"

/* batches: also of constants that stand for every sample. */
static const struct operation {
    const char *type;
    folder *compute;
    bool batches;
} operations[] = {
    {"Constant", fold_constant, false},
    {"ConstantOfShape", fold_constant_of_shape, false},
    {"Range", fold_range, false},
    {"Identity", fold_identity, true},
    {"Dropout", fold_identity, true},
    {"Cast", fold_cast, true},
    {"DequantizeLinear", fold_dequantize, false},
    {"Shape", fold_shape, false},
    {"Size", fold_size, false},
    {"Reshape", fold_reshape, false},
    {"Flatten", fold_flatten, false},
    {"Squeeze", fold_squeeze, false},
    {"Unsqueeze", fold_unsqueeze, false},
    {"Transpose", fold_transpose, false},
    {"Slice", fold_slice, false},
    {"Expand", fold_expand, false},
    {"Gather", fold_gather, false},
    {"Concat", fold_concat, false},
    {"Add", fold_arithmetic, false},
    {"Sub", fold_arithmetic, false},
    {"Mul", fold_arithmetic, false},
    {"Div", fold_arithmetic, false},
    {"Mod", fold_arithmetic, false},
    {"Pow", fold_arithmetic, false},
    {"Min", fold_arithmetic, false},
    {"Max", fold_arithmetic, false},
    {"Equal", fold_arithmetic, false},
    {"Less", fold_arithmetic, false},
    {"Greater", fold_arithmetic, false},
    {"LessOrEqual", fold_arithmetic, false},
    {"GreaterOrEqual", fold_arithmetic, false},
    {"And", fold_arithmetic, false},
    {"Or", fold_arithmetic, false},
    {"Where", fold_where, false},
    {"Not", fold_not, false},
    {"Sqrt", fold_function, false},
    {"Exp", fold_function, false},
    {"Floor", fold_function, false},
    {"Ceil", fold_function, false},
    {"Reciprocal", fold_function, false},
    {"Neg", fold_function, false},
    {"Abs", fold_function, false},
    {"ReduceProd", fold_total, false},
    {"ReduceSum", fold_total, false},
};

static const struct operation *find_operation(const char *type) {
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].type, type) == 0)
            return &operations[i];
    return NULL;
}

bool onnx_folds(const char *type) {
    return find_operation(type) != NULL;
}

admmnn_status onnx_fold(const Onnx__NodeProto *node, const onnx_array *const *in, size_t count,
                        onnx_arena *arena, onnx_array *out, admmnn_error *err) {
    const struct operation *o = find_operation(node->op_type);
    folding f = {.node = node, .in = in, .count = count, .arena = arena, .out = out};
    if (o->compute != fold_constant && fold_input(&f, 0) == NULL)
        return fold_fail_form(err);
    for (size_t i = 0; i < count; i++)
        if (in[i] != NULL && in[i]->repeats && !o->batches)
            return fold_fail_batch(err);
    return o->compute(&f, err);
}
