#include "export/plan.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

const float *export_fixed(const graph *g, const float *params, uint32_t value) {
    const graph_value *v = &g->values[value];
    if (v->parameter != GRAPH_NONE)
        return params + g->parameters[v->parameter].offset;
    return v->constant != GRAPH_VARIES ? g->constants + v->constant : NULL;
}

/* The last reader of what the caller reads. */
#define NEVER UINT32_MAX

typedef struct planning {
    const graph *g;
    const float *params;
    bool apart;
    export_plan *plan;
    uint32_t *readers; /* [values] operations that read it */
    uint32_t *last;    /* [values] the last that reads it, or what lies in its place */
    uint32_t *maker;   /* [values] the layer whose result it is, or GRAPH_NONE */
    uint32_t *root;    /* [values] the value in whose place it lies */
    admmnn_error *err;
} planning;

static uint32_t operand(const planning *p, const graph_node *node, uint32_t i) {
    return graph_operand(p->g, node, i);
}

/* ---- what is needed ---- */

static void read_by(planning *p, uint32_t value, uint32_t node) {
    if (p->last[value] < node)
        p->last[value] = node;
}

static void count_readers(planning *p) {
    const graph *g = p->g;
    p->plan->steps[g->values[g->output].producer].needed = true;
    p->last[g->output] = NEVER;
    p->readers[g->output] = 1;
    for (uint32_t n = g->node_count; n-- > 0;) {
        for (uint32_t i = 0; p->plan->steps[n].needed && i < g->nodes[n].operand_count; i++) {
            const uint32_t value = operand(p, &g->nodes[n], i);
            p->readers[value]++;
            read_by(p, value, n);
            if (g->values[value].producer != GRAPH_NONE)
                p->plan->steps[g->values[value].producer].needed = true;
        }
    }
}

/* Of all values at once: a file may have many operations, and one of them many operands. */
static void find_only_readers(planning *p) {
    const graph *g = p->g;
    for (uint32_t v = 0; v < g->value_count; v++)
        p->plan->only[v] = GRAPH_NONE;
    for (uint32_t n = 0; n < g->node_count; n++) {
        for (uint32_t i = 0; i < g->nodes[n].operand_count; i++) {
            const uint32_t value = operand(p, &g->nodes[n], i);
            p->plan->only[value] = p->readers[value]++ == 0 ? n : GRAPH_NONE;
        }
    }
    p->plan->only[g->output] = GRAPH_NONE;
    memset(p->readers, 0, g->value_count * sizeof *p->readers);
}

/* ---- layers ---- */

/* Whether a matmul multiplies what differs between samples by weights that none but it reads. */
static bool is_linear(const planning *p, const graph_node *node) {
    const graph *g = p->g;
    if (node->op != GRAPH_MATMUL || node->weight == GRAPH_NONE)
        return false;
    const uint32_t right = graph_operand(g, node, 1);
    return g->values[right].parameter == node->weight && g->values[right].shape.rank == 2 &&
           graph_value_varies(g, graph_operand(g, node, 0)) && p->plan->only[right] != GRAPH_NONE;
}

static bool has_layer(const planning *p, const graph_node *node) {
    return node->op == GRAPH_CONV || node->op == GRAPH_TRANSPOSED_CONV ||
           node->op == GRAPH_INNER_PRODUCT || is_linear(p, node);
}

static admmnn_status make_layer(planning *p, uint32_t n) {
    const graph_node *node = &p->g->nodes[n];
    const graph_parameter *weight = &p->g->parameters[node->weight];
    export_layer *layer = base_array(1, sizeof *layer);
    p->plan->steps[n].layer = layer;
    if (layer == NULL)
        return base_fail_memory(p->err, "the plan of the C code");
    layer->turned = node->op == GRAPH_MATMUL;
    layer->rows = layer->turned ? weight->columns : weight->rows;
    layer->columns = layer->turned ? weight->rows : weight->columns;
    layer->bias = node->bias;
    layer->low = -INFINITY;
    layer->high = INFINITY;
    p->maker[node->output] = n;
    return ADMMNN_OK;
}

