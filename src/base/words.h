/* The words a message offers, in a row: "a, b, c". */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stddef.h>

/* Starts as {0}. Words beyond its room are cut off. */
typedef struct base_words {
    char text[320];
    size_t used;
} base_words;

void base_words_add(base_words *words, const char *word);

#endif
