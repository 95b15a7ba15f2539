/* Which slots live: those that the output needs, and those that are tied to them. */
#include "graph/shrink_slots.h"

/* One slot: an index of an axis of a value. */
typedef struct slot {
    uint32_t value, axis;
    size_t i;
} slot;

static bool lives(const shrink_slots *s, uint32_t value, uint32_t axis, size_t i) {
    return s->live[shrink_axis(s, value, axis) + i];
}

static void mark(shrink_slots *s, uint32_t value, uint32_t axis, size_t i) {
    bool *live = &s->live[shrink_axis(s, value, axis) + i];
    if (*live)
        return;
    *live = true;
    s->changed[value] = ++s->clock;
}

static void mark_axis(shrink_slots *s, uint32_t value, uint32_t axis) {
    for (uint32_t i = 0; i < s->g->values[value].shape.dims[axis]; i++)
        mark(s, value, axis, i);
}

/* Of axes [first, rank). */
static void mark_axes(shrink_slots *s, uint32_t value, uint32_t first) {
    for (uint32_t axis = first; axis < s->g->values[value].shape.rank; axis++)
        mark_axis(s, value, axis);
}

/* Both live, or none. */
static void tie(shrink_slots *s, slot a, slot b) {
    if (lives(s, a.value, a.axis, a.i))
        mark(s, b.value, b.axis, b.i);
    else if (lives(s, b.value, b.axis, b.i))
        mark(s, a.value, a.axis, a.i);
}

/* count slots from each on, in turn. */
static void tie_run(shrink_slots *s, slot a, slot b, size_t count) {
    for (size_t i = 0; i < count; i++)
        tie(s, (slot){a.value, a.axis, a.i + i}, (slot){b.value, b.axis, b.i + i});
}

static void tie_axis(shrink_slots *s, uint32_t a, uint32_t of_a, uint32_t b, uint32_t of_b) {
    tie_run(s, (slot){a, of_a, 0}, (slot){b, of_b, 0}, s->g->values[a].shape.dims[of_a]);
}

/* All axes before `end`. */
static void tie_axes(shrink_slots *s, uint32_t a, uint32_t b, uint32_t end) {
    for (uint32_t axis = 0; axis < end; axis++)
        tie_axis(s, a, axis, b, axis);
}

/* ---- layers ---- */

/* What a filter's weights read; a filter of one channel has that channel. */
static void read_row(shrink_slots *s, const graph_node *node, size_t row) {
    const graph_parameter *weight = &s->g->parameters[node->weight];
    const uint32_t in = graph_operand(s->g, node, 0);
    const size_t block = shrink_block(s->g, node);
    const size_t channels = weight->columns / block;
    const size_t group = row / (weight->rows / shrink_groups(node));
    const uint8_t *from = s->mask + weight->offset + row * weight->columns;
    for (size_t c = 0; c < channels; c++)
        if (shrink_any(from + c * block, block) || (channels == 1 && shrink_groups(node) > 1))
            mark(s, in, 0, group * channels + c);
}

static void live_layer(shrink_slots *s, const graph_node *node) {
    const graph_parameter *weight = &s->g->parameters[node->weight];
    const uint32_t in = graph_operand(s->g, node, 0);
    const size_t channels = weight->columns / shrink_block(s->g, node);
    const size_t filters = weight->rows / shrink_groups(node); /* of a group */
    mark_axes(s, in, 1);
    mark_axes(s, node->output, 1);
    for (size_t row = 0; row < weight->rows; row++)
        if (lives(s, node->output, 0, row))
            read_row(s, node, row);
    for (size_t c = 0; shrink_groups(node) > 1 && filters == 1 && c < weight->rows * channels; c++)
        if (lives(s, in, 0, c))
            mark(s, node->output, 0, c / channels);
}

/* The axis that is summed over: what is zero on one side adds nothing, as long as it stays zero. */
static void live_sum(shrink_slots *s, const graph_node *node) {
    const uint32_t left = graph_operand(s->g, node, 0);
    const uint32_t right = graph_operand(s->g, node, 1);
    const uint32_t of_left = s->g->values[left].shape.rank - 1;
    const uint32_t of_right = s->g->values[right].shape.rank - 2;
    const float *x = s->lasting + shrink_axis(s, left, of_left);
    const float *z = s->lasting + shrink_axis(s, right, of_right);
    for (uint32_t k = 0; k < s->g->values[left].shape.dims[of_left]; k++)
        if (x[k] != 0.0F && z[k] != 0.0F)
            mark(s, left, of_left, k);
    tie_axis(s, left, of_left, right, of_right);
}

