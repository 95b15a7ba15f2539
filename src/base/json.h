/* JSON text that every reader takes. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bytes.h"

/* text as a JSON string with its quotes. Names of files may be any bytes: what is
 * not UTF-8 becomes U+FFFD, a byte at a time. */
void base_write_json_string(base_writer *writer, const char *text);

/* A number that is read back as it is; null where it is not finite. */
void base_write_json_number(base_writer *writer, double value);

#endif
