#include "engine/dnnl_move.h"

#include <string.h>

#include "base/memory.h"

/* ---- elements ---- */

/* Where the row of the last axis is that the axes before it name; false past the last row. */
typedef struct rows {
    const dnnl_move *m;
    size_t at[GRAPH_RANK_MAX];
    size_t row, count;
} rows;

static rows rows_of(const dnnl_move *m) {
    rows r = {.m = m, .count = 1};
    for (uint32_t i = 0; i + 1 < m->rank; i++)
        r.count *= m->dims[i];
    return r;
}

/* The input's place of the present row. */
static size_t place_of(const rows *r) {
    size_t place = 0;
    for (uint32_t i = 0; i + 1 < r->m->rank; i++) {
        const size_t from = r->m->from[i][r->at[i]];
        if (from == DNNL_NOWHERE)
            return DNNL_NOWHERE;
        place += from;
    }
    return place;
}

static void next(rows *r) {
    r->row++;
    for (uint32_t i = r->m->rank - 1; i-- > 0;) {
        if (++r->at[i] < r->m->dims[i])
            return;
        r->at[i] = 0;
    }
}

static void fill(const dnnl_move *m, size_t count, float *y) {
    for (size_t i = 0; i < count * m->width; i++)
        y[i] = m->fill;
}

static void move_apart(const dnnl_move *m, const float *x, float *y) {
    const size_t *from = m->from[m->rank - 1];
    const size_t width = m->width;
    for (size_t i = 0; i < m->dims[m->rank - 1]; i++) {
        if (from[i] == DNNL_NOWHERE)
            fill(m, 1, y + i * width);
        else
            memcpy(y + i * width, x + from[i] * width, width * sizeof *y);
    }
}

static void move_row(const dnnl_move *m, const float *x, float *y) {
    const size_t *from = m->from[m->rank - 1];
    const size_t count = m->dims[m->rank - 1];
    if (m->in_rows) {
        memcpy(y, x + from[0] * m->width, count * m->width * sizeof *y);
        return;
    }
    if (m->width > 1) {
        move_apart(m, x, y);
        return;
    }
    for (size_t i = 0; i < count; i++)
        y[i] = from[i] == DNNL_NOWHERE ? m->fill : x[from[i]];
}

void dnnl_move_run(const dnnl_move *m, const float *x, float *y) {
    const size_t count = m->dims[m->rank - 1];
    for (rows r = rows_of(m); r.row < r.count; next(&r)) {
        const size_t place = place_of(&r);
        float *row = y + r.row * count * m->width;
        if (place != DNNL_NOWHERE)
            move_row(m, x + place * m->width, row);
        else
            fill(m, count, row);
    }
}

void dnnl_move_back(const dnnl_move *m, const float *dy, float *dx) {
    const size_t count = m->dims[m->rank - 1];
    const size_t *from = m->from[m->rank - 1];
    const size_t width = m->width;
    memset(dx, 0, m->in_count * width * sizeof *dx);
    for (rows r = rows_of(m); r.row < r.count; next(&r)) {
        const size_t place = place_of(&r);
        for (size_t i = 0; place != DNNL_NOWHERE && i < count; i++)
            for (size_t k = 0; from[i] != DNNL_NOWHERE && k < width; k++)
                dx[(place + from[i]) * width + k] += dy[(r.row * count + i) * width + k];
    }
}

/* ---- tables ---- */

void dnnl_move_close(dnnl_move *moves, uint32_t count) {
    for (uint32_t k = 0; moves != NULL && k < count; k++)
        for (uint32_t i = 0; i < GRAPH_RANK_MAX; i++)
            base_free(moves[k].from[i]);
    base_free(moves);
}

/* The input's index that a pad's output index k shows, of `in`. */
static size_t padded(const graph_pad *pad, uint32_t axis, size_t k, size_t in) {
    const size_t begin = pad->begin[axis];
    if (k >= begin && k - begin < in)
        return k - begin;
    if (pad->kind == GRAPH_PAD_CONSTANT)
        return DNNL_NOWHERE;
    if (pad->kind == GRAPH_PAD_EDGE)
        return k < begin ? 0 : in - 1;
    return k < begin ? begin - k : 2 * (in - 1) - (k - begin);
}

/* A node's table of one axis. */
typedef struct axis {
    const graph *g;
    const graph_node *node;
    uint32_t number; /* of the output, whose axes a gather's indices are one of */
    size_t in, offset;
} axis;

