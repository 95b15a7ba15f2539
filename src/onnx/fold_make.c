/* Constants that stand in the file, and the same numbers as another type. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/attributes.h"
#include "onnx/folding.h"

#define RANGE_MOST 1048576

/* ---- made of nothing ---- */

admmnn_status fold_constant(folding *f, admmnn_error *err) {
    const Onnx__AttributeProto *a = f->node->n_attribute == 1 ? f->node->attribute[0] : NULL;
    const char *name = a == NULL ? "" : a->name;
    if (strcmp(name, "value") == 0 && a->t != NULL)
        return onnx_array_read(a->t, f->arena, f->out, err);
    if (strcmp(name, "value_float") == 0)
        return fold_floats(f, &a->f, 1, false, err);
    if (strcmp(name, "value_int") == 0)
        return fold_numbers(f, &a->i, 1, false, err);
    if (strcmp(name, "value_floats") == 0)
        return fold_floats(f, a->floats, a->n_floats, true, err);
    if (strcmp(name, "value_ints") == 0)
        return fold_numbers(f, a->ints, a->n_ints, true, err);
    return base_fail(err, ADMMNN_CORRUPT, "it does not say one value");
}

admmnn_status fold_constant_of_shape(folding *f, admmnn_error *err) {
    const Onnx__AttributeProto *value = onnx_attribute(f->node, "value");
    const float zero = 0.0F;
    onnx_array of = {.count = 1, .floats = &zero};
    fold_room to;
    if (value != NULL && value->t != NULL)
        BASE_TRY(onnx_array_read(value->t, f->arena, &of, err));
    if (of.count != 1)
        return fold_fail_form(err);
    BASE_TRY(fold_dims(f, 0, f->out, err));
    BASE_TRY(fold_make(f, &of, f->out, &to, err));
    for (size_t i = 0; i < f->out->count; i++)
        fold_copy(&to, i, &of, 0);
    return ADMMNN_OK;
}

/* Of whole numbers: (limit - start) / step, rounded up. */
static bool count_integers(const int64_t *numbers, int64_t *count) {
    const bool up = numbers[2] > 0;
    const int64_t from = up ? numbers[0] : numbers[1];
    const int64_t to = up ? numbers[1] : numbers[0];
    const uint64_t step = up ? (uint64_t)numbers[2] : -(uint64_t)numbers[2];
    const uint64_t span = to <= from ? 0 : (uint64_t)to - (uint64_t)from;
    if (step == 0)
        return false;
    const uint64_t most = span / step + (span % step != 0);
    *count = (int64_t)most;
    return most <= RANGE_MOST;
}

static admmnn_status range_of_integers(folding *f, admmnn_error *err) {
    int64_t numbers[3];
    int64_t *to;
    int64_t count;
    for (size_t i = 0; i < 3; i++)
        numbers[i] = f->in[i]->integers[0];
    if (!count_integers(numbers, &count))
        return fold_fail_form(err);
    *f->out = (onnx_array){.rank = 1, .dims = {count}};
    BASE_TRY(onnx_array_integers(f->arena, f->out, &to, err));
    for (int64_t i = 0; i < count; i++)
        to[i] = (int64_t)((uint64_t)numbers[0] + (uint64_t)i * (uint64_t)numbers[2]);
    return ADMMNN_OK;
}

static admmnn_status range_of_floats(folding *f, admmnn_error *err) {
    double numbers[3];
    float *to;
    for (size_t i = 0; i < 3; i++)
        numbers[i] = (double)onnx_array_number(f->in[i], 0);
    const double count = ceil((numbers[1] - numbers[0]) / numbers[2]);
    if (!(count <= (double)RANGE_MOST) || numbers[2] == 0.0)
        return fold_fail_form(err);
    *f->out = (onnx_array){.rank = 1, .dims = {count > 0 ? (int64_t)count : 0}};
    BASE_TRY(onnx_array_floats(f->arena, f->out, &to, err));
    for (size_t i = 0; i < f->out->count; i++)
        to[i] = (float)(numbers[0] + (double)i * numbers[2]);
    return ADMMNN_OK;
}

