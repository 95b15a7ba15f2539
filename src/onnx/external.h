/* Tensors whose data lie in a file beside the model's. */
#ifndef ONNX_EXTERNAL_H
#define ONNX_EXTERNAL_H

#include "base/error.h"
#include "onnx/arena.h"
#include "onnx_schema/onnx.pb-c.h"

bool onnx_tensor_is_external(const Onnx__TensorProto *tensor);

/* Makes the data the tensor's raw ones. The file must be a regular one within `folder`, by
 * its name and by where its links lead; folder NULL: none may be read. ADMMNN_CORRUPT for a
 * place that leaves the folder and for one that the file does not hold; ADMMNN_NOT_FOUND;
 * ADMMNN_UNSUPPORTED; ADMMNN_IO. */
admmnn_status onnx_external_fetch(Onnx__TensorProto *tensor, const char *folder, onnx_arena *arena,
                                  admmnn_error *err);

#endif
