#include "graph/shrink.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "graph/reader.h"
#include "graph/shrink_slots.h"

typedef struct removal {
    const graph *g;
    shrink_care care;
    uint8_t *mask;
    float *params;
    bool changed;
} removal;

/* ---- constants into biases ---- */

/* Where a number that is added to all of an output can stand instead. */
typedef struct bias_place {
    size_t offset; /* of the first output's; SIZE_MAX: nowhere */
    float sign;    /* -1: it is taken from a running mean */
} bias_place;

static bias_place at_parameter(const graph *g, uint32_t parameter, float sign) {
    return (bias_place){g->parameters[parameter].offset, sign};
}

/* A row of biases that is added to a matmul and to nothing else. */
static bias_place after_matmul(const graph *g, uint32_t n) {
    const bias_place nowhere = {SIZE_MAX, 0.0F};
    const uint32_t reader = graph_only_reader(g, n);
    if (reader == GRAPH_NONE || g->nodes[reader].op != GRAPH_BINARY ||
        g->nodes[reader].binary != GRAPH_ADD)
        return nowhere;
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t value = graph_operand(g, &g->nodes[reader], i);
        const graph_value *row = &g->values[value];
        const graph_shape out = g->values[g->nodes[n].output].shape;
        uint32_t last;
        if (row->parameter != GRAPH_NONE && row->shape.rank == 1 && out.rank > 0 &&
            row->shape.dims[0] == out.dims[out.rank - 1] && graph_readers(g, value, &last) == 1)
            return at_parameter(g, row->parameter, 1.0F);
    }
    return nowhere;
}

static bias_place place_of_bias(const graph *g, uint32_t n) {
    const graph_node *node = &g->nodes[n];
    if (node->bias != GRAPH_NONE)
        return at_parameter(g, node->bias, 1.0F);
    if (node->op == GRAPH_MATMUL)
        return after_matmul(g, n);
    const uint32_t reader = graph_only_reader(g, n);
    if (reader != GRAPH_NONE && g->nodes[reader].op == GRAPH_BATCH_NORMALIZATION)
        return at_parameter(g, g->nodes[reader].normalization.mean, -1.0F);
    return (bias_place){SIZE_MAX, 0.0F};
}

/* count weights of one output that all read `value`. */
static void fold_weights(removal *r, const bias_place *bias, size_t output, size_t first,
                         size_t count, float value) {
    for (size_t i = first; i < first + count; i++) {
        if (r->mask[i] == 0)
            continue;
        if (bias->offset != SIZE_MAX)
            r->params[bias->offset + output] += bias->sign * value * r->params[i];
        r->mask[i] = 0;
        r->params[i] = 0.0F;
        r->changed = true;
    }
}

/* Whether what the layer makes of the number is one number, and has a place. Zeros need
 * none. */
static bool is_foldable(const removal *r, const graph_node *node, const bias_place *bias,
                        float value) {
    if (isnan(value) || value == 0.0F)
        return value == 0.0F;
    if (bias->offset == SIZE_MAX || node->op == GRAPH_TRANSPOSED_CONV)
        return false;
    return r->care == SHRINK_BORDERS || !shrink_is_padded(node);
}

static void fold_into_layer(removal *r, const shrink_slots *s, uint32_t n) {
    const graph_node *node = &r->g->nodes[n];
    const graph_parameter *weight = &r->g->parameters[node->weight];
    const size_t block = shrink_block(r->g, node);
    const size_t channels = weight->columns / block;
    const size_t filters = weight->rows / shrink_groups(node);
    const bias_place bias = place_of_bias(r->g, n);
    const float *constant = s->constant + shrink_axis(s, graph_operand(r->g, node, 0), 0);
    for (size_t c = 0; c < channels * shrink_groups(node); c++) {
        if (!is_foldable(r, node, &bias, constant[c]))
            continue;
        const size_t group = c / channels;
        for (size_t row = group * filters; row < (group + 1) * filters; row++)
            fold_weights(r, &bias, row,
                         weight->offset + row * weight->columns + c % channels * block, block,
                         constant[c]);
    }
}

/* Weights on the right, which no one else reads. */
static void fold_into_matmul(removal *r, const shrink_slots *s, uint32_t n) {
    const graph_node *node = &r->g->nodes[n];
    const uint32_t left = graph_operand(r->g, node, 0);
    const uint32_t right = graph_operand(r->g, node, 1);
    const graph_shape shape = r->g->values[right].shape;
    const uint32_t parameter = r->g->values[right].parameter;
    uint32_t last;
    if (parameter == GRAPH_NONE || shape.rank != 2 || graph_readers(r->g, right, &last) != 1)
        return;
    const bias_place bias = place_of_bias(r->g, n);
    const float *constant = s->constant + shrink_axis(s, left, r->g->values[left].shape.rank - 1);
    for (size_t k = 0; k < shape.dims[0]; k++)
        for (size_t column = 0; column < shape.dims[1]; column++)
            if (is_foldable(r, node, &bias, constant[k]))
                fold_weights(r, &bias, column,
                             r->g->parameters[parameter].offset + k * shape.dims[1] + column, 1,
                             constant[k]);
}

