/* What an ONNX model does, operation by operation. */
#ifndef PACK_MODEL_LAYERS_H
#define PACK_MODEL_LAYERS_H

#include "base/bytes.h"
#include "pack/model_file.h"

/* Each operation's output shape, parameters, those of them that are not 0, their range,
 * multiply-accumulates and activations, as a table or as JSON. */
void model_layers_write(const admmnn_model *model, bool json, base_writer *out);
/* A list of JSON. */
void model_shape_write(graph_shape shape, base_writer *out);

#endif
