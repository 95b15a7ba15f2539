/* The packed model, byte by byte. Little-endian; varint is LEB128; a text is a
 * varint length of 1 to 31, then as many bytes of UTF-8 without control characters.
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
 *       means, then the scales, of the channels of an input of three; bit 3: ranges
 *       follow the network
 *   .   the floats, if so
 *   .   the network, as below
 *   .   bit 3: the ranges of values: two bytes for the input and for what each operation
 *       makes, in their order: bits 0-14: the upper half of a float, the scale, the lower
 *       being zero (PACK_RANGE_LEAST to PACK_RANGE_MOST); bit 15: 8 bits of it are
 *       multiples of the scale from 0 to 255, else from -128 to 127. Or 0: no range
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
#define PACK_FLAG_RANGES 8U

/* Of a range's scale: normal floats, 255 times which are finite. */
#define PACK_RANGE_LEAST 0x0080U
#define PACK_RANGE_MOST 0x7b7fU
#define PACK_RANGE_UNSIGNED 0x8000U

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

/* ---- numbers in the file ---- */

/* X(name, word): the word begins an operation's usual name. */
#define PACK_OP_MAP(X)                                                                             \
    X(CONV, "conv")                                                                                \
    X(MAXPOOL, "pool")                                                                             \
    X(INNER_PRODUCT, "fc")                                                                         \
    X(RELU, "relu")                                                                                \
    X(BATCH_NORMALIZATION, "bn")                                                                   \
    X(DROPOUT, "dropout")                                                                          \
    X(TRANSPOSED_CONV, "transposed-conv")                                                          \
    X(AVERAGE_POOL, "average-pool")                                                                \
    X(MATMUL, "matmul")                                                                            \
    X(LRN, "lrn")                                                                                  \
    X(INSTANCE_NORMALIZATION, "instance-normalization")                                            \
    X(LAYER_NORMALIZATION, "layer-normalization")                                                  \
    X(UNARY, "unary")                                                                              \
    X(BINARY, "binary")                                                                            \
    X(SOFTMAX, "softmax")                                                                          \
    X(LOG_SOFTMAX, "log-softmax")                                                                  \
    X(REDUCE, "reduce")                                                                            \
    X(CONCAT, "concat")                                                                            \
    X(SLICE, "slice")                                                                              \
    X(PAD, "pad")                                                                                  \
    X(RESHAPE, "reshape")                                                                          \
    X(TRANSPOSE, "transpose")                                                                      \
    X(GATHER, "gather")                                                                            \
    X(RESIZE, "resize")

typedef enum pack_op {
#define PACK_OP_ENUM(name, word) PACK_OP_##name,
    PACK_OP_MAP(PACK_OP_ENUM)
#undef PACK_OP_ENUM
        PACK_OP_COUNT
} pack_op;

/* X(name), of unary operations. */
#define PACK_UNARY_MAP(X)                                                                          \
    X(LEAKY_RELU)                                                                                  \
    X(CLIP)                                                                                        \
    X(SIGMOID)                                                                                     \
    X(HARD_SIGMOID)                                                                                \
    X(HARD_SWISH)                                                                                  \
    X(TANH)                                                                                        \
    X(ELU)                                                                                         \
    X(GELU)                                                                                        \
    X(GELU_TANH)                                                                                   \
    X(SOFTPLUS)                                                                                    \
    X(ERF)                                                                                         \
    X(SQRT)                                                                                        \
    X(NEG)                                                                                         \
    X(EXP)                                                                                         \
    X(POWER)

typedef enum pack_unary {
#define PACK_UNARY_ENUM(name) PACK_UNARY_##name,
    PACK_UNARY_MAP(PACK_UNARY_ENUM)
#undef PACK_UNARY_ENUM
        PACK_UNARY_COUNT
} pack_unary;

#define PACK_BINARY_MAP(X) X(ADD) X(SUB) X(MUL) X(DIV) X(POW) X(PRELU)

