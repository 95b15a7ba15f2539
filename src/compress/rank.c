#include "compress/rank.h"

#include <stdlib.h>

#include "base/memory.h"

typedef struct scored {
    double score;
    uint32_t layer;
    uint32_t place;
} scored;

/* Largest first; ties by layer and place, so that the order is total. */
static int by_score(const void *left, const void *right) {
    const scored *a = left;
    const scored *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

size_t rank_kept(const graph *g, uint32_t layer_node, const uint8_t *mask) {
    const graph_parameter *weight = &g->parameters[g->nodes[layer_node].weight];
    size_t kept = 0;
    for (size_t i = 0; i < weight->count; i++)
        kept += mask[weight->offset + i] != 0;
    return kept;
}

static size_t collect(const graph *g, uint32_t layer, const float *params, const uint8_t *mask,
                      const float *importance, double cost, scored *out) {
    const graph_parameter *weight = &g->parameters[g->nodes[graph_layer(g, layer)].weight];
    size_t count = 0;
    for (size_t i = 0; i < weight->count; i++) {
        size_t at = weight->offset + i;
        if (mask[at] == 0)
            continue;
        double w = (double)params[at];
        double v = importance == NULL ? 1.0 : (double)importance[at];
        out[count++] = (scored){.score = w * w * v / cost, .layer = layer, .place = (uint32_t)i};
    }
    return count;
}

/* The best of each layer and the best of all the others, `total` together:
 * `waiting` layers still need one of what is left. */
static void count_best(const scored *all, size_t count, size_t total, size_t waiting,
                       size_t *counts) {
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = counts[all[i].layer] == 0;
        if (!first && taken + waiting >= total)
            continue;
        waiting -= first;
        counts[all[i].layer]++;
        taken++;
    }
}

admmnn_status rank_global(const graph *g, const float *params, const uint8_t *mask,
                          const float *importance, const double *cost, size_t total, size_t *counts,
                          admmnn_error *err) {
    uint32_t layers = graph_layer_count(g);
    scored *all = base_array(graph_weight_count(g), sizeof *all);
    if (all == NULL)
        return base_fail_memory(err, "the weights' rank");
    size_t count = 0;
    size_t waiting = 0;
    for (uint32_t l = 0; l < layers; l++) {
        size_t of_layer =
            collect(g, l, params, mask, importance, cost == NULL ? 1.0 : cost[l], all + count);
        counts[l] = 0;
        waiting += of_layer > 0;
        count += of_layer;
    }
    qsort(all, count, sizeof *all, by_score);
    count_best(all, count, total, waiting, counts);
    base_free(all);
    return ADMMNN_OK;
}
