#include "engine/lanes_plan.h"

#include <string.h>

#include "base/memory.h"
#include "graph/reader.h"

/* Neither padding nor gaps. */
static bool window_is_bare(const graph_window *w) {
    for (int i = 0; i < 2; i++)
        if (w->pad[i] != 0 || w->pad_end[i] != 0 || w->dilation[i] != 1)
            return false;
    return true;
}

static bool conv_fits(const graph_conv *conv) {
    const graph_window *w = &conv->window;
    return window_is_bare(w) && conv->groups == 1 && w->stride[0] == 1 && w->stride[1] == 1 &&
           w->kernel[1] <= LANES_KERNEL_WIDTH_MAX;
}

static bool pool_fits(const graph_pool *pool) {
    return window_is_bare(&pool->window) && !pool->ceil;
}

/* Each pixel in one window of two by two. */
static bool halves(const graph_pool *pool) {
    const graph_window *w = &pool->window;
    return pool_fits(pool) && w->kernel[0] == 2 && w->kernel[1] == 2 && w->stride[0] == 2 &&
           w->stride[1] == 2;
}

static admmnn_status check_node(const graph *g, const graph_node *node, admmnn_error *err) {
    uint32_t reader;
    const uint32_t readers = graph_readers(g, node->output, &reader);
    bool last = node->output == g->output;
    if (readers != (last ? 0U : 1U))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end runs chains; its output is read %u times",
                         node->name, readers);
    if (!graph_value_varies(g, graph_operand(g, node, 0)))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end runs chains from the input; use auto",
                         node->name);
    const bool product = node->op == GRAPH_CONV || node->op == GRAPH_INNER_PRODUCT;
    if (!product && node->op != GRAPH_MAXPOOL && node->op != GRAPH_RELU)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end has no %s; use the dnnl back end", node->name,
                         graph_op_name(node->op));
    if (product && node->bias == GRAPH_NONE)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end has no %s without a bias; use auto",
                         node->name, graph_op_name(node->op));
    if ((node->op == GRAPH_CONV && !conv_fits(&node->conv)) ||
        (node->op == GRAPH_MAXPOOL && !pool_fits(&node->pool)))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end has no such window; use the dnnl back end",
                         node->name);
    return ADMMNN_OK;
}

static lanes_conv conv_geometry(const graph *g, const graph_node *node) {
    graph_shape in = graph_operand_shape(g, node, 0);
    graph_shape out = g->values[node->output].shape;
    return (lanes_conv){.channels = graph_shape_channels(in),
                        .height = graph_shape_height(in),
                        .width = graph_shape_width(in),
                        .filters = graph_shape_channels(out),
                        .kernel_height = node->conv.window.kernel[0],
                        .kernel_width = node->conv.window.kernel[1],
                        .out_height = graph_shape_height(out),
                        .out_width = graph_shape_width(out),
                        .planes = 1};
}

/* An inner product as a convolution of one position: what its list is made by. */
static lanes_conv product_geometry(const graph_parameter *weight) {
    return (lanes_conv){.channels = weight->columns,
                        .height = 1,
                        .width = 1,
                        .filters = weight->rows,
                        .kernel_height = 1,
                        .kernel_width = 1,
                        .out_height = 1,
                        .out_width = 1,
                        .planes = 1};
}

static lanes_pool pool_geometry(const graph *g, const graph_node *node) {
    const graph_window *w = &node->pool.window;
    graph_shape in = graph_operand_shape(g, node, 0);
    graph_shape out = g->values[node->output].shape;
    return (lanes_pool){.channels = graph_shape_channels(in),
                        .height = graph_shape_height(in),
                        .width = graph_shape_width(in),
                        .kernel = {w->kernel[0], w->kernel[1]},
                        .stride = {w->stride[0], w->stride[1]},
                        .out_height = graph_shape_height(out),
                        .out_width = graph_shape_width(out)};
}

void lanes_step_parameters(const graph *g, const graph_node *node, lanes_step *step) {
    const graph_parameter *weight = &g->parameters[node->weight];
    const graph_parameter *bias = &g->parameters[node->bias];
    step->rows = weight->rows;
    step->columns = weight->columns;
    step->weight_first = weight->offset;
    step->weight_count = weight->count;
    step->bias_first = bias->offset;
    step->bias_count = bias->count;
}

/* The step of node n; *next is the node after what the step covers. */
static lanes_step make_step(const graph *g, uint32_t n, uint32_t *next) {
    const graph_node *node = &g->nodes[n];
    lanes_step step = {.node = n, .wants_data = graph_operand(g, node, 0) != g->input};
    uint32_t output = node->output;
    *next = n + 1;
    switch (node->op) {
    case GRAPH_CONV: {
        step.kind = LANES_CONV;
        step.conv = conv_geometry(g, node);
        uint32_t after;
        if (graph_readers(g, node->output, &after) == 1 && after == n + 1 &&
            g->nodes[after].op == GRAPH_MAXPOOL && halves(&g->nodes[after].pool)) {
            step.conv.pooled = 1;
            output = g->nodes[after].output;
            *next = n + 2;
        }
        break;
    }
    case GRAPH_MAXPOOL:
        step.kind = LANES_POOL;
        step.pool = pool_geometry(g, node);
        break;
    case GRAPH_INNER_PRODUCT:
        step.kind = LANES_PRODUCT;
        step.conv = product_geometry(&g->parameters[node->weight]);
        break;
    default:
        step.kind = LANES_RELU;
        break;
    }
    if (node->weight != GRAPH_NONE)
        lanes_step_parameters(g, node, &step);
    step.in_count = graph_value_count(g, graph_operand(g, node, 0));
    step.out_count = graph_value_count(g, output);
    return step;
}

