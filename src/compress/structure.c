#include "compress/structure.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "graph/reader.h"

static bool row_is_empty(const graph_parameter *weight, const uint8_t *mask, size_t row) {
    const uint8_t *from = mask + weight->offset + row * weight->columns;
    for (size_t i = 0; i < weight->columns; i++)
        if (from[i] != 0)
            return false;
    return true;
}

static bool columns_are_empty(const graph_parameter *weight, const uint8_t *mask, size_t first,
                              size_t count) {
    for (size_t row = 0; row < weight->rows; row++) {
        const uint8_t *from = mask + weight->offset + row * weight->columns + first;
        for (size_t i = 0; i < count; i++)
            if (from[i] != 0)
                return false;
    }
    return true;
}

static void clear(uint8_t *mask, float *params, size_t first, size_t count) {
    memset(mask + first, 0, count);
    memset(params + first, 0, count * sizeof *params);
}

/* The unit's own parameters: of the layer, and of normalizations before its reader. */
static void clear_unit(const graph *g, uint32_t layer, size_t unit, uint8_t *mask, float *params) {
    const graph_parameter *weight = &g->parameters[g->nodes[layer].weight];
    const graph_parameter *bias = &g->parameters[g->nodes[layer].bias];
    clear(mask, params, weight->offset + unit * weight->columns, weight->columns);
    clear(mask, params, bias->offset + unit, 1);
    for (uint32_t n = graph_only_reader(g, layer); g->nodes[n].weight == GRAPH_NONE;
         n = graph_only_reader(g, n)) {
        if (g->nodes[n].op != GRAPH_BATCH_NORMALIZATION)
            continue;
        const graph_normalization *norm = &g->nodes[n].normalization;
        const uint32_t owned[] = {norm->scale, norm->shift, norm->mean, norm->variance};
        for (size_t i = 0; i < 4; i++)
            clear(mask, params, g->parameters[owned[i]].offset + unit, 1);
    }
}

/* A unit that is the constant `value`: into the reader's biases with it. */
static void fold_constant(const graph *g, const graph_reader *r, size_t unit, float value,
                          uint8_t *mask, float *params) {
    const graph_parameter *weight = &g->parameters[g->nodes[r->node].weight];
    const graph_parameter *bias = &g->parameters[g->nodes[r->node].bias];
    for (size_t row = 0; row < weight->rows; row++) {
        size_t first = weight->offset + row * weight->columns + unit * r->block;
        for (size_t i = 0; i < r->block; i++)
            if (mask[first + i] != 0)
                params[bias->offset + row] += value * params[first + i];
        clear(mask, params, first, r->block);
    }
}

static bool remove_from_layer(const graph *g, uint32_t layer, uint8_t *mask, float *params) {
    graph_reader r = graph_reader_of(g, layer);
    if (r.node == GRAPH_NONE)
        return false;
    const graph_parameter *weight = &g->parameters[g->nodes[layer].weight];
    const graph_parameter *bias = &g->parameters[g->nodes[layer].bias];
    const graph_parameter *next = &g->parameters[g->nodes[r.node].weight];
    bool changed = false;
    for (size_t unit = 0; unit < weight->rows; unit++) {
        size_t own_bias = bias->offset + unit;
        bool empty = row_is_empty(weight, mask, unit);
        bool unread = columns_are_empty(next, mask, unit * r.block, r.block);
        if (empty && !unread && !r.padded) {
            float value = graph_constant_through(g, params, layer, unit, params[own_bias]);
            fold_constant(g, &r, unit, value, mask, params);
            unread = true;
            changed = true;
        }
        if (!unread || (empty && mask[own_bias] == 0))
            continue;
        clear_unit(g, layer, unit, mask, params);
        changed = true;
    }
    return changed;
}

