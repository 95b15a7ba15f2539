#include "print.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admmnn/text.h"
#include "fail.h"

void cli_print_begin(void) {
    /* Standard output opened for reading: every write to it fails, as it should. */
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0)
            (void)open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit on sizes fails, with a message */
}

void cli_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

void cli_print_text(const char *text) {
    size_t length = strlen(text);
    fputs(text, stdout);
    if (length == 0 || text[length - 1] != '\n')
        putchar('\n');
}

/* cJSON copies strings as they are, and names of files may be any bytes: what is
 * not UTF-8 becomes U+FFFD, as in the library's JSON. */
static void print_as_utf8(const char *text) {
    while (*text != 0) {
        size_t length = admmnn_text_character(text);
        if (length == 0)
            fputs("\\ufffd", stdout);
        else
            fwrite(text, 1, length, stdout);
        text += length == 0 ? 1 : length;
    }
    putchar('\n');
}

admmnn_status cli_print_json(cJSON *object, admmnn_error *err) {
    char *text = object == NULL ? NULL : cJSON_Print(object);
    cJSON_Delete(object);
    if (text == NULL)
        return cli_fail(err, ADMMNN_MEMORY, "out of memory for the JSON text");
    print_as_utf8(text);
    cJSON_free(text);
    return ADMMNN_OK;
}

/* Whether standard output is a pipe that nobody reads any more. */
static bool reader_is_gone(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

admmnn_status cli_print_end(admmnn_error *err) {
    /* An earlier failure is kept by the stream; its reason is lost. */
    int broken = ferror(stdout);
    errno = 0;
    if (fflush(stdout) == 0 && !broken)
        return ADMMNN_OK;
    if (errno == EPIPE || reader_is_gone())
        return ADMMNN_OK; /* `head` has what it wanted */
    return cli_fail(err, ADMMNN_IO, "standard output: cannot write: %s",
                    strerror(errno == 0 ? EIO : errno));
}

void cli_note(const char *kind, const char *message) {
    char line[768];
    snprintf(line, sizeof line, "admmnn: %s%s", kind, message);
    for (unsigned char *c = (unsigned char *)line; *c != 0; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
    fprintf(stderr, "%s\n", line);
}
