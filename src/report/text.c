#include "report/text.h"

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/* Bytes of the well-formed UTF-8 sequence at s; 0 when there is none. */
static size_t sequence_length(const unsigned char *s) {
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool beyond = s[0] == 0xF4 && s[1] > 0x8F;
    bool no_character = s[0] == 0xEF && s[1] == 0xBF && s[2] > 0xBD;
    return overlong || surrogate || beyond || no_character ? 0 : length;
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
    const unsigned char *s = (const unsigned char *)text;
    while (*s != 0) {
        const char *entity = entity_of(*s);
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
