#include "base/words.h"

#include <stdio.h>

void base_words_add(base_words *words, const char *word) {
    const size_t room = sizeof words->text - words->used;
    const int length =
        snprintf(words->text + words->used, room, "%s%s", words->used == 0 ? "" : ", ", word);
    if (length > 0)
        words->used += (size_t)length < room ? (size_t)length : room - 1;
}
