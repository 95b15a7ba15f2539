/* What is one number for all samples and all elements of a slot, from the input on. */
#include <math.h>
#include <string.h>

#include "graph/shrink_slots.h"
#include "graph/unary.h"

static float *constants(shrink_slots *s, uint32_t value, uint32_t axis) {
    return s->constant + shrink_axis(s, value, axis);
}

static bool is_constant(float number) {
    return !isnan(number);
}

/* Infinite numbers would make others of zeros. */
static float finite(double number) {
    return isfinite((float)number) ? (float)number : NAN;
}

/* The common number of two slots. */
static float common(float a, float b) {
    return a == b ? a : NAN;
}

static bool is_zero(const uint8_t *mask, size_t place, size_t count) {
    return !shrink_any(mask + place, count);
}

/* A parameter's number, as far as it is known. */
static float parameter_at(const shrink_slots *s, uint32_t parameter, size_t i) {
    const size_t at = s->g->parameters[parameter].offset + i;
    if (s->mask[at] == 0)
        return 0.0F;
    return s->params == NULL || (s->zeros && s->params[at] != 0.0F) ? NAN : s->params[at];
}

/* ---- values that no node makes ---- */

/* All elements of each slot alike: the first is taken, and any other ends it. */
static void join_elements(shrink_slots *s, uint32_t value, const float *known, uint32_t parameter) {
    const graph_shape shape = s->g->values[value].shape;
    for (uint32_t axis = 0; axis <= shape.rank; axis++) {
        float *out = constants(s, value, axis);
        const size_t after = axis == shape.rank ? graph_shape_count(shape)
                                                : graph_shape_extent(shape, axis + 1, shape.rank);
        const size_t dim = axis == shape.rank ? 1 : shape.dims[axis];
        for (size_t i = 0; i < graph_shape_count(shape); i++) {
            const float element = known != NULL ? known[i] : parameter_at(s, parameter, i);
            const size_t slot = i / after % dim;
            out[slot] = i == slot * after ? finite((double)element) : common(out[slot], element);
        }
    }
}

static void find_given(shrink_slots *s, uint32_t value) {
    const graph_value *given = &s->g->values[value];
    if (given->constant != GRAPH_VARIES)
        join_elements(s, value, s->g->constants + given->constant, GRAPH_NONE);
    else if (given->parameter != GRAPH_NONE)
        join_elements(s, value, NULL, given->parameter);
}

/* ---- layers ---- */

/* A filter or unit without weights makes its bias. */
static void find_layer(shrink_slots *s, const graph_node *node) {
    const graph_parameter *weight = &s->g->parameters[node->weight];
    float *out = constants(s, node->output, 0);
    for (size_t row = 0; row < weight->rows; row++)
        if (is_zero(s->mask, weight->offset + row * weight->columns, weight->columns))
            out[row] =
                node->bias == GRAPH_NONE ? 0.0F : finite((double)parameter_at(s, node->bias, row));
}

/* Rows and columns of zeros, and matrices of them, make zeros. */
static void find_matmul(shrink_slots *s, const graph_node *node) {
    const graph_shape out = s->g->values[node->output].shape;
    for (uint32_t side = 0; side < 2; side++) {
        const uint32_t from = graph_operand(s->g, node, side);
        const graph_shape shape = s->g->values[from].shape;
        const graph_shape other = graph_operand_shape(s->g, node, 1 - side);
        if (shape.rank < 2 || other.rank < 2)
            continue;
        for (uint32_t axis = 0; axis < shape.rank; axis++) {
            const uint32_t to = axis + out.rank - shape.rank;
            if (axis == shape.rank - 1 - side || shape.dims[axis] != out.dims[to])
                continue;
            const float *x = constants(s, from, axis);
            float *y = constants(s, node->output, to);
            for (uint32_t i = 0; i < out.dims[to]; i++)
                if (x[i] == 0.0F)
                    y[i] = 0.0F;
        }
    }
}

/* ---- element by element ---- */

static float of_binary(graph_binary_kind kind, float x, float z) {
    const double a = (double)x;
    const double b = (double)z;
    if (kind == GRAPH_MUL && (x == 0.0F || z == 0.0F))
        return 0.0F;
    if (kind == GRAPH_PRELU && x >= 0.0F)
        return x;
    if (!is_constant(x) || !is_constant(z))
        return NAN;
    switch (kind) {
    case GRAPH_ADD:
        return finite(a + b);
    case GRAPH_SUB:
        return finite(a - b);
    case GRAPH_MUL:
    case GRAPH_PRELU:
        return finite(a * b);
    case GRAPH_DIV:
        return finite(a / b);
    case GRAPH_POW:
        return finite(pow(a, b));
    case GRAPH_BINARY_COUNT:
        break;
    }
    return NAN;
}

