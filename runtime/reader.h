/* Little-endian bytes and plain bits, read without ever going beyond their end. */
#ifndef RT_READER_H
#define RT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `failed` is set by the first read beyond the end and stays set; reads then give zeros. */
typedef struct rt_reader {
    const uint8_t *bytes;
    size_t count, at;
    bool failed;
} rt_reader;

/* The next count bytes in place; NULL beyond the end. */
const uint8_t *rt_read_bytes(rt_reader *in, uint64_t count);
unsigned rt_read_u8(rt_reader *in);
uint32_t rt_read_u16(rt_reader *in);
uint32_t rt_read_u32(rt_reader *in);
float rt_read_f32(rt_reader *in);
uint64_t rt_read_varint(rt_reader *in);
/* A varint that is at most `most`; larger ones fail the reader. */
uint32_t rt_read_number(rt_reader *in, uint32_t most);
/* A float of those 32 bits. */
float rt_float_of(uint32_t bits);

/* Bits, the first in the lowest place of its byte; count and at in bits. */
typedef struct rt_bits {
    const uint8_t *bytes;
    uint64_t count, at;
    bool failed;
} rt_bits;

/* At most 32. */
uint32_t rt_read_bits(rt_bits *in, unsigned count);

/* CRC-32 of IEEE 802.3. */
uint32_t rt_crc32(const uint8_t *bytes, size_t count);

#endif