/* (w x + b - mean) / sqrt(variance + epsilon) * scale + shift, of every row. */
static admmnn_status fold_batch(planning *p, const graph_normalization *n, export_layer *layer) {
    const graph_parameter *parameters = p->g->parameters;
    const float *scale = p->params + parameters[n->scale].offset;
    const float *shift = p->params + parameters[n->shift].offset;
    const float *mean = p->params + parameters[n->mean].offset;
    const float *variance = p->params + parameters[n->variance].offset;
    const float *bias =
        layer->bias == GRAPH_NONE ? NULL : p->params + parameters[layer->bias].offset;
    layer->scales = base_array(layer->rows, sizeof *layer->scales);
    layer->biases = base_array(layer->rows, sizeof *layer->biases);
    if (layer->scales == NULL || layer->biases == NULL)
        return base_fail_memory(p->err, "the plan of the C code");
    for (uint32_t r = 0; r < layer->rows; r++) {
        const double before = bias == NULL ? 0.0 : (double)bias[r];
        const double factor = (double)scale[r] / sqrt((double)variance[r] + (double)n->epsilon);
        layer->scales[r] = (float)factor;
        layer->biases[r] = (float)((before - (double)mean[r]) * factor + (double)shift[r]);
    }
    layer->bias = GRAPH_NONE;
    return ADMMNN_OK;
}

/* Adds a row of numbers, one for each of a matmul's columns; false where it is none. */
static bool fold_row(planning *p, const graph_node *node, export_layer *layer) {
    const graph_value *other = &p->g->values[operand(p, node, 1)];
    if (node->binary != GRAPH_ADD || other->parameter == GRAPH_NONE || other->shape.rank != 1 ||
        other->shape.dims[0] != layer->rows)
        return false;
    layer->bias = other->parameter;
    return true;
}

static bool is_bounded(const export_layer *layer) {
    return layer->low > -INFINITY || layer->high < INFINITY;
}

/* *done: the layer of the node's first operand does it from now on. */
static admmnn_status fold(planning *p, const graph_node *node, export_layer *layer, bool *done) {
    const bool has_bias = layer->bias != GRAPH_NONE || layer->biases != NULL;
    *done = true;
    if (is_bounded(layer)) {
        *done = false;
    } else if (node->op == GRAPH_BATCH_NORMALIZATION && !layer->turned && layer->scales == NULL) {
        return fold_batch(p, &node->normalization, layer);
    } else if (node->op == GRAPH_RELU) {
        layer->low = 0.0F;
    } else if (node->op == GRAPH_UNARY && node->unary.kind == GRAPH_CLIP &&
               node->unary.a <= node->unary.b) {
        layer->low = node->unary.a;
        layer->high = node->unary.b;
    } else {
        *done = node->op == GRAPH_BINARY && layer->turned && !has_bias && fold_row(p, node, layer);
    }
    return ADMMNN_OK;
}

/* A pooling runs the convolution that it alone reads, so that of its result no more than a plane
 * is ever there; what the convolution reads is kept until then. */
static bool takes_convolution(planning *p, const graph_node *node, uint32_t maker) {
    const bool pools = node->op == GRAPH_MAXPOOL || node->op == GRAPH_AVERAGE_POOL;
    return pools && p->g->nodes[maker].op == GRAPH_CONV;
}

static admmnn_status join(planning *p, uint32_t n) {
    const graph_node *node = &p->g->nodes[n];
    const uint32_t first = operand(p, node, 0);
    export_step *step = &p->plan->steps[n];
    if (has_layer(p, node))
        return make_layer(p, n);
    const uint32_t maker = p->maker[first];
    if (maker == GRAPH_NONE || p->readers[first] != 1)
        return ADMMNN_OK;
    if (takes_convolution(p, node, maker)) {
        step->pooled = maker;
        p->plan->steps[maker].done = true;
        read_by(p, operand(p, &p->g->nodes[maker], 0), n);
        return ADMMNN_OK;
    }
    BASE_TRY(fold(p, node, p->plan->steps[maker].layer, &step->done));
    if (step->done || node->op == GRAPH_DROPOUT)
        p->maker[node->output] = maker;
    return ADMMNN_OK;
}