/* The number of the operand's elements that slot i of the output's axis reads. */
static float broadcast(shrink_slots *s, uint32_t value, graph_shape out, uint32_t axis,
                       uint32_t i) {
    const graph_shape shape = s->g->values[value].shape;
    const uint32_t missing = out.rank - shape.rank;
    if (axis < missing || shape.dims[axis - missing] != out.dims[axis])
        return *constants(s, value, shape.rank);
    return constants(s, value, axis - missing)[i];
}

static void find_binary(shrink_slots *s, const graph_node *node) {
    const graph_shape out = s->g->values[node->output].shape;
    for (uint32_t axis = 0; axis < out.rank; axis++)
        for (uint32_t i = 0; i < out.dims[axis]; i++)
            constants(s, node->output, axis)[i] =
                of_binary(node->binary, broadcast(s, graph_operand(s->g, node, 0), out, axis, i),
                          broadcast(s, graph_operand(s->g, node, 1), out, axis, i));
}

/* What the operation makes of one number in every element. */
static float of_element(const graph_node *node, float x) {
    if (node->op == GRAPH_RELU)
        return x < 0.0F ? 0.0F : x;
    return node->op == GRAPH_UNARY ? finite(graph_unary_value(&node->unary, (double)x)) : x;
}

static void find_element(shrink_slots *s, const graph_node *node) {
    const graph_shape shape = s->g->values[node->output].shape;
    for (uint32_t axis = 0; axis < shape.rank; axis++) {
        const float *x = constants(s, graph_operand(s->g, node, 0), axis);
        float *y = constants(s, node->output, axis);
        for (uint32_t i = 0; i < shape.dims[axis]; i++)
            y[i] = is_constant(x[i]) ? of_element(node, x[i]) : NAN;
    }
}

/* ---- by channel ---- */

/* Padding of a pooling is nothing, or zeros that an average counts. A dilated window may see
 * nothing but padding. */
static float pooled(const graph_node *node, float x) {
    const graph_window *w = &node->pool.window;
    if (x == 0.0F && node->op == GRAPH_AVERAGE_POOL)
        return x;
    if (shrink_is_padded(node) &&
        (node->pool.counts_padding || w->dilation[0] > 1 || w->dilation[1] > 1))
        return NAN;
    return x;
}

static float of_batch(const shrink_slots *s, const graph_normalization *n, size_t channel,
                      float x) {
    const double scale = (double)parameter_at(s, n->scale, channel);
    const double shift = (double)parameter_at(s, n->shift, channel);
    if (scale == 0.0)
        return finite(shift);
    if (!is_constant(x))
        return NAN;
    const double mean = (double)parameter_at(s, n->mean, channel);
    const double variance = (double)parameter_at(s, n->variance, channel);
    return finite(((double)x - mean) / sqrt(variance + (double)n->epsilon) * scale + shift);
}

/* What is the same everywhere is its own mean. */
static float of_instance(const shrink_slots *s, const graph_normalization *n, size_t channel,
                         float x) {
    const bool flat = is_constant(x) || parameter_at(s, n->scale, channel) == 0.0F;
    return flat ? finite((double)parameter_at(s, n->shift, channel)) : NAN;
}

/* A channel of zeros stays one, though its neighbours see it. */
static float of_lrn(const graph_lrn *lrn, float x) {
    return x == 0.0F && lrn->bias > 0.0F && lrn->alpha >= 0.0F ? 0.0F : NAN;
}

static float of_channel(const shrink_slots *s, const graph_node *node, size_t channel, float x) {
    switch (node->op) {
    case GRAPH_BATCH_NORMALIZATION:
        return of_batch(s, &node->normalization, channel, x);
    case GRAPH_INSTANCE_NORMALIZATION:
        return of_instance(s, &node->normalization, channel, x);
    case GRAPH_LRN:
        return of_lrn(&node->lrn, x);
    default: /* a pooling */
        return pooled(node, x);
    }
}

static void find_channels(shrink_slots *s, const graph_node *node) {
    const graph_shape shape = s->g->values[node->output].shape;
    const float *x = constants(s, graph_operand(s->g, node, 0), 0);
    float *y = constants(s, node->output, 0);
    for (uint32_t c = 0; c < graph_shape_channels(shape) && shape.rank > 0; c++)
        y[c] = of_channel(s, node, c, x[c]);
}

