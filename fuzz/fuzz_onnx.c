/* ONNX models: whatever is accepted is written again, read again and the same. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    onnx_model model;
    onnx_model again;
    uint8_t *bytes;
    size_t count;
    if (onnx_read("fuzz", data, size, &model, NULL) != ADMMNN_OK)
        return 0;
    if (onnx_write(model.g, model.params, model.properties, model.property_count, &bytes, &count,
                   NULL) != ADMMNN_OK)
        abort();
    if (onnx_read("again", bytes, count, &again, NULL) != ADMMNN_OK)
        abort();
    if (again.g->flat_count != model.g->flat_count ||
        memcmp(again.params, model.params, model.g->flat_count * sizeof *model.params) != 0)
        abort();
    onnx_model_free(&again);
    onnx_model_free(&model);
    base_free(bytes);
    return 0;
}
