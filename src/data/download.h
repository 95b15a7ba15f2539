/* Files by their URLs: https, or file in tests. */
#ifndef DATA_DOWNLOAD_H
#define DATA_DOWNLOAD_H

#include "base/bytes.h"
#include "data/source.h"

typedef struct download download;

/* *out is the caller's, closed with download_close; watch outlives it. */
admmnn_status download_open(data_watch *watch, download **out, admmnn_error *err);
void download_close(download *d);

/* The bytes of folder, a URL that ends in '/', and name go to the writer. More than so many:
 * ADMMNN_CORRUPT; ADMMNN_IO: it is not reached, or not to the end. Errors tell the name. */
admmnn_status download_get(download *d, const char *folder, const char *name, size_t most,
                           base_writer *to, admmnn_error *err);

#endif
