/* What is computed of constants element by element, and their sums. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/attributes.h"
#include "onnx/folding.h"

/* ---- operands of one shape ---- */

/* The first dims of arrays[count] that are not 1, by NumPy's rule; spread() checks them. */
static void common_dims(const onnx_array *const *arrays, size_t count, onnx_array *out) {
    *out = (onnx_array){0};
    for (size_t k = 0; k < count; k++)
        out->rank = arrays[k]->rank > out->rank ? arrays[k]->rank : out->rank;
    for (uint32_t i = 0; i < out->rank; i++)
        out->dims[i] = 1;
    for (size_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < arrays[k]->rank; i++) {
            int64_t *dim = &out->dims[out->rank - arrays[k]->rank + i];
            *dim = *dim == 1 ? arrays[k]->dims[i] : *dim;
        }
}

/* The array repeated to out's dims. */
static admmnn_status spread(folding *f, const onnx_array *x, const onnx_array *out,
                            onnx_array *wide, admmnn_error *err) {
    int64_t own[ONNX_RANK_MAX];
    int64_t strides[ONNX_RANK_MAX] = {0};
    *wide = *out;
    fold_strides(x, own);
    for (uint32_t i = 0; i < x->rank; i++) {
        const uint32_t axis = out->rank - x->rank + i;
        if (x->dims[i] != 1 && x->dims[i] != out->dims[axis])
            return fold_fail_form(err);
        strides[axis] = x->dims[i] == 1 ? 0 : own[i];
    }
    return fold_strided(f, x, 0, strides, wide, err);
}

/* Inputs [count] as arrays of one shape, which f->out gets. */
static admmnn_status spread_all(folding *f, size_t count, onnx_array *wide, admmnn_error *err) {
    if (f->count != count)
        return fold_fail_form(err);
    for (size_t i = 0; i < count; i++)
        if (f->in[i] == NULL)
            return fold_fail_form(err);
    common_dims(f->in, count, f->out);
    for (size_t i = 0; i < count; i++)
        BASE_TRY(spread(f, f->in[i], f->out, &wide[i], err));
    return ADMMNN_OK;
}

/* ---- arithmetic ---- */

/* a + b N, or a floating number. */
typedef struct number {
    int64_t a, b;
    double f;
} number;

/* X(operation, ONNX's name); MOD has the divisor's sign, FMOD the dividend's. Comparisons come
 * last but for what is of truth values. */
#define ARITHMETIC_MAP(X)                                                                          \
    X(ADD, "Add")                                                                                  \
    X(SUB, "Sub")                                                                                  \
    X(MUL, "Mul")                                                                                  \
    X(DIV, "Div")                                                                                  \
    X(MOD, "Mod")                                                                                  \
    X(POW, "Pow")                                                                                  \
    X(MIN, "Min")                                                                                  \
    X(MAX, "Max")                                                                                  \
    X(EQUAL, "Equal")                                                                              \
    X(LESS, "Less")                                                                                \
    X(GREATER, "Greater")                                                                          \
    X(LESS_OR_EQUAL, "LessOrEqual")                                                                \
    X(GREATER_OR_EQUAL, "GreaterOrEqual")                                                          \
    X(AND, "And")                                                                                  \
    X(OR, "Or")

typedef enum arithmetic {
#define ARITHMETIC_ENUM(operation, name) operation,
    ARITHMETIC_MAP(ARITHMETIC_ENUM)
#undef ARITHMETIC_ENUM
        FMOD
} arithmetic;

static bool is_comparison(arithmetic op) {
    return op >= EQUAL && op <= GREATER_OR_EQUAL;
}

static bool is_of_truths(arithmetic op) {
    return op == AND || op == OR;
}

static double of_floats(arithmetic op, double x, double y) {
    switch (op) {
    case ADD:
        return x + y;
    case SUB:
        return x - y;
    case MUL:
        return x * y;
    case DIV:
        return x / y;
    case FMOD:
        return fmod(x, y);
    case POW:
        return pow(x, y);
    case MIN:
        return x < y ? x : y;
    default:
        return x > y ? x : y;
    }
}

