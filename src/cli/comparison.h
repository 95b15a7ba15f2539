/* What `compare` left, for people and for programs. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include "command.h"

/* Whether folder holds a finished comparison. */
bool cli_is_comparison(const char *folder);
/* A line a method and ratio with the mean and standard deviation over seeds, or with
 * --json the text of comparison.json. */
admmnn_status cli_print_comparison(const cli_arguments *arguments, const char *folder,
                                   admmnn_error *err);

#endif
