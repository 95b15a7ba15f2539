/* The packed model, byte by byte. Little-endian; varint is LEB128.
 *
 *   4   "ADMM"
 *   1   version (1)
 *   .   varint length, then the network's name
 *   .   varint weights, varint biases of the network before compression
 *   1   flags: bit 0: two floats follow, the input's mean and scale (else 0 and 1)
 *   .   varint channels, height, width of the input
 *   .   varint number of nodes, then each node:
 *         1  bits 0-3 operation (order of GRAPH_OP_MAP); bit 4: another value than
 *            the last is read, as varint; bit 5: the window is not the usual one,
 *            six varints (kernel, stride, pad; vertical then horizontal); bit 6: a
 *            name follows (varint length, characters), else the usual one
 *         .  convolution, pooling with the usual window: varint kernel (square;
 *            stride 1 for a convolution, the kernel for pooling; no padding)
 *         .  convolution, inner product: varint outputs
 *         Usual names: conv, pool, fc, relu, counted from 1.
 *   .   each parameter, in the graph's order:
 *         1  bit 0: 1 levels, 0 floats; bits 1-3 kind of levels; bits 4-5 positions
 *            (0 dense, 1 relative, 2 bitmap, 3 entropy); bits 6-7 values (0 fixed, 1
 *            Huffman, 2 range)
 *         1  bits 0-3: bits of a code less 1; bits 4-7: width of a relative index less 1
 *         4  levels: the interval q, float
 *   .   varint length of the plain bits, then the plain bits, first in the lowest
 *       bit: for each parameter its positions (relative, bitmap), its code lengths
 *       (Huffman: 4 bits for each of the 2^bits symbols) and its values (floats 32
 *       bits; fixed; Huffman)
 *   .   range-coded bytes, up to the checksum: for each parameter its positions
 *       (entropy) and its values (range)
 *   4   CRC-32 (IEEE 802.3) of all before it
 *
 * Relative positions: in row-major order, each entry is the number of zeros since
 * the last one in `width` bits; all ones means 2^width - 1 zeros and no value.
 * A count of entries (32 bits) stands first.
 * Symbols of a code with M levels on each side: c - 1 for c > 0, M - c - 1 for
 * c < 0; where zero is a level or the positions are dense, c + M.
 * The range coder and its models are those of pack/coder.h and pack/positions.h. */
#ifndef PACK_FORMAT_H
#define PACK_FORMAT_H

#include <stdint.h>

#define PACK_MAGIC "ADMM"
#define PACK_VERSION 1
#define PACK_FLAG_INPUT 1U
#define PACK_FLAG_SHORT_STEPS 2U

#define PACK_NODE_OP 0x0fU
#define PACK_NODE_INPUT 0x10U
#define PACK_NODE_WINDOW 0x20U
#define PACK_NODE_NAME 0x40U
#define PACK_NODE_UNUSED 0x80U

#define PACK_TENSOR_LEVELS 0x01U
#define PACK_TENSOR_KIND_SHIFT 1
#define PACK_TENSOR_POSITION_SHIFT 4
#define PACK_TENSOR_VALUE_SHIFT 6

#define PACK_WIDTH_MAX 16U
#define PACK_BITS_MAX 16U
/* Decoding never makes more than this many parameters: 512 MiB of floats. */
#define PACK_PARAMETERS_MAX ((uint64_t)1 << 27)

/* More nodes than any network here has: building a graph takes the square of them. */
#define PACK_NODES_MAX 4096U
#define PACK_ORIGINAL_MAX ((uint64_t)1 << 48)

#endif