/* Axes that the operand shares with the output, counted from the last. */
static void tie_broadcast(shrink_slots *s, uint32_t value, uint32_t output, uint32_t first,
                          uint32_t end) {
    const graph_shape shape = s->g->values[value].shape;
    const graph_shape out = s->g->values[output].shape;
    const uint32_t missing = out.rank - shape.rank;
    for (uint32_t axis = first; axis < end; axis++)
        if (shape.dims[axis] == out.dims[axis + missing])
            tie_axis(s, value, axis, output, axis + missing);
        else
            mark_axis(s, value, axis);
}

/* Products with a vector are left whole. */
static void live_matmul(shrink_slots *s, const graph_node *node) {
    const uint32_t left = graph_operand(s->g, node, 0);
    const uint32_t right = graph_operand(s->g, node, 1);
    const uint32_t left_rank = s->g->values[left].shape.rank;
    const uint32_t right_rank = s->g->values[right].shape.rank;
    if (left_rank < 2 || right_rank < 2) {
        mark_axes(s, left, 0);
        mark_axes(s, right, 0);
        mark_axes(s, node->output, 0);
        return;
    }
    tie_broadcast(s, left, node->output, 0, left_rank - 1);
    tie_broadcast(s, right, node->output, 0, right_rank - 2);
    tie_axis(s, right, right_rank - 1, node->output, s->g->values[node->output].shape.rank - 1);
    live_sum(s, node);
}

/* ---- what works element by element, or channel by channel ---- */

/* Of what is dead zeros are left, which nothing may be divided by: others multiply what comes
 * of it by zero, and that is no number. */
static void live_divisor(shrink_slots *s, uint32_t value) {
    if (s->g->values[value].constant == GRAPH_VARIES)
        mark_axes(s, value, 0);
}

static void live_binary(shrink_slots *s, const graph_node *node) {
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t from = graph_operand(s->g, node, i);
        tie_broadcast(s, from, node->output, 0, s->g->values[from].shape.rank);
    }
    if (node->binary == GRAPH_DIV)
        live_divisor(s, graph_operand(s->g, node, 1));
    else if (node->binary == GRAPH_POW)
        live_divisor(s, graph_operand(s->g, node, 0));
}

/* Axes from `whole` on are worked along. */
static void live_along(shrink_slots *s, const graph_node *node, uint32_t whole) {
    const uint32_t in = graph_operand(s->g, node, 0);
    tie_axes(s, in, node->output, whole);
    mark_axes(s, in, whole);
    mark_axes(s, node->output, whole);
}

static void live_unary(shrink_slots *s, const graph_node *node) {
    if (node->unary.kind == GRAPH_POWER && node->unary.a < 0.0F)
        live_divisor(s, graph_operand(s->g, node, 0));
    live_along(s, node, s->g->values[node->output].shape.rank);
}

static uint32_t rank_of(const shrink_slots *s, const graph_node *node) {
    return s->g->values[node->output].shape.rank;
}

/* One axis is worked along. */
static void live_beside(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    mark_axis(s, in, node->axis);
    tie_axes(s, in, node->output, rank_of(s, node));
}

/* ---- what moves elements ---- */

static void live_reduce(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    uint32_t to = 0;
    for (uint32_t axis = 0; axis < s->g->values[in].shape.rank; axis++) {
        const bool gone = (node->reduce.axes >> axis & 1U) != 0;
        if (gone)
            mark_axis(s, in, axis);
        else
            tie_axis(s, in, axis, node->output, to);
        if (gone && node->reduce.keeps)
            mark_axis(s, node->output, to);
        to += !gone || node->reduce.keeps;
    }
}

static void live_concat(shrink_slots *s, const graph_node *node) {
    size_t place = 0;
    for (uint32_t k = 0; k < node->operand_count; k++) {
        const uint32_t from = graph_operand(s->g, node, k);
        for (uint32_t axis = 0; axis < rank_of(s, node); axis++)
            tie_run(s, (slot){from, axis, 0},
                    (slot){node->output, axis, axis == node->axis ? place : 0},
                    s->g->values[from].shape.dims[axis]);
        place += s->g->values[from].shape.dims[node->axis];
    }
}

/* Of every second index, and the like, none can go. */
static void live_slice(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    const graph_slice *slice = &node->slice;
    for (uint32_t axis = 0; axis < rank_of(s, node); axis++) {
        if (slice->step[axis] != 1 && slice->step[axis] != -1) {
            mark_axis(s, in, axis);
            mark_axis(s, node->output, axis);
        }
        for (uint32_t i = 0; i < slice->count[axis]; i++) {
            const int64_t place = slice->first[axis] + (int64_t)i * slice->step[axis];
            tie(s, (slot){in, axis, (size_t)place}, (slot){node->output, axis, i});
        }
    }
}