/* ---- axis by axis ---- */

static void find_reduce(shrink_slots *s, const graph_node *node) {
    const uint32_t from = graph_operand(s->g, node, 0);
    const graph_shape in = s->g->values[from].shape;
    size_t reduced = 1;
    for (uint32_t axis = 0; axis < in.rank; axis++)
        reduced *= (node->reduce.axes >> axis & 1U) != 0 ? in.dims[axis] : 1;
    const double times = node->reduce.kind == GRAPH_REDUCE_SUM ? (double)reduced : 1.0;
    uint32_t to = 0;
    for (uint32_t axis = 0; axis < in.rank; axis++) {
        const bool gone = (node->reduce.axes >> axis & 1U) != 0;
        for (uint32_t i = 0; i < in.dims[axis] && !gone; i++)
            constants(s, node->output, to)[i] = finite((double)constants(s, from, axis)[i] * times);
        to += !gone || node->reduce.keeps;
    }
}

static void find_concat(shrink_slots *s, const graph_node *node) {
    const graph_shape out = s->g->values[node->output].shape;
    size_t place = 0;
    for (uint32_t k = 0; k < node->operand_count; k++) {
        const uint32_t from = graph_operand(s->g, node, k);
        for (uint32_t axis = 0; axis < out.rank; axis++) {
            const float *x = constants(s, from, axis);
            float *y = constants(s, node->output, axis) + (axis == node->axis ? place : 0);
            for (uint32_t i = 0; i < s->g->values[from].shape.dims[axis]; i++)
                y[i] = axis == node->axis || k == 0 ? x[i] : common(x[i], y[i]);
        }
        place += s->g->values[from].shape.dims[node->axis];
    }
}

static void find_slice(shrink_slots *s, const graph_node *node) {
    const graph_shape out = s->g->values[node->output].shape;
    const graph_slice *slice = &node->slice;
    for (uint32_t axis = 0; axis < out.rank; axis++)
        for (uint32_t i = 0; i < out.dims[axis]; i++) {
            const int64_t place = slice->first[axis] + (int64_t)i * slice->step[axis];
            constants(s, node->output, axis)[i] =
                constants(s, graph_operand(s->g, node, 0), axis)[place];
        }
}

/* Whether another axis is padded, whose padding is a part of this one's slots. */
static bool is_padded_beside(const graph_pad *pad, uint32_t rank, uint32_t axis) {
    for (uint32_t i = 0; i < rank; i++)
        if (i != axis && (pad->begin[i] | pad->end[i]) != 0)
            return true;
    return false;
}

static void find_pad(shrink_slots *s, const graph_node *node) {
    const uint32_t from = graph_operand(s->g, node, 0);
    const graph_shape in = s->g->values[from].shape;
    const graph_pad *pad = &node->pad;
    for (uint32_t axis = 0; axis < in.rank && pad->kind == GRAPH_PAD_CONSTANT; axis++) {
        const float *x = constants(s, from, axis);
        float *y = constants(s, node->output, axis);
        const uint32_t begin = pad->begin[axis];
        const bool beside = is_padded_beside(pad, in.rank, axis);
        for (uint32_t i = 0; i < begin + in.dims[axis] + pad->end[axis]; i++)
            y[i] = finite((double)pad->value);
        for (uint32_t i = 0; i < in.dims[axis]; i++)
            y[begin + i] = beside ? common(x[i], pad->value) : x[i];
    }
}

static void find_transpose(shrink_slots *s, const graph_node *node) {
    const graph_shape out = s->g->values[node->output].shape;
    for (uint32_t axis = 0; axis < out.rank; axis++)
        memcpy(constants(s, node->output, axis),
               constants(s, graph_operand(s->g, node, 0), node->order[axis]),
               out.dims[axis] * sizeof(float));
}

/* Axes that a resize leaves alone; means of one number are that number. */
static void find_resize(shrink_slots *s, const graph_node *node) {
    const uint32_t from = graph_operand(s->g, node, 0);
    const graph_shape in = s->g->values[from].shape;
    for (uint32_t axis = 0; axis < in.rank; axis++)
        if (shrink_resize_keeps(s->g, node, axis))
            memcpy(constants(s, node->output, axis), constants(s, from, axis),
                   in.dims[axis] * sizeof(float));
}

/* ---- reshapes ---- */

