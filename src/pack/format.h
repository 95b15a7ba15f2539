/* The packed model, byte by byte. Little-endian; varint is LEB128; a text is a
 * varint length of 1 to 31, then as many bytes, none below 0x20 or 0x7f.
 * docs/format.md says the same at more length, with the arithmetic of the range
 * coder and its models.
 *
 *   4   "ADMM"
 *   1   version: 1, or 2 where the network is more than version 1 tells
 *   .   text, the network's name
 *   .   varint weights, varint biases of the network before compression (at most
 *       PACK_ORIGINAL_MAX each)
 *   1   flags: bit 0: two floats follow, the input's mean and scale (else 0 and 1);
 *       bit 1: intervals take two bytes; bit 2, and bit 0 not: six floats follow, the
 *       means, then the scales, of the channels of an input of three
 *   .   the floats, if so
 *   .   the network, as below
 *   .   each parameter, in the order of their numbers:
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
 * The network, version 1: a chain, or single values read by several, of the first
 * PACK_CHAIN_OPS operations. Convolutions have one group, no dilation, biases, and the same
 * padding at both ends, as poolings have, which round down; inner products have biases;
 * batch normalizations' momentum is 0.9.
 *   .   varint channels, height, width of the input
 *   .   varint number of nodes (at most PACK_NODES_MAX), then each node:
 *         1  bits 0-3 operation (order of GRAPH_OP_MAP); bit 4: another value than the last
 *            is read; bit 5: the window, or a batch normalization's epsilon, is not the usual
 *            one (other operations: 0); bit 6: a name follows, else it has the usual one;
 *            bit 7: 0
 *         .  bit 4: varint value (0 is the input, n + 1 what node n makes)
 *         .  convolution and pooling, bit 5: six varints, kernel, stride, pad, each
 *            vertical then horizontal
 *         .  without bit 5: varint kernel (square; stride 1 for a convolution, the
 *            kernel for pooling; no padding)
 *         .  convolution, inner product: varint outputs
 *         .  batch normalization, bit 5: a float, epsilon (else 1e-5)
 *         .  dropout: a float, the ratio; running a model does nothing there
 *         .  bit 6: text, the name
 *       The last node's value is the network's output.
 *
 * The network, version 2: any graph of GRAPH_OP_MAP's operations.
 *   .   shape of the input: varint rank, at most 7, then a varint for each dim
 *   .   varint number of items (at most PACK_NODES_MAX), then each item. An item makes one
 *       value, number 0 being the input, and item i, from 1, value i:
 *         1  bits 0-4: operation (order of GRAPH_OP_MAP), or 30 a constant, 31 a parameter
 *            that is read as an operand; bit 5: its first operand is not the value before
 *            it; bit 6: it has a name of its own; bit 7: something is not usual
 *         .  bit 5: varint, by how many numbers the operand's is less than its own
 *         .  concat: varint number of operands; then of all operations each operand after
 *            the first, as for bit 5: one of binary, matmul (the right one) and gather (the
 *            indices)
 *         .  constant, parameter: its shape, as the input's; then of a constant its floats,
 *            of a parameter a varint, its kind (order of GRAPH_PARAMETER_MAP)
 *         .  what the operation needs to know:
 *            convolutions, poolings, bit 7: varint form, the sum of 1: a window told in
 *              full, 2: groups follow, 4: no biases, 8: output padding follows (transposed
 *              convolutions), 16: sizes are rounded up, 32: an average counts the padding
 *              (poolings); then the window: varints kernel, stride and pad, the same both
 *              ways, or in full ten: kernel, stride, pad, pad at the ends, dilation, each
 *              vertical then horizontal; then varint groups; two varints output padding.
 *              Without bit 7: varint kernel, as in version 1
 *            inner product, bit 7: varint form, 4
 *            convolutions, inner product: varint outputs
 *            batch normalization, bit 7: floats epsilon and momentum (else 1e-5, 0.9)
 *            instance and layer normalization, bit 7: a float, epsilon (else 1e-5); before
 *              it layer normalization's varint axis
 *            dropout: a float, the ratio
 *            lrn: varint size, floats alpha, beta, bias
 *            unary: varint kind (order of GRAPH_UNARY_MAP); bit 7: two floats, its numbers
 *              (else 0)
 *            binary: varint kind (order of GRAPH_BINARY_MAP)
 *            softmax, log-softmax, concat, gather: varint axis
 *            reduce: varint kind (0 mean, 1 sum), varint 1 where the axes stay, varint axes,
 *              bit i for axis i
 *            slice: for each axis varint first, varint count, varint step: 0, -1, 1, -2, ...
 *              are 0, 1, 2, 3, ...
 *            pad: varint kind (0 constant, 1 reflect, 2 edge); of a constant a float; a
 *              varint for each axis at its begin, then a varint for each at its end
 *            reshape: the shape, as the input's
 *            transpose: a varint for each axis
 *            resize: varint mode, varint place (order of the graph's), for each axis a float,
 *              its scale, then for each a varint, its size
 *         .  bit 6: the name: varint, how many characters of the name of the item before
 *            (that has one) begin it, varint number of those that follow, and they
 *   .   varint, by how many numbers the output's is less than the last item's
 *
 * Usual names: conv, pool, fc, relu, bn, dropout, parameter, else the operation's name in
 * GRAPH_OP_MAP, and its number among its kind, from 1. No two nodes have the same name.
 *
 * Parameters have numbers in the order of the nodes and items that bring them: a
 * convolution, transposed or not, and an inner product its weights (outputs x inputs) and,
 * unless it has none, its biases; a batch normalization scale, shift, running mean and
 * running variance, an instance or layer normalization scale and shift, of one number a
 * channel or element; a parameter read as an operand itself, its last axis as columns.
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
/* Of the network's description: the first that can tell the network is written. */
#define PACK_VERSION_CHAIN 1
#define PACK_VERSION_ANY 2
#define PACK_FLAG_INPUT 1U
#define PACK_FLAG_SHORT_STEPS 2U
#define PACK_FLAG_INPUTS 4U

