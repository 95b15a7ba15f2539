#include "base/json.h"

#include <math.h>

#include "admmnn/text.h"

void base_write_json_string(base_writer *writer, const char *text) {
    base_write_u8(writer, '"');
    while (*text != 0) {
        size_t length = admmnn_text_character(text);
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

void base_write_json_number(base_writer *writer, double value) {
    if (isfinite(value))
        base_write_text(writer, "%.17g", value);
    else
        base_write_text(writer, "null");
}
