#include "plan.h"

#include <math.h>

#include "codes.h"
#include "layer.h"
#include "operations.h"

/* Places are multiples of this many floats. */
#define PLACE_ALIGNMENT 16U

static admmnn_runtime_status no_memory(const rt_opening *opening) {
    return rt_fail(opening->err, rt_memory_status(opening->memory), "no memory for the plan", 0);
}

/* ---- layers ---- */

/* Whether a matmul multiplies what differs between samples by weights that none but it reads. */
static bool is_linear(const rt_network *network, const rt_node *node, const uint32_t *readers) {
    if (node->op != PACK_OP_MATMUL || node->weight == NULL)
        return false;
    const rt_value *right = &network->values[node->operands[1]];
    return right->tensor == node->weight && right->shape.rank == 2 &&
           !network->values[node->operands[0]].fixed && readers[node->operands[1]] == 1;
}

static admmnn_runtime_status plan_layer(const rt_opening *opening, uint32_t v,
                                        const uint32_t *readers) {
    const rt_network *network = opening->network;
    rt_node *node = network->values[v].node;
    node->linear = is_linear(network, node, readers);
    if (!rt_layer_plan(network, &network->values[v]))
        return rt_fail(opening->err, ADMMNN_RUNTIME_UNSUPPORTED,
                       "a layer whose working memory is too much", 0);
    if (node->op == PACK_OP_CONV || node->op == PACK_OP_TRANSPOSED_CONV ||
        node->op == PACK_OP_INNER_PRODUCT || node->linear)
        node->weight->user = v;
    return ADMMNN_RUNTIME_OK;
}

/* What holds numbers between bounds. */
static bool is_bound(const rt_node *node) {
    const rt_unary *unary = &node->as.unary;
    return node->op == PACK_OP_RELU ||
           (node->op == PACK_OP_UNARY && unary->kind == PACK_UNARY_CLIP && unary->a <= unary->b);
}

/* Between the convolution and the pooling a normalization may stand, and behind that bounds: what
 * fold() makes the layer do. */
static void find_pooled(const rt_network *network, const rt_node *pool, const uint32_t *readers) {
    if (!rt_is_pool2(network, pool))
        return;
    uint32_t v = pool->operands[0];
    rt_node *node = network->values[v].node;
    bool bounded = false;
    bool normalized = false;
    while (node != NULL && readers[v] == 1) {
        if (node->op == PACK_OP_CONV)
            node->may_pool = true;
        if (is_bound(node) && !bounded && !normalized)
            bounded = true;
        else if (node->op == PACK_OP_BATCH_NORMALIZATION && !normalized)
            normalized = true;
        else if (node->op != PACK_OP_DROPOUT)
            return;
        v = node->operands[0];
        node = network->values[v].node;
    }
}

admmnn_runtime_status rt_plan_layers(rt_opening *opening) {
    const rt_network *network = opening->network;
    const size_t mark = rt_scratch_mark(opening->memory);
    uint32_t *readers = rt_scratch(opening->memory, network->value_count, sizeof *readers);
    if (readers == NULL)
        return no_memory(opening);
    for (uint32_t v = 1; v < network->value_count; v++) {
        const rt_node *node = network->values[v].node;
        for (uint32_t i = 0; node != NULL && i < node->operand_count; i++)
            readers[node->operands[i]]++;
    }
    for (uint32_t v = 1; v < network->value_count; v++)
        if (network->values[v].node != NULL)
            find_pooled(network, network->values[v].node, readers);
    for (uint32_t v = 1; v < network->value_count; v++)
        if (network->values[v].node != NULL)
            RT_TRY(plan_layer(opening, v, readers));
    rt_scratch_release(opening->memory, mark);
    return ADMMNN_RUNTIME_OK;
}

typedef struct planning {
    rt_opening *opening;
    rt_network *network;
    uint32_t *readers; /* [values] operations that read it */
    uint32_t *last;    /* [values] the last that reads it, or what lies in its place */
    uint32_t *layer;   /* [values] the value of the layer whose result it is; 0: of none */
    uint32_t *root;    /* [values] the value whose numbers its are: what makes them does it, too */
    uint32_t *home;    /* [values] the value in whose place it lies */
} planning;

