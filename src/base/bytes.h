/* Little-endian bytes: a growable writer and a reader that cannot overrun. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty writer. `failed` is set once memory runs short (or the drain
 * fails) and stays set: write everything, check once. The bytes are the writer's. With a
 * drain they are no more than BASE_PIECE: what is written goes there piece by piece, the
 * last of it by base_writer_flush. */
typedef struct base_writer {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
    bool failed;
    bool (*drain)(void *user, const void *bytes, size_t count);
    void *user; /* of the drain */
} base_writer;

#define BASE_PIECE ((size_t)1 << 20)

void base_write_bytes(base_writer *writer, const void *bytes, size_t count);
void base_write_u8(base_writer *writer, uint8_t value);
void base_write_u16(base_writer *writer, uint16_t value);
void base_write_u32(base_writer *writer, uint32_t value);
void base_write_u64(base_writer *writer, uint64_t value);
void base_write_f32(base_writer *writer, float value);
void base_write_f64(base_writer *writer, double value);
/* LEB128: seven bits a byte, low first. */
void base_write_varint(base_writer *writer, uint64_t value);
/* Formatted text, without its final zero. */
void base_write_text(base_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void base_writer_flush(base_writer *writer);
void base_writer_free(base_writer *writer);

/* `failed` is set by the first read beyond the end and stays set; reads then
 * give zeros. With `look` the bytes are elsewhere: it gives those of a place, at most
 * BASE_PIECE, until it is asked again, or NULL. */
typedef struct base_reader {
    const uint8_t *bytes; /* [count]; NULL with look */
    size_t count;
    size_t at;
    bool failed;
    const uint8_t *(*look)(void *user, size_t at, size_t count);
    void *user; /* of look */
} base_reader;

/* The next count bytes in place; NULL beyond the end. */
const uint8_t *base_read_bytes(base_reader *reader, size_t count);
/* The same, as many as may be, into to[count]; zeros beyond the end. */
void base_read_into(base_reader *reader, void *to, size_t count);
uint8_t base_read_u8(base_reader *reader);
uint16_t base_read_u16(base_reader *reader);
uint32_t base_read_u32(base_reader *reader);
uint64_t base_read_u64(base_reader *reader);
float base_read_f32(base_reader *reader);
double base_read_f64(base_reader *reader);
uint64_t base_read_varint(base_reader *reader);

#endif
