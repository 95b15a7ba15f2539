/* Little-endian bytes and plain bits, read without ever going beyond their end, of a file that is
 * in memory as a whole or through a window. */
#ifndef RT_READER_H
#define RT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes [first, first + held) of a file. move: brings others, byte `at` the first of them; NULL
 * where all of the file is there. */
typedef struct rt_view rt_view;
struct rt_view {
    const uint8_t *bytes;
    size_t first, held;
    void (*move)(rt_view *v, size_t at);
    void *file; /* of move */
};

/* A byte of the file. */
static inline unsigned rt_view_byte(rt_view *v, size_t at) {
    if (v->move != NULL && at - v->first >= v->held)
        v->move(v, at);
    return v->bytes[at - v->first];
}

/* `failed` is set by the first read beyond the end and stays set; reads then give zeros. */
typedef struct rt_reader {
    rt_view *from;
    size_t count, at;
    bool failed;
} rt_reader;

/* The next count bytes into to[count]; false beyond the end. */
bool rt_read_bytes(rt_reader *in, uint64_t count, uint8_t *to);
/* Goes count bytes on. */
void rt_skip_bytes(rt_reader *in, uint64_t count);
unsigned rt_read_u8(rt_reader *in);
uint32_t rt_read_u16(rt_reader *in);
uint32_t rt_read_u32(rt_reader *in);
float rt_read_f32(rt_reader *in);
uint64_t rt_read_varint(rt_reader *in);
/* A varint that is at most `most`; larger ones fail the reader. */
uint32_t rt_read_number(rt_reader *in, uint32_t most);
/* A float of those 32 bits. */
float rt_float_of(uint32_t bits);

/* Bits from byte `start` on, the first in the lowest place of its byte; count and at in bits. */
typedef struct rt_bits {
    rt_view *from;
    size_t start;
    uint64_t count, at;
    bool failed;
} rt_bits;

/* At most 32. */
uint32_t rt_read_bits(rt_bits *in, unsigned count);

/* CRC-32 of IEEE 802.3, of the first count bytes. */
uint32_t rt_crc32(rt_view *from, size_t count);

#endif