/* ---- places ---- */

static bool only_passes_on(const graph_node *node) {
    return node->op == GRAPH_DROPOUT || node->op == GRAPH_RESHAPE;
}

/* Element by element, from the same element; what is broadcast is read again. */
static bool works_in_place(const planning *p, const graph_node *node) {
    const graph_shape shape = p->g->values[node->output].shape;
    switch (node->op) {
    case GRAPH_RELU:
    case GRAPH_UNARY:
    case GRAPH_BATCH_NORMALIZATION:
        return true;
    case GRAPH_BINARY:
        return graph_shape_equal(graph_operand_shape(p->g, node, 0), shape) &&
               (p->root[operand(p, node, 1)] != p->root[operand(p, node, 0)] ||
                graph_shape_equal(graph_operand_shape(p->g, node, 1), shape));
    default:
        return false;
    }
}

/* The operand's place is written no more after this, and it is no one else's. */
static bool may_be_overwritten(const planning *p, uint32_t value, uint32_t n) {
    return graph_value_varies(p->g, value) && p->root[value] != p->g->input &&
           p->last[p->root[value]] == n;
}

static void find_root(planning *p, uint32_t n) {
    const graph_node *node = &p->g->nodes[n];
    const uint32_t first = operand(p, node, 0);
    export_step *step = &p->plan->steps[n];
    const bool is_copy = node->output == p->g->output && p->root[first] == p->g->input;
    if (only_passes_on(node) && graph_value_varies(p->g, first) && !is_copy)
        step->done = true;
    if (step->layer == NULL &&
        (step->done || (works_in_place(p, node) && may_be_overwritten(p, first, n)))) {
        p->root[node->output] = p->root[first];
        if (p->last[p->root[first]] < p->last[node->output])
            p->last[p->root[first]] = p->last[node->output];
    }
}

/* Numbers in use from one operation to another. */
typedef struct lot {
    size_t *place; /* of whom they are */
    size_t at, count;
    uint32_t first, last;
} lot;

typedef struct lots {
    lot *lots;
    uint32_t count;
} lots;

static void add_lot(lots *l, size_t count, uint32_t first, uint32_t last, size_t *place) {
    l->lots[l->count++] = (lot){place, 0, count, first, last};
}

/* The largest comes to the front of those that have no place yet. */
static void choose_lot(lots *l, uint32_t placed) {
    uint32_t largest = placed;
    for (uint32_t i = placed + 1; i < l->count; i++)
        if (l->lots[i].count > l->lots[largest].count)
            largest = i;
    const lot chosen = l->lots[largest];
    l->lots[largest] = l->lots[placed];
    l->lots[placed] = chosen;
}

/* The first gap between those placed, which are in the order of their places, that are in use at
 * the same time. */
static size_t find_gap(const lots *l, uint32_t placed, const lot *chosen) {
    size_t at = 0;
    for (uint32_t i = 0; i < placed; i++) {
        const lot *other = &l->lots[i];
        const bool at_once = other->first <= chosen->last && chosen->first <= other->last;
        if (at_once && other->at < at + chosen->count && at < other->at + other->count)
            at = other->at + other->count;
    }
    return at;
}

/* The largest first (Pisarchyk and Lee 2020, greedy by size); returns how many numbers they take.
 */
static size_t place_lots(lots *l) {
    size_t most = 0;
    for (uint32_t placed = 0; placed < l->count; placed++) {
        choose_lot(l, placed);
        lot chosen = l->lots[placed];
        chosen.at = find_gap(l, placed, &chosen);
        *chosen.place = chosen.at;
        if (chosen.at + chosen.count > most)
            most = chosen.at + chosen.count;
        uint32_t i = placed;
        for (; i > 0 && l->lots[i - 1].at > chosen.at; i--)
            l->lots[i] = l->lots[i - 1];
        l->lots[i] = chosen;
    }
    return most;
}

/* The plane of a convolution that is pooled, beside what is made of it: it is free again after
 * that. */
