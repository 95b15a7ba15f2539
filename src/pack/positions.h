/* Which weights of a matrix are kept, by the range coder: a model of row, column,
 * block and neighbour densities. */
#ifndef PACK_POSITIONS_H
#define PACK_POSITIONS_H

#include "base/error.h"
#include "pack/coder.h"

/* rows x columns; columns come in blocks of `block` that read one input unit (a
 * convolution's taps, an inner product's places of a channel). */
typedef struct positions_shape {
    size_t rows, columns, block;
} positions_shape;

/* Codes mask[rows * columns] (0 or 1); decoding fills it. */
admmnn_status positions_code(coder *c, positions_shape shape, uint8_t *mask, admmnn_error *err);

#endif
