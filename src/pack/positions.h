/* Which weights of a matrix are kept, by the range coder. */
#ifndef PACK_POSITIONS_H
#define PACK_POSITIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "pack/coder.h"

/* rows x columns; columns come in blocks of `block` that read one input unit, and
 * blocks in lines of `width` (a convolution's taps, an inner product's places of a
 * channel). */
typedef struct positions_shape {
    size_t rows, columns, block, width;
    bool ordered; /* each row's first place is not before the last row's */
} positions_shape;

/* Codes mask[rows * columns] (0 or 1) row by row; decoding fills it.
 *
 * The logit of a place is the sum of the effects (pack/density.h) of
 *   its column, its block and its place in the block;
 *   the matrix and its row; in an ordered matrix, until the row's first place is
 *   found, instead of these the one of looking for it;
 *   each of five neighbours that is set: left in the line, the line above, the
 *   same place of the block before, the same column one and two rows up;
 *   a column that nothing is set in yet, another in the last row: units that no
 *   one reads are gone.
 * A row's effect begins where the last row's ended, a little less certain: rows are
 * sorted. Effects of blocks and places exist where a block has more than one place.
 * In an ordered matrix the places before the last row's first are not coded. */
admmnn_status positions_code(coder *c, positions_shape shape, uint8_t *mask, admmnn_error *err);

/* Whether mask is ordered, and the first place of a row: columns where it is empty. */
bool positions_are_ordered(positions_shape shape, const uint8_t *mask);
size_t positions_first(const uint8_t *places, size_t columns);

#endif
