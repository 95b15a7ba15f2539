#include "base/hash.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <zlib.h>

#include "base/memory.h"

struct base_digest {
    EVP_MD_CTX *context;
    bool failed;
};

base_digest *base_digest_open(void) {
    base_digest *sum = base_array(1, sizeof *sum);
    if (sum == NULL)
        return NULL;
    sum->context = EVP_MD_CTX_new();
    if (sum->context == NULL) {
        base_free(sum);
        return NULL;
    }
    sum->failed = EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) != 1;
    return sum;
}

void base_digest_add(base_digest *sum, const void *bytes, size_t count) {
    sum->failed = sum->failed || EVP_DigestUpdate(sum->context, bytes, count) != 1;
}

static void write_digits(const unsigned char *raw, char digest[65]) {
    for (unsigned i = 0; i < 32; i++)
        snprintf(digest + (size_t)2 * i, 3, "%02x", raw[i]);
}

void base_digest_close(base_digest *sum, char digest[65]) {
    unsigned char raw[EVP_MAX_MD_SIZE] = {0};
    digest[0] = 0;
    if (!sum->failed && EVP_DigestFinal_ex(sum->context, raw, NULL) == 1)
        write_digits(raw, digest);
    EVP_MD_CTX_free(sum->context);
    base_free(sum);
}

void base_sha256(const void *bytes, size_t count, char digest[65]) {
    unsigned char raw[EVP_MAX_MD_SIZE] = {0};
    digest[0] = 0;
    if (EVP_Digest(bytes, count, raw, NULL, EVP_sha256(), NULL) == 1)
        write_digits(raw, digest);
}

uint32_t base_crc32_more(uint32_t crc, const void *bytes, size_t count) {
    return bytes == NULL ? crc : (uint32_t)crc32_z(crc, bytes, count);
}

uint32_t base_crc32(const void *bytes, size_t count) {
    return base_crc32_more(0, bytes, count);
}
