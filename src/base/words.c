#include "base/words.h"

#include <stdio.h>
#include <string.h>

void base_words_add(base_words *words, const char *word) {
    const size_t room = sizeof words->text - words->used;
    const int length =
        snprintf(words->text + words->used, room, "%s%s", words->used == 0 ? "" : ", ", word);
    if (length > 0)
        words->used += (size_t)length < room ? (size_t)length : room - 1;
}

admmnn_status base_words_find(const char *option, const char *const *names, size_t count,
                              const char *name, unsigned *out, admmnn_error *err) {
    base_words all = {0};
    *out = 0;
    for (size_t i = 0; name != NULL && i < count; i++) {
        *out = (unsigned)i;
        if (strcmp(names[i], name) == 0)
            return ADMMNN_OK;
        base_words_add(&all, names[i]);
    }
    return name == NULL
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_USAGE, "%s: '%.40s'; there are %s", option, name, all.text);
}
