/* Text that the library gives away, and characters of text that may be any bytes. */
#ifndef ADMMNN_TEXT_H
#define ADMMNN_TEXT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Frees a text that a call of the library left to its caller; NULL is none. */
void admmnn_text_free(char *text);

/* Bytes of the character of UTF-8 that text begins with (RFC 3629: no surrogates, nothing
 * overlong, nothing above U+10FFFF); 0 when it begins with none. */
size_t admmnn_text_character(const char *text);

#ifdef __cplusplus
}
#endif
#endif
