/* Reads the words after a subcommand by its tables. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "command.h"

/* Long options as --name VALUE or --name=VALUE, short ones as -n VALUE or -nVALUE;
 * a VALUE of its own word does not begin with "--"; "--" ends them. --help ends the
 * reading: what follows is not looked at. Anything wrong is ADMMNN_USAGE with the
 * nearest name that exists. */
admmnn_status cli_options_read(const cli_command *command, int count, char *const *words,
                               cli_arguments *arguments, admmnn_error *err);

/* "RECIPE --out DIR [options]" into text[size]. */
void cli_usage(const cli_command *command, char *text, size_t size);

#endif
