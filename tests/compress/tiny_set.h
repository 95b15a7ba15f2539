/* A tiny dataset in the IDX format, in a folder of its own, for what trains in
 * tests: each image has a bright band whose height is the label, on noise. */
#ifndef TESTS_COMPRESS_TINY_SET_H
#define TESTS_COMPRESS_TINY_SET_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/random.h"

static inline void tiny_set_big(base_writer *out, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        base_write_u8(out, (uint8_t)(value >> shift));
}

static inline void tiny_set_file(const char *folder, const char *name, base_writer *bytes) {
    char path[BASE_PATH_MAX];
    assert_int_equal(base_path_join(path, sizeof path, folder, name, NULL), ADMMNN_OK);
    assert_int_equal(base_file_write(path, bytes->bytes, bytes->count, NULL), ADMMNN_OK);
    base_writer_free(bytes);
}

/* prefix: "train" or "t10k". */
static inline void tiny_set_write(const char *folder, const char *prefix, uint32_t count,
                                  uint32_t side, uint64_t seed) {
    char name[64];
    base_writer images = {0};
    base_writer labels = {0};
    base_random random = base_random_at(seed, 1, 0);
    const uint32_t header[] = {0x803, count, side, side};
    for (size_t i = 0; i < sizeof header / sizeof header[0]; i++)
        tiny_set_big(&images, header[i]);
    tiny_set_big(&labels, 0x801);
    tiny_set_big(&labels, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t label = i % 10;
        base_write_u8(&labels, (uint8_t)label);
        for (uint32_t p = 0; p < side * side; p++) {
            bool bright = p * 14 / (side * side) == label + 1;
            base_write_u8(&images, (uint8_t)((bright ? 90 : 0) + base_random_below(&random, 160)));
        }
    }
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    tiny_set_file(folder, name, &images);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    tiny_set_file(folder, name, &labels);
}

/* A new folder, removed with tiny_set_remove. */
static inline int tiny_set_folder(const char *name, char root[BASE_PATH_MAX]) {
    const char *temporary = getenv("TMPDIR");
    snprintf(root, BASE_PATH_MAX, "%s/admmnn-%s-XXXXXX", temporary == NULL ? "/tmp" : temporary,
             name);
    return mkdtemp(root) == NULL ? -1 : 0;
}

static inline void tiny_set_remove(const char *path) {
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char inner[BASE_PATH_MAX];
        assert_int_equal(base_path_join(inner, sizeof inner, path, entry->d_name, NULL), ADMMNN_OK);
        struct stat info;
        if (lstat(inner, &info) == 0 && S_ISDIR(info.st_mode))
            tiny_set_remove(inner);
        else
            unlink(inner);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

#endif
