#include "engine/lanes_plan.h"

#include <string.h>

#include "base/memory.h"

static uint32_t only_consumer(const graph *g, uint32_t value, uint32_t *consumers) {
    uint32_t found = GRAPH_NONE;
    *consumers = 0;
    for (uint32_t n = 0; n < g->node_count; n++) {
        for (int i = 0; i < 2; i++) {
            if (g->nodes[n].inputs[i] == value) {
                found = n;
                ++*consumers;
            }
        }
    }
    return found;
}

static bool window_is(const graph_window *w, uint32_t kernel, uint32_t stride, uint32_t pad) {
    for (int i = 0; i < 2; i++)
        if (w->kernel[i] != kernel || w->stride[i] != stride || w->pad[i] != pad)
            return false;
    return true;
}

static admmnn_status check_node(const graph *g, const graph_node *node, admmnn_error *err) {
    uint32_t consumers;
    only_consumer(g, node->output, &consumers);
    bool last = node->output == g->output;
    if (consumers != (last ? 0U : 1U))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end runs chains; its output is read %u times",
                         node->name, consumers);
    const graph_window *w = &node->window;
    bool padded = w->pad[0] != 0 || w->pad[1] != 0;
    bool conv_fits =
        !padded && w->stride[0] == 1 && w->stride[1] == 1 && w->kernel[1] <= LANES_KERNEL_WIDTH_MAX;
    if ((node->op == GRAPH_CONV && !conv_fits) || (node->op == GRAPH_MAXPOOL && padded))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "node %s: the lanes back end has no such window; use the dnnl back end",
                         node->name);
    return ADMMNN_OK;
}

static lanes_conv conv_geometry(const graph *g, const graph_node *node) {
    graph_shape in = g->values[node->inputs[0]].shape;
    graph_shape out = g->values[node->output].shape;
    return (lanes_conv){.channels = in.channels,
                        .height = in.height,
                        .width = in.width,
                        .filters = out.channels,
                        .kernel_height = node->window.kernel[0],
                        .kernel_width = node->window.kernel[1],
                        .out_height = out.height,
                        .out_width = out.width};
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
                        .out_width = 1};
}

static lanes_pool pool_geometry(const graph *g, const graph_node *node) {
    graph_shape in = g->values[node->inputs[0]].shape;
    graph_shape out = g->values[node->output].shape;
    return (lanes_pool){.channels = in.channels,
                        .height = in.height,
                        .width = in.width,
                        .kernel = {node->window.kernel[0], node->window.kernel[1]},
                        .stride = {node->window.stride[0], node->window.stride[1]},
                        .out_height = out.height,
                        .out_width = out.width};
}

