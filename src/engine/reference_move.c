/* What moves elements: each output element is an input element or a constant. */
#include "engine/reference.h"

#define NOWHERE SIZE_MAX

typedef struct place {
    size_t at[GRAPH_RANK_MAX]; /* an index for each axis */
} place;

static place place_in(graph_shape shape, size_t element) {
    place p = {{0}};
    for (uint32_t i = shape.rank; i-- > 0;) {
        p.at[i] = element % shape.dims[i];
        element /= shape.dims[i];
    }
    return p;
}

static size_t element_at(graph_shape shape, const place *p) {
    size_t element = 0;
    for (uint32_t i = 0; i < shape.rank; i++)
        element = element * shape.dims[i] + p->at[i];
    return element;
}

/* ---- the input's element at each of the output's ---- */

static size_t slice_source(const reference_call *c, size_t element) {
    const graph_slice *s = &c->node->slice;
    place p = place_in(reference_out_shape(c), element);
    for (uint32_t i = 0; i < reference_out_shape(c).rank; i++)
        p.at[i] = (size_t)((int64_t)s->first[i] + (int64_t)p.at[i] * s->step[i]);
    return element_at(reference_shape(c, 0), &p);
}

/* Where the index, counted from the padding's begin, is on the axis; `size`: nowhere. */
static size_t unpadded(graph_pad_kind kind, size_t index, size_t begin, size_t size) {
    const size_t end = begin + size;
    if (index >= begin && index < end)
        return index - begin;
    if (kind == GRAPH_PAD_CONSTANT)
        return size;
    if (kind == GRAPH_PAD_EDGE)
        return index < begin ? 0 : size - 1;
    return index < begin ? begin - index : size - 2 - (index - end);
}

static size_t pad_source(const reference_call *c, size_t element) {
    const graph_pad *pad = &c->node->pad;
    const graph_shape in = reference_shape(c, 0);
    place p = place_in(reference_out_shape(c), element);
    for (uint32_t i = 0; i < in.rank; i++) {
        p.at[i] = unpadded(pad->kind, p.at[i], pad->begin[i], in.dims[i]);
        if (p.at[i] == in.dims[i])
            return NOWHERE;
    }
    return element_at(in, &p);
}

static size_t transpose_source(const reference_call *c, size_t element) {
    const place to = place_in(reference_out_shape(c), element);
    const graph_shape in = reference_shape(c, 0);
    place from = {{0}};
    for (uint32_t i = 0; i < in.rank; i++)
        from.at[c->node->order[i]] = to.at[i];
    return element_at(in, &from);
}

static size_t gather_source(const reference_call *c, size_t element) {
    const graph_shape in = reference_shape(c, 0);
    const size_t inner = graph_shape_extent(in, c->node->axis + 1, in.rank);
    const size_t indices = graph_shape_count(reference_shape(c, 1));
    const size_t outer = element / inner / indices;
    const size_t index = (size_t)reference_x(c, 1)[element / inner % indices];
    return (outer * in.dims[c->node->axis] + index) * inner + element % inner;
}

static size_t source_of(const reference_call *c, size_t element) {
    switch (c->node->op) {
    case GRAPH_SLICE:
        return slice_source(c, element);
    case GRAPH_PAD:
        return pad_source(c, element);
    case GRAPH_TRANSPOSE:
        return transpose_source(c, element);
    case GRAPH_GATHER:
        return gather_source(c, element);
    default: /* a reshape leaves the order */
        return element;
    }
}

void reference_move_forward(const reference_call *c) {
    for (size_t i = 0; i < graph_shape_count(reference_out_shape(c)); i++) {
        const size_t from = source_of(c, i);
        reference_y(c)[i] = from == NOWHERE ? (double)c->node->pad.value : reference_x(c, 0)[from];
    }
}

void reference_move_backward(const reference_call *c) {
    double *dx = reference_dx(c, 0);
    for (size_t i = 0; dx != NULL && i < graph_shape_count(reference_out_shape(c)); i++) {
        const size_t from = source_of(c, i);
        if (from != NOWHERE)
            dx[from] += reference_dy(c)[i];
    }
}

/* ---- concat ---- */

/* The output element that element i of an operand becomes, `before` of the axis' indices
 * being those of operands before it. */
static size_t joined(const reference_call *c, uint32_t operand, size_t before, size_t i) {
    const graph_shape out = reference_out_shape(c);
    place p = place_in(reference_shape(c, operand), i);
    p.at[c->node->axis] += before;
    return element_at(out, &p);
}

void reference_concat_forward(const reference_call *c) {
    size_t before = 0;
    for (uint32_t k = 0; k < c->node->operand_count; k++) {
        const graph_shape shape = reference_shape(c, k);
        for (size_t i = 0; i < graph_shape_count(shape); i++)
            reference_y(c)[joined(c, k, before, i)] = reference_x(c, k)[i];
        before += shape.dims[c->node->axis];
    }
}

void reference_concat_backward(const reference_call *c) {
    size_t before = 0;
    for (uint32_t k = 0; k < c->node->operand_count; k++) {
        const graph_shape shape = reference_shape(c, k);
        double *dx = reference_dx(c, k);
        for (size_t i = 0; dx != NULL && i < graph_shape_count(shape); i++)
            dx[i] += reference_dy(c)[joined(c, k, before, i)];
        before += shape.dims[c->node->axis];
    }
}