static void fold_constants(removal *r, const shrink_slots *s) {
    for (uint32_t n = 0; n < r->g->node_count; n++)
        if (shrink_is_layer(&r->g->nodes[n]))
            fold_into_layer(r, s, n);
        else if (r->g->nodes[n].op == GRAPH_MATMUL)
            fold_into_matmul(r, s, n);
}

/* ---- what no one reads ---- */

static void clear(removal *r, size_t first, size_t count) {
    r->changed |= shrink_any(r->mask + first, count);
    memset(r->mask + first, 0, count);
    memset(r->params + first, 0, count * sizeof *r->params);
}

static void clear_layer(removal *r, const shrink_slots *s, const graph_node *node) {
    const graph_parameter *weight = &r->g->parameters[node->weight];
    const bool *live = s->live + shrink_axis(s, node->output, 0);
    for (size_t row = 0; row < weight->rows; row++) {
        if (live[row])
            continue;
        clear(r, weight->offset + row * weight->columns, weight->columns);
        if (node->bias != GRAPH_NONE)
            clear(r, r->g->parameters[node->bias].offset + row, 1);
    }
}

static void clear_normalization(removal *r, const shrink_slots *s, const graph_node *node) {
    const graph_normalization *n = &node->normalization;
    const uint32_t owned[] = {n->scale, n->shift, n->mean, n->variance};
    const bool *live = s->live + shrink_axis(s, node->output, 0);
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        if (owned[i] == GRAPH_NONE)
            continue;
        for (size_t channel = 0; channel < r->g->parameters[owned[i]].rows; channel++)
            if (!live[channel])
                clear(r, r->g->parameters[owned[i]].offset + channel, 1);
    }
}

static void clear_operand(removal *r, const shrink_slots *s, uint32_t value) {
    const graph_value *operand = &r->g->values[value];
    for (size_t i = 0; i < graph_shape_count(operand->shape); i++)
        if (!shrink_element_lives(s, value, i))
            clear(r, r->g->parameters[operand->parameter].offset + i, 1);
}

/* Elements of a layer normalization all live. */
static void clear_dead(removal *r, const shrink_slots *s) {
    for (uint32_t n = 0; n < r->g->node_count; n++) {
        const graph_node *node = &r->g->nodes[n];
        if (shrink_is_layer(node))
            clear_layer(r, s, node);
        else if (node->op == GRAPH_BATCH_NORMALIZATION || node->op == GRAPH_INSTANCE_NORMALIZATION)
            clear_normalization(r, s, node);
    }
    for (uint32_t v = 0; v < r->g->value_count; v++)
        if (r->g->values[v].parameter != GRAPH_NONE)
            clear_operand(r, s, v);
}

/* ---- the whole ---- */

static admmnn_status sweep(removal *r, admmnn_error *err) {
    shrink_slots s;
    admmnn_status status = shrink_slots_open(r->g, r->mask, r->params, &s, err);
    r->changed = false;
    if (status == ADMMNN_OK) {
        shrink_find_constants(&s);
        fold_constants(r, &s);
        shrink_find_living(&s, false);
        clear_dead(r, &s);
    }
    shrink_slots_close(&s);
    return status;
}

admmnn_status shrink_remove_dead(const graph *g, shrink_care care, uint8_t *mask, float *params,
                                 admmnn_error *err) {
    removal r = {.g = g, .care = care, .mask = mask, .params = params, .changed = true};
    while (r.changed)
        BASE_TRY(sweep(&r, err));
    return ADMMNN_OK;
}

static admmnn_status build(const shrink_slots *s, graph **small, size_t **origin,
                           admmnn_error *err) {
    BASE_TRY(shrink_build(s, small, err));
    *origin = base_array((*small)->flat_count, sizeof **origin);
    if (*origin == NULL)
        return base_fail_memory(err, "the smaller network");
    shrink_fill_origin(s, *small, *origin);
    return ADMMNN_OK;
}

admmnn_status shrink_network(const graph *g, const uint8_t *mask, graph **small, size_t **origin,
                             admmnn_error *err) {
    shrink_slots s;
    *small = NULL;
    *origin = NULL;
    admmnn_status status = shrink_slots_open(g, mask, NULL, &s, err);
    if (status == ADMMNN_OK) {
        shrink_find_constants(&s);
        shrink_find_living(&s, true);
        status = build(&s, small, origin, err);
    }
    if (status != ADMMNN_OK) {
        graph_free(*small);
        *small = NULL;
    }
    shrink_slots_close(&s);
    return status;
}
