#include "pack/bits.h"

void bits_write(bits_writer *w, uint32_t value, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (w->count % 8 == 0)
            base_write_u8(&w->bytes, 0);
        if (w->bytes.failed)
            return;
        w->bytes.bytes[w->bytes.count - 1] |= (uint8_t)((value >> i & 1U) << (w->count % 8));
        w->count++;
    }
}

uint32_t bits_read(bits_reader *r, unsigned count) {
    if (r->failed || count > r->count - r->at) {
        r->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++, r->at++)
        value |= ((uint32_t)r->bytes[r->at / 8] >> (r->at % 8) & 1U) << i;
    return value;
}
