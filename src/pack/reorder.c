#include "pack/reorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/reader.h"
#include "pack/positions.h"
#include "pack/tensor.h"

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

/* Nothing but a batch normalization has any. */
static admmnn_status move_channels(pack_model *model, const graph_node *node, const uint32_t *order,
                                   size_t count, admmnn_error *err) {
    if (node->op != GRAPH_BATCH_NORMALIZATION)
        return ADMMNN_OK;
    const graph_normalization *norm = &node->normalization;
    const uint32_t owned[] = {norm->scale, norm->shift, norm->mean, norm->variance};
    for (size_t i = 0; i < 4; i++)
        BASE_TRY(move_groups(&model->tensors[owned[i]], order, count, 1, 1, err));
    return ADMMNN_OK;
}

admmnn_status pack_permute(pack_model *model, uint32_t layer_node, const uint32_t *order,
                           admmnn_error *err) {
    const graph *g = model->g;
    const graph_node *node = &g->nodes[layer_node];
    graph_reader r = graph_reader_of(g, layer_node);
    if (r.node == GRAPH_NONE)
        return base_fail(err, ADMMNN_USAGE, "%s: the order of outputs is not free", node->name);
    const graph_parameter *weight = &g->parameters[node->weight];
    const graph_parameter *next = &g->parameters[g->nodes[r.node].weight];
    BASE_TRY(
        move_groups(&model->tensors[node->weight], order, weight->rows, weight->columns, 1, err));
    BASE_TRY(move_groups(&model->tensors[node->bias], order, weight->rows, 1, 1, err));
    for (uint32_t n = graph_only_reader(g, layer_node); n != r.node; n = graph_only_reader(g, n))
        BASE_TRY(move_channels(model, &g->nodes[n], order, weight->rows, err));
    return move_groups(&model->tensors[g->nodes[r.node].weight], order, weight->rows, r.block,
                       next->rows, err);
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

static admmnn_status encoded_size(const pack_model *model, const admmnn_context *context,
                                  size_t *size, admmnn_error *err) {
    const pack_settings any = {
        .positions = PACK_POSITION_AUTO, .values = PACK_CODER_AUTO, .context = context};
    uint8_t *bytes;
    BASE_TRY(pack_encode(model, &any, &bytes, size, NULL, err));
    base_free(bytes);
    return ADMMNN_OK;
}

static void invert(const uint32_t *order, uint32_t count, uint32_t *inverse) {
    for (uint32_t i = 0; i < count; i++)
        inverse[order[i]] = i;
}

/* Moves one layer's units; undone when the file grows. */
static admmnn_status try_order(pack_model *model, const admmnn_context *context,
                               uint32_t layer_node, const uint32_t *order, const uint32_t *inverse,
                               size_t *size, admmnn_error *err) {
    size_t moved;
    BASE_TRY(pack_permute(model, layer_node, order, err));
    BASE_TRY(encoded_size(model, context, &moved, err));
    if (moved > *size)
        return pack_permute(model, layer_node, inverse, err);
    *size = moved;
    return ADMMNN_OK;
}

static admmnn_status sort_layer(pack_model *model, const admmnn_context *context,
                                uint32_t layer_node, row_key key, size_t *size, admmnn_error *err) {
    uint32_t rows = model->g->parameters[model->g->nodes[layer_node].weight].rows;
    uint32_t *order = base_array(rows, sizeof *order);
    uint32_t *inverse = base_array(rows, sizeof *inverse);
    admmnn_status status = order == NULL || inverse == NULL
                               ? base_fail_memory(err, "a permutation")
                               : order_by(model, layer_node, key, order, err);
    if (status == ADMMNN_OK) {
        invert(order, rows, inverse);
        status = try_order(model, context, layer_node, order, inverse, size, err);
    }
    base_free(order);
    base_free(inverse);
    return status;
}

admmnn_status pack_reorder(pack_model *model, const admmnn_context *context, admmnn_error *err) {
    static const row_key keys[] = {fullest, positions_first};
    size_t size;
    BASE_TRY(encoded_size(model, context, &size, err));
    for (uint32_t n = 0; n < model->g->node_count; n++) {
        if (model->g->nodes[n].weight == GRAPH_NONE ||
            graph_reader_of(model->g, n).node == GRAPH_NONE)
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            BASE_TRY(sort_layer(model, context, n, keys[k], &size, err));
    }
    return ADMMNN_OK;
}
