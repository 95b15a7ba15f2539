/* Status codes and the error object every fallible call fills. */
#ifndef ADMMNN_ERROR_H
#define ADMMNN_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, exit status of the command line, default text).
 * Exit status 2 is usage or input, 1 a run that failed, 130 an interruption. */
#define ADMMNN_STATUS_MAP(X)                                                                       \
    X(OK, 0, "success")                                                                            \
    X(USAGE, 2, "wrong usage")                                                                     \
    X(INPUT, 2, "bad input")                                                                       \
    X(NOT_FOUND, 2, "no such file")                                                                \
    X(CORRUPT, 2, "corrupted file")                                                                \
    X(UNSUPPORTED, 2, "not supported")                                                             \
    X(IO, 1, "input/output error")                                                                 \
    X(MEMORY, 1, "out of memory")                                                                  \
    X(DIVERGED, 1, "the computation diverged")                                                     \
    X(BACKEND, 1, "the arithmetic back end failed")                                                \
    X(CANCELLED, 130, "stopped on request")

typedef enum admmnn_status {
#define ADMMNN_STATUS_ENUM(name, exit_status, text) ADMMNN_##name,
    ADMMNN_STATUS_MAP(ADMMNN_STATUS_ENUM)
#undef ADMMNN_STATUS_ENUM
} admmnn_status;

/* The particular failure: one line that says what, where and what to do.
 * The caller owns it; a NULL pointer means the caller does not want to know. */
typedef struct admmnn_error {
    admmnn_status status;
    char message[512];
} admmnn_error;

/* "INPUT" for ADMMNN_INPUT; static storage. */
const char *admmnn_status_name(admmnn_status status);
/* The default text of a status; static storage. */
const char *admmnn_status_text(admmnn_status status);
/* The exit status a command-line program should end with. */
int admmnn_status_exit(admmnn_status status);

#ifdef __cplusplus
}
#endif
#endif
