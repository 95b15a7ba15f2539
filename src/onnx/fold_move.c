/* Shapes of constants, constants of other shapes, and elements at other places. */
#include <string.h>

#include "onnx/attributes.h"
#include "onnx/folding.h"

/* ---- shapes ---- */

admmnn_status fold_shape(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const onnx_cut cut = {onnx_integer(f->node, "start", 0),
                          onnx_integer(f->node, "end", (int64_t)in->rank), 1};
    int64_t first;
    int64_t count;
    if (!onnx_cut_count(&cut, in->rank, &first, &count))
        return fold_fail_form(err);
    return fold_numbers(f, in->dims + first, (size_t)count, true, err);
}

admmnn_status fold_size(folding *f, admmnn_error *err) {
    const int64_t count = (int64_t)fold_input(f, 0)->count;
    return fold_numbers(f, &count, 1, false, err);
}

/* The same elements in another shape. */
static void reshape(const onnx_array *from, uint32_t rank, const int64_t *dims, onnx_array *out) {
    *out = *from;
    out->rank = rank;
    for (uint32_t i = 0; i < rank; i++)
        out->dims[i] = dims[i];
}

admmnn_status fold_reshape(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const int64_t *to;
    size_t rank;
    int64_t dims[ONNX_RANK_MAX];
    size_t product;
    uint32_t free = UINT32_MAX;
    BASE_TRY(fold_integers(f, "shape", 1, &to, &rank, err));
    if (to == NULL || rank > ONNX_RANK_MAX)
        return fold_fail_form(err);
    for (uint32_t i = 0; i < rank; i++) {
        const bool copied = to[i] == 0 && onnx_integer(f->node, "allowzero", 0) == 0;
        dims[i] = copied && i < in->rank ? in->dims[i] : to[i];
        if (to[i] == -1 && free == UINT32_MAX) {
            free = i;
            dims[i] = 1;
        }
    }
    if (!onnx_array_count(dims, (uint32_t)rank, &product))
        return fold_fail_form(err);
    if (free != UINT32_MAX && product > 0 && in->count % product == 0)
        dims[free] = (int64_t)(in->count / product);
    if (!onnx_array_count(dims, (uint32_t)rank, &product) || product != in->count)
        return fold_fail_form(err);
    reshape(in, (uint32_t)rank, dims, f->out);
    return ADMMNN_OK;
}

admmnn_status fold_flatten(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    int64_t dims[2] = {1, 1};
    int64_t axis = onnx_integer(f->node, "axis", 1);
    axis += axis < 0 ? in->rank : 0;
    if (axis < 0 || axis > in->rank)
        return fold_fail_form(err);
    for (uint32_t i = 0; i < in->rank; i++)
        dims[i < axis ? 0 : 1] *= in->dims[i];
    reshape(in, 2, dims, f->out);
    return ADMMNN_OK;
}

/* Bit i of *marks: axis i is among them, each once. */
static admmnn_status mark_axes(const int64_t *axes, size_t count, uint32_t rank, uint32_t *marks,
                               admmnn_error *err) {
    *marks = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t axis;
        if (!fold_axis(axes[i], rank, &axis) || (*marks >> axis & 1U) != 0)
            return fold_fail_form(err);
        *marks |= 1U << axis;
    }
    return ADMMNN_OK;
}

admmnn_status fold_squeeze(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const int64_t *axes;
    size_t count;
    uint32_t marks;
    uint32_t rank = 0;
    int64_t dims[ONNX_RANK_MAX];
    BASE_TRY(fold_integers(f, "axes", 1, &axes, &count, err));
    BASE_TRY(mark_axes(axes, count, in->rank, &marks, err));
    for (uint32_t i = 0; i < in->rank; i++) {
        const bool goes = axes == NULL ? in->dims[i] == 1 : (marks >> i & 1U) != 0;
        if (goes && in->dims[i] != 1)
            return fold_fail_form(err);
        if (!goes)
            dims[rank++] = in->dims[i];
    }
    reshape(in, rank, dims, f->out);
    return ADMMNN_OK;
}

