#ifndef DATA_GUNZIP_H
#define DATA_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Inflates gzip, of one member or more, into a new array (base_free). More than
 * limit bytes is ADMMNN_INPUT, and no more than that is ever held; damage and
 * bytes after the end are ADMMNN_CORRUPT. */
admmnn_status data_gunzip(const char *name, const uint8_t *bytes, size_t count, size_t limit,
                          uint8_t **out, size_t *out_count, admmnn_error *err);

#endif
