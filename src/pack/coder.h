/* A binary arithmetic coder. Encoder
 * and decoder run the same model code: coder_bit takes the bit to encode and
 * returns the bit coded. Integer arithmetic only: the same bytes everywhere.
 *
 * The coder is the carryless range coder of Schindler (1998) in its binary form. */
#ifndef PACK_CODER_H
#define PACK_CODER_H

#include "base/bytes.h"
#include "pack/format.h"

typedef struct coder {
    base_writer *out; /* encoding, or NULL */
    base_reader *in;  /* decoding */
    uint32_t low, high, code;
    uint64_t shifts; /* bytes that are settled */
    unsigned beyond; /* bytes read beyond the end */
} coder;

/* An encoder leaves out at most PACK_CODER_BEYOND_MOST zeros at the end. Whoever decodes stops
 * when more are asked for: the bytes are not what an encoder wrote, and the work
 * they ask for has no end. */
bool coder_failed(const coder *c);
/* Whether the bytes that were decoded from first to last are those an encoder of
 * the same bits would have written. */
bool coder_is_whole(const coder *c, const uint8_t *bytes, size_t count);
/* Bits so far, to within one. */
uint64_t coder_bits(const coder *c);

/* Probabilities are of a 1, in 1/65536. */
#define CODER_ONE 65536

void coder_encode_start(coder *c, base_writer *out);
void coder_encode_end(coder *c);
void coder_decode_start(coder *c, base_reader *in);
unsigned coder_bit(coder *c, unsigned bit, uint32_t probability);
/* 1 / (1 + exp(-logit)) of a logit in 1/256, in 1/65536; rises with the logit. */
uint32_t coder_squash(int32_t logit);

#endif
