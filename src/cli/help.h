/* Help for people, the man page, completion for bash and JSON for programs: all
 * printed from the commands' tables, so that they cannot disagree. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command.h"

void cli_help_all(void);
/* "data": the commands that begin with this word. */
void cli_help_group(const char *word);
void cli_help_command(const cli_command *command);

void cli_manual_print(void);     /* manual.c: admmnn.1 */
void cli_completion_print(void); /* completion.c: for bash */

/* "-o, --out DIR" into text[size]. */
void cli_option_heading(const cli_option *option, char *text, size_t size);

/* Exit statuses, environment and files: a name and what it means. */
typedef struct cli_term {
    const char *name; /* NULL ends a list */
    const char *text;
} cli_term;
extern const char cli_purpose[];
extern const cli_term cli_exit_statuses[];
extern const cli_term cli_environment[];
extern const cli_term cli_files[];

#endif