static void add_plane(planning *p, lots *l, uint32_t n) {
    const graph_shape made = graph_operand_shape(p->g, &p->g->nodes[n], 0);
    const size_t count = graph_shape_count(made) / graph_shape_channels(made);
    add_lot(l, count, n, n, &p->plan->steps[n].plane);
}

static void add_lots(planning *p, lots *l, uint32_t n) {
    const graph *g = p->g;
    const uint32_t value = g->nodes[n].output;
    export_place *place = &p->plan->places[value];
    if (p->root[value] == value && p->root[g->output] == value) {
        place->home = EXPORT_OUT;
    } else if (p->root[value] == value &&
               (p->maker[value] == GRAPH_NONE || !p->plan->steps[p->maker[value]].done)) {
        place->home = EXPORT_BUFFER;
        add_lot(l, graph_value_count(g, value), n, p->last[value], &place->at);
    }
    if (p->plan->steps[n].pooled != GRAPH_NONE && !p->apart)
        add_plane(p, l, n);
}

static admmnn_status place_values(planning *p) {
    /* A value and a plane each. */
    lots l = {base_array(p->g->node_count, 2 * sizeof *l.lots), 0};
    if (l.lots == NULL)
        return base_fail_memory(p->err, "the plan of the C code");
    p->plan->places[p->g->input].home = EXPORT_IN;
    for (uint32_t n = 0; n < p->g->node_count; n++)
        if (p->plan->steps[n].needed)
            add_lots(p, &l, n);
    p->plan->count = place_lots(&l);
    for (uint32_t n = 0; n < p->g->node_count; n++)
        if (p->plan->steps[n].needed)
            p->plan->places[p->g->nodes[n].output] =
                p->plan->places[p->root[p->g->nodes[n].output]];
    base_free(l.lots);
    return ADMMNN_OK;
}

/* ---- all of it ---- */

static admmnn_status plan_all(planning *p) {
    const graph *g = p->g;
    for (uint32_t v = 0; v < g->value_count; v++) {
        p->maker[v] = GRAPH_NONE;
        p->root[v] = v;
    }
    for (uint32_t n = 0; n < g->node_count; n++)
        p->plan->steps[n].pooled = GRAPH_NONE;
    find_only_readers(p);
    count_readers(p);
    for (uint32_t n = 0; n < g->node_count; n++)
        if (p->plan->steps[n].needed)
            BASE_TRY(join(p, n));
    for (uint32_t n = 0; n < g->node_count; n++)
        if (p->plan->steps[n].needed)
            find_root(p, n);
    return place_values(p);
}

admmnn_status export_plan_make(const graph *g, const float *params, bool apart, export_plan *plan,
                               admmnn_error *err) {
    const size_t count = g->value_count;
    planning p = {g,
                  params,
                  apart,
                  plan,
                  base_array(count, sizeof *p.readers),
                  base_array(count, sizeof *p.last),
                  base_array(count, sizeof *p.maker),
                  base_array(count, sizeof *p.root),
                  err};
    *plan = (export_plan){.node_count = g->node_count,
                          .steps = base_array(g->node_count, sizeof *plan->steps),
                          .places = base_array(count, sizeof *plan->places),
                          .only = base_array(count, sizeof *plan->only)};
    admmnn_status status = ADMMNN_OK;
    if (p.readers == NULL || p.last == NULL || p.maker == NULL || p.root == NULL ||
        plan->steps == NULL || plan->places == NULL || plan->only == NULL)
        status = base_fail_memory(err, "the plan of the C code");
    else
        status = plan_all(&p);
    base_free(p.readers);
    base_free(p.last);
    base_free(p.maker);
    base_free(p.root);
    return status;
}

static void free_layer(export_layer *layer) {
    if (layer == NULL)
        return;
    base_free(layer->scales);
    base_free(layer->biases);
    base_free(layer);
}

void export_plan_free(export_plan *plan) {
    for (uint32_t n = 0; plan->steps != NULL && n < plan->node_count; n++)
        free_layer(plan->steps[n].layer);
    base_free(plan->steps);
    base_free(plan->places);
    base_free(plan->only);
    *plan = (export_plan){0};
}
