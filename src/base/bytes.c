#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool reserve(base_writer *writer, size_t count) {
    if (writer->failed || count > SIZE_MAX / 4 - writer->count) {
        writer->failed = true;
        return false;
    }
    size_t needed = writer->count + count;
    if (needed <= writer->capacity)
        return true;
    size_t capacity = needed * 2 < 256 ? 256 : needed * 2;
    uint8_t *grown = base_array_resize(writer->bytes, writer->count, capacity, 1);
    if (grown == NULL) {
        writer->failed = true;
        return false;
    }
    writer->bytes = grown;
    writer->capacity = capacity;
    return true;
}

void base_writer_flush(base_writer *writer) {
    if (writer->drain == NULL || writer->failed || writer->count == 0)
        return;
    writer->failed = !writer->drain(writer->user, writer->bytes, writer->count);
    writer->count = 0;
}

/* Makes room for a piece; true where the bytes are larger than one, and went to the drain
 * without a copy. */
static bool drained(base_writer *writer, const void *bytes, size_t count) {
    if (writer->drain == NULL)
        return false;
    if (count > BASE_PIECE - writer->count)
        base_writer_flush(writer);
    if (count <= BASE_PIECE)
        return false;
    writer->failed = writer->failed || !writer->drain(writer->user, bytes, count);
    return true;
}

void base_write_bytes(base_writer *writer, const void *bytes, size_t count) {
    if (count == 0 || drained(writer, bytes, count) || !reserve(writer, count))
        return;
    memcpy(writer->bytes + writer->count, bytes, count);
    writer->count += count;
}

static void write_little(base_writer *writer, uint64_t value, size_t count) {
    uint8_t bytes[8];
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    base_write_bytes(writer, bytes, count);
}

void base_write_u8(base_writer *writer, uint8_t value) {
    base_write_bytes(writer, &value, 1);
}

void base_write_u16(base_writer *writer, uint16_t value) {
    write_little(writer, value, 2);
}

void base_write_u32(base_writer *writer, uint32_t value) {
    write_little(writer, value, 4);
}

void base_write_u64(base_writer *writer, uint64_t value) {
    write_little(writer, value, 8);
}

void base_write_f32(base_writer *writer, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    base_write_u32(writer, bits);
}

void base_write_f64(base_writer *writer, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    base_write_u64(writer, bits);
}

void base_write_varint(base_writer *writer, uint64_t value) {
    while (value >= 0x80) {
        base_write_u8(writer, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    base_write_u8(writer, (uint8_t)value);
}

void base_write_text(base_writer *writer, const char *format, ...) {
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && reserve(writer, (size_t)length + 1)) {
        vsnprintf((char *)writer->bytes + writer->count, (size_t)length + 1, format, again);
        writer->count += (size_t)length;
    }
    va_end(again);
}

void base_writer_free(base_writer *writer) {
    base_free(writer->bytes);
    memset(writer, 0, sizeof *writer);
}

const uint8_t *base_read_bytes(base_reader *reader, size_t count) {
    if (reader->failed || count > reader->count - reader->at) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->look == NULL ? reader->bytes + reader->at
                                                : reader->look(reader->user, reader->at, count);
    reader->failed = bytes == NULL;
    reader->at += count;
    return bytes;
}

void base_read_into(base_reader *reader, void *to, size_t count) {
    uint8_t *next = to;
    for (size_t piece; count > 0; next += piece, count -= piece) {
        piece = count < BASE_PIECE ? count : BASE_PIECE;
        const uint8_t *bytes = base_read_bytes(reader, piece);
        if (bytes != NULL)
            memcpy(next, bytes, piece);
        else
            memset(next, 0, piece);
    }
}

static uint64_t read_little(base_reader *reader, size_t count) {
    const uint8_t *bytes = base_read_bytes(reader, count);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t base_read_u8(base_reader *reader) {
    return (uint8_t)read_little(reader, 1);
}

uint16_t base_read_u16(base_reader *reader) {
    return (uint16_t)read_little(reader, 2);
}

uint32_t base_read_u32(base_reader *reader) {
    return (uint32_t)read_little(reader, 4);
}

uint64_t base_read_u64(base_reader *reader) {
    return read_little(reader, 8);
}

float base_read_f32(base_reader *reader) {
    uint32_t bits = base_read_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double base_read_f64(base_reader *reader) {
    uint64_t bits = base_read_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t base_read_varint(base_reader *reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = base_read_u8(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    reader->failed = true;
    return 0;
}
