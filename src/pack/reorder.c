#include "pack/reorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/reader.h"
#include "pack/plan.h"
#include "pack/positions.h"

/* Elements of a tensor, whichever form, are four bytes. */
static void *elements(pack_tensor *tensor) {
    return tensor->form == PACK_LEVELS ? (void *)tensor->codes : (void *)tensor->values;
}

/* Moves groups of `length` elements: in every one of `repeats` stretches of
 * count * length elements, group order[i] goes to place i. */
static admmnn_status move_groups(pack_tensor *tensor, const uint32_t *order, size_t count,
                                 size_t length, size_t repeats, admmnn_error *err) {
    const size_t stretch = count * length;
    uint32_t *copy = base_array(stretch, sizeof *copy);
    if (copy == NULL)
        return base_fail_memory(err, "a permutation");
    for (size_t r = 0; r < repeats; r++) {
        uint32_t *at = (uint32_t *)elements(tensor) + r * stretch;
        memcpy(copy, at, stretch * sizeof *copy);
        for (size_t i = 0; i < count; i++)
            memcpy(at + i * length, copy + (size_t)order[i] * length, length * sizeof *copy);
    }
    base_free(copy);
    return ADMMNN_OK;
}

/* The layer that reads the units, where their order is free: the outputs of a group can not
 * change places with those of another. */
static graph_reader free_reader(const graph *g, uint32_t layer_node) {
    const graph_node *node = &g->nodes[layer_node];
    const graph_reader none = {.node = GRAPH_NONE};
    if (graph_node_window(node) != NULL && node->conv.groups != 1)
        return none;
    return graph_reader_of(g, layer_node);
}

/* What a permutation of a layer's units does to one parameter: see move_groups. */
typedef struct movement {
    uint32_t parameter;
    size_t length, repeats;
} movement;

typedef admmnn_status (*move_visitor)(void *user, const movement *movement, admmnn_error *err);

/* Of what may lie between, a batch normalization alone has any. */
static admmnn_status visit_channels(const graph_node *node, move_visitor visit, void *user,
                                    admmnn_error *err) {
    const graph_normalization *norm = &node->normalization;
    const uint32_t owned[] = {norm->scale, norm->shift, norm->mean, norm->variance};
    for (size_t i = 0; node->op == GRAPH_BATCH_NORMALIZATION && i < 4; i++) {
        const movement channels = {owned[i], 1, 1};
        BASE_TRY(visit(user, &channels, err));
    }
    return ADMMNN_OK;
}

/* Every parameter that has the units' order: the layer's, those of batch normalizations
 * behind it, and the reader's weights. */
static admmnn_status visit_moved(const graph *g, uint32_t layer_node, const graph_reader *r,
                                 move_visitor visit, void *user, admmnn_error *err) {
    const graph_node *node = &g->nodes[layer_node];
    const graph_node *reader = &g->nodes[r->node];
    const movement rows = {node->weight, g->parameters[node->weight].columns, 1};
    const movement columns = {reader->weight, r->block, g->parameters[reader->weight].rows};
    BASE_TRY(visit(user, &rows, err));
    if (node->bias != GRAPH_NONE) {
        const movement bias = {node->bias, 1, 1};
        BASE_TRY(visit(user, &bias, err));
    }
    for (uint32_t n = graph_only_reader(g, layer_node); n != r->node; n = graph_only_reader(g, n))
        BASE_TRY(visit_channels(&g->nodes[n], visit, user, err));
    return visit(user, &columns, err);
}

/* A permutation of count units. */
typedef struct permutation {
    pack_model *model;
    const uint32_t *order;
    size_t count;
} permutation;

static admmnn_status move_parameter(void *user, const movement *m, admmnn_error *err) {
    const permutation *p = user;
    return move_groups(&p->model->tensors[m->parameter], p->order, p->count, m->length, m->repeats,
                       err);
}

admmnn_status pack_permute(pack_model *model, uint32_t layer_node, const uint32_t *order,
                           admmnn_error *err) {
    const graph *g = model->g;
    const graph_node *node = &g->nodes[layer_node];
    const graph_reader r = free_reader(g, layer_node);
    if (r.node == GRAPH_NONE)
        return base_fail(err, ADMMNN_USAGE, "%s: the order of outputs is not free", node->name);
    permutation p = {model, order, g->parameters[node->weight].rows};
    return visit_moved(g, layer_node, &r, move_parameter, &p, err);
}

typedef struct unit {
    uint32_t place;
    size_t key;
} unit;