static size_t index_at(const axis *a, size_t k) {
    const graph_slice *slice = &a->node->slice;
    switch (a->node->op) {
    case GRAPH_SLICE:
        return (size_t)((int64_t)slice->first[a->number] + (int64_t)k * slice->step[a->number]);
    case GRAPH_PAD:
        return padded(&a->node->pad, a->number, k, a->in);
    case GRAPH_GATHER:
        if (a->number == a->node->axis)
            return (size_t)
                a->g->constants[a->g->values[graph_operand(a->g, a->node, 1)].constant + k];
        return k;
    case GRAPH_CONCAT:
        return a->number == a->node->axis ? a->offset + k : k;
    default:
        return k;
    }
}

/* Of the input's shape, and the output's with a gather's indices in one axis. */
static bool make_tables(dnnl_move *m, axis a, graph_shape in) {
    const bool transposes = a.node->op == GRAPH_TRANSPOSE;
    for (uint32_t i = 0; i < m->rank; i++) {
        const uint32_t axis_in = transposes ? a.node->order[i] : i;
        const size_t stride = graph_shape_extent(in, axis_in + 1, in.rank);
        a.number = i;
        a.in = in.dims[axis_in];
        m->from[i] = base_array(m->dims[i], sizeof *m->from[i]);
        if (m->from[i] == NULL)
            return false;
        for (size_t k = 0; k < m->dims[i]; k++) {
            const size_t index = index_at(&a, k);
            m->from[i][k] = index == DNNL_NOWHERE ? DNNL_NOWHERE : index * stride;
        }
    }
    const size_t *last = m->from[m->rank - 1];
    m->in_rows = last[0] != DNNL_NOWHERE;
    for (size_t k = 1; k < m->dims[m->rank - 1]; k++)
        m->in_rows = m->in_rows && last[k] == last[0] + k;
    return true;
}

static void set_dims(dnnl_move *m, const graph *g, const graph_node *node, graph_shape in,
                     graph_shape out) {
    m->rank = in.rank;
    for (uint32_t i = 0; i < in.rank; i++)
        m->dims[i] = out.dims[i];
    if (node->op != GRAPH_GATHER)
        return;
    for (uint32_t i = 0; i < in.rank; i++)
        m->dims[i] = in.dims[i];
    m->dims[node->axis] = graph_value_count(g, graph_operand(g, node, 1));
}

static uint64_t table_bytes(const dnnl_move *m) {
    uint64_t entries = 0;
    for (uint32_t i = 0; i < m->rank; i++)
        entries += m->dims[i];
    return entries * sizeof *m->from[0];
}

static admmnn_status make_move(dnnl_network *d, const graph_node *node, graph_shape in,
                               graph_shape out, size_t offset, dnnl_move *m, admmnn_error *err) {
    *m = (dnnl_move){.fill = node->op == GRAPH_PAD ? node->pad.value : 0.0F,
                     .width = 1,
                     .in_count = graph_shape_count(in),
                     .out_count = graph_shape_count(out)};
    set_dims(m, d->graph, node, in, out);
    BASE_TRY(dnnl_claim(d, table_bytes(m), err));
    const axis a = {.g = d->graph, .node = node, .offset = offset};
    return make_tables(m, a, in) ? ADMMNN_OK : base_fail_memory(err, "the oneDNN back end");
}

/* ---- recording ---- */

static admmnn_status add_value(dnnl_network *d, uint32_t value, uint32_t *out, admmnn_error *err) {
    dnnl_dims_t dims;
    const int ndims = dnnl_value_dims(d, value, dims);
    return dnnl_add_plain(d, ndims, dims, TAPE_ARENA, 0, out, err);
}

static admmnn_status record(dnnl_network *d, const dnnl_node *n, const dnnl_move *move,
                            dnnl_work work, uint32_t x, uint32_t y, admmnn_error *err) {
    dnnl_mark mark = dnnl_mark_of(d, n, work, x, y);
    mark.move = move;
    return dnnl_add_mark(d, mark, err);
}

static admmnn_status open_moves(dnnl_node *n, uint32_t count, admmnn_error *err) {
    n->moves = base_array(count, sizeof *n->moves);
    n->move_count = count;
    return n->moves != NULL ? ADMMNN_OK : base_fail_memory(err, "the oneDNN back end");
}

/* Slices and pads of images that stay images. */
static bool moves_in_lanes(const dnnl_network *d, const graph_node *node) {
    const graph *g = d->graph;
    const uint32_t value = graph_operand(g, node, 0);
    return (node->op == GRAPH_SLICE || node->op == GRAPH_PAD) &&
           g->values[node->output].shape.rank == 3 && dnnl_layout(d, d->tensor[value]).in_lanes;
}

static admmnn_status add_in_lanes(dnnl_network *d, uint32_t value, uint32_t *out,
                                  admmnn_error *err) {
    dnnl_dims_t dims;
    dnnl_value_dims(d, value, dims);
    return dnnl_add_in_lanes(d, dims, out, err);
}

