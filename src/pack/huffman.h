/* Canonical Huffman codes (Huffman 1952; lengths alone describe the code). */
#ifndef PACK_HUFFMAN_H
#define PACK_HUFFMAN_H

#include "pack/bits.h"
#include "pack/format.h"

#define HUFFMAN_SYMBOLS_MAX PACK_HUFFMAN_SYMBOLS_MAX
#define HUFFMAN_LENGTH_MAX PACK_HUFFMAN_LENGTH_MAX

typedef struct huffman {
    uint32_t symbols;
    uint8_t lengths[HUFFMAN_SYMBOLS_MAX]; /* 0: the symbol does not occur */
    uint16_t codes[HUFFMAN_SYMBOLS_MAX];
    /* By length: the first code, the codes there are, and where their symbols
     * stand in `order`. */
    uint16_t first[HUFFMAN_LENGTH_MAX + 1], counts[HUFFMAN_LENGTH_MAX + 1];
    uint16_t starts[HUFFMAN_LENGTH_MAX + 1];
    uint16_t order[HUFFMAN_SYMBOLS_MAX];
} huffman;

/* Shortest code for counts[symbols]; where that takes more than 15 bits for a
 * symbol, the shortest for counts evened out until it does not. */
void huffman_build(huffman *h, const uint64_t *counts, uint32_t symbols);
/* From the lengths; false when they describe no prefix code. */
bool huffman_from_lengths(huffman *h);
void huffman_write(const huffman *h, bits_writer *w, uint32_t symbol);
/* HUFFMAN_SYMBOLS_MAX when the bits name no symbol. */
uint32_t huffman_read(const huffman *h, bits_reader *r);

#endif