/* order: of x against y, below, at or above 0. */
static bool compare(arithmetic op, int order) {
    switch (op) {
    case EQUAL:
        return order == 0;
    case LESS:
        return order < 0;
    case GREATER:
        return order > 0;
    case LESS_OR_EQUAL:
        return order <= 0;
    default:
        return order >= 0;
    }
}

static int64_t wrapped_sum(int64_t x, int64_t y) {
    return (int64_t)((uint64_t)x + (uint64_t)y);
}

static int64_t wrapped_difference(int64_t x, int64_t y) {
    return (int64_t)((uint64_t)x - (uint64_t)y);
}

static int64_t wrapped_product(int64_t x, int64_t y) {
    return (int64_t)((uint64_t)x * (uint64_t)y);
}

static int64_t power(int64_t x, int64_t y) {
    int64_t product = 1;
    for (int64_t i = 0; i < y; i++)
        product = wrapped_product(product, x);
    return product;
}

/* -1, 0 or 1 as x is below, at or above y for every N from 1 on; false where that changes. */
static bool order_of(number x, number y, int *order) {
    const int by_number = (x.a > y.a) - (x.a < y.a);
    const int by_batch = (x.b > y.b) - (x.b < y.b);
    *order = by_batch == 0 ? by_number : by_batch;
    return by_batch == 0 || by_number == 0 || by_number == by_batch;
}

/* Rounded towards 0. */
static bool divide(number x, number y, number *out) {
    if (y.b != 0 && y.a == 0 && x.a == 0 && y.b != -1 && x.b % y.b == 0) { /* (b N) / (c N) */
        *out = (number){.a = x.b / y.b};
        return true;
    }
    if (y.b != 0 || y.a == 0)
        return false;
    if (y.a == -1) { /* the least number has no opposite */
        *out = (number){.a = wrapped_difference(0, x.a), .b = wrapped_difference(0, x.b)};
        return true;
    }
    *out = (number){.a = x.a / y.a, .b = x.b / y.a};
    return x.b == 0 || (x.a % y.a == 0 && x.b % y.a == 0);
}

static bool remainder_of(arithmetic op, number x, number y, number *out) {
    if (x.b != 0 || y.b != 0 || y.a == 0)
        return false;
    int64_t rest = y.a == -1 ? 0 : x.a % y.a;
    if (op == MOD && rest != 0 && (rest < 0) != (y.a < 0))
        rest += y.a;
    *out = (number){.a = rest};
    return true;
}

/* False where the result is not of the form a + b N. */
static bool of_integers(arithmetic op, number x, number y, number *out) {
    int order;
    const bool ordered = order_of(x, y, &order);
    switch (op) {
    case ADD:
        *out = (number){.a = wrapped_sum(x.a, y.a), .b = wrapped_sum(x.b, y.b)};
        return true;
    case SUB:
        *out = (number){.a = wrapped_difference(x.a, y.a), .b = wrapped_difference(x.b, y.b)};
        return true;
    case MUL:
        *out = (number){.a = wrapped_product(x.a, y.a),
                        .b = wrapped_sum(wrapped_product(x.a, y.b), wrapped_product(x.b, y.a))};
        return x.b == 0 || y.b == 0;
    case DIV:
        return divide(x, y, out);
    case MOD:
    case FMOD:
        return remainder_of(op, x, y, out);
    case POW:
        *out = (number){.a = y.a < 64 ? power(x.a, y.a) : 0};
        return x.b == 0 && y.b == 0 && y.a >= 0 && y.a < 64;
    case AND:
        *out = (number){.a = x.a != 0 && y.a != 0};
        return x.b == 0 && y.b == 0;
    case OR:
        *out = (number){.a = x.a != 0 || y.a != 0};
        return x.b == 0 && y.b == 0;
    case MIN:
    case MAX:
        *out = (order < 0) == (op == MIN) ? x : y;
        return ordered;
    default:
        *out = (number){.a = compare(op, order)};
        return ordered;
    }
}

