/* Files written piece by piece, alone or together: whole or not at all. */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A file that stands under its name only once it is whole. */
typedef struct base_output base_output;

/* Opens a temporary file beside path, as base_file_write has it. *out is the caller's until
 * base_output_publish or base_output_drop. */
admmnn_status base_output_open(const char *path, base_output **out, admmnn_error *err);
/* The next bytes; what fails is told by base_output_publish. */
void base_output_write(base_output *out, const void *bytes, size_t count);

/* Puts outs[count] under their names, in their order, and frees them; ADMMNN_IO: none, and what
 * was there is there. The last is the file that a reader opens, the others are what it speaks
 * of: after a kill at any moment the last name holds its old content beside the old others, the
 * new beside the new, or, where others were replaced, nothing. */
admmnn_status base_output_publish(base_output *const *outs, size_t count, admmnn_error *err);
void base_output_drop(base_output *out); /* NULL: nothing to do */

#endif
