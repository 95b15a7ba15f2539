/* One parameter's positions and values, written and read. */
#ifndef PACK_TENSOR_H
#define PACK_TENSOR_H

#include "pack/bits.h"
#include "pack/coder.h"
#include "pack/pack.h"
#include "pack/positions.h"

/* The choices a tensor is coded with. */
typedef struct tensor_plan {
    pack_position_id positions;
    pack_coder_id values;
    unsigned width; /* of a relative index; 0: none */
    bool ordered;   /* entropy: the rows are in the order of their first places */
} tensor_plan;

/* What the tensor is, beside its values. */
typedef struct tensor_shape {
    positions_shape matrix;
    size_t count;
} tensor_shape;

/* The matrix a parameter is coded as. */
tensor_shape tensor_shape_of(const graph *g, uint32_t parameter);

/* The best relative width for a mask, and the entries (escapes included) at it, when
 * every entry has value_bits besides: 0 in the file, whose escapes have no value; a
 * value's in the papers' accounting, whose escapes are zeros among the values. */
unsigned tensor_relative_width(const uint8_t *mask, size_t count, unsigned value_bits,
                               uint64_t *entries);

/* mask[count]: 1 where the value is not zero (bits, not value: -0 is kept). */
void tensor_mask(const pack_tensor *tensor, size_t count, uint8_t *mask);

/* The two parts of tensor_write. mask: of tensor_mask; of dense positions, all 1 for the
 * values. */
admmnn_status tensor_write_positions(tensor_shape shape, tensor_plan plan, uint8_t *mask,
                                     bits_writer *plain, coder *range, admmnn_error *err);
admmnn_status tensor_write_values(const pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                                  const uint8_t *mask, bits_writer *plain, coder *range,
                                  admmnn_error *err);

admmnn_status tensor_write(const pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                           bits_writer *plain, coder *range, pack_tensor_report *report,
                           admmnn_error *err);
/* tensor's form, levels, bits and step are set; its arrays are made. */
admmnn_status tensor_read(pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                          bits_reader *plain, coder *range, pack_tensor_report *report,
                          admmnn_error *err);

/* Whether the coder of values can hold such levels, and whether the plan can
 * hold the tensor. */
bool tensor_coder_fits(const pack_tensor *tensor, tensor_plan plan);
bool tensor_plan_fits(const pack_tensor *tensor, size_t count, tensor_plan plan);

#endif
