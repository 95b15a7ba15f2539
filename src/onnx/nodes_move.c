/* What sums axes up and what moves elements. */
#include <string.h>

#include "onnx/attributes.h"
#include "onnx/nodes.h"

/* ---- sums ---- */

admmnn_status onnx_convert_reduce(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const int64_t *axes;
    size_t count;
    uint32_t value;
    uint32_t axis;
    char name[GRAPH_NAME_MAX];
    graph_reduce reduce = {.kind = strcmp(node->op_type, "ReduceSum") == 0 ? GRAPH_REDUCE_SUM
                                                                           : GRAPH_REDUCE_MEAN,
                           .keeps = onnx_integer(node, "keepdims", 1) != 0};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_find_integers(r, node, "axes", 1, &axes, &count, err));
    if (count == 0 && onnx_integer(node, "noop_with_empty_axes", 0) != 0)
        return onnx_add_alias(r, node, in, err);
    if (count == 0)
        return onnx_fail_mixing("without axes it sums the batch up, too", err);
    for (size_t i = 0; i < count; i++) {
        BASE_TRY(onnx_sample_axis(axes[i], in->shape.rank + 1, &axis, err));
        reduce.axes |= 1U << axis;
    }
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_reduce(r->g, name, value, reduce, &value, err)));
    return onnx_add_value(r, node, value, err);
}

/* ---- the batch behind other axes ---- */

/* What cuts a transformer's queries, keys and values out of one product often has them before
 * the batch for a moment: (batch, place, 3, head, width) becomes (3, batch, head, place, width),
 * of which each third is picked. The graph leaves the batch where it is. */

/* Axis `axis` of the file's tensor as one of a sample. */
static admmnn_status moved_axis(const onnx_tensor *in, int64_t axis, uint32_t *out,
                                admmnn_error *err) {
    const uint32_t rank = in->shape.rank + 1;
    const int64_t at = axis < 0 ? axis + rank : axis;
    if (at < 0 || at > (int64_t)in->before)
        return onnx_sample_axis(axis, rank, out, err);
    return onnx_sample_axis(at == (int64_t)in->before ? 0 : at + 1, rank, out, err);
}

/* ---- joining and cutting ---- */

/* Constants, too, must have the batch's axis. */
static admmnn_status check_ranks(onnx_reader *r, const Onnx__NodeProto *node, uint32_t rank,
                                 admmnn_error *err) {
    onnx_tensor *in;
    for (size_t i = 0; i < node->n_input; i++) {
        BASE_TRY(onnx_find_input(r, node, i, &in, err));
        if (in->array != NULL && in->array->rank != rank)
            return base_fail(err, ADMMNN_CORRUPT, "a constant of %u dimensions joins %u",
                             in->array->rank, rank);
    }
    return ADMMNN_OK;
}

admmnn_status onnx_convert_concat(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    uint32_t axis;
    uint32_t value;
    uint32_t rank = 0;
    char name[GRAPH_NAME_MAX];
    onnx_tensor *in;
    uint32_t *operands = onnx_arena_take(r->arena, node->n_input, sizeof *operands);
    if (operands == NULL)
        return base_fail_memory(err, "an ONNX model");
    for (size_t i = 0; i < node->n_input; i++) {
        BASE_TRY(onnx_find_input(r, node, i, &in, err));
        rank = in->array == NULL ? in->shape.rank + 1 : rank;
    }
    BASE_TRY(check_ranks(r, node, rank, err));
    BASE_TRY(onnx_sample_axis(onnx_integer(node, "axis", rank), rank, &axis, err));
    for (size_t i = 0; i < node->n_input; i++) {
        BASE_TRY(onnx_find_input(r, node, i, &in, err));
        if (in->array != NULL)
            BASE_TRY(onnx_operand(r, in, rank, GRAPH_TENSOR, &operands[i], err));
        else
            BASE_TRY(onnx_whole(r, in, &operands[i], err));
    }
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(
        graph_add_concat(r->g, name, operands, (uint32_t)node->n_input, axis, &value, err)));
    return onnx_add_value(r, node, value, err);
}

