/* sched_getaffinity: the cores this process may use; sigaltstack. */
#define _GNU_SOURCE
#include "session.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#include "print.h"

#define THREADS_A_CORE 4

static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
#define STOPPING_COUNT (sizeof stopping / sizeof stopping[0])

/* The globals that change: a signal's handler has no other way to speak. */
static volatile sig_atomic_t stop_requested;
static volatile sig_atomic_t caught[STOPPING_COUNT];

static void request_stop(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
    for (size_t i = 0; i < STOPPING_COUNT; i++)
        if (caught[i] != 0)
            signal(stopping[i], SIG_DFL);
}

/* oneDNN's matrix products use the stack pointer to address their own buffers: a handler
 * that runs below it writes over the heap. This one has a stack of its own; the workers
 * block signals. */
static void use_own_stack(void) {
    static char memory[65536];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    (void)sigaltstack(&stack, NULL);
}

void cli_session_catch_signals(void) {
    struct sigaction action = {.sa_handler = request_stop, .sa_flags = SA_RESTART | SA_ONSTACK};
    use_own_stack();
    struct sigaction present;
    sigemptyset(&action.sa_mask);
    /* What the caller had ignored (nohup) stays ignored. */
    for (size_t i = 0; i < STOPPING_COUNT; i++) {
        caught[i] = sigaction(stopping[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN;
        if (caught[i] != 0)
            sigaction(stopping[i], &action, NULL);
    }
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

/* Threads beyond the cores wait for one another: what they cost is said, as the number
 * may be wanted for the sake of the same bytes. */
static void warn_of_threads(uint64_t threads) {
    cpu_set_t set;
    char text[128];
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return;
    const int cores = CPU_COUNT(&set);
    if (threads <= THREADS_A_CORE * (uint64_t)cores)
        return;
    snprintf(text, sizeof text, "--threads %u: %d core%s here; so many threads slow the work down",
             (unsigned)threads, cores, cores == 1 ? " is" : "s are");
    cli_note("warning: ", text);
}

void cli_session_begin(cli_session *session, const cli_arguments *arguments) {
    session->quiet = arguments->quiet;
    warn_of_threads(arguments->threads.value);
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