typedef enum pack_binary {
#define PACK_BINARY_ENUM(name) PACK_BINARY_##name,
    PACK_BINARY_MAP(PACK_BINARY_ENUM)
#undef PACK_BINARY_ENUM
        PACK_BINARY_COUNT
} pack_binary;

typedef enum pack_reduction { PACK_REDUCE_MEAN, PACK_REDUCE_SUM, PACK_REDUCE_COUNT } pack_reduction;

typedef enum pack_padding {
    PACK_PAD_CONSTANT,
    PACK_PAD_REFLECT,
    PACK_PAD_EDGE,
    PACK_PAD_COUNT
} pack_padding;

#define PACK_RESIZE_MODE_MAP(X)                                                                    \
    X(NEAREST_DOWN) X(NEAREST_UP) X(NEAREST_FLOOR) X(NEAREST_CEIL) X(LINEAR)

typedef enum pack_resize_mode {
#define PACK_RESIZE_ENUM(name) PACK_RESIZE_##name,
    PACK_RESIZE_MODE_MAP(PACK_RESIZE_ENUM) PACK_RESIZE_MODE_COUNT
} pack_resize_mode;

#define PACK_RESIZE_PLACE_MAP(X)                                                                   \
    X(HALF_PIXEL) X(PYTORCH_HALF_PIXEL) X(HALF_PIXEL_SYMMETRIC) X(ALIGN_CORNERS) X(ASYMMETRIC)

typedef enum pack_resize_place {
    PACK_RESIZE_PLACE_MAP(PACK_RESIZE_ENUM)
#undef PACK_RESIZE_ENUM
        PACK_RESIZE_PLACE_COUNT
} pack_resize_place;

#define PACK_PARAMETER_MAP(X) X(WEIGHT) X(BIAS) X(SCALE) X(SHIFT) X(MEAN) X(VARIANCE) X(TENSOR)

typedef enum pack_parameter {
#define PACK_PARAMETER_ENUM(name) PACK_PARAMETER_##name,
    PACK_PARAMETER_MAP(PACK_PARAMETER_ENUM)
#undef PACK_PARAMETER_ENUM
        PACK_PARAMETER_COUNT
} pack_parameter;

/* Kinds of levels. */
#define PACK_KIND_MAP(X) X(EQUAL) X(EQUAL_ZERO) X(POWER_OF_TWO) X(BINARY) X(TERNARY) X(SIGN)

typedef enum pack_kind {
#define PACK_KIND_ENUM(name) PACK_KIND_##name,
    PACK_KIND_MAP(PACK_KIND_ENUM)
#undef PACK_KIND_ENUM
        PACK_KIND_COUNT
} pack_kind;

/* Codings of positions and of values. */
#define PACK_PLACES_MAP(X) X(DENSE) X(RELATIVE) X(BITMAP) X(ENTROPY)

typedef enum pack_places {
#define PACK_PLACES_ENUM(name) PACK_PLACES_##name,
    PACK_PLACES_MAP(PACK_PLACES_ENUM)
#undef PACK_PLACES_ENUM
} pack_places;

#define PACK_SYMBOLS_MAP(X) X(FIXED) X(HUFFMAN) X(RANGE)

typedef enum pack_symbols {
#define PACK_SYMBOLS_ENUM(name) PACK_SYMBOLS_##name,
    PACK_SYMBOLS_MAP(PACK_SYMBOLS_ENUM)
#undef PACK_SYMBOLS_ENUM
        PACK_SYMBOLS_COUNT
} pack_symbols;

/* ---- bounds ---- */

