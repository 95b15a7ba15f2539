#include "base/json.h"

/* Bytes of the character of UTF-8 that text begins with (RFC 3629: no surrogates,
 * nothing overlong, nothing above U+10FFFF); 0 when it begins with none. */
static size_t character_length(const char *text) {
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

void base_write_json_string(base_writer *writer, const char *text) {
    base_write_u8(writer, '"');
    while (*text != 0) {
        size_t length = character_length(text);
        if (length == 0)
            base_write_text(writer, "\\ufffd");
        else if ((unsigned char)*text < 0x20)
            base_write_text(writer, "\\u%04x", (unsigned)*text);
        else if (*text == '"' || *text == '\\')
            base_write_text(writer, "\\%c", *text);
        else
            base_write_bytes(writer, text, length);
        text += length == 0 ? 1 : length;
    }
    base_write_u8(writer, '"');
}