/* Constant padding is as many slots as are read; other padding repeats the input's. */
static void live_pad(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    const graph_pad *pad = &node->pad;
    for (uint32_t axis = 0; axis < rank_of(s, node); axis++) {
        if (pad->kind != GRAPH_PAD_CONSTANT && (pad->begin[axis] | pad->end[axis]) != 0)
            mark_axis(s, node->output, axis);
        tie_run(s, (slot){in, axis, 0}, (slot){node->output, axis, pad->begin[axis]},
                s->g->values[in].shape.dims[axis]);
    }
}

static void live_transpose(shrink_slots *s, const graph_node *node) {
    for (uint32_t axis = 0; axis < rank_of(s, node); axis++)
        tie_axis(s, node->output, axis, graph_operand(s->g, node, 0), node->order[axis]);
}

/* The gathered axis stays whole, and its indices with it. */
static void live_gather(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    const uint32_t indices = graph_operand(s->g, node, 1);
    const uint32_t taken = s->g->values[indices].shape.rank;
    mark_axis(s, in, node->axis);
    mark_axes(s, indices, 0);
    for (uint32_t axis = 0; axis < taken; axis++)
        mark_axis(s, node->output, node->axis + axis);
    tie_axes(s, in, node->output, node->axis);
    for (uint32_t axis = node->axis + 1; axis < s->g->values[in].shape.rank; axis++)
        tie_axis(s, in, axis, node->output, axis + taken - 1);
}

static void live_resize(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    for (uint32_t axis = 0; axis < rank_of(s, node); axis++)
        if (shrink_resize_keeps(s->g, node, axis)) {
            tie_axis(s, in, axis, node->output, axis);
        } else {
            mark_axis(s, in, axis);
            mark_axis(s, node->output, axis);
        }
}

/* Axes [first, end) of one side are one axis of the other: an element of that lives where all
 * its indices do. */
static void tie_product(shrink_slots *s, uint32_t many, uint32_t first, uint32_t end, uint32_t one,
                        uint32_t axis_of_one) {
    const graph_shape shape = s->g->values[many].shape;
    for (size_t f = 0; f < graph_shape_extent(shape, first, end); f++) {
        bool all = true;
        const bool lived = lives(s, one, axis_of_one, f);
        size_t rest = f;
        for (uint32_t axis = end; axis-- > first; rest /= shape.dims[axis]) {
            if (lived)
                mark(s, many, axis, rest % shape.dims[axis]);
            all = all && lives(s, many, axis, rest % shape.dims[axis]);
        }
        if (all)
            mark(s, one, axis_of_one, f);
    }
}

static void live_group(shrink_slots *s, uint32_t in, uint32_t out, const shrink_group *group) {
    const uint32_t in_end = group->in + group->in_count;
    const uint32_t out_end = group->out + group->out_count;
    if (group->out_count == 1 && group->in_count > 0) {
        tie_product(s, in, group->in, in_end, out, group->out);
    } else if (group->in_count == 1 && group->out_count > 0) {
        tie_product(s, out, group->out, out_end, in, group->in);
    } else {
        for (uint32_t axis = group->in; axis < in_end; axis++)
            mark_axis(s, in, axis);
        for (uint32_t axis = group->out; axis < out_end; axis++)
            mark_axis(s, out, axis);
    }
}

static void live_reshape(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    shrink_group group = {0};
    while (shrink_next_group(s->g->values[in].shape, s->g->values[node->output].shape, &group))
        live_group(s, in, node->output, &group);
}

/* ---- the walk ---- */