admmnn_status fold_unsqueeze(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const int64_t *axes;
    size_t count;
    uint32_t marks;
    uint32_t from = 0;
    int64_t dims[ONNX_RANK_MAX];
    BASE_TRY(fold_integers(f, "axes", 1, &axes, &count, err));
    if (count > ONNX_RANK_MAX - in->rank)
        return fold_fail_form(err);
    const uint32_t rank = in->rank + (uint32_t)count;
    BASE_TRY(mark_axes(axes, count, rank, &marks, err));
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = (marks >> i & 1U) != 0 ? 1 : in->dims[from++];
    reshape(in, rank, dims, f->out);
    return ADMMNN_OK;
}

/* ---- places ---- */

admmnn_status fold_transpose(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const Onnx__AttributeProto *perm = onnx_attribute(f->node, "perm");
    int64_t all[ONNX_RANK_MAX];
    int64_t strides[ONNX_RANK_MAX] = {0};
    uint32_t seen = 0;
    if (perm != NULL && perm->n_ints != in->rank)
        return fold_fail_form(err);
    fold_strides(in, all);
    *f->out = (onnx_array){.rank = in->rank};
    for (uint32_t i = 0; i < in->rank; i++) {
        uint32_t axis = in->rank - 1 - i;
        if (perm != NULL && !fold_axis(perm->ints[i], in->rank, &axis))
            return fold_fail_form(err);
        seen |= 1U << axis;
        f->out->dims[i] = in->dims[axis];
        strides[i] = all[axis];
    }
    if (seen != (1U << in->rank) - 1)
        return fold_fail_form(err);
    return fold_strided(f, in, 0, strides, f->out, err);
}

/* lists: starts, ends, axes and steps, NULL where they are left out. */
static onnx_cut cut_of(const int64_t *const lists[4], size_t i) {
    return (onnx_cut){lists[0][i], lists[1][i], lists[3] == NULL ? 1 : lists[3][i]};
}

admmnn_status fold_slice(folding *f, admmnn_error *err) {
    static const char *const names[4] = {"starts", "ends", "axes", "steps"};
    const onnx_array *in = fold_input(f, 0);
    const int64_t *lists[4];
    size_t counts[4];
    int64_t strides[ONNX_RANK_MAX];
    int64_t base = 0;
    uint32_t seen = 0;
    for (size_t i = 0; i < 4; i++) {
        BASE_TRY(fold_integers(f, names[i], i + 1, &lists[i], &counts[i], err));
        if (lists[i] == NULL ? i < 2 : counts[i] != counts[0])
            return fold_fail_form(err);
    }
    fold_strides(in, strides);
    *f->out = (onnx_array){.rank = in->rank};
    memcpy(f->out->dims, in->dims, sizeof in->dims);
    for (size_t i = 0; i < counts[0]; i++) {
        const onnx_cut cut = cut_of(lists, i);
        int64_t first;
        uint32_t axis;
        if (!fold_axis(lists[2] == NULL ? (int64_t)i : lists[2][i], in->rank, &axis) ||
            (seen >> axis & 1U) != 0 ||
            !onnx_cut_count(&cut, in->dims[axis], &first, &f->out->dims[axis]))
            return fold_fail_form(err);
        seen |= 1U << axis;
        /* One element has no stride, which might overflow; none has no place. */
        base += f->out->dims[axis] == 0 ? 0 : first * strides[axis];
        strides[axis] *= f->out->dims[axis] > 1 ? cut.step : 0;
    }
    return fold_strided(f, in, base, strides, f->out, err);
}

admmnn_status fold_expand(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    int64_t own[ONNX_RANK_MAX];
    int64_t strides[ONNX_RANK_MAX] = {0};
    BASE_TRY(fold_dims(f, 1, f->out, err));
    if (in->rank > f->out->rank)
        return fold_fail_form(err);
    fold_strides(in, own);
    for (uint32_t i = 0; i < in->rank; i++) {
        const uint32_t axis = f->out->rank - in->rank + i;
        if (f->out->dims[axis] == 1)
            f->out->dims[axis] = in->dims[i];
        if (in->dims[i] != 1 && in->dims[i] != f->out->dims[axis])
            return fold_fail_form(err);
        strides[axis] = in->dims[i] == 1 ? 0 : own[i];
    }
    f->out->name = in->name;
    return fold_strided(f, in, 0, strides, f->out, err);
}

