/* The words a message offers, in a row: "a, b, c". */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/error.h"

#include <stddef.h>

/* Starts as {0}. Words beyond its room are cut off. */
typedef struct base_words {
    char text[320];
    size_t used;
} base_words;

void base_words_add(base_words *words, const char *word);

/* The place of `name` among names[count]; NULL: 0. ADMMNN_USAGE with the option and the names
 * there are. */
admmnn_status base_words_find(const char *option, const char *const *names, size_t count,
                              const char *name, unsigned *out, admmnn_error *err);

#endif
