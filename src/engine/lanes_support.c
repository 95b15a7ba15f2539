/* Steps on a support: coordinate lists where a layer keeps few of its weights, dense
 * kernels with scattered weights where it keeps many. */
#include <string.h>

#include "base/memory.h"
#include "engine/lanes_plan.h"

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

void lanes_steps_free(lanes_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++)
        free_support(&steps[i]);
    base_free(steps);
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
    step->weight_first = base_array_below(index, count, weight->offset);
    step->weight_count =
        base_array_below(index, count, weight->offset + weight->count) - step->weight_first;
    step->bias_first = base_array_below(index, count, bias->offset);
    step->bias_count =
        base_array_below(index, count, bias->offset + bias->count) - step->bias_first;
    step->bias_index = relative_places(index + step->bias_first, step->bias_count, bias->offset);
    step->bias_dense = base_array(step->rows, sizeof *step->bias_dense);
    if (step->bias_index == NULL || step->bias_dense == NULL)
        return false;
    step->listed =
        (double)step->weight_count < lanes_list_density(plan, step) * (double)weight->count;
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
            lanes_step_parameters(g, &g->nodes[step->node], step);
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
            lanes_steps_free(steps, plan->step_count);
        return base_fail_memory(err, "the support's lists");
    }
    lanes_steps_free(plan->steps, plan->step_count);
    plan->steps = steps;
    return ADMMNN_OK;
}
