/* The cache folder, by the XDG Base Directory Specification. */
#ifndef DATA_CACHE_H
#define DATA_CACHE_H

#include "data/manifest.h"

/* $XDG_CACHE_HOME/admmnn/<dataset>, or under ~/.cache, into path[size]; it need
 * not exist. */
admmnn_status data_cache_path(const char *dataset, char *path, size_t size, admmnn_error *err);

#endif
