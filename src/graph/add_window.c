/* Adding convolutions and poolings. */
#include "base/memory.h"
#include "graph/build.h"

/* Pixels that the kernel covers, its gaps included. */
static uint64_t covered(const graph_window *w, int axis) {
    return (uint64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

static bool window_is_sound(const graph_window *w) {
    for (int i = 0; i < 2; i++) {
        const uint32_t sizes[3] = {w->kernel[i], w->stride[i], w->dilation[i]};
        for (int k = 0; k < 3; k++)
            if (sizes[k] == 0 || sizes[k] > GRAPH_DIMENSION_MAX)
                return false;
        if (w->pad[i] > GRAPH_DIMENSION_MAX || w->pad_end[i] > GRAPH_DIMENSION_MAX)
            return false;
    }
    return true;
}

static bool window_output(uint32_t in, const graph_window *w, int axis, bool ceil, uint32_t *out) {
    const uint64_t padded = (uint64_t)in + w->pad[axis] + w->pad_end[axis];
    const uint64_t stride = w->stride[axis];
    if (padded < covered(w, axis))
        return false;
    uint64_t size = (padded - covered(w, axis) + (ceil ? stride - 1 : 0)) / stride + 1;
    if (ceil && (size - 1) * stride >= (uint64_t)in + w->pad[axis])
        size--;
    *out = size > GRAPH_DIMENSION_MAX ? 0 : (uint32_t)size; /* 0: refused with the shape */
    return true;
}

static admmnn_status fail_window(const graph_node *node, const graph_window *w, graph_shape in,
                                 admmnn_error *err) {
    return base_fail(err, ADMMNN_INPUT,
                     "node %s: window %ux%u (stride %ux%u, pad %ux%u) does not fit its input %ux%u",
                     node->name, w->kernel[0], w->kernel[1], w->stride[0], w->stride[1], w->pad[0],
                     w->pad[1], graph_shape_height(in), graph_shape_width(in));
}

/* As the input was: one row of (channels, width) stays so. */
static graph_shape image_like(graph_shape in, uint32_t channels, uint32_t height, uint32_t width) {
    if (in.rank == 2 && height == 1)
        return (graph_shape){2, {channels, width}};
    return graph_shape_image(channels, height, width);
}

static admmnn_status window_shape(const graph_node *node, const graph_window *w, graph_shape in,
                                  uint32_t channels, bool ceil, graph_shape *out,
                                  admmnn_error *err) {
    uint32_t height;
    uint32_t width;
    if (in.rank == 0 || in.rank > 3 || !window_is_sound(w) ||
        !window_output(graph_shape_height(in), w, 0, ceil, &height) ||
        !window_output(graph_shape_width(in), w, 1, ceil, &width))
        return fail_window(node, w, in, err);
    *out = image_like(in, channels, height, width);
    return ADMMNN_OK;
}

/* ---- convolutions ---- */

static admmnn_status check_groups(const graph_node *node, graph_shape in, uint32_t filters,
                                  admmnn_error *err) {
    const uint32_t groups = node->conv.groups;
    if (groups > 0 && graph_shape_channels(in) % groups == 0 && filters % groups == 0)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "node %s: %u groups do not divide %u channels and %u filters", node->name,
                     groups, graph_shape_channels(in), filters);
}

static admmnn_status close_conv(graph *g, graph_node *node, graph_shape in, uint32_t filters,
                                graph_shape shape, uint32_t *out, admmnn_error *err) {
    const graph_window *w = &node->conv.window;
    size_t columns = (size_t)graph_shape_channels(in) / node->conv.groups * w->kernel[0];
    if (!base_multiply(columns, w->kernel[1], &columns))
        return base_fail(err, ADMMNN_INPUT, "node %s: kernel too large", node->name);
    const build_parameter wanted[] = {{GRAPH_WEIGHT, filters, columns, &node->weight},
                                      {GRAPH_BIAS, filters, 1, &node->bias}};
    return build_close(g, shape, wanted, node->conv.biased ? 2 : 1, out, err);
}

admmnn_status graph_add_conv(graph *g, const char *name, uint32_t in, uint32_t filters,
                             graph_conv conv, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    graph_shape shape;
    BASE_TRY(build_open(g, GRAPH_CONV, name, &in, 1, &node, err));
    node->conv = conv;
    const graph_shape from = g->values[in].shape;
    BASE_TRY(window_shape(node, &conv.window, from, filters, false, &shape, err));
    BASE_TRY(check_groups(node, from, filters, err));
    return close_conv(g, node, from, filters, shape, out, err);
}

static bool transposed_output(uint32_t in, const graph_conv *conv, int axis, uint32_t *out) {
    const graph_window *w = &conv->window;
    const uint64_t made =
        (uint64_t)w->stride[axis] * (in - 1) + covered(w, axis) + conv->output_pad[axis];
    const uint64_t cut = (uint64_t)w->pad[axis] + w->pad_end[axis];
    if (made <= cut || conv->output_pad[axis] > GRAPH_DIMENSION_MAX)
        return false;
    *out = made - cut > GRAPH_DIMENSION_MAX ? 0 : (uint32_t)(made - cut);
    return true;
}

admmnn_status graph_add_transposed_conv(graph *g, const char *name, uint32_t in, uint32_t filters,
                                        graph_conv conv, uint32_t *out, admmnn_error *err) {
    graph_node *node;
    uint32_t height;
    uint32_t width;
    BASE_TRY(build_open(g, GRAPH_TRANSPOSED_CONV, name, &in, 1, &node, err));
    node->conv = conv;
    const graph_shape from = g->values[in].shape;
    if (from.rank == 0 || from.rank > 3 || !window_is_sound(&conv.window) ||
        !transposed_output(graph_shape_height(from), &conv, 0, &height) ||
        !transposed_output(graph_shape_width(from), &conv, 1, &width))
        return fail_window(node, &conv.window, from, err);
    BASE_TRY(check_groups(node, from, filters, err));
    return close_conv(g, node, from, filters, image_like(from, filters, height, width), out, err);
}

/* ---- poolings ---- */

static admmnn_status add_pool(graph *g, graph_op op, const char *name, uint32_t in, graph_pool pool,
                              uint32_t *out, admmnn_error *err) {
    graph_node *node;
    graph_shape shape;
    BASE_TRY(build_open(g, op, name, &in, 1, &node, err));
    node->pool = pool;
    const graph_window *w = &pool.window;
    const graph_shape from = g->values[in].shape;
    BASE_TRY(window_shape(node, w, from, graph_shape_channels(from), pool.ceil, &shape, err));
    for (int i = 0; i < 2; i++) /* no window of padding alone */
        if (w->pad[i] >= covered(w, i) || w->pad_end[i] >= covered(w, i))
            return fail_window(node, w, from, err);
    return build_close(g, shape, NULL, 0, out, err);
}

admmnn_status graph_add_maxpool(graph *g, const char *name, uint32_t in, graph_pool pool,
                                uint32_t *out, admmnn_error *err) {
    return add_pool(g, GRAPH_MAXPOOL, name, in, pool, out, err);
}

admmnn_status graph_add_average_pool(graph *g, const char *name, uint32_t in, graph_pool pool,
                                     uint32_t *out, admmnn_error *err) {
    return add_pool(g, GRAPH_AVERAGE_POOL, name, in, pool, out, err);
}
