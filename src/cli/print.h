/* Standard output and standard error, with nothing lost in silence. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <cjson/cJSON.h>

#include "admmnn/error.h"

/* Makes sure the three standard streams are open, so that no file of ours takes
 * their place, and that a closed pipe is no signal that ends a run. */
void cli_print_begin(void);

void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text the library gave, with a line end if it has none. */
void cli_print_text(const char *text);
/* Frees object; NULL is ADMMNN_MEMORY. */
admmnn_status cli_print_json(cJSON *object, admmnn_error *err);
/* Writes out what is buffered; ADMMNN_IO when any of it could not be written. A
 * reader who closed the pipe wanted no more: that is no error. */
admmnn_status cli_print_end(admmnn_error *err);

/* "admmnn: " and one line on standard error; what is not printable becomes '?'. */
void cli_note(const char *kind, const char *message);

#endif
