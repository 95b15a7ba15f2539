/* A file that is read piece by piece, and never all in memory. */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct base_view base_view;

/* As base_file_open; *count: the file's size. */
admmnn_status base_view_open(const char *path, base_view **out, size_t *count, admmnn_error *err);
/* A base_reader's look; NULL beyond the end, or where the file cannot be read. */
const uint8_t *base_view_look(void *view, size_t at, size_t count);
/* ADMMNN_IO where a piece could not be read. */
admmnn_status base_view_check(const base_view *view, admmnn_error *err);
void base_view_close(base_view *view);

#endif
