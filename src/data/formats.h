/* Openers of the formats: as data_open, which asks them. */
#ifndef DATA_FORMATS_H
#define DATA_FORMATS_H

#include "data/data.h"

/* data_batch_1.bin to data_batch_5.bin and test_batch.bin of CIFAR-10, or train.bin and test.bin
 * of CIFAR-100: of each image a label (CIFAR-100: a coarse and a fine one), then 32x32 bytes of
 * red, of green and of blue. The path is a folder that holds them, or an archive of one, or a
 * folder that holds that archive under its public name. */
admmnn_status cifar_open(const data_settings *settings, data_part part, data_set *out,
                         admmnn_error *err);

/* train/CLASS/FILE and test/CLASS/FILE or val/CLASS/FILE. */
admmnn_status folder_open(const data_settings *settings, data_part part, data_set *out,
                          admmnn_error *err);

/* train/x.npy and train/y.npy, test/x.npy and test/y.npy: images (count, height, width) or
 * (count, channels, height, width), bytes or floats, and whole labels (count). Classes are as
 * data_idx_open's. */
admmnn_status npy_open(const data_settings *settings, data_part part, data_set *out,
                       admmnn_error *err);

/* Of a training part whose classes were found from its labels: one stray label would widen the
 * network, so each class but 0 (EMNIST's letters begin at 1) must have an image, or else it is
 * ADMMNN_CORRUPT. name: of the labels' file. */
admmnn_status data_check_classes(const char *name, const data_set *set, admmnn_error *err);

/* More than the memory that a set may take is ADMMNN_INPUT with the figure. */
admmnn_status data_check_memory(const data_settings *settings, const char *name, size_t bytes,
                                admmnn_error *err);

#endif