static graph_slice whole_slice(graph_shape shape) {
    graph_slice slice = {0};
    for (uint32_t i = 0; i < shape.rank; i++) {
        slice.count[i] = shape.dims[i];
        slice.step[i] = 1;
    }
    return slice;
}

/* The parts of a dim: as told, or equal ones, the last the smaller. */
static admmnn_status find_parts(onnx_reader *r, const Onnx__NodeProto *node, uint32_t dim,
                                uint32_t *parts, admmnn_error *err) {
    const int64_t *told;
    size_t count;
    uint64_t rest = dim;
    const size_t outputs = node->n_output;
    const uint32_t equal = (uint32_t)((dim + outputs - 1) / outputs);
    BASE_TRY(onnx_find_integers(r, node, "split", 1, &told, &count, err));
    bool sound = told == NULL || count == outputs;
    for (size_t i = 0; sound && i < outputs; i++) {
        const int64_t part = told == NULL ? (int64_t)(rest < equal ? rest : equal) : told[i];
        sound = part >= 0 && (uint64_t)part <= rest;
        parts[i] = sound ? (uint32_t)part : 0;
        rest -= parts[i];
    }
    if (sound && rest == 0)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT, "%zu parts that are not all of %u", outputs, dim);
}

/* Output i as that part of the input; all of it is the input itself. */
static admmnn_status add_slice(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                               onnx_tensor *in, const graph_slice *slice, admmnn_error *err) {
    const graph_slice whole = whole_slice(in->shape);
    char name[GRAPH_NAME_MAX];
    uint32_t value;
    if (memcmp(slice, &whole, sizeof whole) == 0)
        return onnx_add_output(r, node, i, *in, err);
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_slice(r->g, name, value, slice, &value, err)));
    return onnx_add_output(r, node, i,
                           (onnx_tensor){.root = value,
                                         .whole = value,
                                         .shape = r->g->values[value].shape,
                                         .before = in->before},
                           err);
}

/* Only what is read becomes a node. */
admmnn_status onnx_convert_split(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    uint32_t axis;
    uint32_t *parts = onnx_arena_take(r->arena, node->n_output, sizeof *parts);
    if (parts == NULL)
        return base_fail_memory(err, "an ONNX model");
    BASE_TRY(onnx_find_moved(r, node, 0, &in, err));
    BASE_TRY(moved_axis(in, onnx_integer(node, "axis", 0), &axis, err));
    BASE_TRY(find_parts(r, node, in->shape.dims[axis], parts, err));
    graph_slice slice = whole_slice(in->shape);
    for (size_t i = 0; i < node->n_output; i++) {
        const onnx_tensor *out = onnx_names_find(&r->names, node->output[i]);
        slice.count[axis] = parts[i];
        if (out != NULL && out->reads > 0)
            BASE_TRY(add_slice(r, node, i, in, &slice, err));
        slice.first[axis] += parts[i];
    }
    return ADMMNN_OK;
}

/* Sets one axis, of which bit i of *seen tells that it is set; a whole one of the batch is left
 * alone. */
static admmnn_status cut_axis(graph_slice *slice, graph_shape shape, int64_t axis,
                              const onnx_cut *cut, uint32_t *seen, admmnn_error *err) {
    uint32_t at;
    int64_t first;
    int64_t count;
    const bool of_batch = axis == 0 || axis == -(int64_t)shape.rank - 1;
    if (of_batch && cut->start == 0 && cut->step == 1 && cut->end >= INT32_MAX)
        return ADMMNN_OK;
    BASE_TRY(onnx_sample_axis(axis, shape.rank + 1, &at, err));
    if ((*seen >> at & 1U) != 0)
        return base_fail(err, ADMMNN_CORRUPT, "axis %lld is there twice", (long long)axis);
    *seen |= 1U << at;
    if (!onnx_cut_count(cut, shape.dims[at], &first, &count))
        return base_fail(err, ADMMNN_CORRUPT, "a step of %lld", (long long)cut->step);
    slice->first[at] = first < 0 ? 0 : (uint32_t)first;
    slice->step[at] = count == 1 ? 1 : (int32_t)cut->step;
    slice->count[at] = (uint32_t)count;
    return ADMMNN_OK;
}

