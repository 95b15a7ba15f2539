/* What `compare` left, for people and for programs. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include "command.h"

/* Where the comparison stands, or with --json the text of comparison.json. */
admmnn_status cli_print_comparison(const cli_arguments *arguments, const char *folder,
                                   admmnn_error *err);

#endif
