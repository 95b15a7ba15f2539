#include "onnx/folding.h"

#include "base/memory.h"
#include "onnx/attributes.h"

admmnn_status fold_fail_batch(admmnn_error *err) {
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "what it computes depends on the number of samples in a batch");
}

admmnn_status fold_fail_form(admmnn_error *err) {
    return base_fail(err, ADMMNN_UNSUPPORTED, "constants of a form that it is not computed for");
}

/* ---- inputs ---- */

const onnx_array *fold_input(const folding *f, size_t i) {
    return i < f->count ? f->in[i] : NULL;
}

admmnn_status fold_integers(const folding *f, const char *name, size_t i, const int64_t **out,
                            size_t *count, admmnn_error *err) {
    const Onnx__AttributeProto *a = onnx_attribute(f->node, name);
    const onnx_array *array = fold_input(f, i);
    *out = a == NULL ? NULL : a->ints;
    *count = a == NULL ? 0 : a->n_ints;
    if (a != NULL || array == NULL)
        return ADMMNN_OK;
    if (array->integers == NULL || array->rank > 1)
        return fold_fail_form(err);
    for (size_t k = 0; k < array->count; k++)
        if (!onnx_array_is_plain(array, k))
            return fold_fail_batch(err);
    *out = array->integers;
    *count = array->count;
    return ADMMNN_OK;
}

admmnn_status fold_dims(const folding *f, size_t i, onnx_array *out, admmnn_error *err) {
    const onnx_array *dims = fold_input(f, i);
    if (dims == NULL || dims->integers == NULL || dims->rank != 1 || dims->count > ONNX_RANK_MAX)
        return fold_fail_form(err);
    *out = (onnx_array){.rank = (uint32_t)dims->count};
    for (uint32_t k = 0; k < out->rank; k++) {
        out->dims[k] = dims->integers[k];
        if (onnx_array_is_plain(dims, k))
            continue;
        if (k > 0 || dims->batches[k] != 1 || dims->integers[k] != 0)
            return fold_fail_batch(err);
        out->dims[k] = 1;
        out->repeats = true;
    }
    return ADMMNN_OK;
}

bool fold_axis(int64_t axis, uint32_t rank, uint32_t *out) {
    axis += axis < 0 ? rank : 0;
    *out = (uint32_t)axis;
    return axis >= 0 && axis < rank;
}

/* ---- outputs ---- */

admmnn_status fold_make(folding *f, const onnx_array *like, onnx_array *out, fold_room *to,
                        admmnn_error *err) {
    *to = (fold_room){0};
    if (like->floats != NULL)
        return onnx_array_floats(f->arena, out, &to->floats, err);
    BASE_TRY(onnx_array_integers(f->arena, out, &to->integers, err));
    if (like->batches == NULL)
        return ADMMNN_OK;
    out->batches = to->batches = onnx_arena_take(f->arena, out->count, sizeof *to->batches);
    return to->batches == NULL ? base_fail_memory(err, "an ONNX model's constants") : ADMMNN_OK;
}

void fold_copy(const fold_room *to, size_t at, const onnx_array *from, size_t i) {
    if (to->floats != NULL)
        to->floats[at] = onnx_array_number(from, i);
    else
        to->integers[at] = from->integers[i];
    if (to->batches != NULL)
        to->batches[at] = from->batches == NULL ? 0 : from->batches[i];
}

admmnn_status fold_floats(folding *f, const float *floats, size_t count, bool row,
                          admmnn_error *err) {
    float *to;
    *f->out = (onnx_array){.rank = row ? 1 : 0, .dims = {(int64_t)count}};
    BASE_TRY(onnx_array_floats(f->arena, f->out, &to, err));
    for (size_t i = 0; i < f->out->count; i++)
        to[i] = floats[i];
    return ADMMNN_OK;
}

admmnn_status fold_numbers(folding *f, const int64_t *integers, size_t count, bool row,
                           admmnn_error *err) {
    int64_t *to;
    *f->out = (onnx_array){.rank = row ? 1 : 0, .dims = {(int64_t)count}};
    BASE_TRY(onnx_array_integers(f->arena, f->out, &to, err));
    for (size_t i = 0; i < f->out->count; i++)
        to[i] = integers[i];
    return ADMMNN_OK;
}

admmnn_status fold_strided(folding *f, const onnx_array *from, int64_t base, const int64_t *strides,
                           onnx_array *out, admmnn_error *err) {
    fold_room to;
    int64_t index[ONNX_RANK_MAX] = {0};
    int64_t at = base;
    BASE_TRY(fold_make(f, from, out, &to, err));
    for (size_t i = 0; i < out->count; i++) {
        fold_copy(&to, i, from, (size_t)at);
        for (uint32_t axis = out->rank; axis-- > 0;) {
            at += strides[axis];
            if (++index[axis] < out->dims[axis])
                break;
            at -= strides[axis] * index[axis];
            index[axis] = 0;
        }
    }
    return ADMMNN_OK;
}

void fold_strides(const onnx_array *array, int64_t *strides) {
    int64_t stride = 1;
    for (uint32_t axis = array->rank; axis-- > 0;) {
        strides[axis] = stride;
        stride *= array->dims[axis];
    }
}