/* ---- what is needed ---- */

static void count_readers(planning *p) {
    rt_value *values = p->network->values;
    values[p->network->output].node->needed = true;
    p->last[p->network->output] = UINT32_MAX; /* the caller */
    p->readers[p->network->output] = 1;
    for (uint32_t v = p->network->value_count; v-- > 1;) {
        const rt_node *node = values[v].node;
        if (node == NULL || !node->needed)
            continue;
        for (uint32_t i = 0; i < node->operand_count; i++) {
            const uint32_t operand = node->operands[i];
            p->readers[operand]++;
            if (p->last[operand] < v)
                p->last[operand] = v;
            if (values[operand].node != NULL)
                values[operand].node->needed = true;
        }
    }
}

/* ---- what a layer does on the way ---- */

/* (w x + b - mean) / sqrt(variance + epsilon) * scale + shift, of every row. */
static admmnn_runtime_status fold_batch(planning *p, const rt_normalization *n, rt_layer *layer) {
    float *scale = rt_take(p->opening->memory, layer->rows, sizeof *scale);
    float *bias = rt_take(p->opening->memory, layer->rows, sizeof *bias);
    if (scale == NULL || bias == NULL)
        return no_memory(p->opening);
    for (uint32_t r = 0; r < layer->rows; r++) {
        const double before = layer->bias == NULL ? 0.0 : (double)layer->bias[r];
        const double factor =
            (double)n->scale->floats[r] / sqrt((double)n->variance->floats[r] + (double)n->epsilon);
        scale[r] = (float)factor;
        bias[r] =
            (float)((before - (double)n->mean->floats[r]) * factor + (double)n->shift->floats[r]);
    }
    layer->scale = scale;
    layer->bias = bias;
    return ADMMNN_RUNTIME_OK;
}

static bool is_bounded(const rt_layer *layer) {
    return layer->low > -INFINITY || layer->high < INFINITY;
}

/* A sum with a row of numbers, one for each of a matmul's columns. */
static const float *row_added(const planning *p, const rt_node *node, const rt_layer *layer) {
    const rt_value *other = &p->network->values[node->operands[1]];
    if (node->as.binary != PACK_BINARY_ADD || other->data == NULL || other->shape.rank != 1 ||
        other->shape.dims[0] != layer->rows)
        return NULL;
    return other->data;
}

/* *done: the layer of the node's first operand does it from now on. */
static admmnn_runtime_status fold(planning *p, const rt_node *node, bool *done) {
    const rt_node *maker = p->network->values[p->layer[node->operands[0]]].node;
    rt_layer *layer = maker->weight->layer;
    const bool turned = maker->op == PACK_OP_MATMUL;
    *done = false;
    if (is_bounded(layer))
        return ADMMNN_RUNTIME_OK;
    if (node->op == PACK_OP_BATCH_NORMALIZATION && !turned && layer->scale == NULL) {
        *done = true;
        return fold_batch(p, &node->as.normalization, layer);
    }
    if (is_bound(node)) {
        layer->low = node->op == PACK_OP_RELU ? 0.0F : node->as.unary.a;
        layer->high = node->op == PACK_OP_RELU ? layer->high : node->as.unary.b;
        *done = true;
    }
    if (node->op == PACK_OP_BINARY && turned && layer->bias == NULL) {
        layer->bias = row_added(p, node, layer);
        *done = layer->bias != NULL;
    }
    return ADMMNN_RUNTIME_OK;
}

/* From now on the convolution whose result the pooling reads stores the largest alone. */
static bool fold_pool(planning *p, uint32_t v) {
    rt_value *values = p->network->values;
    const rt_node *node = values[v].node;
    const uint32_t operand = node->operands[0];
    if (p->layer[operand] == 0 || p->readers[operand] != 1 || !rt_is_pool2(p->network, node))
        return false;
    rt_value *maker = &values[p->layer[operand]];
    if (!maker->node->tiled || maker->node->tiling.unit != 2)
        return false;
    maker->node->tiling.pools = true;
    maker->shape = values[v].shape;
    return true;
}

