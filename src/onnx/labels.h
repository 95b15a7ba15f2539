/* What is kept of a file's own names. */
#ifndef ONNX_LABELS_H
#define ONNX_LABELS_H

#include "onnx/nodes.h"
#include "onnx/onnx.h"

/* Of the graph that the reader made. *out is the caller's. */
admmnn_status onnx_labels_create(const onnx_reader *r, const Onnx__ModelProto *model,
                                 const char *input, const char *output, const char *batch,
                                 onnx_labels **out, admmnn_error *err);

#endif
