/* Folders, IDX files and expectations shared by the data floor's tests. */
#ifndef TESTS_DATA_SUPPORT_H
#define TESTS_DATA_SUPPORT_H

#define _XOPEN_SOURCE 700 /* nftw, mkdtemp, setenv */

#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/data.h"
#include "data/gunzip.h"
#include "data/idx.h"

/* A call that must give this status; a failure's message must hold the words. */
#define EXPECT(call, expected, words)                                                              \
    do {                                                                                           \
        admmnn_error failure_ = {ADMMNN_OK, ""};                                                   \
        admmnn_error *err = &failure_;                                                             \
        admmnn_status status_ = (call);                                                            \
        if (status_ != (expected) || strstr(failure_.message, words) == NULL)                      \
            fail_msg("%s: %s '%s', expected %s '%s'", #call, admmnn_status_name(status_),          \
                     failure_.message, admmnn_status_name(expected), words);                       \
    } while (0)

#define EXPECT_OK(call) EXPECT(call, ADMMNN_OK, "")

static inline int remove_entry_(const char *path, const struct stat *info, int kind,
                                struct FTW *place) {
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void folder_remove(const char *path) {
    (void)nftw(path, remove_entry_, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder, for folder_remove. */
static inline void folder_new(char path[64]) {
    strcpy(path, "/tmp/admmnn-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline size_t folder_entries(const char *path) {
    char command[BASE_PATH_MAX];
    size_t count = 0;
    snprintf(command, sizeof command, "ls -A '%s'", path);
    FILE *list = popen(command, "r");
    assert_non_null(list);
    for (int c; (c = fgetc(list)) != EOF;)
        count += c == '\n';
    pclose(list);
    return count;
}

/* Not synced, which base_file_write does. */
static inline void put_file(const char *folder, const char *name, const void *bytes, size_t count) {
    char path[BASE_PATH_MAX];
    EXPECT_OK(base_path_join(path, sizeof path, folder, name, err));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* bytes as a gzip member, by zlib's deflate; freed with base_free. */
static inline uint8_t *gzip(const void *bytes, size_t count, size_t *packed_count) {
    z_stream stream = {0};
    size_t capacity = count + count / 8 + 256;
    uint8_t *packed = base_array(capacity, 1);
    assert_non_null(packed);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = packed;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *packed_count = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static inline void put_gzip(const char *folder, const char *name, const void *bytes, size_t count) {
    char packed_name[128];
    size_t packed_count;
    uint8_t *packed = gzip(bytes, count, &packed_count);
    snprintf(packed_name, sizeof packed_name, "%s.gz", name);
    put_file(folder, packed_name, packed, packed_count);
    base_free(packed);
}

static inline void put_be32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

#endif