static bool only_passes_on(const rt_node *node) {
    return node->op == PACK_OP_DROPOUT || node->op == PACK_OP_RESHAPE;
}

static admmnn_runtime_status fold_value(planning *p, uint32_t v) {
    rt_value *values = p->network->values;
    rt_node *node = values[v].node;
    const uint32_t operand = node->operands[0];
    bool done = false;
    if (node->weight != NULL && node->weight->layer != NULL)
        p->layer[v] = v;
    if (p->layer[operand] != 0 && p->readers[operand] == 1)
        RT_TRY(fold(p, node, &done));
    if (done || (node->op == PACK_OP_DROPOUT && p->readers[operand] == 1))
        p->layer[v] = p->layer[operand];
    done = done || fold_pool(p, v);
    node->folded = done || (only_passes_on(node) && !values[operand].fixed);
    if (node->folded)
        p->root[v] = p->root[operand];
    if (done) /* what is kept is what was made last */
        values[p->root[v]].range = values[v].range;
    return ADMMNN_RUNTIME_OK;
}

/* ---- values of 8 bits ---- */

/* Whether there is a way to run it between codes; else what it reads and makes stays in floats. */
static bool runs_on_codes(const rt_node *node) {
    switch (node->op) {
    case PACK_OP_CONV:
    case PACK_OP_INNER_PRODUCT:
    case PACK_OP_MAXPOOL:
    case PACK_OP_AVERAGE_POOL:
    case PACK_OP_RELU:
    case PACK_OP_UNARY:
    case PACK_OP_BINARY:
    case PACK_OP_BATCH_NORMALIZATION:
    case PACK_OP_LRN:
    case PACK_OP_REDUCE:
    case PACK_OP_CONCAT:
        return true;
    case PACK_OP_MATMUL:
        return node->linear && !node->tiled;
    default:
        return false;
    }
}

static bool is_run(const rt_value *value) {
    return value->node != NULL && value->node->needed && !value->node->folded;
}

static void keep_floats(rt_value *value) {
    const rt_numbers floats = {false, 0, 0.0F};
    value->numbers = floats;
}

/* The caller's input and output are floats, and so is what is read or made by an operation that has
 * no other way. */
static void choose_numbers(const planning *p) {
    rt_value *values = p->network->values;
    const uint32_t count = p->network->value_count;
    for (uint32_t v = 1; v < count; v++)
        if (is_run(&values[v]) && runs_on_codes(values[v].node))
            values[v].numbers = rt_numbers_of(values[v].range);
    keep_floats(&values[p->root[p->network->output]]);
    for (uint32_t v = 1; v < count; v++) {
        const rt_node *node = values[v].node;
        for (uint32_t i = 0; is_run(&values[v]) && i < node->operand_count; i++)
            if (!runs_on_codes(node))
                keep_floats(&values[p->root[node->operands[i]]]);
    }
}

/* The largest of codes is one of them. */
static void share_numbers(const planning *p, rt_value *value) {
    const rt_value *from = &p->network->values[p->root[value->node->operands[0]]];
    if (value->node->op == PACK_OP_MAXPOOL && value->numbers.coded && from->numbers.coded)
        value->numbers = from->numbers;
}

static admmnn_runtime_status code_layer(const planning *p, const rt_value *value) {
    const rt_node *node = value->node;
    const rt_numbers *in = &p->network->values[node->operands[0]].numbers;
    if (node->weight == NULL || node->weight->layer == NULL ||
        (!in->coded && !value->numbers.coded))
        return ADMMNN_RUNTIME_OK;
    return rt_layer_code(p->opening, node->weight, in, &value->numbers);
}

