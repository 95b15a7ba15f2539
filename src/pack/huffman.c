#include "pack/huffman.h"

#include <string.h>

typedef struct tree {
    uint64_t weight[2 * HUFFMAN_SYMBOLS_MAX];
    uint32_t parent[2 * HUFFMAN_SYMBOLS_MAX];
    bool joined[2 * HUFFMAN_SYMBOLS_MAX];
    uint32_t count;
} tree;

static uint32_t lightest(const tree *t) {
    uint32_t best = t->count;
    for (uint32_t i = 0; i < t->count; i++)
        if (!t->joined[i] && t->weight[i] > 0 &&
            (best == t->count || t->weight[i] < t->weight[best]))
            best = i;
    return best;
}

/* Joins the two lightest until one is left. */
static void grow(tree *t) {
    for (;;) {
        uint32_t a = lightest(t);
        if (a == t->count)
            return;
        t->joined[a] = true;
        uint32_t b = lightest(t);
        if (b == t->count)
            return;
        t->joined[b] = true;
        t->weight[t->count] = t->weight[a] + t->weight[b];
        t->parent[a] = t->parent[b] = t->count;
        t->parent[t->count] = 0;
        t->joined[t->count] = false;
        t->count++;
    }
}

static unsigned depth_of(const tree *t, uint32_t node) {
    unsigned depth = 0;
    while (t->parent[node] != 0) {
        node = t->parent[node];
        depth++;
    }
    return depth;
}

/* Halving the counts flattens the tree until it fits the longest length. */
void huffman_build(huffman *h, const uint64_t *counts, uint32_t symbols) {
    uint64_t scaled[HUFFMAN_SYMBOLS_MAX];
    memcpy(scaled, counts, symbols * sizeof *scaled);
    for (bool fits = false; !fits;) {
        tree t;
        memset(&t, 0, sizeof t);
        memset(h, 0, sizeof *h);
        memcpy(t.weight, scaled, symbols * sizeof *scaled);
        t.count = h->symbols = symbols;
        grow(&t);
        fits = true;
        for (uint32_t s = 0; s < symbols; s++) {
            unsigned depth = scaled[s] == 0 ? 0 : depth_of(&t, s);
            /* A lone symbol still takes a bit, so that its count can be read. */
            h->lengths[s] = (uint8_t)(scaled[s] > 0 && depth == 0 ? 1 : depth);
            fits &= depth <= HUFFMAN_LENGTH_MAX;
            scaled[s] = (scaled[s] + 1) / 2;
        }
    }
    huffman_from_lengths(h);
}

bool huffman_from_lengths(huffman *h) {
    uint32_t code = 0;
    uint16_t ordered = 0;
    for (unsigned length = 1; length <= HUFFMAN_LENGTH_MAX; length++) {
        code <<= 1;
        h->first[length] = (uint16_t)code;
        h->starts[length] = ordered;
        for (uint32_t s = 0; s < h->symbols; s++) {
            if (h->lengths[s] != length)
                continue;
            h->codes[s] = (uint16_t)code++;
            h->order[ordered++] = (uint16_t)s;
        }
        h->counts[length] = (uint16_t)(ordered - h->starts[length]);
        if (code > UINT32_C(1) << length)
            return false;
    }
    return true;
}

void huffman_write(const huffman *h, bits_writer *w, uint32_t symbol) {
    for (unsigned i = h->lengths[symbol]; i-- > 0;)
        bits_write(w, h->codes[symbol] >> i & 1U, 1);
}

uint32_t huffman_read(const huffman *h, bits_reader *r) {
    uint32_t code = 0;
    for (unsigned length = 1; length <= HUFFMAN_LENGTH_MAX && !r->failed; length++) {
        code = code << 1 | bits_read(r, 1);
        uint32_t place = code - h->first[length];
        if (!r->failed && code >= h->first[length] && place < h->counts[length])
            return h->order[h->starts[length] + place];
    }
    return HUFFMAN_SYMBOLS_MAX;
}
