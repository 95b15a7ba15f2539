/* What `pack`, `unpack` and `import` have in common: one file in, one file out. */
#ifndef CLI_CONVERT_H
#define CLI_CONVERT_H

#include "admmnn/model.h"
#include "command.h"

/* Converts operand 0 into --out, by admmnn_model_pack or unpack, and prints the sizes. */
admmnn_status cli_convert_pack(const cli_arguments *arguments, admmnn_error *err);
admmnn_status cli_convert_unpack(const cli_arguments *arguments, admmnn_error *err);

#endif
