#include "session.h"

#include <signal.h>
#include <stddef.h>

#include "print.h"

/* The one global that changes: a signal's handler has no other way to speak. */
static volatile sig_atomic_t stop_requested;

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
#define CAUGHT_COUNT (sizeof caught / sizeof caught[0])

static void request_stop(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
    for (size_t i = 0; i < CAUGHT_COUNT; i++)
        signal(caught[i], SIG_DFL);
}

void cli_session_catch_signals(void) {
    struct sigaction action = {.sa_handler = request_stop, .sa_flags = SA_RESTART};
    struct sigaction present;
    sigemptyset(&action.sa_mask);
    /* What the caller had ignored (nohup) stays ignored. */
    for (size_t i = 0; i < CAUGHT_COUNT; i++)
        if (sigaction(caught[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN)
            sigaction(caught[i], &action, NULL);
}

static bool cancelled(void *user) {
    (void)user;
    return stop_requested != 0;
}

static void report(void *user, const admmnn_progress *now) {
    cli_session *session = user;
    cli_progress_report(&session->progress, now);
}

static void log_line(void *user, admmnn_log_level level, const char *message) {
    cli_session *session = user;
    if (level == ADMMNN_LOG_DEBUG || (level == ADMMNN_LOG_INFO && session->quiet))
        return;
    cli_progress_clear(&session->progress);
    cli_note(level == ADMMNN_LOG_WARNING ? "warning: " : "", message);
}

void cli_session_begin(cli_session *session, const cli_arguments *arguments) {
    session->quiet = arguments->quiet;
    session->context = (admmnn_context){.threads = (unsigned)arguments->threads.value,
                                        .log = log_line,
                                        .progress = report,
                                        .cancelled = cancelled,
                                        .user = session};
    cli_progress_begin(&session->progress, arguments->quiet);
}

void cli_session_end(cli_session *session) {
    cli_progress_clear(&session->progress);
}