/* Several axes become one: an element's slot is constant where one of its axes' is. */
static void merge_axes(shrink_slots *s, uint32_t in, uint32_t out, const shrink_group *group) {
    const graph_shape shape = s->g->values[in].shape;
    const size_t count = graph_shape_extent(shape, group->in, group->in + group->in_count);
    float *y = constants(s, out, group->out);
    for (size_t f = 0; f < count; f++) {
        size_t rest = f;
        for (uint32_t axis = group->in + group->in_count; axis-- > group->in;) {
            const float x = constants(s, in, axis)[rest % shape.dims[axis]];
            y[f] = is_constant(x) ? x : y[f];
            rest /= shape.dims[axis];
        }
    }
}

/* One axis becomes several: a slot is constant where all of its elements are the same. */
static void split_axis(shrink_slots *s, uint32_t in, uint32_t out, const shrink_group *group) {
    const graph_shape shape = s->g->values[out].shape;
    const uint32_t end = group->out + group->out_count;
    const float *x = constants(s, in, group->in);
    for (uint32_t axis = group->out; axis < end; axis++) {
        const size_t after = graph_shape_extent(shape, axis + 1, end);
        float *y = constants(s, out, axis);
        for (size_t f = 0; f < graph_shape_extent(shape, group->out, end); f++) {
            const size_t i = f / after % shape.dims[axis];
            y[i] = f == i * after ? x[f] : common(y[i], x[f]);
        }
    }
}

static void find_reshape(shrink_slots *s, const graph_node *node) {
    const uint32_t in = graph_operand(s->g, node, 0);
    shrink_group group = {0};
    while (shrink_next_group(s->g->values[in].shape, s->g->values[node->output].shape, &group)) {
        if (group.out_count == 1 && group.in_count > 0)
            merge_axes(s, in, node->output, &group);
        else if (group.in_count == 1 && group.out_count > 0)
            split_axis(s, in, node->output, &group);
    }
}

/* ---- the walk ---- */

static void find_node(shrink_slots *s, const graph_node *node) {
    switch (node->op) {
    case GRAPH_CONV:
    case GRAPH_TRANSPOSED_CONV:
    case GRAPH_INNER_PRODUCT:
        find_layer(s, node);
        break;
    case GRAPH_MATMUL:
        find_matmul(s, node);
        break;
    case GRAPH_RELU:
    case GRAPH_UNARY:
    case GRAPH_DROPOUT:
        find_element(s, node);
        break;
    case GRAPH_BINARY:
        find_binary(s, node);
        break;
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
    case GRAPH_BATCH_NORMALIZATION:
    case GRAPH_INSTANCE_NORMALIZATION:
    case GRAPH_LRN:
        find_channels(s, node);
        break;
    case GRAPH_REDUCE:
        find_reduce(s, node);
        break;
    case GRAPH_CONCAT:
        find_concat(s, node);
        break;
    case GRAPH_SLICE:
        find_slice(s, node);
        break;
    case GRAPH_PAD:
        find_pad(s, node);
        break;
    case GRAPH_RESHAPE:
        find_reshape(s, node);
        break;
    case GRAPH_TRANSPOSE:
        find_transpose(s, node);
        break;
    case GRAPH_RESIZE:
        find_resize(s, node);
        break;
    case GRAPH_LAYER_NORMALIZATION: /* these mix the slots of an axis */
    case GRAPH_SOFTMAX:
    case GRAPH_LOG_SOFTMAX:
    case GRAPH_GATHER:
    case GRAPH_OP_COUNT:
        break;
    }
}

/* Of a whole value, all slots of an axis alike. */
static void join_slots(shrink_slots *s, uint32_t value) {
    const graph_shape shape = s->g->values[value].shape;
    for (uint32_t axis = 0; axis < shape.rank; axis++) {
        const float *of_axis = constants(s, value, axis);
        float all = of_axis[0];
        for (uint32_t i = 1; i < shape.dims[axis]; i++)
            all = common(all, of_axis[i]);
        if (is_constant(all))
            *constants(s, value, shape.rank) = all;
    }
}

static void find_constants(shrink_slots *s) {
    const graph *g = s->g;
    for (size_t i = 0; i < s->first[g->value_count]; i++)
        s->constant[i] = NAN;
    for (uint32_t v = 0; v < g->value_count; v++) {
        if (g->values[v].producer == GRAPH_NONE)
            find_given(s, v);
        else
            find_node(s, &g->nodes[g->values[v].producer]);
        join_slots(s, v);
    }
}

void shrink_find_constants(shrink_slots *s) {
    s->zeros = true;
    find_constants(s);
    memcpy(s->lasting, s->constant, s->first[s->g->value_count] * sizeof *s->lasting);
    s->zeros = false;
    find_constants(s);
}
