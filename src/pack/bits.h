/* Plain bits, the first in the lowest place of its byte. */
#ifndef PACK_BITS_H
#define PACK_BITS_H

#include "base/bytes.h"

typedef struct bits_writer {
    base_writer bytes;
    uint64_t count; /* bits written */
} bits_writer;

void bits_write(bits_writer *w, uint32_t value, unsigned count);

typedef struct bits_reader {
    const uint8_t *bytes;
    uint64_t count, at; /* in bits */
    bool failed;
} bits_reader;

uint32_t bits_read(bits_reader *r, unsigned count);

#endif
