/* What sources that are one archive share: it is brought into a temporary folder and read there. */
#ifndef DATA_PACKED_H
#define DATA_PACKED_H

#include "base/file.h"
#include "data/source.h"

/* Brings the archive of a source into the folder; path is where it is then. */
typedef admmnn_status packed_bring(const data_source *source, data_watch *watch, const char *folder,
                                   char path[BASE_PATH_MAX], admmnn_error *err);

/* As those of a data_source_kind. */
admmnn_status packed_open(packed_bring *bring, const data_source *source, data_watch *watch,
                          void **state, admmnn_error *err);
admmnn_status packed_get(void *state, const char *name, size_t most, uint8_t **bytes, size_t *count,
                         admmnn_error *err);
void packed_close(void *state);

#endif