/* Version 1. Operations that it tells: the first of the graph's. */
#define PACK_CHAIN_OPS 6U
#define PACK_NODE_OP 0x0fU
#define PACK_NODE_INPUT 0x10U
#define PACK_NODE_UNUSUAL 0x20U
#define PACK_NODE_NAME 0x40U
#define PACK_NODE_UNUSED 0x80U

/* Version 2. */
#define PACK_ITEM_CODE 0x1fU
#define PACK_ITEM_INPUT 0x20U
#define PACK_ITEM_NAME 0x40U
#define PACK_ITEM_UNUSUAL 0x80U
#define PACK_ITEM_CONSTANT 30U
#define PACK_ITEM_PARAMETER 31U
#define PACK_FORM_WINDOW 0x01U
#define PACK_FORM_GROUPS 0x02U
#define PACK_FORM_UNBIASED 0x04U
#define PACK_FORM_OUTPUT_PAD 0x08U
#define PACK_FORM_CEIL 0x10U
#define PACK_FORM_PADDING 0x20U
#define PACK_FORM_END 0x40U

#define PACK_TENSOR_LEVELS 0x01U
#define PACK_TENSOR_KIND_SHIFT 1
#define PACK_TENSOR_POSITION_SHIFT 4
#define PACK_TENSOR_VALUE_SHIFT 6

#define PACK_WIDTH_MAX 16U
#define PACK_ORDERED 1U
#define PACK_BITS_MAX 16U
/* Decoding never makes more than this many parameters: 1 GiB of floats, twice what VGG-16
 * has. */
#define PACK_PARAMETERS_MAX ((uint64_t)1 << 28)

/* Nodes, and items of version 2: telling names apart takes the square of them, a second at
 * this many; ResNet-152 has 515. */
#define PACK_NODES_MAX 16384U
#define PACK_ORIGINAL_MAX ((uint64_t)1 << 48)

#endif
