/* What `pack`, `unpack` and `import` have in common: one file in, one file out. */
#ifndef CLI_CONVERT_H
#define CLI_CONVERT_H

#include "admmnn/model.h"
#include "command.h"

typedef admmnn_status (*cli_converter)(const admmnn_pack_settings *settings, admmnn_error *err);

/* Converts operand 0 into --out and prints both sizes. */
admmnn_status cli_convert(const cli_arguments *arguments, cli_converter convert, admmnn_error *err);

#endif
