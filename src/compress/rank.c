#include "compress/rank.h"

#include <string.h>

#include "base/memory.h"

size_t rank_kept(const graph *g, uint32_t layer_node, const uint8_t *mask) {
    const graph_parameter *weight = &g->parameters[g->nodes[layer_node].weight];
    size_t kept = 0;
    for (size_t i = 0; i < weight->count; i++)
        kept += mask[weight->offset + i] != 0;
    return kept;
}

static bool has_units_in_columns(const graph *g, uint32_t layer_node) {
    return g->nodes[layer_node].op == GRAPH_MATMUL;
}

size_t rank_units(const graph *g, uint32_t layer_node) {
    const graph_parameter *weight = &g->parameters[g->nodes[layer_node].weight];
    return has_units_in_columns(g, layer_node) ? weight->columns : weight->rows;
}

size_t rank_empty_units(const graph *g, uint32_t layer_node, const uint8_t *mask) {
    const graph_parameter *weight = &g->parameters[g->nodes[layer_node].weight];
    const size_t units = rank_units(g, layer_node);
    const size_t each = weight->count / units;
    const bool columns = has_units_in_columns(g, layer_node);
    size_t empty = 0;
    for (size_t u = 0; u < units; u++) {
        size_t i = 0;
        while (i < each && mask[weight->offset + (columns ? i * units + u : u * each + i)] == 0)
            i++;
        empty += i == each;
    }
    return empty;
}

/* Bits of a double >= 0 sort as the double does: digit by digit, from the highest, a count of
 * what has each finds the k-th largest in as many passes as there are digits. */
#define DIGIT_BITS 16
#define DIGITS 4
#define RADIX ((size_t)1 << DIGIT_BITS)

typedef struct ranking {
    const graph *g;
    const float *params, *importance;
    const uint8_t *mask;
    const double *cost;
    uint32_t layers;
    size_t *best;   /* each layer's best place in the flat vector, SIZE_MAX: none */
    size_t *counts; /* of the layers */
} ranking;

/* The layer's kept weights one after another, but for its best, and their scores' bits. */
typedef struct walk {
    size_t at, next, end, best; /* places in the flat vector */
    double cost;
    uint64_t bits;
} walk;

static walk walk_of(const ranking *r, uint32_t layer) {
    const graph_parameter *weight = &r->g->parameters[r->g->nodes[graph_layer(r->g, layer)].weight];
    return (walk){.next = weight->offset,
                  .end = weight->offset + weight->count,
                  .best = r->best[layer],
                  .cost = r->cost == NULL ? 1.0 : r->cost[layer]};
}

static uint64_t score_bits(const ranking *r, size_t at, double cost) {
    const double w = (double)r->params[at];
    const double v = r->importance == NULL ? 1.0 : (double)r->importance[at];
    const double score = w * w * v / cost;
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits;
}

static bool walk_on(const ranking *r, walk *to) {
    while (to->next < to->end) {
        to->at = to->next++;
        if (r->mask[to->at] == 0 || to->at == to->best)
            continue;
        to->bits = score_bits(r, to->at, to->cost);
        return true;
    }
    return false;
}

/* The best of each layer, the first of equals; how many layers have one. */
static size_t find_best(const ranking *r) {
    size_t found = 0;
    for (uint32_t l = 0; l < r->layers; l++) {
        uint64_t most = 0;
        r->best[l] = SIZE_MAX;
        for (walk to = walk_of(r, l); walk_on(r, &to);) {
            if (r->best[l] != SIZE_MAX && to.bits <= most)
                continue;
            r->best[l] = to.at;
            most = to.bits;
        }
        found += r->best[l] != SIZE_MAX;
    }
    return found;
}

/* How many have each value of a digit, of those whose higher digits are those of `prefix`. */
static void count_digit(const ranking *r, unsigned digit, uint64_t prefix, size_t *histogram) {
    const unsigned shift = DIGIT_BITS * (DIGITS - 1 - digit);
    memset(histogram, 0, RADIX * sizeof *histogram);
    for (uint32_t l = 0; l < r->layers; l++)
        for (walk to = walk_of(r, l); walk_on(r, &to);)
            if (digit == 0 || to.bits >> shift >> DIGIT_BITS == prefix)
                histogram[to.bits >> shift & (RADIX - 1)]++;
}

/* The bits of the wanted-th largest of all but the layers' best, of which there are as many at
 * least; *ties: how many as large as it are among the wanted. */
static uint64_t find_least(const ranking *r, size_t wanted, size_t *histogram, size_t *ties) {
    uint64_t prefix = 0;
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t value = RADIX - 1;
        count_digit(r, digit, prefix, histogram);
        for (; histogram[value] < wanted; value--)
            wanted -= histogram[value];
        prefix = prefix << DIGIT_BITS | value;
    }
    *ties = wanted;
    return prefix;
}

static void count_from(const ranking *r, uint64_t least, size_t ties) {
    for (uint32_t l = 0; l < r->layers; l++) {
        for (walk to = walk_of(r, l); walk_on(r, &to);) {
            const bool tie = to.bits == least && ties > 0;
            ties -= tie;
            r->counts[l] += to.bits > least || tie;
        }
    }
}

/* Each layer's best, and of all others the best, `total` together. */
static void count_best(const ranking *r, size_t total, size_t *histogram) {
    const size_t firsts = find_best(r);
    size_t others = 0;
    for (uint32_t l = 0; l < r->layers; l++) {
        r->counts[l] = r->best[l] != SIZE_MAX;
        others += rank_kept(r->g, graph_layer(r->g, l), r->mask) - r->counts[l];
    }
    if (total <= firsts || others == 0)
        return;
    size_t ties;
    const size_t wanted = total - firsts < others ? total - firsts : others;
    const uint64_t least = find_least(r, wanted, histogram, &ties);
    count_from(r, least, ties);
}

admmnn_status rank_global(const graph *g, const float *params, const uint8_t *mask,
                          const float *importance, const double *cost, size_t total, size_t *counts,
                          admmnn_error *err) {
    const uint32_t layers = graph_layer_count(g);
    ranking r = {.g = g,
                 .params = params,
                 .importance = importance,
                 .mask = mask,
                 .cost = cost,
                 .layers = layers,
                 .best = base_array(layers, sizeof *r.best),
                 .counts = counts};
    size_t *histogram = base_array(RADIX, sizeof *histogram);
    const bool whole = r.best != NULL && histogram != NULL;
    if (whole)
        count_best(&r, total, histogram);
    base_free(r.best);
    base_free(histogram);
    return whole ? ADMMNN_OK : base_fail_memory(err, "the weights' rank");
}
