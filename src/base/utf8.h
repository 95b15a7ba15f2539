/* Characters of text that may be any bytes. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character of UTF-8 that text begins with (RFC 3629: no surrogates,
 * nothing overlong, nothing above U+10FFFF); 0 when it begins with none. */
size_t base_utf8_length(const char *text);

#endif
