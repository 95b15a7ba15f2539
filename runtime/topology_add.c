/* Whether an operation is one that can be run, and what it makes. */
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "topology.h"

static const rt_shape *shape_of(const rt_topology *t, const rt_node *node, uint32_t operand) {
    return &t->opening->network->values[node->operands[operand]].shape;
}

/* ---- windows ---- */

/* Pixels that the kernel covers, its gaps included. */
static uint64_t covered(const rt_window *w, int axis) {
    return (uint64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

static bool window_is_sound(const rt_window *w) {
    for (int i = 0; i < 2; i++) {
        const uint32_t sizes[3] = {w->kernel[i], w->stride[i], w->dilation[i]};
        for (int k = 0; k < 3; k++)
            if (sizes[k] == 0 || sizes[k] > PACK_DIMENSION_MAX)
                return false;
        if (w->pad[i] > PACK_DIMENSION_MAX || w->pad_end[i] > PACK_DIMENSION_MAX)
            return false;
    }
    return true;
}

/* A size that is too large becomes 0, which no shape may have. */
static uint32_t bounded(uint64_t size) {
    return size > PACK_DIMENSION_MAX ? 0 : (uint32_t)size;
}

static bool window_output(uint32_t in, const rt_window *w, int axis, bool ceil, uint32_t *out) {
    const uint64_t padded = (uint64_t)in + w->pad[axis] + w->pad_end[axis];
    const uint64_t stride = w->stride[axis];
    if (padded < covered(w, axis))
        return false;
    uint64_t size = (padded - covered(w, axis) + (ceil ? stride - 1 : 0)) / stride + 1;
    if (ceil && (size - 1) * stride >= (uint64_t)in + w->pad[axis])
        size--;
    *out = bounded(size);
    return true;
}

/* As the input was: one row of (channels, width) stays so. */
static rt_shape image_like(const rt_shape *in, uint32_t channels, uint32_t height, uint32_t width) {
    const rt_shape row = {2, {channels, width}};
    const rt_shape image = {3, {channels, height, width}};
    return in->rank == 2 && height == 1 ? row : image;
}

static bool window_shape(const rt_shape *in, const rt_window *w, uint32_t channels, bool ceil,
                         rt_shape *out) {
    uint32_t height;
    uint32_t width;
    if (in->rank == 0 || in->rank > 3 || !window_is_sound(w) ||
        !window_output(rt_shape_height(in), w, 0, ceil, &height) ||
        !window_output(rt_shape_width(in), w, 1, ceil, &width))
        return false;
    *out = image_like(in, channels, height, width);
    return true;
}

static bool pool_shape(const rt_shape *in, const rt_pool *pool, rt_shape *out) {
    const rt_window *w = &pool->window;
    if (!window_shape(in, w, rt_shape_channels(in), pool->ceil, out))
        return false;
    for (int i = 0; i < 2; i++) /* no window of padding alone */
        if (w->pad[i] >= covered(w, i) || w->pad_end[i] >= covered(w, i))
            return false;
    return true;
}

static bool transposed_output(uint32_t in, const rt_conv *conv, int axis, uint32_t *out) {
    const rt_window *w = &conv->window;
    const uint64_t made =
        (uint64_t)w->stride[axis] * (in - 1) + covered(w, axis) + conv->output_pad[axis];
    const uint64_t cut = (uint64_t)w->pad[axis] + w->pad_end[axis];
    if (made <= cut || conv->output_pad[axis] > PACK_DIMENSION_MAX)
        return false;
    *out = bounded(made - cut);
    return true;
}

static bool transposed_shape(const rt_shape *in, const rt_conv *conv, uint32_t channels,
                             rt_shape *out) {
    uint32_t height;
    uint32_t width;
    if (in->rank == 0 || in->rank > 3 || !window_is_sound(&conv->window) ||
        !transposed_output(rt_shape_height(in), conv, 0, &height) ||
        !transposed_output(rt_shape_width(in), conv, 1, &width))
        return false;
    *out = image_like(in, channels, height, width);
    return true;
}

static bool groups_fit(const rt_shape *in, const rt_conv *conv, uint32_t outputs) {
    return conv->groups > 0 && rt_shape_channels(in) % conv->groups == 0 &&
           outputs % conv->groups == 0;
}

/* ---- the shapes of others ---- */

static bool matmul_shape(const rt_shape *left, const rt_shape *right, rt_shape *out) {
    rt_shape stacks[2] = {*left, *right};
    if (left->rank == 0 || right->rank == 0 ||
        left->dims[left->rank - 1] != right->dims[right->rank < 2 ? 0 : right->rank - 2])
        return false;
    for (int i = 0; i < 2; i++)
        stacks[i].rank = stacks[i].rank < 2 ? 0 : stacks[i].rank - 2;
    if (!rt_shape_broadcast(&stacks[0], &stacks[1], out))
        return false;
    if (left->rank > 1)
        out->dims[out->rank++] = left->dims[left->rank - 2];
    if (right->rank > 1)
        out->dims[out->rank++] = right->dims[right->rank - 1];
    return true;
}

static bool reduce_shape(const rt_shape *in, const rt_reduce *reduce, rt_shape *out) {
    if (reduce->axes >> in->rank != 0)
        return false;
    for (uint32_t i = 0; i < in->rank; i++) {
        const bool gone = (reduce->axes >> i & 1U) != 0;
        if (!gone || reduce->keeps)
            out->dims[out->rank++] = gone ? 1 : in->dims[i];
    }
    return true;
}

static bool concat_shape(const rt_topology *t, const rt_node *node, rt_shape *out) {
    *out = *shape_of(t, node, 0);
    if (node->as.axis >= out->rank)
        return false;
    for (uint32_t i = 1; i < node->operand_count; i++) {
        rt_shape other = *shape_of(t, node, i);
        const uint32_t dim = other.dims[node->as.axis];
        other.dims[node->as.axis] = out->dims[node->as.axis];
        if (!rt_shape_equal(&other, out) || dim > PACK_DIMENSION_MAX - out->dims[node->as.axis])
            return false;
        out->dims[node->as.axis] += dim;
    }
    return true;
}

static bool slice_shape(const rt_shape *in, const rt_slice *slice, rt_shape *out) {
    out->rank = in->rank;
    for (uint32_t i = 0; i < in->rank; i++) {
        const uint32_t count = slice->count[i];
        if (count == 0 || count > in->dims[i] || slice->step[i] == 0)
            return false;
        const int64_t last = (int64_t)slice->first[i] + (int64_t)slice->step[i] * (count - 1);
        if (slice->first[i] >= in->dims[i] || last < 0 || last >= in->dims[i])
            return false;
        out->dims[i] = count;
    }
    return true;
}

static bool pad_shape(const rt_shape *in, const rt_pad *pad, rt_shape *out) {
    out->rank = in->rank;
    for (uint32_t i = 0; i < in->rank; i++) {
        const uint32_t most = pad->kind == PACK_PAD_REFLECT ? in->dims[i] - 1 : PACK_DIMENSION_MAX;
        if (pad->begin[i] > most || pad->end[i] > most)
            return false;
        out->dims[i] = in->dims[i] + pad->begin[i] + pad->end[i];
    }
    return true;
}

static bool transpose_shape(const rt_shape *in, const uint32_t *order, rt_shape *out) {
    uint32_t seen = 0;
    out->rank = in->rank;
    for (uint32_t i = 0; i < in->rank; i++) {
        if (order[i] >= in->rank || (seen >> order[i] & 1U) != 0)
            return false;
        seen |= 1U << order[i];
        out->dims[i] = in->dims[order[i]];
    }
    return true;
}

static bool gather_shape(const rt_topology *t, const rt_node *node, rt_shape *out) {
    const rt_shape *in = shape_of(t, node, 0);
    const rt_value *by = &t->opening->network->values[node->operands[1]];
    const uint32_t axis = node->as.axis;
    if (axis >= in->rank || by->index_dim == 0 || by->index_dim > in->dims[axis] ||
        in->rank - 1 + by->shape.rank > PACK_RANK_MAX)
        return false;
    for (uint32_t i = 0; i < axis; i++)
        out->dims[out->rank++] = in->dims[i];
    for (uint32_t i = 0; i < by->shape.rank; i++)
        out->dims[out->rank++] = by->shape.dims[i];
    for (uint32_t i = axis + 1; i < in->rank; i++)
        out->dims[out->rank++] = in->dims[i];
    return true;
}

static bool resize_shape(const rt_shape *in, const rt_resize *resize, rt_shape *out) {
    out->rank = in->rank;
    for (uint32_t i = 0; i < in->rank; i++) {
        if (!(resize->scale[i] > 0.0F) || !isfinite(resize->scale[i]))
            return false;
        out->dims[i] = resize->size[i];
    }
    return true;
}

static bool binary_shape(const rt_topology *t, const rt_node *node, rt_shape *out) {
    const rt_shape *left = shape_of(t, node, 0);
    return rt_shape_broadcast(left, shape_of(t, node, 1), out) &&
           (node->as.binary != PACK_BINARY_PRELU || rt_shape_equal(left, out));
}

/* ---- numbers ---- */

static bool epsilon_is_sound(float epsilon) {
    return epsilon > 0.0F && isfinite(epsilon);
}

static bool numbers_are_sound(const rt_topology *t, const rt_node *node) {
    const rt_lrn *lrn = &node->as.lrn;
    const rt_shape *in = shape_of(t, node, 0);
    switch (node->op) {
    case PACK_OP_BATCH_NORMALIZATION:
        return epsilon_is_sound(node->as.normalization.epsilon) &&
               !t->opening->network->values[node->operands[0]].fixed;
    case PACK_OP_INSTANCE_NORMALIZATION:
        return epsilon_is_sound(node->as.normalization.epsilon);
    case PACK_OP_LAYER_NORMALIZATION:
        return epsilon_is_sound(node->as.normalization.epsilon) &&
               node->as.normalization.axis < in->rank;
    case PACK_OP_LRN:
        return in->rank > 0 && lrn->size > 0 && isfinite(lrn->alpha) && isfinite(lrn->beta) &&
               isfinite(lrn->bias);
    case PACK_OP_UNARY:
        return !isnan(node->as.unary.a) && !isnan(node->as.unary.b);
    case PACK_OP_SOFTMAX:
    case PACK_OP_LOG_SOFTMAX:
        return node->as.axis < in->rank;
    default: /* they have none, or the shape was found by them */
        return true;
    }
}

/* What the operation makes, with dims of 0 where it is too large; false where there is none. */
static bool find_shape(const rt_topology *t, const rt_item *item, rt_shape *out) {
    const rt_node *node = &item->node;
    const rt_shape *in = shape_of(t, node, 0);
    switch (item->code) {
    case PACK_OP_CONV:
        return window_shape(in, &node->as.conv.window, item->outputs, false, out) &&
               groups_fit(in, &node->as.conv, item->outputs);
    case PACK_OP_TRANSPOSED_CONV:
        return transposed_shape(in, &node->as.conv, item->outputs, out) &&
               groups_fit(in, &node->as.conv, item->outputs);
    case PACK_OP_INNER_PRODUCT:
        out->rank = 1;
        out->dims[0] = item->outputs;
        return true;
    case PACK_OP_MAXPOOL:
    case PACK_OP_AVERAGE_POOL:
        return pool_shape(in, &node->as.pool, out);
    case PACK_OP_MATMUL:
        return matmul_shape(in, shape_of(t, node, 1), out);
    case PACK_OP_BINARY:
        return binary_shape(t, node, out);
    case PACK_OP_REDUCE:
        return reduce_shape(in, &node->as.reduce, out);
    case PACK_OP_CONCAT:
        return concat_shape(t, node, out);
    case PACK_OP_SLICE:
        return slice_shape(in, &node->as.slice, out);
    case PACK_OP_PAD:
        return pad_shape(in, &node->as.pad, out);
    case PACK_OP_RESHAPE:
        *out = item->shape;
        return rt_shape_is_sound(out) && rt_shape_count(out) == rt_shape_count(in);
    case PACK_OP_TRANSPOSE:
        return transpose_shape(in, node->as.order, out);
    case PACK_OP_GATHER:
        return gather_shape(t, node, out);
    case PACK_OP_RESIZE:
        return resize_shape(in, &node->as.resize, out);
    default:
        *out = *in;
        return numbers_are_sound(t, node);
    }
}

/* ---- parameters ---- */

static admmnn_runtime_status add_tensor(rt_topology *t, uint8_t kind, uint64_t rows,
                                        uint64_t columns, rt_tensor **out) {
    if (rows > UINT32_MAX || columns > UINT32_MAX || rows * columns > PACK_PARAMETERS_MAX)
        return rt_topology_corrupt(t, "more parameters than a file may describe");
    t->flat += (rows * columns + PACK_PARAMETER_ALIGNMENT - 1) / PACK_PARAMETER_ALIGNMENT *
               PACK_PARAMETER_ALIGNMENT;
    if (t->flat > PACK_PARAMETERS_MAX)
        return rt_topology_corrupt(t, "more parameters than a file may describe");
    rt_tensor *tensor = rt_take(t->opening->memory, 1, sizeof *tensor);
    if (tensor == NULL)
        return rt_topology_memory(t);
    tensor->kind = kind;
    tensor->rows = (uint32_t)rows;
    tensor->columns = (uint32_t)columns;
    tensor->block = tensor->width = 1;
    *t->next_tensor = tensor;
    t->next_tensor = &tensor->next;
    *out = tensor;
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status add_conv_weights(rt_topology *t, rt_node *node, uint32_t outputs) {
    const rt_window *w = &node->as.conv.window;
    const uint64_t block = (uint64_t)w->kernel[0] * w->kernel[1];
    const uint64_t inputs = rt_shape_channels(shape_of(t, node, 0)) / node->as.conv.groups;
    RT_TRY(add_tensor(t, PACK_PARAMETER_WEIGHT, outputs, inputs * block, &node->weight));
    node->weight->block = (uint32_t)block; /* at most the columns */
    node->weight->width = w->kernel[1];
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status add_product_weights(rt_topology *t, rt_node *node, uint32_t outputs) {
    const rt_shape *in = shape_of(t, node, 0);
    RT_TRY(add_tensor(t, PACK_PARAMETER_WEIGHT, outputs, rt_shape_count(in), &node->weight));
    node->weight->block = node->weight->columns / rt_shape_channels(in);
    node->weight->width = rt_shape_width(in);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status add_normalization(rt_topology *t, rt_node *node, size_t count) {
    rt_normalization *n = &node->as.normalization;
    RT_TRY(add_tensor(t, PACK_PARAMETER_SCALE, count, 1, &n->scale));
    RT_TRY(add_tensor(t, PACK_PARAMETER_SHIFT, count, 1, &n->shift));
    if (node->op != PACK_OP_BATCH_NORMALIZATION)
        return ADMMNN_RUNTIME_OK;
    RT_TRY(add_tensor(t, PACK_PARAMETER_MEAN, count, 1, &n->mean));
    return add_tensor(t, PACK_PARAMETER_VARIANCE, count, 1, &n->variance);
}

/* The weight among a matmul's operands becomes its own, unless it is another's. */
static void take_weight(const rt_topology *t, rt_node *node) {
    for (uint32_t i = 0; i < 2 && node->weight == NULL; i++) {
        rt_tensor *tensor = t->opening->network->values[node->operands[i]].tensor;
        if (tensor == NULL || tensor->kind != PACK_PARAMETER_WEIGHT || tensor->taken)
            continue;
        tensor->taken = true;
        node->weight = tensor;
    }
}

static admmnn_runtime_status add_parameters(rt_topology *t, rt_node *node, const rt_item *item) {
    const rt_shape *in = shape_of(t, node, 0);
    switch (node->op) {
    case PACK_OP_CONV:
    case PACK_OP_TRANSPOSED_CONV:
        RT_TRY(add_conv_weights(t, node, item->outputs));
        break;
    case PACK_OP_INNER_PRODUCT:
        RT_TRY(add_product_weights(t, node, item->outputs));
        break;
    case PACK_OP_BATCH_NORMALIZATION:
    case PACK_OP_INSTANCE_NORMALIZATION:
        return add_normalization(t, node, rt_shape_channels(in));
    case PACK_OP_LAYER_NORMALIZATION:
        return add_normalization(t, node,
                                 rt_shape_extent(in, node->as.normalization.axis, in->rank));
    case PACK_OP_MATMUL:
        take_weight(t, node);
        return ADMMNN_RUNTIME_OK;
    default:
        return ADMMNN_RUNTIME_OK;
    }
    if (!item->biased)
        return ADMMNN_RUNTIME_OK;
    return add_tensor(t, PACK_PARAMETER_BIAS, item->outputs, 1, &node->bias);
}

/* ---- values ---- */

static rt_node *make_node(const rt_topology *t, const rt_item *item) {
    const size_t bytes = item->node.operand_count * sizeof *item->node.operands;
    rt_node *node = rt_take(t->opening->memory, 1, sizeof *node);
    uint32_t *operands = rt_take(t->opening->memory, 1, bytes);
    if (node == NULL || operands == NULL)
        return NULL;
    *node = item->node;
    memcpy(operands, item->node.operands, bytes);
    node->operands = operands;
    return node;
}

admmnn_runtime_status rt_topology_add(rt_topology *t, const rt_item *item) {
    rt_value *value = &t->opening->network->values[t->values];
    rt_shape shape = {0, {0}};
    for (uint32_t i = 0; i < item->node.operand_count; i++)
        if (item->node.operands[i] >= t->values)
            return rt_topology_corrupt(t, "an operand that is not there");
    if (!find_shape(t, item, &shape) || !rt_shape_is_sound(&shape))
        return rt_topology_corrupt(t, "an operation that does not fit what it reads");
    value->shape = shape;
    value->node = make_node(t, item);
    if (value->node == NULL)
        return rt_topology_memory(t);
    RT_TRY(add_parameters(t, value->node, item));
    rt_topology_put_name(t, item->name);
    t->values++;
    return ADMMNN_RUNTIME_OK;
}

/* Told once for all gathers by it: the largest and one more; 0 where one is no whole number
 * from 0 to below the largest dim. */
static uint32_t find_index_dim(const float *data, size_t count) {
    float largest = 0.0F;
    for (size_t i = 0; i < count; i++) {
        if (!(data[i] >= 0.0F && data[i] < (float)PACK_DIMENSION_MAX) || data[i] != floorf(data[i]))
            return 0;
        largest = data[i] > largest ? data[i] : largest;
    }
    return (uint32_t)largest + 1;
}

admmnn_runtime_status rt_topology_add_constant(rt_topology *t, const rt_item *item) {
    rt_value *value = &t->opening->network->values[t->values];
    if (!rt_shape_is_sound(&item->shape) ||
        rt_shape_count(&item->shape) > (t->in->count - t->in->at) / 4)
        return rt_topology_corrupt(t, "a constant ends early");
    const size_t count = rt_shape_count(&item->shape);
    float *data = rt_take(t->opening->memory, count, sizeof *data);
    if (data == NULL)
        return rt_topology_memory(t);
    for (size_t i = 0; i < count; i++)
        data[i] = rt_read_f32(t->in);
    value->shape = item->shape;
    value->data = data;
    value->index_dim = find_index_dim(data, count);
    value->fixed = true;
    t->values++;
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_topology_add_parameter(rt_topology *t, const rt_item *item, uint8_t kind) {
    rt_value *value = &t->opening->network->values[t->values];
    const rt_shape *shape = &item->shape;
    if (!rt_shape_is_sound(shape))
        return rt_topology_corrupt(t, "a parameter of an impossible shape");
    const uint32_t split = shape->rank == 0 ? 0 : shape->rank - 1;
    RT_TRY(add_tensor(t, kind, rt_shape_extent(shape, 0, split),
                      rt_shape_extent(shape, split, shape->rank), &value->tensor));
    value->shape = *shape;
    value->fixed = true;
    t->values++;
    return ADMMNN_RUNTIME_OK;
}