static void live_node(shrink_slots *s, const graph_node *node) {
    switch (node->op) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
    case GRAPH_INNER_PRODUCT:
        live_layer(s, node);
        break;
    case GRAPH_MATMUL:
        live_matmul(s, node);
        break;
    case GRAPH_RELU:
    case GRAPH_DROPOUT:
        live_along(s, node, rank_of(s, node));
        break;
    case GRAPH_UNARY:
        live_unary(s, node);
        break;
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
    case GRAPH_BATCH_NORMALIZATION:
    case GRAPH_INSTANCE_NORMALIZATION:
        live_along(s, node, rank_of(s, node) == 0 ? 0 : 1);
        break;
    case GRAPH_LRN:
        live_along(s, node, 0);
        break;
    case GRAPH_LAYER_NORMALIZATION:
        live_along(s, node, node->normalization.axis);
        break;
    case GRAPH_SOFTMAX:
    case GRAPH_LOG_SOFTMAX:
        live_beside(s, node);
        break;
    case GRAPH_BINARY:
        live_binary(s, node);
        break;
    case GRAPH_REDUCE:
        live_reduce(s, node);
        break;
    case GRAPH_CONCAT:
        live_concat(s, node);
        break;
    case GRAPH_SLICE:
        live_slice(s, node);
        break;
    case GRAPH_PAD:
        live_pad(s, node);
        break;
    case GRAPH_RESHAPE:
        live_reshape(s, node);
        break;
    case GRAPH_TRANSPOSE:
        live_transpose(s, node);
        break;
    case GRAPH_GATHER:
        live_gather(s, node);
        break;
    case GRAPH_RESIZE:
        live_resize(s, node);
        break;
    case GRAPH_OP_COUNT:
        break;
    }
}

static size_t last_change(const shrink_slots *s, const graph_node *node) {
    size_t last = s->changed[node->output];
    for (uint32_t i = 0; i < node->operand_count; i++) {
        const size_t change = s->changed[graph_operand(s->g, node, i)];
        last = change > last ? change : last;
    }
    return last;
}

/* From the output back, until nothing comes to life; of nodes near which nothing did,
 * nothing new is to be learnt. */
static void spread(shrink_slots *s) {
    size_t seen = 0;
    bool first = true;
    while (first || seen < s->clock) {
        const size_t start = s->clock;
        for (uint32_t n = s->g->node_count; n-- > 0;)
            if (first || last_change(s, &s->g->nodes[n]) > seen)
                live_node(s, &s->g->nodes[n]);
        seen = start;
        first = false;
    }
}

/* ---- what a graph must have ---- */

static void keep_one(shrink_slots *s, uint32_t value) {
    const graph_shape shape = s->g->values[value].shape;
    for (uint32_t axis = 0; axis < shape.rank; axis++)
        if (shrink_living(s, shrink_axis(s, value, axis), shape.dims[axis]) == 0)
            mark(s, value, axis, 0);
}

/* As many live slots in each group that has any of its own: the first dead ones join. */
static void fill_group(shrink_slots *s, uint32_t value, size_t first, size_t size, uint32_t most) {
    uint32_t living = shrink_living(s, shrink_axis(s, value, 0) + first, size);
    for (size_t i = first; i < first + size && living < most; i++) {
        living += !lives(s, value, 0, i);
        mark(s, value, 0, i);
    }
}

static uint32_t largest_group(const shrink_slots *s, uint32_t value, uint32_t groups) {
    const size_t size = s->g->values[value].shape.dims[0] / groups;
    uint32_t most = 0;
    for (uint32_t group = 0; group < groups; group++) {
        const uint32_t living = shrink_living(s, shrink_axis(s, value, 0) + group * size, size);
        most = living > most ? living : most;
    }
    return most;
}

static void even_groups(shrink_slots *s, const graph_node *node) {
    const uint32_t groups = shrink_groups(node);
    const uint32_t sides[2] = {graph_operand(s->g, node, 0), node->output};
    uint32_t most[2];
    size_t size[2];
    for (int k = 0; k < 2; k++) {
        most[k] = largest_group(s, sides[k], groups);
        size[k] = s->g->values[sides[k]].shape.dims[0] / groups;
    }
    for (uint32_t group = 0; group < groups; group++) {
        uint32_t living = 0;
        for (int k = 0; k < 2; k++)
            living += shrink_living(s, shrink_axis(s, sides[k], 0) + group * size[k], size[k]);
        for (int k = 0; k < 2 && living > 0; k++)
            fill_group(s, sides[k], group * size[k], size[k], most[k]);
    }
}

static void complete(shrink_slots *s) {
    for (uint32_t v = 0; v < s->g->value_count; v++)
        keep_one(s, v);
    for (uint32_t n = 0; n < s->g->node_count; n++)
        if (shrink_is_layer(&s->g->nodes[n]) && shrink_groups(&s->g->nodes[n]) > 1)
            even_groups(s, &s->g->nodes[n]);
}

void shrink_find_living(shrink_slots *s, bool whole) {
    mark_axes(s, s->g->input, 0);
    mark_axes(s, s->g->output, 0);
    spread(s);
    for (bool open = whole; open;) {
        const size_t before = s->clock;
        complete(s);
        spread(s);
        open = s->clock > before;
    }
}