static admmnn_runtime_status code_values(const planning *p) {
    rt_value *values = p->network->values;
    choose_numbers(p);
    for (uint32_t v = 1; v < p->network->value_count; v++) {
        if (is_run(&values[v])) {
            share_numbers(p, &values[v]);
            RT_TRY(code_layer(p, &values[v]));
        } else if (values[v].node != NULL && values[v].node->needed) {
            values[v].numbers = values[p->root[v]].numbers;
        }
    }
    return ADMMNN_RUNTIME_OK;
}

/* ---- places ---- */

/* Whether what lies in the operand's place may be overwritten by v: never the caller's input. */
static bool is_last_reader(const planning *p, uint32_t operand, uint32_t v) {
    return !p->network->values[operand].fixed && p->home[operand] != 0 &&
           p->last[p->home[operand]] == v;
}

/* Element by element, from the same element. */
static bool works_in_place(const planning *p, const rt_value *value) {
    const rt_node *node = value->node;
    const rt_value *left = &p->network->values[node->operands[0]];
    switch (node->op) {
    case PACK_OP_RELU:
    case PACK_OP_UNARY:
    case PACK_OP_BATCH_NORMALIZATION:
        return true;
    case PACK_OP_BINARY: /* what is broadcast is read again */
        return rt_shape_equal(&left->shape, &value->shape) &&
               (p->home[node->operands[1]] != p->home[node->operands[0]] ||
                rt_shape_equal(&left->shape, &p->network->values[node->operands[1]].shape));
    default:
        return false;
    }
}

static void lie_with(planning *p, uint32_t v, uint32_t operand) {
    const uint32_t home = p->home[operand];
    p->home[v] = home;
    if (p->last[home] < p->last[v])
        p->last[home] = p->last[v];
}

static void find_home(planning *p, uint32_t v) {
    const rt_value *value = &p->network->values[v];
    const uint32_t operand = value->node->operands[0];
    const bool as_wide = value->numbers.coded == p->network->values[operand].numbers.coded;
    p->home[v] = v;
    if (value->node->folded ||
        (as_wide && works_in_place(p, value) && is_last_reader(p, operand, v)))
        lie_with(p, v, operand);
}

/* Floats in use from one operation to another. */
typedef struct lot {
    size_t *place; /* of whom they are */
    uint64_t at, count;
    uint32_t first, last;
} lot;

typedef struct lots {
    lot *lots;
    uint32_t count;
    uint64_t most; /* floats in all */
} lots;

static void add_lot(lots *l, uint64_t floats, uint32_t first, uint32_t last, size_t *place) {
    const uint64_t count = (floats + PLACE_ALIGNMENT - 1) / PLACE_ALIGNMENT * PLACE_ALIGNMENT;
    const lot added = {place, 0, count, first, last};
    l->lots[l->count++] = added;
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
static uint64_t find_gap(const lots *l, uint32_t placed, const lot *chosen) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < placed; i++) {
        const lot *other = &l->lots[i];
        const bool at_once = other->first <= chosen->last && chosen->first <= other->last;
        if (at_once && other->at < at + chosen->count && at < other->at + other->count)
            at = other->at + other->count;
    }
    return at;
}

/* The largest first (Pisarchyk and Lee 2020, greedy by size). */
static void place_lots(lots *l) {
    for (uint32_t placed = 0; placed < l->count; placed++) {
        choose_lot(l, placed);
        lot chosen = l->lots[placed];
        chosen.at = find_gap(l, placed, &chosen);
        *chosen.place = (size_t)chosen.at;
        if (chosen.at + chosen.count > l->most)
            l->most = chosen.at + chosen.count;
        uint32_t i = placed;
        for (; i > 0 && l->lots[i - 1].at > chosen.at; i--)
            l->lots[i] = l->lots[i - 1];
        l->lots[i] = chosen;
    }
}

static rt_home home_of(const planning *p, uint32_t v) {
    if (p->home[v] == 0)
        return RT_IN_INPUT;
    return p->home[v] == p->home[p->network->output] ? RT_IN_OUTPUT : RT_IN_WORKSPACE;
}

