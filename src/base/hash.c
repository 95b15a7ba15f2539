#include "base/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <zlib.h>

void base_sha256(const void *bytes, size_t count, char digest[65]) {
    unsigned char raw[EVP_MAX_MD_SIZE] = {0};
    unsigned length = 0;
    digest[0] = 0;
    if (EVP_Digest(bytes, count, raw, &length, EVP_sha256(), NULL) != 1)
        return;
    for (unsigned i = 0; i < 32; i++)
        snprintf(digest + (size_t)2 * i, 3, "%02x", raw[i]);
}

uint32_t base_crc32(const void *bytes, size_t count) {
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, count);
}