/* The axis' dim gives way to the indices' dims. */
static void gathered_dims(const onnx_array *in, const onnx_array *by, uint32_t axis,
                          onnx_array *out) {
    uint32_t rank = 0;
    *out = (onnx_array){.rank = in->rank - 1 + by->rank};
    for (uint32_t i = 0; i < axis; i++)
        out->dims[rank++] = in->dims[i];
    for (uint32_t i = 0; i < by->rank; i++)
        out->dims[rank++] = by->dims[i];
    for (uint32_t i = axis + 1; i < in->rank; i++)
        out->dims[rank++] = in->dims[i];
}

admmnn_status fold_gather(folding *f, admmnn_error *err) {
    const onnx_array *in = fold_input(f, 0);
    const onnx_array *by = fold_input(f, 1);
    size_t inner = 1;
    uint32_t axis;
    fold_room to;
    if (by == NULL || by->integers == NULL || by->batches != NULL ||
        !fold_axis(onnx_integer(f->node, "axis", 0), in->rank, &axis) ||
        in->rank - 1 + by->rank > ONNX_RANK_MAX)
        return fold_fail_form(err);
    gathered_dims(in, by, axis, f->out);
    BASE_TRY(fold_make(f, in, f->out, &to, err));
    for (uint32_t i = axis + 1; i < in->rank; i++)
        inner *= (size_t)in->dims[i];
    for (size_t i = 0; i < f->out->count; i++) {
        const size_t row = i / inner;
        const int64_t dim = in->dims[axis];
        int64_t index = by->integers[row % by->count];
        index += index < 0 ? dim : 0;
        if (index < 0 || index >= dim)
            return fold_fail_form(err);
        fold_copy(&to, i, in, (row / by->count * (size_t)dim + (size_t)index) * inner + i % inner);
    }
    return ADMMNN_OK;
}

static bool joins(const onnx_array *a, const onnx_array *b, uint32_t axis) {
    if (a->rank != b->rank || (a->floats == NULL) != (b->floats == NULL))
        return false;
    for (uint32_t i = 0; i < a->rank; i++)
        if (i != axis && a->dims[i] != b->dims[i])
            return false;
    return true;
}

/* out: the first part's rank and dims, with those of the others added on the axis; *like: with
 * the batches' numbers where one part has those. */
static admmnn_status joint_dims(const folding *f, uint32_t axis, onnx_array *like, onnx_array *out,
                                admmnn_error *err) {
    const onnx_array *first = fold_input(f, 0);
    *like = *first;
    *out = (onnx_array){.rank = first->rank};
    memcpy(out->dims, first->dims, sizeof first->dims);
    for (size_t k = 1; k < f->count; k++) {
        const onnx_array *part = f->in[k];
        if (part == NULL || !joins(first, part, axis) ||
            part->dims[axis] > INT32_MAX - out->dims[axis])
            return fold_fail_form(err);
        out->dims[axis] += part->dims[axis];
        like->batches = part->batches != NULL ? part->batches : like->batches;
    }
    return ADMMNN_OK;
}

admmnn_status fold_concat(folding *f, admmnn_error *err) {
    onnx_array like;
    uint32_t axis;
    size_t inner = 1;
    size_t before = 0;
    fold_room to;
    if (!fold_axis(onnx_integer(f->node, "axis", ONNX_RANK_MAX), fold_input(f, 0)->rank, &axis))
        return fold_fail_form(err);
    BASE_TRY(joint_dims(f, axis, &like, f->out, err));
    BASE_TRY(fold_make(f, &like, f->out, &to, err));
    for (uint32_t i = axis + 1; i < f->out->rank; i++)
        inner *= (size_t)f->out->dims[i];
    const size_t row = (size_t)f->out->dims[axis] * inner;
    for (size_t k = 0; k < f->count; k++) {
        const size_t own = (size_t)f->in[k]->dims[axis] * inner;
        for (size_t i = 0; i < f->in[k]->count; i++)
            fold_copy(&to, i / own * row + before + i % own, f->in[k], i);
        before += own;
    }
    return ADMMNN_OK;
}