admmnn_status onnx_convert_slice(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    static const char *const names[4] = {"starts", "ends", "axes", "steps"};
    onnx_tensor *in;
    const int64_t *lists[4];
    size_t counts[4];
    uint32_t seen = 0;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    for (size_t i = 0; i < 4; i++) {
        BASE_TRY(onnx_find_integers(r, node, names[i], i + 1, &lists[i], &counts[i], err));
        if (lists[i] == NULL ? i < 2 : counts[i] != counts[0])
            return base_fail(err, ADMMNN_CORRUPT, "%s that are not as many as the starts",
                             names[i]);
    }
    graph_slice slice = whole_slice(in->shape);
    for (size_t i = 0; i < counts[0]; i++) {
        const onnx_cut cut = {lists[0][i], lists[1][i], lists[3] == NULL ? 1 : lists[3][i]};
        BASE_TRY(cut_axis(&slice, in->shape, lists[2] == NULL ? (int64_t)i : lists[2][i], &cut,
                          &seen, err));
    }
    return add_slice(r, node, 0, in, &slice, err);
}

static admmnn_status pad_kind(const Onnx__NodeProto *node, graph_pad_kind *kind,
                              admmnn_error *err) {
    char text[ONNX_TEXT_MAX];
    if (onnx_text_is(node, "mode", "constant", "constant"))
        *kind = GRAPH_PAD_CONSTANT;
    else if (onnx_text_is(node, "mode", "constant", "reflect"))
        *kind = GRAPH_PAD_REFLECT;
    else if (onnx_text_is(node, "mode", "constant", "edge"))
        *kind = GRAPH_PAD_EDGE;
    else
        return base_fail(err, ADMMNN_UNSUPPORTED, "mode '%s'", onnx_text(node, "mode", text));
    return ADMMNN_OK;
}

/* pads[2 count]: of each axis before and after it. */
static admmnn_status take_pads(const int64_t *pads, const int64_t *axes, size_t count,
                               uint32_t rank, graph_pad *pad, admmnn_error *err) {
    for (size_t i = 0; i < count; i++) {
        const int64_t sides[2] = {pads[i], pads[count + i]};
        uint32_t axis;
        if (sides[0] == 0 && sides[1] == 0)
            continue;
        BASE_TRY(onnx_sample_axis(axes == NULL ? (int64_t)i : axes[i], rank, &axis, err));
        for (int k = 0; k < 2; k++)
            if (sides[k] < 0 || sides[k] > (int64_t)GRAPH_DIMENSION_MAX)
                return base_fail(err, ADMMNN_UNSUPPORTED, "pads of %lld; 0 to %u are read",
                                 (long long)sides[k], GRAPH_DIMENSION_MAX);
        pad->begin[axis] = (uint32_t)sides[0];
        pad->end[axis] = (uint32_t)sides[1];
    }
    return ADMMNN_OK;
}

admmnn_status onnx_convert_pad(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const onnx_array *constant;
    const int64_t *pads;
    const int64_t *axes;
    size_t count;
    size_t axis_count;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    graph_pad pad = {.value = onnx_number(node, "value", 0.0F)};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_find_integers(r, node, "pads", 1, &pads, &count, err));
    BASE_TRY(onnx_find_integers(r, node, "axes", 3, &axes, &axis_count, err));
    BASE_TRY(pad_kind(node, &pad.kind, err));
    if (onnx_has_input(node, 2)) {
        BASE_TRY(onnx_find_constant(r, node, 2, &constant, err));
        if (constant->count != 1)
            return base_fail(err, ADMMNN_CORRUPT, "a value of %zu numbers", constant->count);
        BASE_TRY(onnx_plain_number(constant, 0, &pad.value, err));
    }
    if (count != 2 * (axes == NULL ? (size_t)in->shape.rank + 1 : axis_count))
        return base_fail(err, ADMMNN_CORRUPT, "%zu pads for %u dimensions", count,
                         in->shape.rank + 1);
    BASE_TRY(take_pads(pads, axes, count / 2, in->shape.rank + 1, &pad, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_pad(r->g, name, value, &pad, &value, err)));
    return onnx_add_value(r, node, value, err);
}