static int by_key(const void *left, const void *right) {
    const unit *a = left;
    const unit *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Units are sorted by a key of their row of the mask, the least first. */
typedef size_t (*row_key)(const uint8_t *places, size_t columns);

static size_t fullest(const uint8_t *places, size_t columns) {
    size_t empty = 0;
    for (size_t i = 0; i < columns; i++)
        empty += places[i] == 0;
    return empty;
}

static admmnn_status order_by(const pack_model *model, uint32_t layer_node, row_key key,
                              uint32_t *order, admmnn_error *err) {
    const graph_parameter *weight = &model->g->parameters[model->g->nodes[layer_node].weight];
    unit *units = base_array(weight->rows, sizeof *units);
    uint8_t *mask = base_array(weight->count, 1);
    if (units == NULL || mask == NULL) {
        base_free(units);
        base_free(mask);
        return base_fail_memory(err, "a permutation");
    }
    tensor_mask(&model->tensors[model->g->nodes[layer_node].weight], weight->count, mask);
    for (uint32_t row = 0; row < weight->rows; row++)
        units[row] = (unit){row, key(mask + (size_t)row * weight->columns, weight->columns)};
    qsort(units, weight->rows, sizeof *units, by_key);
    for (uint32_t row = 0; row < weight->rows; row++)
        order[row] = units[row].place;
    base_free(units);
    base_free(mask);
    return ADMMNN_OK;
}

/* Sums of tensors' bits and sizes of files differ by what the range coder rounds: where the
 * sums are nearer than this, whole files are compared. */
#define NEAR_BITS 64U
/* Of larger networks a file takes seconds to encode, and what its comparison wins, a byte or
 * two, is none of its millions. */
#define COMPARED_COUNT ((size_t)1 << 22)

/* The model as it is ordered so far. */
typedef struct ordering {
    pack_model *model;
    pack_settings settings;
    plan_choice *choices;   /* of every parameter */
    plan_choice *trial;     /* the same for the order on trial */
    uint64_t before, after; /* bits of what the trial moves */
    size_t size;            /* of the file; 0: not known */
} ordering;

static admmnn_status plan_moved(void *user, const movement *m, admmnn_error *err) {
    ordering *o = user;
    const uint32_t p = m->parameter;
    BASE_TRY(plan_tensor(o->model, p, &o->settings, &o->trial[p], err));
    o->before += o->choices[p].bits;
    o->after += o->trial[p].bits;
    return ADMMNN_OK;
}

static admmnn_status size_of(const ordering *o, const plan_choice *choices, size_t *size,
                             admmnn_error *err) {
    uint8_t *bytes;
    BASE_TRY(plan_encode(o->model, choices, &bytes, size, NULL, err));
    base_free(bytes);
    return ADMMNN_OK;
}

static void invert(const uint32_t *order, uint32_t count, uint32_t *inverse) {
    for (uint32_t i = 0; i < count; i++)
        inverse[order[i]] = i;
}

/* Whether the file of the order on trial is no larger. */
static admmnn_status compare_files(ordering *o, uint32_t layer_node, const uint32_t *order,
                                   const uint32_t *inverse, bool *better, admmnn_error *err) {
    size_t moved;
    BASE_TRY(size_of(o, o->trial, &moved, err));
    if (o->size == 0) {
        BASE_TRY(pack_permute(o->model, layer_node, inverse, err));
        BASE_TRY(size_of(o, o->choices, &o->size, err));
        BASE_TRY(pack_permute(o->model, layer_node, order, err));
    }
    *better = moved <= o->size;
    if (*better)
        o->size = moved;
    return ADMMNN_OK;
}

/* Moves one layer's units; undone when the file grows. */
static admmnn_status try_order(ordering *o, uint32_t layer_node, const uint32_t *order,
                               const uint32_t *inverse, admmnn_error *err) {
    const graph *g = o->model->g;
    const graph_reader r = free_reader(g, layer_node);
    o->before = o->after = 0;
    memcpy(o->trial, o->choices, g->parameter_count * sizeof *o->trial);
    BASE_TRY(pack_permute(o->model, layer_node, order, err));
    BASE_TRY(visit_moved(g, layer_node, &r, plan_moved, o, err));
    bool better = o->after < o->before;
    const bool near = o->after + NEAR_BITS > o->before && o->after < o->before + NEAR_BITS;
    if (near && g->flat_count <= COMPARED_COUNT)
        BASE_TRY(compare_files(o, layer_node, order, inverse, &better, err));
    else if (better)
        o->size = 0;
    if (!better)
        return pack_permute(o->model, layer_node, inverse, err);
    memcpy(o->choices, o->trial, g->parameter_count * sizeof *o->trial);
    return ADMMNN_OK;
}

static admmnn_status sort_layer(ordering *o, uint32_t layer_node, row_key key, admmnn_error *err) {
    uint32_t rows = o->model->g->parameters[o->model->g->nodes[layer_node].weight].rows;
    uint32_t *order = base_array(rows, sizeof *order);
    uint32_t *inverse = base_array(rows, sizeof *inverse);
    admmnn_status status = order == NULL || inverse == NULL
                               ? base_fail_memory(err, "a permutation")
                               : order_by(o->model, layer_node, key, order, err);
    if (status == ADMMNN_OK) {
        invert(order, rows, inverse);
        status = try_order(o, layer_node, order, inverse, err);
    }
    base_free(order);
    base_free(inverse);
    return status;
}

static admmnn_status sort_layers(ordering *o, admmnn_error *err) {
    static const row_key keys[] = {fullest, positions_first};
    const graph *g = o->model->g;
    o->trial = base_array(g->parameter_count, sizeof *o->trial);
    if (o->trial == NULL)
        return base_fail_memory(err, "the tensors' plans");
    BASE_TRY(plan_model(o->model, &o->settings, &o->choices, err));
    for (uint32_t n = 0; n < g->node_count; n++) {
        if (g->nodes[n].weight == GRAPH_NONE || free_reader(g, n).node == GRAPH_NONE)
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            BASE_TRY(sort_layer(o, n, keys[k], err));
    }
    return ADMMNN_OK;
}

admmnn_status pack_reorder(pack_model *model, const admmnn_context *context, admmnn_error *err) {
    ordering o = {.model = model,
                  .settings = {.positions = PACK_POSITION_AUTO,
                               .values = PACK_CODER_AUTO,
                               .context = context}};
    const admmnn_status status = sort_layers(&o, err);
    base_free(o.choices);
    base_free(o.trial);
    return status;
}
