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
    size_t *best;   /* each layer's best place in the flat vector, SIZE_MAX: none */
    size_t *counts; /* of the layers */
} ranking;

static const graph_parameter *weight_of(const ranking *r, uint32_t layer) {
    return &r->g->parameters[r->g->nodes[graph_layer(r->g, layer)].weight];
}

static uint64_t score_bits(const ranking *r, size_t at, double cost) {
    const double w = (double)r->params[at];
    const double v = r->importance == NULL ? 1.0 : (double)r->importance[at];
    const double score = w * w * v / cost;
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits;
}

static double cost_of(const ranking *r, uint32_t layer) {
    return r->cost == NULL ? 1.0 : r->cost[layer];
}

/* The best of each layer, the first of equals; how many layers have one. */
static size_t find_best(const ranking *r, uint32_t layers) {
    size_t found = 0;
    for (uint32_t l = 0; l < layers; l++) {
        const graph_parameter *weight = weight_of(r, l);
        const double cost = cost_of(r, l);
        uint64_t most = 0;
        r->best[l] = SIZE_MAX;
        for (size_t at = weight->offset; at < weight->offset + weight->count; at++) {
            if (r->mask[at] == 0)
                continue;
            const uint64_t bits = score_bits(r, at, cost);
            if (r->best[l] == SIZE_MAX || bits > most) {
                r->best[l] = at;
                most = bits;
            }
        }
        found += r->best[l] != SIZE_MAX;
    }
    return found;
}

/* How many of all but the layers' best have each value of a digit, of those whose higher
 * digits are those of `prefix`. */
static void count_digit(const ranking *r, uint32_t layers, unsigned digit, uint64_t prefix,
                        size_t *histogram) {
    const unsigned shift = DIGIT_BITS * (DIGITS - 1 - digit);
    memset(histogram, 0, RADIX * sizeof *histogram);
    for (uint32_t l = 0; l < layers; l++) {
        const graph_parameter *weight = weight_of(r, l);
        const double cost = cost_of(r, l);
        for (size_t at = weight->offset; at < weight->offset + weight->count; at++) {
            if (r->mask[at] == 0 || at == r->best[l])
                continue;
            const uint64_t bits = score_bits(r, at, cost);
            if (digit == 0 || bits >> shift >> DIGIT_BITS == prefix)
                histogram[bits >> shift & (RADIX - 1)]++;
        }
    }
}

/* The bits of the wanted-th largest of all but the layers' best, of which there are as many at
 * least; *ties: how many as large as it are among the wanted. */
static uint64_t find_least(const ranking *r, uint32_t layers, size_t wanted, size_t *histogram,
                           size_t *ties) {
    uint64_t prefix = 0;
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t value = RADIX - 1;
        count_digit(r, layers, digit, prefix, histogram);
        for (; histogram[value] < wanted; value--)
            wanted -= histogram[value];
        prefix = prefix << DIGIT_BITS | value;
    }
    *ties = wanted;
    return prefix;
}

static void count_from(const ranking *r, uint32_t layers, uint64_t least, size_t ties) {
    for (uint32_t l = 0; l < layers; l++) {
        const graph_parameter *weight = weight_of(r, l);
        const double cost = cost_of(r, l);
        for (size_t at = weight->offset; at < weight->offset + weight->count; at++) {
            if (r->mask[at] == 0 || at == r->best[l])
                continue;
            const uint64_t bits = score_bits(r, at, cost);
            const bool tie = bits == least && ties > 0;
            ties -= tie;
            r->counts[l] += bits > least || tie;
        }
    }
}

/* Each layer's best, and of all others the best, `total` together. */
static void count_best(const ranking *r, uint32_t layers, size_t total, size_t *histogram) {
    const size_t firsts = find_best(r, layers);
    size_t others = 0;
    for (uint32_t l = 0; l < layers; l++) {
        r->counts[l] = r->best[l] != SIZE_MAX;
        others += rank_kept(r->g, graph_layer(r->g, l), r->mask) - r->counts[l];
    }
    if (total <= firsts || others == 0)
        return;
    size_t ties;
    const size_t wanted = total - firsts < others ? total - firsts : others;
    const uint64_t least = find_least(r, layers, wanted, histogram, &ties);
    count_from(r, layers, least, ties);
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
                 .best = base_array(layers, sizeof *r.best),
                 .counts = counts};
    size_t *histogram = base_array(RADIX, sizeof *histogram);
    const bool whole = r.best != NULL && histogram != NULL;
    if (whole)
        count_best(&r, layers, total, histogram);
    base_free(r.best);
    base_free(histogram);
    return whole ? ADMMNN_OK : base_fail_memory(err, "the weights' rank");
}
