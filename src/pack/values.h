/* Codes of kept weights and of biases, by the range coder: signs and the bits of
 * magnitudes, each with the effects (pack/density.h) of the bit itself, of the
 * value before it in the row, of the one above it in the column, of the row and of
 * the column. */
#ifndef PACK_VALUES_H
#define PACK_VALUES_H

#include <stdbool.h>

#include "base/error.h"
#include "pack/coder.h"

/* Codes codes[rows * columns] where mask is 1. Codes lie
 * within +-levels; zero occurs only when has_zero. */
admmnn_status values_code(coder *c, size_t rows, size_t columns, uint32_t levels, bool has_zero,
                          const uint8_t *mask, int32_t *codes, admmnn_error *err);

#endif