/* ---- other shapes of the same elements ---- */

/* Refuses a shape of another number of elements. */
static admmnn_status add_shaped(onnx_reader *r, const Onnx__NodeProto *node, const onnx_tensor *in,
                                graph_shape shape, admmnn_error *err) {
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    if (!graph_shape_is_sound(shape) || graph_shape_count(shape) != graph_shape_count(in->shape))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "samples of %s become samples of %s; the batch must stay the first axis",
                         graph_shape_text(in->shape, texts[0]), graph_shape_text(shape, texts[1]));
    return onnx_add_view(r, node, in->root, shape, node, err);
}

admmnn_status onnx_convert_flatten(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    const int64_t rank = in->shape.rank + 1;
    int64_t axis = onnx_integer(node, "axis", 1);
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis > rank)
        return base_fail(err, ADMMNN_CORRUPT, "axis %lld of %lld", (long long)axis,
                         (long long)rank);
    if (axis == 0 || graph_shape_extent(in->shape, 0, (uint32_t)axis - 1) != 1)
        return onnx_fail_mixing("it joins other axes to the batch's", err);
    const size_t count = graph_shape_count(in->shape);
    return add_shaped(r, node, in, graph_shape_vector((uint32_t)count), err);
}

/* Whether the new shape's first dim is the batch's. */
static bool keeps_batch(const onnx_reader *r, const onnx_array *to, bool copies) {
    if (onnx_is_batch(r, to, 0))
        return true;
    return onnx_array_is_plain(to, 0) &&
           (to->integers[0] == -1 || (to->integers[0] == 0 && copies));
}

/* The new shape of a sample; *free: the axis that takes what is left, or GRAPH_NONE. The batch
 * may be that axis, and then no other one. */
static admmnn_status new_shape(const onnx_array *to, graph_shape from, bool copies,
                               graph_shape *out, uint32_t *free, admmnn_error *err) {
    *out = (graph_shape){.rank = (uint32_t)to->count - 1};
    *free = GRAPH_NONE;
    for (uint32_t i = 0; i < out->rank; i++) {
        int64_t dim = to->integers[i + 1];
        if (!onnx_array_is_plain(to, i + 1))
            return onnx_fail_mixing("the batch becomes another axis", err);
        if (dim == 0 && copies)
            dim = i < from.rank ? (int64_t)from.dims[i] : 0;
        if (dim == -1 && *free == GRAPH_NONE && to->integers[0] != -1)
            *free = i;
        else if (dim < 1 || dim > (int64_t)GRAPH_DIMENSION_MAX)
            return base_fail(err, ADMMNN_CORRUPT, "a dimension of %lld", (long long)dim);
        out->dims[i] = dim == -1 ? 1 : (uint32_t)dim;
    }
    return ADMMNN_OK;
}

admmnn_status onnx_convert_reshape(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const onnx_array *to;
    graph_shape shape;
    uint32_t free;
    const bool copies = onnx_integer(node, "allowzero", 0) == 0;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_find_constant(r, node, 1, &to, err));
    if (to->integers == NULL || to->rank != 1 || to->count == 0 || to->count > GRAPH_RANK_MAX + 1)
        return base_fail(err, ADMMNN_UNSUPPORTED, "a shape that is no row of 1 to %d dimensions",
                         GRAPH_RANK_MAX + 1);
    if (!keeps_batch(r, to, copies))
        return onnx_fail_mixing("the new shape does not begin with the batch", err);
    BASE_TRY(new_shape(to, in->shape, copies, &shape, &free, err));
    if (free != GRAPH_NONE && graph_shape_is_sound(shape))
        shape.dims[free] = (uint32_t)(graph_shape_count(in->shape) / graph_shape_count(shape));
    return add_shaped(r, node, in, shape, err);
}

/* Bit i of *out: axis i of `rank` is among them; the batch's must not be. */
static admmnn_status axes_of(const int64_t *axes, size_t count, uint32_t rank, uint32_t *out,
                             admmnn_error *err) {
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t axis;
        BASE_TRY(onnx_sample_axis(axes[i], rank, &axis, err));
        *out |= 1U << axis;
    }
    return ADMMNN_OK;
}