admmnn_status dnnl_move_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const graph *g = d->graph;
    const uint32_t value = graph_operand(g, n->node, 0);
    uint32_t x;
    if (g->values[value].shape.rank == 0)
        return ADMMNN_UNSUPPORTED;
    BASE_TRY(open_moves(n, 1, err));
    BASE_TRY(make_move(d, n->node, g->values[value].shape, g->values[n->node->output].shape, 0,
                       n->moves, err));
    if (moves_in_lanes(d, n->node)) {
        n->moves->width = lanes_kernels_get(0)->lanes;
        x = d->tensor[value];
        BASE_TRY(add_in_lanes(d, n->node->output, &n->dst, err));
    } else {
        BASE_TRY(dnnl_plain(d, value, d->tensor[value], &x, err));
        BASE_TRY(add_value(d, n->node->output, &n->dst, err));
    }
    n->src = x;
    d->tensor[n->node->output] = n->dst;
    return record(d, n, n->moves, DNNL_MOVE, x, n->dst, err);
}

admmnn_status dnnl_move_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const uint32_t value = graph_operand(d->graph, n->node, 0);
    uint32_t dy;
    uint32_t dx;
    BASE_TRY(dnnl_take_gradient(d, n->node->output, &dy, err));
    BASE_TRY(tape_reorder(&d->tape, dy, dnnl_format(d, n->dst), &dy, err));
    BASE_TRY(tape_tensor_add(&d->tape, dnnl_format(d, n->src), TAPE_ARENA, 0, &dx, err));
    BASE_TRY(record(d, n, n->moves, DNNL_UNMOVE, dy, dx, err));
    return dnnl_add_gradient(d, value, dx, err);
}

/* ---- concatenation: oneDNN's, and slices of the gradient ---- */

/* As many as oneDNN has numbers for. */
#define CONCAT_MOST (DNNL_ARG_MULTIPLE_DST - DNNL_ARG_MULTIPLE_SRC)

static admmnn_status call_concat(dnnl_network *d, const dnnl_node *n, dnnl_api_desc *formats,
                                 tape_argument *arguments, admmnn_error *err) {
    const graph_node *node = n->node;
    const uint32_t count = node->operand_count;
    uint32_t y;
    BASE_TRY(add_value(d, node->output, &y, err));
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = graph_operand(d->graph, node, i);
        uint32_t x;
        BASE_TRY(dnnl_plain(d, value, d->tensor[value], &x, err));
        formats[i] = dnnl_format(d, x);
        arguments[i] = (tape_argument){DNNL_ARG_MULTIPLE_SRC + (int)i, x};
    }
    arguments[count] = (tape_argument){DNNL_ARG_DST, y};
    d->tensor[node->output] = y;
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_concat(&d->tape.api, formats, (int)count, (int)node->axis + 1,
                                         dnnl_format(d, y), &what);
    if (made != dnnl_success)
        return tape_fail(err, made, node->name);
    return dnnl_call_once(d, what, arguments, (int)count + 1, err);
}

admmnn_status dnnl_concat_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const size_t count = n->node->operand_count;
    if (count > CONCAT_MOST)
        return ADMMNN_UNSUPPORTED;
    dnnl_api_desc *formats = base_array(count, sizeof *formats);
    tape_argument *arguments = base_array(count + 1, sizeof *arguments);
    admmnn_status status = formats == NULL || arguments == NULL
                               ? base_fail_memory(err, "the oneDNN back end")
                               : call_concat(d, n, formats, arguments, err);
    base_free(formats);
    base_free(arguments);
    return status;
}

admmnn_status dnnl_concat_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const graph *g = d->graph;
    const graph_node *node = n->node;
    const graph_shape out = g->values[node->output].shape;
    size_t offset = 0;
    uint32_t dy;
    BASE_TRY(open_moves(n, node->operand_count, err));
    BASE_TRY(dnnl_take_gradient(d, node->output, &dy, err));
    BASE_TRY(dnnl_plain(d, node->output, dy, &dy, err));
    for (uint32_t i = 0; i < node->operand_count; i++) {
        const uint32_t value = graph_operand(g, node, i);
        const graph_shape shape = g->values[value].shape;
        uint32_t dx;
        BASE_TRY(make_move(d, node, out, shape, offset, &n->moves[i], err));
        offset += shape.dims[node->axis];
        if (!d->wanted[value])
            continue;
        BASE_TRY(add_value(d, value, &dx, err));
        BASE_TRY(record(d, n, &n->moves[i], DNNL_MOVE, dy, dx, err));
        BASE_TRY(dnnl_add_gradient(d, value, dx, err));
    }
    return ADMMNN_OK;
}
