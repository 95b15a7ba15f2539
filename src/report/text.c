#include "report/text.h"

#include <string.h>

#include "admmnn/text.h"

static const char replacement[] = "\xEF\xBF\xBD";

/* Bytes of the character at s; 0 when there is none, or none that XML takes. */
static size_t sequence_length(const char *s) {
    const unsigned char *byte = (const unsigned char *)s;
    size_t length = admmnn_text_character(s);
    bool no_character = length == 3 && byte[0] == 0xEF && byte[1] == 0xBF && byte[2] > 0xBD;
    return no_character ? 0 : length;
}

static const char *entity_of(unsigned char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 || c == 0x7F ? replacement : NULL;
    }
}

void report_escape(base_writer *out, const char *text) {
    const char *s = text;
    while (*s != 0) {
        const char *entity = entity_of((unsigned char)*s);
        size_t length = sequence_length(s);
        if (entity == NULL && length == 0)
            entity = replacement;
        if (entity != NULL)
            base_write_bytes(out, entity, strlen(entity));
        else
            base_write_bytes(out, s, length);
        s += entity != NULL ? 1 : length;
    }
}
