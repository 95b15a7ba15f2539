/* The packed model, byte by byte. Little-endian; varint is LEB128; a text is a
 * varint length of 1 to 31, then as many bytes, none below 0x20 or 0x7f.
 * docs/format.md says the same at more length, with the arithmetic of the range
 * coder and its models.
 *
 *   4   "ADMM"
 *   1   version (1)
 *   .   text, the network's name
 *   .   varint weights, varint biases of the network before compression (at most
 *       PACK_ORIGINAL_MAX each)
 *   1   flags: bit 0: two floats follow, the input's mean and scale (else 0 and 1);
 *       bit 1: intervals take two bytes; bit 2, and bit 0 not: six floats follow, the
 *       means, then the scales, of the channels of an input of three
 *   .   the floats, if so
 *   .   varint channels, height, width of the input
 *   .   varint number of nodes (at most PACK_NODES_MAX), then each node:
 *         1  bits 0-3 operation (order of GRAPH_OP_MAP, the first PACK_OPS); bit 4:
 *            another value than the last is read; bit 5: the window, or a batch normalization's
 *            epsilon, is not the usual one (other operations: 0); bit 6: a name
 *            follows, else it has the usual one; bit 7: 0
 *         .  bit 4: varint value (0 is the input, n + 1 what node n makes)
 *         .  convolution and pooling, bit 5: six varints, kernel, stride, pad, each
 *            vertical then horizontal
 *         .  without bit 5: varint kernel (square; stride 1 for a convolution, the
 *            kernel for pooling; no padding)
 *         .  convolution, inner product: varint outputs
 *         .  batch normalization, bit 5: a float, epsilon (else 1e-5)
 *         .  dropout: a float, the ratio; running a model does nothing there
 *         .  bit 6: text, the name
 *         Usual names: conv, pool, fc, relu, bn, dropout, and the node's number among
 *         its kind, from 1. No two nodes have the same name.
 *       The last node's value is the network's output. Each convolution and inner
 *       product has two parameters, its weights (outputs x inputs) and its biases; each
 *       batch normalization four, scale, shift, running mean and running variance, of
 *       one number a channel.
 *   .   each parameter, in the order of the nodes, and of each node's as they stand
 *       above:
 *         1  bit 0: 1 levels, 0 floats; bits 1-3 kind of levels (order of
 *            admm_levels; floats: 0); bits 4-5 positions (0 dense, 1 relative, 2
 *            bitmap, 3 entropy); bits 6-7 values (0 fixed, 1 Huffman, 2 range;
 *            floats: 0)
 *         1  levels, or positions relative or entropy: bits 0-3: bits of a code
 *            less 1 (floats: 0); bits 4-7: relative: width of an index less 1;
 *            entropy: 1 where the rows are in the order of their first places;
 *            else 0
 *         4  levels: the interval q, a float; of two bytes: its upper half, the
 *            lower being zero
 *   .   varint length of the plain bits in bytes, then the plain bits, first in the
 *       lowest bit: for each parameter its positions (relative, bitmap), its code
 *       lengths (Huffman: 4 bits for each symbol) and its values (floats 32 bits;
 *       fixed; Huffman); zeros to the end of the byte
 *   .   range-coded bytes, up to the checksum: for each parameter its positions
 *       (entropy) and its values (range); what an encoder of these bits writes, no
 *       byte less or more
 *   4   CRC-32 (IEEE 802.3) of all before it
 *
 * Positions: dense: every place has a value. Relative: 32 bits, the number of
 * entries; then in row-major order each entry is the number of zeros since the
 * last one in `width` bits; all ones means 2^width - 1 zeros and no value. Bitmap:
 * a bit for each place, 1 where there is a value. Entropy: pack/positions.h.
 * A place without a value is zero: a pruned weight, a float of 32 zero bits.
 *
 * Symbols of a code c with M levels on each side: c + M where zero is a level and
 * the positions are dense; else c - 1 for c > 0, M - c - 1 for c < 0. A fixed value
 * is its symbol in as many bits as a code has. Huffman codes are canonical: of
 * rising length, within a length of rising symbol, written from the highest bit.
 * An interval of 0 goes with codes of 0 alone; else it is a normal number, and the
 * largest level is finite. */
#ifndef PACK_FORMAT_H
#define PACK_FORMAT_H

#include <stdint.h>

#define PACK_MAGIC "ADMM"
#define PACK_VERSION 1
#define PACK_FLAG_INPUT 1U
#define PACK_FLAG_SHORT_STEPS 2U
#define PACK_FLAG_INPUTS 4U

/* Operations that a file holds: the first of the graph's. */
#define PACK_OPS 6U
#define PACK_NODE_OP 0x0fU
#define PACK_NODE_INPUT 0x10U
#define PACK_NODE_UNUSUAL 0x20U
#define PACK_NODE_NAME 0x40U
#define PACK_NODE_UNUSED 0x80U

#define PACK_TENSOR_LEVELS 0x01U
#define PACK_TENSOR_KIND_SHIFT 1
#define PACK_TENSOR_POSITION_SHIFT 4
#define PACK_TENSOR_VALUE_SHIFT 6

#define PACK_WIDTH_MAX 16U
#define PACK_ORDERED 1U
#define PACK_BITS_MAX 16U
/* Decoding never makes more than this many parameters: 512 MiB of floats. */
#define PACK_PARAMETERS_MAX ((uint64_t)1 << 27)

/* More nodes than any network here has: building a graph takes the square of them. */
#define PACK_NODES_MAX 4096U
#define PACK_ORIGINAL_MAX ((uint64_t)1 << 48)

#endif
