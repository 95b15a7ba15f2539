/* What moves elements. */
#include <string.h>

#include "operations.h"

/* ---- slices and transposes: each axis of the output walks the input by a stride ---- */

typedef struct walk {
    int64_t first, stride[PACK_RANK_MAX];
} walk;

static void run_walk(const rt_call *c, const walk *w) {
    const rt_shape *out = &c->value->shape;
    const float *x = rt_x(c, 0);
    float *y = rt_y(c);
    const size_t length = out->rank == 0 ? 1 : out->dims[out->rank - 1];
    const int64_t stride = out->rank == 0 ? 0 : w->stride[out->rank - 1];
    for (size_t row = 0; row < rt_count(c) / length; row++) {
        int64_t from = w->first;
        size_t rest = row;
        for (uint32_t i = out->rank - 1; out->rank > 0 && i-- > 0;) {
            from += (int64_t)(rest % out->dims[i]) * w->stride[i];
            rest /= out->dims[i];
        }
        for (size_t k = 0; k < length; k++)
            *y++ = x[from + (int64_t)k * stride];
    }
}

void rt_run_slice(const rt_call *c) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const rt_slice *slice = &c->node->as.slice;
    walk w = {0, {0}};
    for (uint32_t i = 0; i < in->rank; i++) {
        const int64_t stride = (int64_t)rt_shape_extent(in, i + 1, in->rank);
        w.first += slice->first[i] * stride;
        w.stride[i] = slice->step[i] * stride;
    }
    run_walk(c, &w);
}

void rt_run_transpose(const rt_call *c) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    walk w = {0, {0}};
    for (uint32_t i = 0; i < in->rank; i++)
        w.stride[i] = (int64_t)rt_shape_extent(in, c->node->as.order[i] + 1, in->rank);
    run_walk(c, &w);
}

/* ---- pads ---- */

/* Where the index, counted from the padding's begin, is on the axis; `size`: nowhere. */
static size_t unpadded(uint32_t kind, size_t index, size_t begin, size_t size) {
    const size_t end = begin + size;
    if (index >= begin && index < end)
        return index - begin;
    if (kind == PACK_PAD_CONSTANT)
        return size;
    if (kind == PACK_PAD_EDGE)
        return index < begin ? 0 : size - 1;
    return index < begin ? begin - index : size - 2 - (index - end);
}

static float padded(const rt_call *c, size_t element) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const rt_shape *out = &c->value->shape;
    const rt_pad *pad = &c->node->as.pad;
    size_t stride = 1;
    size_t from = 0;
    for (uint32_t i = in->rank; i-- > 0;) {
        const size_t at = unpadded(pad->kind, element % out->dims[i], pad->begin[i], in->dims[i]);
        if (at == in->dims[i])
            return pad->value;
        from += at * stride;
        stride *= in->dims[i];
        element /= out->dims[i];
    }
    return rt_x(c, 0)[from];
}

void rt_run_pad(const rt_call *c) {
    const size_t count = rt_count(c);
    for (size_t i = 0; i < count; i++)
        rt_y(c)[i] = padded(c, i);
}

/* ---- whole runs of elements ---- */

void rt_run_gather(const rt_call *c) {
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const uint32_t axis = c->node->as.axis;
    const size_t inner = rt_shape_extent(in, axis + 1, in->rank);
    const size_t indices = rt_shape_count(&rt_operand(c, 1)->shape);
    float *y = rt_y(c);
    for (size_t outer = 0; outer < rt_shape_extent(in, 0, axis); outer++) {
        for (size_t i = 0; i < indices; i++, y += inner) {
            const size_t index = (size_t)rt_x(c, 1)[i];
            memcpy(y, rt_x(c, 0) + (outer * in->dims[axis] + index) * inner, inner * sizeof *y);
        }
    }
}

/* A run of an operand's numbers. */
static void copy_run(const rt_call *c, uint32_t operand, size_t from, size_t count, size_t to) {
    const rt_numbers *in = &rt_operand(c, operand)->numbers;
    const rt_numbers *out = &c->value->numbers;
    float numbers[RT_STRETCH];
    if (rt_same_numbers(in, out)) {
        memcpy(rt_number_place(out, rt_y(c), to), rt_number_at(in, rt_x(c, operand), from),
               count * rt_number_bytes(out));
        return;
    }
    for (size_t done = 0; done < count; done += RT_STRETCH) {
        const size_t part = count - done < RT_STRETCH ? count - done : RT_STRETCH;
        rt_read_numbers(in, rt_x(c, operand), from + done, part, numbers);
        rt_write_numbers(out, numbers, part, rt_y(c), to + done);
    }
}

void rt_run_concat(const rt_call *c) {
    const rt_shape *out = &c->value->shape;
    const uint32_t axis = c->node->as.axis;
    const size_t whole = rt_shape_extent(out, axis, out->rank);
    size_t y = 0;
    for (uint32_t k = 0; k < c->node->operand_count; k++) {
        const rt_shape *in = &rt_operand(c, k)->shape;
        const size_t part = rt_shape_extent(in, axis, in->rank);
        for (size_t outer = 0; outer < rt_shape_extent(in, 0, axis); outer++)
            copy_run(c, k, outer * part, part, y + outer * whole);
        y += part;
    }
}
