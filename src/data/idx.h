/* IDX, the format of MNIST (LeCun): big-endian magic 0x00000803 (images: count,
 * rows, columns, then bytes) and 0x00000801 (labels: count, then bytes). */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include "base/file.h"
#include "data/data.h"

/* Parses both files of one part from memory into a set of its own. The names
 * appear in errors. */
admmnn_status data_idx_parse(const char *images_name, const uint8_t *images, size_t images_size,
                             const char *labels_name, const uint8_t *labels, size_t labels_size,
                             data_set *out, admmnn_error *err);

/* Reads `name` of a folder, or inflates `name`.gz where there is no such file.
 * path is where it was found; *bytes is the caller's, freed with base_free. More
 * than limit bytes is ADMMNN_INPUT. */
admmnn_status data_idx_read(const char *folder, const char *name, size_t limit,
                            char path[BASE_PATH_MAX], uint8_t **bytes, size_t *count,
                            admmnn_error *err);

/* Names of the four files, images and labels of each part. */
const char *data_idx_images_name(data_part part);
const char *data_idx_labels_name(data_part part);

/* No IDX file of a dataset this program can hold is larger. */
#define DATA_IDX_LIMIT ((size_t)1 << 31)

#endif