/* That a value's numbers take. */
static uint64_t floats_of(const rt_value *value) {
    const uint64_t count = rt_shape_count(&value->shape);
    return value->numbers.coded ? (count + sizeof(float) - 1) / sizeof(float) : count;
}

static void count_value(rt_network *network, const rt_value *value) {
    network->kept++;
    network->codes += value->numbers.coded;
}

/* Of a value, and of what its operation works with. */
static void add_lots(planning *p, lots *l, uint32_t v) {
    rt_value *value = &p->network->values[v];
    value->home = home_of(p, v);
    value->place = 0;
    if (p->root[v] == v)
        count_value(p->network, value);
    if (value->home == RT_IN_WORKSPACE && p->home[v] == v)
        add_lot(l, floats_of(value), v, p->last[v], &value->place);
    if (value->node == NULL || value->node->folded)
        return;
    const uint64_t temporary = rt_temporary_count(p->network, value);
    if (temporary > 0)
        add_lot(l, temporary, v, v, &value->node->temporary);
}

static bool has_lots(const rt_network *network, uint32_t v) {
    return v == 0 || (network->values[v].node != NULL && network->values[v].node->needed);
}

static admmnn_runtime_status place_values(planning *p) {
    rt_network *network = p->network;
    lots l = {NULL, 0, 0};
    /* A value and working memory each. */
    l.lots = rt_scratch(p->opening->memory, network->value_count, 2 * sizeof *l.lots);
    if (l.lots == NULL)
        return no_memory(p->opening);
    for (uint32_t v = 0; v < network->value_count; v++)
        if (has_lots(network, v))
            add_lots(p, &l, v);
    place_lots(&l);
    if (l.most > SIZE_MAX / sizeof(float) / 2)
        return rt_fail(p->opening->err, ADMMNN_RUNTIME_UNSUPPORTED,
                       "a network whose values take too much memory", 0);
    for (uint32_t v = 0; v < network->value_count; v++)
        if (has_lots(network, v) && network->values[v].home == RT_IN_WORKSPACE)
            network->values[v].place = network->values[p->home[v]].place;
    network->workspace = (size_t)l.most;
    return ADMMNN_RUNTIME_OK;
}

static void finish_parameters(planning *p) {
    for (uint32_t v = 1; v < p->network->value_count; v++) {
        rt_value *value = &p->network->values[v];
        if (value->tensor != NULL)
            value->data = value->tensor->floats;
        const rt_node *node = value->node;
        if (node != NULL && node->bias != NULL)
            node->weight->layer->bias = node->bias->floats;
    }
}

admmnn_runtime_status rt_plan(rt_opening *opening) {
    rt_network *network = opening->network;
    const size_t mark = rt_scratch_mark(opening->memory);
    const size_t count = network->value_count;
    planning p = {opening, network, NULL, NULL, NULL, NULL, NULL};
    p.readers = rt_scratch(opening->memory, count, sizeof *p.readers);
    p.last = rt_scratch(opening->memory, count, sizeof *p.last);
    p.layer = rt_scratch(opening->memory, count, sizeof *p.layer);
    p.root = rt_scratch(opening->memory, count, sizeof *p.root);
    p.home = rt_scratch(opening->memory, count, sizeof *p.home);
    if (p.readers == NULL || p.last == NULL || p.layer == NULL || p.root == NULL || p.home == NULL)
        return no_memory(opening);
    for (uint32_t v = 0; v < count; v++)
        p.root[v] = v;
    finish_parameters(&p);
    count_readers(&p);
    for (uint32_t v = 1; v < count; v++)
        if (network->values[v].node != NULL && network->values[v].node->needed)
            RT_TRY(fold_value(&p, v));
    if (network->coded)
        RT_TRY(code_values(&p));
    for (uint32_t v = 1; v < count; v++)
        if (network->values[v].node != NULL && network->values[v].node->needed)
            find_home(&p, v);
    RT_TRY(place_values(&p));
    rt_scratch_release(opening->memory, mark);
    return ADMMNN_RUNTIME_OK;
}