static number number_at(const onnx_array *array, size_t i) {
    if (array->floats != NULL)
        return (number){.f = (double)array->floats[i]};
    return (number){.a = array->integers[i],
                    .b = array->batches == NULL ? 0 : array->batches[i],
                    .f = (double)array->integers[i]};
}

static admmnn_status combine_floats(folding *f, arithmetic op, const onnx_array *x,
                                    const onnx_array *y, admmnn_error *err) {
    float *floats;
    if (op == MOD || is_of_truths(op))
        return fold_fail_form(err);
    BASE_TRY(onnx_array_floats(f->arena, f->out, &floats, err));
    for (size_t i = 0; i < f->out->count; i++)
        floats[i] = (float)of_floats(op, number_at(x, i).f, number_at(y, i).f);
    return ADMMNN_OK;
}

static admmnn_status compare_floats(folding *f, arithmetic op, const onnx_array *x,
                                    const onnx_array *y, admmnn_error *err) {
    int64_t *integers;
    BASE_TRY(onnx_array_integers(f->arena, f->out, &integers, err));
    for (size_t i = 0; i < f->out->count; i++) {
        const double left = number_at(x, i).f;
        const double right = number_at(y, i).f;
        integers[i] = !isunordered(left, right) && compare(op, (left > right) - (left < right));
    }
    return ADMMNN_OK;
}

static admmnn_status combine_integers(folding *f, arithmetic op, const onnx_array *x,
                                      const onnx_array *y, admmnn_error *err) {
    fold_room to;
    onnx_array like = *x;
    like.batches = x->batches != NULL ? x->batches : y->batches;
    BASE_TRY(fold_make(f, &like, f->out, &to, err));
    for (size_t i = 0; i < f->out->count; i++) {
        const number left = number_at(x, i);
        const number right = number_at(y, i);
        number result;
        if (!of_integers(op, left, right, &result))
            return left.b == 0 && right.b == 0 ? fold_fail_form(err) : fold_fail_batch(err);
        to.integers[i] = result.a;
        if (to.batches != NULL)
            to.batches[i] = result.b;
    }
    return ADMMNN_OK;
}

static arithmetic arithmetic_of(const Onnx__NodeProto *node) {
    static const char *const names[] = {
#define ARITHMETIC_NAME(operation, name) name,
        ARITHMETIC_MAP(ARITHMETIC_NAME)
#undef ARITHMETIC_NAME
    };
    unsigned op = 0;
    while (strcmp(names[op], node->op_type) != 0)
        op++;
    return op == MOD && onnx_integer(node, "fmod", 0) != 0 ? FMOD : (arithmetic)op;
}

admmnn_status fold_arithmetic(folding *f, admmnn_error *err) {
    const arithmetic op = arithmetic_of(f->node);
    onnx_array wide[2];
    BASE_TRY(spread_all(f, 2, wide, err));
    if (wide[0].floats == NULL && wide[1].floats == NULL)
        return combine_integers(f, op, &wide[0], &wide[1], err);
    if (is_comparison(op))
        return compare_floats(f, op, &wide[0], &wide[1], err);
    return combine_floats(f, op, &wide[0], &wide[1], err);
}

/* ---- choices ---- */

admmnn_status fold_where(folding *f, admmnn_error *err) {
    onnx_array wide[3];
    fold_room to;
    BASE_TRY(spread_all(f, 3, wide, err));
    if (wide[0].integers == NULL || (wide[1].floats == NULL) != (wide[2].floats == NULL))
        return fold_fail_form(err);
    onnx_array like = wide[1];
    like.batches = wide[1].batches != NULL ? wide[1].batches : wide[2].batches;
    BASE_TRY(fold_make(f, &like, f->out, &to, err));
    for (size_t i = 0; i < f->out->count; i++) {
        if (!onnx_array_is_plain(&wide[0], i))
            return fold_fail_batch(err);
        fold_copy(&to, i, wide[0].integers[i] != 0 ? &wide[1] : &wide[2], i);
    }
    return ADMMNN_OK;
}