/* Layers whose units are told apart by the code below, and what may lie between them. */
static bool is_known(const graph *g, const graph_node *node) {
    if (!graph_value_varies(g, graph_operand(g, node, 0)))
        return false;
    switch (node->op) {
    case GRAPH_CONV:
        return node->conv.groups == 1 && node->bias != GRAPH_NONE;
    case GRAPH_INNER_PRODUCT:
        return node->bias != GRAPH_NONE;
    case GRAPH_MAXPOOL:
    case GRAPH_RELU:
    case GRAPH_BATCH_NORMALIZATION:
    case GRAPH_DROPOUT:
        return true;
    default:
        return false;
    }
}

admmnn_status structure_check(const graph *g, admmnn_error *err) {
    for (uint32_t n = 0; n < g->node_count; n++)
        if (!is_known(g, &g->nodes[n]))
            return base_fail(err, ADMMNN_UNSUPPORTED,
                             "%s: node %s: networks with such a %s are run, not compressed",
                             g->name, g->nodes[n].name, graph_op_name(g->nodes[n].op));
    return ADMMNN_OK;
}

void structure_remove_dead(const graph *g, uint8_t *mask, float *params) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t n = g->node_count; n-- > 0;)
            if (g->nodes[n].weight != GRAPH_NONE)
                changed |= remove_from_layer(g, n, mask, params);
    }
}

/* Which units of a layer live: those with a bias in the mask. At least one, so
 * that the small network has a shape. */
static size_t living_units(const graph *g, uint32_t layer, const uint8_t *mask, bool *lives) {
    const graph_parameter *bias = &g->parameters[g->nodes[layer].bias];
    bool all = graph_reader_of(g, layer).node == GRAPH_NONE;
    size_t count = 0;
    for (size_t unit = 0; unit < bias->rows; unit++) {
        lives[unit] = all || mask[bias->offset + unit] != 0;
        count += lives[unit];
    }
    if (count == 0)
        lives[0] = true;
    return count == 0 ? 1 : count;
}

/* Per value of g: the channels that live, as flags over all channels. */
typedef struct channel_map {
    bool **lives;
    uint32_t value_count;
} channel_map;

static void free_map(channel_map *map) {
    for (uint32_t v = 0; map->lives != NULL && v < map->value_count; v++)
        base_free(map->lives[v]);
    base_free(map->lives);
}

static bool make_map(const graph *g, const uint8_t *mask, channel_map *map) {
    map->value_count = g->value_count;
    map->lives = base_array(g->value_count, sizeof *map->lives);
    if (map->lives == NULL)
        return false;
    for (uint32_t v = 0; v < g->value_count; v++) {
        size_t channels = graph_shape_channels(g->values[v].shape);
        map->lives[v] = base_array(channels, sizeof **map->lives);
        if (map->lives[v] == NULL)
            return false;
        uint32_t n = g->values[v].producer;
        if (n == GRAPH_NONE)
            memset(map->lives[v], true, channels);
        else if (g->nodes[n].weight != GRAPH_NONE)
            living_units(g, n, mask, map->lives[v]);
        else
            memcpy(map->lives[v], map->lives[graph_operand(g, &g->nodes[n], 0)], channels);
    }
    return true;
}

static uint32_t count_living(const channel_map *map, const graph *g, uint32_t value) {
    uint32_t count = 0;
    for (uint32_t c = 0; c < graph_shape_channels(g->values[value].shape); c++)
        count += map->lives[value][c];
    return count;
}

static admmnn_status add_small_node(const graph *g, const channel_map *map, uint32_t n,
                                    const uint32_t *values, graph *small, uint32_t *out,
                                    admmnn_error *err) {
    const graph_node *node = &g->nodes[n];
    uint32_t in = values[graph_operand(g, node, 0)];
    uint32_t channels = count_living(map, g, node->output);
    switch (node->op) {
    case GRAPH_CONV:
        return graph_add_conv(small, node->name, in, channels, node->conv, out, err);
    case GRAPH_MAXPOOL:
        return graph_add_maxpool(small, node->name, in, node->pool, out, err);
    case GRAPH_INNER_PRODUCT:
        return graph_add_inner_product(small, node->name, in, channels, true, out, err);
    case GRAPH_RELU:
        return graph_add_relu(small, node->name, in, out, err);
    case GRAPH_BATCH_NORMALIZATION:
        return graph_add_batch_normalization(small, node->name, in, node->normalization.epsilon,
                                             node->normalization.momentum, out, err);
    default: /* a dropout: structure_check lets no other through */
        return graph_add_dropout(small, node->name, in, node->ratio, out, err);
    }
}

