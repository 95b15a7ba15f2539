/* Codes of kept weights and of biases, by the range coder. */
#ifndef PACK_VALUES_H
#define PACK_VALUES_H

#include "base/error.h"
#include "pack/coder.h"

/* Codes codes[rows * columns] where mask is 1 (NULL: everywhere). Codes lie
 * within +-levels; zero occurs only when has_zero. */
admmnn_status values_code(coder *c, size_t rows, size_t columns, uint32_t levels, int has_zero,
                          const uint8_t *mask, int32_t *codes, admmnn_error *err);

#endif
