/* What the library asks of a caller, as a command-line program answers it:
 * threads, progress and notes on standard error, Ctrl-C. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "admmnn/context.h"
#include "command.h"
#include "progress.h"

typedef struct cli_session {
    admmnn_context context;
    cli_progress progress;
    bool quiet;
} cli_session;

void cli_session_begin(cli_session *session, const cli_arguments *arguments);
/* From here the first SIGINT, SIGTERM or SIGHUP asks the library to stop cleanly
 * and the second kills: for work that asks context.cancelled. */
void cli_session_catch_signals(void);
void cli_session_end(cli_session *session);

#endif
