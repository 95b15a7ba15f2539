/* Tensors whose data lie in a file beside the model's. */
#ifndef ONNX_EXTERNAL_H
#define ONNX_EXTERNAL_H

#include "base/error.h"
#include "onnx/arena.h"
#include "onnx/onnx.h"
#include "onnx_schema/onnx.pb-c.h"

bool onnx_tensor_is_external(const Onnx__TensorProto *tensor);

/* Makes the data the tensor's raw ones. The file must be a regular one within the model's folder,
 * by its name and by where its links lead. The errors of onnx_read: ADMMNN_CORRUPT for a
 * place that leaves the folder and for one that the file does not hold; ADMMNN_NOT_FOUND;
 * ADMMNN_UNSUPPORTED; ADMMNN_IO. */
admmnn_status onnx_external_fetch(Onnx__TensorProto *tensor, const onnx_file *from,
                                  onnx_arena *arena, admmnn_error *err);

/* A tensor of fewer bytes stays inside: shapes are wanted before any data is. */
#define ONNX_OUTSIDE_LEAST 1024U
/* What the standard asks offsets to be multiples of, for the sake of mmap. */
#define ONNX_OUTSIDE_ALIGNMENT 4096U

/* Gives each initializer of so many raw bytes its place in the file `location`, one behind the
 * other; what stands inside no longer counts as the tensor's, but stays at hand for
 * onnx_external_append. *bytes: of the file. False when memory is short. */
bool onnx_external_place(Onnx__GraphProto *graph, const char *location, onnx_arena *arena,
                         uint64_t *bytes);
/* The file: the tensors at their places, zeros between them. */
void onnx_external_append(const Onnx__GraphProto *graph, onnx_append *append, void *to);

#endif
