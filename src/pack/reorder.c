#include "pack/reorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/reader.h"

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
    return move_groups(&model->tensors[g->nodes[r.node].weight], order, weight->rows, r.block,
                       next->rows, err);
}

typedef struct unit {
    uint32_t place, kept;
} unit;

static int fullest_first(const void *left, const void *right) {
    const unit *a = left;
    const unit *b = right;
    if (a->kept != b->kept)
        return a->kept > b->kept ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static bool order_by_count(const pack_model *model, uint32_t layer_node, uint32_t *order) {
    const graph_parameter *weight = &model->g->parameters[model->g->nodes[layer_node].weight];
    const pack_tensor *tensor = &model->tensors[model->g->nodes[layer_node].weight];
    unit *units = base_array(weight->rows, sizeof *units);
    if (units == NULL)
        return false;
    for (uint32_t row = 0; row < weight->rows; row++) {
        units[row].place = row;
        for (size_t i = (size_t)row * weight->columns; i < ((size_t)row + 1) * weight->columns; i++)
            units[row].kept +=
                tensor->form == PACK_LEVELS ? tensor->codes[i] != 0 : tensor->values[i] != 0.0F;
    }
    qsort(units, weight->rows, sizeof *units, fullest_first);
    for (uint32_t row = 0; row < weight->rows; row++)
        order[row] = units[row].place;
    base_free(units);
    return true;
}

static admmnn_status encoded_size(const pack_model *model, size_t *size, admmnn_error *err) {
    static const pack_settings any = {PACK_POSITION_AUTO, PACK_CODER_AUTO};
    uint8_t *bytes;
    BASE_TRY(pack_encode(model, &any, &bytes, size, NULL, err));
    base_free(bytes);
    return ADMMNN_OK;
}

static void invert(const uint32_t *order, uint32_t count, uint32_t *inverse) {
    for (uint32_t i = 0; i < count; i++)
        inverse[order[i]] = i;
}

/* Sorts one layer; undone when the file grows. */
static admmnn_status sort_layer(pack_model *model, uint32_t layer_node, size_t *size,
                                admmnn_error *err) {
    uint32_t rows = model->g->parameters[model->g->nodes[layer_node].weight].rows;
    uint32_t *order = base_array(rows, sizeof *order);
    uint32_t *inverse = base_array(rows, sizeof *inverse);
    admmnn_status status = base_fail_memory(err, "a permutation");
    size_t sorted = 0;
    if (order != NULL && inverse != NULL && order_by_count(model, layer_node, order)) {
        status = pack_permute(model, layer_node, order, err);
        if (status == ADMMNN_OK)
            status = encoded_size(model, &sorted, err);
        invert(order, rows, inverse);
        if (status == ADMMNN_OK && sorted > *size)
            status = pack_permute(model, layer_node, inverse, err);
        else
            *size = sorted;
    }
    base_free(order);
    base_free(inverse);
    return status;
}

admmnn_status pack_reorder(pack_model *model, admmnn_error *err) {
    size_t size;
    BASE_TRY(encoded_size(model, &size, err));
    for (uint32_t n = 0; n < model->g->node_count; n++)
        if (model->g->nodes[n].weight != GRAPH_NONE &&
            graph_reader_of(model->g, n).node != GRAPH_NONE)
            BASE_TRY(sort_layer(model, n, &size, err));
    return ADMMNN_OK;
}
