/* The figures of a finished run, as its folder gives them. */
#ifndef CLI_RUN_RESULT_H
#define CLI_RUN_RESULT_H

#include "command.h"

admmnn_status cli_print_run_result(const cli_arguments *arguments, const char *folder,
                                   admmnn_error *err);

#endif