admmnn_status fold_range(folding *f, admmnn_error *err) {
    bool whole = true;
    for (size_t i = 0; i < 3; i++) {
        const onnx_array *array = fold_input(f, i);
        if (array == NULL || array->count != 1)
            return fold_fail_form(err);
        if (!onnx_array_is_plain(array, 0))
            return fold_fail_batch(err);
        whole = whole && array->integers != NULL;
    }
    return whole ? range_of_integers(f, err) : range_of_floats(f, err);
}

/* ---- of another type ---- */

admmnn_status fold_identity(folding *f, admmnn_error *err) {
    (void)err;
    *f->out = *fold_input(f, 0);
    return ADMMNN_OK;
}

static admmnn_status cast_to_floats(folding *f, const onnx_array *from, admmnn_error *err) {
    float *floats;
    for (size_t i = 0; i < from->count; i++)
        if (!onnx_array_is_plain(from, i))
            return fold_fail_batch(err);
    *f->out = *from;
    f->out->batches = NULL;
    BASE_TRY(onnx_array_floats(f->arena, f->out, &floats, err));
    for (size_t i = 0; i < f->out->count; i++)
        floats[i] = onnx_array_number(from, i);
    return ADMMNN_OK;
}

static admmnn_status cast_to_integers(folding *f, const onnx_array *from, bool truth,
                                      admmnn_error *err) {
    int64_t *integers;
    *f->out = *from;
    f->out->batches = NULL;
    BASE_TRY(onnx_array_integers(f->arena, f->out, &integers, err));
    for (size_t i = 0; i < f->out->count; i++) {
        const float number = onnx_array_number(from, i);
        if (!onnx_array_is_plain(from, i))
            return fold_fail_batch(err);
        if (!truth && !(fabsf(number) < 0x1p62F))
            return fold_fail_form(err);
        integers[i] = truth ? number != 0.0F : (int64_t)number;
    }
    return ADMMNN_OK;
}

/* Whole numbers are all of one type here; what a narrower one cannot hold is left. */
admmnn_status fold_cast(folding *f, admmnn_error *err) {
    const onnx_array *from = fold_input(f, 0);
    const int64_t type = onnx_integer(f->node, "to", 0);
    const bool truth = type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
    if (!onnx_type_is_number(type))
        return base_fail(err, ADMMNN_UNSUPPORTED, "a cast to type %lld", (long long)type);
    if (onnx_type_is_floating(type))
        return from->floats != NULL ? fold_identity(f, err) : cast_to_floats(f, from, err);
    if (from->integers != NULL && !truth)
        return fold_identity(f, err);
    return cast_to_integers(f, from, truth, err);
}

/* (x - zero point) scale, of all or along an axis. */
static void dequantize(const folding *f, size_t inner, size_t scales, float *to) {
    const onnx_array *x = fold_input(f, 0);
    const onnx_array *scale = fold_input(f, 1);
    const onnx_array *zero = fold_input(f, 2);
    for (size_t i = 0; i < x->count; i++) {
        const size_t s = i / inner % scales;
        const float offset = zero == NULL ? 0.0F : onnx_array_number(zero, s);
        to[i] = ((float)x->integers[i] - offset) * scale->floats[s];
    }
}

admmnn_status fold_dequantize(folding *f, admmnn_error *err) {
    const onnx_array *x = fold_input(f, 0);
    const onnx_array *scale = fold_input(f, 1);
    const onnx_array *zero = fold_input(f, 2);
    uint32_t axis = 0;
    size_t inner = 1;
    float *floats;
    if (scale == NULL || x->integers == NULL || x->batches != NULL || scale->floats == NULL ||
        scale->rank > 1 || (zero != NULL && zero->count != scale->count) ||
        onnx_integer(f->node, "block_size", 0) != 0)
        return fold_fail_form(err);
    const bool along = scale->count != 1;
    if (along && (!fold_axis(onnx_integer(f->node, "axis", 1), x->rank, &axis) ||
                  x->dims[axis] != scale->dims[0]))
        return fold_fail_form(err);
    for (uint32_t i = axis + 1; along && i < x->rank; i++)
        inner *= (size_t)x->dims[i];
    *f->out = *x;
    f->out->name = NULL; /* the weight is called as what is made of the codes */
    BASE_TRY(onnx_array_floats(f->arena, f->out, &floats, err));
    dequantize(f, inner, scale->count, floats);
    return ADMMNN_OK;
}