static void map_layer(const graph *g, const channel_map *map, uint32_t n, const graph *small,
                      size_t *origin) {
    const graph_node *node = &g->nodes[n];
    const graph_parameter *weight = &g->parameters[node->weight];
    const graph_parameter *bias = &g->parameters[node->bias];
    const bool *rows = map->lives[node->output];
    const bool *channels = map->lives[graph_operand(g, node, 0)];
    size_t block = weight->columns / graph_shape_channels(graph_operand_shape(g, node, 0));
    size_t at_weight = small->parameters[small->nodes[n].weight].offset;
    size_t at_bias = small->parameters[small->nodes[n].bias].offset;
    for (size_t row = 0; row < weight->rows; row++) {
        if (!rows[row])
            continue;
        origin[at_bias++] = bias->offset + row;
        for (size_t column = 0; column < weight->columns; column++)
            if (channels[column / block])
                origin[at_weight++] = weight->offset + row * weight->columns + column;
    }
}

/* One number of each channel that lives. */
static void map_channels(const graph *g, const bool *lives, uint32_t from, const graph *small,
                         uint32_t to, size_t *origin) {
    size_t at = small->parameters[to].offset;
    for (size_t channel = 0; channel < g->parameters[from].rows; channel++)
        if (lives[channel])
            origin[at++] = g->parameters[from].offset + channel;
}

static void map_normalization(const graph *g, const channel_map *map, uint32_t n,
                              const graph *small, size_t *origin) {
    const graph_normalization *from = &g->nodes[n].normalization;
    const graph_normalization *to = &small->nodes[n].normalization;
    const bool *lives = map->lives[g->nodes[n].output];
    map_channels(g, lives, from->scale, small, to->scale, origin);
    map_channels(g, lives, from->shift, small, to->shift, origin);
    map_channels(g, lives, from->mean, small, to->mean, origin);
    map_channels(g, lives, from->variance, small, to->variance, origin);
}

static void map_node(const graph *g, const channel_map *map, uint32_t n, const graph *small,
                     size_t *origin) {
    if (g->nodes[n].weight != GRAPH_NONE)
        map_layer(g, map, n, small, origin);
    else if (g->nodes[n].op == GRAPH_BATCH_NORMALIZATION)
        map_normalization(g, map, n, small, origin);
}

static admmnn_status build_small(const graph *g, const channel_map *map, uint32_t *values,
                                 graph **small, size_t **origin, admmnn_error *err) {
    BASE_TRY(graph_create(g->name, g->values[g->input].shape, small, err));
    values[g->input] = (*small)->input;
    for (uint32_t n = 0; n < g->node_count; n++)
        BASE_TRY(add_small_node(g, map, n, values, *small, &values[g->nodes[n].output], err));
    *origin = base_array((*small)->flat_count, sizeof **origin);
    if (*origin == NULL)
        return base_fail_memory(err, "the smaller network");
    for (size_t i = 0; i < (*small)->flat_count; i++)
        (*origin)[i] = SIZE_MAX;
    for (uint32_t n = 0; n < g->node_count; n++)
        map_node(g, map, n, *small, *origin);
    return ADMMNN_OK;
}

admmnn_status structure_shrink(const graph *g, const uint8_t *mask, graph **small, size_t **origin,
                               admmnn_error *err) {
    channel_map map = {0};
    *small = NULL;
    *origin = NULL;
    BASE_TRY(structure_check(g, err));
    uint32_t *values = base_array(g->value_count, sizeof *values);
    admmnn_status status = values != NULL && make_map(g, mask, &map)
                               ? build_small(g, &map, values, small, origin, err)
                               : base_fail_memory(err, "the smaller network");
    if (status != ADMMNN_OK) {
        graph_free(*small);
        *small = NULL;
    }
    base_free(values);
    free_map(&map);
    return status;
}
