/* Where the bytes of a packed file went. */
#ifndef PACK_REPORT_H
#define PACK_REPORT_H

#include "pack/pack.h"

/* Fills the bytes_... of a report whose tensors are filled; step_bytes: of one
 * interval in the file. */
void pack_report_add_up(pack_report *report, const pack_model *model, size_t step_bytes,
                        size_t file_bytes);

#endif
