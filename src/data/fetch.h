/* Brings the files of a dataset into a folder, from the first sources that have
 * them whole. */
#ifndef DATA_FETCH_H
#define DATA_FETCH_H

#include "data/manifest.h"

/* Does nothing where the folder holds each file whole. Else the sources are asked
 * in their order for what is missing; one that fails is a warning in the log, and
 * what it gave whole is kept. The error of a single source is its own; that of
 * several names them all. Files are checked before they are written, and written
 * whole or not at all, so that several processes may fetch at once. */
admmnn_status data_fetch_into(const char *folder, const data_manifest *manifest,
                              const data_source *sources, size_t source_count,
                              const admmnn_context *context, admmnn_error *err);

#endif