/* Bit i of *gone: axis i of a sample goes; without axes all that have one element. */
static admmnn_status find_gone(const onnx_tensor *in, const int64_t *axes, size_t count,
                               uint32_t *gone, admmnn_error *err) {
    *gone = 0;
    for (uint32_t i = 0; axes == NULL && i < in->shape.rank; i++)
        *gone |= in->shape.dims[i] == 1 ? 1U << i : 0;
    for (size_t i = 0; axes != NULL && i < count; i++) {
        uint32_t axis;
        BASE_TRY(moved_axis(in, axes[i], &axis, err));
        *gone |= 1U << axis;
        if (in->shape.dims[axis] != 1)
            return base_fail(err, ADMMNN_CORRUPT, "axis %u has %u elements", axis + 1,
                             in->shape.dims[axis]);
    }
    return ADMMNN_OK;
}

admmnn_status onnx_convert_squeeze(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const int64_t *axes;
    size_t count;
    uint32_t gone;
    graph_shape shape = {0};
    BASE_TRY(onnx_find_moved(r, node, 0, &in, err));
    BASE_TRY(onnx_find_integers(r, node, "axes", 1, &axes, &count, err));
    if (axes == NULL && r->batch == 1)
        return onnx_fail_mixing("without axes it takes that of a batch of one, too", err);
    BASE_TRY(find_gone(in, axes, count, &gone, err));
    uint32_t before = in->before;
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        if ((gone >> i & 1U) == 0)
            shape.dims[shape.rank++] = in->shape.dims[i];
        else if (i < in->before)
            before--;
    }
    BASE_TRY(add_shaped(r, node, in, shape, err));
    onnx_names_find(&r->names, node->output[0])->before = before;
    return ADMMNN_OK;
}

admmnn_status onnx_convert_unsqueeze(onnx_reader *r, const Onnx__NodeProto *node,
                                     admmnn_error *err) {
    onnx_tensor *in;
    const int64_t *axes;
    size_t count;
    uint32_t added;
    uint32_t from = 0;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_find_integers(r, node, "axes", 1, &axes, &count, err));
    if (count > GRAPH_RANK_MAX - in->shape.rank)
        return base_fail(err, ADMMNN_UNSUPPORTED, "more than %d dimensions", GRAPH_RANK_MAX + 1);
    graph_shape shape = {.rank = in->shape.rank + (uint32_t)count};
    BASE_TRY(axes_of(axes, count, shape.rank + 1, &added, err));
    for (uint32_t i = 0; i < shape.rank; i++) {
        const bool is_new = (added >> i & 1U) != 0;
        if (!is_new && from == in->shape.rank)
            return base_fail(err, ADMMNN_CORRUPT, "an axis is there twice");
        shape.dims[i] = is_new ? 1 : in->shape.dims[from++];
    }
    return add_shaped(r, node, in, shape, err);
}

/* Only where it changes nothing. */
admmnn_status onnx_convert_expand(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const onnx_array *to;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(onnx_find_constant(r, node, 1, &to, err));
    const size_t rank = (size_t)in->shape.rank + 1;
    bool same = to->integers != NULL && to->count <= rank;
    for (size_t i = 0; same && i < to->count; i++) {
        const size_t axis = rank - to->count + i;
        const bool one = onnx_array_is_plain(to, i) && to->integers[i] == 1;
        same = one || (axis == 0 ? onnx_is_batch(r, to, i)
                                 : onnx_array_is_plain(to, i) &&
                                       to->integers[i] == (int64_t)in->shape.dims[axis - 1]);
    }
    if (!same)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "it repeats elements; only one that changes nothing is read");
    return onnx_add_alias(r, node, in, err);
}

