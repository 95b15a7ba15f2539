/* Datasets known by name: their files, as anyone can check them. */
#ifndef DATA_MANIFEST_H
#define DATA_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A file as it is kept; sha256 is 64 lower-case hexadecimal digits. */
typedef struct data_file {
    const char *name;
    size_t size;
    const char *sha256;
    bool bare; /* mirrors have it as it is; else in gzip, with .gz */
} data_file;

#define DATA_FILES_MAX 8
#define DATA_MIRRORS_MAX 2

typedef struct data_manifest {
    const char *dataset;
    const data_file *files;
    size_t count;                              /* at most DATA_FILES_MAX */
    const char *npm;                           /* NAME@VERSION of the package; NULL: none */
    const char *mirrors[DATA_MIRRORS_MAX + 1]; /* URLs that end in '/'; NULL ends */
} data_manifest;

/* The manifest of a dataset, in static storage; ADMMNN_UNSUPPORTED where the name
 * is not known. */
admmnn_status data_manifest_find(const char *dataset, const data_manifest **manifest,
                                 admmnn_error *err);

/* ADMMNN_CORRUPT unless these bytes, from the place of this name, are the file's. */
admmnn_status data_file_check(const data_file *file, const char *name, const uint8_t *bytes,
                              size_t count, admmnn_error *err);

#endif