static void set_parameters(const graph *g, const graph_node *node, lanes_step *step) {
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
static lanes_step make_step(const graph *g, uint32_t n, uint32_t *next, uint32_t *output) {
    const graph_node *node = &g->nodes[n];
    lanes_step step = {.node = n, .wants_data = node->inputs[0] != g->input};
    *output = node->output;
    *next = n + 1;
    switch (node->op) {
    case GRAPH_CONV: {
        step.kind = LANES_CONV;
        step.conv = conv_geometry(g, node);
        uint32_t consumers;
        uint32_t after = only_consumer(g, node->output, &consumers);
        if (after == n + 1 && g->nodes[after].op == GRAPH_MAXPOOL &&
            window_is(&g->nodes[after].window, 2, 2, 0)) {
            step.conv.pooled = 1;
            *output = g->nodes[after].output;
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
        set_parameters(g, node, &step);
    step.in_count = graph_value_count(g, node->inputs[0]);
    step.out_count = graph_value_count(g, *output);
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

/* A layer runs on coordinate lists below this share of nonzeros, on dense kernels with
 * scattered weights above it: where bench_lanes finds the two equally fast. The data
 * gradient's lists gain least, and the first layer has none. */
static double list_density(const lanes_plan *plan, const lanes_step *step) {
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
        size_t listed = (size_t)(list_density(plan, step) * (double)step->weight_count) + 1;
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
    size_t blocks = (settings->max_batch + kernels->lanes - 1) / kernels->lanes;
    plan->max_blocks = (blocks + threads - 1) / threads;
    plan->input_count = graph_value_count(g, g->input);
    plan->classes = graph_value_count(g, g->output);
    uint32_t output;
    for (uint32_t n = 0; n < g->node_count;)
        steps[plan->step_count++] = make_step(g, n, &n, &output);
    plan_values(plan, settings->training);
    if (settings->training)
        plan_shared(plan);
    *out = plan;
    return ADMMNN_OK;
}

static void free_support(lanes_step *step) {
    base_free(step->list.row_start);
    base_free(step->list.channel_start);
    base_free(step->list.offset);
    base_free(step->list.column_start);
    base_free(step->list.by_column);
    base_free(step->list.source);
    base_free(step->weight_index);
    base_free(step->bias_index);
    base_free(step->weight_dense);
    base_free(step->bias_dense);
}

static void free_steps(lanes_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++)
        free_support(&steps[i]);
    base_free(steps);
}

void lanes_plan_free(lanes_plan *plan) {
    if (plan == NULL)
        return;
    free_steps(plan->steps, plan->step_count);
    base_free(plan);
}

static size_t lower_bound(const size_t *index, size_t count, size_t value) {
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (index[low + half] < value) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* The places of index[first ...] in a parameter, relative to its start. */
static size_t *relative_places(const size_t *index, size_t count, size_t offset) {
    size_t *places = base_array(count, sizeof *places);
    for (size_t i = 0; places != NULL && i < count; i++)
        places[i] = index[i] - offset;
    return places;
}

/* Where an entry of a layer is. */
typedef struct entry_place {
    size_t row, channel, ky, kx;
} entry_place;

static entry_place place_of(const lanes_conv *c, size_t place) {
    const size_t taps = c->kernel_height * c->kernel_width;
    const size_t column = place % (c->channels * taps);
    return (entry_place){.row = place / (c->channels * taps),
                         .channel = column / taps,
                         .ky = column % taps / c->kernel_width,
                         .kx = column % taps % c->kernel_width};
}

static uint32_t input_vector(const lanes_conv *c, entry_place p) {
    return (uint32_t)((p.channel * c->height + p.ky) * c->width + p.kx);
}

static int32_t gradient_vector(const lanes_conv *c, entry_place p) {
    return (int32_t)(p.row * c->out_height * c->out_width) - (int32_t)(p.ky * c->out_width);
}

/* Its column in the order of by_column. */
static size_t column_of(const lanes_conv *c, entry_place p) {
    return (p.channel * c->kernel_width + p.kx) * c->kernel_height + p.ky;
}

/* Counts to starts: start[i + 1] holds the number of entries of i. */
static void accumulate(uint32_t *start, size_t count) {
    for (size_t i = 0; i < count; i++)
        start[i + 1] += start[i];
}

static bool allocate_list(lanes_step *step, size_t count) {
    lanes_sparse *list = &step->list;
    list->rows = step->rows;
    list->columns = step->columns;
    list->row_start = base_array(step->rows + 1, sizeof *list->row_start);
    list->offset = base_array(count, sizeof *list->offset);
    list->column_start = base_array(step->columns + 1, sizeof *list->column_start);
    list->by_column = base_array(count, sizeof *list->by_column);
    list->source = base_array(count, sizeof *list->source);
    return list->row_start != NULL && list->offset != NULL && list->column_start != NULL &&
           list->by_column != NULL && list->source != NULL;
}

static bool make_channel_starts(lanes_step *step, const size_t *index, size_t count,
                                size_t offset) {
    const lanes_conv *c = &step->conv;
    uint32_t *start = base_array(c->filters * c->channels + 1, sizeof *start);
    step->list.channel_start = start;
    if (start == NULL)
        return false;
    for (size_t e = 0; e < count; e++) {
        entry_place p = place_of(c, index[e] - offset);
        start[p.row * c->channels + p.channel + 1]++;
    }
    accumulate(start, c->filters * c->channels);
    return true;
}

static bool make_list(lanes_step *step, const size_t *index, size_t count, size_t offset) {
    lanes_sparse *list = &step->list;
    const lanes_conv *c = &step->conv;
    uint32_t *next = base_array(step->columns, sizeof *next);
    if (next == NULL || !allocate_list(step, count)) {
        base_free(next);
        return false;
    }
    for (size_t e = 0; e < count; e++) {
        entry_place p = place_of(c, index[e] - offset);
        list->offset[e] = input_vector(c, p);
        list->row_start[p.row + 1]++;
        list->column_start[column_of(c, p) + 1]++;
    }
    accumulate(list->row_start, step->rows);
    accumulate(list->column_start, step->columns);
    memcpy(next, list->column_start, step->columns * sizeof *next);
    for (size_t e = 0; e < count; e++) {
        entry_place p = place_of(c, index[e] - offset);
        uint32_t n = next[column_of(c, p)]++;
        list->by_column[n] = (uint32_t)e;
        list->source[n] = gradient_vector(c, p);
    }
    base_free(next);
    return step->kind != LANES_CONV || make_channel_starts(step, index, count, offset);
}

static bool support_layer(const lanes_plan *plan, lanes_step *step, const graph_parameter *weight,
                          const graph_parameter *bias, const size_t *index, size_t count) {
    step->weight_first = lower_bound(index, count, weight->offset);
    step->weight_count =
        lower_bound(index, count, weight->offset + weight->count) - step->weight_first;
    step->bias_first = lower_bound(index, count, bias->offset);
    step->bias_count = lower_bound(index, count, bias->offset + bias->count) - step->bias_first;
    step->bias_index = relative_places(index + step->bias_first, step->bias_count, bias->offset);
    step->bias_dense = base_array(step->rows, sizeof *step->bias_dense);
    if (step->bias_index == NULL || step->bias_dense == NULL)
        return false;
    step->listed = (double)step->weight_count < list_density(plan, step) * (double)weight->count;
    if (step->listed)
        return make_list(step, index + step->weight_first, step->weight_count, weight->offset);
    step->weight_index =
        relative_places(index + step->weight_first, step->weight_count, weight->offset);
    step->weight_dense = base_array(weight->count, sizeof *step->weight_dense);
    return step->weight_index != NULL && step->weight_dense != NULL;
}

/* A copy of the plan's steps that knows nothing of a support; NULL when memory is short. */
static lanes_step *flat_steps(const lanes_plan *plan, const graph *g) {
    lanes_step *steps = base_array_copy(plan->steps, plan->step_count, sizeof *steps);
    for (size_t i = 0; steps != NULL && i < plan->step_count; i++) {
        lanes_step *step = &steps[i];
        step->listed = false;
        step->list = (lanes_sparse){0};
        step->weight_index = NULL;
        step->bias_index = NULL;
        step->weight_dense = NULL;
        step->bias_dense = NULL;
        if (g->nodes[step->node].weight != GRAPH_NONE)
            set_parameters(g, &g->nodes[step->node], step);
    }
    return steps;
}

admmnn_status lanes_plan_support(lanes_plan *plan, const graph *g, const size_t *index,
                                 size_t count, admmnn_error *err) {
    lanes_step *steps = flat_steps(plan, g);
    bool whole = steps != NULL;
    for (size_t i = 0; whole && index != NULL && i < plan->step_count; i++) {
        const graph_node *node = &g->nodes[steps[i].node];
        if (node->weight != GRAPH_NONE)
            whole = support_layer(plan, &steps[i], &g->parameters[node->weight],
                                  &g->parameters[node->bias], index, count);
    }
    if (!whole) {
        if (steps != NULL)
            free_steps(steps, plan->step_count);
        return base_fail_memory(err, "the support's lists");
    }
    free_steps(plan->steps, plan->step_count);
    plan->steps = steps;
    return ADMMNN_OK;
}
