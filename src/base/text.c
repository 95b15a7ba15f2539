#include "admmnn/text.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void admmnn_text_free(char *text) {
    base_free(text);
}

size_t admmnn_text_character(const char *text) {
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4)
        return 0;
    size_t length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    unsigned least = byte[0] == 0xe0 ? 0xa0 : byte[0] == 0xf0 ? 0x90 : 0x80;
    unsigned most = byte[0] == 0xed ? 0x9f : byte[0] == 0xf4 ? 0x8f : 0xbf;
    if (byte[1] < least || byte[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* U+0000 to U+001F, U+007F to U+009F. */
static bool is_control(const char *character, size_t length) {
    const unsigned char *c = (const unsigned char *)character;
    return c[0] < ' ' || c[0] == 0x7f || (length == 2 && c[0] == 0xc2 && c[1] < 0xa0);
}

/* Bytes of the plain character that text begins with; 0: none. */
static size_t plain_character(const char *text) {
    const size_t length = admmnn_text_character(text);
    return is_control(text, length) ? 0 : length;
}

bool base_text_is_plain(const char *text) {
    size_t length = 1;
    for (; *text != 0 && length > 0; text += length)
        length = plain_character(text);
    return length > 0;
}

void base_text_make_plain(char *text) {
    while (*text != 0) {
        const size_t length = plain_character(text);
        if (length == 0)
            *text = '?';
        text += length == 0 ? 1 : length;
    }
}

int base_text_widen(int width, const char *text) {
    const int length = (int)strlen(text);
    return length > width ? length : width;
}
