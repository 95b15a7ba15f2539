/* Which weights of a matrix are kept, by the range coder. */
#ifndef PACK_POSITIONS_H
#define PACK_POSITIONS_H

#include "base/error.h"
#include "pack/coder.h"

/* rows x columns; columns come in blocks of `block` that read one input unit, and
 * blocks in lines of `width` (a convolution's taps, an inner product's places of a
 * channel). */
typedef struct positions_shape {
    size_t rows, columns, block, width;
} positions_shape;

/* Codes mask[rows * columns] (0 or 1) row by row; decoding fills it.
 *
 * The logit of a place is the sum of the effects (pack/density.h) of
 *   the matrix, its row, its column, its block and its place in the block, each
 *   at first of the mean and variance given in positions.c;
 *   each of five neighbours that is set: left in the line, the line above, the
 *   same place of the block before, the same column one and two rows up.
 * A row's effect begins where the last row's ended, a little less certain:
 * rows are sorted by what they keep. Effects of blocks and places exist where a
 * block has more than one place. */
admmnn_status positions_code(coder *c, positions_shape shape, uint8_t *mask, admmnn_error *err);

#endif