admmnn_status onnx_convert_transpose(onnx_reader *r, const Onnx__NodeProto *node,
                                     admmnn_error *err) {
    onnx_tensor *in;
    uint32_t value;
    uint32_t order[GRAPH_RANK_MAX] = {0};
    uint32_t before = 0;
    char name[GRAPH_NAME_MAX];
    const Onnx__AttributeProto *perm = onnx_attribute(node, "perm");
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    if (perm == NULL || perm->n_ints != (size_t)in->shape.rank + 1)
        return onnx_fail_mixing("perm moves the batch's axis", err);
    while (before < in->shape.rank && perm->ints[before] != 0)
        before++;
    if (perm->ints[before] != 0)
        return base_fail(err, ADMMNN_CORRUPT, "perm has no axis 0");
    for (uint32_t i = 0; i < in->shape.rank; i++)
        BASE_TRY(onnx_sample_axis(perm->ints[i < before ? i : i + 1], in->shape.rank + 1, &order[i],
                                  err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_transpose(r->g, name, value, order, &value, err)));
    BASE_TRY(onnx_add_value(r, node, value, err));
    onnx_names_find(&r->names, node->output[0])->before = before;
    return ADMMNN_OK;
}

/* ---- picking ---- */

static admmnn_status add_indices(onnx_reader *r, const onnx_array *from, uint32_t dim,
                                 uint32_t *out, admmnn_error *err) {
    graph_shape shape = {.rank = from->rank};
    float *indices = onnx_arena_take(r->arena, from->count, sizeof *indices);
    if (indices == NULL)
        return base_fail_memory(err, "an ONNX model");
    if (from->integers == NULL || from->rank > GRAPH_RANK_MAX)
        return base_fail(err, ADMMNN_CORRUPT, "indices that are no whole numbers");
    for (uint32_t i = 0; i < from->rank; i++)
        shape.dims[i] = from->dims[i] > (int64_t)GRAPH_DIMENSION_MAX ? 0 : (uint32_t)from->dims[i];
    for (size_t i = 0; i < from->count; i++) {
        const int64_t index = from->integers[i] + (from->integers[i] < 0 ? dim : 0);
        if (!onnx_array_is_plain(from, i) || index < 0 || index >= dim)
            return base_fail(err, ADMMNN_CORRUPT, "index %lld of an axis of %u",
                             (long long)from->integers[i], dim);
        indices[i] = (float)index;
    }
    return onnx_held(graph_add_constant(r->g, shape, indices, out, err));
}

admmnn_status onnx_convert_gather(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const onnx_array *indices;
    uint32_t axis;
    uint32_t value;
    uint32_t by;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(onnx_find_moved(r, node, 0, &in, err));
    BASE_TRY(onnx_find_constant(r, node, 1, &indices, err));
    BASE_TRY(moved_axis(in, onnx_integer(node, "axis", 0), &axis, err));
    BASE_TRY(add_indices(r, indices, in->shape.dims[axis], &by, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    const uint32_t before = in->before + (axis < in->before ? indices->rank - 1 : 0);
    BASE_TRY(onnx_held(graph_add_gather(r->g, name, value, by, axis, &value, err)));
    BASE_TRY(onnx_add_value(r, node, value, err));
    onnx_names_find(&r->names, node->output[0])->before = before;
    return ADMMNN_OK;
}

/* The shape with the batch, of which the number is N where the file does not fix it. */
admmnn_status onnx_convert_shape(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    int64_t *dims;
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    const int64_t rank = in->shape.rank + 1;
    const onnx_cut cut = {onnx_integer(node, "start", 0), onnx_integer(node, "end", rank), 1};
    onnx_array out = {.rank = 1};
    int64_t first;
    if (!onnx_cut_count(&cut, rank, &first, &out.dims[0]))
        return base_fail(err, ADMMNN_CORRUPT, "no such start and end");
    BASE_TRY(onnx_array_integers(r->arena, &out, &dims, err));
    int64_t *batches = onnx_arena_take(r->arena, out.count, sizeof *batches);
    if (batches == NULL)
        return base_fail_memory(err, "an ONNX model's constants");
    for (size_t i = 0; i < out.count; i++) {
        const int64_t axis = first + (int64_t)i;
        dims[i] = axis == 0 ? r->batch : (int64_t)in->shape.dims[axis - 1];
        batches[i] = axis == 0 && r->batch == 0;
    }
    out.batches = batches;
    return onnx_add_array(r, node, &out, err);
}