/* ---- of one operand ---- */

admmnn_status fold_not(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    int64_t *integers;
    if (in->integers == NULL || in->batches != NULL)
        return fold_fail_form(err);
    *f->out = *in;
    BASE_TRY(onnx_array_integers(f->arena, f->out, &integers, err));
    for (size_t i = 0; i < in->count; i++)
        integers[i] = in->integers[i] == 0;
    return ADMMNN_OK;
}

static float opposite(float x) {
    return -x;
}

static float reciprocal(float x) {
    return 1.0F / x;
}

/* Of whole numbers: of a + b N the opposite alone is one. */
static admmnn_status whole_function(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const bool negates = strcmp(f->node->op_type, "Neg") == 0;
    fold_room to;
    if (!negates && strcmp(f->node->op_type, "Abs") != 0)
        return fold_fail_form(err);
    *f->out = *in;
    BASE_TRY(fold_make(f, in, f->out, &to, err));
    for (size_t i = 0; i < in->count; i++) {
        number x = number_at(in, i);
        if (!negates && x.b != 0)
            return fold_fail_batch(err);
        if ((negates || x.a < 0) && !of_integers(SUB, (number){0}, x, &x))
            return fold_fail_batch(err);
        to.integers[i] = x.a;
        if (to.batches != NULL)
            to.batches[i] = x.b;
    }
    return ADMMNN_OK;
}

admmnn_status fold_function(folding *f, admmnn_error *err) {
    static const struct {
        const char *type;
        float (*compute)(float x);
    } functions[] = {{"Abs", fabsf},    {"Ceil", ceilf},   {"Exp", expf},
                     {"Floor", floorf}, {"Neg", opposite}, {"Reciprocal", reciprocal},
                     {"Sqrt", sqrtf}};
    const onnx_array *in = fold_input(f, 0);
    float *floats;
    size_t k = 0;
    while (strcmp(functions[k].type, f->node->op_type) != 0)
        k++;
    if (in->floats == NULL)
        return whole_function(f, err);
    *f->out = *in;
    BASE_TRY(onnx_array_floats(f->arena, f->out, &floats, err));
    for (size_t i = 0; i < in->count; i++)
        floats[i] = functions[k].compute(in->floats[i]);
    return ADMMNN_OK;
}

/* ---- sums ---- */

/* Whether the axes are all there are of a row: of a number there are none. */
static bool takes_all(const int64_t *axes, size_t count, uint32_t rank) {
    uint32_t axis;
    for (size_t i = 0; i < count; i++)
        if (!fold_axis(axes[i], rank, &axis))
            return false;
    return true;
}

/* The product or sum of a row of whole numbers, how exporters count elements. */
admmnn_status fold_total(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const bool product = strcmp(f->node->op_type, "ReduceProd") == 0;
    const int64_t *axes;
    size_t count;
    number total = {.a = product};
    BASE_TRY(fold_integers(f, "axes", 1, &axes, &count, err));
    if (count == 0 && onnx_integer(f->node, "noop_with_empty_axes", 0) != 0)
        return fold_identity(f, err);
    if (in->integers == NULL || in->rank > 1 || !takes_all(axes, count, in->rank))
        return fold_fail_form(err);
    for (size_t i = 0; i < in->count; i++)
        if (!of_integers(product ? MUL : ADD, total, number_at(in, i), &total))
            return fold_fail_batch(err);
    const onnx_array one = {.count = 1, .integers = &total.a, .batches = &total.b};
    fold_room to;
    const bool keeps = onnx_integer(f->node, "keepdims", 1) != 0;
    *f->out = (onnx_array){.rank = keeps ? in->rank : 0, .dims = {1}};
    BASE_TRY(fold_make(f, &one, f->out, &to, err));
    fold_copy(&to, 0, &one, 0);
    return ADMMNN_OK;
}