static size_t aligned(size_t floats) {
    return (floats + 15) / 16 * 16;
}

static size_t take(size_t *total, size_t floats) {
    size_t at = *total;
    *total += aligned(floats);
    return at;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Where bench_lists finds lists and dense kernels equally fast. The data gradient's lists
 * gain least, and the first layer has none. */
double lanes_list_density(const lanes_plan *plan, const lanes_step *step) {
    if (plan->list_density > 0.0F)
        return (double)plan->list_density;
    if (step->kind != LANES_CONV)
        return 0.25;
    return step->wants_data ? 0.5 : 0.8;
}

/* Buffers of the backward pass that all steps share: kernel scratch, expanded gradients,
 * sums, gradients to gather. */
static void plan_shared(lanes_plan *plan) {
    const size_t lanes = plan->kernels->lanes;
    size_t scratch = 0;
    size_t expanded = 0;
    size_t sums = 0;
    size_t weights = 0;
    size_t biases = 0;
    for (size_t i = 0; i < plan->step_count; i++) {
        const lanes_step *step = &plan->steps[i];
        weights = larger(weights, step->weight_count);
        biases = larger(biases, step->bias_count);
        if (step->kind == LANES_PRODUCT)
            scratch = larger(scratch, lanes_product_scratch(step->rows, step->columns,
                                                            plan->max_blocks * lanes));
        if (step->kind != LANES_CONV)
            continue;
        size_t listed = (size_t)(lanes_list_density(plan, step) * (double)step->weight_count) + 1;
        sums = larger(sums, (listed + step->conv.filters) * lanes);
        size_t plane = step->conv.out_height * step->conv.out_width * lanes;
        if (step->conv.pooled)
            expanded = larger(
                expanded,
                larger(plan->max_blocks * plan->kernels->filter_tile, step->conv.filters) * plane);
    }
    plan->scratch = take(&plan->arena_floats, scratch);
    plan->expanded = take(&plan->arena_floats, expanded);
    plan->sums = take(&plan->arena_floats, sums);
    plan->dense_weights = take(&plan->arena_floats, weights);
    plan->dense_biases = take(&plan->arena_floats, biases);
}

static void plan_values(lanes_plan *plan, bool training) {
    const size_t per_element = plan->max_blocks * plan->kernels->lanes;
    size_t last = take(&plan->arena_floats, plan->input_count * per_element);
    size_t last_gradient = 0;
    plan->input = last;
    for (size_t i = 0; i < plan->step_count; i++) {
        lanes_step *step = &plan->steps[i];
        step->in = last;
        step->in_gradient = last_gradient;
        last = take(&plan->arena_floats, step->out_count * per_element);
        step->out = last;
        if (training)
            last_gradient = take(&plan->arena_floats, step->out_count * per_element);
        step->out_gradient = last_gradient;
        if (step->kind == LANES_CONV && step->conv.pooled) {
            step->winner = plan->winner_count;
            plan->winner_count += step->out_count * per_element;
        }
    }
    plan->output = last;
    plan->output_gradient = last_gradient;
}

admmnn_status lanes_plan_create(const graph *g, const engine_settings *settings, unsigned threads,
                                lanes_plan **out, admmnn_error *err) {
    const lanes_kernels *kernels = lanes_kernels_get(settings->lanes);
    if (kernels == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "this processor has no SIMD of %u lanes",
                         settings->lanes);
    for (uint32_t n = 0; n < g->node_count; n++)
        BASE_TRY(check_node(g, &g->nodes[n], err));
    lanes_plan *plan = base_array(1, sizeof *plan);
    lanes_step *steps = base_array(g->node_count, sizeof *steps);
    if (plan == NULL || steps == NULL) {
        base_free(plan);
        base_free(steps);
        return base_fail_memory(err, "the lanes plan");
    }
    plan->kernels = kernels;
    plan->list_density = settings->list_density;
    plan->steps = steps;
    size_t blocks = ((size_t)settings->max_batch + kernels->lanes - 1) / kernels->lanes;
    plan->max_blocks = (blocks + threads - 1) / threads;
    plan->input_count = graph_value_count(g, g->input);
    plan->classes = graph_value_count(g, g->output);
    for (uint32_t n = 0; n < g->node_count;)
        steps[plan->step_count++] = make_step(g, n, &n);
    plan_values(plan, settings->training);
    if (settings->training)
        plan_shared(plan);
    *out = plan;
    return ADMMNN_OK;
}

void lanes_plan_free(lanes_plan *plan) {
    if (plan == NULL)
        return;
    lanes_steps_free(plan->steps, plan->step_count);
    base_free(plan);
}
