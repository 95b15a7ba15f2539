/* Text that is shown as it is. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>

/* UTF-8 without control characters: terminals and JSON take it as it is. */
bool base_text_is_plain(const char *text);
/* A question mark for each byte of what is not. */
void base_text_make_plain(char *text);
/* The larger of a column's width and the text's bytes, for a column that no text moves out of its
 * place. */
int base_text_widen(int width, const char *text);

#endif
