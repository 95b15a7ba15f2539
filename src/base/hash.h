/* Checksums of content. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 (libcrypto) as 64 lower-case hexadecimal digits and a zero. */
void base_sha256(const void *bytes, size_t count, char digest[65]);
/* The same piece by piece; NULL: memory is short. */
typedef struct base_digest base_digest;
base_digest *base_digest_open(void);
void base_digest_add(base_digest *sum, const void *bytes, size_t count);
void base_digest_close(base_digest *sum, char digest[65]);
/* CRC-32 of IEEE 802.3 (zlib). */
uint32_t base_crc32(const void *bytes, size_t count);
/* Of what has that CRC-32 (of nothing: 0) with these bytes behind it. */
uint32_t base_crc32_more(uint32_t crc, const void *bytes, size_t count);

#endif