#define PACK_RANK_MAX 7
#define PACK_NAME_MAX 32 /* with the zero at its end */
#define PACK_DIMENSION_MAX 1048576U
/* Elements of a value. */
#define PACK_ELEMENTS_MAX ((uint64_t)1 << 31)
/* Each parameter counts for a multiple of so many numbers. */
#define PACK_PARAMETER_ALIGNMENT 16U
#define PACK_HUFFMAN_SYMBOLS_MAX 512U
#define PACK_HUFFMAN_LENGTH_MAX 15U
#define PACK_POWER_BITS_MAX 6U

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

/* ---- the range coder and its models: docs/format.md ---- */

#define PACK_CODER_LEAST 8U       /* no probability is nearer to certain */
#define PACK_CODER_BEYOND_MOST 4U /* zeros at the end that are left out */
#define PACK_LOGIT_MOST 2816      /* of the squash's argument, in 1/256 */
#define PACK_PI_EIGHTHS 25736
/* squash at logits -12, -11.75, ..., 12, in 1/16 of its unit. */
#define PACK_SQUASH_COUNT 97
#define PACK_SQUASH_KNOTS                                                                          \
    {                                                                                              \
        6, 8, 11, 14, 18, 22, 29, 37, 48, 61, 78, 101, 129, 166, 213, 274, 352, 451, 580, 744,     \
            955, 1226, 1574, 2020, 2593, 3327, 4268, 5474, 7018, 8994, 11521, 14747, 18860, 24094, \
            30736, 39140, 49730, 63005, 79543, 99981, 124993, 155239, 191287, 233518, 282006,      \
            336406, 395880, 459091, 524288, 589485, 652696, 712170, 766570, 815058, 857289,        \
            893337, 923583, 948595, 969033, 985571, 998846, 1009436, 1017840, 1024482, 1029716,    \
            1033829, 1037055, 1039582, 1041558, 1043102, 1044308, 1045249, 1045983, 1046556,       \
            1047002, 1047350, 1047621, 1047832, 1047996, 1048125, 1048224, 1048302, 1048363,       \
            1048410, 1048447, 1048475, 1048498, 1048515, 1048528, 1048539, 1048547, 1048554,       \
            1048558, 1048562, 1048565, 1048568, 1048570                                            \
    }

/* In 1/65536. */
#define PACK_HUNDREDTHS(n) ((int32_t)((n) * (int64_t)65536 / 100))
#define PACK_EFFECT_MEAN_MOST (16 * 65536)
#define PACK_EFFECT_LOGIT_MOST (11 * 65536)

#define PACK_PLACE_ALL_MEAN PACK_HUNDREDTHS(-300)
#define PACK_PLACE_ALL_VARIANCE PACK_HUNDREDTHS(400)
#define PACK_PLACE_FIRST_MEAN PACK_HUNDREDTHS(-150)
#define PACK_PLACE_FIRST_VARIANCE PACK_HUNDREDTHS(200)
#define PACK_PLACE_ROW_VARIANCE PACK_HUNDREDTHS(60)
#define PACK_PLACE_ROW_DRIFT PACK_HUNDREDTHS(10)
#define PACK_PLACE_COLUMN_VARIANCE PACK_HUNDREDTHS(10)
#define PACK_PLACE_BLOCK_VARIANCE PACK_HUNDREDTHS(50)
#define PACK_PLACE_TAP_VARIANCE PACK_HUNDREDTHS(10)
#define PACK_PLACE_NEIGHBOUR_VARIANCE PACK_HUNDREDTHS(25)
#define PACK_PLACE_FRESH_VARIANCE PACK_HUNDREDTHS(100)

/* Magnitudes up to this are coded by a tree of their own. */
#define PACK_VALUE_TREE_LEVELS 16U
#define PACK_VALUE_EXPONENTS 16U
#define PACK_VALUE_BIT_VARIANCE PACK_HUNDREDTHS(200)
#define PACK_VALUE_PLACE_VARIANCE PACK_HUNDREDTHS(2)
#define PACK_VALUE_BEFORE_VARIANCE PACK_HUNDREDTHS(10)

#endif
