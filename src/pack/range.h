/* What the numbers of a value stand for where they take 8 bits, and how the file tells it: two
 * bytes for each value that differs between samples, of the input first and then of what each
 * node makes. */
#ifndef PACK_RANGE_H
#define PACK_RANGE_H

#include "base/bytes.h"
#include "pack/pack.h"

/* The finest that holds numbers from low to high; none where they are not finite. */
pack_range range_of(float low, float high);

/* As the file has it. */
uint16_t range_bits(pack_range range);
/* False where a file may not have it so. */
bool range_from_bits(unsigned bits, pack_range *range);

void range_write_all(const pack_model *model, base_writer *out);
/* The model's from then on. ADMMNN_CORRUPT, ADMMNN_MEMORY. */
admmnn_status range_read_all(base_reader *in, pack_model *model, admmnn_error *err);

#endif
