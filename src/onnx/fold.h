/* Nodes of constants alone, computed while the file is read. */
#ifndef ONNX_FOLD_H
#define ONNX_FOLD_H

#include "onnx/array.h"

#define ONNX_FOLD_INPUTS 64U

/* Whether nodes of that operation are computed. */
bool onnx_folds(const char *type);

/* The node's first output. in[count]: NULL where an input is left out. ADMMNN_UNSUPPORTED where
 * the result depends on the number of samples in another way than the one onnx_array holds. */
admmnn_status onnx_fold(const Onnx__NodeProto *node, const onnx_array *const *in, size_t count,
                        onnx_arena *arena, onnx_array *out, admmnn_error *err);

#endif
