/* Datasets known by name: their files, as anyone can check them, and who has them. */
#ifndef DATA_MANIFEST_H
#define DATA_MANIFEST_H

#include "data/source.h"

#define DATA_FILES_MAX 8
#define DATA_SOURCES_MAX 4

typedef struct data_manifest {
    const char *dataset;
    const data_file *files;
    size_t count;                /* at most DATA_FILES_MAX */
    const data_archive *archive; /* of all files, which a folder may hold instead; NULL: none */
    const data_source *sources;  /* the public ones, in the order in which they are asked */
    size_t source_count;         /* at most DATA_SOURCES_MAX */
} data_manifest;

/* The manifest of a dataset, in static storage; ADMMNN_UNSUPPORTED where the name
 * is not known. */
admmnn_status data_manifest_find(const char *dataset, const data_manifest **manifest,
                                 admmnn_error *err);

/* ADMMNN_CORRUPT unless these bytes, from the place of this name, are the file's. */
admmnn_status data_file_check(const data_file *file, const char *name, const uint8_t *bytes,
                              size_t count, admmnn_error *err);

#endif
